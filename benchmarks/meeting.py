"""What it costs two threads to meet, and to hand numbers to each other, on this machine (imports numba and fastmlp)."""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numba
import numpy as np

from fastmlp.engines.simd.threads import Team, available_threads
from fastmlp.kernels.parallel.barrier import wait
from fastmlp.kernels.parallel.exchange import collect, publish
from fastmlp.model.architecture import aligned_zeros

ROUNDS, MEETINGS, SWAPS = 20, 20_000, 1_000
NUMBERS = 2**14
"""Numbers of float32 that each thread hands to the other at a time: 64 KB."""


class Costs(NamedTuple):
    """What threads pay for not being alone.

    Attributes
    ----------
    meeting : float
        Seconds that a barrier takes where all threads arrive together.
    bandwidth : float
        Bytes a second that go from one thread's memory to another's.
    """

    meeting: float
    bandwidth: float


ASSUMED = Costs(meeting=0.3e-6, bandwidth=10e9)
"""Where there is one processor only, or nothing may be timed: ten lines of 64 bytes in flight, 64 ns each."""


@numba.njit(nogil=True)
def _meet(thread, threads, barrier, times):  # type: ignore[no-untyped-def]
    for _ in range(times):
        wait(barrier, threads)  # type: ignore[no-untyped-call]


@numba.njit(nogil=True)
def _swap(thread, threads, barrier, times, own, shared):  # type: ignore[no-untyped-def]
    size = len(own) // 2
    for _ in range(times):
        publish(shared, own, thread * size, size, 1, size)  # type: ignore[no-untyped-call]
        wait(barrier, threads)  # type: ignore[no-untyped-call]
        collect(own, shared, (1 - thread) * size, size, 1, size)  # type: ignore[no-untyped-call]
        wait(barrier, threads)  # type: ignore[no-untyped-call]


def measure() -> Costs:
    """Return the least of some rounds with two threads, or `ASSUMED` where there is no second processor."""
    if available_threads() < 2:
        return ASSUMED
    team, dtype = Team(), np.dtype(np.float32)
    shared, *own = (aligned_zeros(2 * NUMBERS, dtype) for _ in range(3))
    meeting = _least(team, _meet, [(MEETINGS,)] * 2)
    swap = _least(team, _swap, [(SWAPS, memory, shared) for memory in own])
    # On a machine that is busy a swap may seem to take less than its two meetings.
    bandwidth = NUMBERS * dtype.itemsize / (swap - 2 * meeting) if swap > 2 * meeting else ASSUMED.bandwidth
    return Costs(meeting, bandwidth)


def _least(team: Team, function: Callable[..., None], arguments: list[tuple[Any, ...]]) -> float:
    """Seconds of one turn of the loop."""
    least = float("inf")
    for _ in range(1 + ROUNDS):
        start = time.perf_counter()
        team.run(function, arguments)
        least = min(least, time.perf_counter() - start)
    return least / int(arguments[0][0])
