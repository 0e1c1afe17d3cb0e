import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.model.optimizers import OPTIMIZERS, SGD, Adam, AdamW, RMSprop, clipped, get_optimizer

EVERY = [SGD(0.1), SGD(0.1, momentum=0.9), SGD(0.1, momentum=0.9, nesterov=True), RMSprop(0.1), Adam(0.1), AdamW(0.1)]
every_optimizer = pytest.mark.parametrize("optimizer", EVERY, ids=repr)


def steps(optimizer, gradients, start=1.0, dtype=np.float64):
    """Parameters after one step for each of the gradients."""
    parameters = np.array([start], dtype)
    moments = [np.zeros_like(parameters) for _ in range(optimizer.n_moments)]
    path = []
    for step, gradient in enumerate(gradients, start=1):
        optimizer.update(parameters, np.array([gradient], dtype), moments, step, optimizer.learning_rate)
        path.append(parameters[0])
    return path


def test_sgd_by_hand():
    assert steps(SGD(0.1), [2.0, -1.0]) == pytest.approx([0.8, 0.9])


def test_momentum_by_hand():
    # v: 2, then 0.5 * 2 - 1 = 0
    assert steps(SGD(0.1, momentum=0.5), [2.0, -1.0]) == pytest.approx([0.8, 0.8])


def test_nesterov_by_hand():
    # v: 2, then 0; steps: 2 + 0.5 * 2 = 3, then -1 + 0.5 * 0 = -1
    assert steps(SGD(0.1, momentum=0.5, nesterov=True), [2.0, -1.0]) == pytest.approx([0.7, 0.8])


def test_rmsprop_by_hand():
    # s: 0.25 * 4 = 1, then 0.75 + 0.25 * 9 = 3
    optimizer = RMSprop(0.1, decay=0.75, epsilon=1.0)
    first = 1 - 0.1 * 2 / (1 + 1)
    assert steps(optimizer, [2.0, -3.0]) == pytest.approx([first, first + 0.1 * 3 / (math.sqrt(3) + 1)])


def test_adam_by_hand():
    # Corrected, the first moments are the gradient and its square: a step of the size of the learning rate.
    first = 1 - 0.1 * 2 / (2 + 1e-8)
    m, v = (0.9 * 0.2 - 0.1 * 3) / (1 - 0.9**2), (0.999 * 0.004 + 0.001 * 9) / (1 - 0.999**2)
    assert steps(Adam(0.1), [2.0, -3.0]) == pytest.approx([first, first - 0.1 * m / (math.sqrt(v) + 1e-8)], rel=1e-14)


def test_epsilon_hat_is_added_before_the_correction():
    adam = Adam(0.1, epsilon=1e-2, epsilon_hat=True)
    root = math.sqrt(0.001 * 4)
    first = 1 - 0.1 * math.sqrt(0.001) / 0.1 * 0.2 / (root + 1e-2)
    assert steps(adam, [2.0])[0] == pytest.approx(first, rel=1e-14)


def test_adamw_is_adam_that_decays():
    assert AdamW().weight_decay == 0.01
    assert steps(AdamW(0.1), [2.0, -3.0]) == steps(Adam(0.1), [2.0, -3.0])  # whoever trains lets the weights decay


@given(seed=st.integers(0, 100), clip_norm=st.floats(0.01, 100), dtype=st.sampled_from([np.float32, np.float64]))
def test_a_clipped_gradient_keeps_its_direction_and_is_as_long_as_it_may_be(seed, clip_norm, dtype):
    gradient = np.random.default_rng(seed).normal(size=20).astype(dtype)
    short, length = clipped(gradient, clip_norm), np.linalg.norm(gradient)
    assert short.dtype == dtype
    np.testing.assert_allclose(np.linalg.norm(short), min(length, clip_norm), rtol=1e-5)
    np.testing.assert_allclose(short * length, gradient * np.linalg.norm(short), rtol=1e-5)


