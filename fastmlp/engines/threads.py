"""Threads that run one compiled function together (floor 2; imports kernels and the standard library).

They are plain Python threads; kernels release the GIL. They live for one call, so a forked child inherits none, fits
in several threads don't disturb one another, and no thread is left behind.
"""

import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numba

from ..kernels.barrier import give_up, new_barrier


def available_threads() -> int:
    """How many threads have a processor of their own: those given to this process, at most ``NUMBA_NUM_THREADS``."""
    if numba.config.DISABLE_JIT:
        return 1
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


def run_together(function: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
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
    barrier, threads = new_barrier(), len(arguments)
    raised: list[BaseException] = []

    def work(thread: int) -> None:
        try:
            function(thread, threads, barrier, *arguments[thread])
        except BaseException as error:
            give_up(barrier)
            raised.append(error)

    helpers = [threading.Thread(target=work, args=(thread,), daemon=True) for thread in range(1, threads)]
    try:
        for helper in helpers:
            helper.start()
        work(0)
    except BaseException:  # no more threads to be had, or Ctrl-C: those that were started must not wait for ever
        give_up(barrier)
        raise
    finally:
        for helper in helpers:
            if helper.ident is not None:
                helper.join()
    if raised:
        raise raised[0]
