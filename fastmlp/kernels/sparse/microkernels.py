"""The innermost loops of sparse rows: gather and scatter, and finding and reading a row's entries (floor 2; imports
llvmlite, numba, numpy).

They are made as those of `microkernels` are.
"""

from collections.abc import Iterable
from functools import partial, reduce
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ..dense.microkernels import by_width, keep_rolled
from ..runtime.jit import INTERPRETED
from ..runtime.simd import (
    Vector,
    address,
    lanes,
    llvm_math,
    load_vector,
    prefetch_at,
    spread,
    store_vector,
    vector_type,
)

BLOCK = 16
"""So many numbers of a dense row `compress_blocks` looks at a time; it writes whole blocks, and so does `read_blocks`.
"""

GROUP = 4
"""Entries of a row whose factors are loaded together."""

SCATTERED = np.int64(8)
"""Vectors, at most, that are added to a matrix at a time."""

WORD = 8
"""Bytes by which the places of a matrix's rows are counted: rows are padded to whole words of them."""


def _gather_rows(context: Any, builder: Any, sig: Any, args: Any, chains: int, columns: int) -> None:
    """Emit the loop over the entries of a sparse row for so many vectors of a matrix."""
    v = vector_type(context, Vector(sig.args[0].dtype))
    firsts = [j * v.count for j in range(columns)]
    c0, b0, f0, w0 = (address(context, builder, sig.args[k], args[k]) for k in (0, 1, 3, 5))
    every = [[cgutils.alloca_once(builder, v) for _ in firsts] for _ in range(chains)]
    entries, zero, one, group = args[4], *(context.get_constant(types.intp, k) for k in (0, 1, GROUP))

    def add(p: Any, sums: list[Any], factor: Any) -> None:
        row = _place(context, builder, sig, args, p, w0)
        for total, first in zip(sums, firsts, strict=True):
            weights = load_vector(builder, behind(builder, row, first), v)
            builder.store(llvm_math(builder, "fma", [factor, weights, builder.load(total, typ=v)], v), total)

    for sums in every:
        for total, first in zip(sums, firsts, strict=True):
            start = load_vector(builder, behind(builder, b0, first), v) if sums is every[0] else v(None)
            builder.store(start, total)
    whole = builder.mul(builder.sdiv(entries, group), group)
    with cgutils.for_range_slice(builder, zero, whole, group, inc=True) as (p, _):
        several = load_vector(builder, behind(builder, f0, p), ir.VectorType(v.element, GROUP))
        several = repeated(builder, several, v)
        for number in range(GROUP):
            factor = spread_each(builder, several, number)
            add(builder.add(p, context.get_constant(types.intp, number)), every[number % chains], factor)
        last = builder.block
    keep_rolled(builder, last)
    with cgutils.for_range_slice(builder, whole, entries, one, inc=True) as (p, _):
        add(p, every[0], spread(builder, builder.load(behind(builder, f0, p), typ=v.element), v.count))
        last = builder.block
    keep_rolled(builder, last)
    for number, first in enumerate(firsts):
        value = builder.load(every[0][number], typ=v)
        for sums in every[1:]:
            value = builder.fadd(value, builder.load(sums[number], typ=v))
        store_vector(builder, value, behind(builder, c0, first))


def _compiled_gather_rows(most: int, chains: int = 1) -> Any:
    """Make the kernel of one sparse row times up to `most` vectors of a matrix; see `rows.row_forward`.

    With several chains entries go to as many sums in turns, so that an addition need not wait for the one before: few
    columns are too few to hide that. Sums are rounded otherwise then.
    """

    @intrinsic
    def gather(typingctx, c, base, places, factors, entries, w, vectors):
        def codegen(context, builder, sig, args):
            emit = partial(_gather_rows, context, builder, sig, args, chains)
            by_width(builder, args[6], range(1, most + 1), emit)
            return context.get_dummy_value()

        return types.void(c, base, places, factors, types.intp, w, types.intp), codegen

    return gather


