import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex
from scipy import sparse

from fastmlp import Network, plots
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.plots.look import DARK, LIGHT


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_sample_grid_shows_each_image_with_its_label(easy):
    axes = plots.sample_grid(easy.X, easy.y, n=7)
    assert texts(axes) == [str(label) for label in easy.y[:7]]
    for image, row in zip(axes.images, easy.X, strict=False):
        assert np.array_equal(image.get_array(), row.reshape(6, 6))


def test_no_more_images_than_there_are(easy):
    assert len(plots.sample_grid(easy.X[:3], n=40).images) == 3


def test_images_stand_in_rows_and_columns_and_do_not_overlap(easy):
    axes = plots.sample_grid(easy.X, easy.y, n=6, columns=3)
    corners = {tuple(np.round(image.get_extent(), 6)) for image in axes.images}
    assert len({left for left, *_ in corners}) == 3
    assert len({top for *_, top in corners}) == 2


def test_all_images_share_a_scale(easy):
    (norm,) = {image.norm for image in plots.sample_grid(easy.X / 100).images}
    assert (norm.vmin, norm.vmax) == (0, 2.55)


def test_it_draws_on_the_axes_that_are_given(easy, axes):
    assert plots.sample_grid(easy.X, ax=axes) is axes
    assert len(pyplot.get_fignums()) == 1


@pytest.mark.parametrize("form", [sparse.csr_matrix, np.ndarray.tolist, lambda X: X.reshape(-1, 6, 6)])
def test_forms_of_samples(easy, form):
    images = plots.sample_grid(form(easy.X), n=2).images
    assert np.array_equal(images[1].get_array(), easy.X[1].reshape(6, 6))


def test_a_data_frame(easy):
    pandas = pytest.importorskip("pandas")
    axes = plots.mistakes(easy.network, pandas.DataFrame(easy.X), easy.wrong)
    assert np.array_equal(axes.images[0].get_array(), easy.X[5].reshape(6, 6))


def test_on_given_axes_images_are_as_large_as_can_be(easy):
    wide, tall = pyplot.subplots(figsize=(8, 2))[1], pyplot.subplots(figsize=(2, 8))[1]
    plots.sample_grid(easy.X, n=4, ax=wide)
    plots.sample_grid(easy.X, n=4, ax=tall)
    assert {image.get_extent()[3] for image in wide.images} == {0}
    assert {image.get_extent()[0] for image in tall.images} == {0}


def test_the_shape_can_be_given(easy):
    assert plots.sample_grid(easy.X, shape=(4, 9)).images[0].get_array().shape == (4, 9)


def test_right_answers_are_green_and_wrong_ones_red_and_say_what_is_right(easy, theme):
    axes = plots.predictions(easy.network, easy.X, easy.wrong, n=10)
    colours = LIGHT if theme == "light" else DARK
    for number, (text, frame) in enumerate(zip(axes.texts, axes.patches, strict=True)):
        expected = colours.wrong if number == 5 else colours.right
        assert text.get_color() == to_hex(frame.get_edgecolor()) == expected
        assert ("\nis 0" in text.get_text()) == (number == 5)
    assert axes.get_title() == "9 of 10 right"


def test_wrong_answers_differ_by_more_than_colour(easy):
    axes = plots.predictions(easy.network, easy.X, easy.wrong, n=10)
    widths = [frame.get_linewidth() for frame in axes.patches]
    assert widths[5] > max(widths[:5])


def test_answers_come_with_their_probability(easy):
    shown = texts(plots.predictions(easy.network, easy.X, easy.y, n=4))
    assert shown == [f"{row.argmax()}  {row.max():.0%}" for row in easy.network.predict_proba(easy.X[:4])]


