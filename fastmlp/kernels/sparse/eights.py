"""Entries of short sparse rows by eights, in one loop over all rows of a chunk (floor 2; imports llvmlite, numba,
numpy).

Where the filled features are kept apart, a row of MNIST has some 28 entries left, and each loop that ends after a
different number of them ends in a misprediction: four a row took as long as the entries. So every row has whole eights
of entries, the last filled up with zeros, and a list says which eights a chunk has, and whose they are. The loop over
it ends once.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ..dense.microkernels import keep_rolled
from ..runtime.jit import INTERPRETED, kernel
from ..runtime.records import NO
from ..runtime.simd import (
    Vector,
    address,
    get,
    lanes,
    llvm_math,
    load_vector,
    prefetch,
    spread,
    store_vector,
    vector_type,
)
from .microkernels import GROUP, offset, repeated, spread_each

AHEAD = 16
"""So many rows before its turn is fetched where a row's entries begin."""

EIGHT = 8
"""Entries that are read together."""


@intrinsic
def _compiled_append(typingctx, eights, place, row, first):
    """Write ``2³² row + first``, `first` counted upwards, to eight places of a flat array of int64 from `place` on."""
    n = types.intp

    def codegen(context, builder, sig, args):
        words = ir.VectorType(ir.IntType(64), EIGHT)
        start = builder.add(builder.shl(args[2], args[2].type(32)), args[3])
        numbers = builder.add(spread(builder, start, EIGHT), ir.Constant(words, list(range(EIGHT))))
        store_vector(builder, numbers, address(context, builder, sig.args[0], args[0], args[1]), 8)
        return context.get_dummy_value()

    return types.void(eights, n, n, n), codegen


