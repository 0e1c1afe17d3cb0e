"""The phases of a training step, over the rows of a batch and over the parameters (floor 2; imports numpy).

*Samples*: forward, loss and backward; every thread its own rows of the batch. *Parameters*: weight gradients and the
optimizer's step; every thread its own rows of every weight matrix, over all samples in order. With sparse rows a thread
owns columns of the first weight matrix instead, and a phase before the samples computes these columns of the first
layer for all rows: so nobody else ever needs that matrix. No sum is shared between threads, so any number of them gives
the same bits.

Every thread has memory of its own, and its own copy of the parameters; `exchange` hands on what others need.

A batch is worked off in chunks of rows that fit the cache; all that a chunk needs lies in one flat array, `memory`. The
functions here are called by `batches.run`, with pointers to the arrays of the named tuples below.
"""

import numpy as np

from .dense.narrow import add_dot_products, outer_products, turn, turn_back
from .dense.products import (
    column_sums,
    matrix_times_column,
    pack,
    pack_transposed,
    padded,
    product,
    product_from,
    row_times_matrix,
)
from .elementwise import activation_backward, activation_forward, copy_rows, dropout, fill_rows, fill_zeros
from .losses import correct_row, loss_backward, loss_row
from .optimizers import shrink, update, update_weights
from .runtime.constants import BINARY_CROSS_ENTROPY, L2, LEVEL, RELU, SQUARED_ERROR, WEIGHT_DECAY
from .runtime.jit import kernel
from .runtime.records import NEW, NEXT, NO, NONE, ONE_ROW, PACK_FROM, PANELS_FROM, SPARSE_BYTES, UNPACKED, YES
from .runtime.simd import get, lanes, load, put, put_totals
from .sparse.eights import eights_gradient
from .sparse.first_layer import is_rectified, sparse_gradient
from .sparse.rows import add_shift_gradient, in_words, read_list, row_forward


@kernel
def pack_layers(memory, n_layers, layers, parameters, forward, backward):
    """Lay the weights of the layers behind the first out as the products read them."""
    for n in range(1, n_layers):
        layer = layers[n]
        w, stride, fan_in = layer.weights, layer.width, layer.fan_in
        if layer.few_units:
            turn(memory, layer.packed, parameters, w, stride, fan_in, layer.units)
            continue
        if forward:
            pack(memory, layer.packed, parameters, w, stride, fan_in, stride)
        if backward:
            pack_transposed(memory, layer.packed_transposed, parameters, w, stride, fan_in, layer.units)


@kernel
def layer_forward(memory, layers, n, parameters, first, count, alone, packed):
    """Weighted inputs of a layer behind the first, for `count` rows of the chunk.

    Where the chunk has one row, which is `alone`, it is a matrix-vector product, summed in another order. A thread
    whose share is one row of several must not do that: the bits would depend on the number of threads.

    Returns
    -------
    bool
        Whether they are activations already, as those of relu are.
    """
    layer = layers[n]
    width, row, before = layer.width, layer.row_stride, layers[n - 1].row_stride
    out, a, bias = layer.before_dropout + first * row, layers[n - 1].activations + first * before, layer.bias
    w, fan_in, panel, weights = layer.weights, layer.fan_in, UNPACKED, parameters
    if alone or layer.few_units:
        if bias >= 0:
            fill_rows(memory, out, row, width, count, parameters, bias)
        else:
            fill_zeros(memory, out, count * row)
        if not alone:
            w, units = layer.packed, layer.units
            add_dot_products(memory, out, row, memory, a, before, memory, w, fan_in, units, count)
        elif count > 0:
            row_times_matrix(memory, out, memory, a, parameters, w, width, width, fan_in)
        return False
    if packed:
        w, panel, weights = layer.packed, fan_in, memory
    rectified, add = is_rectified(layers, n), NO
    if bias >= 0:
        add = YES
    product_from(
        memory, out, row, memory, a, before, NEXT, weights, w, width, panel, count, width, fan_in, parameters, bias, NO,
        add, 0.0 if rectified else -np.inf,
    )  # fmt: skip
    return rectified


