"""Kernels are compiled once for a dtype: no network and no input of a user makes Numba compile anew."""

import subprocess
import sys

import numpy as np
import pytest
import scipy.sparse

from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Scaling, as_samples
from fastmlp.data.targets import Targets
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.kernels import epoch
from fastmlp.model.architecture import Dense
from fastmlp.model.losses import LOSSES
from fastmlp.model.optimizers import SGD, Adam, RMSprop

from ...interpreted import needs_compiler
from ..problems import Problem, both_dtypes, build, random_inputs, random_problem

pytestmark = needs_compiler


@pytest.fixture(autouse=True)
def nothing_is_compiled():
    """Fail where a test adds a specialisation to those that one training in each dtype has made."""
    for dtype in ("float32", "float64"):
        for batch_size in (1, 2):
            random_problem(build([2, 2], dtype=dtype), 3).train("numba", SGD(), batch_size)
    before = set(epoch.run.signatures)
    yield
    assert set(epoch.run.signatures) == before


def problem_with(X, dtype="float32", **options):
    """A problem whose samples are these."""
    X = as_samples(X, **options)
    rest = random_problem(build([X.n_features, 3, 2], dtype=dtype), X.n_rows)
    return Problem(rest.architecture, Dataset.of(rest.architecture, X, rest.data.targets), rest.parameters)


def use(problem, optimizer=SGD(0.1)):  # noqa: B008  (frozen)
    """Call every operation of the engine."""
    for batch_size in (1, 2):
        problem.train("numba", optimizer, batch_size)
    for sparse in (None, True, False):
        prepared = problem.prepare("numba", sparse=sparse)
        simd_engine.forward(problem.architecture, problem.parameters, prepared)
        simd_engine.evaluate(problem.architecture, problem.parameters, prepared)
        simd_engine.loss_and_gradient(problem.architecture, problem.parameters, prepared)


@both_dtypes
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(
    "layers", [[3], [Dense(20, "tanh", dropout=0.5), 1], [5, Dense(17, bias=False), 9, 2]], ids=len
)
def test_networks(layers, loss, dtype):
    layers = layers if loss != "cross_entropy" else [*layers[:-1], 4]
    for labels in (True, False):
        use(random_problem(build([6, *layers], loss, "gelu", dtype=dtype, l1=0.1), 4, labels=labels, weighted=labels))


@both_dtypes
@pytest.mark.parametrize("optimizer", [SGD(), SGD(momentum=0.9), SGD(1), RMSprop(), Adam(weight_decay=1)], ids=repr)
def test_optimizers(optimizer, dtype):
    use(random_problem(build([6, 3, 2], dtype=dtype), 4), optimizer)


@both_dtypes
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_numbers_of_threads(sparse, dtype, monkeypatch):
    monkeypatch.setattr(simd_engine, "available_threads", lambda: 3)
    problem = random_problem(build([6, 3, 2], dtype=dtype), 40)
    for threads in (2, 3):
        for optimizer in (SGD(), Adam()):
            problem.train("numba", optimizer, 20, threads=threads, sparse=sparse)
        prepared = problem.prepare("numba", threads, sparse)
        simd_engine.forward(problem.architecture, problem.parameters, prepared)
        simd_engine.loss_and_gradient(problem.architecture, problem.parameters, prepared)


@both_dtypes
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64", "csr-uint8", "csr-float32", "csr-float64"])
@pytest.mark.parametrize("scaling", [None, Scaling(2.0, np.ones(6))], ids=["plain", "scaled"])
def test_kinds_of_input(kind, scaling, dtype):
    use(problem_with(random_inputs(5, 6, kind), dtype, scaling=scaling))


def read_only(X):
    X.flags.writeable = False
    return X


def read_only_csr(X):
    matrix = scipy.sparse.csr_matrix(X)
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.flags.writeable = False
    return matrix


def unaligned(X):
    memory = np.zeros(X.nbytes + 1, np.uint8)
    shifted = memory[1:].view(X.dtype).reshape(X.shape)
    shifted[...] = X
    return shifted


FORMS = {
    "read-only": read_only,
    "fortran": np.asfortranarray,
    "strided": lambda X: np.repeat(X, 2, axis=1)[:, ::2],
    "backwards": lambda X: X[::-1],
    "unaligned": unaligned,
    "read-only csr": read_only_csr,
    "empty read-only csr": lambda X: read_only_csr(np.zeros_like(X)),
    "empty": np.zeros_like,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_forms_of_input(kind, form):
    use(problem_with(FORMS[form](random_inputs(5, 6, kind))))


@pytest.mark.parametrize("mode", ["r", "r+", "c"])
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
def test_memory_maps(kind, mode, tmp_path):
    X = random_inputs(5, 6, kind)
    X.tofile(tmp_path / "X")
    use(problem_with(np.memmap(tmp_path / "X", dtype=X.dtype, mode=mode, shape=X.shape)))


def test_read_only_targets_and_weights():
    problem = random_problem(build([6, 3, 2], dtype="float32"), 5, weighted=True)
    labels = read_only(problem.data.targets.labels.copy())
    data = Dataset.of(
        problem.architecture, problem.data.samples, Targets(labels, None), read_only(problem.data.weights.copy())
    )
    use(Problem(problem.architecture, data, problem.parameters))


def test_a_fresh_process_has_one_for_a_dtype():
    code = (
        "from tests.engines.problems import build, random_problem\n"
        "from fastmlp.kernels import epoch\n"
        "from fastmlp.model.optimizers import SGD, Adam\n"
        "for sizes in ([4, 2], [7, 9, 3]):\n"
        "    for kind in ('uint8', 'float64'):\n"
        "        for optimizer in (SGD(), Adam()):\n"
        "            for batch_size in (1, 3):\n"
        "                random_problem(build(sizes, dtype='float32'), 5, kind).train('numba', optimizer, batch_size)\n"
        "print(len(epoch.run.signatures))\n"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["1"]
