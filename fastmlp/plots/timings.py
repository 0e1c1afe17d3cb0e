"""Seconds as bars: what was measured of several programs (floor 9; imports matplotlib, checks)."""

import math
from typing import TYPE_CHECKING, Any

from ..checks import explained
from .look import Colours, axes_or_new, check_canvas, colours_of, matplotlib_part, size_in_points, width_of_text
from .results import Group, Results, read_results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LOGARITHMIC_FROM = 8.0
"""Where the largest is so many times the smallest, bars of a linear scale would not show the small."""
_BETWEEN_GROUPS = 0.8
_FONT = 9
_FACTS_FONT = 8
_COLUMN = 46
"""Points for the numbers at the right edge."""
_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))


@explained
def benchmarks(results: Any, *, highlight: str = "fastmlp", ax: Any = None) -> "Axes":
    """Draw seconds as bars, with each one's name and time beside it.

    Parameters
    ----------
    results : mapping, str or path
        ``{name: seconds}``; ``{group: {name: seconds}}``, such as libraries for every network; or what a benchmark of
        this repository keeps as JSON (``benchmarks/results/peers.json``, ``recipes.json``, the file of
        ``fastmlp bench --json``), or the path of such a file. Where such a file says how many times faster fastmlp is,
        that stands at the right edge; an asterisk marks a library that trains with another loss.
    highlight : str, default "fastmlp"
        Whose bars have a colour; names that start with it have it too.
    ax : matplotlib Axes, optional
        By default those of a new figure.

    Returns
    -------
    matplotlib Axes
        With a logarithmic scale where times differ much.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Nothing to draw, or not of that form; seconds that are not above 0.
    DataFileError
        The file is not there, or no JSON.
    MissingDependencyError
        matplotlib is not installed.

    Examples
    --------
    >>> from fastmlp import plots
    >>> axes = plots.benchmarks({"fastmlp": 0.034, "JAX": 0.23, "PyTorch": 1.5})
    >>> [text.get_text() for text in axes.texts]
    ['fastmlp  34 ms', 'JAX  230 ms', 'PyTorch  1.5 s']
    >>> import matplotlib.pyplot
    >>> matplotlib.pyplot.close(axes.figure)
    """
    check_canvas(ax)
    found = read_results(results)
    bars = sum(len(group.seconds) for group in found.groups)
    canvas = axes_or_new(ax, 7.5, 0.9 + 0.24 * bars + 0.24 * _BETWEEN_GROUPS * (len(found.groups) - 1))
    colours = colours_of(canvas)
    logarithmic = _set_scale(canvas, found)
    start, place, middles = canvas.get_xlim()[0], 0.0, []
    for group in found.groups:
        middles.append(place + (len(group.seconds) - 1) / 2)
        for name, seconds in group.seconds.items():
            text = _text(group, name, seconds)
            _draw_bar(canvas, place, text, seconds, start, name.startswith(highlight), colours)
            place += 1
        place += _BETWEEN_GROUPS
    canvas.set_ylim(place - _BETWEEN_GROUPS - 0.4, -0.6)
    canvas.set_yticks(middles, [group.name for group in found.groups])
    _write_facts(canvas, middles, found, colours)
    canvas.tick_params(axis="y", length=0)
    canvas.grid(axis="x", color=colours.quiet, alpha=0.3, linewidth=0.7)
    canvas.set_axisbelow(True)
    canvas.spines[["top", "right", "bottom"]].set_visible(False)
    canvas.set_title(f"Time{', logarithmic scale' if logarithmic else ''}: shorter is faster")
    return canvas


def duration(seconds: float) -> str:
    """Return seconds to two digits, with a unit.

    Examples
    --------
    >>> duration(0.0123), duration(14.4), duration(0)
    ('12 ms', '14 s', '0')
    """
    if seconds == 0:
        return "0"
    unit, size = next((pair for pair in _UNITS if seconds >= 0.9995 * pair[1]), _UNITS[-1])
    return f"{short(seconds / size)} {unit}"


def short(number: float) -> str:
    """Return a number to two digits, or to all those before the point.

    Examples
    --------
    >>> short(0.123), short(2.54), short(123.4)
    ('0.12', '2.5', '123')
    """
    return f"{number:.0f}" if number >= 99.5 else f"{float(f'{number:.2g}'):g}"


def _set_scale(axes: "Axes", found: Results) -> bool:
    """Set the scale so that the texts behind the bars have room; return whether it is logarithmic."""
    seconds = [value for group in found.groups for value in group.seconds.values()]
    low, high = min(seconds), max(seconds)
    logarithmic = high / low >= _LOGARITHMIC_FROM
    texts = (_text(group, name, value) for group in found.groups for name, value in group.seconds.items())
    needed = width_of_text(max(map(len, texts)), _FONT) + 8 + _COLUMN * _compared(found)
    room = min(0.6, needed / size_in_points(axes)[0])
    ticker = matplotlib_part("ticker")
    if logarithmic:
        start = 10.0 ** math.floor(math.log10(low) - 0.05)
        axes.set_xscale("log")
        axes.set_xlim(start, high * (high / start) ** (room / (1 - room)))
        first, last = round(math.log10(start)), math.floor(math.log10(high))
        axes.set_xticks([10.0**power for power in range(first, last + 1)])  # none among the texts
        axes.xaxis.set_minor_locator(ticker.NullLocator())
    else:
        axes.set_xlim(0, high / (1 - room))
    axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: duration(value)))
    return logarithmic


def _compared(found: Results) -> bool:
    return any(group.times_faster is not None for group in found.groups)


def _text(group: Group, name: str, seconds: float) -> str:
    return f"{name}{'*' * (name in group.marked)}  {duration(seconds)}"


def _write_facts(axes: "Axes", middles: list[float], found: Results, colours: Colours) -> None:
    """Write what each group is about beneath its name, and how many times faster at the right edge."""
    left: dict[str, Any] = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points", "ha": "right"}
    for middle, group, label in zip(middles, found.groups, axes.get_yticklabels(), strict=True):
        if group.facts:
            label.set(va="bottom", fontweight="bold")
            quiet: dict[str, Any] = {"fontsize": _FACTS_FONT, "color": colours.quiet, "va": "top"}
            axes.annotate("\n".join(group.facts), (0, middle), xytext=(-4, -1), **left, **quiet)
        if group.times_faster is not None:
            bold: dict[str, Any] = {"fontsize": _FONT + 1, "fontweight": "bold", "color": colours.ink, "va": "center"}
            axes.annotate(f"{short(group.times_faster)}×", (1, middle), xytext=(0, 0), **left, **bold)
    if _compared(found):
        head = f"times faster\nthan {found.faster_than}"
        axes.text(1, 1.0, head, transform=axes.transAxes, ha="right", va="bottom", fontsize=_FACTS_FONT)


def _draw_bar(
    axes: "Axes", place: float, text: str, seconds: float, start: float, highlighted: bool, colours: Colours
) -> None:
    colour, opacity = (colours.first, 1.0) if highlighted else (colours.quiet, 0.6)
    axes.barh(place, seconds - start, left=start, height=0.8, color=colour, alpha=opacity)
    axes.annotate(
        text,
        (seconds, place),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=_FONT,
        fontweight="bold" if highlighted else "normal",
        color=colours.ink,
        parse_math=False,
    )
