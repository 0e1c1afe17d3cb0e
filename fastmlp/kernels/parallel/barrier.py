"""Where the threads of a step wait for one another (floor 2; imports llvmlite, numba, numpy).

All threads run the same compiled function over the same batches, each with a number of its own, and meet here between
the phases of a step. That costs a fraction of a microsecond where every thread has a processor, needs no parallel
region of Numba's (which would compile everything a second time, in twice the time), no thread pool that dies in a
forked child, and no lock.

A barrier is an array of int64 with its words on cache lines of their own: how many have arrived, how often all have,
whether a thread has given up, for each of two threads how far it is, where they wait for one another in turns, and
how many pieces of work have been taken.
"""

import operator
import os
import threading
import time
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from ..runtime.jit import INTERPRETED, kernel
from ..runtime.simd import address, instruction, nothing

_LINE = 16  # words of 8 bytes: two cache lines, since the prefetcher fetches lines in pairs
_ARRIVED, _ROUND, BROKEN, _FAR, _TAKEN = 0, _LINE, 2 * _LINE, 3 * _LINE, 5 * _LINE
_SPINS = 0 if INTERPRETED else 4096


def new_barrier() -> Any:
    """Make a barrier.

    Returns
    -------
    ndarray of int64
    """
    return np.zeros(6 * _LINE, dtype=np.int64)


def give_up(barrier: Any) -> None:
    """Let every thread that waits, now or later, go on: one of them will never arrive."""
    barrier[BROKEN] = 1


_LOCK = threading.Lock()


def _python_add(array, index, value):
    with _LOCK:
        array[index] += value
        return int(array[index]) - value


@instruction(lambda *_: types.int64, _python_add)
def _add(context, builder, sig, array, index, value):
    """Add to a number, and return what it was before, at once."""
    return builder.atomic_rmw("add", address(context, builder, sig.args[0], array, index), value, "acq_rel")


@instruction(lambda *_: types.int64, lambda array, index: int(array[index]))
def _read(context, builder, sig, array, index):
    """Read a number, and after it what the thread that wrote it had written before."""
    return builder.load_atomic(address(context, builder, sig.args[0], array, index), "acquire", 8, typ=ir.IntType(64))


@instruction(nothing, operator.setitem)
def _write(context, builder, sig, array, index, value):
    """Write a number; whoever reads it sees what was written before."""
    builder.store_atomic(value, address(context, builder, sig.args[0], array, index), "release", 8)


@instruction(nothing, lambda: time.sleep(1e-5))
def _let_others_run(context, builder, sig):
    """Give the processor to another thread that waits for one; nothing where the system has no such call."""
    if os.name == "posix":
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])


@kernel
def wait(barrier, threads):
    """Return when `threads` threads have come here; what each wrote before is then seen by all.

    It spins for some microseconds and then lets other threads run between its looks, in case it keeps the last one
    from arriving.
    """
    if threads == 1:
        return
    before = _read(barrier, _ROUND)
    if _add(barrier, _ARRIVED, 1) == threads - 1:
        _write(barrier, _ARRIVED, 0)
        _write(barrier, _ROUND, before + 1)
        return
    spins = 0
    while _read(barrier, _ROUND) == before:
        spins += 1
        if spins > _SPINS:
            _let_others_run()
            if _read(barrier, BROKEN) != 0:
                return


@kernel
def take_piece(barrier, threads, before):
    """Take the next piece of work that no thread has taken, and return its number, the first 0; `before` is that of
    the piece that this thread took last, -1 at first.

    Pieces that threads take as they come end together, also where a thread has no processor for a while.
    """
    return before + 1 if threads == 1 else _add(barrier, _TAKEN, 1)


@kernel
def say(barrier, thread, far):
    """Let the other of two threads know how far this one is; whoever hears it sees what was written before."""
    _write(barrier, _FAR + thread * _LINE, far)


@kernel
def wait_for(barrier, thread, far):
    """Return when that thread, one of two, has said that it is so far."""
    spins = 0
    while _read(barrier, _FAR + thread * _LINE) < far:
        spins += 1
        if spins > _SPINS:
            _let_others_run()
            if _read(barrier, BROKEN) != 0:
                return
