"""Draw the time per epoch of fastmlp and other libraries, which `compare` measured, as an SVG file.

    python -m benchmarks.peers_picture

It reads benchmarks/results/peers.json and writes benchmarks/results/peers.svg, without any library; `compare --write`
does so by itself. The picture has a dark form, for readers whose system asks for it.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import svg
from .machine import in_words
from .peers import OURS
from .svg import duration, text

RESULTS = Path(__file__).parent / "results" / "peers.json"

LIBRARIES = ("fastmlp", "NumPy", "scikit-learn", "PyTorch", "JAX")
LEFT, RIGHT = 216, svg.WIDTH - 230
TOP, BAR, GAP, BOTTOM = 72, 13, 16, 95
COLOURS = {"peer": ("#a8b3bf", "#59636e"), "ours": ("#0f7bbf", "#3fa7e8")}


def main() -> int:
    """Run the script; return its exit code."""
    if not RESULTS.exists():
        print(f"no {RESULTS.name} yet; run: python -m benchmarks.compare --write README.md", file=sys.stderr)
        return 1
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    RESULTS.with_suffix(".svg").write_text(picture(results), encoding="utf-8")
    return 0


def picture(results: Mapping[str, Any]) -> str:
    """Return the picture as the text of an SVG file.

    Parameters
    ----------
    results : mapping
        What `compare` wrote.

    Returns
    -------
    str
    """
    workloads = results["workloads"]
    x = svg.Scale((s for workload in workloads for s in workload["seconds_per_epoch"].values()), LEFT, RIGHT)
    heights = [len(workload["seconds_per_epoch"]) * (BAR + 2) + GAP for workload in workloads]
    bottom = TOP + sum(heights)
    parts = [text(24, 34, "Time per epoch: fastmlp and other libraries", "title"), *x.grid(TOP - 8, bottom)]
    parts.append(text(svg.WIDTH - 24, 54, "faster than the best other", "small", "end"))
    for number, workload in enumerate(workloads):
        parts += _group(TOP + sum(heights[:number]), workload, x)
    how = "Logarithmic scale. float32, one thread or all cores, whichever is faster, minimum of interleaved rounds."
    if any(workload["differences"] for workload in workloads):
        how += " * other loss"
    parts.append(text(24, bottom + 44, how, "small"))
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    parts.append(text(24, bottom + 61, f"{in_words(results['machine'])},", "small"))
    parts.append(text(24, bottom + 78, f"{versions}; {results['date']}.", "small"))
    described = "; ".join(_described(workload) for workload in workloads)
    title = "Time per epoch of fastmlp, scikit-learn, PyTorch and JAX"
    return svg.document(title, described, bottom + BOTTOM, COLOURS, parts)


def _group(y: float, workload: Mapping[str, Any], x: svg.Scale) -> list[str]:
    """A bar for each library, with its figure and name; the workload before them and how many times faster behind."""
    shape = "-".join(map(str, workload["sizes"]))
    batch = "full batch" if workload["batch_size"] >= workload["rows"] else f"batch {workload['batch_size']:,}"
    parts = [text(LEFT - 14, y + 14, workload["name"], "name", "end")]
    parts.append(text(LEFT - 14, y + 30, shape, "small", "end"))
    parts.append(text(LEFT - 14, y + 45, batch, "small", "end"))
    libraries = [library for library in LIBRARIES if library in workload["seconds_per_epoch"]]
    for number, library in enumerate(libraries):
        seconds = workload["seconds_per_epoch"][library]
        top, end = y + number * (BAR + 2), x(seconds)
        parts.append(svg.bar("ours" if library == OURS.library else "peer", LEFT, top, end, BAR))
        mark = "*" * (library in workload["differences"])
        parts.append(text(end + 6, top + BAR - 2.5, f"{library}{mark} {duration(seconds)}", "small"))
    if workload["best_peer"] is not None:
        parts.append(text(svg.WIDTH - 24, y + 22, f"{svg.short(workload['times_faster'])}×", "speed-up", "end"))
    return parts


def _described(workload: Mapping[str, Any]) -> str:
    seconds = workload["seconds_per_epoch"]
    figures = ", ".join(f"{library} {duration(seconds[library])}" for library in LIBRARIES if library in seconds)
    return f"{workload['name']}: {figures}"


if __name__ == "__main__":
    sys.exit(main())
