import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels import codes, optimizers

from . import twins
from .calls import both_dtypes, from_python, random_numbers, run_both

spans = st.tuples(st.integers(0, 3), st.integers(0, 5)).map(lambda span: (8 * span[0], 8 * (span[0] + span[1])))
factors = st.floats(0, 1)


def settings_of(**values):
    settings = np.zeros(codes.SETTINGS)
    for name, value in values.items():
        settings[getattr(codes, name.upper())] = value
    return settings


EVERY = {
    "sgd": (codes.SGD, settings_of()),
    "momentum": (codes.SGD, settings_of(momentum=0.9)),
    "nesterov": (codes.SGD, settings_of(momentum=0.9, nesterov=1)),
    "rmsprop": (codes.RMSPROP, settings_of(decay=0.9, epsilon=1e-8)),
    "adam": (codes.ADAM, settings_of(beta_1=0.9, beta_2=0.999, epsilon=1e-8)),
}
every_optimizer = pytest.mark.parametrize(("code", "settings"), EVERY.values(), ids=EVERY)


def vectors(dtype):
    """Parameters, a gradient, and two moments, none negative, since either may be a mean of squares."""
    w, g, m, v = (random_numbers(72, dtype, seed) for seed in range(4))
    return w, g, np.abs(m), np.abs(v)


def check_close(kernel, twin, arguments):
    # A step is up to 30 times the size of the numbers here, where it is divided by a small root of a mean of squares.
    for got, want in zip(*run_both(kernel, twin, arguments), strict=True):
        np.testing.assert_allclose(got, want, rtol=0, atol=64 * np.finfo(got.dtype).eps)


@both_dtypes
@every_optimizer
@given(span=spans, step=st.integers(1, 1000), rate=factors)
def test_update(code, settings, dtype, span, step, rate):
    w, g, m, v = vectors(dtype)
    check_close(optimizers.update, twins.update, (code, w, g, m, v, *span, settings, step, rate))


@both_dtypes
@every_optimizer
def test_what_has_no_gradient_and_no_memory_stays_exactly(code, settings, dtype):
    w, g, m, v = np.array([0.0, 1.5] * 8, dtype), *np.zeros((3, 16), dtype)
    before = w.copy()
    from_python(optimizers.update)(code, w, g, m, v, 0, 16, settings, 1, 0.1)
    np.testing.assert_array_equal(w, before)


@both_dtypes
@every_optimizer
@given(span=spans, l1=factors, l2=factors, weight_decay=factors, rate=st.floats(0, 0.1))
def test_update_weights(code, settings, dtype, span, l1, l2, weight_decay, rate):
    settings = settings + settings_of(l1=l1, l2=l2, weight_decay=weight_decay)
    w, g, m, v = vectors(dtype)
    check_close(optimizers.update_weights, twins.update_weights, (code, w, g, m, v, *span, settings, 3, rate))


@both_dtypes
@given(span=spans, factor=st.floats(-1, 1))
def test_shrink(dtype, span, factor):
    check_close(optimizers.shrink, twins.shrink, (random_numbers(72, dtype), *span, factor))


@both_dtypes
@given(span=spans, l1=factors, l2=factors)
def test_add_penalty_gradient(dtype, span, l1, l2):
    g, w = random_numbers(72, dtype), random_numbers(72, dtype, 1)
    w[::5] = 0  # where the penalty has a kink, its derivative counts as 0
    check_close(optimizers.add_penalty_gradient, twins.add_penalty_gradient, (g, w, *span, l1, l2))
