"""The network itself: layers of circles, as bright as what they hold, joined by their weights (floor 9; imports
matplotlib, numpy, checks, errors, network).

The manner is that of Grant Sanderson's videos (Neural networks, 2017). Of a large layer only the most active units are
drawn, since few of them decide what the next layer holds.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import check_whole, explained
from ..errors import ArgumentError
from .answers import Answers, Array, answers_of, classes_of, named, network_of
from .look import Colours, axes_or_new, colours_of, matplotlib_part, ramp, readable, size_in_points, width_of_text
from .tiles import SMALLEST_IMAGE, image_shape, pixel_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ..network import Network

_RADIUS = 0.36
_APART = 6.5
"""From layer to layer; circles are 1 apart."""
_LEFT_OUT = 1.6
"""Height of the dots that stand for the units left out."""
_IMAGE = 6.5
_CAPTION = 2.8
"""To either side of a layer, for what is written beneath."""
_INCHES = 0.31
_FONT = 0.62
"""Size of letters, where circles are 1 apart."""
_NUMBER = 0.6
"""Size of numbers within circles, as a share of it."""


@dataclass(frozen=True)
class _Layer:
    """Where the drawn units of a layer are.

    Attributes
    ----------
    units : ndarray of int, shape (k,)
        Which of the layer's are drawn, from the top.
    x : float
    y : ndarray, shape (k,)
        Downwards, with 0 in the middle.
    values : ndarray, shape (k,)
        What they hold, from -1 to 1.
    size : int
        How many units there are in all.
    """

    units: Array
    x: float
    y: Array
    values: Array
    size: int


@explained
def activations(
    model: Any, x: Any, y: Any = None, *, most_units: int = 16, shape: Any = None, ax: Any = None
) -> "Axes":
    """Draw the network with the activation of every unit for one sample.

    A circle is the fuller of ink the more its unit holds, compared with the largest of its layer (outputs from 0
    to 1: with 1); red ink stands for negative values. Lines are weights, blue positive and red negative, the
    stronger the larger they are within their layer and the more the unit that they come from holds. Of a large layer
    only the most active units are drawn, with their numbers, counted from 1; of many outputs the highest, from the
    top. Beside the outputs stand their labels and values, with the answer in bold.

    Parameters
    ----------
    model : Network or estimator of fastmlp
    x : array_like, shape (inputs,), (1, inputs) or (height, width)
        The sample, as `Network.predict` takes a row.
    y : label, optional
        The true label, for the title.
    most_units : int in [2, 100], default 16
        How many units of a layer to draw at most: those of the largest absolute values, and of a classifier's outputs
        the highest, among which is the answer.
    shape : (height, width), optional
        Of the sample as an image, by default that of a square. A row of a table is drawn without:
        one that is no square, or of less than 64 features that are not uint8.
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError, ArgumentTypeError
        More than one sample, one that the network doesn't take, or a wrong shape.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import Network, load_mnist, plots
    >>> digits = load_mnist()
    >>> axes = plots.activations(Network([784, 16, 16, 10], seed=0), digits.X_test[0])
    >>> [len(circles.get_paths()) for circles in axes.collections[-4:]]
    [16, 16, 16, 10]
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    network = network_of(model)
    most = check_whole(most_units, "most_units", 2, 100)
    row = _one_row(x, network.architecture.inputs)
    image = _image(row, x, shape)
    held = [values[0] for values in network.activations(row)]
    answers, classes = _answers(model, network, row)
    layers = _laid_out(network, held, most, classes is not None)
    shares = network.architecture.layers[-1].activation == "softmax"
    texts = _output_texts(layers[-1], held[-1], classes, shares)
    answer = None if answers is None or classes is None else answers.labels[0]
    bold = [classes is not None and bool(answer == classes[unit]) for unit in layers[-1].units]
    left, right, bottom, top = edges = _edges(layers, texts, image is not None)
    canvas = axes_or_new(ax, (right - left) * _INCHES, (bottom - top) * _INCHES + 0.4)
    canvas.set(xlim=(left, right), ylim=(bottom, top), aspect="equal")
    canvas.set_axis_off()
    colours = colours_of(canvas)
    if image is not None:
        _draw_image(canvas, image, colours)
    for number, (before, after) in enumerate(pairwise(layers)):
        _draw_weights(canvas, network.weights[number][0], before, after, colours)
    for layer in layers:
        _draw_dots(canvas, layer, colours)
        _draw_units(canvas, layer, colours)
    font = _font(canvas, edges)
    captions = [_called(network, number, layer, classes is not None) for number, layer in enumerate(layers)]
    _write(canvas, layers, captions, texts, bold, font, colours)
    for number, layer in enumerate(layers):
        pictured = number == 0 and image is not None
        named_beside = layer is layers[-1] and classes is not None
        if len(layer.units) < layer.size and not (pictured or named_beside):
            _write_numbers(canvas, layer, _NUMBER * font, colours)
    if answers is not None:
        verdict = "" if y is None else ", right" if named(y) == named(answers.labels[0]) else f", but it is {named(y)}"
        canvas.set_title(f"Answer: {named(answers.labels[0])}{verdict}")
    return canvas


