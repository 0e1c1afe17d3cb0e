"""Which parts of a picture are ink (floor 3; imports numpy).

A drawing has a background of one tone, and what differs from it is ink. A photograph has light that changes from place
to place, perhaps a shadow, the edge of the paper, noise. There the background is what is left when everything narrower
than a stroke can be is taken away (a morphological opening, Serra 1982), and ink is what stands out from it.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .morphology import Array, Mask, connected, dilated, opened
from .pieces import of_digit

LEAST_CONTRAST = 0.04
"""By how much of the range from black to white ink has to differ from its background."""

ONE_TONE = 0.02
"""Tones that differ by no more are one, where it is asked whether the border of a picture has one tone."""

STROKE = 0.3
"""Of the longer side of a picture, more than the width of any stroke."""

LEAST_PANEL = 0.1
"""Of a picture, the share that a sheet or picture within it has to have."""

WHERE_BORDERS_ARE = (0.0, 0.01, 0.03, 0.06)
"""Of the shorter side, how far inside a tone is looked for: at the border itself there may be a frame."""

_FAINTEST = 0.2
"""Of the strongest contrast, that of a digit at least, if there are printed lines beside it."""

_DARKEST_PAPER = 0.2
_DARKEST_INK = 0.05
_SIDE_OF_POLARITY = 128


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
    clean = _one_clean_piece(tones)
    if clean is not None:
        return clean
    border = _tone_of_border(tones)
    if border is None:
        contrast, noise = _contrast(tones, dark=not _ink_is_bright(tones))
        return _whole_strokes(np.maximum(contrast, 0.0), noise, photographed=True)
    level, noise = border
    difference = tones - level
    away = np.abs(difference)
    panel = _panel(away > max(ONE_TONE, 4 * noise, float(np.median(away)) / 2))
    ink = None if panel is None else find_ink(tones[panel])
    if panel is not None and ink is not None:
        whole = np.zeros_like(tones)
        whole[panel] = ink
        return whole
    bright = np.maximum(difference, 0.0)
    dark = np.maximum(-difference, 0.0)
    return _whole_strokes(bright if (bright**2).sum() >= (dark**2).sum() else dark, noise)


def _one_clean_piece(tones: Array) -> Array | None:
    """Return the ink of a drawing of one piece on paper of one tone, as what follows here would; None of others.

    Drawings on a screen are such, and are asked for while the pen moves: all the rest takes three times as long.
    """
    level = tones[0, 0]
    difference = tones - level
    if _ring(difference).any() or (difference.min() < 0 < difference.max()):
        return None
    contrast = np.abs(difference)
    peak = float(contrast.max())
    mask = contrast > _FAINTEST / 2 * peak
    if peak < max(LEAST_CONTRAST, ONE_TONE) or mask.mean() >= LEAST_PANEL or connected(mask)[1] != 1:
        return None
    return np.where(_near(mask, 1 + max(mask.shape) // 150), contrast / peak, 0.0)


def _panel(mask: Mask) -> tuple[slice, slice] | None:
    """The rectangle that a mask is, but for holes: a sheet on a table, a picture with a frame or margins around it."""
    if mask.mean() < LEAST_PANEL:
        return None
    rows, columns = (np.flatnonzero(mask.mean(axis=axis) > LEAST_PANEL) for axis in (1, 0))  # not for specks
    if len(rows) == 0 or len(columns) == 0:
        return None
    away = 1 + max(mask.shape) // 200  # edges are soft
    inside = np.s_[rows[0] + away : rows[-1] + 1 - away, columns[0] + away : columns[-1] + 1 - away]
    height, width = mask[inside].shape
    if min(height, width) < 0.3 * max(height, width) or min(height, width) < 3:
        return None
    # A digit may come close to the frame of its picture; and a thick digit is nearly a rectangle itself.
    least = 0.8 if height * width > 0.7 * mask.size else 0.95
    return inside if _ring(mask[inside]).mean() > least and mask[inside].mean() > 0.5 else None


def _ring(values: NDArray[Any], away: int = 0) -> NDArray[Any]:
    """What lies on the border of an image, or so many pixels inside of it."""
    if away:
        values = values[away:-away, away:-away]
    return np.concatenate([values[0], values[-1], values[1:-1, 0], values[1:-1, -1]])


def _tone_of_border(tones: Array) -> tuple[float, float] | None:
    """The tone of a drawing's background, and its noise; None where there are many tones at the border."""
    side = min(tones.shape)
    for share in WHERE_BORDERS_ARE:
        away = round(share * side)
        if away and 2 * away >= side - 2:
            break
        border = _ring(tones, away)
        level = float(np.median(border))
        near = np.abs(border - level) <= ONE_TONE
        if near.mean() >= 0.75:
            if near.mean() < 0.95 and _is_lit_otherwise(border[~near] - level, tones - level):
                continue
            return level, float((border - level)[near].std())
    return _tone_of_two(tones)


