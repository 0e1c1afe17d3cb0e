"""How a neuron gets its number, beside numbers computed here; and what fools a network."""

import base64

import numpy as np
import pytest

from fastmlp import Network
from fastmlp.data.augmentation import Augmentation
from fastmlp.images.digit import only_shrunk
from fastmlp.web import limits
from fastmlp.web.changes import Changes
from fastmlp.web.fooling import RUNNER_UP, least_change
from fastmlp.web.looking import as_inputs, lines
from fastmlp.web.why import why

from .asking import a_one, png, refused, send_drawing


@pytest.fixture
def digit(page):
    return page.gallery.digit(0)


def constant(largest):
    """A network that answers 0 with this sigmoid, whatever it sees."""
    net = Network([784, 10], output="sigmoid", loss="squared_error")
    outputs = np.array([largest] + [0.1] * 9)
    net.set_weights([(np.zeros((784, 10)), np.log(outputs / (1 - outputs)))])
    return net


def pixels(text):
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(28, 28)


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


def test_lines_of_a_large_layer_are_its_strongest_products():
    net = Network([784, 300, 200, 10], seed=2)
    held = [np.random.default_rng(layer).normal(size=(1, size)) for layer, size in enumerate((784, 300, 200, 10))]
    products = held[1].T * net.weights[1][0]
    expected = np.sort(np.abs(products), axis=None)[: -len(lines(net, held)[0]) - 1 : -1]
    assert [abs(line[2]) for line in lines(net, held)[0]] == pytest.approx(expected, rel=1e-2)


def test_all_lines_of_a_small_layer_are_told():
    net = Network([784, 20, 20, 10], hidden="sigmoid", seed=2)
    assert len(lines(net, net.activations(np.ones((1, 784))))[0]) == 400


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
    for target in (0, 3, 5):
        found = least_change(network, page.gallery.digit(0), target)
        assert found["found"] and found["after"] == str(target)


def test_the_smallest_change_goes_to_the_runner_up(network, digit):
    second = np.argsort(network.activations(as_inputs(network, digit.reshape(1, 784)))[-1][0])[-2]
    assert least_change(network, digit, RUNNER_UP)["after"] == str(second)


def test_the_smallest_change_is_told_by_its_size(network, digit):
    found = least_change(network, digit)
    change = pixels(found["pixels"]).astype(float) - digit
    assert found["length"] == pytest.approx(np.sqrt((change**2).sum()) / 255, abs=1e-3)
    assert found["mean"] == pytest.approx(np.abs(change).mean(), abs=0.01)
    assert found["most"] == np.abs(change).max()


def test_no_shorter_change_in_the_same_direction_is_enough(network, digit):
    found = least_change(network, digit)
    shorter = digit + 0.9 * (pixels(found["pixels"]).astype(float) - digit)
    assert str(network.predict(as_inputs(network, np.rint(shorter).astype(np.uint8).reshape(1, 784)))[0]) == "7"


def test_a_network_that_sees_nothing_is_not_fooled(digit):
    found = least_change(constant(0.4), digit)
    assert (found["found"], found["reason"]) == (False, "flat")


def test_what_is_the_answer_already_is_told(network, digit):
    assert least_change(network, digit, 7)["reason"] == "already"


def test_a_search_that_takes_too_many_steps_is_told(network, digit, monkeypatch):
    monkeypatch.setattr("fastmlp.web.fooling.MOST_STEPS", 1)
    monkeypatch.setattr("fastmlp.web.fooling._OVERSHOOT", 0.1)
    found = least_change(network, digit)
    assert (found["found"], found["reason"], found["steps"]) == (False, "steps", 1)


def test_more_searches_than_allowed_are_refused(client, monkeypatch):
    monkeypatch.setattr(limits, "MAX_SEARCHES", 0)
    assert refused(client.post("/api/models/1/least-change", content=bytes(784)), 429, "try again")


def test_no_changes_change_nothing(digit):
    np.testing.assert_array_equal(Changes().apply(digit), digit)


def test_moves_are_those_that_augmentation_makes(digit):
    turned = Augmentation(rotation=40.0)(digit[None], seed=3)[0]
    angles = np.linspace(-40, 40, 1601)
    nearest = min(np.abs(Changes(turn=angle).apply(digit).astype(int) - turned).max() for angle in angles)
    assert nearest <= 3


