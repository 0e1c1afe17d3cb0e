"""What the time of an epoch depends on: rows, hidden units, threads (imports epochs and measuring).

Time should be proportional to the arithmetic. So a row should take the same time however many there are, and GFLOP/s
should stay as they are from narrow layers to wide ones; "of median" is the time divided by the arithmetic, relative to
the median of the group. All sizes of a group take turns; pytest-benchmark's own figure is one turn of them all.
Networks with ReLU and softmax on MNIST, batches of 128, in float32.
"""

import math
import statistics
import time
from dataclasses import replace

import pytest

from fastmlp.engines.simd.threads import available_threads
from fastmlp.model.optimizers import SGD
from fastmlp.recipes import RECIPES

from .epochs import Trainer
from .measuring import Row, duration

KERAS = RECIPES["keras"]
ROWS = (3_000, 6_000, 12_000, 24_000, 48_000)
WIDTHS = (64, 128, 256, 512, 1024, 2048)
HIDDEN = ((128, 128), (512, 512))
SOME_ROWS = 4_000
FEW = 256
"""Rows where nothing is timed."""


def bench_rows(benchmark, report):
    sizes = ROWS if benchmark.enabled else (FEW, 2 * FEW)
    trainers = {rows: Trainer(KERAS, "numba", rows) for rows in sizes}
    seconds = seconds_in_turns(benchmark, trainers)
    a_row = {rows: seconds[rows] / rows for rows in sizes}
    for rows, trainer in trainers.items():
        more = {"a row": duration(a_row[rows]), "of median": of_median(a_row, rows)}
        shape = f"{rows:,} rows"
        add(
            benchmark,
            report,
            Row("rows", f"{KERAS.shape}, Adam", shape, seconds[rows], 0.0, trainer.operations(), more),
        )


def bench_hidden_units(benchmark, report):
    widths, rows = (WIDTHS, SOME_ROWS) if benchmark.enabled else (WIDTHS[:2], FEW)
    recipe = replace(KERAS, optimizer=SGD(0.1))  # whose step is part of the products: its work is the arithmetic
    trainers = {width: Trainer(recipe.resized(hidden=[width]), "numba", rows) for width in widths}
    seconds = seconds_in_turns(benchmark, trainers)
    per_operation = {width: seconds[width] / trainer.operations() for width, trainer in trainers.items()}
    for width, trainer in trainers.items():
        more = {"a row": duration(seconds[width] / rows), "of median": of_median(per_operation, width)}
        name, shape = f"784-{width}-10, SGD", f"{rows:,} rows"
        add(benchmark, report, Row("hidden units", name, shape, seconds[width], 0.0, trainer.operations(), more))


@pytest.mark.parametrize("hidden", HIDDEN, ids=lambda hidden: "-".join(map(str, hidden)))
def bench_threads(benchmark, report, hidden):
    recipe, rows = KERAS.resized(hidden=list(hidden)), SOME_ROWS if benchmark.enabled else FEW
    counts = range(1, 1 + min(2, available_threads()))
    trainers = {threads: Trainer(recipe, "numba", rows, threads=threads) for threads in counts}
    seconds = seconds_in_turns(benchmark, trainers)
    for threads, trainer in trainers.items():
        more = {"than 1 thread": f"{seconds[1] / seconds[threads]:.2f}x"}
        name, shape = f"{recipe.shape}, Adam", f"{threads} thread{'s' * (threads > 1)}"
        add(benchmark, report, Row("threads", name, shape, seconds[threads], 0.0, trainer.operations(), more))


def seconds_in_turns(benchmark, trainers, rounds=6):
    """Train an epoch of each in every round; return the least seconds of each."""
    least = dict.fromkeys(trainers, math.inf)

    def turn():
        for size, trainer in trainers.items():
            start = time.perf_counter()
            trainer.epoch()
            least[size] = min(least[size], time.perf_counter() - start)

    benchmark.pedantic(turn, rounds=rounds)
    return least


def of_median(values, size):
    return f"{values[size] / statistics.median(values.values()):.2f}"


def add(benchmark, report, row):
    """Report a row where it was timed."""
    benchmark.group = row.group
    if benchmark.enabled:
        benchmark.extra_info[f"{row.name}, {row.shape}"] = {"seconds": row.seconds, "gflops": row.gflops}
        report(row)