def shown_units(values: Array, most: int, *, highest: bool = False) -> Array:
    """Return which units of a layer are drawn: all, or the most active where they are more than `most`.

    Parameters
    ----------
    values : ndarray, shape (units,)
    most : int
    highest : bool, default False
        Whether to choose by the value itself, and return the highest first.

    Examples
    --------
    >>> values = np.array([0.1, -0.9, 0.0, 0.5])
    >>> shown_units(values, 4).tolist(), shown_units(values, 2).tolist(), shown_units(values, 2, highest=True).tolist()
    ([0, 1, 2, 3], [1, 3], [3, 0])
    """
    if len(values) <= most:
        return np.arange(len(values))
    order = np.argsort(-(values if highest else np.abs(values)), kind="stable")[:most]
    return order if highest else np.sort(order)


def _one_row(x: Any, inputs: int) -> Array:
    row = np.asarray(x.toarray() if hasattr(x, "toarray") else x)
    if row.size != inputs:
        raise ArgumentError(f"x must be one sample of {inputs} features, got the shape {row.shape}; give one row of X")
    return row.reshape(1, inputs)


def _image(row: Array, x: Any, shape: Any) -> Array | None:
    if shape is None and getattr(x, "ndim", 0) == 2 and min(x.shape) > 1:
        shape = tuple(x.shape)
    if shape is None and row.size < SMALLEST_IMAGE and row.dtype != np.uint8:
        return None
    try:
        height, width = image_shape(row.shape[1], shape, "x")
    except ArgumentError:
        if shape is None:
            return None  # a row of a table
        raise
    return row.reshape(height, width)


def _full(network: "Network", number: int, values: Array) -> float:
    """Return what a full circle of a layer stands for."""
    layers = network.architecture.layers
    if number == len(layers) and layers[-1].activation in ("sigmoid", "softmax"):
        return 1.0
    return float(np.abs(values).max()) or 1.0


def _laid_out(network: "Network", held: list[Array], most: int, has_answer: bool) -> list[_Layer]:
    """Choose the units to draw, and place them; `held` is what each layer holds."""
    layers = []
    for number, values in enumerate(held):
        units = shown_units(values, most, highest=has_answer and number == len(held) - 1)
        layers.append(_placed(values, number, units, _full(network, number, values)))
    return layers


def _placed(values: Array, number: int, units: Array, full: float) -> _Layer:
    y = np.arange(len(units), dtype=float)
    return _Layer(units, number * _APART, y - y.mean(), np.clip(values[units] / full, -1, 1), len(values))


def _answers(model: Any, network: "Network", row: Array) -> tuple[Answers | None, Array | None]:
    try:
        classes = classes_of(model)
    except ArgumentError:  # it answers with numbers, which have no names
        return None, None
    if len(classes) == 2 and network.architecture.outputs == 1:
        return answers_of(model, row), classes[1:]
    return answers_of(model, row), classes


def _edges(layers: list[_Layer], texts: list[str], with_image: bool) -> tuple[float, float, float, float]:
    """Return where the picture ends: left, right, bottom and top, with y downwards."""
    lowest = _lowest(layers)
    two_lines = any(len(layer.units) < layer.size for layer in layers)
    top, bottom = min(float(layer.y.min()) for layer in layers) - 0.9, lowest + (2.4 if two_lines else 1.7)
    right = layers[-1].x + max(_CAPTION, 1.1 + width_of_text(max(map(len, texts)), _FONT))
    if not with_image:
        return -_CAPTION, right, bottom, top
    return -_IMAGE - 1.4, right, max(bottom, _IMAGE / 2 + 0.3), min(top, -_IMAGE / 2 - 0.3)


def _lowest(layers: list[_Layer]) -> float:
    return max(float(layer.y.max()) + _LEFT_OUT * (len(layer.units) < layer.size) for layer in layers)


def _write(
    axes: "Axes",
    layers: list[_Layer],
    captions: list[str],
    texts: list[str],
    bold: list[bool],
    font: float,
    colours: Colours,
) -> None:
    """Write what layers are beneath them, and labels and values beside the outputs."""
    style: dict[str, Any] = {"fontsize": font, "color": colours.ink, "va": "center", "parse_math": False}
    beneath = _lowest(layers) + 0.9
    for layer, caption in zip(layers, captions, strict=True):
        axes.text(layer.x, beneath, caption, ha="center", **style | {"va": "top"})
    for y, text, is_answer in zip(layers[-1].y, texts, bold, strict=True):
        axes.text(layers[-1].x + 0.8, y, text, fontweight="bold" if is_answer else "normal", **style)


