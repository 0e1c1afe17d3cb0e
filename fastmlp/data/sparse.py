"""Compressed sparse rows, checked (floor 4; imports numpy, errors)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError

Array = NDArray[Any]


@dataclass(frozen=True)
class SparseRows:
    """Compressed sparse rows: of row ``i``, the columns and values from ``starts[i]`` to ``starts[i + 1]``.

    Attributes
    ----------
    starts : ndarray of int64, shape (n_rows + 1,)
    columns : ndarray of int, shape (n_values,)
        Ascending within a row, none twice.
    values : ndarray, shape (n_values,)
    """

    starts: NDArray[np.int64]
    columns: NDArray[Any]
    values: Array

    def dense(self, rows: NDArray[np.integer[Any]], n_features: int) -> Array:
        """Rows of these numbers with all their zeros, shape (n, n_features)."""
        block = np.zeros((len(rows), n_features), dtype=self.values.dtype)
        for i, row in enumerate(rows):
            span = slice(self.starts[row], self.starts[row + 1])
            block[i, self.columns[span]] = self.values[span]
        return block

    def take(self, rows: NDArray[np.integer[Any]]) -> "SparseRows":
        """Rows of these numbers, as sparse as they are."""
        lengths = np.diff(self.starts)[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        # Of the k-th value taken: where its row begins in the old arrays, plus its place within the row.
        places = np.repeat(self.starts[rows] - starts[:-1], lengths) + np.arange(starts[-1])
        return SparseRows(starts, self.columns[places], self.values[places])

    def less(self, origin: NDArray[np.float64]) -> "SparseRows":
        """Rows minus `origin`, shape (n_features,), in float64: features where it is not 0 have all values stored."""
        n_rows, features = len(self.starts) - 1, np.flatnonzero(origin)
        rows = np.repeat(np.arange(n_rows), np.diff(self.starts))
        moved = origin[self.columns] != 0
        block = np.tile(-origin[features], (n_rows, 1))
        block[rows[moved], np.searchsorted(features, self.columns[moved])] += self.values[moved]
        rows = np.concatenate([rows[~moved], np.repeat(np.arange(n_rows), len(features))])
        columns = np.concatenate([self.columns[~moved], np.tile(features, n_rows)])
        values = np.concatenate([self.values[~moved], block.reshape(-1)])
        # Two ascending stretches, which a stable sort merges.
        order = np.argsort(rows * len(origin) + columns, kind="stable")
        starts = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n_rows))]).astype(np.int64)
        return SparseRows(starts, columns[order], values[order])


def as_sparse_rows(X: Any, name: str) -> tuple[SparseRows, int]:
    """Return a SciPy sparse matrix as checked rows, and its number of features.

    SciPy believes the indices it is given; kernels would read and write wherever they point.

    Parameters
    ----------
    X : SciPy sparse matrix or array
    name : str
        For messages.

    Raises
    ------
    ArgumentError
        Not two-dimensional, or indices or row starts that are none.
    """
    if X.ndim != 2:
        raise ArgumentError(f"{name} must be two-dimensional, got shape {X.shape}")
    if getattr(X, "format", "") in ("csc", "bsr"):
        _check_indices(X, name)  # for tocsr writes where they point, too
    matrix = X.tocsr()
    _check_indices(matrix, name)
    if not in_order(matrix.indptr, matrix.indices[: matrix.indptr[-1]]):
        matrix = matrix.copy()
        # Both are cached, and wrong where indices were changed after they had been asked for.
        matrix.has_canonical_format = matrix.has_sorted_indices = False
        matrix.sum_duplicates()
    starts = np.asarray(matrix.indptr, dtype=np.int64)
    return SparseRows(starts, matrix.indices[: starts[-1]], matrix.data[: starts[-1]]), matrix.shape[1]


def _check_indices(matrix: Any, name: str) -> None:
    across = matrix.format == "csc"
    height, width = matrix.blocksize if matrix.format == "bsr" else (1, 1)
    lines, limit = matrix.shape[across] // (width if across else height), matrix.shape[1 - across] // width
    starts, indices = matrix.indptr, matrix.indices
    for part, array in (("indptr", starts), ("indices", indices)):
        if array.dtype.kind not in "iu" or array.ndim != 1:
            raise ArgumentError(
                f"{name} is a damaged sparse matrix: its {part} must be a vector of whole numbers, but has dtype "
                f"{array.dtype} and shape {array.shape}; build it with scipy.sparse.csr_array"
            )
    if matrix.format != "bsr" and matrix.data.ndim != 1:
        raise ArgumentError(
            f"{name} is a damaged sparse matrix: its data must be a vector, but have the shape {matrix.data.shape}; "
            "build it with scipy.sparse.csr_array"
        )
    if len(starts) != lines + 1 or starts[0] != 0 or (starts[1:] < starts[:-1]).any():
        raise ArgumentError(
            f"{name} is a damaged sparse matrix: its indptr must be {lines + 1} numbers that start at 0 and never "
            "fall; build it with scipy.sparse.csr_array((values, (rows, columns)), shape=...)"
        )
    if not starts[-1] <= len(indices) == len(matrix.data):
        raise ArgumentError(
            f"{name} is a damaged sparse matrix: its indptr ends at {starts[-1]}, but it has {len(indices)} indices "
            f"and {len(matrix.data)} values; build it with scipy.sparse.csr_array((values, (rows, columns)), shape=...)"
        )
    used = indices[: starts[-1]]
    if used.size and not (used.min() >= 0 and used.max() < limit):
        wrong = used.min() if used.min() < 0 else used.max()
        raise ArgumentError(
            f"{name} is a damaged sparse matrix: it has the {'row' if across else 'column'} index {wrong}, but indices "
            f"go from 0 to {limit - 1}; if they count from 1, as in LIBSVM files, subtract 1 from them, or give the "
            "matrix a larger shape"
        )


def in_order(starts: NDArray[Any], columns: NDArray[Any]) -> bool:
    """Whether columns strictly ascend within every row."""
    ascending = columns[1:] > columns[:-1]
    first = starts[1:-1]
    # From one row to the next a column may be anything.
    ascending[first[(first > 0) & (first < len(columns))] - 1] = True
    return bool(ascending.all())
