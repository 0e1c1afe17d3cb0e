"""Advice while a network learns badly, and names of networks."""

import pytest

from fastmlp import recipes
from fastmlp.web.advice import advice
from fastmlp.web.settings import Settings

from .asking import events, refused, train

KERAS = Settings.of(recipes.get("keras"))


def epochs(losses, accuracies=None, validated=()):
    columns = {"loss": losses, "accuracy": accuracies or [0.9] * len(losses)} | (
        {"val_loss": validated} if validated else {}
    )
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize(
    "rows, words",
    [
        (epochs([2.31, 2.305, 2.303], [0.1, 0.11, 0.1]), "stays at 2.30, which is guessing"),
        (epochs([0.5, 0.9, 1.4]), "grown from 0.50 to 1.40"),
        (epochs([0.5, 0.3, 0.1, 0.05, 0.02], validated=[0.4, 0.3, 0.35, 0.4, 0.5]), "lowest after epoch 2"),
        (epochs([0.5, None, None]), "no longer finite"),
    ],
)
def test_what_is_wrong_gets_a_remedy(rows, words):
    assert words in advice(KERAS, rows)


def test_what_learns_well_gets_none():
    assert advice(KERAS, epochs([0.5, 0.3, 0.2, 0.199], validated=[0.5, 0.4, 0.35, 0.34])) == ""


def test_what_still_falls_at_the_end_is_told_to_go_on():
    assert "more epochs" in advice(KERAS, epochs([2.0, 1.5, 1.0]), is_over=True)


def test_a_training_that_diverges_is_given_a_smaller_rate(client):
    identity = train(client, optimizer="sgd", loss="squared_error", learning_rate=1e30, activation="relu")
    last = [told for told in events(client, identity) if told][-1]
    assert last["state"] == "failed"
    assert "Divide the learning rate by 10" in last["advice"]


def test_networks_of_one_name_are_numbered(client):
    names = {client.get("/api/models").json()["models"][0]["name"]}
    for _ in range(2):
        identity = train(client)
        events(client, identity)
    models = client.get("/api/models").json()["models"]
    names = [model["name"] for model in models]
    assert len(set(names)) == 3 and names[2] == f"{names[1]} (2)"


def test_a_network_is_renamed(client):
    assert client.patch("/api/models/1", json={"name": "  my  first "}).json()["name"] == "my first"
    assert client.get("/api/models").json()["models"][0]["name"] == "my first"


@pytest.mark.parametrize("body", [{}, {"name": 3}, {"name": "  "}, {"name": "a" * 61}])
def test_names_that_are_none_are_refused(client, body):
    assert refused(client.patch("/api/models/1", json=body), 400, "name must be")


def test_a_network_is_deleted(client):
    identity = train(client)
    events(client, identity)
    assert client.delete(f"/api/models/{identity}").status_code == 200
    assert refused(client.get(f"/api/models/{identity}/weights"), 404, "no network")


def test_the_only_network_stays(client):
    assert refused(client.delete("/api/models/1"), 409, "only network")


def test_a_network_in_training_stays(client):
    identity = train(client, epochs=500)
    assert refused(client.delete(f"/api/models/{identity}"), 409, "stop it first")
