"""Activations and losses of a user's own: registered, checked, trained, saved; and refused where they can't run."""

import math
import pickle

import numpy as np
import pytest

import fastmlp
from fastmlp import Network, fit_many, load
from fastmlp.errors import ArgumentError, ArgumentTypeError, DataFileError
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.losses import LOSSES

X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
FIT = {"epochs": 3, "verbose": 0}


def same_sigmoid(z):
    return 1 / (1 + np.exp(-z))


def same_sigmoid_backward(z, a, da):
    return da * a * (1 - a)


SCALAR_SIGMOID = (lambda z: 1 / (1 + math.exp(-z)), lambda z, a: a * (1 - a))
SCALAR_ERROR = (lambda a, y: 0.5 * (a - y) * (a - y), lambda a, y: a - y)


def register_with_scalars():
    fastmlp.register_activation("own_sigmoid", same_sigmoid, same_sigmoid_backward, scalar=SCALAR_SIGMOID)
    value, gradient = LOSSES["squared_error"].value, LOSSES["squared_error"].gradient
    fastmlp.register_loss("own_error", lambda a, y: value(a, a, y), lambda a, y: gradient(a, a, y), scalar=SCALAR_ERROR)


@pytest.fixture
def own():
    """A sigmoid and half the squared error again, under names of their own."""
    fastmlp.register_activation("own_sigmoid", same_sigmoid, same_sigmoid_backward)
    fastmlp.register_loss("own_error", lambda a, y: 0.5 * ((a - y) ** 2).sum(axis=1), lambda a, y: a - y)


def network(activation="own_sigmoid", loss="own_error", **options):
    return Network([5, 8, 2], hidden=activation, output=activation, loss=loss, seed=1, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_own_functions_train_as_the_same_built_in_ones(own, dtype):
    ours, theirs = network(dtype=dtype), network("sigmoid", "squared_error", dtype=dtype)
    for net in (ours, theirs):
        net.fit(X, Y, **FIT, engine="auto" if net is ours else "numpy")
    np.testing.assert_allclose(ours.state.parameters, theirs.state.parameters, rtol=1e-5, atol=1e-5)
    assert ours.history.accuracy == theirs.history.accuracy
    assert ours.evaluate(X, Y).loss == pytest.approx(theirs.evaluate(X, Y).loss, rel=1e-5)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    assert ours.gradient(X, Y)[0] == pytest.approx(theirs.gradient(X, Y, engine="numpy")[0], rel=1e-5)


def test_a_loss_brings_its_output_and_an_activation_its_initializer():
    fastmlp.register_activation(
        "own_relu", lambda z: np.maximum(z, 0), lambda z, a, da: da * (a > 0), initializer="he_uniform"
    )
    fastmlp.register_loss("own_loss", lambda a, y: ((a - y) ** 2).sum(1), lambda a, y: 2 * (a - y), output="sigmoid")
    ours = Network([5, 8, 2], hidden="own_relu", loss="own_loss", seed=1)
    theirs = Network([5, 8, 2], hidden="relu", output="sigmoid", loss="squared_error", seed=1)
    np.testing.assert_array_equal(ours.state.parameters, theirs.state.parameters)
    assert ours.architecture.layers[-1].activation == "sigmoid"


@pytest.mark.parametrize("engine", ["numba", "loops"])
def test_compiled_engines_refuse_them_and_say_what_to_do(own, engine):
    net, message = network(), rf"engine='{engine}' .*own_sigmoid.*own_error.*engine='auto' or 'numpy'"
    for call in (
        lambda: net.fit(X, Y, **FIT, engine=engine),
        lambda: net(X, engine=engine),
        lambda: net.evaluate(X, Y, engine=engine),
        lambda: net.gradient(X, Y, engine=engine),
        lambda: fit_many([net, network()], X, Y, **FIT, engine=engine),
    ):
        with pytest.raises(ArgumentError, match=message):
            call()
    assert net.history.to_dict() == network().history.to_dict()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 2])
def test_loops_run_those_that_are_given_for_one_number(dtype, threads):
    register_with_scalars()
    ours, theirs = network(dtype=dtype), network("sigmoid", "squared_error", dtype=dtype)
    for net in (ours, theirs):
        net.fit(X, Y, **FIT, engine="loops", threads=threads)
    allowed = 1e-5 if dtype == "float32" else 1e-10
    np.testing.assert_allclose(ours.state.parameters, theirs.state.parameters, rtol=allowed, atol=allowed)
    assert ours.evaluate(X, Y, engine="loops").loss == pytest.approx(ours.evaluate(X, Y).loss, rel=allowed)
    with pytest.raises(ArgumentError, match="engine='numba' can't run"):
        ours(X, engine="numba")


