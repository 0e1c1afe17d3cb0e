"""Samples as images: plain, with answers, and the mistakes among them (floor 9; imports matplotlib, numpy, checks,
errors).
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import explained
from ..errors import ArgumentError
from .answers import Answers, Array, answers_of, classes_of, named, true_labels
from .look import Colours, axes_or_new, colours_of, ramp
from .tiles import Tile, as_images, axes_for_tiles, check_layout, draw_tiles, pixel_limits

if TYPE_CHECKING:
    from matplotlib.axes import Axes


_LONGEST_BESIDE = 5
"""Letters of a label that stands on one line with its probability."""


@explained
def sample_grid(
    X: Any, y: Any = None, *, n: int = 40, columns: int | None = None, shape: Any = None, ax: Any = None
) -> "Axes":
    """Draw the first samples as images, with their labels.

    Parameters
    ----------
    X : array_like, shape (n_samples, inputs) or (n_samples, height, width)
        Dense or sparse.
    y : array_like, shape (n_samples,) or (n_samples, outputs), optional
        Labels to write beneath.
    n : int in [1, 1000], default 40
        How many to draw at most.
    columns : int, optional
        By default ten in a new figure, and on given Axes as many as make the images largest.
    shape : (height, width), optional
        Of an image, by default that of a square.
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Rows that are no images, no rows at all, or not a label for each.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import load_mnist, plots
    >>> digits = load_mnist()
    >>> axes = plots.sample_grid(digits.X_train, digits.y_train, n=20)
    >>> len(axes.images)
    20
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    rows = _with_rows(X)
    labels = None if y is None else true_labels(y, rows.shape[0], np.arange(np.shape(y)[-1] if np.ndim(y) else 0))
    shown, columns = check_layout(n, columns, rows.shape[0])
    images = as_images(_some(rows, slice(shown)), shape)
    tiles = [Tile(image, () if labels is None else (named(labels[number]),)) for number, image in enumerate(images)]
    canvas, across = axes_for_tiles(ax, tiles, columns)
    _draw(canvas, tiles, across, images)
    return canvas


