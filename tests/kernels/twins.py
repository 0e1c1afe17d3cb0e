"""What every kernel must compute, in plain NumPy: the same arguments, no attempt at speed.

Arrays are flat, and a matrix in them is a start and a stride, as in `fastmlp.kernels`. Twins work in the dtype of
their arrays.
"""

import numpy as np

from fastmlp.kernels.runtime import constants
from fastmlp.kernels.runtime.simd import WIDEST
from fastmlp.kernels.sparse.microkernels import BLOCK
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.dropout import mix
from fastmlp.model.losses import LOSSES, get_loss
from fastmlp.model.optimizers import SGD, Adam, RMSprop, clipped

LOSS_NAMES = {getattr(constants, name.upper()): name for name in LOSSES}
ACTIVATION_OF = {getattr(constants, name.upper()): activation for name, activation in ACTIVATIONS.items()}


def line(dtype):
    """Numbers in a cache line."""
    return 64 // np.dtype(dtype).itemsize


def padded(units, dtype):
    """`units` rounded up to whole cache lines."""
    return (units + line(dtype) - 1) // line(dtype) * line(dtype)


def matrix(flat, start, stride, rows, columns, step=1):
    """Element (i, j) at ``start + i * stride + j * step``, as a view."""
    size = flat.itemsize
    return np.lib.stride_tricks.as_strided(flat[start:], (rows, columns), (stride * size, step * size))


# --- matrix ---


def product(
    c, c_start, c_stride, a, a_start, a_row, a_inner, b, b_start, b_stride, b_panel, rows, width, inner, accumulate
):
    A = matrix(a, a_start, a_row, rows, inner, a_inner)
    B = unpacked(b, b_start, b_panel, width)[:inner] if b_panel else matrix(b, b_start, b_stride, inner, width)
    C = matrix(c, c_start, c_stride, rows, width)
    C[...] = A @ B + (C if accumulate else 0)


def product_from(
    c, c_start, c_stride, a, a_start, a_row, a_inner, b, b_start, b_stride, b_panel, rows, width, inner, base,
    base_start, base_stride, accumulate, floor,
):  # fmt: skip
    start = matrix(base, base_start, base_stride, rows, width).copy()
    call = a, a_start, a_row, a_inner, b, b_start, b_stride, b_panel, rows, width, inner
    product(c, c_start, c_stride, *call, 0)
    out = matrix(c, c_start, c_stride, rows, width)
    out[...] = np.maximum(floor, out + (start if accumulate else 0))


def lanes(dtype):
    """Numbers of a vector."""
    size = np.dtype(dtype).itemsize
    return WIDEST // (8 * size)


def panel_width(dtype):
    """Columns of a panel: two vectors."""
    return 2 * lanes(dtype)


def unpacked(packed, start, rows, columns):
    """The matrix, (rows, columns), that lies in panels: each some columns wide and all rows high, the last perhaps
    narrower."""
    step = panel_width(packed.dtype)
    panels = []
    for j in range(0, columns, step):
        width = min(step, columns - j)
        panels.append(packed[start + j * rows : start + (j + width) * rows].reshape(rows, width))
    return np.hstack(panels)


def pack(out, out_start, w, w_start, w_stride, rows, columns):
    W = matrix(w, w_start, w_stride, rows, columns)
    step = panel_width(out.dtype)
    for j in range(0, columns, step):
        panel = W[:, j : j + step]
        place = out_start + j * rows
        out[place : place + panel.size] = panel.ravel()


def pack_transposed(out, out_start, w, w_start, w_stride, rows, columns):
    transposed = np.zeros((columns, padded(rows, out.dtype)), dtype=out.dtype)
    transposed[:, :rows] = matrix(w, w_start, w_stride, rows, columns).T
    pack(out, out_start, transposed.ravel(), 0, padded(rows, out.dtype), columns, padded(rows, out.dtype))


def transpose_square(out, place, out_stride, w, start, stride):
    side = lanes(out.dtype)
    matrix(out, place, out_stride, side, side)[...] = matrix(w, start, stride, side, side).T


def row_times_matrix(c, c_start, a, a_start, w, w_start, w_stride, width, inner):
    c[c_start : c_start + width] += a[a_start : a_start + inner] @ matrix(w, w_start, w_stride, inner, width)


