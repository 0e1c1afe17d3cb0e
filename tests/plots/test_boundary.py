from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.colors import to_hex, to_rgb

from fastmlp import Network, plots
from fastmlp.errors import FastMLPError
from fastmlp.plots.look import DARK, LIGHT

X = np.array([[0.0, 0.0], [0.0, 2.0], [4.0, 0.0], [4.0, 2.0]])


def linear(W, b, **options):
    """A network of one layer with these weights, that knows its scaling."""
    network = Network([2, np.shape(W)[1]], scaling=None, seed=0, **options)
    network.set_weights([(np.array(W, float), np.array(b, float))])
    return network


def left_or_right():
    """Class 0 left of x = 1, class 1 right of it."""
    return linear([[-4.0, 4.0], [0.0, 0.0]], [4.0, -4.0])


def samples_of(axes):
    drawn = [one for one in axes.collections if isinstance(one, PathCollection) and len(one.get_offsets())]
    return {one.get_label(): one for one in drawn}


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def borders(axes):
    """Points of the lines between regions."""
    drawn = [collection for collection in axes.collections if "Contour" in type(collection).__name__]
    return [path.vertices for collection in drawn for path in collection.get_paths() if len(path.vertices)]


def test_regions_have_the_colour_of_their_class_stronger_where_it_is_likelier(theme):
    axes = plots.decision_boundary(left_or_right(), X, [0, 0, 1, 1])
    colours = LIGHT if theme == "light" else DARK
    pixels = np.asarray(axes.images[0].get_array())
    ground = np.array(to_rgb(colours.ground))
    for column, colour in ((0, colours.several[0]), (-1, colours.several[1])):
        share = (pixels[0, column] - ground) / (np.array(to_rgb(colour)) - ground)
        assert share == pytest.approx(np.full(3, 0.55), abs=0.01)
    assert np.abs(pixels[0, 50] - ground).sum() < np.abs(pixels[0, 0] - ground).sum()


def test_the_boundary_is_where_classes_are_equally_likely():
    (line,) = borders(plots.decision_boundary(left_or_right(), X, [0, 0, 1, 1]))
    assert line[:, 0] == pytest.approx(np.ones(len(line)), abs=0.05)


def test_each_class_has_its_samples_with_a_marker_of_its_own():
    axes = plots.decision_boundary(left_or_right(), X, [0, 1, 1, 1])
    drawn = samples_of(axes)
    assert drawn["0"].get_offsets().tolist() == X[:1].tolist()
    assert drawn["1"].get_offsets().tolist() == X[1:].tolist()
    assert not np.array_equal(drawn["0"].get_paths()[0].vertices, drawn["1"].get_paths()[0].vertices)
    assert legend(axes) == ["0", "1"]
    assert axes.get_title() == "3 of 4 right"


def test_without_labels_samples_look_alike_and_the_legend_names_regions():
    axes = plots.decision_boundary(left_or_right(), X)
    (drawn,) = samples_of(axes).values()
    assert drawn.get_offsets().tolist() == X.tolist()
    assert legend(axes) == ["0", "1"]
    assert not axes.get_title()


def test_one_sigmoid_for_two_labels():
    network = linear([[4.0], [0.0]], [-4.0], loss="binary_cross_entropy")
    axes = plots.decision_boundary(network, X, [0, 0, 1, 1])
    (line,) = borders(axes)
    assert line[:, 0] == pytest.approx(np.ones(len(line)), abs=0.05)
    assert axes.get_title() == "4 of 4 right"


def test_several_classes_by_name():
    names = np.array(["low", "middle", "high"])
    points = np.random.default_rng(0).normal(size=(90, 2)) + 6 * np.repeat([[-1, 0], [0, 0], [1, 0]], 30, axis=0)
    network = Network([2, 8, 3], hidden="tanh", scaling="standardize", seed=0)
    labels = np.repeat(names, 30)
    network.fit(points, labels, epochs=60, batch_size=10, engine="numpy", verbose=0)
    axes = plots.decision_boundary(network, points, labels)
    assert legend(axes) == ["high", "low", "middle"]
    assert len(samples_of(axes)["middle"].get_offsets()) == 30
    assert len(borders(axes)) >= 3  # each class has one
    right = (network.predict(points) == labels).sum()
    assert axes.get_title() == f"{right} of 90 right"


