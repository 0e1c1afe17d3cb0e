"""Which parameters a thread owns, and which entries of sparse rows those meet."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.engines.simd import ownership
from fastmlp.model.optimizers import Adam

from ..problems import build, random_problem
from ..test_determinism import bits

sparse = pytest.importorskip("scipy.sparse")


@pytest.fixture(autouse=True, scope="module")
def features_divided_soon():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ownership, "_PARTS_FROM", 0)
        patch.setattr("fastmlp.engines.simd.engine.available_threads", lambda: 16)
        yield


def problem_of(units=10, features=50, rows=30, kind="csr-uint8"):
    return random_problem(build([features, units], dtype="float32"), rows, kind)


def divided(problem, threads, entries=1.0):
    prepared = problem.prepare("numba", sparse=True)
    return ownership.divide(problem.architecture, prepared, prepared.rows, threads, True, entries), prepared


@pytest.mark.parametrize(
    ("units", "threads", "parts"),
    [(10, 1, 1), (10, 2, 2), (10, 3, 3), (17, 2, 1), (17, 4, 2), (17, 5, 1), (17, 6, 3), (50, 16, 4), (100, 16, 2)],
)
def test_features_are_divided_where_there_are_more_threads_than_cache_lines(units, threads, parts):
    assert divided(problem_of(units), threads)[0].parts == parts


def test_features_of_few_entries_are_not_divided(monkeypatch):
    monkeypatch.setattr(ownership, "_PARTS_FROM", 16)
    assert [divided(problem_of(), 2, entries)[0].parts for entries in (15.9, 16.0)] == [1, 2]


@given(threads=st.integers(1, 9), features=st.integers(1, 200), rows=st.integers(1, 40))
def test_every_entry_of_a_row_is_one_part_s(threads, features, rows):
    division, prepared = divided(problem_of(features=features, rows=rows), threads)
    given_rows, bounds = prepared.rows, list(pairwise(division.bounds))
    parts = ownership.own_entries(prepared, given_rows, division, len(bounds))
    assert (bounds[0][0], bounds[-1][1]) == (0, features)
    for (low, high), part in zip(bounds, parts, strict=True):
        for row in range(rows):
            start, end = given_rows.starts[row : row + 2]
            columns = given_rows.columns_16[start:end]
            own = columns[part["first_entries"][row] - start : part["end_entries"][row] - start]
            np.testing.assert_array_equal(own, columns[(low <= columns) & (columns < high)])


def test_parts_have_about_the_same_number_of_entries():
    division, prepared = divided(problem_of(features=1600, rows=200), 4)
    rows = prepared.rows
    columns = rows.columns_16[: rows.starts[-1]]
    counts = np.histogram(columns, division.bounds)[0]
    assert counts.sum() == len(columns)
    assert counts.max() < 1.1 * counts.mean()


def shuffled(problem):
    """The same samples, the entries of each row in another order."""
    matrix = problem.data.samples.sparse
    columns, values = matrix.columns.copy(), matrix.values.copy()
    for row in map(slice, matrix.starts[:-1], matrix.starts[1:]):
        columns[row], values[row] = columns[row][::-1], values[row][::-1]
    matrix.columns[:], matrix.values[:] = columns, values
    return problem


def test_entries_out_of_order_are_not_divided():
    problem = shuffled(problem_of())
    assert divided(problem, 2)[0].parts == 1
    assert bits(problem, Adam(), 20, threads=2) == bits(problem, Adam(), 20, threads=1)
