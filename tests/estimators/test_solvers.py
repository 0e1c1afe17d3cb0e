"""What scikit-learn's own tests of its MLP expect of the solvers."""

import sys

import numpy as np
import pytest

from fastmlp.engines import get_engine
from fastmlp.errors import ArgumentError, MissingDependencyError
from fastmlp.estimators import MLPClassifier, MLPRegressor, base


def multilabel(X):
    """Three labels of each row, of which any may be given along with others."""
    return np.stack([X[:, 0] > 0, X[:, 1] > 0.5, X[:, 0] + X[:, 2] > -0.5], axis=1).astype(int)


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
def test_lbfgs_learns_classes(activation, flowers):
    assert MLPClassifier(20, activation, solver="lbfgs", random_state=1).fit(*flowers).score(*flowers) > 0.9


@pytest.mark.parametrize("activation", ["logistic", "tanh", "relu"])
def test_lbfgs_learns_numbers(activation, waves):
    regressor = MLPRegressor(hidden_layer_sizes=40, activation=activation, solver="lbfgs", random_state=1, max_iter=400)
    assert regressor.fit(*waves).score(*waves) > 0.95


def test_lbfgs_has_a_falling_curve(waves):
    curve = MLPRegressor(hidden_layer_sizes=5, solver="lbfgs", max_iter=30, random_state=0).fit(*waves).loss_curve_
    assert len(curve) == 30 and curve == sorted(curve, reverse=True)


def test_max_fun_limits_lbfgs(waves):
    fitted = MLPRegressor(hidden_layer_sizes=5, solver="lbfgs", max_fun=10, tol=0.0, random_state=0).fit(*waves)
    assert fitted.n_iter_ <= 10 and "exceeds limit" in fitted.stop_reason_


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
def test_each_fit_of_a_warm_start_has_max_iter_iterations_and_says_that_it_ended_so(make, solver, waves):
    X, y = waves
    options = {"warm_start": True, "random_state": 0, "learning_rate_init": 1e-4, "tol": 0.0}
    estimator = make(hidden_layer_sizes=5, solver=solver, **options)
    for max_iter in (4, 7):
        estimator.set_params(max_iter=max_iter).fit(X, y > 0 if make is MLPClassifier else y)
        assert estimator.n_iter_ == max_iter
        assert "max_iter" in estimator.stop_reason_.lower() or "iterations" in estimator.stop_reason_.lower()
    assert len(estimator.loss_curve_) == 11


@pytest.mark.parametrize("make", [MLPClassifier, MLPRegressor])
def test_partial_fit_goes_on_after_a_fit_with_early_stopping(make, waves):
    X, y = waves
    y = y > 0 if make is MLPClassifier else y
    estimator = make(hidden_layer_sizes=5, early_stopping=True, random_state=0, max_iter=5).fit(X, y)
    before = estimator.network_.state.step
    estimator.partial_fit(X, y)
    assert estimator.network_.state.step > before
    assert len(estimator.loss_curve_) == len(estimator.validation_scores_) == 6


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_numbers_beyond_measure_are_an_error(solver, waves):
    with pytest.raises(ValueError, match="standardize"):
        MLPRegressor(solver=solver, random_state=0).fit(waves[0] * 1e307, waves[1])


def test_a_larger_alpha_has_smaller_weights(flowers):
    small, large = (MLPClassifier(10, alpha=alpha, random_state=1).fit(*flowers) for alpha in (0.0, 5.0))
    assert all(np.abs(a).sum() > np.abs(b).sum() for a, b in zip(small.coefs_, large.coefs_, strict=True))


@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
def test_labels_are_learned_along_with_one_another(solver, waves):
    X = waves[0]
    fitted = MLPClassifier(30, solver=solver, random_state=0, learning_rate_init=0.01).fit(X, multilabel(X))
    assert fitted.score(X, multilabel(X)) > 0.9
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (len(X), 3)
    assert np.abs(probabilities.sum(axis=1) - 1).max() > 0.1


