"""The C that is written, compiled without a warning, gives the outputs of the network."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given

from fastmlp import Dense, Network, Scaling
from fastmlp.data.targets import Labels
from fastmlp.errors import ArgumentError
from fastmlp.model.activations import ACTIVATIONS

from .strategies import networks

COMPILER = shutil.which("gcc") or shutil.which("cc")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="needs a C compiler")
FLAGS = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-Wmissing-prototypes", "-Wconversion", "-Wvla"]


def compiled(network, folder, name="model"):
    network.save(folder / f"{name}.c")
    library = folder / f"{name}.so"
    command = [COMPILER, *FLAGS, "-shared", "-fPIC", f"{folder / name}.c", "-o", library, "-lm"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return ctypes.CDLL(str(library))


def outputs_of(library, network, X):
    rows = np.ascontiguousarray(X, dtype=np.float32)
    outputs = np.full((len(rows), network.architecture.outputs), np.nan, dtype=np.float32)
    pointer = ctypes.POINTER(ctypes.c_float)
    for row, output in zip(rows, outputs, strict=True):
        library.predict(row.ctypes.data_as(pointer), output.ctypes.data_as(pointer))
    return outputs


@needs_compiler
@given(network=networks())
def test_the_outputs_are_the_networks(tmp_path_factory, network):
    folder = tmp_path_factory.mktemp("c")
    X = np.random.default_rng(network.seed).normal(size=(5, network.architecture.inputs)).astype(np.float32) * 3
    np.testing.assert_allclose(
        outputs_of(compiled(network, folder), network, X), network(X, engine="numpy"), rtol=2e-5, atol=2e-6
    )


@needs_compiler
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_extreme_numbers_stay_finite_where_ours_do(tmp_path, activation):
    network = Network([3, Dense(3, activation)], loss="squared_error", seed=0, scaling=None)
    network.set_weights([(np.eye(3), np.zeros(3))])
    X = np.array([[-1e4, 0, 1e4], [-30, -1e-30, 30]], dtype=np.float32)
    np.testing.assert_allclose(
        outputs_of(compiled(network, tmp_path), network, X), network(X, engine="numpy"), rtol=2e-5, atol=1e-6
    )


@needs_compiler
def test_weights_are_exact(tmp_path):
    network = Network([2, 1], loss="squared_error", bias=False, scaling=None, seed=0)
    weights = np.array([[0.1], [1e-45]], dtype=np.float32)
    network.set_weights([(weights, None)])
    np.testing.assert_array_equal(
        outputs_of(compiled(network, tmp_path), network, np.eye(2))[:, 0].view(np.int32), weights[:, 0].view(np.int32)
    )


LABELS = ["", "REAL 0.5F expF(", 'say "no"\\', "*/ int x; /*", "a ??/ b", "äpfel\n", "x" * 300]


@needs_compiler
def test_labels_are_there_whatever_they_are(tmp_path):
    network = Network([2, len(LABELS)], seed=0)
    network.labels = Labels("classes", np.array(sorted(LABELS)))
    library = compiled(network, tmp_path)
    held = (ctypes.c_char_p * len(LABELS)).in_dll(library, "labels")
    assert [label.decode() for label in held] == sorted(LABELS)


@needs_compiler
def test_a_trained_binary_network_on_standardized_features(tmp_path, blobs):
    X, y = blobs
    network = Network([4, 6, 1], loss="binary_cross_entropy", scaling="standardize", seed=0)
    network.fit(X, np.where(y > 0, "yes", "no"), epochs=2, engine="numpy", verbose=0)
    library = compiled(network, tmp_path)
    np.testing.assert_allclose(outputs_of(library, network, X), network(X, engine="numpy"), rtol=1e-5, atol=1e-6)
    assert (ctypes.c_char_p * 2).in_dll(library, "labels")[1] == b"yes"


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_features_far_from_zero_are_centred_first(tmp_path, dtype):
    X = (np.random.default_rng(0).normal(size=(20, 3)) + np.array([1e4, 0.0, -1e6])).astype(np.float32)
    network = Network([3, 4, 2], scaling=Scaling.standardize(X), dtype=dtype, seed=0)
    library = compiled(network, tmp_path)
    np.testing.assert_allclose(outputs_of(library, network, X), network(X, engine="numpy"), rtol=1e-5, atol=1e-6)


def test_a_label_that_is_too_long_is_refused(tmp_path):
    network = Network([2, 2], seed=0)
    network.labels = Labels("classes", np.array(["a", "b" * 5000]))
    with pytest.raises(ArgumentError, match="at most 4,095 bytes"):
        network.save(tmp_path / "model.c")
    assert not list(tmp_path.iterdir())
