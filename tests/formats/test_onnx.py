"""ONNX Runtime's outputs are ours, and plain MLPs of other exporters are read."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fastmlp import Dense, Network, Scaling, load
from fastmlp.errors import DataFileError
from fastmlp.model.activations import ACTIVATIONS

from .strategies import networks

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402

X4 = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "network.onnx"


def by_onnxruntime(path, X, dtype):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(["outputs"], {"X": X.astype(dtype)})[0]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=networks())
def test_onnx_runtime_gives_our_outputs_for_any_number_of_rows(path, network):
    network.save(path)
    onnx.checker.check_model(str(path), full_check=True)
    X = np.random.default_rng(network.seed).normal(size=(7, network.architecture.inputs)) * 2
    for rows in (X, X[:1]):
        ours = network(rows.astype(network.architecture.dtype), engine="numpy")
        np.testing.assert_allclose(by_onnxruntime(path, rows, network.architecture.dtype), ours, rtol=1e-5, atol=1e-5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(network=networks())
def test_what_was_written_is_read_again(path, network):
    network.save(path)
    loaded = load(path)
    X = np.random.default_rng(0).normal(size=(5, network.architecture.inputs)).astype(np.float32)
    np.testing.assert_allclose(loaded(X, engine="numpy"), network(X, engine="numpy"), rtol=1e-5, atol=1e-5)
    if network.architecture.dtype == np.float32:
        np.testing.assert_array_equal(loaded.state.parameters, network.state.parameters)
    assert loaded.architecture.loss == network.architecture.loss


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_extreme_numbers(path, activation):
    network = Network([4, Dense(4, activation)], loss="squared_error", scaling=None, seed=0)
    network.set_weights([(np.eye(4), np.zeros(4))])
    network.save(path)
    X = np.array([[-1e4, 0, 1e-30, 1e4]], dtype=np.float32)
    np.testing.assert_allclose(by_onnxruntime(path, X, np.float32), network(X, engine="numpy"), rtol=1e-5, atol=1e-5)


def test_labels_and_scaling_travel(path, blobs):
    X, y = blobs
    network = Network([4, 5, 3], scaling="standardize", seed=0)
    network.fit(X, np.array(["a", "b", "c"])[y], epochs=2, engine="numpy", verbose=0)
    network.save(path)
    np.testing.assert_array_equal(load(path).predict(X, engine="numpy"), network.predict(X, engine="numpy"))
    held = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert json.loads(held["labels"]) == ["a", "b", "c"]


def write(path, nodes, constants, outputs=("y",), inputs=("x",), **options):
    """Write a graph by hand; a node is (operator, inputs, output, attributes)."""
    made = [
        helper.make_node(operator, takes, [gives], name=f"n{number}", **attributes)
        for number, (operator, takes, gives, attributes) in enumerate(nodes)
    ]
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in constants.items()]
    infos = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names] for names in (inputs, outputs)
    ]
    path.write_bytes(helper.make_model(helper.make_graph(made, "g", *infos, tensors), **options).SerializeToString())
    return path


@pytest.mark.parametrize(("dtype", "distance"), [("float32", 1e5), ("float64", 1e8)])
def test_features_far_from_zero_are_centred_first(path, dtype, distance):
    X = (np.random.default_rng(0).normal(size=(20, 3)) + distance * np.arange(-1, 2)).astype(dtype)
    network = Network([3, 4, 2], scaling=Scaling.standardize(X), dtype=dtype, seed=0)
    network.save(path)
    np.testing.assert_allclose(by_onnxruntime(path, X, dtype), network(X, engine="numpy"), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(load(path)(X, engine="numpy"), network(X, engine="numpy"), rtol=1e-5, atol=1e-6)


W = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
V = np.random.default_rng(2).normal(size=(3, 2)).astype(np.float32)
B = np.array([0.5, -1, 2], dtype=np.float32)


def test_matrix_products_and_sums_with_scaling_are_read(path):
    mean, deviation = np.float32([1, 2, 3, 4]), np.float32([[2, 2, 4, 4]])
    write(
        path,
        [
            ("Cast", ["x"], "c", {"to": 1}),
            ("Sub", ["c", "mean"], "d", {}),
            ("Div", ["d", "deviation"], "s", {}),
            ("MatMul", ["s", "W"], "p", {}),
            ("Add", ["b", "p"], "z", {}),
            ("Tanh", ["z"], "a", {}),
            ("MatMul", ["a", "V"], "y", {}),
        ],
        {"mean": mean, "deviation": deviation, "W": W, "b": B, "V": V},
    )
    expected = np.tanh((X4 - mean) / deviation @ W + B) @ V
    np.testing.assert_allclose(load(path)(X4, engine="numpy"), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "nodes",
    [
        [("Sub", ["x", "m"], "d", {}), ("Div", ["d", "s"], "a", {})],
        [("Sub", ["x", "m"], "d", {}), ("Mul", ["r", "d"], "a", {})],
        [("Add", ["x", "n"], "d", {}), ("Div", ["d", "s"], "a", {})],
        [("Sub", ["m", "x"], "d", {}), ("Div", ["d", "n"], "e", {}), ("Mul", ["e", "w"], "a", {})],
        [("Scaler", ["x"], "a", {"domain": "ai.onnx.ml", "offset": [1e8, 2.0, 3.0, 4.0], "scale": [0.3] * 4})],
    ],
    ids=lambda nodes: "".join(node[0] for node in nodes),
)
def test_a_mean_that_is_subtracted_first_is_read_as_the_centre(path, nodes):
    mean, factor = np.array([1e8, 2.0, 3.0, 4.0]), np.float64(np.float32(0.3))
    constants = {"m": mean, "n": -mean, "s": 1 / factor, "r": factor, "w": mean * factor, "W": W}
    write(path, [*nodes, ("MatMul", ["a", "W"], "y", {})], constants)
    X = mean + np.array([[7.0, 1.0, 0.0, -1.0]])
    np.testing.assert_allclose(load(path).scaling.apply(X), (X - mean) * factor, rtol=1e-12)


def test_a_gemm_as_pytorch_writes_it_is_read(path):
    write(
        path,
        [
            ("Flatten", ["x"], "f", {}),
            ("Gemm", ["f", "Wt", "b"], "z", {"transB": 1, "alpha": 2.0, "beta": 0.5}),
            ("Sigmoid", ["z"], "s", {}),
            ("Mul", ["z", "s"], "a", {}),
            ("Gemm", ["a", "V"], "l", {}),
            ("Softmax", ["l"], "y", {"axis": -1}),
        ],
        {"Wt": W.T, "b": B, "V": V},
    )
    net = load(path)
    assert [layer.activation for layer in net.architecture.layers] == ["silu", "softmax"]
    np.testing.assert_allclose(net.weights[0][0], 2 * W)
    np.testing.assert_allclose(net.weights[0][1], B / 2)


def test_arithmetic_between_layers_goes_into_the_weights(path):
    write(
        path,
        [
            ("MatMul", ["x", "W"], "z", {}),
            ("Relu", ["z"], "a", {}),
            ("Mul", ["a", "b"], "m", {}),
            ("Add", ["m", "b"], "n", {}),
            ("MatMul", ["n", "V"], "p", {}),
            ("Mul", ["two", "p"], "y", {}),
        ],
        {"W": W, "b": B, "V": V, "two": np.float32(2)},
    )
    expected = 2 * ((np.maximum(X4 @ W, 0) * B + B) @ V)
    np.testing.assert_allclose(load(path)(X4, engine="numpy"), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("last", [False, True])
def test_gelu_in_parts_is_read(path, last):
    nodes = [
        ("MatMul", ["x", "W"], "z", {}),
        ("Div", ["z", "root"], "d", {}),
        ("Erf", ["d"], "e", {}),
        ("Add", ["e", "one"], "f", {}),
        ("Mul", ["z", "f"], "m", {}),
        ("Mul", ["m", "half"], "y" if last else "a", {}),
        *([] if last else [("MatMul", ["a", "V"], "y", {})]),
    ]
    numbers = {"root": np.float32(np.sqrt(2)), "one": np.float32(1), "half": np.float32(0.5)}
    net = load(write(path, nodes, {"W": W, "V": V, **numbers}))
    assert net.architecture.layers[0].activation == "gelu"
    np.testing.assert_array_equal(net.weights[-1][0], W if last else V)
    assert net.weights[-1][1] is None


MATMUL = ("MatMul", ["x", "W"], "z", {})


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([MATMUL, ("Erf", ["z"], "y", {})], r"the node 'n1' \(Erf\) is not one that fastmlp reads"),
        ([MATMUL, ("Elu", ["z"], "y", {"alpha": 0.2})], r"the node 'n1' \(Elu\) has alpha=0.2"),
        ([MATMUL, ("LeakyRelu", ["z"], "y", {"alpha": np.inf})], "'n1'.*alpha=inf"),
        ([MATMUL, ("Gelu", ["z"], "y", {"approximate": "tanh"})], "'n1'.*approximate"),
        ([MATMUL, ("Softmax", ["z"], "y", {"axis": 0})], "row of a matrix .* column .* activation"),
        ([MATMUL, ("Softmax", ["z"], "y", {"axis": 2})], "'n1'.*axis=2"),
        ([MATMUL, ("LogSoftmax", ["z"], "a", {}), ("MatMul", ["a", "V"], "y", {})], "LogSoftmax"),
        ([MATMUL, ("Relu", ["z"], "a", {}), ("Tanh", ["a"], "y", {})], "tanh follows another"),
        ([MATMUL, ("Relu", ["z"], "a", {}), ("Mul", ["a", "b"], "y", {})], "'n2' .*after its activation"),
        ([("Relu", ["x"], "y", {})], "no layers"),
        ([("Relu", ["x"], "r", {}), ("MatMul", ["r", "W"], "y", {})], "relu follows the input"),
        ([MATMUL, ("Add", ["z", "z"], "y", {})], "needs the constant 'z'"),
        ([("MatMul", ["x", "x"], "y", {})], "needs the constant 'x'"),
        ([("MatMul", ["x", "b"], "y", {})], "two dimensions"),
        ([("Gemm", ["x", "W"], "y", {"transA": 1})], "transposes"),
        ([("Relu", ["y"], "y", {})], "circle"),
        ([("Identity", ["y"], "y", {})], "circle"),
        ([("Relu", ["nothing"], "y", {})], "comes from nowhere"),
        ([MATMUL, ("Div", ["b", "z"], "y", {})], "divides"),
        ([MATMUL, ("MatMul", ["z", "W"], "y", {})], r"weights of shape \(4, 3\) follow a layer of 3 units"),
        ([("Identity", ["x"], "y", {})], "no layers"),
        ([("Cast", ["x"], "c", {"to": 7}), ("MatMul", ["c", "W"], "y", {})], "'n0'.*to=7"),
        ([MATMUL, ("Reshape", ["z", "shape"], "y", {})], "another length"),
    ],
)
def test_what_is_no_chain_of_layers_is_named(path, nodes, message):
    write(path, nodes, {"W": W, "b": B, "V": V, "shape": np.array([-1, 7])})
    with pytest.raises(DataFileError, match=message) as error:
        load(path)
    assert str(error.value).startswith(str(path))


def test_weights_that_are_shared_cannot_outgrow_the_file(path):
    names = ["x", *(f"z{number}" for number in range(30)), "y"]
    nodes = [("MatMul", [before, "W"], after, {}) for before, after in itertools.pairwise(names)]
    write(path, nodes, {"W": np.eye(40, dtype=np.float32)})
    with pytest.raises(DataFileError, match="outgrow the file"):
        load(path)


def test_shapes_beyond_the_file_are_refused(path):
    write(path, [("MatMul", ["x", "W"], "y", {})], {"W": W})
    model = onnx.load(path)
    model.graph.initializer[0].dims[:] = [2**31, 2**31]
    path.write_bytes(model.SerializeToString())
    with pytest.raises(DataFileError, match="longer than the file"):
        load(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(data=st.data())
def test_damaged_files_are_refused_or_harmless(path, data):
    Network([3, Dense(4, "silu"), 2], scaling=Scaling(2.0, np.arange(3.0)), seed=1).save(path)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    for place in data.draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=4)):
        content[place : place + 1] = bytes([data.draw(st.integers(0, 255))])
    path.write_bytes(content)
    try:
        loaded = load(path)
    except DataFileError as error:
        assert str(error).startswith(str(path))
    else:
        assert np.isfinite(loaded.state.parameters).all()
