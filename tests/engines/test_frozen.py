"""Frozen layers: training leaves every bit of them alone, and trains the others as if they were not there."""

import numpy as np
import pytest

from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Scaling, as_samples
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.model.optimizers import SGD, Adam, AdamW, RMSprop

from ..interpreted import size, too_long_for_python
from .problems import Dense, Problem, both_dtypes, build, every_engine, random_problem, replace
from .strategies import KINDS

OPTIMIZERS = [
    SGD(0.1),
    SGD(0.1, weight_decay=0.1),
    SGD(0.1, momentum=0.9, nesterov=True, clip_norm=0.1),
    RMSprop(0.01, weight_decay=0.1),
    AdamW(0.01, epsilon=1e-3, clip_norm=0.05),
]
every_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=repr)
PATTERNS = [(False, True, True), (True, False, True), (False, False, True), (True, True, False), (True, False, False)]
every_pattern = pytest.mark.parametrize("trained", PATTERNS, ids=str)


@pytest.fixture(autouse=True)
def three_threads(monkeypatch):
    monkeypatch.setattr(simd_engine, "available_threads", lambda: 3)


def frozen_problem(trained, kind="float64", rows=40, dtype="float64", sizes=(12, 40, 17, 3), **penalties):
    layers = [sizes[0], *(Dense(units, trainable=own) for units, own in zip(sizes[1:], trained, strict=True))]
    scaling = Scaling(1 / 255, 0.1) if "uint8" in kind else None
    return random_problem(build(layers, dtype=dtype, **penalties), rows, kind, scaling=scaling)


def assert_left_alone(problem, state):
    """Parameters of frozen layers have the bits of the start, and their moments are zero."""
    for layer in problem.architecture.layers:
        if not layer.trainable:
            for part in (layer.weights, layer.bias):
                np.testing.assert_array_equal(part(state.parameters).view("u1"), part(problem.parameters).view("u1"))
                assert not any(part(moment).any() for moment in state.moments)


def assert_all_others_moved(problem, state):
    for layer in problem.architecture.layers:
        if layer.trainable:
            for part in (layer.weights, layer.bias):
                assert not np.array_equal(part(state.parameters), part(problem.parameters))


@every_engine
@every_optimizer
@every_pattern
def test_frozen_layers_keep_their_bits_and_the_others_learn(engine, optimizer, trained):
    problem = frozen_problem(trained, l1=0.001, l2=0.01)
    problem.parameters[problem.architecture.layers[0].weights_start] = -0.0
    for batch_size in (1, 7, 40):
        state, _ = problem.train(engine, optimizer, batch_size, epochs=2)
        assert_left_alone(problem, state)
        assert_all_others_moved(problem, state)


@both_dtypes
@every_optimizer
@pytest.mark.parametrize("trained", [(False, True, True), (True, False, False)], ids=str)
@pytest.mark.parametrize("kind", KINDS)
def test_simd_trains_the_others_as_numpy(dtype, optimizer, trained, kind):
    problem = frozen_problem(trained, kind, dtype=dtype, l2=0.01)
    theirs, scores = problem.train("numpy", optimizer, 7, epochs=2)
    for threads in size((1, 2, 3), (1,)):
        ours, own_scores = problem.train("numba", optimizer, 7, epochs=2, threads=threads)
        assert_left_alone(problem, ours)
        allowed = 1e-10 if dtype == "float64" else 2e-4
        np.testing.assert_allclose(ours.parameters, theirs.parameters, rtol=0, atol=allowed)
        assert own_scores[-1].loss == pytest.approx(scores[-1].loss, rel=allowed)


@too_long_for_python
@every_optimizer
@every_pattern
@pytest.mark.parametrize(
    ("rows", "sizes", "batch_size"),
    [(1100, (6, 5, 4, 2), 1024), (300, (30, 530, 530, 3), 150), (2048, (100, 20, 10, 3), 200)],
    ids=["groups", "wide", "large batches"],
)
def test_simd_leaves_them_alone_however_it_divides_the_work(optimizer, trained, rows, sizes, batch_size):
    problem, found = frozen_problem(trained, "uint8", rows, sizes=sizes), []
    theirs, _ = problem.train("numpy", optimizer, batch_size)
    for threads in (1, 2, 3):
        for sparse in (True, False):
            state, _ = problem.train("numba", optimizer, batch_size, threads=threads, sparse=sparse)
            assert_left_alone(problem, state)
            np.testing.assert_allclose(state.parameters, theirs.parameters, rtol=0, atol=1e-9)
            found.append((sparse, state.parameters.tobytes()))
    assert len(set(found)) == 2  # threads change no bit


@every_engine
@every_optimizer
def test_frozen_first_layers_are_features_for_the_others(engine, optimizer):
    """Also for the gradient's length, and the penalties' share of it."""
    problem = frozen_problem((False, False, True), l2=0.01)
    state, scores = problem.train(engine, optimizer, 7, epochs=3)
    architecture, data = problem.architecture, problem.data
    first, second, last = architecture.views(problem.parameters)
    features = np.tanh(
        np.tanh(data.samples.rows(slice(None), np.dtype(float)) @ first[0] + first[1]) @ second[0] + second[1]
    )
    alone = build([17, 3], l2=0.01)
    parameters = alone.zeros()
    for to, value in zip(alone.views(parameters)[0], last, strict=True):
        to[...] = value
    problem = Problem(alone, Dataset.of(alone, as_samples(features), data.targets, None, data.task), parameters)
    theirs, their_scores = problem.train(engine, optimizer, 7, epochs=3)
    for ours, their in zip(architecture.views(state.parameters)[-1], alone.views(theirs.parameters)[0], strict=True):
        np.testing.assert_allclose(ours, their, rtol=0, atol=1e-10)
    assert scores[-1].loss == pytest.approx(their_scores[-1].loss, rel=1e-10)


@every_engine
def test_the_gradient_of_a_frozen_layer_is_its_derivative(engine):
    problem = frozen_problem((False, True, False), l2=0.01)
    free = replace(problem, architecture=problem.architecture.with_trainable([True] * 3))
    (value, gradient), (same_value, same) = problem.gradient(engine), free.gradient(engine)
    assert value == same_value
    np.testing.assert_array_equal(gradient, same)


def test_networks_with_frozen_layers_do_not_share_lanes():
    problem = frozen_problem((False, True, True), sizes=(4, 5, 4, 2))
    asked = Adam(), problem.data, 8
    assert simd_engine.alike(problem.architecture, *asked) is None
    assert simd_engine.alike(problem.architecture.with_trainable([True] * 3), *asked) is not None
