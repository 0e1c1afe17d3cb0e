"""Trainings that wait, and are advanced by a batch, a tenth of an epoch or an epoch."""

import time

import numpy as np
import pytest

from .asking import refused

SMALL = {"recipe": "numpy-tutorial", "hidden": [8], "epochs": 2, "batch_size": 50}


def start(client, **settings):
    return client.post("/api/trainings?slow=1", json=SMALL | settings).json()["id"]


def paused(page, identity):
    """The training, once it pauses."""
    training, until = page.shelf.get(identity).training, time.monotonic() + 60
    while training.state != "paused" and not training.is_over and time.monotonic() < until:
        time.sleep(0.01)
    assert training.state == "paused", training.message
    return training


def advanced(page, client, identity, by):
    response = client.post(f"/api/trainings/{identity}/{by}")
    assert response.status_code == 200, response.text
    return paused(page, identity)


def test_it_waits_before_the_first_step(page, client):
    training = paused(page, start(client))
    fresh = training.settings.changed_recipe().network(0)
    np.testing.assert_array_equal(training.model.look()[0].weights[0][0], fresh.weights[0][0])


def test_a_batch_is_one_step(page, client):
    identity = start(client)
    before = paused(page, identity).model.look()[0].weights[0][0].copy()
    training = advanced(page, client, identity, "batch")
    assert training.since(0)["points"][-1][0] == pytest.approx(50 / 1000)
    assert not np.array_equal(training.model.look()[0].weights[0][0], before)


@pytest.mark.parametrize("by, at", [("tenth", 0.1), ("epoch", 1.0)])
def test_it_advances_by_so_much(page, client, by, at):
    identity = start(client)
    paused(page, identity)
    assert advanced(page, client, identity, by).since(0)["points"][-1][0] == pytest.approx(at)


def test_waiting_changes_nothing_in_the_end(page, client):
    identity = start(client)
    paused(page, identity)
    advanced(page, client, identity, "batch")
    client.post(f"/api/trainings/{identity}/resume")
    training = page.shelf.get(identity).training
    training.join(60)
    assert training.state == "done"
    recipe = training.settings.changed_recipe()
    alone = recipe.network(0)
    recipe.fit(alone, recipe.data(page.gallery.dataset), verbose=0)
    np.testing.assert_array_equal(training.model.look()[0].weights[0][0], alone.weights[0][0])


def test_it_is_stopped_while_it_waits(page, client):
    identity = start(client)
    training = paused(page, identity)
    client.post(f"/api/trainings/{identity}/stop")
    training.join(30)
    assert training.state == "stopped"


def test_only_what_pauses_is_advanced(page, client):
    identity = client.post("/api/trainings", json=SMALL | {"epochs": 1000, "batch_size": 1}).json()["id"]
    assert refused(client.post(f"/api/trainings/{identity}/epoch"), 409, "paused")
    client.post(f"/api/trainings/{identity}/pause")
    paused(page, identity)
    assert refused(client.post(f"/api/trainings/{identity}/batch"), 409, "slow motion")
    client.post(f"/api/trainings/{identity}/stop")


def test_accuracy_moves_within_the_first_epoch(page, client):
    identity = client.post("/api/trainings", json=SMALL | {"epochs": 1, "batch_size": 1}).json()["id"]
    training = page.shelf.get(identity).training
    training.join(60)
    points = training.since(0)["points"]
    assert len(points) >= 10 and points[0][0] < 0.2 and points[-1][0] == 1


@pytest.mark.parametrize("slow", ["2", "x"])
def test_slow_is_a_switch(client, slow):
    assert refused(client.post(f"/api/trainings?slow={slow}", json=SMALL), 400, "slow")
