"""The weights of a layer, as images or as a heat map (floor 9; imports matplotlib, numpy, checks, errors, network)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_whole, explained
from ..errors import ArgumentError
from ..network import Network
from .answers import classes_of, named, network_of
from .look import Colours, axes_or_new, check_canvas, colours_of, ramp, readable, size_in_points, size_of_text
from .tiles import SMALLEST_IMAGE, Tile, axes_for_tiles, check_layout, draw_tiles, image_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]

_SHARE_WITHIN_THE_SCALE = 99.8
"""Percent; a few extreme weights would leave all others pale."""
_MANY = 1000
"""Weights; of fewer, all are within the scale."""
_MOST_NUMBERS = 160
"""Cells of a heat map in which the weight is written."""
_MOST_NAMES = 40
_LONGEST_UPRIGHT, _LONGEST_FEATURE = 3, 24


@explained
def weights(
    model: Any,
    layer: int = 1,
    *,
    n: int = 40,
    columns: int | None = None,
    shape: Any = None,
    feature_names: Any = None,
    ax: Any = None,
) -> "Axes":
    """Draw the weights of each unit of a layer: blue is positive, red is negative.

    Where the inputs are square images, the weights of each unit of the first layer are an image. Elsewhere they are a
    row of a heat map, with a column for each input of the layer. All units share a scale that is symmetric about zero.
    It ends at the largest; of 1,000 weights or more, where 99.8% are within it, and the few beyond have the
    colour of its ends.

    Parameters
    ----------
    model : Network or estimator of fastmlp
    layer : int, default 1
        From 1, the first after the inputs, to the number of layers.
    n : int in [1, 1000], default 40
        How many units to draw at most, from the first.
    columns : int, optional
        Of images; by default ten in a new figure, and on given Axes as many as make the images largest.
    shape : (height, width), optional
        Draw the weights of each unit as an image of this shape. By default those of the first layer are, where the
        inputs make a square and look like pixels: 64 or more, or scaled from 0..255.
    feature_names : sequence of str, optional
        Of the inputs of the layer, for a heat map; with these there is one, whatever the inputs.
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes
        With an image for each unit, or one of shape (units, inputs).

    Raises
    ------
    ArgumentError, ArgumentTypeError
        No such layer, a shape of another number of pixels, or not a name for each input.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import Network, plots
    >>> network = Network([784, 16, 10], seed=0)
    >>> axes = plots.weights(network)
    >>> len(axes.images), axes.images[0].get_array().shape
    (16, (28, 28))
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)

    The layer after it:

    >>> axes = plots.weights(network, layer=2)
    >>> axes.images[0].get_array().shape, axes.get_xlabel()
    ((10, 16), 'unit of layer 1')
    >>> matplotlib.pyplot.close(axes.figure)
    """
    check_canvas(ax)
    network = network_of(model)
    number = check_whole(layer, "layer", 1, len(network.architecture.layers))
    W = network.weights[number - 1][0]
    names = _checked_names(feature_names, len(W), shape)
    shown, columns = check_layout(n, columns, W.shape[1])
    drawn = W[:, :shown]
    sides = _sides(network, number, shape) if names is None else None
    title = f"Weights of layer {number}, " + (f"{shown} of " if shown < W.shape[1] else "") + f"{W.shape[1]} units"
    if sides is None:
        canvas = _draw_heat_map(ax, drawn, names, _unit_names(model, network, number))
        before = "input" if number == 1 else f"unit of layer {number - 1}"
        last = number == len(network.architecture.layers)
        canvas.set(xlabel=before, ylabel="output" if last else f"unit of layer {number}")
    else:
        canvas = _draw_images(ax, drawn, sides, columns)
    canvas.set_title(title)
    return canvas


def _checked_names(feature_names: Any, inputs: int, shape: Any) -> list[str] | None:
    if feature_names is None:
        return None
    if shape is not None:
        raise ArgumentError("give either shape, for images, or feature_names, for a heat map, but not both")
    names = [] if isinstance(feature_names, str) or not hasattr(feature_names, "__len__") else list(feature_names)
    if len(names) != inputs:
        raise ArgumentError(
            f"feature_names must be a name for each of the {inputs} inputs of the layer, got "
            f"{repr(feature_names) if not names else len(names)}"
        )
    return [named(name, _LONGEST_FEATURE) for name in names]


def _sides(network: Network, number: int, shape: Any) -> tuple[int, int] | None:
    """Return height and width of the images that the inputs of a layer are; None where they are none."""
    inputs = network.architecture.layers[number - 1].fan_in
    if shape is not None:
        return image_shape(inputs, shape, "the layer's inputs")
    scale = getattr(network.scaling, "scale", 0.0)
    pixels = np.ndim(scale) == 0 and scale in (1 / 255, 2 / 255)  # 0..255 to [0, 1] or [-1, 1]
    if number > 1 or not (pixels or inputs >= SMALLEST_IMAGE):
        return None
    try:
        return image_shape(inputs)
    except ArgumentError:  # no square
        return None


def _unit_names(model: Any, network: Network, number: int) -> list[str] | None:
    """Return the labels of the outputs of a classifier; None for other layers, whose units have numbers."""
    if number < len(network.architecture.layers) or network.architecture.outputs < 2:
        return None
    try:
        return [named(label) for label in classes_of(model)]
    except ArgumentError:  # its outputs are numbers, or several labels at once
        return None


def _scale(drawn: Array) -> tuple[float, str]:
    """Return the end of the scale, and at which ends of it there are weights beyond."""
    sizes = np.abs(drawn)
    largest = float(np.percentile(sizes, _SHARE_WITHIN_THE_SCALE)) if sizes.size >= _MANY else 0.0
    largest = largest or float(sizes.max()) or 1.0
    return largest, "both" if sizes.max() > largest else "neither"


def _draw_images(ax: Any, drawn: Array, sides: tuple[int, int], columns: int | None) -> "Axes":
    largest, beyond = _scale(drawn)
    tiles = [Tile(unit.reshape(sides)) for unit in drawn.T]
    canvas, across = axes_for_tiles(ax, tiles, columns, extra=0.9)
    colours = colours_of(canvas)
    image = draw_tiles(canvas, tiles, across, _diverging(colours), (-largest, largest))
    _draw_bar(canvas, image, beyond, colours)
    return canvas


def _draw_heat_map(ax: Any, drawn: Array, names: list[str] | None, units: list[str] | None) -> "Axes":
    inputs, count = drawn.shape
    few = inputs * count <= _MOST_NUMBERS
    # Cells with numbers are wide; those of a large layer become smaller.
    width, height = (min(9.0, (0.5 if few else 0.22) * inputs), min(7.0, (0.34 if few else 0.17) * count))
    canvas = axes_or_new(ax, max(4.4, width + 2.0), max(2.6, height + 1.3))
    colours = colours_of(canvas)
    largest, beyond = _scale(drawn)
    colour_map = _diverging(colours)
    image = canvas.imshow(drawn.T, cmap=colour_map, vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    if few:
        cell = size_in_points(canvas)[0] * 0.8 / inputs
        font = float(np.clip(size_of_text(5, 0.9 * cell), 5, 9))
        for (column, row), weight in np.ndenumerate(drawn):
            ink = readable(colour_map(0.5 + 0.5 * weight / largest), colours)
            canvas.text(
                column, row, f"{weight:.2f}".replace("-", "−"), ha="center", va="center", color=ink, fontsize=font
            )
    _label(canvas, names, units, inputs, count)
    _draw_bar(canvas, image, beyond, colours)
    return canvas


def _label(axes: "Axes", names: list[str] | None, units: list[str] | None, inputs: int, count: int) -> None:
    """Write the names of inputs and units, and numbers from 1 where there are none or too many."""
    if names is not None and inputs <= _MOST_NAMES:
        upright = max(map(len, names)) <= _LONGEST_UPRIGHT
        turned: dict[str, Any] = {} if upright else {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
        axes.set_xticks(np.arange(inputs), names, **turned)
    else:
        axes.set_xticks(*_numbered(inputs, 15))
    if units is not None and count <= _MOST_NAMES:
        axes.set_yticks(np.arange(count), units[:count])
    else:
        axes.set_yticks(*_numbered(count, 12))
    axes.tick_params(length=0)


def _numbered(size: int, most: int) -> tuple[Array, list[str]]:
    """Return places and texts of at most so many numbers from 1 to `size`."""
    places = np.arange(0, size, -(-size // most))
    return places, [str(place + 1) for place in places]


def _draw_bar(axes: "Axes", image: Any, beyond: str, colours: Colours) -> None:
    bar = axes.figure.colorbar(image, ax=axes, extend=beyond, shrink=0.8, aspect=25, pad=0.02)
    bar.set_label("weight")
    bar.outline.set_edgecolor(colours.quiet)


def _diverging(colours: Colours) -> Any:
    return ramp(colours.negative, colours.ground, colours.positive)
