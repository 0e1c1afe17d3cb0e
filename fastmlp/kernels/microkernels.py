"""The innermost loops of dense products: a tile of the result, a square that is transposed (floor 1; numba, simd).

Each is made for a fixed number of SIMD vectors that stay in registers, and written as LLVM's intermediate code, so that
nothing depends on what the vectoriser makes of a loop, and it compiles faster than the same written as a hundred calls.
Python loops here run while code is made, not while it runs. `sparse_microkernels` has those of sparse rows.

With ``NUMBA_DISABLE_JIT=1`` they are NumPy loops instead.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ._jit import INTERPRETED
from .simd import Vector, address, lanes, llvm_math, load_vector, spread, store_vector, vector_type


def _compiled_tile(rows: int, columns: int) -> Any:
    """Make the micro-kernel of `rows` by `columns` vectors; see `matrix.product_from` for what it computes.

    It starts from zero, or, to `accumulate`, from the block of `s` at `si`, and writes nothing below `floor`.
    """

    @intrinsic
    def tile(typingctx, c, ci, ldc, s, si, lds, a, ai, row_stride, inner_stride, b, bi, ldb, inner, accumulate, floor):
        dtype = c.dtype
        vector = Vector(dtype)

        def codegen(context, builder, sig, args):
            scalar = context.get_data_type(dtype)
            v = vector_type(context, vector)
            step = vector.lanes

            def at(base: Any, index: Any) -> Any:
                return builder.gep(base, [index], source_etype=scalar, inbounds=True)

            def constant(value: int) -> Any:
                return context.get_constant(types.intp, value)

            (_, _, ldc_, _, _, lds_, _, _, row_stride_, inner_stride_, _, _, ldb_, inner_, accumulate_, floor_) = args
            c0, s0, a0, b0 = (address(context, builder, sig.args[k], args[k], args[k + 1]) for k in (0, 3, 6, 10))
            places, sources = (
                [
                    [at(start, builder.add(builder.mul(constant(i), row), constant(j * step))) for j in range(columns)]
                    for i in range(rows)
                ]
                for start, row in ((c0, ldc_), (s0, lds_))
            )
            zero = ir.Constant(v, None)
            # The accumulators are stack slots that LLVM promotes to registers.
            sums = [[cgutils.alloca_once(builder, v) for _ in range(columns)] for _ in range(rows)]
            with builder.if_else(builder.icmp_signed("!=", accumulate_, constant(0))) as (then, otherwise):
                with then:
                    for i in range(rows):
                        for j in range(columns):
                            builder.store(load_vector(builder, sources[i][j], v), sums[i][j])
                with otherwise:
                    for i in range(rows):
                        for j in range(columns):
                            builder.store(zero, sums[i][j])
            pa = cgutils.alloca_once_value(builder, a0)
            pb = cgutils.alloca_once_value(builder, b0)
            with cgutils.for_range(builder, inner_):
                now_a, now_b = builder.load(pa), builder.load(pb)
                bs = [load_vector(builder, at(now_b, constant(j * step)), v) for j in range(columns)]
                for i in range(rows):
                    element = builder.load(at(now_a, builder.mul(constant(i), row_stride_)), typ=scalar)
                    factor = spread(builder, element, step)
                    for j in range(columns):
                        before = builder.load(sums[i][j], typ=v)
                        builder.store(llvm_math(builder, "fma", [factor, bs[j], before], v), sums[i][j])
                builder.store(at(now_a, inner_stride_), pa)
                builder.store(at(now_b, ldb_), pb)
                end = builder.block
            keep_rolled(builder, end)
            least = spread(builder, context.cast(builder, floor_, sig.args[15], dtype), step)
            for i in range(rows):
                for j in range(columns):
                    total = builder.load(sums[i][j], typ=v)
                    below = builder.fcmp_ordered(">", least, total)  # not what is NaN
                    store_vector(builder, builder.select(below, least, total), places[i][j])
            return context.get_dummy_value()

        n = types.intp
        return types.void(c, n, n, s, n, n, a, n, n, n, b, n, n, n, n, types.float64), codegen

    return tile


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


@intrinsic
def _compiled_transpose_square(typingctx, out, place, out_stride, w, start, stride):
    """``out[p, i] = w[i, p]`` for a square of a vector's length; two strides from row to row."""
    vector = Vector(out.dtype)

    def codegen(context, builder, sig, args):
        v, n = vector_type(context, vector), vector.lanes
        scalar = context.get_data_type(out.dtype)
        source = address(context, builder, sig.args[3], args[3], args[4])
        target = address(context, builder, sig.args[0], args[0], args[1])

        def row(base: Any, stride: Any, number: int) -> Any:
            place = builder.mul(stride, context.get_constant(types.intp, number))
            return builder.gep(base, [place], source_etype=scalar, inbounds=True)

        rows = [load_vector(builder, row(source, args[5], i), v) for i in range(n)]
        # Halves change places between rows that are half a square apart, then quarters, then single numbers.
        distance = n // 2
        while distance:
            mixed = list(rows)
            for i in range(n):
                if i & distance == 0:
                    mixed[i], mixed[i + distance] = _exchange_blocks(builder, rows[i], rows[i + distance], distance, n)
            rows, distance = mixed, distance // 2
        for i in range(n):
            store_vector(builder, rows[i], row(target, args[2], i))
        return context.get_dummy_value()

    n = types.intp
    return types.void(out, n, n, w, n, n), codegen


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


def _python_transpose_square(out, place, out_stride, w, start, stride):
    n = lanes(out)
    for p in range(n):
        for i in range(n):
            out[place + p * out_stride + i] = w[start + i * stride + p]


def _python_tile(rows: int, columns: int) -> Any:
    def tile(c, ci, ldc, s, si, lds, a, ai, row_stride, inner_stride, b, bi, ldb, inner, accumulate, floor):
        width = columns * lanes(c)
        for i in range(rows):
            place, source = (slice(start + i * row, start + i * row + width) for start, row in ((ci, ldc), (si, lds)))
            total = s[source].copy() if accumulate else np.zeros(width, c.dtype)
            for p in range(inner):
                total += a[ai + i * row_stride + p * inner_stride] * b[bi + p * ldb : bi + p * ldb + width]
            c[place] = np.where(floor > total, c.dtype.type(floor), total)

    return tile


if INTERPRETED:
    tile, transpose_square = _python_tile, _python_transpose_square
else:
    tile, transpose_square = _compiled_tile, _compiled_transpose_square
