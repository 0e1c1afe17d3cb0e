"""Networks of other libraries give their outputs here, and weights go back."""

from types import SimpleNamespace

import numpy as np
import pytest

from fastmlp import (
    Dense,
    Network,
    from_keras,
    from_sklearn,
    from_torch,
    to_keras_weights,
    to_sklearn_weights,
    to_torch_state,
)
from fastmlp.errors import ArgumentError, ArgumentTypeError

X4 = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)


@pytest.fixture
def nn():
    return pytest.importorskip("torch", reason="needs PyTorch").nn


def by_torch(module, X):
    import torch

    with torch.no_grad():
        return module.eval()(torch.from_numpy(X)).numpy()


@pytest.mark.parametrize("name", ["Identity", "Sigmoid", "Tanh", "ReLU", "LeakyReLU", "ELU", "GELU", "SiLU"])
def test_pytorchs_activations_are_ours(nn, name):
    module = nn.Sequential(
        nn.Flatten(), nn.Linear(4, 5), getattr(nn, name)(), nn.Dropout(0.25), nn.Sequential(nn.Linear(5, 3, bias=False))
    )
    network = from_torch(module)
    np.testing.assert_allclose(network(X4, engine="numpy"), by_torch(module, X4), rtol=1e-5, atol=1e-6)
    assert network.architecture.layers[0].dropout == 0.25


def test_logits_of_pytorch_get_the_activation_of_the_loss(nn):
    module = nn.Sequential(nn.Linear(4, 3)).double()
    network = from_torch(module, loss="cross_entropy")
    expected = by_torch(nn.Sequential(module, nn.Softmax(dim=-1)), X4.astype(np.float64))
    np.testing.assert_allclose(network(X4.astype(np.float64), engine="numpy"), expected, rtol=1e-12)


def test_weights_go_back_to_pytorch(nn):
    import torch

    network = Network([4, Dense(5, "tanh"), Dense(3, bias=False)], loss="squared_error", scaling=None, seed=0)
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3, bias=False))
    module.load_state_dict({name: torch.from_numpy(array) for name, array in to_torch_state(network).items()})
    np.testing.assert_allclose(by_torch(module, X4), network(X4, engine="numpy"), rtol=1e-5, atol=1e-6)


def test_what_pytorch_has_and_we_have_not_is_named(nn):
    for parts, message in [
        ([nn.Linear(4, 4), nn.BatchNorm1d(4)], "part '1', a BatchNorm1d"),
        ([nn.Linear(4, 4), nn.LeakyReLU(0.2)], "LeakyReLU '1'.*negative_slope=0.2"),
        ([nn.Linear(4, 4), nn.GELU("tanh")], "approximate='tanh'"),
        ([nn.Linear(4, 4), nn.Softmax(dim=0)], "dim=0"),
        ([nn.Linear(4, 4), nn.ReLU(), nn.Tanh()], "activation '2'"),
        ([nn.Dropout(0.5), nn.Linear(4, 4)], "dropout '0'"),
        ([nn.Linear(4, 4), nn.Linear(5, 4)], "layer 2 takes 4 numbers"),
        ([nn.Linear(4, 4), nn.ReLU(), nn.Dropout(0.5)], "dropout of the last layer"),
        ([], "no layers"),
    ]:
        with pytest.raises(ArgumentError, match=message):
            from_torch(nn.Sequential(*parts))


@pytest.mark.parametrize("make", [from_torch, from_keras, from_sklearn, to_torch_state, to_keras_weights])
@pytest.mark.parametrize("thing", [None, 3, "model", object()])
def test_other_things_are_refused(make, thing):
    with pytest.raises(ArgumentTypeError):
        make(thing)


def classifier(**options):
    neural_network = pytest.importorskip("sklearn.neural_network")
    return neural_network.MLPClassifier((5,), solver="lbfgs", max_iter=30, random_state=0, **options)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("activation", ["identity", "logistic", "tanh", "relu"])
