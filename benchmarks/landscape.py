"""Train networks all over the range that people train, with fastmlp and with other libraries, and compare the epochs.

    python -m benchmarks.landscape                           every point of points.py; about half an hour
    python -m benchmarks.landscape --quick                   every fifth point on fewer rows, one round; two minutes
    python -m benchmarks.landscape --points gelu float64     those whose name contains one of these
    python -m benchmarks.landscape --write                   and keep the ratios in benchmarks/results/landscape.json

The seven workloads of `compare.py` are what tutorials train; these points say where else fastmlp is ahead, and where it
isn't. `points.py` says by which rule they are chosen. Processes, turns and the check of the losses are those of
`compare.py`. A point at which somebody's loss is off is left out of the table, and the exit code is 1.
"""

import argparse
import json
import math
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from .compare import chosen_competitors, count, some
from .machine import describe
from .markdown import three_digits
from .peers import COMPETITORS, OURS, REFERENCE, TRAINERS, Competitor, versions
from .peers_measuring import ROWS_TO_CHECK, LossError, compare_at
from .points import POINTS
from .workers import Worker, WorkerError
from .workloads import Workload

RESULTS = Path(__file__).parent / "results" / "landscape.json"

LEAST, MEAN = 1.25, 3.0
"""What every ratio, and their geometric mean, should be at least."""

ROWS_ONE_BY_ONE = 300
"""On how many rows losses are compared where each is a step: the float64 reference takes a millisecond for one."""

QUICK_PEERS = ("jax", "jax-1", "pytorch-1", "scikit-learn-1")
QUICK_EVERY, QUICK_ROWS = 5, 2_000
KEPT = ("name", "rows", "seconds_per_epoch", "differences", "best_peer", "times_faster")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parse(given)
    points, competitors = chosen_points(options), competitors_of(options)
    measured, failures = measure(points, competitors, 1 if options.quick else options.rounds)
    print(table(measured))
    for failure in failures:
        print(failure, file=sys.stderr)
    if options.write and not failures:
        results = {
            "command": shlex.join(["python", "-m", "benchmarks.landscape", *given]),
            "date": date.today().isoformat(),
            "machine": describe(),
            "versions": versions(),
            "rounds": options.rounds,
            **summary(measured),
            "points": measured,
        }
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(bool(failures))


def parse(given: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.landscape", description="Seconds per epoch over the range of networks people train."
    )
    add = parser.add_argument
    add("--points", nargs="+", metavar="TEXT", help="only points whose name contains one of these")
    default = [name for name in TRAINERS if name != "numpy"]
    add("--peers", nargs="+", choices=TRAINERS, default=default, metavar="LIBRARY", help=some(TRAINERS))
    add("--rounds", type=count, default=3, metavar="N", help="turns of each competitor (default: 3)")
    add("--quick", action="store_true", help="every fifth point, fewer rows, one round: two minutes")
    add("--write", action="store_true", help=f"write {RESULTS.name}; needs all points with all rows")
    options = parser.parse_args(given)
    if options.write and (options.quick or options.points):
        parser.error("--write needs all points with all rows")
    return options


def chosen_points(options: argparse.Namespace) -> list[Workload]:
    """Return the points that were asked for."""
    points = [
        point for point in POINTS.values() if not options.points or any(text in point.name for text in options.points)
    ]
    if not options.quick:
        return points
    every = 1 if options.points else QUICK_EVERY
    return [replace(point.limited(QUICK_ROWS), epochs_a_timing=1) for point in points[::every]]


def competitors_of(options: argparse.Namespace) -> list[Competitor]:
    """Return fastmlp and those of the libraries that are installed; of each one form where it is to be quick."""
    chosen = chosen_competitors(options.peers)
    if not options.quick:
        return chosen
    return [competitor for competitor in chosen if competitor.name in (OURS.name, *QUICK_PEERS)]


def measure(
    points: Sequence[Workload], competitors: Sequence[Competitor], rounds: int
) -> tuple[list[dict[str, Any]], list[str]]:
    """Compare at every point.

    Returns
    -------
    measured : list of dict
        Of each point the name, the seconds an epoch of each library, the best of the others and the ratio.
    failures : list of str
        Where somebody's loss was off.
    """
    measured, failures = [], []
    with ExitStack() as processes:
        workers = [processes.enter_context(Worker(competitor)) for competitor in competitors]
        reference = processes.enter_context(Worker(REFERENCE))
        for point in points:
            rows = ROWS_ONE_BY_ONE if point.batch_size == 1 else ROWS_TO_CHECK
            try:
                result = compare_at(point, workers, reference, rounds, rows)
            except (LossError, WorkerError) as error:
                failures.append(str(error))
                continue
            measured.append({name: result[name] for name in KEPT})
    return measured, failures


def summary(measured: Sequence[Mapping[str, Any]], aim: float = LEAST) -> dict[str, Any]:
    """Return the least ratio, their geometric mean, and how many lie below what each should be.

    Examples
    --------
    >>> summary([{"times_faster": 1.0}, {"times_faster": 4.0}, {"times_faster": None}])
    {'least': 1.0, 'geometric_mean': 2.0, 'below': 1}
    """
    ratios = [point["times_faster"] for point in measured if point["times_faster"] is not None]
    return {
        "least": min(ratios, default=None),
        "geometric_mean": math.exp(sum(map(math.log, ratios)) / len(ratios)) if ratios else None,
        "below": sum(ratio < aim for ratio in ratios),
    }


def table(measured: Sequence[Mapping[str, Any]]) -> str:
    """Return the lines to print: milliseconds an epoch, the ratio to the best of the others, and the summary."""
    libraries = list(dict.fromkeys(competitor.library for competitor in COMPETITORS.values()))
    libraries = [name for name in libraries if any(name in point["seconds_per_epoch"] for point in measured)]
    width = max((len(point["name"]) for point in measured), default=0)
    lines = [f"{'ms an epoch':{width}}" + "".join(f"{name:>14}" for name in libraries) + "  times faster"]
    for point in measured:
        seconds, ratio = point["seconds_per_epoch"], point["times_faster"]
        cells = (three_digits(1000 * seconds[name]) if name in seconds else "–" for name in libraries)
        mark = "" if ratio is None else f"{ratio:14.2f}{'  <' if ratio < LEAST else ''}"
        lines.append(f"{point['name']:{width}}" + "".join(f"{cell:>14}" for cell in cells) + mark)
    found = summary(measured)
    if found["least"] is not None:
        lines.append(
            f"{len(measured)} points: least {found['least']:.2f} (aim {LEAST}), geometric mean "
            f"{found['geometric_mean']:.2f} (aim {MEAN}), {found['below']} below {LEAST}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
