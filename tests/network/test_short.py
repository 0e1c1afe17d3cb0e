"""The shorter way of `evaluate`, `gradient` and fits of one epoch: bits and words are those of the longer one."""

import copy
import pickle
import threading

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp import SGD, Adam, Callback, Dense, Network, RMSprop
from fastmlp.data.samples import Scaling
from fastmlp.errors import ArgumentError, ArgumentTypeError, TrainingError
from fastmlp.training import short
from fastmlp.training.fitting import Fitting

from ..interpreted import examples

pytest.importorskip("numba")

LOSSES = {
    "cross_entropy": (3, lambda n: draws(n).integers(0, 3, n)),
    "binary_cross_entropy": (1, lambda n: draws(n).integers(0, 2, n)),
    "squared_error": (1, lambda n: draws(n).normal(size=n)),
    "quantile": (2, lambda n: draws(n).normal(size=(n, 2))),
    "poisson": (1, lambda n: draws(n).integers(0, 5, n).astype(float)),
}
OPTIMIZERS = [SGD(0.01), SGD(0.001, momentum=0.9), RMSprop(), Adam(), Adam(0.01, clip_norm=1.0)]


@pytest.fixture
def no_long_fit(monkeypatch):
    """Have a fit that goes the longer way fail."""

    def planned(*_):
        raise AssertionError("this fit was planned")

    return lambda: monkeypatch.setattr(Fitting, "__init__", planned)


def long_way(network):
    """Return a copy that knows no shorter way."""
    other = copy.deepcopy(network)
    other._shorter_way = lambda engine: None
    return other


def draws(seed):
    return np.random.default_rng(seed)


def table(rows, features, kind, zeros=0.0):
    numbers = draws(rows)
    X = numbers.normal(size=(rows, features)) * (numbers.random((rows, features)) >= zeros)
    return (np.abs(X) * 60).clip(0, 255).astype(np.uint8) if kind == "uint8" else X.astype(kind)


def parts_of(gradient):
    return [part for pair in gradient for part in pair if part is not None]


@given(st.data())
@settings(max_examples=examples(150, 5), deadline=None)
def test_every_call_has_the_bits_of_the_longer_way(data):
    draw = data.draw
    loss = draw(st.sampled_from(sorted(LOSSES)))
    outputs, targets_of = LOSSES[loss]
    hidden = draw(st.sampled_from([[], [5], [Dense(9, "gelu"), Dense(17, "tanh", bias=False)], [40, 16]]))
    far = draw(st.booleans())
    features, kind = draw(st.sampled_from([1, 6, 70])), draw(st.sampled_from(["float32", "float64", "uint8"]))
    network = Network(
        [features, *hidden, outputs],
        loss=loss,
        dtype=draw(st.sampled_from(["float32", "float64"])),
        scaling=Scaling(0.5, centre=100.0) if far else draw(st.sampled_from(["auto", "standardize"])),
        l2=draw(st.sampled_from([0.0, 0.1])),
        label_smoothing=draw(st.sampled_from([0.0, 0.1])) if "entropy" in loss else 0.0,
        seed=1,
    )
    optimizer, batch_size = draw(st.sampled_from(OPTIMIZERS)), draw(st.sampled_from([1, 4, 32]))
    asked = {"epochs": 1, "optimizer": optimizer, "batch_size": batch_size, "engine": "numba", "verbose": 0}
    zeros = draw(st.sampled_from([0.0, 0.8]))
    X = table(20, features, kind, zeros)
    network.fit(X, targets_of(20), **asked)
    other = long_way(network)
    for rows in draw(st.lists(st.sampled_from([1, 3, 14, 15, 16, 40, 130]), min_size=1, max_size=4)):
        X, y = table(rows, features, kind, zeros), targets_of(rows)
        history, wanted = network.fit(X, y, **asked), other.fit(X, y, **asked)
        for column in ("epoch", "loss", "learning_rate"):
            assert history[column] == wanted[column]
        assert history.stop_reason == wanted.stop_reason
        np.testing.assert_array_equal(network.state.parameters, other.state.parameters)
        assert (network.state.step, network.state.epoch) == (other.state.step, other.state.epoch)
        assert network.state.generator.bit_generator.state == other.state.generator.bit_generator.state
        # Zeros of a narrow table are skipped on the longer way only.
        scores = [n.evaluate(X, y, engine="numba") for n in (network, other)]
        assert scores[0].loss == pytest.approx(scores[1].loss, rel=1e-5)
        assert scores[0].accuracy == scores[1].accuracy
        found = [n.gradient(X, y, engine="numba") for n in (network, other)]
        assert found[0][0] == found[1][0]
        for part, right in zip(*(parts_of(gradient) for _, gradient in found), strict=True):
            np.testing.assert_array_equal(part, right)
    assert network.history["loss"] == other.history["loss"]


