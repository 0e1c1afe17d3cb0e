"""How a training went: loss and accuracy, epoch by epoch (floor 9; imports matplotlib, numpy, checks, errors)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..checks import explained
from ..errors import ArgumentError, ArgumentTypeError
from .look import checked_axes, colours_of, matplotlib_part

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]

_DOTS = "osD^v"
_MOST_INSIDE, _LINE = 3, 0.2
"""Histories whose legend finds room beside the curves; that of more stands below. And the inches of one of its lines.
"""

_FIGURES = {"loss": (np.nanargmin, "lowest", "{:.4f}"), "accuracy": (np.nanargmax, "highest", "{:.2%}")}


@explained
def history(history: Any, *, axes: Any = None) -> Array:
    """Draw the loss of every epoch, and the accuracy where there is one, of training and validation.

    The training is a full line, the validation a dashed one. A dot marks the best epoch of each, which the
    legend tells. Several trainings are drawn over one another, each in a colour of its own; the legend then tells
    the best epoch of the validation where there is one.

    Parameters
    ----------
    history : History, Network or estimator, or mapping of str to these
        What `Network.fit` returned, or what holds it; of several, each under the name that the legend is to show.
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

    Rates compared:

    >>> of_loss, of_accuracy = plots.history({"rate 1": recorded, "rate 3": recorded})
    >>> [text.get_text() for text in of_loss.get_legend().get_texts()]
    ['rate 1, lowest 0.2500, epoch 2', 'rate 3, lowest 0.2500, epoch 2']
    >>> matplotlib.pyplot.close(of_loss.figure)
    """
    several = _several(history)
    columns = {name: _columns(one) for name, one in (several or {"": history}).items()}
    figures = [name for name in _FIGURES if any(name in one or f"val_{name}" in one for one in columns.values())]
    below = len(columns) > _MOST_INSIDE
    drawn_on = _axes(axes, len(figures), _LINE * (len(columns) + 2) * below)
    for one, name in zip(drawn_on, figures, strict=True):
        if several:
            _draw_several(one, name, columns)
        else:
            _draw(one, name, columns[""])
        _finish(one, name, below)
    return drawn_on


def _several(history: Any) -> dict[str, Any]:
    """Return the histories of a mapping of names to such, or what holds them; nothing if it is a history itself."""
    if not isinstance(history, Mapping):
        return {}
    for one in history.values():
        if not (isinstance(one, Mapping) or hasattr(one, "history_") or hasattr(one, "history")):
            return {}  # but the values of epochs
    return {str(name): one for name, one in history.items()}


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


def _axes(axes: Any, count: int, room: float) -> Array:
    """Return the axes to draw on; those that are made have so many inches below them for the legend."""
    if axes is None:
        pyplot = matplotlib_part("pyplot")
        made = pyplot.subplots(1, count, figsize=(5 * count, 3.6 + room), layout="constrained", squeeze=False)[1]
        return np.asarray(made[0])
    given = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
    if len(given) != count:
        raise ArgumentError(
            f"axes: this history needs {count} ({'loss and accuracy' if count == 2 else 'only one figure'}), "
            f"got {len(given)}; make them with matplotlib.pyplot.subplots(1, {count})"
        )
    for one in given:
        checked_axes(one, "axes")
    return given


def _draw(axes: "Axes", name: str, columns: dict[str, Array]) -> None:
    """Draw training and validation of one history."""
    colours = colours_of(axes)
    series = {"training": (name, colours.first, "-"), "validation": (f"val_{name}", colours.second, "--")}
    for label, (column, colour, line) in series.items():
        _draw_line(axes, name, columns, column, color=colour, linestyle=line, marker="o", label=label)


def _draw_several(axes: "Axes", name: str, columns: dict[str, dict[str, Array]]) -> None:
    """Draw training and validation of several histories, each in its colour, from the seventh on with other dots."""
    colours = colours_of(axes)
    hues, validated = colours.several, any(_is_drawn(one, f"val_{name}") for one in columns.values())
    for number, (label, one) in enumerate(columns.items()):
        look = {"color": hues[number % len(hues)], "marker": _DOTS[number // len(hues) % len(_DOTS)]}
        _draw_line(axes, name, one, name, linestyle="-", label="" if _is_drawn(one, f"val_{name}") else label, **look)
        _draw_line(axes, name, one, f"val_{name}", linestyle="--", label=label, **look)
    if validated:
        for label, line in (("training", "-"), ("validation", "--")):
            axes.plot([], [], line, color=colours.quiet, label=label)


def _is_drawn(columns: dict[str, Array], column: str) -> bool:
    return column in columns and not np.isnan(columns[column]).all()


def _draw_line(axes: "Axes", name: str, columns: dict[str, Array], column: str, label: str, **look: Any) -> None:
    """Draw a column, if it is there, with a dot at its best epoch, which the label tells if there is one."""
    if not _is_drawn(columns, column):
        return
    (best_of, word, form), values = _FIGURES[name], columns[column]
    epochs, best = columns.get("epoch", np.arange(1, len(values) + 1)), int(best_of(values))
    told = f"{label}, {word} {form.format(values[best])}, epoch {epochs[best]:.0f}" if label else "_"
    # A single epoch is no line: its dot is all there is of it.
    axes.plot(epochs, values, linewidth=2, markersize=7, markevery=[best], label=told, **look)


def _finish(axes: "Axes", name: str, below: bool) -> None:
    colours = colours_of(axes)
    axes.set_xlabel("epoch")
    axes.set_title("Loss" if name == "loss" else "Accuracy")
    axes.xaxis.set_major_locator(matplotlib_part("ticker").MaxNLocator(integer=True))
    if name == "accuracy":
        axes.yaxis.set_major_formatter(matplotlib_part("ticker").PercentFormatter(1))
    axes.grid(color=colours.quiet, alpha=0.3, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.15)} if below else {"loc": "best"}
    axes.legend(frameon=False, labelcolor=colours.ink, fontsize=9, **place)
