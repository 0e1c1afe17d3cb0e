"""Drawings, images and test digits looked at, and networks saved and loaded, over HTTP."""

import base64
import io

import numpy as np
import pytest
from starlette.testclient import TestClient

from fastmlp import Network, load, load_mnist
from fastmlp.errors import ArgumentError
from fastmlp.images import as_digit
from fastmlp.web import limits
from fastmlp.web.app import create_app
from fastmlp.web.looking import as_inputs, look, neuron
from fastmlp.web.page import Page
from fastmlp.web.shelf import Model

from .asking import a_one, png, refused, send_drawing


def numbers(text, dtype):
    return np.frombuffer(base64.b64decode(text), dtype)


def test_a_drawing_is_recognised(client):
    assert send_drawing(client, a_one()).json()["answer"] == "1"


def test_the_image_the_network_saw_is_the_librarys(client):
    found = send_drawing(client, a_one()).json()
    assert np.array_equal(numbers(found["seen"], np.uint8).reshape(28, 28), as_digit(a_one()))


@pytest.mark.parametrize(
    ("output", "loss", "kind"),
    [
        ("softmax", "cross_entropy", "probabilities"),
        ("sigmoid", "squared_error", "sigmoids"),
        ("sigmoid", "binary_cross_entropy", "sigmoids"),
        ("identity", "squared_error", "numbers"),
        ("tanh", "squared_error", "numbers"),
    ],
)
def test_outputs_are_told_as_they_are(output, loss, kind):
    net = Network([784, 4, 10], output=output, loss=loss, seed=0)
    digits = load_mnist().X_test[:1]
    found = look(net, digits.reshape(28, 28))
    assert found["kind"] == kind
    assert found["outputs"] == pytest.approx(net(as_inputs(net, digits))[0], abs=1e-5)
    assert found["digit"] == np.argmax(found["outputs"])


def test_activations_of_every_layer_are_told(client, network):
    found = send_drawing(client, a_one()).json()
    expected = network.activations(as_digit(a_one()).reshape(1, -1))[1:]
    for layer, values in zip(found["layers"], expected, strict=True):
        assert np.array_equal(numbers(layer, "<f4"), values[0])


def test_an_image_file_is_recognised(client):
    image = np.repeat(255 - a_one()[:, :, np.newaxis], 3, axis=2)
    assert client.post("/api/models/1/image", content=png(image)).json()["answer"] == "1"


def test_a_blank_drawing_is_refused(client):
    assert refused(send_drawing(client, np.zeros((280, 280), np.uint8)), 400, "the drawing")


def test_what_is_no_image_is_refused(client):
    assert client.post("/api/models/1/image", content=b"not an image").status_code == 400


@pytest.mark.parametrize(
    "query", ["width=10&height=11", "width=0&height=10", "width=-1&height=1", "width=ten", "width=1e2&height=1"]
)
def test_a_drawing_of_another_size_than_told_is_refused(client, query):
    assert client.post(f"/api/models/1/drawing?{query}", content=bytes(100)).status_code == 400


def test_a_drawing_that_is_too_long_is_refused(client):
    response = client.post("/api/models/1/drawing?width=1000&height=1000", content=bytes(limits.DRAWING_BYTES + 1))
    assert refused(response, 413, "at most")


