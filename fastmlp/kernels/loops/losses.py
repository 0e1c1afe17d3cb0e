"""Losses, their derivatives, and which answers are right (floor 2; imports numpy).

A loss is a sum over the outputs of one sample, of outputs ``a``, logits ``z`` and targets ``y``, each (outputs,). The
cross-entropies and poisson are computed from the logits, and differentiated by them: ``dz = a - y``. The others are
differentiated by ``a``. The same in NumPy, with the sources of the formulas: `model.losses`; the right answers:
`numpy_engine.correct_answers`.
"""

import math

import numpy as np

from ..runtime.constants import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    CLASSES,
    CROSS_ENTROPY,
    HUBER,
    HUBER_DELTA,
    POISSON,
    QUANTILE,
    REGRESSION,
)
from ..runtime.jit import loop
from .activations import relu
from .own import OWN, call_two


@loop
def is_from_logits(loss):
    """Whether the loss is differentiated by the logits: `Loss.from_logits`."""
    return loss >= BINARY_CROSS_ENTROPY


@loop
def huber(r):
    """Squared error near 0, absolute error beyond."""
    return 0.5 * r * r if abs(r) < HUBER_DELTA else HUBER_DELTA * (abs(r) - 0.5 * HUBER_DELTA)


@loop
def binary_cross_entropy(z, y):
    """``-y log σ(z) - (1 - y) log(1 - σ(z))``, rewritten so that exp sees only ``-|z|``."""
    return relu(z) - z * y + math.log1p(math.exp(-abs(z)))


@loop
def poisson(z, a, y):
    """``y log(y / a) - y + a``, where ``0 log 0`` is 0 and ``log a`` is z."""
    return y * ((math.log(y) if y > 0 else 0.0) - z) - y + a


@loop
def cross_entropy(z, y):
    """``-sum(y * log softmax(z))``; the largest z is subtracted first."""
    largest = z[0]
    for j in range(len(z)):
        largest = max(largest, z[j])
    total = 0.0
    for j in range(len(z)):
        total += math.exp(z[j] - largest)
    value = 0.0
    for j in range(len(z)):
        value += y[j] * (math.log(total) - (z[j] - largest))
    return value


@loop
def loss_of_output(network, z, a, y):
    """What one output adds to the loss; not of cross_entropy, which takes them all together."""
    if network.loss == OWN:
        return call_two(network.own_loss, a, y)
    if network.loss == BINARY_CROSS_ENTROPY:
        return binary_cross_entropy(z, y)
    if network.loss == POISSON:
        return poisson(z, a, y)
    if network.loss == ABSOLUTE_ERROR:
        return abs(a - y)
    if network.loss == HUBER:
        return huber(a - y)
    if network.loss == QUANTILE:
        return (y - a) * (network.quantile if y > a else network.quantile - 1.0)
    return 0.5 * (a - y) * (a - y)


@loop
def loss_value(network, z, a, y):
    """Loss of one sample: `Loss.value`."""
    if network.loss == CROSS_ENTROPY:
        return cross_entropy(z, y)
    value = 0.0
    for j in range(len(y)):
        value += loss_of_output(network, z[j], a[j], y[j])
    return value


@loop
def loss_derivative(network, a, y):
    """Derivative of what one output adds, by z or by a."""
    if network.loss == OWN:
        return call_two(network.own_loss_derivative, a, y)
    r = a - y
    if network.loss == HUBER:
        return min(max(r, -HUBER_DELTA), HUBER_DELTA)
    if network.loss == ABSOLUTE_ERROR:
        return 1.0 if r > 0 else -1.0 if r < 0 else 0.0 * r
    if network.loss == QUANTILE:
        return 1.0 - network.quantile if r > 0 else -network.quantile if r < 0 else 0.0
    return r


@loop
def loss_backward(network, a, y, share, d):
    """Derivative of ``share`` times the loss: `Loss.gradient`."""
    for j in range(len(y)):
        d[j] = share * loss_derivative(network, a[j], y[j])


@loop
def argmax(x):
    """Where the largest number is, or the first NaN, as NumPy's."""
    best = 0
    for j in range(len(x)):
        if np.isnan(x[j]):
            return j
        if x[j] > x[best]:
            best = j
    return best


@loop
def is_correct(task, a, y):
    """1 where the answer is right, else 0; NaN in regression."""
    if task == REGRESSION:
        return np.nan
    if task == CLASSES:
        return 1.0 if argmax(a) == argmax(y) else 0.0
    for j in range(len(y)):
        if (a[j] >= 0.5) != (y[j] >= 0.5):
            return 0.0
    return 1.0
