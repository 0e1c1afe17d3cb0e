"""How many digits there are in a picture (floor 3; imports numpy)."""

import numpy as np

from .morphology import Array, Mask, connected, dilated
from .pieces import Boxes, boxes
from .strokes import stroke_width

GAP = 0.1
"""Of the height of the tallest piece, how far apart pieces of one digit may be: strokes that don't quite meet."""

GAP_BELOW = 0.3
"""Of the height of the taller of two digits, how far one lies below the other at least."""

LEAST_HEIGHT = 0.5
"""Of the tallest digit's height, and of its own width, the height of a digit; what is lower is a stroke."""

LEAST_LENGTH = 3.0
"""Of the width of strokes, the height of a digit; what is lower is a dot."""

OVERLAP = 0.25
"""Of the narrower of two digits side by side, how much may lie above or below the other; of the lower one, how much has
to lie beside the other."""

_FULL = 0.25
"""Ink from which a pixel belongs to a stroke."""


def count_digits(ink: Array) -> int:
    """Count the digits that lie apart from each other, side by side or one below the other.

    Digits that touch are one, and so are strokes of one digit that don't quite meet.

    Parameters
    ----------
    ink : ndarray of float64, shape (height, width)
        From 0 to 1, as `find_ink` returns it.

    Examples
    --------
    >>> ink = np.zeros((30, 40))
    >>> ink[5:25, 8:12] = ink[5:25, 28:32] = 1.0
    >>> count_digits(ink)
    2
    """
    strokes = ink > _FULL
    pieces, n_pieces = connected(strokes)
    if n_pieces < 2:
        return n_pieces
    reach = round(GAP * boxes(pieces, n_pieces).height[1:].max() / 2)
    near = dilated(np.pad(strokes, reach).astype(np.float64), reach) > 0
    groups, n_groups = connected(near)
    height, width = ink.shape
    found = boxes(groups[reach : reach + height, reach : reach + width] * strokes, n_groups)
    least = np.maximum(LEAST_HEIGHT * np.maximum(found.height.max(), found.width), LEAST_LENGTH * stroke_width(ink))
    whole: list[list[int]] = []
    for number in np.flatnonzero(found.height >= least).tolist():
        meets = [digit for digit in whole if not all(_apart(found, number, other, strokes) for other in digit)]
        whole = [digit for digit in whole if digit not in meets]
        whole.append([number, *(other for digit in meets for other in digit)])
    return max(1, len(whole))


def _apart(found: Boxes, one: int, other: int, strokes: Mask) -> bool:
    """Whether two groups of strokes are two digits."""
    upper, lower = sorted((one, other), key=lambda number: int(found.top[number]))
    left, right = sorted((one, other), key=lambda number: int(found.left[number]))
    across = min(found.right[one], found.right[other]) - found.left[right] + 1
    down = min(found.bottom[one], found.bottom[other]) - found.top[lower] + 1
    beside = across <= OVERLAP * min(found.width[one], found.width[other])
    if beside and down >= OVERLAP * min(found.height[one], found.height[other]):
        return True
    # The parts of a digit that is broken in the middle lie one below the other too: closer, and they are flat.
    least = GAP_BELOW * max(found.height[one], found.height[other])
    if beside:
        return bool(-across >= least or -down >= least)
    right_end = max(found.right[one], found.right[other])
    between = strokes[found.bottom[upper] + 1 : found.top[lower], found.left[left] : right_end + 1]
    flat = any(found.height[number] < 0.8 * found.width[number] for number in (one, other))
    return not flat and not between.any() and len(between) >= least
