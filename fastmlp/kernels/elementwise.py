"""exp and its kin, activations and dropout, on rows of a flat array (floor 2; imports numpy).

Numba has had no vector math library since 0.62: ``np.exp`` in a kernel is a call per number. So exp is computed here,
on whole vectors, and from it expm1, sigmoid, tanh and the normal distribution. At most they are off by 1.1, 0.9, 2.5,
2.5 and 4.7 units in the last place in float32 (of all but the last every number was tried), by 1.1, 1.3, 2.7, 2.7 and
5.5 in float64 (tested). NaN goes through all of them, so that a network that diverged shows it.
"""

import numpy as np

from .runtime.constants import (
    ELU,
    EXPONENTIAL,
    GELU,
    IDENTITY,
    LARGEST_EXPONENT,
    LEAKY_RELU,
    LEAKY_SLOPE,
    RELU,
    SIGMOID,
    SILU,
    SOFTMAX,
    TANH,
)
from .runtime.jit import kernel
from .runtime.simd import (
    absolute,
    copysign,
    dropout_factors,
    fma,
    get,
    is_single,
    lanes,
    load,
    load_apart,
    maximum,
    minimum,
    nearest,
    power_of_two,
    put,
    splat,
    store,
    store_apart,
    where_positive,
)

FEW_UNITS = 4
"""Units of a softmax up to which as many rows as a vector has lanes go together."""

_LOG2_E = 1.4426950408889634
# ln 2 in two parts; the first has so few bits that its product with a whole exponent is exact.
_LN2_HIGH_32, _LN2_LOW_32 = 0.693359375, -2.12194440e-4
_LN2_HIGH_64, _LN2_LOW_64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ONE_OVER_ROOT_2_PI = 0.3989422804014327

# ``(x + 4) e^(x²/2) (1 - Φ(x))`` for x >= 0 by powers of ``(x - 4) / (x + 4)``, from the highest on: Chebyshev series,
# cut off where what is left is below the rounding.
_TAIL_32 = (
    -1.573205696e-4,
    1.293256813e-4,
    1.563786899e-3,
    -3.476167895e-3,
    -7.512231382e-3,
    0.06039529587,
    -0.1865267109,
    0.3871375629,
    -0.6078964038,
    0.7552851271,
)
_TAIL_64 = (
    -1.68865769667867349e-9,
    -1.27723514329577201e-9,
    1.60673869573294018e-8,
    1.95696089399740486e-8,
    -7.87836034269363778e-8,
    -1.62231632085356706e-7,
    2.64733728197986783e-7,
    1.02698407014319295e-6,
    -6.24955107756517786e-7,
    -5.92289377754192813e-6,
    7.14602153126746174e-7,
    3.51456023590445148e-5,
    -1.90767603071909815e-6,
    -2.31095137787289336e-4,
    1.33344209160147793e-4,
    1.63081848547358572e-3,
    -3.47969235665150262e-3,
    -7.54018896889161899e-3,
    0.0603965748903609184,
    -0.186521857959578716,
    0.387137400742226602,
    -0.607896641971892958,
    0.755285130415751451,
)


@kernel
def _reduced_exp(x):
    """Write ``e^x`` as ``2^n (1 + q)`` with a whole ``n`` and ``q = e^r - 1`` for ``|r| <= ln(2) / 2``; return ``q``
    and ``2^n``.

    ``q`` is the Taylor series, to the degree at which its next term is below the rounding: 7 in float32, 13 in float64.
    Keeping ``q`` apart from the 1 is what makes expm1 and tanh accurate near 0.
    """
    n = nearest(x * splat(x, _LOG2_E))
    if is_single(x):
        r = fma(n, splat(x, -_LN2_LOW_32), fma(n, splat(x, -_LN2_HIGH_32), x))
        p = splat(x, 1 / 5040)
    else:
        r = fma(n, splat(x, -_LN2_LOW_64), fma(n, splat(x, -_LN2_HIGH_64), x))
        p = splat(x, 1 / 6227020800)
        p = fma(p, r, splat(x, 1 / 479001600))
        p = fma(p, r, splat(x, 1 / 39916800))
        p = fma(p, r, splat(x, 1 / 3628800))
        p = fma(p, r, splat(x, 1 / 362880))
        p = fma(p, r, splat(x, 1 / 40320))
        p = fma(p, r, splat(x, 1 / 5040))
    p = fma(p, r, splat(x, 1 / 720))
    p = fma(p, r, splat(x, 1 / 120))
    p = fma(p, r, splat(x, 1 / 24))
    p = fma(p, r, splat(x, 1 / 6))
    p = fma(p, r, splat(x, 1 / 2))
    return fma(p * r, r, r), power_of_two(n)


