"""The warning that max_iter was too little: to whom it is given, and what it says."""

import inspect
import re
import warnings

import joblib
import numpy as np
import pytest
from joblib.externals.loky import get_reusable_executor
from sklearn.base import BaseEstimator, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from fastmlp import Callback, ReduceOnPlateau
from fastmlp.estimators import MLPClassifier, MLPRegressor


def classifier(**options):
    return MLPClassifier(4, random_state=0, **{"max_iter": 1, **options})


def regressor(**options):
    return MLPRegressor(hidden_layer_sizes=4, random_state=0, **{"max_iter": 1, **options})


def warned_of(function, *arguments):
    """What a call returns, and the warnings about convergence that it gives."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        returned = function(*arguments)
    return returned, [one for one in caught if issubclass(one.category, ConvergenceWarning)]


def test_a_fit_that_needed_all_epochs_is_one_warning_with_numbers_at_its_own_line(waves):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fitted, line = regressor(max_iter=30).fit(*waves), inspect.currentframe().f_lineno
    assert [(one.category, one.filename, one.lineno) for one in caught] == [(ConvergenceWarning, __file__, line)]
    said, curve = str(caught[0].message), fitted.loss_curve_
    assert f"after 30 epochs (max_iter=30): the training loss is {curve[-1]:.4g}" in said
    assert f"fell by {(curve[-11] - curve[-1]) / 10:.2g} per epoch over the last 10 epochs, with tol=0.0001" in said
    assert "Raise max_iter" in said and "stop_reason_" in said
    assert fitted.stop_reason_ == "max_iter=30 epochs done"


def test_of_one_epoch_there_is_nothing_to_compare_with(waves):
    fitted, (told,) = warned_of(regressor().fit, *waves)
    assert f"after 1 epoch (max_iter=1): the training loss is {fitted.loss_:.4g}, with tol" in str(told.message)


def test_two_epochs_have_one_step_between_them(waves):
    _, (told,) = warned_of(regressor(max_iter=2).fit, *waves)
    assert "per epoch over the last 1 epoch, with tol" in str(told.message)


def test_a_loss_that_rises_is_said_to_rise(waves):
    fitted, (told,) = warned_of(regressor(max_iter=2, learning_rate_init=3.0).fit, *waves)
    assert fitted.loss_curve_[-1] > fitted.loss_curve_[0]
    assert " rose by " in str(told.message)


@pytest.mark.parametrize(
    ("early_stopping", "said", "figure"),
    [(True, "the validation score", "val_accuracy"), ("loss", "the validation loss", "val_loss")],
)
def test_with_early_stopping_it_is_about_what_would_have_stopped_the_training(early_stopping, said, figure, flowers):
    fitted, (told,) = warned_of(classifier(max_iter=3, early_stopping=early_stopping).fit, *flowers)
    assert f"{said} is {fitted.history_[figure][-1]:.4g}" in str(told.message)


@pytest.mark.parametrize("limit", [{"max_iter": 6}, {"max_iter": 100, "max_fun": 6}], ids=str)
def test_lbfgs_warns_of_both_its_limits(limit, waves):
    fitted, (told,) = warned_of(regressor(solver="lbfgs", **limit).fit, *waves)
    said = str(told.message)
    assert f"after {fitted.n_iter_} iterations ({fitted.stop_reason_}): " in said
    assert f"the training loss is {fitted.loss_:.4g} and fell by" in said and "max_iter or max_fun" in said


def test_lbfgs_that_can_not_take_one_step_warns_too(waves):
    fitted, (told,) = warned_of(regressor(solver="lbfgs", max_fun=1).fit, *waves)
    assert f"the training loss is {fitted.loss_:.4g}, with" in str(told.message)


def test_lbfgs_that_finds_a_minimum_is_no_warning(waves):
    fitted, told = warned_of(regressor(solver="lbfgs", tol=0.5, max_iter=200).fit, *waves)
    assert "convergence" in fitted.stop_reason_ and not told


def test_each_fit_of_a_warm_start_warns(waves):
    estimator = regressor(warm_start=True)
    for epochs in (4, 7):
        _, (told,) = warned_of(estimator.set_params(max_iter=epochs).fit, *waves)
        assert f"after {epochs} epochs" in str(told.message)


def test_a_training_that_has_converged_in_its_last_epoch_is_no_warning(waves):
    options = {"tol": 1e9, "n_iter_no_change": 3}
    needed = regressor(max_iter=200, **options).fit(*waves).n_iter_
    assert needed == 5
    fitted, told = warned_of(regressor(max_iter=needed, **options).fit, *waves)
    assert fitted.n_iter_ == needed and "has not improved" in fitted.stop_reason_ and not told


class Ends(Callback):
    """End the training after the second epoch, in one way or the other."""

    def __init__(self, error):
        self.error = error

    def on_epoch_end(self, run):
        if run.epoch == 2:
            if self.error is not None:
                raise self.error
            run.stop("enough")


@pytest.mark.parametrize("error", [None, KeyboardInterrupt()], ids=["callback", "Ctrl-C"])
@pytest.mark.filterwarnings("ignore:Training interrupted")
def test_a_training_that_was_ended_is_no_warning(error, waves):
    fitted, told = warned_of(regressor(max_iter=2, callbacks=[Ends(error)]).fit, *waves)
    assert fitted.n_iter_ == (2 if error is None else 1) and not told


def test_partial_fit_is_no_warning(waves):
    assert not warned_of(regressor().partial_fit, *waves)[1]


def test_a_schedule_that_has_come_to_its_end_is_no_warning(waves):
    assert not warned_of(regressor(max_iter=3, schedule="cosine").fit, *waves)[1]


def test_a_plateau_has_no_end_to_come_to(waves):
    assert len(warned_of(regressor(max_iter=3, schedule=ReduceOnPlateau("loss")).fit, *waves)[1]) == 1


# --- whose fit it was ---


def fitted_within(estimator):
    """The networks inside of an estimator of scikit-learn's."""
    if isinstance(estimator, MLPClassifier | MLPRegressor):
        return [estimator]
    if hasattr(estimator, "calibrated_classifiers_"):
        return [inner.estimator for inner in estimator.calibrated_classifiers_]
    return [estimator.best_estimator_] if hasattr(estimator, "best_estimator_") else list(estimator.estimators_)


