"""Dilation, opening and connected pieces of images (floor 3; imports numpy).

Serra, "Image analysis and mathematical morphology" (1982).
"""

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


def dilated(values: Array, reach: int) -> Array:
    """Return the largest of `reach` neighbours on every side: of a square, by windows along each axis that double."""
    for axis in (0, 1):
        wide = np.pad(np.moveaxis(values, axis, 0), ((reach, reach), (0, 0)), constant_values=-np.inf)
        window, wanted = 1, 2 * reach + 1
        while window < wanted:
            by = min(window, wanted - window)
            wide = np.maximum(wide[: len(wide) - by], wide[by:])
            window += by
        values = np.moveaxis(wide, 0, axis)
    return values


def opened(tones: Array, width: float) -> Array:
    """Return tones without anything bright that is narrower than a width.

    What runs over the border of the picture is taken to go on behind it, as the shadow of a hand does.
    """
    reach = max(1, math.ceil(width / 2))
    # Dark specks, which would pull down the background all around them, go first.
    closed = -dilated(-dilated(tones, 1), 1)
    eroded = -dilated(np.pad(-closed, reach, constant_values=-np.inf), reach)
    return dilated(eroded, reach)[reach:-reach, reach:-reach]


def connected(mask: Mask) -> tuple[NDArray[np.int64], int]:
    """Number the connected pieces of a mask; pixels that touch at a corner are connected.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)

    Returns
    -------
    pieces : ndarray of int64, shape (height, width)
        0 outside of the mask, else from 1.
    n_pieces : int

    Notes
    -----
    What is connected are runs of pixels in a row, of which there are far fewer than pixels. Each takes the smallest
    number among its neighbours, and the number that this one has meanwhile, until nothing changes.

    Examples
    --------
    >>> connected(np.array([[1, 0, 1], [0, 1, 0], [0, 0, 0], [1, 1, 0]], dtype=bool))[0].tolist()
    [[1, 0, 1], [0, 1, 0], [0, 0, 0], [2, 2, 0]]
    """
    height, width = mask.shape
    stride = width + 1  # with a gap at the end of each row, so that no run goes on in the next
    flat = np.zeros(height * stride + 1, dtype=np.int8)
    flat[1:].reshape(height, stride)[:, :width] = mask
    steps = np.diff(flat, append=0)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    first = np.searchsorted(ends, starts + stride, side="left")
    counts = np.maximum(np.searchsorted(starts, ends + stride, side="right") - first, 0)
    upper = np.repeat(np.arange(len(starts)), counts)
    lower = np.arange(len(upper)) + np.repeat(first - (np.cumsum(counts) - counts), counts)
    numbers = np.arange(len(starts))
    while True:
        before = numbers.copy()
        least = np.minimum(numbers[upper], numbers[lower])
        np.minimum.at(numbers, upper, least)
        np.minimum.at(numbers, lower, least)
        numbers = numbers[numbers]
        if np.array_equal(before, numbers):
            break
    names, numbers = np.unique(numbers, return_inverse=True)
    pieces = np.zeros(height * stride, dtype=np.int64)
    np.add.at(pieces, starts, numbers + 1)
    np.add.at(pieces, ends, -(numbers + 1))
    return np.cumsum(pieces).reshape(height, stride)[:, :width], len(names)
