import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp import SGD, Adam, Dense, EarlyStopping, Network, Normal, Scaling
from fastmlp.training.arguments import splitter

X4 = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
Y3 = np.arange(12) % 3


def fit(net, X=X4, y=Y3, **options):
    options = {"epochs": 2, "engine": "numpy", "verbose": 0, **options}
    return net.fit(X, y, **options)


def test_it_learns(engine, blobs):
    X, y = blobs
    net = Network([4, 16, 3], seed=0)
    net.fit(X, y, epochs=50, optimizer=Adam(0.01), engine=engine, verbose=0)
    assert net.evaluate(X, y, engine=engine).accuracy > 0.9


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.booleans(), st.sampled_from(["float32", "float64"]))
def test_outputs_are_those_of_the_last_activations(sizes, bias, dtype):
    net = Network(sizes, loss="squared_error", output="tanh", bias=bias, dtype=dtype, seed=0)
    X = np.random.default_rng(0).normal(size=(3, sizes[0]))
    held = net.activations(X)
    assert [a.shape for a in held] == [(3, units) for units in sizes]
    np.testing.assert_array_equal(held[-1], net(X, engine="numpy"))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.booleans())
def test_setting_the_weights_of_another_network_makes_it_the_same_function(sizes, bias):
    one, two = (Network(sizes, loss="squared_error", bias=bias, seed=seed) for seed in (1, 2))
    two.set_weights(one.weights)
    np.testing.assert_array_equal(one.state.parameters, two.state.parameters)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.booleans())
def test_parameters_are_counted(sizes, bias):
    net = Network(sizes, loss="squared_error", bias=bias)
    assert net.n_parameters == sum(W.size + (0 if b is None else b.size) for W, b in net.weights)


@pytest.mark.parametrize(("loss", "units"), [("cross_entropy", 3), ("binary_cross_entropy", 3), ("squared_error", 3)])
def test_the_gradient_is_the_slope_of_the_loss(engine, loss, units):
    net = Network([4, 5, units], hidden="tanh", loss=loss, l2=0.1, dtype="float64", seed=0)
    y = np.eye(3)[Y3]
    objective, gradient = net.gradient(X4, y, engine=engine)
    (W, b), *rest = net.weights
    W = W.copy()
    W[1, 2] += 1e-6
    net.set_weights([(W, b), *rest])
    assert (net.gradient(X4, y, engine=engine)[0] - objective) / 1e-6 == pytest.approx(gradient[0][0][1, 2], rel=1e-4)


def test_the_same_seed_gives_the_same_network():
    np.testing.assert_array_equal(Network([4, 3], seed=5)(X4), Network([4, 3], seed=5)(X4))


def test_without_a_seed_one_is_drawn_and_kept():
    net = Network([4, 3])
    assert net.seed != Network([4, 3]).seed
    np.testing.assert_array_equal(Network([4, 3], seed=net.seed).state.parameters, net.state.parameters)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_train_alike_and_apart(engine, duplicate):
    net = Network([4, Dense(5, dropout=0.2), 3], scaling="standardize", seed=0)
    fit(net, engine=engine)
    twin = duplicate(net)
    start = twin.state.parameters.copy()
    fit(net, engine=engine)
    np.testing.assert_array_equal(twin.state.parameters, start)
    fit(twin, engine=engine)
    np.testing.assert_array_equal(twin.state.parameters, net.state.parameters)


@pytest.mark.parametrize("bits", [np.float32, np.float64])
@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: X.tolist(),
        pd.DataFrame,
        scipy.sparse.csr_matrix,
        scipy.sparse.csr_array,
        scipy.sparse.coo_matrix,
    ],
)
def test_the_form_of_the_samples_does_not_matter(engine, bits, form):
    X = X4.round(1).astype(bits)
    plain, other = Network([4, 5, 3], seed=0), Network([4, 5, 3], seed=0)
    fit(plain, X, engine=engine)
    fit(other, form(X), engine=engine)
    np.testing.assert_allclose(other.state.parameters, plain.state.parameters, rtol=1e-4, atol=1e-6)


def test_read_only_memory_maps_are_taken(tmp_path, engine):
    np.save(tmp_path / "X.npy", X4)
    net = Network([4, 3], seed=0)
    fit(net, np.load(tmp_path / "X.npy", mmap_mode="r"), engine=engine)
    assert net.state.epoch == 2


