"""The first layer on sparse rows: zeros are never multiplied (floor 2; imports numpy).

A row is the columns and values of its non-zeros, ``x' = value * scale[column]``. ``W`` lies input-major, so a
non-zero meets one contiguous row of it. Four of five MNIST pixels are zero: skipping them is an exact rearrangement,
five times less work. `read_row` brings a row into the form that the loops over it read: where in ``W`` its entries'
rows begin, and their scaled values.
"""

import numpy as np

from ..runtime.jit import kernel
from ..runtime.records import MEDIUM_SUMS, NARROW_SUMS, NO
from ..runtime.simd import WIDEST, broadcast, fma, get, is_single, lanes, load, prefetch, put, splat, store
from .microkernels import BLOCK, compress_blocks, gather_pairs, gather_rows, read_blocks, read_pairs, scatter_rows

_G1, _G2, _G3, _G4, _G5, _G6, _G7, _G8 = (gather_rows(columns) for columns in range(1, 9))
_G9, _G10, _G11, _G12, _G13, _G14, _G15, _G16 = (gather_rows(columns) for columns in range(9, 17))
_N1, _N2 = (gather_rows(columns, chains=NARROW_SUMS) for columns in (1, 2))
_M1, _M2, _M3, _M4 = (gather_rows(columns, chains=MEDIUM_SUMS) for columns in range(1, 5))
_S1, _S2, _S3, _S4, _S5, _S6, _S7, _S8 = (scatter_rows(columns) for columns in range(1, 9))
PAIRED = 8 if WIDEST == 512 else 4
"""Vectors, at most, of which the sums of two rows stay in registers: of 512 bits there are twice as many, too."""

MOST = 2 * PAIRED
"""Those of one row."""

_P0, _P1, _P2, _P3, _P4 = (gather_pairs(max(1, PAIRED - less)) for less in range(5))
_COMPRESS, _COMPRESS_PAIR = (compress_blocks(rows) for rows in (1, 2))


@kernel
def row_forward(c, base, places, factors, first, last, w, width):
    """``c = base + sum of x'[p] * W[column of p, :]`` over the entries `first` to `last` of a sparse row.

    Parameters
    ----------
    c, base, w : flat arrays
        The weighted inputs, (width,); what they start from (the bias), which may be ``c``; ``W``.
    places : ndarray of uint32
        Where rows of ``W`` begin, in words; see `read_row`.
    factors : flat array
        ``x'``.

    Notes
    -----
    Up to `MOST` vectors of ``c`` stay in registers across the row's non-zeros (the accumulators of a chess engine's
    sparse first layer, NNUE); a wider ``c`` is done in strips of nearly equal width. With the lists of `list_columns`
    in the place of a row it is also the weight gradient of one feature: deltas in the place of ``W``.
    """
    vector, j = lanes(c), NO
    while j < width:
        left = (width - j) // vector
        strips = (left + MOST - 1) // MOST
        now = (left + strips - 1) // strips
        if now == 16:
            _G16(c, j, base, j, places, factors, first, last, w, j)
        elif now == 15:
            _G15(c, j, base, j, places, factors, first, last, w, j)
        elif now == 14:
            _G14(c, j, base, j, places, factors, first, last, w, j)
        elif now == 13:
            _G13(c, j, base, j, places, factors, first, last, w, j)
        elif now == 12:
            _G12(c, j, base, j, places, factors, first, last, w, j)
        elif now == 11:
            _G11(c, j, base, j, places, factors, first, last, w, j)
        elif now == 10:
            _G10(c, j, base, j, places, factors, first, last, w, j)
        elif now == 9:
            _G9(c, j, base, j, places, factors, first, last, w, j)
        elif now == 8:
            _G8(c, j, base, j, places, factors, first, last, w, j)
        elif now == 7:
            _G7(c, j, base, j, places, factors, first, last, w, j)
        elif now == 6:
            _G6(c, j, base, j, places, factors, first, last, w, j)
        elif now == 5:
            _G5(c, j, base, j, places, factors, first, last, w, j)
        elif now == 4:
            _G4(c, j, base, j, places, factors, first, last, w, j)
        elif now == 3:
            _G3(c, j, base, j, places, factors, first, last, w, j)
        elif now == 2:
            _G2(c, j, base, j, places, factors, first, last, w, j)
        else:
            _G1(c, j, base, j, places, factors, first, last, w, j)
        j += now * vector


