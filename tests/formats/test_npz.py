import json
import os

import numpy as np
import pytest

from fastmlp import SGD, Dense, Network, Normal, Scaling, load
from fastmlp.data.targets import Labels
from fastmlp.errors import ArgumentError, ArgumentTypeError, DataFileError


def trained(X, y, **options):
    net = Network([4, Dense(5, "tanh", dropout=0.1), Dense(3, bias=False)], seed=2, initializer=Normal(0.3), **options)
    net.fit(X, y, epochs=2, engine="numpy", verbose=0)
    return net


@pytest.fixture
def network(blobs):
    return trained(*blobs)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.npz"


def changed(network, path, **arrays):
    """Save the network, then replace arrays of the file; None removes one, a function changes the header."""
    network.save(path)
    with np.load(path) as archive:
        held = dict(archive)
    for name, array in arrays.items():
        if name == "header" and callable(array):
            header = json.loads(held["header"].tobytes())
            array(header)
            held["header"] = np.frombuffer(json.dumps(header).encode(), dtype=np.uint8)
        elif array is None:
            del held[name]
        else:
            held[name] = array
    np.savez(path, **held)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dtype": "float64"},
        {"scaling": "standardize"},
        {"scaling": "pixels"},
        {"scaling": Scaling(2.0, np.arange(4.0))},
        {"scaling": Scaling(2.0, centre=np.arange(4.0))},
    ],
)
def test_a_loaded_network_answers_with_the_same_bits(blobs, path, options):
    X, _ = blobs
    network = trained(*blobs, **options)
    network.save(path)
    np.testing.assert_array_equal(load(path)(X, engine="numpy"), network(X, engine="numpy"))


@pytest.mark.parametrize("optimizer", ["adam", SGD(0.1, momentum=0.9)])
def test_a_loaded_network_goes_on_training_with_the_same_bits(blobs, path, optimizer):
    network = trained(*blobs)
    network.fit(*blobs, epochs=1, optimizer=optimizer, engine="numpy", verbose=0)
    network.save(path)
    loaded = load(path)
    for net in (network, loaded):
        net.fit(*blobs, epochs=2, optimizer=optimizer, engine="numpy", verbose=0)
    np.testing.assert_array_equal(loaded.state.parameters, network.state.parameters)


def test_a_network_that_was_never_trained_can_be_saved(blobs, path):
    network = Network([4, 3], scaling="standardize", seed=0)
    network.save(path)
    loaded = load(path)
    for net in (network, loaded):
        net.fit(*blobs, epochs=1, engine="numpy", verbose=0)
    np.testing.assert_array_equal(loaded.state.parameters, network.state.parameters)


def test_everything_a_user_sees_comes_back(network, path):
    network.save(path)
    loaded = load(path)
    assert (repr(loaded), repr(loaded.history), loaded.summary()) == (
        repr(network),
        repr(network.history),
        network.summary(),
    )
    assert loaded.architecture == network.architecture
    assert loaded.architecture.layers[0].initializer == Normal(0.3)


@pytest.mark.parametrize(
    "classes",
    [
        np.array([5, 7, 9]),
        np.array([0.5, 1.5, 2.5]),
        np.array(["äpfel", "birnen", "zwetschgen"]),
        np.array(["a", "b", "c"], dtype=object),
        np.array(["2020-01-01", "2021-01-01", "2022-01-01"], dtype="datetime64[D]"),
    ],
)
def test_labels_come_back_with_their_type(blobs, path, classes):
    X, y = blobs
    network = trained(X, classes[y])
    network.save(path)
    predicted = load(path).predict(X, engine="numpy")
    assert predicted.dtype == classes.dtype
    np.testing.assert_array_equal(predicted, network.predict(X, engine="numpy"))


@pytest.mark.parametrize("options", [{"loss": "quantile", "quantile": 0.9}, {"label_smoothing": 0.1}])
def test_the_parameters_of_losses_come_back(path, options):
    Network([4, 3], **options, seed=0).save(path)
    assert load(path).architecture == Network([4, 3], **options).architecture


def test_labels_that_a_file_cannot_hold_are_refused(blobs, path):
    X, y = blobs
    labels = np.empty(3, dtype=object)
    labels[:] = [(0,), (1,), (2,)]
    with pytest.raises(ArgumentError, match="labels"):
        trained(X, labels[y]).save(path)
    assert not path.exists()


def test_without_training_state_the_file_is_smaller(network, tmp_path):
    network.save(tmp_path / "all.npz")
    network.save(tmp_path / "weights.npz", training_state=False)
    assert (tmp_path / "weights.npz").stat().st_size < (tmp_path / "all.npz").stat().st_size
    np.testing.assert_array_equal(load(tmp_path / "weights.npz").state.parameters, network.state.parameters)


def test_numpy_reads_the_weights_without_pickle(network, path):
    network.save(path)
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["W1"], network.weights[1][0])


