"""What every kernel must compute, in plain NumPy: the same arguments, no attempt at speed.

Arrays are flat, and a matrix in them is a `Matrix` or a start and a stride, as in `fastmlp.kernels`. Twins work in the
dtype of their arrays.
"""

import numpy as np

from fastmlp.kernels.runtime import constants
from fastmlp.kernels.runtime.simd import WIDEST
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


def view(of, rows, columns):
    """A matrix of the kernels, as it is or in panels."""
    data, stride, step = of
    return unpacked(data, 0, -step, columns)[:rows] if step < 0 else matrix(data, 0, stride, rows, columns, step)


# --- matrix ---


def product(c, a, b, rows, width, inner, accumulate):
    C = view(c, rows, width)
    C[...] = view(a, rows, inner) @ view(b, inner, width) + (C if accumulate else 0)


def product_from(c, a, b, rows, width, inner, base, floor):
    start = view(base, rows, width).copy() if base.step else 0
    view(c, rows, width)[...] = np.maximum(floor, view(a, rows, inner) @ view(b, inner, width) + start)


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


def pack(out, out_start, w, w_start, w_stride, rows, columns, panel):
    W = matrix(w, w_start, w_stride, rows, columns)
    step = panel_width(out.dtype)
    for j in range(0, columns, step):
        some = W[:, j : j + step]
        place = out_start + j * panel
        out[place : place + some.size] = some.ravel()


def pack_transposed(out, out_start, w, w_start, w_stride, rows, columns):
    transposed = np.zeros((columns, padded(rows, out.dtype)), dtype=out.dtype)
    transposed[:, :rows] = matrix(w, w_start, w_stride, rows, columns).T
    pack(out, out_start, transposed.ravel(), 0, padded(rows, out.dtype), columns, padded(rows, out.dtype), columns)


def transpose_square(out, place, out_stride, w, start, stride):
    side = lanes(out.dtype)
    matrix(out, place, out_stride, side, side)[...] = matrix(w, start, stride, side, side).T


def row_times_matrix(c, a, w, width, inner):
    c[:width] += a[:inner] @ view(w, inner, width)


def matrix_times_column(c, w, d, rows, width):
    c[:rows] = view(w, rows, width) @ d[:width]


def column_sums(out, out_start, d, d_start, d_stride, rows, width, accumulate):
    before = out[out_start : out_start + width] if accumulate else 0
    out[out_start : out_start + width] = before + matrix(d, d_start, d_stride, rows, width).sum(axis=0)


# --- few units ---


def transpose(out, out_start, w, w_start, w_stride, fan_in, units):
    width = padded(fan_in, out.dtype)
    turned = matrix(out, out_start, width, units, width)
    turned[:, :fan_in] = matrix(w, w_start, w_stride, fan_in, units).T
    turned[:, fan_in:] = 0


def transpose_back(out, out_start, stride, turned, turned_start, turned_stride, fan_in, units):
    matrix(out, out_start, stride, fan_in, units)[...] = matrix(turned, turned_start, turned_stride, units, fan_in).T


def add_dot_products(c, a, w, fan_in, units, count):
    sums = view(c, count, units)
    sums += view(a, count, fan_in) @ matrix(w, 0, padded(fan_in, w.dtype), units, fan_in).T


def outer_products(c, d, w, a, fan_in, units, count, rectified):
    width = padded(fan_in, w.dtype)
    product = view(d, count, units) @ matrix(w, 0, width, units, width)
    if rectified:
        product[matrix(a, 0, c.stride, count, width) <= 0] = 0
    view(c, count, width)[...] = product


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


def activation_backward(code, d, a, z, stride, rows, units, width):
    D, A, Z = (matrix(x, 0, stride, rows, units) for x in (d, a, z))
    D[...] = ACTIVATION_OF[code].backward(Z, A, D)


def row_key(key, row):
    return mix(np.array([row], dtype=np.uint32) ^ np.uint32(key))[0]


def dropout(out, x, stride, rows, width, names, key, threshold, scale):
    units = np.arange(width, dtype=np.uint32) * np.uint32(0x9E3779B9)
    words = mix(mix(names[:rows].astype(np.uint32) ^ np.uint32(key))[:, None] + units)
    factors = np.where(words >= np.uint32(threshold), scale, 0).astype(x.dtype)
    matrix(out, 0, stride, rows, width)[...] = matrix(x, 0, stride, rows, width) * factors


# --- sparse ---


def rows_at(array, places, width):
    """Indices of the rows of a matrix that begin at these places, counted in words of 8 bytes."""
    return places.astype(int)[:, None] * 8 // array.itemsize + np.arange(width)


