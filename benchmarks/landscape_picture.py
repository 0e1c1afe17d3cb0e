"""Where fastmlp is ahead and where it isn't, as a heat map (imports fastmlp.plots, answering, machine, points).

`result_pictures` draws it from what `landscape --write` and `answering --write` kept in benchmarks/results. A cell is
how many times faster fastmlp is than the best of the others.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fastmlp.plots.look import LIGHT, matplotlib_part
from fastmlp.plots.timings import short

from .answering import ROWS, SHAPES
from .machine import in_words
from .points import BATCHES, CENTRES, CHANGES, ENDS, FEATURES, HIDDEN, point

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EDGES = (1.0, 1.25, 2.0, 4.0, 8.0)
"""Ratios between two colours."""

COLOURS: dict[str, tuple[str, str]] = {
    "heat0": ("#f4a582", "#8c4a2f"),
    "heat1": ("#f3e6dd", "#4a3b33"),
    "heat2": ("#d6e8f3", "#1e3a4c"),
    "heat3": ("#a6cee6", "#205070"),
    "heat4": ("#6aaed6", "#246a9a"),
    "heat5": ("#3b8fc4", "#2a86c4"),
    "empty": ("#eef1f4", "#20262d"),
}
"""Of the cells, on light and on dark ground."""
WIDTH, LEFT, CELL, HEIGHT, GAP = 860, 216, 62, 22, 46
"""In the picture's own units, 100 to an inch."""
_TITLE, _NAME, _CELL, _SMALL = 13.0, 10.0, 9.0, 8.0
"""Sizes of letters, in points."""

Ratios = Mapping[Any, float | None]
Row = tuple[str, list[float | None]]
Panel = tuple[str, Sequence[str], list[Row]]


def figure(training: Mapping[str, Any], answers: Mapping[str, Any]) -> Any:
    """Return the heat map as a matplotlib figure.

    Parameters
    ----------
    training, answers : mapping
        What `landscape` and `answering` wrote.

    Returns
    -------
    matplotlib Figure
    """
    of_training: Ratios = {one["name"]: one["times_faster"] for one in training["points"]}
    of_answers: Ratios = {(one["name"], one["rows"]): one["times_faster"] for one in answers["points"]}
    panels = _panels(of_training, of_answers)
    height = 62 + sum(GAP + 16 + HEIGHT * len(rows) for _, _, rows in panels) + 84
    axes = _canvas(height)
    _text(axes, 24, 28, "How many times faster than the best of the others", _TITLE, fontweight="bold")
    y = 62.0
    for heading, columns, rows in panels:
        _draw_panel(axes, y, heading, columns, rows)
        y += GAP + 16 + HEIGHT * len(rows)
    _draw_legend(axes, y - 6)
    notes = [
        "Training: an epoch, beside JAX and PyTorch. Answers: beside ONNX Runtime and NumPy. float32 unless said.",
        f"{in_words(training['machine'])}; {training['date']}.",
        f"Answers: {in_words(answers['machine'])}; {answers['date']}.",
    ]
    for number, note in enumerate(notes):
        _text(axes, 24, y + 30 + 17 * number, note, _SMALL, color=LIGHT.quiet)
    return axes.figure


def _canvas(height: float) -> "Axes":
    """Return Axes that fill a new figure and are measured in the picture's units, with y downwards."""
    made = matplotlib_part("pyplot").figure(figsize=(WIDTH / 100, height / 100))
    axes: Axes = made.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.set_axis_off()
    return axes


def _panels(training: Ratios, answers: Ratios) -> list[Panel]:
    """Return each panel's heading, columns and rows: a label, and the ratio at each column."""
    grid = [
        (
            f"{features}-{'-'.join(map(str, hidden))}-3",
            [training.get(point((features, *hidden, 3), batch).name) for batch in BATCHES],
        )
        for features in FEATURES
        for hidden in HIDDEN
    ]
    centres = [
        ("-".join(map(str, sizes)), [training.get(point(sizes, batch, **change).name) for change in CHANGES])
        for sizes, batch in CENTRES
    ]
    ends = [
        (point(sizes, batch, **more).name, [training.get(point(sizes, batch, **more).name)])
        for sizes, batch, more in ENDS
    ]
    asked = [(name, [answers.get((name, rows)) for rows in ROWS]) for name in SHAPES]
    changed = ["relu, adam", *(_said(change) for change in CHANGES[1:])]
    return [
        ("Training, relu, Adam: rows of a batch", [f"{batch:,}" for batch in BATCHES], grid),
        ("Training: three networks, one thing changed at a time", changed, centres),
        ("Training: the ends of the ranges", [""], ends),
        ("Answers: rows asked at a time", [f"{rows:,}" for rows in ROWS], asked),
    ]


def _said(change: Mapping[str, Any]) -> str:
    ((name, value),) = change.items()
    return f"{value:g} filled" if name == "density" else str(value)


def _draw_panel(axes: "Axes", y: float, heading: str, columns: Sequence[str], rows: list[Row]) -> None:
    _text(axes, 24, y, heading, _NAME, fontweight="bold")
    left = 330 if columns == [""] else LEFT - 60 if len(columns) > 8 else LEFT
    for number, column in enumerate(columns):
        _text(axes, left + CELL * (number + 0.5), y + 17, column, _SMALL, color=LIGHT.quiet, ha="center")
    for number, (label, ratios) in enumerate(rows):
        top = y + 28 + number * HEIGHT
        middle = top + HEIGHT / 2 - 1
        _text(axes, left - 10, middle, label, _SMALL, color=LIGHT.quiet, ha="right")
        for place, ratio in enumerate(ratios):
            x = left + place * CELL
            _cell(axes, x, top, CELL - 2, HEIGHT - 2, _kind(ratio))
            _text(axes, x + CELL / 2 - 1, middle, "–" if ratio is None else short(ratio), _CELL, ha="center")


def _kind(ratio: float | None) -> str:
    return "empty" if ratio is None else f"heat{sum(ratio >= edge for edge in EDGES)}"


def _draw_legend(axes: "Axes", y: float) -> None:
    """Draw a cell of every colour, with the ratios that it stands for."""
    names = [f"below {EDGES[0]:g}", *(f"from {edge:g}" for edge in EDGES)]
    for number, name in enumerate(names):
        x = 24.0 + number * 120
        _cell(axes, x, y, 24, 16, f"heat{number}")
        _text(axes, x + 32, y + 8, name, _SMALL, color=LIGHT.quiet)


def _cell(axes: "Axes", x: float, y: float, width: float, height: float, kind: str) -> None:
    patch = matplotlib_part("patches").Rectangle((x, y), width, height, facecolor=COLOURS[kind][0], edgecolor="none")
    axes.add_patch(patch)


def _text(axes: "Axes", x: float, y: float, text: str, size: float, **look: Any) -> None:
    axes.text(x, y, text, fontsize=size, va="center", parse_math=False, **{"color": LIGHT.ink, **look})
