"""Features many deviations from 0 are standardized as accurately as any other, on either engine."""

import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import Network
from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Scaling, as_samples
from fastmlp.engines import get_engine
from fastmlp.engines.simd import centring, conversion
from fastmlp.model.optimizers import SGD, Adam

from ..interpreted import size
from .problems import Problem, both_dtypes, build, random_problem
from .strategies import sparse_or_dense

FORMS = {
    "dense": np.asarray,
    "float32": lambda X: X.astype(np.float32),
    "fortran": np.asfortranarray,
    "csr": scipy.sparse.csr_array,
    "csr32": lambda X: scipy.sparse.csr_array(X.astype(np.float32)),
}
distances = st.sampled_from([0.0, 3.0, -10.0, 20.0, -1e3, 1e8])


def table(distance, rows=40, sparse_features=8, seed=0):
    """Some features that are seldom 0 at a distance from 0, among others that often are."""
    generator = np.random.default_rng(seed)
    far = generator.normal(size=(rows, 4)) * [1, 10, 0.1, 1] + distance * np.array([1, 10, 0.1, -1])
    often = generator.normal(size=(rows, sparse_features)) * (generator.random((rows, sparse_features)) < 0.1)
    return np.hstack([often[:, ::2], far, often[:, 1::2]])


def problem_of(X, dtype="float64", scaling=None, hidden=(9,)):
    problem = random_problem(build([X.shape[1], *hidden, 3], dtype=dtype), X.shape[0])
    samples = as_samples(X, scaling=scaling or Scaling.standardize(X), dtype=problem.architecture.dtype)
    return Problem(
        problem.architecture, Dataset.of(problem.architecture, samples, problem.data.targets), problem.parameters
    )


@given(
    distance=distances,
    form=st.sampled_from(sorted(FORMS)),
    sparse=sparse_or_dense,
    threads=st.sampled_from([1, 2]),
    optimizer=st.sampled_from([SGD(0.01), Adam(0.001, epsilon=0.01)]),
    batch_size=st.sampled_from([1, 7, 40]),
)
def test_engines_agree_in_float64_after_an_epoch(distance, form, sparse, threads, optimizer, batch_size):
    problem = problem_of(FORMS[form](table(distance, rows=size(40, 12))))
    (ours, our_scores), (theirs, their_scores) = (
        problem.train("numba", optimizer, batch_size, threads=threads, sparse=sparse),
        problem.train("numpy", optimizer, batch_size),
    )
    np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=0, atol=1e-12)
    np.testing.assert_allclose(our_scores, their_scores, rtol=1e-12)


@given(distance=distances, form=st.sampled_from(["dense", "fortran", "csr"]), sparse=sparse_or_dense)
def test_a_network_in_float32_sees_what_one_in_float64_sees(distance, form, sparse):
    X = FORMS[form](table(distance))
    exact = problem_of(X)
    outputs = get_engine("numpy").forward(exact.architecture, exact.parameters, exact.prepare("numpy"))
    single = problem_of(X, "float32")
    for engine, options in (("numpy", {}), ("numba", {"sparse": sparse})):
        prepared = single.prepare(engine, **options)
        ours = get_engine(engine).forward(single.architecture, single.parameters, prepared)
        np.testing.assert_allclose(ours, outputs, rtol=0, atol=2e-6)


@both_dtypes
@pytest.mark.parametrize("kind", ["float", "uint8"])
def test_a_row_alone_is_centred_like_many(kind, dtype):
    X = table(1e4).astype(dtype)
    if kind == "uint8":
        X = np.random.default_rng(0).integers(253, 256, (40, 12)).astype(np.uint8)
    net = Network([12, 5, 3], scaling=Scaling.standardize(X), dtype=dtype, seed=0)
    many = net(np.repeat(X, 20, axis=0), engine="numpy")[::20]
    np.testing.assert_allclose([net(row[np.newaxis])[0] for row in X], many, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sparse", [True, False])
def test_features_with_a_few_zeros_far_from_the_others_keep_them(sparse):
    X = table(1e8)
    X[::7, 5] = 0
    problem = problem_of(scipy.sparse.csr_array(X) if sparse else X)
    ours, theirs = (problem.gradient(engine)[1] for engine in ("numba", "numpy"))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("scaling", [Scaling(0.5), Scaling(0.5, -40.0), Scaling.pixels(-1, 1)], ids=repr)
def test_samples_without_a_centre_stay_as_they_are(scaling):
    samples = as_samples(table(1e4), scaling=scaling)
    prepared = centring.without_centre(samples, np.dtype(np.float64))
    assert prepared.dense is samples.dense and prepared.scaling is scaling


def test_bytes_stay_bytes():
    X = np.random.default_rng(0).integers(250, 256, (50, 6)).astype(np.uint8)
    for given_ in (X, scipy.sparse.csr_array(X)):
        problem = problem_of(given_, "float32")
        prepared = conversion.prepare(problem.architecture, problem.data, 1)
        assert len(prepared.rows.bytes) and not len(prepared.rows.numbers)
        outputs = [
            get_engine(engine).forward(problem.architecture, problem.parameters, problem.prepare(engine))
            for engine in ("numba", "numpy")
        ]
        np.testing.assert_allclose(*outputs, atol=1e-4)


def test_a_centre_never_fills_a_matrix_that_is_mostly_zeros():
    generator, shape = np.random.default_rng(0), (2000, 50_000)
    places = [generator.integers(0, size, 10_000) for size in shape]
    X = scipy.sparse.csr_matrix((generator.random(10_000), places), shape)
    X.sum_duplicates()
    samples = as_samples(X, scaling=Scaling(centre=100.0))
    tracemalloc.start()
    prepared = centring.without_centre(samples, np.dtype(np.float64))
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(prepared.sparse.values) == X.nnz and used < 10 * 8 * 50_000


@both_dtypes
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_a_mapped_table_is_centred_like_one_in_memory(tmp_path, kind, dtype):
    X, y = table(1e4, rows=60).astype(kind), np.arange(60) % 3
    np.save(tmp_path / "X.npy", X)
    fitted = []
    for samples in (X, np.load(tmp_path / "X.npy", mmap_mode="r")):
        net = Network([12, 5, 3], scaling="standardize", dtype=dtype, seed=0)
        net.fit(samples, y, epochs=2, batch_size=10, verbose=0)
        fitted.append(net.state.parameters)
    np.testing.assert_array_equal(*fitted)