def read_row(places, factors, columns, values, entries, readable, scale, words):
    chosen, x = columns[:entries].copy(), values[:entries].astype(factors.dtype)
    places[:entries], factors[:entries] = chosen.astype(int) * words, x * scale[chosen]


def row_forward(c, base, places, factors, entries, w, width):
    c[:width] = base[:width] + factors[:entries] @ w[rows_at(w, places[:entries], width)]


def row_gradient(g, d, places, factors, entries, width):
    g[rows_at(g, places[:entries], width)] += np.outer(factors[:entries], d[:width])


def add_shift_gradient(g, shift, sums, rows, width):
    G = view(g, rows, width)
    G += np.outer(shift[:rows], sums[:width])


def prefetch_row(columns, values, first, last):
    pass


def count_columns(ends, columns, first, last):
    ends += np.bincount(columns[first:last], minlength=len(ends))


def list_columns(ends, places, factors, columns, values, entries, scale, row):
    for p in range(entries):
        place, ends[columns[p]] = ends[columns[p]], ends[columns[p]] + 1
        places[place], factors[place] = row, values[p] * scale[columns[p]]


def compress_row(members, factors, dense, start, n_features):
    row = dense[start : start + n_features]
    filled = np.flatnonzero(row)
    members[: len(filled)], factors[: len(filled)] = filled, row[filled]
    return len(filled), np.isfinite(row).all()


def part_rows(columns, values, starts, filled, dense, parting):
    n_features, n_filled, multiple = parting.features, parting.filled, parting.multiple
    names, chosen = parting.names, parting.chosen
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


def list_eights(eights, begins, ends, columns, values, order, n_rows, count):
    size = 0
    for i, row in enumerate(order[:count]):
        for eight in range(begins[row] // 8, -(-ends[row] // 8)):
            eights[size], size = 2**32 * i + eight, size + 1
    return size


def of_eights(eights, size, columns, values, scale, dtype):
    """Rows, columns and scaled values of all entries of the first `size` eights."""
    rows, firsts = divmod(eights[:size], 2**32)
    entries = (8 * firsts[:, None] + np.arange(8)).ravel()
    return np.repeat(rows, 8), columns[entries].astype(int), values[entries].astype(dtype) * dtype(scale)


def eights_forward(c, w, eights, size, columns, values, scale, width):
    for i, column, x in zip(*of_eights(eights, size, columns, values, scale, c.data.dtype.type), strict=True):
        c.data[i * c.stride :][:width] += x * w.data[column * w.stride :][:width]


def eights_gradient(g, d, eights, size, columns, values, scale, width):
    for i, column, x in zip(*of_eights(eights, size, columns, values, scale, g.data.dtype.type), strict=True):
        g.data[column * g.stride :][:width] += x * d.data[i * d.stride :][:width]


# --- losses ---


def last_layer(step):
    """Units, width, mask and level of the quantile."""
    layer, work = step.layers[step.n_layers - 1], step.work
    return layer.units, layer.width, work.memory[work.mask :], step.settings.level


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
    optimizer = optimizer_of(code, settings)
    W, M, V = (matrix(flat, first, stride, rows, width) if len(flat) else None for flat in (w, m, v))
    moments = [M, V][: optimizer.n_moments]
    optimizer.update(W, matrix(g, g_start, stride, rows, width), moments, step, rate)


def update_weights(code, w, first, stride, rows, width, g, g_start, m, v, settings, step, rate):
    W, G = matrix(w, first, stride, rows, width), matrix(g, g_start, stride, rows, width)
    G += settings.l1 * np.sign(W) + settings.l2 * W
    W *= 1.0 - rate * settings.weight_decay
    update(code, w, first, stride, rows, width, g, g_start, m, v, settings, step, rate)


def optimizer_of(code, settings):
    if code == constants.ADAM:
        return Adam(
            beta_1=settings.beta_1,
            beta_2=settings.beta_2,
            epsilon=settings.epsilon,
            epsilon_hat=bool(settings.epsilon_hat),
        )
    if code == constants.RMSPROP:
        return RMSprop(decay=settings.decay, epsilon=settings.epsilon)
    return SGD(momentum=settings.momentum, nesterov=bool(settings.nesterov))


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
        add_penalty_gradient(g, start, w, start, start + size, settings.l1, settings.l2)
        parts.append(np.arange(start, start + size))
        if layer.bias >= 0:
            parts.append(np.arange(layer.bias, layer.bias + layer.width))
    everything = np.concatenate(parts)
    g[everything] = clipped(g[everything], settings.clip_norm)
