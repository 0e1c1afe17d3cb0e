"""Sparse rows of which features that are seldom zero are multiplied densely: `kernels.sparse.parting` and `eights`."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Scaling, as_samples
from fastmlp.engines.simd import conversion, out_of_core, ownership, workspace
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.model.architecture import Dense
from fastmlp.model.optimizers import SGD, Adam

from ...interpreted import examples, size
from .. import test_epochs
from ..problems import both_dtypes, build, random_problem
from ..strategies import optimizers, problems
from ..test_bounds import guarded
from ..test_determinism import bits
from ..test_equality import away_from_kinks, check_training

threads_ = st.sampled_from([1, 2, 7])
batch_sizes = st.integers(1, 60)


@pytest.fixture(autouse=True, scope="module")
def parted_soon():
    """Have features parted in small data sets and batches, too, and up to seven threads used."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(conversion, "WIDEST", 512)
        patch.setattr(conversion, "PARTED_ROWS", 1)
        patch.setattr(conversion, "FILLED_FROM", 0.5)
        patch.setattr(conversion, "FILLED_LEAST", 16)
        patch.setattr(workspace, "_PARTED_FROM", 2)
        patch.setattr(ownership, "_PARTS_FROM", 0)
        patch.setattr(simd_engine, "available_threads", lambda: 7)
        yield


def problem_of(kind="uint8", rows=90, features=70, scaling=None, **options):
    """A problem of which 20 features are nearly always there, here and there among the others, which seldom are."""
    options = {"dtype": "float32", "l2": 0.01} | options
    problem = random_problem(build([features, Dense(40, dropout=0.3), 33, 10], **options), rows, kind, scaling=scaling)
    generator = np.random.default_rng(3)
    share = np.where(generator.permutation(features) < 20, 0.9, 0.1)
    X = random_problem(problem.architecture, rows, kind.removeprefix("csr-"), density=1.0).data.samples.dense
    X = X * (generator.random(X.shape) < share).astype(X.dtype)
    if kind.startswith("csr"):
        X = pytest.importorskip("scipy.sparse").csr_matrix(X)
    return replace(problem, data=replace(problem.data, samples=as_samples(X, scaling=scaling)))


even, uneven = Scaling(1 / 255, -0.5), Scaling(np.linspace(0.5, 1, 70), np.linspace(-0.1, 0.1, 70))
forms = pytest.mark.parametrize(
    ("kind", "scaling"),
    [("uint8", even), ("uint8", None), ("csr-uint8", even), ("float32", None), ("csr-float32", uneven)],
)


@forms
@both_dtypes
@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.01, epsilon=0.01)], ids=repr)
def test_training_is_that_of_the_reference(optimizer, dtype, kind, scaling):
    problem = problem_of(kind, scaling=scaling, dtype=dtype)
    assert len(problem.prepare("numba", sparse=True).filled) == 16
    check_training(problem, optimizer, 30, sparse=True, threads=2, epochs=2)


@settings(max_examples=examples(80, 3))
@given(
    problem=problems(dtypes=["float64"]),
    optimizer=optimizers(),
    batch_size=batch_sizes,
    threads=threads_,
)
def test_two_epochs_of_any_network(problem, optimizer, batch_size, threads):
    check_training(problem, optimizer, batch_size, True, threads, epochs=2)


@given(problem=problems(), optimizer=optimizers(epsilon=0.01), threads=threads_)
def test_one_step_of_any_network(problem, optimizer, threads):
    if away_from_kinks(problem):
        check_training(problem, optimizer, problem.data.samples.n_rows, True, threads, steps=1)


@given(problem=problems(), optimizer=optimizers(), batch_size=batch_sizes, threads=threads_)
def test_nothing_is_written_outside(problem, optimizer, batch_size, threads):
    with guarded():
        problem.train("numba", optimizer, batch_size, sparse=True, threads=threads)


