import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.dense import narrow
from fastmlp.kernels.runtime.matrices import Matrix

from .. import twins
from ..calls import both_dtypes, check_same, check_sums, random_numbers

fan_ins, several, counts = st.integers(1, 50), st.integers(1, 6), st.integers(0, 9)


@both_dtypes
@given(fan_in=fan_ins, units=several, over=st.sampled_from([0, 8]))
def test_transpose(dtype, fan_in, units, over):
    stride = twins.padded(units, dtype) + over
    arguments = random_numbers(600, dtype), 9, random_numbers(1500, dtype, 1), 2, stride, fan_in, units
    check_same(narrow.transpose, twins.transpose, arguments)


@both_dtypes
@given(fan_in=fan_ins, units=several, over=st.sampled_from([0, 8]))
def test_transpose_back(dtype, fan_in, units, over):
    width = twins.padded(fan_in, dtype) + over
    arguments = random_numbers(1000, dtype), 9, 8, random_numbers(600, dtype, 1), 2, width, fan_in, units
    check_same(narrow.transpose_back, twins.transpose_back, arguments)


@both_dtypes
@given(fan_in=fan_ins, units=several, count=counts)
def test_add_dot_products(dtype, fan_in, units, count):
    stride = twins.padded(fan_in, dtype) + 8
    a = random_numbers(1000, dtype, 1)
    twins.matrix(a, 3, stride, 9, stride)[:, fan_in:] = 0
    turned = random_numbers(600, dtype, 2)
    width = twins.padded(fan_in, dtype)
    twins.matrix(turned, 5, width, units, width)[:, fan_in:] = 0
    C, A = Matrix(random_numbers(200, dtype)[7:], 16, 1), Matrix(a[3:], stride, 1)
    arguments = C, A, turned[5:], fan_in, units, count
    check_sums(narrow.add_dot_products, twins.add_dot_products, arguments, fan_in + 1)


@both_dtypes
@given(fan_in=fan_ins, units=several, count=counts, rectified=st.booleans())
def test_outer_products(dtype, fan_in, units, count, rectified):
    stride = twins.padded(fan_in, dtype) + 8
    out, signs = random_numbers(1000, dtype), np.sign(random_numbers(1000, dtype, 3))
    deltas, turned = random_numbers(200, dtype, 1), random_numbers(600, dtype, 2)
    both = np.concatenate([out, signs])
    C, D, A = Matrix(both[11:], stride, 1), Matrix(deltas[7:], 16, 1), both[len(out) + 11 :]
    arguments = C, D, turned[5:], A, fan_in, units, count, rectified
    check_sums(narrow.outer_products, twins.outer_products, arguments, units)
