"""Ten steps of every optimizer against PyTorch's, from the same weights, on the same samples in the same order."""

from functools import partial

import numpy as np
import pytest

from fastmlp.data.targets import Targets
from fastmlp.model.losses import LOSSES
from fastmlp.model.optimizers import SGD, Adam, AdamW, RMSprop

from .problems import build, every_engine, random_problem, replace

torch = pytest.importorskip("torch")

STEPS, BATCH = 10, 4

OPTIMIZERS = {
    "sgd": (SGD(0.5), lambda groups: torch.optim.SGD(groups, 0.5)),
    "momentum": (SGD(0.1, momentum=0.9), lambda groups: torch.optim.SGD(groups, 0.1, momentum=0.9)),
    "nesterov": (
        SGD(0.1, momentum=0.9, nesterov=True),
        lambda groups: torch.optim.SGD(groups, 0.1, momentum=0.9, nesterov=True),
    ),
    "rmsprop": (RMSprop(0.01), lambda groups: torch.optim.RMSprop(groups, 0.01, alpha=0.9, eps=1e-8)),
    "adam": (Adam(0.01), lambda groups: torch.optim.Adam(groups, 0.01)),
}
LAST = {
    "cross_entropy": lambda z, y: torch.nn.functional.cross_entropy(z, y),
    "binary_cross_entropy": lambda z, y: (
        torch.nn.functional.binary_cross_entropy_with_logits(z, y, reduction="sum") / len(z)
    ),
    "squared_error": lambda z, y: 0.5 * ((z - y) ** 2).sum() / len(z),
    "absolute_error": lambda z, y: torch.nn.functional.l1_loss(z, y, reduction="sum") / len(z),
    "poisson": lambda z, y: (torch.exp(z) - y * z + torch.xlogy(y, y) - y).sum() / len(z),
    "quantile": lambda z, y: torch.maximum(0.9 * (y - z), 0.1 * (z - y)).sum() / len(z),
    "huber": lambda z, y: torch.nn.functional.huber_loss(z, y, reduction="sum") / len(z),
}
HIDDEN = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "elu": torch.nn.functional.elu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "softmax": lambda z: torch.softmax(z, dim=1),
    "exponential": torch.exp,
}


def problem_of(loss="cross_entropy", activation="tanh", **options):
    output = None if LOSSES[loss].from_logits else "identity"
    architecture = build([6, 9, 7, 3], loss, activation, output, **options)
    return random_problem(architecture, BATCH * STEPS, "float64", labels=loss == "cross_entropy", density=1.0)


def torch_parameters(problem, optimizer, penalty=None, weight_decay=0.0, clip_norm=None):
    """Train by PyTorch; penalties and decays are for weights only, as ours are."""
    pairs = [
        [torch.tensor(np.ascontiguousarray(part), requires_grad=True) for part in pair]
        for pair in problem.architecture.views(problem.parameters)
    ]
    weights, biases = zip(*pairs, strict=True)
    groups = [{"params": list(weights), "weight_decay": weight_decay}, {"params": list(biases), "weight_decay": 0.0}]
    chosen = optimizer(groups)
    x = torch.tensor(problem.data.samples.dense)
    targets = problem.data.targets
    y = torch.tensor(targets.labels.astype(np.int64) if targets.labels is not None else targets.values)
    hidden, loss = HIDDEN[problem.architecture.layers[0].activation], LAST[problem.architecture.loss]
    for start in range(0, BATCH * STEPS, BATCH):
        a = x[start : start + BATCH]
        for number, (W, b) in enumerate(pairs):
            z = a @ W + b
            a = hidden(z) if number < len(pairs) - 1 else z
        value = loss(a, y[start : start + BATCH])
        if penalty is not None:
            value = value + sum(penalty(W) for W in weights)
        chosen.zero_grad()
        value.backward()
        if clip_norm is not None:
            torch.nn.utils.clip_grad_norm_([*weights, *biases], clip_norm)
        chosen.step()
    return pairs


def check(problem, engine, ours, theirs, **options):
    state, _ = problem.train(engine, ours, BATCH, order=np.arange(BATCH * STEPS))
    views = problem.architecture.views(state.parameters)
    for pair, torch_pair in zip(views, torch_parameters(problem, theirs, **options), strict=True):
        for part, torch_part in zip(pair, torch_pair, strict=True):
            wanted = torch_part.detach().numpy()
            np.testing.assert_allclose(part, wanted, rtol=1e-6, atol=1e-6 * np.abs(wanted).max())


@every_engine
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name, engine):
    check(problem_of(), engine, *OPTIMIZERS[name])


@every_engine
def test_adamw_decays_weights_only(engine):
    check(
        problem_of(),
        engine,
        AdamW(0.01, weight_decay=0.1),
        lambda groups: torch.optim.AdamW(groups, 0.01),
        weight_decay=0.1,
    )


@every_engine
@pytest.mark.parametrize("name", ["sgd", "momentum", "nesterov"])
def test_l2_is_the_weight_decay_of_sgd(name, engine):
    check(problem_of(l2=0.1), engine, *OPTIMIZERS[name], weight_decay=0.1)


@every_engine
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_l1_and_l2_are_penalties_of_the_loss(name, engine):
    check(
        problem_of(l1=0.01, l2=0.1),
        engine,
        *OPTIMIZERS[name],
        penalty=lambda W: 0.01 * W.abs().sum() + 0.05 * (W * W).sum(),
    )


@every_engine
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("clip_norm", [0.1, 100.0])
def test_clipping(clip_norm, name, engine):
    ours, theirs = OPTIMIZERS[name]
    problem = problem_of(l2=0.1)
    check(
        problem,
        engine,
        replace(ours, clip_norm=clip_norm),
        theirs,
        penalty=lambda W: 0.05 * (W * W).sum(),
        clip_norm=clip_norm,
    )


@every_engine
@pytest.mark.parametrize("loss", LAST)
def test_losses(loss, engine):
    check(problem_of(loss, quantile=0.9 if loss == "quantile" else 0.5), engine, *OPTIMIZERS["momentum"])


@every_engine
@pytest.mark.parametrize("labels", [True, False])
def test_label_smoothing(labels, engine, monkeypatch):
    smoothed = partial(torch.nn.functional.cross_entropy, label_smoothing=0.2)
    monkeypatch.setitem(LAST, "cross_entropy", smoothed)
    problem = problem_of(label_smoothing=0.2)
    if not labels:
        values = problem.data.targets.rows(slice(None), 3, np.dtype(float))
        problem = replace(problem, data=replace(problem.data, targets=Targets(None, values)))
    check(problem, engine, *OPTIMIZERS["momentum"])


@every_engine
@pytest.mark.parametrize("activation", HIDDEN)
def test_activations(activation, engine):
    # Steps as long as those of sgd make exponentials of exponentials grow without bounds.
    check(problem_of(activation=activation), engine, *OPTIMIZERS["adam" if activation == "exponential" else "sgd"])
