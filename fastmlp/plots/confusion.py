"""Which labels are taken for which (floor 9; imports matplotlib, numpy, checks)."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ..checks import explained
from .answers import Array, answers_of, classes_of, named, true_labels
from .look import axes_or_new, colours_of, ramp, readable, size_in_points, size_of_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS_WITH_NUMBERS = 30
_LONGEST_UPRIGHT = 5
"""Letters of a label that stands upright below its column."""


@explained
def confusion_matrix(model: Any, X: Any, y: Any, *, ax: Any = None) -> "Axes":
    """Draw a confusion matrix: how often each true label got each predicted label.

    A row for every true label, a column for every answer, and in each cell how many samples there are. Right answers,
    on the diagonal, are blue by the share of their label; mistakes are red on a scale of their own, since the few there
    are would not show on that of the right answers.

    Parameters
    ----------
    model : Network or estimator
        A trained classifier.
    X : array_like, shape (n_samples, inputs)
    y : array_like, shape (n_samples,) or (n_samples, outputs)
        The true labels.
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes
        With two images, of shares: right answers and mistakes.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The model is no classifier, takes other samples, or `y` has not a label for each.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import Network, load_mnist, plots
    >>> digits = load_mnist()
    >>> network = Network([784, 10], seed=0)
    >>> history = network.fit(digits.X_train[:1000], digits.y_train[:1000], epochs=2, verbose=0)
    >>> axes = plots.confusion_matrix(network, digits.X_test, digits.y_test)
    >>> axes.get_xlabel(), axes.get_ylabel()
    ('answer', 'true label')
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    classes = classes_of(model)
    answers = answers_of(model, X).labels
    truths = true_labels(y, len(answers), classes)
    names = np.unique(np.concatenate([classes, truths])) if not np.isin(truths, classes).all() else classes
    counts = count_pairs(truths, answers, names)
    # Three inches are what the title needs; beyond fifteen labels cells become smaller.
    side = max(3.6, 1.6 + 0.5 * min(len(names), _MOST_LABELS_WITH_NUMBERS / 2))
    canvas = axes_or_new(ax, side, side)
    colours = colours_of(canvas)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    diagonal = np.eye(len(names), dtype=bool)
    worst = float(shares[~diagonal].max(initial=0)) or 1.0
    maps = ramp(colours.ground, colours.positive), ramp(colours.ground, colours.wrong)
    canvas.imshow(np.ma.array(shares, mask=~diagonal), cmap=maps[0], vmin=0, vmax=1)
    canvas.imshow(np.ma.array(shares, mask=diagonal), cmap=maps[1], vmin=0, vmax=worst)
    if len(names) <= _MOST_LABELS_WITH_NUMBERS:
        longest = len(f"{counts.max():,}")
        font = min(9.0, size_of_text(longest, 0.95 * min(size_in_points(canvas)) / len(names)))
        for row, column in np.argwhere(counts > 0):
            share, scale = shares[row, column], (maps[0], 1.0) if row == column else (maps[1], worst)
            ink = readable(scale[0](share / scale[1]), colours)
            canvas.text(column, row, f"{counts[row, column]:,}", ha="center", va="center", color=ink, fontsize=font)
    ticks = np.arange(0, len(names), -(-len(names) // _MOST_LABELS_WITH_NUMBERS))
    texts = [named(names[tick]) for tick in ticks]
    if max(map(len, texts)) <= _LONGEST_UPRIGHT:
        canvas.set_xticks(ticks, texts)
    else:
        canvas.set_xticks(ticks, texts, rotation=45, ha="right", rotation_mode="anchor")
    canvas.set_yticks(ticks, texts)
    canvas.tick_params(length=0)
    canvas.set(xlabel="answer", ylabel="true label")
    right = int(counts[diagonal].sum())
    canvas.set_title(f"{right:,} of {len(truths):,} right, {right / max(1, len(truths)):.2%}")
    return canvas


def count_pairs(truths: Array, answers: Array, names: Array) -> Array:
    """Return how many samples of each label got each answer.

    Parameters
    ----------
    truths, answers : ndarray, shape (n,)
    names : ndarray, shape (k,)
        All labels there are, in ascending order.

    Returns
    -------
    ndarray of int, shape (k, k)
        A row for each true label.

    Examples
    --------
    >>> count_pairs(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([0, 1])).tolist()
    [[1, 1], [0, 1]]
    """
    rows, columns = np.searchsorted(names, truths), np.searchsorted(names, answers)
    counts = np.bincount(rows * len(names) + columns, minlength=len(names) ** 2)
    return counts.reshape(len(names), len(names))
