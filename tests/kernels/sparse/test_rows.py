from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.runtime.matrices import Matrix
from fastmlp.kernels.runtime.records import NARROW
from fastmlp.kernels.sparse import rows as sparse
from fastmlp.kernels.sparse.microkernels import BLOCK

from .. import twins
from ..calls import both_dtypes, check_same, check_sums, from_python, random_numbers

FEATURES = 12
widths = st.integers(1, 20)  # in cache lines
columns_ = st.lists(st.integers(0, FEATURES - 1), unique=True, max_size=FEATURES).map(sorted)


def entries(columns, dtype, as_bytes):
    """The non-zeros of a row, in either of the two forms that the engine keeps them in, and their scales."""
    scale = random_numbers(FEATURES, dtype, 3)
    if as_bytes:
        return np.array(columns, np.uint16), np.arange(3, 3 + len(columns), dtype=np.uint8), scale / 255
    return np.array(columns, np.uint32), random_numbers(len(columns), dtype, 4), scale


def read(columns, values, scale, stride):
    """Places and factors of these entries, for a matrix whose rows are so many numbers apart."""
    places, factors = np.zeros(len(columns), np.uint32), np.zeros(len(columns), scale.dtype)
    twins.read_row(places, factors, columns, values, len(columns), 0, scale, stride * scale.itemsize // 8)
    return places, factors


@both_dtypes
@given(
    columns=st.lists(st.integers(0, FEATURES - 1), max_size=70),
    as_bytes=st.booleans(),
    first=st.integers(0, 70),
    more=st.integers(0, 20),
    even=st.booleans(),
    stride=st.sampled_from([8, 24, 8000]),
)
def test_read_row(dtype, columns, as_bytes, first, more, even, stride):
    columns, values, scale = entries(columns, dtype, as_bytes)
    first = min(first, len(columns))
    columns, values, count = columns[first:], values[first:], min(more, len(columns) - first)
    scale[:] = scale[0] if even else scale
    room = np.full(100, 7, np.uint32), np.full(100, 7, dtype)
    ours, theirs = ([array.copy() for array in room] for _ in range(2))
    rest = columns, values, count, len(columns) if even else 0, scale, stride * scale.itemsize // 8
    from_python(sparse.read_row)(*ours, *rest)
    twins.read_row(*theirs, *rest)
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(got[:more], want[:more])
        assert (got[more + BLOCK :] == 7).all()


@both_dtypes
@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 40])
def test_a_row_is_read_in_its_place(dtype, even, size):
    columns, values, scale = entries(np.arange(size) % FEATURES, dtype, False)
    scale[:] = scale[0] if even else scale
    want = read(columns, values, scale, 24)
    columns, values = (np.pad(array, (0, BLOCK)) for array in (columns, values))
    readable = size + BLOCK if even else 0
    from_python(sparse.read_row)(columns, values, columns, values, size, readable, scale, 3 * scale.itemsize)
    np.testing.assert_array_equal(columns[:size], want[0])
    np.testing.assert_array_equal(values[:size], want[1])


def test_places_reach_as_far_as_matrices_of_32_gigabytes():
    columns, scale = np.full(20, 999_999, np.uint32), np.ones(1_000_000, np.float32)
    places, factors = np.zeros(40, np.uint32), np.zeros(40, np.float32)
    for readable in (0, 20):
        from_python(sparse.read_row)(places, factors, columns, scale, 16, readable, scale, 4000)
        assert (places[:16] == 3_999_996_000).all()


@both_dtypes
@given(columns=columns_, width=widths, as_bytes=st.booleans())
def test_row_forward(dtype, columns, width, as_bytes):
    width *= twins.line(dtype)
    columns, values, scale = entries(columns, dtype, as_bytes)
    c, base, w = (random_numbers(FEATURES * 400, dtype, seed) for seed in range(3))
    check_sums(
        sparse.row_forward,
        twins.row_forward,
        (c[5:], base[2:], *read(columns, values, scale, width + 8), len(columns), w[3:], width),
        len(columns) + 2,
    )


@both_dtypes
@pytest.mark.parametrize("vectors", range(1, 21))
def test_row_forward_at_every_width(vectors, dtype):
    width = vectors * twins.lanes(dtype)
    columns, values, scale = entries(range(1, FEATURES, 2), dtype, False)
    c, base, w = (random_numbers(FEATURES * 400, dtype, seed) for seed in range(3))
    check_sums(
        sparse.row_forward,
        twins.row_forward,
        (c[5:], base[2:], *read(columns, values, scale, width + 8), len(columns), w[3:], width),
        len(columns) + 2,
    )


