"""Draw the results that benchmarks/results keeps, as SVG files beside them.

    python -m benchmarks.result_pictures                  all pictures
    python -m benchmarks.result_pictures recipes peers    some

It measures nothing, and needs matplotlib. Each picture has a dark form, for readers whose system asks for it.
"""

import argparse
import io
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

from fastmlp import plots
from fastmlp.plots.look import DARK, LIGHT

from . import landscape_picture
from .machine import in_words

FOLDER = Path(__file__).parent / "results"

SOURCES = {
    "recipes": {"recipes.json": "recipes_table --write docs/benchmarks.md"},
    "peers": {"peers.json": "compare --write README.md"},
    "landscape": {"landscape.json": "landscape --write", "answering.json": "answering --write"},
}
"""By picture the files that it is drawn from, and the script that writes each."""

_LOWER = 0.85
"""Height of the bars, as a share of those of `plots.benchmarks`."""

_BORDER = ("#d1d9e0", "#3d444d")

Figure = Any


class MissingResultsError(Exception):
    """There is no file to draw from; the message says how to make it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.result_pictures", description="Draw benchmarks/results as SVG files."
    )
    parser.add_argument("names", nargs="*", metavar="PICTURE", help=f"which: {', '.join(SOURCES)} (default: all)")
    names = parser.parse_args(arguments).names or list(SOURCES)
    if unknown := set(names) - set(SOURCES):
        parser.error(f"no picture {unknown.pop()!r}; known: {', '.join(SOURCES)}")
    try:
        for name in names:
            print(draw(name))
    except MissingResultsError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def draw(name: str, folder: Path = FOLDER) -> Path:
    """Draw a picture from the files in a folder, and return its own file there.

    Raises
    ------
    MissingResultsError
        A file that it is drawn from is not there.
    """
    from matplotlib import pyplot

    pyplot.switch_backend("Agg")
    results = []
    for file, script in SOURCES[name].items():
        if not (folder / file).exists():
            raise MissingResultsError(f"no {file} yet; run: python -m benchmarks.{script}")
        results.append(json.loads((folder / file).read_text(encoding="utf-8")))
    with plots.theme("light"):
        figure = FIGURES[name](*results)
    figure.patch.set(edgecolor=_BORDER[0], linewidth=1.5)
    path = folder / f"{name}.svg"
    path.write_text(as_svg(figure), encoding="utf-8")
    pyplot.close(figure)
    return path


def recipes_figure(results: Mapping[str, Any]) -> Figure:
    """Draw the time per epoch of the recipes, in NumPy and with the SIMD kernels."""
    shown = [
        {**recipe, "seconds_per_epoch": {name: recipe["seconds_per_epoch"][name] for name in ("numpy", "numba")}}
        for recipe in results["recipes"]
    ]
    note = [
        "Logarithmic scale. float32, each engine on one thread, minimum of interleaved epochs.",
        f"{in_words(results['machine'])}; {results['date']}.",
    ]
    return _bars({"recipes": shown}, "Time per epoch on MNIST", note)


def peers_figure(results: Mapping[str, Any]) -> Figure:
    """Draw the time per epoch of fastmlp and of other libraries."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    note = [
        "Logarithmic scale. float32, one thread or all cores, whichever is faster, minimum of interleaved rounds."
        + " * other loss" * any(workload["differences"] for workload in results["workloads"]),
        f"{in_words(results['machine'])},",
        f"{versions}; {results['date']}.",
    ]
    return _bars({"workloads": results["workloads"]}, "Time per epoch: fastmlp and other libraries", note)


FIGURES: dict[str, Callable[..., Figure]] = {
    "recipes": recipes_figure,
    "peers": peers_figure,
    "landscape": landscape_picture.figure,
}


def _bars(results: Mapping[str, Any], title: str, note: Sequence[str]) -> Figure:
    axes = plots.benchmarks(results)
    axes.set_title(title, loc="left", fontsize=13, fontweight="bold", pad=12)
    axes.set_title("")
    axes.set_xlabel("\n".join(note), loc="left", fontsize=8, color=LIGHT.quiet, labelpad=8)
    figure: Figure = axes.figure
    figure.set_size_inches(8.6, _LOWER * figure.get_size_inches()[1] + 0.16 * len(note) + 0.6)
    figure.get_layout_engine().set(w_pad=0.15, h_pad=0.15)
    return figure


def as_svg(figure: Figure) -> str:
    """Return a figure as the text of an SVG file: the same text for the same figure, and with a dark form."""
    import matplotlib

    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "fastmlp", "svg.fonttype": "none"}):
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return with_dark_form(file.getvalue())


def with_dark_form(svg: str) -> str:
    """Add a style for readers whose system is dark: each colour of the light theme becomes its partner.

    Programs that don't know such styles show the light form.

    Examples
    --------
    >>> "#0d1117" in with_dark_form('<svg><style>*{}</style><path style="fill: #ffffff"/></svg>')
    True
    """
    rules = "".join(
        f'[style*="{what}: {light}"]{{{what}:{dark} !important}}'
        for light, dark in dict(_pairs()).items()
        for what in ("fill", "stroke")
        if f"{what}: {light}" in svg
    )
    return re.sub("</style>", f"\n@media (prefers-color-scheme: dark){{{rules}}}</style>", svg, count=1)


def _pairs() -> Iterator[tuple[str, str]]:
    """Yield each colour of the light theme, and that of the heat map, with the one that it becomes."""
    for light, dark in zip(astuple(LIGHT), astuple(DARK), strict=True):
        yield from zip(light, dark, strict=True) if isinstance(light, tuple) else [(light, dark)]
    yield from landscape_picture.COLOURS.values()
    yield _BORDER


if __name__ == "__main__":
    sys.exit(main())
