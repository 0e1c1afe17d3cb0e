"""Kernels test no index: whatever they are given to do, they must not write outside of what the engine allots."""

from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.engines.simd import compression, conversion, direct, few_rows, split_layer, workspace
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.model import architecture
from fastmlp.model.optimizers import SGD, Adam

from .problems import build, random_problem
from .strategies import optimizers, problems

GUARD = 4096
"""Bytes before and behind every array: a multiple of a cache line."""

UNTOUCHED = 0xFF
"""Their value: NaN, or -1, to whoever reads them."""


class GuardedNumpy:
    """NumPy, but for the guards about what `zeros` and `empty` make."""

    def __init__(self, make):
        self.zeros = self.empty = make

    def __getattr__(self, name):
        return getattr(np, name)


@contextmanager
def guarded():
    """Put guards about the arrays that the engine makes, and look at the end whether anything was written there."""
    memories, aligned_zeros = [], architecture.aligned_zeros

    def guard(shape, dtype=float):
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        memory = aligned_zeros(n_bytes + 2 * GUARD, np.dtype(np.uint8))
        memory[:GUARD] = memory[GUARD + n_bytes :] = UNTOUCHED
        memories.append((memory, n_bytes))
        return memory[GUARD : GUARD + n_bytes].view(dtype).reshape(shape)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(architecture, "aligned_zeros", guard)
        for module in (few_rows, split_layer, workspace):
            patch.setattr(module, "aligned_zeros", guard)
        for module in (simd_engine, compression, conversion, direct, few_rows, workspace):
            patch.setattr(module, "np", GuardedNumpy(guard))
        patch.setattr(simd_engine, "available_threads", lambda: 7)
        yield
    assert memories
    for memory, n_bytes in memories:
        assert (memory[:GUARD] == UNTOUCHED).all() and (memory[GUARD + n_bytes :] == UNTOUCHED).all()


@given(
    problem=problems(),
    optimizer=optimizers(),
    batch_size=st.integers(1, 60),
    sparse=st.booleans(),
    threads=st.sampled_from([1, 2, 7]),
)
def test_training(problem, optimizer, batch_size, sparse, threads):
    with guarded():
        problem.train("numba", optimizer, batch_size, sparse=sparse, threads=threads)


@given(problem=problems(), sparse=st.booleans(), threads=st.sampled_from([1, 2, 7]))
def test_outputs_losses_and_gradients(problem, sparse, threads):
    with guarded():
        prepared = problem.prepare("numba", threads, sparse)
        for operation in (simd_engine.forward, simd_engine.evaluate, simd_engine.loss_and_gradient):
            operation(problem.architecture, problem.parameters, prepared)


@given(problem=problems(kinds=["uint8", "float32"], dtypes=["float32"]), rows=st.integers(1, 50))
def test_outputs_by_the_shorter_way(problem, rows):
    samples = problem.data.samples
    with guarded():
        simd_engine.few_rows(problem.architecture, samples.scaling)(problem.parameters, samples.dense[:rows])


@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [1, 2, 20])
def test_batches_larger_than_the_data(rows, threads, optimizer):
    problem = random_problem(build([20, 12, 9, 3]), rows)
    with guarded():
        problem.train("numba", optimizer, 50, threads=threads)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_a_row_with_all_features_among_rows_with_none(threads):
    problem = random_problem(build([30, 12, 3]), rows=40)
    problem.data.samples.dense[1:] = 0
    with guarded():
        problem.train("numba", SGD(0.1), 8, sparse=True, threads=threads)
