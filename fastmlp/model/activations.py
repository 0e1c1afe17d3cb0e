"""Activation functions and their derivatives, in NumPy (floor 1; imports numpy, errors).

Each is a pair: ``forward(z)`` gives the activation ``a`` of the weighted input ``z``, ``backward(z, a, da)`` turns the
derivative of the loss with respect to ``a`` into that with respect to ``z``. Both work on rows (samples, units), keep
the dtype, and neither overflows nor warns at any finite ``z``. The kernels compute the same formulas.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import unknown_name

Array = NDArray[Any]

LEAKY_SLOPE = 0.01
LARGEST_EXPONENT = 80.0
"""What exponential takes larger numbers for: e to it is 5.5e34, near the end of float32."""


@dataclass(frozen=True)
class Activation:
    """An activation function with its derivative.

    Attributes
    ----------
    name : str
        The name users give.
    forward : callable
        ``a = forward(z)``, shapes (samples, units).
    backward : callable
        ``dz = backward(z, a, da)``: the chain rule through this activation.
    initializer : str
        The weight initializer that keeps the variance of the signal through this activation.
    scalar : tuple of two callables, optional
        Of a user's own, for the engine of loops: ``f(z)`` of one unit, and its derivative ``(z, a)``.
    """

    name: str
    forward: Callable[[Array], Array]
    backward: Callable[[Array, Array, Array], Array]
    initializer: str = "xavier_uniform"
    scalar: tuple[Callable[..., float], Callable[..., float]] | None = None


def _sigmoid(z: Array) -> Array:
    # exp only ever sees -|z|, so it cannot overflow; both branches equal 1 / (1 + exp(-z)).
    e = np.exp(-np.abs(z))
    probabilities: Array = np.where(z >= 0, 1, e) / (1 + e)
    return probabilities


def _softmax(z: Array) -> Array:
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    probabilities: Array = e / e.sum(axis=-1, keepdims=True)
    return probabilities


def _softmax_backward(z: Array, a: Array, da: Array) -> Array:
    # The Jacobian is diag(a) - a aᵀ; times da without forming it.
    product: Array = a * (da - (a * da).sum(axis=-1, keepdims=True))
    return product


def _elu(z: Array) -> Array:
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def _exponential(z: Array) -> Array:
    exponentials: Array = np.exp(np.minimum(z, z.dtype.type(LARGEST_EXPONENT)))
    return exponentials


def _normal_distribution(z: Array) -> Array:
    """Standard normal distribution function of every element, through erf."""
    scaled = np.asarray(z, dtype=np.float64).ravel() * math.sqrt(0.5)
    erf = np.fromiter(map(math.erf, scaled), dtype=np.float64, count=scaled.size)
    return (0.5 * (1.0 + erf)).reshape(z.shape).astype(z.dtype)


def _gelu_backward(z: Array, a: Array, da: Array) -> Array:
    bounded = np.clip(z, -40, 40)  # beyond, the density is zero in any float and its exponent only overflows
    density = np.exp(-0.5 * bounded * bounded) * z.dtype.type(1.0 / math.sqrt(2.0 * math.pi))
    product: Array = da * (_normal_distribution(z) + bounded * density)
    return product


def _silu_backward(z: Array, a: Array, da: Array) -> Array:
    s = _sigmoid(z)
    product: Array = da * (s + a * (1 - s))
    return product


ACTIVATIONS: dict[str, Activation] = {
    activation.name: activation
    for activation in (
        Activation("identity", lambda z: z, lambda z, a, da: da),
        Activation("sigmoid", _sigmoid, lambda z, a, da: da * a * (1 - a)),
        Activation("tanh", np.tanh, lambda z, a, da: da * (1 - a * a)),
        Activation("relu", lambda z: np.maximum(z, 0), lambda z, a, da: np.where(a > 0, da, 0), "he_uniform"),
        Activation(
            "leaky_relu",
            lambda z: np.where(z > 0, z, z * z.dtype.type(LEAKY_SLOPE)),
            lambda z, a, da: np.where(a > 0, da, da * z.dtype.type(LEAKY_SLOPE)),
            "he_uniform",
        ),
        Activation("elu", _elu, lambda z, a, da: np.where(a > 0, da, da * (a + 1)), "he_uniform"),
        Activation("gelu", lambda z: z * _normal_distribution(z), _gelu_backward, "he_uniform"),
        Activation("silu", lambda z: z * _sigmoid(z), _silu_backward, "he_uniform"),
        Activation("softmax", _softmax, _softmax_backward),
        Activation("exponential", _exponential, lambda z, a, da: da * a),
    )
}
"""Every activation by name: identity, sigmoid, tanh, relu, leaky_relu (slope 0.01), elu (alpha 1), gelu (exact, by erf;
Hendrycks and Gimpel 2016), silu (z times sigmoid(z); Elfwing et al. 2017), softmax (over the units of the layer),
exponential (e to the z, or to 80 where z is larger, so that it stays finite)."""


def get_activation(name: str) -> Activation:
    """Return the activation of this name.

    Parameters
    ----------
    name : str
        One of `ACTIVATIONS`.

    Returns
    -------
    Activation

    Raises
    ------
    ArgumentError
        The name is unknown; the message offers the nearest one.

    Examples
    --------
    >>> get_activation("relu").forward(np.array([[-1.0, 2.0]]))
    array([[0., 2.]])
    """
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise unknown_name("activation", name, ACTIVATIONS)
    return ACTIVATIONS[name]
