import math

import pytest
from matplotlib import pyplot

from fastmlp import History, plots
from fastmlp.errors import FastMLPError


def recorded(**columns):
    history = History()
    for values in zip(*columns.values(), strict=True):
        history.append(**dict(zip(columns, values, strict=True)))
    return history


FULL = {
    "epoch": [1, 2, 3],
    "loss": [3.0, 2.0, 1.0],
    "accuracy": [0.5, 0.7, 0.9],
    "val_loss": [3.0, 1.5, 2.0],
    "val_accuracy": [0.4, 0.8, 0.6],
}


def test_lines_are_the_columns():
    history = recorded(**FULL)
    for axes, name in zip(plots.history(history), ("loss", "accuracy"), strict=True):
        training, validation = axes.lines
        assert training.get_xdata().tolist() == validation.get_xdata().tolist() == [1, 2, 3]
        assert training.get_ydata().tolist() == history[name]
        assert validation.get_ydata().tolist() == history[f"val_{name}"]


def test_titles_and_labels():
    of_loss, of_accuracy = plots.history(recorded(**FULL))
    assert (of_loss.get_title(), of_accuracy.get_title()) == ("Loss", "Accuracy")
    assert of_loss.get_xlabel() == of_accuracy.get_xlabel() == "epoch"


def test_the_best_epochs_are_marked_and_told():
    of_loss, of_accuracy = plots.history(recorded(**FULL))
    assert [line.get_markevery() for line in (*of_loss.lines, *of_accuracy.lines)] == [[2], [1], [2], [1]]
    assert of_loss.lines[1].get_label() == "validation, lowest 1.5000, epoch 2"
    assert of_accuracy.lines[1].get_label() == "validation, highest 80.00%, epoch 2"


def test_training_and_validation_differ_by_more_than_colour():
    training, validation = plots.history(recorded(**FULL))[0].lines
    assert training.get_linestyle() != validation.get_linestyle()


def test_a_regression_has_one_axes():
    (of_loss,) = plots.history(recorded(loss=[2.0, 1.0]))
    assert of_loss.lines[0].get_xdata().tolist() == [1, 2]


def test_epochs_that_lack_a_value_are_gaps():
    axes = plots.history(recorded(loss=[2.0, 1.0], val_loss=[math.nan, 1.5]))[0]
    assert math.isnan(axes.lines[1].get_ydata()[0])


def test_a_network_has_its_history(easy):
    assert plots.history(easy.network)[0].lines[0].get_ydata().tolist() == easy.network.history["loss"]


@pytest.mark.filterwarnings("ignore:training ended before it had converged")
def test_an_estimator_has_its_history(easy):
    estimators = pytest.importorskip("fastmlp.estimators")
    model = estimators.MLPClassifier((8,), max_iter=3, random_state=0).fit(easy.X / 255, easy.y)
    assert plots.history(model)[0].lines[0].get_ydata().tolist() == model.history_["loss"]


def test_it_draws_on_the_axes_that_are_given():
    given = pyplot.subplots(2)[1]
    assert list(plots.history(recorded(**FULL), axes=given)) == list(given)


def test_one_axes_needs_no_array(axes):
    assert plots.history(recorded(loss=[1.0]), axes=axes)[0] is axes


@pytest.mark.parametrize(
    ("history", "axes", "message"),
    [
        (History(), None, "holds no epochs to draw; call fit first"),
        ([1.0], None, "history must be what Network.fit returned"),
        (recorded(**FULL), [None], "needs 2"),
        (recorded(loss=[1.0]), [None], "axes must be a matplotlib Axes"),
    ],
)
def test_what_cannot_be_drawn_is_refused(history, axes, message):
    with pytest.raises(FastMLPError, match=message):
        plots.history(history, axes=axes)
    assert not pyplot.get_fignums()


def test_several_are_told_apart_by_colour_and_name():
    of_loss, of_accuracy = plots.history({"rate 1": recorded(**FULL), "rate 3": recorded(**FULL)})
    for axes in (of_loss, of_accuracy):
        first, dashed, second, _ = axes.lines[:4]
        assert first.get_color() == dashed.get_color() != second.get_color()
        assert (first.get_linestyle(), dashed.get_linestyle()) == ("-", "--")
    told = [text.get_text() for text in of_loss.get_legend().get_texts()]
    assert told == ["rate 1, lowest 1.5000, epoch 2", "rate 3, lowest 1.5000, epoch 2", "training", "validation"]


def test_several_without_validation_tell_their_training():
    (axes,) = plots.history({"a": recorded(loss=[2.0, 1.0]), "b": recorded(loss=[3.0, 2.5])})
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        "a, lowest 1.0000, epoch 2",
        "b, lowest 2.5000, epoch 2",
    ]


def test_many_are_told_apart_by_colour_or_dot():
    (axes,) = plots.history({str(number): recorded(loss=[2.0, 1.0]) for number in range(30)})
    assert len({(line.get_color(), line.get_marker()) for line in axes.lines}) == 30


def test_networks_by_name(easy):
    axes = plots.history({"one": easy.network, "other": easy.network.history})[0]
    assert axes.lines[0].get_ydata().tolist() == easy.network.history["loss"]


def test_several_of_different_lengths_and_figures():
    of_loss, of_accuracy = plots.history({"classes": recorded(**FULL), "numbers": recorded(loss=[2.0])})
    assert len(of_accuracy.get_legend().get_texts()) == 3
    assert any(text.get_text().startswith("numbers, lowest 2") for text in of_loss.get_legend().get_texts())


def test_one_of_several_that_holds_no_epochs():
    with pytest.raises(FastMLPError, match="no epochs"):
        plots.history({"one": recorded(**FULL), "other": History()})


def test_one_of_several_whose_validation_has_no_values_tells_its_training():
    (axes,) = plots.history({"a": recorded(loss=[2.0, 1.0], val_loss=[math.nan, math.nan])})
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["a, lowest 1.0000, epoch 2"]
