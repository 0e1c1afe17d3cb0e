"""The innermost loops of dense products: a tile of the result, a square that is transposed (floor 2; imports llvmlite,
numba, numpy).

Each is made for a few numbers of SIMD vectors that stay in registers, and written as LLVM's intermediate code, so that
nothing depends on what the vectoriser makes of a loop, and it compiles faster than the same written as a hundred calls.
Python loops here run while code is made, not while it runs. `sparse.microkernels` has those of sparse rows.

With ``NUMBA_DISABLE_JIT=1`` they are NumPy loops instead.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from ..runtime.simd import (
    WIDEST,
    Vector,
    address,
    instruction,
    lanes,
    llvm_math,
    load_vector,
    nothing,
    prefetch_at,
    spread,
    store_vector,
    vector_type,
)

HEIGHTS = {1: (16, 10, 8, 4, 2, 1), 2: (8, 4, 2, 1)} if WIDEST == 512 else {1: (6, 4, 2, 1), 2: (6, 4, 2, 1)}
"""Rows of a tile of a product, as many as are left, by its width in vectors."""

LINE = 64
"""Bytes of a cache line."""


def _python_strip(c, s, a, b, rows, inner, floor, vectors):
    width = vectors * lanes(c.data)
    for i in range(rows):
        place, source = (slice(i * row, i * row + width) for row in (c.stride, s.stride))
        total = s.data[source].copy() if s.step else np.zeros(width, c.data.dtype)
        for p in range(inner):
            total += a.data[i * a.stride + p * a.step] * b.data[p * b.stride : p * b.stride + width]
        c.data[place] = np.where(floor > total, c.data.dtype.type(floor), total)


@instruction(nothing, _python_strip)
def strip(context, builder, sig, c, s, a, b, rows, inner, floor, vectors):
    """Compute a strip of a product, as wide as 1 or 2 vectors; the rest is as for `products.product_from`.

    A tile of some rows of it stays in registers while the inner index runs, then comes the tile below.

    Parameters
    ----------
    c, s, a, b : matrices
        The result, what it starts from, and the factors. Columns of ``B`` adjoin. Its step is the distance to the panel
        that is multiplied next, in numbers: each tile prefetches a part of that. 0: there is none.
    """
    dtype, given = sig.args[0].dtype, (c, s, a, b)
    C, S, A, B = (cgutils.create_struct_proxy(sig.args[k])(context, builder, given[k]) for k in range(4))
    scalar, word, v = context.get_data_type(dtype), ir.IntType(64), vector_type(context, Vector(dtype))
    least = spread(builder, context.cast(builder, floor, types.float64, dtype), v.count)
    c0, s0, a0, b0 = (address(context, builder, sig.args[k], given[k]) for k in range(4))
    pc, ps, pa, ahead = (cgutils.alloca_once(builder, start.type) for start in (c0, s0, a0, b0))

    def at(base: Any, index: Any, times: int = 1) -> Any:
        return builder.gep(base, [builder.mul(word(times), index)], source_etype=scalar, inbounds=True)

    def tile(height: int, columns: int, lines: Any) -> None:
        """Emit a tile of so many rows, which moves the pointers to the one below."""
        prefetch_lines(builder, ahead, lines)
        now_c, now_s, now_a = (builder.load(pointer) for pointer in (pc, ps, pa))
        places, sources = (
            [[at(at(start, row, i), word(v.count), j) for j in range(columns)] for i in range(height)]
            for start, row in ((now_c, C.stride), (now_s, S.stride))
        )
        # The sums are stack slots that LLVM promotes to registers.
        sums = [[cgutils.alloca_once(builder, v) for _ in range(columns)] for _ in range(height)]
        with builder.if_else(builder.icmp_signed("!=", S.step, word(0))) as (then, otherwise):
            for branch, adding in ((then, True), (otherwise, False)):
                with branch:
                    for i, j in np.ndindex(height, columns):
                        start = load_vector(builder, sources[i][j], v) if adding else v(None)
                        builder.store(start, sums[i][j])
        # A pointer of its own for every three rows, which lie at it and once and twice the stride behind.
        starts = [unrelated(builder, at(now_a, A.stride, i)) for i in range(0, height, 3)]
        rows_a = [cgutils.alloca_once_value(builder, start) for start in starts]
        row_b = cgutils.alloca_once_value(builder, b0)
        with cgutils.for_range(builder, inner):
            heres, here_b = [builder.load(row) for row in rows_a], builder.load(row_b)
            bs = [load_vector(builder, at(here_b, word(v.count), j), v) for j in range(columns)]
            for i in range(height):
                number = builder.load(at(heres[i // 3], A.stride, i % 3), typ=scalar)
                factor = spread(builder, number, v.count)
                for j in range(columns):
                    before = builder.load(sums[i][j], typ=v)
                    builder.store(llvm_math(builder, "fma", [factor, bs[j], before], v), sums[i][j])
            for here, row in zip(heres, rows_a, strict=True):
                builder.store(at(here, A.step), row)
            builder.store(at(here_b, B.stride), row_b)
            end = builder.block
        keep_rolled(builder, end)
        for i, j in np.ndindex(height, columns):
            total = builder.load(sums[i][j], typ=v)
            below = builder.fcmp_ordered(">", least, total)  # not what is NaN
            store_vector(builder, builder.select(below, least, total), places[i][j])
        for pointer, now, row in ((pc, now_c, C.stride), (ps, now_s, S.stride), (pa, now_a, A.stride)):
            builder.store(at(now, row, height), pointer)

    def strip_of(columns: int) -> None:
        for pointer, start in ((pc, c0), (ps, s0), (pa, a0)):
            builder.store(start, pointer)
        builder.store(at(b0, B.step), ahead)
        tiles = builder.add(builder.udiv(rows, word(HEIGHTS[columns][0])), word(1))
        lines = builder.udiv(builder.mul(inner, word(columns * WIDEST // 8)), builder.mul(tiles, word(LINE)))
        lines = builder.select(builder.icmp_signed("!=", B.step, word(0)), lines, word(0))
        left = rows
        for height in HEIGHTS[columns]:
            with cgutils.for_range(builder, builder.udiv(left, word(height))):
                tile(height, columns, lines)
                end = builder.block
            keep_rolled(builder, end)
            left = builder.urem(left, word(height))

    by_width(builder, vectors, HEIGHTS, strip_of)


def by_width(builder: Any, vectors: Any, widths: Iterable[int], emit: Callable[[int], None]) -> None:
    """Emit code for each of several widths, of which that of so many vectors runs."""
    blocks = {width: builder.append_basic_block() for width in widths}
    after = builder.append_basic_block()
    choice = builder.switch(vectors, blocks[max(blocks)])
    for width, block in blocks.items():
        choice.add_case(vectors.type(width), block)
        builder.position_at_end(block)
        emit(width)
        builder.branch(after)
    builder.position_at_end(after)


def prefetch_lines(builder: Any, pointer: Any, lines: Any) -> None:
    """Emit prefetches of so many cache lines from what a variable points to, which is moved behind them.

    They may lie beyond an array: nothing is read.
    """
    place, byte = builder.load(pointer), ir.IntType(8)
    first = builder.bitcast(place, byte.as_pointer())

    def line(number: Any) -> Any:
        return builder.gep(first, [builder.mul(number, number.type(LINE))], source_etype=byte)

    with cgutils.for_range(builder, lines) as loop:
        prefetch_at(builder, line(loop.index))
    builder.store(builder.bitcast(line(lines), place.type), pointer)


def unrelated(builder: Any, pointer: Any) -> Any:
    """Emit the same pointer in a form of which LLVM doesn't know how far from others it is.

    It would compute all of them from one, each by an addition that waits for the one before: in a tile of 8 rows and
    one vector that took twice as long as the multiply-adds.
    """
    byte = ir.IntType(8).as_pointer()
    function = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(byte, [byte]), "llvm.launder.invariant.group.p0"
    )
    return builder.bitcast(builder.call(function, [builder.bitcast(pointer, byte)]), pointer.type)


def keep_rolled(builder: Any, end: Any) -> None:
    """Forbid LLVM to unroll the loop whose last block is `end`; builders have left it.

    Numba optimises a kernel once by itself and again inside the function that calls it, and a loop that is unrolled
    twice runs at half the speed. The second form is the one that a process finds in the cache.
    """
    module = builder.module
    forbidden = module.add_metadata(["llvm.loop.unroll.disable"])
    # A loop's name is a node of its own, which points to itself; llvmlite would take nodes of equal content as one.
    loop = module.add_metadata(["loop", ir.IntType(32)(len(module.metadata))])
    loop.operands = (loop, forbidden)
    end.terminator.set_metadata("llvm.loop", loop)


def _python_transpose_square(out, place, out_stride, w, start, stride):
    n = lanes(out)
    for p in range(n):
        for i in range(n):
            out[place + p * out_stride + i] = w[start + i * stride + p]


@instruction(nothing, _python_transpose_square)
def transpose_square(context, builder, sig, out, place, out_stride, w, start, stride):
    """``out[p, i] = w[i, p]`` for a square of a vector's length; two strides from row to row."""
    vector = Vector(sig.args[0].dtype)
    v, n = vector_type(context, vector), vector.lanes
    source = address(context, builder, sig.args[3], w, start)
    target = address(context, builder, sig.args[0], out, place)

    def row(base: Any, stride: Any, number: int) -> Any:
        return builder.gep(base, [builder.mul(stride, stride.type(number))], source_etype=v.element, inbounds=True)

    rows = [load_vector(builder, row(source, stride, i), v) for i in range(n)]
    for i, turned in enumerate(transposed(builder, rows)):
        store_vector(builder, turned, row(target, out_stride, i))


def transposed(builder: Any, rows: list[Any]) -> list[Any]:
    """Emit the transpose of a square of vectors, in registers."""
    n = len(rows)
    # Halves change places between rows that are half a square apart, then quarters, then single numbers.
    distance = n // 2
    while distance:
        mixed = list(rows)
        for i in range(n):
            if i & distance == 0:
                mixed[i], mixed[i + distance] = _exchange_blocks(builder, rows[i], rows[i + distance], distance, n)
        rows, distance = mixed, distance // 2
    return rows


def _exchange_blocks(builder: Any, upper: Any, lower: Any, block: int, lanes: int) -> tuple[Any, Any]:
    """Exchange every second block of the upper row with the block before it of the lower row."""
    word = ir.IntType(32)
    mask = ir.VectorType(word, lanes)
    keep = [i if i & block == 0 else lanes + i - block for i in range(lanes)]
    other = [i + block if i & block == 0 else lanes + i for i in range(lanes)]
    return (
        builder.shuffle_vector(upper, lower, ir.Constant(mask, keep)),
        builder.shuffle_vector(upper, lower, ir.Constant(mask, other)),
    )
