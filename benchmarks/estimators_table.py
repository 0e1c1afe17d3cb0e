"""Fit fastmlp's estimators and scikit-learn's with the same data and settings, and fill docs/benchmarks.md.

    python -m benchmarks.estimators_table                               print the table
    python -m benchmarks.estimators_table --write docs/benchmarks.md    and write it there and to benchmarks/results

Both get the same random_state, so they start with the same weights and see the same batches. They take turns, seed by
seed, each on one thread; the seconds are those of a whole `fit`, the median over the seeds. Scores are of a quarter of
the rows that neither has seen: accuracy, or R² for numbers. The exit code is 1 if a score is off by more than the
spread over the seeds, or if fastmlp is the slower one.
"""

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .machine import describe, in_words, one_thread_environment
from .markdown import replace_table, three_digits

RESULTS = Path(__file__).parent / "results" / "estimators.json"
START, END = "<!-- table: estimators -->", "<!-- end table: estimators -->"

Array = NDArray[Any]

SETTINGS: dict[str, dict[str, Any]] = {"defaults": {}, "batches of 32": {"batch_size": 32}}
"""What differs from the defaults of both libraries, by the name in the table."""


class Problem(NamedTuple):
    """A data set, and for how many epochs it is trained at most."""

    load: Callable[[], tuple[Array, Array]]
    numbers: bool
    max_iter: int
    standardize: bool = True


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.estimators_table", description="fastmlp's estimators beside scikit-learn's."
    )
    parser.add_argument("names", nargs="*", metavar="DATA", help=f"which data sets, of {', '.join(PROBLEMS)}")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="fits of each (default: 5)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="Markdown file whose table is to be replaced")
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given)
    if options.write and options.names:
        parser.error("--write needs all data sets")
    if os.environ != one_thread_environment():
        command = [sys.executable, "-m", "benchmarks.estimators_table", *given]
        return subprocess.run(command, env=one_thread_environment()).returncode

    results: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.estimators_table", *given]),
        "date": date.today().isoformat(),
        "machine": describe() | {"scikit-learn": version("scikit-learn")},
        "rows": [measure(name, settings, options.seeds) for name in options.names or PROBLEMS for settings in SETTINGS],
    }
    table = markdown(results)
    print(table)
    if options.write:
        replace_table(options.write, table, START, END)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    missed = [f"{row['data']}, {row['settings']}" for row in results["rows"] if not (row["equal"] and row["faster"])]
    if missed:
        print(f"not equal, or not faster: {'; '.join(missed)}", file=sys.stderr)
    return int(bool(missed))


def measure(name: str, settings: str, seeds: int) -> dict[str, Any]:
    """Fit both estimators with every seed in turns, and return what the JSON file holds of them."""
    from sklearn import neural_network
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    from fastmlp import estimators

    print(f"fitting {name}, {settings}", file=sys.stderr)
    problem = PROBLEMS[name]
    X, y = problem.load()
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0, stratify=None if problem.numbers else y)
    if problem.standardize:
        scaler = StandardScaler().fit(X_train)
        X_train, X_test = scaler.transform(X_train), scaler.transform(X_test)
    kind = "MLPRegressor" if problem.numbers else "MLPClassifier"
    makers = {
        "scikit-learn": getattr(neural_network, kind),
        "fastmlp": lambda **given: getattr(estimators, kind)(n_threads=1, **given),
    }
    scores: dict[str, list[float]] = {library: [] for library in makers}
    seconds: dict[str, list[float]] = {library: [] for library in makers}
    epochs: dict[str, list[int]] = {library: [] for library in makers}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that max_iter was reached
        makers["fastmlp"](max_iter=1).fit(X_train[:300], y_train[:300])  # what has to be compiled is compiled now
        for seed in range(seeds):
            for library, make in makers.items():
                estimator = make(random_state=seed, max_iter=problem.max_iter, **SETTINGS[settings])
                started = time.perf_counter()
                estimator.fit(X_train, y_train)
                seconds[library].append(time.perf_counter() - started)
                scores[library].append(float(estimator.score(X_test, y_test)))
                epochs[library].append(int(estimator.n_iter_))
    theirs, ours = (float(np.median(seconds[library])) for library in makers)
    means = {library: float(np.mean(values)) for library, values in scores.items()}
    spread = max(float(np.std(values)) for values in scores.values())
    return {
        "data": name,
        "settings": settings,
        "shape": X_train.shape,
        "scores": scores,
        "seconds": seconds,
        "epochs": epochs,
        "speed_up": theirs / ours,
        "equal": abs(means["fastmlp"] - means["scikit-learn"]) <= max(spread, 1e-6),
        "faster": ours < theirs,
    }


