"""Layers of very few units: a regression has one, two classes have two (floor 2).

A row of such a layer's ``W`` is mostly padding: of 8 numbers in a vector one is of use. So its products go along the
fan-in instead, by ``Wᵀ``, which has a long row for every unit and is laid out anew for every batch. Without it
8-100-1 in batches of 200 takes 16 % longer, 10-100-1 10 %; three units gain 2 to 5 %.
"""

from ..runtime.jit import kernel
from ..runtime.simd import broadcast, fma, get, lanes, load, put, splat, store, total, where_positive
from .products import padded


@kernel
def transpose(out, out_start, w, w_start, w_stride, fan_in, units):
    """Write ``Wᵀ``, (units, padded fan-in), row by row, zeros in the padding, for ``W``, (fan_in, units), whose rows
    are `w_stride` apart. `out` is not part of `w`.
    """
    width = padded(fan_in, out)
    for u in range(units):
        place = out_start + u * width
        for i in range(fan_in):
            put(out, place + i, get(w, w_start + i * w_stride + u))
        for i in range(fan_in, width):
            put(out, place + i, 0.0)


@kernel
def transpose_back(out, out_start, stride, turned, turned_start, turned_stride, fan_in, units):
    """Write ``W``, (fan_in, units), rows `stride` apart, for ``Wᵀ``, whose rows are `turned_stride` apart. Of `out`
    only the units are written. `out` is not the same stretch of memory.
    """
    for u in range(units):
        place = turned_start + u * turned_stride
        for i in range(fan_in):
            put(out, out_start + i * stride + u, get(turned, place + i))


@kernel
def add_dot_products(c, a, w, fan_in, units, count):
    """``Z += A W`` for ``A``, (count, fan_in), zero in its padding, and ``Wᵀ`` as `transpose` writes it: a dot product
    for every number of ``Z``, (count, units).

    Parameters
    ----------
    c, a : matrices
        ``Z`` and ``A``.
    w : flat array
        ``Wᵀ``.
    """
    width, vector, pairs, out = padded(fan_in, w), lanes(w), units // 2 * 2, c.data
    for i in range(count):
        row, place = i * a.stride, i * c.stride
        # Two units at a time, which share the activations.
        for u in range(0, pairs, 2):
            first, second = u * width, (u + 1) * width
            s0, s1 = splat(w, 0.0), splat(w, 0.0)
            for j in range(0, width, vector):
                x = load(a.data, row + j)
                s0, s1 = fma(x, load(w, first + j), s0), fma(x, load(w, second + j), s1)
            put(out, place + u, get(out, place + u) + total(s0))
            put(out, place + u + 1, get(out, place + u + 1) + total(s1))
        if pairs < units:
            last, sums = pairs * width, splat(w, 0.0)
            for j in range(0, width, vector):
                sums = fma(load(a.data, row + j), load(w, last + j), sums)
            put(out, place + pairs, get(out, place + pairs) + total(sums))


@kernel
def outer_products(c, d, w, a, fan_in, units, count, rectified):
    """``C = D Wᵀ`` for ``D``, (count, units), and ``Wᵀ`` as `transpose` writes it; ``C``, (count, padded fan-in).

    Where it is `rectified`, it is 0 wherever ``A`` isn't positive: the derivative of relu, in the same pass. ``A`` lies
    as ``C`` does.

    Parameters
    ----------
    c, d : matrices
        ``C`` and ``D``.
    w, a : flat arrays
        ``Wᵀ`` and ``A``.
    """
    width, vector, zero = padded(fan_in, w), lanes(w), splat(w, 0.0)
    second, third = width, 2 * width
    for i in range(count):
        place, deltas = i * c.stride, i * d.stride
        d0, d1, d2 = broadcast(d.data, deltas), zero, zero
        if units > 1:
            d1 = broadcast(d.data, deltas + 1)
        if units > 2:
            d2 = broadcast(d.data, deltas + 2)
        for j in range(0, width, vector):
            sums = d0 * load(w, j)
            if units > 1:
                sums = fma(d1, load(w, second + j), sums)
            if units > 2:
                sums = fma(d2, load(w, third + j), sums)
            for u in range(3, units):
                sums = fma(broadcast(d.data, deltas + u), load(w, u * width + j), sums)
            if rectified:
                sums = where_positive(load(a, place + j), sums, zero)
            store(c.data, place + j, sums)
