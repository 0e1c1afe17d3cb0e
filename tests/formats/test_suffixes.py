"""What holds for the files of every format."""

import json
import os
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp import Dense, Network, Scaling, load
from fastmlp.errors import ArgumentError, DataFileError, MissingDependencyError

SUFFIXES = [".npz", ".json", ".safetensors"]


@pytest.fixture(params=SUFFIXES)
def path(request, tmp_path):
    if request.param == ".safetensors":
        pytest.importorskip("safetensors")
    return tmp_path / f"network{request.param}"


def trained(X, y, **options):
    net = Network([4, Dense(5, "tanh", dropout=0.1), Dense(3, bias=False)], seed=2, **options)
    net.fit(X, y, epochs=2, engine="numpy", verbose=0)
    return net


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("scaling", ["auto", "standardize", Scaling(2.0, np.arange(4.0)), Scaling(centre=0.5)])
def test_a_network_goes_on_with_the_same_bits(blobs, path, dtype, scaling):
    network = trained(*blobs, dtype=dtype, scaling=scaling)
    network.save(path)
    loaded = load(path)
    for net in (network, loaded):
        net.fit(*blobs, epochs=1, engine="numpy", verbose=0)
    np.testing.assert_array_equal(loaded.state.parameters, network.state.parameters)
    np.testing.assert_array_equal(loaded(blobs[0], engine="numpy"), network(blobs[0], engine="numpy"))
    assert (repr(loaded), loaded.history["loss"]) == (repr(network), network.history["loss"])


def test_the_fields_of_a_scaling_come_back(path):
    for scaling in (Scaling(2.0, np.arange(4.0)), Scaling(np.arange(1.0, 5.0), -1.0, centre=1e8 + np.arange(4.0))):
        Network([4, 3], scaling=scaling, seed=0).save(path)
        read = load(path).scaling
        for name in ("scale", "shift", "centre"):
            np.testing.assert_array_equal(getattr(read, name), getattr(scaling, name))


def test_a_scaling_without_a_centre_is_written_as_ever(tmp_path):
    headers = {}
    for name, scaling in {"plain": Scaling(2.0, 1.0), "centred": Scaling(2.0, centre=1.0)}.items():
        Network([4, 3], scaling=scaling, seed=0).save(tmp_path / f"{name}.json")
        headers[name] = json.loads((tmp_path / f"{name}.json").read_text())
    assert headers["plain"]["scaling"] is None and "centre" not in headers["plain"]["arrays"]
    # By which readers that know no centre see that they can't read it.
    assert headers["centred"]["scaling"] == "centred"


@pytest.mark.parametrize("classes", [["äpfel", "birnen", "c"], [5, 7, 9], [0.5, 1.5, 2.5], [False, "x", 2]])
def test_labels_come_back(blobs, path, classes):
    X, y = blobs
    labels = np.array([f"{label}" for label in classes], dtype=object) if False in classes else np.array(classes)
    network = trained(X, labels[y])
    network.save(path)
    predicted = load(path).predict(X, engine="numpy")
    assert predicted.dtype == labels.dtype
    np.testing.assert_array_equal(predicted, network.predict(X, engine="numpy"))


def test_numbers_of_json_are_exact_and_short(tmp_path):
    network = Network([1, 1], loss="squared_error", seed=0)
    network.set_weights([([[0.1]], [1e-45])])
    network.save(tmp_path / "network.json")
    assert json.loads((tmp_path / "network.json").read_text())["arrays"]["W0"] == [[0.1]]
    np.testing.assert_array_equal(load(tmp_path / "network.json").weights[0][1], network.weights[0][1])


def test_an_unknown_suffix_is_told_with_those_there_are(tmp_path):
    for act in (Network([1, 2], seed=0).save, load):
        with pytest.raises(ArgumentError, match=r"\.npz, \.json, \.safetensors.*network\.h5"):
            act(tmp_path / "network.h5")


def test_dates_as_labels_are_refused_where_there_is_no_place_for_them(blobs, tmp_path):
    days = np.array(["2020-01-01", "2021-01-01", "2022-01-01"], dtype="datetime64[D]")
    with pytest.raises(ArgumentError, match=r"save.* as \.npz only"):
        trained(blobs[0], days[blobs[1]]).save(tmp_path / "network.json")


@pytest.mark.parametrize("package", ["safetensors", "onnx"])
def test_without_its_package_a_format_says_how_to_install_it(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    for act in (Network([1, 2], seed=0).save, load):
        with pytest.raises(MissingDependencyError, match=rf'pip install "{package}'):
            act(tmp_path / f"network.{package}")


def test_a_missing_file_is_told(path):
    with pytest.raises(DataFileError, match="no such file"):
        load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_no_regular_file_is_refused(path):
    os.mkfifo(path)
    with pytest.raises(DataFileError, match="not a regular file"):
        load(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.data())
def test_damaged_files_are_refused_or_harmless(path, data):
    Network([3, 4, 2], seed=1).save(path)
    content = bytearray(path.read_bytes())
    kind = data.draw(st.sampled_from(["cut off", "bytes", "other"]))
    if kind == "cut off":
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    elif kind == "bytes":
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
            content[place] = data.draw(st.integers(0, 255))
    else:
        content = data.draw(st.binary(max_size=200))
    path.write_bytes(content)
    try:
        loaded = load(path)
    except DataFileError as error:
        assert str(error).startswith(str(path))
    else:
        assert np.isfinite(loaded.state.parameters).all()


def changed_json(path, change):
    Network([4, 5, 3], seed=0).save(path)
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.update(magic="other"), "not one of a fastmlp network"),
        (lambda file: file.update(format=2), "newer fastmlp"),
        (lambda file: file.pop("arrays"), "arrays are missing"),
        (lambda file: file["arrays"].pop("W1"), "W1 is missing"),
        (lambda file: file["arrays"].update(W1=[[0.0]]), r"W1 has shape \(1, 1\)"),
        (lambda file: file["arrays"].update(b0=[1e300] * 5), "b0 holds infinite"),
        (lambda file: file["arrays"].update(b0=["x"] * 5), "damaged"),
        (lambda file: file["arrays"].update(b0=[[1], 2]), "damaged"),
        (lambda file: file["architecture"].update(inputs=2**24), "parameters that its header announces"),
        (lambda file: file.update(scaling=None) or file["arrays"].update(scale=[1.0], shift=[0.0]), "scaling has 1"),
        (
            lambda file: file.update(
                labels={
                    "task": "classes", "one_dimensional": True, "objects": None,
                    "dtype": "<U99999999", "values": ["a", "b", "c"],
                }
            ),
            "longer than the file",
        ),
    ],
)  # fmt: skip
def test_wrong_content_of_json_is_named(tmp_path, change, message):
    path = tmp_path / "network.json"
    changed_json(path, change)
    with pytest.raises(DataFileError, match=message):
        load(path)


@pytest.mark.parametrize("text", ["[" * 100_000, "9" * 10_000, "{}\0", '{"magic": "fastmlp"', "\ud800"])
def test_texts_that_trouble_parsers_are_refused(tmp_path, text):
    path = tmp_path / "network.json"
    path.write_bytes(text.encode(errors="surrogatepass"))
    with pytest.raises(DataFileError):
        load(path)