def matrix_times_column(c, c_start, w, w_start, w_stride, d, d_start, rows, width):
    c[c_start : c_start + rows] = matrix(w, w_start, w_stride, rows, width) @ d[d_start : d_start + width]


def column_sums(out, out_start, d, d_start, d_stride, rows, width, accumulate):
    before = out[out_start : out_start + width] if accumulate else 0
    out[out_start : out_start + width] = before + matrix(d, d_start, d_stride, rows, width).sum(axis=0)


# --- few units ---


def turn(out, out_start, w, w_start, w_stride, fan_in, units):
    width = padded(fan_in, out.dtype)
    turned = matrix(out, out_start, width, units, width)
    turned[:, :fan_in] = matrix(w, w_start, w_stride, fan_in, units).T
    turned[:, fan_in:] = 0


def turn_back(out, out_start, stride, turned, turned_start, turned_stride, fan_in, units):
    matrix(out, out_start, stride, fan_in, units)[...] = matrix(turned, turned_start, turned_stride, units, fan_in).T


def add_dot_products(out, out_start, out_stride, a, a_start, a_stride, turned, turned_start, fan_in, units, count):
    weights = matrix(turned, turned_start, padded(fan_in, out.dtype), units, fan_in)
    sums = matrix(out, out_start, out_stride, count, units)
    sums += matrix(a, a_start, a_stride, count, fan_in) @ weights.T


def outer_products(
    out, out_start, out_stride, d, d_start, d_stride, turned, turned_start, fan_in, units, count, a, a_shift, rectified
):
    width = padded(fan_in, out.dtype)
    product = matrix(d, d_start, d_stride, count, units) @ matrix(turned, turned_start, width, units, width)
    if rectified:
        product[matrix(a, out_start + a_shift, out_stride, count, width) <= 0] = 0
    matrix(out, out_start, out_stride, count, width)[...] = product


# --- exchange ---


def publish(shared, own, start, stride, rows, width):
    matrix(shared, start, stride, rows, width)[...] = matrix(own, start, stride, rows, width)


def collect(own, shared, start, stride, rows, width):
    publish(own, shared, start, stride, rows, width)


# --- elementwise ---


def exp_of_negative(x):
    return np.exp(x)


def expm1_of_negative(x):
    return np.expm1(x)


def sigmoid(x):
    return ACTIVATIONS["sigmoid"].forward(x)


def tanh(x):
    return np.tanh(x)


def activation_forward(code, a, start, stride, rows, units, width):
    A = matrix(a, start, stride, rows, units)
    A[...] = ACTIVATION_OF[code].forward(A)


def activation_backward(code, d, d_start, a, a_start, z, z_start, stride, rows, units, width):
    A, Z, D = (
        matrix(a, a_start, stride, rows, units),
        matrix(z, z_start, stride, rows, units),
        matrix(d, d_start, stride, rows, units),
    )
    D[...] = ACTIVATION_OF[code].backward(Z, A, D)


def row_key(key, row):
    return mix(np.array([row], dtype=np.uint32) ^ np.uint32(key))[0]


def dropout(out, out_start, x, x_start, stride, rows, width, order, first, key, threshold, scale):
    units = np.arange(width, dtype=np.uint32) * np.uint32(0x9E3779B9)
    words = mix(mix(order[first : first + rows].astype(np.uint32) ^ np.uint32(key))[:, None] + units)
    factors = np.where(words >= np.uint32(threshold), scale, 0).astype(x.dtype)
    matrix(out, out_start, stride, rows, width)[...] = matrix(x, x_start, stride, rows, width) * factors


# --- sparse ---


def rows_at(array, start, places, width):
    """Indices of the rows of a matrix that begin at these places, counted in words of 8 bytes."""
    return start + places.astype(int)[:, None] * 8 // array.itemsize + np.arange(width)


def read_row(places, factors, columns, values, first, last, readable, scale, words):
    chosen, x = columns[first:last].copy(), values[first:last].astype(factors.dtype)
    places[: len(chosen)], factors[: len(chosen)] = chosen.astype(int) * words, x * scale[chosen]


def row_forward(c, c_start, base, base_start, places, factors, first, last, w, w_start, width):
    W = w[rows_at(w, w_start, places[first:last], width)]
    c[c_start : c_start + width] = base[base_start : base_start + width] + factors[first:last] @ W


