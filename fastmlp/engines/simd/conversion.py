"""Data sets in the form the kernels take (floor 5; imports numpy, model, kernels, data)."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.dataset import Dataset
from ...data.samples import Samples, Scaling
from ...kernels.runtime import constants
from ...kernels.runtime.records import DENSE_BYTES, DENSE_NUMBERS, SPARSE_BYTES, SPARSE_NUMBERS, Rows, Targets
from ...kernels.runtime.simd import WIDEST
from ...kernels.sparse.eights import EIGHT
from ...kernels.sparse.microkernels import BLOCK
from ...model.architecture import Architecture
from ..base import Array
from .centring import without_centre
from .compression import compress, is_compact, plain

DENSE_FROM = 0.4
"""Share of non-zeros from which rows are multiplied densely: below it, skipping the zeros is faster (measured)."""

FILLED_FROM, FILLED_LEAST = 0.3, 32
"""Share of non-zeros from which a feature of sparse rows is multiplied densely in batches (measured), and how many such
features there have to be.
"""

EIGHTS_BYTES = 512
"""A row of the first layer's weights, at most, of which entries come in eights: they are worked off 4 vectors at a
time, and as much of longer rows would fall into few sets of L2.
"""

PARTED_ROWS, PARTED_FEATURES = 2048, 4096
"""Rows from which it pays to part filled features from the others, for a call of training puts the weights in another
order before, and back after it; and features up to which it is done: of a sparse matrix blocks of rows are made dense
meanwhile.
"""


@dataclass(frozen=True)
class Prepared:
    """A data set in the form the kernels take.

    Attributes
    ----------
    samples : Samples
    dtype : dtype
        Of the network.
    sparse : bool
        Whether rows are to be sparse ones.
    targets : Targets
    n_rows : int
    threads : int
        As asked for; 0 leaves it to the amount of work.
    density : float
        Share of the input's values that are multiplied in training.
    nonzero : float
        Share of them that are not zero.
    filled : ndarray of int64
        Of sparse rows, those features that batches multiply densely, in ascending order.
    by_eights : bool
        Whether the other entries of a row come in eights, where they are bytes.
    longest : int
        Entries of a sparse row, at most; 0: not known, counted when needed.
    layouts : dict
        Lists of what `layout` made for earlier passes of this architecture, by what was wanted: fresh memory costs
        more than a pass over few rows. And by the size of a batch alone, the `split_layer.Pace` of threads.
    entries : dict
        What `ownership.own_entries` found, by the filled features and the bounds of the parts.
    """

    samples: Samples
    dtype: np.dtype[Any]
    sparse: bool
    targets: Targets
    n_rows: int
    threads: int
    density: float
    nonzero: float
    filled: NDArray[np.int64]
    by_eights: bool
    longest: int = 0
    layouts: dict[tuple[int, ...], Any] = field(default_factory=dict)
    entries: dict[tuple[int, tuple[int, ...]], list[tuple[Array, Array]]] = field(default_factory=dict)

    @cached_property
    def rows(self) -> Rows:
        """The samples, all features in their order; everybody's, to be read only."""
        given = self.samples, self.dtype, self.sparse, self.threads
        return self.samples.forms("rows", lambda: _rows(*given), self.dtype, self.sparse)

    @cached_property
    def parted(self) -> Rows:
        """The samples as sparse rows, the `filled` features first and dense; see `kernels.sparse.parting`."""
        wanted = self.arrangement, len(self.filled), self.by_eights, self.threads
        kind = self.filled.tobytes(), self.by_eights, self.dtype
        return self.samples.forms("parted", lambda: _parted(self.samples, self.dtype, *wanted), *kind)

    @cached_property
    def arrangement(self) -> NDArray[np.int64]:
        """The features in the order in which `parted` has them."""
        return np.concatenate([self.filled, np.delete(np.arange(self.samples.n_features), self.filled)])


def prepare(
    architecture: Architecture, data: Dataset, threads: int, once: bool = False, sparse: bool | None = None
) -> Prepared:
    """See `Engine.prepare`; `sparse`, where it is not None, decides for sparse or dense rows whatever their density."""
    # A single forward pass over some thousand rows would spend a twentieth of its time on 512 of them.
    samples, looked_at = data.samples, 128 if once else 512
    density = samples.forms("density", lambda: samples.density(looked_at), looked_at)
    sparse = is_sparse(samples, density, once, sparse)
    filled = np.empty(0, np.int64)
    if sparse and not once:
        filled = samples.forms("filled features", lambda: filled_features(samples))
    return convert(architecture, data, threads, sparse, density, filled)


def is_sparse(samples: Samples, density: float, once: bool, sparse: bool | None) -> bool:
    """Whether rows are to be compressed; `sparse`, where it is not None, has decided."""
    if sparse is None:
        # To compress rows pays where they are used again; a single forward pass skips their zeros as it goes.
        return samples.sparse is not None or (density < DENSE_FROM and not once)
    return sparse


def filled_features(samples: Samples) -> NDArray[np.int64]:
    """The features that are seldom zero, whole cache lines of them: the most filled ones, in ascending order.

    None where registers have less than 512 bits: dense products are no faster there than entries that are listed.
    """
    if samples.n_rows < PARTED_ROWS or samples.n_features > PARTED_FEATURES or WIDEST < 512:
        return np.empty(0, np.int64)
    densities = samples.densities()
    count = int((densities >= FILLED_FROM).sum()) // 16 * 16
    count = count if FILLED_LEAST <= count < samples.n_features else 0
    return np.sort(np.argsort(-densities, kind="stable")[:count])


