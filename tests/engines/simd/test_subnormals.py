"""Numbers below the smallest normal one are 0 inside of the kernels, and what they were outside."""

import numpy as np
import pytest

pytest.importorskip("numba")

from fastmlp import Network, fit_many
from fastmlp.kernels.runtime.jit import INTERPRETED

pytestmark = pytest.mark.skipif(INTERPRETED, reason="Python's own arithmetic has them")

TINY = np.full((40, 3), 1e-20, np.float32)


def linear():
    network = Network([3, 2], output="identity", loss="squared_error", scaling=None, seed=0)
    network.set_weights([(np.full((3, 2), 1e-20), np.zeros(2))])
    return network


def still_there():
    return np.float32(1e-40) * np.float32(0.5) > 0


@pytest.mark.parametrize(("engine", "largest"), [("numba", 0.0), ("numpy", 3e-40)])
def test_products_that_are_too_small_are_0(engine, largest):
    np.testing.assert_allclose(linear()(TINY, engine=engine), largest, rtol=1e-3)


@pytest.mark.parametrize("threads", [1, 2])
def test_the_callers_arithmetic_keeps_them(threads):
    linear().fit(TINY, np.zeros((40, 2)), epochs=1, threads=threads, engine="numba", verbose=0)
    assert still_there()
    linear()(TINY, engine="numba")
    assert still_there()
    fit_many([linear() for _ in range(16)], TINY, np.zeros((40, 2)), epochs=1, engine="numba", threads=1, verbose=0)
    assert still_there()


def test_moments_of_a_unit_that_is_never_active_become_0():
    """Else they stay at the smallest number there is, for which a processor takes a hundred times as long."""
    network = Network([1, 1, 1], loss="squared_error", scaling=None, seed=0)
    network.set_weights([([[1.0]], [0.0]), ([[1.0]], [0.0])])
    network.fit(np.ones((1, 1)), np.zeros(1), epochs=1, batch_size=1, engine="numba", verbose=0)
    asleep = np.full((2000, 1), -1.0)
    network.fit(asleep, np.zeros(2000), epochs=1, batch_size=1, engine="numba", verbose=0)
    first = network.architecture.layers[0].weights(network.state.moments[0])
    assert first == 0.0
