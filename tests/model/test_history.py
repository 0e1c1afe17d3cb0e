import json
import math
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.errors import ArgumentError, FastMLPError, MissingDependencyError
from fastmlp.model.history import COLUMNS, Evaluation, History

numbers = st.floats(allow_nan=False, allow_infinity=False)
rows = st.lists(st.dictionaries(st.sampled_from(COLUMNS), numbers, min_size=1), max_size=30)


def filled(recorded):
    history = History()
    for row in recorded:
        history.append(**row)
    return history


@given(rows)
def test_every_column_has_one_value_an_epoch(recorded):
    history = filled(recorded)
    assert {len(column) for column in history.values()} <= {len(recorded)}


@given(rows)
def test_json_gives_back_the_same_table(recorded):
    history = filled(recorded)
    history.stop_reason = "epochs done"
    assert repr(History.from_dict(json.loads(json.dumps(history.to_dict())))) == repr(history)


@given(rows, st.integers(0, 30))
def test_truncate_keeps_the_first_epochs(recorded, epochs):
    history = filled(recorded)
    history.truncate(epochs)
    assert history.epochs == min(epochs, len(recorded))


@given(rows)
def test_it_is_a_mapping(recorded):
    history = filled(recorded)
    assert dict(history) == {name: history[name] for name in history}
    assert len(history) == len(list(history))


def test_a_value_an_epoch_lacks_is_nan():
    history = filled([{"loss": 1.0}, {"loss": 0.5, "val_loss": 0.75}])
    assert math.isnan(history.val_loss[0])
    assert history.val_loss[1] == 0.75


def test_columns_are_attributes():
    assert filled([{"loss": 1.0}]).loss == [1.0]


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(KeyError, match=r"val_loss.*loss"):
        filled([{"loss": 1.0}])["val_loss"]


def test_an_attribute_that_is_not_there_is_an_attribute_error():
    assert not hasattr(filled([{"loss": 1.0}]), "val_loss")


def test_unknown_columns_are_refused():
    with pytest.raises(ValueError, match="losss"):
        History().append(losss=1.0)


def test_pickling_keeps_everything():
    history = filled([{"loss": 1.0}])
    assert repr(pickle.loads(pickle.dumps(history))) == repr(history)


def test_long_tables_are_shortened():
    assert len(repr(filled([{"loss": 1.0}] * 1000)).splitlines()) < 25


@pytest.mark.parametrize(
    "plain",
    [
        None,
        {},
        {"columns": {"x": []}},
        {"columns": {"loss": ["a"]}},
        {"columns": {"loss": [1.0], "accuracy": []}},
    ],
)
def test_dictionaries_of_another_form_are_refused(plain):
    with pytest.raises(FastMLPError):
        History.from_dict(plain)


def test_evaluation_reads_as_a_sentence():
    assert str(Evaluation(0.5, 0.975)) == "loss 0.5000, accuracy 97.50%"


def test_evaluation_of_a_regression_has_no_accuracy():
    assert str(Evaluation(0.5)) == "loss 0.5000"


def test_several_epochs_are_as_one_after_another():
    together, one_by_one = History(), History()
    together.extend(epoch=[1, 2], loss=[0.5, 0.25])
    together.extend(epoch=[3], loss=[0.125], accuracy=[0.9])
    for epoch, loss in ((1, 0.5), (2, 0.25)):
        one_by_one.append(epoch=epoch, loss=loss)
    one_by_one.append(epoch=3, loss=0.125, accuracy=0.9)
    np.testing.assert_equal(dict(together), dict(one_by_one))


@pytest.mark.parametrize("columns", [{"loss": [1.0], "epoch": [1, 2]}, {"losses": [1.0]}])
def test_columns_that_dont_fit_are_refused(columns):
    with pytest.raises(ArgumentError):
        History().extend(**columns)


@given(rows)
def test_a_frame_has_a_row_for_each_epoch(recorded):
    pytest.importorskip("pandas")
    history = filled(recorded)
    frame = history.to_frame()
    assert frame.shape == (history.epochs, len(set(history) - {"epoch"}))
    assert frame.index.name == "epoch" and frame.index.dtype == "int64"
    for name in frame:
        np.testing.assert_array_equal(frame[name], history[name])


def test_the_index_of_a_frame_is_the_epoch():
    pytest.importorskip("pandas")
    assert filled([{"epoch": 4, "loss": 1.0}, {"epoch": 5, "loss": 0.5}]).to_frame().index.tolist() == [4, 5]
    assert filled([{"loss": 1.0}, {"epoch": 2, "loss": 0.5}]).to_frame().index.tolist() == [1, 2]


def test_a_frame_without_pandas_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"needs pandas for .*: pip install"):
        filled([{"loss": 1.0}]).to_frame()


@pytest.mark.parametrize(("epochs", "shown"), [(1, 1), (5, 5), (30, 5)])
def test_a_notebook_shows_the_last_epochs_and_a_curve(epochs, shown):
    history = filled([{"epoch": n, "loss": 1 / n, "val_loss": 2 / n} for n in range(1, epochs + 1)])
    history.stop_reason = "early <stopping>"
    html = history._repr_html_()
    assert html.count("<tr>") == shown + 1
    assert f">{epochs}</td>" in html
    assert html.count("<path") == 2 * (len(history.loss) > 0)
    assert "early &lt;stopping&gt;" in html


def test_a_notebook_shows_an_empty_history():
    assert "no epochs" in History()._repr_html_()


def test_a_notebook_shows_an_evaluation():
    assert "97.50%" in Evaluation(0.5, 0.975)._repr_html_()
    assert "accuracy" not in Evaluation(0.5)._repr_html_()
