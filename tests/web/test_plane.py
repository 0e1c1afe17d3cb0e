"""Points of a plane and a network that learns them."""

import base64

import numpy as np
import pytest

from fastmlp import Adam, Network
from fastmlp.web import limits
from fastmlp.web.plane import SIDE, Plane, PlaneSettings
from fastmlp.web.plane_data import DATA, FEATURES, generate, inputs_of

from .asking import refused

GENERATED = [name for name in DATA if not name.startswith("own")]


def plane(**settings):
    return Plane(PlaneSettings.read({"n": 60, "hidden": [4], **settings}))


def start(client, **settings):
    return client.post("/api/planes", json={"n": 60, "hidden": [4], **settings})


@pytest.mark.parametrize("data", GENERATED)
def test_generated_points_are_the_same_each_time_and_lie_in_sight(data):
    X, y = generate(data, 200, 0.0, seed=1)
    again, _ = generate(data, 200, 0.0, seed=1)
    np.testing.assert_array_equal(X, again)
    assert len(X) == len(y) == 200
    assert np.abs(X).max() < 1.2
    assert len(np.unique(y)) in (2, 3) or DATA[data][1] == "numbers"


@pytest.mark.parametrize("data", GENERATED)
def test_a_network_learns_them(data):
    made = plane(data=data, n=400, noise=0.0, hidden=[32, 16], features=["x", "y", "sin x", "sin y"])
    before = made.frame()
    after = made.advance(epochs=300)
    assert after["loss"] < 0.3 * before["loss"]
    assert after["epochs"] == 300


def test_epochs_are_those_of_fit():
    made = plane(seed=3)
    made.advance(epochs=2)
    made.advance(epochs=3)
    alone = Network([2, 4, 2], hidden="tanh", loss="cross_entropy", scaling=None, seed=3)
    X, y = inputs_of(("x", "y"), made.X), made.y.astype(int)
    for epochs in (2, 3):
        alone.fit(X, y, epochs=epochs, batch_size=30, optimizer=Adam(0.01), verbose=0)
    np.testing.assert_array_equal(made.network.weights[0][0], alone.weights[0][0])


def test_the_same_settings_are_the_same_start(client):
    frames = [start(client).json()["frame"] for _ in range(2)]
    assert frames[0] == frames[1]


def test_the_grid_is_what_the_network_answers():
    made = plane(data="clusters")
    grid = np.frombuffer(base64.b64decode(made.advance(epochs=20)["grid"]), np.uint8).reshape(SIDE, SIDE, 3)
    corner = np.array([[-1.2 + 1.2 / SIDE, 1.2 - 1.2 / SIDE]])  # the first cell is the upper left one
    expected = made.network(inputs_of(("x", "y"), corner))[0]
    np.testing.assert_allclose(grid[0, 0] / 255, expected, atol=0.01)


def test_features_are_functions_of_the_coordinates():
    X = np.array([[0.5, -0.25]])
    np.testing.assert_allclose(
        inputs_of(tuple(FEATURES), X)[0],
        [0.5, -0.25, 0.25, 0.0625, -0.125, 1, -np.sqrt(0.5)],
        rtol=1e-6,
    )


def test_added_points_are_trained_on():
    made = plane(points=[[0.1, 0.2, 0]])
    assert len(made.X) == 31 and made.X[-1].tolist() == [0.1, 0.2]


def test_points_of_ones_own_make_a_plane():
    made = plane(data="own", points=[[-0.5, 0, 0], [0.5, 0, 2]])
    assert made.classes == [0, 2]
    assert made.advance(epochs=200)["accuracy"] == 1.0
    assert made.frame()["test_loss"] is None


def test_a_step_is_one_batch():
    made = plane(batch_size=10)
    before = made.network.weights[0][0].copy()
    assert made.advance(step=True)["epochs"] == 0
    assert not np.array_equal(made.network.weights[0][0], before)


def test_milliseconds_are_epochs_that_take_so_long():
    assert plane().advance(milliseconds=20)["epochs"] >= 1


def test_steps_that_explode_are_told():
    made = plane(data="wave", optimizer="sgd", learning_rate=1e30, activation="relu")
    assert "smaller learning rate" in made.advance(epochs=50)["message"]


def test_planes_beyond_the_limit_make_room(client):
    identities = [start(client).json()["id"] for _ in range(limits.MAX_PLANES + 1)]
    assert refused(client.post(f"/api/planes/{identities[0]}/advance?epochs=1"), 404, "no plane")
    assert client.post(f"/api/planes/{identities[1]}/advance?epochs=1").status_code == 200


@pytest.mark.parametrize(
    "settings, words",
    [
        ({"data": "moon"}, "moon"),
        ({"data": "own"}, "no points"),
        ({"data": "own", "points": [[0, 0, 1], [1, 1, 1]]}, "2 to 4 classes"),
        ({"data": "own", "points": [[0, 0, 1], [1, 1, 0.5]]}, "whole numbers"),
        ({"points": [[0, 0]]}, "point 1 must be x, y and a target"),
        ({"points": [[0, 0, 1e9]]}, "up to 1,000,000"),
        ({"points": 3}, "points must be a list"),
        ({"features": []}, "one or more"),
        ({"features": ["x", "x"]}, "each once"),
        ({"features": ["z"]}, "feature"),
        ({"hidden": [65]}, "units of a hidden layer"),
        ({"hidden": [1] * 5}, "4 layers at most"),
        ({"noise": 2}, "noise"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"n": 1}, "n must"),
        ({"speed": 1}, "speed"),
    ],
)
def test_planes_that_make_no_sense_are_refused(client, settings, words):
    assert refused(start(client, **settings), 400, words)


@pytest.mark.parametrize("end", ["epochs=5001", "epochs=x", "milliseconds=101", "step=2"])
def test_advances_out_of_range_are_refused(client, end):
    identity = start(client).json()["id"]
    assert client.post(f"/api/planes/{identity}/advance?{end}").status_code == 400