def test_labels_that_the_model_does_not_know():
    axes = plots.decision_boundary(left_or_right(), X, [0, 1, 2, 2])
    assert legend(axes) == ["0", "1", "2"]
    assert axes.get_title() == "1 of 4 right"


def test_twelve_classes_are_told_apart():
    network = Network([2, 12], seed=0)
    axes = plots.decision_boundary(network, np.random.default_rng(0).normal(size=(24, 2)), np.arange(24) % 12)
    looks = {
        (to_hex(one.get_facecolor()[0]), one.get_paths()[0].vertices.tobytes()) for one in samples_of(axes).values()
    }
    assert len(looks) == 12


def test_a_regression_is_a_surface_with_samples_in_the_colours_of_their_numbers():
    network = linear([[1.0], [0.0]], [0.0], loss="squared_error")
    axes = plots.decision_boundary(network, X, [0.0, 0.0, 4.0, 9.0], resolution=11)
    (image,) = axes.images
    across = np.linspace(-0.32, 4.32, 11)
    assert np.asarray(image.get_array()) == pytest.approx(np.tile(across, (11, 1)), abs=1e-5)
    drawn = next(one for one in axes.collections if len(one.get_offsets()) == 4)
    assert drawn.get_array().tolist() == [0, 0, 4, 9]
    assert drawn.norm is image.norm
    assert image.norm.vmax == 9


def test_a_flat_regression_has_no_lines():
    axes = plots.decision_boundary(linear([[0.0], [0.0]], [1.0], loss="squared_error"), X)
    assert not borders(axes)


def test_the_plane_reaches_beyond_the_samples_on_both_axes():
    axes = plots.decision_boundary(left_or_right(), X)
    assert axes.get_xlim() == pytest.approx((-0.32, 4.32))
    assert axes.get_ylim() == pytest.approx((-0.16, 2.16))
    assert axes.images[0].get_array().shape == (200, 200, 3)


def test_a_plane_of_pixels_is_never_negative():
    network = Network([2, 2], seed=0)
    points = np.array([[0, 0], [255, 9]], np.uint8)
    network.fit(points, [0, 1], epochs=1, engine="numpy", verbose=0)
    assert plots.decision_boundary(network, points).get_xlim()[0] == 0


def test_a_data_frame_gives_its_names():
    pandas = pytest.importorskip("pandas")
    axes = plots.decision_boundary(left_or_right(), pandas.DataFrame(X, columns=["width", "height"]), [0, 0, 1, 1])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("width", "height")


def test_names_can_be_given():
    axes = plots.decision_boundary(left_or_right(), X, feature_names=["a", "b"])
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("a", "b")


@pytest.mark.parametrize("name", ["LogisticRegression", "SVC", "LinearRegression"])
def test_models_of_scikit_learn(name):
    linear_model, svm = pytest.importorskip("sklearn.linear_model"), pytest.importorskip("sklearn.svm")
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b"])
    regression = name == "LinearRegression"
    y = np.array([0.0, 0.5, 1.0, 1.5]) if regression else np.array(["no", "no", "yes", "yes"])
    model = svm.SVC(kernel="linear") if name == "SVC" else getattr(linear_model, name)()
    model.fit(frame, y)
    axes = plots.decision_boundary(model, frame, y)  # and scikit-learn does not warn of lost names
    if regression:
        assert axes.images[0].get_array()[-1, -1] == pytest.approx(1 + 0.32 / 4 + 0.5 * 2.16 / 2)
    else:
        (line,) = borders(axes)
        assert line[:, 0] == pytest.approx(np.full(len(line), 2.0), abs=0.15)
        assert axes.get_title() == "4 of 4 right"


