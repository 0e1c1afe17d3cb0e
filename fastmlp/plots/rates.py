"""A search for a learning rate: the loss at each rate (floor 9; imports matplotlib, numpy, checks, errors)."""

from typing import TYPE_CHECKING, Any

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


@explained
def learning_rates(search: Any, *, ax: Any = None) -> "Axes":
    """Draw the loss at every learning rate that a search tried, with the rate that it suggests.

    The loss falls where a rate learns, and rises steeply where it is too large; that end is cut off.

    Parameters
    ----------
    search : LearningRateSearch
        Or any object with `rates` and `losses`, of the same length, and `suggestion`, a rate or None.
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
    rates, losses, suggestion = _checked(search)
    canvas = axes_or_new(ax, 5.4, 3.6)
    colours = colours_of(canvas)
    canvas.plot(rates, losses, color=colours.first, linewidth=2, label="loss")
    if suggestion is not None:
        canvas.axvline(suggestion, color=colours.second, linewidth=1.4, linestyle="--", label="suggestion")
        there = float(np.interp(np.log(suggestion), np.log(rates), losses))
        canvas.plot([suggestion], [there], "o", color=colours.second, markersize=8, zorder=3)
        canvas.set_title(f"Suggested learning rate: {suggestion:.2g}")
    else:
        canvas.set_title("No learning rate to suggest")
    canvas.set_xscale("log")
    canvas.set(xlabel="learning rate", ylabel="loss", ylim=_limits(losses))
    canvas.grid(color=colours.quiet, alpha=0.3, linewidth=0.7)
    canvas.set_axisbelow(True)
    canvas.spines[["top", "right"]].set_visible(False)
    canvas.legend(frameon=False, labelcolor=colours.ink, fontsize=9, loc="best")
    return canvas


def _checked(search: Any) -> tuple[Array, Array, float | None]:
    """Return rates in ascending order, their losses, and the suggestion."""
    missing = [name for name in ("rates", "losses", "suggestion") if not hasattr(search, name)]
    if missing:
        raise ArgumentTypeError(
            f"search must be what find_learning_rate returned; a {type(search).__name__} has no {missing[0]!r}"
        )
    rates, losses = (as_numbers(getattr(search, name), f"search.{name}").astype(float) for name in ("rates", "losses"))
    if rates.shape != losses.shape or rates.ndim != 1:
        raise ArgumentError(f"search must have a loss for each rate, got the shapes {losses.shape} and {rates.shape}")
    if not (len(rates) and (np.isfinite(rates) & (rates > 0)).all()):
        raise ArgumentError("search.rates must be finite and above 0, and at least one")
    if not np.isfinite(losses).any():
        raise ArgumentError("search.losses has no finite loss to draw; start the search at a smaller rate")
    suggestion = search.suggestion
    if suggestion is not None:
        suggestion = float(check_number(suggestion, "search.suggestion"))
        if not (np.isfinite(suggestion) and suggestion > 0):
            raise ArgumentError(f"search.suggestion must be finite and above 0, or None, got {suggestion!r}")
    order = np.argsort(rates, kind="stable")
    return rates[order], losses[order], suggestion


def _limits(losses: Array) -> tuple[float, float]:
    """Return the lowest and the highest loss to show."""
    seen = np.where(np.isfinite(losses), losses, np.nan)
    best = int(np.nanargmin(seen))
    # Up to the lowest, losses are those of rates that do no harm.
    low, usual, most = float(seen[best]), float(np.nanmax(seen[: best + 1])), float(np.nanmax(seen))
    height = (usual - low) or (most - low) or 1.0
    return low - 0.08 * height, min(most, usual + _ABOVE * height) + 0.08 * height