@kernel
def activate(memory, layers, n, rectified, settings, order, position, first, count, training):
    """Activations of a layer from its weighted inputs, for `count` rows of the chunk; in training with dropout.

    They may be `rectified` already.
    """
    layer = layers[n]
    width, row, units, code = layer.width, layer.row_stride, layer.units, layer.activation
    kept, a, z = layer.before_dropout + first * row, layer.activations + first * row, layer.logits
    if z >= 0:
        copy_rows(memory, z + first * row, memory, kept, row, count, width)
    if not rectified:
        activation_forward(code, memory, kept, row, count, units, width)
    if a != kept:
        if training:
            key, threshold, scale = layer.key, layer.threshold, layer.dropout_scale
            dropout(memory, a, memory, kept, row, count, width, order, position + first, key, threshold, scale)
        else:
            copy_rows(memory, a, memory, kept, row, count, width)


@kernel
def judge_rows(
    memory, y_start, mask, sums, losses, correct, layers, n, loss, settings, task, labelled, labels, values, weighted,
    weights, order, position, first, last,
):  # fmt: skip
    """Write targets, losses and correctness of rows `first` to `last` of a chunk, the latter two times the weight.

    `n` is the last layer; `sums` is where a vector may be written meanwhile.
    """
    layer = layers[n]
    units, width, stride = layer.units, layer.width, layer.row_stride
    level = get(settings, LEVEL)
    # In a loop of its own: numbers written one by one are not to be had as a vector before they are in the cache.
    for i in range(first, last):
        row, y = get(order, position + i), y_start + i * width
        if labelled:
            fill_zeros(memory, y, width)
            put(memory, y + np.int64(get(labels, row)), 1.0)
        else:
            for j in range(units):
                put(memory, y + j, get(values, row * units + j))
    first_alone = first
    if loss == SQUARED_ERROR and width == lanes(memory):
        # Four rows' errors are summed over their lanes together.
        first_alone = first + (last - first) // 4 * 4
        inside = load(memory, mask)
        for i in range(first, first_alone, 4):
            a, y = layer.activations + i * stride, y_start + i * width
            r0, r1 = load(memory, a) - load(memory, y), load(memory, a + stride) - load(memory, y + width)
            a, y = a + 2 * stride, y + 2 * width
            r2, r3 = load(memory, a) - load(memory, y), load(memory, a + stride) - load(memory, y + width)
            r0, r1, r2, r3 = r0 * inside, r1 * inside, r2 * inside, r3 * inside
            put_totals(memory, sums, r0 * r0, r1 * r1, r2 * r2, r3 * r3)
            for k in range(4):
                put(losses, i + k, 0.5 * float(get(memory, sums + k)))
    for i in range(first, last):
        row, y = get(order, position + i), y_start + i * width
        label = np.int64(get(labels, row)) if labelled else np.int64(-1)
        a, z = layer.activations + i * stride, layer.logits + i * stride
        weight = 1.0
        if weighted:
            weight = float(get(weights, row))
        value = get(losses, i)
        if i >= first_alone:
            value = loss_row(loss, memory, a, memory, z, memory, y, memory, mask, units, width, label, level)
        put(losses, i, weight * value)
        put(correct, i, weight * correct_row(task, memory, a, memory, y, units, label))


@kernel
def backward_top(
    memory, y_start, mask, layers, n, loss, settings, weighted, weights, order, position, first, last, delta_scale
):
    """Derivative of the loss by the outputs, or logits, of rows `first` to `last`, times `delta_scale` and weight.

    `n` is the last layer.
    """
    layer = layers[n]
    width, stride, level = layer.width, layer.row_stride, get(settings, LEVEL)
    for i in range(first, last):
        weight = 1.0
        if weighted:
            weight = float(get(weights, get(order, position + i)))
        d, a, y = layer.deltas + i * stride, layer.activations + i * stride, y_start + i * width
        loss_backward(loss, memory, d, memory, a, memory, y, memory, mask, delta_scale * weight, width, level)


