"""Changes of a digit before a network sees it (floor 10; imports numpy, starlette)."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import QueryParams

from .looking import SIDE
from .refusals import Refusal

_RANGES = {
    "noise": (0.0, 1.0),
    "right": (-14.0, 14.0),
    "down": (-14.0, 14.0),
    "turn": (-180.0, 180.0),
    "size": (0.3, 2.0),
}


@dataclass(frozen=True)
class Changes:
    """Changes of a digit of 28 by 28 pixels; the defaults change nothing.

    Attributes
    ----------
    noise : float
        Standard deviation of what is added to every pixel, of full ink; always the same noise.
    right, down : float
        Shift in pixels.
    turn : float
        Degrees clockwise.
    size : float
        Factor.
    invert : bool
        Dark ink on white.
    raw : bool
        A drawing is only shrunk to 28 by 28, and not cropped and centred.
    """

    noise: float = 0.0
    right: float = 0.0
    down: float = 0.0
    turn: float = 0.0
    size: float = 1.0
    invert: bool = False
    raw: bool = False

    @classmethod
    def read(cls, query: QueryParams) -> "Changes":
        """Return the changes that an address names.

        Raises
        ------
        Refusal
            A value that is no number, or out of its range.
        """
        numbers = {name: _number(query[name], name, *limits) for name, limits in _RANGES.items() if name in query}
        switches = {name: query[name] == "1" for name in ("invert", "raw") if name in query}
        return cls(**numbers, **switches)  # type: ignore[arg-type]

    def apply(self, digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the changed digit."""
        pixels = digit / 255.0
        if (self.right, self.down, self.turn, self.size) != (0, 0, 0, 1):
            pixels = self._moved(pixels)
        if self.invert:
            pixels = 1 - pixels
        if self.noise:
            pixels = pixels + self.noise * np.random.default_rng(0).normal(size=pixels.shape)
        changed: NDArray[np.uint8] = np.rint(255 * pixels.clip(0, 1)).astype(np.uint8)
        return changed

    def _moved(self, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn and scale around the middle, then shift: each pixel is interpolated from the four where it was."""
        middle = (SIDE - 1) / 2
        y, x = np.mgrid[:SIDE, :SIDE] - middle
        x, y = (x - self.right) / self.size, (y - self.down) / self.size
        cosine, sine = math.cos(math.radians(self.turn)), math.sin(math.radians(self.turn))
        from_x, from_y = cosine * x + sine * y + middle, cosine * y - sine * x + middle
        padded = np.pad(pixels, 1)
        from_x, from_y = np.clip(from_x + 1, 0, SIDE + 1), np.clip(from_y + 1, 0, SIDE + 1)
        left, top = np.minimum(from_x.astype(int), SIDE), np.minimum(from_y.astype(int), SIDE)
        u, v = from_x - left, from_y - top
        moved: NDArray[np.float64] = (1 - v) * ((1 - u) * padded[top, left] + u * padded[top, left + 1]) + v * (
            (1 - u) * padded[top + 1, left] + u * padded[top + 1, left + 1]
        )
        return moved


def shrunk(drawing: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a drawing as 28 by 28 means of its pixels, with nothing else done to it."""
    rows, columns = (np.linspace(0, side, SIDE + 1) for side in drawing.shape)
    sums = np.zeros((drawing.shape[0] + 1, drawing.shape[1] + 1))
    sums[1:, 1:] = drawing.cumsum(axis=0, dtype=np.float64).cumsum(axis=1)
    across = np.stack([np.interp(columns, np.arange(sums.shape[1]), row) for row in sums])
    both = np.stack([np.interp(rows, np.arange(sums.shape[0]), column) for column in across.T], axis=1)
    cells = np.diff(np.diff(both, axis=0), axis=1) / (np.diff(rows)[:, None] * np.diff(columns))
    means: NDArray[np.uint8] = np.rint(cells.clip(0, 255)).astype(np.uint8)
    return means


def _number(text: str, name: str, low: float, high: float) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not low <= number <= high:
        raise Refusal(400, f"{name} must be a number from {low:g} to {high:g}, got {text[:40]!r}")
    return number
