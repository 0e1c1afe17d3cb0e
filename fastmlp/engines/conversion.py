"""Data sets in the form the kernels take (floor 2; imports numpy, kernels, floor 0)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..architecture import Architecture
from ..inputs import Samples
from ..kernels import codes
from ..kernels.given import DENSE_BYTES, DENSE_NUMBERS, SPARSE_BYTES, SPARSE_NUMBERS, Rows, Wanted
from ..kernels.sparse import compress_rows
from ..kernels.sparse_microkernels import BLOCK
from ..losses import smoothed
from .base import Array, Data

DENSE_FROM = 0.4
"""Share of non-zeros from which rows are multiplied densely: below it, skipping the zeros is faster (measured)."""


@dataclass(frozen=True)
class Prepared:
    """A data set in the form the kernels take.

    Attributes
    ----------
    rows, wanted : named tuples of `fastmlp.kernels.steps`
    n_rows : int
    threads : int
        As asked for; 0 leaves it to the amount of work.
    density : float
        Share of the input's values that are multiplied in training.
    nonzero : float
        Share of them that are not zero.
    longest_row : int
        Entries of a sparse row, at most.
    layouts : dict
        What `_layout` made for earlier passes of this architecture, by its other arguments: fresh memory costs more
        than a pass over few rows. And by the size of a batch alone, the `halves.Pace` of threads.
    """

    rows: Rows
    wanted: Wanted
    n_rows: int
    threads: int
    density: float
    nonzero: float
    longest_row: int
    layouts: dict[tuple[int, ...], Any] = field(default_factory=dict)


def prepare(
    architecture: Architecture, data: Data, threads: int, once: bool = False, sparse: bool | None = None
) -> Prepared:
    """See `Engine.prepare`; `sparse`, where it is not None, decides for sparse or dense rows whatever their density."""
    # A single forward pass over some thousand rows would spend a twentieth of its time on 512 of them.
    density = data.samples.density(128 if once else 512)
    return convert(architecture, data, threads, is_sparse(data.samples, density, once, sparse), density)


def is_sparse(samples: Samples, density: float, once: bool, sparse: bool | None) -> bool:
    """Whether rows are to be compressed; `sparse`, where it is not None, has decided."""
    if sparse is None:
        # To compress rows pays where they are used again; a single forward pass skips their zeros as it goes.
        return samples.sparse is not None or (density < DENSE_FROM and not once)
    return sparse


def convert(architecture: Architecture, data: Data, threads: int, sparse: bool, density: float) -> Prepared:
    """Convert data of this density to sparse or dense rows."""
    rows = _rows(data.samples, architecture.dtype, sparse)
    longest = int(np.diff(rows.starts).max(initial=0))
    work = density if sparse else 1.0
    return Prepared(rows, _wanted(architecture, data), data.samples.n_rows, threads, work, density, longest)


def _rows(samples: Samples, dtype: np.dtype[Any], sparse: bool) -> Rows:
    features = samples.n_features
    scale, shift = map(plain, samples.scaling.vectors(features, dtype))
    arrays: dict[str, Any] = {
        "starts": np.empty(0, np.int64),
        "columns_16": np.empty(0, np.uint16),
        "columns_32": np.empty(0, np.uint32),
        "bytes": np.empty(0, np.uint8),
        "numbers": np.empty(0, dtype),
    }
    if samples.sparse is not None or sparse:
        kind = _fill_sparse(arrays, samples, dtype)
    else:
        assert samples.dense is not None
        if samples.dense.dtype == np.uint8:
            kind = DENSE_BYTES
            arrays["bytes"] = plain(samples.dense)
        else:
            kind = DENSE_NUMBERS
            if samples.dense.dtype.itemsize > dtype.itemsize:
                # Scaled before it is rounded: float64 time stamps would lose what distinguishes them.
                arrays["numbers"] = plain(samples.rows(slice(None), dtype))
                scale, shift = np.ones_like(scale), np.zeros_like(shift)
            else:
                arrays["numbers"] = plain(samples.dense.astype(dtype, copy=False))
    # Dense rows whose zeros are skipped are read from a row's room for entries.
    room = len(arrays["columns_16"]) + len(arrays["columns_32"]) if kind >= SPARSE_BYTES else features + BLOCK
    readable = room if is_even(scale) else 0
    return Rows(kind, features, int(bool(shift.any())), readable, scale, shift, **arrays)


def is_even(scale: Array) -> bool:
    """Whether all features have the same scale."""
    return bool((scale == scale[0]).all())


def _fill_sparse(arrays: dict[str, Any], samples: Samples, dtype: np.dtype[Any]) -> int:
    stored = samples.sparse.values if samples.sparse is not None else samples.dense
    assert stored is not None
    compact = stored.dtype == np.uint8 and samples.n_features <= 2**16
    columns, values = ("columns_16", "bytes") if compact else ("columns_32", "numbers")
    column_type, value_type = arrays[columns].dtype, arrays[values].dtype
    if samples.sparse is not None:
        arrays["starts"] = plain(samples.sparse.starts)
        arrays[columns] = plain(samples.sparse.columns.astype(column_type, copy=False))
        arrays[values] = plain(samples.sparse.values.astype(value_type, copy=False))
    else:
        assert samples.dense is not None
        # Counted in the dtype of the kernels: what is not zero in float64 may be in float32.
        dense = samples.dense if compact else np.asarray(samples.dense, dtype=dtype)
        blocks = (dense[first : first + 4096] for first in range(0, samples.n_rows, 4096))
        # Compared first, because NumPy counts what is true several times faster than what is a float.
        entries = sum(int(np.count_nonzero(block if compact else block != 0)) for block in blocks)
        starts = np.empty(samples.n_rows + 1, dtype=np.int64)
        filled = np.empty(entries + BLOCK, column_type), np.empty(entries + BLOCK, value_type)
        compress_rows(*filled, starts, plain(dense), samples.n_features)
        arrays["starts"], arrays[columns], arrays[values] = starts, filled[0][:entries], filled[1][:entries]
    return SPARSE_BYTES if compact else SPARSE_NUMBERS


def _wanted(architecture: Architecture, data: Data) -> Wanted:
    dtype = architecture.dtype
    labels, values = np.empty(0, np.int32), np.empty(0, dtype)
    if data.targets is not None and architecture.label_smoothing:
        # Kernels know labels and numbers, not what lies between: to smooth there would take a second to compile.
        wanted = data.targets.rows(slice(None), architecture.outputs, dtype)
        values = smoothed(wanted, architecture.label_smoothing).reshape(-1)
    elif data.targets is not None and data.targets.labels is not None:
        labels = plain(data.targets.labels)
    elif data.targets is not None and data.targets.values is not None:
        values = plain(np.asarray(data.targets.values, dtype=dtype))
    weights = np.empty(0, dtype) if data.weights is None else plain(np.asarray(data.weights, dtype=dtype))
    return Wanted(
        has_targets=int(data.targets is not None),
        task=getattr(codes, data.task.upper()),
        labelled=int(len(labels) > 0),
        weighted=int(len(weights) > 0),
        labels=labels,
        values=values,
        weights=weights,
    )


class _Memory:
    """Passes an array's memory on as writable: to Numba, read-only arrays are another type, and would compile all
    anew.
    """

    def __init__(self, array: Array) -> None:
        self.array = array
        self.__array_interface__ = {
            "shape": (array.size,),
            "typestr": array.dtype.str,
            "data": (array.ctypes.data, False),
            "version": 3,
        }


def plain(array: Array) -> Array:
    """The numbers of an array as a flat, contiguous one of the only kind that kernels know; they never write to it."""
    array = np.ascontiguousarray(array)
    if array.size == 0:
        return np.empty(0, array.dtype)
    return array.reshape(-1) if array.flags.writeable else np.asarray(_Memory(array))
