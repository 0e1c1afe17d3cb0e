"""The one warning about a fit that ended before it had converged (floor 9; imports sklearn)."""

import sys
import warnings
from types import FrameType
from typing import Any

from sklearn.exceptions import ConvergenceWarning

_OWN = __name__.partition(".")[0]
_PASS_ON = (_OWN, "sklearn.base", "sklearn.compose", "sklearn.pipeline")
"""What calls `fit` once for each time that it is called itself: pipelines, and TransformedTargetRegressor."""

_MANY_FITS = ("sklearn", "joblib")

_RECENT = 10
"""Over how many epochs the warning says what the loss did."""


def warn_of_no_convergence(estimator: Any) -> None:
    """Warn, with numbers, that a fit was out of epochs or iterations while it still improved.

    Only where a person called it: see `level_of_person`.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Fitted.
    """
    level = level_of_person()
    if not level:
        return
    if estimator.solver == "lbfgs":
        unit, end, limits = "iteration", estimator.stop_reason_, "max_iter or max_fun"
        besides = "; features of about unit size, as standardize=True makes them, take fewer iterations"
    else:
        unit, end, limits, besides = "epoch", f"max_iter={estimator.max_iter}", "max_iter", ""
    warnings.warn(
        f"training ended before it had converged, after {_counted(estimator.n_iter_, unit)} ({end}): "
        f"{_trend(estimator, unit)}, with tol={estimator.tol:g}. Raise {limits} to go on, or tol to be content "
        f"sooner{besides}. stop_reason_ says how a fit ended, also in searches, where no such warning is given",
        ConvergenceWarning,
        stacklevel=level,
    )


def level_of_person() -> int:
    """Return the `stacklevel` of the line that asked for a fit, for a warning of the caller's; 0 for a fit among many.

    A search, a cross-validation or an ensemble fits hundreds of times, mostly with few epochs and often in processes
    whose filters for warnings are not those that the person has set: a warning from each would bury what matters, and
    nobody could look at the estimator that it is about. So a fit with scikit-learn or joblib anywhere above it is one
    among many, except where that only passes on a fit that a person asked for, as a pipeline does.
    """
    frame: FrameType | None = sys._getframe(1)
    level, found = 1, 0
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if not _is_of(module, _PASS_ON):
            if _is_of(module, _MANY_FITS):
                return 0
            found = found or level
        frame, level = frame.f_back, level + 1
    return found


def _is_of(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _trend(estimator: Any, unit: str) -> str:
    """Say where the figure is that the training is stopped by, and how it moved lately."""
    if estimator.solver == "lbfgs" or not estimator.early_stopping:
        what, curve = "the training loss", estimator.loss_curve_
    elif estimator.early_stopping == "loss":
        what, curve = "the validation loss", estimator.history_["val_loss"]
    else:
        what, curve = "the validation score", estimator.validation_scores_
    recent = curve[-min(_RECENT + 1, estimator.n_iter_) :] if estimator.n_iter_ else []
    said = f"{what} is {(recent or [estimator.loss_])[-1]:.4g}"
    if len(recent) < 2:
        return said
    change = (recent[-1] - recent[0]) / (len(recent) - 1)
    verb = "rose" if change > 0 else "fell"
    return f"{said} and {verb} by {abs(change):.2g} per {unit} over the last {_counted(len(recent) - 1, unit)}"


def _counted(number: int, unit: str) -> str:
    return f"{number} {unit}{'s' if number != 1 else ''}"
