import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels import losses
from fastmlp.kernels.runtime import constants
from fastmlp.kernels.runtime.fields import Records
from fastmlp.kernels.runtime.records import Layer, Settings, Step, Work
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.losses import LOSSES, get_loss

from . import twins
from .calls import both_dtypes, from_python, random_numbers

LEVEL = 0.8
"""Of the quantile."""

every_loss = pytest.mark.parametrize("name", LOSSES)


def code_of(name):
    return getattr(constants, name.upper())


def outputs_of(name, z):
    return ACTIVATIONS[LOSSES[name].output].forward(z[None])[0]


def one_hot(label, units, dtype):
    y = np.zeros(units, dtype)
    y[label] = 1
    return y


def step_of(name, units, dtype):
    """A step whose last layer has this loss and so many units, with a mask behind some numbers that don't count."""
    width, layers = twins.padded(units, dtype), Records(Layer, 1)
    layers[0].units, layers[0].width = units, width
    mask = np.pad(np.ones(units, dtype), (4, width - units))
    work = Work(dtype, memory=mask, mask=4)
    return Step(dtype, layers=layers, n_layers=1, loss=code_of(name), settings=Settings(level=LEVEL), work=work)


def filled_up(row):
    """A row with numbers in its padding that must not count, and with others about it."""
    return np.pad(row, (3, twins.padded(len(row), row.dtype) - len(row) + 5), constant_values=7)[3:]


def loss_of(name, z, y, label=-1, outputs=None, function=None):
    """The loss of a row of logits, by the kernel or another function of the same arguments."""
    a = outputs_of(name, z) if outputs is None else outputs
    function = function or from_python(losses.loss_row)
    return function(step_of(name, len(z), z.dtype), *map(filled_up, (a, z, y)), label)


@both_dtypes
@every_loss
@given(units=st.integers(1, 20), size=st.sampled_from([0.1, 3.0, 30.0]))
def test_loss_row(name, dtype, units, size):
    z, y = random_numbers(units, dtype) * dtype(size), np.abs(random_numbers(units, dtype, 1))
    y /= y.sum()
    eps = float(np.finfo(dtype).eps)
    assert loss_of(name, z, y) == pytest.approx(
        loss_of(name, z, y, function=twins.loss_row), rel=(units + 4) * eps, abs=4 * units * size * eps
    )


@both_dtypes
@every_loss
@given(units=st.integers(1, 20), size=st.sampled_from([0.1, 3.0, 30.0, 300.0]), data=st.data())
def test_the_loss_of_a_label_is_that_of_its_targets(name, dtype, units, size, data):
    label = data.draw(st.integers(0, units - 1))
    z, y = random_numbers(units, dtype) * dtype(size), one_hot(label, units, dtype)
    eps = float(np.finfo(dtype).eps)
    assert loss_of(name, z, y, label) == pytest.approx(
        loss_of(name, z, y), rel=(units + 4) * eps, abs=4 * units * size * eps
    )


@both_dtypes
@pytest.mark.parametrize("gap", [60, 68, 69, 70, 87, 88, 100, 103, 104, 800, 1e4])
def test_the_loss_of_a_label_whose_softmax_vanishes_is_its_distance_from_the_largest_logit(gap, dtype):
    z = np.array([0.5, 0.5 - gap], dtype)
    loss = loss_of("cross_entropy", z, one_hot(1, 2, dtype), label=1)
    assert loss == pytest.approx(gap, rel=4 * float(np.finfo(dtype).eps))


@both_dtypes
@every_loss
@pytest.mark.parametrize("label", [1, -1])
def test_the_loss_of_huge_logits_is_finite(label, name, dtype):
    z, y = np.array([1e4, -1e4, 0.0], dtype), one_hot(1, 3, dtype)
    wanted = get_loss(name, LEVEL).value(z[None].astype(float), outputs_of(name, z)[None], y[None])[0]
    assert loss_of(name, z, y, label) == pytest.approx(wanted)


@both_dtypes
@every_loss
@pytest.mark.parametrize("label", [0, 2, -1])
def test_the_loss_of_nan_is_nan(label, name, dtype):
    nan = np.full(3, np.nan, dtype)
    assert np.isnan(loss_of(name, nan, one_hot(label, 3, dtype), label, outputs=nan))


@both_dtypes
@every_loss
@given(units=st.integers(1, 20))
def test_loss_backward(name, dtype, units):
    d, a, y = (2 * random_numbers(60, dtype, seed) for seed in range(3))
    want = d.copy()
    from_python(losses.loss_backward)(step_of(name, units, dtype), d[8:], a[3:], y[5:], -0.25)
    twins.loss_backward(step_of(name, units, dtype), want[8:], a[3:], y[5:], -0.25)
    np.testing.assert_allclose(d, want, rtol=4 * np.finfo(dtype).eps, atol=0)


@both_dtypes
@every_loss
@given(units=st.integers(1, 20))
def test_the_derivative_in_the_padding_is_zero(name, dtype, units):
    d, a, y = (2 * random_numbers(twins.padded(units, dtype), dtype, seed) for seed in range(3))
    from_python(losses.loss_backward)(step_of(name, units, dtype), d, a, y, -0.25)
    assert not d[units:].any()


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
    arguments = getattr(constants, task), np.array(outputs, dtype), np.array(wanted, dtype), len(outputs), -1
    np.testing.assert_equal(from_python(losses.correct_row)(*arguments), right)
    np.testing.assert_equal(twins.correct_row(*arguments), right)


# Few values, so that there are ties.
@both_dtypes
@given(outputs=st.lists(st.sampled_from([0.0, -0.0, 0.25, 0.5]), min_size=1, max_size=9), data=st.data())
def test_the_answer_to_a_label_is_right_where_that_to_its_targets_is(dtype, outputs, data):
    label, units = data.draw(st.integers(0, len(outputs) - 1)), len(outputs)
    arguments = constants.CLASSES, np.array(outputs, dtype), one_hot(label, units, dtype), units
    correct_row = from_python(losses.correct_row)
    assert correct_row(*arguments, label) == correct_row(*arguments, -1)


@both_dtypes
@given(outputs=st.lists(st.sampled_from([-np.inf, 0.0, -0.0, 0.25, 0.5, np.nan]), min_size=1, max_size=9))
def test_the_answer_is_the_first_of_the_largest_outputs_as_numpy_finds_it(dtype, outputs):
    outputs, units = np.array(outputs, dtype), len(outputs)
    right = [
        from_python(losses.correct_row)(constants.CLASSES, outputs, one_hot(label, units, dtype), units, label)
        for label in range(units)
    ]
    assert right == one_hot(outputs.argmax(), units, float).tolist()


@both_dtypes
@pytest.mark.parametrize("label", range(3))
def test_the_answer_to_targets_of_outputs_that_are_nan_is_the_first(label, dtype):
    outputs, y = np.full(3, np.nan, dtype), one_hot(label, 3, dtype)
    assert from_python(losses.correct_row)(constants.CLASSES, outputs, y, 3, -1) == (label == 0)


@both_dtypes
@pytest.mark.parametrize("task", ["BINARY", "MULTILABEL", "REGRESSION"])
def test_a_label_matters_to_classes_only(task, dtype):
    arguments = getattr(constants, task), np.array([0.9, 0.6], dtype), np.array([1.0, 0.0], dtype), 2
    np.testing.assert_equal(*(from_python(losses.correct_row)(*arguments, label) for label in (0, -1)))
