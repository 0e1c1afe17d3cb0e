"""Layers of very few units: a regression has one, two classes have two (floor 2).

A row of such a layer's ``W`` is mostly padding: of 8 numbers in a vector one is of use. So its products go along the
fan-in instead, by ``Wᵀ``, which has a long row for every unit and is laid out anew for every batch.
"""

from ..runtime.jit import kernel
from ..runtime.simd import broadcast, fma, get, lanes, load, put, splat, store, total, where_positive
from .products import padded


@kernel
def turn(out, out_start, w, w_start, w_stride, fan_in, units):
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
def turn_back(out, out_start, stride, turned, turned_start, turned_stride, fan_in, units):
    """Write ``W``, (fan_in, units), rows `stride` apart, for ``Wᵀ``, whose rows are `turned_stride` apart. Of `out`
    only the units are written. `out` is not the same stretch of memory.
    """
    for u in range(units):
        place = turned_start + u * turned_stride
        for i in range(fan_in):
            put(out, out_start + i * stride + u, get(turned, place + i))


@kernel
def add_dot_products(out, out_start, out_stride, a, a_start, a_stride, turned, turned_start, fan_in, units, count):
    """``Z += A W`` for ``A``, (count, fan_in), zero in its padding, and ``Wᵀ`` as `turn` writes it: a dot product for
    every number of ``Z``, (count, units).
    """
    width, vector, pairs = padded(fan_in, out), lanes(out), units // 2 * 2
    for i in range(count):
        row, place = a_start + i * a_stride, out_start + i * out_stride
        # Two units at a time, which share the activations.
        for u in range(0, pairs, 2):
            first, second = turned_start + u * width, turned_start + (u + 1) * width
            s0, s1 = splat(out, 0.0), splat(out, 0.0)
            for j in range(0, width, vector):
                x = load(a, row + j)
                s0, s1 = fma(x, load(turned, first + j), s0), fma(x, load(turned, second + j), s1)
            put(out, place + u, get(out, place + u) + total(s0))
            put(out, place + u + 1, get(out, place + u + 1) + total(s1))
        if pairs < units:
            last, sums = turned_start + pairs * width, splat(out, 0.0)
            for j in range(0, width, vector):
                sums = fma(load(a, row + j), load(turned, last + j), sums)
            put(out, place + pairs, get(out, place + pairs) + total(sums))


@kernel
def outer_products(
    out, out_start, out_stride, d, d_start, d_stride, turned, turned_start, fan_in, units, count, a, a_shift, rectified
):
    """``C = D Wᵀ`` for ``D``, (count, units), and ``Wᵀ`` as `turn` writes it; ``C``, (count, padded fan-in).

    Where it is `rectified`, it is 0 wherever ``A`` isn't positive: the derivative of relu, in the same pass. ``A`` lies
    as ``C`` does, `a_shift` behind it.
    """
    width, vector, zero = padded(fan_in, out), lanes(out), splat(out, 0.0)
    second, third = turned_start + width, turned_start + 2 * width
    for i in range(count):
        place, deltas = out_start + i * out_stride, d_start + i * d_stride
        d0, d1, d2 = broadcast(d, deltas), zero, zero
        if units > 1:
            d1 = broadcast(d, deltas + 1)
        if units > 2:
            d2 = broadcast(d, deltas + 2)
        for j in range(0, width, vector):
            sums = d0 * load(turned, turned_start + j)
            if units > 1:
                sums = fma(d1, load(turned, second + j), sums)
            if units > 2:
                sums = fma(d2, load(turned, third + j), sums)
            for u in range(3, units):
                sums = fma(broadcast(d, deltas + u), load(turned, turned_start + u * width + j), sums)
            if rectified:
                sums = where_positive(load(a, place + a_shift + j), sums, zero)
            store(out, place + j, sums)
