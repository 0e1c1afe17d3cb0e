"""What a model answers all over a plane of two features (floor 9; imports matplotlib, numpy, checks, data, errors,
network, training).
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..checks import as_numbers, check_whole, explained
from ..data.targets import Labels
from ..errors import ArgumentError, ArgumentTypeError
from ..network import Network
from ..training.arguments import default_labels
from .answers import has_probabilities, named, true_labels
from .look import Colours, axes_or_new, check_canvas, colours_of, matplotlib_part

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]
Extent = tuple[float, float, float, float]

MARKERS = "os^Dv<>pXhd"
"""A marker for each class, so that colour alone says nothing; one more than there are colours."""
_MARGIN = 0.08
_FAINT, _STRONG = 0.14, 0.55
"""Share of a class's colour where its probability is the least and the highest that an answer can have."""
_SCALE = "viridis"
_FEW = 2000
"""Samples among which a place for the legend is looked for."""
_BESIDE = 1.7
"""Inches for a legend or a colour bar."""


class _Asked(NamedTuple):
    """What a model says to some samples.

    Attributes
    ----------
    classes : ndarray, shape (k,), or None
        The labels; None of a regression.
    values : ndarray, shape (n, k) or (n,)
        A score for each label, of which the highest is the answer; numbers of a regression.
    are_probabilities : bool
    """

    classes: Array | None
    values: Array
    are_probabilities: bool


@explained
def decision_boundary(
    model: Any, X: Any, y: Any = None, *, resolution: int = 200, feature_names: Any = None, ax: Any = None
) -> "Axes":
    """Draw a model's predictions for every point of a plane, with the samples on it.

    Of a classifier, each region has the colour of its class, the stronger the higher the class's probability; lines
    are the boundaries. Of a regression, colours are the predicted numbers. Samples have the colour and the marker of
    their class, or the colour of their number: where it differs from what is behind, the model is wrong.

    Parameters
    ----------
    model : Network or estimator
        A trained one: of fastmlp, or any object with scikit-learn's `predict` or `predict_proba`. It has two features,
        and answers with one label or one number a sample.
    X : array_like, shape (n_samples, 2)
        The plane reaches a little beyond these samples.
    y : array_like, shape (n_samples,) or (n_samples, outputs), optional
        The true labels or numbers; without them all samples look alike.
    resolution : int in [10, 1000], default 200
        Points along each side of the plane at which the model is asked.
    feature_names : sequence of two str, optional
        By default the columns' names of a DataFrame, else "feature 1" and "feature 2".
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Samples or a model of another number of features, a model that answers with several labels or numbers a sample,
        or not a label for each sample.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import Network, plots
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> network = Network([2, 8, 2], hidden="tanh", seed=1)
    >>> history = network.fit(X, y, epochs=200, batch_size=4, optimizer="adam", verbose=0)
    >>> axes = plots.decision_boundary(network, X, y, resolution=50)
    >>> axes.images[0].get_array().shape, axes.get_xlabel()
    ((50, 50, 3), 'feature 1')
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    check_canvas(ax)
    side = check_whole(resolution, "resolution", 10, 1000)
    points = _points(X, model)
    names = _names(feature_names, X)
    low, high = _edges(points)
    across, down = (np.linspace(low[axis], high[axis], side) for axis in (0, 1))
    grid = np.column_stack([part.ravel() for part in np.meshgrid(across, down)])
    asked = _ask(model, _like(X, grid))
    extent = (low[0], high[0], low[1], high[1])
    if asked.classes is None:
        truths = None if y is None else _numbers(y, len(points))
        canvas = _draw_surface(ax, asked.values.reshape(side, side), extent, points, truths)
    else:
        labels = None if y is None else true_labels(y, len(points), asked.classes)
        canvas = _draw_regions(ax, asked, side, extent, points, labels)
        if labels is not None:
            answers = asked.classes[_ask(model, X).values.argmax(axis=1)]
            canvas.set_title(f"{int((answers == labels).sum()):,} of {len(labels):,} right")
    canvas.set(xlim=extent[:2], ylim=extent[2:], xlabel=names[0], ylabel=names[1], aspect="auto")
    return canvas


def _points(X: Any, model: Any) -> Array:
    points = as_numbers(X, "X")
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ArgumentError(
            f"X must have two features and at least one row, got the shape {points.shape}; train a model on two "
            "columns of the data, and give the same two here"
        )
    if not np.isfinite(points).all():
        raise ArgumentError("X must be finite; leave out rows with NaN or infinity")
    inputs = model.architecture.inputs if isinstance(model, Network) else getattr(model, "n_features_in_", 2)
    if inputs != 2:
        raise ArgumentError(f"model: a boundary is drawn over two features, but this model takes {inputs}")
    return points


def _edges(points: Array) -> tuple[Array, Array]:
    low, high = points.min(axis=0).astype(float), points.max(axis=0).astype(float)
    margin = _MARGIN * np.where(high > low, high - low, 1.0)
    least = low - margin
    # Pixels and counts are never negative; a network that learned from them refuses such.
    return np.maximum(least, 0) if points.dtype.kind == "u" else least, high + margin


def _names(feature_names: Any, X: Any) -> tuple[str, str]:
    chosen = getattr(X, "columns", ("feature 1", "feature 2")) if feature_names is None else feature_names
    if isinstance(chosen, str) or not hasattr(chosen, "__len__") or len(chosen) != 2:
        raise ArgumentError(f"feature_names must be two names, got {feature_names!r}")
    first, second = chosen
    return str(first), str(second)


def _like(X: Any, grid: Array) -> Any:
    """Return a grid in the form of `X`: a DataFrame's columns keep their names, which scikit-learn looks at."""
    return type(X)(grid, columns=X.columns) if hasattr(X, "iloc") else grid


