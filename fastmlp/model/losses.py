"""Losses: what a network is judged by, in NumPy (floor 1; imports numpy, errors).

A loss is a sum over the outputs of one sample; over samples it is averaged, weighted by the samples' weights. The two
cross-entropies are computed from the logits ``z``, never from probabilities, so no probability can be rounded to 0 or 1
first, and so is poisson, never from the logarithm of an exponential; they fix the activation of the output layer, and
their derivative is taken with respect to ``z``, where it is simply ``a - y``. The others take any output activation and
are differentiated with respect to ``a``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import unknown_name

Array = NDArray[Any]

HUBER_DELTA = 1.0
MEDIAN = 0.5


@dataclass(frozen=True)
class Loss:
    """A loss with its derivative.

    Attributes
    ----------
    name : str
        The name users give.
    value : callable
        ``value(z, a, y)``: the loss of each sample, shape (samples,), from the logits, the outputs and the targets,
        each (samples, outputs).
    gradient : callable
        ``gradient(z, a, y)``: its derivative, (samples, outputs); with respect to ``z`` where `from_logits`, else
        ``a``.
    output : str
        The activation of the output layer when the user names none.
    from_logits : bool
        Whether the loss is computed from the logits; then `output` is the only activation it goes with.
    scalar : tuple of two callables, optional
        Of a user's own, for the engine of loops: what one output adds, ``f(a, y)``, and its derivative by ``a``.
    """

    name: str
    value: Callable[[Array, Array, Array], Array]
    gradient: Callable[[Array, Array, Array], Array]
    output: str = "identity"
    from_logits: bool = False
    scalar: tuple[Callable[..., float], Callable[..., float]] | None = None


def _squared_error(z: Array, a: Array, y: Array) -> Array:
    r = a - y
    return np.asarray(0.5 * (r * r).sum(axis=1))


def _absolute_error(z: Array, a: Array, y: Array) -> Array:
    return np.asarray(np.abs(a - y).sum(axis=1))


def _huber(z: Array, a: Array, y: Array) -> Array:
    r = np.abs(a - y)
    inside = np.minimum(r, HUBER_DELTA)
    return np.asarray((inside * (r - 0.5 * inside)).sum(axis=1))


def _binary_cross_entropy(z: Array, a: Array, y: Array) -> Array:
    # -y log σ(z) - (1-y) log(1-σ(z)), rewritten so that exp sees only -|z|.
    return np.asarray((np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))).sum(axis=1))


def _cross_entropy(z: Array, a: Array, y: Array) -> Array:
    shifted = z - z.max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return np.asarray((y * (log_sum - shifted)).sum(axis=1))


def _poisson(z: Array, a: Array, y: Array) -> Array:
    # y log(y / a) - y + a, where 0 log 0 is 0.
    logarithm = np.log(np.where(y > 0, y, 1))
    return np.asarray((y * (logarithm - z) - y + a).sum(axis=1))


def _quantile(level: float) -> Loss:
    def value(z: Array, a: Array, y: Array) -> Array:
        r = y - a
        return np.asarray((np.maximum(r, 0) * r.dtype.type(level) - np.minimum(r, 0) * r.dtype.type(1 - level)).sum(1))

    def gradient(z: Array, a: Array, y: Array) -> Array:
        r = a - y
        return np.where(r > 0, 1 - level, np.where(r < 0, -level, 0)).astype(r.dtype)

    return Loss("quantile", value, gradient)


LOSSES: dict[str, Loss] = {
    loss.name: loss
    for loss in (
        Loss("squared_error", _squared_error, lambda z, a, y: a - y),
        Loss("absolute_error", _absolute_error, lambda z, a, y: np.sign(a - y)),
        Loss("huber", _huber, lambda z, a, y: np.clip(a - y, -HUBER_DELTA, HUBER_DELTA)),
        Loss("binary_cross_entropy", _binary_cross_entropy, lambda z, a, y: a - y, "sigmoid", from_logits=True),
        Loss("cross_entropy", _cross_entropy, lambda z, a, y: a - y, "softmax", from_logits=True),
        Loss("poisson", _poisson, lambda z, a, y: a - y, "exponential", from_logits=True),
        _quantile(MEDIAN),
    )
}
"""Every loss by name: squared_error (half the squared norm, as Nielsen's chapter 1), absolute_error, huber (delta 1),
binary_cross_entropy (one sigmoid per output), cross_entropy (softmax over the outputs; targets of a row sum to 1),
poisson (half the deviance of counts from an exponential output), quantile (here of the median; Koenker and Bassett
1978)."""


def get_loss(name: str, quantile: float = MEDIAN) -> Loss:
    """Return the loss of this name.

    Parameters
    ----------
    name : str
        One of `LOSSES`.
    quantile : float in (0, 1), default 0.5
        The level of the loss quantile, to which the others are blind: the share of targets that are to lie below the
        outputs. To lie below a target costs ``quantile`` times the distance, to lie above ``1 - quantile`` times.

    Returns
    -------
    Loss

    Raises
    ------
    ArgumentError
        The name is unknown; the message offers the nearest one.

    Examples
    --------
    >>> get_loss("squared_error").value(np.zeros((1, 2)), np.array([[1.0, 0.0]]), np.zeros((1, 2)))
    array([0.5])
    """
    if not isinstance(name, str) or name not in LOSSES:
        raise unknown_name("loss", name, LOSSES)
    return _quantile(quantile) if name == "quantile" else LOSSES[name]


def smoothed(y: Array, share: float, choices: int) -> Array:
    """Targets of which a share is spread evenly over the choices: ``(1 - share) * y + share / choices``.

    Parameters
    ----------
    y : ndarray, shape (samples, outputs)
    share : float in [0, 1)
    choices : int
        Labels that one output, or all outputs together, choose from.

    Returns
    -------
    ndarray, shape (samples, outputs)

    Notes
    -----
    Label smoothing (Szegedy et al. 2016, section 7): a network that need not answer with certainty keeps its logits
    small.

    Examples
    --------
    >>> smoothed(np.array([[1.0, 0.0]]), 0.5, choices=2)
    array([[0.75, 0.25]])
    """
    spread: Array = y * y.dtype.type(1 - share) + y.dtype.type(share / choices)
    return spread if share else y
