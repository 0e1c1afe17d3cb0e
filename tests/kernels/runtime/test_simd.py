import os
import subprocess
import sys

import numba
import numpy as np
import pytest

from fastmlp.kernels.runtime import simd

from .. import twins
from ..calls import both_dtypes, from_python, over_arrays, random_numbers

X = np.tile([-2.5, -1.5, -0.5, -0.0, 0.0, 0.5, 1.5, 40.25], 2)

compiled = numba.njit(error_model="numpy")


@both_dtypes
@pytest.mark.parametrize(
    ("operation", "wanted"),
    [
        (simd.absolute, np.abs),
        (simd.nearest, np.rint),
        (compiled(lambda x: simd.square_root(simd.absolute(x))), lambda x: np.sqrt(np.abs(x))),
        (compiled(lambda x: simd.power_of_two(simd.nearest(x))), lambda x: 2 ** np.rint(x)),
        (compiled(lambda x: simd.copysign(simd.splat(x, 3.0), x)), lambda x: np.copysign(x.dtype.type(3), x)),
        (compiled(lambda x: simd.maximum(x, simd.splat(x, 0.5))), lambda x: np.maximum(x, 0.5)),
        (compiled(lambda x: simd.minimum(x, simd.splat(x, 0.5))), lambda x: np.minimum(x, 0.5)),
        (compiled(lambda x: simd.where_positive(x, simd.splat(x, 1.0), x)), lambda x: np.where(x > 0, 1, x)),
        (compiled(lambda x: simd.splat(x, 0.1)), lambda x: np.full_like(x, 0.1)),
        (compiled(lambda x: x + x), lambda x: x + x),
        (compiled(lambda x: simd.splat(x, 1.0) - x), lambda x: 1 - x),
        (compiled(lambda x: x * x), lambda x: x * x),
        (compiled(lambda x: simd.splat(x, 1.0) / (x * x + simd.splat(x, 1.0))), lambda x: 1 / (x * x + 1)),
    ],
    ids=[
        *("absolute", "nearest", "square_root", "power_of_two", "copysign", "maximum", "minimum", "where_positive"),
        *("splat", "+", "-", "*", "/"),
    ],
)
def test_operations(operation, wanted, dtype):
    x, out = X.astype(dtype), np.empty(16, dtype)
    over_arrays(operation)(out, x)
    np.testing.assert_array_equal(out, wanted(x).astype(dtype))


@both_dtypes
def test_comparisons_give_the_second_where_the_first_is_nan(dtype):
    out = np.empty(16, dtype)
    for comparison in (simd.maximum, simd.minimum):
        over_arrays(compiled(lambda x, c=comparison: c(x, simd.splat(x, 7.0))))(out, np.full(16, np.nan, dtype))
        assert (out == 7).all()
        over_arrays(compiled(lambda x, c=comparison: c(simd.splat(x, 7.0), x)))(out, np.full(16, np.nan, dtype))
        assert np.isnan(out).all()


@both_dtypes
def test_fma_rounds_once(dtype):
    step = np.finfo(dtype).eps
    out = np.empty(16, dtype)
    over_arrays(compiled(lambda x: simd.fma(x, x, simd.splat(x, -1.0))))(out, np.full(16, 1 + step, dtype))
    assert (out == dtype(2 * step + step * step)).all()  # the square alone would lose its last term


