"""Runs beside one another, and sweeps of settings."""

import json
import time

import pytest

from fastmlp.web import limits
from fastmlp.web.settings import Settings

from .asking import events, refused, train

SHARED = {"recipe": "numpy-tutorial", "hidden": [8], "epochs": 2, "batch_size": 50, "rows": 500}
RATES = {"learning_rate": [0.001, 0.01]}


def start(client, axes=RATES, seeds=2, **settings):
    body = {"settings": SHARED | settings, "axes": axes, "seeds": seeds}
    return client.post("/api/sweeps", json=body)


def swept(client, identity):
    """What is told last of a sweep, and the epochs of each network."""
    with client.stream("GET", f"/api/sweeps/{identity}/events") as response:
        told = [json.loads(line[6:]) for line in response.iter_lines() if line.startswith('data: {"')]
    rows = [[] for _ in told[0]["networks"]]
    for one in told:
        for kept, network in zip(rows, one["networks"], strict=True):
            kept.extend(network["rows"])
    return told[-1], rows


def test_runs_have_the_curves_of_their_training(client):
    identity = train(client)
    last = events(client, identity)[-2]
    run = client.get("/api/runs").json()["runs"][-1]
    assert run["id"] == identity
    assert len(run["curves"]["accuracy"]) == last["epochs"] == 2


def test_runs_of_loaded_networks_have_the_curves_of_their_file(client, network):
    (run,) = client.get("/api/runs").json()["runs"]
    assert run["curves"]["loss"] == network.history["loss"]
    assert run["settings"] is None


def test_a_sweep_trains_every_combination(client):
    facts = start(client, RATES | {"hidden": [[4], [8]]}).json()
    told, rows = swept(client, facts["id"])
    assert told["state"] == "done", told["message"]
    assert [len(one) for one in rows] == [2] * 8
    assert all(0 <= one["test_accuracy"] <= 1 for one in told["networks"])


def test_a_network_of_a_sweep_is_the_one_that_is_trained_alone(client):
    facts = start(client, {"learning_rate": [0.01]}, seeds=1).json()
    told, _ = swept(client, facts["id"])
    identity = train(client, **SHARED, learning_rate=0.01)
    alone = [one for one in events(client, identity) if one][-1]
    assert told["networks"][0]["test_accuracy"] == alone["test_accuracy"]


def test_a_sweep_over_rows_trains_each_network_on_so_many(client):
    facts = start(client, {"rows": [100, 500]}, seeds=1).json()
    told, rows = swept(client, facts["id"])
    assert told["state"] == "done"
    assert rows[0][-1]["accuracy"] != rows[1][-1]["accuracy"]


def test_a_network_of_a_sweep_can_be_kept(client):
    facts = start(client).json()
    swept(client, facts["id"])
    kept = client.post(f"/api/sweeps/{facts['id']}/keep/3")
    assert kept.status_code == 201
    assert kept.json()["name"] == "numpy-tutorial, learning rate 0.01, seed 1"
    assert kept.json()["id"] in [model["id"] for model in client.get("/api/models").json()["models"]]


def test_a_second_sweep_waits_for_the_first(client):
    facts = start(client, epochs=500).json()
    assert refused(start(client), 429, "under way already")
    assert refused(client.post(f"/api/sweeps/{facts['id']}/keep/0"), 409, "not over")
    client.post(f"/api/sweeps/{facts['id']}/stop")
    told, _ = swept(client, facts["id"])
    assert told["state"] == "stopped"


def test_a_page_that_closes_stops_its_sweep(page, client):
    facts = start(client, epochs=1000).json()
    page.close()
    sweep, until = page.sweeps.get(facts["id"]), time.monotonic() + 30
    while not sweep.is_over and time.monotonic() < until:
        time.sleep(0.05)
    assert sweep.state == "stopped"


@pytest.mark.parametrize(
    "body, words",
    [
        ({"axes": {}}, "one or two settings"),
        ({"axes": {"seed": [1]}}, "setting to vary"),
        ({"axes": {"learning_rate": 3}}, "a list of 1 to 8 values"),
        ({"axes": {"learning_rate": [1, 1]}}, "twice"),
        ({"axes": {"learning_rate": [-1]}}, "learning_rate"),
        ({"axes": {"rows": [0]}}, "rows"),
        ({"axes": RATES, "seeds": 40}, "60 networks at most"),
        ({"axes": RATES, "seeds": 1.5}, "seeds"),
        ({"axes": RATES, "seeds": 3, "settings": {"hidden": [1500]}}, "6,000,000 parameters together"),
        ({"axes": RATES, "rate": 1}, "part of a sweep"),
        ({"axes": [], "settings": {}}, "JSON objects"),
    ],
)
def test_sweeps_that_make_no_sense_are_refused(client, body, words):
    assert refused(client.post("/api/sweeps", json=body), 400, words)


@pytest.mark.parametrize("address", ["/api/sweeps/7/events", "/api/sweeps/7/stop", "/api/sweeps/7/keep/0"])
def test_a_sweep_that_is_not_there_is_told(client, address):
    ask = client.get if address.endswith("events") else client.post
    assert refused(ask(address), 404, "no sweep")


def test_rows_that_are_left_out_validate_a_recipe_that_validates_on_none(page):
    settings = Settings.read({"recipe": "from-scratch", "rows": 1000})
    data = settings.data(page.gallery.dataset)
    assert len(data.X_train) == 1000
    assert data.X_val is not None and len(data.X_val) <= limits.VALIDATION_ROWS
    assert (data.X_val[0] != data.X_train[0]).any()