def row_gradient(g, g_start, d, d_start, places, factors, first, last, width):
    g[rows_at(g, g_start, places[first:last], width)] += np.outer(factors[first:last], d[d_start : d_start + width])


def add_shift(out, out_start, shift, w, w_start, stride, first, last, width):
    W = matrix(w, w_start, stride, last, width)
    out[out_start : out_start + width] += shift[first:last] @ W[first:]


def add_shift_gradient(g, g_start, stride, shift, sums, sums_start, first, last, width):
    G = matrix(g, g_start, stride, last, width)
    G[first:] += np.outer(shift[first:last], sums[sums_start : sums_start + width])


def prefetch_row(columns, values, first, last):
    pass


def count_columns(ends, columns, first, last):
    ends += np.bincount(columns[first:last], minlength=len(ends))


def list_columns(ends, places, factors, columns, values, first, last, scale, row):
    for p in range(first, last):
        place, ends[columns[p]] = ends[columns[p]], ends[columns[p]] + 1
        places[place], factors[place] = row, values[p] * scale[columns[p]]


def list_bytes(ends, pairs, columns, values, first, last, row):
    for p in range(first, last):
        place, ends[columns[p]] = ends[columns[p]], ends[columns[p]] + (values[p] != 0)
        pairs[place] = 256 * row + int(values[p])


def read_list(places, factors, pairs, first, last, scale, words):
    entries = last - first
    written = (entries + BLOCK - 1) // BLOCK * BLOCK
    places[:written], factors[:written] = 0, 0
    rows, values = divmod(pairs[first:last].astype(int), 256)
    places[:entries], factors[:entries] = rows * words, values * scale
    return (entries + 3) // 4 * 4


def compress_row(members, factors, dense, start, n_features):
    row = dense[start : start + n_features]
    filled = np.flatnonzero(row)
    members[: len(filled)], factors[: len(filled)] = filled, row[filled]
    return len(filled), np.isfinite(row).all()


def compress_pair(members, factors, apart, dense, start, second, scale, n_features):
    rows = np.stack([dense[first : first + n_features] for first in (start, second)])
    filled = np.flatnonzero(rows.any(axis=0))
    members[: len(filled)] = filled
    for row, place in zip(rows, (0, apart), strict=True):
        factors[place : place + len(filled)] = row[filled] * scale[filled]
    return len(filled), *(np.isfinite(row).all() for row in rows)


