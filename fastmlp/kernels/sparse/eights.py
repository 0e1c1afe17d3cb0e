"""Entries of short sparse rows by eights, in one loop over all rows of a chunk (floor 2; imports llvmlite, numba,
numpy).

Where the filled features are kept apart, a row of MNIST has some 28 entries left, and each loop that ends after a
different number of them ends in a misprediction: four a row took as long as the entries. So every row has whole eights
of entries, the last filled up with zeros, and a list says which eights a chunk has, and whose they are. The loop over
it ends once. Without it an epoch of N30 takes 12 % longer, of R50 9 % (`benchmarks/workloads.py`; 2 cores of Zen 5,
November 2026; so are the figures of other special cases).
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from ..dense.microkernels import keep_rolled
from ..runtime.jit import kernel
from ..runtime.records import ZERO
from ..runtime.simd import (
    Vector,
    address,
    get,
    instruction,
    llvm_math,
    load_vector,
    nothing,
    prefetch,
    spread,
    store_vector,
    vector_type,
)
from .microkernels import GROUP, behind, column_at, repeated, spread_each

AHEAD = 16
"""So many rows before its turn is fetched where a row's entries begin."""

EIGHT = 8
"""Entries that are read together."""


def _python_append(eights, place, row, first):
    eights[place : place + EIGHT] = 2**32 * row + first + np.arange(EIGHT)


@instruction(nothing, _python_append)
def append(context, builder, sig, eights, place, row, first):
    """Write ``2³² row + first``, `first` counted upwards, to eight places of a flat array of int64 from `place` on."""
    words = ir.VectorType(ir.IntType(64), EIGHT)
    start = builder.add(builder.shl(row, row.type(32)), first)
    numbers = builder.add(spread(builder, start, EIGHT), words(list(range(EIGHT))))
    store_vector(builder, numbers, address(context, builder, sig.args[0], eights, place), 8)


