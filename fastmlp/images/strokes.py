"""The width of strokes, and thin ones made wider (floor 3; imports numpy).

MNIST's strokes are 2.4 of its pixels wide (the median; 1.7 to 3.3 are the middle eight tenths). A ball pen on a page,
or a line of one pixel, is a tenth of that, and scaled down to 20 pixels it is a grey shade of a digit.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

THINNEST = 0.07
"""Of the longer side of the box around a digit, the width from which strokes stay as they are: 1.4 of MNIST's 20
pixels. Hardly one of its digits is thinner."""

WIDENED = 0.105
"""Of the longer side, the width of strokes that were thinner: 2.1 of MNIST's pixels."""

_FINE = 160
"""Pixels of the longer side, at least, of an image in which strokes are made wider."""


def stroke_width(ink: NDArray[np.float64]) -> float:
    """Return the mean width of strokes, in pixels.

    A stroke has two sides: it is twice the area over the length of the outline. The outline of an image with soft
    edges is as long as its total variation (the coarea formula, Fleming and Rishel 1960).

    Parameters
    ----------
    ink : ndarray of float64, shape (height, width)
        From 0 to 1.

    Examples
    --------
    >>> line = np.zeros((100, 20))
    >>> line[:, 8:11] = 1.0
    >>> round(stroke_width(line), 1)
    2.9
    """
    wide = np.pad(_firm(ink), 1)
    outline = np.hypot(np.diff(wide, axis=0)[:, 1:], np.diff(wide, axis=1)[1:]).sum()
    return float(2 * wide.sum() / outline)


def with_wide_strokes(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """Widen strokes that are thinner than `THINNEST`, as a thicker pen draws them.

    Parameters
    ----------
    ink : ndarray of float64, shape (height, width)
        Cropped to a digit.

    Returns
    -------
    ndarray of float64
        The same image where strokes are wide enough, else a larger one.
    """
    side, width = max(ink.shape), stroke_width(ink)
    if width >= THINNEST * side:
        return ink
    missing = (WIDENED * side - width) / (1 - WIDENED)  # the box grows by as much as strokes do
    factor = -(-_FINE // side)
    reach = round(missing * factor / 2)
    fine = _firm(ink).repeat(factor, axis=0).repeat(factor, axis=1)
    return _drawn(np.pad(fine, reach), reach)


def _firm(ink: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ink without its noise; a thin line is as dark where it lies across two rows of pixels as where it lies in one."""
    return np.clip((ink - 0.1) / 0.4, 0.0, 1.0)


def _drawn(ink: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """The largest value in a disc around every pixel (a dilation), as its rows: windows that double."""
    windows = [np.pad(ink, reach)]  # windows[k][:, j] is the largest of 2**k pixels from j on
    while 2 ** len(windows) <= 2 * reach + 1:
        last, by = windows[-1], 2 ** (len(windows) - 1)
        windows.append(np.maximum(last[:, :-by], last[:, by:]))
    height, width = ink.shape
    drawn = ink.copy()
    for down in range(-reach, reach + 1):
        half = int(np.sqrt(reach**2 - down**2))
        level = (2 * half + 1).bit_length() - 1
        rows = windows[level][reach + down : reach + down + height]
        first, second = reach - half, reach + half + 1 - 2**level
        np.maximum(drawn, rows[:, first : first + width], out=drawn)
        np.maximum(drawn, rows[:, second : second + width], out=drawn)
    return drawn
