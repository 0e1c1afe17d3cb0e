import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels import elementwise
from fastmlp.kernels.runtime import constants
from fastmlp.kernels.runtime.jit import kernel
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.dropout import dropout_mask, epoch_key, threshold

from ..interpreted import INTERPRETED, size
from . import flat, twins
from .calls import both_dtypes, from_python, over_arrays, random_numbers, run_both

every_activation = pytest.mark.parametrize("name", ACTIVATIONS)


def code_of(name):
    return getattr(constants, name.upper())


# --- exp and its kin, in units in the last place of the true value ---

LOWEST = {np.float32: -87.0, np.float64: -708.0}
WIDER = {np.float32: np.float64, np.float64: np.longdouble}


def grid(dtype):
    """Negative numbers: every binade that matters evenly, and the whole range evenly."""
    binades = np.linspace(1, 2, size(20_000, 100), endpoint=False) * 2.0 ** np.arange(-30, 10)[:, None]
    x = -np.concatenate([binades.ravel(), np.linspace(0, -LOWEST[dtype], size(1_000_000, 4000))]).astype(dtype)
    x = x[x > LOWEST[dtype]]
    return x[: len(x) // 16 * 16]


def worst_ulps(function, true, x):
    """Largest distance of what `function` gives from the true value, in spacings of the numbers at the true value."""
    wider = WIDER[x.dtype.type]
    if np.finfo(wider).nmant < np.finfo(x.dtype).nmant + 10:
        pytest.skip("needs a longer float than float64 to compare with")
    out, exact = np.empty_like(x), true(x.astype(wider))
    over_arrays(function)(out, x)
    return float((np.abs(out - exact) / np.spacing(np.abs(exact).astype(x.dtype))).max())


def true_sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, e) / (1 + e)


def true_normal(x):
    """The share of a normal distribution below x: a power series near 0, a continued fraction far from it."""
    a, bell = np.abs(x), np.exp(-x * x / 2) / np.sqrt(2 * np.pi, dtype=x.dtype)
    near, far = np.ones_like(a), np.zeros_like(a)
    for n in range(40, 0, -1):
        near = 1 + near * a * a / (2 * n + 1)
    for n in range(300, 0, -1):
        far = n / (a + far)
    tail = np.where(a < 1.5, 0.5 - bell * a * near, bell / (a + far))
    return np.where(x > 0, 1 - tail, tail)


@kernel
def below(x):
    return elementwise.normal(x)[0]


# The bounds that the docstring of the module states, in float32 and float64.
ULPS = {
    "exp": (elementwise.exp_of_negative, np.exp, 1.1, 1.1),
    "expm1": (elementwise.expm1_of_negative, np.expm1, 0.9, 1.3),
    "sigmoid": (elementwise.sigmoid, true_sigmoid, 2.5, 2.7),
    "tanh": (elementwise.tanh, np.tanh, 2.5, 2.7),
    "normal": (below, true_normal, 4.7, 5.5),
}


