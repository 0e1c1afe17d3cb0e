"""Threads that run one compiled function together (floor 5; imports numba, kernels).

They are plain Python threads; kernels release the GIL. Each data set that is trained on has its own, so fits in
several threads don't disturb one another, and they end with it, so no thread is left behind.
"""

import ctypes
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, NamedTuple

import numba

from ...kernels.parallel.barrier import give_up, new_barrier


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
        self._members: list[_Member] = []
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

        processors = _processors()

        def help_with(thread: int) -> None:
            try:
                _move(0, processors)
                work(thread)
            finally:
                done.put(None)

        asked = 0
        try:
            for thread in range(1, threads):
                member = self._member(thread - 1)
                # In a virtual machine Linux may wake a thread on the processor of the one that wakes it, and move it
                # some milliseconds later: then it isn't needed any more. To start a thread may have moved this one.
                _move(member.thread.native_id, processors - {_own_processor()})
                member.tasks.put(partial(help_with, thread))
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

    def _member(self, number: int) -> "_Member":
        """Return a helper, having started it if need be."""
        if self._process != os.getpid():
            self._members, self._process = [], os.getpid()
        if number == len(self._members):
            tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
            helper = threading.Thread(target=_serve, args=(tasks,), daemon=True)
            helper.start()
            weakref.finalize(self, _dismiss, tasks, helper)
            self._members.append(_Member(helper, tasks))
        return self._members[number]


class _Member(NamedTuple):
    """A helper, and where it takes its tasks from."""

    thread: threading.Thread
    tasks: "SimpleQueue[Callable[[], None] | None]"


def _serve(tasks: "SimpleQueue[Callable[[], None] | None]") -> None:
    while (task := tasks.get()) is not None:
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


def _dismiss(tasks: "SimpleQueue[Callable[[], None] | None]", helper: threading.Thread) -> None:
    tasks.put(None)
    helper.join()