def test_images_are_rows_of_pixels():
    images = np.arange(12 * 4, dtype=np.uint8).reshape(12, 2, 2)
    net = Network([4, 3], seed=0)
    np.testing.assert_array_equal(net(images), net(images.reshape(12, 4)))


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (["a", "b", "c"], {}),
        ([3, 5, 7], {}),
        ([0.5, 1.5, 2.5], {}),
        ([0, 1, 2], {"loss": "squared_error", "output": "sigmoid"}),
        ([0, 1, 2], {"loss": "binary_cross_entropy"}),
    ],
)
def test_answers_are_labels_as_they_were_given(engine, labels, options):
    y = np.array(labels)[Y3]
    net = Network([4, 3], seed=0, **options)
    fit(net, y=y, engine=engine)
    predicted = net.predict(X4, engine=engine)
    assert predicted.dtype == y.dtype
    assert set(predicted) <= set(y)


def test_two_labels_from_one_sigmoid(engine):
    net = Network([4, 1], loss="binary_cross_entropy", seed=0)
    y = np.where(X4[:, 0] > 0, "yes", "no")
    fit(net, y=y, epochs=200, optimizer=Adam(0.1), engine=engine)
    assert net.predict(X4, engine=engine).tolist() == y.tolist()
    assert net.predict_proba(X4, engine=engine).shape == (12, 2)


def test_any_set_of_labels_from_several_sigmoids():
    net = Network([4, 3], loss="binary_cross_entropy", seed=0)
    fit(net, y=np.tile([[1, 1, 0], [0, 0, 0]], (6, 1)))
    assert net.predict(X4, engine="numpy").shape == (12, 3)


@pytest.mark.parametrize(("shape", "outputs"), [((12,), 1), ((12, 1), 1), ((12, 2), 2)])
def test_regression_answers_in_the_shape_of_its_targets(shape, outputs):
    net = Network([4, outputs], loss="squared_error", seed=0)
    fit(net, y=np.linspace(0, 1, 12 * outputs).reshape(shape))
    assert net.predict(X4, engine="numpy").shape == shape


def test_regression_has_no_accuracy():
    net = Network([4, 1], loss="squared_error", seed=0)
    assert "accuracy" not in fit(net, y=X4[:, 0])
    assert net.evaluate(X4, X4[:, 0], engine="numpy").accuracy is None


@pytest.mark.parametrize(
    "options", [{}, {"loss": "binary_cross_entropy"}, {"loss": "squared_error", "output": "sigmoid"}]
)
def test_probabilities_of_a_row_sum_to_one(engine, options):
    net = Network([4, 3], seed=0, **options)
    fit(net, engine=engine)
    np.testing.assert_allclose(net.predict_proba(X4, engine=engine).sum(axis=1), 1, rtol=1e-5)


def test_before_a_fit_labels_are_counted_from_zero():
    assert set(Network([4, 3], seed=0).predict(X4, engine="numpy")) <= {0, 1, 2}


def test_evaluating_does_not_teach_labels():
    net = Network([4, 3], seed=0)
    net.evaluate(X4, np.array(["a", "b", "c"])[Y3], engine="numpy")
    assert net.labels is None


def test_weights_are_read_only_views():
    net = Network([4, 3], seed=0)
    with pytest.raises(ValueError, match="read-only"):
        net.weights[0][0][0, 0] = 1
    before = net.weights[0][0].copy()
    held = net.weights[0][0]
    fit(net)
    assert not np.array_equal(held, before)


def test_sample_weights_stand_for_repeated_samples(engine):
    weights = np.arange(12) % 3
    net = Network([4, 3], seed=0, dtype="float64")
    weighted = net.evaluate(X4, Y3, weights, engine=engine)
    repeated = net.evaluate(np.repeat(X4, weights, axis=0), np.repeat(Y3, weights), engine=engine)
    assert weighted.loss == pytest.approx(repeated.loss)
    assert weighted.accuracy == pytest.approx(repeated.accuracy)


def test_class_weights_multiply_sample_weights(engine):
    by_class, by_sample = Network([4, 3], seed=0), Network([4, 3], seed=0)
    fit(by_class, class_weight={2: 3.0}, sample_weight=np.full(12, 0.5), engine=engine)
    fit(by_sample, sample_weight=np.where(Y3 == 2, 1.5, 0.5), engine=engine)
    # Both are scaled to a mean of 1, which rounds them differently.
    np.testing.assert_allclose(by_class.state.parameters, by_sample.state.parameters, rtol=1e-5, atol=1e-7)


def test_balanced_class_weights_are_balanced_over_the_training_rows():
    options = {"validation_split": 0.25, "class_weight": "balanced"}
    y = np.array([0] * 9 + [1, 1, 2])
    one, two = Network([4, 3], seed=0), Network([4, 3], seed=0)
    fit(one, y=y, **options)
    fit(two, y=y, **options)
    np.testing.assert_array_equal(one.state.parameters, two.state.parameters)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.floats(0.05, 0.95), st.integers(0, 2**63))