def _tone_of_two(tones: Array) -> tuple[float, float] | None:
    """The tone of the background where there are two, paper and ink, and a digit fills its picture to the border."""
    border, few = _ring(tones), 0.1 * float(np.ptp(tones))
    found = [np.abs(values - tone) <= few for tone in (tones.min(), tones.max()) for values in (border, tones)]
    if few == 0 or found[0].mean() + found[2].mean() < 0.75:
        return None
    dark = found[0].mean() + found[1].mean() >= found[2].mean() + found[3].mean()
    if not dilated(found[1 if dark else 3].astype(np.float64), round(STROKE / 2 * max(tones.shape))).all():
        return None  # what is so thick is no stroke, but a shadow as dark as ink
    paper = border[found[0] if dark else found[2]]
    return float(np.median(paper)), float(paper.std())


def _ink_is_bright(tones: Array) -> bool:
    """Whether narrow things are brighter than what is around them: strokes are narrower than the gaps between them."""
    small = np.log(shrink(tones, _SIDE_OF_POLARITY)[0] - min(0.0, tones.min()) + _DARKEST_INK)
    energies = [0.0, 0.0]
    for share in (STROKE / 8, STROKE / 4, STROKE / 2):
        for bright in (False, True):
            upright = small if bright else -small
            energies[bright] += _energy(upright - opened(upright, share * max(upright.shape)))
    return energies[1] > energies[0]


def _energy(contrast: Array) -> float:
    contrast = contrast - np.median(contrast)
    noise = 1.4826 * float(np.median(np.abs(contrast)))
    return float((np.maximum(contrast - 4 * noise, 0.0) ** 2).sum())


def _contrast(tones: Array, dark: bool) -> tuple[Array, float]:
    """How much darker, or brighter, every pixel is than its background, and the noise of that."""
    upright = -tones if dark else tones
    background = opened(upright, STROKE * max(upright.shape))
    contrast = upright - background
    if tones.min() >= 0 and dark:
        contrast /= np.maximum(-background, _DARKEST_PAPER)  # ink takes away a share of the light that falls on paper
    contrast -= np.median(contrast)
    return contrast, 1.4826 * float(np.median(np.abs(contrast)))  # the standard deviation, of which ink tells nothing


def _is_lit_otherwise(off: Array, difference: Array) -> bool:
    """Whether a part of the border differs from the rest by a shadow or a frame, and not by ink that runs over it.

    It is of one tone then, and there is darker ink, or ink where it is lighter.
    """
    tone = float(np.median(off))
    if (np.abs(off - tone) <= ONE_TONE).mean() < 0.75:
        return False
    share = difference[np.abs(difference) > LEAST_CONTRAST] / tone
    return int(((share < 0) | (share > 1.15)).sum()) > 0.005 * difference.size


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


def _whole_strokes(contrast: Array, noise: float, photographed: bool = False) -> Array | None:
    """Turn contrast into ink: without noise, specks and what does not belong to a digit."""
    # The frame of a form may be printed, and the digit in it faint: what to compare ink with is known without litter.
    litter = np.zeros_like(contrast)
    for faintest in (_FAINTEST, 0.5):
        found = _pieces(contrast - litter, noise, faintest)
        if found is None:
            return None
        pieces, amounts = found
        kept = of_digit(pieces, amounts)
        dropped = ((amounts > 0) & ~kept)[pieces]
        litter = np.where(_near(dropped, 1) & ~kept[pieces], contrast, litter)
    contrast, kept_pixels = contrast - litter, kept[pieces]
    # A photograph has noise in its ink, too.
    strong = contrast[kept_pixels & (contrast > max(contrast[kept_pixels].max() / 2, 5 * noise))]
    full = float(np.quantile(strong, 0.75 if photographed else 1.0))
    ink: Array = np.clip((contrast - 2 * noise) / (full - 2 * noise), 0.0, 1.0)
    # The soft edge of a stroke belongs to it, the noise farther away does not.
    return np.where(_near(kept_pixels, 1 + max(kept_pixels.shape) // 150), ink, 0.0)


def _pieces(contrast: Array, noise: float, faintest: float) -> tuple[NDArray[np.int64], Array] | None:
    """Number the pieces that stand out, and say how much ink each has: 0 where it is faint all over, or noise."""
    peak = float(_smooth(contrast).max())
    if peak < max(LEAST_CONTRAST / 2, 4 * noise) or contrast.max() < LEAST_CONTRAST:
        return None
    pieces, n_pieces = connected(contrast > max(faintest / 2 * peak, 3 * noise))
    amounts = np.bincount(pieces.ravel(), contrast.ravel(), n_pieces + 1)
    strong = np.zeros(n_pieces + 1, dtype=bool)
    strong[pieces[contrast > max(faintest * peak, 5 * noise)]] = True
    strong[0] = False
    return (pieces, np.where(strong, amounts, 0.0)) if strong.any() else None


def _smooth(values: Array) -> Array:
    """Averages over 3 by 3 pixels."""
    wide = np.pad(values, 1, mode="edge")
    along = wide[:, :-2] + wide[:, 1:-1] + wide[:, 2:]
    return (along[:-2] + along[1:-1] + along[2:]) / 9


def _near(mask: Mask, reach: int) -> Mask:
    """Pixels of which one of a mask lies within `reach` rows and columns."""
    return dilated(mask.astype(np.float64), reach) > 0
