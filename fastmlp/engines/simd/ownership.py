"""What each thread owns of the parameters, and alone keeps up to date (floor 5; imports numpy, model, kernels).

Rows of every weight matrix: a gradient is a sum over the rows of a chunk, and so each thread has whole sums, whose bits
don't depend on how many threads there are. On sparse rows a thread owns columns of the first layer's weights instead:
going forward it meets all features, and so needs no weights of others. Where there are more threads than cache lines
in a row of weights, several own the same columns, each for its part of the features. Going forward each of them takes
its part of the rows of a chunk, and so they do hand weights to one another.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...kernels.runtime.fields import Records
from ...kernels.runtime.records import SPARSE_BYTES, Rows
from ...kernels.runtime.records import Layer as LayerRecord
from ...kernels.runtime.simd import WIDEST
from ...model.architecture import Architecture, Layer
from ..base import Array
from .conversion import Prepared

_PARTS_FROM = 16.0
"""Entries of a feature in a chunk, on average, from which it pays to divide features: with fewer, handing weights on
takes longer than it saves. 784-16-10 on two threads, without and with parts: 32 and 41 ms an epoch in batches of 32, 29
and 25 in batches of 100, 28 and 20 in batches of 500 (2 cores of a Xeon, November 2026).
"""

PANEL = max(16, 2 * WIDEST // 32)
"""Rows of weights that become whole panels of their transpose, see `kernels.dense.products.pack_transposed`."""

_DENSE_PER_ENTRY = 4
"""Numbers of dense rows that are multiplied in the time of one entry, about (measured)."""


class Division(NamedTuple):
    """How the parameters are divided among threads.

    Attributes
    ----------
    owners : int
        How many threads there are.
    by_columns : bool
        Whether they own columns of the first layer's weights.
    bounds : tuple of int
        Where the parts begin, and the last one ends, into which the features are divided among threads that own the
        same columns.
    """

    owners: int
    by_columns: bool
    bounds: tuple[int, ...]

    @property
    def parts(self) -> int:
        """How many these are."""
        return len(self.bounds) - 1


def divide(
    architecture: Architecture, prepared: Prepared, rows: Rows, owners: int, by_columns: bool, entries: float
) -> Division:
    """Divide the parameters among so many threads; a feature has so many `entries` in a chunk, on average."""
    parts = _parts(architecture, prepared, owners, entries) if by_columns else 1
    return Division(owners, by_columns, _bounds(rows, parts))


def _parts(architecture: Architecture, prepared: Prepared, threads: int, entries: float) -> int:
    """Into how many parts the features are divided: where there are more threads than cache lines in a row of weights.

    The entries of a row have to be in the order of the features.
    """
    if entries < _PARTS_FROM:
        return 1
    lines = -(-architecture.layers[0].stride // 16)  # as `piece` divides them
    parts = max(parts for parts in range(1, max(1, threads // lines) + 1) if threads % parts == 0)
    given = prepared.samples.sparse
    if parts == 1 or given is None or prepared.n_rows == 0:
        return parts
    ascending = given.columns[1:] > given.columns[:-1]
    firsts = given.starts[(0 < given.starts) & (given.starts < len(given.columns))]
    ascending[firsts - 1] = True
    return parts if ascending.all() else 1


def _bounds(rows: Rows, parts: int) -> tuple[int, ...]:
    """Divide the features in parts of about the same work: whole cache lines."""
    if parts == 1:
        return 0, rows.features
    columns = rows.columns_16 if rows.kind == SPARSE_BYTES else rows.columns_32
    work = np.bincount(columns[: rows.starts[-1]], minlength=rows.features).astype(float)
    work[: rows.filled] += (len(rows.starts) - 1) / _DENSE_PER_ENTRY
    shares = np.searchsorted(np.cumsum(work), work.sum() * np.arange(1, parts) / parts)
    inner = np.minimum(-(-shares // 16) * 16, rows.features)
    return 0, *inner.tolist(), rows.features


def own_entries(prepared: Prepared, rows: Rows, division: Division, n: int) -> list[dict[str, Array]]:
    """Say for each of `n` threads, in terms of `Work`, where in sparse rows its features' entries begin and end."""
    key = rows.filled, division.bounds
    if key not in prepared.entries:
        inner = [_entries_below(rows, bound) for bound in division.bounds[1:-1]]
        prepared.entries[key] = list(pairwise([rows.starts[:-1], *inner, rows.starts[1:]]))
    parts = prepared.entries[key]
    return [dict(zip(("first_entries", "end_entries"), parts[k * len(parts) // n], strict=True)) for k in range(n)]


def _entries_below(rows: Rows, bound: int) -> NDArray[np.int64]:
    """Where in each row the entries of features from `bound` on begin: behind those before, and behind no filling."""
    columns, values = (rows.columns_16, rows.bytes) if rows.kind == SPARSE_BYTES else (rows.columns_32, rows.numbers)
    starts, size = rows.starts, rows.starts[-1]
    below = columns[:size] < bound
    if rows.by_eights:
        below &= values[:size] != 0
    counted = np.concatenate(([0], np.cumsum(below)))[starts]
    return np.asarray(starts[:-1] + np.diff(counted))


def owned(layers: Records, architecture: Architecture, division: Division, thread: int) -> Records:
    """Copy the layers for a thread, and enter what it owns: whole cache lines.

    Rows of every weight matrix, and the biases in turns; or columns of the first layer, of all rows or of a part.
    """
    copy, threads = layers.copy(), division.owners
    part, place = divmod(thread, threads // division.parts)
    for number, (own, layer) in enumerate(zip(copy, architecture.layers, strict=True)):
        rows = piece(layer.fan_in, thread, threads, PANEL if own.together else 16)
        columns = 0, layer.stride
        bias = (0, layer.stride if number % threads == thread else 0)
        if number == 0 and division.by_columns:
            rows = division.bounds[part], division.bounds[part + 1]
            columns = piece(layer.stride, place, threads // division.parts)
            bias = columns
            # Kept close together: a part of longer rows would fall into a part of the cache's sets.
            own.weights_stride = columns[1] - columns[0]
            own.weights = layer.weights_start + (layer.fan_in - 1) * columns[0]
        own.first_row, own.end_row = rows
        own.first_column, own.end_column = columns
        own.first_bias, own.end_bias = bias
    return copy


def piece(size: int, thread: int, threads: int, line: int = 16) -> tuple[int, int]:
    """First and last of a thread's share of so many numbers, in lines of 16, or of another length."""
    first, last = (min(round(size * end / threads / line) * line, size) for end in (thread, thread + 1))
    return first, size if thread == threads - 1 else last


def hand_over(
    architecture: Architecture,
    whole: Array,
    own: Array,
    layers: Records,
    arrangement: NDArray[np.int64] | None = None,
) -> None:
    """Copy a vector to that of a thread, of the first layer's weights the columns that it owns, by its layers."""
    mine, layer = layers[0], architecture.layers[0]
    end = layer.weights_start + layer.fan_in * layer.stride
    weights = whole[layer.weights_start : end].reshape(layer.fan_in, layer.stride)
    own[end:] = whole[end:]
    columns = weights[:, mine.first_column : mine.end_column]
    _own_weights(own, layer, mine)[...] = columns if arrangement is None else columns[arrangement]


def take_over(
    architecture: Architecture,
    whole: Array,
    own: Array,
    layers: Records,
    arrangement: NDArray[np.int64] | None = None,
) -> None:
    """Copy what a thread owns of a vector, by its layers, to the whole one."""
    for number, (mine, layer) in enumerate(zip(layers, architecture.layers, strict=True)):
        end = layer.weights_start + layer.fan_in * layer.stride
        weights = whole[layer.weights_start : end].reshape(layer.fan_in, layer.stride)
        rows: Any = slice(mine.first_row, mine.end_row)
        part = _own_weights(own, layer, mine)[rows]
        if number == 0 and arrangement is not None:
            rows = arrangement[rows]
        weights[rows, mine.first_column : mine.end_column] = part
        if layer.bias_start >= 0:
            numbers = slice(layer.bias_start + mine.first_bias, layer.bias_start + mine.end_bias)
            whole[numbers] = own[numbers]


def _own_weights(own: Array, layer: Layer, mine: LayerRecord) -> Array:
    """View the columns of a layer's weights that a thread owns in its vector, all rows of them."""
    apart, width = mine.weights_stride, mine.end_column - mine.first_column
    start = layer.weights_start + layer.fan_in * mine.first_column
    return own[start : start + layer.fan_in * apart].reshape(layer.fan_in, apart)[:, :width]