@both_dtypes
@pytest.mark.parametrize("name", ULPS)
def test_distance_from_the_true_value(name, dtype):
    function, true, *bounds = ULPS[name]
    x = grid(dtype)
    if name == "normal":
        if INTERPRETED:
            pytest.skip("Python rounds a * b + c twice")
        x = x[x * x < -2 * LOWEST[dtype]][::16]
        x = x[: len(x) // 16 * 16]
    if name in ("sigmoid", "tanh", "normal"):
        x = np.concatenate([x, -x])
    assert worst_ulps(function, true, x) < bounds[dtype is np.float64]


@both_dtypes
@pytest.mark.parametrize(
    ("function", "there", "value"),
    [
        (elementwise.exp_of_negative, 0.0, 1.0),
        (elementwise.exp_of_negative, -1e4, 0.0),
        (elementwise.expm1_of_negative, 0.0, 0.0),
        (elementwise.expm1_of_negative, -1e4, -1.0),
        (elementwise.sigmoid, 0.0, 0.5),
        (elementwise.sigmoid, 1e4, 1.0),
        (elementwise.sigmoid, -1e4, 0.0),
        (elementwise.tanh, 0.0, 0.0),
        (elementwise.tanh, 1e4, 1.0),
        (elementwise.tanh, -1e4, -1.0),
        *((function, np.nan, np.nan) for function in (elementwise.exp_of_negative, elementwise.expm1_of_negative)),
        *((function, np.nan, np.nan) for function in (elementwise.sigmoid, elementwise.tanh)),
    ],
)
def test_values_that_are_exact(function, there, value, dtype):
    out = np.empty(16, dtype)
    over_arrays(function)(out, np.full(16, there, dtype))
    np.testing.assert_array_equal(out, np.full(16, value, dtype))


# --- activations ---


@both_dtypes
@every_activation
@given(rows=st.integers(0, 5), units=st.integers(1, 20), size=st.sampled_from([0.01, 1.0, 30.0]))
def test_activation_forward(name, dtype, rows, units, size):
    width = twins.padded(units, dtype)
    z = random_numbers(400, dtype) * dtype(size)
    (got,), (want,) = run_both(
        elementwise.activation_forward, twins.activation_forward, (code_of(name), z, 8, width + 8, rows, units, width)
    )
    counts = np.ones(len(z), bool)
    twins.matrix(counts, 8 + units, width + 8, rows, width - units)[...] = False  # padding may hold anything
    np.testing.assert_allclose(got[counts], want[counts], rtol=8 * np.finfo(dtype).eps, atol=8 * np.finfo(dtype).eps)


@both_dtypes
@every_activation
@given(rows=st.integers(0, 5), units=st.integers(1, 20))
def test_activation_backward(name, dtype, rows, units):
    width = twins.padded(units, dtype)
    d, z = random_numbers(400, dtype, 1), 3 * random_numbers(400, dtype, 2)
    z[np.abs(z) < 0.01] = 1
    a = z.copy()
    twins.activation_forward(code_of(name), a, 8, width + 8, rows, units, width)
    for padded in (a, d):
        twins.matrix(padded, 8 + units, width + 8, rows, width - units)[...] = 0
    arguments = code_of(name), d[8:], a[8:], z[8:], width + 8, rows, units, width
    got, want = run_both(elementwise.activation_backward, twins.activation_backward, arguments)
    np.testing.assert_allclose(got[0], want[0], rtol=0, atol=16 * np.finfo(dtype).eps)


@both_dtypes
@every_activation
def test_activations_and_derivatives_of_huge_numbers_are_finite(name, dtype):
    z = np.tile(np.array([1e4, -1e4], dtype), 8)
    a, d = z.copy(), np.ones(16, dtype)
    from_python(elementwise.activation_forward)(code_of(name), a, 0, 16, 1, 16, 16)
    from_python(elementwise.activation_backward)(code_of(name), d, a, z, 16, 1, 16, 16)
    assert np.isfinite(a).all() and np.isfinite(d).all()


@both_dtypes
@every_activation
def test_activations_let_nan_through(name, dtype):
    # What is lost here would be a network that goes on with numbers that mean nothing.
    a = np.full(16, np.nan, dtype)
    from_python(elementwise.activation_forward)(code_of(name), a, 0, 16, 1, 16, 16)
    assert np.isnan(a).all()


@both_dtypes
def test_softmax_rows_sum_to_one_and_leave_the_padding_zero(dtype):
    a = 20 * random_numbers(3 * 16, dtype)
    from_python(elementwise.activation_forward)(constants.SOFTMAX, a, 0, 16, 3, 11, 16)
    rows = a.reshape(3, 16)
    np.testing.assert_allclose(rows.sum(axis=1), 1, rtol=16 * np.finfo(dtype).eps)
    assert not rows[:, 11:].any()


@both_dtypes
@given(rows=st.integers(1, 40), units=st.integers(1, 6), apart=st.sampled_from([16, 32]), seed=st.integers(0, 9))
def test_softmax_of_a_row_has_the_same_bits_alone_and_among_others(dtype, rows, units, apart, seed):
    softmax = from_python(elementwise.activation_forward)
    together = 20 * random_numbers(rows * apart, dtype, seed)
    alone = together.copy()
    softmax(constants.SOFTMAX, together, 0, apart, rows, units, 16)
    for row in range(rows):
        softmax(constants.SOFTMAX, alone, row * apart, apart, 1, units, 16)
    np.testing.assert_array_equal(together, alone)


# --- dropout ---

keys, rates = st.integers(0, 2**32 - 1), st.floats(0, 1, exclude_max=True)


@given(key=keys, row=st.integers(0, 2**32 - 1))
def test_row_key(key, row):
    assert from_python(elementwise.row_key)(np.uint32(key), row) == twins.row_key(key, row)


@both_dtypes
@given(key=keys, rate=rates, first=st.integers(0, 3), rows=st.integers(0, 5), width=st.sampled_from([16, 32, 48]))
def test_dropout(dtype, key, rate, first, rows, width):
    order = np.random.default_rng(key).integers(0, 2**31, 8)
    out, x = random_numbers(300, dtype), random_numbers(300, dtype, 1)
    factors = np.uint32(key), threshold(rate), dtype(1 / (1 - rate))
    got, want = run_both(flat.dropout, twins.dropout, (out[8:], x, width + 8, rows, width, order[first:], *factors))
    np.testing.assert_array_equal(got[0], want[0])


@both_dtypes
def test_dropout_in_place_multiplies_by_the_mask_of_the_reference(dtype):
    x, order, key = np.ones(6 * 32, dtype), np.array([5, 0, 99, 7, 1, 2]), epoch_key(3, 1, 0)
    from_python(flat.dropout)(x, x, 32, 6, 32, order, np.uint32(key), threshold(0.3), dtype(1 / 0.7))
    np.testing.assert_array_equal(x.reshape(6, 32), dropout_mask(key, 0.3, order, 32, np.dtype(dtype)))
