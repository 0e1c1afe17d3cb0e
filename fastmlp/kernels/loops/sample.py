"""Forward and backward pass of one sample (floor 2).

Layer by layer ``z = x @ W + b`` and ``a = f(z)``, where ``x`` is what the layer before put out. Backwards, with ``d``
the loss's derivative by ``z``: ``dW += x[:, None] * d``, ``db += d``, and ``W @ d`` is the derivative by ``x``
(Nielsen, chapter 2; Goodfellow et al., chapter 6.5). The same for a batch, in NumPy: `numpy_engine.forward_pass` and
`backward_pass`.
"""

from ..runtime.jit import loop, view
from .activations import activate, activation_backward
from .dropout import dropout
from .linear import (
    add_matvec,
    add_multiple,
    add_outer,
    add_sparse_matvec,
    add_sparse_outer,
    bias_of,
    copy,
    fill,
    matvec,
    weights_of,
)
from .losses import is_from_logits, loss_backward

NO_DROPOUT = -1
"""Instead of a sample's name."""


@view
def units_of(layer, numbers):
    """A layer's part of an array that has room for the units of all layers."""
    return numbers[layer.start : layer.start + layer.units]


@loop
def forward_sample(network, parameters, chunk, n_entries, name):
    """Run the sample that is listed in the chunk through the network; with dropout, where it has a name."""
    for n in range(len(network.layers)):
        layer = network.layers[n]
        W, b, z = weights_of(layer, parameters), bias_of(layer, parameters), units_of(layer, chunk.z)
        a, out = units_of(layer, chunk.a), units_of(layer, chunk.out)
        fill(z, 0)
        if n == 0:
            add_sparse_matvec(chunk.columns[:n_entries], chunk.values[:n_entries], W, z)
        else:
            add_matvec(units_of(network.layers[n - 1], chunk.out), W, z)
        if len(b):
            add_multiple(1, b, z)
        activate(layer, z, a)
        if layer.threshold > 0 and name != NO_DROPOUT:
            dropout(layer, name, a, out)
        else:
            copy(a, out)


@loop
def backprop_sample(network, parameters, chunk, n_entries, name, share):
    """Add to the chunk's gradient that of ``share`` times the loss of the sample that went forward last."""
    top = len(network.layers) - 1
    last = network.layers[top]
    loss_backward(network, units_of(last, chunk.a), chunk.y, share, units_of(last, chunk.d))
    for n in range(top, -1, -1):
        layer = network.layers[n]
        d, dW, db = units_of(layer, chunk.d), weights_of(layer, chunk.gradient), bias_of(layer, chunk.gradient)
        if layer.threshold > 0 and name != NO_DROPOUT:
            dropout(layer, name, d, d)
        if n < top or not is_from_logits(network.loss):
            activation_backward(layer, units_of(layer, chunk.z), units_of(layer, chunk.a), d)
        if len(db):
            add_multiple(1, d, db)
        if n == 0:
            add_sparse_outer(chunk.columns[:n_entries], chunk.values[:n_entries], d, dW)
        else:
            before = network.layers[n - 1]
            add_outer(units_of(before, chunk.out), d, dW)
            matvec(weights_of(layer, parameters), d, units_of(before, chunk.d))