def _compiled_loop(columns: int, scattering: bool) -> Any:
    """Make the loop over a list of eights, on `columns` vectors of the matrix: see `eights_forward`, and, `scattering`,
    `eights_gradient`.
    """

    @intrinsic
    def loop(typingctx, matrix, start, apart, rows, rows_start, row, eights, size, column, value, scale):
        vector, n = Vector(matrix.dtype), types.intp

        def codegen(context, builder, sig, args):
            m0 = address(context, builder, sig.args[0], args[0], args[1])
            r0 = address(context, builder, sig.args[3], args[3], args[4])
            v, firsts = vector_type(context, vector), [j * vector.lanes for j in range(columns)]
            scalar, word = context.get_data_type(matrix.dtype), ir.IntType(64)
            numbers = ir.VectorType(scalar, EIGHT)
            factor = spread(builder, context.cast(builder, args[10], scale, matrix.dtype), EIGHT)

            def at(base: Any, first: int) -> Any:
                return offset(context, builder, base, matrix.dtype, first)

            def element(number: int, index: Any) -> Any:
                return address(context, builder, sig.args[number], args[number], index)

            def named_row(base: Any, number: Any, apart: Any) -> Any:
                return builder.gep(base, [builder.mul(number, apart)], source_etype=scalar, inbounds=True)

            with cgutils.for_range(builder, args[7]) as counting:
                both = builder.load(element(6, counting.index), typ=word)
                entry = builder.shl(builder.and_(both, word(2**32 - 1)), word(3))
                here = named_row(r0, builder.lshr(both, word(32)), args[5])
                raw = context.get_data_type(value.dtype)
                x = load_vector(builder, element(9, entry), ir.VectorType(raw, EIGHT), value.dtype.bitwidth // 8)
                x = builder.uitofp(x, numbers) if isinstance(value.dtype, types.Integer) else x
                x = builder.fmul(x, factor)
                groups = [repeated(builder, x, v, group) for group in range(EIGHT // GROUP)]
                totals = [load_vector(builder, at(here, first), v) for first in firsts]
                for number in range(EIGHT):
                    place = element(8, builder.add(entry, word(number)))
                    name = builder.zext(builder.load(place, typ=context.get_data_type(column.dtype)), word)
                    target = named_row(m0, name, args[2])
                    x = spread_each(builder, groups[number // GROUP], number % GROUP)
                    those = [load_vector(builder, at(target, first), v) for first in firsts]
                    if scattering:
                        for delta, before, first in zip(totals, those, firsts, strict=True):
                            after = llvm_math(builder, "fma", [x, delta, before], v)
                            store_vector(builder, after, at(target, first))
                    else:
                        totals = [
                            llvm_math(builder, "fma", [x, weights, total], v)
                            for weights, total in zip(those, totals, strict=True)
                        ]
                if not scattering:
                    for total, first in zip(totals, firsts, strict=True):
                        store_vector(builder, total, at(here, first))
                end = builder.block
            keep_rolled(builder, end)
            return context.get_dummy_value()

        return types.void(matrix, n, n, rows, n, n, eights, n, column, value, scale), codegen

    return loop


def _python_append(eights, place, row, first):
    eights[place : place + EIGHT] = 2**32 * row + first + np.arange(EIGHT)


def _python_loop(columns: int, scattering: bool) -> Any:
    def loop(matrix, start, apart, rows, rows_start, row, eights, size, column, value, scale):
        width = columns * lanes(matrix)
        for both in eights[:size].tolist():
            first, here = both % 2**32 * EIGHT, rows_start + both // 2**32 * row
            for p in range(first, first + EIGHT):
                place, x = start + int(column[p]) * apart, matrix.dtype.type(value[p] * scale)
                if scattering:
                    matrix[place : place + width] += x * rows[here : here + width]
                else:
                    rows[here : here + width] += x * matrix[place : place + width]

    return loop


append, _loop = (_python_append, _python_loop) if INTERPRETED else (_compiled_append, _compiled_loop)
_G1, _G2, _G4 = (_loop(columns, scattering=False) for columns in (1, 2, 4))
_S1, _S2, _S4 = (_loop(columns, scattering=True) for columns in (1, 2, 4))


@kernel
def list_eights(eights, starts, columns, values, order, n_rows, position, count):
    """List the eights of the rows ``order[position:position + count]``, of `n_rows`, and have their entries fetched.

    Parameters
    ----------
    eights : flat array of int64
        Receives, for every eight, ``2³²`` times the place of its row among these, plus its number among all eights.
        Up to seven more are written.
    starts : flat array of int64
        Where each row's entries begin in `columns` and `values`: multiples of eight.

    Returns
    -------
    int
        How many there are.
    """
    size = NO
    for i in range(count):
        row = get(order, position + i)
        prefetch(starts, get(order, position + i + AHEAD) if position + i + AHEAD < n_rows else row)
        begin, end = get(starts, row) // EIGHT, get(starts, row + 1) // EIGHT
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
    vector, j = lanes(c.data), NO
    while j < width:
        left = (width - j) // vector
        if left >= 4:
            _G4(w.data, j, w.stride, c.data, j, c.stride, eights, size, columns, values, scale)
            j += 4 * vector
        elif left >= 2:
            _G2(w.data, j, w.stride, c.data, j, c.stride, eights, size, columns, values, scale)
            j += 2 * vector
        else:
            _G1(w.data, j, w.stride, c.data, j, c.stride, eights, size, columns, values, scale)
            j += vector


@kernel
def eights_gradient(g, d, eights, size, columns, values, scale, width):
    """``G[column of p, :] += x'[p] * d[i]``, likewise: the gradient of ``W``, or, with ``d`` times minus the learning
    rate, the step.
    """
    vector, j = lanes(g.data), NO
    while j < width:
        left = (width - j) // vector
        if left >= 4:
            _S4(g.data, j, g.stride, d.data, j, d.stride, eights, size, columns, values, scale)
            j += 4 * vector
        elif left >= 2:
            _S2(g.data, j, g.stride, d.data, j, d.stride, eights, size, columns, values, scale)
            j += 2 * vector
        else:
            _S1(g.data, j, g.stride, d.data, j, d.stride, eights, size, columns, values, scale)
            j += vector
