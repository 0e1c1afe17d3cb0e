import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.dense import narrow as few_units

from .. import flat, twins
from ..calls import both_dtypes, check_same, check_sums, random_numbers

fan_ins, several, counts = st.integers(1, 50), st.integers(1, 6), st.integers(0, 9)


@both_dtypes
@given(fan_in=fan_ins, units=several, over=st.sampled_from([0, 8]))
def test_turn(dtype, fan_in, units, over):
    stride = twins.padded(units, dtype) + over
    arguments = random_numbers(600, dtype), 9, random_numbers(1500, dtype, 1), 2, stride, fan_in, units
    check_same(few_units.turn, twins.turn, arguments)


@both_dtypes
@given(fan_in=fan_ins, units=several, over=st.sampled_from([0, 8]))
def test_turn_back(dtype, fan_in, units, over):
    width = twins.padded(fan_in, dtype) + over
    arguments = random_numbers(1000, dtype), 9, 8, random_numbers(600, dtype, 1), 2, width, fan_in, units
    check_same(few_units.turn_back, twins.turn_back, arguments)


@both_dtypes
@given(fan_in=fan_ins, units=several, count=counts)
def test_add_dot_products(dtype, fan_in, units, count):
    stride = twins.padded(fan_in, dtype) + 8
    a = random_numbers(1000, dtype, 1)
    twins.matrix(a, 3, stride, 9, stride)[:, fan_in:] = 0
    turned = random_numbers(600, dtype, 2)
    width = twins.padded(fan_in, dtype)
    twins.matrix(turned, 5, width, units, width)[:, fan_in:] = 0
    arguments = random_numbers(200, dtype), 7, 16, a, 3, stride, turned, 5, fan_in, units, count
    check_sums(flat.add_dot_products, twins.add_dot_products, arguments, fan_in + 1)


@both_dtypes
@given(fan_in=fan_ins, units=several, count=counts, rectified=st.booleans())
def test_outer_products(dtype, fan_in, units, count, rectified):
    stride = twins.padded(fan_in, dtype) + 8
    out, signs = random_numbers(1000, dtype), np.sign(random_numbers(1000, dtype, 3))
    out_and_signs = np.concatenate([out, signs])
    deltas, turned = random_numbers(200, dtype, 1), random_numbers(600, dtype, 2)
    weights = deltas, 7, 16, turned, 5, fan_in, units, count

    def kernel_call(both, *given_):
        return both, 11, stride, *given_, both, len(out), rectified

    check_sums(flat.outer_products, twins.outer_products, kernel_call(out_and_signs, *weights), units)
