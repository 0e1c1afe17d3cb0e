import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.errors import ArgumentError
from fastmlp.model.activations import get_activation
from fastmlp.model.losses import LOSSES, get_loss, smoothed

every_loss = pytest.mark.parametrize("name", LOSSES)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def outputs(name, z):
    return get_activation(get_loss(name).output).forward(z)


@pytest.mark.parametrize(
    ("name", "z", "y", "value"),
    [
        ("squared_error", [3.0, 1.0], [1.0, 2.0], 2.5),
        ("absolute_error", [3.0, 1.0], [1.0, 2.5], 3.5),
        ("huber", [3.0, 1.0], [1.0, 1.5], 1.5 + 0.125),
        ("poisson", [0.0, math.log(3)], [0.0, 2.0], 1.0 + 2 * math.log(2 / 3) - 2 + 3),
        ("quantile", [3.0, 1.0], [1.0, 1.5], 1.0 + 0.25),
        ("binary_cross_entropy", [math.log(3), 0.0], [1.0, 0.0], math.log(4 / 3) + math.log(2)),
        ("cross_entropy", [0.0, math.log(3)], [1.0, 0.0], math.log(4)),
        ("cross_entropy", [0.0, math.log(3)], [0.5, 0.5], 0.5 * math.log(4) + 0.5 * math.log(4 / 3)),
    ],
)
def test_values_by_hand(name, z, y, value):
    z, y = np.array([z, z]), np.array([y, y])
    np.testing.assert_allclose(get_loss(name).value(z, outputs(name, z), y), [value, value], rtol=1e-14)


def test_a_quantile_costs_its_level_below_and_the_rest_above():
    loss, y = get_loss("quantile", 0.9), np.zeros((2, 1))
    a = np.array([[-2.0], [2.0]])
    np.testing.assert_allclose(loss.value(a, a, y), [1.8, 0.2])


@given(level=st.floats(0.05, 0.95), seed=st.integers(0, 100))
def test_the_quantile_loss_is_least_at_the_quantile(level, seed):
    y = np.random.default_rng(seed).normal(size=(101, 1))
    loss = get_loss("quantile", level)
    costs = [loss.value(a, a, y).sum() for a in (np.full_like(y, value) for value in y[:, 0])]
    best = y[np.argmin(costs), 0]
    assert (y < best).mean() <= level + 1e-9 and (y <= best).mean() >= level - 1e-9


@given(share=st.floats(0, 0.99), outputs=st.integers(1, 9))
def test_smoothed_targets_sum_to_one_and_keep_their_order(share, outputs):
    y = smoothed(np.eye(outputs), share, outputs)
    np.testing.assert_allclose(y.sum(axis=1), 1)
    assert (y.argmax(axis=1) == np.arange(outputs)).all()


@every_loss
@pytest.mark.parametrize("level", [0.5, 0.8])
def test_gradient_is_the_derivative(name, level):
    loss, h = get_loss(name, level), 1e-6
    generator = np.random.default_rng(1)
    z, y = generator.uniform(-3, 3, (30, 4)), generator.dirichlet(np.ones(4), 30)
    y[np.abs(z - y) < 0.01] += 0.05  # away from the kinks
    y[np.abs(np.abs(z - y) - 1) < 0.01] += 0.05
    y /= 1 if name != "cross_entropy" else y.sum(axis=1, keepdims=True)
    slopes = np.empty_like(z)
    for j in range(4):
        up, down = z.copy(), z.copy()
        up[:, j] += h
        down[:, j] -= h
        slopes[:, j] = (loss.value(up, outputs(name, up), y) - loss.value(down, outputs(name, down), y)) / (2 * h)
    np.testing.assert_allclose(loss.gradient(z, outputs(name, z), y), slopes, rtol=1e-7, atol=1e-8)


@both_dtypes
@every_loss
def test_huge_logits_neither_overflow_nor_warn(name, dtype):
    loss = get_loss(name)
    z, y = np.array([[1e4, -1e4, 0.0]], dtype), np.array([[0.0, 1.0, 0.0]], dtype)
    with np.errstate(all="raise", under="ignore"):
        a = outputs(name, z)
        value, gradient = loss.value(z, a, y), loss.gradient(z, a, y)
    assert np.isfinite(value).all() and np.isfinite(gradient).all()


@pytest.mark.parametrize(("name", "value"), [("binary_cross_entropy", 2e4), ("cross_entropy", 2e4)])
def test_cross_entropies_of_wrong_certainty_are_exact(name, value):
    z, y = np.array([[1e4, -1e4]], np.float32), np.array([[0.0, 1.0]], np.float32)
    assert get_loss(name).value(z, outputs(name, z), y)[0] == value


@both_dtypes
@every_loss
def test_the_dtype_is_kept(name, dtype):
    loss, z, y = get_loss(name), np.ones((2, 3), dtype), np.full((2, 3), 1 / 3, dtype)
    a = outputs(name, z)
    assert loss.value(z, a, y).dtype == loss.gradient(z, a, y).dtype == dtype


@every_loss
def test_a_loss_is_one_number_per_sample(name):
    z = np.zeros((5, 2))
    assert get_loss(name).value(z, outputs(name, z), np.full((5, 2), 0.5)).shape == (5,)


@pytest.mark.parametrize(
    ("name", "word"), [("mse", "Known"), ("cross-entropy", "'cross_entropy'"), ("Huber", "'huber'"), (None, "Known")]
)
def test_an_unknown_name_is_told(name, word):
    with pytest.raises(ArgumentError, match=word):
        get_loss(name)
