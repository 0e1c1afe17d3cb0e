"""Backpropagation against central differences of the loss, in float64."""

from itertools import count

import numpy as np
import pytest

from fastmlp.data.samples import Scaling
from fastmlp.engines import numpy_engine
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.architecture import Dense
from fastmlp.model.dropout import epoch_key
from fastmlp.model.losses import LOSSES

from .problems import build, padding, random_problem

STEP = 1e-5
AWAY = 1e-3  # how far data keep from every kink, a hundred steps

engines = pytest.mark.parametrize(
    ("engine", "sparse"),
    [("numpy", None), ("loops", None), ("numba", False), ("numba", True)],
    ids=["numpy", "loops", "dense", "sparse"],
)
penalties = pytest.mark.parametrize(
    "penalty", [{}, {"l1": 0.05}, {"l2": 0.1}, {"l1": 0.05, "l2": 0.1}], ids=["none", "l1", "l2", "l1+l2"]
)


def away_from_kinks(problem):
    """Whether no weighted input, residual or weight is so near a kink that a step could cross it."""
    architecture, samples = problem.architecture, problem.data.samples
    x = samples.rows(slice(None), architecture.dtype)
    run = numpy_engine.forward_pass(architecture, problem.parameters, x)
    y = problem.data.targets.rows(slice(None), architecture.outputs, architecture.dtype)
    distances = [np.abs(W).min() for W, _ in architecture.views(problem.parameters)]
    distances += [np.abs(z).min() for z in run.logits]
    residuals = np.abs(run.activations[-1] - y)
    distances += [residuals.min(), np.abs(residuals - 1).min()]
    return min(distances) > AWAY


def smooth_problem(architecture, **options):
    """The first random problem that keeps away from kinks."""
    problems = (random_problem(architecture, rows=5, weighted=True, seed=seed, **options) for seed in count())
    return next(filter(away_from_kinks, problems))


def differences(objective, problem):
    """Central differences of the objective by every parameter, in the layout of the gradient."""
    slopes = problem.architecture.zeros()
    for number in np.flatnonzero(~padding(problem.architecture)):
        values = []
        for step in (STEP, -STEP):
            moved = problem.parameters.copy()
            moved[number] += step
            values.append(objective(moved))
        slopes[number] = (values[0] - values[1]) / (2 * STEP)
    return slopes


def check(problem, engine, sparse):
    gradient = problem.gradient(engine, sparse=sparse)[1]
    slopes = differences(lambda parameters: problem.gradient(engine, parameters, sparse=sparse)[0], problem)
    # Differences are off by STEP² times a third derivative, and by the rounding of the loss over STEP.
    np.testing.assert_allclose(gradient, slopes, rtol=1e-7, atol=1e-8)


@engines
@penalties
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_the_slope_of_the_objective(loss, activation, penalty, engine, sparse):
    architecture = build([3, 5, Dense(4, bias=False), 3], loss, activation, **penalty)
    check(smooth_problem(architecture, labels=False), engine, sparse)


@engines
@pytest.mark.parametrize("kind", ["uint8", "csr-uint8", "csr-float64"])
@pytest.mark.parametrize("scaling", [None, Scaling(np.array([0.5, 2.0, 1.0]), np.array([0.1, 0.0, -1.0]))])
def test_the_gradient_of_every_kind_of_input(kind, scaling, engine, sparse):
    if scaling is not None and kind != "csr-float64":
        scaling = Scaling(scaling.scale / 255, scaling.shift)
    check(smooth_problem(build([3, 5, 3]), kind=kind, scaling=scaling), engine, sparse)


@engines
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_of_labels(loss, engine, sparse):
    check(smooth_problem(build([3, 5, 3], loss)), engine, sparse)


@engines
@pytest.mark.parametrize("sizes", [[3, 2], [1, 1, 2], [17, 9, 2]], ids=str)
def test_the_gradient_of_other_shapes(sizes, engine, sparse):
    check(smooth_problem(build(sizes, "squared_error")), engine, sparse)


@engines
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_of_padding_is_zero(activation, loss, engine, sparse):
    problem = random_problem(build([3, 5, 4, 3], loss, activation, l1=0.1, l2=0.1), rows=5, weighted=True)
    gradient = problem.gradient(engine, sparse=sparse)[1]
    assert not gradient[padding(problem.architecture)].any()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_gradient_through_dropout(activation):
    # Only the reference: that the compiled engine drops the same units is tested by comparing the two.
    layers = [3, Dense(5, dropout=0.4), Dense(6, dropout=0.2), 3]
    problem = smooth_problem(build(layers, "squared_error", activation, output="identity"))
    architecture, rows = problem.architecture, np.arange(5)
    keys = [epoch_key(1, 2, layer) for layer in range(3)]
    x = problem.data.samples.rows(rows, architecture.dtype)
    y = problem.data.targets.rows(rows, architecture.outputs, architecture.dtype)

    def objective(parameters, gradient):
        run = numpy_engine.forward_pass(architecture, parameters, x, keys, rows)
        return numpy_engine.backward_pass(architecture, parameters, run, y, problem.data.weights, gradient)

    gradient = architecture.zeros()
    objective(problem.parameters, gradient)
    unused = architecture.zeros()
    slopes = differences(lambda p: (problem.data.weights * objective(p, unused)).sum(), problem)
    np.testing.assert_allclose(gradient, slopes, rtol=1e-7, atol=1e-8)
