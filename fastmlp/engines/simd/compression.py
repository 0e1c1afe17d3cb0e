"""Rows made sparse ones, by several threads (floor 5; imports numpy, kernels, data)."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data.samples import Samples
from ...kernels.runtime.records import Parting
from ...kernels.sparse.microkernels import BLOCK
from ...kernels.sparse.parting import part_rows
from ..base import Array
from .threads import Team, available_threads

_BLOCK_ROWS = 1024
"""Rows that are compressed at a time: what becomes of them stays in the cache until it is copied to its place."""

_SHARED_FROM = 2**22
"""Numbers from which a second thread pays."""


class SparseForm(NamedTuple):
    """Rows of which only what isn't zero is there, but for some features; the arrays are those of `given.Rows`."""

    starts: NDArray[np.int64]
    columns: Array
    values: Array
    filled: Array


def is_compact(samples: Samples) -> bool:
    """Whether entries are 3 bytes each: the values are bytes, and columns fit in two."""
    stored = samples.sparse.values if samples.sparse is not None else samples.dense
    assert stored is not None
    return stored.dtype == np.uint8 and samples.n_features <= 2**16


def compress(
    samples: Samples, dtype: np.dtype[Any], threads: int, arrangement: Array, n_filled: int, multiple: int = 1
) -> SparseForm:
    """Return the rows of a data set as sparse rows, but of some features all values.

    Parameters
    ----------
    samples : Samples
    dtype : dtype
        Of the values, where they aren't compact.
    threads : int
        At most; 0 for as many as there are.
    arrangement : ndarray of int, shape (n_features,)
        The order that the features are to have.
    n_filled : int
        So many from the front are those of which all values are kept.
    multiple : int
        Every row has so many entries, or a multiple of them: the last may be zeros.
    """
    n_rows, features, compact = samples.n_rows, samples.n_features, is_compact(samples)
    column_type, value_type = (np.uint16, np.uint8) if compact else (np.uint32, dtype)
    names, chosen = np.empty(features, np.uint32), np.zeros(features, np.uint8)
    names[arrangement], chosen[arrangement[:n_filled]] = np.arange(features), 1
    parting = Parting(features=features, filled=n_filled, multiple=multiple, names=names, chosen=chosen)

    starts, filled = np.zeros(n_rows + 1, np.int64), np.empty((n_rows, n_filled), value_type)
    stretches = _stretches(samples, threads)
    places = np.zeros(len(stretches) + 1, np.int64)
    found: dict[int, tuple[Array, Array]] = {}

    def stored(rows: slice) -> Array:
        # In the dtype of the kernels: what is not zero in float64 may be in float32.
        block = samples.raw(rows)
        return block if compact else block.astype(dtype, copy=False)

    def count(number: int, first: int, last: int) -> None:
        # Compared first, because NumPy counts what is true several times faster than what is a float.
        blocks = (stored(rows) for rows in _blocks(first, last))
        places[number + 1] = sum(int(np.count_nonzero(block if compact else block != 0)) for block in blocks)

    # Of all entries nothing is kept twice: they are counted first. With some features apart the others' are few.
    if not n_filled:
        _share_out(count, stretches)
        np.cumsum(places, out=places)
    columns, values = np.empty(places[-1], column_type), np.empty(places[-1], value_type)

    def part(number: int, first: int, last: int) -> None:
        size, place = _BLOCK_ROWS * (features - n_filled + multiple) + BLOCK, int(places[number])
        own_columns, own_values = np.empty(size, column_type), np.empty(size, value_type)
        kept = np.empty(_BLOCK_ROWS * n_filled + BLOCK, value_type)
        for rows in _blocks(first, last):
            block, begins = stored(rows), np.empty(rows.stop - rows.start + 1, np.int64)
            part_rows(own_columns, own_values, begins, kept, plain(block), *parting.handle)
            there, end = slice(int(begins[-1])), place + int(begins[-1])
            starts[rows.start + 1 : rows.stop + 1] = np.diff(begins)
            if n_filled:
                filled[rows] = kept[: len(block) * n_filled].reshape(len(block), n_filled)
                found[rows.start] = own_columns[there].copy(), own_values[there].copy()
            else:
                columns[place:end], values[place:end] = own_columns[there], own_values[there]
            place = end

    _share_out(part, stretches)
    if n_filled:
        columns, values = (
            np.concatenate(blocks) for blocks in zip(*(found[first] for first in sorted(found)), strict=True)
        )
    return SparseForm(np.cumsum(starts), columns, values, filled.reshape(-1))


def _blocks(first: int, last: int) -> Iterator[slice]:
    for start in range(first, last, _BLOCK_ROWS):
        yield slice(start, min(start + _BLOCK_ROWS, last))


def _stretches(samples: Samples, threads: int) -> list[tuple[int, int, int]]:
    """Divide the rows among threads: the number of each, its first row, and the one behind its last."""
    count = min(threads or available_threads(), available_threads())
    if samples.n_rows * samples.n_features < _SHARED_FROM:
        count = 1
    ends = [samples.n_rows * end // count for end in range(count + 1)]
    return [(number, *rows) for number, rows in enumerate(pairwise(ends))]


def _share_out(work: Callable[[int, int, int], None], stretches: list[tuple[int, int, int]]) -> None:
    """Call ``work(number, first, last)`` for every stretch of rows, each on a thread of its own."""
    Team().run(lambda thread, threads, barrier, *stretch: work(*stretch), stretches)


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
    if not array.flags.aligned:
        array = array.copy()
    if array.size == 0:
        return np.empty(0, array.dtype)
    return array.reshape(-1) if array.flags.writeable else np.asarray(_Memory(array))
