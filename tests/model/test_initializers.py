import math

import numpy as np
import pytest

from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.model.initializers import INITIALIZERS, Normal, Uniform, VarianceScaling, Zeros, get_initializer

SHAPE = (200, 100)


def draw(initializer, shape=SHAPE, seed=0):
    return get_initializer(initializer).draw(np.random.default_rng(seed), shape, *SHAPE)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_name_draws_float64_of_the_shape(name):
    numbers = draw(name)
    assert numbers.shape == SHAPE and numbers.dtype == np.float64
    assert draw(name, (7,)).shape == (7,)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_the_same_generator_gives_the_same_numbers(name):
    np.testing.assert_array_equal(draw(name), draw(name))


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("normal", 1.0),
        ("uniform", 0.1**2 / 12),
        ("xavier_normal", 2 / 300),
        ("xavier_uniform", 2 / 300),
        ("he_normal", 2 / 200),
        ("he_uniform", 2 / 200),
        ("lecun_normal", 1 / 200),
        ("lecun_uniform", 1 / 200),
    ],
)
def test_the_variance_is_that_of_the_paper(name, variance):
    # The variance of 20,000 numbers is within 5 standard errors, sqrt(2 / 20,000) each, of the true one.
    numbers = draw(name)
    assert numbers.var() == pytest.approx(variance, rel=0.05)
    assert abs(numbers.mean()) < 5 * math.sqrt(variance / numbers.size)


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("uniform", 0.05),
        ("xavier_uniform", math.sqrt(6 / 300)),
        ("he_uniform", math.sqrt(6 / 200)),
        ("lecun_uniform", math.sqrt(3 / 200)),
    ],
)
def test_uniform_numbers_fill_their_range(name, limit):
    numbers = draw(name)
    assert 0.99 * limit < numbers.max() < limit
    assert -limit <= numbers.min() < -0.99 * limit


def test_normal_has_a_mean_and_a_deviation():
    numbers = draw(Normal(0.5, mean=3.0))
    assert numbers.mean() == pytest.approx(3.0, abs=0.02)
    assert numbers.std() == pytest.approx(0.5, rel=0.03)


def test_zeros_are_zero():
    assert not draw(Zeros()).any()


def test_an_initializer_stands_for_itself():
    assert get_initializer(Uniform(-1, 1)) == Uniform(-1.0, 1.0)


@pytest.mark.parametrize(
    ("make", "error", "word"),
    [
        (lambda: get_initializer("xavier"), ArgumentError, "xavier_normal"),
        (lambda: get_initializer("He_Normal"), ArgumentError, "he_normal"),
        (lambda: get_initializer(0.1), ArgumentTypeError, "initializer"),
        (lambda: get_initializer(Normal), ArgumentTypeError, "Normal"),
        (lambda: Normal(-1.0), ArgumentError, "std"),
        (lambda: Normal(math.nan), ArgumentError, "std"),
        (lambda: Normal(1.0, math.inf), ArgumentError, "mean"),
        (lambda: Normal("wide"), ArgumentTypeError, "std"),
        (lambda: Uniform(1.0, -1.0), ArgumentError, "low"),
        (lambda: Uniform(high=math.inf), ArgumentError, "high"),
        (lambda: Uniform(None, 1.0), ArgumentTypeError, "low"),
        (lambda: VarianceScaling(-1.0, "in", "normal"), ArgumentError, "gain"),
        (lambda: VarianceScaling("big", "in", "normal"), ArgumentTypeError, "gain"),
        (lambda: VarianceScaling(1.0, "out", "normal"), ArgumentError, "fan"),
        (lambda: VarianceScaling(1.0, "in", "cauchy"), ArgumentError, "distribution"),
    ],
)
def test_bad_arguments_are_told(make, error, word):
    with pytest.raises(error, match=word):
        make()


def test_auto_is_a_name_where_it_stands_for_something():
    assert get_initializer("auto", auto="zeros") == get_initializer("zeros")
    with pytest.raises(ArgumentError, match="auto, zeros"):
        get_initializer("automatic", auto="zeros")
    with pytest.raises(ArgumentError, match="Known: zeros"):
        get_initializer("auto")