def test_labels_that_are_words_have_a_line_of_their_own(easy):
    words = np.array(["sandal", "sneaker", "shirt"])
    network = Network([36, 3], seed=0)
    network.fit(easy.X, words[easy.y], epochs=1, engine="numpy", verbose=0)
    lines = texts(plots.predictions(network, easy.X, network.predict(easy.X), n=20))
    assert {text.split("\n")[0] for text in lines if "\n" in text} == {"sandal", "sneaker"}
    assert any(text.startswith("shirt  ") for text in lines)


@pytest.mark.parametrize("output", ["identity", "sigmoid"])
def test_outputs_that_are_no_probabilities_are_shown_as_they_are(easy, output):
    network = Network([36, 3], loss="squared_error", output=output, seed=0)
    network.fit(easy.X, easy.y, epochs=1, engine="numpy", verbose=0)
    assert texts(plots.predictions(network, easy.X, network.predict(easy.X), n=1)) == [
        f"{network(easy.X[:1]).argmax()}  {network(easy.X[:1]).max():.2f}"
    ]


def test_one_hot_rows_are_labels(easy):
    assert plots.predictions(easy.network, easy.X, np.eye(3)[easy.y]).get_title() == "40 of 40 right"


@pytest.mark.filterwarnings("ignore:training ended before it had converged")
def test_an_estimator(easy):
    estimators = pytest.importorskip("fastmlp.estimators")
    model = estimators.MLPClassifier((8,), max_iter=5, random_state=0).fit(easy.X / 255, easy.y.astype(str))
    answer = model.predict(easy.X[:1] / 255)[0]
    assert texts(plots.predictions(model, easy.X / 255, easy.y.astype(str), n=1))[0].startswith(answer)


def test_mistakes_come_surest_first(easy):
    network = Network([36, 3], seed=0)
    axes = plots.mistakes(network, easy.X, easy.y, n=12)
    sure = np.array([float(text.get_text().split("  ")[1].split("%")[0]) for text in axes.texts])
    assert (np.diff(sure) <= 0).all()
    wrong = (network.predict(easy.X) != easy.y).sum()
    assert axes.get_title() == f"The 12 surest of {wrong} mistakes in 60"


def test_mistakes_are_the_wrong_ones(easy):
    axes = plots.mistakes(easy.network, easy.X, easy.wrong)
    assert len(axes.images) == 1
    assert texts(axes)[0].endswith("is 0")
    assert axes.get_title() == "All mistakes (1) in 60"


def test_no_mistakes_are_said(easy):
    assert texts(plots.mistakes(easy.network, easy.X, easy.y)) == ["No mistakes among 60 samples"]


def test_markup_in_labels_is_text(easy):
    axes = plots.sample_grid(easy.X, np.array(["$x^"] * 60), n=1)
    axes.figure.canvas.draw()
    assert texts(axes) == ["$x^"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda easy: plots.sample_grid(easy.X[:, :7]), "7 features a row are no square image"),
        (lambda easy: plots.sample_grid(easy.X, shape=(5, 5)), "5 x 5 is 25 pixels"),
        (lambda easy: plots.sample_grid(easy.X, shape=36), "shape must be"),
        (lambda easy: plots.sample_grid(easy.X[:0]), "at least one row"),
        (lambda easy: plots.sample_grid(easy.X, easy.y[:9]), "y must have a label for each of the 60 rows"),
        (lambda easy: plots.sample_grid(easy.X, n=0), "n must lie between 1"),
        (lambda easy: plots.sample_grid(easy.X, ax=easy), "ax must be a matplotlib Axes"),
        (lambda easy: plots.sample_grid([["a"]]), "brightness of pixels"),
        (lambda easy: plots.predictions(None, easy.X, easy.y), "model must be a Network"),
        (lambda easy: plots.mistakes(Network([36, 1], loss="huber"), easy.X, easy.y), "needs a trained classifier"),
    ],
)
def test_what_cannot_be_drawn_is_refused(easy, change, message):
    with pytest.raises((ArgumentError, ArgumentTypeError), match=message):
        change(easy)
    assert not pyplot.get_fignums()
