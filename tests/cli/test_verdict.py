"""A network that was trained and has learned nothing is told as one."""

import numpy as np
import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from hypothesis import given
from hypothesis import strategies as st

from fastmlp import SGD, Adam, Network
from fastmlp.cli.verdict import learned_nothing, loss_of_shares
from fastmlp.model.history import short
from fastmlp.model.losses import LOSSES

X = np.random.default_rng(0).normal(size=(200, 4))
Y = (X[:, 0] > 0.5).astype(int)


def trained(optimizer, **settings):
    network = Network([4, 8, 2], seed=0, **settings)
    network.fit(X, Y, epochs=20, optimizer=optimizer, engine="numpy", verbose=0)
    return network


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "squared_error"])
def test_a_network_that_has_learned_needs_no_words(loss):
    assert learned_nothing(trained(Adam(0.02), loss=loss), Y) is None


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize(("rate", "direction"), [(1e6, "smaller"), (0.0, "larger")])
def test_one_that_has_not_is_told_the_way_to_a_better_rate(loss, rate, direction):
    network = trained(SGD(rate), loss=loss, output="softmax", hidden="sigmoid")
    assert f"Try a {direction} --learning-rate than {rate:g}, such as 0.1" in learned_nothing(network, Y, rate, 0.1)


def test_large_weights_are_told():
    network = trained(SGD(0.0))
    network.set_weights([(W + 1e6, b) for W, b in network.weights])
    assert "Its weights reach 1" in learned_nothing(network, Y)


def test_a_good_accuracy_at_a_huge_loss_is_no_lack_of_learning():
    network = trained(SGD(0.1))
    network.history.append(epoch=21, loss=1e9, accuracy=0.99, seconds=0.0)
    labels = np.repeat([0, 1], 100)
    assert learned_nothing(network, labels).startswith("The training of this network diverged")


@pytest.mark.parametrize("name", ["cross_entropy", "binary_cross_entropy", "squared_error"])
def test_the_loss_of_shares_is_that_of_a_network_with_these_outputs(name):
    y = np.array([0] * 6 + [1] * 3 + [2])
    network = Network([1, 3], loss=name, output="softmax" if name == "squared_error" else None, dtype="float64")
    shares = np.array([0.6, 0.3, 0.1])
    bias = np.log(shares / (1 - shares)) if name == "binary_cross_entropy" else np.log(shares)
    network.set_weights([(np.zeros((1, 3)), bias)])
    wanted = network.evaluate(np.zeros((10, 1)), y, engine="numpy").loss
    assert loss_of_shares(LOSSES[name], y) == pytest.approx(wanted)


def test_one_label_alone_is_no_error():
    assert loss_of_shares(LOSSES["binary_cross_entropy"], np.zeros(5, int)) == pytest.approx(0, abs=1e-9)


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_is_short_and_near(value):
    text = short(value)
    assert len(text) <= 7
    if np.isfinite(value) and 1e-300 < abs(value) < 1e300:
        assert float(text) == pytest.approx(value, rel=0.5 if "e" in text else 5e-4, abs=5e-5)
