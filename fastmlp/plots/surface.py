"""The loss around a network, with the path that training took (floor 9; imports matplotlib, numpy, checks, errors)."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_number, check_whole, explained
from ..errors import ArgumentError, unknown_name
from .answers import network_of
from .look import Colours, axes_or_new, check_canvas, colours_of, matplotlib_part
from .plane import Plane, losses_on, plane_of_path, random_plane, snapshots_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
Extent = tuple[float, float, float, float]

DIRECTIONS = ("pca", "random")
_MARGIN = 0.25
"""Of the path's extent, on either side."""
_NARROWEST = 0.2
"""The least extent of one axis, as a share of the other's."""
_LOGARITHMIC_FROM = 8.0
_LINES = 12
_SCALE = "viridis"


@explained
def loss_surface(
    model: Any,
    X: Any,
    y: Any,
    *,
    path: Any = None,
    directions: str | None = None,
    span: float | None = None,
    resolution: int = 25,
    seed: int = 0,
    ax: Any = None,
) -> "Axes":
    """Draw the loss on a plane through the network's parameters, with the path that training took.

    Colours and lines are the mean loss of the samples with the parameters at that point, penalties not counted. The
    star is the network as it is; it is not changed.

    Parameters
    ----------
    model : Network or estimator of fastmlp
    X : array_like, shape (n_samples, inputs)
        Some hundred samples are enough: each point is a forward pass over all of them.
    y : array_like, shape (n_samples,) or (n_samples, outputs)
    path : list of snapshots of `Network.weights`, optional
        Drawn as a line, from the first to the last. Copy each, such as ``copy.deepcopy(net.weights)`` after each epoch:
        `Network.weights` itself follows the training.
    directions : {"pca", "random"}, optional
        "pca": the plane nearest to the path, which has to have three snapshots or more; the default where there is a
        path. "random": two random directions, in which the weights of each unit have the length of the network's own;
        biases stay as they are. A path is nearly a point there, since random directions hardly ever lie along it.
    span : float > 0, optional
        How far the plane reaches from the network in each direction. By default as far as the path, and a little
        beyond; for random directions 1, which changes the weights by as much as their own length.
    resolution : int in [5, 201], default 25
        Points along each side of the plane; an odd number has the network among them.
    seed : int in [0, 2**32), default 0
        Decides the random directions.
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes
        With an image of the losses, ``axes.images[0].get_array()``; the scale is logarithmic where they differ much.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Samples or snapshots of another network, a path that spans no plane, or an argument that can't be used.
    MissingDependencyError
        matplotlib is not installed.

    References
    ----------
    Li, Xu, Taylor, Studer and Goldstein, Visualizing the loss landscape of neural nets, NeurIPS 2018.

    Examples
    --------
    >>> import copy
    >>> from fastmlp import Network, plots
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> network = Network([2, 8, 2], hidden="tanh", seed=1)
    >>> path = [copy.deepcopy(network.weights)]
    >>> for _ in range(5):
    ...     history = network.fit(X, y, epochs=20, batch_size=4, optimizer="adam", verbose=0)
    ...     path.append(copy.deepcopy(network.weights))
    >>> axes = plots.loss_surface(network, X, y, path=path, resolution=11)
    >>> axes.images[0].get_array().shape
    (11, 11)
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    check_canvas(ax)
    network = network_of(model)
    side, chosen = check_whole(resolution, "resolution", 5, 201), check_whole(seed, "seed", 0, 2**32 - 1)
    reach = None if span is None else _checked_span(span)
    kind = ("random" if path is None else "pca") if directions is None else directions
    if kind not in DIRECTIONS:
        raise unknown_name("directions", directions, DIRECTIONS)
    if kind == "pca" and path is None:
        raise ArgumentError("directions='pca' needs the path of a training; give path=[...], or directions='random'")
    snapshots = None if path is None else snapshots_of(path, network.architecture)
    plane = plane_of_path(network, snapshots) if kind == "pca" else random_plane(network, chosen)  # type: ignore[arg-type]
    places = None if snapshots is None else plane.coordinates(snapshots)
    low, high = _extent(places, reach, at_least=1.0 if kind == "random" else 0.0)
    across, up = (np.linspace(low[axis], high[axis], side) for axis in (0, 1))
    losses = losses_on(plane, network, X, y, across, up)
    own = losses_on(plane, network, X, y, np.zeros(1), np.zeros(1))[0, 0]
    canvas = axes_or_new(ax, 6.0, 4.6)
    _draw_losses(canvas, losses, (low[0], high[0], low[1], high[1]))
    _draw_path(canvas, places)
    _finish(canvas, plane, kind, float(own))
    canvas.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    return canvas


def _checked_span(span: Any) -> float:
    number = float(check_number(span, "span"))
    if not (np.isfinite(number) and number > 0):
        raise ArgumentError(f"span must be finite and above 0, got {span!r}")
    return number


def _extent(places: Array | None, reach: float | None, at_least: float) -> tuple[Array, Array]:
    """Return the lowest and the highest coordinates to draw: all of the path, or so far from the network."""
    if reach is not None or places is None:
        return np.full(2, -(reach or at_least)), np.full(2, reach or at_least)
    seen = np.vstack([places, np.zeros(2)])
    low, high = seen.min(axis=0), seen.max(axis=0)
    middle, wide = (low + high) / 2, high - low
    wide = np.maximum(wide, _NARROWEST * wide.max()) * (1 + 2 * _MARGIN)
    return np.minimum(middle - wide / 2, -at_least), np.maximum(middle + wide / 2, at_least)


def _draw_losses(axes: "Axes", losses: Array, extent: Extent) -> None:
    """Draw losses as colours, with lines of equal loss and a colour bar."""
    seen = losses[np.isfinite(losses)]
    if not len(seen):
        seen = np.ones(1)
    low, high = float(seen.min()), float(seen.max())
    logarithmic = low > 0 and high / low >= _LOGARITHMIC_FROM
    norms = matplotlib_part("colors")
    norm = norms.LogNorm(low, high) if logarithmic else norms.Normalize(low, high if high > low else low + 1)
    image = axes.imshow(
        np.ma.masked_invalid(losses),
        cmap=_SCALE,
        norm=norm,
        origin="lower",
        extent=extent,
        interpolation="bilinear",
        aspect="auto",
    )
    if high > low:
        levels = np.geomspace(low, high, _LINES) if logarithmic else np.linspace(low, high, _LINES)
        inner = np.ma.masked_invalid(losses)
        axes.contour(inner, levels=levels[1:-1], extent=extent, colors=["white"], linewidths=0.6, alpha=0.55)
    bar = axes.figure.colorbar(image, ax=axes)
    bar.set_label("loss, logarithmic scale" if logarithmic else "loss")
    if logarithmic:
        ticker = matplotlib_part("ticker")
        bar.set_ticks(ticker.LogLocator(subs=(1.0, 2.0, 5.0)), minor=False)
        bar.formatter = ticker.FuncFormatter(lambda value, _: f"{value:g}")
        bar.minorticks_off()
    bar.outline.set_edgecolor(colours_of(axes).quiet)


def _draw_path(axes: "Axes", places: Array | None) -> None:
    """Draw the path, its start and the network, white on black so that they show on every colour."""
    effects = matplotlib_part("patheffects")
    outline = [effects.Stroke(linewidth=4, foreground="black"), effects.Normal()]
    edge: dict[str, Any] = {"markeredgecolor": "black", "color": "white", "linestyle": "none"}
    if places is not None:
        axes.plot(
            places[:, 0],
            places[:, 1],
            color="white",
            linewidth=1.8,
            marker=".",
            markersize=5,
            path_effects=outline,
            label=f"path, {len(places)} snapshots",
        )
        axes.plot(places[:1, 0], places[:1, 1], marker="o", markersize=8, label="its start", **edge)
    axes.plot([0], [0], marker="*", markersize=15, label="the network", **edge)


def _finish(axes: "Axes", plane: Plane, kind: str, own: float) -> None:
    colours: Colours = colours_of(axes)
    told = ["", ""] if plane.shares is None else [f", {share:.0%} of the path" for share in plane.shares]
    called = "direction" if kind == "pca" else "random direction"
    axes.set(
        xlabel=f"{called} 1{told[0]}",
        ylabel=f"{called} 2{told[1]}",
        title=f"Loss around the network; at the star {own:.4f}",
    )
    legend = axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=3, fontsize=9, frameon=False)
    for text in legend.get_texts():
        text.set_color(colours.ink)
