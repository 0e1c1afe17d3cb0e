"""The innermost loops of sparse rows: gather and scatter, and finding and reading a row's entries (floor 2; imports
llvmlite, numba, numpy).

They are made as those of `microkernels` are.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from ..dense.microkernels import keep_rolled
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

WORD = 8
"""Bytes by which the places of a matrix's rows are counted: rows are padded to whole words of them."""


def _compiled_gather_rows(columns: int, chains: int = 1) -> Any:
    """Make the kernel of one sparse row times `columns` vectors of a matrix; see `rows.row_forward`.

    With several chains entries go to as many sums in turns, so that an addition need not wait for the one before: few
    columns are too few to hide that. Sums are rounded otherwise then.
    """

    @intrinsic
    def gather(typingctx, c, ci, base, bi, place, factor, first, last, w, wi):
        vector = Vector(c.dtype)

        def codegen(context, builder, sig, args):
            c0 = address(context, builder, sig.args[0], args[0], args[1])
            b0 = address(context, builder, sig.args[2], args[2], args[3])
            w0 = address(context, builder, sig.args[8], args[8], args[9])
            v, firsts = vector_type(context, vector), [j * vector.lanes for j in range(columns)]
            every = [[cgutils.alloca_once(builder, v) for _ in firsts] for _ in range(chains)]

            def at(base: Any, first: int) -> Any:
                return offset(context, builder, base, c.dtype, first)

            def add(p: Any, sums: list[Any], factor: Any) -> None:
                row = _place(context, builder, sig, args, p, 4, w0)
                for total, first in zip(sums, firsts, strict=True):
                    weights = load_vector(builder, at(row, first), v)
                    builder.store(llvm_math(builder, "fma", [factor, weights, builder.load(total, typ=v)], v), total)

            for sums in every:
                for total, first in zip(sums, firsts, strict=True):
                    builder.store(load_vector(builder, at(b0, first), v) if sums is every[0] else v(None), total)
            begin, end, one, step = args[6], args[7], *(context.get_constant(types.intp, k) for k in (1, GROUP))
            whole = builder.add(begin, builder.mul(builder.sdiv(builder.sub(end, begin), step), step))
            with cgutils.for_range_slice(builder, begin, whole, step, inc=True) as (p, _):
                source = address(context, builder, sig.args[5], args[5], p)
                several = repeated(builder, load_vector(builder, source, ir.VectorType(v.element, GROUP)), v)
                for number in range(GROUP):
                    factor = spread_each(builder, several, number)
                    add(builder.add(p, context.get_constant(types.intp, number)), every[number % chains], factor)
                last = builder.block
            keep_rolled(builder, last)
            with cgutils.for_range_slice(builder, whole, end, one, inc=True) as (p, _):
                source = address(context, builder, sig.args[5], args[5], p)
                add(p, every[0], spread(builder, builder.load(source, typ=v.element), v.count))
                last = builder.block
            keep_rolled(builder, last)
            for number, first in enumerate(firsts):
                value = builder.load(every[0][number], typ=v)
                for sums in every[1:]:
                    value = builder.fadd(value, builder.load(sums[number], typ=v))
                store_vector(builder, value, at(c0, first))
            return context.get_dummy_value()

        n = types.intp
        return types.void(c, n, base, n, place, factor, n, n, w, n), codegen

    return gather


