"""Points of a plane to learn from: generated, and added by hand (floor 10; imports numpy)."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = tuple[NDArray[np.float64], NDArray[Any]]
"""Coordinates, shape (n, 2), most of them between -1 and 1; and labels from 0, or numbers from -1 to 1."""


def _moons(rng: np.random.Generator, n: int) -> Points:
    y = np.arange(n) % 2
    angle = np.pi * rng.random(n)
    x = np.where(y == 0, np.cos(angle), 1 - np.cos(angle))
    return np.column_stack([(x - 0.5) / 1.7, (np.where(y == 0, np.sin(angle), 0.5 - np.sin(angle)) - 0.25) / 1.1]), y


def _circles(rng: np.random.Generator, n: int) -> Points:
    y = np.arange(n) % 2
    radius = np.where(y == 0, 0.3 * np.sqrt(rng.random(n)), 0.65 + 0.2 * rng.random(n))
    angle = 2 * np.pi * rng.random(n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]), y


def _spiral(rng: np.random.Generator, n: int) -> Points:
    y = np.arange(n) % 2
    along = np.sqrt(rng.random(n))
    angle = 1.75 * 2 * np.pi * along + np.pi * y
    return np.column_stack([0.9 * along * np.sin(angle), 0.9 * along * np.cos(angle)]), y


def _xor(rng: np.random.Generator, n: int) -> Points:
    X = rng.uniform(-0.9, 0.9, (n, 2))
    X += 0.06 * np.sign(X)
    return X, (X[:, 0] * X[:, 1] < 0).astype(float)


def _clusters(rng: np.random.Generator, n: int) -> Points:
    y = np.arange(n) % 3
    angle = np.pi / 2 + 2 * np.pi * y / 3
    return 0.55 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.14 * rng.normal(size=(n, 2)), y


def _wave(rng: np.random.Generator, n: int) -> Points:
    X = rng.uniform(-1, 1, (n, 2))
    return X, np.sin(3.5 * X[:, 0]) * np.cos(2 * X[:, 1])


def _hill(rng: np.random.Generator, n: int) -> Points:
    X = rng.uniform(-1, 1, (n, 2))
    return X, 2 * np.exp(-4 * (X**2).sum(axis=1)) - 1


def _none(rng: np.random.Generator, n: int) -> Points:
    return np.empty((0, 2)), np.empty(0)


DATA: dict[str, tuple[Callable[[np.random.Generator, int], Points], str]] = {
    "moons": (_moons, "classes"),
    "circles": (_circles, "classes"),
    "spiral": (_spiral, "classes"),
    "xor": (_xor, "classes"),
    "clusters": (_clusters, "classes"),
    "wave": (_wave, "numbers"),
    "hill": (_hill, "numbers"),
    "own": (_none, "classes"),
    "own numbers": (_none, "numbers"),
}
"""Name to what makes the points, and whether their targets are classes or numbers."""

FEATURES: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]] = {
    "x": lambda x, y: x,
    "y": lambda x, y: y,
    "x²": lambda x, y: x**2,
    "y²": lambda x, y: y**2,
    "xy": lambda x, y: x * y,
    "sin x": lambda x, y: np.sin(np.pi * x),
    "sin y": lambda x, y: np.sin(np.pi * y),
}
"""Inputs that a network of the plane may have, as functions of both coordinates."""


def generate(name: str, n: int, noise: float, seed: int) -> Points:
    """Return points; the same seed gives the same ones.

    Parameters
    ----------
    name : str
        Of `DATA`.
    n : int
    noise : float
        Standard deviation of what is added to the coordinates; to the targets, where these are numbers.
    seed : int
    """
    rng = np.random.default_rng(seed)
    make, kind = DATA[name]
    X, y = make(rng, n)
    y = y.astype(np.float64)
    if kind == "classes":
        X = X + noise * rng.normal(size=X.shape)
    else:
        y = y + noise * rng.normal(size=y.shape)
    order = rng.permutation(len(X))
    return X[order], y[order]


def inputs_of(features: tuple[str, ...], X: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the inputs of a network for some points, shape (n, features)."""
    return np.column_stack([FEATURES[name](X[:, 0], X[:, 1]) for name in features]).astype(np.float32)
