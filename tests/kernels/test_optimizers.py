import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.runtime import constants
from fastmlp.kernels.runtime.records import Settings

from . import flat, twins
from .calls import both_dtypes, from_python, random_numbers, run_both

spans = st.tuples(st.integers(0, 3), st.integers(0, 5)).map(lambda span: (16 * span[0], 16 * (span[0] + span[1])))
factors = st.floats(0, 1)


@st.composite
def blocks(draw):
    """First, stride, rows and width of a block of the parameters, and where its gradient begins."""
    width, rows = 16 * draw(st.integers(0, 3)), draw(st.integers(0, 3))
    stride = width + draw(st.sampled_from([0, 8, 16]))
    return 16 * draw(st.integers(0, 3)), stride, rows, width, draw(st.integers(0, 24))


def with_more(settings, **values):
    settings = settings.copy()
    settings.enter(**values)
    return settings


EVERY = {
    "sgd": (constants.SGD, Settings()),
    "momentum": (constants.SGD, Settings(momentum=0.9)),
    "nesterov": (constants.SGD, Settings(momentum=0.9, nesterov=1)),
    "rmsprop": (constants.RMSPROP, Settings(decay=0.9, epsilon=1e-8)),
    "adam": (constants.ADAM, Settings(beta_1=0.9, beta_2=0.999, epsilon=1e-8)),
    "adam, epsilon hat": (constants.ADAM, Settings(beta_1=0.9, beta_2=0.999, epsilon=1e-8, epsilon_hat=1)),
}
every_optimizer = pytest.mark.parametrize(("code", "settings"), EVERY.values(), ids=EVERY)


def vectors(dtype):
    """Parameters, a gradient, and two moments, none negative, since either may be a mean of squares."""
    w, g, m, v = (random_numbers(300, dtype, seed) for seed in range(4))
    return w, g, np.abs(m), np.abs(v)


def check_close(kernel, twin, arguments):
    # A step is up to 30 times the size of the numbers here, where it is divided by a small root of a mean of squares.
    for got, want in zip(*run_both(kernel, twin, arguments), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=128 * np.finfo(got.dtype).eps)


@both_dtypes
@every_optimizer
@given(block=blocks(), step=st.integers(1, 1000), rate=factors)
def test_update(code, settings, dtype, block, step, rate):
    w, g, m, v = vectors(dtype)
    *place, g_start = block
    check_close(flat.update, twins.update, (code, w, *place, g, g_start, m, v, settings, step, rate))


@both_dtypes
@every_optimizer
def test_what_has_no_gradient_and_no_memory_stays_exactly(code, settings, dtype):
    w, g, m, v = np.array([0.0, 1.5] * 8, dtype), *np.zeros((3, 16), dtype)
    before = w.copy()
    from_python(flat.update)(code, w, 0, 16, 1, 16, g, 0, m, v, settings, 1, 0.1)
    np.testing.assert_array_equal(w, before)


@both_dtypes
@every_optimizer
@given(block=blocks(), l1=factors, l2=factors, weight_decay=factors, rate=st.floats(0, 0.1))
def test_update_weights(code, settings, dtype, block, l1, l2, weight_decay, rate):
    settings = with_more(settings, l1=l1, l2=l2, weight_decay=weight_decay)
    w, g, m, v = vectors(dtype)
    *place, g_start = block
    check_close(flat.update_weights, twins.update_weights, (code, w, *place, g, g_start, m, v, settings, 3, rate))


@both_dtypes
@every_optimizer
@given(row=st.integers(0, 4), column=st.sampled_from([0, 16, 32, 48]))
def test_an_update_has_the_same_bits_however_the_parameters_are_divided(code, settings, dtype, row, column):
    settings = with_more(settings, l1=0.1, l2=0.2, weight_decay=0.3)
    whole, parts = vectors(dtype), vectors(dtype)
    # 4 rows of 48 numbers, 64 apart; the gradient lies 5 numbers further on than the parameters.
    pieces = [(0, row, 0, column), (0, row, column, 48), (row, 4, 0, column), (row, 4, column, 48)]
    for (w, g, m, v), of in ((whole, [(0, 4, 0, 48)]), (parts, pieces)):
        for low, high, left, right in of:
            first = 64 * low + left
            from_python(flat.update_weights)(
                code, w, first, 64, high - low, right - left, g, first + 5, m, v, settings, 3, 0.1
            )
    for together, apart in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(together, apart)


@both_dtypes
@every_optimizer
def test_moments_that_an_optimizer_does_not_use_may_be_empty(code, settings, dtype):
    w, g, *moments = vectors(dtype)
    used = twins.optimizer_of(code, settings).n_moments
    moments = [*moments[:used], np.empty(0, dtype), np.empty(0, dtype)][:2]
    check_close(flat.update, twins.update, (code, w, 8, 32, 2, 16, g, 3, *moments, settings, 3, 0.1))


@both_dtypes
@given(span=spans, factor=st.floats(-1, 1))
def test_shrink(dtype, span, factor):
    check_close(flat.shrink, twins.shrink, (random_numbers(140, dtype), *span, factor))


@both_dtypes
@given(span=spans, g_start=st.integers(0, 24), l1=factors, l2=factors)
def test_add_penalty_gradient(dtype, span, g_start, l1, l2):
    g, w = random_numbers(160, dtype), random_numbers(140, dtype, 1)
    w[::5] = 0  # where the penalty has a kink, its derivative counts as 0
    check_close(flat.add_penalty_gradient, twins.add_penalty_gradient, (g, g_start, w, *span, l1, l2))
