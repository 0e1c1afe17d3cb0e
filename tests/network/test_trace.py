"""`Network.trace` against `Network.gradient`, and against the formulas that its names stand for."""

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse

from fastmlp import Dense, Network, Trace
from fastmlp.errors import ArgumentError
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.losses import LOSSES

GENERATOR = np.random.default_rng(0)
X = GENERATOR.uniform(-1, 1, (6, 4))
WEIGHTS = GENERATOR.uniform(0.1, 3, 6)
LABELS = np.array([0, 2, 1, 0, 1, 2])
NUMBERS = GENERATOR.dirichlet(np.ones(3), 6)

penalties = pytest.mark.parametrize(
    "penalty", [{}, {"l1": 0.05}, {"l2": 0.1}, {"l1": 0.05, "l2": 0.1}], ids=["none", "l1", "l2", "l1+l2"]
)


def network(loss="cross_entropy", activation="tanh", **options):
    """Two hidden layers, the second without biases, in float64 where nothing else is said."""
    options = {"dtype": "float64", "seed": 3} | options
    output = None if LOSSES[loss].from_logits else activation
    return Network([4, 5, Dense(4, bias=False), 3], hidden=activation, loss=loss, output=output, **options)


def targets(loss):
    return {"cross_entropy": LABELS, "binary_cross_entropy": np.eye(3)[LABELS]}.get(loss, NUMBERS)


def same(one, other, rtol=1e-12):
    if one is None or other is None:
        assert one is other
    else:
        np.testing.assert_allclose(one, other, rtol=rtol, atol=rtol)


@penalties
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_trace_has_the_gradient_of_the_network(loss, activation, penalty, engine):
    net, y = network(loss, activation, **penalty), targets(loss)
    trace = net.trace(X, y, WEIGHTS)
    objective, gradient = net.gradient(X, y, WEIGHTS, engine=engine)
    same(trace.objective, objective)
    for layer, (dW, db) in zip(trace.layers, gradient, strict=True):
        same(layer.dW, dW)
        same(layer.db, db)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_names_stand_for_their_formulas(loss, activation):
    net, y = network(loss, activation, l1=0.05, l2=0.1), targets(loss)
    trace, a_before = net.trace(X, y, WEIGHTS), X
    for layer, (W, b) in zip(trace.layers, net.weights, strict=True):
        same(layer.a_before, a_before)
        same(layer.z, a_before @ W + (0 if b is None else b))
        same(layer.a, ACTIVATIONS[layer.activation].forward(layer.z))
        same(layer.dW, layer.a_before.T @ layer.delta + 0.05 * np.sign(W) + 0.1 * W)
        same(layer.db, None if b is None else layer.delta.sum(axis=0))
        a_before = layer.a
    for layer, after in zip(trace.layers, trace.layers[1:], strict=False):
        same(layer.delta, ACTIVATIONS[layer.activation].backward(layer.z, layer.a, after.delta @ after.W.T))
    same(trace.outputs, net(X, engine="numpy"))
    same(trace.loss, np.average(trace.losses, weights=WEIGHTS))
    same(trace.loss, net.evaluate(X, y, WEIGHTS, engine="numpy").loss)
    same(trace.penalty, sum(0.05 * np.abs(W).sum() + 0.05 * (W * W).sum() for W, _ in net.weights))
    assert trace.objective == trace.loss + trace.penalty
    assert [layer.number for layer in trace.layers] == [1, 2, 3]


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name not in ("relu", "leaky_relu")])
@pytest.mark.parametrize("loss", LOSSES)
def test_dx_is_the_slope_of_the_loss_by_the_input(loss, activation):
    net, y = network(loss, activation), targets(loss)
    net.set_weights([(W / 3, b) for W, b in net.weights])  # exponentials of exponentials leave no digit to compare
    for place in [(0, 0), (3, 2), (5, 3)]:
        losses = []
        for step in (1e-5, -1e-5):
            moved = X.copy()
            moved[place] += step
            losses.append(net.trace(moved, y, WEIGHTS).loss)
        slope = (losses[0] - losses[1]) / 2e-5
        np.testing.assert_allclose(net.trace(X, y, WEIGHTS).dx[place], slope, rtol=1e-6, atol=1e-8)


