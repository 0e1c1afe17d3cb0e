"""One step of gradient descent on one digit, beside steps computed here."""

import base64

import numpy as np
import pytest

from fastmlp import SGD, Network
from fastmlp.web.looking import as_inputs
from fastmlp.web.step import Lesson, Question

from .asking import refused


@pytest.fixture
def digit(page):
    return page.gallery.digit(0)


def lesson(network, digit, target=3, rate=0.05, steps=0):
    return Lesson(network, Question(digit, target, rate, steps))


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def picture_of(found):
    return np.frombuffer(base64.b64decode(found["weights"]), np.int8) / 127 * found["limit"]


def test_passes_are_those_of_trace(network, digit):
    told = lesson(network, digit).told()
    traced = network.trace(as_inputs(network, digit.reshape(1, 784)), [3])
    for layer, expected in zip(told["layers"], traced.layers, strict=True):
        for name in ("z", "a", "delta"):
            np.testing.assert_array_equal(floats(layer[name]), getattr(expected, name)[0])
    assert told["loss"] == pytest.approx(traced.loss, rel=1e-6)


@pytest.mark.parametrize("steps", [1, 3])
def test_a_step_is_that_of_fit_with_plain_gradient_descent(digit, steps):
    net = Network([784, 12, 10], dtype="float64", seed=2)
    X = as_inputs(net, digit.reshape(1, 784))
    net.fit(np.repeat(X, 10, axis=0), np.arange(10), epochs=1, optimizer=SGD(0.01), engine="numpy", verbose=0)
    taken = lesson(net, digit, steps=steps)
    net.fit(X, [3], epochs=steps, optimizer=SGD(0.05), engine="numpy", verbose=0)
    for (W, b), (expected_W, expected_b) in zip(taken.network.weights, net.weights, strict=True):
        np.testing.assert_allclose(W, expected_W, rtol=1e-10)
        np.testing.assert_allclose(b, expected_b, rtol=1e-10)


@pytest.mark.parametrize("y", [np.linspace(0, 1, 200).reshape(20, 10), np.eye(10)[[3, 4] * 10].astype(int)])
def test_networks_of_numbers_and_of_sets_of_labels_take_a_step(digit, y):
    net = Network([784, 4, 10], output="sigmoid", loss="binary_cross_entropy", seed=0)
    net.fit(np.zeros((20, 784)), y, epochs=1, engine="numpy", verbose=0)
    told = lesson(net, digit, steps=1).told()
    assert told["before"]["loss"] > told["loss"]


def test_the_network_of_the_page_stays_as_it_is(network, digit):
    before = network.weights[0][0].copy()
    lesson(network, digit, steps=3)
    np.testing.assert_array_equal(network.weights[0][0], before)


def test_what_moved_most_is_listed_first(network, digit):
    taken = lesson(network, digit, steps=1)
    moves = [abs(one["after"] - one["before"]) for one in taken.told()["moved"]]
    largest = max(float(np.abs(new.W - old.W).max()) for old, new in zip(*both(taken), strict=True))
    assert moves == sorted(moves, reverse=True)
    assert moves[0] == pytest.approx(largest, rel=1e-4)


def both(taken):
    return taken.before.layers, taken.now.layers


def test_a_first_neuron_shows_its_derivatives(network, digit):
    found = lesson(network, digit).neuron(0, 5)
    traced = network.trace(as_inputs(network, digit.reshape(1, 784)), [3]).layers[0]
    np.testing.assert_allclose(picture_of(found["slopes"]), traced.dW[:, 5], atol=found["slopes"]["limit"] / 200)


def test_a_deeper_neuron_lists_its_largest_derivatives(network, digit):
    incoming = lesson(network, digit).neuron(1, 3)["incoming"]
    traced = network.trace(as_inputs(network, digit.reshape(1, 784)), [3]).layers[1]
    assert [one["slope"] for one in incoming] == pytest.approx(
        sorted(traced.dW[:, 3], key=abs, reverse=True)[:12], rel=1e-4
    )


def test_a_derivative_equals_the_numeric_one(network, digit):
    found = lesson(network, digit).derivative(1, 4, 3)
    assert found["name"] == "W2[4, 3]"
    assert found["numeric"] == pytest.approx(found["backpropagated"], rel=1e-4, abs=1e-9)


def test_a_rate_that_overflows_is_answered(network, digit):
    assert lesson(network, digit, rate=1e6, steps=20).told()["layers"]


def test_numbers_travel(client, digit):
    body = digit.tobytes()
    told = client.post("/api/models/1/step?target=3&rate=0.1&steps=1", content=body).json()
    assert told["before"]["loss"] > told["loss"]
    assert client.post("/api/models/1/step/0/2?target=3&rate=0.1", content=body).json()["delta"] is not None
    assert client.post("/api/models/1/step/1/2/7?target=3&rate=0.1", content=body).json()["name"] == "W2[7, 2]"


@pytest.mark.parametrize(
    "end, words",
    [
        ("?rate=0.1", "target"),
        ("?target=10&rate=0.1", "target"),
        ("?target=1&rate=-1", "rate"),
        ("?target=1&rate=nan", "rate"),
        ("?target=1&rate=0.1&steps=21", "steps"),
        ("/0/24?target=1&rate=0.1", "the neuron"),
        ("/1/0/24?target=1&rate=0.1", "the weight"),
    ],
)
def test_steps_that_make_no_sense_are_refused(client, end, words):
    assert refused(client.post(f"/api/models/1/step{end}", content=bytes(784)), 400, words)
