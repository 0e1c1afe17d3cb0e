"""Models of Keras itself give their outputs here, also by the ONNX files that it exports."""

import importlib.util
import os

import numpy as np
import pytest

from fastmlp import from_keras, load

if importlib.util.find_spec("torch") is None or importlib.util.find_spec("keras") is None:
    pytest.skip("needs Keras and PyTorch", allow_module_level=True)
os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras", exc_type=ImportError)
pytestmark = pytest.mark.filterwarnings("ignore")
L = keras.layers
X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)


def normalization():
    layer = L.Normalization(axis=-1)
    layer.adapt(X * [1, 2, 3, 4] + 5)
    return layer


ACTIVATIONS = ["linear", "sigmoid", "tanh", "relu", "elu", "gelu", "silu", "exponential"]
MODELS = {
    **{name: lambda name=name: [L.Dense(5, name), L.Dense(3)] for name in ACTIVATIONS},
    "classes": lambda: [L.Flatten(), L.Dense(5, "relu"), L.Dropout(0.2), L.Dense(3, "softmax")],
    "rescaled": lambda: [L.Rescaling(0.5, -1), L.Dense(5, use_bias=False), L.ReLU(), L.Dense(1, "sigmoid")],
    "normalized": lambda: [normalization(), L.Dense(5), L.LeakyReLU(0.01), L.Dense(2)],
}


@pytest.fixture(params=MODELS)
def model(request):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((4,)), *MODELS[request.param]()])


def test_outputs_are_keras(model):
    expected = model.predict(X, verbose=0)
    network = from_keras(model)
    np.testing.assert_allclose(network(X, engine="numpy"), expected, rtol=1e-5, atol=1e-5)


def test_outputs_are_those_of_the_exported_file(model, tmp_path):
    pytest.importorskip("onnxscript", reason="needs onnxscript")
    expected = model.predict(X, verbose=0)
    model.export(str(tmp_path / "model.onnx"), format="onnx", verbose=False)
    np.testing.assert_allclose(load(tmp_path / "model.onnx")(X, engine="numpy"), expected, rtol=1e-5, atol=1e-5)
