"""The first layer on sparse rows: zeros are never multiplied (floor 1; numba through _jit, microkernels, simd).

A row is the columns and values of its non-zeros, ``x' = value * scale[column]``. ``W`` lies input-major, so a
non-zero meets one contiguous row of it. Four of five MNIST pixels are zero: skipping them is an exact rearrangement,
five times less work.
"""

from . import microkernels
from ._jit import entry, kernel
from .simd import broadcast, fma, get, lanes, load, put, store

_GATHER_8, _GATHER_4, _GATHER_2, _GATHER_1 = (microkernels.gather_rows(columns) for columns in (8, 4, 2, 1))
_SCATTER_8, _SCATTER_4, _SCATTER_2, _SCATTER_1 = (microkernels.scatter_rows(columns) for columns in (8, 4, 2, 1))


@kernel
def row_forward(c, c_start, base, base_start, columns, values, first, last, scale, w, w_start, stride, width):
    """``c = base + sum of x'[p] * W[columns[p], :]`` over the entries `first` to `last` of a sparse row.

    Parameters
    ----------
    c, base, w : flat arrays
        The weighted inputs, (width,); what they start from (the bias); ``W``, rows `stride` apart.
    columns, values : ndarray of unsigned int, ndarray
    scale : ndarray, shape (n_features,)

    Notes
    -----
    Up to 8 vectors of ``c`` stay in registers across the row's non-zeros (the accumulators of a chess engine's sparse
    first layer, NNUE); a wider ``c`` is done in strips.
    """
    vector = lanes(c)
    j = 0
    while j < width:
        left = (width - j) // vector
        if left >= 8:
            _GATHER_8(c, c_start + j, base, base_start + j, columns, values, first, last, scale, w, w_start + j, stride)
            j += 8 * vector
        elif left >= 4:
            _GATHER_4(c, c_start + j, base, base_start + j, columns, values, first, last, scale, w, w_start + j, stride)
            j += 4 * vector
        elif left >= 2:
            _GATHER_2(c, c_start + j, base, base_start + j, columns, values, first, last, scale, w, w_start + j, stride)
            j += 2 * vector
        else:
            _GATHER_1(c, c_start + j, base, base_start + j, columns, values, first, last, scale, w, w_start + j, stride)
            j += vector


@kernel
def row_gradient(g, g_start, stride, d, d_start, columns, values, first, last, scale, width):
    """``G[columns[p], :] += x'[p] * d`` over the entries of a sparse row: its share of the gradient of ``W``.

    ``g`` may be the gradient, or, with ``d`` times minus the learning rate, the weights themselves.
    """
    vector = lanes(g)
    j = 0
    while j < width:
        left = (width - j) // vector
        if left >= 8:
            _SCATTER_8(g, g_start + j, stride, d, d_start + j, columns, values, first, last, scale)
            j += 8 * vector
        elif left >= 4:
            _SCATTER_4(g, g_start + j, stride, d, d_start + j, columns, values, first, last, scale)
            j += 4 * vector
        elif left >= 2:
            _SCATTER_2(g, g_start + j, stride, d, d_start + j, columns, values, first, last, scale)
            j += 2 * vector
        else:
            _SCATTER_1(g, g_start + j, stride, d, d_start + j, columns, values, first, last, scale)
            j += vector


@kernel
def add_shift(out, out_start, shift, w, w_start, stride, first, last, width):
    """``out += sum of shift[i] * W[i, :]`` over the features `first` to `last`: what a shift of the features adds to
    every row.
    """
    vector = lanes(out)
    for j in range(0, width, vector):
        sums = load(out, out_start + j)
        for i in range(first, last):
            sums = fma(broadcast(shift, i), load(w, w_start + i * stride + j), sums)
        store(out, out_start + j, sums)


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
def first_column(columns, first, last, column):
    """Position of the first entry from `first` to `last` whose column is at least `column`; entries are in order."""
    while first < last:
        middle = (first + last) // 2
        if columns[middle] < column:
            first = middle + 1
        else:
            last = middle
    return first


@entry
def compress_rows(columns, values, starts, dense, n_features):
    """Write the non-zeros of every row of `dense`, (n_rows, n_features), flat, from ``starts[row]`` on; `starts` is
    given.
    """
    for i in range(len(starts) - 1):
        place = starts[i]
        for j in range(n_features):
            x = get(dense, i * n_features + j)
            if x != 0:
                put(columns, place, j)
                put(values, place, x)
                place += 1
