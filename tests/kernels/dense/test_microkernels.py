import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.dense import microkernels

from .. import twins
from ..calls import both_dtypes, check_same, from_python, random_numbers

transpose_square = microkernels.transpose_square
strides = st.integers(16, 20)


@both_dtypes
@given(place=st.integers(0, 9), out_stride=strides, start=st.integers(0, 9), stride=strides)
def test_transpose_square(dtype, place, out_stride, start, stride):
    arguments = random_numbers(400, dtype), place, out_stride, random_numbers(400, dtype, 1), start, stride
    check_same(transpose_square, twins.transpose_square, arguments)


@both_dtypes
def test_a_square_transposed_twice_is_the_same(dtype):
    side = twins.lanes(dtype)
    square = random_numbers(side * side, dtype)
    once, twice = np.empty((2, side * side), dtype)
    from_python(transpose_square)(once, 0, side, square, 0, side)
    from_python(transpose_square)(twice, 0, side, once, 0, side)
    np.testing.assert_array_equal(twice, square)
