"""Products of matrices whose every number is a vector: one network in each lane (floor 2; imports llvmlite, numba,
numpy).

``C = S + A B``, where element (i, j) of a matrix is a vector, of which lane ``n`` belongs to network ``n``. In each
lane a sum runs over the inner index in the order in which `dense.microkernels.strip` runs, so its bits are the same. No
number is padding, and no loop over numbers has a remainder.
"""

import numpy as np
from llvmlite import ir
from numba.core import cgutils

from ..dense.microkernels import keep_rolled, transposed
from ..runtime.simd import (
    WIDEST,
    Vector,
    address,
    instruction,
    lanes,
    llvm_math,
    load_vector,
    nothing,
    store_vector,
    vector_type,
)

HEIGHTS, WIDTHS = ((4, 2, 1) if WIDEST == 512 else (2, 1)), (4, 3, 2, 1)
"""Rows and columns of a tile: as many sums as leave room in the registers for one row and one column of factors."""


def _python_product(c, s, a, b, rows, columns, inner):
    n = lanes(c.data)

    def at(m, i, j):
        return slice(i * m.stride + j * m.step, i * m.stride + j * m.step + n)

    for i, j in np.ndindex(rows, columns):
        total = s.data[at(s, i, j)].copy() if s.step else np.zeros(n, c.data.dtype)
        for p in range(inner):
            total += a.data[at(a, i, p)] * b.data[at(b, p, j)]
        c.data[at(c, i, j)] = total


@instruction(nothing, _python_product)
def lane_product(context, builder, sig, c, s, a, b, rows, columns, inner):
    """``C = S + A B`` for (rows, columns) vectors; `inner` is at least 1.

    Parameters
    ----------
    c, s, a, b : matrices
        Element (i, j) is the vector at ``i * stride + j * step``, counted in numbers. ``S`` may be ``C`` itself, or
        with a stride of 0 one row for all; with a step of 0 it is nothing. ``C`` is not part of ``A`` or ``B``.
    """
    word, given = ir.IntType(64), (c, s, a, b)
    v = vector_type(context, Vector(sig.args[0].dtype))
    proxies = [cgutils.create_struct_proxy(sig.args[k])(context, builder, given[k]) for k in range(4)]
    starts = [address(context, builder, sig.args[k], given[k]) for k in range(4)]
    C, S, A, B = proxies

    def at(base, m, i, j):
        offset = builder.add(builder.mul(i, m.stride), builder.mul(j, m.step))
        return builder.gep(base, [offset], source_etype=v.element, inbounds=True)

    def plus(index, number):
        return builder.add(index, word(number))

    def tile(i, j, height, width):
        sums = [[cgutils.alloca_once(builder, v) for _ in range(width)] for _ in range(height)]
        with builder.if_else(builder.icmp_signed("!=", S.step, word(0))) as (then, otherwise):
            for branch, adding in ((then, True), (otherwise, False)):
                with branch:
                    for k, m in np.ndindex(height, width):
                        source = at(starts[1], S, plus(i, k), plus(j, m))
                        builder.store(load_vector(builder, source, v) if adding else v(None), sums[k][m])
        rows_a = [cgutils.alloca_once_value(builder, at(starts[2], A, plus(i, k), word(0))) for k in range(height)]
        columns_b = [cgutils.alloca_once_value(builder, at(starts[3], B, word(0), plus(j, m))) for m in range(width)]
        with cgutils.for_range(builder, inner):
            left = [load_vector(builder, builder.load(place), v) for place in rows_a]
            for m, place in enumerate(columns_b):
                right = load_vector(builder, builder.load(place), v)
                for k in range(height):
                    before = builder.load(sums[k][m], typ=v)
                    builder.store(llvm_math(builder, "fma", [left[k], right, before], v), sums[k][m])
            for places, apart in ((rows_a, A.step), (columns_b, B.stride)):
                for place in places:
                    here = builder.load(place)
                    builder.store(builder.gep(here, [apart], source_etype=v.element, inbounds=True), place)
            end = builder.block
        keep_rolled(builder, end)
        for k, m in np.ndindex(height, width):
            store_vector(builder, builder.load(sums[k][m], typ=v), at(starts[0], C, plus(i, k), plus(j, m)))

    row, column = cgutils.alloca_once(builder, word), cgutils.alloca_once(builder, word)
    builder.store(word(0), row)
    rows_left = rows
    for height in HEIGHTS:
        with cgutils.for_range(builder, builder.udiv(rows_left, word(height))):
            builder.store(word(0), column)
            columns_left = columns
            for width in WIDTHS:
                with cgutils.for_range(builder, builder.udiv(columns_left, word(width))):
                    tile(builder.load(row), builder.load(column), height, width)
                    builder.store(plus(builder.load(column), width), column)
                columns_left = builder.urem(columns_left, word(width))
            builder.store(plus(builder.load(row), height), row)
        rows_left = builder.urem(rows_left, word(height))


def _python_gather_square(out, place, table, order, stride, column):
    n = lanes(out)
    for i in range(n):
        row = int(order[i]) * stride + column
        out[place + i : place + n * n : n] = table[row : row + n]


@instruction(nothing, _python_gather_square)
def gather_square(context, builder, sig, out, place, table, order, stride, column):
    """``out[p, i] = table[order[i], column + p]`` for a square of a vector's length, whose rows adjoin in `out`.

    Parameters
    ----------
    out, table : flat arrays
        Rows of the table are `stride` apart.
    order : flat array of int64
        As many row numbers as a vector has lanes.
    """
    vector = Vector(sig.args[0].dtype)
    v = vector_type(context, vector)
    numbers, source = (
        address(context, builder, sig.args[3], order),
        address(context, builder, sig.args[2], table, column),
    )
    rows = []
    word = ir.IntType(64)
    for i in range(vector.lanes):
        number = builder.load(builder.gep(numbers, [word(i)], source_etype=word, inbounds=True), typ=word)
        start = builder.gep(source, [builder.mul(number, stride)], source_etype=v.element, inbounds=True)
        rows.append(load_vector(builder, start, v))
    target = address(context, builder, sig.args[0], out, place)
    for i, turned in enumerate(transposed(builder, rows)):
        row = builder.gep(target, [word(i * vector.lanes)], source_etype=v.element, inbounds=True)
        store_vector(builder, turned, row)
