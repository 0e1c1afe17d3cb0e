import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.colors import to_hex

from fastmlp import Network, plots
from fastmlp.errors import FastMLPError
from fastmlp.plots.diagram import shown_units
from fastmlp.plots.look import DARK, LIGHT


def circles(axes):
    return [collection for collection in axes.collections if isinstance(collection, PatchCollection)]


def lines(axes):
    return [collection for collection in axes.collections if isinstance(collection, LineCollection)]


def test_layers_are_circles_and_of_large_ones_the_most_active_are_drawn(easy):
    axes = plots.activations(easy.network, easy.X[0], most_units=10)
    assert [len(layer.get_paths()) for layer in circles(axes)] == [10, 10, 8, 3]
    dots = [line for line in axes.lines if len(line.get_xdata()) == 3]
    assert len(dots) == 2


def test_every_circle_is_joined_to_those_of_the_next_layer(easy):
    axes = plots.activations(easy.network, easy.X[0], most_units=10)
    assert [len(part.get_segments()) for part in lines(axes)] == [100, 80, 24]


def test_lines_are_blue_or_red_by_the_sign_of_their_weight(easy, theme):
    axes = plots.activations(easy.network, easy.X[0])
    colours = LIGHT if theme == "light" else DARK
    drawn = [to_hex(colour) for colour in lines(axes)[-1].get_colors()]
    W = easy.network.weights[-1][0]
    assert drawn.count(colours.positive) == (W >= 0).sum()
    assert drawn.count(colours.negative) == (W < 0).sum()


def test_circles_are_filled_by_what_they_hold(easy):
    fills = circles(plots.activations(easy.network, easy.X[0]))[-1].get_facecolors()[:, 0]
    outputs = easy.network(easy.X[:1])[0]
    assert np.array_equal(np.argsort(-fills), np.argsort(outputs))  # ink is dark


def test_negative_values_are_red(easy):
    fills = circles(plots.activations(easy.network, easy.X[0]))[2].get_facecolors()
    held = easy.network.activations(easy.X[:1])[2][0]
    assert np.array_equal(fills[:, 0] > fills[:, 2] + 0.02, held < -0.02 * np.abs(held).max())


def test_outputs_have_their_label_and_value_and_the_answer_is_bold(easy):
    axes = plots.activations(easy.network, easy.X[1])
    outputs = easy.network.predict_proba(easy.X[1:2])[0]
    shown = {text.get_text(): text.get_fontweight() for text in axes.texts}
    for label, share in enumerate(outputs):
        assert shown[f"{label}   {share:.0%}"] == ("bold" if label == 1 else "normal")


def test_layers_have_captions(easy):
    shown = [text.get_text() for text in plots.activations(easy.network, easy.X[0]).texts]
    assert shown[:4] == ["36 inputs\n16 largest", "20 tanh\n16 most active", "8 tanh", "3 softmax"]


@pytest.mark.parametrize(
    ("truth", "title"), [(None, "Answer: 0"), (0, "Answer: 0, right"), (2, "Answer: 0, but it is 2")]
)
def test_the_title_tells_the_answer(easy, truth, title):
    assert plots.activations(easy.network, easy.X[0], truth).get_title() == title


@pytest.mark.parametrize("form", [lambda x: x, lambda x: x.reshape(1, -1), lambda x: x.reshape(6, 6)])
def test_the_sample_is_drawn_as_an_image(easy, form):
    (image,) = plots.activations(easy.network, form(easy.X[0])).images
    assert np.array_equal(image.get_array(), easy.X[0].reshape(6, 6))


def test_a_row_of_a_table_has_no_image():
    for features in (3, 4):
        assert not plots.activations(Network([features, 4, 2], seed=0), np.ones(features, np.float32)).images


def test_a_regression_has_numbers_without_labels():
    network = Network([3, 1], loss="squared_error", seed=0)
    x = np.ones((1, 3), np.float32)
    axes = plots.activations(network, x)
    assert axes.texts[-1].get_text() == f"{network(x)[0, 0]:.2f}"
    assert not axes.get_title()


def test_one_output_for_two_labels():
    network = Network([3, 1], loss="binary_cross_entropy", seed=0)
    axes = plots.activations(network, np.ones(3, np.float32))
    assert axes.texts[-1].get_text().startswith("1   0.")


