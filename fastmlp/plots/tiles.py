"""Images in rows and columns on one Axes, each with lines of text beneath (floor 9; imports matplotlib, numpy, checks,
errors).

One Axes for all of them, since a hundred of their own take seconds, and can't be put beside another plot.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_whole
from ..errors import ArgumentError, ArgumentTypeError
from .look import axes_or_new, checked_axes, colours_of, matplotlib_part, size_in_points, size_of_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]

MOST_IMAGES = 1000
_INCHES = 0.86
_COLUMNS = 10
_LEAST_WIDTH = 4.6
"""Inches, which a title needs."""
_GAP = 0.14
_LINE = 0.22
_LARGEST_FONT, _SMALLEST_FONT = 11.0, 4.0
SMALLEST_IMAGE = 64
"""Pixels; fewer features that make a square are more likely those of a table, but for integers of one byte."""


@dataclass(frozen=True)
class Tile:
    """An image with what is written beneath.

    Attributes
    ----------
    pixels : ndarray, shape (height, width)
    lines : sequence of str
    colour : str, optional
        Of the text and of a frame; by default there is no frame.
    heavy : bool
        Whether the frame is thick and the text bold.
    """

    pixels: Array
    lines: Sequence[str] = ()
    colour: str | None = None
    heavy: bool = False


def draw_tiles(axes: "Axes", tiles: Sequence[Tile], columns: int, colour_map: Any, limits: tuple[float, float]) -> Any:
    """Draw tiles row by row, all on one scale of colours.

    Parameters
    ----------
    axes : matplotlib Axes
    tiles : sequence of Tile
        All of one size.
    columns : int
    colour_map : matplotlib Colormap
    limits : (float, float)
        Lowest and highest value of the scale.

    Returns
    -------
    AxesImage
        The last one; all share its norm.
    """
    norm = matplotlib_part("colors").Normalize(*limits)
    rectangle = matplotlib_part("patches").Rectangle
    ink = colours_of(axes).ink
    ratio, pitch = _geometry(tiles)
    rows = -(-len(tiles) // columns)
    width, height = columns * (1 + _GAP) - _GAP, rows * pitch - _GAP
    points = min(length / units for length, units in zip(size_in_points(axes), (width, height), strict=True))
    longest = max((len(line) for tile in tiles for line in tile.lines), default=1)
    font = min(_LARGEST_FONT, points * _LINE / 1.25, size_of_text(longest, points * (1 + _GAP / 2)))
    font = max(_SMALLEST_FONT, font)
    image = None
    for number, tile in enumerate(tiles):
        left, top = number % columns * (1 + _GAP), number // columns * pitch
        image = axes.imshow(
            tile.pixels, cmap=colour_map, norm=norm, extent=(left, left + 1, top + ratio, top), interpolation="nearest"
        )
        if tile.colour is not None:
            thickness = 2.4 if tile.heavy else 1.2
            frame = rectangle((left, top), 1, ratio, fill=False, edgecolor=tile.colour, linewidth=thickness)
            axes.add_patch(frame)
        if tile.lines:
            axes.text(
                left + 0.5,
                top + ratio + 0.04,
                "\n".join(tile.lines),
                horizontalalignment="center",
                verticalalignment="top",
                fontsize=font,
                linespacing=1.1,
                color=tile.colour or ink,
                fontweight="bold" if tile.heavy else "normal",
                parse_math=False,
            )
    margin = 0.03
    axes.set(xlim=(-margin, width + margin), ylim=(height + margin, -margin), aspect="equal")
    axes.set_axis_off()
    return image


def axes_for_tiles(ax: Any, tiles: Sequence[Tile], columns: int | None, extra: float = 0.0) -> tuple["Axes", int]:
    """Return where tiles go, and in how many columns.

    Parameters
    ----------
    ax : matplotlib Axes or None
        By default new ones, which the tiles fill.
    tiles : sequence of Tile
    columns : int or None
        By default up to ten in a new figure, and on Axes that were given as many as make the images largest.
    extra : float, default 0.0
        Inches at the right of a new figure for something else.

    Returns
    -------
    axes : matplotlib Axes
    columns : int
    """
    pitch = _geometry(tiles)[1]
    if ax is None:
        across = min(len(tiles), _COLUMNS if columns is None else columns)
        rows = -(-len(tiles) // across)
        width = max(_LEAST_WIDTH, across * (1 + _GAP) * _INCHES + extra)
        return axes_or_new(None, width, rows * pitch * _INCHES + 0.35), across
    given = checked_axes(ax)
    if columns is not None:
        return given, min(len(tiles), columns)
    width, height = size_in_points(given)

    def side(across: int) -> float:
        return min(width / (across * (1 + _GAP)), height / (-(-len(tiles) // across) * pitch))

    return given, max(range(1, len(tiles) + 1), key=side)


def check_layout(n: Any, columns: Any, available: int) -> tuple[int, int | None]:
    """Return how many images to show, at most as many as there are, and in how many columns if it was said."""
    shown = min(check_whole(n, "n", 1, MOST_IMAGES), available)
    return shown, None if columns is None else check_whole(columns, "columns", 1, MOST_IMAGES)


def as_images(X: Any, shape: Any = None, name: str = "X") -> Array:
    """Return rows as images.

    Parameters
    ----------
    X : array, shape (n, pixels) or (n, height, width)
        Dense or sparse.
    shape : (height, width), optional
        By default that of a square.
    name : str, default "X"
        What the caller calls `X`.

    Returns
    -------
    ndarray, shape (n, height, width)

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Rows of this length are no images of this shape.
    """
    array = np.asarray(X.toarray() if hasattr(X, "toarray") else X)
    if array.dtype.kind not in "fiub":
        raise ArgumentTypeError(f"{name} must hold numbers, the brightness of pixels, got {array.dtype}")
    if array.ndim == 3 and shape is None:
        return array
    if array.ndim < 2:
        raise ArgumentError(f"{name} must have a row for each image, got the shape {array.shape}")
    flat = array.reshape(len(array), -1)
    return flat.reshape(len(flat), *image_shape(flat.shape[1], shape, name))


def image_shape(pixels: int, shape: Any = None, name: str = "X") -> tuple[int, int]:
    """Return height and width of images of so many pixels.

    Parameters
    ----------
    pixels : int
    shape : (height, width), optional
        By default that of a square.
    name : str, default "X"
        Of what the pixels belong to.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The shape is none, or of another number of pixels; or there is none, and the pixels are no square.

    Examples
    --------
    >>> image_shape(784), image_shape(6, (2, 3))
    ((28, 28), (2, 3))
    """
    if shape is None:
        side = isqrt(pixels)
        if side * side != pixels:
            raise ArgumentError(
                f"{name}: {pixels} features a row are no square image; give shape=(height, width), if they are an image"
            )
        return side, side
    if not isinstance(shape, tuple | list) or len(shape) != 2:
        raise ArgumentTypeError(f"shape must be (height, width), got {shape!r}")
    height, width = (check_whole(side, "a side of shape", 1, 2**31) for side in shape)
    if height * width != pixels:
        raise ArgumentError(f"shape: {height} x {width} is {height * width} pixels, but rows of {name} have {pixels}")
    return height, width


def pixel_limits(images: Array) -> tuple[float, float]:
    """Return the values of no ink and of full ink: 0 and 255 for uint8, else the extremes of the images."""
    if images.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(images.min()), float(images.max())
    return low, high if high > low else low + 1.0


def _geometry(tiles: Sequence[Tile]) -> tuple[float, float]:
    """Height of an image, and of a row with its texts and a gap; an image is 1 wide."""
    height, width = tiles[0].pixels.shape
    lines = max(len(tile.lines) for tile in tiles)
    ratio = height / width
    return ratio, ratio + lines * _LINE + (0.06 if lines else 0) + _GAP
