"""Threads that run one compiled function together (floor 5; imports numba, kernels).

They are plain Python threads; kernels release the GIL. Each data set that is trained on has its own, so fits in
several threads don't disturb one another, and they end with it, so no thread is left behind, also after Ctrl-C.
"""

import ctypes
import os
import threading
import weakref
from _thread import start_new_thread
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import numba

from ...kernels.parallel.barrier import BROKEN, give_up, new_barrier


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
        self._helpers: list[_Helper] = []
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
            What the calling thread raised, else the first that another did; the others are let go at the barrier.
        """
        if len(arguments) == 1:  # nobody to wait for
            function(0, 1, self._nobody, *arguments[0])
            return
        barrier, threads = new_barrier(), len(arguments)
        raised: list[BaseException] = []
        done: SimpleQueue[None] = SimpleQueue()
        processors = _processors()

        def help_with(thread: int) -> None:
            try:
                _move(0, processors)
                function(thread, threads, barrier, *arguments[thread])
            except BaseException as error:
                give_up(barrier)
                raised.append(error)
            finally:
                done.put(None)

        asked = 0
        try:
            for thread in range(1, threads):
                helper = self._helper(thread - 1)
                # In a virtual machine Linux may wake a thread on the processor of the one that wakes it, and move it
                # some milliseconds later: then it isn't needed any more. To start a thread may have moved this one.
                _move(helper.system_number, processors - {_own_processor()})
                helper.tasks.put(partial(help_with, thread))
                asked += 1
            function(0, threads, barrier, *arguments[0])
        finally:
            # Where this thread didn't get through (no more threads to be had, Ctrl-C), nobody must wait for it. Where
            # it did, all waiting is over. Not `give_up`: a second Ctrl-C can break into a call, and not into this.
            barrier[BROKEN] = 1
            for _ in range(asked):
                done.get()
        if raised:
            error = raised[0]
            try:
                raise error
            finally:
                # An error refers to this frame by its traceback, and both would stay until garbage is collected.
                raised.clear()
                del error

    def _helper(self, number: int) -> "_Helper":
        """Return a helper, having started it if need be."""
        if self._process != os.getpid():
            self._helpers, self._process = [], os.getpid()
        if number == len(self._helpers):
            self._helpers.append(_start(self))
        return self._helpers[number]


class _Helper(NamedTuple):
    """A waiting thread: where it takes its tasks from, and its number in the system."""

    tasks: "SimpleQueue[Any]"
    system_number: int


def _start(team: Team) -> _Helper:
    """Start a thread that ends with its team.

    The last thing that it finds in its queue is put there when the team is no more, by `weakref` calling `put`: all of
    that is C, into which no KeyboardInterrupt can break. One that is raised in a finalizer written in Python is printed
    and lost, and what the finalizer had yet to do isn't done. For the same reason the thread is not a
    `threading.Thread`, which has such finalizers and can be interrupted while it starts, half of it done.
    """
    tasks: SimpleQueue[Any] = SimpleQueue()
    numbers: SimpleQueue[int] = SimpleQueue()
    start_new_thread(_serve, (tasks, numbers, weakref.ref(team, tasks.put)))
    return _Helper(tasks, numbers.get())


def _serve(tasks: "SimpleQueue[Any]", numbers: "SimpleQueue[int]", end: "weakref.ref[Team]") -> None:
    numbers.put(threading.get_native_id())
    while (task := tasks.get()) is not end:
        task()
        del task  # with it go the arrays it works on


def _processors() -> set[int]:
    """The processors that this thread may run on; none where the system doesn't say."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


@cache
def _library() -> Any:
    """The system's C library."""
    return ctypes.CDLL(None)


def _own_processor() -> int:
    """The processor that this thread is on now; -1 where the system doesn't say."""
    try:
        return int(_library().sched_getcpu())
    except (AttributeError, OSError, TypeError):
        return -1


def _move(thread: int | None, processors: set[int]) -> None:
    """Let a thread, by the system's number, or this one, 0, run on these processors; if there are none, where it is."""
    if processors and thread is not None:
        # It may have ended, or the system doesn't allow it: then it stays where it is.
        with suppress(OSError):
            os.sched_setaffinity(thread, processors)
