"""A search for a learning rate: the loss at each rate (floor 9; imports matplotlib, numpy, checks, errors)."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..checks import as_numbers, check_number, explained
from ..errors import ArgumentError, ArgumentTypeError
from .look import axes_or_new, check_canvas, colours_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Array = NDArray[Any]

_ABOVE = 0.6
"""How far beyond the first loss the picture reaches, as a share of the height from the lowest to the first: what
diverges at the end would else flatten all before it.
"""


class _Search(NamedTuple):
    """What is drawn of a search, in ascending order of rates."""

    rates: Array
    losses: Array
    smoothed: Array
    """The losses themselves where the search has none that are smoothed."""
    suggestion: float | None


@explained
def learning_rates(search: Any, *, ax: Any = None) -> "Axes":
    """Draw the loss at every learning rate that a search tried, with the rate that it suggests.

    The loss falls where a rate learns, and rises steeply where it is too large; that end is cut off.

    Parameters
    ----------
    search : LearningRateSearch
        Or any object with `rates` and `losses`, of the same length, and `suggestion`: a rate, or None or NaN where
        there is none. Where it has `smoothed` losses, these are the main line.
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes
        With a logarithmic scale of rates.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        No search, or one without finite losses.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from fastmlp import plots
    >>> search = SimpleNamespace(rates=[0.001, 0.01, 0.1, 1.0], losses=[2.3, 2.0, 0.9, 7.5], suggestion=0.05)
    >>> axes = plots.learning_rates(search)
    >>> axes.get_title()
    'Suggested learning rate: 0.05'
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    check_canvas(ax)
    found = _checked(search)
    canvas = axes_or_new(ax, 5.4, 3.6)
    colours = colours_of(canvas)
    smooth = not np.array_equal(found.smoothed, found.losses, equal_nan=True)
    if smooth:
        canvas.plot(found.rates, found.losses, color=colours.quiet, linewidth=0.9, alpha=0.6, label="loss of a step")
    canvas.plot(found.rates, found.smoothed, color=colours.first, linewidth=2, label="smoothed" if smooth else "loss")
    if found.suggestion is None:
        canvas.set_title("No learning rate to suggest")
    else:
        canvas.axvline(found.suggestion, color=colours.second, linewidth=1.4, linestyle="--", label="suggestion")
        there = float(np.interp(np.log(found.suggestion), np.log(found.rates), found.smoothed))
        canvas.plot([found.suggestion], [there], "o", color=colours.second, markersize=8, zorder=3)
        canvas.set_title(f"Suggested learning rate: {found.suggestion:.2g}")
    canvas.set_xscale("log")
    canvas.set(xlabel="learning rate", ylabel="loss", ylim=_limits(found.smoothed))
    canvas.grid(color=colours.quiet, alpha=0.3, linewidth=0.7)
    canvas.set_axisbelow(True)
    canvas.spines[["top", "right"]].set_visible(False)
    canvas.legend(frameon=False, labelcolor=colours.ink, fontsize=9, loc="best")
    return canvas


def _checked(search: Any) -> _Search:
    """Return rates in ascending order, with their losses, and the suggestion."""
    missing = [name for name in ("rates", "losses", "suggestion") if not hasattr(search, name)]
    if missing:
        raise ArgumentTypeError(
            f"search must be what find_learning_rate returned; {type(search).__name__} has no {missing[0]!r}"
        )
    rates, losses = _numbers(search, "rates"), _numbers(search, "losses")
    smoothed = losses if getattr(search, "smoothed", None) is None else _numbers(search, "smoothed")
    for drawn in (losses, smoothed):
        if rates.ndim != 1 or drawn.shape != rates.shape:
            raise ArgumentError(
                f"search must have a loss for each rate, got the shapes {drawn.shape} and {rates.shape}"
            )
    if not (len(rates) and (np.isfinite(rates) & (rates > 0)).all()):
        raise ArgumentError("search.rates must be finite and above 0, and at least one")
    if not (np.isfinite(losses).any() and np.isfinite(smoothed).any()):
        raise ArgumentError("search.losses has no finite loss to draw; start the search at a smaller rate")
    order = np.argsort(rates, kind="stable")
    return _Search(rates[order], losses[order], smoothed[order], _suggestion(search.suggestion))


def _numbers(search: Any, name: str) -> Array:
    return as_numbers(getattr(search, name), f"search.{name}").astype(float)


def _suggestion(suggestion: Any) -> float | None:
    if suggestion is None or np.isnan(number := float(check_number(suggestion, "search.suggestion"))):
        return None
    if not (np.isfinite(number) and number > 0):
        raise ArgumentError(f"search.suggestion must be finite and above 0, or None or NaN, got {number!r}")
    return number


def _limits(losses: Array) -> tuple[float, float]:
    """Return the lowest and the highest loss to show."""
    seen = np.where(np.isfinite(losses), losses, np.nan)
    best = int(np.nanargmin(seen))
    # Up to the lowest, losses are those of rates that do no harm.
    low, usual, most = float(seen[best]), float(np.nanmax(seen[: best + 1])), float(np.nanmax(seen))
    height = (usual - low) or (most - low) or 1.0
    return low - 0.08 * height, min(most, usual + _ABOVE * height) + 0.08 * height