def _emit_loop(scattering: bool, context: Any, builder: Any, sig: Any, args: Any, starts: Any, columns: int) -> None:
    """Emit the loop over a list of eights for so many vectors of the matrix, from these starts on."""
    matrix, rows = (cgutils.create_struct_proxy(sig.args[k])(context, builder, args[k]) for k in range(2))
    m0, r0 = starts
    dtype, value, word = sig.args[0].dtype, sig.args[4].dtype, ir.IntType(64)
    v = vector_type(context, Vector(dtype))
    firsts, numbers = [j * v.count for j in range(columns)], ir.VectorType(v.element, EIGHT)
    factor = spread(builder, context.cast(builder, args[5], sig.args[5], dtype), EIGHT)

    def element(number: int, index: Any) -> Any:
        return address(context, builder, sig.args[number], args[number], index)

    with cgutils.for_range(builder, args[6]) as counting:
        both = builder.load(element(2, counting.index), typ=word)
        entry = builder.shl(builder.and_(both, word(2**32 - 1)), word(3))
        here = behind(builder, r0, builder.mul(builder.lshr(both, word(32)), rows.stride))
        raw = ir.VectorType(context.get_data_type(value), EIGHT)
        x = load_vector(builder, element(4, entry), raw, value.bitwidth // 8)
        x = builder.uitofp(x, numbers) if isinstance(value, types.Integer) else x
        x = builder.fmul(x, factor)
        groups = [repeated(builder, x, v, group) for group in range(EIGHT // GROUP)]
        totals = [load_vector(builder, behind(builder, here, first), v) for first in firsts]
        for number in range(EIGHT):
            name = column_at(context, builder, sig.args[3], args[3], builder.add(entry, word(number)))
            target = behind(builder, m0, builder.mul(name, matrix.stride))
            x = spread_each(builder, groups[number // GROUP], number % GROUP)
            those = [load_vector(builder, behind(builder, target, first), v) for first in firsts]
            if scattering:
                for delta, before, first in zip(totals, those, firsts, strict=True):
                    after = llvm_math(builder, "fma", [x, delta, before], v)
                    store_vector(builder, after, behind(builder, target, first))
            else:
                totals = [
                    llvm_math(builder, "fma", [x, weights, total], v)
                    for weights, total in zip(those, totals, strict=True)
                ]
        if not scattering:
            for total, first in zip(totals, firsts, strict=True):
                store_vector(builder, total, behind(builder, here, first))
        end = builder.block
    keep_rolled(builder, end)


def _loop(scattering: bool) -> Any:
    """Make the loop over a list of eights, in strips of 4, 2 or 1 vectors of the matrix: see `eights_forward`, and,
    `scattering`, `eights_gradient`.
    """

    def twin(matrix, rows, eights, columns, values, scale, size, width):
        (w, apart, _), (c, row, _) = matrix, rows
        for both in eights[:size].tolist():
            first, here = both % 2**32 * EIGHT, both // 2**32 * row
            for p in range(first, first + EIGHT):
                place, x = int(columns[p]) * apart, w.dtype.type(values[p] * scale)
                if scattering:
                    w[place : place + width] += x * c[here : here + width]
                else:
                    c[here : here + width] += x * w[place : place + width]

    @instruction(nothing, twin)
    def loop(context, builder, sig, matrix, rows, eights, columns, values, scale, size, width):
        word, lanes_ = ir.IntType(64), Vector(sig.args[0].dtype).lanes
        given = matrix, rows, eights, columns, values, scale, size
        places = [cgutils.alloca_once_value(builder, address(context, builder, sig.args[k], given[k])) for k in (0, 1)]
        left = builder.udiv(width, word(lanes_))
        for vectors in (4, 2, 1):
            with cgutils.for_range(builder, builder.udiv(left, word(vectors))):
                starts = [builder.load(place) for place in places]
                _emit_loop(scattering, context, builder, sig, given, starts, vectors)
                for start, place in zip(starts, places, strict=True):
                    builder.store(behind(builder, start, vectors * lanes_), place)
            left = builder.urem(left, word(vectors))

    return loop


_gather, _scatter = _loop(scattering=False), _loop(scattering=True)


@kernel
def list_eights(eights, begins, ends, columns, values, order, n_rows, count):
    """List the eights of the rows ``order[:count]``, of `n_rows`, and have their entries fetched.

    Parameters
    ----------
    eights : flat array of int64
        Receives, for every eight, ``2³²`` times the place of its row among these, plus its number among all eights.
        Up to seven more are written.
    begins, ends : flat arrays of int64
        From where, and to where, each row's entries are wanted: eights that have any of them are listed.

    Returns
    -------
    int
        How many there are.
    """
    size = ZERO
    for i in range(count):
        row = get(order, i)
        prefetch(begins, get(order, i + AHEAD) if i + AHEAD < n_rows else row)
        begin, end = get(begins, row) // EIGHT, (get(ends, row) + EIGHT - 1) // EIGHT
        for first in range(begin, end, EIGHT):
            append(eights, size + first - begin, i, first)
            prefetch(columns, first * EIGHT)
            prefetch(columns, first * EIGHT + 32)
            prefetch(values, first * EIGHT)
        size += end - begin
    return size


@kernel
def eights_forward(c, w, eights, size, columns, values, scale, width):
    """``c[i] += x'[p] * W[column of p, :]`` for all entries p of the listed eights, i being the row they are of.

    Parameters
    ----------
    c, w : matrices
        The weighted inputs and ``W``, `width` numbers of each row.
    eights : flat array of int64
        The first `size` are worked off, in their order.
    scale : float
        ``x' = value * scale``.
    """
    _gather(w, c, eights, columns, values, scale, size, width)


@kernel
def eights_gradient(g, d, eights, size, columns, values, scale, width):
    """``G[column of p, :] += x'[p] * d[i]``, likewise: the gradient of ``W``, or, with ``d`` times minus the learning
    rate, the step.
    """
    _scatter(g, d, eights, columns, values, scale, size, width)
