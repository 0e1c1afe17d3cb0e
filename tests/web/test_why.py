"""How a neuron gets its number, beside numbers computed here; and what fools a network."""

import base64

import numpy as np
import pytest

from fastmlp import Network
from fastmlp.web.changes import Changes, shrunk
from fastmlp.web.fooling import least_change
from fastmlp.web.looking import as_inputs
from fastmlp.web.why import why

from .asking import a_one, refused, send_drawing


@pytest.fixture
def digit(page):
    return page.gallery.digit(0)


def constant(largest):
    """A network that answers 0 with this sigmoid, whatever it sees."""
    net = Network([784, 10], output="sigmoid", loss="squared_error")
    outputs = np.array([largest] + [0.1] * 9)
    net.set_weights([(np.zeros((784, 10)), np.log(outputs / (1 - outputs)))])
    return net


def picture_of(found):
    return np.frombuffer(base64.b64decode(found["weights"]), np.int8) / 127 * found["limit"]


def test_a_first_neuron_is_the_sum_of_pixels_times_weights(network, digit):
    found = why(network, digit, 0, 3)
    W, b = network.weights[0]
    products = digit.ravel() / 255 * W[:, 3]
    np.testing.assert_allclose(picture_of(found["shares"]), products, atol=found["shares"]["limit"] / 200)
    assert found["z"] == pytest.approx(products.sum() + b[3], rel=1e-4)
    assert found["positive"] + found["negative"] + found["bias"] == pytest.approx(found["z"], rel=1e-4)


def test_an_output_is_the_sum_of_activations_times_weights(network, digit):
    found = why(network, digit, 1, 7)
    hidden = network.activations(as_inputs(network, digit.reshape(1, 784)))[1][0]
    products = hidden * network.weights[1][0][:, 7]
    listed = [one["product"] for one in found["incoming"]]
    assert listed == pytest.approx(sorted(products, key=abs, reverse=True)[:12], rel=1e-4)
    assert sum(listed) + found["rest"] + found["bias"] == pytest.approx(found["z"], rel=1e-4)


@pytest.mark.parametrize("hidden", ["relu", "sigmoid", "gelu"])
def test_shares_are_slopes_times_pixels(digit, hidden):
    net = Network([784, 12, 8, 10], hidden=hidden, dtype="float64", seed=1)
    found = picture_of(why(net, digit, 2, 4)["shares"])
    pixel, step = int(digit.argmax()), 1e-4
    inputs = digit.reshape(1, 784) / 255
    moved = [inputs + sign * step * (np.arange(784) == pixel) for sign in (1, -1)]
    up, down = (net.trace(X).layers[-1].z[0, 4] for X in moved)
    assert found[pixel] == pytest.approx((up - down) / (2 * step) * inputs[0, pixel], abs=np.abs(found).max() / 100)


def test_the_runner_up_is_what_the_answer_is_compared_with(network, digit):
    z = network.trace(as_inputs(network, digit.reshape(1, 784))).layers[-1].z[0]
    second, first = z.argsort()[-2:]
    against = why(network, digit, 1, int(first))["against"]
    assert against["unit"] == second
    assert against["difference"] == pytest.approx(z[first] - z[second], rel=1e-4)
    assert why(network, digit, 1, int(second))["against"]["unit"] == first


@pytest.mark.parametrize("largest, lit", [(0.4, False), (0.6, True)])
def test_sigmoids_of_which_none_is_lit_are_told(digit, largest, lit):
    assert why(constant(largest), digit, 0, 0)["against"]["lit"] is lit


def test_lines_are_products(client, network):
    found = send_drawing(client, a_one()).json()
    hidden = np.frombuffer(base64.b64decode(found["layers"][0]), "<f4")
    (lines,) = found["lines"]
    start, end, product = lines[0]
    assert product == pytest.approx(hidden[start] * network.weights[1][0][start, end], rel=1e-2)
    assert [abs(line[2]) for line in lines] == sorted((abs(line[2]) for line in lines), reverse=True)


def test_the_smallest_change_changes_the_answer_and_hardly_the_digit(network, page):
    for number in range(20):
        digit = page.gallery.digit(number)
        found = least_change(network, digit)
        assert found["found"] and found["before"] != found["after"]
        changed = np.frombuffer(base64.b64decode(found["pixels"]), np.uint8)
        assert str(int(network.predict(as_inputs(network, changed.reshape(1, 784)))[0])) == found["after"]
        assert found["mean"] < 30


def test_the_smallest_change_goes_to_the_digit_that_is_asked_for(network, page):
    found = least_change(network, page.gallery.digit(0), target=3)
    assert found["found"] and found["after"] == "3"


def test_a_network_that_sees_nothing_is_not_fooled(digit):
    assert not least_change(constant(0.4), digit)["found"]


def test_no_changes_change_nothing(digit):
    np.testing.assert_array_equal(Changes().apply(digit), digit)


def test_a_shift_moves_pixels(digit):
    np.testing.assert_array_equal(Changes(right=2, down=-1).apply(digit)[:27, 2:], digit[1:, :26])


def test_a_quarter_turn_is_a_quarter_turn(digit):
    turned = Changes(turn=90).apply(digit)
    np.testing.assert_allclose(turned.astype(int), np.rot90(digit, -1).astype(int), atol=1)


def test_inversion_is_inversion(digit):
    np.testing.assert_array_equal(Changes(invert=True).apply(digit), 255 - digit)


def test_noise_is_the_same_each_time(digit):
    np.testing.assert_array_equal(Changes(noise=0.3).apply(digit), Changes(noise=0.3).apply(digit))


def test_a_drawing_that_is_not_centred_is_a_mean_of_its_pixels():
    drawing = np.random.default_rng(0).integers(0, 256, (280, 280)).astype(np.uint8)
    means = drawing.reshape(28, 10, 28, 10).mean(axis=(1, 3))
    np.testing.assert_allclose(shrunk(drawing), means, atol=0.51)


def test_changes_reach_the_network(client):
    one = a_one()
    height, width = one.shape
    address = f"/api/models/1/drawing?height={height}&width={width}"
    plain, inverted = (client.post(address + end, content=one.tobytes()).json() for end in ("", "&invert=1"))
    seen = [np.frombuffer(base64.b64decode(found["seen"]), np.uint8).astype(int) for found in (plain, inverted)]
    np.testing.assert_array_equal(seen[0] + seen[1], 255)


@pytest.mark.parametrize("end, words", [("noise=2", "from 0 to 1"), ("turn=x", "number"), ("size=nan", "number")])
def test_changes_out_of_range_are_refused(client, end, words):
    assert refused(client.get(f"/api/models/1/digits/0?{end}"), 400, words)


@pytest.mark.parametrize(
    "address, body, words",
    [
        ("why/0/24", bytes(784), "the neuron"),
        ("why/2/0", bytes(784), "the layer"),
        ("why/0/0", bytes(783), "784 bytes, not 783"),
        ("why/0/0", bytes(785), "may have 1 kB at most"),
        ("least-change?target=10", bytes(784), "target"),
        ("least-change", b"", "empty"),
    ],
)
def test_questions_that_make_no_sense_are_refused(client, address, body, words):
    response = client.post(f"/api/models/1/{address}", content=body)
    assert refused(response, 413 if len(body) > 784 else 400, words)
