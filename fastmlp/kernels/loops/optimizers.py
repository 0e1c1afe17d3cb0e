"""Penalties, clipping, and the optimizer's step (floor 2).

With a gradient ``g`` of the batch's mean loss, number by number::

    g += l1 * sign(w) + l2 * w          penalties, of weights only
    g *= clip_norm / |g|                where it is longer than clip_norm
    w -= rate * weight_decay * w        of weights only
    w -= rate * step(g)                 see each optimizer below

A layer that isn't trained has ``g = 0`` after the penalties, and no decay and no step.

Parameters, gradient and moments are flat vectors of one layout, so a step is one loop. Plain gradient descent without
penalties leaves a weight alone whose gradient is 0: of the first layer it goes through the rows of those features only
that the batch had (`goes_everywhere`). The rung below: `numpy_engine.add_penalties`, `model.optimizers`.
"""

import math

from ..runtime.constants import ADAM, RMSPROP, SGD
from ..runtime.jit import loop, view
from .linear import fill, weights_of
from .records import State

CLIP_EPSILON = 1e-6
"""`model.optimizers.CLIP_EPSILON`."""


@loop
def goes_everywhere(network, optimizer, l2):
    """Whether a step moves weights whose gradient is 0."""
    plain = optimizer.kind == SGD and optimizer.momentum == 0 and optimizer.weight_decay == 0
    return not plain or network.l1 > 0 or l2 > 0


@loop
def sign(x):
    """-1, 0 or 1."""
    return 1.0 if x > 0 else -1.0 if x < 0 else 0.0 * x


@loop
def add_penalty(l1, l2, w, g):
    """``g += l1 * sign(w) + l2 * w``."""
    l1, l2 = w.dtype.type(l1), w.dtype.type(l2)
    for j in range(len(w)):
        g[j] += l1 * w.dtype.type(sign(w[j])) + l2 * w[j]


@loop
def add_penalties(network, l2, parameters, gradient):
    """Add the penalties' derivative to the gradient: `numpy_engine.add_penalties`."""
    if network.l1 > 0 or l2 > 0:
        for n in range(len(network.layers)):
            layer = network.layers[n]
            W, dW = weights_of(layer, parameters), weights_of(layer, gradient)
            for i in range(len(W)):
                add_penalty(network.l1, l2, W[i][: layer.units], dW[i][: layer.units])


@loop
def penalties(network, parameters):
    """``l1 * sum(|W|) + l2 / 2 * sum(W²)`` of all layers."""
    total = 0.0
    if network.l1 > 0 or network.l2 > 0:
        for n in range(len(network.layers)):
            layer = network.layers[n]
            W = weights_of(layer, parameters)
            for i in range(len(W)):
                for j in range(layer.units):
                    total += network.l1 * abs(W[i, j]) + 0.5 * network.l2 * W[i, j] * W[i, j]
    return total


@loop
def decay(network, parameters, factor):
    """``W *= factor`` of every layer that is trained."""
    factor = parameters.dtype.type(factor)
    for n in range(len(network.layers)):
        if not network.layers[n].trainable:
            continue
        W = weights_of(network.layers[n], parameters)
        for i in range(len(W)):
            for j in range(W.shape[1]):
                W[i, j] *= factor


@loop
def sum_of_squares(gradient):
    """In float64, as `clipped` computes it."""
    total = 0.0
    for i in range(len(gradient)):
        total += float(gradient[i]) * float(gradient[i])
    return total


@loop
def clip_factor(optimizer, squares):
    """What to multiply a gradient by whose squares add up to that: `model.optimizers.clipped`."""
    if optimizer.clip_norm == 0:
        return 1.0
    factor = optimizer.clip_norm / (math.sqrt(squares) + CLIP_EPSILON)
    return factor if factor < 1 else 1.0


@loop
def descend(w, g, rate):
    """``w -= rate * g``: plain SGD."""
    rate = w.dtype.type(rate)
    for i in range(len(w)):
        w[i] -= rate * g[i]


