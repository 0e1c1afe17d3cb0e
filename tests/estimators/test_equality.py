"""With the same random_state, the weights of scikit-learn's own MLP: its draws, its penalty, its weights, its steps."""

import warnings

import numpy as np
import pytest
from sklearn import neural_network
from sklearn.exceptions import ConvergenceWarning

from fastmlp import estimators

pytest.importorskip("sklearn", minversion="1.7", reason="its MLP takes sample weights from then on")

SOLVERS = {
    "plain": {"solver": "sgd", "momentum": 0.0},
    "momentum": {"solver": "sgd", "nesterovs_momentum": False},
    "nesterov": {"solver": "sgd"},
    "invscaling": {"solver": "sgd", "learning_rate": "invscaling"},
    "adaptive": {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.1, "n_iter_no_change": 1},
    "adam": {"solver": "adam"},
    "lbfgs": {"solver": "lbfgs"},
}
every_solver = pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)


def both(name, X, y, sample_weight=None, **parameters):
    """An estimator of scikit-learn and ours, fitted alike."""
    fitted = []
    for module in (neural_network, estimators):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            fitted.append(getattr(module, name)(random_state=3, **parameters).fit(X, y, sample_weight))
    return fitted


def check_same_weights(theirs, ours, tolerance=1e-8):
    for name in ("coefs_", "intercepts_"):
        for want, got in zip(getattr(theirs, name), getattr(ours, name), strict=True):
            np.testing.assert_allclose(got, want, rtol=0, atol=tolerance)


@every_solver
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_weights_are_those_of_scikit_learn(waves, solver, weighted, shuffle):
    X, y = waves
    weights = np.random.default_rng(2).uniform(0, 3, len(X)) if weighted else None
    # 48 rows a batch: the last has 16, and a penalty of its own.
    options = {"alpha": 0.3, "batch_size": 48, "max_iter": 4, "shuffle": shuffle, **solver}
    check_same_weights(*both("MLPRegressor", X, y, weights, hidden_layer_sizes=(7, 5), **options))


@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("classes", [2, 3])
def test_classifiers_have_the_weights_of_scikit_learn(flowers, activation, classes):
    X, y = (part[: 50 * classes] for part in flowers)
    theirs, ours = both("MLPClassifier", X, y, hidden_layer_sizes=6, activation=activation, max_iter=5, batch_size=40)
    check_same_weights(theirs, ours)
    np.testing.assert_allclose(ours.predict_proba(X), theirs.predict_proba(X), atol=1e-8)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_several_outputs_have_the_weights_of_scikit_learn(waves, name):
    X, y = waves
    Y = np.stack([y > 0, X[:, 3] > 0, y + X[:, 4] > 0.5], axis=1).astype(int)
    theirs, ours = both(name, X, Y, hidden_layer_sizes=6, max_iter=5, alpha=0.0)
    check_same_weights(theirs, ours)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-8)


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_early_stopping_has_the_scores_of_scikit_learn(waves, name):
    X, y = waves
    y = y > 0 if name == "MLPClassifier" else y
    options = {"early_stopping": True, "n_iter_no_change": 3, "learning_rate_init": 0.02, "validation_fraction": 0.2}
    theirs, ours = both(name, X, y, hidden_layer_sizes=6, **options)
    assert ours.n_iter_ == theirs.n_iter_
    np.testing.assert_allclose(ours.validation_scores_, theirs.validation_scores_, atol=1e-8)
    assert ours.best_validation_score_ == pytest.approx(theirs.best_validation_score_)
    check_same_weights(theirs, ours)


def test_the_loss_curve_is_that_of_scikit_learn_for_one_batch_an_epoch(waves):
    theirs, ours = both("MLPRegressor", *waves, hidden_layer_sizes=6, alpha=0.5, max_iter=20)
    np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=1e-10)
    assert ours.best_loss_ == pytest.approx(theirs.best_loss_)
    assert ours.t_ == theirs.t_


def test_training_stops_when_that_of_scikit_learn_does(flowers):
    theirs, ours = both("MLPClassifier", *flowers, hidden_layer_sizes=4, tol=3e-3, learning_rate_init=0.01)
    assert ours.n_iter_ == theirs.n_iter_ < 200


@pytest.mark.parametrize("name", ["MLPClassifier", "MLPRegressor"])
def test_every_parameter_of_scikit_learn_is_there_with_its_default(name):
    theirs, ours = (getattr(module, name)().get_params() for module in (neural_network, estimators))
    assert {parameter: ours.get(parameter, "missing") for parameter in theirs if parameter != "loss"} == {
        parameter: value for parameter, value in theirs.items() if parameter != "loss"
    }


@pytest.mark.parametrize("solver", ["sgd", "adam", "lbfgs"])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_every_attribute_of_scikit_learn_is_there(waves, solver, early_stopping):
    X, y = waves
    options = {"solver": solver, "early_stopping": early_stopping, "max_iter": 3, "hidden_layer_sizes": 3}
    theirs, ours = both("MLPRegressor", X, y, **options)
    assert {name for name in vars(theirs) if name.endswith("_") and not name.startswith("_")} <= vars(ours).keys()
    for name in ("n_iter_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_", "t_"):
        assert getattr(ours, name) == getattr(theirs, name), name