@kernel
def narrow_row_forward(c, base, places, factors, first, last, w, width):
    """Do as `row_forward` where ``c`` is `NARROW` vectors wide at most, with sums that don't wait for one another."""
    if width > lanes(c):
        _N2(c, NO, base, NO, places, factors, first, last, w, NO)
    else:
        _N1(c, NO, base, NO, places, factors, first, last, w, NO)


@kernel
def medium_row_forward(c, base, places, factors, first, last, w, width):
    """Do as `row_forward` where ``c`` is a part of `MEDIUM` vectors at most, with two sums."""
    now = width // lanes(c)
    if now == 4:
        _M4(c, NO, base, NO, places, factors, first, last, w, NO)
    elif now == 3:
        _M3(c, NO, base, NO, places, factors, first, last, w, NO)
    elif now == 2:
        _M2(c, NO, base, NO, places, factors, first, last, w, NO)
    else:
        _M1(c, NO, base, NO, places, factors, first, last, w, NO)


@kernel
def pair_forward(
    c, first, second, base, base_start, columns, values, apart, last, w, w_start, stride, width, coming, size
):  # fmt: skip
    """Do as `row_forward` for two rows with the same columns, which `compress_pair` finds: a row of ``W`` is read once
    for both.

    Parameters
    ----------
    c : flat array
        Receives the weighted inputs of the two from `first` and from `second` on.
    values : flat array
        Those of the second row lie `apart` numbers behind those of the first.
    last : int
        How many entries there are.
    width : int
        Of 4 vectors at least.
    coming, size : int
        An address, and how many bytes behind it are fetched meanwhile: the rows that come next.

    Notes
    -----
    Where one of the rows has a zero, ``0 * w`` is added to its sum, which rounds nothing: beside any other row it has
    the same bits.

    The sums take longer than memory takes to bring the next rows, but the processor can't wait for so many cache lines
    at once. So every entry asks for a few bytes.
    """
    vector = lanes(c)
    j = 0
    while j < width:
        left = (width - j) // vector
        strips = (left + PAIRED - 1) // PAIRED
        now = (left + strips - 1) // strips
        to, out, of, place = first + j, second + j, base_start + j, w_start + j
        share = size * now * vector // width
        step = share // (last + 1) + 1
        if now == PAIRED:
            _P0(c, to, out, base, of, columns, values, apart, last, w, place, stride, coming, step)
        elif now == PAIRED - 1:
            _P1(c, to, out, base, of, columns, values, apart, last, w, place, stride, coming, step)
        elif now == PAIRED - 2:
            _P2(c, to, out, base, of, columns, values, apart, last, w, place, stride, coming, step)
        elif now == PAIRED - 3:
            _P3(c, to, out, base, of, columns, values, apart, last, w, place, stride, coming, step)
        else:
            _P4(c, to, out, base, of, columns, values, apart, last, w, place, stride, coming, step)
        coming += share
        j += now * vector


@kernel
def row_gradient(g, d, places, factors, first, last, width):
    """``G[column of p, :] += x'[p] * d`` over the entries of a sparse row: its share of the gradient of ``W``.

    `places` and `factors` are as for `row_forward`. ``g`` may be the gradient, or, with ``d`` times minus the learning
    rate, the weights themselves.
    """
    vector, j = lanes(g), NO
    while j < width:
        left = (width - j) // vector
        strips = (left + 7) // 8
        now = (left + strips - 1) // strips
        if now == 8:
            _S8(g, j, d, j, places, factors, first, last)
        elif now == 7:
            _S7(g, j, d, j, places, factors, first, last)
        elif now == 6:
            _S6(g, j, d, j, places, factors, first, last)
        elif now == 5:
            _S5(g, j, d, j, places, factors, first, last)
        elif now == 4:
            _S4(g, j, d, j, places, factors, first, last)
        elif now == 3:
            _S3(g, j, d, j, places, factors, first, last)
        elif now == 2:
            _S2(g, j, d, j, places, factors, first, last)
        else:
            _S1(g, j, d, j, places, factors, first, last)
        j += now * vector


