"""Compare the speed of two checkouts of fastmlp: an old and a new tree, each in a process of its own, in turns.

    python -m benchmarks.two_trees OLD NEW                        the seven workloads
    python -m benchmarks.two_trees OLD NEW --workloads N30 T4     some of them
    python -m benchmarks.two_trees OLD NEW --landscape            every point of points.py
    python -m benchmarks.two_trees OLD NEW --landscape gelu       those whose name contains one of these
    python -m benchmarks.two_trees OLD NEW --write ratios.json

OLD and NEW are folders that hold the package `fastmlp`; to have that of a commit, ``git worktree add FOLDER COMMIT``.
Only the public interface is used, so trees may be laid out in any way. Both start from the same weights on the same
rows. A timing is what the history of `Network.fit` says of its epochs, without what is around them. The least counts of
several rounds, in which the trees take turns, another one first each time. A ratio above 1 says that the new tree is
faster; two runs on one tree show how far ratios scatter on this machine. The exit code is 1 if the trees' losses differ
by more than 2 %.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from .compare import count, some
from .machine import OTHER_KERNELS, describe
from .markdown import three_digits
from .points import POINTS
from .workloads import SEED, WORKLOADS, Workload, make_data

PROCESS = Path(__file__).parent / "tree_process.py"
TOLERANCE = 0.02
TURN, MOST = 0.5, 20
"""Seconds that a turn is filled with calls of `fit`, and how many it may be."""


class Tree:
    """The process of a checkout; as a context manager it ends it.

    Parameters
    ----------
    folder : Path
        Which holds the package `fastmlp`.

    Raises
    ------
    FileNotFoundError
        It does not.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "fastmlp" / "__init__.py").exists():
            raise FileNotFoundError(f"{folder} holds no package fastmlp; give the root of a checkout")
        environment = {name: value for name, value in os.environ.items() if name not in OTHER_KERNELS}
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(PROCESS)],
            cwd=folder,
            env=environment | {"PYTHONPATH": str(folder)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        imported = Path(self._answer())
        if not imported.is_relative_to(folder):
            raise RuntimeError(f"the process for {folder} imported {imported}")

    def ask(self, do: str, **arguments: Any) -> Any:
        """Give a command of `tree_process.py`, and return its answer."""
        assert self._process.stdin is not None
        print(json.dumps({"do": do, **arguments}), file=self._process.stdin, flush=True)
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process ended with exit code {self._process.wait()}; see above")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._process.kill()  # it may be in the middle of an epoch
        self._process.communicate()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    options = parse(list(sys.argv[1:] if arguments is None else arguments))
    found: list[dict[str, Any]] = []
    with ExitStack() as processes:
        folder = Path(processes.enter_context(tempfile.TemporaryDirectory()))
        trees = [processes.enter_context(Tree(Path(tree).resolve())) for tree in (options.old, options.new)]
        chosen = chosen_workloads(options)
        width = max(len(workload.name) for workload in chosen)
        print(f"{'ms an epoch':{width}} {'old':>8} {'new':>8}  old / new", flush=True)
        for workload in chosen:
            found.append(compare_at(workload, trees, folder, options.rounds))
            print(line(found[-1], width), flush=True)
    print(in_words(found))
    if options.write:
        results = {"machine": describe(), "rounds": options.rounds, **summary(found), "points": found}
        options.write.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return int(any(not same_loss(point["losses"]) for point in found))


def parse(given: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.two_trees", description="Seconds per epoch of two checkouts of fastmlp, in turns."
    )
    add = parser.add_argument
    add("old", help="root of the one checkout")
    add("new", help="root of the other")
    add("--workloads", nargs="+", choices=WORKLOADS, metavar="NAME", help=some(WORKLOADS))
    add("--landscape", nargs="*", metavar="TEXT", help="points of the landscape, whose name contains one of these")
    add("--rounds", type=count, default=10, metavar="N", help="turns of each tree (default: 10)")
    add("--rows", type=count, metavar="N", help="train on at most so many rows")
    add("--write", type=Path, metavar="FILE", help="JSON file for the ratios")
    return parser.parse_args(given)


def chosen_workloads(options: argparse.Namespace) -> list[Workload]:
    """Return the workloads and points that were asked for; the seven workloads if nothing was."""
    names = list(options.workloads or ())
    if options.landscape is not None:
        texts = options.landscape or [""]
        names += [name for name in POINTS if any(text in name for text in texts)]
        if not names:
            raise SystemExit(f"no point of the landscape has {' or '.join(texts)} in its name")
    chosen = ({**WORKLOADS, **POINTS}[name] for name in names or WORKLOADS)
    return [workload.limited(options.rows) for workload in chosen]


def compare_at(
    workload: Workload, trees: Sequence[Tree], folder: Path, rounds: int, threads: int | str = "auto"
) -> dict[str, Any]:
    """Train in turns; return the least seconds an epoch of each tree, their ratio, and the losses of the first call."""
    description = described(workload, folder / "arrays.npz")
    description["fit"]["threads"] = threads
    epochs, losses, expected = workload.epochs_a_timing, [], []
    for tree in trees:
        tree.ask("load", **description)
        # Twice: the first time may have the compiling in it.
        expected.append(min(tree.ask("train", epochs=epochs, times=2)))
        losses.append(tree.ask("loss"))
    times = max(1, min(MOST, int(TURN / (max(expected) * epochs))))
    seconds: list[list[float]] = [[] for _ in trees]
    for number in range(rounds):
        for which in range(len(trees)):
            turn = (which + number) % len(trees)
            seconds[turn] += trees[turn].ask("train", epochs=epochs, times=times)
    old, new = map(min, seconds)
    return {"name": workload.name, "old": old, "new": new, "ratio": old / new, "losses": losses}


def described(workload: Workload, path: Path) -> dict[str, Any]:
    """Write the arrays to a file, and return what `tree_process.Training` has to be told."""
    data, weights = make_data(workload), workload.weights()
    arrays: dict[str, Any] = {"X": data.given_X, "y": data.given_y}
    for n, (W, b) in enumerate(weights):
        arrays |= {f"W{n}": W, f"b{n}": b}
    np.savez(path, **arrays)
    keys = ("sizes", "hidden", "output", "loss", "scaling", "dtype")
    if workload.optimizer == "adam":
        optimizer = {"name": "Adam", "learning_rate": workload.learning_rate}
    else:
        optimizer = {"name": "SGD", "learning_rate": workload.learning_rate, "momentum": workload.momentum}
    return {
        "arrays": str(path),
        "network": {key: getattr(workload, key) for key in keys} | {"seed": SEED},
        "optimizer": optimizer,
        "fit": {"batch_size": workload.batch_size, "shuffle": workload.shuffled},
    }


def same_loss(losses: Sequence[float]) -> bool:
    """Whether both trees have trained the same.

    Examples
    --------
    >>> same_loss([0.5, 0.501]), same_loss([0.5, 0.6]), same_loss([0.5, float("nan")])
    (True, False, False)
    """
    return abs(losses[0] - losses[1]) <= TOLERANCE * abs(losses[0])


def line(point: Mapping[str, Any], width: int) -> str:
    """Return a line of the table."""
    old, new = (three_digits(1000 * point[tree]) for tree in ("old", "new"))
    off = "" if same_loss(point["losses"]) else "  losses {:.6g} and {:.6g}".format(*point["losses"])
    return f"{point['name']:{width}} {old:>8} {new:>8} {point['ratio']:10.3f}{off}"


def summary(found: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the least ratio, the median and the geometric mean.

    Examples
    --------
    >>> summary([{"ratio": 0.5}, {"ratio": 1.0}, {"ratio": 2.0}])
    {'least': 0.5, 'median': 1.0, 'geometric_mean': 1.0}
    """
    ratios = [point["ratio"] for point in found]
    mean = math.exp(statistics.fmean(map(math.log, ratios)))
    return {"least": min(ratios), "median": statistics.median(ratios), "geometric_mean": mean}


def in_words(found: Sequence[Mapping[str, Any]]) -> str:
    """Return the summary as a line."""
    return ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in summary(found).items())


if __name__ == "__main__":
    sys.exit(main())
