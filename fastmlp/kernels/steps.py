"""The two phases of a training step, over the rows of a batch and over the parameters (floor 1; numba; kernels).

*Samples*: forward, loss and backward; every thread its own rows of the batch. *Parameters*: weight gradients and the
optimizer's step; every thread its own rows of every weight matrix, over all samples in order. No sum is shared between
threads, so any number of them gives the same bits. Before the two, `prepare` refreshes what all rows share.

A batch is worked off in chunks of rows that fit the cache; all that a chunk needs lies in one flat array, `memory`. The
functions here are parts of `batches.run`, inlined into it. Their arguments are the fields of the named tuples below: to
pass the tuples on costs a fifth of the compile time more.
"""

from typing import Any, NamedTuple

import numpy as np

from ._jit import inlined
from .codes import (
    ACTIVATION,
    BIAS,
    BINARY_CROSS_ENTROPY,
    FAN_IN,
    KEPT,
    KEY,
    L2,
    PADDING,
    SETTINGS,
    STRIDE,
    THRESHOLD,
    TRANSPOSED,
    UNITS,
    WEIGHT_DECAY,
    WEIGHTS,
    A,
    D,
    Z,
)
from .elementwise import activation_backward, activation_forward, dropout
from .losses import correct_row, loss_backward, loss_row
from .matrix import column_sums, matrix_times_column, pack_transposed, product, row_times_matrix
from .optimizers import shrink, update, update_weights
from .simd import at, get, lanes, load, put, splat, store
from .sparse import add_shift, add_shift_gradient, first_column, row_forward, row_gradient

# Typed, because a plain 0 or 1 among the arguments makes Numba compile the callee once for each pattern of them.
NEXT = ADD = YES = np.int64(1)
UNPACKED = NEW = NO = np.int64(0)

DENSE_BYTES, DENSE_NUMBERS, SPARSE_BYTES, SPARSE_NUMBERS = range(4)


class Rows(NamedTuple):
    """The samples. Of the arrays, those that `kind` doesn't need are empty; so every data set has the same types."""

    kind: int
    features: int
    has_shift: int
    scale: Any  # dtype (n_features,)
    shift: Any  # dtype (n_features,)
    starts: Any  # int64 (n_rows + 1,), of sparse rows
    columns_16: Any  # uint16, beside bytes
    columns_32: Any  # uint32, beside numbers
    bytes: Any  # uint8, flat: dense rows or the values of sparse ones
    numbers: Any  # dtype, flat: dense rows or the values of sparse ones


class Wanted(NamedTuple):
    """The targets: labels, or values, flat; `has_targets` is 0 where there are none. `weights` may be empty."""

    has_targets: int
    task: int
    labels: Any  # int32 (n_rows,) or empty
    values: Any  # dtype, (n_rows * outputs,) or empty
    weights: Any  # dtype (n_rows,) or empty


class Network(NamedTuple):
    """The architecture in numbers."""

    loss: int
    layers: Any  # int64 (n_layers, LAYER_COLUMNS)
    pieces: Any  # int64 (threads + 1, n_layers): the rows of each weight matrix from which a thread owns them
    settings: Any  # float64, by the numbers of codes; behind them 1 / (1 - dropout) of every layer


class Work(NamedTuple):
    """Scratch memory, and where in `memory` things lie that are no layer's."""

    chunk: int  # rows of a chunk at most
    x: int  # dense input rows, chunk x padded features
    y: int  # targets, chunk x padded outputs
    base: int  # what the first layer's weighted inputs start from: bias + shift W
    sums: int  # deltas of the first layer summed over the chunk, one row a thread
    memory: Any  # dtype, flat
    losses: Any  # float64 (chunk,)
    correct: Any  # float64 (chunk,)


@inlined
def prepare(memory, base, layers, pieces, folded, shift, parameters, packing, thread, threads):
    """Refresh what all rows of a chunk share: ``Wᵀ`` of the layers behind the first, the first layer's bias.

    With sparse rows what a shift of the features adds to every row is `folded` into the bias: ``b + shift W``. A thread
    packs the rows it owns, and sums its own strip of columns.
    """
    width, bias = at(layers, 0, STRIDE), at(layers, 0, BIAS)
    vector = lanes(memory)
    strips = width // vector
    first, last = strips * thread // threads * vector, strips * (thread + 1) // threads * vector
    for j in range(first, last, vector):
        start = splat(memory, 0.0)
        if bias >= 0:
            start = load(parameters, bias + j)
        store(memory, base + j, start)
    if folded and first < last:
        w = at(layers, 0, WEIGHTS) + first
        add_shift(memory, base + first, shift, parameters, w, width, NEW, at(layers, 0, FAN_IN), last - first)
    if packing:
        for n in range(1, len(layers)):
            out, w, stride = at(layers, n, TRANSPOSED), at(layers, n, WEIGHTS), at(layers, n, STRIDE)
            low, high = at(pieces, thread, n), at(pieces, thread + 1, n)
            fan_in, units = at(layers, n, FAN_IN), at(layers, n, UNITS)
            pack_transposed(memory, out, parameters, w, stride, low, high, fan_in, units)