def part_rows(columns, values, starts, filled, dense, names, chosen, n_features, n_filled, multiple):
    starts[0] = 0
    for i, first in enumerate(starts[:-1]):
        row = dense[i * n_features : (i + 1) * n_features]
        others = np.flatnonzero((row != 0) & (chosen == 0))
        end = first + len(others)
        columns[first:end], values[first:end] = names[others], row[others]
        starts[i + 1] = first + -(-len(others) // multiple) * multiple
        more = np.arange(starts[i + 1] - end)
        before = columns[end - 1] if len(others) else n_filled
        columns[end : starts[i + 1]] = n_filled + (before + 1 + more - n_filled) % (n_features - n_filled)
        values[end : starts[i + 1]] = 0
        filled[i * n_filled : (i + 1) * n_filled] = row[chosen != 0]


def list_eights(eights, starts, columns, values, order, n_rows, position, count):
    size = 0
    for i, row in enumerate(order[position : position + count]):
        for eight in range(starts[row] // 8, starts[row + 1] // 8):
            eights[size], size = 2**32 * i + eight, size + 1
    return size


def of_eights(eights, size, columns, values, scale, dtype):
    """Rows, columns and scaled values of all entries of the first `size` eights."""
    rows, firsts = divmod(eights[:size], 2**32)
    entries = (8 * firsts[:, None] + np.arange(8)).ravel()
    return np.repeat(rows, 8), columns[entries].astype(int), values[entries].astype(dtype) * dtype(scale)


def eights_forward(c, c_start, row, w, w_start, apart, eights, size, columns, values, scale, width):
    for i, column, x in zip(*of_eights(eights, size, columns, values, scale, c.dtype.type), strict=True):
        place = w_start + column * apart
        c[c_start + i * row :][:width] += x * w[place : place + width]


def eights_gradient(g, g_start, apart, d, d_start, row, eights, size, columns, values, scale, width):
    for i, column, x in zip(*of_eights(eights, size, columns, values, scale, g.dtype.type), strict=True):
        place = g_start + column * apart
        g[place : place + width] += x * d[d_start + i * row :][:width]


# --- losses ---


def last_layer(step):
    """Units, width, mask and level of the quantile."""
    layer, work = step.layers[step.n_layers - 1], step.work
    return layer.units, layer.width, work.memory[work.mask :], step.settings[constants.LEVEL]


def loss_row(step, a, z, y, label):
    units, _, _, level = last_layer(step)
    logits, outputs, wanted = (v[:units][None] for v in (z, a, y))
    return float(get_loss(LOSS_NAMES[step.loss], level).value(logits, outputs, wanted)[0])


def loss_backward(step, d, a, y, share):
    _, width, mask, level = last_layer(step)
    gradient = get_loss(LOSS_NAMES[step.loss], level).gradient(a[:width], a[:width], y[:width])
    d[:width] = gradient * (share * mask[:width])


def correct_row(task, a, y, units, label):
    outputs, wanted = a[:units], y[:units]
    if task == constants.REGRESSION:
        return np.nan
    if task == constants.CLASSES:
        return float(outputs.argmax() == wanted.argmax())
    return float(((outputs >= 0.5) == (wanted >= 0.5)).all())


# --- optimizers ---


def shrink(w, first, last, factor):
    w[first:last] *= factor


def add_penalty_gradient(g, g_start, w, first, last, l1, l2):
    weights = w[first:last]
    g[g_start : g_start + len(weights)] += l1 * np.sign(weights) + l2 * weights


def update(code, w, first, stride, rows, width, g, g_start, m, v, settings, step, rate):
    optimizer = _optimizer(code, settings)
    W, M, V = (matrix(flat, first, stride, rows, width) if len(flat) else None for flat in (w, m, v))
    moments = [M, V][: optimizer.n_moments]
    optimizer.update(W, matrix(g, g_start, stride, rows, width), moments, step, rate)


def update_weights(code, w, first, stride, rows, width, g, g_start, m, v, settings, step, rate):
    W, G = matrix(w, first, stride, rows, width), matrix(g, g_start, stride, rows, width)
    G += settings[constants.L1] * np.sign(W) + settings[constants.L2] * W
    W *= 1.0 - rate * settings[constants.WEIGHT_DECAY]
    update(code, w, first, stride, rows, width, g, g_start, m, v, settings, step, rate)


def _optimizer(code, settings):
    if code == constants.ADAM:
        return Adam(
            beta_1=settings[constants.BETA_1],
            beta_2=settings[constants.BETA_2],
            epsilon=settings[constants.EPSILON],
            epsilon_hat=bool(settings[constants.EPSILON_HAT]),
        )
    if code == constants.RMSPROP:
        return RMSprop(decay=settings[constants.DECAY], epsilon=settings[constants.EPSILON])
    return SGD(momentum=settings[constants.MOMENTUM], nesterov=bool(settings[constants.NESTEROV]))


# --- groups ---


def add_groups(gradient, of_groups, groups, size):
    for j in range(size):
        gradient[j] = of_groups[j]
        for group in range(1, groups):
            gradient[j] += of_groups[group * size + j]


def group_sums(totals, group, first, losses, correct, weights, rows):
    totals, place = totals.copy(), slice(group * 16, group * 16 + 3)
    # Python's sum of floats is exact since 3.12; numbers are added one by one here.
    sums = [np.cumsum(numbers.astype(float))[-1] for numbers in (losses[:5], correct[:5], weights[rows])]
    totals[place] = sums if first else np.array(sums) + totals[place]
    return totals


# --- clipping ---


def sum_of_squares(g, first, size):
    return float(np.square(g[first : first + size].astype(np.float64)).sum())


def clip(g, w, n_layers, layers, settings):
    parts = []
    for layer in layers:
        start, size = layer.weights, layer.fan_in * layer.width
        add_penalty_gradient(g, start, w, start, start + size, settings[constants.CLIP_L1], settings[constants.CLIP_L2])
        parts.append(np.arange(start, start + size))
        if layer.bias >= 0:
            parts.append(np.arange(layer.bias, layer.bias + layer.width))
    everything = np.concatenate(parts)
    g[everything] = clipped(g[everything], settings[constants.CLIP_NORM])
