"""What fits of many estimators at once share (floor 9; imports training)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..training.callbacks import FitRun

INTERRUPTED, OUT_OF_EPOCHS = "interrupted", "out of epochs"
"""How a fit may end."""


class ManyFits:
    """What each of some fits asks: how many threads it has, and whether it is to end.

    Fits in other threads hear no Ctrl-C. A clone of an estimator shares this with it.

    Parameters
    ----------
    threads : int, default 0
        Of a fit whose estimator doesn't say; 0 leaves it to the amount of work.
    is_search : bool, default False
        Whether Ctrl-C in one of them is to end them all: of a search, an interrupted candidate has no score.

    Attributes
    ----------
    threads : int
    stopped : bool
    """

    def __init__(self, threads: int = 0, is_search: bool = False) -> None:
        self.threads, self.is_search, self.stopped = threads, is_search, False
        self._runs: list[FitRun] = []
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: object) -> "ManyFits":
        return self

    def __reduce__(self) -> tuple[type["ManyFits"], tuple[()]]:
        return ManyFits, ()  # another process hears of nothing here

    def fit(self, estimator: Any, *given: Any) -> str:
        """Have an estimator do its fit; see `BaseMLP._fit`."""
        ended: str = estimator._fit(*given)
        if ended == INTERRUPTED and self.is_search:
            raise KeyboardInterrupt
        return ended

    @contextmanager
    def stopping(self, run: FitRun) -> Iterator[None]:
        """Have `stop` interrupt this fit while it is under way."""
        with self._lock:
            self._runs.append(run)
            if self.stopped:
                run.interrupt()
        try:
            yield
        finally:
            with self._lock:
                self._runs = [other for other in self._runs if other is not run]

    def leave_alone(self) -> None:
        """Have later fits as if they were the only ones."""
        self.threads = 0

    def stop(self) -> None:
        """Interrupt the fits that are under way, and all that begin later."""
        with self._lock:
            self.stopped = True
            for run in self._runs:
                run.interrupt()
