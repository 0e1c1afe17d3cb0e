"""Files of other programs: read where they can only mean one thing, else told with what to do."""

import json

import numpy as np
import pytest

from fastmlp import Network, load
from fastmlp.errors import ArgumentError, DataFileError
from fastmlp.formats.plain_arrays import told

RNG = np.random.default_rng(0)
W1, b1, W2, b2 = (RNG.normal(size=shape) for shape in ((3, 4), (3, 1), (2, 3), (2, 1)))
NIELSENS = {
    "sizes": [4, 3, 2],
    "weights": [W1.tolist(), W2.tolist()],
    "biases": [b1.tolist(), b2.tolist()],
    "cost": "CrossEntropyCost",
}
X = RNG.random((7, 4))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.json"


@pytest.mark.parametrize(
    ("cost", "loss"), [("CrossEntropyCost", "binary_cross_entropy"), ("QuadraticCost", "squared_error")]
)
def test_networks_of_nielsens_book_are_read(path, cost, loss):
    path.write_text(json.dumps(NIELSENS | {"cost": cost}))
    network = load(path)
    expected = X.T
    for W, b in ((W1, b1), (W2, b2)):
        expected = 1 / (1 + np.exp(-(W @ expected + b)))
    np.testing.assert_allclose(network(X, engine="numpy"), expected.T, rtol=1e-12)
    np.testing.assert_array_equal(network.predict(X, engine="numpy"), expected.argmax(axis=0))
    assert (network.architecture.loss, network.architecture.dtype) == (loss, np.float64)


def test_one_output_has_no_labels(path):
    path.write_text(json.dumps(NIELSENS | {"sizes": [4, 1], "weights": [W1[:1].tolist()], "biases": [[[0.5]]]}))
    assert load(path).labels is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cost": "LogLikelihood"}, "cost 'LogLikelihood'; fastmlp knows CrossEntropyCost"),
        ({"sizes": [4, 5, 2]}, r"sizes \[4, 5, 2\], but layer 1 has weights of shape \(3, 4\)"),
        ({"sizes": [4, 3, 2, 1]}, "weights of 2 layers"),
        ({"biases": [b1.tolist(), [[0.0]]]}, "layer 2 .* biases of shape"),
        ({"weights": [[[float("nan")] * 4] * 3, W2.tolist()]}, "not finite"),
        ({"weights": [[[1], [2, 3]], W2.tolist()]}, "damaged"),
        ({"weights": "text"}, "damaged"),
    ],
)
def test_what_is_wrong_with_them_is_told(path, changes, message):
    path.write_text(json.dumps(NIELSENS | changes))
    with pytest.raises(DataFileError, match=message) as error:
        load(path)
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("shapes", "call"),
    [
        ({"W1": (784, 30), "b1": (30,), "W2": (30, 10), "b2": (10,)},
         "Network([784, 30, 10], hidden=..., output=...).set_weights([(W1, b1), (W2, b2)])"),
        ({"W1": (30, 784), "b1": (30, 1), "W2": (10, 30), "b2": (10, 1)},
         "Network([784, 30, 10], hidden=..., output=...).set_weights([(W1.T, b1.ravel()), (W2.T, b2.ravel())])"),
        ({"coefs_0": (4, 3), "coefs_1": (3, 2), "intercepts_0": (3,), "intercepts_1": (2,)},
         "Network([4, 3, 2], hidden=..., output=...).set_weights([(coefs_0, intercepts_0), (coefs_1, intercepts_1)])"),
        ({"W1": (4, 3), "W2": (3, 2)}, "Network([4, 3, 2], hidden=..., output=...).set_weights([(W1, None), (W2"),
        ({"w": (4, 1), "b": (1,)}, "Network([4, 1], hidden=..., output=...).set_weights([(w, b)])"),
        ({"x_train": (9, 28, 28), "y_train": (9,)}, "Network([...]).set_weights([(W, b), ...])"),
        ({"a": (4, 3), "b": (5, 2)}, "Network([...]).set_weights([(W, b), ...])"),
        ({"weights": None}, "weights objects. They"),
    ],
)  # fmt: skip
def test_arrays_are_told_with_the_lines_that_make_a_network(shapes, call):
    message = told(shapes)
    assert call in message
    assert all(name in message for name in shapes)


@pytest.mark.parametrize("suffix", [".npz", ".json", ".safetensors", "compressed.npz"])
def test_files_of_plain_arrays_name_them_with_their_shapes(tmp_path, suffix):
    arrays = {"W1": W1.T.copy(), "b1": b1[:, 0], "W2": W2.T.copy(), "b2": b2[:, 0]}
    path = tmp_path / f"file{suffix}"
    if suffix == ".json":
        path.write_text(json.dumps({name: array.tolist() for name, array in arrays.items()}))
    elif suffix == ".safetensors":
        pytest.importorskip("safetensors.numpy").save_file(arrays, path)
    else:
        (np.savez_compressed if "compressed" in suffix else np.savez)(path, **arrays)
    with pytest.raises(DataFileError, match=r"W1 \(4, 3\), .*W2 \(3, 2\).*set_weights\(\[\(W1, b1\)") as error:
        load(path)
    assert str(error.value).startswith(f"{path}: ")
    network = Network([4, 3, 2], hidden="tanh", seed=0)  # as the message says
    network.set_weights([(arrays["W1"], arrays["b1"]), (arrays["W2"], arrays["b2"])])


def test_arrays_of_objects_are_told_and_not_unpickled(tmp_path):
    np.savez(tmp_path / "file.npz", weights=np.array([W1, W2, None], dtype=object))
    with pytest.raises(DataFileError, match="weights objects"):
        load(tmp_path / "file.npz")


def test_a_folder_of_a_run_names_the_model_in_it(tmp_path):
    Network([2, 2]).save(tmp_path / "model.npz")
    with pytest.raises(ArgumentError, match=r"supported suffix.*the model in this folder is .*model\.npz"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("name", "function"),
    [("a.h5", "from_keras"), ("a.keras", "from_keras"), ("a.weights.h5", "from_keras"), ("a.hdf5", "from_keras"),
     ("a.pt", "from_torch"), ("a.PTH", "from_torch"), ("a.pth.tar", "from_torch"), ("a.pkl", "from_sklearn"),
     ("a.joblib", "from_sklearn"), ("a.pickle", "from_sklearn"), ("a.onnx.data", "give the .onnx file beside it")],
)  # fmt: skip
def test_files_of_other_libraries_name_the_function_that_takes_them(tmp_path, name, function):
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(ArgumentError, match=rf"supported suffix.*{name}.*{function}"):
        load(tmp_path / name)
