"""Products of matrices and vectors (floor 2; imports numpy).

A matrix here is a stretch of a flat array: a start and a stride from row to row. Widths are padded to whole cache
lines. Every element of a product is summed over the inner index in one order, whatever tile it falls in and whichever
thread computes it, so a product has the same bits however its rows are divided.
"""

import numpy as np

from ..runtime.jit import kernel
from ..runtime.matrices import matrix
from ..runtime.records import NEXT, ZERO
from ..runtime.simd import broadcast, fma, get, lanes, line, load, put, put_totals, splat, store, total
from .microkernels import strip, transpose_square

STRETCH = 256
"""Of the inner index: a panel of so many rows of ``B``, two vectors wide, is 16 KB; with 512 bits 32."""


AHEAD_FROM = 2**20
"""Numbers of ``B`` from which the next panel is prefetched while one is multiplied: then it comes from beyond L2, and
50-2048-2048-1 takes 7 to 12 % less. A ``B`` of 64 KB to 1 MB is multiplied 5 to 9 % slower with it, where rows are few.
"""


@kernel
def padded(size, array):
    """`size` rounded up to whole cache lines of numbers of an array."""
    return (size + line(array) - 1) // line(array) * line(array)


@kernel
def product(c, a, b, rows, width, inner, accumulate):
    """``C = A B``, or ``C += A B`` to `accumulate`; the rest as for `product_from`."""
    product_from(c, a, b, rows, width, inner, matrix(c.data, ZERO, c.stride, accumulate), -np.inf)


@kernel
def product_from(c, a, b, rows, width, inner, base, floor):
    """``C = max(S + A B, floor)``: a layer with bias and relu, in one pass.

    Parameters
    ----------
    c : matrix
        ``C``, (rows, width), `width` whole vectors. Not part of `a` or `b`.
    a : matrix
        ``A``, (rows, inner), `inner` at least 1; or the transpose of one, by its stride and step.
    b : matrix
        ``B``, (inner, width), as it is, with a step of 1, or in panels as `pack` writes them: the step is minus the
        rows of a panel.
    base : matrix
        ``S``: ``C`` itself, or with a stride of 0 one row for all. With a step of 0 it is nothing, and not read.
    floor : float64
        Nothing less is written; NaN is. -inf: anything is.

    Notes
    -----
    A tile of 6 rows by 2 vectors of ``C`` stays in 12 registers while the inner index runs; each step loads 2 vectors
    of ``B`` and spreads 6 numbers of ``A`` for 12 fused multiply-adds (Goto and van de Geijn 2008, the innermost
    kernel). With AVX-512 there are twice as many registers and tiles are of 8 rows. The inner index is cut into
    stretches whose panel of ``B`` stays in L1 while all rows of ``A`` pass; between them a tile rests in ``C``, which
    rounds nothing.
    """
    vector, panel = lanes(c.data), -b.step
    for begin in range(0, inner, STRETCH):
        stretch = inner - begin if inner - begin < STRETCH else STRETCH
        low, A = floor if begin + stretch == inner else -np.inf, matrix(a.data, begin * a.step, a.stride, a.step)
        for j in range(0, width, 2 * vector):
            vectors = 2 if width - j >= 2 * vector else 1
            start, stride, ahead = begin * b.stride + j, b.stride, ZERO
            if panel > 0:
                stride = vectors * vector
                start = j * panel + begin * stride
                if inner * width >= AHEAD_FROM and width - j >= 4 * vector:
                    ahead = 2 * vector * panel
            C, S = matrix(c.data, j, c.stride, NEXT), matrix(base.data, j, base.stride, base.step)
            strip(C, S, A, matrix(b.data, start, stride, ahead), rows, stretch, low, vectors)
        base = matrix(c.data, ZERO, c.stride, base.step | 1)


@kernel
def pack(out, out_start, w, w_start, w_stride, rows, columns, panel):
    """Write ``W``, (rows, columns), in the panels that `product` reads; `columns` are whole vectors.

    Parameters
    ----------
    out : flat array
        ``W`` in panels of two vectors' width (the last of one, if an odd number of vectors is wide): panel by panel,
        `rows` rows each.
    panel : int
        Rows of a panel, if ``W`` is some rows of a matrix whose panels all are two vectors wide; else `rows`.
    """
    vector = lanes(out)
    for j in range(0, columns, 2 * vector):
        wide = columns - j >= 2 * vector
        place, step = out_start + j * panel, 2 * vector if wide else vector
        for i in range(rows):
            store(out, place, load(w, w_start + i * w_stride + j))
            if wide:
                store(out, place + vector, load(w, w_start + i * w_stride + j + vector))
            place += step