@pytest.mark.parametrize(
    ("scalar", "error", "message"),
    [(SCALAR_SIGMOID[:1], ArgumentTypeError, "scalar must be a pair"), (math.exp, ArgumentTypeError, "must be a pair"),
     ((math.tanh, SCALAR_SIGMOID[1]), ArgumentError, r"scalar\[0\] .* where forward gives"),
     ((SCALAR_SIGMOID[0], lambda z, a: a), ArgumentError, r"scalar\[1\] .* where backward gives")],
)  # fmt: skip
def test_scalars_that_compute_something_else_are_refused(scalar, error, message):
    with pytest.raises(error, match=message):
        fastmlp.register_activation("own_sigmoid", same_sigmoid, same_sigmoid_backward, scalar=scalar)
    assert "own_sigmoid" not in ACTIVATIONS


def test_fit_many_trains_them_beside_others(own):
    nets = [network(), network("tanh", "squared_error"), network("tanh", "squared_error")]
    alone = network()
    fit_many(nets, X, Y, **FIT)
    alone.fit(X, Y, **FIT)
    np.testing.assert_array_equal(nets[0].state.parameters, alone.state.parameters)
    np.testing.assert_array_equal(nets[1].state.parameters, nets[2].state.parameters)


def test_estimators_take_them(own):
    pytest.importorskip("sklearn")
    from fastmlp.estimators import MLPClassifier

    kwargs = {"hidden_layer_sizes": (8,), "max_iter": 200, "tol": 0.01, "learning_rate_init": 0.05, "random_state": 0}
    assert MLPClassifier(activation="own_sigmoid", **kwargs).fit(X, Y).score(X, Y) > 0.9


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_files_hold_the_names_and_say_what_to_register(own, tmp_path, suffix):
    net = network()
    net.fit(X, Y, **FIT)
    net.save(path := tmp_path / f"net{suffix}")
    np.testing.assert_array_equal(load(path)(X), net(X))
    del ACTIVATIONS["own_sigmoid"]
    with pytest.raises(
        DataFileError, match=r"unknown activation 'own_sigmoid': it is not built in, so register it before"
    ):
        load(path)
    fastmlp.register_activation("own_sigmoid", same_sigmoid, same_sigmoid_backward)
    del LOSSES["own_error"]
    with pytest.raises(DataFileError, match=r"fastmlp.register_loss\('own_error', ...\)"):
        load(path)


def test_pickles_hold_the_names(own):
    net = network()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(net))(X), net(X))


def test_exports_refuse_own_activations_and_take_own_losses(own, tmp_path):
    with pytest.raises(ArgumentError, match=r"\.c files can't hold the activation 'own_sigmoid'.*\.npz"):
        network().save(tmp_path / "net.c")
    network("tanh").save(tmp_path / "net.c")
    assert "own_error" in (tmp_path / "net.c").read_text()


def doubled(z, a, da):
    return 2 * da * a * (1 - a)


@pytest.mark.parametrize(
    ("name", "forward", "backward", "error", "message"),
    [("relu", np.tanh, doubled, ArgumentError, "'relu' is built in"),
     ("own one", np.tanh, doubled, ArgumentError, "letters, digits"),
     (3, np.tanh, doubled, ArgumentTypeError, "name must be text"),
     ("own", "tanh", doubled, ArgumentTypeError, "forward must be a function"),
     ("own", np.tanh, lambda z: 1 - np.tanh(z) ** 2, ArgumentTypeError, r"called as backward\(z, a, da\).* too many"),
     ("own", same_sigmoid, doubled, ArgumentError, "backward .* where the numeric derivative of forward gives"),
     ("own", lambda z: z.sum(axis=1), doubled, ArgumentError, r"shape \(6, 3\).*got \(6,\)"),
     ("own", lambda z: [0], doubled, ArgumentError, "got list"),
     ("own", lambda z: z * np.float64(2), doubled, ArgumentError, "float32 for float32, got float64"),
     ("own", lambda z: z * np.inf, doubled, ArgumentError, "finite numbers")],
)  # fmt: skip
def test_wrong_activations_are_not_registered(name, forward, backward, error, message):
    before = dict(ACTIVATIONS)
    with pytest.raises(error, match=message):
        fastmlp.register_activation(name, forward, backward)
    assert before == ACTIVATIONS


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [({"gradient": lambda a, y: y - a}, ArgumentError, "gradient of the loss .* numeric derivative of value"),
     ({"value": lambda a, y: (a - y) ** 2}, ArgumentError, r"shape \(6,\)"),
     ({"name": "huber"}, ArgumentError, "built in"), ({"output": "rellu"}, ArgumentError, "output must be"),
     ({"check": "no"}, ArgumentTypeError, "check")],
)  # fmt: skip
def test_wrong_losses_are_not_registered(options, error, message):
    right = {"name": "own", "value": lambda a, y: 0.5 * ((a - y) ** 2).sum(1), "gradient": lambda a, y: a - y}
    with pytest.raises(error, match=message):
        fastmlp.register_loss(**right | options)
    assert "own" not in LOSSES


def test_a_derivative_that_is_meant_to_be_another_is_taken_unchecked(own):
    fastmlp.register_activation("own_step", lambda z: (z > 0) * z / abs(z), lambda z, a, da: da, check=False)
    network("own_step").fit(X, Y, **FIT)
    fastmlp.register_activation("own_step", same_sigmoid, same_sigmoid_backward)  # and replaced
    assert ACTIVATIONS["own_step"].forward is same_sigmoid
