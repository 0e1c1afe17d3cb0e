"""What tests of estimators share."""

import warnings

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _few_epochs_are_meant():
    """Have no error of the warning that max_iter was too little: most tests need no more than a few epochs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "training ended before it had converged")
        yield


@pytest.fixture
def waves():
    """160 rows of five features, as (X, y): float64 and one target."""
    X = np.random.default_rng(1).normal(size=(160, 5))
    return X, np.sin(X[:, 0]) + X[:, 1] * X[:, 2]


@pytest.fixture
def flowers():
    """Three classes of 50 points each in four dimensions, far apart enough to be told apart, as (X, y)."""
    y = np.repeat(["rose", "tulip", "daisy"], 50)
    X = np.random.default_rng(0).normal(size=(150, 4)) + 2.5 * np.repeat(np.eye(4)[:3], 50, axis=0)
    return X, y
