"""Connected pieces of ink, and which of them are the digit (floor 3; imports numpy).

Around a digit there may be the frame of a form, the axes of a plot, rules of the paper, strokes that run in over the
border of the picture, specks.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Mask = NDArray[np.bool_]

LEAST_SHARE = 0.03
"""Of the largest piece's ink, the share that another has to have to be no speck."""

BAND = 0.06
"""Of the sides of a frame's box, how far inward its lines reach."""

FRAME_IN_BAND = 0.8
"""Of a frame's pixels, how many at least lie in that band."""

LEAST_FRAMED = 0.02
"""Of a frame's ink, how much has to be within it, or else it is the digit."""

LEAST_INSIDE = 0.1
"""Of the rest of the ink, the share that has to be within a frame, or left without the pieces at the border."""

LONGER = 1.25
"""How many times as long as what else there is a rule of the paper is."""


class Boxes(NamedTuple):
    """Bounding boxes, an element for each piece; the last row and column belong to it."""

    top: Array
    bottom: Array
    left: Array
    right: Array

    @property
    def height(self) -> Array:
        """Rows."""
        return self.bottom - self.top + 1

    @property
    def width(self) -> Array:
        """Columns."""
        return self.right - self.left + 1


def boxes(pieces: NDArray[np.int64], n_pieces: int) -> Boxes:
    """Return the bounding box of every piece; number 0, which is none, has an empty one."""
    rows, columns = np.nonzero(pieces)
    numbers = pieces[rows, columns]
    found = []
    for places, side in ((rows, pieces.shape[0]), (columns, pieces.shape[1])):
        first, last = np.full(n_pieces + 1, side), np.full(n_pieces + 1, -1)
        np.minimum.at(first, numbers, places)
        np.maximum.at(last, numbers, places)
        found += [first, last]
    return Boxes(*found)


def of_digit(pieces: NDArray[np.int64], amounts: NDArray[np.float64]) -> Mask:
    """Choose the pieces that are the digit.

    Parameters
    ----------
    pieces : ndarray of int64, shape (height, width)
        As `connected` numbers them.
    amounts : ndarray of float64, shape (n_pieces + 1,)
        How much ink each piece has; 0 for what is known to be none.

    Returns
    -------
    ndarray of bool, shape (n_pieces + 1,)
    """
    found = boxes(pieces, len(amounts) - 1)
    kept = amounts > 0
    for number in np.argsort(-found.height * found.width, kind="stable"):
        if kept[number]:
            inside = _framed(number, pieces, found, kept)
            frame, within, total = amounts[number], amounts[inside].sum(), amounts[kept].sum()
            if inside.any() and within >= max(LEAST_FRAMED * frame, LEAST_INSIDE * (total - frame)):
                kept = inside
    kept = _without(_rules(found, amounts * kept, max(pieces.shape)), kept, amounts)
    kept = _without(_at_border(found, pieces.shape), kept, amounts)
    return np.asarray(kept & (amounts >= LEAST_SHARE * amounts[kept].max()))


def _framed(number: int, pieces: NDArray[np.int64], found: Boxes, kept: Mask) -> Mask:
    """Pieces within a frame or axes; none where the piece of this number is neither.

    Its lines lie along the sides of its box: all four, or some.
    """
    none = np.zeros_like(kept)
    top, bottom, left, right = (int(edges[number]) for edges in found)
    across, along = max(1, round(BAND * (bottom - top + 1))), max(1, round(BAND * (right - left + 1)))
    inside = (found.top >= top) & (found.bottom <= bottom) & (found.left >= left) & (found.right <= right) & kept
    inside[number] = False
    if not inside.any():
        return none
    own = pieces[top : bottom + 1, left : right + 1] == number
    in_middle = own[across : len(own) - across, along : own.shape[1] - along]
    return inside if in_middle.sum() <= (1 - FRAME_IN_BAND) * own.sum() else none


def _rules(found: Boxes, amounts: NDArray[np.float64], side: int) -> Mask:
    """Straight thin lines, along an axis of the picture, that are longer than the largest of the other pieces."""
    thin = max(2, round(0.03 * side))
    flat, upright = found.height <= thin, found.width <= thin
    largest = int(np.argmax(np.where(flat | upright, 0.0, amounts)))
    return np.asarray(
        flat & (found.width > LONGER * found.width[largest]) | upright & (found.height > LONGER * found.height[largest])
    )


def _at_border(found: Boxes, shape: tuple[int, ...]) -> Mask:
    """Pieces that run over the border of the picture."""
    near = max(shape) // 100
    height, width = shape
    return np.asarray(
        (found.top <= near)
        | (found.left <= near)
        | (found.bottom >= height - 1 - near)
        | (found.right >= width - 1 - near)
    )


def _without(litter: Mask, kept: Mask, amounts: NDArray[np.float64]) -> Mask:
    """What is kept without litter, if that is enough to be a digit."""
    rest = kept & ~litter
    return rest if amounts[rest].sum() >= LEAST_INSIDE * amounts[kept].sum() and rest.any() else kept
