"""Mean, deviation and range of every feature, of dense and of sparse rows (floor 4; imports numpy, errors)."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError
from .sparse import SparseRows

Vector = NDArray[np.float64]

# Rows, or values of sparse rows, that are held in float64 at a time: no float64 copy of all samples is needed.
_ROWS = 4096
_NUMBERS = 2**20
_VALUES = 2**20


def row_blocks(n_rows: int, size: int = _ROWS) -> Iterator[slice]:
    """Slices that cover `n_rows` rows, in order."""
    return (slice(start, min(start + size, n_rows)) for start in range(0, n_rows, size))


def mean_and_deviation(read: Callable[[slice], NDArray[Any]], n_rows: int, n_features: int) -> tuple[Vector, Vector]:
    """Mean and standard deviation (of the population) of each feature, the latter 1 for a constant feature.

    Parameters
    ----------
    read : callable
        ``read(rows)`` returns some rows, shape (n, n_features).
    n_rows : int >= 1
    n_features : int

    Raises
    ------
    ArgumentError
        A feature holds NaN, infinity or values too large to square.

    Examples
    --------
    >>> samples = np.array([[1.0, 7.0], [3.0, 7.0]])
    >>> mean_and_deviation(lambda rows: samples[rows], 2, 2)
    (array([2., 7.]), array([1., 1.]))
    """
    blocks = list(row_blocks(n_rows, max(1, min(_ROWS, _NUMBERS // max(1, n_features)))))
    least, largest = np.full(n_features, np.inf), np.full(n_features, -np.inf)
    total, squares = np.zeros(n_features), np.zeros(n_features)
    with np.errstate(over="ignore", invalid="ignore"):
        for rows in blocks:
            block = read(rows)
            least, largest = np.minimum(least, block.min(axis=0)), np.maximum(largest, block.max(axis=0))
            total += block.sum(axis=0, dtype=np.float64)
        mean = total / n_rows
        for rows in blocks:  # a second pass, since E[x²] - E[x]² cancels
            squares += np.square(read(rows) - mean).sum(axis=0)
    return _usable(mean, squares / n_rows, least, largest)


def sparse_mean_and_deviation(rows: SparseRows, n_features: int) -> tuple[Vector, Vector]:
    """As `mean_and_deviation`, of sparse rows, whose zeros are counted and never stored."""
    n_rows = len(rows.starts) - 1
    zeros = n_rows - np.bincount(rows.columns, minlength=n_features)
    least, largest = sparse_range(rows.columns, rows.values, zeros)
    total, squares = np.zeros(n_features), np.zeros(n_features)
    with np.errstate(over="ignore", invalid="ignore"):
        for block in row_blocks(len(rows.values), _VALUES):
            total += np.bincount(rows.columns[block], rows.values[block], n_features)
        mean = total / n_rows
        for block in row_blocks(len(rows.values), _VALUES):
            columns = rows.columns[block]
            squares += np.bincount(columns, np.square(rows.values[block] - mean[columns]), n_features)
        squares += zeros * np.square(mean)
    return _usable(mean, squares / n_rows, least, largest)


def sparse_range(columns: NDArray[Any], values: NDArray[Any], zeros: NDArray[Any]) -> tuple[Vector, Vector]:
    """Smallest and largest value of each feature, of which `zeros` says how many are not stored."""
    least, largest = np.where(zeros > 0, 0.0, np.inf), np.where(zeros > 0, 0.0, -np.inf)
    np.minimum.at(least, columns, values)
    np.maximum.at(largest, columns, values)
    return least, largest


def _usable(mean: Vector, variance: Vector, least: NDArray[Any], largest: NDArray[Any]) -> tuple[Vector, Vector]:
    usable = np.isfinite(mean) & np.isfinite(variance)
    if not usable.all():
        column = int(usable.argmin())
        raise ArgumentError(
            f"X[:, {column}] holds NaN, infinity or values too large to square "
            f"(from {least[column]} to {largest[column]}); replace them or leave the feature out"
        )
    deviation = np.sqrt(variance)
    # The mean of equal numbers need not be that number, nor their deviation 0, so equality is what is tested.
    constant = least == largest
    mean[constant] = least[constant]
    deviation[constant | (deviation == 0)] = 1.0
    return mean, deviation
