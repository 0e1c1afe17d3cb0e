"""Searches: the results are those of scikit-learn's own classes over the same estimator."""

import _thread
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sklearn.model_selection
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

from fastmlp import model_selection
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.estimators import MLPClassifier, MLPRegressor

from ..interpreted import too_long_for_python

GRID = {"learning_rate_init": [0.003, 0.03], "hidden_layer_sizes": [(4,), (6, 4)]}


def classifier(**options):
    return MLPClassifier(**{"hidden_layer_sizes": 5, "max_iter": 8, "random_state": 0} | options)


def regressor(**options):
    return MLPRegressor(**{"hidden_layer_sizes": 5, "max_iter": 8, "random_state": 0} | options)


def pipeline(network):
    return Pipeline([("scale", StandardScaler()), ("network", network)])


def of_network(grid):
    return {f"network__{name}": values for name, values in grid.items()}


def results_of(search):
    """What doesn't depend on a clock."""
    return {name: values for name, values in search.cv_results_.items() if "time" not in name}


def same(ours, theirs):
    found, expected = results_of(ours), results_of(theirs)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_array_equal(np.asarray(found[name]), np.asarray(values), err_msg=name)
    for name in ("best_index_", "best_params_", "best_score_", "n_splits_", "multimetric_"):
        assert getattr(ours, name, None) == getattr(theirs, name, None)


def both(name, *given, **options):
    return (getattr(module, name)(*given, **options) for module in (model_selection, sklearn.model_selection))


LEARNER = MLPClassifier(20, max_iter=200, learning_rate_init=0.02, random_state=0)
CHECKS = list(estimator_checks_generator(model_selection.GridSearchCV(LEARNER, {"alpha": [1e-4, 1e-3]}, cv=2)))


@too_long_for_python
@pytest.mark.parametrize(("estimator", "check"), CHECKS, ids=lambda part: getattr(part, "func", type(part)).__name__)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")
def test_scikit_learns_own_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("n_jobs", [None, 1, 2])
def test_a_grid(flowers, n_jobs):
    ours, theirs = both("GridSearchCV", classifier(), GRID, cv=3, return_train_score=True)
    ours.set_params(n_jobs=n_jobs).fit(*flowers)
    same(ours, theirs.fit(*flowers))
    np.testing.assert_array_equal(ours.predict_proba(flowers[0]), theirs.predict_proba(flowers[0]))


def test_a_pipeline(flowers):
    ours, theirs = both("GridSearchCV", pipeline(classifier()), of_network(GRID), cv=3)
    same(ours.fit(*flowers), theirs.fit(*flowers))


def test_steps_that_are_searched_too(flowers):
    grid = [{"scale": ["passthrough"], **of_network(GRID)}, {"scale__with_mean": [True, False]}]
    ours, theirs = both("GridSearchCV", pipeline(classifier()), grid, cv=3)
    found, expected = results_of(ours.fit(*flowers)), results_of(theirs.fit(*flowers))
    np.testing.assert_array_equal(found["mean_test_score"], expected["mean_test_score"])


def test_several_scores_and_a_choice_of_ones_own(waves):
    scoring = {"r2": "r2", "error": "neg_mean_absolute_error"}
    ours, theirs = both("GridSearchCV", regressor(), GRID, cv=3, scoring=scoring, refit="error")
    same(ours.fit(*waves), theirs.fit(*waves))
    ours, theirs = both("GridSearchCV", regressor(), GRID, cv=3, refit=lambda results: 2)
    assert ours.fit(*waves).best_params_ == theirs.fit(*waves).best_params_


def test_groups_and_weights(flowers):
    groups, weight = np.arange(150) % 7, np.linspace(0.5, 1.5, 150)
    ours, theirs = both("GridSearchCV", classifier(), GRID, cv=GroupKFold(3))
    same(*(search.fit(*flowers, groups=groups, sample_weight=weight) for search in (ours, theirs)))


def test_random_candidates(flowers):
    rates = {"learning_rate_init": loguniform(1e-3, 1e-1)}
    ours, theirs = both("RandomizedSearchCV", classifier(), rates, n_iter=4, cv=2, random_state=3)
    same(ours.fit(*flowers), theirs.fit(*flowers))