def test_a_validation_split_parts_the_rows(n, share, seed):
    if not 0 < round(n * share) < n:
        return
    train, held_out = splitter(share, seed)(n, None, None)
    assert sorted([*train, *held_out]) == list(range(n))
    np.testing.assert_array_equal(held_out, splitter(share, seed)(n, None, None)[1])


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
def test_rows_kept_for_validation_are_not_trained_on(engine, form):
    X = X4.copy()
    _, held_out = splitter(0.25, 0)(12, None, None)
    clean, changed = (Network([4, 3], scaling=None, seed=0) for _ in range(2))
    fit(clean, form(X), validation_split=0.25, engine=engine)
    X[held_out] = 1e6
    history = fit(changed, form(X), validation_split=0.25, engine=engine)
    np.testing.assert_array_equal(clean.state.parameters, changed.state.parameters)
    assert history.val_loss[-1] > 1e3


def test_validation_split_judges_the_rows_it_kept():
    _, held_out = splitter(0.25, 0)(12, None, None)
    net = Network([4, 3], seed=0)
    history = fit(net, validation_split=0.25)
    assert history.val_loss[-1] == net.evaluate(X4[held_out], Y3[held_out], engine="numpy").loss


def test_auto_scales_pixels_only():
    pixels = np.array([[0, 255]], dtype=np.uint8)
    net = Network([2, 2], seed=0)
    assert net.activations(pixels)[0].tolist() == [[0, 1]]
    assert net.activations(pixels.astype(float))[0].tolist() == [[0, 255]]


@pytest.mark.parametrize(
    ("scaling", "seen"),
    [("pixels", [0, 1]), ("centred_pixels", [-1, 1]), (None, [0, 255]), (Scaling(2.0, 1.0), [1, 511])],
)
def test_scalings_by_name_and_by_value(scaling, seen):
    pixels = np.array([[0, 255]], dtype=np.uint8)
    np.testing.assert_allclose(Network([2, 2], scaling=scaling, seed=0).activations(pixels)[0], [seen], atol=1e-6)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
def test_standardize_is_learned_from_the_first_training_rows_only(form):
    net = Network([4, 3], scaling="standardize", dtype="float64", seed=0)
    fit(net, form(X4))
    first = net.scaling
    fit(net, form(X4 + 100))
    assert net.scaling is first
    np.testing.assert_allclose(net.activations(form(X4))[0].std(axis=0), 1)


def test_a_summary_shows_what_is_not_default():
    text = Network([4, Dense(5, dropout=0.25, bias=False), 3]).summary()
    assert "0.25" in text
    assert "no bias" in text


def test_a_summary_shows_as_lines_and_is_its_text():
    summary = Network([4, 3], seed=0).summary()
    assert repr(summary) == str(summary)
    assert summary == "".join(map(str, summary)) and isinstance(summary, str)
    assert pickle.loads(pickle.dumps(summary)) == summary


def test_a_notebook_shows_the_layers():
    html = Network([4, Dense(5, dropout=0.25, bias=False), 3], seed=7)._repr_html_()
    assert html.count("<tr>") == 4
    assert "4 x 5, no bias" in html and "38 parameters" in html and "cross_entropy" in html and "seed 7" in html


def test_repr_names_what_makes_the_network():
    net = Network([4, Dense(5, "tanh", dropout=0.5), 1], loss="huber", l2=0.1, seed=1)
    assert (
        repr(net) == "Network([4, Dense(5, 'tanh', dropout=0.5), Dense(1, 'identity')], loss='huber', l2=0.1, seed=1)"
    )


