"""Many fits of estimators at once, in threads (floor 9; imports training)."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from ..training.pool import Crew
from .base import BaseMLP
from .many_fits import ManyFits

_LOOK = 0.2
"""Seconds between two looks at how far the fits are."""


class Member:
    """One estimator of many, and what it is trained on.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor
        Not fitted.
    data : callable
        Returns samples, targets and sample weights, when they are needed.
    classes : ndarray or None
        All labels, where the rows of this one may lack some.

    Attributes
    ----------
    error : BaseException or None
        What ended the fit.
    """

    def __init__(self, estimator: BaseMLP, data: Callable[[], tuple[Any, Any, Any]], classes: Any = None) -> None:
        self.estimator = estimator
        self.error: BaseException | None = None
        self._data, self._classes = data, classes

    @property
    def is_fitted(self) -> bool:
        """Whether it has finished an epoch."""
        return self.estimator._is_trained()

    def fit(self) -> None:
        """Train; an error is kept."""
        if self.estimator._many.stopped:
            return
        try:
            X, y, weight = self._data()
            self.estimator._fit(X, y, weight, (None, None, None), classes=self._classes, among_many=True)
        except BaseException as error:
            self.error = error


def fit_all(members: Sequence[Member], threads: int) -> bool:
    """Train all, so many at a time; an error of one ends the others.

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
    many, completed = ManyFits(1 if threads > 1 else 0), False
    for member in members:
        member.estimator._many = many
    crew = Crew([(1.0, member.fit) for member in members], threads)
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
    for number, member in enumerate(members):
        if member.error is not None:
            member.error.add_note(f"in member {number} of {len(members)}")
            raise member.error
    return completed
