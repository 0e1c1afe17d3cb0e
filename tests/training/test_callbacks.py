import io
import math
import pickle

import numpy as np
import pytest

from fastmlp import SGD, Callback, EarlyStopping, Network, fit_many
from fastmlp.model.history import History
from fastmlp.model.training_state import TrainingState
from fastmlp.training.callbacks import FitRun, showing
from fastmlp.training.progress import Progress, duration


def run_with(column, values, callback, epochs=None):
    """Play a training whose epochs have these values; the weights of epoch n are all n."""
    state = TrainingState(np.zeros(3), np.random.default_rng(0), 0)
    run = FitRun(None, state, History(), SGD(), 0.1, epochs or len(values), (column,))
    callback.on_fit_start(run)
    for number, value in enumerate(values, start=1):
        run.epoch = number
        state.parameters[...] = number
        run.history.append(seconds=0.0, **{column: value})
        callback.on_epoch_end(run)
        if run.stop_reason:
            break
    run.history.stop_reason = run.stop_reason
    callback.on_fit_end(run)
    return run


def fit(network, data, callbacks, **options):
    X, y = data
    return network.fit(X, y, epochs=5, callbacks=callbacks, engine="numpy", verbose=0, **options)


class Recorder(Callback):
    def __init__(self):
        self.calls = []

    def on_fit_start(self, run):
        self.calls.append("fit_start")

    def on_epoch_start(self, run):
        self.calls.append(f"start {run.epoch}")

    def on_epoch_end(self, run):
        self.calls.append(f"end {run.epoch} of {run.history.epochs}")
        if run.epoch == 2:
            run.stop("seen enough")

    def on_fit_end(self, run):
        self.calls.append(f"fit_end: {run.history.stop_reason}")


def test_callbacks_are_called_in_order(blobs):
    recorder = Recorder()
    fit(Network([4, 3], seed=0), blobs, recorder)
    assert recorder.calls == ["fit_start", "start 1", "end 1 of 1", "start 2", "end 2 of 2", "fit_end: seen enough"]


def test_an_epoch_that_a_callback_fails_in_is_undone_and_the_others_end(blobs):
    class Failing(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                raise RuntimeError("no more")

    recorder, network = Recorder(), Network([4, 3], seed=0)
    with pytest.raises(RuntimeError, match="no more"):
        fit(network, blobs, [recorder, Failing()])
    assert recorder.calls[-1] == "fit_end: failed: RuntimeError"
    assert network.history.epochs == network.state.epoch == 1


def test_ctrl_c_while_an_epoch_is_shown_ends_the_training_after_it(blobs):
    class Showing(Callback):
        def on_epoch_end(self, run):
            with showing(run):
                raise KeyboardInterrupt

    network = Network([4, 3], seed=0)
    assert fit(network, blobs, [Showing()]).stop_reason == "interrupted"
    assert network.state.epoch == 1


def test_a_callback_can_change_the_learning_rate(blobs):
    class Halving(Callback):
        def on_epoch_end(self, run):
            run.learning_rate /= 2

    assert fit(Network([4, 3], seed=0), blobs, [Halving()], optimizer=SGD(0.5)).learning_rate[:3] == [0.5, 0.25, 0.125]


def test_a_callback_can_save_the_network(blobs, tmp_path):
    class Saving(Callback):
        def on_epoch_end(self, run):
            run.network.save(tmp_path / f"{run.epoch}.npz")

    fit(Network([4, 3], seed=0), blobs, [Saving()])
    assert len(list(tmp_path.iterdir())) == 5


def test_early_stopping_waits_for_its_patience():
    run = run_with("val_loss", [3.0, 2.0, 2.5, 2.1, 2.2, 1.0], EarlyStopping(patience=3))
    assert run.epoch == 5


def test_early_stopping_says_why():
    run = run_with("val_loss", [2.0, 3.0], EarlyStopping(patience=1))
    assert run.stop_reason == "early stopping: val_loss has not improved on 2 (epoch 1) for 1 epoch"


def test_early_stopping_brings_back_the_best_weights():
    assert run_with("val_loss", [3.0, 2.0, 2.5, 2.1], EarlyStopping(patience=2)).state.parameters.tolist() == [2, 2, 2]


def test_early_stopping_brings_them_back_when_epochs_run_out_too():
    assert run_with("val_loss", [3.0, 2.0, 2.5], EarlyStopping()).state.parameters.tolist() == [2, 2, 2]


def test_early_stopping_keeps_the_last_weights_on_request():
    run = run_with("val_loss", [3.0, 2.0, 2.5], EarlyStopping(restore_best=False))
    assert run.state.parameters.tolist() == [3, 3, 3]


def test_accuracy_should_rise():
    assert run_with("val_accuracy", [0.5, 0.7, 0.6], EarlyStopping("val_accuracy")).state.parameters.tolist() == [
        2,
        2,
        2,
    ]


def test_min_delta_is_what_counts_as_improvement():
    assert run_with("loss", [1.0, 0.95, 0.92, 0.91], EarlyStopping("loss", patience=2, min_delta=0.1)).epoch == 3


def test_early_stopping_starts_afresh_with_every_fit():
    stopping = EarlyStopping("loss", patience=1)
    run_with("loss", [1.0, 2.0], stopping)
    assert run_with("loss", [5.0, 4.0, 3.0], stopping).epoch == 3


def test_best_weights_are_restored_after_an_interruption(blobs):
    class Interrupting(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 2:
                raise KeyboardInterrupt
            self.weights = run.state.parameters.copy()

    interrupting, network = Interrupting(), Network([4, 3], seed=0)
    history = fit(network, blobs, [EarlyStopping("loss"), interrupting])
    assert history.stop_reason == "interrupted"
    np.testing.assert_array_equal(network.state.parameters, interrupting.weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, "X_val and y_val"), ({"monitor": "val_accuracy"}, "monitor='accuracy'")],
)
def test_a_figure_that_is_not_recorded_is_refused_before_training(blobs, options, message):
    network = Network([4, 3], seed=0)
    with pytest.raises(ValueError, match=message):
        fit(network, blobs, [EarlyStopping(**options)])
    assert network.state.epoch == 0