def test_a_gradient_whose_squares_float32_cannot_hold_is_clipped():
    np.testing.assert_allclose(clipped(np.array([3e30, 4e30], np.float32), 5.0), [3.0, 4.0], rtol=1e-6)


@every_optimizer
def test_without_gradient_nothing_moves(optimizer):
    assert steps(optimizer, [0.0, 0.0]) == [1.0, 1.0]


@every_optimizer
def test_a_valley_is_walked_down(optimizer):
    parameters, moments = np.array([3.0, -2.0]), [np.zeros(2) for _ in range(optimizer.n_moments)]
    for step in range(1, 300):
        optimizer.update(parameters, 2 * parameters, moments, step, 0.02)
    assert np.abs(parameters).max() < 0.1


@every_optimizer
def test_the_gradient_is_left_as_it_was(optimizer):
    gradient = np.array([1.0, -2.0])
    optimizer.update(np.ones(2), gradient, [np.zeros(2) for _ in range(optimizer.n_moments)], 1, 0.1)
    assert gradient.tolist() == [1.0, -2.0]


@every_optimizer
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_is_kept(optimizer, dtype):
    assert steps(optimizer, [1.0, 2.0], dtype=dtype)[-1].dtype == dtype


@pytest.mark.parametrize(
    ("optimizer", "moments"),
    [(SGD(), 0), (SGD(momentum=0.9), 1), (RMSprop(), 1), (Adam(), 2), (AdamW(), 2)],
    ids=repr,
)
def test_moments_are_counted(optimizer, moments):
    assert optimizer.n_moments == moments


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_name_stands_for_its_defaults(name):
    assert get_optimizer(name) == OPTIMIZERS[name]()


def test_an_optimizer_stands_for_itself():
    assert get_optimizer(SGD(3.0)) is not None and get_optimizer(SGD(3.0)).learning_rate == 3.0


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: get_optimizer("adm"), ArgumentError, "'adam'"),
        (lambda: get_optimizer("SGD"), ArgumentError, "'sgd'"),
        (lambda: get_optimizer(0.1), ArgumentTypeError, "optimizer"),
        (lambda: get_optimizer(SGD), ArgumentTypeError, "optimizer"),
        (lambda: SGD(-0.1), ArgumentError, "learning_rate"),
        (lambda: SGD(math.nan), ArgumentError, "learning_rate"),
        (lambda: SGD(math.inf), ArgumentError, "learning_rate"),
        (lambda: SGD("fast"), ArgumentTypeError, "learning_rate"),
        (lambda: SGD(True), ArgumentTypeError, "learning_rate"),
        (lambda: SGD(momentum=1.0), ArgumentError, "momentum"),
        (lambda: SGD(momentum=-0.1), ArgumentError, "momentum"),
        (lambda: SGD(nesterov=True), ArgumentError, "momentum"),
        (lambda: SGD(momentum=0.9, nesterov=1), ArgumentTypeError, "nesterov"),
        (lambda: SGD(weight_decay=-1), ArgumentError, "weight_decay"),
        (lambda: RMSprop(decay=1), ArgumentError, "decay"),
        (lambda: RMSprop(epsilon=0), ArgumentError, "epsilon"),
        (lambda: Adam(beta_1=1.0), ArgumentError, "beta_1"),
        (lambda: Adam(beta_2=1.5), ArgumentError, "beta_2"),
        (lambda: Adam(epsilon=-1e-8), ArgumentError, "epsilon"),
        (lambda: Adam(epsilon=0.0), ArgumentError, "epsilon"),
        (lambda: Adam(clip_norm=0), ArgumentError, "clip_norm of Adam must be above 0"),
        (lambda: SGD(clip_norm=-1.0), ArgumentError, "clip_norm"),
        (lambda: RMSprop(clip_norm="short"), ArgumentTypeError, "clip_norm"),
        (lambda: AdamW(weight_decay=None), ArgumentTypeError, "weight_decay"),
    ],
)
def test_bad_arguments_are_told(make, error, word):
    with pytest.raises(error, match=word):
        make()
