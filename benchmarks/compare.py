"""Train the same networks with fastmlp, scikit-learn, PyTorch, JAX and NumPy, and compare the time of an epoch.

    python -m benchmarks.compare                              the seven workloads; print the table
    python -m benchmarks.compare --workloads K128 --rounds 3  some of it
    python -m benchmarks.compare --write README.md            and write a short table there, the whole one to
                                                              docs/benchmarks.md, and benchmarks/results/peers.json
                                                              and peers.svg
    python -m benchmarks.compare --rewrite README.md          measure nothing: write the tables of peers.json again

Every competitor is a process of its own (`workers.py`), which starts from the same float32 weights and takes the rows
in the same orders. A library takes part twice, on one thread and on as many as it likes; the faster of the two counts.
First all train a few epochs on a part of the rows, after which their training losses must be that of the float64
reference engine; the exit code is 1 if one is not. Then they take turns on all rows, round by round; those that take
seconds are left out of the later rounds.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from .machine import describe
from .markdown import replace_table
from .peers import COMPETITORS, INSTALL, OURS, TRAINERS, Competitor, versions
from .peers_measuring import TOLERANCE, LossError, compare
from .peers_table import END, START, markdown, short_markdown
from .workers import WorkerError
from .workloads import WORKLOADS, Workload

RESULTS = Path(__file__).parent / "results" / "peers.json"
PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
"""The page that has the whole table."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parse(given)
    if options.rewrite:
        write_tables(json.loads(RESULTS.read_text(encoding="utf-8")), options.rewrite)
        return 0
    competitors = chosen_competitors(options.peers)
    workloads = [changed(WORKLOADS[name], options.rows, options.epochs) for name in options.workloads]
    try:
        measured = compare(workloads, competitors, options.rounds)
    except (LossError, WorkerError) as error:
        print(error, file=sys.stderr)
        return 1
    results: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.compare", *given]),
        "date": date.today().isoformat(),
        "machine": describe(),
        "versions": versions(),
        "rounds": options.rounds,
        "tolerance": TOLERANCE,
        "workloads": measured,
    }
    print(markdown(results))
    if options.write:
        write_tables(results, options.write)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        from .result_pictures import draw  # which imports from this file

        draw("peers")
    return 0


def write_tables(results: Mapping[str, Any], path: Path) -> None:
    """Write the short table to a file, and the whole one to the page of benchmarks."""
    replace_table(path, short_markdown(results), START, END)
    replace_table(PAGE, markdown(results), START, END)


def parse(given: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.compare", description="Seconds per epoch of fastmlp and other libraries."
    )
    add = parser.add_argument
    add("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME", help=some(WORKLOADS))
    add("--peers", nargs="+", choices=TRAINERS, default=list(TRAINERS), metavar="LIBRARY", help=some(TRAINERS))
    add("--rounds", type=count, default=5, metavar="N", help="turns of each competitor (default: 5)")
    add("--rows", type=count, metavar="N", help="train on at most so many rows")
    add("--epochs", type=count, metavar="N", help="epochs a timing (default: what the workload says)")
    add("--write", type=Path, metavar="FILE", help="Markdown file whose table is to be replaced")
    add("--rewrite", type=Path, metavar="FILE", help="measure nothing, and write the tables of peers.json again")
    options = parser.parse_args(given)
    if options.write and (options.rows or set(options.workloads) != set(WORKLOADS)):
        parser.error("--write needs all workloads with all rows")
    return options


def count(text: str) -> int:
    """Return a whole number of at least 1."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def some(names: Iterable[str]) -> str:
    """Return the help for an option that takes some of these names."""
    return f"of {', '.join(names)} (default: all)"


def changed(workload: Workload, rows: int | None, epochs: int | None) -> Workload:
    """Return the workload with at most so many rows, and with other epochs a timing, where they are given."""
    return replace(workload.limited(rows), epochs_a_timing=epochs or workload.epochs_a_timing)


def chosen_competitors(names: Sequence[str]) -> list[Competitor]:
    """Return fastmlp and the competitors of these libraries, and say which are not installed."""
    libraries = {TRAINERS[name] for name in names}
    chosen = [competitor for competitor in COMPETITORS.values() if competitor.library in libraries]
    missing = dict.fromkeys(competitor.library for competitor in chosen if not competitor.available())
    if missing:
        print(f"not installed: {', '.join(missing)} ({INSTALL})", file=sys.stderr)
    return [OURS, *(competitor for competitor in chosen if competitor.available())]


if __name__ == "__main__":
    sys.exit(main())
