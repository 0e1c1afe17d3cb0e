"""Small batches by halves of the first layer: the training of the reference, and the same bits on two threads."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.engines.simd import engine as simd_engine
from fastmlp.engines.simd import passes, split_layer
from fastmlp.engines.simd.threads import Team
from fastmlp.model.architecture import Dense
from fastmlp.model.optimizers import SGD

from ..problems import both_dtypes, build, random_problem
from ..strategies import HIDDEN, optimizers, sparse_or_dense
from ..test_bounds import guarded
from ..test_determinism import bits
from ..test_equality import check_training

small = st.integers(1, split_layer.ROWS)


@st.composite
def halved_problems(draw, dtypes=("float32", "float64")):
    """Networks whose first layer has two halves, some with layers behind the second, dropout in those too."""
    first = Dense(draw(st.integers(25, 70)), draw(st.sampled_from(HIDDEN)), bias=draw(st.booleans()))
    rest = [
        Dense(draw(st.integers(1, 40)), "tanh", draw(st.sampled_from([0.0, 0.3])))
        for _ in range(draw(st.integers(0, 2)))
    ]
    penalties = {name: draw(st.sampled_from([0.0, 0.01])) for name in ("l1", "l2")}
    architecture = build([draw(st.integers(1, 40)), first, *rest, 10], dtype=draw(st.sampled_from(dtypes)), **penalties)
    kind = draw(st.sampled_from(["uint8", "csr-float32", "float64"]))
    return random_problem(architecture, draw(st.integers(1, 50)), kind, weighted=draw(st.booleans()))


@pytest.fixture(autouse=True, scope="module")
def two_processors():
    """Have two threads used, however many processors there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simd_engine, "available_threads", lambda: 2)
        yield


@pytest.fixture
def functions(monkeypatch):
    """What teams of threads are given to run."""
    seen, run_together = [], Team.run

    def run(team, function, arguments):
        seen.append((function, len(arguments)))
        run_together(team, function, arguments)

    monkeypatch.setattr(Team, "run", run)
    return seen


@given(
    problem=halved_problems(("float64",)), optimizer=optimizers(epsilon=1e-3), batch_size=small, sparse=sparse_or_dense
)
def test_two_epochs_are_those_of_the_reference(problem, optimizer, batch_size, sparse):
    check_training(problem, optimizer, batch_size, sparse, 2, epochs=2)


@given(problem=halved_problems(), optimizer=optimizers(), batch_size=small, sparse=sparse_or_dense)
def test_two_threads_have_the_bits_of_one(problem, optimizer, batch_size, sparse):
    alone, together = (bits(problem, optimizer, batch_size, sparse=sparse, threads=n) for n in (1, 2))
    assert together == alone


@given(problem=halved_problems(), optimizer=optimizers(), batch_size=small, sparse=st.booleans())
def test_nothing_is_written_out_of_bounds(problem, optimizer, batch_size, sparse):
    with guarded():
        problem.train("numba", optimizer, batch_size, threads=2, sparse=sparse)


@both_dtypes
@pytest.mark.parametrize(("batch_size", "halved"), [(1, True), (split_layer.ROWS, True), (split_layer.ROWS + 1, False)])
def test_small_batches_are_worked_off_by_halves(batch_size, halved, dtype, functions):
    problem = random_problem(build([20, 40, 10], dtype=dtype), 40)
    problem.train("numba", SGD(0.1), batch_size, threads=2)
    assert [function is passes.run_half for function, _ in functions] == [halved]


@pytest.mark.parametrize(
    "layers", [[20, 10], [20, 16, 10], [20, Dense(40, dropout=0.5), 10], [20, Dense(40, "softmax"), 10]], ids=str
)
def test_what_has_no_halves(layers):
    assert not split_layer.is_halved(build(layers), 1, clipping=False)


def test_taken_apart_and_put_together_is_the_same():
    problem = random_problem(build([20, 40, 30, 10]), 10)
    architecture, whole = problem.architecture, problem.architecture.zeros()
    parts = [half.zeros() for half in split_layer.architectures(architecture)]
    split_layer.take_apart(architecture, problem.parameters, parts)
    split_layer.put_together(architecture, whole, parts)
    np.testing.assert_array_equal(whole, problem.parameters)


# --- one thread or two ---


def pieces(monkeypatch, seconds_a_row, calls=1, n_rows=3210, batch_size=10):
    """Threads of each piece of the last call, by what a row takes one thread and two, call by call."""
    clock = [0.0]
    monkeypatch.setattr(split_layer.time, "perf_counter", lambda: clock[0])
    pace = split_layer.Pace()
    for call in range(calls):
        rows, threads = [], []
        for piece, number in pace.pieces(n_rows, batch_size):
            rows.append(piece)
            threads.append(number)
            clock[0] += (piece.stop - piece.start) * seconds_a_row[call % len(seconds_a_row)][number]
        assert rows[0].start == 0
        assert rows[-1].stop == n_rows
        assert all(a.stop == b.start and a.stop % batch_size == 0 for a, b in itertools.pairwise(rows))
    return threads


def test_two_threads_go_on_while_they_are_faster(monkeypatch):
    threads = pieces(monkeypatch, [{1: 1.0, 2: 0.6}])
    assert threads[0] == 1
    assert set(threads[1:]) == {2}


def test_one_thread_does_the_rest_where_two_are_slower(monkeypatch):
    assert pieces(monkeypatch, [{1: 1.0, 2: 1.1}]) == [1, 2, 1]


def test_later_calls_are_for_two_threads_without_a_trial(monkeypatch):
    assert pieces(monkeypatch, [{1: 1.0, 2: 0.6}], calls=3) == [2]


def test_two_threads_that_become_slower_are_given_up_after_the_call(monkeypatch):
    call = [{1: 1.0, 2: 0.6}] * 3 + [{1: 1.0, 2: 1.1}]
    assert pieces(monkeypatch, call, calls=4) == [2]
    assert pieces(monkeypatch, [*call, call[-1]], calls=5) == [1]


@pytest.mark.parametrize(("calls", "expected"), [(2, [1]), (3, [1]), (4, [1, 2, 1]), (8, [1]), (9, [2, 1])])
def test_two_threads_that_were_slower_are_tried_again_later_and_later(calls, expected, monkeypatch):
    assert pieces(monkeypatch, [{1: 1.0, 2: 1.1}], calls=calls) == expected


def test_one_thread_is_timed_again(monkeypatch):
    # What the first call took is not what the second takes: memory was fresh, say.
    assert pieces(monkeypatch, [{1: 9.0, 2: 1.1}, {1: 1.0, 2: 1.1}], calls=2) == [1, 2, 1]


@pytest.mark.parametrize(("rows", "expected"), [(3000, [1]), (30_000, None)])
def test_two_threads_are_tried_where_there_is_enough_to_do(rows, expected):
    problem = random_problem(build([100, 64, 10]), 4)
    prepared = problem.prepare("numba", threads=0)
    cut = simd_engine._pieces(problem.architecture, prepared, SGD(0.1), rows, 1, 0)
    threads = [number for _, number in cut]
    assert threads == expected if expected else len(threads) > 1