@kernel
def in_words(array, numbers):
    """So many numbers of an array, whole words, in the words by which places are counted."""
    return numbers // 2 if is_single(array) else numbers


@kernel
def read_row(places, factors, columns, values, first, last, readable, scale, words):
    """Bring the entries `first` to `last` of a sparse row into the form that `row_forward` reads, from 0 on.

    Parameters
    ----------
    places : ndarray of uint32
        Receives ``columns * words``. Like `factors` it has room for `BLOCK` entries more than the row has.
    factors : flat array
        Receives ``x'``. These two may be `columns` and `values`, if `first` is 0.
    columns, values : ndarray of unsigned int, ndarray
    readable : int
        How many entries from the front of `columns` and `values` there are, which may then be read in whole blocks; 0
        where features have different scales.
    scale : ndarray, shape (n_features,)
    words : int
        How far apart the rows of the matrix lie, see `in_words`.

    Notes
    -----
    Once for all vectors of a matrix's rows: an entry is then two loads of one number each, without which the loops of
    narrow layers would do little but convert bytes and multiply. In blocks it takes a quarter of a cycle an entry.
    """
    blocks = (last - first + BLOCK - 1) // BLOCK
    if first + blocks * BLOCK <= readable:
        read_blocks(places, factors, columns, values, first, blocks, get(scale, NO), words)
    else:
        for p in range(first, last):
            column = get(columns, p)
            put(places, p - first, column * words)
            put(factors, p - first, get(values, p) * get(scale, column))


@kernel
def prefetch_row(columns, values, first, last):
    """Have the entries of a row on their way to the cache: rows are taken in random order, and each would be waited
    for.
    """
    for p in range(first, last, 16):
        prefetch(columns, p)
        prefetch(values, p)


@kernel
def count_columns(ends, columns, first, last):
    """``ends[column] += 1`` for the entries of a sparse row."""
    for p in range(first, last):
        column = get(columns, p)
        put(ends, column, get(ends, column) + 1)


@kernel
def list_columns(ends, places, factors, columns, values, first, last, scale, row):
    """Append the entries of a sparse row to the lists of their columns: where its deltas are, and ``x'``.

    Parameters
    ----------
    ends : ndarray of int64, shape (n_features,)
        Where the next entry of a column goes; afterwards where its list ends.
    places : ndarray of uint32
        Where the deltas of the rows begin, in words, column by column.
    factors : flat array
    row : int
        The place of this row's.
    """
    for p in range(first, last):
        column = get(columns, p)
        place = get(ends, column)
        put(ends, column, place + 1)
        put(places, place, row)
        put(factors, place, get(values, p) * get(scale, column))


@kernel
def list_bytes(ends, pairs, columns, values, first, last, row):
    """Append the entries of a sparse row of bytes to the lists of their columns, which have room for all rows and one
    more.

    Zeros, by which rows are filled up (`eights`), are written too, but not kept.

    Parameters
    ----------
    ends : ndarray of int64, shape (n_features,)
        Where the next entry of a column goes.
    pairs : ndarray of uint16
        Receives ``256 * row + value``.
    row : int
        Below 256.
    """
    for p in range(first, last):
        column, value = get(columns, p), get(values, p)
        place = get(ends, column)
        put(ends, column, place + (1 if value != 0 else 0))
        put(pairs, place, 256 * row + value)


