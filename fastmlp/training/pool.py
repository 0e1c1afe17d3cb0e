"""Several fits at once: a queue that gives them to threads, the longest first (floor 7; imports engines, model).

Kernels release the GIL, so threads train at the same time. Each fit runs on one of them from its first epoch to its
last: to share out whole networks costs nothing, where two threads in one small network wait for each other.
"""

import gc
import time
from _thread import start_new_thread
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue

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
    begin: Callable[[], Generator[Epochs, tuple[Trained, float], History]]
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
        """Work that is done; all of it once the job has ended."""
        return self.work if self.over else self.work * self.run.epoch / self.run.epochs


Look = Callable[[Sequence[Job], float | None], None]
"""Called with the jobs that were finished since the last call, and an estimate of the seconds that are left, or None
before anything can be said.
"""

Task = Callable[[], None]


def do_all(jobs: Sequence[Job], tasks: Sequence[tuple[float, Task]], threads: int, look: Look) -> None:
    """Do the tasks on so many threads, those of most work first, and return when all are over.

    On Ctrl-C those jobs that are under way are interrupted, with their epoch undone, and the others are not begun:
    their histories have the stop reason "interrupted" as well.

    Parameters
    ----------
    jobs : sequence of Job
    tasks : sequence of (work, callable)
        Which do the jobs: each one of them, or several side by side. They don't raise.
    threads : int
    look : callable
        See `Look`; called from this thread.
    """
    started, total = time.perf_counter(), sum(job.work for job in jobs) or 1.0
    crew, left, interrupted, collecting = Crew(tasks, threads), list(jobs), True, gc.isenabled()
    try:
        # Thousands of networks and their histories are many objects, none of them garbage. To look through all of them
        # again and again took a third of the time.
        gc.disable()
        crew.start()
        at_work = True
        while at_work:
            at_work = crew.is_at_work(_LOOK)
            share, elapsed = sum(job.done for job in jobs) / total, time.perf_counter() - started
            finished, left = [job for job in left if job.over], [job for job in left if not job.over]
            look(finished, elapsed * (1 / share - 1) if share else None)
            if collecting:
                gc.collect(1)  # what is young
        interrupted = False
    except KeyboardInterrupt:
        pass  # what there is of every network is kept, and the histories tell
    finally:
        ended = False
        while not ended:
            with suppress(KeyboardInterrupt):  # a second Ctrl-C: those under way take a fraction of a second to end
                _end(jobs, crew, interrupted, collecting)
                ended = True


def _end(jobs: Sequence[Job], crew: "Crew", interrupted: bool, collecting: bool) -> None:
    """Wait until no thread is at work any more, and bring everything in order; may be done again from the start."""
    if interrupted:
        for job in jobs:
            job.run.interrupt()
    crew.end()
    if collecting:
        gc.enable()
    for job in jobs:
        if not job.over:
            job.run.history.stop_reason = "interrupted"


class Crew:
    """Threads that work off tasks.

    They are no `threading.Thread`, nor those of an executor: while these start, or are waited for, a Ctrl-C can leave
    them half done, with a lock that nobody gives back. Here there is no lock: whatever threads share they change in
    one step of Python's.

    Parameters
    ----------
    tasks : sequence of (work, callable)
    threads : int
    """

    def __init__(self, tasks: Sequence[tuple[float, Task]], threads: int) -> None:
        self._tasks = deque(task for _, task in sorted(tasks, key=lambda task: -task[0]))
        self._threads = min(threads, len(tasks))
        self._begun: list[None] = []
        self._ended: list[None] = []
        self._bell: SimpleQueue[None] = SimpleQueue()

    def start(self) -> None:
        """Start the threads."""
        for _ in range(self._threads):
            start_new_thread(self._work, ())

    def is_at_work(self, seconds: float) -> bool:
        """Whether there are threads at work, or some that have not begun, so many seconds later or when one ends."""
        with suppress(Empty):
            self._bell.get(timeout=seconds)
        return len(self._ended) < self._threads

    def end(self) -> None:
        """Have no other task begun, and wait for those under way; a thread that begins now finds none."""
        self._tasks.clear()
        while len(self._ended) < len(self._begun):
            time.sleep(0.001)

    def _work(self) -> None:
        self._begun.append(None)
        try:
            while True:
                try:
                    task = self._tasks.popleft()
                except IndexError:
                    return
                task()
        finally:
            self._ended.append(None)
            self._bell.put(None)