@pytest.mark.parametrize(
    ("layers", "options", "error", "message"),
    [
        ([4], {}, ValueError, "layers"),
        ("4-3", {}, TypeError, "layers"),
        ([4, 0], {}, ValueError, "layer 1"),
        ([4, 2.5], {}, TypeError, "layer 1"),
        ([4, 3], {"hidden": "rellu"}, ValueError, "did you mean 'relu'"),
        ([4, 5, 3], {"hidden": "rellu", "initializer": Normal()}, ValueError, "relu"),
        ([4, 3], {"output": 3}, ValueError, "activation"),
        ([4, 3], {"loss": "mse"}, ValueError, "squared_error"),
        ([4, 3], {"output": "relu"}, ValueError, "softmax"),
        ([4, 3], {"l2": -1}, ValueError, "l2"),
        ([4, 3], {"bias": 1}, TypeError, "bias"),
        ([4, 3], {"initializer": "he"}, ValueError, "he_uniform"),
        ([4, 3], {"dtype": "float16"}, ValueError, "dtype"),
        ([4, 3], {"seed": -1}, ValueError, "seed"),
        ([4, 3], {"seed": 1.5}, TypeError, "seed"),
        ([4, 3], {"scaling": "pixel"}, ValueError, "pixels"),
        ([4, 3], {"scaling": 2}, TypeError, "scaling"),
        ([4, 3], {"scaling": Scaling(np.ones(3))}, ValueError, "3 features"),
    ],
)
def test_bad_networks_are_refused(layers, options, error, message):
    with pytest.raises(error, match=message):
        Network(layers, **options)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"X": X4[:, :3]}, ValueError, "X has 3 features.*4 inputs"),
        ({"X": X4[0]}, ValueError, "two-dimensional"),
        ({"X": X4[:0], "y": Y3[:0]}, ValueError, "X has no rows"),
        ({"X": np.where(X4 == X4[3, 1], np.nan, X4)}, ValueError, "row 3, column 1"),
        ({"X": X4.astype(str)}, TypeError, "X must hold numbers"),
        ({"X": None}, (TypeError, ValueError), "X"),
        ({"y": Y3[:5]}, ValueError, "y has 5 rows.*12"),
        ({"y": []}, ValueError, "y"),
        ({"y": None}, ValueError, "y"),
        ({"y": np.arange(12)}, ValueError, "12 different labels"),
        ({"y": np.eye(4)[Y3]}, ValueError, "4 columns"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"epochs": 1.0}, TypeError, "epochs"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"batch_size": "32"}, TypeError, "batch_size"),
        ({"optimizer": "adamm"}, ValueError, "did you mean 'adam'"),
        ({"optimizer": SGD}, TypeError, "optimizer"),
        ({"X_val": X4}, ValueError, "without y_val"),
        ({"y_val": Y3}, ValueError, "without X_val"),
        ({"X_val": X4[:, :2], "y_val": Y3}, ValueError, "X_val has 2 features"),
        ({"X_val": X4, "y_val": Y3 + 1}, ValueError, "y_val holds the label"),
        ({"X_val": X4, "y_val": Y3, "validation_split": 0.5}, ValueError, "both"),
        ({"validation_split": 1.0}, ValueError, "validation_split"),
        ({"validation_split": 0.01}, ValueError, "0 to validate with"),
        ({"validation_split": "half"}, TypeError, "validation_split"),
        ({"sample_weight": np.zeros(12)}, ValueError, "sample_weight"),
        ({"sample_weight": np.ones(3)}, ValueError, "sample_weight"),
        ({"class_weight": {7: 1.0}}, ValueError, "class_weight names 7"),
        ({"class_weight": {1: -1.0}}, ValueError, "class_weight"),
        ({"class_weight": {1: "a"}}, TypeError, "class_weight"),
        ({"class_weight": {0: 0, 1: 0, 2: 0}}, ValueError, "weight 0"),
        ({"shuffle": "yes"}, TypeError, "shuffle"),
        ({"callbacks": [EarlyStopping]}, TypeError, r"make one: EarlyStopping\(\)"),
        ({"callbacks": 3}, TypeError, "callbacks"),
        ({"engine": "cuda"}, ValueError, "engine"),
        ({"threads": 0}, ValueError, "threads"),
        ({"threads": "all"}, ValueError, "threads"),
        ({"verbose": 3}, ValueError, "verbose"),
    ],
)
def test_bad_arguments_of_fit_are_refused_and_change_nothing(options, error, message):
    net = Network([4, 3], scaling="standardize", seed=0)
    before = pickle.dumps(net)
    with pytest.raises(error, match=message):
        fit(net, **options)
    assert pickle.dumps(net) == before


def test_labels_that_the_first_fit_did_not_have_are_refused():
    net = Network([4, 3], seed=0)
    fit(net, y=np.array(["a", "b", "c"])[Y3])
    with pytest.raises(ValueError, match="'z'"):
        fit(net, y=np.array(["a", "b", "z"])[Y3])


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([], ValueError, "2 layers"),
        (3, TypeError, "pairs"),
        ([(np.zeros((4, 5)), np.zeros(5)), (np.zeros((5, 3)), None)], ValueError, "b of layer 2"),
        ([(np.zeros((5, 4)), np.zeros(5)), (np.zeros((5, 3)), np.zeros(3))], ValueError, r"W of layer 1.*\(4, 5\)"),
        ([(np.full((4, 5), np.inf), np.zeros(5)), (np.zeros((5, 3)), np.zeros(3))], ValueError, "finite"),
        ([("a", np.zeros(5)), (np.zeros((5, 3)), np.zeros(3))], TypeError, "W of layer 1"),
    ],
)
def test_bad_weights_are_refused_and_change_nothing(weights, error, message):
    net = Network([4, 5, 3], seed=0)
    before = net.state.parameters.copy()
    with pytest.raises(error, match=message):
        net.set_weights(weights)
    np.testing.assert_array_equal(net.state.parameters, before)


