"""Networks side by side: in each lane the bits of a network that is trained alone."""

import copy

import numpy as np
import pytest

pytest.importorskip("numba")

from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp import SGD, Adam, Dense, Network, RMSprop
from fastmlp.data.dataset import training_data
from fastmlp.engines.base import Epochs
from fastmlp.engines.simd import engine, lanes
from fastmlp.model.optimizers import AdamW

from ...interpreted import examples, size

HIDDEN = ("identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu", "exponential")
PAIRS = (
    ("cross_entropy", "softmax"),
    ("binary_cross_entropy", "sigmoid"),
    ("squared_error", "identity"),
    ("squared_error", "sigmoid"),
    ("squared_error", "gelu"),
    ("absolute_error", "tanh"),
    ("huber", "identity"),
    ("quantile", "identity"),
    ("poisson", "exponential"),
)
OPTIMIZERS = (
    lambda n: SGD(0.001 * n),
    lambda n: SGD(0.001 * n, weight_decay=0.01 * n),
    lambda n: SGD(0.001 * n, momentum=0.9 / n),
    lambda n: SGD(0.001 * n, momentum=0.9 / n, nesterov=True),
    lambda n: RMSprop(0.001 * n, decay=1 - 0.1 / n, epsilon=1e-8 * n),
    lambda n: Adam(0.001 * n, beta_1=1 - 0.1 * n / 20, beta_2=1 - 0.001 * n, epsilon=1e-8 * n),
    lambda n: Adam(0.001 * n, epsilon_hat=n % 2 == 0),
    lambda n: AdamW(0.001 * n, weight_decay=0.01 * n),
)
"""Of the first network, the second, and so on."""


def targets_for(loss, outputs, rows, generator):
    if loss == "cross_entropy":
        return generator.integers(0, outputs, rows) if outputs > 1 else np.zeros(rows, int)
    if loss == "binary_cross_entropy":
        return generator.integers(0, 2, (rows, outputs)).astype(float)
    if loss == "poisson":
        return generator.integers(0, 5, (rows, outputs)).astype(float)
    return generator.normal(size=(rows, outputs))