@inlined
def forward_first_row(
    memory, base, layers, kind, scale, starts, columns_16, columns_32, bytes, numbers, parameters, row, i
):
    """Weighted inputs of the first layer for one sparse row of the data set, as row `i` of the chunk."""
    width, w = at(layers, 0, STRIDE), at(layers, 0, WEIGHTS)
    out = at(layers, 0, KEPT) + i * width
    first, last = get(starts, row), get(starts, row + 1)
    if kind == SPARSE_BYTES:
        row_forward(memory, out, memory, base, columns_16, bytes, first, last, scale, parameters, w, width, width)
    else:
        row_forward(memory, out, memory, base, columns_32, numbers, first, last, scale, parameters, w, width, width)


@inlined
def gradient_first_row(
    target, memory, layers, kind, features, scale, starts, columns_16, columns_32, bytes, numbers, row, i, low, high
):
    """Add row `i` of a chunk's share to rows `low` to `high` of the first layer's weight gradient; sparse rows."""
    width, w = at(layers, 0, STRIDE), at(layers, 0, WEIGHTS)
    d = at(layers, 0, D) + i * width
    first, last = get(starts, row), get(starts, row + 1)
    if kind == SPARSE_BYTES:
        if low > 0:
            first = first_column(columns_16, first, last, low)
        if high < features:
            last = first_column(columns_16, first, last, high)
        row_gradient(target, w, width, memory, d, columns_16, bytes, first, last, scale, width)
    else:
        if low > 0:
            first = first_column(columns_32, first, last, low)
        if high < features:
            last = first_column(columns_32, first, last, high)
        row_gradient(target, w, width, memory, d, columns_32, numbers, first, last, scale, width)


@inlined
def gather_row(memory, x, kind, features, scale, shift, bytes, numbers, row, i):
    """Copy one dense row of the data set, scaled and shifted, to row `i` of the chunk's input."""
    stride = (features + PADDING - 1) // PADDING * PADDING
    out, start = x + i * stride, row * features
    if kind == DENSE_BYTES:
        for j in range(features):
            put(memory, out + j, get(bytes, start + j) * get(scale, j) + get(shift, j))
    else:
        for j in range(features):
            put(memory, out + j, get(numbers, start + j) * get(scale, j) + get(shift, j))
    for j in range(features, stride):
        put(memory, out + j, 0.0)


@inlined
def fill_rows(c, start, width, rows, source, source_start):
    """Write one row of `width` numbers to `rows` rows."""
    vector = lanes(c)
    for j in range(0, width, vector):
        value = load(source, source_start + j)
        for i in range(rows):
            store(c, start + i * width + j, value)


@inlined
def fill_zeros(c, start, count):
    """Write zeros to `count` numbers, a multiple of 8."""
    zero = splat(c, 0.0)
    for j in range(start, start + count, lanes(c)):
        store(c, j, zero)


@inlined
def copy(c, start, a, a_start, count):
    """Copy `count` numbers, a multiple of 8."""
    for j in range(0, count, lanes(c)):
        store(c, start + j, load(a, a_start + j))


@inlined
def first_layer_forward(
    memory, x, base, layers, kind, features, scale, shift, starts, columns_16, columns_32, bytes, numbers,
    parameters, order, position, first, last,
):  # fmt: skip
    """Weighted inputs of the first layer, from sparse or dense rows."""
    if kind >= SPARSE_BYTES:
        for i in range(first, last):
            row = get(order, position + i)
            forward_first_row(
                memory, base, layers, kind, scale, starts, columns_16, columns_32, bytes, numbers, parameters, row, i
            )
    else:
        for i in range(first, last):
            gather_row(memory, x, kind, features, scale, shift, bytes, numbers, get(order, position + i), i)
        width, w = at(layers, 0, STRIDE), at(layers, 0, WEIGHTS)
        stride = (features + PADDING - 1) // PADDING * PADDING
        out, a, count = at(layers, 0, KEPT) + first * width, x + first * stride, last - first
        fill_rows(memory, out, width, count, memory, base)
        product(
            memory, out, width, memory, a, stride, NEXT, parameters, w, width, UNPACKED, count, width, features, ADD
        )


