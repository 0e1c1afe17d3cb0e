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


def mean_and_deviation(
    read: Callable[[slice], NDArray[Any]], n_rows: int, n_features: int, weights: Vector | None = None
) -> tuple[Vector, Vector]:
    """Mean and standard deviation (of the population) of each feature, the latter 1 for a constant feature.

    Parameters
    ----------
    read : callable
        ``read(rows)`` returns some rows, shape (n, n_features).
    n_rows : int >= 1
    n_features : int
    weights : ndarray of float64, shape (n_rows,), optional
        Of the rows: finite, none negative, some above 0. A row of weight 0 counts for nothing, whatever it holds.

    Raises
    ------
    ArgumentError
        A feature holds NaN, infinity or values too large to square.

    Notes
    -----
    The corrected two-pass algorithm (Chan, Golub and LeVeque 1983): the second pass sums deviations from a rounded
    mean, and what these sum up to corrects both results.

    Examples
    --------
    >>> samples = np.array([[1.0, 7.0], [3.0, 7.0], [100.0, 0.0]])
    >>> mean_and_deviation(lambda rows: samples[rows], 3, 2, np.array([1.0, 1.0, 0.0]))
    (array([2., 7.]), array([1., 1.]))
    """
    weights = _relative(weights)
    total_weight = float(n_rows) if weights is None else float(weights.sum())
    least, largest = np.full(n_features, np.inf), np.full(n_features, -np.inf)
    total, offset, squares = np.zeros((3, n_features))

    def counted() -> Iterator[tuple[Vector, Vector | float]]:
        for rows in row_blocks(n_rows, max(1, min(_ROWS, _NUMBERS // max(1, n_features)))):
            block, factors = np.asarray(read(rows), dtype=np.float64), 1.0 if weights is None else weights[rows, None]
            if isinstance(factors, np.ndarray) and not factors.all():
                there = factors[:, 0] > 0
                block, factors = block[there], factors[there]
            if len(block):
                yield block, factors

    with np.errstate(over="ignore", invalid="ignore"):
        for block, factors in counted():
            least, largest = np.minimum(least, block.min(axis=0)), np.maximum(largest, block.max(axis=0))
            total += (block * factors).sum(axis=0)
        mean = total / total_weight
        for block, factors in counted():  # a second pass, since E[x²] - E[x]² cancels
            difference = block - mean
            offset += (difference * factors).sum(axis=0)
            squares += (np.square(difference) * factors).sum(axis=0)
    return _usable(mean, offset / total_weight, squares / total_weight, least, largest)


def sparse_mean_and_deviation(
    rows: SparseRows, n_features: int, weights: Vector | None = None
) -> tuple[Vector, Vector]:
    """As `mean_and_deviation`, of sparse rows, whose zeros are counted and never stored."""
    weights = _relative(weights)
    if weights is not None and not weights.all():
        there = np.flatnonzero(weights)
        rows, weights = rows.take(there), weights[there]
    n_rows = len(rows.starts) - 1
    zeros = n_rows - np.bincount(rows.columns, minlength=n_features)
    least, largest = sparse_range(rows.columns, rows.values, zeros)
    total_weight, zero_weight, factors = float(n_rows), zeros.astype(np.float64), None
    if weights is not None:
        total_weight, factors = float(weights.sum()), np.repeat(weights, np.diff(rows.starts))
        stored = np.bincount(rows.columns, factors, n_features)
        zero_weight = np.where(zeros > 0, np.maximum(total_weight - stored, 0.0), 0.0)

    def summed(what: Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]) -> Vector:
        """Sum of ``what(values, their columns)`` by feature, weighted."""
        sums = np.zeros(n_features)
        for block in row_blocks(len(rows.values), _VALUES):
            columns = rows.columns[block]
            terms = what(rows.values[block].astype(np.float64), columns)
            sums += np.bincount(columns, terms if factors is None else terms * factors[block], n_features)
        return sums

    with np.errstate(over="ignore", invalid="ignore"):
        mean = summed(lambda values, columns: values) / total_weight
        offset = summed(lambda values, columns: values - mean[columns]) - zero_weight * mean
        squares = summed(lambda values, columns: np.square(values - mean[columns])) + zero_weight * np.square(mean)
    return _usable(mean, offset / total_weight, squares / total_weight, least, largest)


def _relative(weights: Vector | None) -> Vector | None:
    """Weights of which the largest is 1, so that sums don't overflow, and equal ones change no bit."""
    return None if weights is None else weights / weights.max()


def sparse_range(columns: NDArray[Any], values: NDArray[Any], zeros: NDArray[Any]) -> tuple[Vector, Vector]:
    """Smallest and largest value of each feature, of which `zeros` says how many are not stored."""
    least, largest = np.where(zeros > 0, 0.0, np.inf), np.where(zeros > 0, 0.0, -np.inf)
    np.minimum.at(least, columns, values)
    np.maximum.at(largest, columns, values)
    return least, largest


def _usable(
    mean: Vector, offset: Vector, squares: Vector, least: NDArray[Any], largest: NDArray[Any]
) -> tuple[Vector, Vector]:
    """Return mean and deviation from a rounded mean and what the values differ from it, on average and squared."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean, variance = mean + offset, np.maximum(squares - np.square(offset), 0.0)
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
