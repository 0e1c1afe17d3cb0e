"""Trainings over HTTP: settings, events, pause, stop, limits."""

import threading

import numpy as np
import pytest

from fastmlp import recipes
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.recipes.changes import HIDDEN_ACTIVATIONS, OUTPUT_OF_LOSS
from fastmlp.web import limits
from fastmlp.web.settings import Settings

from .asking import events, refused, train

FOREVER = {"epochs": limits.MAX_EPOCHS, "hidden": [256, 256], "batch_size": 1}


@pytest.mark.parametrize("name", recipes.names())
def test_settings_of_a_recipe_are_the_recipe(name):
    recipe = recipes.get(name)
    made = Settings.read({"recipe": name}).changed_recipe()
    assert made.network(0).architecture == recipe.network(0).architecture
    assert (made.optimizer, made.batch_size, made.epochs) == (recipe.optimizer, recipe.batch_size, recipe.epochs)


@pytest.mark.parametrize("loss", OUTPUT_OF_LOSS)
@pytest.mark.parametrize("recipe", ["nielsen", "keras"])
def test_every_loss_goes_with_every_recipe(loss, recipe):
    assert Settings.read({"recipe": recipe, "loss": loss}).changed_recipe().network().architecture.loss == loss


@pytest.mark.parametrize("activation", HIDDEN_ACTIVATIONS)
def test_every_activation_can_be_hidden(activation):
    made = Settings.read({"activation": activation, "dropout": 0.5}).changed_recipe().network().architecture
    assert [layer.activation for layer in made.layers] == [activation, activation, "softmax"]
    assert [layer.dropout for layer in made.layers] == [0.5, 0.5, 0]


@pytest.mark.parametrize(
    "wanted",
    [
        {"recipe": "kears"},
        {"recipes": "keras"},
        {"hidden": [2048, 2048]},
        {"hidden": [0]},
        {"hidden": [limits.MAX_UNITS + 1]},
        {"hidden": [1] * (limits.MAX_HIDDEN_LAYERS + 1)},
        {"activation": "softmax"},
        {"loss": "poisson"},
        {"dropout": 1},
        {"learning_rate": -1},
        {"epochs": limits.MAX_EPOCHS + 1},
        {"batch_size": 0},
        {"seed": -1},
    ],
)
def test_settings_out_of_their_range_are_refused(wanted):
    with pytest.raises(ArgumentError):
        Settings.read(wanted)


@pytest.mark.parametrize(
    "wanted", [{"hidden": "128"}, {"hidden": [1.5]}, {"epochs": "5"}, {"learning_rate": None}, {"dropout": []}]
)
def test_settings_of_another_type_are_refused(wanted):
    with pytest.raises(ArgumentTypeError):
        Settings.read(wanted)


def test_a_training_is_told_epoch_by_epoch(client):
    told = events(client, train(client, epochs=3))
    rows = [row for event in told for row in event["rows"]]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert told[-1]["state"] == "done"
    assert 0 < told[-1]["test_accuracy"] < 1


def test_a_training_trains_what_the_recipe_does(client, page):
    identity = train(client, epochs=2)
    events(client, identity)
    recipe = page.shelf.get(identity).training.settings.changed_recipe()
    expected = recipe.network(0)
    recipe.fit(expected, recipe.data(page.gallery.dataset), verbose=0)
    assert np.array_equal(page.shelf.get(identity).look()[0].state.parameters, expected.state.parameters)


def test_weights_are_told_with_every_event(client):
    told = events(client, train(client, hidden=[5], epochs=1))
    assert told[-1]["weights"]["neurons"] == 5


def test_a_training_that_diverges_says_so(client):
    told = events(client, train(client, learning_rate=1e30, epochs=2))
    assert told[-1]["state"] == "failed"
    assert "diverged" in told[-1]["message"]


def test_a_stopped_training_is_over(client):
    identity = train(client, **FOREVER)
    assert client.post(f"/api/trainings/{identity}/stop").status_code == 200
    assert events(client, identity)[-1]["state"] == "stopped"


def test_a_paused_training_waits_and_goes_on_to_the_same_end(client, page):
    straight, paused = train(client, epochs=6), train(client, epochs=6)
    training = page.shelf.get(paused).training
    client.post(f"/api/trainings/{paused}/pause")
    client.post(f"/api/trainings/{paused}/resume")
    for identity in (straight, paused):
        events(client, identity)
    assert training.state == "done"
    ends = [page.shelf.get(identity).look()[0].state.parameters for identity in (straight, paused)]
    assert np.array_equal(*ends)


def test_a_paused_training_can_be_stopped(client, page):
    identity = train(client, epochs=limits.MAX_EPOCHS, batch_size=10)
    client.post(f"/api/trainings/{identity}/pause")
    client.post(f"/api/trainings/{identity}/stop")
    assert events(client, identity)[-1]["state"] == "stopped"


def test_what_is_over_cannot_be_steered(client):
    identity = train(client, epochs=1)
    events(client, identity)
    assert refused(client.post(f"/api/trainings/{identity}/pause"), 409, "over")


def test_a_loaded_network_has_no_training(client):
    assert refused(client.get("/api/trainings/1/events"), 404, "loaded")


def test_more_trainings_than_allowed_are_refused(client):
    for _ in range(limits.MAX_RUNNING):
        train(client, **FOREVER)
    assert refused(client.post("/api/trainings", json={}), 429, "under way")


def test_closing_ends_all_trainings(client, page):
    train(client, **FOREVER)
    page.close()
    assert "fastmlp training" not in [thread.name for thread in threading.enumerate()]
