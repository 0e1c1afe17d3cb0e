"""Optimizers: how a gradient moves the parameters (floor 1; imports numpy, checks, errors).

Each is a frozen description with an `update` in NumPy, over flat vectors and in place; the kernels compute the same
formulas. Given the same gradients and a constant learning rate they are PyTorch's, term for term. What an optimizer
remembers (its moments) is kept by whoever trains, as `n_moments` vectors of the parameters' layout that start at zero.

Weight decay is decoupled (Loshchilov and Hutter 2019): before a step, weights, not biases, shrink by the factor
``1 - learning_rate * weight_decay``. An L2 penalty that is part of the loss is the network's (`Network(l2=...)`).

A gradient that is too long is scaled down before the step, by whoever trains (`clipped`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..checks import check_size, check_switch, explained_class
from ..errors import ArgumentError, ArgumentTypeError, unknown_name

Array = NDArray[Any]

CLIP_EPSILON = 1e-6
"""Added to the length that `clipped` divides by, as in PyTorch."""

SMALLEST_EPSILON = 1e-30
"""The least `epsilon` of an optimizer: float32 rounds what is below 1e-45 to 0, and is inexact below 1e-38."""


@dataclass(frozen=True)
class _Optimizer:
    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            name = f"{field.name} of {type(self).__name__}"
            if field.name == "clip_norm" and value is None:
                continue
            if field.type == "bool" or field.type is bool:
                object.__setattr__(self, field.name, check_switch(value, name))
                continue
            number = check_size(value, name)
            if field.name == "epsilon" and number < SMALLEST_EPSILON:
                raise ArgumentError(
                    f"{name} must be at least {SMALLEST_EPSILON:g}, got {number!r}: a float32 holds little less, and "
                    "without it 0 is divided by 0"
                )
            if field.name == "clip_norm" and number == 0:
                raise ArgumentError(
                    f"{name} must be above 0, got {number!r}; leave it out to let gradients be of any length"
                )
            if field.name in ("momentum", "decay", "beta_1", "beta_2") and number >= 1:
                raise ArgumentError(f"{name} must be below 1, got {number!r}")
            object.__setattr__(self, field.name, number)


@explained_class
@dataclass(frozen=True)
class SGD(_Optimizer):
    """Stochastic gradient descent, optionally with momentum.

    Parameters
    ----------
    learning_rate : float, default 0.01
    momentum : float in [0, 1), default 0.0
    nesterov : bool, default False
        Nesterov's look-ahead form; needs a momentum.
    weight_decay : float, default 0.0
        Decoupled: weights shrink by ``1 - learning_rate * weight_decay`` before each step.
    clip_norm : float > 0, optional
        The greatest length (Euclidean norm) of the gradient of a batch, all layers together and penalties included: a
        longer one is scaled down to it; see `clipped`. The compiled engine then trains on one thread, since the
        gradient has to be there as a whole before the first weight is changed.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range, not a number, or nesterov without momentum.

    Notes
    -----
    ``v = momentum * v + g``; then ``w -= learning_rate * v``, or with nesterov
    ``w -= learning_rate * (g + momentum * v)`` (Sutskever et al. 2013, in PyTorch's arrangement).

    Examples
    --------
    >>> SGD(0.1, momentum=0.9).n_moments
    1
    """

    kind: ClassVar[str] = "sgd"
    learning_rate: float = 0.01
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    clip_norm: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.nesterov and self.momentum == 0:
            raise ArgumentError("nesterov=True needs a momentum above 0; give SGD(..., momentum=0.9, nesterov=True)")

    @property
    def n_moments(self) -> int:
        """Vectors remembered between steps: 1 with momentum, else 0."""
        return 1 if self.momentum > 0 else 0

    def update(
        self, parameters: Array, gradient: Array, moments: Sequence[Array], step: int, learning_rate: float
    ) -> None:
        """Take one step, in place.

        Parameters
        ----------
        parameters, gradient : ndarray, the same shape
            `parameters` is changed.
        moments : sequence of ndarray
            `n_moments` vectors of that shape, changed too.
        step : int
            1 for the first step of a training.
        learning_rate : float
            Of this step.
        """
        if self.momentum > 0:
            velocity = moments[0]
            velocity *= self.momentum
            velocity += gradient
            gradient = gradient + self.momentum * velocity if self.nesterov else velocity
        parameters -= learning_rate * gradient


@explained_class
@dataclass(frozen=True)
class RMSprop(_Optimizer):
    """RMSprop: gradients divided by the root of a running mean of their squares.

    Parameters
    ----------
    learning_rate : float, default 0.001
    decay : float in [0, 1), default 0.9
        How much of the running mean a step keeps (PyTorch's alpha, Keras' rho).
    epsilon : float, default 1e-8
        Added to the root, outside it as PyTorch does (Keras: 1e-7, inside).
    weight_decay : float, default 0.0
        Decoupled, as in `SGD`.
    clip_norm : float > 0, optional
        As in `SGD`.

    Notes
    -----
    ``s = decay * s + (1 - decay) * g²``; ``w -= learning_rate * g / (√s + epsilon)`` (Tieleman and Hinton 2012).

    Examples
    --------
    >>> RMSprop().n_moments
    1
    """

    kind: ClassVar[str] = "rmsprop"
    learning_rate: float = 0.001
    decay: float = 0.9
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float | None = None

    @property
    def n_moments(self) -> int:
        """Vectors remembered between steps: 1."""
        return 1

    def update(
        self, parameters: Array, gradient: Array, moments: Sequence[Array], step: int, learning_rate: float
    ) -> None:
        """Take one step, in place; see `SGD.update`."""
        square = moments[0]
        square *= self.decay
        square += (1.0 - self.decay) * gradient * gradient
        parameters -= learning_rate * gradient / (np.sqrt(square) + self.epsilon)


@explained_class
@dataclass(frozen=True)
class Adam(_Optimizer):
    """Adam: steps scaled by running means of the gradient and of its square.

    Parameters
    ----------
    learning_rate : float, default 0.001
    beta_1, beta_2 : float in [0, 1), default 0.9 and 0.999
        How much of the running means of gradient and squared gradient a step keeps.
    epsilon : float, default 1e-8
        Added to the root of the corrected second moment (PyTorch's and scikit-learn's value; Keras': 1e-7).
    weight_decay : float, default 0.0
        Decoupled, as in `SGD`; `AdamW` is Adam with 0.01.
    clip_norm : float > 0, optional
        As in `SGD`.
    epsilon_hat : bool, default False
        Whether epsilon is added to the root of the second moment before its correction, as in scikit-learn; it then
        counts more in the first steps.

    Notes
    -----
    Kingma and Ba 2015, algorithm 1: ``m = β₁ m + (1-β₁) g``, ``v = β₂ v + (1-β₂) g²``,
    ``w -= learning_rate * (m / (1-β₁ᵗ)) / (√(v / (1-β₂ᵗ)) + epsilon)``. With `epsilon_hat` it is the form at the end of
    their section 2: ``w -= learning_rate * √(1-β₂ᵗ) / (1-β₁ᵗ) * m / (√v + epsilon)``.

    Examples
    --------
    >>> optimizer = Adam(0.01, clip_norm=1.0)
    >>> optimizer.beta_1, optimizer.beta_2
    (0.9, 0.999)
    """

    kind: ClassVar[str] = "adam"
    learning_rate: float = 0.001
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    clip_norm: float | None = None
    epsilon_hat: bool = False

    @property
    def n_moments(self) -> int:
        """Vectors remembered between steps: 2."""
        return 2

    def update(
        self, parameters: Array, gradient: Array, moments: Sequence[Array], step: int, learning_rate: float
    ) -> None:
        """Take one step, in place; see `SGD.update`."""
        first, second = moments[0], moments[1]
        first *= self.beta_1
        first += (1.0 - self.beta_1) * gradient
        second *= self.beta_2
        second += (1.0 - self.beta_2) * gradient * gradient
        correction_1 = 1.0 - self.beta_1**step
        correction_2 = 1.0 - self.beta_2**step
        # √(v / c) + epsilon hat / √c is (√v + epsilon hat) / √c.
        epsilon = self.epsilon / correction_2**0.5 if self.epsilon_hat else self.epsilon
        parameters -= learning_rate / correction_1 * first / (np.sqrt(second / correction_2) + epsilon)


@explained_class
@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay on the weights (Loshchilov and Hutter 2019); biases do not decay.

    Parameters
    ----------
    learning_rate, beta_1, beta_2, epsilon, epsilon_hat
        As in `Adam`.
    weight_decay : float, default 0.01
    clip_norm : float > 0, optional

    Examples
    --------
    >>> AdamW().weight_decay
    0.01
    """

    weight_decay: float = 0.01


def clipped(gradient: Array, clip_norm: float | None) -> Array:
    """Return a gradient scaled down to the length it may have; the one given, where it is no longer than that.

    Parameters
    ----------
    gradient : ndarray
        All of it, as one vector.
    clip_norm : float > 0 or None
        None: any length.

    Returns
    -------
    ndarray, the same shape and dtype

    Notes
    -----
    ``g * min(1, clip_norm / (|g| + 1e-6))`` (Pascanu et al. 2013, algorithm 1), as PyTorch's ``clip_grad_norm_``. The
    length is computed in float64.

    Examples
    --------
    >>> clipped(np.array([6.0, 8.0]), 5.0).round(3)
    array([3., 4.])
    """
    if clip_norm is None:
        return gradient
    factor = clip_norm / (float(np.linalg.norm(gradient.astype(np.float64))) + CLIP_EPSILON)
    return gradient * factor if factor < 1 else gradient


Optimizer = SGD | RMSprop | Adam

OPTIMIZERS: dict[str, type[SGD] | type[RMSprop] | type[Adam]] = {
    "sgd": SGD,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""Every optimizer by name; a name stands for its defaults."""


def get_optimizer(optimizer: str | Optimizer) -> Optimizer:
    """Return the optimizer of this name with its defaults, or the one given.

    Parameters
    ----------
    optimizer : str or optimizer
        One of `OPTIMIZERS`, or an object such as ``SGD(3.0)``.

    Returns
    -------
    optimizer

    Raises
    ------
    ArgumentError
        The name is unknown; the message offers the nearest one.
    ArgumentTypeError
        Neither a name nor an optimizer.

    Examples
    --------
    >>> get_optimizer("sgd").learning_rate
    0.01
    """
    if isinstance(optimizer, SGD | RMSprop | Adam):
        return optimizer
    if not isinstance(optimizer, str):
        raise ArgumentTypeError(
            f"optimizer must be a name ({', '.join(OPTIMIZERS)}) or an object such as SGD(0.1), got {optimizer!r}"
        )
    if optimizer not in OPTIMIZERS:
        raise unknown_name("optimizer", optimizer, OPTIMIZERS)
    return _by_name(optimizer)


@cache
def _by_name(name: str) -> Optimizer:
    # Made once: to check its numbers takes longer than an epoch of ten rows.
    return OPTIMIZERS[name]()
