"""Several fits at once: a queue that gives them to threads, the longest first (floor 7; imports engines, model).

Kernels release the GIL, so threads train at the same time. Each fit runs on one of them from its first epoch to its
last: to share out whole networks costs nothing, where two threads in one small network wait for each other.
"""

import gc
import time
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass

from ..engines.base import Epochs, Trained
from ..model.history import History
from .callbacks import FitRun

_LOOK = 0.2
"""Seconds between two looks at how far the fits are."""


@dataclass(eq=False)
class Job:
    """A fit that waits for a thread, is under way, or is over.

    Attributes
    ----------
    run : FitRun
    train : callable
        Does the fit.
    begin : callable
        Begins it where it is led side by side with others; see `loop.training`.
    work : float
        Of all its epochs, in any unit.
    error : BaseException or None
        What ended it.
    over : bool
    """

    run: FitRun
    train: Callable[[], History]
    begin: Callable[[], Generator[Epochs, Trained, History]]
    work: float
    error: BaseException | None = None
    over: bool = False

    def do(self) -> None:
        """Train; an error is kept, since the other fits go on."""
        try:
            self.train()
        except BaseException as error:
            self.error = error
        finally:
            self.over = True

    @property
    def done(self) -> float:
        """How much of the work is done, or will not be."""
        return self.work if self.over else self.work * self.run.epoch / self.run.epochs


Look = Callable[[Sequence[Job], float | None], None]
"""Called with the jobs that were finished since the last call, and an estimate of the seconds that are left, or None
before anything can be said.
"""


def do_all(jobs: Sequence[Job], tasks: Sequence[tuple[float, Callable[[], None]]], threads: int, look: Look) -> None:
    """Do the tasks on so many threads, those of most work first, and return when all are over.

    On Ctrl-C those jobs that are under way are interrupted, with their epoch undone, and the others are not begun:
    their histories have the stop reason "interrupted" as well.

    Parameters
    ----------
    jobs : sequence of Job
    tasks : sequence of (work, callable)
        Which do the jobs: each one of them, or several side by side.
    threads : int
    look : callable
        See `Look`; called from this thread.
    """
    started, total = time.perf_counter(), sum(job.work for job in jobs) or 1.0
    pool, left = ThreadPoolExecutor(threads, "fastmlp"), list(jobs)
    interrupted = True
    collecting = gc.isenabled()
    # Thousands of networks and their histories are many objects, none of them garbage. To look through all of them
    # again and again took a third of the time.
    gc.disable()
    try:
        waiting = {pool.submit(task) for _, task in sorted(tasks, key=lambda task: -task[0])}
        while waiting:
            waiting = wait(waiting, _LOOK, FIRST_COMPLETED).not_done
            share, elapsed = sum(job.done for job in jobs) / total, time.perf_counter() - started
            finished, left = [job for job in left if job.over], [job for job in left if not job.over]
            look(finished, elapsed * (1 / share - 1) if share else None)
            if collecting:
                gc.collect(1)  # what is young
        interrupted = False
    except KeyboardInterrupt:
        pass  # what there is of every network is kept, and the histories tell
    finally:
        if interrupted:
            for job in jobs:
                job.run.interrupt()
        _end(pool)
        if collecting:
            gc.enable()
        for job in jobs:
            if not job.over:
                job.run.history.stop_reason = "interrupted"


def _end(pool: ThreadPoolExecutor) -> None:
    """Wait until the threads have ended, whoever presses Ctrl-C meanwhile: they take a fraction of a second."""
    ended = False
    while not ended:
        with suppress(KeyboardInterrupt):
            pool.shutdown(cancel_futures=True)
            ended = True
