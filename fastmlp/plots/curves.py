"""How a training went: loss and accuracy, epoch by epoch (floor 9; imports matplotlib, numpy, errors)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, ArgumentTypeError
from .look import checked_axes, colours_of, matplotlib_part

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]

_FIGURES = {"loss": (np.nanargmin, "lowest", "{:.4f}"), "accuracy": (np.nanargmax, "highest", "{:.2%}")}


def history(history: Any, *, axes: Any = None) -> Array:
    """Draw the loss of every epoch, and the accuracy where there is one, of training and validation.

    The training is a full line, the validation a dashed one. A dot marks the best epoch of each, which the
    legend tells.

    Parameters
    ----------
    history : History, Network or estimator
        What `Network.fit` returned, or what holds it.
    axes : matplotlib Axes or array of them, optional
        One, or two where accuracies were recorded. By default those of a new figure, side by side.

    Returns
    -------
    ndarray of matplotlib Axes, shape (1,) or (2,)
        Of the loss, and of the accuracy where it was recorded.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        No history, or one without epochs; or another number of Axes.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import History, plots
    >>> recorded = History()
    >>> recorded.append(epoch=1, loss=0.5, accuracy=0.8)
    >>> recorded.append(epoch=2, loss=0.25, accuracy=0.9)
    >>> of_loss, of_accuracy = plots.history(recorded)
    >>> of_loss.lines[0].get_ydata().tolist()
    [0.5, 0.25]
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(of_loss.figure)
    """
    columns = _columns(history)
    figures = [name for name in _FIGURES if name in columns or f"val_{name}" in columns]
    drawn_on = _axes(axes, len(figures))
    epochs = columns.get("epoch", np.arange(1, len(columns[next(iter(columns))]) + 1))
    for one, name in zip(drawn_on, figures, strict=True):
        _draw(one, name, epochs, columns)
    return drawn_on


def _columns(history: Any) -> dict[str, Array]:
    """Return the recorded columns of a history, or of what holds one."""
    for name in ("history_", "history"):
        history = getattr(history, name, history)
    if not isinstance(history, Mapping):
        raise ArgumentTypeError(
            f"history must be what Network.fit returned, a Network or a trained estimator, got {type(history).__name__}"
        )
    columns = {name: np.asarray(history[name], dtype=float) for name in history}
    if not any(len(columns.get(name, ())) for name in ("loss", "val_loss", "accuracy", "val_accuracy")):
        raise ArgumentError("history holds no epochs to draw; call fit first")
    return columns


def _axes(axes: Any, count: int) -> Array:
    if axes is None:
        pyplot = matplotlib_part("pyplot")
        made = pyplot.subplots(1, count, figsize=(5 * count, 3.6), layout="constrained", squeeze=False)[1]
        return np.asarray(made[0])
    given = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if len(given) != count:
        raise ArgumentError(
            f"axes: this history needs {count} ({'loss and accuracy' if count == 2 else 'only one figure'}), "
            f"got {len(given)}; make them with matplotlib.pyplot.subplots(1, {count})"
        )
    for one in given:
        checked_axes(one)
    return given


def _draw(axes: "Axes", name: str, epochs: Array, columns: dict[str, Array]) -> None:
    best_of, word, form = _FIGURES[name]
    colours = colours_of(axes)
    series = {"training": (name, colours.first, "-"), "validation": (f"val_{name}", colours.second, "--")}
    for label, (column, colour, line) in series.items():
        if column not in columns or np.isnan(columns[column]).all():
            continue
        values = columns[column]
        best = int(best_of(values))
        axes.plot(
            epochs,
            values,
            line,
            color=colour,
            linewidth=2,
            marker="o",
            markersize=7,
            # A single epoch is no line: its dot is all there is of it.
            markevery=[best],
            label=f"{label}, {word} {form.format(values[best])}, epoch {epochs[best]:.0f}",
        )
    axes.set_xlabel("epoch")
    axes.set_title("Loss" if name == "loss" else "Accuracy")
    axes.xaxis.set_major_locator(matplotlib_part("ticker").MaxNLocator(integer=True))
    if name == "accuracy":
        axes.yaxis.set_major_formatter(matplotlib_part("ticker").PercentFormatter(1))
    axes.grid(color=colours.quiet, alpha=0.3, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, labelcolor=colours.ink, loc="best", fontsize=9)
