"""Schedules: how the learning rate changes during a training (floor 1; imports numpy, checks, errors).

Each is a frozen description of a pure function: from positions in the training to the factors that multiply the
optimizer's learning rate. A position is measured in epochs: step k of the n steps of epoch e, both counted from 0, is
at ``e + k / n``. So the rate changes with every step, whatever the batch size, and since a schedule remembers nothing,
a training in parts has the rates of one in a single piece.

All factors lie in [0, 1]: the optimizer's learning rate is the highest there will be. A schedule that has an end keeps
its last factor from there on.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_number
from ..errors import ArgumentError, ArgumentTypeError, unknown_name

Array = NDArray[np.float64]


class Schedule(ABC):
    """Base class of schedules; a subclass defines `factors`.

    Examples
    --------
    >>> class Inverse(Schedule):
    ...     def factors(self, positions):
    ...         return 1 / (1 + positions)
    >>> Inverse().factors(np.array([0.0, 1.0, 3.0]))
    array([1.  , 0.5 , 0.25])
    """

    @abstractmethod
    def factors(self, positions: Array) -> Array:
        """Return the factor of the learning rate at each of these positions.

        Parameters
        ----------
        positions : ndarray of float64, shape (n,)
            In epochs, from 0.

        Returns
        -------
        ndarray of float64, shape (n,)
            Finite, none below 0.
        """


_RANGES: dict[str, tuple[Callable[[float], bool], str]] = {
    "epochs": (lambda value: 0 < value < math.inf, "a number of epochs above 0"),
    "every": (lambda value: 0 < value < math.inf, "a number of epochs above 0"),
    "factor": (lambda value: 0 < value <= 1, "above 0 and at most 1"),
    "start": (lambda value: 0 <= value <= 1, "between 0 and 1, a share of the optimizer's learning rate"),
    "final": (lambda value: 0 <= value <= 1, "between 0 and 1, a share of the optimizer's learning rate"),
    "warm_up": (lambda value: 0 < value < 1, "above 0 and below 1, a share of the epochs"),
}
"""What the numbers that describe a schedule may be, and how to say so."""


@dataclass(frozen=True)
class _Described(Schedule):
    def __post_init__(self) -> None:
        for number in fields(self):
            if number.name not in _RANGES:
                continue
            in_range, expected = _RANGES[number.name]
            name = f"{number.name} of {type(self).__name__}"
            value = check_number(getattr(self, number.name), name)
            if not in_range(value):
                raise ArgumentError(f"{name} must be {expected}, got {value!r}")
            object.__setattr__(self, number.name, value)


@dataclass(frozen=True)
class Constant(_Described):
    """The optimizer's learning rate throughout.

    Examples
    --------
    >>> Constant().factors(np.array([0.0, 100.0]))
    array([1., 1.])
    """

    def factors(self, positions: Array) -> Array:
        """Return ones; see `Schedule.factors`."""
        return np.ones(np.shape(positions))


@dataclass(frozen=True)
class Step(_Described):
    """Step decay: the rate drops every few epochs and stays the same in between.

    Parameters
    ----------
    every : float > 0
        Epochs from one drop to the next.
    factor : float in (0, 1], default 0.1
        What the rate is multiplied by at each.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range, or not a number.

    Notes
    -----
    ``factor ** floor(position / every)``. PyTorch's ``StepLR`` and its example for ImageNet, a tenth every 30 epochs of
    90; `ReduceOnPlateau` finds the epochs itself.

    Examples
    --------
    >>> Step(10, 0.5).factors(np.array([0.0, 9.9, 10.0, 20.0]))
    array([1.  , 1.  , 0.5 , 0.25])
    """

    every: float
    factor: float = 0.1

    def factors(self, positions: Array) -> Array:
        """Return the stairs; see `Schedule.factors`."""
        drops = np.floor(np.divide(positions, self.every))
        return np.power(self.factor, drops)


@dataclass(frozen=True)
class Exponential(_Described):
    """Exponential decay: each epoch multiplies the rate by the same ratio, spread over its steps.

    Parameters
    ----------
    factor : float in (0, 1]
        What an epoch multiplies the rate by.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range, or not a number.

    Notes
    -----
    ``factor ** position``.

    Examples
    --------
    >>> Exponential(0.81).factors(np.array([0.0, 0.5, 1.0]))
    array([1.  , 0.9 , 0.81])
    """

    factor: float

    def factors(self, positions: Array) -> Array:
        """Return the decay; see `Schedule.factors`."""
        return np.power(self.factor, positions, dtype=np.float64)


@dataclass(frozen=True)
class Linear(_Described):
    """Linear decay.

    Parameters
    ----------
    epochs : float > 0
        How long it takes; afterwards the rate stays.
    final : float in [0, 1], default 0.0
        The factor at its end.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range, or not a number.

    Examples
    --------
    >>> Linear(10).factors(np.array([0.0, 5.0, 10.0, 15.0]))
    array([1. , 0.5, 0. , 0. ])
    """

    epochs: float
    final: float = 0.0

    def factors(self, positions: Array) -> Array:
        """Return the line; see `Schedule.factors`."""
        return self.final + (1 - self.final) * (1 - _progress(positions, self.epochs))


@dataclass(frozen=True)
class Cosine(_Described):
    """Cosine decay: the rate falls slowly at first, fast in the middle, slowly at the end.

    Parameters
    ----------
    epochs : float > 0
        How long it takes; afterwards the rate stays.
    final : float in [0, 1], default 0.0
        The factor at its end.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range, or not a number.

    Notes
    -----
    ``final + (1 - final) * (1 + cos(π position / epochs)) / 2`` (Loshchilov and Hutter 2017, "SGDR: stochastic gradient
    descent with warm restarts", equation 5). The restarts are fits of their own: a name, ``schedule="cosine"``, starts
    with its fit.

    Examples
    --------
    >>> Cosine(10).factors(np.array([0.0, 5.0, 10.0, 15.0])).round(4)
    array([1. , 0.5, 0. , 0. ])
    """

    epochs: float
    final: float = 0.0

    def factors(self, positions: Array) -> Array:
        """Return the half cosine; see `Schedule.factors`."""
        return self.final + (1 - self.final) * _half_cosine(_progress(positions, self.epochs))


@dataclass(frozen=True)
class OneCycle(_Described):
    """One cycle for the whole training: the rate rises from low to high, then falls to nearly zero.

    The optimizer's learning rate is the top, and may be several times what a constant rate could be.

    Parameters
    ----------
    epochs : float > 0
        How long it takes; afterwards the rate stays.
    warm_up : float in (0, 1), default 0.3
        The share of the epochs that goes up.
    start, final : float in [0, 1], default 0.04 and 0.0
        The factors at either end.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range, or not a number.

    Notes
    -----
    Smith and Topin 2019, "Super-convergence: very fast training of neural networks using large learning rates". They go
    up and down in straight lines of equal length, then some orders of magnitude lower for the rest. Here, as in fastai
    and PyTorch (``OneCycleLR``), both ways are half cosines and the second goes all the way. The momentum does not
    change.

    Examples
    --------
    >>> OneCycle(10).factors(np.array([0.0, 3.0, 6.5, 10.0])).round(4)
    array([0.04, 1.  , 0.5 , 0.  ])
    """

    epochs: float
    warm_up: float = 0.3
    start: float = 0.04
    final: float = 0.0

    def factors(self, positions: Array) -> Array:
        """Return the cycle; see `Schedule.factors`."""
        done = _progress(positions, self.epochs)
        up = np.minimum(done, self.warm_up) / self.warm_up
        down = np.maximum(done - self.warm_up, 0) / (1 - self.warm_up)
        rising = self.start + (1 - self.start) * (1 - _half_cosine(up))
        falling = self.final + (1 - self.final) * _half_cosine(down)
        return np.where(done < self.warm_up, rising, falling)


@dataclass(frozen=True)
class WarmUp(_Described):
    """Linear warm-up, followed by another schedule.

    Parameters
    ----------
    epochs : float > 0
        How long it takes; the other schedule's epochs are counted from there.
    then : Schedule, default Constant()
    start : float in [0, 1], default 0.04
        Where it starts, as a share of the other schedule's first rate. At 0 the first step would change nothing.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range or of the wrong type.

    Notes
    -----
    The gradual warm-up of Goyal et al. 2017, "Accurate, large minibatch SGD: training ImageNet in 1 hour", section 2.2.

    Examples
    --------
    >>> WarmUp(2, then=Linear(10), start=0.2).factors(np.array([0.0, 1.0, 2.0, 7.0, 12.0]))
    array([0.2, 0.6, 1. , 0.5, 0. ])
    """

    epochs: float
    then: Schedule = field(default_factory=Constant)
    start: float = 0.04

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.then, Schedule):
            raise ArgumentTypeError(f"then of WarmUp must be a schedule such as Cosine(10), got {self.then!r}")

    def factors(self, positions: Array) -> Array:
        """Return the line and what follows; see `Schedule.factors`."""
        first = self.then.factors(np.zeros(1))
        rising = first * (self.start + (1 - self.start) * _progress(positions, self.epochs))
        after = self.then.factors(np.maximum(np.subtract(positions, self.epochs), 0))
        return np.where(np.less(positions, self.epochs), rising, after)


def _progress(positions: Array, epochs: float) -> Array:
    """Share of the epochs that is over: from 0 to 1, and 1 from there on."""
    return np.minimum(positions, epochs) / epochs


def _half_cosine(share: Array) -> Array:
    """From 1 at 0 to 0 at 1."""
    half: Array = (1 + np.cos(np.pi * share)) / 2
    return half


SCHEDULES: dict[str, Callable[[float], Schedule]] = {
    "constant": lambda epochs: Constant(),
    "step": lambda epochs: Step(epochs / 3),
    "exponential": lambda epochs: Exponential(0.01 ** (1 / epochs)),
    "linear": Linear,
    "cosine": Cosine,
    "one_cycle": OneCycle,
    "warm_up": lambda epochs: WarmUp(epochs / 10),
}
"""Every schedule by name, made for so many epochs: "step" drops to a tenth after each third, "exponential" falls to a
hundredth, "warm_up" rises for the first tenth and then stays; the others have their defaults."""


def get_schedule(schedule: str | Schedule, epochs: float) -> Schedule:
    """Return the schedule of this name for so many epochs, or the one given.

    Parameters
    ----------
    schedule : str or Schedule
        One of `SCHEDULES`, or an object such as ``Cosine(10)``.
    epochs : float > 0
        How many a name's schedule takes; an object has its own.

    Returns
    -------
    Schedule

    Raises
    ------
    ArgumentError
        The name is unknown; the message offers the nearest one.
    ArgumentTypeError
        Neither a name nor a schedule.

    Examples
    --------
    >>> get_schedule("cosine", epochs=20)
    Cosine(epochs=20, final=0.0)
    """
    if isinstance(schedule, Schedule):
        return schedule
    if not isinstance(schedule, str):
        raise ArgumentTypeError(
            f"schedule must be a name ({', '.join(SCHEDULES)}) or an object such as Cosine(10), got {schedule!r}"
        )
    if schedule not in SCHEDULES:
        raise unknown_name("schedule", schedule, SCHEDULES)
    return SCHEDULES[schedule](epochs)


def checked_factors(schedule: Schedule, positions: Array) -> Array:
    """Return the factors of a schedule, which may be somebody's own, as what they must be.

    Parameters
    ----------
    schedule : Schedule
    positions : ndarray of float64, shape (n,)

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    ArgumentError, ArgumentTypeError
        They are not numbers, not one a position, not finite, or negative.
    """
    found: NDArray[Any] = np.asarray(schedule.factors(positions))
    if found.dtype.kind not in "fiu":
        raise ArgumentTypeError(f"factors of {schedule!r} must be numbers, got an array of {found.dtype}")
    if found.shape != positions.shape:
        raise ArgumentError(
            f"factors of {schedule!r} must be one a position, shape {positions.shape}, got shape {found.shape}"
        )
    factors = found.astype(np.float64, copy=False)
    wrong = ~(np.isfinite(factors) & (factors >= 0))
    if wrong.any():
        first = wrong.argmax()
        raise ArgumentError(
            f"factors of {schedule!r} must be finite and >= 0, got {factors[first]:g} at position {positions[first]:g}"
        )
    return factors
