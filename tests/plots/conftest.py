"""A small trained network on images of 6 by 6 pixels, and figures that are closed after each test."""

from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot

from fastmlp import Network, plots


@pytest.fixture(autouse=True)
def _closed_figures():
    pyplot.switch_backend("Agg")  # no window, whatever the machine has
    yield
    pyplot.close("all")


@pytest.fixture(params=["light", "dark"])
def theme(request):
    """Each theme in turn."""
    with plots.theme(request.param):
        yield request.param


@pytest.fixture
def axes():
    return pyplot.subplots()[1]


@pytest.fixture(scope="session")
def easy():
    """Images of three labels, of which the last is wrong, and a network that has learned the others."""
    generator = np.random.default_rng(0)
    y = np.arange(60) % 3
    X = generator.integers(0, 40, (60, 36)).astype(np.uint8)
    X[np.arange(60), y] = 255
    network = Network([36, 20, 8, 3], hidden="tanh", seed=0)
    network.fit(X, y, epochs=30, batch_size=10, validation_split=0.2, engine="numpy", verbose=0)
    wrong = y.copy()
    wrong[5] = 0  # it is a 2
    return SimpleNamespace(network=network, X=X, y=y, wrong=wrong)
