from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.dense import products as matrix
from fastmlp.kernels.runtime.matrices import Matrix

from .. import twins
from ..calls import both_dtypes, check_same, check_sums, from_python, random_numbers

rows_, inners, widths = st.integers(0, 20), st.integers(1, 40), st.integers(1, 6)  # widths in cache lines
strides_over = st.sampled_from([0, 8, 24])
# Inner indices about where a product cuts them.
long_inners = st.sampled_from([1, 2, 3]).flatmap(lambda n: st.integers(n * matrix.STRETCH - 2, n * matrix.STRETCH + 2))
all_inners = st.one_of(inners, long_inners)


@both_dtypes
@given(rows=rows_, width=widths, inner=inners, transposed=st.booleans(), accumulate=st.integers(0, 1))
def test_product(dtype, rows, width, inner, transposed, accumulate):
    width *= twins.line(dtype)
    c, a, b = (random_numbers(5000, dtype, seed) for seed in range(3))
    A = Matrix(a[2:], 1, rows + 3) if transposed else Matrix(a[2:], inner + 3, 1)
    check_sums(
        matrix.product,
        twins.product,
        (Matrix(c[5:], width + 8, 1), A, Matrix(b[3:], width + 16, 1), rows, width, inner, accumulate),
        inner + accumulate,
    )


@both_dtypes
@given(rows=rows_, width=widths, inner=all_inners, accumulate=st.integers(0, 1), floor=st.sampled_from([-np.inf, 0.0]))
def test_product_from_one_row_for_all(dtype, rows, width, inner, accumulate, floor):
    width *= twins.line(dtype)
    c, base = random_numbers(3000, dtype), random_numbers(120, dtype, 3)
    a, b = random_numbers(20_000, dtype, 1), random_numbers(80_000, dtype, 2)
    C, A, B, base = Matrix(c[5:], width + 8, 1), Matrix(a[2:], inner, 1), Matrix(b[3:], width, 1), base[7:]
    arguments = C, A, B, rows, width, inner, Matrix(base, 0, accumulate), floor
    check_sums(matrix.product_from, twins.product_from, arguments, inner + accumulate)


@both_dtypes
def test_a_floor_lets_nan_through(dtype):
    c, a, b, base = np.zeros(16, dtype), np.ones(1, dtype), np.ones(16, dtype), np.full(16, np.nan, dtype)
    C, A, B, base = Matrix(c, 16, 1), Matrix(a, 1, 1), Matrix(b, 16, 1), Matrix(base, 0, 1)
    from_python(matrix.product_from)(C, A, B, 1, 16, 1, base, 0.0)
    assert np.isnan(c).all()


@both_dtypes
@given(rows=st.integers(1, 9), width=widths, inner=long_inners, accumulate=st.integers(0, 1))
def test_product_of_more_terms_than_a_stretch(dtype, rows, width, inner, accumulate):
    width *= twins.line(dtype)
    c, a, b = random_numbers(1000, dtype), random_numbers(8000, dtype, 1), random_numbers(90_000, dtype, 2)
    C, A, B = Matrix(c[5:], width + 8, 1), Matrix(a[2:], 1, rows + 1), Matrix(b[3:], width + 8, 1)
    arguments = C, A, B, rows, width, inner, accumulate
    check_sums(matrix.product, twins.product, arguments, inner + accumulate)


@both_dtypes
@given(rows=rows_, fan_in=st.integers(1, 50), units=all_inners)
def test_product_with_packed_panels(dtype, rows, fan_in, units):
    width = twins.padded(fan_in, dtype)
    c, a, b = random_numbers(2000, dtype), random_numbers(20_000, dtype, 1), random_numbers(50_000, dtype, 2)
    arguments = Matrix(c, width, 1), Matrix(a, units, 1), Matrix(b[7:], width, -units), rows, width, units, 0
    check_sums(matrix.product, twins.product, arguments, units)


@both_dtypes
@given(rows=st.integers(0, 40), width=widths, over=strides_over)
def test_pack(dtype, rows, width, over):
    width *= twins.line(dtype)
    arguments = random_numbers(5000, dtype), 9, random_numbers(5000, dtype, 1), 2, width + over, rows, width, rows
    check_same(matrix.pack, twins.pack, arguments)