@kernel
def exp_of_negative(x):
    """``e^x`` for ``x <= 0``, and up to 80; 0 below -87 (float64: -708), where it nears the smallest normal number."""
    low = splat(x, -87.0) if is_single(x) else splat(x, -708.0)
    q, scale = _reduced_exp(maximum(low, x))
    return where_positive(low - x, splat(x, 0.0), fma(q, scale, scale))


@kernel
def expm1_of_negative(x):
    """``e^x - 1`` for ``x <= 0``."""
    q, scale = _reduced_exp(maximum(splat(x, -87.0) if is_single(x) else splat(x, -708.0), x))
    return fma(q, scale, scale - splat(x, 1.0))


@kernel
def sigmoid(x):
    """``1 / (1 + e^-x)``, from ``e^-|x|``, which cannot overflow."""
    e = exp_of_negative(splat(x, 0.0) - absolute(x))
    one = splat(x, 1.0)
    return where_positive(x, one, e) / (one + e)


@kernel
def tanh(x):
    """``tanh(x)`` from ``t = e^(-2|x|) - 1``: ``-t / (2 + t)`` with the sign of ``x``."""
    t = expm1_of_negative(splat(x, -2.0) * absolute(x))
    return copysign(t / (splat(x, 2.0) + t), x)


@kernel
def normal(x):
    """``Φ(x) = (1 + erf(x / √2)) / 2``, the share of a normal distribution below ``x``, and ``e^(-x²/2)``.

    ``Φ(-x) = e^(-x²/2) P(u) / (x + 4)`` for ``x >= 0``, with a polynomial in ``u = (x - 4) / (x + 4)``, which has all
    of the tail between -1 and 1. What ``x²`` was rounded by is put right, else the far tail would have few digits.
    """
    a = minimum(splat(x, 40.0), absolute(x))
    square = a * a
    bell = exp_of_negative(splat(x, -0.5) * square)
    bell = fma(bell, splat(x, -0.5) * fma(a, a, splat(x, 0.0) - square), bell)
    r = splat(x, 1.0) / (a + splat(x, 4.0))
    u = (a - splat(x, 4.0)) * r
    if is_single(x):
        p = splat(x, _TAIL_32[0])
        for power in range(1, len(_TAIL_32)):
            p = fma(p, u, splat(x, _TAIL_32[power]))
    else:
        p = splat(x, _TAIL_64[0])
        for power in range(1, len(_TAIL_64)):
            p = fma(p, u, splat(x, _TAIL_64[power]))
    tail = bell * (p * r)
    return where_positive(x, splat(x, 1.0) - tail, tail), bell


