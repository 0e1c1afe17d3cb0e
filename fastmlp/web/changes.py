"""Changes of a digit before a network sees it (floor 10; imports numpy, starlette, data)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from starlette.datastructures import QueryParams

from ..data.augmentation import moved
from .looking import PIXELS, SIDE
from .refusals import number, whole_number

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
        Standard deviation of the normal noise that is added to the pixels, where full ink is 1. It is the same noise
        each time, only stronger, so that a drawing under way does not flicker.
    right, down : float
        Shift in pixels.
    turn : float
        Degrees clockwise.
    size : float
        Factor.
    invert : bool
        Dark ink on white.
    raw : bool
        A picture is only shrunk to 28 by 28 pixels, and not cropped, centred and made bright on black.
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
        numbers = {name: number(query[name], name, *limits) for name, limits in _RANGES.items() if name in query}
        invert, raw = (bool(whole_number(query.get(name), name, 0, 1, 0)) for name in ("invert", "raw"))
        return cls(**numbers, invert=invert, raw=raw)

    def apply(self, digit: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the changed digit."""
        changed = digit
        if (self.right, self.down, self.turn, self.size) != (0, 0, 0, 1):
            where = {"right": self.right, "down": self.down, "turn": self.turn, "size": self.size}
            changed = moved(digit.reshape(1, PIXELS), (SIDE, SIDE), **where).reshape(SIDE, SIDE)
        if self.invert:
            changed = 255 - changed
        if self.noise:
            noise = 255 * self.noise * np.random.default_rng(0).normal(size=changed.shape)
            changed = np.rint((changed + noise).clip(0, 255)).astype(np.uint8)
        return changed
