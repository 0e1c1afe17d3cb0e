"""What ends fits in other threads, which hear no Ctrl-C (floor 9; imports training)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..training.callbacks import FitRun


class Stopper:
    """Interrupts fits that are under way, and those that begin later.

    Attributes
    ----------
    stopped : bool
    """

    def __init__(self) -> None:
        self.stopped = False
        self._runs: list[FitRun] = []
        self._lock = threading.Lock()

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

    def stop(self) -> None:
        """Interrupt all fits."""
        with self._lock:
            self.stopped = True
            for run in self._runs:
                run.interrupt()