@explained
def predictions(
    model: Any, X: Any, y: Any, *, n: int = 40, columns: int | None = None, shape: Any = None, ax: Any = None
) -> "Axes":
    """Draw the first samples with a classifier's predictions and their probabilities.

    Right answers are green; wrong ones are red in a thick frame, and a second line tells what they should have been.

    Parameters
    ----------
    model : Network or estimator
        A trained classifier.
    X : array_like, shape (n_samples, inputs)
    y : array_like, shape (n_samples,) or (n_samples, outputs)
        The true labels.
    n, columns, shape, ax
        As for `sample_grid`.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ArgumentError, ArgumentTypeError
        As `sample_grid`; the model is no classifier, or takes other samples.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import Network, load_mnist, plots
    >>> digits = load_mnist()
    >>> network = Network([784, 10], seed=0)
    >>> history = network.fit(digits.X_train[:1000], digits.y_train[:1000], epochs=2, verbose=0)
    >>> axes = plots.predictions(network, digits.X_test, digits.y_test, n=10)
    >>> axes.texts[0].get_text()[0]
    '7'
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    rows = _with_rows(X)
    labels = true_labels(y, rows.shape[0], classes_of(model))
    shown, columns = check_layout(n, columns, rows.shape[0])
    chosen = _some(rows, slice(shown))
    return _draw_answers(chosen, labels[:shown], answers_of(model, chosen), columns, shape, ax)


@explained
def mistakes(
    model: Any, X: Any, y: Any, *, n: int = 20, columns: int | None = None, shape: Any = None, ax: Any = None
) -> "Axes":
    """Draw the samples that a classifier gets wrong, the most confident mistakes first.

    Parameters
    ----------
    model : Network or estimator
        A trained classifier.
    X : array_like, shape (n_samples, inputs)
        Where to look for mistakes.
    y : array_like, shape (n_samples,) or (n_samples, outputs)
        The true labels.
    n : int in [1, 1000], default 20
        How many to draw at most.
    columns, shape, ax
        As for `sample_grid`.

    Returns
    -------
    matplotlib Axes
        Where there are no mistakes, it says so.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        As `predictions`.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import Network, load_mnist, plots
    >>> digits = load_mnist()
    >>> network = Network([784, 10], seed=0)
    >>> history = network.fit(digits.X_train[:1000], digits.y_train[:1000], epochs=2, verbose=0)
    >>> axes = plots.mistakes(network, digits.X_test, digits.y_test, n=5)
    >>> axes.get_title()[:15]
    'The 5 surest of'
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    rows = _with_rows(X)
    labels = true_labels(y, rows.shape[0], classes_of(model))
    answers = answers_of(model, rows)
    (wrong,) = np.nonzero(answers.labels != labels)
    wrong = wrong[np.argsort(-answers.confidence[wrong], kind="stable")]
    total = len(wrong)
    shown, columns = check_layout(n, columns, total)
    if not total:
        blank = axes_or_new(ax, 5, 1.2)
        blank.set_axis_off()
        text = f"No mistakes among {len(labels):,} samples"
        blank.text(0.5, 0.5, text, ha="center", va="center", color=colours_of(blank).ink, transform=blank.transAxes)
        return blank
    wrong = wrong[:shown]
    some = Answers(answers.labels[wrong], answers.confidence[wrong], answers.are_probabilities)
    canvas = _draw_answers(_some(rows, wrong), labels[wrong], some, columns, shape, ax)
    which = f"The {shown} surest of {total:,} mistakes" if shown < total else f"All mistakes ({total:,})"
    canvas.set_title(f"{which} in {len(labels):,}")
    return canvas


def _draw_answers(X: Any, labels: Array, answers: Answers, columns: int | None, shape: Any, ax: Any) -> "Axes":
    images = as_images(X, shape)
    # The colours depend on the Axes, and the size of new Axes on the tiles: those of text alone come first.
    plain_tiles = [Tile(image, _lines(answers, labels, number)) for number, image in enumerate(images)]
    canvas, across = axes_for_tiles(ax, plain_tiles, columns)
    colours = colours_of(canvas)
    right = answers.labels == labels
    tiles = [
        Tile(tile.pixels, tile.lines, colours.right if right[number] else colours.wrong, heavy=not right[number])
        for number, tile in enumerate(plain_tiles)
    ]
    _draw(canvas, tiles, across, images)
    canvas.set_title(f"{int(right.sum()):,} of {len(labels):,} right")
    return canvas


def _lines(answers: Answers, labels: Array, number: int) -> tuple[str, ...]:
    answer, sure = named(answers.labels[number]), answers.in_words(number)
    # Words are too long to share a line.
    lines = (f"{answer}  {sure}",) if len(answer) <= _LONGEST_BESIDE else (answer, sure)
    return lines if answers.labels[number] == labels[number] else (*lines, f"is {named(labels[number])}")


def _draw(axes: "Axes", tiles: list[Tile], columns: int, images: Array) -> None:
    colours: Colours = colours_of(axes)
    draw_tiles(axes, tiles, columns, ramp(colours.ground, colours.ink), pixel_limits(images))


def _with_rows(X: Any) -> Any:
    """Return samples that have a shape and can be sliced, of which there is at least one."""
    rows = X if hasattr(X, "shape") else np.asarray(X)
    if len(rows.shape) < 2 or not rows.shape[0]:
        raise ArgumentError(f"X must have at least one row, and a row for each sample, got the shape {rows.shape}")
    return rows


def _some(rows: Any, which: Any) -> Any:
    """Some rows of an array, a sparse matrix or a DataFrame."""
    return rows.iloc[which] if hasattr(rows, "iloc") else rows[which]
