"""An epoch of each recipe's network on every engine; float32, one thread, and the loops on all threads too.

Before they are timed, the engines must agree: after an epoch of a part of the data in float64 their parameters are the
same to 1e-10, and in float32, in which they are timed, their losses to 1e-3.
"""

import time
from dataclasses import replace

import numpy as np
import pytest

from fastmlp.engines.simd.threads import available_threads
from fastmlp.recipes import RECIPES

from .epochs import Trainer
from .measuring import duration, measure

ROWS_TO_COMPARE = 1000
TWIN_ROUNDS = 2


@pytest.mark.usefixtures("one_blas_thread")
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def bench_epoch(benchmark, report, recipe):
    check_agreement(recipe)
    rows = recipe.train_rows if benchmark.enabled else ROWS_TO_COMPARE
    ours, theirs = Trainer(recipe, "numba", rows), Trainer(recipe, "numpy", rows)
    loops = {
        "loops": Trainer(recipe, "loops", rows),
        "loops, prange": Trainer(recipe, "loops", rows, threads=max(2, available_threads())),
    }
    seconds = {name: [] for name in loops}

    def others():
        """Train with the loops before each turn of NumPy, whose twin rounds these are."""
        for name, trainer in loops.items():
            if len(seconds[name]) <= TWIN_ROUNDS:
                start = time.perf_counter()
                trainer.epoch()
                seconds[name].append(time.perf_counter() - start)

    row = "epochs of the recipes", recipe.name, recipe.shape, ours.operations()
    epoch = (lambda times: ours.epoch()), theirs.epoch
    found = measure(benchmark, row, *epoch, others, rounds=6, twin_rounds=TWIN_ROUNDS)
    if found is not None:
        least = {name: min(times) for name, times in seconds.items()}
        benchmark.extra_info.update(least)
        report(replace(found, more={name: duration(took) for name, took in least.items()}))


def check_agreement(recipe):
    rows = min(ROWS_TO_COMPARE, recipe.train_rows)
    theirs = Trainer(recipe, "numpy", rows, "float64")
    score, loss = theirs.epoch(), Trainer(recipe, "numpy", rows).epoch().loss
    scale = abs(theirs.parameters).max()
    for engine in ("numba", "loops"):
        ours = Trainer(recipe, engine, rows, "float64")
        assert ours.epoch().loss == pytest.approx(score.loss, rel=1e-10)
        np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=0, atol=1e-10 * scale)
        assert Trainer(recipe, engine, rows).epoch().loss == pytest.approx(loss, rel=1e-3)