@inlined
def layer_forward(memory, layers, n, parameters, first, count, alone):
    """Weighted inputs of a layer behind the first, for `count` rows of the chunk.

    Where the chunk has one row, which is `alone`, it is a matrix-vector product, summed in another order. A thread
    whose share is one row of several must not do that: the bits would depend on the number of threads.
    """
    width, before, bias = at(layers, n, STRIDE), at(layers, n - 1, STRIDE), at(layers, n, BIAS)
    out, a = at(layers, n, KEPT) + first * width, at(layers, n - 1, A) + first * before
    w, fan_in = at(layers, n, WEIGHTS), at(layers, n, FAN_IN)
    if bias >= 0:
        fill_rows(memory, out, width, count, parameters, bias)
    else:
        fill_zeros(memory, out, count * width)
    if not alone:
        product(memory, out, width, memory, a, before, NEXT, parameters, w, width, UNPACKED, count, width, fan_in, ADD)
    elif count > 0:
        row_times_matrix(memory, out, memory, a, parameters, w, width, width, fan_in)


@inlined
def activate(memory, layers, n, settings, order, position, first, count, training):
    """Activations of a layer from its weighted inputs, for `count` rows of the chunk; in training with dropout."""
    width, units, code = at(layers, n, STRIDE), at(layers, n, UNITS), at(layers, n, ACTIVATION)
    kept, a, z = at(layers, n, KEPT) + first * width, at(layers, n, A) + first * width, at(layers, n, Z)
    if z >= 0:
        copy(memory, z + first * width, memory, kept, count * width)
    activation_forward(code, memory, kept, width, count, units, width)
    if a != kept:
        if training:
            key, threshold, scale = at(layers, n, KEY), at(layers, n, THRESHOLD), get(settings, SETTINGS + n)
            dropout(memory, a, memory, kept, width, count, width, order, position + first, key, threshold, scale)
        else:
            copy(memory, a, memory, kept, count * width)


@inlined
def judge_rows(
    memory, y_start, losses, correct, layers, loss, task, labels, values, weights, order, position, first, last
):
    """Write targets, losses and correctness of rows `first` to `last` of a chunk, the latter two times the weight."""
    n = len(layers) - 1
    units, width = at(layers, n, UNITS), at(layers, n, STRIDE)
    for i in range(first, last):
        row = get(order, position + i)
        y = y_start + i * width
        if len(labels) > 0:
            for j in range(units):
                put(memory, y + j, 0.0)
            put(memory, y + get(labels, row), 1.0)
        else:
            for j in range(units):
                put(memory, y + j, get(values, row * units + j))
        a, z = at(layers, n, A) + i * width, at(layers, n, Z) + i * width
        weight = 1.0
        if len(weights) > 0:
            weight = float(get(weights, row))
        put(losses, i, weight * loss_row(loss, memory, a, memory, z, memory, y, units))
        put(correct, i, weight * correct_row(task, memory, a, memory, y, units))


@inlined
def backward_top(memory, y_start, layers, loss, weights, order, position, first, last, delta_scale):
    """Derivative of the loss by the outputs, or logits, of rows `first` to `last`, times `delta_scale` and weight."""
    n = len(layers) - 1
    units, width = at(layers, n, UNITS), at(layers, n, STRIDE)
    for i in range(first, last):
        weight = 1.0
        if len(weights) > 0:
            weight = float(get(weights, get(order, position + i)))
        d, a, y = at(layers, n, D) + i * width, at(layers, n, A) + i * width, y_start + i * width
        loss_backward(loss, memory, d, memory, a, memory, y, delta_scale * weight, units, width)


