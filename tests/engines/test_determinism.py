"""Same seed, same bits: on repeat, for any number of threads, in threads and processes."""

import multiprocessing
import os
import threading
import warnings

import numpy as np
import pytest

from fastmlp.architecture import Dense
from fastmlp.engines import compiled
from fastmlp.inputs import Scaling
from fastmlp.optimizers import SGD, Adam

from .problems import both_dtypes, both_engines, build, random_problem

CASES = [(SGD(0.1), 1), (SGD(0.1), 7), (SGD(0.1, momentum=0.9), 7), (Adam(0.01), 50)]
cases = pytest.mark.parametrize(("optimizer", "batch_size"), CASES, ids=["sgd-1", "sgd-7", "momentum-7", "adam-50"])
sparse_and_dense = pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])


def problem_of(dtype="float32", rows=40, inputs=50, hidden=40, **options):
    architecture = build([inputs, Dense(hidden, dropout=0.3), 33, 10], dtype=dtype, l2=0.01)
    return random_problem(architecture, rows, "uint8", weighted=True, scaling=Scaling.pixels(-0.5, 0.5), **options)


def bits(problem, optimizer=SGD(0.1), batch_size=7, engine="numba", **options):  # noqa: B008  (frozen)
    """What two epochs lead to: parameters, moments and scores."""
    state, scores = problem.train(engine, optimizer, batch_size, epochs=2, **options)
    return b"".join(array.tobytes() for array in (state.parameters, *state.moments, np.array(scores)))


@pytest.fixture
def four_processors(monkeypatch):
    """Have up to four threads used, however many processors there are: they take turns then."""
    monkeypatch.setattr(compiled, "available_threads", lambda: 4)


@both_engines
@cases
@both_dtypes
def test_on_repeat(dtype, optimizer, batch_size, engine):
    problem = problem_of(dtype)
    assert bits(problem, optimizer, batch_size, engine) == bits(problem, optimizer, batch_size, engine)


@both_engines
def test_another_seed_drops_other_units(engine):
    problem = problem_of()
    assert bits(problem, engine=engine) != bits(problem, engine=engine, seed=6)


@sparse_and_dense
@cases
@both_dtypes
def test_any_number_of_threads(dtype, optimizer, batch_size, sparse, four_processors):
    problem = problem_of(dtype)
    alone = bits(problem, optimizer, batch_size, sparse=sparse, threads=1)
    for threads in (2, 3, 4):
        assert bits(problem, optimizer, batch_size, sparse=sparse, threads=threads) == alone


@sparse_and_dense
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
def test_any_number_of_threads_with_batches_of_several_chunks(optimizer, sparse, four_processors):
    problem = problem_of(rows=9000, inputs=3, hidden=4)
    assert compiled._layout(problem.architecture, problem.prepare("numba").rows, 9000, 1)[1].chunk < 9000
    alone = bits(problem, optimizer, 9000, sparse=sparse, threads=1)
    for threads in (2, 3):
        assert bits(problem, optimizer, 9000, sparse=sparse, threads=threads) == alone


@sparse_and_dense
def test_forward_evaluate_and_gradient_by_any_number_of_threads(sparse, four_processors):
    problem = problem_of()
    results = set()
    for threads in (1, 2, 4):
        prepared = problem.prepare("numba", threads, sparse)
        outputs = compiled.forward(problem.architecture, problem.parameters, prepared)
        score = compiled.evaluate(problem.architecture, problem.parameters, prepared)
        objective, gradient = compiled.loss_and_gradient(problem.architecture, problem.parameters, prepared)
        results.add((outputs.tobytes(), score, objective, gradient.tobytes()))
    assert len(results) == 1


def test_more_threads_than_rows_or_weights(four_processors):
    problem = random_problem(build([2, 3, 2]), rows=1)
    assert bits(problem, batch_size=1, optimizer=Adam(), threads=4) == bits(problem, batch_size=1, optimizer=Adam())


def test_several_trainings_at_once_in_python_threads(four_processors):
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


def test_no_thread_is_left_behind(four_processors):
    before = threading.active_count()
    bits(problem_of(), threads=4)
    assert threading.active_count() == before
