"""Arrays that lie in a file: reading them without keeping what was read in memory (floor 4; imports numpy).

A page of a memory map that has been read counts as the process' memory until the system wants it back, which may be
never. So what goes through a whole file here gives the pages back (``madvise``) as it goes. They stay in the system's
cache of the file, where there is room, and reading them again costs little.
"""

import itertools
import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

WINDOW_BYTES = 2**21
"""Of a file so much, at most, becomes the process' own when it touches one byte: Linux maps large pages as a whole."""

READ_BYTES = 2**26
"""So many bytes of a map may be the process' own, when rows are read here and there, before they are given back."""

BLOCK_BYTES = 2**24
"""The same, when an array is read from end to end."""


def is_mapped(array: Array | None) -> bool:
    """Whether an array is a file's memory map, or a view of one: it is to stay on disk.

    Parameters
    ----------
    array : ndarray or None

    Examples
    --------
    >>> is_mapped(np.zeros(3))
    False
    """
    return _map_of(array) is not None


def blocks(array: Array) -> Iterator[tuple[int, Array]]:
    """Go through an array in stretches of its first axis, each given back to the file before the next is read.

    Parameters
    ----------
    array : ndarray
        Mapped or not.

    Yields
    ------
    first : int
        Where the stretch begins.
    block : ndarray
        A view, to be used before the next one is asked for.

    Examples
    --------
    >>> [first for first, block in blocks(np.zeros((5, 2)))]
    [0]
    """
    size = max(1, BLOCK_BYTES // max(1, array.nbytes // max(1, len(array))))
    for first in range(0, len(array), size):
        block = array[first : first + size]
        yield first, block
        give_back(block)


def take(array: Array, rows: NDArray[np.integer[Any]]) -> Array:
    """Copy rows of a mapped array, read in the order in which they lie in the file.

    Parameters
    ----------
    array : ndarray, shape (n_rows, n_features)
        Contiguous.
    rows : ndarray of int, shape (n,)
        From 0 to ``n_rows - 1``, in any order.

    Returns
    -------
    ndarray, shape (n, n_features)
    """
    out = np.empty((len(rows), *array.shape[1:]), array.dtype)
    order = np.argsort(rows, kind="stable")
    places = rows[order]
    row_bytes = array.strides[0]
    # Windows of the file that come with each row, those not counted that came with the row before.
    first, last = places * row_bytes // WINDOW_BYTES, ((places + 1) * row_bytes - 1) // WINDOW_BYTES
    new = last - first + 1
    new[1:] -= first[1:] <= last[:-1]
    groups = np.cumsum(new) // max(1, READ_BYTES // WINDOW_BYTES)
    edges = [0, *(np.flatnonzero(np.diff(groups)) + 1).tolist(), len(rows)]
    for begin, end in itertools.pairwise(edges):
        some = slice(begin, end)
        out[order[some]] = array[places[some]]
        if end > begin:
            give_back(array[places[begin] : places[end - 1] + 1])
    return out


def give_back(array: Array) -> None:
    """Let the system have the memory of the pages that a contiguous view of a map covers; of other arrays nothing.

    Pages that were changed in memory only (``mode="c"``) are kept: they exist nowhere else.
    """
    found = _map_of(array)
    if found is None or array.size == 0 or not hasattr(found, "madvise"):
        return
    start = array.ctypes.data - np.frombuffer(found, np.uint8).ctypes.data
    # With what came with them on either side.
    first = max(0, start - WINDOW_BYTES) // mmap.PAGESIZE * mmap.PAGESIZE
    found.madvise(mmap.MADV_DONTNEED, first, min(start + array.nbytes + WINDOW_BYTES, len(found)) - first)


def _map_of(array: Any) -> mmap.mmap | None:
    mapped = False
    while array is not None:
        if isinstance(array, np.memmap):
            if array.mode == "c":
                return None
            mapped = True
        if mapped and isinstance(array, mmap.mmap):
            return array
        array = getattr(array, "base", None)
    return None