@both_dtypes
def test_total_adds_in_a_tree(dtype):
    lanes = twins.lanes(dtype)

    @numba.njit
    def total(x):
        return simd.total(simd.load(x, 0))

    x = random_numbers(lanes, dtype)
    tree = x.copy()
    while len(tree) > 1:
        tree = tree[: len(tree) // 2] + tree[len(tree) // 2 :]
    assert total(x) == tree[0]


@both_dtypes
def test_put_totals_has_the_bits_of_total(dtype):
    lanes = twins.lanes(dtype)

    @numba.njit
    def put_totals(out, x):
        n = simd.lanes(x)
        a, b, c, d = simd.load(x, 0), simd.load(x, n), simd.load(x, 2 * n), simd.load(x, 3 * n)
        simd.put_totals(out, 1, a, b, c, d)

    @numba.njit
    def total(x):
        return simd.total(simd.load(x, 0))

    x, out = random_numbers(4 * lanes, dtype), np.full(6, 7, dtype)
    put_totals(out, x)
    assert out.tolist() == [7, *(total(x[i * lanes :]) for i in range(4)), 7]


@both_dtypes
def test_numbers_that_lie_apart(dtype):
    @numba.njit
    def copy(out, x, to, start):
        simd.store_apart(out, to, 2, simd.load_apart(x, start, 3))

    lanes = twins.lanes(dtype)
    x, out = random_numbers(3 * lanes + 1, dtype), np.full(2 * lanes + 1, 7, dtype)
    copy(out, x, 1, 2)
    np.testing.assert_array_equal(out[1::2], x[2::3][:lanes])
    assert (out[::2] == 7).all()


@both_dtypes
def test_reading_and_writing_single_numbers(dtype):
    @numba.njit
    def swap(x, i, j):
        kept = simd.get(x, i)
        simd.put(x, i, simd.get(x, j))
        simd.put(x, j, kept)

    @numba.njit
    def spread(out, x, i):
        simd.store(out, 3, simd.broadcast(x, i))

    x, out = np.arange(5, dtype=dtype), np.zeros(24, dtype)
    swap(x, 0, 4)
    assert x.tolist() == [4, 1, 2, 3, 0]
    spread(out, x, 3)
    lanes = twins.lanes(dtype)
    assert out.tolist() == [0] * 3 + [3] * lanes + [0] * (21 - lanes)


@both_dtypes
@pytest.mark.parametrize("touch", [simd.prefetch, simd.write_back], ids=["prefetch", "write_back"])
def test_what_only_moves_cache_lines_changes_no_bit(touch, dtype):
    # The bits of every NaN included, which a processor may change where it computes with them.
    x = np.frombuffer(np.random.default_rng(0).bytes(64 * np.dtype(dtype).itemsize), dtype).copy()
    x[:4] = np.nan, -0.0, np.inf, np.finfo(dtype).smallest_subnormal
    before = x.tobytes()
    for index in range(len(x)):
        from_python(touch)(x, index)
    assert x.tobytes() == before


WITHOUT_COMPILER = """
import numpy as np
from fastmlp.model.architecture import Dense
from fastmlp.data.samples import Scaling
from fastmlp.model.optimizers import SGD, Adam, RMSprop
from tests.engines.problems import build, random_problem

def compare(architecture, rows, sparse, optimizer, batch_size):
    problem = random_problem(architecture, rows, "uint8", scaling=Scaling.pixels(-1, 1))
    ours = problem.train("numba", optimizer, batch_size, sparse=sparse)[0].parameters
    theirs = problem.train("numpy", optimizer, batch_size)[0].parameters
    allowed = 1e-5 if architecture.dtype == "float32" else 1e-12
    assert np.abs(ours - theirs).max() < allowed, (architecture, sparse, optimizer)

for dtype in ("float32", "float64"):
    for sparse in (False, True):
        for activation in ("relu", "sigmoid", "tanh", "elu", "gelu", "silu", "leaky_relu", "softmax"):
            architecture = build([5, Dense(9, dropout=0.3), 3], activation=activation, dtype=dtype, l1=0.01, l2=0.1)
            for optimizer, batch_size in ((SGD(0.01), 1), (SGD(0.01, momentum=0.9), 2), (Adam(epsilon=0.01), 2)):
                compare(architecture, 5, sparse, optimizer, batch_size)
        # Rows enough to pack weights and to list entries by columns.
        for optimizer in (SGD(0.01), RMSprop(0.01, epsilon=0.01)):
            compare(build([5, 17, 9, 3], dtype=dtype), 20, sparse, optimizer, 20)
"""


def test_without_the_compiler_the_same_kernels_run_as_python():
    subprocess.run([sys.executable, "-c", WITHOUT_COMPILER], check=True, env={**os.environ, "NUMBA_DISABLE_JIT": "1"})
