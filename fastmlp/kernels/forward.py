"""Forward: activations of all layers, and the losses, for a thread's rows of a chunk (floor 2; imports numpy).

``Z = A W + b``, ``A = f(Z)`` layer by layer, (rows, units); `fastmlp.engines.numpy_engine` does the same. The chunk
lies in one flat array, `Work.memory`, and every thread has its own rows of it, from `Step.first` to `Step.last`.
"""

import numpy as np

from .dense.narrow import add_dot_products, transpose
from .dense.products import pack, pack_transposed, product_from, row_times_matrix
from .elementwise import activation_forward, copy_rows, dropout, fill_rows, fill_zeros
from .losses import correct_row, loss_row
from .parallel.split_layer import second_layer_forward
from .runtime.constants import SQUARED_ERROR
from .runtime.jit import kernel
from .runtime.matrices import matrix
from .runtime.records import NEXT, PACK_FROM, ZERO
from .runtime.simd import get, lanes, load, moved, put, put_totals
from .sparse.first_layer import first_layer_forward, is_rectified


@kernel
def pack_layers(step):
    """Lay the weights of the layers behind the first out as the products read them: those that this thread packs alone,
    for itself.
    """
    for n in range(1, step.n_layers):
        if not step.layers[n].together:
            pack_rows(step, n, step.work.memory, ZERO, step.layers[n].fan_in)


@kernel
def pack_own_rows(step):
    """Do the same for layers that the threads pack together: each the rows that it owns, for all.

    So no thread copies weights of others, and none packs all of them.
    """
    for n in range(1, step.n_layers):
        if step.layers[n].together:
            pack_rows(step, n, step.work.shared, step.layers[n].first_row, step.layers[n].end_row)


@kernel
def pack_rows(step, n, memory, first, last):
    """Lay rows of a layer's weights out in this memory, from `first`, where a panel begins, to `last`."""
    layer, parameters, rows = step.layers[n], step.parameters, last - first
    width, fan_in, units = layer.width, layer.fan_in, layer.units
    w = layer.weights + first * width
    if layer.few_units:
        transpose(memory, layer.packed, parameters, w, width, rows, units)
        return
    if step.work.chunk >= PACK_FROM:
        place = layer.packed + first * 2 * lanes(memory)
        pack(memory, place, parameters, w, width, rows, width, fan_in)
    if step.backward and step.batch_size > 1:
        pack_transposed(memory, layer.packed_transposed + first * units, parameters, w, width, rows, units)


@kernel
def packed_weights(step, layer):
    """Where the packed weights of a layer lie."""
    return step.work.shared if layer.together else step.work.memory


@kernel
def forward(step):
    """Activations of all layers."""
    rectified = first_layer_forward(step)
    activate(step, ZERO, rectified)
    for n in range(1, step.n_layers):
        rectified = False
        if n == 1 and step.halved:
            second_layer_forward(step)
        else:
            rectified = layer_forward(step, n)
        activate(step, n, rectified)


@kernel
def layer_forward(step, n):
    """Weighted inputs of a layer behind the first.

    Where the chunk has one row it is a matrix-vector product of weights that are not packed, summed in another order. A
    thread whose share is one row of several must not do that: the bits would depend on the number of threads. Nor a
    pass for outputs only, whose pieces depend on it.

    Returns
    -------
    bool
        Whether they are activations already, as those of relu are.
    """
    layer, before = step.layers[n], step.layers[n - 1]
    memory, parameters, first, count = step.work.memory, step.parameters, step.first, step.last - step.first
    width, row, a_row, bias = layer.width, layer.row_stride, before.row_stride, layer.bias
    out, a = layer.before_dropout + first * row, before.activations + first * a_row
    fan_in, alone = layer.fan_in, step.count == 1 and not step.outputs_only
    if alone or layer.few_units:
        if bias >= 0:
            fill_rows(memory, out, row, width, count, parameters, bias)
        else:
            fill_zeros(memory, out, count * row)
        if not alone:
            Z, A = matrix(memory, out, row, NEXT), matrix(memory, a, a_row, NEXT)
            add_dot_products(Z, A, moved(memory, layer.packed), fan_in, layer.units, count)
        elif count > 0:
            W = matrix(parameters, layer.weights, width, NEXT)
            row_times_matrix(moved(memory, out), moved(memory, a), W, width, fan_in)
        return False
    W = matrix(parameters, layer.weights, width, NEXT)
    if step.work.chunk >= PACK_FROM:
        W = matrix(packed_weights(step, layer), layer.packed, width, -fan_in)
    b = matrix(parameters, bias, ZERO, NEXT) if bias >= 0 else matrix(parameters, ZERO, ZERO, ZERO)
    rectified, Z, A = is_rectified(layer), matrix(memory, out, row, NEXT), matrix(memory, a, a_row, NEXT)
    product_from(Z, A, W, count, width, fan_in, b, 0.0 if rectified else -np.inf)
    return rectified