def _gather_pairs(context: Any, builder: Any, sig: Any, args: Any, columns: int) -> None:
    """Emit the loop over the entries of a pair of sparse rows for so many vectors of a matrix."""
    v = vector_type(context, Vector(sig.args[0].dtype))
    firsts = [j * v.count for j in range(columns)]
    c0, b0, x0, w0 = (address(context, builder, sig.args[k], args[k]) for k in (0, 1, 3, 5))
    C, X, W = (cgutils.create_struct_proxy(sig.args[k])(context, builder, args[k]) for k in (0, 3, 5))
    coming, step = (builder.extract_value(args[6], k) for k in range(2))
    outputs = [c0, behind(builder, c0, C.stride)]
    every = [[cgutils.alloca_once(builder, v) for _ in firsts] for _ in outputs]
    for number, first in enumerate(firsts):
        start = load_vector(builder, behind(builder, b0, first), v)
        for sums in every:
            builder.store(start, sums[number])
    with cgutils.for_range(builder, args[4]) as loop:
        p = loop.index
        row = behind(builder, w0, builder.mul(column_at(context, builder, sig.args[2], args[2], p), W.stride))
        both = [builder.load(behind(builder, x0, place), typ=v.element) for place in (p, builder.add(X.stride, p))]
        prefetch_at(builder, builder.add(coming, builder.mul(p, step)))
        for number, first in enumerate(firsts):
            weights = load_vector(builder, behind(builder, row, first), v)
            for sums, x in zip(every, both, strict=True):
                arguments = [spread(builder, x, v.count), weights, builder.load(sums[number], typ=v)]
                builder.store(llvm_math(builder, "fma", arguments, v), sums[number])
        end = builder.block
    keep_rolled(builder, end)
    for number, first in enumerate(firsts):
        for sums, place in zip(every, outputs, strict=True):
            store_vector(builder, builder.load(sums[number], typ=v), behind(builder, place, first))


def _compiled_gather_pairs(widths: Iterable[int]) -> Any:
    """Make the kernel of two sparse rows with the same columns times any of these numbers of vectors of a matrix; see
    `rows.pair_forward`.
    """

    @intrinsic
    def gather(typingctx, c, base, columns, values, entries, w, ahead, vectors):
        def codegen(context, builder, sig, args):
            by_width(builder, args[7], widths, partial(_gather_pairs, context, builder, sig, args))
            return context.get_dummy_value()

        n = types.intp
        return types.void(c, base, columns, values, n, w, types.UniTuple(n, 2), n), codegen

    return gather


def _scatter_rows(context: Any, builder: Any, sig: Any, args: Any, columns: int) -> None:
    """Emit the loop over the entries of a sparse column for so many vectors of a matrix."""
    v = vector_type(context, Vector(sig.args[0].dtype))
    firsts = [j * v.count for j in range(columns)]
    g0, d0, f0 = (address(context, builder, sig.args[k], args[k]) for k in (0, 1, 3))
    deltas = [load_vector(builder, behind(builder, d0, first), v) for first in firsts]
    with cgutils.for_range(builder, args[4]) as loop:
        x = spread(builder, builder.load(behind(builder, f0, loop.index), typ=v.element), v.count)
        row = _place(context, builder, sig, args, loop.index, g0)
        for delta, first in zip(deltas, firsts, strict=True):
            before = load_vector(builder, behind(builder, row, first), v)
            store_vector(builder, llvm_math(builder, "fma", [x, delta, before], v), behind(builder, row, first))
        end = builder.block
    keep_rolled(builder, end)


@intrinsic
def _compiled_scatter_rows(typingctx, g, delta, places, factors, entries, vectors):
    """Add a sparse column times up to `SCATTERED` vectors to a matrix; see `rows.row_gradient`."""

    def codegen(context, builder, sig, args):
        by_width(builder, args[5], range(1, SCATTERED + 1), partial(_scatter_rows, context, builder, sig, args))
        return context.get_dummy_value()

    return types.void(g, delta, places, factors, types.intp, types.intp), codegen