def test_a_poisson_network_learns_expected_counts(engine):
    X = np.repeat([[0.0], [1.0]], 300, axis=0)
    y = np.random.default_rng(0).poisson(np.where(X[:, 0] > 0, 9.0, 2.0))
    net = Network([1, 1], loss="poisson", seed=0)
    net.fit(X, y, epochs=60, optimizer=SGD(0.02), batch_size=50, engine=engine, verbose=0)
    np.testing.assert_allclose(net.predict([[0.0], [1.0]]), [y[:300].mean(), y[300:].mean()], rtol=0.02)


@pytest.mark.parametrize("level", [0.1, 0.9])
def test_a_quantile_network_lies_above_that_share_of_the_targets(level, engine):
    y = np.random.default_rng(0).exponential(size=1000)
    net = Network([1, 1], loss="quantile", quantile=level, seed=0)
    net.fit(np.zeros((1000, 1)), y, epochs=30, optimizer=SGD(0.1), schedule="linear", engine=engine, verbose=0)
    assert (y < net.predict([[0.0]])).mean() == pytest.approx(level, abs=0.02)


def test_smoothed_labels_keep_a_network_from_certainty(engine, blobs):
    X, y = blobs
    plain, smoothed = (Network([4, 3], label_smoothing=share, seed=0) for share in (0.0, 0.3))
    for net in (plain, smoothed):
        net.fit(10 * X, y, epochs=30, engine=engine, verbose=0)
    assert smoothed.predict_proba(X).max(axis=1).mean() < plain.predict_proba(X).max(axis=1).mean()


@pytest.mark.parametrize("options", [{"loss": "squared_error"}, {"loss": "huber", "output": "relu"}])
def test_numbers_have_no_probabilities(options):
    with pytest.raises(ValueError, match=r"predict\(X\)"):
        Network([4, 3], seed=0, **options).predict_proba(X4)


def test_probabilities_are_learned_by_one_sigmoid(engine):
    X, y = np.array([[0.0], [1.0]]), np.array([0.25, 0.75])
    net = Network([1, 1], loss="binary_cross_entropy", seed=0)
    fit(net, X, y, epochs=600, optimizer=Adam(0.05), engine=engine)
    np.testing.assert_allclose(net(X, engine=engine)[:, 0], y, atol=0.01)
    assert net.predict(X, engine=engine).tolist() == [0, 1]
    assert net.evaluate(X, y, engine=engine).accuracy == 1


@pytest.mark.parametrize("zeros", [0.0, 0.9], ids=["dense", "mostly zeros"])
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_one_number_that_is_not_finite_among_many_rows_is_refused(number, zeros):
    X = np.ones((1000, 10), np.float32)
    X[:, : round(10 * zeros)] = 0
    net = Network([10, 8, 3], seed=0)
    net(X)
    X[998, 4] = number
    for answer in (net, net.predict, net.predict_proba):
        with pytest.raises(ValueError, match=f"X must be finite, but the value at row 998, column 4 is {number}"):
            answer(X)


def test_finite_rows_whose_outputs_are_not_are_answered():
    pytest.importorskip("numba")
    X = np.zeros((20, 10), np.float32)
    X[:, 0] = 3e38
    net = Network([10, Dense(2, "identity"), Dense(1, "identity")], loss="squared_error", seed=0)
    net.set_weights([(np.full((10, 2), 10.0), np.zeros(2)), (np.array([[1.0], [-1.0]]), np.zeros(1))])
    assert np.isnan(net(X, engine="numba")).all()


def test_threads_may_ask_for_one_row_at_once():
    net, X = Network([30, 16, 3], seed=0), np.random.default_rng(0).normal(size=(16, 1, 30)).astype(np.float32)
    wanted = [net(row) for row in X]

    def same(i):
        return all((net(X[i]) == wanted[i]).all() for _ in range(100))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(same, range(16)))


def test_one_row_is_answered_with_the_weights_of_now():
    net, row = Network([30, 16, 3], seed=0), np.ones((1, 30), np.float32)
    net(row)
    net.set_weights(Network([30, 16, 3], seed=1).weights)
    np.testing.assert_array_equal(net(row), Network([30, 16, 3], seed=1)(row))