def test_labels_are_learned_epoch_by_epoch(waves):
    X = waves[0]
    classifier = MLPClassifier(30, random_state=0, learning_rate_init=0.02)
    for _ in range(100):
        classifier.partial_fit(X, multilabel(X), classes=[0, 1, 2])
    assert classifier.score(X, multilabel(X)) > 0.9


@pytest.mark.parametrize("classes", [2, 3])
def test_logarithms_are_those_of_the_probabilities(classes, flowers):
    X, y = (part[: 50 * classes] for part in flowers)
    fitted = MLPClassifier(4, max_iter=5, random_state=0).fit(X, y)
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (len(X), classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(fitted.predict_log_proba(X), np.log(probabilities))


def test_an_infinite_patience_takes_every_epoch(waves):
    options = {"max_iter": 30, "tol": 1e9, "n_iter_no_change": np.inf, "random_state": 0}
    fitted = MLPRegressor(hidden_layer_sizes=2, **options).fit(*waves)
    assert fitted.n_iter_ == 30


@pytest.mark.parametrize("patience", [2, 7])
def test_patience_is_how_many_epochs_may_pass(patience, waves):
    fitted = MLPRegressor(hidden_layer_sizes=2, tol=1e9, n_iter_no_change=patience, random_state=0).fit(*waves)
    assert fitted.n_iter_ == patience + 2  # the first epoch always is an improvement


def test_an_adaptive_rate_falls_to_next_to_nothing(waves):
    options = {"solver": "sgd", "learning_rate": "adaptive", "tol": 1e9, "n_iter_no_change": 1, "max_iter": 500}
    fitted = MLPRegressor(hidden_layer_sizes=2, random_state=0, **options).fit(*waves)
    assert fitted.history_["learning_rate"][-1] < 1e-6
    assert fitted.n_iter_ < 500


@pytest.mark.parametrize("shuffle", [False, True])
def test_the_order_matters_where_it_is_shuffled(shuffle, waves):
    options = {"hidden_layer_sizes": 1, "max_iter": 1, "batch_size": 1, "random_state": 0}
    in_order = MLPRegressor(shuffle=False, **options).fit(*waves)
    assert np.array_equal(MLPRegressor(shuffle=shuffle, **options).fit(*waves).coefs_[0], in_order.coefs_[0]) != shuffle


def test_both_parts_have_both_classes(waves):
    X, _ = waves
    rare = np.arange(len(X)) < 10
    fitted = MLPClassifier(early_stopping=True, max_iter=1, random_state=0).fit(X, rare)
    assert [rare[rows].sum() for rows in fitted._progress.held_out] == [9, 1]


def test_a_validation_of_one_sample_is_refused(waves):
    with pytest.raises(ArgumentError, match="validation_fraction"):
        MLPRegressor(early_stopping=True, random_state=0).fit(waves[0][:5], waves[1][:5])


def test_a_batch_may_be_larger_than_the_data(waves):
    small, large = (
        MLPRegressor(hidden_layer_sizes=3, batch_size=size, max_iter=3, random_state=0).fit(*waves)
        for size in (160, 10**6)
    )
    np.testing.assert_array_equal(small.coefs_[0], large.coefs_[0])


def test_without_scikit_learn_one_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for name in [name for name in sys.modules if name.startswith("fastmlp.estimators")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(MissingDependencyError, match='pip install "scikit-learn'):
        import fastmlp.estimators  # noqa: F401


@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
def test_without_numba_the_numpy_engine_does_the_same(solver, waves, monkeypatch):
    X, y = waves
    options = {"hidden_layer_sizes": 5, "random_state": 0, "solver": solver, "max_iter": 5, "batch_size": 48}
    weights = np.arange(len(X)) % 3.0
    compiled = MLPRegressor(**options).fit(X, y, weights, X, y)
    monkeypatch.setattr(base, "engine_for", lambda name, architecture: get_engine("numpy"))
    plain = MLPRegressor(**options).fit(X, y, weights, X, y)
    np.testing.assert_allclose(plain.coefs_[0], compiled.coefs_[0], atol=1e-9)
    np.testing.assert_allclose(plain.loss_curve_, compiled.loss_curve_, atol=1e-9)
