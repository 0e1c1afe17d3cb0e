"""An epoch of 784-128-128-10 with Adam on MNIST, fastmlp against each other library (imports workers and measuring).

Both are processes of their own on all cores, and time themselves; "Numba" is the whole call of `Network.fit`. Before
that, their training losses must agree after two epochs of a part of the rows. `compare.py`, a script, does so for seven
networks.
"""

import pytest

from .measuring import measure_against
from .peers import COMPETITORS, INSTALL, OURS
from .peers_measuring import TOLERANCE, load, train_a_part
from .workers import Worker
from .workloads import WORKLOADS

WORKLOAD = WORKLOADS["K128"]
FEW = 1_000
"""Rows where nothing is timed."""

ROUNDS = 4


@pytest.fixture(scope="module")
def workload(request):
    return WORKLOAD.limited(FEW) if request.config.getoption("benchmark_disable") else WORKLOAD


@pytest.fixture(scope="module")
def ours(workload):
    with Worker(OURS) as worker:
        entrant = train_a_part(workload, worker)
        load(workload, entrant)
        yield entrant


@pytest.mark.parametrize("name", ["numpy", "scikit-learn", "pytorch", "jax"])
def bench_epoch(benchmark, report, workload, ours, name):
    peer = COMPETITORS[name]
    if not peer.available():
        pytest.skip(f"not installed: {INSTALL}")
    with Worker(peer) as worker:
        theirs = train_a_part(workload, worker)
        assert theirs.loss == pytest.approx(ours.loss, rel=TOLERANCE)
        load(workload, theirs)
        row = (
            "epochs against other libraries, all cores",
            f"{workload.shape}, {peer.library}",
            f"{workload.rows:,} rows",
        )
        report(measure_against(benchmark, row, lambda: epoch(ours), lambda: epoch(theirs), ROUNDS))


def epoch(entrant):
    return entrant.worker.ask("train", epochs=1, times=1)[0][0]
