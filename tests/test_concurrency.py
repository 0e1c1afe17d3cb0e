"""Networks in child processes, pools of threads and workers of joblib, of a process that has trained on two threads
itself: each trains and predicts with the bits that the parent has.
"""

import multiprocessing
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest

from fastmlp import Network

SEEDS = (1, 2, 3, 4)


def trained(seed, engine, threads=2):
    """Bytes of the weights and predictions of a network that is trained here."""
    generator = np.random.default_rng(seed)
    X, y = generator.normal(size=(40, 12)).astype(np.float32), generator.integers(0, 3, 40)
    net = Network([12, 9, 3], seed=seed)
    net.fit(X, y, epochs=2, batch_size=20, engine=engine, threads=threads, verbose=0)
    return b"".join(array.tobytes() for pair in net.weights for array in pair) + net.predict_proba(X).tobytes()


@contextmanager
def forking():
    """Have Python keep its warning about forks beside threads, whoever's they are, to itself."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        yield


@pytest.fixture
def alone(engine):
    """What each network is in this process, one after the other."""
    return [trained(seed, engine) for seed in SEEDS]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_in_child_processes(method, engine, alone):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{sys.platform} has no {method}")
    with forking(), ProcessPoolExecutor(2, multiprocessing.get_context(method)) as pool:
        futures = [pool.submit(trained, seed, engine) for seed in SEEDS]
        assert [future.result(timeout=120) for future in futures] == alone


def test_in_a_child_that_is_forked_while_another_thread_trains():
    # The compiled engine holds no lock that a fork could copy; NumPy's BLAS does not promise that.
    pytest.importorskip("numba")
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip(f"{sys.platform} has no fork")
    alone = [trained(seed, "numba") for seed in SEEDS]
    with ThreadPoolExecutor(1) as beside, forking():
        busy = [beside.submit(trained, seed, "numba") for seed in SEEDS]
        with ProcessPoolExecutor(1, multiprocessing.get_context("fork")) as pool:
            futures = [pool.submit(trained, seed, "numba") for seed in SEEDS]
            assert [future.result(timeout=120) for future in futures] == alone
        assert [future.result(timeout=120) for future in busy] == alone


def test_in_a_pool_of_threads(engine, alone):
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda seed: trained(seed, engine), SEEDS)) == alone


def test_one_network_that_many_threads_ask(engine):
    X = np.random.default_rng(0).normal(size=(200, 12))
    net = Network([12, 9, 3], seed=0)
    net.fit(X, np.arange(200) % 3, epochs=1, engine=engine, verbose=0)
    rows, whole = [net.predict_proba(X[i : i + 1]) for i in range(len(X))], net.predict_proba(X)
    with ThreadPoolExecutor(4) as pool:
        assert np.array_equal(list(pool.map(lambda i: net.predict_proba(X[i : i + 1]), range(len(X)))), rows)
        assert all(np.array_equal(found, whole) for found in pool.map(lambda _: net.predict_proba(X), range(20)))


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_in_workers_of_joblib(backend, engine, alone):
    joblib = pytest.importorskip("joblib")
    from joblib.externals.loky import get_reusable_executor

    try:
        with forking():
            work = (joblib.delayed(trained)(seed, engine) for seed in SEEDS)
            assert joblib.Parallel(n_jobs=2, backend=backend)(work) == alone
    finally:
        if backend == "loky":
            get_reusable_executor().shutdown(wait=True)
