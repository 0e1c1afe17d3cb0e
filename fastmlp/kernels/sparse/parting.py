"""Sparse rows of which some features are kept dense, since they are seldom zero (floor 2; imports llvmlite, numba,
numpy).

To multiply an entry takes three times as long as a number of a dense row, since it reads a row of weights for itself
alone. Of MNIST's 784 pixels 224 have four of five non-zeros: these come first, as dense rows of their own, and the
entries are those of the others, numbered anew.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ..dense.microkernels import keep_rolled
from ..runtime.jit import INTERPRETED, entry
from ..runtime.records import NO
from ..runtime.simd import address, get, load_vector, put, store_vector
from .microkernels import BLOCK, compress_blocks, compressed


@intrinsic
def _compiled_part_blocks(typingctx, columns, values, place, filled, first, dense, start, names, chosen, size):
    """Part the numbers ``dense[start:start + size]``, `size` a multiple of `BLOCK`: see `part_rows`.

    Parameters
    ----------
    place, first : int
        Where the next entry goes in `columns` and `values`, and the next chosen number in `filled`.

    Returns
    -------
    int, int
        Where those after them would go. Up to `BLOCK` numbers behind are overwritten.
    """
    integer = isinstance(dense.dtype, types.Integer)

    def codegen(context, builder, sig, args):
        _, _, place_, _, first_, _, start_, _, _, size_ = args
        wide = "+avx512f" in getattr(context.codegen(), "_tm_features", "")
        width = 32 if integer else dense.dtype.bitwidth
        count = 512 // width if wide else 1
        words = ir.VectorType(ir.IntType(32), count)
        to, out = (cgutils.alloca_once_value(builder, number) for number in (place_, first_))
        zero, step = (context.get_constant(types.intp, number) for number in (0, count))

        def read(number: int, at: Any) -> Any:
            dtype = sig.args[number].dtype
            source = address(context, builder, sig.args[number], args[number], at)
            return load_vector(builder, source, ir.VectorType(context.get_data_type(dtype), count), dtype.bitwidth // 8)

        def append(pointer: Any, numbers: list[tuple[int, Any]], mask: Any) -> None:
            now = builder.load(pointer)
            for number, vector in numbers:
                dtype = sig.args[number].dtype
                kind = ir.VectorType(context.get_data_type(dtype), count)
                vector = compressed(builder, vector, mask) if wide else vector
                vector = builder.trunc(vector, kind) if vector.type != kind else vector
                target = address(context, builder, sig.args[number], args[number], now)
                store_vector(builder, vector, target, dtype.bitwidth // 8)
            entries = builder.ctpop(builder.bitcast(mask, ir.IntType(count)))
            entries = builder.zext(entries, now.type) if count < 64 else entries
            builder.store(builder.add(now, entries), pointer)

        with cgutils.for_range_slice(builder, zero, size_, step, inc=True) as (j, _):
            x, kept = read(5, builder.add(start_, j)), read(8, j)
            kept = builder.icmp_unsigned("!=", kept, kept.type(None))
            different = builder.icmp_unsigned if integer else builder.fcmp_unordered
            there = builder.and_(different("!=", x, x.type(None)), builder.not_(kept))
            x = builder.zext(x, words) if integer else x
            append(out, [(3, x)], kept)
            append(to, [(0, read(7, j)), (1, x)], there)
            end = builder.block
        keep_rolled(builder, end)
        return context.make_tuple(builder, sig.return_type, [builder.load(to), builder.load(out)])

    n = types.intp
    returned = types.UniTuple(n, 2)
    return returned(columns, values, n, filled, n, dense, n, names, chosen, n), codegen


def _python_part_blocks(columns, values, place, filled, first, dense, start, names, chosen, size):
    x, kept = dense[start : start + size], chosen[:size] != 0
    there = (x != 0) & ~kept
    end, last = place + there.sum(), first + kept.sum()
    columns[place:end], values[place:end], filled[first:last] = names[:size][there], x[there], x[kept]
    return int(end), int(last)


_COMPRESS = compress_blocks(1)
part_blocks = _python_part_blocks if INTERPRETED else _compiled_part_blocks


@entry
def part_rows(columns, values, starts, filled, dense, names, chosen, n_features, n_filled, multiple):
    """Write every row of `dense`, (n_rows, n_features), flat, in two parts.

    Parameters
    ----------
    columns, values : ndarray of unsigned int, ndarray
        Receive the non-zeros of the features that are not chosen, row after row, and zeros, up to a `multiple` of
        entries a row. Longer by `BLOCK` than there are; so is `filled`.
    starts : ndarray of int64, shape (n_rows + 1,)
        Receives where the entries of each row begin, and at last their number.
    filled : ndarray
        Receives all values of the features that are chosen, in their order, row after row.
    names : ndarray of uint32, shape (n_features,)
        The new number of each feature; its own where none is chosen.
    chosen : ndarray of uint8, shape (n_features,)
    n_filled : int
        How many features are chosen, whose names are less than those of the others.
    multiple : int
        1 for no zeros, or 8. They are of different columns: to add to one again would wait for the addition before.
    """
    place, first, whole = NO, NO, n_features // BLOCK * BLOCK
    for i in range(len(starts) - 1):
        put(starts, i, place)
        begin = i * n_features
        if n_filled > 0:
            place, first = part_blocks(columns, values, place, filled, first, dense, begin, names, chosen, whole)
        else:
            place, _ = _COMPRESS(columns, values, place, dense, begin, NO, NO, values, whole)
        for j in range(whole, n_features):
            x, kept = get(dense, begin + j), get(chosen, j) != 0
            put(columns, place, get(names, j))
            put(values, place, x)
            put(filled, first, x)
            place += 0 if kept or x == 0 else 1
            first += 1 if kept else 0
        if multiple > 1:
            column = np.int64(get(columns, place - 1)) if place > get(starts, i) else n_features
            for k in range(multiple - 1):
                column = column + 1 if column + 1 < n_features else n_filled
                put(columns, place + k, column)
                put(values, place + k, 0)
            place = (place + multiple - 1) // multiple * multiple
    put(starts, len(starts) - 1, place)
