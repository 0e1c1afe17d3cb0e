"""How weights and biases start (floor 1; imports numpy, checks, errors).

An initializer is a frozen description; `draw` makes the numbers with a NumPy `Generator`, in float64, so that a
network has the same start in either dtype up to rounding.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_number
from ..errors import ArgumentError, ArgumentTypeError, unknown_name

Array = NDArray[Any]


def _make_plain(initializer: object, *names: str) -> None:
    """Check the numbers of an initializer, and keep them as Python's."""
    for name in names:
        value = check_number(getattr(initializer, name), f"{name} of an initializer")
        object.__setattr__(initializer, name, value)


@dataclass(frozen=True)
class Zeros:
    """All zeros: the usual start of biases.

    Examples
    --------
    >>> Zeros().draw(np.random.default_rng(0), (2,), 784, 50)
    array([0., 0.])
    """

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        """Return zeros of `shape`; see `Normal.draw`."""
        return np.zeros(shape)


@dataclass(frozen=True)
class Normal:
    """Independent numbers from a normal distribution.

    Parameters
    ----------
    std : float, default 1.0
        Standard deviation.
    mean : float, default 0.0

    Examples
    --------
    >>> Normal(0.1).draw(np.random.default_rng(0), (2,), 784, 50).round(4)
    array([ 0.0126, -0.0132])
    """

    std: float = 1.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        _make_plain(self, "std", "mean")
        if not (math.isfinite(self.std) and self.std >= 0 and math.isfinite(self.mean)):
            raise ArgumentError(
                f"std must be a finite number >= 0 and mean finite, got std={self.std}, mean={self.mean}"
            )

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        """Draw the numbers.

        Parameters
        ----------
        generator : numpy.random.Generator
            Where the randomness comes from.
        shape : tuple of int
            (fan_in, fan_out) for weights, (fan_out,) for a bias.
        fan_in, fan_out : int
            Units before and in the layer.

        Returns
        -------
        ndarray of float64
        """
        return generator.normal(self.mean, self.std, shape)


@dataclass(frozen=True)
class Uniform:
    """Independent numbers from a uniform distribution over [low, high).

    Parameters
    ----------
    low, high : float, default -0.05 and 0.05

    Examples
    --------
    >>> Uniform(-0.1, 0.1).draw(np.random.default_rng(0), (2,), 784, 50).round(4)
    array([ 0.0274, -0.046 ])
    """

    low: float = -0.05
    high: float = 0.05

    def __post_init__(self) -> None:
        _make_plain(self, "low", "high")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ArgumentError(f"low and high must be finite with low <= high, got low={self.low}, high={self.high}")

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        """Draw the numbers; see `Normal.draw`."""
        return generator.uniform(self.low, self.high, shape)


@dataclass(frozen=True)
class VarianceScaling:
    """Random numbers of mean zero and variance ``gain / fan``.

    Parameters
    ----------
    gain : float
        1 for xavier and lecun, 2 for he.
    fan : {"in", "average"}
        The number of units the variance is divided by: those before the layer, or the mean of before and in it.
    distribution : {"normal", "uniform"}
        Uniform numbers lie within ±sqrt(3 gain / fan), which has the same variance.

    Examples
    --------
    >>> he_normal = VarianceScaling(2.0, "in", "normal")
    >>> float(he_normal.draw(np.random.default_rng(0), (784, 50), 784, 50).var().round(4))
    0.0026
    """

    gain: float
    fan: str
    distribution: str

    def __post_init__(self) -> None:
        _make_plain(self, "gain")
        if not (math.isfinite(self.gain) and self.gain >= 0):
            raise ArgumentError(f"gain must be finite and >= 0, got {self.gain}")
        if not isinstance(self.fan, str) or self.fan not in ("in", "average"):
            raise ArgumentError(f"fan must be 'in' or 'average', got {self.fan!r}")
        if not isinstance(self.distribution, str) or self.distribution not in ("normal", "uniform"):
            raise ArgumentError(f"distribution must be 'normal' or 'uniform', got {self.distribution!r}")

    def draw(self, generator: np.random.Generator, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Array:
        """Draw the numbers; see `Normal.draw`."""
        fan = fan_in if self.fan == "in" else 0.5 * (fan_in + fan_out)
        variance = self.gain / fan
        if self.distribution == "normal":
            return generator.normal(0.0, math.sqrt(variance), shape)
        limit = math.sqrt(3.0 * variance)
        return generator.uniform(-limit, limit, shape)


Initializer = Zeros | Normal | Uniform | VarianceScaling

INITIALIZERS: dict[str, Initializer] = {
    "zeros": Zeros(),
    "normal": Normal(),
    "uniform": Uniform(),
    "xavier_normal": VarianceScaling(1.0, "average", "normal"),
    "xavier_uniform": VarianceScaling(1.0, "average", "uniform"),
    "he_normal": VarianceScaling(2.0, "in", "normal"),
    "he_uniform": VarianceScaling(2.0, "in", "uniform"),
    "lecun_normal": VarianceScaling(1.0, "in", "normal"),
    "lecun_uniform": VarianceScaling(1.0, "in", "uniform"),
}
"""Every initializer by name: zeros, normal (N(0, 1)), uniform (±0.05), xavier_* (Glorot and Bengio 2010), he_* (He et
al. 2015), lecun_* (LeCun et al. 1998). `Normal`, `Uniform` and `VarianceScaling` make others."""


def get_initializer(initializer: str | Initializer, auto: str | None = None) -> Initializer:
    """Return the initializer of this name, or the one given.

    Parameters
    ----------
    initializer : str or initializer
        One of `INITIALIZERS`, or an object such as ``Normal(0.1)``.
    auto : str, optional
        What the name "auto" stands for; by default it is none.

    Returns
    -------
    initializer

    Raises
    ------
    ArgumentError
        The name is unknown; the message offers the nearest one.
    ArgumentTypeError
        Neither a name nor an initializer.

    Examples
    --------
    >>> get_initializer("normal")
    Normal(std=1.0, mean=0.0)
    """
    if isinstance(initializer, Zeros | Normal | Uniform | VarianceScaling):
        return initializer
    known = INITIALIZERS if auto is None else {"auto": INITIALIZERS[auto], **INITIALIZERS}
    if not isinstance(initializer, str):
        raise ArgumentTypeError(
            f"initializer must be a name ({', '.join(known)}) or an object such as Normal(0.1), got {initializer!r}"
        )
    if initializer not in known:
        raise unknown_name("initializer", initializer, known)
    return known[initializer]