def _numbers(y: Any, n_rows: int) -> Array:
    numbers = as_numbers(y, "y").astype(float)
    if numbers.shape not in ((n_rows,), (n_rows, 1)):
        raise ArgumentError(f"y must have a number for each of the {n_rows} rows of X, got the shape {numbers.shape}")
    return numbers.ravel()


def _ask(model: Any, X: Any) -> _Asked:
    if isinstance(model, Network):
        return _ask_network(model, X)
    if not (hasattr(model, "predict") or hasattr(model, "predict_proba")):
        raise ArgumentTypeError(f"model must be a Network or a trained estimator, got {type(model).__name__}")
    classes = getattr(model, "classes_", None)
    if isinstance(classes, list):
        raise ArgumentError("model must answer with one label a sample, but this one answers with several")
    if hasattr(model, "predict_proba"):
        shares = np.asarray(model.predict_proba(X))
        return _Asked(np.arange(shares.shape[1]) if classes is None else np.asarray(classes), shares, True)
    answers = np.asarray(model.predict(X))
    if classes is None and answers.dtype.kind == "f":
        return _Asked(None, _one_a_sample(answers), False)
    known = np.unique(answers) if classes is None else np.asarray(classes)
    return _Asked(known, (answers[:, None] == known).astype(float), False)


def _ask_network(network: Network, X: Any) -> _Asked:
    labels: Labels = network.labels or default_labels(network.architecture)
    outputs = network(X)
    if labels.task == "regression":
        return _Asked(None, _one_a_sample(outputs), False)
    if labels.task == "multilabel":
        raise ArgumentError("model must answer with one label a sample, but this one answers with several")
    if labels.task == "binary":
        return _Asked(labels.classes, np.column_stack([1 - outputs, outputs]), has_probabilities(network))
    return _Asked(labels.classes, outputs, has_probabilities(network))


def _one_a_sample(numbers: Array) -> Array:
    if numbers.ndim == 2 and numbers.shape[1] > 1:
        raise ArgumentError(
            f"model must answer with one number a sample, but this one answers with {numbers.shape[1]}; draw a model "
            "of one output"
        )
    return numbers.reshape(len(numbers)).astype(float)


