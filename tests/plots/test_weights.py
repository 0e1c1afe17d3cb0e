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
    assert plots.weights(easy.network, n=5).get_title() == "Weights of the first layer, 5 of 20 units"
    assert plots.weights(easy.network).get_title() == "Weights of the first layer, 20 units"


def test_the_scale_is_drawn(easy):
    axes = plots.weights(easy.network)
    (bar,) = [other for other in axes.figure.axes if other is not axes]
    assert bar.get_ylabel() == "weight"


def test_weights_of_zero(axes):
    network = Network([4, 2], initializer="zeros")
    assert plots.weights(network, axes=axes).images[0].norm.vmax == 1


@pytest.mark.filterwarnings("ignore:training ended before it had converged")
def test_an_estimator(easy):
    estimators = pytest.importorskip("fastmlp.estimators")
    model = estimators.MLPClassifier((8,), max_iter=3, random_state=0).fit(easy.X / 255, easy.y)
    assert np.array_equal(plots.weights(model).images[0].get_array().ravel(), model.coefs_[0][:, 0])


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (Network([5, 2]), {}, "model: 5 features a row are no square image"),
        (Network([4, 2]), {"shape": (2, 3)}, "rows of model have 4"),
        ("model.npz", {}, "model must be a Network"),
    ],
)
def test_what_cannot_be_drawn_is_refused(model, options, message):
    with pytest.raises(FastMLPError, match=message):
        plots.weights(model, **options)
