"""What other exporters write is read: graphs of the same form, and where the exporters are installed, their own."""

import numpy as np
import pytest

from fastmlp import load
from fastmlp.errors import DataFileError

pytest.importorskip("onnx", reason="needs the extra onnx")
from . import onnx_graphs as graphs

X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)
Y = np.arange(9) % 3


@pytest.fixture
def read(tmp_path):
    def write_and_load(model):
        path = tmp_path / "theirs.onnx"
        path.write_bytes(model.SerializeToString())
        return load(path)

    return write_and_load


@pytest.mark.parametrize(("model", "expected"), graphs.all_models())
def test_outputs_are_theirs(read, model, expected):
    np.testing.assert_allclose(read(model)(X, engine="numpy"), expected(X), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "task", "labels"),
    [
        (graphs.skl2onnx_classes(), "classes", ["b", "äpfel"]),
        (graphs.skl2onnx_classes(labels=(5, 9)), "classes", [5, 9]),
        (graphs.skl2onnx_classes(zipmap=False), "classes", ["b", "äpfel"]),
        (graphs.skl2onnx_binary(), "binary", [3, 7]),
        (graphs.skl2onnx_multilabel(), "multilabel", [0, 1]),
    ],
)
def test_labels_of_classifiers_come_along(read, model, task, labels):
    network = read(model)
    assert (network.labels.task, network.labels.classes.tolist()) == (task, labels)
    network.predict(X, engine="numpy")


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (graphs.skl2onnx_classes(labels=("a", "b", "c")), "2 different labels"),
        (graphs.skl2onnx_classes(labels=(9, 5)), "ascending order"),
        (graphs.pytorch_view(rest=3, of=1), "needs the constant|not one that fastmlp reads|shape of"),
        (graphs.pytorch_squeezed(axes=(0,)), "Squeeze"),
        (graphs.pytorch_squeezed(V=graphs.V), "another length"),
        (graphs.pytorch_reshaped([3, 4], (5, 2, 2)), "Reshape"),
        (graphs.pytorch_reshaped([1, 4], ("n", 2, 3)), r"first weights take 4 numbers, but its input has the shape"),
        (graphs.columns(graphs.B), "row of a matrix in one place and for a column"),
        (graphs.columns(axis=-1), "row of a matrix in one place and for a column"),
        (graphs.columns(graphs.B[:, None], shape=(4,)), "row of a matrix in one place and for a column"),
        (graphs.log_softmax(0), "row of a matrix in one place and for a column"),
        (graphs.quantised(), r"a quantised model: its node 'n0' \(DynamicQuantizeLinear\)"),
    ],
)
def test_what_changes_the_meaning_is_refused(read, model, message):
    with pytest.raises(DataFileError, match=message):
        read(model)


@pytest.mark.parametrize("slope", [0.0, 1.0, 0.01])
def test_slopes_that_fastmlp_has_keep_the_layer(read, slope):
    network = read(graphs.leaky(slope))
    assert network.architecture.sizes == (4, 3, 2)
    assert network.architecture.layers[0].activation == {0.0: "relu", 1.0: "identity", 0.01: "leaky_relu"}[slope]


def test_other_slopes_take_two_units_for_each(read):
    assert read(graphs.leaky(0.2)).architecture.sizes == (4, 6, 2)
    assert read(graphs.leaky(0.2, last=True)).architecture.sizes == (4, 6, 4, 2)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("kind", ["classes", "binary", "multilabel", "regression"])
@pytest.mark.parametrize("zipmap", [True, False])
def test_skl2onnx(read, activation, kind, zipmap):
    skl2onnx = pytest.importorskip("skl2onnx", reason="needs skl2onnx")
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    targets = {"classes": np.array(["a", "b", "c"])[Y], "binary": Y > 0, "multilabel": np.eye(3, dtype=int)[Y]}
    options = {"hidden_layer_sizes": (5,), "activation": activation, "max_iter": 30, "random_state": 0}
    estimator = (MLPRegressor if kind == "regression" else MLPClassifier)(**options)
    theirs = make_pipeline(StandardScaler(), estimator).fit(X, targets.get(kind, X[:, 0]))
    options = None if kind == "regression" else {id(estimator): {"zipmap": zipmap}}
    network = read(skl2onnx.to_onnx(theirs, X[:1], options=options))
    if kind == "regression":
        np.testing.assert_allclose(network.predict(X, engine="numpy").ravel(), theirs.predict(X), rtol=1e-5, atol=1e-5)
    else:
        np.testing.assert_allclose(network.predict_proba(X, engine="numpy"), theirs.predict_proba(X), atol=1e-5)
        np.testing.assert_array_equal(network.predict(X, engine="numpy"), theirs.predict(X))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamo", [False, True], ids=["legacy", "dynamo"])