@loop
def descend_with_momentum(w, g, v, rate, optimizer):
    """``v = momentum * v + g``; ``w -= rate * v``, or with Nesterov ``w -= rate * (g + momentum * v)``."""
    real = w.dtype.type
    rate, momentum = real(rate), real(optimizer.momentum)
    for i in range(len(w)):
        v[i] = momentum * v[i] + g[i]
        w[i] -= rate * (g[i] + momentum * v[i] if optimizer.nesterov else v[i])


@loop
def descend_by_rmsprop(w, g, s, rate, optimizer):
    """``s = decay * s + (1 - decay) * g²``; ``w -= rate * g / (√s + epsilon)``."""
    real = w.dtype.type
    rate, keep, new, epsilon = real(rate), real(optimizer.decay), real(1 - optimizer.decay), real(optimizer.epsilon)
    for i in range(len(w)):
        s[i] = keep * s[i] + new * g[i] * g[i]
        w[i] -= rate * g[i] / (math.sqrt(s[i]) + epsilon)


@loop
def descend_by_adam(w, g, state, rate, optimizer, step):
    """Move `w` by Adam's step, from moments ``m`` and ``v``.

    ``m = β₁ m + (1-β₁) g``, ``v = β₂ v + (1-β₂) g²``; ``w -= rate * (m / (1-β₁ᵗ)) / (√(v / (1-β₂ᵗ)) + epsilon)``.
    """
    real = w.dtype.type
    m, v = state.first, state.second
    keep_1, new_1, keep_2, new_2 = (
        real(optimizer.beta_1), real(1 - optimizer.beta_1), real(optimizer.decay), real(1 - optimizer.decay)
    )  # fmt: skip
    correction_1, correction_2 = 1 - optimizer.beta_1**step, 1 - optimizer.decay**step
    epsilon = optimizer.epsilon / math.sqrt(correction_2) if optimizer.epsilon_hat else optimizer.epsilon
    rate, correction_2, epsilon = real(rate / correction_1), real(correction_2), real(epsilon)
    for i in range(len(w)):
        m[i] = keep_1 * m[i] + new_1 * g[i]
        v[i] = keep_2 * v[i] + new_2 * g[i] * g[i]
        w[i] -= rate * m[i] / (math.sqrt(v[i] / correction_2) + epsilon)


@view
def part_of(state, first, last):
    """A part of all vectors of the state; those that are empty stay empty."""
    return State(state.parameters[first:last], state.first[first:last], state.second[first:last])


@loop
def start_of(network, n, size):
    """Where the parameters of a layer start in a flat vector, or behind the last layer, where that ends."""
    return network.layers[n].weights if n < len(network.layers) else size


@loop
def clear_frozen(network, gradient):
    """Make the gradient of layers that are not trained 0: `numpy_engine.clear`."""
    for n in range(len(network.layers)):
        if not network.layers[n].trainable:
            fill(gradient[network.layers[n].weights : start_of(network, n + 1, len(gradient))], 0)


@loop
def descend_everywhere(network, optimizer, state, gradient, rate, step):
    """Move the parameters of all layers that are trained: ``Optimizer.update`` of each kind."""
    for n in range(len(network.layers)):
        if network.layers[n].trainable:
            first, last = network.layers[n].weights, start_of(network, n + 1, len(gradient))
            descend_part(optimizer, part_of(state, first, last), gradient[first:last], rate, step)


@loop
def descend_part(optimizer, state, gradient, rate, step):
    """Move a part of the parameters."""
    if optimizer.kind == ADAM:
        descend_by_adam(state.parameters, gradient, state, rate, optimizer, step)
    elif optimizer.kind == RMSPROP:
        descend_by_rmsprop(state.parameters, gradient, state.first, rate, optimizer)
    elif optimizer.momentum > 0:
        descend_with_momentum(state.parameters, gradient, state.first, rate, optimizer)
    else:
        descend(state.parameters, gradient, rate)