def markdown(results: dict[str, Any]) -> str:
    """Return the table, and the lines beneath it, in Markdown."""
    lines = [
        "| data | rows × features | settings | score, scikit-learn | score, fastmlp | s, scikit-learn | s, fastmlp "
        "| times faster |",
        "|---|---|---|--:|--:|--:|--:|--:|",
    ]
    for row in results["rows"]:
        shown = [_with_spread(row["scores"][library]) for library in ("scikit-learn", "fastmlp")]
        shown += [three_digits(float(np.median(row["seconds"][library]))) for library in ("scikit-learn", "fastmlp")]
        n_rows, features = row["shape"]
        lines.append(
            f"| {row['data']} | {n_rows} × {features} | {row['settings']} | {' | '.join(shown)} "
            f"| {three_digits(row['speed_up'])} |"
        )
    lines.append(f"| geometric mean | | | | | | | {three_digits(_mean(results['rows']))} |")
    for settings in dict.fromkeys(row["settings"] for row in results["rows"]):
        mean = _mean([row for row in results["rows"] if row["settings"] == settings])
        lines.append(f"| geometric mean | | {settings} | | | | | {three_digits(mean)} |")
    seeds = len(results["rows"][0]["scores"]["fastmlp"])
    limits = ", ".join(f"{name} {problem.max_iter}" for name, problem in PROBLEMS.items())
    return "\n".join(
        [
            *lines,
            "",
            "Score: accuracy (R² for diabetes and housing) on held-out rows, a quarter of the data; mean ± standard "
            f"deviation over {seeds} seeds. Seconds: a whole `fit` in float64 on one thread; median over the seeds. "
            f"The libraries take turns. `max_iter`: {limits}; `tol` can stop training earlier. "
            "MNIST: 10,000 images, three quarters of them for training. Housing: synthetic data with the shape of "
            f"California housing. {in_words(results['machine'])}, "
            f"scikit-learn {results['machine']['scikit-learn']}; {results['date']}; `{results['command']}`.",
        ]
    )


def _mean(rows: Sequence[dict[str, Any]]) -> float:
    """Return the geometric mean of the speed-ups."""
    return math.exp(float(np.mean([math.log(row["speed_up"]) for row in rows])))


def _with_spread(scores: Sequence[float]) -> str:
    return f"{np.mean(scores):.4f} ± {np.std(scores):.4f}"


def _bundled(name: str) -> Callable[[], tuple[Array, Array]]:
    def load() -> tuple[Array, Array]:
        from sklearn import datasets

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return (X / 16 if name == "digits" else X), y

    return load


def _diabetes() -> tuple[Array, Array]:
    X, y = _bundled("diabetes")()
    return X, (y - y.mean()) / y.std()


def _housing() -> tuple[Array, Array]:
    """Eight features of 20,640 districts, some of them skewed, and a price that depends on them in curves."""
    generator = np.random.default_rng(0)
    income, age, rooms, people = generator.gamma([3.0, 6.0, 9.0, 4.0], 1.0, (20640, 4)).T
    north, east, bedrooms, households = generator.normal(size=(20640, 4)).T
    price = np.log1p(income) + 0.6 * np.sin(2 * north) * np.cos(2 * east) - 0.1 * people / rooms + 0.02 * age
    price += 0.2 * np.tanh(bedrooms * households) + generator.normal(scale=0.2, size=20640)
    return np.stack([income, age, rooms, people, north, east, bedrooms, households], axis=1), price


def _mnist() -> tuple[Array, Array]:
    from fastmlp import load_mnist

    digits = load_mnist()
    return digits.X_train[:10000] / 255.0, digits.y_train[:10000]


PROBLEMS = {
    "wine": Problem(_bundled("wine"), False, 200),
    "breast cancer": Problem(_bundled("breast_cancer"), False, 200),
    "digits": Problem(_bundled("digits"), False, 100, standardize=False),
    "diabetes": Problem(_diabetes, True, 200),
    "housing": Problem(_housing, True, 20),
    "mnist": Problem(_mnist, False, 10, standardize=False),
}


if __name__ == "__main__":
    sys.exit(main())
