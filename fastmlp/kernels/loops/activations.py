"""Activation functions and their derivatives (floor 2).

``a = f(z)`` unit by unit, and the chain rule ``dz = da * f'(z)``; only softmax looks at all units of a layer. The same
in NumPy, with the sources of the formulas: `model.activations`. Overflow is kept out as it is there.
"""

import math

from ..runtime.constants import (
    ELU,
    EXPONENTIAL,
    GELU,
    IDENTITY,
    LARGEST_EXPONENT,
    LEAKY_RELU,
    LEAKY_SLOPE,
    RELU,
    SIGMOID,
    SILU,
    SOFTMAX,
    TANH,
)
from ..runtime.jit import loop
from .own import OWN, call_one, call_two

ROOT_HALF = math.sqrt(0.5)
DENSITY_AT_0 = 1.0 / math.sqrt(2.0 * math.pi)


@loop
def sigmoid(z):
    """``1 / (1 + exp(-z))``; exp sees only ``-|z|``."""
    e = math.exp(-abs(z))
    return 1 / (1 + e) if z >= 0 else e / (1 + e)


@loop
def relu(z):
    """``max(z, 0)``, and NaN where z is."""
    return 0 * z if z < 0 else z


@loop
def normal_distribution(z):
    """Share of a standard normal distribution below z."""
    return 0.5 * (1.0 + math.erf(z * ROOT_HALF))


@loop
def normal_density(z):
    """Density of the standard normal distribution at z; beyond 40 it is 0 in any float."""
    return DENSITY_AT_0 * math.exp(-0.5 * z * z) if abs(z) < 40 else 0.0


@loop
def activation(code, z):
    """``f(z)`` of one unit."""
    if code == RELU:
        return relu(z)
    if code == SIGMOID:
        return sigmoid(z)
    if code == TANH:
        return math.tanh(z)
    if code == LEAKY_RELU:
        return z if z > 0 else LEAKY_SLOPE * z
    if code == ELU:
        return z if z > 0 else math.expm1(z)
    if code == GELU:
        return z * normal_distribution(z)
    if code == SILU:
        return z * sigmoid(z)
    if code == EXPONENTIAL:
        return math.exp(LARGEST_EXPONENT if z > LARGEST_EXPONENT else z)
    return z


@loop
def derivative(code, z, a):
    """``f'(z)`` of one unit, where ``a = f(z)``."""
    if code == RELU:
        return 1.0 if a > 0 else 0.0
    if code == SIGMOID:
        return a * (1.0 - a)
    if code == TANH:
        return 1.0 - a * a
    if code == LEAKY_RELU:
        return 1.0 if a > 0 else LEAKY_SLOPE
    if code == ELU:
        return 1.0 if a > 0 else a + 1.0
    if code == GELU:
        return normal_distribution(z) + z * normal_density(z)
    if code == SILU:
        return sigmoid(z) + a * (1.0 - sigmoid(z))
    if code == EXPONENTIAL:
        return a
    return 1.0


@loop
def softmax(z, a):
    """``a = exp(z) / sum(exp(z))``; the largest z is subtracted first, so that exp cannot overflow."""
    largest = z[0]
    for j in range(len(z)):
        largest = max(largest, z[j])
    total = 0.0
    for j in range(len(z)):
        a[j] = math.exp(z[j] - largest)
        total += a[j]
    for j in range(len(z)):
        a[j] /= total


@loop
def softmax_backward(a, d):
    """``d = a * (d - a @ d)``, in place: the Jacobian is ``diag(a) - a aᵀ``."""
    mean = 0.0
    for j in range(len(a)):
        mean += a[j] * d[j]
    for j in range(len(a)):
        d[j] = a[j] * (d[j] - mean)


@loop
def activate(layer, z, a):
    """``a = f(z)`` of a layer: `Activation.forward`."""
    code = layer.activation
    if code == SOFTMAX:
        softmax(z, a)
    elif code == OWN:
        for j in range(len(z)):
            a[j] = call_one(layer.own, z[j])
    else:
        for j in range(len(z)):
            a[j] = activation(code, z[j])


@loop
def activation_backward(layer, z, a, d):
    """Turn the derivative by ``a`` into that by ``z``, in place: `Activation.backward`."""
    code = layer.activation
    if code == SOFTMAX:
        softmax_backward(a, d)
    elif code == OWN:
        for j in range(len(z)):
            d[j] *= call_two(layer.own_derivative, z[j], a[j])
    elif code != IDENTITY:
        for j in range(len(z)):
            d[j] *= derivative(code, z[j], a[j])
