"""The weights of the first layer as images (floor 9; imports matplotlib, numpy)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from .answers import network_of
from .look import colours_of, ramp
from .tiles import Tile, axes_for_tiles, check_layout, draw_tiles, image_shape

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHARE_WITHIN_THE_SCALE = 99.8
"""Percent; a few extreme weights would leave all others pale."""


def weights(model: Any, *, n: int = 40, columns: int | None = None, shape: Any = None, axes: Any = None) -> "Axes":
    """Draw what each unit of the first layer looks for: its weights as an image, blue positive and red negative.

    All units share a scale that is symmetric about zero. It ends where 99.8% of the drawn weights are within it; the
    few beyond have the colour of its ends.

    Parameters
    ----------
    model : Network or estimator of fastmlp
    n : int in [1, 1000], default 40
        How many units to draw at most, from the first.
    columns : int, optional
        By default ten in a new figure, and on given Axes as many as make the images largest.
    shape : (height, width), optional
        Of an input, by default that of a square.
    axes : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The inputs are no images, or the model is none.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import Network, plots
    >>> axes = plots.weights(Network([784, 16, 10], seed=0))
    >>> len(axes.images), axes.images[0].get_array().shape
    (16, (28, 28))
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    W = network_of(model).weights[0][0]
    sides = image_shape(W.shape[0], shape, "model")
    shown, columns = check_layout(n, columns, W.shape[1])
    drawn = W[:, :shown]
    largest = float(np.percentile(np.abs(drawn), _SHARE_WITHIN_THE_SCALE)) or float(np.abs(drawn).max()) or 1.0
    tiles = [Tile(unit.reshape(sides)) for unit in drawn.T]
    canvas, across = axes_for_tiles(axes, tiles, columns, extra=0.9)
    colours = colours_of(canvas)
    image = draw_tiles(
        canvas, tiles, across, ramp(colours.negative, colours.ground, colours.positive), (-largest, largest)
    )
    beyond = "both" if np.abs(drawn).max() > largest else "neither"
    bar = canvas.figure.colorbar(image, ax=canvas, extend=beyond, shrink=0.8, aspect=25, pad=0.02)
    bar.set_label("weight")
    bar.outline.set_edgecolor(colours.quiet)
    units = f"{W.shape[1]} units" if shown == W.shape[1] else f"{shown} of {W.shape[1]} units"
    canvas.set_title(f"Weights of the first layer, {units}")
    return canvas