def _font(axes: "Axes", edges: tuple[float, float, float, float]) -> float:
    """Return the size of letters that fits circles, in points."""
    left, right, bottom, top = edges
    width, height = size_in_points(axes)
    return float(np.clip(_FONT * min(width / (right - left), height / (bottom - top)), 5, 11))


def _write_numbers(axes: "Axes", layer: _Layer, font: float, colours: Colours) -> None:
    """Write into each circle which unit it is, counted from 1."""
    fills = _fills(colours)((layer.values + 1) / 2)
    for unit, y, fill in zip(layer.units, layer.y, fills, strict=True):
        ink = readable(fill, colours)
        axes.text(layer.x, y, str(unit + 1), fontsize=font, color=ink, ha="center", va="center", zorder=3)


def _called(network: "Network", number: int, layer: _Layer, has_answer: bool) -> str:
    """Return what stands beneath a layer: its size and activation, and which of its units are drawn."""
    layers = network.architecture.layers
    if number == 0:
        called, kind = f"{layer.size} inputs", "largest"
    else:
        called = f"{layer.size} {layers[number - 1].activation}"
        kind = "highest" if has_answer and number == len(layers) else "most active"
    return called if len(layer.units) == layer.size else f"{called}\n{len(layer.units)} {kind}"


def _draw_image(axes: "Axes", image: Array, colours: Colours) -> None:
    height, width = (_IMAGE * side / max(image.shape) for side in image.shape)
    right = -1.2
    axes.imshow(
        image,
        cmap=ramp(colours.ground, colours.ink),
        norm=matplotlib_part("colors").Normalize(*pixel_limits(image)),
        extent=(right - width, right, height / 2, -height / 2),
        interpolation="nearest",
    )
    frame = matplotlib_part("patches").Rectangle((right - width, -height / 2), width, height, fill=False)
    frame.set(edgecolor=colours.quiet, linewidth=1)
    axes.add_patch(frame)


def _draw_weights(axes: "Axes", W: Array, before: _Layer, after: _Layer, colours: Colours) -> None:
    to_rgb = matplotlib_part("colors").to_rgb
    part = W[np.ix_(before.units, after.units)].astype(float)
    strength = np.abs(part) / (np.abs(part).max() or 1.0)
    # Weights of units that hold nothing stay to be seen, faintly: they are there.
    strength *= 0.25 + 0.75 * np.abs(before.values)[:, None]
    order = np.argsort(strength, axis=None)  # strong ones over weak ones
    starts, ends = np.unravel_index(order, part.shape)
    segments = np.empty((len(order), 2, 2))
    segments[:, 0] = np.column_stack([np.full(len(order), before.x + _RADIUS), before.y[starts]])
    segments[:, 1] = np.column_stack([np.full(len(order), after.x - _RADIUS), after.y[ends]])
    signs = np.where((part[starts, ends] >= 0)[:, None], to_rgb(colours.positive), to_rgb(colours.negative))
    shown = strength[starts, ends]
    lines = matplotlib_part("collections").LineCollection(
        segments, colors=np.column_stack([signs, 0.06 + 0.84 * shown]), linewidths=0.4 + 1.4 * shown, zorder=1
    )
    axes.add_collection(lines, autolim=False)


def _draw_dots(axes: "Axes", layer: _Layer, colours: Colours) -> None:
    """Draw three dots for the units that are left out."""
    if len(layer.units) == layer.size:
        return
    places = float(layer.y.max()) + np.array([0.75, 1.1, 1.45])
    axes.plot([layer.x] * 3, places, ".", color=colours.ink, markersize=3, scalex=False, zorder=3)


def _draw_units(axes: "Axes", layer: _Layer, colours: Colours) -> None:
    circle = matplotlib_part("patches").Circle
    circles = matplotlib_part("collections").PatchCollection(
        [circle((layer.x, y), _RADIUS) for y in layer.y],
        facecolors=_fills(colours)((layer.values + 1) / 2),
        edgecolors=colours.quiet,
        linewidths=0.9,
        zorder=2,
    )
    axes.add_collection(circles, autolim=False)


def _fills(colours: Colours) -> Any:
    """Return the colours of circles, from -1 to 1."""
    return ramp(colours.negative, colours.ground, colours.ink)


def _output_texts(layer: _Layer, outputs: Array, classes: Array | None, shares: bool) -> list[str]:
    """Return what stands beside each output: its label, where there are labels, and its value."""
    values = [f"{outputs[unit]:.0%}" if shares else f"{outputs[unit]:.2f}" for unit in layer.units]
    if classes is None:
        return values
    return [f"{named(classes[unit])}   {value}" for unit, value in zip(layer.units, values, strict=True)]
