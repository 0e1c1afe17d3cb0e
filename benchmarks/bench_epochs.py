"""An epoch of each recipe's network, the compiled engine against the reference; float32, one thread.

Before it is timed, the engines must agree: after an epoch of a part of the data in float64 their parameters are the
same to 1e-10, and in float32, in which they are timed, their losses to 1e-3.
"""

import numpy as np
import pytest

from fastmlp.recipes import RECIPES

from .epochs import Trainer
from .measuring import measure

ROWS_TO_COMPARE = 1000


@pytest.mark.usefixtures("one_blas_thread")
@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def bench_epoch(benchmark, report, recipe):
    check_agreement(recipe)
    rows = recipe.train_rows if benchmark.enabled else ROWS_TO_COMPARE
    ours, theirs = Trainer(recipe, "numba", rows), Trainer(recipe, "numpy", rows)
    row = "epochs of the recipes", recipe.name, recipe.shape, ours.operations()
    report(measure(benchmark, row, lambda times: ours.epoch(), theirs.epoch, lambda: None, rounds=6, twin_rounds=2))


def check_agreement(recipe):
    rows = min(ROWS_TO_COMPARE, recipe.train_rows)
    ours, theirs = (Trainer(recipe, engine, rows, "float64") for engine in ("numba", "numpy"))
    scores = ours.epoch(), theirs.epoch()
    assert scores[0].loss == pytest.approx(scores[1].loss, rel=1e-10)
    scale = abs(theirs.parameters).max()
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=0, atol=1e-10 * scale)
    losses = [Trainer(recipe, engine, rows).epoch().loss for engine in ("numba", "numpy")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