@kernel
def activate(step, n, rectified):
    """Activations of a layer from its weighted inputs, which may be `rectified` already; in training with dropout."""
    layer, memory, first, count = step.layers[n], step.work.memory, step.first, step.last - step.first
    width, row = layer.width, layer.row_stride
    kept, a, z = layer.before_dropout + first * row, layer.activations + first * row, layer.logits
    if z >= 0:
        copy_rows(memory, z + first * row, memory, kept, row, count, width)
    if not rectified:
        activation_forward(layer.activation, memory, kept, row, count, layer.units, width)
    if a != kept:
        if step.training:
            names = moved(step.names, step.position + first)
            dropout(moved(memory, a), moved(memory, kept), count, names, layer)
        else:
            copy_rows(memory, a, memory, kept, row, count, width)


@kernel
def write_targets(step):
    """Write the targets of this thread's rows, labels as one-hot rows, to `Work.y`."""
    layer, targets, memory, order = step.layers[step.n_layers - 1], step.targets, step.work.memory, step.order
    units, width = layer.units, layer.width
    for i in range(step.first, step.last):
        row, y = get(order, step.position + i), step.work.y + i * width
        if targets.labelled:
            fill_zeros(memory, y, width)
            put(memory, y + np.int64(get(targets.labels, row)), 1.0)
        else:
            for j in range(units):
                put(memory, y + j, get(targets.values, row * units + j))


@kernel
def squared_errors(step):
    """Losses of this thread's rows, four at a time, where the outputs are one vector; their errors are summed over the
    lanes together. Return the first row that is left. Without it T4 takes 7 % longer.
    """
    layer, memory, losses, y_start = step.layers[step.n_layers - 1], step.work.memory, step.work.losses, step.work.y
    width, stride, sums, first = layer.width, layer.row_stride, step.work.sums, step.first
    end = first + (step.last - first) // 4 * 4
    inside = load(memory, step.work.mask)
    for i in range(first, end, 4):
        a, y = layer.activations + i * stride, y_start + i * width
        r0, r1 = load(memory, a) - load(memory, y), load(memory, a + stride) - load(memory, y + width)
        a, y = a + 2 * stride, y + 2 * width
        r2, r3 = load(memory, a) - load(memory, y), load(memory, a + stride) - load(memory, y + width)
        r0, r1, r2, r3 = r0 * inside, r1 * inside, r2 * inside, r3 * inside
        put_totals(memory, sums, r0 * r0, r1 * r1, r2 * r2, r3 * r3)
        for k in range(4):
            put(losses, i + k, 0.5 * float(get(memory, sums + k)))
    return end


@kernel
def evaluate_rows(step):
    """Write targets, losses and correctness of this thread's rows, the latter two times the weight."""
    # In a loop of its own: numbers written one by one are not to be had as a vector before they are in the cache.
    write_targets(step)
    layer, work, targets = step.layers[step.n_layers - 1], step.work, step.targets
    memory, losses, correct, width, stride = work.memory, work.losses, work.correct, layer.width, layer.row_stride
    first_alone = step.first
    if step.loss == SQUARED_ERROR and width == lanes(memory):
        first_alone = squared_errors(step)
    for i in range(step.first, step.last):
        row, y = get(step.order, step.position + i), moved(memory, work.y + i * width)
        label = np.int64(get(targets.labels, row)) if targets.labelled else np.int64(-1)
        a, z = moved(memory, layer.activations + i * stride), moved(memory, layer.logits + i * stride)
        weight = 1.0
        if targets.weighted:
            weight = float(get(targets.weights, row))
        value = get(losses, i)
        if i >= first_alone:
            value = loss_row(step, a, z, y, label)
        put(losses, i, weight * value)
        put(correct, i, weight * correct_row(targets.task, a, y, layer.units, label))


@kernel
def write_outputs(step):
    """Write the outputs of this thread's rows to their places among those of all rows."""
    layer, memory, outputs = step.layers[step.n_layers - 1], step.work.memory, step.outputs
    units = layer.units
    for i in range(step.first, step.last):
        place, a = get(step.order, step.position + i) * units, layer.activations + i * layer.row_stride
        for j in range(units):
            put(outputs, place + j, get(memory, a + j))
