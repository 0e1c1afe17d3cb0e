import numpy as np
import pytest

from fastmlp import SGD, Adam, Dense, EarlyStopping, Network, Normal
from fastmlp.data.weights import as_sample_weights
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.model.optimizers import RMSprop


@pytest.mark.parametrize(
    ("make", "same"),
    [
        (lambda: Dense(np.int64(3), dropout=np.float64(0.2), bias=np.True_), Dense(3, dropout=0.2, bias=True)),
        (lambda: Dense(3, dropout=np.float32(0.25)), Dense(3, dropout=0.25)),
        (lambda: SGD(np.float32(0.5), momentum=np.float64(0.9), nesterov=np.True_), SGD(0.5, 0.9, True)),
        (lambda: Adam(np.float32(0.5)), Adam(0.5)),
        (lambda: Normal(np.float32(0.5)), Normal(0.5)),
        (
            lambda: EarlyStopping(patience=np.int64(3), min_delta=np.float32(0.5), restore_best=np.False_),
            EarlyStopping(patience=3, min_delta=0.5, restore_best=False),
        ),
        (lambda: Network([np.int64(2), 2], l2=np.int64(0), l1=np.float32(0.5), bias=np.True_, seed=np.int64(1)),
         Network([2, 2], l1=0.5, seed=1)),
    ],
)  # fmt: skip
def test_numpy_scalars_are_taken_as_pythons(make, same):
    assert repr(make()) == repr(same)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: Dense(3, dropout=True), "dropout"),
        (lambda: Dense(3, bias=np.int64(1)), "bias must be True or False, got 1"),
        (lambda: SGD(np.True_), "learning_rate"),
        (lambda: Network([2, 2], l2="0"), "l2"),
        (lambda: EarlyStopping(patience=2.0), "patience"),
        (lambda: EarlyStopping(min_delta="1"), "min_delta"),
    ],
)
def test_what_is_no_number_is_told(make, word):
    with pytest.raises(ArgumentTypeError, match=word):
        make()


@pytest.mark.parametrize("optimizer", [Adam, RMSprop])
def test_an_epsilon_that_a_float32_rounds_to_zero_is_told(optimizer):
    with pytest.raises(ArgumentError, match=r"epsilon.*at least 1e-30"):
        optimizer(epsilon=1e-46)
    assert optimizer(epsilon=1e-30).epsilon == 1e-30


@pytest.mark.parametrize(
    ("give", "name"),
    [
        (lambda masked: Network([1, 2], seed=0)(masked), "X"),
        (lambda masked: Network([1, 2], seed=0).evaluate([[0.0], [1.0]], masked[:, 0]), "y"),
        (lambda masked: as_sample_weights(masked[:, 0], 2, np.dtype(np.float32)), "sample_weight"),
    ],
)
def test_masked_values_are_told(give, name):
    with pytest.raises(ArgumentError, match=rf"^{name} has 1 masked value;"):
        give(np.ma.masked_array([[0.0], [1.0]], [[False], [True]]))
    with np.errstate(all="ignore"):
        give(np.ma.masked_array([[0.0], [1.0]], False))  # nothing is masked
