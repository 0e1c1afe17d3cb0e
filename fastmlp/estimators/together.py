"""Many fits of estimators at once: in threads, or by the workers of an executor (floor 9; imports joblib, errors,
executors, training).
"""

import contextlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import joblib

from ..errors import warn
from ..executors import do_by
from ..training.pool import Crew
from .base import BaseMLP
from .many_fits import INTERRUPTED, ManyFits

_LOOK = 0.2
"""Seconds between two looks at how far the fits are."""

Data = tuple[Any, Any, Any]
"""Samples, targets and sample weights of all rows."""


class Member:
    """One estimator of many.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Not fitted.
    rows : ndarray of int or None
        Those to train on; None for all.
    classes : ndarray or None
        All labels, where the rows of this one may lack some.

    Attributes
    ----------
    error : BaseException or None
        What ended the fit.
    """

    def __init__(self, estimator: BaseMLP, rows: Any = None, classes: Any = None) -> None:
        self.estimator, self.rows, self.classes = estimator, rows, classes
        self.error: BaseException | None = None

    @property
    def is_fitted(self) -> bool:
        """Whether it has finished an epoch."""
        return self.estimator._is_trained()

    def fit(self, data: Data) -> None:
        """Train; an error is kept."""
        if self.estimator._many.stopped:
            return
        X, y, weight = data
        try:
            if self.rows is not None:  # taken now, so that not all members' are in memory at once
                X, y, weight = X[self.rows], y[self.rows], None if weight is None else weight[self.rows]
            self.estimator._fit(X, y, weight, (None, None, None), classes=self.classes, among_many=True)
        except BaseException as error:
            self.error = error


def fit_all(members: Sequence[Member], data: Data, threads: int, executor: Any = None) -> bool:
    """Train all, so many at a time, or by an executor; an error of one ends the others.

    On Ctrl-C those under way keep the weights of their last finished epoch, and the others are not begun.

    Returns
    -------
    bool
        Whether all were trained to their end; False after Ctrl-C.

    Raises
    ------
    Exception
        The first error of a member.
    """
    left = list(members)
    if executor is not None:
        left, completed = _fit_by(executor, members, data)
        if left:
            warn(f"the executor lost workers; {len(left)} of {len(members)} members are trained in this process")
    if left:
        completed = _fit_in_threads(left, data, threads)
    for number, member in enumerate(members):
        if member.error is not None:
            member.error.add_note(f"in member {number} of {len(members)}")
            raise member.error
    return completed


def _fit_in_threads(members: Sequence[Member], data: Data, threads: int) -> bool:
    many, completed = ManyFits(1 if threads > 1 else 0), False
    for member in members:
        member.estimator._many = many
    crew = Crew([(1.0, partial(member.fit, data)) for member in members], threads)
    try:
        crew.start()
        while crew.is_at_work(_LOOK) and not any(member.error for member in members):
            pass
        completed = True
    except KeyboardInterrupt:
        pass  # what there is of every member is kept
    finally:
        ended = False
        while not ended:
            with contextlib.suppress(KeyboardInterrupt):  # a second Ctrl-C
                if not completed or any(member.error for member in members):
                    many.stop()
                crew.end()
                ended = True
        for member in members:
            del member.estimator._many
    return completed


def _fit_by(executor: Any, members: Sequence[Member], data: Data) -> tuple[list[Member], bool]:
    """Have an executor's workers train; return the members that were lost, and whether nobody pressed Ctrl-C."""

    def take(number: int, fitted: Member) -> None:
        members[number].estimator, members[number].error = fitted.estimator, fitted.error

    lost, interrupted = do_by(executor, data, fit_member, members, take)
    return [members[number] for number in lost], not interrupted


def fit_member(data: Data, member: Member) -> Member:
    """Train a member, in a worker."""
    member.estimator._many = ManyFits(1)
    member.fit(data)
    del member.estimator._many
    return member


class FitsByExecutor(ManyFits):
    """Fits that the workers of an executor do, each asked for by a thread of its own.

    Parameters
    ----------
    executor : Executor
    """

    def __init__(self, executor: Any) -> None:
        super().__init__(1, is_search=True)
        self.executor = executor

    def fit(self, estimator: Any, *given: Any) -> str:
        """Have a worker do the fit of an estimator, or do it here if workers were lost."""
        if self.executor is None:
            return super().fit(estimator, *given)
        found = list[tuple[BaseMLP, str, BaseException | None]]()
        key = joblib.hash(given)
        lost, interrupted = do_by(
            self.executor, given, fit_one, [estimator], lambda _, result: found.append(result), self._hear, key
        )
        if lost:
            return super().fit(estimator, *given)
        fitted, ended, error = found[0] if found else (estimator, INTERRUPTED, None)
        if error is not None:
            raise error
        if interrupted or ended == INTERRUPTED:
            raise KeyboardInterrupt
        estimator.__dict__ = vars(fitted) | {"_many": self}
        return ended

    def leave_alone(self) -> None:
        """See `ManyFits.leave_alone`."""
        super().leave_alone()
        self.executor = None

    def _hear(self) -> None:
        if self.stopped:
            raise KeyboardInterrupt


def fit_one(given: tuple[Any, ...], estimator: BaseMLP) -> tuple[BaseMLP, str, BaseException | None]:
    """Fit an estimator, in a worker."""
    estimator._many = ManyFits(1)
    try:
        return estimator, estimator._fit(*given), None
    except BaseException as error:
        return estimator, "", error
    finally:
        estimator.__dict__.pop("_many", None)