def test_a_shift_moves_pixels(digit):
    np.testing.assert_array_equal(Changes(right=2, down=-1).apply(digit)[:27, 2:], digit[1:, :26])


def test_a_quarter_turn_is_a_quarter_turn(digit):
    turned = Changes(turn=90).apply(digit)
    np.testing.assert_allclose(turned.astype(int), np.rot90(digit, -1).astype(int), atol=1)


def test_inversion_is_inversion(digit):
    np.testing.assert_array_equal(Changes(invert=True).apply(digit), 255 - digit)


def test_noise_is_the_same_each_time(digit):
    np.testing.assert_array_equal(Changes(noise=0.3).apply(digit), Changes(noise=0.3).apply(digit))


def test_a_picture_that_is_only_shrunk_keeps_its_place_and_tones():
    drawing = np.zeros((280, 280), np.uint8)
    drawing[200:240, 30:50] = 255
    shrunk = only_shrunk(drawing)
    assert (shrunk[21:23, 3:5] > 200).all()
    np.testing.assert_array_equal(255 - only_shrunk(255 - drawing), shrunk)


def test_a_digit_that_is_only_shrunk_stays_as_it_is(digit):
    np.testing.assert_array_equal(only_shrunk(digit), digit)


@pytest.mark.parametrize("kind", ["drawing?height=280&width=280&", "image?"])
def test_what_is_not_preprocessed_is_only_shrunk(client, kind):
    one = np.roll(a_one(), 80, axis=1)
    body = one.tobytes() if kind.startswith("drawing") else png(one)
    found = client.post(f"/api/models/1/{kind}raw=1", content=body).json()
    np.testing.assert_array_equal(pixels(found["seen"]), only_shrunk(one))


def test_what_would_be_no_digit_can_still_be_shrunk(client):
    found = client.post("/api/models/1/drawing?height=28&width=28&raw=1", content=bytes(784)).json()
    assert not pixels(found["seen"]).any()


def test_the_answer_without_changes_is_told_beside_the_one_with_them(client, network):
    one = a_one()
    address = f"/api/models/1/drawing?height={len(one)}&width={len(one)}"
    plain, turned = (client.post(address + end, content=one.tobytes()).json() for end in ("", "&turn=90"))
    assert "unchanged" not in plain
    assert turned["unchanged"] == {"answer": plain["answer"], "output": max(plain["outputs"])}


def test_a_seen_digit_is_looked_at_as_it_is(client, digit):
    found = client.post("/api/models/1/seen", content=np.roll(digit, 6).tobytes()).json()
    np.testing.assert_array_equal(pixels(found["seen"]), np.roll(digit, 6))


def test_changes_reach_the_network(client):
    one = a_one()
    height, width = one.shape
    address = f"/api/models/1/drawing?height={height}&width={width}"
    plain, inverted = (client.post(address + end, content=one.tobytes()).json() for end in ("", "&invert=1"))
    seen = [np.frombuffer(base64.b64decode(found["seen"]), np.uint8).astype(int) for found in (plain, inverted)]
    np.testing.assert_array_equal(seen[0] + seen[1], 255)


@pytest.mark.parametrize(
    "end, words", [("noise=2", "from 0 to 1"), ("turn=x", "number"), ("size=nan", "number"), ("raw=2", "0 and 1")]
)
def test_changes_out_of_range_are_refused(client, end, words):
    assert refused(client.get(f"/api/models/1/digits/0?{end}"), 400, words)


@pytest.mark.parametrize(
    "address, body, words",
    [
        ("why/0/24", bytes(784), "the neuron"),
        ("why/2/0", bytes(784), "the layer"),
        ("why/0/0", bytes(783), "784 bytes, not 783"),
        ("why/0/0", bytes(785), "784 bytes, not 785"),
        ("why/0/0", bytes(limits.DIGIT_BYTES + 1), "may have 2 kB at most"),
        ("seen", bytes(783), "784 bytes, not 783"),
        ("seen?noise=2", bytes(784), "noise"),
        ("least-change?target=10", bytes(784), "target"),
        ("least-change", b"", "empty"),
    ],
)
def test_questions_that_make_no_sense_are_refused(client, address, body, words):
    response = client.post(f"/api/models/1/{address}", content=body)
    assert refused(response, 413 if len(body) > limits.DIGIT_BYTES else 400, words)
