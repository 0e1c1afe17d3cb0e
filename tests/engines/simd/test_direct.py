"""Outputs in one call of the kernels, for which all was laid out before: `engines.simd.direct`."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from fastmlp.data.samples import Scaling
from fastmlp.engines.simd import direct, direct_training, few_rows
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.model.architecture import Dense

from ...interpreted import INTERPRETED, size
from ..problems import both_dtypes, build, random_problem
from .test_specialisation import read_only, unaligned


@pytest.fixture(autouse=True)
def none_alone(monkeypatch):
    """Have a few rows go this way, too."""
    monkeypatch.setattr(few_rows, "ALONE", 0)


def problem_of(rows, kind, dtype="float32", features=70, density=1.0):
    scaling = Scaling.pixels(-0.5, 0.5) if kind == "uint8" else Scaling()
    layers = [features, Dense(20, "gelu"), Dense(33, "tanh"), 1 if dtype == "float64" else 3]
    loss = "squared_error" if dtype == "float64" else "cross_entropy"
    return random_problem(build(layers, loss, dtype=dtype), rows, kind, density=density, scaling=scaling)


def shorter(problem):
    return simd_engine.few_rows(problem.architecture, problem.data.samples.scaling)


def longer(problem):
    prepared = simd_engine.prepare(problem.architecture, replace(problem.data, targets=None), 1, once=True)
    return simd_engine.forward(problem.architecture, problem.parameters, prepared)


@both_dtypes
@pytest.mark.parametrize("density", [1.0, 0.1])
@pytest.mark.parametrize("pixels", [False, True], ids=["numbers", "pixels"])
@pytest.mark.parametrize("rows", size([4, 10, 15, 16, 96, 97, 300], [4, 20]))
def test_outputs_have_the_bits_of_the_longer_way(rows, pixels, density, dtype):
    problem = problem_of(rows, "uint8" if pixels else dtype, dtype, density=density)
    outputs = shorter(problem)(problem.parameters, problem.data.samples.dense)
    np.testing.assert_array_equal(outputs, longer(problem))


def test_rows_of_any_number_in_turn():
    problem = problem_of(40, "float32")
    few, X, wanted = shorter(problem), problem.data.samples.dense, longer(problem)
    for rows in (40, 1, 4, 16, 3, 40, 7):
        np.testing.assert_array_equal(few(problem.parameters, X[:rows])[-3:], wanted[:rows][-3:])


def test_other_parameters_give_other_outputs():
    problem = problem_of(10, "float32")
    few, X = shorter(problem), problem.data.samples.dense
    before = few(problem.parameters, X)
    after = few(problem.parameters * np.float32(2), X)
    assert (before != after).any()
    np.testing.assert_array_equal(few(problem.parameters, X), before)


@pytest.mark.parametrize("form", [read_only, unaligned, np.asfortranarray, lambda X: np.repeat(X, 2, axis=0)[::2]])
def test_samples_in_other_forms(form):
    problem = problem_of(20, "float32")
    X, wanted = problem.data.samples.dense, longer(problem)
    np.testing.assert_array_equal(shorter(problem)(problem.parameters, form(X.copy())), wanted)


def test_parameters_that_are_read_only():
    problem = problem_of(20, "float32")
    parameters = read_only(problem.parameters.copy())
    np.testing.assert_array_equal(shorter(problem)(parameters, problem.data.samples.dense), longer(problem))


@pytest.mark.parametrize("available", [1, 2, 5])
def test_any_number_of_threads_gives_the_same_bits(available, monkeypatch):
    problem = problem_of(40, "float32")
    wanted, X, teams = longer(problem), problem.data.samples.dense, []
    monkeypatch.setattr(direct, "available_threads", lambda: available)
    monkeypatch.setattr(direct, "OF_THREAD", 1)
    few = shorter(problem)
    for _ in range(2):
        np.testing.assert_array_equal(few(problem.parameters, X), wanted)
    monkeypatch.setattr(direct.Team, "run", lambda self, function, arguments: teams.append(len(arguments)))
    few(problem.parameters, X)
    assert teams == [available] * (available > 1 or INTERPRETED)


@pytest.mark.parametrize("row", [0, 39])
def test_whichever_thread_meets_a_number_that_is_not_finite(row, monkeypatch):
    problem = problem_of(40, "float32")
    monkeypatch.setattr(direct, "available_threads", lambda: 2)
    monkeypatch.setattr(direct, "OF_THREAD", 1)
    problem.data.samples.dense[row, 3] = np.inf
    assert shorter(problem)(problem.parameters, problem.data.samples.dense) is None


def test_memory_is_kept_for_a_few_kinds_of_calls():
    problem = problem_of(20, "float32")
    few, X = shorter(problem), problem.data.samples.dense
    for zeros in (False, True):
        for kind in (np.float32, np.uint8):
            for rows in (5, 20):
                wanted = few(problem.parameters, (X * (not zeros)).astype(kind)[:rows])
                np.testing.assert_array_equal(few(problem.parameters, (X * (not zeros)).astype(kind)[:rows]), wanted)
                assert 1 <= len(few._direct._free) <= 4


@pytest.mark.parametrize(("numbers", "most"), [(2**30, 8), (1, 1)])
def test_of_training_memory_is_kept_for_some_sizes_of_batches(numbers, most, monkeypatch):
    monkeypatch.setattr(direct_training, "_NUMBERS_KEPT", numbers)
    problem = problem_of(20, "float32")
    few, X, targets, kept = shorter(problem), problem.data.samples.dense, problem.data.targets, []
    for rows in range(1, 21):
        few.loss_and_gradient(problem.parameters, X[:rows], targets.take(np.arange(rows)), problem.data.task)
        kept.append(len(few._training._free))
    assert max(kept) == most


def test_very_many_rows_go_the_longer_way():
    problem = problem_of(3, "float32")
    assert shorter(problem)(problem.parameters, np.zeros((direct.DIRECT_ROWS + 1, 70), np.float32)) is None


def test_several_threads_of_python_at_once():
    problem = problem_of(50, "float32")
    few, X, wanted, wrong = shorter(problem), problem.data.samples.dense, longer(problem), []

    def answer():
        for rows in range(1, 51):
            if not np.array_equal(few(problem.parameters, X[:rows])[-1:], wanted[rows - 1 : rows]):
                wrong.append(rows)

    threads = [threading.Thread(target=answer) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
