"""Pictures of digits as users have them, made from MNIST's (imports numpy).

Thin pens, dashes at the border, frames, axes, cast shadows, several digits. Every size is drawn at random from a wide
range, as a share of the picture or of a pixel of MNIST. Each function takes a digit, float of shape (28, 28) from 0 to
1, and returns a picture in [0, 1].
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

DARKEST = 0.35
"""Share of the light that is left in a cast shadow."""


def enlarged(ink: Array, generator: np.random.Generator) -> Array:
    """4 to 12 times as large, with smooth edges as sharp as a pen's."""
    return np.asarray(np.clip((scaled(ink, int(generator.integers(4, 13))) - 0.5) * 3 + 0.5, 0.0, 1.0))


def scaled(ink: Array, factor: int) -> Array:
    """Enlarge an image by linear interpolation."""
    for axis in (0, 1):
        n = ink.shape[axis]
        places = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
        first = np.minimum(places.astype(int), n - 2)
        share = (places - first)[:, None] if axis == 0 else places - first
        ink = np.take(ink, first, axis) * (1 - share) + np.take(ink, first + 1, axis) * share
    return ink


def moved(ink: Array, generator: np.random.Generator) -> Array:
    """On a sheet of up to twice the size, anywhere."""
    height, width = (len(ink) * generator.uniform(1.0, 2.0, 2)).astype(int)
    sheet = np.zeros((height, width))
    top, left = generator.integers(0, height - len(ink) + 1), generator.integers(0, width - len(ink) + 1)
    sheet[top : top + len(ink), left : left + len(ink)] = ink
    return sheet


def inverted(ink: Array, generator: np.random.Generator) -> Array:
    """Dark on light, every second time."""
    return 1 - ink if generator.random() < 0.5 else ink


def thin_pen(digit: Array, generator: np.random.Generator) -> Array:
    """The middle lines of strokes, drawn with a pen of 0.1 to 0.5 pixels of MNIST, and at least one of the picture."""
    factor = int(generator.integers(6, 13))
    lines = skeleton(scaled(digit, factor) > 0.5)
    return inverted(moved(_drawn(lines, generator.uniform(0.1, 0.5) * factor), generator), generator)


def border_piece(digit: Array, generator: np.random.Generator) -> Array:
    """One to three dashes that begin at the border, along it or into the picture, and don't touch the digit."""
    ink = moved(enlarged(digit, generator), generator)
    around = _drawn(ink > 0.05, max(5, ink.shape[0] / 25)) > 0
    for _ in range(int(generator.integers(1, 4))):
        for _ in range(100):
            dash = _dash(ink.shape, generator)
            if not (dash & around).any():
                ink = np.maximum(ink, dash * generator.uniform(0.6, 1.0))
                break
    return inverted(ink, generator)


def _dash(shape: tuple[int, ...], generator: np.random.Generator) -> NDArray[np.bool_]:
    """A straight stroke that begins at the border: 3 to 40 % of the side long, 0.5 to 4 % wide."""
    height, width = shape
    side = max(shape)
    y, x = np.mgrid[:height, :width]
    place, edge = generator.random(), int(generator.integers(4))
    start = [(0, place * width), (height - 1, place * width), (place * height, 0), (place * height, width - 1)][edge]
    inward = [np.pi / 2, -np.pi / 2, 0.0, np.pi][edge]
    angle = inward + (generator.choice([-1, 1]) * np.pi / 2 if generator.random() < 0.5 else generator.uniform(-1, 1))
    along = (x - start[1]) * np.cos(angle) + (y - start[0]) * np.sin(angle)
    across = np.abs((y - start[0]) * np.cos(angle) - (x - start[1]) * np.sin(angle))
    dash = (along >= -1) & (along <= generator.uniform(0.03, 0.4) * side)
    return np.asarray(dash & (across <= max(0.5, generator.uniform(0.0025, 0.02) * side)))


