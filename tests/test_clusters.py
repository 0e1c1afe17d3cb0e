"""The workers of processes, of Dask and of MPI, real ones."""

import multiprocessing
import os
import shutil
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fastmlp import Network, fit_many

from .interpreted import needs_compiler

ROOT = Path(__file__).parents[1]
X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
Y = (X[:, 0] > X[:, 1]).astype(int)
QUICK = {"epochs": 4, "batch_size": 20, "verbose": 0}

pytestmark = needs_compiler


def ensemble():
    from fastmlp.estimators import MLPClassifier, MLPEnsembleClassifier

    member = MLPClassifier(6, max_iter=8, learning_rate_init=0.02)
    return MLPEnsembleClassifier(member, n_members=3, resample="folds", random_state=0)


def made():
    return [Network([6, 5 + number % 3, 2], seed=number) for number in range(6)]


def parameters(fitted):
    return [one.network.state.parameters for one in fitted]


def test_processes_train_an_ensemble():
    pytest.importorskip("sklearn")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        there = ensemble().fit(X, Y, executor=pool)
    for one, other in zip(ensemble().fit(X, Y).estimators_, there.estimators_, strict=True):
        np.testing.assert_array_equal(one.network_.state.parameters, other.network_.state.parameters)


@pytest.mark.filterwarnings("ignore")
def test_dask():
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        there = fit_many(made(), X, Y, executor=client.get_executor(), **QUICK)
    for one, other in zip(parameters(fit_many(made(), X, Y, **QUICK)), parameters(there), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore")
def test_scikit_learns_searches_run_on_dask():
    distributed = pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    joblib, selection = pytest.importorskip("joblib"), pytest.importorskip("sklearn.model_selection")
    from fastmlp.estimators import MLPClassifier

    search = selection.GridSearchCV(MLPClassifier(6, max_iter=8, random_state=0), {"alpha": [0.0, 1.0]}, cv=3)
    here = search.fit(X, Y).cv_results_["mean_test_score"]
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster):
        with joblib.parallel_config(backend="dask"):
            there = search.fit(X, Y).cv_results_["mean_test_score"]
    np.testing.assert_array_equal(here, there)


SCRIPT = """
from mpi4py.futures import MPIPoolExecutor
from tests.test_clusters import QUICK, X, Y, made
from fastmlp import fit_many
import sys, numpy as np

if __name__ == "__main__":
    with MPIPoolExecutor() as executor:
        fitted = fit_many(made(), X, Y, executor=executor, **QUICK)
    np.savez(sys.argv[1], *[one.network.state.parameters for one in fitted])
"""


def test_mpi(tmp_path):
    pytest.importorskip("mpi4py", reason="needs MPI: pip install mpi4py mpich")
    run = shutil.which("mpiexec", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    if run is None:
        pytest.skip("needs mpiexec: pip install mpich")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [
        run,
        "-n",
        "3",
        sys.executable,
        "-m",
        "mpi4py.futures",
        str(tmp_path / "script.py"),
        str(tmp_path / "out.npz"),
    ]
    subprocess.run(command, check=True, timeout=300, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    with np.load(tmp_path / "out.npz") as there:
        for number, one in enumerate(parameters(fit_many(made(), X, Y, **QUICK))):
            np.testing.assert_array_equal(one, there[f"arr_{number}"])