@pytest.mark.parametrize("name", ["Identity", "Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "GELU", "SiLU"])
def test_pytorch(tmp_path, name, dynamo):
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    if dynamo:
        pytest.importorskip("onnxscript", reason="needs onnxscript")
    nn = torch.nn

    class Theirs(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.activation, self.last = nn.Linear(4, 5), getattr(nn, name)(), nn.Linear(5, 3)

        def forward(self, x):
            return torch.softmax(self.last(self.activation(self.first((x.view(x.size(0), -1) - 0.5) / 2))), dim=-1)

    module, rows = Theirs().eval(), torch.from_numpy(X)
    path = tmp_path / "theirs.onnx"
    options = {"dynamic_shapes": ({0: torch.export.Dim("n")},), "external_data": False, "verbose": False}
    if not dynamo:
        options = {"input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}}
    torch.onnx.export(module, (rows,), str(path), dynamo=dynamo, **options)
    with torch.no_grad():
        np.testing.assert_allclose(load(path)(X, engine="numpy"), module(rows).numpy(), rtol=1e-5, atol=1e-5)


def _pytorch_modules(torch):
    """Modules as people export them, each with the shape of what the exporter is shown."""
    nn = torch.nn

    class Columns(nn.Module):
        def __init__(self, *bias):
            super().__init__()
            self.W, self.b = nn.Parameter(torch.randn(5, 4)), nn.Parameter(torch.randn(5, *bias))
            self.V = nn.Parameter(torch.randn(3, 5))

        def forward(self, x):
            return torch.sigmoid(self.V @ torch.sigmoid(self.W @ x + self.b))

    class View(nn.Module):
        def __init__(self, *shape):
            super().__init__()
            self.shape, self.layers = shape, nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 3))

        def forward(self, x):
            return torch.log_softmax(self.layers(x.view(*self.shape)), dim=1)

    def layers(*activations):
        return nn.Sequential(nn.Flatten(), nn.Linear(4, 5), activations[0], nn.Linear(5, 3), *activations[1:])

    return {
        "logits": (layers(nn.ReLU()), (2, 2, 2)),
        "leaky": (layers(nn.LeakyReLU(0.2), nn.LeakyReLU(0.3)), (2, 4)),
        "prelu": (layers(nn.PReLU(5)), (2, 4)),
        "log_softmax": (layers(nn.Tanh(), nn.LogSoftmax(dim=1)), (2, 1, 2, 2)),
        "vector": (layers(nn.ReLU())[1:], (4,)),
        "view 1, -1": (View(1, -1), (1, 2, 2)),
        "view 1, 4": (View(1, 4), (2, 2)),
        "view -1, 4": (View(-1, 4), (2, 2, 2)),
        "columns": (Columns(1), (4, 1)),
        "columns of vectors": (Columns(), (4,)),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dynamo", [False, True], ids=["legacy", "dynamo"])
@pytest.mark.parametrize(
    "name",
    ["logits", "leaky", "prelu", "log_softmax", "vector", "view 1, -1", "view 1, 4", "view -1, 4", "columns",
     "columns of vectors"],
)  # fmt: skip
def test_pytorch_with_its_defaults(tmp_path, name, dynamo):
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    if dynamo:
        pytest.importorskip("onnxscript", reason="needs onnxscript")
    torch.manual_seed(0)
    module, shape = _pytorch_modules(torch)[name]
    path, shown = tmp_path / "theirs.onnx", torch.from_numpy(np.resize(X, shape))
    torch.onnx.export(module.eval(), (shown,), str(path), dynamo=dynamo)
    with torch.no_grad():
        theirs = module(shown).numpy().reshape(-1, 3)
    ours = load(path)(np.resize(X, shape).reshape(-1, 4), engine="numpy")
    if name == "log_softmax" or name.startswith("view"):
        ours = np.log(ours)
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.filterwarnings("ignore")
def test_pytorch_with_weights_beside_the_model(tmp_path):
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    pytest.importorskip("onnxscript", reason="needs onnxscript")
    nn = torch.nn
    module = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10)).eval()
    path, shown = tmp_path / "theirs.onnx", torch.rand(3, 1, 28, 28)
    torch.onnx.export(module, (shown,), str(path))
    assert (tmp_path / "theirs.onnx.data").stat().st_size >= 4 * 784 * 64
    with torch.no_grad():
        theirs = module(shown).numpy()
    np.testing.assert_allclose(load(path)(shown.numpy().reshape(3, 784), engine="numpy"), theirs, rtol=1e-4, atol=1e-5)
