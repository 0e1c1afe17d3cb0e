"""Threads that run one compiled function together (floor 2; imports kernels and the standard library).

They are plain Python threads; kernels release the GIL. Each data set that is trained on has its own, so fits in
several threads don't disturb one another, and they end with it, so no thread is left behind.
"""

import os
import threading
import weakref
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numba

from ..kernels.barrier import give_up, new_barrier


def available_threads() -> int:
    """How many threads have a processor of their own: those given to this process, at most ``NUMBA_NUM_THREADS``."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    return max(1, min(processors, _quota(), int(numba.config.NUMBA_NUM_THREADS)))


@cache
def _quota() -> int:
    """How many processors' time a container may use (Linux control groups, version 2); many where nothing is said."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return 1024


class Team:
    """Threads that run one compiled function together, and wait between calls for the next.

    To start a thread takes a tenth of a millisecond, as long as an epoch of a small network; to wake one that waits,
    half of that. The waiting threads end when nothing refers to the team any more. A forked child has none of them, and
    starts its own. A team serves one call at a time.
    """

    def __init__(self) -> None:
        self._tasks: list[SimpleQueue[Callable[[], None] | None]] = []
        self._process = os.getpid()
        self._nobody = new_barrier()

    def run(self, function: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
        """Call ``function(thread, threads, barrier, *arguments[thread])`` on every thread, and return when all have.

        Parameters
        ----------
        function : callable
            Compiled code that releases the GIL and waits at the barrier between its phases.
        arguments : sequence of tuple
            Those of each thread, the calling one first.

        Raises
        ------
        BaseException
            The first that a thread raised; the others are let go at the barrier.
        """
        if len(arguments) == 1:  # nobody to wait for
            function(0, 1, self._nobody, *arguments[0])
            return
        barrier, threads = new_barrier(), len(arguments)
        raised: list[BaseException] = []
        done: SimpleQueue[None] = SimpleQueue()

        def work(thread: int) -> None:
            try:
                function(thread, threads, barrier, *arguments[thread])
            except BaseException as error:
                give_up(barrier)
                raised.append(error)

        def help_with(thread: int) -> None:
            try:
                work(thread)
            finally:
                done.put(None)

        asked = 0
        try:
            for thread in range(1, threads):
                self._member(thread - 1).put(partial(help_with, thread))
                asked += 1
            work(0)
        except BaseException:  # no more threads to be had, or Ctrl-C: those that were asked must not wait for ever
            give_up(barrier)
            raise
        finally:
            for _ in range(asked):
                done.get()
        if raised:
            raise raised[0]

    def _member(self, number: int) -> "SimpleQueue[Callable[[], None] | None]":
        """Return where a helper takes its tasks from, having started it if need be."""
        if self._process != os.getpid():
            self._tasks, self._process = [], os.getpid()
        if number == len(self._tasks):
            tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
            helper = threading.Thread(target=_serve, args=(tasks,), daemon=True)
            helper.start()
            weakref.finalize(self, _dismiss, tasks, helper)
            self._tasks.append(tasks)
        return self._tasks[number]


def _serve(tasks: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (task := tasks.get()) is not None:
        task()
        del task  # with it go the arrays it works on


def _dismiss(tasks: "SimpleQueue[Callable[[], None] | None]", helper: threading.Thread) -> None:
    tasks.put(None)
    helper.join()