@pytest.mark.filterwarnings("ignore:training ended before it had converged")
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_estimators(kind):
    estimators = pytest.importorskip("fastmlp.estimators")
    model = getattr(estimators, kind)(hidden_layer_sizes=(4,), max_iter=3, random_state=0).fit(X, [0, 1, 2, 1])
    axes = plots.decision_boundary(model, X, [0, 1, 2, 1], resolution=20)
    assert axes.images[0].get_array().shape[:2] == (20, 20)
    assert (axes.get_legend() is None) == (kind == "MLPRegressor")


def test_whatever_predicts():
    axes = plots.decision_boundary(SimpleNamespace(predict=lambda X: np.asarray(X)[:, 0] > 1), X, X[:, 0] > 1)
    assert legend(axes) == ["False", "True"]
    shares = SimpleNamespace(predict_proba=lambda X: np.column_stack([X[:, 0] < 1, X[:, 0] >= 1]).astype(float))
    assert plots.decision_boundary(shares, X, [0, 0, 1, 1]).get_title() == "4 of 4 right"


def test_outputs_that_are_no_probabilities_make_regions_of_one_strength():
    network = Network([2, 2], loss="squared_error", output="identity", scaling=None, seed=0)
    network.fit(X, [0, 0, 1, 1], epochs=1, engine="numpy", verbose=0)
    pixels = plots.decision_boundary(network, X).images[0].get_array()
    assert len(np.unique(pixels.reshape(-1, 3).round(6), axis=0)) <= 2


def test_the_legend_stands_beside_the_axes_where_the_figure_makes_room(axes):
    beside = plots.decision_boundary(left_or_right(), X)
    beside.figure.canvas.draw()
    assert beside.get_legend().get_window_extent().x0 >= beside.bbox.x1
    assert beside.get_legend().get_window_extent().x1 <= beside.figure.bbox.x1
    within = plots.decision_boundary(left_or_right(), X, ax=axes)
    within.figure.canvas.draw()
    assert within.get_legend().get_window_extent().x1 <= within.bbox.x1


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        (Network([5, 2]), {"X": np.zeros((3, 5))}, r"X must have two features .* got the shape \(3, 5\)"),
        (Network([5, 2]), {}, "model: a boundary is drawn over two features, but this model takes 5"),
        (left_or_right(), {"X": X[:0]}, "at least one row"),
        (left_or_right(), {"X": X[0]}, "two features"),
        (left_or_right(), {"X": [[np.nan, 1]]}, "X must be finite"),
        (left_or_right(), {"X": [["a", "b"]]}, "X must hold numbers"),
        (left_or_right(), {"y": [0, 1]}, "y must have a label for each of the 4 rows"),
        (left_or_right(), {"resolution": 1}, "resolution must lie between 10"),
        (left_or_right(), {"feature_names": ["a"]}, "feature_names must be two names"),
        (left_or_right(), {"feature_names": "ab"}, "feature_names must be two names"),
        (Network([2, 1], loss="huber"), {"y": [1.0]}, "y must have a number for each of the 4 rows"),
        (Network([2, 3], loss="squared_error", output="identity"), {}, "one number a sample, but this one .* 3"),
        (object(), {}, "model must be a Network or a trained estimator"),
        (SimpleNamespace(predict=len, classes_=[np.arange(2)]), {}, "answers with several"),
    ],
)
def test_what_cannot_be_drawn_is_refused(model, given, message):
    with pytest.raises(FastMLPError, match=message):
        plots.decision_boundary(model, **{"X": X} | given)


def test_a_set_of_labels_is_refused():
    network = Network([2, 3], loss="binary_cross_entropy", seed=0)
    network.fit(X, [[1, 1, 0], [0, 1, 1], [0, 0, 0], [1, 0, 1]], epochs=1, engine="numpy", verbose=0)
    with pytest.raises(FastMLPError, match="answers with several"):
        plots.decision_boundary(network, X)