def _compiled_gather_pairs(columns: int) -> Any:
    """Make the kernel of two sparse rows with the same columns times `columns` vectors of a matrix; see
    `sparse.pair_forward`.
    """

    @intrinsic
    def gather(typingctx, c, ci, other, base, bi, index, value, apart, last, w, wi, stride, coming, step):
        vector = Vector(c.dtype)

        def codegen(context, builder, sig, args):
            outputs = [address(context, builder, sig.args[0], args[0], args[k]) for k in (1, 2)]
            b0 = address(context, builder, sig.args[3], args[3], args[4])
            w0 = address(context, builder, sig.args[9], args[9], args[10])
            v, firsts = vector_type(context, vector), [j * vector.lanes for j in range(columns)]
            every = [[cgutils.alloca_once(builder, v) for _ in firsts] for _ in outputs]

            def at(base: Any, first: int) -> Any:
                return offset(context, builder, base, c.dtype, first)

            for number, first in enumerate(firsts):
                start = load_vector(builder, at(b0, first), v)
                for sums in every:
                    builder.store(start, sums[number])
            with cgutils.for_range(builder, args[8]) as loop:
                p = loop.index
                row = _named_row(context, builder, sig, args, p, 5, w0, args[11])
                both = [
                    builder.load(address(context, builder, sig.args[6], args[6], place), typ=v.element)
                    for place in (p, builder.add(args[7], p))
                ]
                prefetch_at(builder, builder.add(args[12], builder.mul(p, args[13])))
                for number, first in enumerate(firsts):
                    weights = load_vector(builder, at(row, first), v)
                    for sums, x in zip(every, both, strict=True):
                        arguments = [spread(builder, x, v.count), weights, builder.load(sums[number], typ=v)]
                        builder.store(llvm_math(builder, "fma", arguments, v), sums[number])
                end = builder.block
            keep_rolled(builder, end)
            for number, first in enumerate(firsts):
                for sums, place in zip(every, outputs, strict=True):
                    store_vector(builder, builder.load(sums[number], typ=v), at(place, first))
            return context.get_dummy_value()

        n = types.intp
        return types.void(c, n, n, base, n, index, value, n, n, w, n, n, n, n), codegen

    return gather


def _compiled_scatter_rows(columns: int) -> Any:
    """Make the kernel that adds a sparse column times `columns` vectors to a matrix; see `rows.row_gradient`."""

    @intrinsic
    def scatter(typingctx, g, gi, delta, di, place, factor, first, last):
        vector = Vector(g.dtype)

        def codegen(context, builder, sig, args):
            g0 = address(context, builder, sig.args[0], args[0], args[1])
            d0 = address(context, builder, sig.args[2], args[2], args[3])
            v, firsts = vector_type(context, vector), [j * vector.lanes for j in range(columns)]

            def at(base: Any, first: int) -> Any:
                return offset(context, builder, base, g.dtype, first)

            deltas = [load_vector(builder, at(d0, first), v) for first in firsts]
            with cgutils.for_range_slice(builder, args[6], args[7], context.get_constant(types.intp, 1), inc=True) as (
                p,
                _,
            ):
                source = address(context, builder, sig.args[5], args[5], p)
                x, row = builder.load(source, typ=v.element), _place(context, builder, sig, args, p, 4, g0)
                for delta, first in zip(deltas, firsts, strict=True):
                    before = load_vector(builder, at(row, first), v)
                    total = llvm_math(builder, "fma", [spread(builder, x, v.count), delta, before], v)
                    store_vector(builder, total, at(row, first))
                end = builder.block
            keep_rolled(builder, end)
            return context.get_dummy_value()

        n = types.intp
        return types.void(g, n, delta, n, place, factor, n, n), codegen

    return scatter


