"""Entries by eights, against twins in NumPy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.runtime.matrices import Matrix
from fastmlp.kernels.sparse import eights

from .. import twins
from ..calls import both_dtypes, check_sums, from_python, random_numbers

FEATURES, ROWS = 30, 12
counts_ = st.lists(st.integers(0, 20), min_size=ROWS, max_size=ROWS)
vectors_ = st.integers(1, 11)


def entries(counts):
    """Rows of so many eights: where they start, and columns and bytes of their entries."""
    generator = np.random.default_rng(sum(counts))
    starts = 8 * np.cumsum([0, *counts])
    columns = generator.integers(0, FEATURES, starts[-1]).astype(np.uint16)
    return starts, columns, generator.integers(0, 256, starts[-1]).astype(np.uint8)


def listed(counts, order):
    starts, columns, values = entries(counts)
    found = np.full(20 * len(order) + 8, -1)
    size = twins.list_eights(found, starts[:-1], starts[1:], columns, values, order, len(order), len(order))
    return found, size, columns, values


@given(counts=counts_, before=st.integers(0, 20), behind=st.integers(0, 20))
def test_list_eights(counts, before, behind):
    starts, columns, values = entries(counts)
    order, count = np.random.default_rng(0).permutation(ROWS), ROWS - 4
    begins = np.minimum(starts[:-1] + before, starts[1:])
    ends = np.maximum(starts[1:] - behind, begins)
    ours, theirs = np.full((2, starts[-1] // 8 + ROWS + 9), -7)
    rest = begins, ends, columns, values, order, ROWS, count
    size = from_python(eights.list_eights)(ours, *rest)
    assert size == twins.list_eights(theirs, *rest)
    np.testing.assert_array_equal(ours[:size], theirs[:size])
    assert ours[-1] == -7


@both_dtypes
@given(counts=counts_, vectors=vectors_)
def test_eights_forward(dtype, counts, vectors):
    width, order = vectors * twins.lanes(dtype), np.random.default_rng(1).permutation(ROWS)
    c, w = random_numbers(ROWS * (width + 8) + 9, dtype), random_numbers(FEATURES * (width + 16) + 9, dtype, 1)
    arguments = Matrix(c[5:], width + 8, 1), Matrix(w[3:], width + 16, 1), *listed(counts, order), 1 / 255, width
    check_sums(eights.eights_forward, twins.eights_forward, arguments, 8 * max(counts) + 2)


@both_dtypes
@given(counts=counts_, vectors=vectors_)
def test_eights_gradient(dtype, counts, vectors):
    width, order = vectors * twins.lanes(dtype), np.random.default_rng(1).permutation(ROWS)
    g, d = random_numbers(FEATURES * (width + 16) + 9, dtype), random_numbers(ROWS * (width + 8) + 9, dtype, 1)
    arguments = Matrix(g[5:], width + 16, 1), Matrix(d[3:], width + 8, 1), *listed(counts, order), 1 / 255, width
    check_sums(eights.eights_gradient, twins.eights_gradient, arguments, 8 * sum(counts) + 2)


@both_dtypes
@given(counts=counts_, vectors=vectors_, at=st.integers(0, 11))
def test_columns_have_the_same_bits_however_the_width_is_divided(dtype, counts, vectors, at):
    lanes, order = twins.lanes(dtype), np.arange(ROWS)
    width, middle = vectors * lanes, min(at, vectors) * lanes
    w, whole, parts = random_numbers(FEATURES * width, dtype), *np.zeros((2, ROWS * width), dtype)
    for c, left, right in ((whole, 0, width), (parts, 0, middle), (parts, middle, width)):
        C, W = Matrix(c[left:], width, 1), Matrix(w[left:], width, 1)
        call = C, W, *listed(counts, order), 1 / 255, right - left
        from_python(eights.eights_forward)(*call)
    np.testing.assert_array_equal(whole, parts)


def test_append_counts_upwards():
    ours, theirs = np.zeros(10, np.int64), np.arange(8) + 5 + 3 * 2**32
    from_python(eights.append)(ours, 1, 3, 5)
    np.testing.assert_array_equal(ours, [0, *theirs, 0])