def numbers_at(context: Any, builder: Any, sig: Any, args: Any, count: int) -> tuple[Any, Any]:
    """Make the functions that emit reading, and writing, so many numbers of an argument from an index on.

    What is written is words, bytes or numbers, and becomes what the argument has.
    """

    def place(number: int, at: Any) -> tuple[Any, Any, int]:
        kind = sig.args[number]
        vector = ir.VectorType(context.get_data_type(kind.dtype), count)
        return address(context, builder, kind, args[number], at), vector, kind.dtype.bitwidth // 8

    def read(number: int, at: Any) -> Any:
        return load_vector(builder, *place(number, at))

    def write(number: int, at: Any, vector: Any) -> None:
        target, kind, align = place(number, at)
        if vector.type != kind:
            narrower = isinstance(kind.element, ir.IntType)
            vector = builder.trunc(vector, kind) if narrower else builder.uitofp(vector, kind)
        store_vector(builder, vector, target, align)

    return read, write


def _compiled_compress_blocks(rows: int) -> Any:
    """Make the kernel that finds the non-zeros of one dense row, or of a pair of rows; see `rows.compress_row`.

    It writes the columns and values where any of the rows isn't zero, of their first `size` numbers, a multiple of
    `BLOCK`.

    Parameters
    ----------
    members : flat array of unsigned int
        Receives columns.
    factors : matrix, (rows, entries)
        Receives values. Both have room for `BLOCK` numbers more than there are non-zeros.
    dense, second : flat arrays, (size,)
        The rows, of the dtype of `factors` or uint8; one of them twice.
    scale : flat array
        Of a pair of rows the values are multiplied by it, column by column.

    Returns
    -------
    int
        How many non-zeros there are. NaN and infinity are such.
    bool
        For each row, whether all numbers are finite.

    Notes
    -----
    With AVX-512 a register of numbers is taken at once, those that are not zero are moved to the front by one
    instruction, and all of it is stored. Elsewhere every number is written, and the next one over it where it is zero.
    In neither form does a branch depend on the data: it would be mispredicted at every edge of a pen stroke.
    """

    @intrinsic
    def compress(typingctx, members, factors, dense, second, scale, size):
        n = types.intp
        returned = types.Tuple((n, *[types.boolean] * rows))
        return returned(members, factors, dense, second, scale, n), partial(_compress_blocks, rows)

    return compress


def _compress_blocks(rows: int, context: Any, builder: Any, sig: Any, args: Any) -> Any:
    """Emit what `compress_blocks` does."""
    integer, wide = isinstance(sig.args[2].dtype, types.Integer), has_compress(context)
    number, bits = context.get_data_type(sig.args[1].dtype), sig.args[2].dtype.bitwidth
    # Numbers at once, in a register as values; bytes are widened, for they have no such instruction.
    width = max(32, sig.args[1].dtype.bitwidth) if integer else bits
    count = 512 // width if wide else 1
    words, doubtful = (ir.VectorType(ir.IntType(size), count) for size in (32, bits))
    apart = cgutils.create_struct_proxy(sig.args[1])(context, builder, args[1]).stride
    zero, one, step = (context.get_constant(types.intp, k) for k in (0, 1, count))
    to, end = cgutils.alloca_once_value(builder, zero), args[5]
    doubts = [cgutils.alloca_once_value(builder, doubtful(None)) for _ in range(rows)]
    read, write = numbers_at(context, builder, sig, args, count)

    def write_value(row: int, x: Any, column: Any, at: Any, kept: Any = None) -> None:
        if not integer:
            # x - x is 0, or NaN for what is not finite. Its bits are gathered: sums would wait for one another.
            difference = builder.bitcast(builder.fsub(x, x), doubtful)
            builder.store(builder.or_(builder.load(doubts[row]), difference), doubts[row])
        elif kept is not None:
            x = builder.zext(x, words)
        if rows > 1:
            x = builder.uitofp(x, ir.VectorType(number, count)) if integer else x
            x = builder.fmul(x, read(4, column))
        x = compressed(builder, x, kept) if kept is not None else x
        write(1, builder.add(at, apart) if row else at, x)

    with cgutils.for_range_slice(builder, zero, end, step, inc=True) as (j, _):
        numbers, now = [read(2 + row, j) for row in range(rows)], builder.load(to)
        first = spread(builder, builder.trunc(j, ir.IntType(32)), count)
        columns = builder.add(first, ir.Constant(words, list(range(count))))
        different = builder.icmp_unsigned if integer else builder.fcmp_unordered
        filled = reduce(builder.or_, [different("!=", x, x.type(None)) for x in numbers])
        if wide:
            for row, x in enumerate(numbers):
                write_value(row, x, j, now, filled)
            columns = compressed(builder, columns, filled)
        write(0, now, columns)
        builder.store(builder.add(now, count_true(builder, filled, now.type)), to)
        last = builder.block
    if wide:
        keep_rolled(builder, last)
    else:
        with cgutils.for_range_slice(builder, zero, builder.load(to), one, inc=True) as (p, _):
            column = column_at(context, builder, sig.args[0], args[0], p)
            for row in range(rows):
                write_value(row, read(2 + row, column), column, p)
    whole = ir.IntType(bits * count)
    finite = [builder.icmp_unsigned("==", builder.bitcast(builder.load(all_), whole), whole(0)) for all_ in doubts]
    return context.make_tuple(builder, sig.return_type, [builder.load(to), *finite])