def _compiled_compress_blocks(rows: int) -> Any:
    """Make the kernel that finds the non-zeros of one dense row, or of a pair of rows; see `rows.compress_row`.

    It writes the columns and values where any of the rows ``dense[start:start + size]`` isn't zero, `size` a multiple
    of `BLOCK`; there is a start for each.

    Parameters
    ----------
    members : flat array of unsigned int
        Receives columns, counted from `start`, from `place` on.
    factors : flat array
        Receives values, from `place` on, those of the second row `apart` numbers further. Both have room for `BLOCK`
        numbers more than there are non-zeros.
    scale : flat array
        Of a pair of rows the values are multiplied by it, column by column.
    dense : flat array
        Of the dtype of `factors`, or uint8.

    Returns
    -------
    int
        Where the next non-zero would go. NaN and infinity are non-zeros.
    bool
        For each row, whether all numbers are finite.

    Notes
    -----
    With AVX-512 a register of numbers is taken at once, those that are not zero are moved to the front by one
    instruction, and all of it is stored. Elsewhere every number is written, and the next one over it where it is zero.
    In neither form does a branch depend on the data: it would be mispredicted at every edge of a pen stroke.
    """

    @intrinsic
    def compress(typingctx, members, factors, place, dense, start, second, apart, scale, size):
        integer = isinstance(dense.dtype, types.Integer)

        def codegen(context, builder, sig, args):
            _, _, place_, _, start_, second_, apart_, _, size_ = args
            starts = [start_, second_][:rows]
            wide = "+avx512f" in getattr(context.codegen(), "_tm_features", "")
            # Numbers at once, in a register as values; bytes are widened, for they have no such instruction.
            width = max(32, factors.dtype.bitwidth) if integer else dense.dtype.bitwidth
            count = 512 // width if wide else 1
            word, raw = ir.IntType(32), context.get_data_type(dense.dtype)
            words, bits = (ir.VectorType(ir.IntType(size), count) for size in (32, dense.dtype.bitwidth))
            to = cgutils.alloca_once_value(builder, place_)
            doubts = [cgutils.alloca_once_value(builder, bits(None)) for _ in starts]
            zero, one, step = (context.get_constant(types.intp, number) for number in (0, 1, count))

            def read(row: int, at: Any) -> Any:
                source = address(context, builder, sig.args[3], args[3], builder.add(starts[row], at))
                return load_vector(builder, source, ir.VectorType(raw, count), dense.dtype.bitwidth // 8)

            def write(number: int, at: Any, vector: Any) -> None:
                dtype = sig.args[number].dtype
                kind = ir.VectorType(context.get_data_type(dtype), count)
                if vector.type != kind:
                    # Columns and bytes come as words.
                    vector = (
                        builder.trunc(vector, kind)
                        if isinstance(dtype, types.Integer)
                        else builder.uitofp(vector, kind)
                    )
                target = address(context, builder, sig.args[number], args[number], at)
                store_vector(builder, vector, target, dtype.bitwidth // 8)

            def scaled(x: Any, at: Any) -> Any:
                if rows == 1:
                    return x
                dtype = context.get_data_type(sig.args[1].dtype)
                x = builder.uitofp(x, ir.VectorType(dtype, count)) if integer else x
                place = address(context, builder, sig.args[7], args[7], at)
                return builder.fmul(x, load_vector(builder, place, x.type, sig.args[1].dtype.bitwidth // 8))

            def write_value(row: int, at: Any, x: Any) -> None:
                write(1, builder.add(at, apart_) if row else at, x)

            def doubt(row: int, x: Any) -> None:
                # x - x is 0, or NaN for what is not finite. Its bits are gathered: sums would wait for one another.
                if not integer:
                    doubtful = builder.bitcast(builder.fsub(x, x), bits)
                    builder.store(builder.or_(builder.load(doubts[row]), doubtful), doubts[row])

            with cgutils.for_range_slice(builder, zero, size_, step, inc=True) as (j, _):
                numbers, now = [read(row, j) for row in range(rows)], builder.load(to)
                first = spread(builder, builder.trunc(j, word), count)
                columns = builder.add(first, ir.Constant(words, list(range(count))))
                filled = None
                for x in numbers:
                    if integer:
                        here = builder.icmp_unsigned("!=", x, x.type(None))
                    else:
                        here = builder.fcmp_unordered("!=", x, x.type(None))
                    filled = here if filled is None else builder.or_(filled, here)
                if wide:
                    for row, x in enumerate(numbers):
                        doubt(row, x)
                        x = scaled(builder.zext(x, words) if integer else x, j)
                        write_value(row, now, compressed(builder, x, filled))
                    columns = compressed(builder, columns, filled)
                write(0, now, columns)
                entries = builder.ctpop(builder.bitcast(filled, ir.IntType(count)))
                builder.store(builder.add(now, builder.zext(entries, now.type)), to)
                end = builder.block
            if wide:
                keep_rolled(builder, end)
            else:
                with cgutils.for_range_slice(builder, place_, builder.load(to), one, inc=True) as (p, _):
                    column = _column(context, builder, sig, args, p, 0)
                    for row in range(rows):
                        x = read(row, column)
                        doubt(row, x)
                        write_value(row, p, scaled(x, column))
            whole = ir.IntType(bits.element.width * count)
            finite = [
                builder.icmp_unsigned("==", builder.bitcast(builder.load(doubtful), whole), whole(0))
                for doubtful in doubts
            ]
            return context.make_tuple(builder, sig.return_type, [builder.load(to), *finite])

        n = types.intp
        returned = types.Tuple((n, *[types.boolean] * rows))
        return returned(members, factors, n, dense, n, n, n, scale, n), codegen

    return compress


def compressed(builder: Any, vector: Any, mask: Any) -> Any:
    """Emit code that moves the lanes of a vector where the mask holds to the front."""
    names = {"i32": "i32", "float": "f32", "double": "f64"}
    name = f"llvm.experimental.vector.compress.v{vector.type.count}{names[str(vector.type.element)]}"
    arguments = [vector.type, mask.type, vector.type]
    function = cgutils.get_or_insert_function(builder.module, ir.FunctionType(vector.type, arguments), name)
    return builder.call(function, [vector, mask, ir.Constant(vector.type, ir.Undefined)])


def _python_compress_blocks(rows: int) -> Any:
    def compress(members, factors, place, dense, start, second, apart, scale, size):
        numbers = [dense[first : first + size].astype(factors.dtype) for first in (start, second)[:rows]]
        filled = np.flatnonzero(np.any(numbers, axis=0))
        end = place + len(filled)
        members[place:end] = filled
        for row, x in enumerate(numbers):
            factors[place + row * apart : end + row * apart] = x[filled] * (scale[filled] if rows > 1 else 1)
        return end, *(bool(np.isfinite(x).all()) for x in numbers)

    return compress


def offset(context: Any, builder: Any, base: Any, dtype: Any, count: int) -> Any:
    """Emit the address of the number of this dtype that lies so many behind an address."""
    return builder.gep(
        base, [context.get_constant(types.intp, count)], source_etype=context.get_data_type(dtype), inbounds=True
    )


def _column(context: Any, builder: Any, sig: Any, args: Any, p: Any, at: int) -> Any:
    """Emit entry `p` of argument `at`, an array of columns."""
    place = address(context, builder, sig.args[at], args[at], p)
    column = builder.load(place, typ=context.get_data_type(sig.args[at].dtype))
    return builder.zext(column, context.get_value_type(types.intp))


def _named_row(context: Any, builder: Any, sig: Any, args: Any, p: Any, at: int, base: Any, stride: Any) -> Any:
    """Emit the address of the row of a matrix that entry `p` of argument `at`, an array of columns, names."""
    column = _column(context, builder, sig, args, p, at)
    return builder.gep(
        base, [builder.mul(column, stride)], source_etype=context.get_data_type(sig.args[0].dtype), inbounds=True
    )


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


def _place(context: Any, builder: Any, sig: Any, args: Any, p: Any, at: int, base: Any) -> Any:
    """Address of the row of a matrix at the place of entry `p`, as `read_blocks` writes it to argument `at`."""
    word = ir.IntType(64)
    place = builder.load(address(context, builder, sig.args[at], args[at], p), typ=ir.IntType(32))
    words = builder.bitcast(base, word.as_pointer())
    row = builder.gep(words, [builder.zext(place, word)], source_etype=word, inbounds=True)
    return builder.bitcast(row, context.get_data_type(sig.args[at + 1].dtype).as_pointer())


@intrinsic
def _compiled_read_blocks(typingctx, places, factors, columns, values, first, blocks, scale, words):
    """Write blocks of entries of a sparse row, from entry `first` on, as the loops above read them.

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
        _, _, _, _, first_, blocks_, scale_, words_ = args
        integers = ir.VectorType(ir.IntType(32), BLOCK)
        numbers = ir.VectorType(context.get_data_type(factors.dtype), BLOCK)
        apart = spread(builder, builder.trunc(words_, ir.IntType(32)), BLOCK)
        factor = spread(builder, context.cast(builder, scale_, scale, factors.dtype), BLOCK)

        def read(number: int, at: Any) -> Any:
            dtype = sig.args[number].dtype
            source = address(context, builder, sig.args[number], args[number], at)
            return load_vector(builder, source, ir.VectorType(context.get_data_type(dtype), BLOCK), dtype.bitwidth // 8)

        def write(number: int, at: Any, vector: Any) -> None:
            target = address(context, builder, sig.args[number], args[number], at)
            store_vector(builder, vector, target, sig.args[number].dtype.bitwidth // 8)

        end = builder.mul(blocks_, context.get_constant(n, BLOCK))
        zero, step = context.get_constant(n, 0), context.get_constant(n, BLOCK)
        with cgutils.for_range_slice(builder, zero, end, step, inc=True) as (j, _):
            p = builder.add(first_, j)
            column, x = read(2, p), read(3, p)
            column = builder.zext(column, integers) if column.type != integers else column
            x = builder.uitofp(x, numbers) if isinstance(values.dtype, types.Integer) else x
            write(0, j, builder.mul(column, apart))
            write(1, j, builder.fmul(x, factor))
            last = builder.block
        keep_rolled(builder, last)
        return context.get_dummy_value()

    return types.void(places, factors, columns, values, n, n, scale, n), codegen


def _python_read_blocks(places, factors, columns, values, first, blocks, scale, words):
    size = blocks * BLOCK
    places[:size] = columns[first : first + size].astype(np.uint32) * np.uint32(words)
    factors[:size] = values[first : first + size].astype(factors.dtype) * scale


@intrinsic
def _compiled_read_pairs(typingctx, places, factors, pairs, first, entries, scale, words):
    """Write a column's entries, from entry `first` of `pairs` on, as `read_blocks` does those of a row.

    Parameters
    ----------
    places : flat array of uint32
        Receives ``row * words``; behind the entries 0, up to whole blocks.
    factors : flat array
        Receives ``byte * scale``, and 0 behind.
    pairs : flat array of uint16
        ``256 * row + byte``.
    """
    n = types.intp

    def codegen(context, builder, sig, args):
        _, _, _, first_, entries_, scale_, words_ = args
        halves, integers = (ir.VectorType(ir.IntType(bits), BLOCK) for bits in (16, 32))
        numbers = ir.VectorType(context.get_data_type(factors.dtype), BLOCK)
        apart = spread(builder, builder.trunc(words_, ir.IntType(32)), BLOCK)
        factor = spread(builder, context.cast(builder, scale_, scale, factors.dtype), BLOCK)
        zero, step = context.get_constant(n, 0), context.get_constant(n, BLOCK)
        with cgutils.for_range_slice(builder, zero, entries_, step, inc=True) as (j, _):
            source = address(context, builder, sig.args[2], args[2], builder.add(first_, j))
            both = builder.zext(load_vector(builder, source, halves, 2), integers)
            left = spread(builder, builder.trunc(builder.sub(entries_, j), ir.IntType(32)), BLOCK)
            there = builder.icmp_signed("<", ir.Constant(integers, list(range(BLOCK))), left)
            both = builder.select(there, both, integers(None))
            row = builder.lshr(both, ir.Constant(integers, [8] * BLOCK))
            byte = builder.uitofp(builder.and_(both, ir.Constant(integers, [255] * BLOCK)), numbers)
            place, value = (address(context, builder, sig.args[k], args[k], j) for k in (0, 1))
            store_vector(builder, builder.mul(row, apart), place)
            store_vector(builder, builder.fmul(byte, factor), value)
            last = builder.block
        keep_rolled(builder, last)
        return context.get_dummy_value()

    return types.void(places, factors, pairs, n, n, scale, n), codegen


def _python_read_pairs(places, factors, pairs, first, entries, scale, words):
    size = (entries + BLOCK - 1) // BLOCK * BLOCK
    both = np.zeros(size, np.uint32)
    both[:entries] = pairs[first : first + entries]
    places[:size] = (both >> 8) * np.uint32(words)
    factors[:size] = (both & 255).astype(factors.dtype) * scale


def _python_gather_rows(columns: int, chains: int = 1) -> Any:
    def gather(c, ci, base, bi, place, factor, first, last, w, wi):
        width = columns * lanes(c)
        total = base[bi : bi + width].copy()
        for p in range(first, last):
            start = wi + int(place[p]) * WORD // w.itemsize
            total += factor[p] * w[start : start + width]
        c[ci : ci + width] = total

    return gather


def _python_gather_pairs(columns: int) -> Any:
    gather_row = _python_gather_rows(columns)

    def gather(c, ci, other, base, bi, index, value, apart, last, w, wi, stride, coming, step):
        places = index[:last].astype(np.uint32) * np.uint32(stride * w.itemsize // WORD)
        gather_row(c, ci, base, bi, places, value, 0, last, w, wi)
        gather_row(c, other, base, bi, places, value[apart:], 0, last, w, wi)

    return gather


def _python_scatter_rows(columns: int) -> Any:
    def scatter(g, gi, delta, di, place, factor, first, last):
        width = columns * lanes(g)
        for p in range(first, last):
            start = gi + int(place[p]) * WORD // g.itemsize
            g[start : start + width] += factor[p] * delta[di : di + width]

    return scatter


if INTERPRETED:
    gather_rows, gather_pairs, scatter_rows = _python_gather_rows, _python_gather_pairs, _python_scatter_rows
    compress_blocks, read_blocks, read_pairs = _python_compress_blocks, _python_read_blocks, _python_read_pairs
else:
    gather_rows, gather_pairs, scatter_rows = _compiled_gather_rows, _compiled_gather_pairs, _compiled_scatter_rows
    compress_blocks, read_blocks, read_pairs = _compiled_compress_blocks, _compiled_read_blocks, _compiled_read_pairs