@pytest.mark.parametrize("kind", ["float32", "float64", "uint8"])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "squared_error", "quantile"])
def test_it_is_taken(loss, kind, no_long_fit, monkeypatch):
    outputs, targets_of = LOSSES[loss]
    network = Network([6, 5, outputs], loss=loss, seed=1)
    X, y = table(10, 6, kind), targets_of(10)
    network.fit(X, y, epochs=1, engine="numba", verbose=0)
    no_long_fit()
    monkeypatch.setattr(Network, "_labelled", None)
    for _ in range(3):
        history = network.fit(X, y, epochs=1, engine="numba", verbose=0)
        network.evaluate(X, y, engine="numba")
        network.gradient(X, y, engine="numba")
    assert history.epoch == [4]
    assert network.history.epochs == 4


@pytest.mark.parametrize("optimizers", [["adam"] * 3, [Adam(0.1), Adam(0.1), Adam(0.01)], ["adam", Adam(), "adam"]])
def test_other_rates_and_other_batches_are_short_too(optimizers, no_long_fit):
    network = Network([6, 5, 3], seed=1)
    X, y = table(300, 6, "float32"), LOSSES["cross_entropy"][1](300)
    network.fit(X, y, epochs=1, optimizer=optimizers[0], batch_size=300, engine="numba", verbose=0)
    longer = long_way(network)
    for optimizer, rows in zip(optimizers, (300, 7, 299), strict=True):
        longer.fit(X, y, epochs=1, optimizer=optimizer, batch_size=rows, engine="numba", verbose=0)
    no_long_fit()
    for optimizer, rows in zip(optimizers, (300, 7, 299), strict=True):
        network.fit(X, y, epochs=1, optimizer=optimizer, batch_size=rows, engine="numba", verbose=0)
    np.testing.assert_array_equal(network.state.parameters, longer.state.parameters)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5, "32", True])
def test_a_batch_size_that_is_none(batch_size):
    network = Network([6, 5, 3], seed=1)
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    network.fit(X, y, epochs=1, verbose=0)
    with pytest.raises((ArgumentError, ArgumentTypeError), match="batch_size"):
        network.fit(X, y, epochs=1, batch_size=batch_size, verbose=0)


def test_an_optimizer_that_is_none():
    network = Network([6, 5, 3], seed=1)
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    network.fit(X, y, epochs=1, verbose=0)
    with pytest.raises(ArgumentError, match="optimizer 'adm'"):
        network.fit(X, y, epochs=1, optimizer="adm", verbose=0)


class Counts(Callback):
    epochs = 0

    def on_epoch_end(self, run):
        self.epochs += 1


