"""Products of matrices of vectors, against NumPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.lanes.tiles import lane_product
from fastmlp.kernels.runtime.jit import kernel
from fastmlp.kernels.runtime.matrices import Matrix
from fastmlp.kernels.runtime.simd import WIDEST

from ..calls import both_dtypes, from_python, random_numbers

sizes = st.integers(1, 11)


@kernel
def product(c, s, a, b, rows, columns, inner):
    lane_product(c, s, a, b, rows, columns, inner)


def laid_out(array, turned=False):
    """A matrix of vectors, (rows, columns, lanes), as its numbers lie, or its transpose."""
    rows, columns, lanes = array.shape
    flat = np.ascontiguousarray(array.transpose(1, 0, 2) if turned else array).reshape(-1)
    return Matrix(flat, lanes, rows * lanes) if turned else Matrix(flat, columns * lanes, lanes)


@both_dtypes
@pytest.mark.parametrize("base", ["nothing", "a row", "the result"])
@given(rows=sizes, columns=sizes, inner=sizes, turned=st.tuples(st.booleans(), st.booleans()))
def test_each_lane_is_a_product_of_its_own(dtype, base, rows, columns, inner, turned):
    lanes = WIDEST // 8 // np.dtype(dtype).itemsize
    a = random_numbers(rows * inner * lanes, dtype, 1).reshape(rows, inner, lanes)
    b = random_numbers(inner * columns * lanes, dtype, 2).reshape(inner, columns, lanes)
    c = random_numbers(rows * columns * lanes, dtype, 3).reshape(rows, columns, lanes)
    result = laid_out(c.copy())
    start = {"nothing": np.zeros_like(c), "a row": np.broadcast_to(c[:1], c.shape), "the result": c}[base]
    row = Matrix(np.ascontiguousarray(c[0]).reshape(-1), 0, lanes)
    given_base = {"nothing": Matrix(np.zeros(lanes, dtype), 0, 0), "a row": row, "the result": result}[base]
    A, B = laid_out(a, turned[0]), laid_out(b, turned[1])
    from_python(product)(result, given_base, A, B, rows, columns, inner)
    wanted = start + np.einsum("ipn,pjn->ijn", a.astype(float), b.astype(float))
    tolerance = 32 * np.finfo(dtype).eps * inner
    np.testing.assert_allclose(result.data.reshape(c.shape), wanted, rtol=tolerance, atol=tolerance)