@kernel
def backward_rows(memory, layers, top, parameters, loss, settings, order, position, first, last, training, packed):
    """Backpropagate rows `first` to `last` of a chunk from the outputs: the deltas of every layer.

    In batches of one row packing ``Wᵀ`` would cost more than it saves: it is not `packed` then.
    """
    count = last - first
    for n in range(top, -1, -1):
        layer = layers[n]
        width, row, units = layer.width, layer.row_stride, layer.units
        out, a, code = layer.deltas + first * row, layer.before_dropout + first * row, layer.activation
        dropping = training and layer.activations != layer.before_dropout
        rectified = n < top and layers[n + 1].few_units and code == RELU and not dropping
        if n < top:
            after, wanted = layers[n + 1].row_stride, layers[n + 1].units
            d, w = layers[n + 1].deltas + first * after, layers[n + 1].packed_transposed
            if layers[n + 1].few_units:
                outer_products(
                    memory, out, row, memory, d, after, memory, w, units, wanted, count, memory, a - out, rectified
                )  # fmt: skip
            elif packed:
                product(memory, out, row, memory, d, after, NEXT, memory, w, width, wanted, count, width, wanted, NEW)
            elif count > 0:
                w, fan_in, after = layers[n + 1].weights, layers[n + 1].fan_in, layers[n + 1].width
                fill_zeros(memory, out, width)
                matrix_times_column(memory, out, parameters, w, after, memory, d, fan_in, after)
            if dropping:
                key, threshold, scale = layer.key, layer.threshold, layer.dropout_scale
                dropout(memory, out, memory, out, row, count, width, order, position + first, key, threshold, scale)
        if (n < top and not rectified) or (n == top and loss < BINARY_CROSS_ENTROPY):
            z = layer.logits + first * row
            activation_backward(code, memory, out, memory, a, memory, z, row, count, units, width)


@kernel
def add_block(
    target, start, memory, layers, n, first, rows, left, width, listed, x, x_row, panels, ends, members, factors,
    pairs, room, scale, count, accumulate, fused,
):  # fmt: skip
    """Add the gradient of `rows` rows of a weight matrix, from `first` on, `width` columns from `left` on, to `target`.

    Parameters
    ----------
    target : flat array
        Receives it from `start` on, rows as far apart as those of the weights; it may be the parameters.
    panels : int
        Where the deltas lie in panels, as `product` reads them; -1 if they don't.
    listed : bool
        Whether the matrix is the first layer's and the entries of the sparse rows are listed by columns.
    accumulate : int
        Whether to add to what `target` holds.
    fused : bool
        Whether the optimizer takes it straight away: it is complete then, and all `width` columns are the layer's.
    """
    layer = layers[n]
    stride, d, d_row = layer.weights_stride, layer.deltas + left, layer.row_stride
    if listed:
        if not accumulate:
            for i in range(rows):
                fill_zeros(target, start + i * stride, width)
        begin = get(ends, first - 1) if first > 0 else NO
        for i in range(rows):
            end, out = get(ends, first + i), start + i * stride
            if room > 0:
                begin = (first + i) * room
            if end > begin:  # few features of sparse text are there in a chunk
                from_, to = begin, end
                if room > 0:
                    from_, to = NO, read_list(
                        members, factors, pairs, begin, end, get(scale, first + i), in_words(memory, d_row)
                    )
                row_forward(target, out, target, out, members, factors, from_, to, memory, d, width)
            begin = end
    else:
        a, row, panel = x + first, x_row, UNPACKED
        if n > 0:
            a, row = layers[n - 1].activations + first, layers[n - 1].row_stride
        units, turned, across = layer.units, layer.packed_transposed, padded(rows, memory)
        if n > 0 and fused and turned >= 0 and 4 * units * across <= 3 * rows * stride:
            # As the same sums of the same products: dWᵀ, of which less is padding. Its place is that of Wᵀ, which
            # nobody needs any more before the next batch.
            product(
                memory, turned, across, memory, d, NEXT, d_row, memory, a, row, UNPACKED, units, across, count, NEW,
            )  # fmt: skip
            for i in range(rows):
                fill_zeros(target, start + i * stride, stride)
            turn_back(target, start, stride, memory, turned, across, rows, units)
            return
        if panels >= 0:
            d, d_row, panel = panels, width, count
        product(target, start, stride, memory, a, NEXT, row, memory, d, d_row, panel, rows, width, count, accumulate)