@pytest.mark.parametrize(
    "other",
    [
        {"batch_size": 5},
        {"optimizer": "sgd"},
        {"epochs": 2},
        {"schedule": "linear"},
        {"validation_split": 0.5},
        {"rows": [1, 2]},
        {"sample_weight": np.arange(10.0)},
        {"class_weight": "balanced"},
        {"shuffle": False},
        {"engine": "numpy"},
        {"threads": 2},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_fit_that_asks_for_something_else(other):
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    network = Network([6, 5, 3], seed=1)
    network.fit(X, y, epochs=1, verbose=0, batch_size=4)
    longer = long_way(network)
    for net in (network, longer):
        for asked in ({}, other, {}):
            net.fit(X, y, **{"epochs": 1, "verbose": 0, "batch_size": 4} | asked)
    np.testing.assert_array_equal(network.state.parameters, longer.state.parameters)
    assert network.history["loss"] == longer.history["loss"]


def test_callbacks_in_an_array():
    network, counts = Network([6, 5, 3], seed=1), Counts()
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    for _ in range(2):
        network.fit(X, y, epochs=1, verbose=0, callbacks=np.array([counts, counts]))
    assert counts.epochs == 4


def test_a_network_that_is_too_large_is_not_copied_first(monkeypatch):
    network = Network([6, 5, 3], seed=1)
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    network.fit(X, y, epochs=1, engine="numba", verbose=0)
    network._shorter_way("numba").can_train = lambda rows: False
    monkeypatch.setattr(short.Undo, "remember", None)
    asked = {"engine": "numba", "optimizer": "adam", "batch_size": 32, "shuffle": True}
    assert network._short.train(network, X, y, asked) is None


def test_a_list_of_callbacks_that_was_empty():
    network, callbacks, counts = Network([6, 5, 3], seed=1), [], Counts()
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    network.fit(X, y, epochs=1, verbose=0, callbacks=callbacks)
    callbacks.append(counts)
    network.fit(X, y, epochs=1, verbose=0, callbacks=callbacks)
    assert counts.epochs == 1


@pytest.mark.parametrize(
    ("X", "y", "words"),
    [
        (table(4, 6, "float32"), np.array([0, 1, 2, 3]), "label 3"),
        (table(4, 6, "float32"), np.array([0, 1, -1, 2]), "label -1"),
        (table(4, 6, "float32"), np.array([0, 1, 2]), "3 rows"),
        (table(4, 5, "float32"), np.array([0, 1, 2, 0]), "features"),
        (np.full((4, 6), np.nan, np.float32), np.array([0, 1, 2, 0]), "finite"),
        (np.full((4, 6), np.inf), np.array([0, 1, 2, 0]), "finite"),
        (np.full((4, 6), 1e300), np.array([0, 1, 2, 0]), "1e\\+300"),
        (table(1, 6, "float32"), np.array(1), "shape"),
    ],
    ids=["label", "negative label", "rows", "features", "NaN", "infinity", "too large", "no rows"],
)
def test_what_is_wrong_is_said_in_the_same_words(X, y, words):
    network = Network([6, 5, 3], seed=1)
    network.fit(table(10, 6, "float64"), LOSSES["cross_entropy"][1](10), epochs=1, verbose=0)
    before = network.state.parameters.copy()
    for call in (network.evaluate, network.gradient, lambda X, y: network.fit(X, y, epochs=1, verbose=0)):
        with pytest.raises(ArgumentError, match=words):
            call(X, y)
    np.testing.assert_array_equal(network.state.parameters, before)


def test_samples_that_only_their_scaling_brings_back_to_float32():
    network = Network([6, 5, 3], scaling=Scaling(1e-36), seed=1)
    X, y = table(10, 6, "float64") * 1e36, LOSSES["cross_entropy"][1](10)
    network.fit(X, y, epochs=1, verbose=0)
    for call in (network, lambda X: network.evaluate(X, y), lambda X: network.fit(X, y, epochs=1, verbose=0)):
        with pytest.raises(ArgumentError, match="float32"):
            call(X * 1e4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30])
def test_targets_that_no_network_can_learn(value, dtype):
    network = Network([6, 5, 1], loss="squared_error", seed=1)
    X, y = table(10, 6, "float32"), draws(0).normal(size=10).astype(dtype)
    network.fit(X, y, epochs=1, verbose=0)
    y[3] = value
    with pytest.raises(ArgumentError, match="y"):
        network.fit(X, y, epochs=1, verbose=0)


def test_an_epoch_that_diverges_is_undone_and_told():
    network = Network([6, 5, 1], loss="squared_error", scaling=None, seed=1)
    X, y = table(10, 6, "float32"), draws(0).normal(size=10)
    asked = {"epochs": 1, "optimizer": SGD(0.1), "batch_size": 4, "verbose": 0}
    network.fit(X, y, **asked)
    before, drawn = network.state.parameters.copy(), network.state.generator.bit_generator.state
    with pytest.raises(TrainingError, match="diverged"):
        network.fit(X * np.float32(1e15), y, **asked)
    np.testing.assert_array_equal(network.state.parameters, before)
    assert network.state.generator.bit_generator.state == drawn
    assert (network.state.epoch, network.history.epochs, network.history.stop_reason) == (1, 1, "diverged")


def test_ctrl_c_while_an_epoch_is_undone_is_no_half_undone_epoch(monkeypatch):
    network = Network([6, 5, 1], loss="squared_error", scaling=None, seed=1)
    X, y = table(10, 6, "float32"), draws(0).normal(size=10)
    asked = {"epochs": 1, "optimizer": SGD(0.1), "batch_size": 4, "engine": "numba", "verbose": 0}
    network.fit(X, y, **asked)
    before, bring_back, calls = network.state.parameters.copy(), short.Undo.bring_back, []

    def interrupted(undo):
        calls.append(1)
        if len(calls) == 1:
            raise KeyboardInterrupt
        bring_back(undo)

    monkeypatch.setattr(short.Undo, "bring_back", interrupted)
    history = network.fit(X * np.float32(1e15), y, **asked)
    assert (history.epochs, history.stop_reason) == (0, "interrupted")
    np.testing.assert_array_equal(network.state.parameters, before)
    assert (network.state.epoch, network.state.step, network.history.epochs) == (1, 3, 1)


def test_ctrl_c_undoes_the_epoch(monkeypatch):
    network = Network([6, 5, 3], seed=1)
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    asked = {"epochs": 1, "verbose": 0, "batch_size": 4, "engine": "numba"}
    network.fit(X, y, **asked)
    before, drawn = network.state.parameters.copy(), network.state.generator.bit_generator.state

    def interrupted():
        assert (network.state.parameters != before).any()
        raise KeyboardInterrupt

    monkeypatch.setattr(short.time, "perf_counter", iter_of(lambda: 0.0, interrupted))
    history = network.fit(X, y, **asked)
    assert (history.epochs, history.stop_reason, network.history.stop_reason) == (0, "interrupted", "interrupted")
    np.testing.assert_array_equal(network.state.parameters, before)
    assert network.state.generator.bit_generator.state == drawn
    assert (network.state.epoch, network.state.step, network.history.epochs) == (1, 3, 1)


def iter_of(*functions):
    """Return a function that is the first one when it is called first, and so on."""
    left = list(functions)
    return lambda: left.pop(0)()


def test_another_fit_of_the_same_network_is_refused(monkeypatch):
    network = Network([6, 5, 3], seed=1)
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    network.fit(X, y, epochs=1, verbose=0)
    errors = []

    def fit():
        try:
            network.fit(X, y, epochs=1, verbose=0)
        except TrainingError as error:
            errors.append(error)

    with network._turns.fit():
        thread = threading.Thread(target=fit)
        thread.start()
        thread.join()
    assert len(errors) == 1


def test_parameters_that_somebody_replaced():
    network = Network([6, 5, 3], seed=1)
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    network.fit(X, y, epochs=1, verbose=0)
    right, gradient = network.evaluate(X, y), network.gradient(X, y)
    network.state.parameters = np.repeat(network.state.parameters, 2)[::2]
    assert network.evaluate(X, y) == right
    assert network.gradient(X, y)[0] == gradient[0]


@pytest.mark.parametrize("copied", [copy.copy, lambda network: pickle.loads(pickle.dumps(network))])
def test_a_copy_trains_alone(copied):
    network = Network([6, 5, 3], seed=1)
    X, y = table(10, 6, "float32"), LOSSES["cross_entropy"][1](10)
    for _ in range(2):
        network.fit(X, y, epochs=1, verbose=0)
    other, before = copied(network), network.state.parameters.copy()
    for _ in range(2):
        other.fit(X, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(network.state.parameters, before)
    assert (network.history.epochs, other.history.epochs) == (2, 4)


def test_kinds_of_samples_in_turn():
    network = Network([6, 5, 3], seed=1)
    X, y = table(10, 6, "float64"), LOSSES["cross_entropy"][1](10)
    network.fit(X, y, epochs=1, verbose=0)
    longer = long_way(network)
    forms = (X, X.astype(np.float32), X.tolist(), scipy.sparse.csr_matrix(X), np.asfortranarray(X), X[::-1])
    for net in (network, longer):
        for form in forms:
            net.fit(form, y, epochs=1, verbose=0)
    np.testing.assert_array_equal(network.state.parameters, longer.state.parameters)
