import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels import matrix

from . import twins
from .calls import both_dtypes, check_sums, from_python, random_numbers, run_both

rows_, inners, widths = st.integers(0, 20), st.integers(0, 40), st.integers(1, 6).map(lambda n: 8 * n)


@both_dtypes
@given(rows=rows_, width=widths, inner=inners, transposed=st.booleans(), accumulate=st.integers(0, 1))
def test_product(dtype, rows, width, inner, transposed, accumulate):
    c, a, b = (random_numbers(3000, dtype, seed) for seed in range(3))
    strides = (1, rows + 3) if transposed else (inner + 3, 1)
    check_sums(
        matrix.product,
        twins.product,
        (c, 5, width + 8, a, 2, *strides, b, 3, width + 16, 0, rows, width, inner, accumulate),
        inner + accumulate,
    )


@both_dtypes
@given(rows=rows_, fan_in=st.integers(1, 50), units=st.integers(1, 30))
def test_product_with_packed_panels(dtype, rows, fan_in, units):
    width = twins.padded(fan_in)
    c, a, b = (random_numbers(3000, dtype, seed) for seed in range(3))
    arguments = (c, 0, width, a, 0, units, 1, b, 7, width, units, rows, width, units, 0)
    check_sums(matrix.product, twins.product, arguments, units)


@both_dtypes
@given(fan_in=st.integers(1, 50), units=st.integers(1, 30), at=st.floats(0, 1))
def test_pack_transposed_in_pieces_of_whole_panels(dtype, fan_in, units, at):
    out, w = random_numbers(3000, dtype, 0), random_numbers(3000, dtype, 1)
    middle = min(round(at * fan_in / 16) * 16, fan_in)
    want = out.copy()
    for first, last in ((0, middle), (middle, fan_in)):
        from_python(matrix.pack_transposed)(out, 9, w, 2, units + 3, first, last, fan_in, units)
    twins.pack_transposed(want, 9, w, 2, units + 3, 0, fan_in, fan_in, units)
    np.testing.assert_array_equal(out, want)


@both_dtypes
@given(rows=st.integers(1, 30), fan_in=st.integers(1, 40), units=st.integers(1, 20))
def test_a_product_has_the_same_bits_with_and_without_panels(dtype, rows, fan_in, units):
    width = twins.padded(fan_in)
    a, w, packed = random_numbers(rows * units, dtype), random_numbers(fan_in * units, dtype, 1), np.empty(2000, dtype)
    from_python(matrix.pack_transposed)(packed, 0, w, 0, units, 0, fan_in, fan_in, units)
    transposed = np.zeros((units, width), dtype)
    transposed[:, :fan_in] = w.reshape(fan_in, units).T
    results = np.empty((2, rows * width), dtype)
    for c, b, panel in zip(results, (packed, transposed.ravel()), (units, 0), strict=True):
        from_python(matrix.product)(c, 0, width, a, 0, units, 1, b, 0, width, panel, rows, width, units, 0)
    np.testing.assert_array_equal(*results)


@both_dtypes
@given(rows=rows_, width=widths, inner=inners, at=st.floats(0, 1))
def test_a_product_has_the_same_bits_however_its_rows_are_divided(dtype, rows, width, inner, at):
    c, a, b = (random_numbers(3000, dtype, seed) for seed in range(3))
    whole, parts, middle = c.copy(), c.copy(), round(at * rows)
    call = from_python(matrix.product)
    call(whole, 0, width, a, 0, inner, 1, b, 0, width, 0, rows, width, inner, 1)
    for first, last in ((0, middle), (middle, rows)):
        call(parts, first * width, width, a, first * inner, inner, 1, b, 0, width, 0, last - first, width, inner, 1)
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(rows=rows_, width=widths, inner=inners, at=st.floats(0, 1))
def test_a_product_has_the_same_bits_however_its_terms_are_divided(dtype, rows, width, inner, at):
    c, a, b = (random_numbers(3000, dtype, seed) for seed in range(3))
    whole, parts, middle = c.copy(), c.copy(), round(at * inner)
    call = from_python(matrix.product)
    call(whole, 0, width, a, 0, inner, 1, b, 0, width, 0, rows, width, inner, 0)
    call(parts, 0, width, a, 0, inner, 1, b, 0, width, 0, rows, width, middle, 0)
    call(parts, 0, width, a, middle, inner, 1, b, middle * width, width, 0, rows, width, inner - middle, 1)
    np.testing.assert_array_equal(whole, parts)


@both_dtypes
@given(width=widths, inner=inners)
def test_row_times_matrix(dtype, width, inner):
    c, a, w = (random_numbers(3000, dtype, seed) for seed in range(3))
    check_sums(matrix.row_times_matrix, twins.row_times_matrix, (c, 4, a, 3, w, 5, width + 8, width, inner), inner + 1)


@both_dtypes
@given(rows=rows_, width=widths)
def test_matrix_times_column(dtype, rows, width):
    c, w, d = (random_numbers(3000, dtype, seed) for seed in range(3))
    check_sums(matrix.matrix_times_column, twins.matrix_times_column, (c, 4, w, 3, width + 8, d, 5, rows, width), width)


@both_dtypes
@given(rows=rows_, width=widths, accumulate=st.integers(0, 1))
def test_column_sums(dtype, rows, width, accumulate):
    out, d = random_numbers(100, dtype), random_numbers(3000, dtype)
    check_sums(
        matrix.column_sums, twins.column_sums, (out, 4, d, 3, width + 8, rows, width, accumulate), rows + accumulate
    )


@both_dtypes
def test_a_product_of_whole_numbers_is_exact(dtype):
    c, a, b = np.zeros(7 * 16, dtype), np.arange(7 * 5, dtype=dtype), np.arange(5 * 16, dtype=dtype)
    ours, theirs = run_both(matrix.product, twins.product, (c, 0, 16, a, 0, 5, 1, b, 0, 16, 0, 7, 16, 5, 0))
    np.testing.assert_array_equal(ours[0], theirs[0])