def test_a_body_that_does_not_tell_its_length_is_bounded_too(client):
    chunks = (bytes(100_000) for _ in range(limits.DRAWING_BYTES // 100_000 + 1))
    assert refused(client.post("/api/models/1/drawing?width=1000&height=1000", content=chunks), 413, "at most")


def test_a_neuron_of_the_first_layer_looks_for_its_weights(client, network):
    found = client.get("/api/models/1/neurons/0/5").json()
    weights = network.weights[0][0][:, 5]
    assert found["direct"]
    assert found["limit"] == pytest.approx(np.abs(weights).max())
    assert numbers(found["weights"], np.int8) / 127 * found["limit"] == pytest.approx(weights, abs=found["limit"] / 250)


def test_the_first_neurons_are_told_on_one_scale(client, network):
    found = client.get("/api/models/1/weights").json()
    weights = network.weights[0][0].T
    assert found["neurons"] == 24
    assert numbers(found["weights"], np.int8) / 127 * found["limit"] == pytest.approx(
        weights.ravel(), abs=found["limit"] / 250
    )


def test_a_deeper_neuron_looks_through_the_layers_before(network):
    found = neuron(network, 1, 3)
    image = network.weights[0][0] @ network.weights[1][0][:, 3]
    assert not found["direct"]
    assert found["limit"] == pytest.approx(np.abs(image).max(), rel=1e-4)


@pytest.mark.parametrize("path", ["0/24", "2/0", "-1/0", "0/x"])
def test_neurons_that_are_not_there_are_refused(client, path):
    assert client.get(f"/api/models/1/neurons/{path}").status_code == 400


def test_the_gallery_pages_through_the_test_digits(client):
    found = client.get("/api/models/1/digits?page=1").json()
    assert found["total"] == 10_000
    assert [digit["number"] for digit in found["digits"]] == list(range(limits.DIGITS_A_PAGE, 2 * limits.DIGITS_A_PAGE))


def test_the_wrong_ones_are_wrong_and_the_surest_come_first(client):
    digits = client.get("/api/models/1/digits?wrong=1&label=4").json()["digits"]
    assert digits
    assert all(digit["answer"] != digit["label"] == "4" for digit in digits)
    outputs = [digit["output"] for digit in digits]
    assert outputs == sorted(outputs, reverse=True)


def test_the_gallery_tells_the_outputs_of_sigmoids_as_they_are():
    net = Network([784, 4, 10], output="sigmoid", loss="squared_error", seed=0)
    with TestClient(create_app(Page(net)), base_url="http://localhost") as client:
        found = client.get("/api/models/1/digits").json()
    expected = net(as_inputs(net, load_mnist().X_test[:40])).max(axis=1)
    assert found["kind"] == "sigmoids"
    assert [digit["output"] for digit in found["digits"]] == pytest.approx(expected, abs=1e-4)


def test_a_page_beyond_the_last_is_the_last(client):
    found = client.get("/api/models/1/digits?page=9999").json()
    assert found["page"] == found["pages"] - 1


def test_a_test_digit_is_looked_at_as_it_is(client):
    found = client.get("/api/models/1/digits/3").json()
    digits = load_mnist()
    assert found["label"] == str(digits.y_test[3])
    assert np.array_equal(numbers(found["seen"], np.uint8), digits.X_test[3])


def test_a_saved_network_is_the_network(client, network, tmp_path):
    (tmp_path / "saved.npz").write_bytes(client.get("/api/models/1/file").content)
    assert np.array_equal(load(tmp_path / "saved.npz").state.parameters, network.state.parameters)


def test_a_saved_network_can_be_loaded(client):
    response = client.post("/api/models?name=mine.npz", content=client.get("/api/models/1/file").content)
    assert response.status_code == 201
    assert response.json()["name"] == "mine.npz"
    assert send_drawing(client, a_one(), response.json()["id"]).json()["answer"] == "1"


def test_a_file_with_pickled_objects_is_refused(client):
    file = io.BytesIO()
    np.savez(file, header=np.array([{"never": "run"}], dtype=object))
    assert client.post("/api/models?name=bad.npz", content=file.getvalue()).status_code == 400


def test_a_damaged_file_is_refused_without_a_path_of_the_server(client):
    response = client.post("/api/models?name=bad.npz", content=client.get("/api/models/1/file").content[:5000])
    assert refused(response, 400, "bad.npz: ")
    assert "/tmp" not in response.text


@pytest.mark.parametrize(
    "layers",
    [
        [4, 10],
        [784, 3],
        [784, limits.MAX_UNITS + 1, 10],
        [784, *[4] * (limits.MAX_HIDDEN_LAYERS + 1), 10],
        [784, 2048, 2048, 10],
    ],
)
def test_networks_that_the_page_cannot_show_are_refused(layers):
    with pytest.raises(ArgumentError, match="the page shows networks of"):
        Page(Network(layers))


@pytest.mark.parametrize("scaling", ["auto", "pixels", "centred_pixels", "standardize"])
@pytest.mark.parametrize("unit", [1, 255])
def test_a_network_sees_pixels_as_it_was_trained_on_them(scaling, unit):
    if scaling.endswith("pixels") and unit == 255:
        pytest.skip("these scalings are of 0 to 255")
    digits = load_mnist()
    X, y = digits.X_train[:500], digits.y_train[:500]
    net = Network([784, 10], scaling=scaling, seed=0)
    net.fit(X if unit == 1 else X / 255, y, epochs=1, engine="numpy", verbose=0)
    expected = net(X[:1] if unit == 1 else X[:1] / 255, engine="numpy")
    assert net(as_inputs(net, X[:1]), engine="numpy") == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (np.arange(10), "0123456789"),
        (np.arange(10.0), "0123456789"),
        (np.array(list("9876543210")), "0123456789"),
        (np.array(list("abcdefghij")), "abcdefghij"),
    ],
)
def test_outputs_are_named_by_their_labels(labels, names):
    net = Network([784, 10], seed=0)
    digits = load_mnist()
    net.fit(digits.X_train[:500], labels[digits.y_train[:500]], epochs=1, engine="numpy", verbose=0)
    assert Model("net", net).facts()["labels"] == list(names)


def test_a_label_as_a_float_is_the_digit(network):
    digits = load_mnist()
    net = Network([784, 10], seed=0)
    net.fit(digits.X_train[:2000], digits.y_train[:2000].astype(float), epochs=2, engine="numpy", verbose=0)
    with TestClient(create_app(Page(net)), base_url="http://localhost") as client:
        found = client.get("/api/models/1/digits/0").json()
    assert (found["answer"], found["label"], found["right"]) == ("7", "7", True)


@pytest.mark.parametrize("output", ["identity", "sigmoid", "softmax"])
@pytest.mark.parametrize("path", ["digits/3", "digits", "neurons/2/0", "weights"])
def test_weights_that_overflow_are_shown_all_the_same(output, path):
    net = Network([784, 8, 8, 10], output=output, loss="cross_entropy" if output == "softmax" else "huber", seed=0)
    net.set_weights([(np.full_like(W, 1e38), b) for W, b in net.weights])
    page = Page(net)
    with TestClient(create_app(page), base_url="http://localhost") as client:
        assert client.get(f"/api/models/1/{path}").status_code == 200


def test_the_oldest_network_makes_room(client):
    file = client.get("/api/models/1/file").content
    for _ in range(limits.MAX_MODELS):
        client.post("/api/models?name=more.npz", content=file)
    known = [model["id"] for model in client.get("/api/models").json()["models"]]
    assert len(known) == limits.MAX_MODELS
    assert known[:2] == ["1", "3"]


def test_a_network_that_is_gone_is_told(client):
    assert refused(client.get("/api/models/99/file"), 404, "99")