@pytest.mark.parametrize("kind", ["classes", "binary", "multilabel"])
def test_scikit_learns_classifiers_give_their_answers(blobs, activation, kind):
    X, y = blobs
    y = {"classes": np.array(["a", "b", "c"])[y], "binary": y > 0, "multilabel": np.eye(3, dtype=int)[y]}[kind]
    theirs = classifier(activation=activation).fit(X, y)
    network = from_sklearn(theirs)
    np.testing.assert_array_equal(network.predict(X, engine="numpy"), theirs.predict(X))
    np.testing.assert_allclose(network.predict_proba(X, engine="numpy"), theirs.predict_proba(X), rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize("targets", [1, 2])
def test_scikit_learns_regressors_give_their_answers(targets):
    neural_network = pytest.importorskip("sklearn.neural_network")
    y = X4[:, 0] if targets == 1 else X4[:, :2]
    theirs = neural_network.MLPRegressor(hidden_layer_sizes=(5,), solver="lbfgs", max_iter=30, random_state=0).fit(
        X4.astype(float), y
    )
    network = from_sklearn(theirs)
    np.testing.assert_allclose(network.predict(X4, engine="numpy"), theirs.predict(X4), rtol=1e-4, atol=1e-5)
    coefs, intercepts = to_sklearn_weights(network)
    np.testing.assert_array_equal(coefs[0], theirs.coefs_[0])
    np.testing.assert_array_equal(intercepts[-1], theirs.intercepts_[-1])


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")  # that it has not converged: any weights do
def test_scikit_learns_counts_are_exponentials():
    neural_network = pytest.importorskip("sklearn.neural_network")
    if "loss" not in neural_network.MLPRegressor().get_params():
        pytest.skip("needs scikit-learn with Poisson losses")
    theirs = neural_network.MLPRegressor("poisson", (5,), max_iter=30, random_state=0).fit(X4, np.arange(9.0))
    network = from_sklearn(theirs)
    assert network.architecture.loss == "poisson"
    np.testing.assert_allclose(network.predict(X4, engine="numpy"), theirs.predict(X4), rtol=1e-5)


def test_an_estimator_that_was_not_fitted_is_refused():
    with pytest.raises(ArgumentError, match="not fitted"):
        from_sklearn(classifier())


def keras_layer(kind, name="layer", weights=(), activation="linear", **attributes):
    """Something that looks like a layer of Keras, which this test does without."""
    attributes["activation"] = SimpleNamespace(__name__=activation)
    made = type(kind, (), {"get_weights": lambda self: list(weights)})()
    vars(made).update(attributes, name=name)
    return made


def keras_model(*layers):
    return SimpleNamespace(layers=list(layers))


W, B = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32), np.ones(3, dtype=np.float32)


def test_a_keras_model_is_taken_over():
    model = keras_model(
        keras_layer("InputLayer"),
        keras_layer("Rescaling", scale=0.5, offset=-1.0),
        keras_layer("Flatten"),
        keras_layer("Dense", weights=[W, B]),
        keras_layer("ReLU", max_value=None, negative_slope=0.0, threshold=0.0),
        keras_layer("Dropout", rate=0.5),
        keras_layer("Dense", weights=[W.T], activation="softmax"),
    )
    network = from_keras(model)
    assert network.architecture.loss == "cross_entropy"
    logits = np.maximum((X4 * 0.5 - 1) @ W + B, 0) @ W.T
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(network(X4, engine="numpy"), expected, rtol=1e-5)
    for ours, theirs in zip(to_keras_weights(network), [W, B, W.T], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_normalization_of_keras_subtracts_its_mean_first():
    mean, variance = np.array([[1e8, -1e8, 0.0, 1.0]]), np.array([[4.0, 1.0, 0.25, 9.0]])
    layers = [
        keras_layer("Rescaling", scale=2.0, offset=0.0),
        keras_layer("Normalization", mean=mean, variance=variance, invert=False),
    ]
    for chain, factor in ((layers[1:], 1.0), (layers, 2.0)):
        scaling = from_keras(keras_model(*chain, keras_layer("Dense", weights=[W]))).scaling
        z = np.array([[0.5, -1.0, 2.0, 0.0]])
        scaled = scaling.apply((mean + z * np.sqrt(variance)) / factor)
        np.testing.assert_allclose(scaled, z, atol=1e-12 if factor == 1 else 1e-7)


def test_a_normalization_of_keras_becomes_the_scaling():
    mean, variance = np.array([[1.0, 2.0, 3.0, 4.0]]), np.array([[4.0, 1.0, 0.0, 9.0]])
    layer = keras_layer("Normalization", mean=mean, variance=variance, invert=False)
    network = from_keras(keras_model(layer, keras_layer("Dense", weights=[W])))
    X = X4.astype(np.float64)
    expected = (X - mean) / np.maximum(np.sqrt(variance), 1e-7) @ W
    np.testing.assert_allclose(network(X, engine="numpy"), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (keras_layer("Normalization", "norm", mean=None), "'norm', a Normalization"),
        (keras_layer("Conv2D", "conv"), "'conv', a Conv2D"),
        (keras_layer("Dense", "hidden", [W, B], "leaky_relu"), "'hidden'.*'leaky_relu'"),
        (keras_layer("Dense", "hidden"), "'hidden'.*no weights"),
        (keras_layer("ReLU", "six", max_value=6.0), "'six'.*max_value=6.0"),
    ],
)
def test_what_keras_has_and_we_have_not_is_named(layer, message):
    with pytest.raises(ArgumentError, match=message):
        from_keras(keras_model(keras_layer("Dense", weights=[W @ W.T]), layer))
