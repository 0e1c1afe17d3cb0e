"""Train every recipe to its end, time its epochs on every engine, and fill docs/benchmarks.md.

    python -m benchmarks.recipes_table                              print the table
    python -m benchmarks.recipes_table --write docs/benchmarks.md   and write it there, and
                                                                    benchmarks/results/recipes.json and recipes.svg

The test accuracy is the mean over the seeds, trained by the SIMD engine. An epoch's time is what `History` records:
training without validation, in float32, on one thread of each engine, and by the loops with `prange` on all threads
too, the minimum over rounds in which they take turns. The exit code is 1 if a recipe misses its accuracy.
"""

import argparse
import json
import math
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from fastmlp import recipes
from fastmlp.engines.simd.threads import available_threads
from fastmlp.measure.timing import finished
from fastmlp.recipes import Recipe

from .machine import describe, in_words, one_thread_environment
from .markdown import replace_table, three_digits
from .result_pictures import draw as draw_picture

RESULTS = Path(__file__).parent / "results" / "recipes.json"
EPOCHS_A_ROUND = {"numpy": 1, "loops": 1, "loops_prange": 1, "numba": 4}
"""The ways in which every recipe is trained."""
START, END = "<!-- table: recipes -->", "<!-- end table: recipes -->"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recipes_table", description="Accuracy and seconds per epoch of the recipes."
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="RECIPE",
        help="which recipes (default: all that train on the images as they are, which takes seconds each)",
    )
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="trainings of each recipe (default: 3)")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="timings of each engine (default: 5)")
    parser.add_argument("--write", type=Path, metavar="FILE", help="Markdown file whose table is to be replaced")
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = parser.parse_args(given)
    if options.write and options.names:
        parser.error("--write needs all recipes")
    if os.environ != one_thread_environment():
        command = [sys.executable, "-m", "benchmarks.recipes_table", *given]
        return subprocess.run(command, env=one_thread_environment()).returncode

    quick = [name for name in recipes.names() if recipes.get(name).augment is None]
    chosen = [recipes.get(name) for name in options.names or quick]
    results: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "benchmarks.recipes_table", *given]),
        "date": date.today().isoformat(),
        "machine": describe(),
        "recipes": measure(chosen, options.seeds, options.rounds),
    }
    table = markdown(results)
    print(table)
    if options.write:
        replace_table(options.write, table, START, END)
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
        draw_picture("recipes")
    missed = [result["name"] for result in results["recipes"] if not result["reached"]]
    if missed:
        print(f"below the accuracy to reach: {', '.join(missed)}", file=sys.stderr)
    return int(bool(missed))


def measure(chosen: Sequence[Recipe], seeds: int, rounds: int) -> list[dict[str, Any]]:
    """Train and time recipes.

    Parameters
    ----------
    chosen : sequence of Recipe
    seeds : int
        How many trainings of each, with seeds from 0.
    rounds : int
        How many timings of each engine.

    Returns
    -------
    list of dict
        What the JSON file holds of each.
    """
    accuracies = {recipe.name: test_accuracies(recipe, seeds) for recipe in chosen}
    times = time_epochs(chosen, rounds)
    results = []
    for recipe in chosen:
        mean, seconds = sum(accuracies[recipe.name]) / seeds, times[recipe.name]
        results.append(
            {
                "name": recipe.name,
                "network": recipe.shape,
                "training_rows": recipe.train_rows,
                "batch_size": recipe.batch_size,
                "epochs": recipe.epochs,
                "test_accuracy": accuracies[recipe.name],
                "mean_test_accuracy": mean,
                "required_test_accuracy": recipe.target,
                "reached": mean >= recipe.target,
                "seconds_per_epoch": seconds,
                "speed_up": seconds["numpy"] / seconds["numba"],
            }
        )
    return results


def test_accuracies(recipe: Recipe, seeds: int) -> list[float]:
    """Train a recipe to its end with each seed, and return what it reaches on the test rows."""
    print(f"training {recipe.name}", file=sys.stderr)
    accuracies = []
    for seed in range(seeds):
        accuracy = recipe.run(seed, engine="numba", threads=1, verbose=0).evaluation.accuracy
        assert accuracy is not None  # all recipes tell classes apart
        accuracies.append(accuracy)
    return accuracies


def time_epochs(chosen: Sequence[Recipe], rounds: int) -> dict[str, dict[str, float]]:
    """Return the least seconds of an epoch, by recipe and engine.

    A round goes through all recipes and engines, so that a busy minute of the machine hits a part of every
    recipe's timings rather than all timings of one.
    """
    networks = {(recipe, engine): recipe.network() for recipe in chosen for engine in EPOCHS_A_ROUND}
    seconds: dict[str, dict[str, float]] = {recipe.name: dict.fromkeys(EPOCHS_A_ROUND, math.inf) for recipe in chosen}
    for number in range(rounds):
        print(f"timing, round {number + 1} of {rounds}", file=sys.stderr)
        for (recipe, engine), network in networks.items():
            data = recipe.data()._replace(X_val=None, y_val=None)
            name, _, parallel = engine.partition("_")
            threads = max(2, available_threads()) if parallel else 1
            options = {"epochs": EPOCHS_A_ROUND[engine], "engine": name, "threads": threads, "verbose": 0}
            history = finished(recipe.fit(network, data, **options))
            seconds[recipe.name][engine] = min(seconds[recipe.name][engine], *history["seconds"])
    return seconds


def markdown(results: dict[str, Any]) -> str:
    """Return the table, and the line beneath it, in Markdown."""
    lines = [
        "| recipe | network | test accuracy (target) | NumPy, s/epoch | loops | loops, prange | SIMD | speed-up |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for result in results["recipes"]:
        seconds = result["seconds_per_epoch"]
        lines.append(
            f"| {result['name']} | {result['network']} "
            f"| {result['mean_test_accuracy']:.2%} ({result['required_test_accuracy']:.1%}) "
            f"| {' | '.join(three_digits(seconds[engine]) for engine in EPOCHS_A_ROUND)} "
            f"| {three_digits(result['speed_up'])} |"
        )
    seeds = len(results["recipes"][0]["test_accuracy"])
    accuracy = f"mean of {seeds} seeds" if seeds > 1 else "of one seed"
    return "\n".join(
        [
            *lines,
            "",
            f"Test accuracy: {accuracy}, after the recipe's last epoch. Seconds: training time of one epoch in "
            "float32; minimum of interleaved epochs. Loops with prange run on all cores, the other engines on one "
            "thread. In parentheses: the accuracy that the mean must reach. Speed-up: SIMD over NumPy. "
            f"{in_words(results['machine'])}; "
            f"{results['date']}; `{results['command']}`.",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
