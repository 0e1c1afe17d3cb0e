"""Calls of a `Network` on ten rows, the compiled engine against the NumPy reference (imports measuring).

A small network is through with ten rows in some microseconds: what is timed is mostly what a call costs around it.
Samples and targets are arrays of the types that need no conversion; `fit` trains one epoch of one batch with Adam.
"""

import numpy as np
import pytest

from fastmlp import Network

from .measuring import measure

ROWS = 10
SHAPES = {"8-16-3": (8, 16, 3), "64-256-256-1": (64, 256, 256, 1), "784-128-128-10": (784, 128, 128, 10)}
CALLS = {
    "answer": lambda network, X, y, engine: network(X, engine=engine),
    "evaluate": lambda network, X, y, engine: network.evaluate(X, y, engine=engine),
    "gradient": lambda network, X, y, engine: network.gradient(X, y, engine=engine),
    "fit, one epoch": lambda network, X, y, engine: network.fit(X, y, epochs=1, engine=engine, verbose=0),
}


@pytest.mark.usefixtures("one_blas_thread")
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("shape", SHAPES)
def bench_call(benchmark, report, shape, name):
    sizes, call, generator = SHAPES[shape], CALLS[name], np.random.default_rng(0)
    X = generator.normal(size=(ROWS, sizes[0])).astype(np.float32)
    numbers = sizes[-1] == 1
    y = generator.normal(size=ROWS) if numbers else generator.integers(0, sizes[-1], ROWS)
    ours, reference = (Network(sizes, loss="squared_error" if numbers else "cross_entropy", seed=0) for _ in range(2))
    for network, engine in ((ours, "numba"), (reference, "numpy")):
        network.fit(X, y, epochs=1, engine=engine, verbose=0)

    def repeat(times):
        for _ in range(times):
            call(ours, X, y, "numba")

    def twin():
        call(reference, X, y, "numpy")

    row = f"calls on {ROWS} rows", name, shape, 0.0
    report(measure(benchmark, row, repeat, twin, lambda: None, most=100))