@kernel
def shrink_rows(parameters, n_layers, layers, settings, rate):
    """Weight decay and L2 penalty of plain gradient descent for the weights that this thread owns.

    ``W *= 1 - rate * (weight_decay + l2)``, before the gradient is subtracted.
    """
    factor = 1.0 - rate * (get(settings, WEIGHT_DECAY) + get(settings, L2))
    if factor != 1.0:
        for n in range(n_layers):
            layer = layers[n]
            width = layer.weights_stride
            for i in range(layer.first_row, layer.end_row):
                start = layer.weights + i * width
                shrink(parameters, start + layer.first_column, start + layer.end_column, factor)


@kernel
def gradient_and_update(
    target, parameters, m, v, memory, n_layers, layers, settings, optimizer, step, rate, updating, whole, accumulate,
    x, x_row, sums, block, panels, kind, filled, listing, room, folded, by_eights, eights, n_eights, readable, scale,
    shift, starts, columns_16, columns_32, bytes, numbers, ends, members, factors, pairs, order, position, count,
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
    filled : int
        So many features of sparse rows are multiplied as dense ones are.
    """
    if folded:
        d = layers[0].deltas + layers[0].first_column
        owned = layers[0].end_column - layers[0].first_column
        column_sums(memory, sums, memory, d, layers[0].row_stride, count, owned, NO)
    for n in range(n_layers):
        layer = layers[n]
        stride, left, high = layer.weights_stride, layer.first_column, layer.end_row
        width = layer.end_column - left
        sparse = n == 0 and kind >= SPARSE_BYTES
        panelled = NONE
        if not sparse and width >= PANELS_FROM and count >= PACK_FROM:
            panelled = panels
            pack(memory, panels, memory, layer.deltas + left, layer.row_stride, count, width)
        row = layer.first_row
        while row < high:
            dense = not sparse or row < filled
            row_by_row = not dense and not listing
            fused = whole and not row_by_row
            end = filled if sparse and dense else high
            rows = end - row if row_by_row or end - row < layer.block_rows else layer.block_rows
            place = layer.weights + row * stride + left
            to, out, add = target, place, accumulate
            if fused:
                to, out, add = memory, block, NO
            if row_by_row:
                if not add:
                    for i in range(rows):
                        fill_zeros(to, out + i * stride, width)
                if by_eights:
                    eights_gradient(
                        to, out - row * stride, stride, memory, layers[0].deltas + left, layers[0].row_stride, eights,
                        n_eights, columns_16, bytes, get(scale, NO), width,
                    )  # fmt: skip
                else:
                    sparse_gradient(
                        to, out - row * stride, memory, layers, kind, readable, scale, starts, columns_16, columns_32,
                        bytes, numbers, members, factors, order, position, count, left, width,
                    )  # fmt: skip
            else:
                add_block(
                    to, out, memory, layers, n, row, rows, left, width, not dense, x, x_row, panelled, ends, members,
                    factors, pairs, room, scale, count, add, fused,
                )  # fmt: skip
            if n == 0 and folded:
                add_shift_gradient(to, out - row * stride, stride, shift, memory, sums, row, row + rows, width)
            if updating:
                update_weights(
                    optimizer, parameters, place, stride, rows, width, to, out, m, v, settings, step, rate
                )
            row += rows
        left, width = layer.first_bias, layer.end_bias - layer.first_bias
        if layer.bias >= 0 and width > 0:
            place = layer.bias + left
            to, out, add = target, place, accumulate
            if whole:
                to, out, add = memory, block, NO
            column_sums(to, out, memory, layer.deltas + left, layer.row_stride, count, width, add)
            if updating:
                update(optimizer, parameters, place, stride, ONE_ROW, width, to, out, m, v, settings, step, rate)
