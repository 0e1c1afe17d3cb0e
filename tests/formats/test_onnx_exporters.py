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
    ],
)
def test_what_changes_the_meaning_is_refused(read, model, message):
    with pytest.raises(DataFileError, match=message):
        read(model)


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