@forms
@pytest.mark.parametrize("batch_size", [12, 30])
@pytest.mark.parametrize("hidden", size([1, 16, 17, 40, 72, 200], [17]))
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01), Adam(0.01, clip_norm=0.1)], ids=["sgd", "adam", "clipped"])
def test_any_number_of_threads_gives_the_same_bits(optimizer, hidden, batch_size, kind, scaling):
    problem = problem_of(kind, scaling=scaling)
    problem = replace(problem, architecture=build([70, hidden, 10], dtype="float32"))
    problem = replace(problem, parameters=random_problem(problem.architecture, 9).parameters)
    alone = bits(problem, optimizer, batch_size, sparse=True, threads=1)
    for threads in size((2, 4, 6, 7), (2,)):
        assert bits(problem, optimizer, batch_size, sparse=True, threads=threads) == alone


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
def test_batches_of_several_chunks(optimizer, threads, small_chunks):
    check_training(problem_of(rows=200), optimizer, 150, sparse=True, threads=threads, epochs=2)


def test_a_sparse_matrix_gives_the_bits_of_a_dense_one():
    dense, sparse = (problem_of(kind) for kind in ("uint8", "csr-uint8"))
    assert bits(dense, batch_size=30, sparse=True) == bits(sparse, batch_size=30, sparse=True)


@pytest.mark.parametrize("engine", ["numba"])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
def test_epochs_in_one_call_end_with_the_parameters_in_their_order(engine, optimizer):
    problem = problem_of()
    problem = replace(problem, architecture=build([70, 40, 10], dtype="float32"))
    problem = replace(problem, parameters=random_problem(problem.architecture, 9).parameters)
    test_epochs.check_same(problem, engine, optimizer, 30, sparse=True, threads=1)


@pytest.mark.parametrize("threads", size([1, 2, 6], [2]))
def test_rows_in_a_file_give_the_bits_of_rows_in_memory(threads, tmp_path, monkeypatch):
    problem = problem_of(rows=200)
    table = problem.data.samples.dense
    table.tofile(tmp_path / "table")
    mapped = np.memmap(tmp_path / "table", np.uint8, "r", shape=table.shape)
    monkeypatch.setattr(out_of_core, "STAGE_BYTES", 60 * 70)
    on_disk = replace(problem, data=Dataset.of(problem.architecture, as_samples(mapped), problem.data.targets))
    assert bits(on_disk, batch_size=30, threads=threads) == bits(problem, batch_size=30)


def test_outputs_are_the_same_before_and_after_training_on_the_same_data():
    problem = problem_of()
    prepared = problem.prepare("numba", sparse=True)
    before = simd_engine.forward(problem.architecture, problem.parameters, prepared)
    simd_engine.prepare(problem.architecture, problem.data, 1, batch_size=30, sparse=True)
    problem.train("numba", SGD(0.1), 30, sparse=True)
    np.testing.assert_array_equal(simd_engine.forward(problem.architecture, problem.parameters, prepared), before)


def more_and_more_filled():
    return (np.linspace(0, 1, 200)[:, np.newaxis] < np.linspace(0, 1, 50)).astype(np.uint8)


def test_the_most_filled_features_are_chosen_whole_cache_lines_of_them():
    X = more_and_more_filled()
    assert conversion.filled_features(as_samples(X)).tolist() == list(range(34, 50))


@pytest.mark.parametrize("least", [17, 32])
def test_too_few_filled_features_are_none(least, monkeypatch):
    monkeypatch.setattr(conversion, "FILLED_LEAST", least)
    assert conversion.filled_features(as_samples(more_and_more_filled())).size == 0


def test_a_small_data_set_has_no_filled_features(monkeypatch):
    monkeypatch.setattr(conversion, "PARTED_ROWS", 201)
    assert conversion.filled_features(as_samples(np.ones((200, 50), np.uint8))).size == 0


def test_where_every_feature_would_be_filled_none_is():
    assert conversion.filled_features(as_samples(np.ones((200, 48), np.uint8))).size == 0


def test_narrow_registers_have_no_filled_features(monkeypatch):
    monkeypatch.setattr(conversion, "WIDEST", 256)
    assert conversion.filled_features(as_samples(more_and_more_filled())).size == 0
