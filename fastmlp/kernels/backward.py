"""Backward: the deltas, for a thread's rows of a chunk (floor 2).

They are the derivatives of the summed loss by the weighted inputs, times `Step.delta_scale`: 1 / rows of the batch, or
-rate / rows where the gradient goes straight into the weights.

``D[n] = D[n+1] W[n+1]ᵀ * f'(Z[n])`` from the last layer to the first, (rows, units), as in
`fastmlp.engines.numpy_engine`.
"""

from .dense.narrow import outer_products
from .dense.products import matrix_times_column, product
from .elementwise import activation_backward, dropout, fill_zeros
from .forward import packed_weights
from .losses import loss_backward
from .runtime.constants import BINARY_CROSS_ENTROPY, RELU
from .runtime.jit import kernel
from .runtime.matrices import matrix
from .runtime.records import NEW, NEXT
from .runtime.simd import get, moved


@kernel
def backward(step):
    """Deltas of all layers, in training down to the lowest that is trained."""
    top = step.n_layers - 1
    loss_gradient(step)
    if step.loss < BINARY_CROSS_ENTROPY:  # these losses were differentiated by the outputs, the others by the logits
        differentiate_activation(step, top)
    for n in range(top - 1, step.lowest - 1, -1):
        rectified = layer_backward(step, n)
        if not rectified:
            differentiate_activation(step, n)


@kernel
def loss_gradient(step):
    """Derivative of the loss by the outputs, or logits, times `Step.delta_scale` and the weight of the row."""
    layer, memory, targets, y = step.layers[step.n_layers - 1], step.work.memory, step.targets, step.work.y
    width, stride, scale = layer.width, layer.row_stride, step.delta_scale
    for i in range(step.first, step.last):
        weight = 1.0
        if targets.weighted:
            weight = float(get(targets.weights, get(step.order, step.position + i)))
        d, a = moved(memory, layer.deltas + i * stride), moved(memory, layer.activations + i * stride)
        loss_backward(step, d, a, moved(memory, y + i * width), scale * weight)


@kernel
def layer_backward(step, n):
    """``D[n+1] W[n+1]ᵀ``, the derivative of the loss by the activations of a layer.

    In batches of one row packing ``Wᵀ`` would cost more than it saves: it is read as it is then.

    Returns
    -------
    bool
        Whether it is the derivative by the weighted inputs already.
    """
    layer, after, memory, first = step.layers[n], step.layers[n + 1], step.work.memory, step.first
    width, row, count, units = layer.width, layer.row_stride, step.last - first, after.units
    out, d, d_row = layer.deltas + first * row, after.deltas + first * after.row_stride, after.row_stride
    D, D_after = matrix(memory, out, row, NEXT), matrix(memory, d, d_row, NEXT)
    dropping = step.training and layer.activations != layer.before_dropout
    rectified = after.few_units and layer.activation == RELU and not dropping
    if after.few_units:
        w, a = moved(memory, after.packed_transposed), moved(memory, layer.before_dropout + first * row)
        outer_products(D, D_after, w, a, layer.units, units, count, rectified)
    elif step.batch_size > 1:
        W = matrix(packed_weights(step, after), after.packed_transposed, width, -units)
        product(D, D_after, W, count, width, units, NEW)
    elif count > 0:
        fill_zeros(memory, out, width)
        W = matrix(step.parameters, after.weights, after.width, NEXT)
        matrix_times_column(moved(memory, out), W, moved(memory, d), after.fan_in, after.width)
    if dropping:
        d = moved(memory, out)
        dropout(d, d, count, moved(step.names, step.position + first), layer)
    return rectified


@kernel
def differentiate_activation(step, n):
    """From the derivative by a layer's activations to that by its weighted inputs."""
    layer, memory = step.layers[n], step.work.memory
    row, count = layer.row_stride, step.last - step.first
    shift = step.first * row
    activation_backward(
        layer.activation, moved(memory, layer.deltas + shift), moved(memory, layer.before_dropout + shift),
        moved(memory, layer.logits + shift), row, count, layer.units, layer.width,
    )  # fmt: skip