def frame(digit: Array, generator: np.random.Generator) -> Array:
    """A line on the border, of one pixel or up to 2 % of the side, on all sides or some; or up to 5 % inside of it."""
    ink = moved(enlarged(digit, generator), generator)
    side = max(ink.shape)
    width = 1 if generator.random() < 0.5 else int(generator.integers(1, max(2, side // 50) + 1))
    away = 0 if generator.random() < 0.5 else int(generator.integers(0, side // 20 + 1))
    ink = np.pad(ink, width + away)
    ruled = ink[away : len(ink) - away, away : ink.shape[1] - away]
    tone = generator.uniform(0.3, 1.0)
    which = np.ones(4, dtype=bool) if generator.random() < 0.5 else generator.random(4) < 0.5
    lines = [ruled[:width], ruled[-width:], ruled[:, :width], ruled[:, -width:]]
    for line, there in zip(lines, which, strict=True):
        if there:
            line[:] = tone
    return inverted(ink, generator)


def axes(digit: Array, generator: np.random.Generator) -> Array:
    """Inside of the axes of a plot: two or four lines, with ticks, and every second time with numbers."""
    ink = moved(enlarged(digit, generator), generator)
    side = max(ink.shape)
    margin = int(side * generator.uniform(0.08, 0.2))
    height, width = ink.shape
    ink = np.pad(ink, margin)
    thick = int(generator.integers(1, max(2, side // 100) + 1))
    low, right = margin + height, margin + width
    ink[margin:low, margin - thick : margin] = 1.0
    ink[low : low + thick, margin - thick : right] = 1.0
    if generator.random() < 0.5:
        ink[margin:low, right : right + thick] = 1.0
        ink[margin - thick : margin, margin - thick : right + thick] = 1.0
    length, gap, numbers = max(2, margin // 5), max(2, margin // 8), generator.random() < 0.5
    label = _shrunk(digit, margin // 2)
    for place in np.linspace(0.05, 0.9, int(generator.integers(3, 8))):
        y, x = margin + int(place * height), margin + int(place * width)
        ink[y : y + thick, margin - length : margin] = 1.0
        ink[low : low + length, x : x + thick] = 1.0
        if numbers:
            _put(ink, label, y - len(label) // 2, margin - length - len(label) - gap)
            _put(ink, label, low + length + gap, x - len(label) // 2)
    return inverted(ink, generator)


def shadow(digit: Array, generator: np.random.Generator) -> Array:
    """Ink on paper, with the edge of a cast shadow, sharp or soft, across it; in uneven light, with noise."""
    ink = moved(enlarged(digit, generator), generator)
    height, width = ink.shape
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    tilt, angle = generator.uniform(0, 2 * np.pi, 2)
    fall = generator.choice([0.0, generator.uniform(0, 0.3)])
    light = 1 - fall * ((x - 0.5) * np.cos(tilt) + (y - 0.5) * np.sin(tilt) + 0.5)
    beyond = (x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) - generator.uniform(-0.35, 0.35)
    softness = generator.choice([0.0, generator.uniform(0.0, 0.1)])
    shaded = np.clip(beyond / max(softness, 1e-6) + 0.5, 0.0, 1.0)
    paper, pen = generator.uniform(0.75, 1.0), generator.uniform(0.05, 0.4)
    tones = (paper + (paper * pen - paper) * ink) * light * (1 - (1 - DARKEST) * shaded)
    noise = generator.choice([0.0, generator.uniform(0, 0.02)])
    return np.asarray(np.clip(tones + generator.normal(0, noise, ink.shape), 0.0, 1.0))


def several(digits: Array, generator: np.random.Generator) -> Array:
    """Digits side by side, their boxes 10 to 60 % of their height apart, on a sheet that is larger."""
    factor = int(generator.integers(4, 9))
    parts = []
    for digit in digits:
        columns = np.flatnonzero((digit > 0.1).any(axis=0))
        cropped = np.pad(digit[:, columns[0] : columns[-1] + 1], ((0, 0), (1, 1)))
        parts += [np.clip((scaled(cropped, factor) - 0.5) * 3 + 0.5, 0.0, 1.0)]
        parts += [np.zeros((28 * factor, int(20 * factor * generator.uniform(0.1, 0.6))))]
    row = np.hstack(parts[:-1])
    around = generator.integers(1, 10 * factor, (2, 2))
    return inverted(np.pad(row, around), generator)


PICTURES: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "drawn with a thin pen": thin_pen,
    "with dashes at the border": border_piece,
    "in a frame": frame,
    "in the axes of a plot": axes,
    f"with a cast shadow that leaves {DARKEST:.0%} of the light": shadow,
}


def skeleton(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Thin strokes to lines of one pixel.

    Parameters
    ----------
    mask : ndarray of bool, shape (height, width)

    Returns
    -------
    ndarray of bool, shape (height, width)

    Notes
    -----
    Zhang and Suen, "A fast parallel algorithm for thinning digital patterns", Communications of the ACM 27 (1984).
    """
    thinned = np.pad(mask, 1)
    changed = True
    while changed:
        changed = False
        for odd in (False, True):
            ring = [np.roll(thinned, by, (0, 1)) for by in _RING]
            north, _, east, _, south, _, west, _ = ring
            n_on = np.sum(ring, axis=0)
            n_starts = np.sum([~one & after for one, after in zip(ring, ring[1:] + ring[:1], strict=True)], axis=0)
            free = ~(north & west & (east | south)) if odd else ~(east & south & (north | west))
            gone = thinned & (n_on >= 2) & (n_on <= 6) & (n_starts == 1) & free
            thinned &= ~gone
            changed |= bool(gone.any())
    return thinned[1:-1, 1:-1]


_RING = [(1, 0), (1, -1), (0, -1), (-1, -1), (-1, 0), (-1, 1), (0, 1), (1, 1)]


def _drawn(lines: Array, width: float) -> Array:
    """Lines of one pixel drawn with a round pen."""
    reach = int(np.ceil(width / 2))
    wide = np.pad(lines.astype(float), reach)
    drawn = np.zeros_like(wide)
    for i in range(-reach, reach + 1):
        for j in range(-reach, reach + 1):
            amount = np.clip(width / 2 + 0.5 - np.hypot(i, j), 0.0, 1.0) if (i, j) != (0, 0) else 1.0
            if amount > 0:
                np.maximum(drawn, amount * np.roll(wide, (i, j), (0, 1)), out=drawn)
    return drawn[reach : len(drawn) - reach, reach : drawn.shape[1] - reach]


def _shrunk(digit: Array, side: int) -> Array:
    """A digit without its margin, about as large as `side`, for a number at a tick."""
    step = max(1, 20 // max(1, side))
    return scaled(digit[4:24:step, 4:24:step], max(1, side // 20))


def _put(ink: Array, part: Array, top: int, left: int) -> None:
    """Put a small image into a large one, as far as it lies inside."""
    top, left = max(0, top), max(0, left)
    place = ink[top : top + len(part), left : left + part.shape[1]]
    np.maximum(place, part[: place.shape[0], : place.shape[1]], out=place)
