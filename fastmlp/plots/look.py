"""Colours, light and dark, and the Axes to draw on (floor 9; imports matplotlib, numpy, errors).

Hues are those of Okabe and Ito (Color Universal Design, 2008) and of ColorBrewer's red and blue, darkened for light
ground and lightened for dark, so that each has a contrast of at least 4.5 to 1 there.
"""

import importlib
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ArgumentTypeError, require, unknown_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LinearSegmentedColormap


@dataclass(frozen=True)
class Colours:
    """What things are drawn in, as matplotlib's names of colours.

    Attributes
    ----------
    ink, ground : str
        Text, and what it stands on.
    quiet : str
        What stands back: grids, what is only context.
    first, second : str
        Two series.
    right, wrong : str
        A green towards blue and a red towards orange, which the colour-blind tell apart.
    positive, negative : str
        The ends of a scale through zero: blue and red.
    several : tuple of str
        Any number of series, by turns.
    further : tuple of str
        After those of `several`, for many classes; markers tell them apart too.
    """

    ink: str
    ground: str
    quiet: str
    first: str
    second: str
    right: str
    wrong: str
    positive: str
    negative: str
    several: tuple[str, ...]
    further: tuple[str, ...]


LIGHT = Colours(
    *("#1f2328", "#ffffff", "#6e7781", "#0072b2", "#c55400", "#007f5c", "#c43b00", "#2166ac", "#b2182b"),
    several=("#0072b2", "#c55400", "#007f5c", "#9c3f8f", "#7a6100", "#44546a"),
    further=("#5b45c9", "#a3123e", "#3d7a12", "#00788c"),
)
DARK = Colours(
    *("#f0f6fc", "#0d1117", "#8b949e", "#56b4e9", "#f0993e", "#2cc295", "#ff7f50", "#6cb2ff", "#ff7b72"),
    several=("#56b4e9", "#f0993e", "#2cc295", "#e39bd8", "#d9c45a", "#b8c4d0"),
    further=("#a79bff", "#ff6b8f", "#9ad65a", "#4fd3e0"),
)
_WIDTH_OF_A_LETTER = 0.62
"""Of its size: between what regular and bold letters take."""
_THEMES = {"light": LIGHT, "dark": DARK}


def theme(name: str) -> AbstractContextManager[None]:
    """Make figures light or dark within a ``with`` block.

    Outside of one, plots follow matplotlib's own settings and styles.

    Parameters
    ----------
    name : {"light", "dark"}

    Returns
    -------
    context manager

    Raises
    ------
    ArgumentError
        Another name.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> from fastmlp import plots
    >>> with plots.theme("dark"):
    ...     matplotlib.rcParams["figure.facecolor"]
    '#0d1117'
    """
    if name not in _THEMES:
        raise unknown_name("theme", name, _THEMES)
    colours = _THEMES[name]
    settings = dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), colours.ink)
    settings |= dict.fromkeys(("axes.edgecolor", "xtick.color", "ytick.color", "grid.color"), colours.quiet)
    settings |= dict.fromkeys(("figure.facecolor", "axes.facecolor"), colours.ground)
    within: AbstractContextManager[None] = matplotlib_part("").rc_context(settings)
    return within


def matplotlib_part(name: str) -> Any:
    """Import a module of matplotlib, or say how to install it.

    Parameters
    ----------
    name : str
        Such as ``"pyplot"``; empty for matplotlib itself.

    Raises
    ------
    MissingDependencyError
    """
    try:
        return importlib.import_module(f"matplotlib.{name}" if name else "matplotlib")
    except ImportError as error:
        raise require("plots", "matplotlib") from error


def axes_or_new(ax: Any, width: float, height: float) -> "Axes":
    """Return the Axes that were given, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes or None
    width, height : float
        Of a new figure, in inches.

    Raises
    ------
    ArgumentTypeError
        Something else than Axes.
    MissingDependencyError
        matplotlib is not installed.
    """
    if ax is None:
        made: Axes = matplotlib_part("pyplot").subplots(figsize=(width, height), layout="constrained")[1]
        return made
    return checked_axes(ax)


