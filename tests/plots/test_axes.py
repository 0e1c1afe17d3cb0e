"""The rule for Axes that holds for all plots: ``ax=`` for one panel, ``axes=`` where there may be several."""

import inspect
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot

from fastmlp import History, Network, plots
from fastmlp.errors import ArgumentTypeError

X, Y = np.eye(4, 2, dtype=np.float32), np.array([0, 1, 0, 1])
NETWORK = Network([2, 5, 2], hidden="tanh", seed=0)
SEARCH = SimpleNamespace(rates=[0.1, 1.0], losses=[2.0, 1.0], suggestion=0.5)

CALLS = {
    "activations": lambda **given: plots.activations(NETWORK, X[0], **given),
    "benchmarks": lambda **given: plots.benchmarks({"fastmlp": 1.0}, **given),
    "confusion_matrix": lambda **given: plots.confusion_matrix(NETWORK, X, Y, **given),
    "decision_boundary": lambda **given: plots.decision_boundary(NETWORK, X, Y, resolution=10, **given),
    "gradients": lambda **given: plots.gradients(NETWORK, X, Y, **given),
    "learning_rates": lambda **given: plots.learning_rates(SEARCH, **given),
    "loss_surface": lambda **given: plots.loss_surface(NETWORK, X, Y, resolution=5, **given),
    "mistakes": lambda **given: plots.mistakes(NETWORK, X, Y, shape=(1, 2), **given),
    "predictions": lambda **given: plots.predictions(NETWORK, X, Y, shape=(1, 2), **given),
    "sample_grid": lambda **given: plots.sample_grid(X, shape=(1, 2), **given),
    "weights": lambda **given: plots.weights(NETWORK, **given),
}
"""Every function that draws one panel."""


def test_all_of_them_are_here():
    assert {*CALLS, "history", "theme"} == set(plots.__all__)


@pytest.mark.parametrize("name", CALLS)
def test_it_draws_on_the_axes_that_are_given_and_makes_no_figure(name, axes):
    assert CALLS[name](ax=axes) is axes
    assert axes.has_data() or axes.texts
    assert len(pyplot.get_fignums()) == 1


@pytest.mark.parametrize("name", CALLS)
def test_without_axes_there_is_one_new_figure(name, theme):
    drawn = CALLS[name]()
    assert pyplot.get_fignums() == [drawn.figure.number]
    drawn.figure.canvas.draw()  # and nothing warns


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"ax": 3}, "ax must be a matplotlib Axes.*got int$"),
        ({"ax": np.array([None, None])}, r"ax must be a matplotlib Axes.*got ndarray; give one of them, such as ax=ax"),
        ({"axes": None}, "has no argument 'axes'; did you mean 'ax'"),
    ],
)
def test_what_is_no_axes_is_refused_before_a_figure_is_made(name, given, message):
    with pytest.raises(ArgumentTypeError, match=message):
        CALLS[name](**given)
    assert not pyplot.get_fignums()


def test_several_panels_take_axes():
    history = History()
    history.append(epoch=1, loss=1.0)
    with pytest.raises(ArgumentTypeError, match="history has no argument 'ax'; did you mean 'axes'"):
        plots.history(history, ax=None)
    with pytest.raises(ArgumentTypeError, match="axes must be a matplotlib Axes"):
        plots.history(history, axes=[3])


@pytest.mark.parametrize("name", CALLS)
def test_the_parameter_is_documented(name):
    function = getattr(plots, name)
    assert "ax" in inspect.signature(function).parameters
    assert ", ax\n" in function.__doc__ or "\n    ax : matplotlib Axes, optional\n" in function.__doc__