@both_dtypes
@given(rows=st.integers(0, 40), panels=st.integers(1, 3), ends=st.lists(st.integers(0, 40), max_size=3))
def test_pack_some_rows_after_others(dtype, rows, panels, ends):
    step = twins.panel_width(np.dtype(dtype))
    width = panels * step
    w, ours, theirs = random_numbers(rows * width, dtype), *(np.zeros(rows * width, dtype) for _ in range(2))
    twins.pack(theirs, 0, w, 0, width, rows, width, rows)
    for first, end in pairwise(sorted({0, rows, *(min(end, rows) for end in ends)})):
        from_python(matrix.pack)(ours, first * step, w, first * width, width, end - first, width, rows)
    np.testing.assert_array_equal(ours, theirs)


@both_dtypes
@given(fan_in=st.integers(1, 50), units=st.integers(1, 40), over=strides_over)
def test_pack_transposed(dtype, fan_in, units, over):
    stride, across = twins.padded(units, dtype) + over, twins.padded(fan_in, dtype)
    before = random_numbers(4000, dtype)
    ours, theirs = before.copy(), before.copy()
    rest = 9, random_numbers(4000, dtype, 1), 2, stride, fan_in, units
    from_python(matrix.pack_transposed)(ours, *rest)
    twins.pack_transposed(theirs, *rest)
    end, room = 9 + across * units, 9 + across * twins.padded(units, dtype)
    np.testing.assert_array_equal(ours[:end], theirs[:end])
    np.testing.assert_array_equal(ours[room:], before[room:])


@both_dtypes
@given(rows=st.integers(1, 30), inner=all_inners, width=widths)
def test_a_product_has_the_same_bits_with_and_without_panels(dtype, rows, inner, width):
    width *= twins.line(dtype)
    a, b = random_numbers(rows * inner, dtype), random_numbers(inner * width, dtype, 1)
    packed = np.empty_like(b)
    from_python(matrix.pack)(packed, 0, b, 0, width, inner, width, inner)
    with_panels, without = np.empty((2, rows * width), dtype)
    call = from_python(matrix.product)
    A, size = Matrix(a, inner, 1), (rows, width, inner)
    call(Matrix(with_panels, width, 1), A, Matrix(packed, width, -inner), *size, 0)
    call(Matrix(without, width, 1), A, Matrix(b, width, 1), *size, 0)
    np.testing.assert_array_equal(with_panels, without)


@both_dtypes
@given(fan_in=st.integers(1, 50), units=st.integers(1, 40))
def test_to_pack_the_transpose_is_to_transpose_and_pack(dtype, fan_in, units):
    width, stride = twins.padded(fan_in, dtype), twins.padded(units, dtype)
    w, transposed = np.zeros((fan_in, stride), dtype), np.zeros((units, width), dtype)
    w[:, :units] = random_numbers(fan_in * units, dtype).reshape(fan_in, units)
    transposed[:, :fan_in] = w[:, :units].T
    at_once, in_steps = np.empty((2, stride * width), dtype)
    from_python(matrix.pack_transposed)(at_once, 0, w.ravel(), 0, stride, fan_in, units)
    from_python(matrix.pack)(in_steps, 0, transposed.ravel(), 0, width, units, width, units)
    np.testing.assert_array_equal(at_once[: units * width], in_steps[: units * width])


