"""Fits that go on from one another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.datasets import make_classification

from fastmlp import Callback, Cosine
from fastmlp.errors import ArgumentError, DivergenceError
from fastmlp.estimators import MLPClassifier, MLPRegressor, rules
from fastmlp.training import loop

WAYS = {
    "adam": {},
    "sgd": {"solver": "sgd", "learning_rate_init": 0.1},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "n_iter_no_change": 1, "tol": 0.5},
    "rmsprop": {"solver": "rmsprop"},
    "adamw": {"solver": "adamw"},
    "dropout": {"dropout": 0.3},
    "schedule": {"schedule": Cosine(6)},
    "plateau": {"schedule": "plateau", "learning_rate_init": 0.3},
    "early stopping": {"early_stopping": True, "learning_rate_init": 0.1},
    "early stopping by loss": {"early_stopping": "loss", "learning_rate_init": 0.1},
    "standardize": {"standardize": True},
    "class weight": {"class_weight": {"rose": 3.0}},
}
every_way = pytest.mark.parametrize("options", WAYS.values(), ids=WAYS)


def classifier(**options):
    return MLPClassifier((8, 6), random_state=4, **{"batch_size": 32, "n_iter_no_change": 50, **options})


def check_same(one, other):
    assert one.loss_curve_ == other.loss_curve_
    assert one.validation_scores_ == other.validation_scores_
    assert one.t_ == other.t_
    for name in ("coefs_", "intercepts_"):
        for a, b in zip(getattr(one, name), getattr(other, name), strict=True):
            np.testing.assert_array_equal(a, b)


@every_way
def test_three_epochs_and_two_are_five(options, flowers):
    whole = classifier(max_iter=5, **options).fit(*flowers)
    parts = classifier(max_iter=3, warm_start=True, **options).fit(*flowers)
    parts.set_params(max_iter=2).fit(*flowers)
    check_same(whole, parts)


@every_way
def test_as_many_partial_fits_are_a_fit(options, flowers):
    X, y = flowers
    whole = classifier(max_iter=5, **options).fit(X, y)
    parts = classifier(**options)
    for _ in range(5):
        parts.partial_fit(X, y, classes=np.unique(y))
    check_same(whole, parts)


@settings(max_examples=15)
@given(
    parts=st.lists(st.integers(1, 4), min_size=1, max_size=4),
    batch_size=st.integers(1, 60),
    solver=st.sampled_from(["sgd", "adam", "rmsprop"]),
    early_stopping=st.sampled_from([False, True, "loss"]),
    weighted=st.booleans(),
)
def test_any_parts_have_the_bits_of_the_whole(parts, batch_size, solver, early_stopping, weighted):
    X = np.random.default_rng(0).normal(size=(50, 3))
    weights = np.arange(50) % 3.0 + 0.1 if weighted else None
    options = {"hidden_layer_sizes": 3, "batch_size": batch_size, "solver": solver, "early_stopping": early_stopping}
    options |= {"random_state": 0, "n_iter_no_change": 100}
    whole = MLPRegressor(max_iter=sum(parts), **options).fit(X, X[:, 0], weights)
    piecewise = MLPRegressor(warm_start=True, **options)
    for part in parts:
        piecewise.set_params(max_iter=part).fit(X, X[:, 0], weights)
    check_same(whole, piecewise)


def test_partial_fits_with_sample_weights_are_a_fit(waves):
    X, y = waves
    weights = np.arange(len(X)) % 4.0
    whole = MLPRegressor(hidden_layer_sizes=6, random_state=0, max_iter=4, batch_size=32).fit(X, y, weights)
    parts = MLPRegressor(hidden_layer_sizes=6, random_state=0, batch_size=32)
    for _ in range(4):
        parts.partial_fit(X, y, weights)
    check_same(whole, parts)


def test_early_stopping_goes_on_from_the_last_weights_and_answers_with_the_best(flowers):
    X, y = flowers
    stopped = classifier(early_stopping=True, max_iter=10, learning_rate_init=0.1).fit(X, y)
    scores = stopped.validation_scores_
    assert stopped.best_validation_score_ == max(scores)
    assert stopped._progress.live is not None
    assert not np.array_equal(stopped._progress.live, stopped.network_.state.parameters)


def test_weights_changed_by_hand_are_what_training_goes_on_from(flowers):
    X, y = flowers
    changed = classifier(early_stopping=True, max_iter=3, warm_start=True, learning_rate_init=1e-9).fit(X, y)
    changed.coefs_ = [np.zeros_like(W) for W in changed.coefs_]
    changed.fit(X, y)
    assert all(np.abs(W).max() < 1e-6 for W in changed.coefs_)


def test_weights_put_in_place_are_predicted_with(flowers):
    X, y = flowers
    one, other = classifier(max_iter=2).fit(X, y), classifier(max_iter=20).fit(X, y)
    one.coefs_, one.intercepts_ = [W.copy() for W in other.coefs_], [b.copy() for b in other.intercepts_]
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


def test_weights_changed_in_place_are_predicted_with(waves):
    fitted = MLPRegressor(hidden_layer_sizes=3, random_state=0, max_iter=1).fit(*waves)
    fitted.coefs_[-1][...] = 0
    fitted.intercepts_[-1][...] = 7
    assert fitted.predict(waves[0]).tolist() == [7.0] * len(waves[0])


def test_weights_of_somebody_elses_are_a_start():
    regressor = MLPRegressor(hidden_layer_sizes=1, activation="identity", solver="sgd", momentum=0, alpha=0)
    regressor.coefs_, regressor.intercepts_ = [np.ones((1, 1)), np.ones((1, 1))], [np.zeros(1), np.zeros(1)]
    regressor.partial_fit([[1.0]], [3.0])
    # The answer is 1, so the gradient of each weight and bias is -2.
    assert [W.item() for W in regressor.coefs_] == pytest.approx([1 + 2e-3, 1 + 2e-3])


def test_a_schedule_that_is_over_is_told(waves):
    regressor = MLPRegressor(hidden_layer_sizes=3, random_state=0, max_iter=2, schedule=Cosine(2), warm_start=True)
    regressor.fit(*waves)
    with pytest.raises(ArgumentError, match="schedule"):
        regressor.fit(*waves)
    assert regressor.n_iter_ == 2


def test_a_schedule_by_name_starts_with_each_fit(waves):
    regressor = MLPRegressor(hidden_layer_sizes=3, random_state=0, max_iter=2, schedule="cosine", warm_start=True)
    assert regressor.fit(*waves).fit(*waves).history_["learning_rate"] == pytest.approx([1e-3, 5e-4] * 2)


def test_another_learning_rate_is_taken_when_going_on(waves):
    regressor = MLPRegressor(hidden_layer_sizes=3, random_state=0, max_iter=1, warm_start=True).fit(*waves)
    regressor.set_params(learning_rate_init=0.5).fit(*waves)
    assert regressor.history_["learning_rate"] == [0.001, 0.5]


def test_another_network_can_not_be_gone_on_with(waves):
    regressor = MLPRegressor(hidden_layer_sizes=3, random_state=0, max_iter=1, warm_start=True).fit(*waves)
    with pytest.raises(ArgumentError, match="warm_start=False"):
        regressor.set_params(hidden_layer_sizes=4).fit(*waves)


def test_a_fit_starts_anew_without_warm_start(waves):
    regressor = MLPRegressor(hidden_layer_sizes=3, max_iter=2, random_state=0).fit(*waves)
    first = regressor.coefs_[0].copy()
    np.testing.assert_array_equal(regressor.fit(*waves).coefs_[0], first)
    assert len(regressor.loss_curve_) == 2


def test_a_warm_start_needs_the_same_classes(flowers):
    X, y = flowers
    fitted = classifier(max_iter=1, warm_start=True).fit(X, y)
    with pytest.raises(ArgumentError, match="warm_start"):
        fitted.fit(X[:100], y[:100])


def test_partial_fit_takes_samples_of_some_classes(flowers):
    X, y = flowers
    fitted = classifier().partial_fit(X[:10], y[:10], classes=["daisy", "rose", "tulip"])
    assert fitted.partial_fit(X[140:], y[140:]).classes_.tolist() == ["daisy", "rose", "tulip"]


@pytest.mark.parametrize("classes", [None, ["rose", "tulip"]])
def test_partial_fit_refuses_missing_and_strange_classes(classes, flowers):
    with pytest.raises(ArgumentError, match="classes"):
        classifier().partial_fit(*flowers, classes=classes)


def test_partial_fit_refuses_classes_other_than_the_first(flowers):
    fitted = classifier().partial_fit(*flowers, classes=["daisy", "rose", "tulip"])
    with pytest.raises(ArgumentError, match="first call"):
        fitted.partial_fit(*flowers, classes=["daisy", "rose"])


class CtrlC(Callback):
    """Ctrl-C when an epoch of this number begins."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_start(self, run):
        if run.epoch == self.epoch:
            raise KeyboardInterrupt


