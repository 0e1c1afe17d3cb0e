import numpy as np
import pytest
from matplotlib.colors import to_hex

from fastmlp import Network, plots
from fastmlp.errors import FastMLPError
from fastmlp.plots.look import DARK, LIGHT


def test_each_unit_is_an_image_of_its_weights(easy):
    axes = plots.weights(easy.network)
    W = easy.network.weights[0][0]
    assert len(axes.images) == 20
    for image, unit in zip(axes.images, W.T, strict=True):
        assert np.array_equal(image.get_array(), unit.reshape(6, 6))


def test_the_scale_is_common_and_symmetric(easy):
    (norm,) = {image.norm for image in plots.weights(easy.network).images}
    assert norm.vmin == -norm.vmax
    assert 0 < norm.vmax <= np.abs(easy.network.weights[0][0]).max()


def test_a_few_extreme_weights_do_not_decide_the_scale():
    network = Network([784, 10], seed=0)
    W = np.full((784, 10), 0.5, np.float32)
    W[0, 0] = -100
    network.set_weights([(W, np.zeros(10))])
    assert plots.weights(network).images[0].norm.vmax == 0.5


def test_negative_is_red_zero_is_the_ground_and_positive_is_blue(easy, theme):
    colour_map = plots.weights(easy.network).images[0].cmap
    colours = LIGHT if theme == "light" else DARK
    assert (to_hex(colour_map(0)), to_hex(colour_map(255))) == (colours.negative, colours.positive)
    assert np.allclose(colour_map(0.5)[:3], [int(colours.ground[n : n + 2], 16) / 255 for n in (1, 3, 5)], atol=0.02)


def test_the_title_says_how_many_are_shown(easy):
    assert plots.weights(easy.network, n=5).get_title() == "Weights of layer 1, 5 of 20 units"
    assert plots.weights(easy.network).get_title() == "Weights of layer 1, 20 units"


def test_the_scale_is_drawn(easy):
    axes = plots.weights(easy.network)
    (bar,) = [other for other in axes.figure.axes if other is not axes]
    assert bar.get_ylabel() == "weight"


def test_weights_of_zero(axes):
    network = Network([4, 2], initializer="zeros")
    assert plots.weights(network, ax=axes).images[0].norm.vmax == 1


@pytest.mark.filterwarnings("ignore:training ended before it had converged")
def test_an_estimator(easy):
    estimators = pytest.importorskip("fastmlp.estimators")
    model = estimators.MLPClassifier((8,), max_iter=3, random_state=0).fit(easy.X / 255, easy.y)
    assert np.array_equal(plots.weights(model).images[0].get_array()[0], model.coefs_[0][:, 0])


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (Network([4, 2]), {"shape": (2, 3)}, "rows of the layer's inputs have 4"),
        (Network([4, 2]), {"layer": 2}, "layer must lie between 1 and 1"),
        (Network([4, 2]), {"layer": 0}, "layer must lie between 1 and 1"),
        (Network([4, 2]), {"feature_names": "abcd"}, "feature_names must be a name for each of the 4 inputs"),
        (Network([4, 2]), {"feature_names": ["a"]}, "feature_names must be a name for each of the 4 inputs .* got 1"),
        (Network([4, 2]), {"feature_names": list("abcd"), "shape": (2, 2)}, "give either shape"),
        ("model.npz", {}, "model must be a Network"),
    ],
)
def test_what_cannot_be_drawn_is_refused(model, options, message):
    with pytest.raises(FastMLPError, match=message):
        plots.weights(model, **options)


def names(axes, axis):
    return [tick.get_text() for tick in getattr(axes, f"get_{axis}ticklabels")()]


def test_other_layers_are_heat_maps_of_units_by_inputs(easy):
    axes = plots.weights(easy.network, layer=2)
    (image,) = axes.images
    assert np.array_equal(image.get_array(), easy.network.weights[1][0].T)
    assert image.norm.vmin == -image.norm.vmax == -np.abs(image.get_array()).max()
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("unit of layer 1", "unit of layer 2")
    assert axes.get_title() == "Weights of layer 2, 8 units"


@pytest.mark.parametrize("inputs", [4, 5, 36, 300])
def test_inputs_that_are_no_images_make_a_heat_map(inputs):
    network = Network([inputs, 3], seed=0)
    axes = plots.weights(network)
    assert axes.images[0].get_array().shape == (3, inputs)
    assert axes.get_xlabel() == "input"


def test_64_inputs_that_make_a_square_are_images():
    assert plots.weights(Network([64, 3], seed=0)).images[0].get_array().shape == (8, 8)


def test_a_shape_makes_images_of_any_layer(easy):
    axes = plots.weights(easy.network, layer=2, shape=(4, 5))
    assert [image.get_array().shape for image in axes.images] == [(4, 5)] * 8


def test_features_have_their_names():
    features = ["sepal length (cm)", "a name that is much too long to be written", "c", "d"]
    axes = plots.weights(Network([4, 3], seed=0), feature_names=features)
    assert names(axes, "x") == ["sepal length (cm)", "a name that is much too…", "c", "d"]


def test_names_make_a_heat_map_of_what_could_be_an_image():
    axes = plots.weights(Network([64, 3], seed=0), feature_names=np.array([f"f{n}" for n in range(64)]))
    assert axes.images[0].get_array().shape == (3, 64)


def test_outputs_have_their_labels(easy):
    words = np.array(["cat", "dog", "emu"])
    network = Network([36, 3], seed=0)
    network.fit(easy.X, words[easy.y], epochs=1, engine="numpy", verbose=0)
    axes = plots.weights(network, feature_names=list(range(36)))
    assert names(axes, "y") == ["cat", "dog", "emu"]
    assert axes.get_ylabel() == "output"
    assert names(plots.weights(Network([4, 3], loss="squared_error", output="identity")), "y") == ["1", "2", "3"]


def test_few_weights_are_written_and_readable(theme):
    network = Network([2, 2], scaling=None, seed=0)
    network.set_weights([(np.array([[1.0, -1.0], [0.0, 0.25]]), np.zeros(2))])
    axes = plots.weights(network)
    assert [text.get_text() for text in axes.texts] == ["1.00", "−1.00", "0.00", "0.25"]
    ground = LIGHT.ground if theme == "light" else DARK.ground
    assert [text.get_color() == ground for text in axes.texts] == [True, True, False, False]
    assert not plots.weights(Network([30, 30], seed=0)).texts


def test_some_units_of_a_heat_map(easy):
    axes = plots.weights(easy.network, layer=2, n=3)
    assert axes.images[0].get_array().shape == (3, 20)
    assert axes.get_title() == "Weights of layer 2, 3 of 8 units"