@both_dtypes
@given(columns=columns_, width=widths, at=st.floats(0, 1))
def test_row_forward_has_the_same_bits_however_its_width_is_divided(dtype, columns, width, at):
    width *= twins.line(dtype)
    columns, values, scale = entries(columns, dtype, True)
    base, w = random_numbers(400, dtype), random_numbers(FEATURES * 400, dtype, 1)
    middle = round(at * width / twins.line(dtype)) * twins.line(dtype)
    whole, parts = np.zeros((2, 400), dtype)
    for c, left, right in ((whole, 0, width), (parts, 0, middle), (parts, middle, width)):
        from_python(sparse.row_forward)(
            c[left:], base[left:], *read(columns, values, scale, width), len(columns), w[left:], right - left
        )
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(columns=columns_, vectors=st.integers(1, NARROW), as_bytes=st.booleans())
def test_row_forward_with_several_sums(dtype, columns, vectors, as_bytes):
    columns, values, scale = entries(columns, dtype, as_bytes)
    c, base, w = (random_numbers(FEATURES * 400, dtype, seed) for seed in range(3))
    width = vectors * twins.lanes(dtype)
    check_sums(
        sparse.narrow_row_forward,
        twins.row_forward,
        (c[5:], base[2:], *read(columns, values, scale, width + 8), len(columns), w[3:], width),
        len(columns) + 2,
    )


@both_dtypes
@given(columns=columns_, as_bytes=st.booleans())
def test_several_sums_have_the_same_bits_however_a_width_is_divided(dtype, columns, as_bytes):
    columns, values, scale = entries(columns, dtype, as_bytes)
    base, w, lanes = random_numbers(400, dtype), random_numbers(FEATURES * 400, dtype, 1), twins.lanes(dtype)
    width, middle = NARROW * lanes, lanes
    whole, parts = np.zeros((2, 400), dtype)
    for c, left, right in ((whole, 0, width), (parts, 0, middle), (parts, middle, width)):
        from_python(sparse.narrow_row_forward)(
            c[left:], base[left:], *read(columns, values, scale, width), len(columns), w[left:], right - left
        )
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(columns=columns_, width=widths, as_bytes=st.booleans())
def test_row_gradient(dtype, columns, width, as_bytes):
    width *= twins.line(dtype)
    columns, values, scale = entries(columns, dtype, as_bytes)
    g, d = (random_numbers(FEATURES * 400, dtype, seed) for seed in range(2))
    check_sums(
        sparse.row_gradient,
        twins.row_gradient,
        (g[5:], d[2:], *read(columns, values, scale, width + 8), len(columns), width),
        3,
    )


@both_dtypes
@pytest.mark.parametrize("vectors", range(1, 21))
def test_row_gradient_at_every_width(vectors, dtype):
    width = vectors * twins.lanes(dtype)
    columns, values, scale = entries(range(1, FEATURES, 2), dtype, False)
    g, d = (random_numbers(FEATURES * 400, dtype, seed) for seed in range(2))
    check_sums(
        sparse.row_gradient,
        twins.row_gradient,
        (g[5:], d[2:], *read(columns, values, scale, width + 8), len(columns), width),
        3,
    )


@both_dtypes
@given(count=st.integers(0, 10))
def test_only_the_entries_asked_for_count(dtype, count):
    columns, values, scale = entries(range(10), dtype, False)
    c, base, w = (random_numbers(FEATURES * 16, dtype, seed) for seed in range(3))
    arguments = c, base, *read(columns, values, scale, 16), count, w, 16
    check_sums(sparse.row_forward, twins.row_forward, arguments, count + 2)


# --- the entries of a chunk, listed by columns ---

chunks = st.lists(columns_, max_size=12)


def chunk_of(rows, dtype, as_bytes):
    """Entries of rows one behind the other, and where each row starts; no two values are the same."""
    columns, _, scale = entries([column for row in rows for column in row], dtype, as_bytes)
    values = np.arange(1, 1 + len(columns)).astype(np.uint8 if as_bytes else dtype)
    return columns, values, np.cumsum([0, *map(len, rows)]), scale


def listed(columns, values, starts, scale, apart=1):
    """The lists that the kernels make of a chunk: where each ends, places of rows, and scaled values."""
    ends = np.zeros(FEATURES, np.int64)
    for first, last in pairwise(starts):
        from_python(sparse.count_columns)(ends, columns, first, last)
    ends[:] = np.cumsum(ends) - ends
    members, factors = np.zeros(len(columns), np.uint32), np.zeros(len(columns), scale.dtype)
    for row, (first, last) in enumerate(pairwise(starts)):
        own = columns[first:], values[first:], last - first
        from_python(sparse.list_columns)(ends, members, factors, *own, scale, row * apart)
    return ends, members, factors


@given(rows=chunks, as_bytes=st.booleans())
def test_count_columns(rows, as_bytes):
    columns, *_ = chunk_of(rows, np.float32, as_bytes)
    arguments = np.arange(FEATURES), columns, len(columns) // 3, len(columns)
    check_same(sparse.count_columns, twins.count_columns, arguments)