@both_dtypes
@given(rows=rows_, width=widths, inner=all_inners, at=st.floats(0, 1))
def test_a_product_has_the_same_bits_however_its_rows_are_divided(dtype, rows, width, inner, at):
    width *= twins.line(dtype)
    c, a, b = random_numbers(2000, dtype), random_numbers(20_000, dtype, 1), random_numbers(80_000, dtype, 2)
    whole, parts, middle = c.copy(), c.copy(), round(at * rows)
    call = from_python(matrix.product)
    B = Matrix(b, width, 1)
    for c, first, last in ((whole, 0, rows), (parts, 0, middle), (parts, middle, rows)):
        C, A = Matrix(c[first * width :], width, 1), Matrix(a[first * inner :], inner, 1)
        call(C, A, B, last - first, width, inner, 1)
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(rows=rows_, width=widths, inner=all_inners, at=st.floats(0, 1))
def test_a_product_has_the_same_bits_however_its_columns_are_divided(dtype, rows, width, inner, at):
    width *= twins.line(dtype)
    c, a, b = random_numbers(2000, dtype), random_numbers(20_000, dtype, 1), random_numbers(80_000, dtype, 2)
    whole, parts = c.copy(), c.copy()
    middle = round(at * width / twins.line(dtype)) * twins.line(dtype)
    call = from_python(matrix.product)
    A = Matrix(a, inner, 1)
    for c, left, right in ((whole, 0, width), (parts, 0, middle), (parts, middle, width)):
        call(Matrix(c[left:], width, 1), A, Matrix(b[left:], width, 1), rows, right - left, inner, 1)
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(rows=rows_, width=widths, inner=st.one_of(st.integers(2, 40), long_inners), at=st.floats(0, 1))
def test_a_product_has_the_same_bits_however_its_terms_are_divided(dtype, rows, width, inner, at):
    width *= twins.line(dtype)
    c, a, b = random_numbers(2000, dtype), random_numbers(20_000, dtype, 1), random_numbers(80_000, dtype, 2)
    whole, parts, middle = c.copy(), c.copy(), 1 + round(at * (inner - 2))
    call = from_python(matrix.product)
    for c, first, last in ((whole, 0, inner), (parts, 0, middle), (parts, middle, inner)):
        A, B = Matrix(a[first:], inner, 1), Matrix(b[first * width :], width, 1)
        call(Matrix(c, width, 1), A, B, rows, width, last - first, int(first > 0))
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(width=widths, inner=inners)
def test_row_times_matrix(dtype, width, inner):
    width *= twins.line(dtype)
    c, a, w = (random_numbers(5000, dtype, seed) for seed in range(3))
    arguments = c[4:], a[3:], Matrix(w[5:], width + 8, 1), width, inner
    check_sums(matrix.row_times_matrix, twins.row_times_matrix, arguments, inner + 1)


@both_dtypes
@given(width=widths, at=st.floats(0, 1))
def test_a_row_times_a_matrix_has_the_same_bits_however_its_width_is_divided(dtype, width, at):
    line, inner = twins.line(dtype), 11
    width *= line
    w, a = random_numbers(5000, dtype), random_numbers(inner, dtype, 5)
    middle = round(at * width / line) * line
    whole, parts = np.ones((2, 5000 // inner), dtype)
    for c, left, right in ((whole, 0, width), (parts, 0, middle), (parts, middle, width)):
        from_python(matrix.row_times_matrix)(c[left:], a, Matrix(w[left:], width, 1), right - left, inner)
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(rows=rows_, width=widths)
def test_matrix_times_column(dtype, rows, width):
    width *= twins.line(dtype)
    c, w, d = (random_numbers(3000, dtype, seed) for seed in range(3))
    arguments = c[4:], Matrix(w[3:], width + 8, 1), d[5:], rows, width
    check_sums(matrix.matrix_times_column, twins.matrix_times_column, arguments, width)


@both_dtypes
@given(rows=rows_, width=widths, accumulate=st.integers(0, 1))
def test_column_sums(dtype, rows, width, accumulate):
    width *= twins.line(dtype)
    out, d = random_numbers(120, dtype), random_numbers(3000, dtype)
    check_sums(
        matrix.column_sums, twins.column_sums, (out, 4, d, 3, width + 8, rows, width, accumulate), rows + accumulate
    )


@both_dtypes
def test_a_product_of_whole_numbers_is_exact(dtype):
    c, a, b = np.zeros(7 * 16, dtype), np.arange(7 * 5, dtype=dtype), np.arange(5 * 16, dtype=dtype)
    check_same(matrix.product, twins.product, (Matrix(c, 16, 1), Matrix(a, 5, 1), Matrix(b, 16, 1), 7, 16, 5, 0))