def test_everything_lies_within_the_axes(easy):
    axes = plots.activations(easy.network, easy.X[0], easy.y[0])
    axes.figure.canvas.draw()
    box = axes.figure.bbox
    for text in axes.texts:
        extent = text.get_window_extent()
        assert box.x0 <= extent.x0 and extent.x1 <= box.x1 and box.y0 <= extent.y0 and extent.y1 <= box.y1


def test_it_draws_on_the_axes_that_are_given(easy, axes):
    assert plots.activations(easy.network, easy.X[0], ax=axes) is axes


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda easy: plots.activations(easy.network, easy.X[:2]), "x must be one sample of 36 features"),
        (lambda easy: plots.activations(easy.network, easy.X[0], shape=(5, 5)), "5 x 5 is 25 pixels"),
        (lambda easy: plots.activations(easy.network, easy.X[0], most_units=1), "most_units must lie between 2"),
        (lambda easy: plots.activations(object(), easy.X[0]), "model must be a Network"),
    ],
)
def test_what_cannot_be_drawn_is_refused(easy, change, message):
    with pytest.raises(FastMLPError, match=message):
        change(easy)


def made(*layers, **options):
    """A network without hidden layers that has learned nothing, whose outputs follow from its biases."""
    network = Network([2, len(layers)], scaling=None, seed=0, **options)
    network.set_weights([(np.zeros((2, len(layers))), np.array(layers, float))])
    return network


def test_of_many_outputs_the_highest_are_drawn_from_the_top():
    network = made(0.0, 3.0, 1.0, 2.0, -5.0)
    axes = plots.activations(network, np.ones(2, np.float32), most_units=3)
    shares = network.predict_proba(np.ones((1, 2), np.float32))[0]
    labels = [text for text in axes.texts if text.get_text().endswith("%")]
    assert [text.get_text() for text in labels] == [f"{unit}   {shares[unit]:.0%}" for unit in (1, 3, 2)]
    assert [text.get_fontweight() for text in labels] == ["bold", "normal", "normal"]
    assert labels[0].get_position()[1] < labels[1].get_position()[1]  # y goes downwards
    assert "5 softmax\n3 highest" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("most", [2, 3, 8])
def test_the_answer_is_always_there(easy, most):
    for row in easy.X[:6]:
        answer = easy.network.predict(row[None])[0]
        axes = plots.activations(easy.network, row, most_units=most)
        (bold,) = [text.get_text() for text in axes.texts if text.get_fontweight() == "bold"]
        assert bold.startswith(f"{answer} ")


def test_the_units_with_the_largest_values_are_drawn_with_their_numbers(easy):
    held = easy.network.activations(easy.X[:1])[1][0]
    expected = sorted(np.argsort(-np.abs(held))[:5] + 1)
    axes = plots.activations(easy.network, easy.X[0], most_units=5)
    x = 6.5  # of the first layer after the inputs
    numbers = [text for text in axes.texts if text.get_text().isdigit() and text.get_position()[0] == x]
    assert [int(text.get_text()) for text in numbers] == expected


def test_large_negative_outputs_of_a_regression_are_among_those_drawn():
    network = made(0.1, -9.0, 0.2, 5.0, loss="squared_error", output="identity")
    axes = plots.activations(network, np.ones(2, np.float32), most_units=2)
    shown = [text.get_text() for text in axes.texts]
    assert "-9.00" in shown and "5.00" in shown and "0.20" not in shown
    assert "4 identity\n2 most active" in shown


def test_layers_that_are_drawn_whole_have_no_numbers(easy):
    shown = [text.get_text() for text in plots.activations(easy.network, easy.X[0], most_units=36).texts]
    assert not any(text.isdigit() for text in shown)


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=40), st.integers(2, 20), st.booleans())
def test_no_unit_that_is_left_out_exceeds_one_that_is_drawn(values, most, highest):
    held = np.array(values)
    units = shown_units(held, most, highest=highest)
    assert len(units) == len(set(units)) == min(most, len(held))
    size = held if highest else np.abs(held)
    assert size[units].min() >= np.delete(size, units).max(initial=-1)
    assert held.argmax() in units or not highest