MANY = {
    "search": GridSearchCV(classifier(), {"alpha": [0.0, 1.0]}, cv=2),
    "bagging": BaggingClassifier(classifier(), n_estimators=2, random_state=0),
    "calibration": CalibratedClassifierCV(classifier(), cv=2),
    "voting": VotingClassifier([("a", classifier()), ("b", classifier(solver="lbfgs"))]),
    "one against the rest": OneVsRestClassifier(classifier()),
    "threads": BaggingClassifier(classifier(), n_estimators=2, random_state=0, n_jobs=2),
}


@pytest.mark.parametrize("outer", MANY.values(), ids=MANY)
def test_none_of_many_fits_warns_and_each_says_why_it_ended(outer, flowers):
    with joblib.parallel_config("threading"):
        fitted, told = warned_of(clone(outer).fit, *flowers)
    assert not told
    reasons = [inner.stop_reason_ for inner in fitted_within(fitted)]
    assert reasons and all("max_iter=1" in reason or "iterations reached limit" in reason for reason in reasons)


def test_nor_does_one_of_many_regressors(waves):
    X, y = waves
    fitted, told = warned_of(MultiOutputRegressor(regressor()).fit, X, np.stack([y, -y], axis=1))
    assert not told
    assert [inner.stop_reason_ for inner in fitted.estimators_] == ["max_iter=1 epochs done"] * 2


@pytest.mark.parametrize("inner", [classifier(), make_pipeline(StandardScaler(), classifier())], ids=["bare", "pipe"])
def test_cross_validation_is_no_warning(inner, flowers):
    scores, told = warned_of(lambda: cross_validate(inner, *flowers, cv=2, return_estimator=True))
    assert not told
    last = [fitted[-1] if hasattr(fitted, "steps") else fitted for fitted in scores["estimator"]]
    assert [fitted.stop_reason_ for fitted in last] == ["max_iter=1 epochs done"] * 2


def fit_and_count(X, y):
    fitted, told = warned_of(classifier().fit, X, y)
    return fitted.stop_reason_, len(told)


@pytest.fixture
def joblib_tidied_up():
    """Have joblib's processes, and the threads that watch them, end with the test."""
    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.mark.parametrize(("backend", "jobs"), [("threading", 1), ("threading", 2), ("loky", 2)])
@pytest.mark.usefixtures("joblib_tidied_up")
def test_a_function_that_joblib_calls_is_no_warning(backend, jobs, flowers):
    # One thread, for what threads catch of warnings is not their own.
    batch = joblib.Parallel(jobs, backend=backend)(joblib.delayed(fit_and_count)(*flowers) for _ in range(1))
    assert batch == [("max_iter=1 epochs done", 0)]


@pytest.mark.parametrize(
    "outer",
    [make_pipeline(StandardScaler(), regressor()), TransformedTargetRegressor(regressor())],
    ids=["pipeline", "transformed target"],
)
def test_what_passes_on_a_persons_fit_is_one_warning_at_their_line(outer, waves):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        line = outer.fit(*waves) and inspect.currentframe().f_lineno
    assert [(one.category, one.filename, one.lineno) for one in caught] == [(ConvergenceWarning, __file__, line)]


def test_a_persons_own_estimator_is_theirs(waves):
    class Mine(BaseEstimator):
        def fit(self, X, y):
            self.inner_ = regressor().fit(X, y)
            return self

    _, (told,) = warned_of(Mine().fit, *waves)
    assert told.filename == __file__


def test_code_without_a_module_is_a_persons(waves):
    code = compile("estimator.fit(X, y)", "typed in", "exec")
    _, (told,) = warned_of(exec, code, {"estimator": regressor(), "X": waves[0], "y": waves[1]})
    assert told.filename == "typed in"


def test_the_sentence_is_the_one_that_the_filters_of_other_tests_know(waves):
    _, (told,) = warned_of(regressor().fit, *waves)
    assert re.match("training ended before it had converged", str(told.message))