def checked_axes(ax: Any, name: str = "ax") -> "Axes":
    """Return one Axes, or say that the argument `name` must be matplotlib's."""
    if not isinstance(ax, matplotlib_part("axes").Axes):
        several = isinstance(ax, np.ndarray | list | tuple)
        remedy = f"; give one of them, such as {name}={name}[0]" if several and name == "ax" else ""
        raise ArgumentTypeError(
            f"{name} must be a matplotlib Axes, such as the second of matplotlib.pyplot.subplots(), "
            f"got {type(ax).__name__}{remedy}"
        )
    checked: Axes = ax
    return checked


def check_canvas(ax: Any) -> None:
    """Say so before any work when there is no matplotlib, or when `ax` is neither None nor Axes."""
    if ax is None:
        matplotlib_part("pyplot")
    else:
        checked_axes(ax)


def colours_of(axes: "Axes") -> Colours:
    """Return the colours that go with the text of the Axes: those of `LIGHT` if it is dark, else those of `DARK`."""
    to_hex = matplotlib_part("colors").to_hex
    ink = to_hex(axes.title.get_color())
    hues = DARK if luminance(ink) > 0.5 else LIGHT
    ground = hues.ground
    # What is seen behind the Axes: the first that is not transparent.
    for face in (axes.get_facecolor(), axes.figure.get_facecolor()):
        red, green, blue, opacity = matplotlib_part("colors").to_rgba(face)
        if opacity > 0:
            ground = to_hex((red, green, blue))
            break
    return Colours(ink, ground, hues.quiet, *_hues(hues))


def width_of_text(letters: int, size: float) -> float:
    """Return about how many points a line of so many letters is wide, in a font of this size."""
    return _WIDTH_OF_A_LETTER * size * letters


def size_of_text(letters: int, width: float) -> float:
    """Return about the size of font in which so many letters are as wide as `width` points."""
    return width / (_WIDTH_OF_A_LETTER * max(1, letters))


def luminance(colour: Any) -> float:
    """Return how light a colour looks, from 0 (black) to 1 (white), by Rec. 709's weights.

    Examples
    --------
    >>> luminance("white"), luminance("black")
    (1.0, 0.0)
    """
    return round(float(np.dot(matplotlib_part("colors").to_rgb(colour), (0.2126, 0.7152, 0.0722))), 4)


def readable(behind: Any, colours: Colours) -> str:
    """Return the one of ink and ground that is easier to read on a colour."""
    light = luminance(behind[:3])
    return max((colours.ink, colours.ground), key=lambda colour: abs(luminance(colour) - light))


def ramp(*colours: str) -> "LinearSegmentedColormap":
    """Return a colour map through these colours, from the lowest to the highest value."""
    made: LinearSegmentedColormap = matplotlib_part("colors").LinearSegmentedColormap.from_list("fastmlp", colours)
    return made


def size_in_points(axes: "Axes") -> tuple[float, float]:
    """Return width and height of the Axes in points, as sizes of fonts are given."""
    figure = axes.figure
    box, scale = axes.get_position(), 72 / figure.dpi
    width, height = box.width * figure.bbox.width * scale, box.height * figure.bbox.height * scale
    if figure.get_layout_engine() is not None:
        # It will give Axes the room of the margins, but only when the figure is drawn, which is late for us.
        margins = figure.subplotpars
        width, height = width / (margins.right - margins.left), height / (margins.top - margins.bottom)
    return float(width), float(height)


def _hues(colours: Colours) -> tuple[Any, ...]:
    named = (colours.first, colours.second, colours.right, colours.wrong, colours.positive, colours.negative)
    return *named, colours.several, colours.further
