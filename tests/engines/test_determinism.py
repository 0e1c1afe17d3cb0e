"""Same seed, same bits: on repeat, for any number of threads, in threads and processes, and however the work is cut."""

import multiprocessing
import os
import threading
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Scaling
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.engines.simd import ownership, workspace
from fastmlp.kernels.runtime.records import Step
from fastmlp.model.architecture import Dense
from fastmlp.model.optimizers import SGD, Adam

from ..interpreted import examples, size
from .problems import both_dtypes, build, every_engine, random_problem
from .strategies import optimizers, problems

CASES = [(SGD(0.1), 1), (SGD(0.1), 7), (SGD(0.1, momentum=0.9), 7), (Adam(0.01), 50)]
cases = pytest.mark.parametrize(("optimizer", "batch_size"), CASES, ids=["sgd-1", "sgd-7", "momentum-7", "adam-50"])
# Plain descent puts the gradient straight into the weights; the others don't.
three_optimizers = pytest.mark.parametrize(
    "optimizer",
    [SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.01), Adam(0.01, clip_norm=0.1)],
    ids=["sgd", "momentum", "adam", "clipped"],
)
sparse_and_dense = pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])

SEVERAL = size((2, 3, 5, 16), (2,))
"""Numbers of threads; 16 is more than the columns of any layer here, in whole cache lines."""


ROWS, INPUTS, HIDDEN = size((40, 50, 40), (8, 20, 12))


def problem_of(dtype="float32", rows=ROWS, inputs=INPUTS, hidden=HIDDEN, **options):
    """A problem with whatever could depend on the number of threads: dropout, weights, a penalty, a shift."""
    architecture = build([inputs, Dense(hidden, dropout=0.3), 33, 10], dtype=dtype, l2=0.01)
    return random_problem(architecture, rows, "uint8", weighted=True, scaling=Scaling.pixels(-0.5, 0.5), **options)


def bits(problem, optimizer=SGD(0.1), batch_size=7, engine="numba", **options):  # noqa: B008  (frozen)
    """What two epochs lead to: parameters, moments and scores."""
    state, scores = problem.train(engine, optimizer, batch_size, epochs=2, **options)
    return b"".join(array.tobytes() for array in (state.parameters, *state.moments, np.array(scores)))


def bits_of_a_pass(problem, threads, sparse=None, prepared=None):
    """What the operations that don't train return."""
    prepared = prepared or problem.prepare("numba", threads, sparse)
    outputs = simd_engine.forward(problem.architecture, problem.parameters, prepared)
    score = simd_engine.evaluate(problem.architecture, problem.parameters, prepared)
    objective, gradient = simd_engine.loss_and_gradient(problem.architecture, problem.parameters, prepared)
    return b"".join(np.asarray(result).tobytes() for result in (outputs, score, objective, gradient))


