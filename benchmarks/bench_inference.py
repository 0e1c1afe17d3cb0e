"""Probabilities from 784-128-128-10, fastmlp against each other library (imports workers and measuring).

From NumPy's float32 to NumPy's float32, for one row and for 10,000; one row on one thread. Both are processes of their
own and time themselves. Before that, each must have the probabilities of the float64 reference.
"""

import pytest

from .measuring import measure_against
from .peers import COMPETITORS, INSTALL, OURS
from .workers import Worker
from .workloads import WORKLOADS

WORKLOAD = WORKLOADS["K128"]
TOLERANCE = 1e-5
TIMES = {1: 1_000, 10_000: 2}
"""How often a timing repeats the prediction for so many rows."""

ROUNDS = 8


@pytest.fixture(scope="module")
def ours():
    with Worker(OURS) as worker:
        yield worker


@pytest.mark.parametrize("rows", TIMES)
@pytest.mark.parametrize("name", ["numpy", "scikit-learn", "pytorch", "jax", "onnxruntime"])
def bench_predict(benchmark, report, ours, name, rows):
    peer = COMPETITORS[f"{name}-1" if rows == 1 else name]
    if not peer.available():
        pytest.skip(f"not installed: {INSTALL}")
    times = TIMES[rows] if benchmark.enabled else 1
    with Worker(peer) as worker:
        for asked in (ours, worker):
            error = asked.ask("load_predictor", workload=WORKLOAD.name, rows=rows)
            assert error <= TOLERANCE, f"{asked.competitor.name}: probabilities are off by {error}"
        shape = f"{rows:,} rows" if rows > 1 else "1 row, 1 thread"
        row = "predictions against other libraries, all cores", f"{WORKLOAD.shape}, {peer.library}", shape
        seconds = [lambda asked=asked: asked.ask("predict", times=times) for asked in (ours, worker)]
        report(measure_against(benchmark, row, *seconds, ROUNDS))
