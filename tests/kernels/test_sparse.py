import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastmlp.kernels import sparse

from . import twins
from .calls import both_dtypes, check_sums, from_python, random_numbers, run_both

FEATURES = 12
widths = st.integers(1, 20).map(lambda n: 8 * n)
columns_ = st.lists(st.integers(0, FEATURES - 1), unique=True, max_size=FEATURES).map(sorted)


def entries(columns, dtype, as_bytes):
    """The non-zeros of a row, in either of the two forms that the engine keeps them in, and their scales."""
    scale = random_numbers(FEATURES, dtype, 3)
    if as_bytes:
        return np.array(columns, np.uint16), np.arange(3, 3 + len(columns), dtype=np.uint8), scale / 255
    return np.array(columns, np.uint32), random_numbers(len(columns), dtype, 4), scale


@both_dtypes
@given(columns=columns_, width=widths, as_bytes=st.booleans())
def test_row_forward(dtype, columns, width, as_bytes):
    columns, values, scale = entries(columns, dtype, as_bytes)
    c, base, w = (random_numbers(FEATURES * 200, dtype, seed) for seed in range(3))
    check_sums(
        sparse.row_forward,
        twins.row_forward,
        (c, 5, base, 2, columns, values, 0, len(columns), scale, w, 3, width + 8, width),
        len(columns) + 2,
    )


@both_dtypes
@given(columns=columns_, width=widths, as_bytes=st.booleans())
def test_row_gradient(dtype, columns, width, as_bytes):
    columns, values, scale = entries(columns, dtype, as_bytes)
    g, d = (random_numbers(FEATURES * 200, dtype, seed) for seed in range(2))
    check_sums(
        sparse.row_gradient,
        twins.row_gradient,
        (g, 5, width + 8, d, 2, columns, values, 0, len(columns), scale, width),
        3,
    )


@both_dtypes
@given(first=st.integers(0, 5), more=st.integers(0, 5))
def test_only_the_entries_asked_for_count(dtype, first, more):
    columns, values, scale = entries(range(10), dtype, False)
    c, base, w = (random_numbers(FEATURES * 8, dtype, seed) for seed in range(3))
    check_sums(
        sparse.row_forward,
        twins.row_forward,
        (c, 0, base, 0, columns, values, first, first + more, scale, w, 0, 8, 8),
        more + 2,
    )


@both_dtypes
@given(first=st.integers(0, 6), more=st.integers(0, 6), width=widths)
def test_add_shift(dtype, first, more, width):
    out, w = (random_numbers(FEATURES * 200, dtype, seed) for seed in range(2))
    shift = random_numbers(FEATURES, dtype, 5)
    check_sums(
        sparse.add_shift, twins.add_shift, (out, 3, shift, w, 2, width + 8, first, first + more, width), more + 1
    )


@both_dtypes
@given(first=st.integers(0, 6), more=st.integers(0, 6), width=widths)
def test_add_shift_gradient(dtype, first, more, width):
    g, sums = (random_numbers(FEATURES * 200, dtype, seed) for seed in range(2))
    shift = random_numbers(FEATURES, dtype, 5)
    check_sums(
        sparse.add_shift_gradient,
        twins.add_shift_gradient,
        (g, 3, width + 8, shift, sums, 2, first, first + more, width),
        2,
    )


@given(columns=st.lists(st.integers(0, 50), unique=True).map(sorted), column=st.integers(0, 60), data=st.data())
def test_first_column(columns, column, data):
    first = data.draw(st.integers(0, len(columns)))
    last = data.draw(st.integers(first, len(columns)))
    arguments = np.array(columns, np.uint16), first, last, column
    assert from_python(sparse.first_column)(*arguments) == twins.first_column(*arguments)


def compressed(dense, column_type):
    """Arguments of `compress_rows` for a table."""
    starts = np.concatenate([[0], np.cumsum(np.count_nonzero(dense, axis=1))])
    return np.zeros(starts[-1], column_type), np.zeros(starts[-1], dense.dtype), starts, dense.ravel(), dense.shape[1]


tables = st.tuples(st.integers(1, 8), st.integers(1, 30))


@given(dense=tables.flatmap(lambda shape: arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 255]))))
def test_compress_rows_of_bytes(dense):
    ours, theirs = run_both(sparse.compress_rows, twins.compress_rows, compressed(dense, np.uint16))
    np.testing.assert_array_equal(ours[0], theirs[0])
    np.testing.assert_array_equal(ours[1], theirs[1])


@both_dtypes
def test_compress_rows_of_floats_drops_zeros_of_both_signs(dtype):
    dense = np.array([[0.0, -0.0, 1.5], [2.5, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype)
    columns, values, *rest = compressed(dense, np.uint32)
    from_python(sparse.compress_rows)(columns, values, *rest)
    assert columns.tolist() == [2, 0]
    assert values.tolist() == [1.5, 2.5]
