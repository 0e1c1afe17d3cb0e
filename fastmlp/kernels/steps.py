"""The phases of a training step, over the rows of a batch and over the parameters (floor 1; numba; kernels).

*Samples*: forward, loss and backward; every thread its own rows of the batch. *Parameters*: weight gradients and the
optimizer's step; every thread its own rows of every weight matrix, over all samples in order. With sparse rows a thread
owns columns of the first weight matrix instead, and a phase before the samples computes these columns of the first
layer for all rows: so nobody else ever needs that matrix. No sum is shared between threads, so any number of them gives
the same bits.

Every thread has memory of its own, and its own copy of the parameters; `exchange` hands on what others need.

A batch is worked off in chunks of rows that fit the cache; all that a chunk needs lies in one flat array, `memory`. The
functions here are called by `batches.run`, with pointers to the arrays of the named tuples below.
"""

from typing import Any, NamedTuple

import numpy as np

from ._jit import kernel
from .codes import (
    ACTIVATION,
    BIAS,
    BIAS_LEFT,
    BIAS_RIGHT,
    BINARY_CROSS_ENTROPY,
    BLOCK,
    FAN_IN,
    HIGH,
    KEPT,
    KEY,
    L2,
    LEFT,
    LOW,
    PACKED,
    PADDING,
    RIGHT,
    ROW,
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
from .exchange import collect, publish
from .losses import correct_row, loss_backward, loss_row
from .matrix import column_sums, matrix_times_column, pack, pack_transposed, product, row_times_matrix
from .optimizers import shrink, update, update_weights
from .simd import at, fma, get, lanes, load, prefetch, put, splat, store
from .sparse import (
    add_shift,
    add_shift_gradient,
    compress_row,
    count_columns,
    list_columns,
    prefetch_row,
    row_forward,
    row_gradient,
)

# Typed, because a plain 0 or 1 among the arguments makes Numba compile the callee once for each pattern of them.
NEXT = ADD = YES = ONE_ROW = np.int64(1)
UNPACKED = NEW = NO = NO_STRIDE = np.int64(0)

DENSE_BYTES, DENSE_NUMBERS, SPARSE_BYTES, SPARSE_NUMBERS = range(4)

AHEAD = 4
"""So many rows before its turn a row is fetched."""

PACK_FROM = 16
"""Rows of a chunk from which it pays to pack ``W`` for the forward pass."""



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
    """The targets: labels, or values, flat; `has_targets` is 0 where there are none."""

    has_targets: int
    task: int
    labelled: int  # whether they are labels
    weighted: int  # whether there are weights
    labels: Any  # int32 (n_rows,) or empty
    values: Any  # dtype, (n_rows * outputs,) or empty
    weights: Any  # dtype (n_rows,) or empty


class Network(NamedTuple):
    """The architecture in numbers."""

    loss: int
    n_layers: int
    layers: Any  # int64 (n_layers * LAYER_COLUMNS,); each thread its own
    settings: Any  # float64, by the numbers of codes; behind them 1 / (1 - dropout) of every layer


class Work(NamedTuple):
    """A thread's scratch memory, and where in `memory` things lie that are no layer's."""

    chunk: int  # rows of a chunk at most
    x: int  # dense input rows, chunk x x_row
    x_row: int  # how far apart they lie
    y: int  # targets, chunk x padded outputs
    mask: int  # 1 for every output, 0 for the padding
    base: int  # what the first layer's weighted inputs start from: bias + shift W
    sums: int  # deltas of the first layer summed over the chunk
    block: int  # gradients on their way to the optimizer
    listing: int  # whether the entries of a chunk are listed by columns
    skipping: int  # whether the zeros of dense rows are skipped, in a forward pass
    memory: Any  # dtype, flat; each thread its own
    shared: Any  # like memory, to exchange through; empty with one thread
    shared_parameters: Any  # like the parameters, to exchange through; empty with one thread
    losses: Any  # float64 (chunk,), shared
    correct: Any  # float64 (chunk,), shared
    ends: Any  # int64 (n_features,): where the lists of columns end
    members: Any  # uint32: the lists' row numbers in the chunk; where zeros are skipped, columns of a row
    factors: Any  # dtype: the values
    ones: Any  # dtype (chunk,): the scale of the lists, which is in the factors already


@kernel
def first_layer_base(memory, base, layers, folded, shift, parameters, low, high):
    """What the first layer's weighted inputs start from, columns `low` to `high`: the bias.

    With sparse rows what a shift of the features adds to every row is `folded` into it: ``b + shift W``.
    """
    width, bias = at(layers, 0, STRIDE), at(layers, 0, BIAS)
    for j in range(low, high, lanes(memory)):
        start = splat(memory, 0.0)
        if bias >= 0:
            start = load(parameters, bias + j)
        store(memory, base + j, start)
    if folded and low < high:
        w = at(layers, 0, WEIGHTS) + low
        add_shift(memory, base + low, shift, parameters, w, width, NO, at(layers, 0, FAN_IN), high - low)


@kernel
def pack_layers(memory, n_layers, layers, parameters, forward, backward):
    """Lay the weights of the layers behind the first out as the products read them."""
    for n in range(1, n_layers):
        w, stride, fan_in = at(layers, n, WEIGHTS), at(layers, n, STRIDE), at(layers, n, FAN_IN)
        if forward:
            pack(memory, at(layers, n, PACKED), parameters, w, stride, fan_in, stride)
        if backward:
            pack_transposed(memory, at(layers, n, TRANSPOSED), parameters, w, stride, fan_in, at(layers, n, UNITS))


@kernel
def gather_row(memory, x, x_row, kind, features, scale, shift, bytes, numbers, row, i):
    """Copy one dense row of the data set, scaled and shifted, to row `i` of the chunk's input."""
    out, start = x + i * x_row, row * features
    if kind == DENSE_BYTES:
        for j in range(features):
            put(memory, out + j, get(bytes, start + j) * get(scale, j) + get(shift, j))
    else:
        vector = lanes(memory)
        whole = features // vector * vector
        for j in range(0, whole, vector):
            store(memory, out + j, fma(load(numbers, start + j), load(scale, j), load(shift, j)))
        for j in range(whole, features):
            put(memory, out + j, get(numbers, start + j) * get(scale, j) + get(shift, j))
    for j in range(features, (features + PADDING - 1) // PADDING * PADDING):
        put(memory, out + j, 0.0)


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
    """Write zeros to `count` numbers, a multiple of 8."""
    zero = splat(c, 0.0)
    for j in range(start, start + count, lanes(c)):
        store(c, j, zero)


@kernel
def copy_rows(c, start, a, a_start, stride, rows, width):
    """Copy `rows` rows of `width` numbers, a multiple of 8."""
    for i in range(rows):
        for j in range(i * stride, i * stride + width, lanes(c)):
            store(c, start + j, load(a, a_start + j))


@kernel
def sparse_forward(
    memory, base, layers, kind, scale, starts, columns_16, columns_32, bytes, numbers, parameters, order, n_rows,
    position, first, last, low, high,
):  # fmt: skip
    """Weighted inputs of the first layer, columns `low` to `high`, for the sparse rows `first` to `last` of a chunk."""
    stride, w = at(layers, 0, STRIDE), at(layers, 0, WEIGHTS) + low
    start, width = base + low, high - low
    for i in range(first, last):
        row = get(order, position + i)
        begin, end = get(starts, row), get(starts, row + 1)
        out = at(layers, 0, KEPT) + i * at(layers, 0, ROW) + low
        coming = get(order, position + i + AHEAD) if position + i + AHEAD < n_rows else row
        if kind == SPARSE_BYTES:
            prefetch_row(columns_16, bytes, get(starts, coming), get(starts, coming + 1))
            row_forward(
                memory, out, memory, start, columns_16, bytes, begin, end, scale, parameters, w, stride, width
            )
        else:
            prefetch_row(columns_32, numbers, get(starts, coming), get(starts, coming + 1))
            row_forward(
                memory, out, memory, start, columns_32, numbers, begin, end, scale, parameters, w, stride, width
            )


@kernel
def skipping_forward(
    memory, base, layers, kind, features, scale, bytes, numbers, members, factors, parameters, order, position,
    first, last,
):  # fmt: skip
    """Weighted inputs of the first layer for dense rows with many zeros, which are skipped as the rows come."""
    stride, w = at(layers, 0, STRIDE), at(layers, 0, WEIGHTS)
    for i in range(first, last):
        begin, entries = get(order, position + i) * features, NO
        if kind == DENSE_BYTES:
            entries = compress_row(members, factors, bytes, begin, features)
        else:
            entries = compress_row(members, factors, numbers, begin, features)
        out = at(layers, 0, KEPT) + i * at(layers, 0, ROW)
        row_forward(memory, out, memory, base, members, factors, NO, entries, scale, parameters, w, stride, stride)


@kernel
def list_entries(
    ends, members, factors, kind, features, scale, starts, columns_16, columns_32, bytes, numbers, order, position,
    count,
):  # fmt: skip
    """List the entries of a chunk's sparse rows by columns: a counting sort."""
    for j in range(features):
        put(ends, j, 0)
    for i in range(count):
        row = get(order, position + i)
        if kind == SPARSE_BYTES:
            count_columns(ends, columns_16, get(starts, row), get(starts, row + 1))
        else:
            count_columns(ends, columns_32, get(starts, row), get(starts, row + 1))
    before = NO
    for j in range(features):
        entries = get(ends, j)
        put(ends, j, before)
        before += entries
    for i in range(count):
        row = get(order, position + i)
        begin, end = get(starts, row), get(starts, row + 1)
        if kind == SPARSE_BYTES:
            list_columns(ends, members, factors, columns_16, bytes, begin, end, scale, i)
        else:
            list_columns(ends, members, factors, columns_32, numbers, begin, end, scale, i)


@kernel
def dense_forward(
    memory, x, x_row, base, layers, kind, features, scale, shift, bytes, numbers, parameters, order, position,
    first, last,
):  # fmt: skip
    """Weighted inputs of the first layer for the dense rows `first` to `last` of a chunk."""
    for i in range(first, last):
        coming = get(order, position + i + AHEAD) if i + AHEAD < last else get(order, position + i)
        for j in range(coming * features, (coming + 1) * features, 16):
            if kind == DENSE_BYTES:
                prefetch(bytes, j)
            else:
                prefetch(numbers, j)
        gather_row(memory, x, x_row, kind, features, scale, shift, bytes, numbers, get(order, position + i), i)
    width, w, row = at(layers, 0, STRIDE), at(layers, 0, WEIGHTS), at(layers, 0, ROW)
    out, a, count = at(layers, 0, KEPT) + first * row, x + first * x_row, last - first
    fill_rows(memory, out, row, width, count, memory, base)
    product(memory, out, row, memory, a, x_row, NEXT, parameters, w, width, UNPACKED, count, width, features, ADD)


@kernel
def layer_forward(memory, layers, n, parameters, first, count, alone, packed):
    """Weighted inputs of a layer behind the first, for `count` rows of the chunk.

    Where the chunk has one row, which is `alone`, it is a matrix-vector product, summed in another order. A thread
    whose share is one row of several must not do that: the bits would depend on the number of threads.
    """
    width, row, before = at(layers, n, STRIDE), at(layers, n, ROW), at(layers, n - 1, ROW)
    out, a, bias = at(layers, n, KEPT) + first * row, at(layers, n - 1, A) + first * before, at(layers, n, BIAS)
    w, fan_in = at(layers, n, WEIGHTS), at(layers, n, FAN_IN)
    if bias >= 0:
        fill_rows(memory, out, row, width, count, parameters, bias)
    else:
        fill_zeros(memory, out, count * row)
    if alone:
        if count > 0:
            row_times_matrix(memory, out, memory, a, parameters, w, width, width, fan_in)
    elif packed:
        w = at(layers, n, PACKED)
        product(memory, out, row, memory, a, before, NEXT, memory, w, width, fan_in, count, width, fan_in, ADD)
    else:
        product(memory, out, row, memory, a, before, NEXT, parameters, w, width, UNPACKED, count, width, fan_in, ADD)


@kernel
def activate(memory, layers, n, settings, order, position, first, count, training):
    """Activations of a layer from its weighted inputs, for `count` rows of the chunk; in training with dropout."""
    width, row, units, code = at(layers, n, STRIDE), at(layers, n, ROW), at(layers, n, UNITS), at(layers, n, ACTIVATION)
    kept, a, z = at(layers, n, KEPT) + first * row, at(layers, n, A) + first * row, at(layers, n, Z)
    if z >= 0:
        copy_rows(memory, z + first * row, memory, kept, row, count, width)
    activation_forward(code, memory, kept, row, count, units, width)
    if a != kept:
        if training:
            key, threshold, scale = at(layers, n, KEY), at(layers, n, THRESHOLD), get(settings, SETTINGS + n)
            dropout(memory, a, memory, kept, row, count, width, order, position + first, key, threshold, scale)
        else:
            copy_rows(memory, a, memory, kept, row, count, width)


@kernel
def judge_rows(
    memory, y_start, mask, losses, correct, layers, n, loss, task, labelled, labels, values, weighted, weights,
    order, position, first, last,
):  # fmt: skip
    """Write targets, losses and correctness of rows `first` to `last` of a chunk, the latter two times the weight.

    `n` is the last layer.
    """
    units, width, stride = at(layers, n, UNITS), at(layers, n, STRIDE), at(layers, n, ROW)
    for i in range(first, last):
        row = get(order, position + i)
        y = y_start + i * width
        label = np.int64(-1)
        if labelled:
            label = np.int64(get(labels, row))
            fill_zeros(memory, y, width)
            put(memory, y + label, 1.0)
        else:
            for j in range(units):
                put(memory, y + j, get(values, row * units + j))
        a, z = at(layers, n, A) + i * stride, at(layers, n, Z) + i * stride
        weight = 1.0
        if weighted:
            weight = float(get(weights, row))
        put(losses, i, weight * loss_row(loss, memory, a, memory, z, memory, y, memory, mask, units, width, label))
        put(correct, i, weight * correct_row(task, memory, a, memory, y, units, label))


@kernel
def backward_top(
    memory, y_start, mask, layers, n, loss, weighted, weights, order, position, first, last, delta_scale
):
    """Derivative of the loss by the outputs, or logits, of rows `first` to `last`, times `delta_scale` and weight.

    `n` is the last layer.
    """
    width, stride = at(layers, n, STRIDE), at(layers, n, ROW)
    for i in range(first, last):
        weight = 1.0
        if weighted:
            weight = float(get(weights, get(order, position + i)))
        d, a, y = at(layers, n, D) + i * stride, at(layers, n, A) + i * stride, y_start + i * width
        loss_backward(loss, memory, d, memory, a, memory, y, memory, mask, delta_scale * weight, width)


@kernel
def backward_rows(memory, layers, top, parameters, loss, settings, order, position, first, last, training, packed):
    """Backpropagate rows `first` to `last` of a chunk from the outputs: the deltas of every layer.

    In batches of one row packing ``Wᵀ`` would cost more than it saves: it is not `packed` then.
    """
    count = last - first
    for n in range(top, -1, -1):
        width, row, units = at(layers, n, STRIDE), at(layers, n, ROW), at(layers, n, UNITS)
        out = at(layers, n, D) + first * row
        if n < top:
            after, wanted = at(layers, n + 1, ROW), at(layers, n + 1, UNITS)
            d, w = at(layers, n + 1, D) + first * after, at(layers, n + 1, TRANSPOSED)
            if packed:
                product(memory, out, row, memory, d, after, NEXT, memory, w, width, wanted, count, width, wanted, NEW)
            elif count > 0:
                w, fan_in, after = at(layers, n + 1, WEIGHTS), at(layers, n + 1, FAN_IN), at(layers, n + 1, STRIDE)
                fill_zeros(memory, out, width)
                matrix_times_column(memory, out, parameters, w, after, memory, d, fan_in, after)
            if training and at(layers, n, A) != at(layers, n, KEPT):
                key, threshold, scale = at(layers, n, KEY), at(layers, n, THRESHOLD), get(settings, SETTINGS + n)
                dropout(memory, out, memory, out, row, count, width, order, position + first, key, threshold, scale)
        if n < top or loss < BINARY_CROSS_ENTROPY:
            code, a, z = at(layers, n, ACTIVATION), at(layers, n, KEPT), at(layers, n, Z)
            shift = first * row
            activation_backward(code, memory, out, memory, a + shift, memory, z + shift, row, count, units, width)


@kernel
def exchange_others(own, shared, start, stride, first, last, count, low, high, to_shared):
    """Publish, or collect, columns `low` to `high` of the rows of a chunk that are not `first` to `last`."""
    for part in range(2):
        begin, end = (NO, first) if part == 0 else (last, count)
        if to_shared:
            publish(shared, own, start + begin * stride + low, stride, end - begin, high - low)
        else:
            collect(own, shared, start + begin * stride + low, stride, end - begin, high - low)


@kernel
def publish_rows(shared, memory, x, x_row, n_layers, layers, by_columns, features, first, count):
    """Publish what the gradients need of a thread's rows: activations and deltas; inputs, where they are dense."""
    if not by_columns:
        publish(shared, memory, x + first * x_row, x_row, count, (features + PADDING - 1) // PADDING * PADDING)
    for n in range(n_layers):
        row, width = at(layers, n, ROW), at(layers, n, STRIDE)
        publish(shared, memory, at(layers, n, D) + first * row, row, count, width)
        if n < n_layers - 1:
            publish(shared, memory, at(layers, n, A) + first * row, row, count, width)


@kernel
def collect_rows(memory, shared, x, x_row, n_layers, layers, by_columns, first, last, count):
    """Collect of the others' rows what this thread's gradients need."""
    for n in range(n_layers):
        left, right = at(layers, n, LEFT), at(layers, n, RIGHT)
        exchange_others(memory, shared, at(layers, n, D), at(layers, n, ROW), first, last, count, left, right, NO)
        # Of the inputs of a layer, those that meet the rows of its weights that this thread owns.
        low, high = at(layers, n, LOW), (at(layers, n, HIGH) + PADDING - 1) // PADDING * PADDING
        if at(layers, n, LOW) == at(layers, n, HIGH):
            continue
        if n > 0:
            row, start = at(layers, n - 1, ROW), at(layers, n - 1, A)
            exchange_others(memory, shared, start, row, first, last, count, low, high, NO)
        elif not by_columns:
            exchange_others(memory, shared, x, x_row, first, last, count, low, high, NO)


@kernel
def publish_parameters(shared, parameters, n_layers, layers, by_columns):
    """Publish the parameters that this thread owns and others need."""
    for n in range(n_layers):
        if n > 0 or not by_columns:
            width, bias, low, high = at(layers, n, STRIDE), at(layers, n, BIAS), at(layers, n, LOW), at(layers, n, HIGH)
            publish(shared, parameters, at(layers, n, WEIGHTS) + low * width, width, high - low, width)
            if bias >= 0:
                publish(shared, parameters, bias, width, ONE_ROW, at(layers, n, BIAS_RIGHT))


@kernel
def collect_parameters(parameters, shared, n_layers, layers, by_columns):
    """Collect the parameters that other threads own."""
    for n in range(n_layers):
        if n > 0 or not by_columns:
            width, bias, low, high = at(layers, n, STRIDE), at(layers, n, BIAS), at(layers, n, LOW), at(layers, n, HIGH)
            w = at(layers, n, WEIGHTS)
            collect(parameters, shared, w, width, low, width)
            collect(parameters, shared, w + high * width, width, at(layers, n, FAN_IN) - high, width)
            if bias >= 0:
                collect(parameters, shared, bias, width, ONE_ROW, width - at(layers, n, BIAS_RIGHT))


@kernel
def sparse_gradient(
    target, start, memory, layers, kind, scale, starts, columns_16, columns_32, bytes, numbers, order, position, count,
    left, width,
):  # fmt: skip
    """Add the gradient of the first layer's weights, `width` columns from `left` on, row by row; sparse rows.

    `target` receives it from `start` on, rows as far apart as those of the weights.
    """
    stride = at(layers, 0, STRIDE)
    for i in range(count):
        row = get(order, position + i)
        begin, end, d = get(starts, row), get(starts, row + 1), at(layers, 0, D) + i * at(layers, 0, ROW) + left
        if kind == SPARSE_BYTES:
            row_gradient(target, start, stride, memory, d, columns_16, bytes, begin, end, scale, width)
        else:
            row_gradient(target, start, stride, memory, d, columns_32, numbers, begin, end, scale, width)


@kernel
def add_block(
    target, start, memory, layers, n, first, rows, left, width, listed, x, x_row, ends, members, factors, ones, count,
    accumulate,
):  # fmt: skip
    """Add the gradient of `rows` rows of a weight matrix, from `first` on, `width` columns from `left` on, to `target`.

    Parameters
    ----------
    target : flat array
        Receives it from `start` on, rows as far apart as those of the weights; it may be the parameters.
    listed : bool
        Whether the matrix is the first layer's and the entries of the sparse rows are listed by columns.
    accumulate : int
        Whether to add to what `target` holds.
    """
    stride, d, d_row = at(layers, n, STRIDE), at(layers, n, D) + left, at(layers, n, ROW)
    if listed:
        if not accumulate:
            for i in range(rows):
                fill_zeros(target, start + i * stride, width)
        begin = get(ends, first - 1) if first > 0 else NO
        for i in range(rows):
            end, out = get(ends, first + i), start + i * stride
            row_forward(target, out, target, out, members, factors, begin, end, ones, memory, d, d_row, width)
            begin = end
    else:
        a, row = x + first, x_row
        if n > 0:
            a, row = at(layers, n - 1, A) + first, at(layers, n - 1, ROW)
        product(
            target, start, stride, memory, a, NEXT, row, memory, d, d_row, UNPACKED, rows, width, count, accumulate
        )


@kernel
def shrink_rows(parameters, n_layers, layers, settings, rate):
    """Weight decay and L2 penalty of plain gradient descent for the weights that this thread owns.

    ``W *= 1 - rate * (weight_decay + l2)``, before the gradient is subtracted.
    """
    factor = 1.0 - rate * (get(settings, WEIGHT_DECAY) + get(settings, L2))
    if factor != 1.0:
        for n in range(n_layers):
            width = at(layers, n, STRIDE)
            for i in range(at(layers, n, LOW), at(layers, n, HIGH)):
                start = at(layers, n, WEIGHTS) + i * width
                shrink(parameters, start + at(layers, n, LEFT), start + at(layers, n, RIGHT), factor)


@kernel
def gradient_and_update(
    target, parameters, m, v, memory, n_layers, layers, settings, optimizer, step, rate, updating, whole, accumulate,
    x, x_row, sums, block, kind, listing, folded, scale, shift, starts, columns_16, columns_32, bytes, numbers, ends,
    members, factors, ones, order, position, count,
):  # fmt: skip
    """Gradient of a chunk of `count` samples for the parameters that this thread owns, and the optimizer's step.

    Parameters
    ----------
    target : flat array
        The gradient; or the parameters themselves, where the deltas carry minus the learning rate.
    updating : int
        Whether the gradient is complete with this chunk and the optimizer is to take it.
    whole : int
        Whether it also began with this chunk. Then it is computed a block of rows at a time, each taken by the
        optimizer before the next, and never written to `target`.
    accumulate : int
        Whether to add to what `target` holds.
    """
    if folded:
        d = at(layers, 0, D) + at(layers, 0, LEFT)
        column_sums(memory, sums, memory, d, at(layers, 0, ROW), count, at(layers, 0, RIGHT) - at(layers, 0, LEFT), NO)
    for n in range(n_layers):
        stride, left, high = at(layers, n, STRIDE), at(layers, n, LEFT), at(layers, n, HIGH)
        width = at(layers, n, RIGHT) - left
        sparse = n == 0 and kind >= SPARSE_BYTES
        row_by_row = sparse and not listing
        fused = whole and not row_by_row
        size = at(layers, n, BLOCK) if fused else high
        for row in range(at(layers, n, LOW), high, size if size > 0 else ONE_ROW):
            rows = size if high - row > size else high - row
            place = at(layers, n, WEIGHTS) + row * stride + left
            to, out, add = target, place, accumulate
            if fused:
                to, out, add = memory, block, NO
            if row_by_row:
                if not add:
                    for i in range(rows):
                        fill_zeros(to, out + i * stride, width)
                sparse_gradient(
                    to, out, memory, layers, kind, scale, starts, columns_16, columns_32, bytes, numbers, order,
                    position, count, left, width,
                )  # fmt: skip
            else:
                add_block(
                    to, out, memory, layers, n, row, rows, left, width, sparse, x, x_row, ends, members, factors, ones,
                    count, add,
                )  # fmt: skip
            if n == 0 and folded:
                add_shift_gradient(to, out - row * stride, stride, shift, memory, sums, row, row + rows, width)
            if updating:
                update_weights(
                    optimizer, parameters, place, stride, rows, width, to, out, m, v, settings, step, rate
                )
        left, width = at(layers, n, BIAS_LEFT), at(layers, n, BIAS_RIGHT) - at(layers, n, BIAS_LEFT)
        if at(layers, n, BIAS) >= 0 and width > 0:
            place = at(layers, n, BIAS) + left
            to, out, add = target, place, accumulate
            if whole:
                to, out, add = memory, block, NO
            column_sums(to, out, memory, at(layers, n, D) + left, at(layers, n, ROW), count, width, add)
            if updating:
                update(optimizer, parameters, place, stride, ONE_ROW, width, to, out, m, v, settings, step, rate)