def test_a_regression_has_no_accuracy_to_monitor(blobs):
    X, y = blobs
    with pytest.raises(ValueError, match="regression"):
        fit(Network([4, 1], loss="squared_error"), (X, y), [EarlyStopping("accuracy")])


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"monitor": "val_los"}, ValueError, "val_loss"),
        ({"patience": 0}, ValueError, "patience"),
        ({"patience": 1.5}, TypeError, "patience"),
        ({"min_delta": -1.0}, ValueError, "min_delta"),
        ({"min_delta": math.nan}, ValueError, "min_delta"),
        ({"min_delta": "a"}, TypeError, "min_delta"),
        ({"restore_best": 1}, TypeError, "restore_best"),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        EarlyStopping(**options)


def test_early_stopping_can_be_pickled():
    assert repr(pickle.loads(pickle.dumps(EarlyStopping(patience=2)))) == repr(EarlyStopping(patience=2))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(("verbose", "stream", "lines"), [(1, io.StringIO, 0), (1, Terminal, 1), (2, io.StringIO, 3)])
def test_progress_suits_where_it_is_shown(monkeypatch, verbose, stream, lines):
    shown = stream()
    monkeypatch.setattr("sys.stderr", shown)
    run_with("loss", [3.0, 2.0, 1.0], Progress(verbose))
    assert shown.getvalue().count("\n") == lines


def test_progress_tells_the_time_left(capsys):
    run_with("loss", [3.0], Progress(2), epochs=10)
    assert "0 s left" in capsys.readouterr().err


def test_progress_tells_why_the_training_ended_early(blobs, capsys):
    X, y = blobs
    Network([4, 3], seed=0).fit(X, y, epochs=5, callbacks=[Recorder()], engine="numpy", verbose=2)
    assert capsys.readouterr().err.endswith("stopped: seen enough\n")


def test_a_silent_fit_writes_nothing(blobs, capsys):
    fit(Network([4, 3], seed=0), blobs, [])
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "text"), [(0, "0 s"), (59.6, "1 min 0 s"), (3600, "1 h 0 min")])
def test_durations_read_well(seconds, text):
    assert duration(seconds) == text


def test_a_plain_function_is_called_after_every_epoch(blobs):
    losses = []
    history = fit(Network([4, 3], seed=0), blobs, [lambda run: losses.append(run.history.loss[-1])])
    assert losses == history.loss


def test_a_single_function_needs_no_list(blobs):
    seen = []
    fit(Network([4, 3], seed=0), blobs, lambda run, note=seen.append: note(run.epoch))
    assert seen == [1, 2, 3, 4, 5]


def test_a_function_can_stop_the_training(blobs):
    assert fit(Network([4, 3], seed=0), blobs, [lambda run: run.stop("one will do")]).stop_reason == "one will do"


def test_methods_of_shared_callbacks_are_not_copied(blobs):
    class Notes:
        def __init__(self):
            self.epochs = []

        def note(self, run):
            self.epochs.append(run.epoch)

    notes, networks = Notes(), [Network([4, 3], seed=number) for number in range(2)]
    fit_many(networks, *blobs, epochs=3, callbacks=[notes.note], verbose=0)
    assert sorted(notes.epochs) == [1, 1, 2, 2, 3, 3]


def test_estimators_call_functions(blobs):
    pytest.importorskip("sklearn")
    from fastmlp import estimators

    seen = []
    with pytest.warns(match="max_iter"):
        estimators.MLPClassifier((4,), max_iter=2, callbacks=[lambda run: seen.append(run.epoch)]).fit(*blobs)
    assert seen == [1, 2]


@pytest.mark.parametrize(
    ("callbacks", "message"),
    [
        ([EarlyStopping], r"make one: EarlyStopping\(\)"),
        (EarlyStopping, r"make one: EarlyStopping\(\)"),
        (["loss"], "functions that take the FitRun; got 'loss'"),
        ([lambda: None], "must take one argument, the FitRun"),
        ([lambda run, other: None], "must take one argument, the FitRun"),
        (3, "must be a list"),
    ],
)
def test_what_is_neither_callback_nor_function_is_refused_before_training(blobs, callbacks, message):
    network = Network([4, 3], seed=0)
    with pytest.raises(TypeError, match=message):
        fit(network, blobs, callbacks)
    assert network.history.epochs == 0
