"""Seconds as bars: what was measured of several programs (floor 9; imports matplotlib, checks, errors)."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checks import check_number
from ..errors import ArgumentError, ArgumentTypeError, DataFileError
from .look import Colours, axes_or_new, colours_of, matplotlib_part, size_in_points, width_of_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Groups = dict[str, dict[str, float]]

_LOGARITHMIC_FROM = 8.0
"""Where the largest is so many times the smallest, bars of a linear scale would not show the small."""
_BETWEEN_GROUPS = 0.8
_FONT = 9
_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
_NAMES = {
    "numpy": "NumPy",
    "loops": "loops",
    "loops_prange": "loops, prange",
    "numba": "fastmlp",
    "one_thread": "fastmlp, 1 thread",
    "auto_threads": "fastmlp",
}


def benchmarks(results: Any, *, highlight: str = "fastmlp", axes: Any = None) -> "Axes":
    """Draw seconds as bars, with each one's name and time beside it.

    Parameters
    ----------
    results : mapping, str or path
        ``{name: seconds}``; ``{group: {name: seconds}}``, such as libraries for every network; or what a benchmark of
        this repository keeps as JSON (``benchmarks/results/peers.json``, ``recipes.json``, the file of
        ``fastmlp bench --json``), or the path of such a file.
    highlight : str, default "fastmlp"
        Whose bars have a colour; names that start with it have it too.
    axes : matplotlib Axes, optional
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
    groups = grouped(results)
    bars = sum(map(len, groups.values()))
    canvas = axes_or_new(axes, 7.5, 0.9 + 0.24 * bars + 0.24 * _BETWEEN_GROUPS * (len(groups) - 1))
    colours = colours_of(canvas)
    seconds = [value for group in groups.values() for value in group.values()]
    low, high = min(seconds), max(seconds)
    logarithmic = high / low >= _LOGARITHMIC_FROM
    start = 10.0 ** math.floor(math.log10(low) - 0.05) if logarithmic else 0.0
    place, middles = 0.0, []
    for group in groups.values():
        middles.append(place + (len(group) - 1) / 2)
        for name, value in group.items():
            _draw_bar(canvas, place, name, value, start, name.startswith(highlight), colours)
            place += 1
        place += _BETWEEN_GROUPS
    longest = max(len(f"{name}  {duration(value)}") for group in groups.values() for name, value in group.items())
    # The share of the width that the texts behind the bars need.
    room = min(0.6, (width_of_text(longest, _FONT) + 8) / size_in_points(canvas)[0])
    if logarithmic:
        canvas.set_xscale("log")
        canvas.set_xlim(start, high * (high / start) ** (room / (1 - room)))
        canvas.xaxis.set_major_locator(matplotlib_part("ticker").LogLocator(numticks=12))
        canvas.xaxis.set_minor_locator(matplotlib_part("ticker").NullLocator())
    else:
        canvas.set_xlim(0, high / (1 - room))
    canvas.xaxis.set_major_formatter(matplotlib_part("ticker").FuncFormatter(lambda value, _: duration(value)))
    canvas.set_ylim(place - _BETWEEN_GROUPS - 0.4, -0.6)
    canvas.set_yticks(middles, list(groups))
    canvas.tick_params(axis="y", length=0)
    canvas.grid(axis="x", color=colours.quiet, alpha=0.3, linewidth=0.7)
    canvas.set_axisbelow(True)
    canvas.spines[["top", "right", "bottom"]].set_visible(False)
    canvas.set_title(f"Time{', logarithmic scale' if logarithmic else ''}: shorter is faster")
    return canvas


def grouped(results: Any) -> Groups:
    """Return results of any form as groups of names with their seconds; a group without name has the name "".

    Raises
    ------
    ArgumentError, ArgumentTypeError, DataFileError
        As `benchmarks`.

    Examples
    --------
    >>> grouped({"a": 1, "b": 2.5})
    {'': {'a': 1.0, 'b': 2.5}}
    """
    if isinstance(results, str | os.PathLike):
        results = _read(Path(results))
    if not isinstance(results, Mapping):
        raise ArgumentTypeError(
            f"results must be a mapping of names to seconds, or the path of a JSON file, got {type(results).__name__}"
        )
    try:
        groups = _of_any_form(results)
    except (KeyError, AttributeError):
        raise ArgumentError(
            "results are neither names with seconds, nor groups of such, nor what the benchmarks of fastmlp keep"
        ) from None
    checked = {
        str(group): {str(name): _checked(value, name) for name, value in members.items()}
        for group, members in groups.items()
        if members
    }
    if not checked:
        raise ArgumentError("results are empty; give at least one name with its seconds")
    return checked


def _of_any_form(results: Mapping[Any, Any]) -> Mapping[Any, Mapping[Any, Any]]:
    if isinstance(results.get("workloads"), list):
        return {workload["name"]: _fastest(workload["competitors"]) for workload in results["workloads"]}
    if isinstance(results.get("recipes"), list):
        return {recipe["name"]: _renamed(recipe["seconds_per_epoch"]) for recipe in results["recipes"]}
    if isinstance(results.get("training"), list):
        return {training["recipe"]: _renamed(training["seconds"]) for training in results["training"]}
    if all(isinstance(value, Mapping) for value in results.values()):
        return results
    return {"": results}


def _fastest(competitors: Mapping[str, Any]) -> dict[str, float]:
    """Return the least seconds of each library, with whatever threads; fastmlp first."""
    least: dict[str, float] = {}
    for competitor in competitors.values():
        name = competitor["library"]
        least[name] = min(competitor["least"], least.get(name, math.inf))
    return least


def _renamed(seconds: Mapping[str, float]) -> dict[str, float]:
    return {_NAMES.get(name, name): value for name, value in seconds.items()}


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
    number = seconds / size
    return f"{number:.0f} {unit}" if number >= 99.5 else f"{float(f'{number:.2g}'):g} {unit}"


def _draw_bar(
    axes: "Axes", place: float, name: str, seconds: float, start: float, highlighted: bool, colours: Colours
) -> None:
    colour, opacity = (colours.first, 1.0) if highlighted else (colours.quiet, 0.6)
    axes.barh(place, seconds - start, left=start, height=0.8, color=colour, alpha=opacity)
    axes.annotate(
        f"{name}  {duration(seconds)}",
        (seconds, place),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        fontsize=_FONT,
        fontweight="bold" if highlighted else "normal",
        color=colours.ink,
        parse_math=False,
    )


def _checked(value: Any, name: Any) -> float:
    seconds = float(check_number(value, f"results: the seconds of {name!r}"))
    if not (math.isfinite(seconds) and seconds > 0):
        raise ArgumentError(f"results: the seconds of {name!r} must be finite and above 0, got {value!r}")
    return seconds


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataFileError(f"{path}: {error.strerror or error}") from None
    except ValueError:  # not UTF-8, or not JSON
        raise DataFileError(f"{path}: not a JSON file; give one that a benchmark of fastmlp wrote") from None