@inlined
def backward_rows(memory, layers, parameters, loss, settings, order, position, first, last, training, packing):
    """Backpropagate rows `first` to `last` of a chunk from the outputs: the deltas of every layer.

    In batches of one row packing ``Wᵀ`` would cost more than it saves: there is no packing then.
    """
    count = last - first
    top = len(layers) - 1
    for n in range(top, -1, -1):
        width, units = at(layers, n, STRIDE), at(layers, n, UNITS)
        out = at(layers, n, D) + first * width
        if n < top:
            after, wanted = at(layers, n + 1, STRIDE), at(layers, n + 1, UNITS)
            d, packed = at(layers, n + 1, D) + first * after, at(layers, n + 1, TRANSPOSED)
            if packing:
                product(
                    memory, out, width, memory, d, after, NEXT, memory, packed, width, wanted, count, width, wanted, NEW
                )
            elif count > 0:
                w, fan_in = at(layers, n + 1, WEIGHTS), at(layers, n + 1, FAN_IN)
                fill_zeros(memory, out, width)
                matrix_times_column(memory, out, parameters, w, after, memory, d, fan_in, after)
            if training and at(layers, n, A) != at(layers, n, KEPT):
                key, threshold, scale = at(layers, n, KEY), at(layers, n, THRESHOLD), get(settings, SETTINGS + n)
                dropout(memory, out, memory, out, width, count, width, order, position + first, key, threshold, scale)
        if n < top or loss < BINARY_CROSS_ENTROPY:
            code, a, z = at(layers, n, ACTIVATION), at(layers, n, KEPT), at(layers, n, Z)
            shift = first * width
            activation_backward(code, memory, out, memory, a + shift, memory, z + shift, width, count, units, width)


@inlined
def gradient_rows(
    target, memory, x, sums, layers, pieces, kind, features, folded, scale, shift, starts, columns_16, columns_32,
    bytes, numbers, order, position, count, fresh, thread, threads,
):  # fmt: skip
    """Add the gradient of a chunk of `count` samples to `target`, for the parameters that this thread owns.

    Parameters
    ----------
    target : flat array
        The gradient; or the parameters themselves, where the deltas carry minus the learning rate.
    fresh : int
        Whether `target` holds nothing yet and is to be overwritten.
    """
    for n in range(len(layers)):
        low, high = at(pieces, thread, n), at(pieces, thread + 1, n)
        width, d, bias = at(layers, n, STRIDE), at(layers, n, D), at(layers, n, BIAS)
        w = at(layers, n, WEIGHTS) + low * width
        if n == 0 and kind >= SPARSE_BYTES:
            if fresh:
                fill_zeros(target, w, (high - low) * width)
            for i in range(count):
                row = get(order, position + i)
                gradient_first_row(
                    target, memory, layers, kind, features, scale, starts, columns_16, columns_32, bytes, numbers,
                    row, i, low, high,
                )  # fmt: skip
        else:
            a, stride = x + low, (features + PADDING - 1) // PADDING * PADDING
            if n > 0:
                a, stride = at(layers, n - 1, A) + low, at(layers, n - 1, STRIDE)
            product(
                target, w, width, memory, a, NEXT, stride, memory, d, width, UNPACKED, high - low, width, count,
                1 - fresh,
            )  # fmt: skip
        if n == 0 and folded:
            column_sums(memory, sums + thread * width, memory, d, width, count, width, NEW)
            start = at(layers, 0, WEIGHTS)
            add_shift_gradient(target, start, width, shift, memory, sums + thread * width, low, high, width)
        if n % threads == thread and bias >= 0:
            column_sums(target, bias, memory, d, width, count, width, 1 - fresh)


@inlined
def update_rows(code, parameters, gradient, m, v, layers, pieces, settings, step, rate, thread, threads):
    """The optimizer's step for the parameters that this thread owns."""
    for n in range(len(layers)):
        width, w, bias = at(layers, n, STRIDE), at(layers, n, WEIGHTS), at(layers, n, BIAS)
        first, last = w + at(pieces, thread, n) * width, w + at(pieces, thread + 1, n) * width
        update_weights(code, parameters, gradient, m, v, first, last, settings, step, rate)
        if n % threads == thread and bias >= 0:
            update(code, parameters, gradient, m, v, bias, bias + width, settings, step, rate)


@inlined
def shrink_rows(parameters, layers, pieces, settings, rate, thread):
    """Weight decay and L2 penalty of plain gradient descent for this thread's rows of the weights.

    ``W *= 1 - rate * (weight_decay + l2)``, before the gradient is subtracted.
    """
    factor = 1.0 - rate * (get(settings, WEIGHT_DECAY) + get(settings, L2))
    if factor != 1.0:
        for n in range(len(layers)):
            width, w = at(layers, n, STRIDE), at(layers, n, WEIGHTS)
            shrink(parameters, w + at(pieces, thread, n) * width, w + at(pieces, thread + 1, n) * width, factor)