def asked(networks, optimizers, data, batch_size, epochs):
    """What `Engine.train_epochs` is given for each network, each with its own order."""
    architecture = networks[0].architecture
    prepared = engine.prepare(architecture, data, 1, batch_size=batch_size)
    rows = data.training_rows
    steps = -(-len(rows) // batch_size)
    made = []
    for network, optimizer in zip(networks, optimizers, strict=True):
        network.state.prepare_for(optimizer, architecture)
        orders = np.stack([network.state.generator.permutation(rows) for _ in range(epochs)])
        rates = np.full((epochs, steps), optimizer.learning_rate)
        given = architecture, network.state, optimizer, prepared, orders, batch_size, rates
        made.append(Epochs(*given))
    return made


def vectors(state):
    return [state.parameters, *state.moments]


@st.composite
def kinds(draw):
    """Options of a network, its layers, and what is trained on."""
    loss, output = draw(st.sampled_from(PAIRS))
    sizes = draw(st.lists(st.integers(1, size(37, 9)), min_size=2, max_size=4))
    if loss == "cross_entropy":
        sizes[-1] = max(2, sizes[-1])
    layers = [sizes[0], *(Dense(units, draw(st.sampled_from(HIDDEN))) for units in sizes[1:-1]), sizes[-1]]
    options = {"loss": loss, "output": output, "bias": draw(st.booleans())}
    options |= {"dtype": draw(st.sampled_from(["float32", "float64"])), "l2": draw(st.sampled_from([0.0, 0.03]))}
    options["l1"] = draw(st.sampled_from([0.0, 0.0, 0.01]))
    if loss == "cross_entropy":
        options["label_smoothing"] = draw(st.sampled_from([0.0, 0.1]))
    rows = draw(st.integers(2, size(70, 9)))
    return layers, options, rows, draw(st.integers(2, rows)), draw(st.sampled_from(OPTIMIZERS))


@settings(max_examples=examples(150, 3))
@given(
    kind=kinds(),
    used=st.integers(1, 16),
    seed=st.integers(0, 99),
    scaling=st.sampled_from(["auto", "standardize"]),
    uint8=st.booleans(),
    weighted=st.booleans(),
)
def test_bits_are_those_of_networks_trained_alone(kind, used, seed, scaling, uint8, weighted):
    layers, options, rows, batch_size, optimizer = kind
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows, layers[0])) + 1
    X = generator.integers(1, 256, X.shape).astype(np.uint8) if uint8 else X
    network = Network(layers, **options, seed=0)
    used = min(used, lanes.lanes_of(network.architecture.dtype))
    y = targets_for(options["loss"], layers[-1], rows, generator)
    weights = generator.random(rows) if weighted else None
    data, _ = training_data(network.architecture, X, y, scaling=scaling, sample_weight=weights)
    penalties = [{name: options[name] * (1 + number) for name in ("l1", "l2")} for number in range(used)]
    networks = [Network(layers, **options | penalties[number], seed=number) for number in range(used)]
    optimizers = [optimizer(number + 1) for number in range(used)]
    alone, together = ([copy.deepcopy(one) for one in networks] for _ in range(2))
    one_by_one = asked(alone, optimizers, data, batch_size, 3)
    side_by_side = asked(together, optimizers, data, batch_size, 3)
    kinds = {lanes.alike(one.architecture, one.optimizer, data, batch_size).key for one in side_by_side}
    assert len(kinds) == 1
    with np.errstate(all="ignore"):
        wanted = [engine.train_epochs(*epochs) for epochs in one_by_one]
        trained = lanes.SideBySide(side_by_side[0]).train(side_by_side)
    held = lanes.places(network.architecture)
    for a, b, (wanted_scores, wanted_ends), (scores, ends) in zip(alone, together, wanted, trained, strict=True):
        if not np.isfinite([score.loss for score in wanted_scores]).all():
            assert not np.isfinite([score.loss for score in scores]).all()
            continue  # what overflowed is NaN in the padding too, and from there on in more places
        for vector, wanted_vector in zip(vectors(b.state), vectors(a.state), strict=True):
            np.testing.assert_array_equal(vector[held], wanted_vector[held])
        np.testing.assert_array_equal(ends[:, held], wanted_ends[:, held])
        np.testing.assert_array_equal(np.array(scores), np.array(wanted_scores))
        assert a.state.step == b.state.step


def test_a_leader_trains_one_set_after_another():
    generator = np.random.default_rng(0)
    X, y = generator.normal(size=(30, 5)), generator.integers(0, 3, 30)
    alone, together = ([Network([5, 7, 3], seed=number) for number in range(4)] for _ in range(2))
    data, _ = training_data(alone[0].architecture, X, y)
    trainer = None
    for chosen in ([0, 1, 2, 3], [1, 2], [3, 0]):
        for one in asked([alone[n] for n in chosen], [Adam()] * len(chosen), data, 8, 2):
            engine.train_epochs(*one)
        led = asked([together[n] for n in chosen], [Adam()] * len(chosen), data, 8, 2)
        trainer = trainer or lanes.SideBySide(led[0])
        trainer.train(led)
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(b.state.parameters, a.state.parameters)


@pytest.mark.parametrize(
    ("layers", "options", "optimizer", "batch_size", "zeros"),
    [
        ([5, Dense(7, dropout=0.5), 3], {}, Adam(), 8, False),
        ([5, Dense(7, "softmax"), 3], {}, Adam(), 8, False),
        ([5, 7, 3], {"loss": "squared_error", "output": "softmax"}, Adam(), 8, False),
        ([5, 7, 3], {}, Adam(clip_norm=1.0), 8, False),
        ([5, 7, 3], {}, Adam(), 1, False),
        ([5, 700, 3], {}, Adam(), 8, False),
        ([5, 7, 3], {}, Adam(), 8, True),
    ],
    ids=["dropout", "hidden softmax", "squared error of softmax", "clipping", "one by one", "large", "sparse"],
)
def test_others_are_trained_alone(layers, options, optimizer, batch_size, zeros):
    network = Network(layers, seed=0, **options)
    X = np.ones((30, 5)) * (np.arange(5) < 1 if zeros else 1)
    data, _ = training_data(network.architecture, X, np.arange(30) % 3)
    assert lanes.alike(network.architecture, optimizer, data, batch_size) is None