def test_ctrl_c_keeps_the_finished_epochs(flowers):
    with pytest.warns(UserWarning, match="interrupted by user"):
        fitted = classifier(max_iter=9, callbacks=[CtrlC(4)]).fit(*flowers)
    assert (fitted.n_iter_, fitted.stop_reason_) == (3, "interrupted")
    check_same(fitted, classifier(max_iter=3).fit(*flowers))


def test_an_epoch_that_ctrl_c_falls_into_is_undone_and_done_again(flowers, monkeypatch):
    whole = classifier(max_iter=5).fit(*flowers)
    parts = classifier(max_iter=3, warm_start=True).fit(*flowers)

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rules.Curves, "append", interrupted)
        with pytest.warns(UserWarning, match="interrupted by user"):
            parts.fit(*flowers)
    assert (parts.n_iter_, parts.stop_reason_) == (0, "interrupted")
    parts.set_params(max_iter=2).fit(*flowers)
    check_same(whole, parts)


TOGETHER = [
    {},
    {"batch_size": 7},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 1e-2, "n_iter_no_change": 3},
    {"early_stopping": True, "n_iter_no_change": 4},
    {"early_stopping": "loss", "learning_rate_init": 0.1},
    {"schedule": Cosine(60)},
    {"alpha": 0.0, "shuffle": False},
]