@pytest.fixture(autouse=True, scope="module")
def sixteen_processors():
    """Have up to sixteen threads used, however many processors there are: they take turns then."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ownership, "_PARTS_FROM", 0)
        patch.setattr(simd_engine, "available_threads", lambda: 16)
        yield


@pytest.fixture
def works(monkeypatch):
    """The workspace of every thread that the kernels were called with."""
    seen, handle = [], Step.handle

    def handed_over(step):
        seen.append(step.work)
        return handle.fget(step)

    monkeypatch.setattr(Step, "handle", property(handed_over))
    return seen


@every_engine
@cases
@both_dtypes
def test_on_repeat(dtype, optimizer, batch_size, engine):
    problem = problem_of(dtype)
    assert bits(problem, optimizer, batch_size, engine) == bits(problem, optimizer, batch_size, engine)


@every_engine
def test_another_seed_drops_other_units(engine):
    problem = problem_of()
    assert bits(problem, engine=engine) != bits(problem, engine=engine, seed=6)


# --- any number of threads ---


@settings(max_examples=examples(200, 3))
@given(
    problem=problems(),
    optimizer=optimizers(),
    batch_size=st.integers(1, 60),
    sparse=st.booleans(),
    threads=st.sampled_from(SEVERAL),
)
def test_any_training_by_any_number_of_threads(problem, optimizer, batch_size, sparse, threads):
    alone, together = (bits(problem, optimizer, batch_size, sparse=sparse, threads=n) for n in (1, threads))
    assert together == alone


@given(problem=problems(), sparse=st.booleans(), threads=st.sampled_from(SEVERAL))
def test_any_outputs_losses_and_gradients_by_any_number_of_threads(problem, sparse, threads):
    assert bits_of_a_pass(problem, threads, sparse) == bits_of_a_pass(problem, 1, sparse)


@sparse_and_dense
@cases
@both_dtypes
def test_any_number_of_threads(dtype, optimizer, batch_size, sparse, works):
    problem = problem_of(dtype)
    alone = bits(problem, optimizer, batch_size, sparse=sparse, threads=1)
    for threads in SEVERAL:
        works.clear()
        assert bits(problem, optimizer, batch_size, sparse=sparse, threads=threads) == alone
        assert len(works) == 2 * threads  # one for each thread and epoch


@both_dtypes
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize(("rows", "batch_size"), [(60, 17), (60, 40), (33, 16), (61, 30)])
@pytest.mark.parametrize("units", size([(64, 32, 96), (100, 64), (33, 96, 64)], [(64, 32)]))
def test_any_number_of_threads_that_pack_weights_together(units, rows, batch_size, optimizer, dtype, monkeypatch):
    """Layers whose units are whole panels, behind any others; the last batch is smaller, some of one row."""
    monkeypatch.setattr(workspace, "TOGETHER_FROM", 32)
    problem = random_problem(build([20, *units, 3], dtype=dtype), rows, "float32")
    alone = bits(problem, optimizer, batch_size, threads=1)
    assert all(bits(problem, optimizer, batch_size, threads=threads) == alone for threads in SEVERAL)
    assert len({bits_of_a_pass(problem, threads) for threads in (1, *SEVERAL)}) == 1


@sparse_and_dense
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
@pytest.mark.parametrize("hidden", size([1, 8, 9, 16, 64, 72, 100, 200], [9]))
def test_any_number_of_threads_at_every_width(hidden, optimizer, sparse):
    problem = problem_of(hidden=hidden, rows=20)
    alone = bits(problem, optimizer, 20, sparse=sparse, threads=1)
    for threads in SEVERAL:
        assert bits(problem, optimizer, 20, sparse=sparse, threads=threads) == alone


@three_optimizers
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("rows", [20, 130])
def test_a_first_layer_that_no_cache_holds_is_trained_by_lists_with_the_same_bits(
    rows, threads, optimizer, small_chunks, works, monkeypatch
):
    problem = problem_of(rows=rows, density=0.05)
    row_by_row = bits(problem, optimizer, rows, sparse=True, threads=threads)
    assert not any(work.listing for work in works)
    monkeypatch.setattr(workspace, "_LARGE_NUMBERS", 1)
    works.clear()
    assert bits(problem, optimizer, rows, sparse=True, threads=threads) == row_by_row
    assert any(work.listing for work in works) == (optimizer.n_moments > 0)


@pytest.mark.parametrize(("large", "threads"), [(1, 1), (2**30, 16)])
def test_an_optimizer_that_waits_for_memory_has_one_thread(large, threads, works, monkeypatch):
    monkeypatch.setattr(workspace, "_LARGE_NUMBERS", large)
    monkeypatch.setattr(simd_engine, "THREADS_FROM", 1)
    bits(problem_of(density=0.05), Adam(0.01), 20, sparse=True, threads=0)
    assert len(works) == 2 * threads


@sparse_and_dense
@three_optimizers
@pytest.mark.parametrize("rows", [130, 200])
def test_any_number_of_threads_with_batches_of_several_chunks(rows, optimizer, sparse, small_chunks, works):
    problem = problem_of(rows=rows)
    alone = bits(problem, optimizer, rows, sparse=sparse, threads=1)
    assert max(work.chunk for work in works) < rows / 2
    for threads in SEVERAL:
        assert bits(problem, optimizer, rows, sparse=sparse, threads=threads) == alone


@sparse_and_dense
@pytest.mark.parametrize("rows", [1, 5, workspace.FORWARD_ROWS + 1, 200])
def test_outputs_alone_by_any_number_of_threads(rows, sparse, small_chunks):
    problem = problem_of(rows=rows)
    outputs = set()
    for threads in (1, *SEVERAL):
        unlabelled = Dataset.of(problem.architecture, problem.data.samples)
        prepared = simd_engine.prepare(problem.architecture, unlabelled, threads, sparse=sparse)
        outputs.add(simd_engine.forward(problem.architecture, problem.parameters, prepared).tobytes())
    assert len(outputs) == 1


@sparse_and_dense
@pytest.mark.parametrize("rows", [1, 5, 200, workspace.FORWARD_ROWS + 1])
def test_outputs_losses_and_gradients_by_any_number_of_threads(rows, sparse, small_chunks):
    problem = problem_of(rows=rows)
    alone = bits_of_a_pass(problem, 1, sparse)
    for threads in SEVERAL:
        assert bits_of_a_pass(problem, threads, sparse) == alone


# --- however the work is cut ---


@pytest.mark.parametrize("threads", [1, 3])
@both_dtypes
def test_zeros_skipped_as_rows_come_or_compressed_before(dtype, threads, works):
    problem = problem_of(dtype, density=0.2)
    once, often = (
        simd_engine.prepare(problem.architecture, problem.data, threads, **options) for options in ({"once": True}, {})
    )
    outputs = {simd_engine.forward(problem.architecture, problem.parameters, of).tobytes() for of in (once, often)}
    assert [work.skipping for work in works] == [1] * threads + [0] * threads
    assert len(outputs) == 1


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("rows", [40, 2 * workspace.FORWARD_ROWS + 7])
@both_dtypes
def test_outputs_of_a_row_beside_any_others(dtype, rows, threads):
    problem, order = problem_of(dtype, rows=rows, density=0.2), np.random.default_rng(0).permutation(rows)[1:]
    samples = problem.data.samples
    whole, part = (
        simd_engine.forward(
            problem.architecture,
            problem.parameters,
            simd_engine.prepare(problem.architecture, Dataset.of(problem.architecture, of), threads, once=True),
        )
        for of in (samples, samples.take(order))
    )
    assert whole[order].tobytes() == part.tobytes()


@three_optimizers
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("batch_size", [1, 7, 200])
@both_dtypes
def test_entries_listed_by_columns_or_taken_row_by_row(
    dtype, batch_size, threads, optimizer, small_chunks, works, monkeypatch
):
    problem, results = problem_of(dtype, rows=200 if batch_size == 200 else 20), set()
    for least, listing in ((0.0, 1), (np.inf, 0)):
        works.clear()
        monkeypatch.setattr(workspace, "_LISTS_FROM", least)
        monkeypatch.setattr(workspace, "_LISTS_WIDTH", 0)
        results.add(bits(problem, optimizer, batch_size, sparse=True, threads=threads))
        assert {work.listing for work in works} == {listing}
    assert len(results) == 1


@sparse_and_dense
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("optimizer", [SGD(0.1, momentum=0.9), Adam(0.01)], ids=["momentum", "adam"])
def test_gradients_handed_to_the_optimizer_in_blocks_of_any_size(optimizer, threads, sparse, monkeypatch):
    problem, results = problem_of(inputs=100), set()
    for numbers in (0, 2**10, 2**20):
        monkeypatch.setattr(workspace, "_BLOCK_NUMBERS", numbers)
        results.add(bits(problem, optimizer, 40, sparse=sparse, threads=threads))
    assert len(results) == 1


@sparse_and_dense
@pytest.mark.parametrize("threads", [1, 3])
def test_passes_over_data_that_others_passed_over(threads, sparse):
    problem = problem_of()
    once = bits_of_a_pass(problem, threads, sparse)
    prepared = problem.prepare("numba", threads, sparse)
    for _ in range(2):
        assert bits_of_a_pass(problem, threads, prepared=prepared) == once


# --- beside others ---


def test_more_threads_than_rows_or_weights():
    problem = random_problem(build([2, 3, 2]), rows=1)
    assert bits(problem, batch_size=1, optimizer=Adam(), threads=4) == bits(problem, batch_size=1, optimizer=Adam())


def test_several_trainings_at_once_in_python_threads():
    problems = [problem_of(seed=seed) for seed in range(4)]
    alone = [bits(problem, threads=2) for problem in problems]
    together = [b""] * len(problems)

    def train(number):
        together[number] = bits(problems[number], threads=2)

    threads = [threading.Thread(target=train, args=(number,)) for number in range(len(problems))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == alone


def send_bits(connection):
    connection.send(bits(problem_of(), threads=2))
    connection.close()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_a_child_process(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot {method}")
    here = bits(problem_of(), threads=2)  # with threads used in the parent first
    context = multiprocessing.get_context(method)
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=send_bits, args=(sender,))
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", DeprecationWarning
        )  # Python's, of forking beside the threads of other libraries
        child.start()
    sender.close()
    assert receiver.poll(120), "the child process hangs"
    assert receiver.recv() == here
    child.join()
    assert child.exitcode == os.EX_OK