def _draw_regions(ax: Any, asked: _Asked, side: int, extent: Extent, points: Array, labels: Array | None) -> "Axes":
    """Draw regions in the colours of their classes, the boundaries between them, samples and a legend."""
    assert asked.classes is not None
    classes, names = asked.classes, asked.classes
    if labels is not None and not np.isin(labels, classes).all():
        names = np.unique(np.concatenate([classes, labels]))
    canvas = axes_or_new(ax, 4.8 + _BESIDE / 1.5, 4.2)
    colours = colours_of(canvas)
    hues = np.array([matplotlib_part("colors").to_rgb(colour) for colour in _hues(colours, len(names))])
    ground = np.array(matplotlib_part("colors").to_rgb(colours.ground))
    highest, answer = asked.values.max(axis=1), asked.values.argmax(axis=1)
    least = 1 / max(2, len(classes))
    sure = np.clip((highest - least) / (1 - least), 0, 1) if asked.are_probabilities else np.full(len(highest), 0.6)
    share = (_FAINT + (_STRONG - _FAINT) * sure)[:, None]
    mixed = (1 - share) * ground + share * hues[np.searchsorted(names, classes)[answer]]
    canvas.imshow(mixed.reshape(side, side, 3), origin="lower", extent=extent, interpolation="nearest", aspect="auto")
    _draw_boundaries(canvas, asked.values, side, extent, colours)
    for number, name in enumerate(names):
        some = points[labels == name] if labels is not None else points[:0]
        look: dict[str, Any] = {
            "color": hues[number : number + 1],
            "marker": MARKERS[number % len(MARKERS)],
            "label": named(name),
        }
        _scatter(canvas, some, len(points), colours, **look)
    if labels is None:
        _scatter(canvas, points, len(points), colours, color=colours.ink, marker=".")
    _draw_legend(canvas, colours, len(points))
    return canvas


def _hues(colours: Colours, count: int) -> list[str]:
    """Return the colour of every class; from the eleventh on they come again."""
    hues = colours.several + colours.further
    return [hues[number % len(hues)] for number in range(count)]


def _draw_boundaries(axes: "Axes", scores: Array, side: int, extent: Extent, colours: Colours) -> None:
    """Draw lines where a class is as likely as the likeliest of the others."""
    if scores.shape[1] < 2:
        return
    for number in range(scores.shape[1] if scores.shape[1] > 2 else 1):
        ahead = (scores[:, number] - np.delete(scores, number, axis=1).max(axis=1)).reshape(side, side)
        if ahead.min() < 0 < ahead.max():
            axes.contour(ahead, levels=[0.0], extent=extent, colors=[colours.ink], linewidths=1.3)


def _draw_surface(ax: Any, values: Array, extent: Extent, points: Array, truths: Array | None) -> "Axes":
    """Draw predicted numbers as colours, with lines of equal numbers, and samples in the colours of their own."""
    seen = values if truths is None else np.concatenate([values.ravel(), truths])
    norm = matplotlib_part("colors").Normalize(float(np.nanmin(seen)), float(np.nanmax(seen)))
    canvas = axes_or_new(ax, 4.8 + _BESIDE, 4.2)
    colours = colours_of(canvas)
    image = canvas.imshow(
        values, origin="lower", extent=extent, cmap=_SCALE, norm=norm, interpolation="bilinear", aspect="auto"
    )
    if values.min() < values.max():
        canvas.contour(values, levels=8, extent=extent, colors=["white"], linewidths=0.6, linestyles="solid", alpha=0.6)
    if truths is None:
        _scatter(canvas, points, len(points), colours, color=colours.ink, marker=".")
    else:
        look: dict[str, Any] = {
            "c": truths,
            "cmap": _SCALE,
            "norm": norm,
            "marker": "o",
            "edgecolors": "white",
            "linewidths": 0.9,
        }
        canvas.scatter(points[:, 0], points[:, 1], s=_size(len(points)), zorder=3, **look)
    bar = canvas.figure.colorbar(image, ax=canvas)
    bar.set_label("prediction" if truths is None else "prediction; circles: y")
    bar.outline.set_edgecolor(colours.quiet)
    return canvas


def _scatter(axes: "Axes", points: Array, of: int, colours: Colours, **look: Any) -> None:
    edges: dict[str, Any] = {} if look["marker"] == "." else {"edgecolors": colours.ground, "linewidths": 0.7}
    axes.scatter(points[:, 0], points[:, 1], s=_size(of), zorder=3, **edges, **look)


def _size(points: int) -> float:
    """Return the area of a sample's marker in points²: smaller where there are many."""
    return float(np.clip(600 / np.sqrt(points), 6, 38))


def _draw_legend(axes: "Axes", colours: Colours, points: int) -> None:
    """Name the classes: beside the Axes where the figure makes room for it, else within them."""
    beside = axes.figure.get_layout_engine() is not None
    within: dict[str, Any] = {"loc": "best" if points <= _FEW else "upper right"}
    place: dict[str, Any] = {"loc": "upper left", "bbox_to_anchor": (1.01, 1.0)} if beside else within
    look: dict[str, Any] = {"facecolor": colours.ground, "edgecolor": colours.quiet, "labelcolor": colours.ink}
    axes.legend(fontsize=9, frameon=not beside, framealpha=0.9, **look, **place)