@kernel
def _softmax(a, start, stride, rows, units, width):
    """Softmax of the rows in place, `units` numbers each, the padding up to `width` left zero.

    All rows take one step before the next: within a row every step waits for the one before. Of few units, as many
    rows as a vector has lanes go together: 26 ns a row of 3 units alone, 8 together.
    """
    vector = lanes(a)
    if units <= FEW_UNITS:
        together = rows // vector * vector
        for place in range(start, start + together * stride, vector * stride):
            _softmax_of_columns(a, place, stride, units, width)
        start, rows = start + together * stride, rows - together
    for place in range(start, start + rows * stride, stride):
        largest = get(a, place)
        for j in range(1, units):
            if get(a, place + j) > largest:
                largest = get(a, place + j)
        for j in range(0, width, vector):
            store(a, place + j, minimum(splat(a, 0.0), load(a, place + j) - splat(a, largest)))
    for place in range(start, start + rows * stride, stride):
        for j in range(0, width, vector):
            store(a, place + j, exp_of_negative(load(a, place + j)))
    for place in range(start, start + rows * stride, stride):
        sums = get(a, place)
        for j in range(1, units):
            sums += get(a, place + j)
        for j in range(0, width, vector):
            store(a, place + j, load(a, place + j) / splat(a, sums))
        for j in range(units, width):
            put(a, place + j, 0.0)


@kernel
def _softmax_of_columns(a, start, stride, units, width):
    """The same in the same bits for as many rows as a vector has lanes, unit by unit."""
    vector, end = lanes(a), start + units
    largest = load_apart(a, start, stride)
    for j in range(start + 1, end):
        z = load_apart(a, j, stride)
        largest = where_positive(z - largest, z, largest)
    sums = splat(a, 0.0)
    for j in range(start, end):
        e = exp_of_negative(minimum(splat(a, 0.0), load_apart(a, j, stride) - largest))
        store_apart(a, j, stride, e)
        sums = sums + e
    for j in range(start, end):
        store_apart(a, j, stride, load_apart(a, j, stride) / sums)
    for place in range(start, start + vector * stride, stride):
        for j in range(units, width):
            put(a, place + j, 0.0)


@kernel
def activation_forward(code, a, start, stride, rows, units, width):
    """``A = f(A)`` in place for the activation of this code; ``A`` is (rows, width), of which `units` columns count.

    The padding of a row holds anything finite afterwards (the sigmoid of 0 is one half); nothing reads it as an
    activation. Formulas as in `fastmlp.model.activations`.
    """
    vector = lanes(a)
    if code == IDENTITY:
        return
    if code == SOFTMAX:
        _softmax(a, start, stride, rows, units, width)
        return
    for i in range(rows):
        first = start + i * stride
        last = first + width
        if code == RELU:
            zero = splat(a, 0.0)
            for j in range(first, last, vector):
                store(a, j, maximum(zero, load(a, j)))
        elif code == SIGMOID:
            for j in range(first, last, vector):
                store(a, j, sigmoid(load(a, j)))
        elif code == TANH:
            for j in range(first, last, vector):
                store(a, j, tanh(load(a, j)))
        elif code == LEAKY_RELU:
            for j in range(first, last, vector):
                z = load(a, j)
                store(a, j, where_positive(z, z, z * splat(a, LEAKY_SLOPE)))
        elif code == ELU:
            for j in range(first, last, vector):
                z = load(a, j)
                store(a, j, where_positive(z, z, expm1_of_negative(minimum(splat(a, 0.0), z))))
        elif code == SILU:
            for j in range(first, last, vector):
                z = load(a, j)
                store(a, j, z * sigmoid(z))
        elif code == EXPONENTIAL:
            for j in range(first, last, vector):
                store(a, j, exp_of_negative(minimum(splat(a, LARGEST_EXPONENT), load(a, j))))
        elif code == GELU:
            for j in range(first, last, vector):
                z = load(a, j)
                below, _ = normal(z)
                store(a, j, z * below)