def has_compress(context: Any) -> bool:
    """Whether code is for processors that `compressed` is one instruction of."""
    return "+avx512f" in getattr(context.codegen(), "_tm_features", "")


def count_true(builder: Any, mask: Any, kind: Any) -> Any:
    """Emit how many lanes of a mask hold."""
    entries = builder.ctpop(builder.bitcast(mask, ir.IntType(mask.type.count)))
    return builder.zext(entries, kind) if mask.type.count < kind.width else entries


def compressed(builder: Any, vector: Any, mask: Any) -> Any:
    """Emit code that moves the lanes of a vector where the mask holds to the front."""
    names = {"i32": "i32", "float": "f32", "double": "f64"}
    name = f"llvm.experimental.vector.compress.v{vector.type.count}{names[str(vector.type.element)]}"
    arguments = [vector.type, mask.type, vector.type]
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector.type, arguments), name)
    return builder.call(function, [vector, mask, ir.Constant(vector.type, ir.Undefined)])


def _python_compress_blocks(rows: int) -> Any:
    def compress(members, factors, dense, second, scale, size):
        numbers = [row[:size].astype(factors.data.dtype) for row in (dense, second)[:rows]]
        filled = np.flatnonzero(np.any(numbers, axis=0))
        members[: len(filled)] = filled
        for row, x in enumerate(numbers):
            factors.data[row * factors.stride :][: len(filled)] = x[filled] * (scale[filled] if rows > 1 else 1)
        return len(filled), *(bool(np.isfinite(x).all()) for x in numbers)

    return compress


def behind(builder: Any, base: Any, count: Any) -> Any:
    """Emit the address of the number that lies so many behind that of another; an int or a value."""
    index = ir.IntType(64)(count) if isinstance(count, int) else count
    return builder.gep(base, [index], source_etype=base.type.pointee, inbounds=True)


def column_at(context: Any, builder: Any, kind: Any, columns: Any, p: Any) -> Any:
    """Emit entry `p` of an array of columns."""
    column = builder.load(address(context, builder, kind, columns, p), typ=context.get_data_type(kind.dtype))
    return builder.zext(column, context.get_value_type(types.intp))


def repeated(builder: Any, numbers: Any, vector: ir.VectorType, group: int = 0) -> Any:
    """Emit a group of the numbers of a short vector, again and again in a register, from where `spread_each` spreads
    each: to spread a number from memory takes as long as to load a vector of weights.
    """
    order = [group * GROUP + i % GROUP for i in range(vector.count)]
    lanes_of = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), order)
    together = builder.shuffle_vector(numbers, ir.Constant(numbers.type, ir.Undefined), lanes_of)
    # Otherwise LLVM spreads each from memory all the same.
    return llvm_math(builder, "arithmetic.fence", [together], vector)


def spread_each(builder: Any, repeated: Any, number: int) -> Any:
    """Emit a vector with one of the numbers of a group, by its place in it, in every lane."""
    order = [i // GROUP * GROUP + number for i in range(repeated.type.count)]
    lanes_of = ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order)
    return builder.shuffle_vector(repeated, ir.Constant(repeated.type, ir.Undefined), lanes_of)