@pytest.mark.parametrize("resource", ["n_samples", "max_iter"])
def test_halving(flowers, resource):
    options = {"n_samples": {}, "max_iter": {"min_resources": 2, "max_resources": 8}}[resource]
    rates = {"learning_rate_init": loguniform(1e-3, 1e-1)}
    given = {"n_candidates": 4, "factor": 2, "cv": 2, "random_state": 3, "resource": resource} | options
    ours, theirs = both("HalvingRandomSearchCV", classifier(), rates, **given)
    same(ours.fit(*flowers), theirs.fit(*flowers))
    assert ours.n_resources_ == theirs.n_resources_


def test_candidates_that_fail(flowers):
    grid = {"learning_rate_init": [-1.0, 0.01]}
    ours, theirs = both("GridSearchCV", classifier(), grid, cv=2, error_score=0.0)
    with pytest.warns(FitFailedWarning):
        ours.fit(*flowers)
    with pytest.warns(FitFailedWarning):
        theirs.fit(*flowers)
    same(ours, theirs)
    with pytest.raises(ValueError, match="learning_rate_init"):
        ours.set_params(error_score="raise").fit(*flowers)


class Counting(StandardScaler):
    fits = 0

    def fit(self, X, y=None, sample_weight=None):
        Counting.fits += 1
        return super().fit(X, y, sample_weight)


def test_the_first_steps_are_fitted_once_for_each_fold_and_for_the_best(flowers):
    Counting.fits = 0
    search = model_selection.GridSearchCV(
        make_pipeline(Counting(), classifier()), {"mlpclassifier__alpha": [0, 1, 2]}, cv=3
    )
    search.fit(*flowers)
    assert Counting.fits == 4


def test_what_was_given_and_what_is_found_are_as_after_scikit_learns_search(flowers):
    given = pipeline(classifier())
    search = model_selection.GridSearchCV(given, of_network(GRID), cv=2).fit(*flowers)
    assert search.estimator is given
    assert search.best_estimator_.memory is None
    assert "_many" not in vars(search.best_estimator_[-1])
    assert not hasattr(given[-1], "network_")
    clone(search).fit(*flowers)


def test_other_estimators_are_refused(flowers):
    with pytest.raises(ArgumentTypeError, match=r"sklearn\.model_selection"):
        model_selection.GridSearchCV(LogisticRegression(), {"C": [1.0]}).fit(*flowers)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_ends_the_fits_under_way(flowers, n_jobs):
    def interrupt(run):
        if run.epoch == 2:
            _thread.interrupt_main()

    endless = classifier(max_iter=10**6, n_iter_no_change=np.inf, callbacks=[interrupt])
    search = model_selection.GridSearchCV(endless, {"alpha": [0.0, 0.1]}, cv=2, n_jobs=n_jobs)
    with warnings.catch_warnings(), pytest.raises(KeyboardInterrupt):
        warnings.simplefilter("ignore")  # of the fits in threads
        search.fit(*flowers)
    assert not hasattr(search, "cv_results_")


@pytest.mark.parametrize("network", [classifier(), pipeline(classifier())], ids=["network", "pipeline"])
def test_workers_of_an_executor_give_the_same_results(flowers, network):
    grid = of_network(GRID) if isinstance(network, Pipeline) else GRID
    ours, theirs = both("GridSearchCV", network, grid, cv=3)
    with ThreadPoolExecutor(2) as pool:
        ours.fit(*flowers, executor=pool)
    same(ours, theirs.fit(*flowers))
    last = ours.best_estimator_[-1] if isinstance(network, Pipeline) else ours.best_estimator_
    assert "_many" not in vars(last)


def test_candidates_that_fail_in_a_worker(flowers):
    grid = {"learning_rate_init": [-1.0, 0.01]}
    ours, theirs = both("GridSearchCV", classifier(), grid, cv=2, error_score=0.0)
    with ThreadPoolExecutor(2) as pool, pytest.warns(FitFailedWarning):
        ours.fit(*flowers, executor=pool)
    with pytest.warns(FitFailedWarning):
        theirs.fit(*flowers)
    same(ours, theirs)


def test_what_can_t_travel_to_a_worker_is_told(flowers):
    search = model_selection.GridSearchCV(classifier(callbacks=[lambda run: None]), GRID)
    with ThreadPoolExecutor(1) as pool, pytest.raises(ArgumentError, match="estimator can't travel"):
        search.fit(*flowers, executor=pool)