@pytest.mark.parametrize("options", TOGETHER, ids=str)
def test_short_epochs_are_trained_together_where_nobody_looks(options, flowers, monkeypatch):
    counts, original = [], loop._trained
    monkeypatch.setattr(loop, "_trained", lambda *given: [counts.append(given[-1]), original(*given)][1])
    together = classifier(max_iter=60, **options).fit(*flowers)
    assert max(counts) > 1 and sum(counts) == together.n_iter_
    counts.clear()
    one_by_one = classifier(max_iter=60, callbacks=[Callback()], **options).fit(*flowers)
    assert counts == [1] * one_by_one.n_iter_
    assert together.stop_reason_ == one_by_one.stop_reason_
    check_same(together, one_by_one)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_of_epochs_trained_together_those_before_a_divergence_are_kept(early_stopping, waves):
    told = []
    for callbacks in ([], [Callback()]):
        options = {"early_stopping": early_stopping, "callbacks": callbacks, "n_iter_no_change": 100}
        estimator = MLPRegressor(hidden_layer_sizes=(), solver="sgd", learning_rate_init=1e6, random_state=0, **options)
        try:
            told.append(estimator.fit(*waves).stop_reason_)
        except DivergenceError as error:
            told.append(str(error))
    assert "diverged in iteration" in told[0] and "iteration 1:" not in told[0]
    assert told[0] == told[1]


def test_a_warm_start_with_other_classes_is_refused_in_words_that_code_for_scikit_learn_looks_for(flowers):
    X, y = flowers
    fitted = classifier(warm_start=True, max_iter=1).fit(X, y)
    theirs = r"warm_start can only be used where `y` has the same classes .* Previously got \['.*'\], `y` has \['.*'\]"
    with pytest.raises(ValueError, match=theirs):
        fitted.fit(X, np.where(y == y[0], "weed", y))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_a_divergence_is_told_in_words_that_code_for_scikit_learn_looks_for(solver, waves):
    X, y = waves
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"), pytest.warns(UserWarning):
        MLPRegressor(solver=solver, random_state=0).fit(X * np.sqrt(np.finfo(float).max), y)


@pytest.mark.parametrize("options", [{"early_stopping": True, "validation_fraction": 0.001}, {"n_threads": -1}])
def test_a_fit_that_is_refused_leaves_the_estimator_unfitted(options, flowers):
    estimator = classifier(**options)
    with pytest.raises(ValueError):
        estimator.fit(*flowers)
    assert not hasattr(estimator, "coefs_")
    assert not estimator.__sklearn_is_fitted__()


def test_a_fit_that_is_refused_leaves_a_fitted_estimator_as_it_was(flowers):
    X, y = flowers
    estimator = classifier(max_iter=2).fit(X, y)
    before = estimator.predict_proba(X)
    with pytest.raises(ValueError):
        estimator.fit(X[:90, :2], np.where(y == "rose", "thistle", y)[:90], sample_weight=-np.ones(90))
    np.testing.assert_array_equal(estimator.predict_proba(X), before)
    assert estimator.classes_.tolist() == ["daisy", "rose", "tulip"]


# --- block by block ---


def blocks_and_calls(estimator, first, **options):
    """One estimator given blocks, and one given each of them in a call of its own."""
    X, y = make_classification(60, random_state=0)
    weights = np.linspace(0.5, 2, 60)
    blocks = [(X[:20], y[:20]), (X[20:50], y[20:50], weights[20:50]), (X[50:], y[50:])]
    together, alone = clone(estimator), clone(estimator)
    together.partial_fit(first(blocks), **options)
    for block in blocks:
        alone.partial_fit(*block, **options)
    return together, alone


@pytest.mark.parametrize(
    "first", [list, iter, lambda blocks: lambda: iter(blocks)], ids=["list", "iterator", "function"]
)
def test_blocks_are_as_calls_of_their_own(first):
    estimator = MLPClassifier(hidden_layer_sizes=5, random_state=0)
    together, alone = blocks_and_calls(estimator, first, classes=[0, 1])
    for ours, theirs in zip(together.coefs_, alone.coefs_, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert together.t_ == alone.t_ == 60


def test_a_regressor_takes_blocks_too():
    together, alone = blocks_and_calls(MLPRegressor(hidden_layer_sizes=5, random_state=0), list)
    np.testing.assert_array_equal(together.coefs_[0], alone.coefs_[0])


def test_weights_belong_into_blocks():
    with pytest.raises(ArgumentError, match="sample_weight"):
        MLPRegressor().partial_fit([(np.zeros((2, 1)), [0.0, 1.0])], sample_weight=[1.0, 2.0])


def test_samples_without_targets_are_no_blocks():
    with pytest.raises(ArgumentError, match="y is missing"):
        MLPRegressor().partial_fit(np.zeros((2, 1)))
