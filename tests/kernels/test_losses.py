import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.activations import ACTIVATIONS
from fastmlp.kernels import codes, losses
from fastmlp.losses import LOSSES

from . import twins
from .calls import both_dtypes, from_python, random_numbers

every_loss = pytest.mark.parametrize("name", LOSSES)


def code_of(name):
    return getattr(codes, name.upper())


def outputs_of(name, z):
    return ACTIVATIONS[LOSSES[name].output].forward(z[None])[0]


@both_dtypes
@every_loss
@given(units=st.integers(1, 20), size=st.sampled_from([0.1, 3.0, 30.0]))
def test_loss_row(name, dtype, units, size):
    z, y = random_numbers(units, dtype) * dtype(size), np.abs(random_numbers(units, dtype, 1))
    y /= y.sum()
    arguments = code_of(name), outputs_of(name, z), 0, z, 0, y, 0, units
    eps = float(np.finfo(dtype).eps)
    assert from_python(losses.loss_row)(*arguments) == pytest.approx(
        twins.loss_row(*arguments), rel=(units + 4) * eps, abs=4 * units * size * eps
    )


@both_dtypes
@every_loss
def test_the_loss_of_huge_logits_is_finite(name, dtype):
    z, y = np.array([1e4, -1e4, 0.0], dtype), np.array([0.0, 1.0, 0.0], dtype)
    value = from_python(losses.loss_row)(code_of(name), outputs_of(name, z), 0, z, 0, y, 0, 3)
    assert value == pytest.approx(LOSSES[name].value(z[None].astype(float), outputs_of(name, z)[None], y[None])[0])


@both_dtypes
@every_loss
@given(units=st.integers(1, 20))
def test_loss_backward(name, dtype, units):
    width = twins.padded(units)
    d, a, y = (2 * random_numbers(60, dtype, seed) for seed in range(3))
    want = d.copy()
    from_python(losses.loss_backward)(code_of(name), d, 8, a, 3, y, 5, -0.25, units, width)
    twins.loss_backward(code_of(name), want, 8, a, 3, y, 5, -0.25, units, width)
    np.testing.assert_allclose(d, want, rtol=4 * np.finfo(dtype).eps, atol=0)


@both_dtypes
@pytest.mark.parametrize(
    ("task", "outputs", "wanted", "right"),
    [
        ("CLASSES", [0.1, 0.7, 0.2], [0, 1, 0], 1.0),
        ("CLASSES", [0.1, 0.7, 0.2], [0, 0, 1], 0.0),
        ("CLASSES", [0.5, 0.5, 0.0], [1, 0, 0], 1.0),
        ("CLASSES", [0.5, 0.5, 0.0], [0, 1, 0], 0.0),
        ("BINARY", [0.5], [1], 1.0),
        ("BINARY", [0.49], [1], 0.0),
        ("MULTILABEL", [0.9, 0.2, 0.6], [1, 0, 1], 1.0),
        ("MULTILABEL", [0.9, 0.2, 0.4], [1, 0, 1], 0.0),
        ("REGRESSION", [1.0], [1.0], np.nan),
    ],
)
def test_correct_row(task, outputs, wanted, right, dtype):
    arguments = getattr(codes, task), np.array(outputs, dtype), 0, np.array(wanted, dtype), 0, len(outputs)
    np.testing.assert_equal(from_python(losses.correct_row)(*arguments), right)
    np.testing.assert_equal(twins.correct_row(*arguments), right)