def _place(context: Any, builder: Any, sig: Any, args: Any, p: Any, base: Any) -> Any:
    """Emit the address of the row of a matrix at the place of entry `p`, as `read_blocks` writes it to argument 2."""
    word = ir.IntType(64)
    place = builder.load(address(context, builder, sig.args[2], args[2], p), typ=ir.IntType(32))
    return builder.bitcast(
        behind(builder, builder.bitcast(base, word.as_pointer()), builder.zext(place, word)), base.type
    )


@intrinsic
def _compiled_read_blocks(typingctx, places, factors, columns, values, blocks, scale, words):
    """Write blocks of entries of a sparse row as the loops above read them.

    Parameters
    ----------
    places : flat array of uint32
        Receives ``columns * words``: where the row of a matrix begins that a column names, in words of `WORD` bytes, so
        that matrices may have 2³² of these.
    factors : flat array
        Receives ``values * scale``. These two may be `columns` and `values`.
    columns, values : flat arrays of unsigned int, and of those or of the dtype of `factors`
    blocks : int
        How many blocks of `BLOCK`.
    scale : float
    words : int
        How far apart the rows of the matrix lie.
    """
    n = types.intp

    def codegen(context, builder, sig, args):
        blocks_, scale_, words_ = args[4:]
        integers = ir.VectorType(ir.IntType(32), BLOCK)
        numbers = ir.VectorType(context.get_data_type(factors.dtype), BLOCK)
        apart = spread(builder, builder.trunc(words_, ir.IntType(32)), BLOCK)
        factor = spread(builder, context.cast(builder, scale_, scale, factors.dtype), BLOCK)
        read, write = numbers_at(context, builder, sig, args, BLOCK)
        zero, step = context.get_constant(n, 0), context.get_constant(n, BLOCK)
        with cgutils.for_range_slice(builder, zero, builder.mul(blocks_, step), step, inc=True) as (p, _):
            column, x = read(2, p), read(3, p)
            column = builder.zext(column, integers) if column.type != integers else column
            x = builder.uitofp(x, numbers) if isinstance(values.dtype, types.Integer) else x
            write(0, p, builder.mul(column, apart))
            write(1, p, builder.fmul(x, factor))
            last = builder.block
        keep_rolled(builder, last)
        return context.get_dummy_value()

    return types.void(places, factors, columns, values, n, scale, n), codegen


def _python_read_blocks(places, factors, columns, values, blocks, scale, words):
    size = blocks * BLOCK
    places[:size] = columns[:size].astype(np.uint32) * np.uint32(words)
    factors[:size] = values[:size].astype(factors.dtype) * scale


def _python_gather_rows(most: int, chains: int = 1) -> Any:
    def gather(c, base, places, factors, entries, w, vectors):
        width = vectors * lanes(c)
        total = base[:width].copy()
        for p in range(entries):
            start = int(places[p]) * WORD // w.itemsize
            total += factors[p] * w[start : start + width]
        c[:width] = total

    return gather


def _python_gather_pairs(widths: Iterable[int]) -> Any:
    gather_row = _python_gather_rows(max(widths))

    def gather(c, base, columns, values, entries, w, ahead, vectors):
        places = columns[:entries].astype(np.uint32) * np.uint32(w.stride * w.data.itemsize // WORD)
        for row in range(2):
            x = values.data[row * values.stride :]
            gather_row(c.data[row * c.stride :], base, places, x, entries, w.data, vectors)

    return gather


def _python_scatter_rows(g, delta, places, factors, entries, vectors):
    width = vectors * lanes(g)
    for p in range(entries):
        start = int(places[p]) * WORD // g.itemsize
        g[start : start + width] += factors[p] * delta[:width]


if INTERPRETED:
    gather_rows, gather_pairs, scatter_rows = _python_gather_rows, _python_gather_pairs, _python_scatter_rows
    compress_blocks, read_blocks = _python_compress_blocks, _python_read_blocks
else:
    gather_rows, gather_pairs, scatter_rows = _compiled_gather_rows, _compiled_gather_pairs, _compiled_scatter_rows
    compress_blocks, read_blocks = _compiled_compress_blocks, _compiled_read_blocks