@kernel
def pack_transposed(out, out_start, w, w_start, w_stride, rows, columns):
    """Write ``Wᵀ``, (columns, padded rows), in the panels that `product` reads.

    Parameters
    ----------
    out : flat array
        ``Wᵀ`` in panels of two vectors' width (the last of one, if ``W``'s padded rows leave one): panel by panel,
        `columns` rows each. That is ``padded(rows) * columns`` numbers, and there is room for ``padded(columns)``
        instead of `columns`; columns of ``Wᵀ`` beyond `rows` are zero.
    w : flat array
        ``W``, (rows, columns), rows `w_stride` apart, which is at least `columns` padded; the padding is zero.

    Notes
    -----
    Squares of a vector's length are transposed in registers.
    """
    vector = lanes(out)
    across = padded(rows, out)
    for j in range(0, across, vector):
        # Which panel the vector falls in, and how wide that is.
        panel = j // (2 * vector) * (2 * vector)
        width = 2 * vector if across - panel >= 2 * vector else vector
        place = out_start + panel * columns + (j - panel)
        filled = rows - j
        if filled >= vector:
            # Of the last square what is padding falls to the next panel, which is written later.
            for p in range(0, columns, vector):
                transpose_square(out, place + p * width, width, w, w_start + j * w_stride + p, w_stride)
        else:
            for q in range(columns):
                for i in range(vector):
                    if i < filled:
                        put(out, place + q * width + i, get(w, w_start + (j + i) * w_stride + q))
                    else:
                        put(out, place + q * width + i, 0.0)


@kernel
def row_times_matrix(c, a, w, width, inner):
    """``c += a W`` for one row ``a``, (inner,), and ``W``, (inner, width): a matrix-vector product, `width` whole
    vectors.

    Notes
    -----
    Four rows of ``W`` at a time, each with sums of its own, so that the additions don't wait for one another.
    """
    vector, stride = lanes(c), w.stride
    whole = inner - inner % 4
    for j in range(0, width, vector):
        s0, s1, s2, s3 = load(c, j), splat(c, 0.0), splat(c, 0.0), splat(c, 0.0)
        place = j
        for p in range(0, whole, 4):
            s0 = fma(broadcast(a, p), load(w.data, place), s0)
            s1 = fma(broadcast(a, p + 1), load(w.data, place + stride), s1)
            s2 = fma(broadcast(a, p + 2), load(w.data, place + 2 * stride), s2)
            s3 = fma(broadcast(a, p + 3), load(w.data, place + 3 * stride), s3)
            place += 4 * stride
        for p in range(whole, inner):
            s0 = fma(broadcast(a, p), load(w.data, place), s0)
            place += stride
        store(c, j, (s0 + s1) + (s2 + s3))


@kernel
def matrix_times_column(c, w, d, rows, width):
    """``c = W d`` for ``W``, (rows, width), and ``d``, (width,), zero in its padding: the step of backpropagation for
    one sample.

    Notes
    -----
    Four rows at a time, whose sums over the lanes are taken together: each alone is a chain of additions of ever fewer
    lanes. In the same order, so that its bits don't depend on how many rows there are.
    """
    vector, stride, whole = lanes(c), w.stride, rows - rows % 4
    for i in range(0, whole, 4):
        place = i * stride
        s0 = s1 = s2 = s3 = splat(c, 0.0)
        for j in range(0, width, vector):
            x = load(d, j)
            s0 = fma(load(w.data, place + j), x, s0)
            s1 = fma(load(w.data, place + stride + j), x, s1)
            s2 = fma(load(w.data, place + 2 * stride + j), x, s2)
            s3 = fma(load(w.data, place + 3 * stride + j), x, s3)
        put_totals(c, i, s0, s1, s2, s3)
    for i in range(whole, rows):
        place = i * stride
        sums = splat(c, 0.0)
        for j in range(0, width, vector):
            sums = fma(load(w.data, place + j), load(d, j), sums)
        put(c, i, total(sums))


@kernel
def column_sums(out, out_start, d, d_start, d_stride, rows, width, accumulate):
    """``out = sum over the rows of D``, or ``+=``, for ``D``, (rows, width): the gradient of a bias."""
    vector = lanes(out)
    j = 0
    # Four at a time, so that the additions don't wait for one another.
    while j + 4 * vector <= width:
        s0, s1, s2, s3 = splat(out, 0.0), splat(out, 0.0), splat(out, 0.0), splat(out, 0.0)
        place = d_start + j
        if accumulate:
            s0, s1 = load(out, out_start + j), load(out, out_start + j + vector)
            s2, s3 = load(out, out_start + j + 2 * vector), load(out, out_start + j + 3 * vector)
        for _ in range(rows):
            s0, s1 = s0 + load(d, place), s1 + load(d, place + vector)
            s2, s3 = s2 + load(d, place + 2 * vector), s3 + load(d, place + 3 * vector)
            place += d_stride
        store(out, out_start + j, s0)
        store(out, out_start + j + vector, s1)
        store(out, out_start + j + 2 * vector, s2)
        store(out, out_start + j + 3 * vector, s3)
        j += 4 * vector
    while j < width:
        sums = splat(out, 0.0)
        if accumulate:
            sums = load(out, out_start + j)
        for i in range(rows):
            sums = sums + load(d, d_start + i * d_stride + j)
        store(out, out_start + j, sums)
        j += vector
