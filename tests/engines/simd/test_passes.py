"""Layouts that serve any data: what a pass left in them is nothing to the next."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fastmlp.engines.simd import engine as simd_engine
from fastmlp.engines.simd import passes
from fastmlp.model.optimizers import SGD, Adam

from ...interpreted import too_long_for_python
from ..problems import build, random_problem
from ..test_determinism import bits, bits_of_a_pass


@pytest.fixture(autouse=True)
def no_layouts():
    """Have none kept of other tests."""
    passes._of_any_data.cache_clear()


def problems(dtype="float32", **options):
    architecture = build([9, 5, 3], dtype=dtype, **options)
    return [random_problem(architecture, 12, seed=seed) for seed in range(6)]


def counted(monkeypatch):
    """Count how often memory is laid out."""
    made, layout = [], passes.layout
    monkeypatch.setattr(passes, "layout", lambda *given: made.append(1) or layout(*given))
    return made


def test_memory_for_a_small_pass_is_laid_out_once(monkeypatch):
    made = counted(monkeypatch)
    for problem in problems():
        simd_engine.evaluate(problem.architecture, problem.parameters, problem.prepare("numba", 1, False))
    assert len(made) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
def test_data_that_others_were_passed_before_have_the_same_bits(optimizer, dtype):
    def of_all():
        return [(bits(each, optimizer, 12, sparse=False), bits_of_a_pass(each, 1, False)) for each in problems(dtype)]

    together = of_all()
    for own, problem in zip(together, problems(dtype), strict=True):
        passes._of_any_data.cache_clear()
        assert own == (bits(problem, optimizer, 12, sparse=False), bits_of_a_pass(problem, 1, False))


@too_long_for_python
def test_threads_that_pass_at_once_have_layouts_of_their_own():
    several = problems() * 20
    alone = [bits_of_a_pass(problem, 1, False) for problem in several]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda problem: bits_of_a_pass(problem, 1, False), several)) == alone


@pytest.mark.parametrize(
    ("rows", "hidden", "threads", "sparse"),
    [(3000, 5, 1, False), (12, 20000, 1, False), (12, 5, 2, False), (12, 5, 1, True)],
)
def test_large_or_sparse_passes_and_those_of_several_threads_keep_their_memory_to_their_data(
    rows, hidden, threads, sparse, monkeypatch
):
    monkeypatch.setattr(simd_engine, "available_threads", lambda: 2)
    made, architecture = counted(monkeypatch), build([9, hidden, 3])
    for seed in range(2):
        problem = random_problem(architecture, rows, seed=seed)
        prepared = problem.prepare("numba", threads, sparse)
        for _ in range(2):
            simd_engine.evaluate(problem.architecture, problem.parameters, prepared)
    assert len(made) == 2
