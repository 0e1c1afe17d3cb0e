"""What estimators refuse, by name, before a kernel is entered; and what weights mean to them."""

import datetime

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from fastmlp import Callback, load
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.estimators import MLPClassifier, MLPRegressor

X = np.random.default_rng(0).normal(size=(60, 4))
BINARY, SETS = (X[:, 0] > 0).astype(int), (X[:, :3] > 0).astype(int)
CLASSES = BINARY + (X[:, 1] > 0)


def classifier(**options):
    return MLPClassifier(**({"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0} | options))


def regressor(**options):
    return MLPRegressor(**({"hidden_layer_sizes": (4,), "max_iter": 2, "random_state": 0} | options))


DAYS = np.arange("2020-01-01", "2020-03-01", dtype="M8[D]")


@pytest.mark.parametrize(
    ("make", "y", "y_val"),
    [
        (regressor, X, X[:, 0]),
        (regressor, X, X[:, :2]),
        (regressor, X[:, 0], X[:, :2]),
        (regressor, X[:, 0], X[:40, 0]),
        (regressor, X[:, 0], DAYS),
        (regressor, X[:, 0], ["a"] * 60),
        (classifier, SETS, SETS[:, :2]),
        (classifier, SETS, BINARY),
        (classifier, SETS, 1 + SETS),
        (classifier, BINARY, SETS),
        (classifier, BINARY, CLASSES),
        (classifier, CLASSES, np.eye(3, dtype=int)[CLASSES]),
        (classifier, BINARY, ["a"] * 60),
        (classifier, BINARY, BINARY[:40]),
    ],
)
def test_validation_targets_of_another_form_are_refused_by_name(make, y, y_val):
    with pytest.raises((ArgumentError, ArgumentTypeError), match="y_val"):
        make().fit(X, y, X_val=X, y_val=y_val)


def test_many_more_validation_rows_of_another_form_do_not_reach_a_kernel():
    many = np.random.default_rng(0).normal(size=(200_000, 4))
    with pytest.raises(ArgumentError, match="y_val"):
        regressor().fit(X, np.ones((60, 500)), X_val=many, y_val=many[:, 0])


@pytest.mark.parametrize("classes", [range(3000), range(2)])
def test_as_many_classes_as_columns(classes):
    with pytest.raises(ArgumentError, match="classes"):
        classifier().partial_fit(X, SETS, classes=classes)


@pytest.mark.parametrize(("make", "y"), [(classifier, SETS), (regressor, X[:, :3])])
@pytest.mark.parametrize("columns", [2, 1])
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_columns_may_not_change_from_call_to_call(make, y, columns):
    started = make().partial_fit(X, y, **({"classes": range(3)} if make is classifier else {}))
    with pytest.raises(ArgumentError, match=r"^y "):
        started.partial_fit(X, y[:, :columns])


@pytest.mark.parametrize(
    "y",
    [DAYS, list(DAYS.astype(object)), pd.Series(DAYS), DAYS - DAYS[0], np.arange(60).astype(str)],
    ids=["dates", "objects", "series", "lengths of time", "text"],
)
def test_dates_and_text_are_no_numbers_to_learn(y):
    with pytest.raises(ArgumentTypeError, match="y must hold numbers"):
        regressor().fit(X, y)


def test_text_among_objects_is_no_number_either():
    with pytest.raises(ArgumentTypeError, match="y must hold numbers, got '0'"):
        regressor().fit(X, np.arange(60).astype(str).astype(object))


def test_dates_are_no_features_and_a_frame_names_the_column():
    frame = pd.DataFrame({"size": X[:, 0], "day": pd.Series(DAYS)})
    for make, y in ((classifier, BINARY), (regressor, X[:, 0])):
        with pytest.raises(ArgumentTypeError, match="column 'day' of X holds datetime64"):
            make().fit(frame, y)
        with pytest.raises(ArgumentTypeError, match="X holds datetime64"):
            make().fit(DAYS[:, None], y)


def test_sparse_numbers_to_learn_are_refused_by_name():
    with pytest.raises(ArgumentTypeError, match=r"y\.toarray\(\)"):
        regressor().fit(X, scipy.sparse.csr_array(X))


@pytest.mark.parametrize("y", [1 + SETS, 2 * SETS, SETS - 1])
def test_columns_of_labels_hold_0_and_1(y):
    with pytest.raises(ArgumentError, match="must hold 0 and 1 only"):
        classifier().fit(X, y)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_layer_sizes", lambda: map(int, "5 3".split())),
        ("activation", lambda: iter(["relu"])),
        ("dropout", lambda: (share for share in [0.1])),
        ("callbacks", lambda: iter([Callback()])),
    ],
)
def test_an_iterator_is_no_parameter_since_the_second_fit_would_find_it_empty(name, value):
    with pytest.raises(ArgumentTypeError, match=f"{name} is an iterator"):
        classifier(**{name: value()}).fit(X, BINARY)


def test_large_targets_are_named_with_their_size():
    with pytest.raises(ArgumentError, match=r"y holds .*e\+30"):
        regressor().fit(X.astype(np.float32), X[:, 0] * 1e30)


def test_labels_of_numpys_strings_are_kept_as_text(tmp_path):
    y = np.array(["no", "yes"], dtype=np.dtypes.StringDType())[BINARY]
    fitted = classifier().fit(X, y)
    fitted.network_.save(tmp_path / "net.npz")
    assert fitted.classes_.dtype.kind == load(tmp_path / "net.npz").labels.classes.dtype.kind == "U"


# --- weights ---


def test_balanced_classes_with_whole_weights_are_as_rows_repeated():
    weights = np.random.default_rng(1).integers(0, 4, 60)
    options = {"class_weight": "balanced", "batch_size": 1000, "max_iter": 40, "tol": 0.0}
    weighted = classifier(**options).fit(X, BINARY, sample_weight=weights)
    repeated = classifier(**options).fit(np.repeat(X, weights, axis=0), np.repeat(BINARY, weights))
    np.testing.assert_allclose(weighted.predict_proba(X), repeated.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("y", [BINARY, CLASSES])
def test_held_out_scores_know_no_class_weight(y):
    fitted = classifier(class_weight={0: 1, 1: 50}, early_stopping=True, validation_fraction=0.3).fit(X, y)
    held_out = fitted._progress.held_out[1]
    assert fitted.validation_scores_[-1] == fitted.network_.evaluate(X[held_out], y[held_out]).accuracy


def test_rows_of_weight_0_do_not_count_in_standardizing():
    far, weights = X.copy(), np.ones(60)
    far[:10], weights[:10] = 1e6, 0.0
    fitted = classifier(standardize=True, max_iter=400).fit(far, BINARY, sample_weight=weights)
    assert fitted.score(X[10:], BINARY[10:]) > 0.9
    np.testing.assert_allclose(fitted.network_.scaling.centre, X[10:].mean(axis=0))


@pytest.mark.parametrize("seed", range(30))
def test_rows_to_hold_out_are_among_those_that_count(seed):
    weights = np.zeros(60)
    weights[np.random.default_rng(seed).choice(60, 15, replace=False)] = 1
    fitted = classifier(early_stopping=True, random_state=seed).fit(X, CLASSES, sample_weight=weights)
    train, held_out = fitted._progress.held_out
    assert weights[held_out].all() and sorted([*train, *held_out]) == list(range(60))


@pytest.mark.parametrize("y", [BINARY, CLASSES, SETS], ids=["binary", "classes", "sets"])
def test_label_smoothing_is_in_the_validation_loss_too(y):
    smoothed, plain = (classifier(label_smoothing=share, max_iter=1) for share in (0.3, 0.0))
    for model in (smoothed, plain):
        model.fit(X, y, X_val=X, y_val=y)
    assert smoothed.history_["val_loss"][0] == smoothed.network_.evaluate(X, y).loss
    assert smoothed.history_["val_loss"][0] != pytest.approx(plain.history_["val_loss"][0])


def test_weights_of_classes_that_a_fold_lacks_are_fine():
    classifier(class_weight={0: 1, 1: 2, 2: 3}).fit(X, BINARY)
    with pytest.raises(ArgumentError, match="class_weight"):
        classifier(class_weight={0: 1, 7: 3}).fit(X, BINARY)


# --- Ctrl-C, and what is printed ---


class CtrlC(Callback):
    """Ctrl-C when an epoch of this number begins."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_start(self, run):
        if run.epoch == self.epoch:
            raise KeyboardInterrupt


def test_ctrl_c_in_the_first_epoch_leaves_no_model():
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fitted = classifier(callbacks=[CtrlC(1)]).fit(X, BINARY)
    assert not hasattr(fitted, "coefs_") and not hasattr(fitted, "classes_")


def test_ctrl_c_in_the_first_epoch_of_another_fit_leaves_the_model_of_before():
    fitted = classifier().fit(X, BINARY)
    before = fitted.predict_proba(X)
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fitted.set_params(callbacks=[CtrlC(1)]).fit(X, CLASSES)
    np.testing.assert_array_equal(fitted.predict_proba(X), before)


def test_ctrl_c_in_lbfgs_keeps_the_iterations_done(monkeypatch, capsys):
    class Interrupting:
        lines = 0

        def write(self, line):
            self.lines += 1
            if self.lines == 3:
                raise KeyboardInterrupt

    monkeypatch.setattr("sys.stdout", Interrupting())
    with pytest.warns(UserWarning, match="Training interrupted by user"):
        fitted = classifier(solver="lbfgs", max_iter=50, verbose=True).fit(X, BINARY)
    assert (fitted.n_iter_, fitted.stop_reason_) == (3, "interrupted")


@pytest.mark.parametrize(
    "options",
    [
        {"n_iter_no_change": 2, "tol": 10.0, "max_iter": 9},
        {"n_iter_no_change": 2, "tol": 10.0, "max_iter": 9, "early_stopping": True},
        {"n_iter_no_change": 1, "tol": 10.0, "max_iter": 60, "solver": "sgd", "learning_rate": "adaptive"},
    ],
    ids=str,
)
def test_lines_are_scikit_learns_own(options, capsys):
    from sklearn.neural_network import MLPClassifier as Theirs

    said = []
    for kind in (MLPClassifier, Theirs):
        kind((4,), random_state=0, verbose=True, **options).fit(X, BINARY)
        said.append(capsys.readouterr().out.splitlines())
    assert said[0] == said[1]


def test_patience_may_be_numpys_infinity():
    assert classifier(n_iter_no_change=np.float32("inf")).fit(X, BINARY).n_iter_ == 2


def test_one_date_among_objects():
    y = X[:, 0].astype(object)
    y[3] = datetime.date(2020, 1, 1)
    with pytest.raises(ArgumentTypeError, match="y must hold numbers, got datetime"):
        regressor().fit(X, y)


@pytest.mark.parametrize("changed", [True, 1.5, "2"])
def test_a_parameter_equal_to_one_that_was_read_before_is_still_checked(changed):
    X, y = np.eye(4), [0, 1, 0, 1]
    MLPClassifier(max_iter=1, tol=0.0, n_iter_no_change=1, hidden_layer_sizes=(3, 1)).fit(X, y)
    with pytest.raises((ArgumentError, ArgumentTypeError), match="max_iter"):
        MLPClassifier(max_iter=changed, tol=0.0, n_iter_no_change=1, hidden_layer_sizes=(3, 1)).fit(X, y)


def test_sizes_changed_in_place_between_two_small_fits_are_seen():
    X, y, sizes = np.eye(4), [0, 1, 0, 1], [3]
    model = MLPClassifier(sizes, max_iter=1).partial_fit(X, y, classes=[0, 1])
    sizes[0] = 5
    with pytest.raises(ArgumentError, match="5"):
        model.partial_fit(X, y)