def convert(
    architecture: Architecture, data: Dataset, threads: int, sparse: bool, density: float, filled: NDArray[np.int64]
) -> Prepared:
    """Convert data of this density to sparse or dense rows, when they are needed."""
    samples = data.samples
    if data.weights is None:  # else it has weights of its own
        kind = data.targets, data.task, architecture.dtype, architecture.loss, architecture.label_smoothing
        targets = samples.forms("targets", lambda: _targets(architecture, data), *kind)
    else:
        targets = _targets(architecture, data)
    sparse = sparse or samples.sparse is not None
    work = density if sparse else 1.0
    by_eights = architecture.layers[0].stride * architecture.dtype.itemsize <= EIGHTS_BYTES
    return Prepared(
        samples, architecture.dtype, sparse, targets, samples.n_rows, threads, work, density, filled, by_eights
    )


def _rows(samples: Samples, dtype: np.dtype[Any], sparse: bool, threads: int) -> Rows:
    features = samples.n_features
    if samples.dense is not None and not sparse and samples.dense.dtype.itemsize > dtype.itemsize:
        # Scaled before it is rounded: float64 time stamps would lose what distinguishes them.
        samples = replace(samples, dense=samples.rows(slice(None), dtype), picked=None, scaling=Scaling())
    else:
        samples = without_centre(samples, dtype)
    scale, shift, _ = map(plain, samples.scaling.vectors(features, dtype))
    arrays = _no_arrays(dtype)
    if samples.sparse is not None:
        kind = _fill(arrays, is_compact(samples), samples.sparse.starts, samples.sparse.columns, samples.sparse.values)
    elif sparse:
        kind = _fill(arrays, is_compact(samples), *compress(samples, dtype, threads, np.arange(features), 0))
    else:
        assert samples.dense is not None
        if samples.dense.dtype == np.uint8:
            kind = DENSE_BYTES
            arrays["bytes"] = plain(samples.dense)
        else:
            kind = DENSE_NUMBERS
            arrays["numbers"] = plain(samples.dense.astype(dtype, copy=False))
    # Dense rows whose zeros are skipped are read from a row's room for entries.
    room = len(arrays["columns_16"]) + len(arrays["columns_32"]) if kind >= SPARSE_BYTES else features + BLOCK
    readable = room if is_even(scale) else 0
    described = {"kind": kind, "features": features, "readable": readable, "has_shift": bool(shift.any())}
    return Rows(dtype, **described, scale=scale, shift=shift, **arrays)


def _parted(
    samples: Samples,
    dtype: np.dtype[Any],
    arrangement: NDArray[np.int64],
    n_filled: int,
    by_eights: bool,
    threads: int,
) -> Rows:
    features, arrays = samples.n_features, _no_arrays(dtype)
    samples = without_centre(samples, dtype)
    scale, shift, _ = (plain(vector[arrangement]) for vector in samples.scaling.vectors(features, dtype))
    by_eights = by_eights and is_compact(samples) and is_even(scale)
    parts = compress(samples, dtype, threads, arrangement, n_filled, EIGHT if by_eights else 1)
    kind = _fill(arrays, is_compact(samples), *parts)
    readable = len(parts.columns) if is_even(scale) else 0
    described = {"kind": kind, "features": features, "readable": readable, "has_shift": bool(shift.any())}
    return Rows(dtype, **described, scale=scale, shift=shift, **arrays, filled=n_filled, by_eights=by_eights)


def _no_arrays(dtype: np.dtype[Any]) -> dict[str, Any]:
    return {
        "starts": np.empty(0, np.int64),
        "columns_16": np.empty(0, np.uint16),
        "columns_32": np.empty(0, np.uint32),
        "bytes": np.empty(0, np.uint8),
        "numbers": np.empty(0, dtype),
        "filled_bytes": np.empty(0, np.uint8),
        "filled_numbers": np.empty(0, dtype),
    }


def is_even(scale: Array) -> bool:
    """Whether all features have the same scale."""
    return bool((scale == scale[0]).all())


def _fill(
    arrays: dict[str, Any], compact: bool, starts: Array, columns: Array, values: Array, filled: Array | None = None
) -> int:
    """Enter sparse rows under the names of their dtypes; return their kind."""
    names = ("columns_16", "bytes", "filled_bytes") if compact else ("columns_32", "numbers", "filled_numbers")
    arrays["starts"] = plain(starts)
    for name, array in zip(names, (columns, values, filled), strict=True):
        if array is not None:
            arrays[name] = plain(array.astype(arrays[name].dtype, copy=False))
    return SPARSE_BYTES if compact else SPARSE_NUMBERS


def _targets(architecture: Architecture, data: Dataset) -> Targets:
    dtype = architecture.dtype
    labels, values = np.empty(0, np.int32), np.empty(0, dtype)
    if data.targets is not None and architecture.label_smoothing:
        # Kernels know labels and numbers, not what lies between: to smooth there would take a second to compile.
        wanted = data.targets.rows(slice(None), architecture.outputs, dtype)
        values = architecture.smoothed(wanted).reshape(-1)
    elif data.targets is not None and data.targets.labels is not None:
        labels = plain(data.targets.labels)
    elif data.targets is not None and data.targets.values is not None:
        values = plain(np.asarray(data.targets.values, dtype=dtype))
    weights = np.empty(0, dtype) if data.weights is None else data.weights.copy()
    return Targets(
        dtype,
        has_targets=int(data.targets is not None),
        task=getattr(constants, data.task.upper()),
        labelled=int(len(labels) > 0),
        weighted=int(len(weights) > 0),
        labels=labels,
        values=values,
        weights=weights,
    )
