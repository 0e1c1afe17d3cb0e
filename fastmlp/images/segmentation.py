"""Which parts of a picture are ink (floor 3; imports numpy).

A drawing has a background of one tone, and what differs from it is ink. A photograph has light that changes from place
to place, perhaps a shadow, the edge of the paper, noise. There the background is what is left when everything narrower
than a stroke can be is taken away (a morphological opening, Serra 1982), and ink is what stands out from it.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

LEAST_CONTRAST = 0.04
"""By how much of the range from black to white ink has to differ from its background."""

ONE_TONE = 0.02
"""Tones that differ by no more are one, where it is asked whether the border of a picture has one tone."""

LEAST_SHARE = 0.03
"""Of the largest connected piece of ink, the share that another has to have to be no speck."""

STROKE = 0.3
"""Of the longer side of a picture, more than the width of any stroke."""

_DARKEST_PAPER = 0.2

_SIDE_OF_OPENING = 128
"""Pixels of the longer side in which the opening is computed; the background changes slowly."""


def find_ink(tones: Array) -> Array | None:
    """Find how much ink there is at every pixel.

    Parameters
    ----------
    tones : ndarray of float64, shape (height, width)
        From dark to light or the other way round, in units in which black and white are 1 apart.

    Returns
    -------
    ndarray of float64, shape (height, width), or None
        From 0, none, to 1, where the ink is full. None for a picture on which nothing stands out.

    Examples
    --------
    >>> page = np.ones((30, 30))
    >>> page[5:25, 12:16] = 0.2
    >>> find_ink(page)[15, 10:18].tolist()
    [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    border = _tone_of_border(tones)
    if border is not None:
        level, noise = border
        difference = tones - level
        bright = np.maximum(difference, 0.0)
        dark = np.maximum(-difference, 0.0)
        return _whole_strokes(bright if (bright**2).sum() >= (dark**2).sum() else dark, noise)
    upright = tones if _ink_is_bright(tones) else -tones
    background = _background(upright)
    contrast = upright - background
    if tones.min() >= 0 and upright is not tones:
        contrast /= np.maximum(-background, _DARKEST_PAPER)  # ink takes away a share of the light that falls on paper
    contrast -= np.median(contrast)
    noise = 1.4826 * float(np.median(np.abs(contrast)))  # the standard deviation, of which ink tells nothing
    return _whole_strokes(np.maximum(contrast, 0.0), noise, photographed=True)


def _tone_of_border(tones: Array) -> tuple[float, float] | None:
    """The tone of a drawing's background, and its noise; None where the border has many tones."""
    border = np.concatenate([tones[0], tones[-1], tones[:, 0], tones[:, -1]])
    level = float(np.median(border))
    near = (border - level)[np.abs(border - level) <= ONE_TONE]
    return (level, float(near.std())) if len(near) >= 0.75 * len(border) else None


def _ink_is_bright(tones: Array) -> bool:
    """Whether the fewer pixels, which are ink, are brighter than their surroundings: the sign of the skewness of the
    tones, once the slope of the light is taken away.
    """
    step = max(1, max(tones.shape) // 64)
    some = tones[step // 2 :: step, step // 2 :: step]
    rest = some - _slope(some)
    return bool(((rest - np.median(rest)) ** 3).mean() > 0)


def _slope(tones: Array) -> Array:
    """The light as a polynomial of second degree, fitted to the least absolute deviation, which ink does not move
    (iteratively reweighted least squares).
    """
    y, x = (axis / max(1, n - 1) - 0.5 for axis, n in zip(np.indices(tones.shape), tones.shape, strict=True))
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).reshape(-1, 6)
    values, weights = tones.ravel(), np.ones(tones.size)
    for _ in range(12):
        scaled = terms * weights[:, None]
        # A little is added to the diagonal: a picture of one row has nothing to say about columns.
        factors = np.linalg.solve(scaled.T @ terms + 1e-9 * np.eye(6), scaled.T @ values)
        weights = 1.0 / np.maximum(np.abs(values - terms @ factors), 1e-3)
    return (terms @ factors).reshape(tones.shape)


def _background(tones: Array) -> Array:
    """Tones without anything bright that is narrower than `STROKE`."""
    small, factor = shrink(tones, _SIDE_OF_OPENING)
    reach = max(1, math.ceil(STROKE * max(small.shape) / 2))
    for axis in (0, 1):
        small = -_running_maximum(-small, reach, axis)
    for axis in (0, 1):
        small = _running_maximum(small, reach, axis)
    # Steps at the edges of the small pixels would look like strokes.
    rows, columns = ((np.arange(n) + 0.5) / factor - 0.5 for n in tones.shape)
    return _between(_between(small, rows, 0), columns, 1)


def shrink(values: NDArray[Any], side: int) -> tuple[NDArray[np.float64], int]:
    """Average blocks of pixels until no side of an image is longer than `side`.

    Parameters
    ----------
    values : ndarray, shape (height, width) or (height, width, channels)
    side : int

    Returns
    -------
    smaller : ndarray of float64
    factor : int
        Pixels of a side of a block; 1 where the image was small enough.
    """
    factor = -(-max(values.shape[:2]) // side)
    smaller = values.astype(np.float64) if factor == 1 else values
    for axis in (0, 1):
        n = values.shape[axis]
        if factor > 1:
            edges = np.arange(0, n, factor)
            counts = np.diff(np.append(edges, n)).astype(np.float64)
            sums = np.add.reduceat(smaller, edges, axis=axis, dtype=np.float64)
            smaller = sums / counts.reshape([-1 if i == axis else 1 for i in range(values.ndim)])
    return smaller, factor


def _running_maximum(values: Array, reach: int, axis: int) -> Array:
    """The largest of `reach` neighbours on either side, by windows that double."""
    n = values.shape[axis]
    reach = min(reach, n - 1)
    padding = [(reach, reach) if i == axis else (0, 0) for i in range(2)]
    wide = np.moveaxis(np.pad(values, padding, constant_values=-np.inf), axis, 0)
    window, wanted = 1, 2 * reach + 1
    while window < wanted:
        by = min(window, wanted - window)
        wide = np.maximum(wide[: len(wide) - by], wide[by:])
        window += by
    return np.moveaxis(wide, 0, axis)


def _between(values: Array, positions: Array, axis: int) -> Array:
    """Interpolate linearly along an axis; beyond the ends there is what is at the ends."""
    positions = np.clip(positions, 0, values.shape[axis] - 1)
    first = np.minimum(positions.astype(np.int64), max(0, values.shape[axis] - 2))
    second = np.minimum(first + 1, values.shape[axis] - 1)
    share = positions - first
    share = share[:, None] if axis == 0 else share
    return np.asarray(np.take(values, first, axis) * (1 - share) + np.take(values, second, axis) * share)


def _whole_strokes(contrast: Array, noise: float, photographed: bool = False) -> Array | None:
    """Turn contrast into ink: without noise, specks and what runs over the border of a photograph."""
    peak = float(_smooth(contrast).max())
    if peak < max(LEAST_CONTRAST / 2, 4 * noise) or contrast.max() < LEAST_CONTRAST:
        return None
    low, high = max(peak / 4, 3 * noise), max(peak / 2, 5 * noise)
    pieces, n_pieces = connected(contrast > low)
    amounts = np.bincount(pieces.ravel(), contrast.ravel(), n_pieces + 1)
    amounts[0] = 0.0
    strong = np.zeros(n_pieces + 1, dtype=bool)
    strong[pieces[contrast > high]] = True
    amounts[~strong] = 0.0
    if photographed:
        at_border = np.unique(np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]]))
        inside = amounts.copy()
        inside[at_border] = 0.0
        # The table that the paper lies on, or a finger; but a digit may reach the border too, where it is alone.
        if inside.sum() >= amounts.sum() / 10 and inside.sum() > 0:
            amounts = inside
    if not amounts.any():
        return None
    kept = (amounts >= LEAST_SHARE * amounts.max())[pieces] & (pieces > 0)
    # A photograph has noise in its ink, too.
    full = float(np.quantile(contrast[kept & (contrast > high)], 0.75 if photographed else 1.0))
    ink: Array = np.clip((contrast - 2 * noise) / (full - 2 * noise), 0.0, 1.0)
    # The soft edge of a stroke belongs to it, the noise farther away does not.
    return np.where(_near(kept, 1 + max(kept.shape) // 150), ink, 0.0)


def _smooth(values: Array) -> Array:
    """Averages over 3 by 3 pixels."""
    wide = np.pad(values, 1, mode="edge")
    along = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    return (along[:-2] + along[1:-1] + along[2:]) / 9


def _near(mask: Mask, reach: int) -> Mask:
    """Pixels of which one of a mask lies within `reach` rows and columns."""
    values = mask.astype(np.float64)
    for axis in (0, 1):
        values = _running_maximum(values, reach, axis)
    return values > 0


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
