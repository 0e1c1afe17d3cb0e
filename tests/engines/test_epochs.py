"""Several epochs in one call of an engine: the bits of one after another."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.engines import get_engine, n_batches
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.engines.simd import workspace
from fastmlp.engines.simd.batches import Batches
from fastmlp.engines.simd.threads import Team
from fastmlp.model.architecture import Dense
from fastmlp.model.optimizers import SGD, Adam
from fastmlp.model.training_state import TrainingState

from .problems import build, every_engine, random_problem
from .strategies import optimizers, problems, sparse_or_dense
from .test_bounds import guarded

EPOCHS = 3


def train(problem, engine, optimizer, batch_size, at_once, penalties=None, **options):
    """Train some epochs in one call, or in one each; return the state, the scores and the parameters after each."""
    architecture, n_rows = problem.architecture, problem.data.samples.n_rows
    prepared, generator = problem.prepare(engine, **options), np.random.default_rng(1)
    state = TrainingState(problem.parameters.copy(), np.random.default_rng(0), 7)
    state.prepare_for(optimizer, architecture)
    orders = np.array([generator.permutation(n_rows) for _ in range(EPOCHS)])
    rates = optimizer.learning_rate * generator.uniform(0.5, 1, (EPOCHS, n_batches(n_rows, batch_size)))
    l2 = None if penalties is None else generator.uniform(0, penalties, rates.shape)
    chosen, scores, ends = get_engine(engine), [], []
    if at_once:
        given_ = architecture, state, optimizer, prepared, orders, batch_size, rates
        scores, ends = chosen.train_epochs(*given_, penalties=l2)
        return state, scores, list(ends)
    for number in range(EPOCHS):
        given_ = architecture, state, optimizer, prepared, orders[number], batch_size, rates[number]
        scores.append(chosen.train_epoch(*given_, penalties=None if l2 is None else l2[number]))
        ends.append(state.parameters.copy())
        state.epoch += 1
    state.epoch = 0
    return state, scores, ends


def train_in_parts(problem, engine, optimizer, batch_size, steps, penalties, **options):
    """Train an epoch in calls of so many steps each, all with a penalty of their own; return the state."""
    architecture, n_rows = problem.architecture, problem.data.samples.n_rows
    prepared, generator = problem.prepare(engine, **options), np.random.default_rng(1)
    state = TrainingState(problem.parameters.copy(), np.random.default_rng(0), 7)
    state.prepare_for(optimizer, architecture)
    order, total = generator.permutation(n_rows), n_batches(n_rows, batch_size)
    rates = optimizer.learning_rate * generator.uniform(0.5, 1, total)
    l2 = None if penalties is None else generator.uniform(0, penalties, total)
    for first in range(0, total, steps):
        part, rows = slice(first, first + steps), order[first * batch_size : (first + steps) * batch_size]
        given_ = architecture, state, optimizer, prepared, rows, batch_size, rates[part]
        get_engine(engine).train_epoch(*given_, penalties=None if l2 is None else l2[part])
    return state


def check_parts(problem, engine, optimizer, batch_size, steps, penalties, **options):
    whole, parts = (
        train_in_parts(problem, engine, optimizer, batch_size, count, penalties, **options) for count in (10**9, steps)
    )
    assert whole.step == parts.step
    np.testing.assert_array_equal(whole.parameters, parts.parameters)
    for mine, theirs in zip(whole.moments, parts.moments, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@given(
    problem=problems(),
    optimizer=optimizers(),
    batch_size=st.integers(1, 60),
    steps=st.integers(1, 5),
    sparse=sparse_or_dense,
    threads=st.sampled_from([1, 2]),
    penalties=st.sampled_from([None, 0.1]),
)
def test_an_epoch_in_any_calls_has_the_bits_of_one(problem, optimizer, batch_size, steps, sparse, threads, penalties):
    check_parts(problem, "numba", optimizer, batch_size, steps, penalties, sparse=sparse, threads=threads)


@every_engine
@pytest.mark.parametrize(("rows", "batch_size"), [(50, 7), (57, 8), (30, 29)])  # the last batch is a row alone
@pytest.mark.parametrize("steps", [1, 3])
def test_a_smaller_batch_alone_in_a_call_has_the_bits_of_the_epoch(engine, rows, batch_size, steps):
    problem = random_problem(build([36, Dense(20, dropout=0.5), 3]), rows)
    check_parts(problem, engine, SGD(0.1, momentum=0.9), batch_size, steps, 0.1)


def check_same(problem, engine, optimizer, batch_size, **options):
    (state, scores, ends), (other, other_scores, other_ends) = (
        train(problem, engine, optimizer, batch_size, at_once, **options) for at_once in (True, False)
    )
    assert (state.step, state.epoch) == (other.step, other.epoch)
    np.testing.assert_array_equal(scores, other_scores)
    for mine, theirs in zip([*ends, *state.moments], [*other_ends, *other.moments], strict=True):
        np.testing.assert_array_equal(mine, theirs)
    np.testing.assert_array_equal(state.parameters, ends[-1])


@given(
    problem=problems(),
    optimizer=optimizers(),
    batch_size=st.integers(1, 60),
    sparse=sparse_or_dense,
    threads=st.sampled_from([1, 2]),
    penalties=st.sampled_from([None, 0.1]),
)
def test_any_epochs_in_one_call_have_the_bits_of_single_ones(
    problem, optimizer, batch_size, sparse, threads, penalties
):
    check_same(problem, "numba", optimizer, batch_size, sparse=sparse, threads=threads, penalties=penalties)


@every_engine
@pytest.mark.parametrize("penalties", [None, 0.1])
def test_epochs_in_one_call_have_the_bits_of_single_ones(engine, penalties):
    problem = random_problem(build([9, Dense(20, dropout=0.5), 3]), 30)
    check_same(problem, engine, Adam(0.01), 7, penalties=penalties)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_epochs_in_groups_have_the_bits_of_single_ones(threads, monkeypatch):
    monkeypatch.setattr(workspace, "_GROUPED_FROM", 2)
    monkeypatch.setattr(workspace, "_GROUPED_ROWS", 3)
    monkeypatch.setattr(simd_engine, "available_threads", lambda: 7)
    check_same(random_problem(build([9, 20, 3]), 50), "numba", Adam(0.01), 20, threads=threads)


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("batch_size", [14, 15, 16, 1023, 1024, 5000])
@pytest.mark.parametrize("rows", [14, 15, 120])
def test_epochs_of_one_batch_that_is_larger_than_the_data(rows, batch_size, sparse, monkeypatch):
    # Such a batch is no reason for groups, nor a smaller one against halves.
    monkeypatch.setattr(simd_engine, "available_threads", lambda: 3)
    problem = random_problem(build([4, 32, 16, 2]), rows)
    for threads in (1, 2, 3):
        check_same(problem, "numba", Adam(0.01), batch_size, threads=threads, sparse=sparse)


def test_a_batch_has_no_more_rows_than_an_epoch():
    batches = Batches.of(np.arange(12).reshape(2, 6), 7, np.ones((2, 1)), None)
    assert (batches.size, batches.order.tolist()) == (6, list(range(12)))


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 1)])
def test_every_step_has_a_learning_rate(shape):
    with pytest.raises(ValueError, match="learning rates must have the shape"):
        Batches.of(np.arange(6), 3, np.ones(shape), None)


@given(problem=problems(), optimizer=optimizers(), batch_size=st.integers(1, 60))
def test_nothing_is_written_out_of_bounds(problem, optimizer, batch_size):
    with guarded():
        train(problem, "numba", optimizer, batch_size, at_once=True)


@pytest.mark.parametrize(
    ("options", "calls"), [({}, 1), ({"clip": 0.1}, 1), ({"rate": 0.5}, EPOCHS), ({"threads": 2}, EPOCHS)], ids=str
)
def test_how_many_calls_of_the_kernels_it_takes(options, calls, monkeypatch):
    seen, run_together = [], Team.run
    monkeypatch.setattr(Team, "run", lambda *arguments: [seen.append(1), run_together(*arguments)])
    monkeypatch.setattr(simd_engine, "available_threads", lambda: 2)
    problem = random_problem(build([9, Dense(40, dropout=options.get("rate", 0.0)), 3]), 50)
    optimizer = replace(SGD(0.1), clip_norm=options.get("clip"))
    train(problem, "numba", optimizer, 20, at_once=True, threads=options.get("threads", 1))
    assert len(seen) == calls
