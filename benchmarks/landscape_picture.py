"""Draw where fastmlp is ahead and where it isn't, as a heat map: an SVG file.

    python -m benchmarks.landscape_picture

It reads what `landscape --write` and `answering --write` kept in benchmarks/results and writes
benchmarks/results/landscape.svg, without any library. A cell is how many times faster fastmlp is than the best of the
others. The picture has a dark form, for readers whose system asks for it.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from . import svg
from .answering import ROWS, SHAPES
from .machine import in_words
from .points import BATCHES, CENTRES, CHANGES, ENDS, FEATURES, HIDDEN, point
from .svg import short, text

FOLDER = Path(__file__).parent / "results"
TRAINING, ANSWERS, PICTURE = (FOLDER / name for name in ("landscape.json", "answering.json", "landscape.svg"))

EDGES = (1.0, 1.25, 2.0, 4.0, 8.0)
"""Ratios between two colours."""

COLOURS = {
    "heat0": ("#f4a582", "#8c4a2f"),
    "heat1": ("#f3e6dd", "#4a3b33"),
    "heat2": ("#d6e8f3", "#1e3a4c"),
    "heat3": ("#a6cee6", "#205070"),
    "heat4": ("#6aaed6", "#246a9a"),
    "heat5": ("#3b8fc4", "#2a86c4"),
    "empty": ("#eef1f4", "#20262d"),
}
LEFT, CELL, HEIGHT, GAP = 216, 62, 22, 46

Ratios = Mapping[Any, float | None]


def main() -> int:
    """Run the script; return its exit code."""
    for file, command in ((TRAINING, "landscape"), (ANSWERS, "answering")):
        if not file.exists():
            print(f"no {file.name} yet; run: python -m benchmarks.{command} --write", file=sys.stderr)
            return 1
    read = (json.loads(file.read_text(encoding="utf-8")) for file in (TRAINING, ANSWERS))
    PICTURE.write_text(picture(*read), encoding="utf-8")
    return 0


def picture(training: Mapping[str, Any], answers: Mapping[str, Any]) -> str:
    """Return the picture as the text of an SVG file.

    Parameters
    ----------
    training, answers : mapping
        What `landscape` and `answering` wrote.

    Returns
    -------
    str
    """
    of_training: Ratios = {one["name"]: one["times_faster"] for one in training["points"]}
    of_answers: Ratios = {(one["name"], one["rows"]): one["times_faster"] for one in answers["points"]}
    parts = [text(24, 34, "How many times faster than the best of the others", "title")]
    y = 62.0
    for heading, columns, rows in _panels(of_training, of_answers):
        parts += _panel(y, heading, columns, rows)
        y += GAP + 16 + HEIGHT * len(rows)
    parts += _legend(y - 14)
    said = "Training: an epoch, beside JAX and PyTorch. Answers: beside ONNX Runtime and NumPy. float32 unless said."
    parts.append(text(24, y + 32, said, "small"))
    parts.append(text(24, y + 49, f"{in_words(training['machine'])}; {training['date']}.", "small"))
    parts.append(text(24, y + 66, f"Answers: {in_words(answers['machine'])}; {answers['date']}.", "small"))
    described = "; ".join(f"{name}: {short(ratio)}" for name, ratio in of_training.items() if ratio is not None)
    return svg.document("Where fastmlp is ahead", described, y + 84, COLOURS, parts)


def _panels(training: Ratios, answers: Ratios) -> list[tuple[str, Sequence[str], list[tuple[str, list[float | None]]]]]:
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


def _panel(y: float, heading: str, columns: Sequence[str], rows: list[tuple[str, list[float | None]]]) -> list[str]:
    parts = [text(24, y, heading, "name")]
    left = 330 if columns == [""] else LEFT - 60 if len(columns) > 8 else LEFT
    parts += [text(left + CELL * (n + 0.5), y + 17, column, "small", "middle") for n, column in enumerate(columns)]
    for number, (label, ratios) in enumerate(rows):
        top = y + 24 + number * HEIGHT
        parts.append(text(left - 10, top + 15, label, "small", "end"))
        for column, ratio in enumerate(ratios):
            x = left + column * CELL
            parts.append(svg.bar(_kind(ratio), x, top, x + CELL - 2, HEIGHT - 2))
            parts.append(text(x + CELL / 2 - 1, top + 14.5, "–" if ratio is None else short(ratio), "", "middle"))
    return parts


def _kind(ratio: float | None) -> str:
    return "empty" if ratio is None else f"heat{sum(ratio >= edge for edge in EDGES)}"


def _legend(y: float) -> list[str]:
    """A cell of every colour, with the ratios that it stands for."""
    names = [f"below {EDGES[0]:g}", *(f"from {edge:g}" for edge in EDGES)]
    parts = []
    for number, name in enumerate(names):
        x = 24 + number * 120
        parts += [svg.bar(f"heat{number}", x, y, x + 24, 16), text(x + 32, y + 12.5, name, "small")]
    return parts


if __name__ == "__main__":
    sys.exit(main())
