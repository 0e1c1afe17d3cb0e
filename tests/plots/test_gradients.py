import numpy as np
import pytest
from matplotlib import pyplot

from fastmlp import LayerTrace, Network, Trace, plots
from fastmlp.errors import FastMLPError

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
Y = np.arange(40) % 3
DEEP = Network([4, 8, 8, 8, 3], hidden="sigmoid", seed=0)


def trace(*layers):
    """What `Network.trace` returns of layers given as (dW, delta)."""
    none = np.zeros((1, 1))
    made = [
        LayerTrace(number, "relu", none, none, None, none, none, np.array(delta, float), np.array(dW, float))
        for number, (dW, delta) in enumerate(layers, start=1)
    ]
    return Trace(x=none, layers=tuple(made), y=none)


def ticks(axes):
    return [tick.get_text() for tick in axes.get_xticklabels()]


def means(axes):
    return {line.get_label(): line.get_ydata().tolist() for line in axes.lines}


def test_circles_are_mean_sizes_of_the_gradient_layer_by_layer():
    _, gradient = DEEP.gradient(X, Y)
    expected = [float(np.abs(dW).mean()) for dW, _ in gradient]
    for given in ((DEEP, X, Y), (DEEP.gradient(X, Y),), (gradient,)):
        assert means(plots.gradients(*given))["mean |dW|"] == pytest.approx(expected, rel=1e-4)


def test_a_trace_has_deltas_too():
    axes = plots.gradients(trace(([[1, -3]], [[0.1, 0.3]]), ([[8], [8]], [[-4]])))
    assert means(axes) == {"mean |dW|": [2, 8], "mean |δ|": [pytest.approx(0.2), 4]}
    assert ticks(axes) == ["1\nrelu", "2\nrelu"]
    weights, deltas = axes.lines
    assert weights.get_marker() != deltas.get_marker()
    assert weights.get_linestyle() != deltas.get_linestyle()


def test_captions_say_which_activation():
    captions = ticks(plots.gradients(DEEP, X, Y))
    assert captions == ["1\nsigmoid", "2\nsigmoid", "3\nsigmoid", "4\nsoftmax"]


def test_bars_hold_half_and_nine_tenths_of_what_is_not_zero():
    values = np.concatenate([np.zeros(50), np.arange(1, 102)])
    axes = plots.gradients([(values[None], None)])
    spans = [collection.get_segments()[0][:, 1].tolist() for collection in axes.collections]
    assert spans == [[6, 96], [26, 76]]


def test_zeros_are_told_and_a_layer_of_zeros_is_a_gap():
    axes = plots.gradients(trace(([[0, 0]], [[0]]), ([[0, 1, 2, 1]], [[1]])))
    assert ticks(axes) == ["1\nrelu\n100% zero", "2\nrelu\n25% zero"]
    assert np.isnan(means(axes)["mean |dW|"][0])
    assert axes.get_title() == "Gradient of layer 1: 0 times that of layer 2"
    axes.figure.canvas.draw()


def test_gradients_that_are_all_zero_can_be_drawn(theme):
    axes = plots.gradients([(np.zeros((2, 2)), None), (np.zeros((2, 1)), None)])
    axes.figure.canvas.draw()
    assert axes.get_title() == "All gradients of the last layer are 0"


@pytest.mark.parametrize(
    ("first", "title"), [(1e-5, "1/100,000 of that"), (0.5, "0.5 times that"), (123.4, "120 times that")]
)
def test_the_title_compares_the_first_layer_with_the_last(first, title):
    axes = plots.gradients([([[first]], None), ([[1.0]], None)])
    assert axes.get_title() == f"Gradient of layer 1: {title} of layer 2"


def test_vanishing_gradients_shrink_towards_the_first_layer():
    sizes = means(plots.gradients(DEEP, X, Y))["mean |dW|"]
    assert sizes == sorted(sizes)


def test_the_legend_covers_nothing():
    axes = plots.gradients(trace(([[1e-3]], [[1e-3]]), ([[1.0]], [[1.0]])))
    axes.figure.canvas.draw()
    legend = axes.get_legend().get_window_extent()
    highest = axes.transData.transform((1, 1.0))[1]
    assert legend.y0 > highest


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((DEEP,), "gradients of a network need samples"),
        ((DEEP, X), "gradients of a network need samples"),
        ((DEEP, X[:, :2], Y), "X"),
        (("model.npz",), "model must be a Network"),
        (([1, 2, 3],), "model must be a Network, a Trace, or what"),
        (((0.5, [("a", "b")]),), "model must be a Network, a Trace, or what"),
        ((DEEP.trace(X),), "this trace has no gradients"),
        (([],), "model must be a Network, a Trace, or what"),
    ],
)
def test_what_cannot_be_drawn_is_refused(given, message):
    with pytest.raises(FastMLPError, match=message):
        plots.gradients(*given)
    assert not pyplot.get_fignums()
