import numpy as np
import pytest

from fastmlp import Network, plots
from fastmlp.errors import ArgumentError


def test_cells_are_counts(easy):
    axes = plots.confusion_matrix(easy.network, easy.X, easy.wrong)
    cells = {(int(text.get_position()[1]), int(text.get_position()[0])): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "20", (1, 1): "20", (2, 2): "19", (0, 2): "1"}


def test_right_answers_and_mistakes_have_scales_of_their_own(easy):
    right, wrong = plots.confusion_matrix(easy.network, easy.X, easy.wrong).images
    assert (right.norm.vmin, right.norm.vmax) == (0, 1)
    assert (wrong.norm.vmin, wrong.norm.vmax) == (0, pytest.approx(1 / 21))
    assert right.get_array().mask.tolist() == (~np.eye(3, dtype=bool)).tolist()
    assert wrong.get_array().mask.tolist() == np.eye(3, dtype=bool).tolist()


def test_rows_are_truths_and_columns_are_answers(easy):
    axes = plots.confusion_matrix(easy.network, easy.X, easy.wrong)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("answer", "true label")
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0", "1", "2"]
    assert axes.get_title() == "59 of 60 right, 98.33%"


def test_labels_that_the_network_does_not_know_have_a_row(easy):
    axes = plots.confusion_matrix(easy.network, easy.X, np.where(easy.y == 2, 7, easy.y))
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["0", "1", "2", "7"]


def test_text_is_readable_on_its_cell(easy, theme):
    axes = plots.confusion_matrix(easy.network, easy.X, easy.wrong)
    colours = {text.get_text(): text.get_color() for text in axes.texts}
    assert set(colours.values()) <= {"#1f2328", "#ffffff", "#f0f6fc", "#0d1117"}
    assert colours["20"] == ("#ffffff" if theme == "light" else "#0d1117")


def test_many_labels_have_no_numbers():
    X = np.eye(40, dtype=np.float32)
    axes = plots.confusion_matrix(Network([40, 40], seed=0), X, np.arange(40))
    assert not axes.texts
    assert len(axes.get_xticks()) == 20


def test_a_regression_is_refused(easy):
    with pytest.raises(ArgumentError, match="needs a trained classifier"):
        plots.confusion_matrix(Network([36, 1], loss="squared_error"), easy.X, easy.y)