@both_dtypes
@given(columns=columns_, as_bytes=st.booleans())
def test_list_columns(dtype, columns, as_bytes):
    columns, values, scale = entries(columns, dtype, as_bytes)
    ends, members = np.arange(0, 2 * FEATURES, 2), np.zeros(2 * FEATURES, np.uint32)
    arguments = ends, members, random_numbers(2 * FEATURES, dtype), columns, values, len(columns), scale, 7
    check_same(sparse.list_columns, twins.list_columns, arguments)


@both_dtypes
@given(rows=chunks, as_bytes=st.booleans())
def test_every_entry_is_once_in_the_list_of_its_column_in_the_order_of_rows(dtype, rows, as_bytes):
    columns, values, starts, scale = chunk = chunk_of(rows, dtype, as_bytes)
    ends, members, factors = listed(*chunk)
    lists = [[] for _ in range(FEATURES)]
    for row, (first, last) in enumerate(pairwise(starts)):
        for p in range(first, last):
            lists[columns[p]].append((row, dtype(values[p]) * scale[columns[p]]))
    begins = [0, *ends[:-1]]
    assert [list(zip(members[b:e], factors[b:e], strict=True)) for b, e in zip(begins, ends, strict=True)] == lists


@both_dtypes
@given(rows=chunks, width=widths, as_bytes=st.booleans())
def test_the_gradient_by_lists_has_the_bits_of_that_row_by_row(dtype, rows, width, as_bytes):
    width *= twins.line(dtype)
    columns, values, starts, scale = chunk = chunk_of(rows, dtype, as_bytes)
    d, by_lists = random_numbers(12 * width, dtype), random_numbers(FEATURES * width, dtype, 1)
    by_rows, entries_read = by_lists.copy(), read(columns, values, scale, width)
    for row, (first, last) in enumerate(pairwise(starts)):
        places, factors = (array[first:] for array in entries_read)
        from_python(sparse.row_gradient)(by_rows, d[row * width :], places, factors, last - first, width)
    ends, places, factors = listed(*chunk, width * d.itemsize // 8)
    for column, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        g, own = by_lists[column * width :], (places[begin:], factors[begin:])
        from_python(sparse.row_forward)(g, g, *own, end - begin, d, width)
    np.testing.assert_array_equal(by_lists, by_rows)


@both_dtypes
@given(columns=columns_, as_bytes=st.booleans(), first=st.integers(0, FEATURES))
def test_to_fetch_a_row_ahead_changes_nothing(dtype, columns, as_bytes, first):
    columns, values, _ = entries(columns, dtype, as_bytes)
    arguments = columns, values, min(first, len(columns)), len(columns)
    check_same(sparse.prefetch_row, twins.prefetch_row, arguments)


# --- a shift of the features ---


@both_dtypes
@given(rows=st.integers(0, 12), width=widths)
def test_add_shift_gradient(dtype, rows, width):
    width *= twins.line(dtype)
    g, sums = (random_numbers(FEATURES * 400, dtype, seed) for seed in range(2))
    arguments = Matrix(g[3:], width + 8, 1), random_numbers(FEATURES, dtype, 5), sums[2:], rows, width
    check_sums(sparse.add_shift_gradient, twins.add_shift_gradient, arguments, 2)


# --- finding the non-zeros ---


numbers_with_gaps = st.lists(st.sampled_from([0.0, -0.0, 0.0, 1.5, np.nan, np.inf, 1e-45]), max_size=70)


def check_compress_row(dense, start, size, dtype):
    room = size + BLOCK
    ours, theirs = ((np.full(room + 2, 7, np.uint32), np.full(room + 2, 7, dtype)) for _ in range(2))
    entries, finite = from_python(sparse.compress_row)(*ours, dense, start, size)
    assert (entries, finite) == twins.compress_row(*theirs, dense, start, size)
    for got, want in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(got[:entries], want[:entries])
        assert (got[room:] == 7).all()


@both_dtypes
@given(row=numbers_with_gaps, start=st.integers(0, 5))
def test_compress_row(dtype, row, start):
    check_compress_row(np.pad(np.array(row, dtype), (start, 3), constant_values=9), start, len(row), dtype)


@both_dtypes
@given(row=st.lists(st.sampled_from([0, 0, 1, 128, 255]), max_size=70))
def test_compress_row_of_bytes(dtype, row):
    check_compress_row(np.array([*row, 9], np.uint8), 0, len(row), dtype)


@both_dtypes
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, 15, 16, 31, 32, 38])
def test_compress_row_finds_the_one_number_that_is_not_finite(dtype, number, place):
    dense = np.full(39, np.finfo(dtype).max, dtype)
    room = np.zeros(60, np.uint32), np.zeros(60, dtype)
    assert from_python(sparse.compress_row)(*room, dense, 0, 39) == (39, True)
    dense[place] = number
    assert from_python(sparse.compress_row)(*room, dense, 0, 39) == (39, False)
