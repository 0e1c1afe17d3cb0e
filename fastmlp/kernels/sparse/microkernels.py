"""The innermost loops of sparse rows: gather and scatter, and finding and reading a row's entries (floor 2; imports
llvmlite, numba, numpy).

They are made as those of `dense.microkernels` are.
"""

from functools import partial
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils

from ..dense.microkernels import by_width, keep_rolled
from ..runtime.simd import (
    Vector,
    address,
    instruction,
    lanes,
    llvm_math,
    load_vector,
    nothing,
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


# --- one row times a matrix, and its gradient ---


def gather_rows(most: int, chains: int = 1) -> Any:
    """Make the kernel of one sparse row times up to `most` vectors of a matrix; see `rows.row_forward`.

    With several chains entries go to as many sums in turns, so that an addition need not wait for the one before: few
    columns are too few to hide that. Sums are rounded otherwise then.
    """

    @instruction(nothing, _python_gather)
    def gather(context, builder, sig, c, base, places, factors, entries, w, vectors):
        given = c, base, places, factors, entries, w
        by_width(builder, vectors, range(1, most + 1), partial(_gather, context, builder, sig, given, chains))

    return gather


def _python_gather(c, base, places, factors, entries, w, vectors):
    width = vectors * lanes(c)
    total = base[:width].copy()
    for p in range(entries):
        start = int(places[p]) * WORD // w.itemsize
        total += factors[p] * w[start : start + width]
    c[:width] = total


def _gather(context: Any, builder: Any, sig: Any, args: Any, chains: int, columns: int) -> None:
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


def _python_scatter(g, delta, places, factors, entries, vectors):
    width = vectors * lanes(g)
    for p in range(entries):
        start = int(places[p]) * WORD // g.itemsize
        g[start : start + width] += factors[p] * delta[:width]


@instruction(nothing, _python_scatter)
def scatter_rows(context, builder, sig, g, delta, places, factors, entries, vectors):
    """Add a sparse column times up to `SCATTERED` vectors to a matrix; see `rows.row_gradient`."""
    given = g, delta, places, factors, entries
    by_width(builder, vectors, range(1, SCATTERED + 1), partial(_scatter, context, builder, sig, given))


def _scatter(context: Any, builder: Any, sig: Any, args: Any, columns: int) -> None:
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


# --- the entries of a row ---


def _python_compress_blocks(members, factors, dense, size):
    x = dense[:size].astype(factors.dtype)
    filled = np.flatnonzero(x)
    members[: len(filled)], factors[: len(filled)] = filled, x[filled]
    return len(filled), bool(np.isfinite(x).all())


@instruction(lambda *_: types.Tuple((types.intp, types.boolean)), _python_compress_blocks)
def compress_blocks(context, builder, sig, members, factors, dense, size):
    """Write the columns and values of what isn't zero among the first `size` numbers of a dense row, a multiple of
    `BLOCK`; see `rows.compress_row`.

    Parameters
    ----------
    members : flat array of unsigned int
        Receives columns.
    factors : flat array
        Receives values. Both have room for `BLOCK` numbers more than there are non-zeros.
    dense : flat array, (size,)
        Of the dtype of `factors` or uint8.

    Returns
    -------
    int
        How many non-zeros there are. NaN and infinity are such.
    bool
        Whether all numbers are finite.

    Notes
    -----
    With AVX-512 a register of numbers is taken at once, those that are not zero are moved to the front by one
    instruction, and all of it is stored. Elsewhere every number is written, and the next one over it where it is zero.
    In neither form does a branch depend on the data: it would be mispredicted at every edge of a pen stroke.
    """
    integer, wide = isinstance(sig.args[2].dtype, types.Integer), has_compress(context)
    bits = sig.args[2].dtype.bitwidth
    # Numbers at once, in a register as values; bytes are widened, for they have no such instruction.
    width = max(32, sig.args[1].dtype.bitwidth) if integer else bits
    count = 512 // width if wide else 1
    words, doubtful = (ir.VectorType(ir.IntType(size_), count) for size_ in (32, bits))
    zero, one, step = (context.get_constant(types.intp, k) for k in (0, 1, count))
    to, doubt = cgutils.alloca_once_value(builder, zero), cgutils.alloca_once_value(builder, doubtful(None))
    read, write = numbers_at(context, builder, sig, (members, factors, dense), count)

    def check(x: Any) -> None:
        if not integer:
            # x - x is 0, or NaN for what is not finite. Its bits are gathered: sums would wait for one another.
            difference = builder.bitcast(builder.fsub(x, x), doubtful)
            builder.store(builder.or_(builder.load(doubt), difference), doubt)

    with cgutils.for_range_slice(builder, zero, size, step, inc=True) as (j, _):
        x, now = read(2, j), builder.load(to)
        columns = builder.add(spread(builder, builder.trunc(j, words.element), count), words(list(range(count))))
        different = builder.icmp_unsigned if integer else builder.fcmp_unordered
        filled = different("!=", x, x.type(None))
        if wide:
            check(x)
            write(1, now, compressed(builder, builder.zext(x, words) if integer else x, filled))
            columns = compressed(builder, columns, filled)
        write(0, now, columns)
        builder.store(builder.add(now, count_true(builder, filled, now.type)), to)
        last = builder.block
    if wide:
        keep_rolled(builder, last)
    else:
        with cgutils.for_range_slice(builder, zero, builder.load(to), one, inc=True) as (p, _):
            x = read(2, column_at(context, builder, sig.args[0], members, p))
            check(x)
            write(1, p, x)
    whole = ir.IntType(bits * count)
    finite = builder.icmp_unsigned("==", builder.bitcast(builder.load(doubt), whole), whole(0))
    return context.make_tuple(builder, sig.return_type, [builder.load(to), finite])


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


def _python_read_blocks(places, factors, columns, values, blocks, scale, words):
    size = blocks * BLOCK
    places[:size] = columns[:size].astype(np.uint32) * np.uint32(words)
    factors[:size] = values[:size].astype(factors.dtype) * scale


@instruction(nothing, _python_read_blocks)
def read_blocks(context, builder, sig, places, factors, columns, values, blocks, scale, words):
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
    dtype, integers = sig.args[1].dtype, ir.VectorType(ir.IntType(32), BLOCK)
    numbers = ir.VectorType(context.get_data_type(dtype), BLOCK)
    apart = spread(builder, builder.trunc(words, integers.element), BLOCK)
    factor = spread(builder, context.cast(builder, scale, sig.args[5], dtype), BLOCK)
    read, write = numbers_at(context, builder, sig, (places, factors, columns, values), BLOCK)
    zero, step = (context.get_constant(types.intp, k) for k in (0, BLOCK))
    with cgutils.for_range_slice(builder, zero, builder.mul(blocks, step), step, inc=True) as (p, _):
        column, x = read(2, p), read(3, p)
        column = builder.zext(column, integers) if column.type != integers else column
        x = builder.uitofp(x, numbers) if isinstance(sig.args[3].dtype, types.Integer) else x
        write(0, p, builder.mul(column, apart))
        write(1, p, builder.fmul(x, factor))
        last = builder.block
    keep_rolled(builder, last)


# --- parts of these loops ---


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