def test_the_same_network_gives_the_same_file(network, tmp_path):
    network.save(tmp_path / "a.npz")
    network.save(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


def test_a_failed_save_keeps_the_old_file_and_leaves_no_other(network, path, monkeypatch):
    network.save(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        network.save(path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_saving_through_a_link_keeps_the_link(network, tmp_path, path):
    path.symlink_to(tmp_path / "target.npz")
    network.save(path)
    assert path.is_symlink()
    assert load(tmp_path / "target.npz").seed == network.seed


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("network.pkl", ArgumentError, ".npz"),
        ("network", ArgumentError, ".npz"),
        ("nowhere/network.npz", ArgumentError, "folder"),
        (3, ArgumentTypeError, "path"),
    ],
)
def test_paths_that_cannot_be_written_are_refused(network, tmp_path, name, error, message):
    with pytest.raises(error, match=message):
        network.save(tmp_path / name if isinstance(name, str) else name)


def test_a_missing_file_is_told(path):
    with pytest.raises(DataFileError, match="no such file"):
        load(path)


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04" + bytes(100), b"PK\x05\x06" + bytes(18)])
def test_other_files_are_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=r"network\.npz: "):
        load(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_file_that_was_cut_off_is_refused(network, path, share):
    network.save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataFileError, match="cut off or damaged"):
        load(path)


@pytest.mark.parametrize("seed", range(30))
def test_a_damaged_file_is_refused_or_harmless(network, path, seed):
    network.save(path)
    content = bytearray(path.read_bytes())
    content[np.random.default_rng(seed).integers(len(content))] ^= 255
    path.write_bytes(content)
    try:
        loaded = load(path)
    except DataFileError as error:
        assert str(error).startswith(str(path))
    else:
        np.testing.assert_array_equal(loaded.state.parameters, network.state.parameters)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"header": None}, r"no network that fastmlp saved: W0 \(4, 5\)"),
        ({"header": np.frombuffer(b"{}", dtype=np.uint8)}, "not one of a fastmlp network"),
        ({"header": np.frombuffer(b"[[", dtype=np.uint8)}, "damaged"),
        ({"header": np.frombuffer("{}".encode("utf-16"), dtype=np.uint8)}, "damaged"),
        ({"header": lambda header: header.update(magic="other")}, "not one of a fastmlp network"),
        ({"header": lambda header: header.update(format=2)}, "newer fastmlp.*upgrade"),
        ({"header": lambda header: header.pop("seed")}, "lacks seed"),
        ({"header": lambda header: header.update(seed=-1)}, "seed"),
        ({"header": lambda header: header.update(history={"columns": {"x": []}})}, "column"),
        ({"header": lambda header: header.update(scaling="other")}, "scaling"),
        ({"header": lambda header: header["labels"].update(task="other")}, "task"),
        ({"header": lambda header: header["architecture"].update(loss="other")}, "unknown loss"),
        (
            {"header": lambda header: header["architecture"].update(inputs=2**24)},
            "parameters that its header announces",
        ),
        ({"header": lambda header: header["optimizer"].update(moments=10**9)}, "optimizer"),
        ({"W1": None}, "W1 is missing"),
        ({"W1": np.zeros((3, 5), np.float32)}, r"W1 has shape \(3, 5\)"),
        ({"W1": np.zeros((5, 3))}, "W1 has dtype float64"),
        ({"W1": np.full((5, 3), np.nan, np.float32)}, "W1 holds infinite or NaN"),
        ({"W1": np.zeros((5, 3), dtype=object)}, "W1 has dtype object"),
        ({"moment1_b0": np.full(5, np.inf, np.float32)}, "moment1_b0 holds infinite"),
        ({"classes": np.array([2, 1, 0])}, "ascending"),
    ],
)
def test_wrong_content_is_named(network, path, arrays, message):
    changed(network, path, **arrays)
    with pytest.raises(DataFileError, match=message) as error:
        load(path)
    assert str(error.value).startswith(str(path))


def test_compressed_archives_are_refused_before_they_are_unpacked(network, path):
    network.save(path)
    with np.load(path) as archive:
        held = dict(archive)
    np.savez_compressed(path, **held)
    with pytest.raises(DataFileError, match="compressed"):
        load(path)


def test_labels_that_are_not_finite_are_refused(network, path):
    network.labels = Labels("classes", np.array([0.5, 1.5, np.inf], dtype=object))
    with pytest.raises(ArgumentError, match="labels such as inf"):
        network.save(path)
    assert not path.exists()


def test_what_auto_found_comes_back(blobs, path):
    X, y = blobs
    trained((X * 10 + 100).astype(np.uint8), y).save(path)
    loaded = load(path)
    assert loaded.scaling.found_on == "pixels"
    with pytest.raises(ArgumentError, match="already scaled"):
        loaded.predict(np.full((1, 4), 0.5), engine="numpy")
    changed(loaded, path, header=lambda header: header.update(scaling_found_on="other"))
    with pytest.raises(DataFileError, match="scaling"):
        load(path)
