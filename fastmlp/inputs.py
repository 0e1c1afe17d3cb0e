"""What `fit` was given, as the engines want it (floor 0; imports numpy and floor 0).

Samples stay in the form they came in: dense rows of uint8 or floats, or compressed sparse rows (CSR), with a scale
and a shift per feature beside them. So a matrix of pixels is never blown up into floats; an engine scales the rows of
a batch.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import ArgumentError, ArgumentTypeError

Array = NDArray[Any]

_ROWS_AT_A_TIME = 4096


@dataclass(frozen=True)
class Scaling:
    """The numbers a network sees: ``x * scale + shift``, feature by feature.

    Parameters
    ----------
    scale, shift : float or ndarray of shape (n_features,)

    Examples
    --------
    >>> Scaling.pixels().apply(np.array([[0, 255]], dtype=np.uint8))
    array([[0., 1.]])
    """

    scale: float | Array = 1.0
    shift: float | Array = 0.0

    def __post_init__(self) -> None:
        for name in ("scale", "shift"):
            try:
                value = np.asarray(getattr(self, name), dtype=np.float64)
            except (TypeError, ValueError):
                raise ArgumentTypeError(
                    f"{name} of a Scaling must be a number, or one per feature; got {getattr(self, name)!r}"
                ) from None
            if value.ndim > 1 or not np.isfinite(value).all():
                raise ArgumentError(f"{name} of a Scaling must be one finite number, or one per feature; got {value!r}")
            object.__setattr__(self, name, float(value) if value.ndim == 0 else value)

    @classmethod
    def pixels(cls, low: float = 0.0, high: float = 1.0) -> "Scaling":
        """Pixels 0 to 255 to the range from `low` to `high`."""
        return cls((high - low) / 255.0, low)

    @classmethod
    def standardize(cls, X: Any) -> "Scaling":
        """Zero mean and unit variance for every feature of `X`, shape (n_samples, n_features); a constant feature
        stays as it is, less its mean.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            As in `Network.fit`.
        """
        samples = as_samples(X)
        total, squares = np.zeros(samples.n_features), np.zeros(samples.n_features)
        blocks = [
            slice(start, min(start + _ROWS_AT_A_TIME, samples.n_rows))
            for start in range(0, samples.n_rows, _ROWS_AT_A_TIME)
        ]
        for block in blocks:
            total += samples.raw(block).astype(np.float64).sum(axis=0)
        mean = total / samples.n_rows
        for block in blocks:  # a second pass, since E[x²] - E[x]² cancels
            squares += ((samples.raw(block).astype(np.float64) - mean) ** 2).sum(axis=0)
        deviation = np.sqrt(squares / samples.n_rows)
        deviation[deviation <= 1e-12 * np.maximum(np.abs(mean), 1)] = 1.0
        return cls(1.0 / deviation, -mean / deviation)

    def vectors(self, n_features: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
        """Scale and shift as vectors of shape (n_features,).

        Raises
        ------
        ArgumentError
            They are vectors of another length.
        """
        for value in (self.scale, self.shift):
            if isinstance(value, np.ndarray) and value.shape != (n_features,):
                raise ArgumentError(f"scaling has {value.shape[0]} features, but X has {n_features}")
        scale = np.ascontiguousarray(np.broadcast_to(np.asarray(self.scale, dtype=dtype), (n_features,)))
        return scale, np.ascontiguousarray(np.broadcast_to(np.asarray(self.shift, dtype=dtype), (n_features,)))

    def apply(self, X: Array, dtype: Any = np.float64) -> Array:
        """Return the scaled rows, shape as `X`, in `dtype`."""
        scale, shift = self.vectors(X.shape[-1], np.dtype(dtype))
        scaled: Array = X.astype(dtype) * scale + shift
        return scaled


@dataclass(frozen=True)
class SparseRows:
    """Compressed sparse rows: of row ``i``, the columns and values from ``starts[i]`` to ``starts[i + 1]``.

    Attributes
    ----------
    starts : ndarray of int64, shape (n_rows + 1,)
    columns : ndarray of int, shape (n_values,)
    values : ndarray, shape (n_values,)
    """

    starts: NDArray[np.int64]
    columns: NDArray[Any]
    values: Array


@dataclass(frozen=True)
class Samples:
    """The rows of a data set.

    Attributes
    ----------
    n_rows, n_features : int
    dense : ndarray of uint8, float32 or float64, shape (n_rows, n_features), or None
        C-contiguous, perhaps read-only or memory-mapped.
    sparse : SparseRows or None
        One of the two is there.
    scaling : Scaling
    """

    n_rows: int
    n_features: int
    dense: Array | None
    sparse: SparseRows | None
    scaling: Scaling = Scaling()

    def raw(self, rows: Any) -> Array:
        """Rows as they came, dense; `rows` is a slice or an array of row numbers."""
        if self.dense is not None:
            return np.asarray(self.dense[rows])
        assert self.sparse is not None
        numbers = np.arange(self.n_rows)[rows]
        block = np.zeros((len(numbers), self.n_features), dtype=self.sparse.values.dtype)
        for i, number in enumerate(numbers):
            span = slice(self.sparse.starts[number], self.sparse.starts[number + 1])
            block[i, self.sparse.columns[span]] = self.sparse.values[span]
        return block

    def rows(self, rows: Any, dtype: np.dtype[Any]) -> Array:
        """Rows as the network sees them: dense and scaled, in `dtype`."""
        return self.scaling.apply(self.raw(rows), dtype)

    def density(self) -> float:
        """Share of the values that are not zero, measured on up to 4096 rows spread over the data set."""
        if self.sparse is not None:
            return len(self.sparse.values) / max(1, self.n_rows * self.n_features)
        assert self.dense is not None
        block = self.dense[:: max(1, self.n_rows // _ROWS_AT_A_TIME)]
        return float(np.count_nonzero(block)) / max(1, block.size)


def as_samples(X: Any, n_features: int | None = None, scaling: Scaling | None = None, name: str = "X") -> Samples:
    """Check what a user gave as samples, and wrap it without copying where that is possible.

    Parameters
    ----------
    X : array_like, shape (n_samples, n_features)
        An array (float32, float64, uint8; other numbers become floats), a list of rows, a DataFrame, a SciPy sparse
        matrix, a memory map. Images of shape (n, height, width) are taken as rows of pixels.
    n_features : int, optional
        How many are expected.
    scaling : Scaling, optional
        By default uint8 pixels go to [0, 1] and all else stays as it is.
    name : str, default "X"
        Of the argument, for error messages.

    Returns
    -------
    Samples

    Raises
    ------
    ArgumentError
        Not two-dimensional, no rows, another number of features, or NaN or infinity among the values.
    ArgumentTypeError
        Not numbers.

    Examples
    --------
    >>> as_samples([[0.0, 1.0]]).n_features
    2
    """
    samples = _as_sparse(X, name) if hasattr(X, "tocsr") else _as_dense(X, name)
    if samples.n_rows == 0:
        raise ArgumentError(f"{name} has no rows; at least one sample is needed")
    if n_features is not None and samples.n_features != n_features:
        raise ArgumentError(
            f"{name} has {samples.n_features} features, but the network was built for {n_features} inputs"
        )
    stored = samples.dense if samples.dense is not None else samples.sparse.values if samples.sparse else None
    assert stored is not None
    if scaling is None:
        scaling = Scaling.pixels() if stored.dtype == np.uint8 else Scaling()
    scaling.vectors(samples.n_features, np.dtype(np.float32))  # raises where the length is wrong
    return Samples(samples.n_rows, samples.n_features, samples.dense, samples.sparse, scaling)


def _as_sparse(X: Any, name: str) -> Samples:
    matrix = X.tocsr()
    if matrix.ndim != 2:
        raise ArgumentError(f"{name} must be two-dimensional, got shape {matrix.shape}")
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    values = _as_numbers(matrix.data, name)
    rows = SparseRows(np.asarray(matrix.indptr, dtype=np.int64), matrix.indices, values)
    _check_finite(values, name, rows)
    return Samples(matrix.shape[0], matrix.shape[1], None, rows)


def _as_dense(X: Any, name: str) -> Samples:
    try:
        array = X if isinstance(X, np.ndarray) else np.asarray(X)
    except ValueError as error:
        raise ArgumentError(
            f"{name} must be a table of numbers: rows of the same length; NumPy says: {error}"
        ) from None
    if array.ndim == 3:
        array = array.reshape(len(array), math.prod(array.shape[1:]))
    if array.ndim != 2:
        hint = f"; for one sample give {name}.reshape(1, -1)" if array.ndim == 1 else ""
        raise ArgumentError(f"{name} must be two-dimensional, (n_samples, n_features); got shape {array.shape}{hint}")
    array = np.ascontiguousarray(_as_numbers(array, name))
    _check_finite(array, name)
    return Samples(array.shape[0], array.shape[1], array, None)


def _as_numbers(array: Array, name: str) -> Array:
    if array.dtype in (np.uint8, np.float32, np.float64) and array.dtype.isnative:
        return array
    if array.dtype == object:
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ArgumentTypeError(f"{name} must hold numbers only; NumPy says: {error}") from None
    if array.dtype.kind == "f":
        return array.astype(np.float32 if array.dtype.itemsize <= 4 else np.float64)
    if array.dtype.kind in "iub":
        return array.astype(np.float32 if array.dtype.itemsize <= 2 else np.float64)
    raise ArgumentTypeError(
        f"{name} must hold numbers, got dtype {array.dtype}; encode text and dates as numbers first"
    )


def _check_finite(array: Array, name: str, sparse: SparseRows | None = None) -> None:
    if array.dtype.kind != "f":
        return
    for start in range(0, len(array), _ROWS_AT_A_TIME):
        block = array[start : start + _ROWS_AT_A_TIME]
        bad = ~np.isfinite(block)
        if bad.any():
            place = tuple(np.argwhere(bad)[0])
            row, *column = start + place[0], *place[1:]
            if sparse is not None:
                row, *column = np.searchsorted(sparse.starts, row, side="right") - 1, sparse.columns[row]
            raise ArgumentError(
                f"{name} must be finite, but the value at row {row}, column {column[0]} is {block[place]}; "
                "drop such rows or fill in the missing values first"
            )


def memory_range(samples: Samples, rows: int = _ROWS_AT_A_TIME) -> tuple[float, float]:
    """Smallest and largest scaled value among the first `rows` rows, for messages."""
    block = samples.rows(slice(0, rows), np.dtype(np.float64))
    smallest, largest = float(block.min()), float(block.max())
    return (smallest, largest) if math.isfinite(smallest) and math.isfinite(largest) else (math.nan, math.nan)
