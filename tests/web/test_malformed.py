"""Whatever is sent is answered with a sentence, and never with an error of the server's own."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp.web import limits
from fastmlp.web.plane import PlaneSettings
from fastmlp.web.settings import Settings
from fastmlp.web.sweep import AXES

SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted(Settings.__dataclass_fields__)) | st.text(max_size=10)
POSTS = (
    "/api/trainings",
    "/api/models",
    "/api/models/1/image",
    "/api/models/1/drawing",
    "/api/models/1/drawing?width=4&height=4",
    "/api/models/1/why/0/0",
    "/api/models/1/least-change",
    "/api/models/1/step?target=1&rate=1",
    "/api/sweeps",
    "/api/planes",
)
OBJECTS = {
    "/api/planes": st.sampled_from(sorted(PlaneSettings.__dataclass_fields__)) | st.text(max_size=10),
    "/api/sweeps": st.sampled_from(["settings", "axes", "seeds"]) | st.text(max_size=10),
}


def assert_refused_in_words(response):
    assert 400 <= response.status_code < 500, response.text
    assert len(response.json()["error"]) > 10


@SLOW
@given(st.sampled_from(POSTS), st.binary(max_size=300))
def test_bytes(client, path, body):
    if len(body) != 16:  # as many as that drawing has
        assert_refused_in_words(client.post(path, content=body))


@SLOW
@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=4))
def test_settings(client, wanted):
    wanted["epochs"] = "none"  # so that no training starts, whatever the rest
    assert_refused_in_words(client.post("/api/trainings", content=json.dumps(wanted)))


@SLOW
@given(st.data(), st.sampled_from(sorted(OBJECTS)))
def test_planes_and_sweeps(client, data, path):
    wanted = data.draw(st.dictionaries(OBJECTS[path], VALUES, min_size=1, max_size=4))
    wanted["none"] = 1  # so that nothing starts, whatever the rest
    assert_refused_in_words(client.post(path, content=json.dumps(wanted)))


@SLOW
@given(st.sampled_from(sorted(PlaneSettings.__dataclass_fields__)), VALUES)
def test_a_setting_of_a_plane_is_used_or_refused(client, name, value):
    response = client.post("/api/planes", content=json.dumps({"n": 20, "hidden": [2], name: value}))
    if response.status_code != 201:
        assert_refused_in_words(response)


@SLOW
@given(st.sampled_from(AXES), VALUES)
def test_values_of_a_sweep_that_make_no_sense(client, name, value):
    body = {"settings": {"recipe": "numpy-tutorial"}, "axes": {name: value}, "seeds": "none"}
    assert_refused_in_words(client.post("/api/sweeps", content=json.dumps(body)))


@SLOW
@given(st.sampled_from(["/api/models/1", "/api/models/7"]), VALUES)
def test_names(client, path, value):
    if not (isinstance(value, str) and 1 <= len(" ".join(value.split())) <= limits.MAX_NAME and path.endswith("1")):
        assert_refused_in_words(client.patch(path, content=json.dumps({"name": value})))


@SLOW
@given(VALUES)
def test_json_that_is_no_object(client, value):
    if not isinstance(value, dict):
        assert_refused_in_words(client.post("/api/trainings", content=json.dumps(value)))


@pytest.mark.parametrize(
    "body", ["[" * 16_000, '{"epochs": ' + "9" * 8000 + "}", '{"epochs": NaN}', "\ufeff{}", "{", '"\\ud800"']
)
def test_json_that_breaks_parsers(client, body):
    assert_refused_in_words(client.post("/api/trainings", content=body.encode()))


@SLOW
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), st.sampled_from(["width", "height"]))
def test_sizes_of_drawings(client, text, name):
    query = {"width": "4", "height": "4", name: text}
    if text.strip() != "4":
        assert_refused_in_words(client.post("/api/models/1/drawing", params=query, content=bytes(16)))


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/static/../app.py",
        "/static/nothing.js",
        "/api/models/x/digits",
        "/api/models/1/digits?page=x",
        "/api/models/1/digits?label=10",
        "/api/models/1/digits?wrong=2",
        "/api/models/1/digits/10000",
        "/api/models/1/digits/%00",
        "/api/models/1/digits/" + "9" * 5000,
        "/api/models/1/neurons/0/²",
        "/api/models/1/digits/0?turn=x",
        "/api/models/1/digits/0?noise=1e400",
        "/api/trainings/1/nothing",
        "/api/sweeps/1/events",
    ],
)
def test_addresses(client, path):
    assert_refused_in_words(client.get(path))


def test_methods(client):
    assert_refused_in_words(client.delete("/api/models"))
