"""The first layer on sparse rows: zeros are never multiplied (floor 2; imports numpy).

A row is the columns and values of its non-zeros, ``x' = value * scale[column]``. ``W`` lies input-major, so a
non-zero meets one contiguous row of it. Four of five MNIST pixels are zero: skipping them is an exact rearrangement,
five times less work. `read_row` brings a row into the form that the loops over it read: where in ``W`` its entries'
rows begin, and their scaled values.
"""

import numpy as np

from ..runtime.jit import kernel
from ..runtime.records import NARROW, NARROW_SUMS, ZERO
from ..runtime.simd import WIDEST, broadcast, fma, get, is_single, lanes, load, moved, prefetch, put, store
from .microkernels import BLOCK, SCATTERED, compress_blocks, gather_rows, read_blocks, scatter_rows

MOST = np.int64(16 if WIDEST == 512 else 8)
"""Vectors of a row's sum, at most, that stay in registers: of 512 bits there are twice as many, too."""

_gather, _narrow_gather = gather_rows(MOST), gather_rows(NARROW, chains=NARROW_SUMS)


@kernel
def share(vectors, most):
    """How many of the vectors that are left are done at a time: at most so many, in strips of nearly equal width."""
    strips = (vectors + most - 1) // most
    return (vectors + strips - 1) // strips


@kernel
def row_forward(c, base, places, factors, entries, w, width):
    """``c = base + sum of x'[p] * W[column of p, :]`` over the entries of a sparse row.

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
    vector, j = lanes(c), ZERO
    while j < width:
        now = share((width - j) // vector, MOST)
        _gather(moved(c, j), moved(base, j), places, factors, entries, moved(w, j), now)
        j += now * vector


@kernel
def narrow_row_forward(c, base, places, factors, entries, w, width):
    """Do as `row_forward` where ``c`` is `NARROW` vectors wide at most, with sums that don't wait for one another."""
    _narrow_gather(c, base, places, factors, entries, w, width // lanes(c))


@kernel
def row_gradient(g, d, places, factors, entries, width):
    """``G[column of p, :] += x'[p] * d`` over the entries of a sparse row: its share of the gradient of ``W``.

    `places` and `factors` are as for `row_forward`. ``g`` may be the gradient, or, with ``d`` times minus the learning
    rate, the weights themselves.
    """
    vector, j = lanes(g), ZERO
    while j < width:
        now = share((width - j) // vector, SCATTERED)
        scatter_rows(moved(g, j), moved(d, j), places, factors, entries, now)
        j += now * vector


@kernel
def in_words(array, numbers):
    """So many numbers of an array, whole words, in the words by which places are counted."""
    return numbers // 2 if is_single(array) else numbers


@kernel
def read_row(places, factors, columns, values, entries, readable, scale, words):
    """Bring the entries of a sparse row into the form that `row_forward` reads.

    Parameters
    ----------
    places : ndarray of uint32
        Receives ``columns * words``. Like `factors` it has room for `BLOCK` entries more than the row has.
    factors : flat array
        Receives ``x'``. These two may be `columns` and `values`.
    columns, values : ndarray of unsigned int, ndarray
    readable : int
        How many entries `columns` and `values` have from here on, which may then be read in whole blocks; none where
        features have different scales.
    scale : ndarray, shape (n_features,)
    words : int
        How far apart the rows of the matrix lie, see `in_words`.

    Notes
    -----
    Once for all vectors of a matrix's rows: an entry is then two loads of one number each, without which the loops of
    narrow layers would do little but convert bytes and multiply. In blocks it takes a quarter of a cycle an entry.
    """
    blocks = (entries + BLOCK - 1) // BLOCK
    if blocks * BLOCK <= readable:
        read_blocks(places, factors, columns, values, blocks, get(scale, ZERO), words)
    else:
        for p in range(entries):
            column = get(columns, p)
            put(places, p, column * words)
            put(factors, p, get(values, p) * get(scale, column))


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
def list_columns(ends, places, factors, columns, values, entries, scale, row):
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
    for p in range(entries):
        column = get(columns, p)
        place = get(ends, column)
        put(ends, column, place + 1)
        put(places, place, row)
        put(factors, place, get(values, p) * get(scale, column))


@kernel
def add_shift_gradient(g, shift, sums, rows, width):
    """``G[i, :] += shift[i] * sums``, ``sums`` being the deltas summed over the batch: the shift's part of the
    gradient. ``G`` is a matrix.
    """
    for i in range(rows):
        factor = broadcast(shift, i)
        for j in range(0, width, lanes(g.data)):
            place = i * g.stride + j
            store(g.data, place, fma(factor, load(sums, j), load(g.data, place)))


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
    entries, finite = compress_blocks(members, factors, moved(dense, start), whole)
    for j in range(whole, n_features):
        x = get(dense, start + j)
        put(members, entries, j)
        put(factors, entries, x)
        entries += 0 if x == 0 else 1
        finite &= -np.inf < x < np.inf
    return entries, finite