def test_dx_is_by_the_scaled_input():
    pixels, y = GENERATOR.integers(0, 256, (6, 4), dtype=np.uint8), LABELS
    scaled = network(scaling="pixels").trace(pixels, y)
    same(scaled.x, pixels / 255)
    same(scaled.dx, network().trace(pixels / 255, y).dx)


@pytest.mark.parametrize(
    "form", [np.asarray, scipy.sparse.csr_matrix, lambda X: X.reshape(-1, 2, 2), np.ndarray.tolist]
)
def test_every_form_of_samples_is_traced(form):
    same(network().trace(form(X), LABELS).dx, network().trace(X, LABELS).dx)


def test_without_targets_there_is_a_forward_pass_only():
    trace = network(l2=0.1).trace(X)
    for a, layer in zip(network().activations(X)[1:], trace.layers, strict=True):
        np.testing.assert_array_equal(layer.a, a)
        assert (layer.delta, layer.dW, layer.db) == (None, None, None)
    assert {trace.y, trace.losses, trace.loss, trace.penalty, trace.objective, trace.dx} == {None}


def test_targets_are_the_numbers_that_the_loss_compares():
    same(network().trace(X, LABELS).y, np.eye(3)[LABELS])
    same(network(label_smoothing=0.3).trace(X, LABELS).y, 0.7 * np.eye(3)[LABELS] + 0.1)


def test_dropout_is_off():
    nets = [Network([4, Dense(8, dropout=rate), 3], seed=0) for rate in (0.0, 0.5)]
    np.testing.assert_array_equal(*(net.trace(X, LABELS).dx for net in nets))


def test_a_trace_stays_as_it_is_while_the_network_and_the_data_change():
    net, samples, y = network("squared_error", "identity"), X.copy(), NUMBERS.copy()
    trace = net.trace(samples, y)
    before = pickle.dumps(trace)
    samples[...] = y[...] = 0
    net.fit(X, NUMBERS, epochs=1, engine="numpy", verbose=0)
    assert pickle.dumps(trace) == before


def test_arrays_of_a_trace_are_read_only_and_of_the_dtype_of_the_network():
    trace = network(dtype="float32").trace(X, LABELS)
    layer = trace.layers[0]
    arrays = trace.x, trace.y, trace.losses, trace.dx, *(getattr(layer, name) for name in vars(layer))
    for array in (array for array in arrays if isinstance(array, np.ndarray)):
        assert not array.flags.writeable
        assert array.dtype == np.float32


def test_weights_without_targets_are_refused():
    with pytest.raises(ArgumentError, match="sample_weight"):
        network().trace(X, sample_weight=WEIGHTS)


def test_a_trace_prints_a_line_for_every_layer():
    net = network(l2=0.1)
    trace = net.trace(X, LABELS)
    title, headings, *rows, note = repr(trace).splitlines()
    assert title == "Trace of 6 samples, float64"
    assert [row.split("  ")[0] for row in rows] == ["input", "dense 1", "dense 2", "dense 3"]
    assert headings.split()[6:] == ["z", "a", "delta", "dW", "db"]
    assert "4 x 5" in rows[1] and "6 x 5" in rows[1] and f"{X.min():.2g} .. {X.max():.2g}" in rows[0]
    assert "penalty" in note and "objective" in note
    assert "Trace of 6 samples" in trace._repr_html_() and trace._repr_html_().count("<tr>") == 5
    assert "layer 2" in repr(trace.layers[1]) and trace.layers[1]._repr_html_().count("<tr>") == 2
    assert len(repr(net.trace(X)).splitlines()) == 6


def test_tracing_changes_nothing():
    net = network()
    before = copy.deepcopy(net.state.parameters)
    assert isinstance(net.trace(X, LABELS), Trace)
    np.testing.assert_array_equal(net.state.parameters, before)
    assert net.labels is None and net.scaling == "auto"