@kernel
def read_list(places, factors, pairs, first, last, scale, words):
    """Bring the entries `first` to `last` of a column's list, as `list_bytes` writes them, into the form that
    `row_forward` reads, from 0 on: ``words`` times the row, and ``x'``.

    Of all three arrays up to `BLOCK` entries more are read, or written.

    Returns
    -------
    int
        How many there are, made a multiple of 4 by such as add nothing: lists are short, and to mispredict where each
        of them ends takes as long as some entries.
    """
    read_pairs(places, factors, pairs, first, last - first, scale, words)
    return (last - first + 3) // 4 * 4


@kernel
def add_shift(out, out_start, shift, w, w_start, stride, first, last, width):
    """``out += sum of shift[i] * W[i, :]`` over the features `first` to `last`: what a shift of the features adds to
    every row.
    """
    vector = lanes(out)
    whole = first + (last - first) // 4 * 4
    for j in range(0, width, vector):
        s0, s1, s2, s3 = load(out, out_start + j), splat(out, 0.0), splat(out, 0.0), splat(out, 0.0)
        place = w_start + first * stride + j
        # Four sums, so that the additions don't wait for one another.
        for i in range(first, whole, 4):
            s0 = fma(broadcast(shift, i), load(w, place), s0)
            s1 = fma(broadcast(shift, i + 1), load(w, place + stride), s1)
            s2 = fma(broadcast(shift, i + 2), load(w, place + 2 * stride), s2)
            s3 = fma(broadcast(shift, i + 3), load(w, place + 3 * stride), s3)
            place += 4 * stride
        for i in range(whole, last):
            s0 = fma(broadcast(shift, i), load(w, place), s0)
            place += stride
        store(out, out_start + j, (s0 + s1) + (s2 + s3))


@kernel
def add_shift_gradient(g, g_start, stride, shift, sums, sums_start, first, last, width):
    """``G[i, :] += shift[i] * sums``, ``sums`` being the deltas summed over the batch: the shift's part of the
    gradient.
    """
    vector = lanes(g)
    for i in range(first, last):
        factor = broadcast(shift, i)
        place = g_start + i * stride
        for j in range(0, width, vector):
            store(g, place + j, fma(factor, load(sums, sums_start + j), load(g, place + j)))


@kernel
def compress_row(members, factors, dense, start, n_features):
    """Write the columns and values of the non-zeros of one dense row, ``dense[start:start + n_features]``.

    Parameters
    ----------
    members : ndarray of uint32, shape (n_features + BLOCK,)
    factors : flat array, (n_features + BLOCK,)
        Behind the non-zeros they hold anything afterwards.

    Returns
    -------
    int
        How many there are. NaN and infinity count.
    bool
        Whether all numbers are finite.
    """
    whole = n_features // BLOCK * BLOCK
    entries, finite = _COMPRESS(members, factors, NO, dense, start, NO, NO, factors, whole)
    for j in range(whole, n_features):
        x = get(dense, start + j)
        put(members, entries, j)
        put(factors, entries, x)
        entries += 0 if x == 0 else 1
        finite &= -np.inf < x < np.inf
    return entries, finite


@kernel
def compress_pair(members, factors, apart, dense, start, second, scale, n_features):
    """Do as `compress_row` for two rows, whose entries have the same columns: where any of them is not zero.

    The values are `scale` times those of the rows: to multiply them in `pair_forward`, one by one and strip by strip,
    would take a fifth of its time.
    """
    whole = n_features // BLOCK * BLOCK
    entries, finite, second_finite = _COMPRESS_PAIR(members, factors, NO, dense, start, second, apart, scale, whole)
    for j in range(whole, n_features):
        x, y = get(dense, start + j), get(dense, second + j)
        put(members, entries, j)
        put(factors, entries, x * get(scale, j))
        put(factors, apart + entries, y * get(scale, j))
        entries += 0 if x == 0 and y == 0 else 1
        finite &= -np.inf < x < np.inf
        second_finite &= -np.inf < y < np.inf
    return entries, finite, second_finite
