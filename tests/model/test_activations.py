import math

import numpy as np
import pytest

from fastmlp.errors import ArgumentError
from fastmlp.model.activations import ACTIVATIONS, get_activation

every_activation = pytest.mark.parametrize("name", ACTIVATIONS)
both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])

BY_HAND = {
    "identity": ([-2.0, 0.0, 3.0], [-2.0, 0.0, 3.0]),
    "sigmoid": ([-math.log(3), 0.0, math.log(3)], [0.25, 0.5, 0.75]),
    "tanh": ([-math.log(2), 0.0, math.log(2)], [-0.6, 0.0, 0.6]),
    "relu": ([-2.0, 0.0, 3.0], [0.0, 0.0, 3.0]),
    "leaky_relu": ([-2.0, 0.0, 3.0], [-0.02, 0.0, 3.0]),
    "elu": ([-math.log(2), 0.0, 3.0], [-0.5, 0.0, 3.0]),
    "gelu": ([-1.0, 0.0, 1.0], [-0.15865525393145707, 0.0, 0.8413447460685429]),
    "silu": ([-math.log(3), 0.0, math.log(3)], [-0.25 * math.log(3), 0.0, 0.75 * math.log(3)]),
    "exponential": ([-math.log(2), 0.0, math.log(3)], [0.5, 1.0, 3.0]),
    "softmax": ([0.0, math.log(2), math.log(5)], [0.125, 0.25, 0.625]),
}


@every_activation
def test_values_by_hand(name):
    z, a = BY_HAND[name]
    np.testing.assert_allclose(get_activation(name).forward(np.array([z])), [a], rtol=1e-14, atol=1e-15)


@every_activation
def test_backward_is_the_derivative(name):
    activation, h = get_activation(name), 1e-6
    generator = np.random.default_rng(0)
    z = generator.uniform(-4, 4, (20, 5))
    z[np.abs(z) < 0.01] = 0.5  # away from the kinks
    da = generator.normal(size=z.shape)
    slopes = np.empty_like(z)
    for j in range(z.shape[1]):
        up, down = z.copy(), z.copy()
        up[:, j] += h
        down[:, j] -= h
        slopes[:, j] = ((activation.forward(up) - activation.forward(down)) * da).sum(axis=1) / (2 * h)
    np.testing.assert_allclose(activation.backward(z, activation.forward(z), da), slopes, rtol=1e-7, atol=1e-8)


@both_dtypes
@every_activation
def test_huge_inputs_neither_overflow_nor_warn(name, dtype):
    activation = get_activation(name)
    z = np.array([[1e4, -1e4, 0.0], [-1e4, -1e4, -1e4]], dtype)
    with np.errstate(all="raise", under="ignore"):
        a = activation.forward(z)
        dz = activation.backward(z, a, np.ones_like(z))
    assert np.isfinite(a).all() and np.isfinite(dz).all()


@both_dtypes
@every_activation
def test_the_dtype_is_kept(name, dtype):
    activation = get_activation(name)
    z = np.ones((2, 3), dtype)
    a = activation.forward(z)
    assert a.dtype == activation.backward(z, a, np.ones_like(z)).dtype == dtype


@every_activation
def test_nan_stays_nan(name):
    assert np.isnan(get_activation(name).forward(np.full((1, 2), np.nan))).all()


def test_softmax_does_not_depend_on_a_shift_of_its_row():
    z = np.array([[1.0, -2.0, 0.5]])
    softmax = get_activation("softmax").forward
    np.testing.assert_allclose(softmax(z), softmax(z + 100), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "word"), [("rellu", "'relu'"), ("ReLU", "'relu'"), ("xyz", "Known"), (3, "int"), (None, "Known")]
)
def test_an_unknown_name_is_told(name, word):
    with pytest.raises(ArgumentError, match=word):
        get_activation(name)
