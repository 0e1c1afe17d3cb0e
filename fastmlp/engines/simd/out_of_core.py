"""Data sets that stay on disk, given to the kernels a part at a time (floor 5; imports numpy, model, data).

Kernels read rows from memory. Of a memory-mapped table some tens of megabytes are copied there, compressed where zeros
are skipped, and forgotten. A part is whole batches, so the bits are those of a table in memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.dataset import Dataset
from ...model.architecture import Architecture
from .conversion import Prepared, convert, filled_features, is_sparse

STAGE_BYTES = 2**26
"""Bytes of the file that are in memory at a time, or one batch where that is more."""


@dataclass(frozen=True)
class Staged:
    """A memory-mapped data set in the place of a `Prepared` one.

    Attributes
    ----------
    architecture : Architecture
    data : Dataset
    threads : int
    sparse : bool
        Whether its parts are compressed.
    density : float
        Share of its values that are not zero; measured once, so that all parts are treated alike.
    filled : ndarray of int64
        See `Prepared`; found once, too.
    layouts : dict
        Of the parts; see `Prepared`.
    """

    architecture: Architecture
    data: Dataset
    threads: int
    sparse: bool
    density: float
    filled: NDArray[np.int64]
    layouts: dict[tuple[int, ...], Any] = field(default_factory=dict)

    @property
    def n_rows(self) -> int:
        """Of all the data set."""
        return self.data.samples.n_rows

    def part(self, rows: NDArray[np.int64]) -> Prepared:
        """Rows of these numbers in memory, numbered from 0."""
        samples, some = self.data.samples, self.data.take(rows)
        data = replace(some, samples=replace(some.samples, dense=samples.raw(rows), picked=None))
        converted = convert(self.architecture, data, self.threads, self.sparse, self.density, self.filled)
        return replace(converted, longest=samples.n_features, layouts=self.layouts)


def stage(
    architecture: Architecture, data: Dataset, threads: int, once: bool = False, sparse: bool | None = None
) -> Staged:
    """Return mapped data in a form of which `parts` makes parts; as `conversion.prepare`."""
    density = data.samples.density(128 if once else 512)
    sparse = is_sparse(data.samples, density, once, sparse)
    filled = filled_features(data.samples) if sparse and not once else np.empty(0, np.int64)
    data = data if data.weights is None else replace(data, weights=data.weights.copy())  # `Engine.weigh` writes to it
    return Staged(architecture, data, threads, sparse, density, filled)


def parts(
    prepared: Prepared | Staged, order: NDArray[np.int64], batch_size: int
) -> Iterator[tuple[Prepared, NDArray[np.int64], slice]]:
    """Go through a data set in this order, whole batches at a time; in one go where it is in memory.

    Parameters
    ----------
    prepared : Prepared or Staged
    order : ndarray of int64
    batch_size : int

    Yields
    ------
    part : Prepared
    rows : ndarray of int64
        The order of the rows of the part.
    span : slice
        The stretch of `order` that they are.
    """
    if isinstance(prepared, Prepared):
        yield prepared, order, slice(0, len(order))
        return
    dense = prepared.data.samples.dense
    assert dense is not None
    size = max(1, STAGE_BYTES // dense.strides[0] // batch_size) * batch_size
    for start in range(0, len(order), size):
        span = slice(start, min(start + size, len(order)))
        yield prepared.part(order[span]), np.arange(span.stop - span.start), span
