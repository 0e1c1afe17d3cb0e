import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.dense import products as matrix

from .. import flat, twins
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
    strides = (1, rows + 3) if transposed else (inner + 3, 1)
    check_sums(
        flat.product,
        twins.product,
        (c, 5, width + 8, a, 2, *strides, b, 3, width + 16, 0, rows, width, inner, accumulate),
        inner + accumulate,
    )


@both_dtypes
@given(rows=rows_, width=widths, inner=all_inners, accumulate=st.integers(0, 1), floor=st.sampled_from([-np.inf, 0.0]))
def test_product_from_one_row_for_all(dtype, rows, width, inner, accumulate, floor):
    width *= twins.line(dtype)
    c, base = random_numbers(3000, dtype), random_numbers(120, dtype, 3)
    a, b = random_numbers(20_000, dtype, 1), random_numbers(80_000, dtype, 2)
    arguments = (c, 5, width + 8, a, 2, inner, 1, b, 3, width, 0, rows, width, inner, base, 7, 0, accumulate, floor)
    check_sums(flat.product_from, twins.product_from, arguments, inner + accumulate)


@both_dtypes
def test_a_floor_lets_nan_through(dtype):
    c, a, b, base = np.zeros(16, dtype), np.ones(1, dtype), np.ones(16, dtype), np.full(16, np.nan, dtype)
    from_python(flat.product_from)(c, 0, 16, a, 0, 1, 1, b, 0, 16, 0, 1, 16, 1, base, 0, 0, 1, 0.0)
    assert np.isnan(c).all()


@both_dtypes
@given(rows=st.integers(1, 9), width=widths, inner=long_inners, accumulate=st.integers(0, 1))
def test_product_of_more_terms_than_a_stretch(dtype, rows, width, inner, accumulate):
    width *= twins.line(dtype)
    c, a, b = random_numbers(1000, dtype), random_numbers(8000, dtype, 1), random_numbers(90_000, dtype, 2)
    arguments = (c, 5, width + 8, a, 2, 1, rows + 1, b, 3, width + 8, 0, rows, width, inner, accumulate)
    check_sums(flat.product, twins.product, arguments, inner + accumulate)


@both_dtypes
@given(rows=rows_, fan_in=st.integers(1, 50), units=all_inners)
def test_product_with_packed_panels(dtype, rows, fan_in, units):
    width = twins.padded(fan_in, dtype)
    c, a, b = random_numbers(2000, dtype), random_numbers(20_000, dtype, 1), random_numbers(50_000, dtype, 2)
    arguments = (c, 0, width, a, 0, units, 1, b, 7, width, units, rows, width, units, 0)
    check_sums(flat.product, twins.product, arguments, units)


@both_dtypes
@given(rows=st.integers(0, 40), width=widths, over=strides_over)
def test_pack(dtype, rows, width, over):
    width *= twins.line(dtype)
    arguments = random_numbers(5000, dtype), 9, random_numbers(5000, dtype, 1), 2, width + over, rows, width
    check_same(matrix.pack, twins.pack, arguments)


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
    from_python(matrix.pack)(packed, 0, b, 0, width, inner, width)
    with_panels, without = np.empty((2, rows * width), dtype)
    call = from_python(flat.product)
    call(with_panels, 0, width, a, 0, inner, 1, packed, 0, width, inner, rows, width, inner, 0)
    call(without, 0, width, a, 0, inner, 1, b, 0, width, 0, rows, width, inner, 0)
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
    from_python(matrix.pack)(in_steps, 0, transposed.ravel(), 0, width, units, width)
    np.testing.assert_array_equal(at_once[: units * width], in_steps[: units * width])


@both_dtypes
@given(rows=rows_, width=widths, inner=all_inners, at=st.floats(0, 1))
def test_a_product_has_the_same_bits_however_its_rows_are_divided(dtype, rows, width, inner, at):
    width *= twins.line(dtype)
    c, a, b = random_numbers(2000, dtype), random_numbers(20_000, dtype, 1), random_numbers(80_000, dtype, 2)
    whole, parts, middle = c.copy(), c.copy(), round(at * rows)
    call = from_python(flat.product)
    call(whole, 0, width, a, 0, inner, 1, b, 0, width, 0, rows, width, inner, 1)
    for first, last in ((0, middle), (middle, rows)):
        call(parts, first * width, width, a, first * inner, inner, 1, b, 0, width, 0, last - first, width, inner, 1)
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(rows=rows_, width=widths, inner=all_inners, at=st.floats(0, 1))
def test_a_product_has_the_same_bits_however_its_columns_are_divided(dtype, rows, width, inner, at):
    width *= twins.line(dtype)
    c, a, b = random_numbers(2000, dtype), random_numbers(20_000, dtype, 1), random_numbers(80_000, dtype, 2)
    whole, parts = c.copy(), c.copy()
    middle = round(at * width / twins.line(dtype)) * twins.line(dtype)
    call = from_python(flat.product)
    call(whole, 0, width, a, 0, inner, 1, b, 0, width, 0, rows, width, inner, 1)
    for left, right in ((0, middle), (middle, width)):
        call(parts, left, width, a, 0, inner, 1, b, left, width, 0, rows, right - left, inner, 1)
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(rows=rows_, width=widths, inner=st.one_of(st.integers(2, 40), long_inners), at=st.floats(0, 1))
def test_a_product_has_the_same_bits_however_its_terms_are_divided(dtype, rows, width, inner, at):
    width *= twins.line(dtype)
    c, a, b = random_numbers(2000, dtype), random_numbers(20_000, dtype, 1), random_numbers(80_000, dtype, 2)
    whole, parts, middle = c.copy(), c.copy(), 1 + round(at * (inner - 2))
    call = from_python(flat.product)
    call(whole, 0, width, a, 0, inner, 1, b, 0, width, 0, rows, width, inner, 0)
    call(parts, 0, width, a, 0, inner, 1, b, 0, width, 0, rows, width, middle, 0)
    call(parts, 0, width, a, middle, inner, 1, b, middle * width, width, 0, rows, width, inner - middle, 1)
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(width=widths, inner=inners)
def test_row_times_matrix(dtype, width, inner):
    width *= twins.line(dtype)
    c, a, w = (random_numbers(5000, dtype, seed) for seed in range(3))
    check_sums(flat.row_times_matrix, twins.row_times_matrix, (c, 4, a, 3, w, 5, width + 8, width, inner), inner + 1)


@both_dtypes
@given(rows=rows_, width=widths)
def test_matrix_times_column(dtype, rows, width):
    width *= twins.line(dtype)
    c, w, d = (random_numbers(3000, dtype, seed) for seed in range(3))
    check_sums(flat.matrix_times_column, twins.matrix_times_column, (c, 4, w, 3, width + 8, d, 5, rows, width), width)


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
    check_same(flat.product, twins.product, (c, 0, 16, a, 0, 5, 1, b, 0, 16, 0, 7, 16, 5, 0))