@kernel
def activation_backward(code, d, a, z, stride, rows, units, width):
    """``D = D * f'`` in place: from the derivative by the activations to that by the weighted inputs.

    Parameters
    ----------
    d, a : flat arrays
        ``D`` and the activations ``A``, (rows, width), rows `stride` apart.
    z : flat array
        The weighted inputs in the same form, ``A = f(Z)``; read for gelu and silu only.
    """
    vector = lanes(d)
    one = splat(d, 1.0)
    for i in range(rows):
        first = i * stride
        last = first + width
        if code == RELU:
            zero = splat(d, 0.0)
            for j in range(first, last, vector):
                store(d, j, where_positive(load(a, j), load(d, j), zero))
        elif code == SIGMOID:
            for j in range(first, last, vector):
                x = load(a, j)
                store(d, j, load(d, j) * x * (one - x))
        elif code == TANH:
            for j in range(first, last, vector):
                x = load(a, j)
                store(d, j, load(d, j) * (one - x * x))
        elif code == LEAKY_RELU:
            for j in range(first, last, vector):
                x = load(d, j)
                store(d, j, where_positive(load(a, j), x, x * splat(d, LEAKY_SLOPE)))
        elif code == ELU:
            for j in range(first, last, vector):
                x, y = load(d, j), load(a, j)
                store(d, j, where_positive(y, x, x * (y + one)))
        elif code == SOFTMAX:
            inner = get(d, first) * get(a, first)
            for j in range(first + 1, first + units):
                inner += get(d, j) * get(a, j)
            for j in range(first, last, vector):
                store(d, j, load(a, j) * (load(d, j) - splat(d, inner)))
        elif code == SILU:
            for j in range(first, last, vector):
                s = sigmoid(load(z, j))
                store(d, j, load(d, j) * (s + load(a, j) * (one - s)))
        elif code == EXPONENTIAL:
            for j in range(first, last, vector):
                store(d, j, load(d, j) * load(a, j))
        elif code == GELU:
            for j in range(first, last, vector):
                x = load(z, j)  # what it was multiplied by is its share of the distribution, for 0 a half
                below = where_positive(absolute(x), load(a, j) / x, splat(d, 0.5))
                bell = exp_of_negative(splat(d, -0.5) * x * x)
                store(d, j, load(d, j) * fma(x, bell * splat(d, _ONE_OVER_ROOT_2_PI), below))


@kernel
def row_key(key, row):
    """Mix an epoch's key with a row number; the 32-bit finalizer of `fastmlp.model.dropout.mix`."""
    mask = np.uint64(0xFFFFFFFF)
    x = (np.uint64(key) ^ np.uint64(row)) & mask
    x = ((x ^ (x >> np.uint64(16))) * np.uint64(0x7FEB352D)) & mask
    x = ((x ^ (x >> np.uint64(15))) * np.uint64(0x846CA68B)) & mask
    return np.int64(x ^ (x >> np.uint64(16)))


@kernel
def dropout(out, x, rows, names, layer):
    """Multiply every row by its dropout factors, 0 or 1 / (1 - rate): activations forward, deltas backward.

    Parameters
    ----------
    out, x : flat arrays
        (rows, width), as the rows of this layer lie in the workspace; may be the same.
    names : array of int64, (rows,)
        Row numbers in the data set.
    layer : Layer
        Its key, threshold and scale are those of `fastmlp.model.dropout`.
    """
    vector, stride, width, threshold = lanes(x), layer.row_stride, layer.width, layer.threshold
    for i in range(rows):
        row = row_key(layer.key, get(names, i))
        for j in range(0, width, vector):
            values = load(x, i * stride + j)
            store(out, i * stride + j, values * dropout_factors(values, row, j, threshold, layer.dropout_scale))


@kernel
def fill_rows(c, start, stride, width, rows, source, source_start):
    """Write one row of `width` numbers to `rows` rows, `stride` apart."""
    vector = lanes(c)
    for j in range(0, width, vector):
        value = load(source, source_start + j)
        for i in range(rows):
            store(c, start + i * stride + j, value)


@kernel
def fill_zeros(c, start, count):
    """Write zeros to `count` numbers, whole vectors."""
    zero = splat(c, 0.0)
    for j in range(start, start + count, lanes(c)):
        store(c, j, zero)


@kernel
def copy_rows(c, start, a, a_start, stride, rows, width):
    """Copy `rows` rows of `width` numbers, whole vectors."""
    for i in range(rows):
        for j in range(i * stride, i * stride + width, lanes(c)):
            store(c, start + j, load(a, a_start + j))
