"""Sparse rows of which some features are kept dense, since they are seldom zero (floor 2; imports llvmlite, numba,
numpy).

To multiply an entry takes three times as long as a number of a dense row, since it reads a row of weights for itself
alone. Of MNIST's 784 pixels 224 have four of five non-zeros: these come first, as dense rows of their own, and the
entries are those of the others, numbered anew. Without it R50 takes 24 % longer, K128 17 %, N30 11 %, W512 7 %.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from ..dense.microkernels import keep_rolled
from ..runtime.fields import taken
from ..runtime.jit import entry
from ..runtime.records import ZERO, Parting
from ..runtime.simd import get, instruction, moved, pointer, put
from .microkernels import BLOCK, compress_blocks, compressed, count_true, has_compress, numbers_at


def _python_part_blocks(columns, values, filled, dense, names, chosen, size):
    x, kept = dense[:size], chosen[:size] != 0
    there = (x != 0) & ~kept
    entries, n_kept = int(there.sum()), int(kept.sum())
    columns[:entries], values[:entries], filled[:n_kept] = names[:size][there], x[there], x[kept]
    return entries, n_kept


@instruction(lambda *_: types.UniTuple(types.intp, 2), _python_part_blocks)
def part_blocks(context, builder, sig, columns, values, filled, dense, names, chosen, size):
    """Part `size` numbers, a multiple of `BLOCK`: see `part_rows`.

    Returns
    -------
    int, int
        How many entries there are, and how many numbers of chosen features. Up to `BLOCK` numbers behind those are
        overwritten.
    """
    integer, wide = isinstance(sig.args[3].dtype, types.Integer), has_compress(context)
    count = 512 // (32 if integer else sig.args[3].dtype.bitwidth) if wide else 1
    words = ir.VectorType(ir.IntType(32), count)
    zero, step = (context.get_constant(types.intp, number) for number in (0, count))
    to, out = (cgutils.alloca_once_value(builder, zero) for _ in range(2))
    read, write = numbers_at(context, builder, sig, (columns, values, filled, dense, names, chosen), count)

    def append(pointer: Any, numbers: list[tuple[int, Any]], mask: Any) -> None:
        now = builder.load(pointer)
        for number, vector in numbers:
            write(number, now, compressed(builder, vector, mask) if wide else vector)
        builder.store(builder.add(now, count_true(builder, mask, now.type)), pointer)

    with cgutils.for_range_slice(builder, zero, size, step, inc=True) as (j, _):
        x, kept = read(3, j), read(5, j)
        kept = builder.icmp_unsigned("!=", kept, kept.type(None))
        different = builder.icmp_unsigned if integer else builder.fcmp_unordered
        there = builder.and_(different("!=", x, x.type(None)), builder.not_(kept))
        x = builder.zext(x, words) if integer else x
        append(out, [(2, x)], kept)
        append(to, [(0, read(4, j)), (1, x)], there)
        end = builder.block
    keep_rolled(builder, end)
    return context.make_tuple(builder, sig.return_type, [builder.load(to), builder.load(out)])


take_parting = taken(Parting)


@entry
def part_rows(columns, values, starts, filled, dense, table, like):
    """Write every row of `dense`, (n_rows, n_features), flat, in two parts.

    Parameters
    ----------
    columns, values : ndarray of unsigned int, ndarray
        Receive the non-zeros of the features that are not chosen, row after row, and zeros, up to a multiple of
        entries a row. Longer by `BLOCK` than there are; so is `filled`.
    starts : ndarray of int64, shape (n_rows + 1,)
        Receives where the entries of each row begin, and at last their number.
    filled : ndarray
        Receives all values of the features that are chosen, in their order, row after row.
    table, like : arrays
        The `handle` of a `Parting`.
    """
    parting, n_rows, place, first = take_parting(table, like), len(starts) - 1, ZERO, ZERO
    columns, values, filled, dense = pointer(columns), pointer(values), pointer(filled), pointer(dense)
    names, chosen, n_features, multiple = parting.names, parting.chosen, parting.features, parting.multiple
    whole = n_features // BLOCK * BLOCK
    for i in range(n_rows):
        put(starts, i, place)
        row, to, entries = moved(dense, i * n_features), moved(columns, place), moved(values, place)
        if parting.filled > 0:
            found, kept = part_blocks(to, entries, moved(filled, first), row, names, chosen, whole)
            first += kept
        else:
            found, _ = compress_blocks(to, entries, row, whole)
        place += found
        for j in range(whole, n_features):
            x, is_chosen = get(row, j), get(chosen, j) != 0
            put(columns, place, get(names, j))
            put(values, place, x)
            put(filled, first, x)
            place += 0 if is_chosen or x == 0 else 1
            first += 1 if is_chosen else 0
        if multiple > 1:
            # Zeros of different columns: to add to one again would wait for the addition before.
            column = np.int64(get(columns, place - 1)) if place > get(starts, i) else n_features
            for k in range(multiple - 1):
                column = column + 1 if column + 1 < n_features else parting.filled
                put(columns, place + k, column)
                put(values, place + k, 0)
            place = (place + multiple - 1) // multiple * multiple
    put(starts, n_rows, place)
