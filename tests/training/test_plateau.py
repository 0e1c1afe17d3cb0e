import math
import pickle

import numpy as np
import pytest

from fastmlp import SGD, Cosine, EarlyStopping, Network, ReduceOnPlateau
from fastmlp.model.history import History
from fastmlp.model.training_state import TrainingState
from fastmlp.training.callbacks import FitRun


def rates(callback, values, column="loss", start=1.0):
    """The learning rate after each epoch of a training whose epochs have these values."""
    run = FitRun(None, TrainingState(np.zeros(3), np.random.default_rng(0), 0), History(), SGD(), start, 100, (column,))
    callback.on_fit_start(run)
    found = []
    for number, value in enumerate(values, start=1):
        run.epoch = number
        run.history.append(**{column: value})
        callback.on_epoch_end(run)
        found.append(run.learning_rate)
    return found


def test_the_rate_falls_when_patience_is_at_its_end():
    values = [3.0, 2.0, 2.5, 2.1, 1.0, 1.5]
    assert rates(ReduceOnPlateau("loss", factor=0.5, patience=2), values) == [1, 1, 1, 0.5, 0.5, 0.5]


def test_epochs_are_counted_anew_after_each_fall():
    assert rates(ReduceOnPlateau("loss", factor=0.5, patience=2), [1.0] * 7) == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_an_improvement_is_one_on_the_best_epoch_so_far():
    values = [1.0, 3.0, 2.0, 1.5]
    assert rates(ReduceOnPlateau("loss", factor=0.5, patience=2), values) == [1, 1, 0.5, 0.5]


def test_accuracy_should_rise():
    callback = ReduceOnPlateau("val_accuracy", factor=0.5, patience=1)
    assert rates(callback, [0.5, 0.6, 0.55], "val_accuracy") == [1, 1, 0.5]
    assert (callback.best_epoch, callback.best_value) == (2, 0.6)


def test_min_delta_is_what_counts_as_improvement():
    assert rates(ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=0.1), [1.0, 0.95, 0.8]) == [1, 0.5, 0.5]


def test_the_rate_is_not_lowered_beyond_its_limit():
    callback = ReduceOnPlateau("loss", factor=0.1, patience=1, min_learning_rate=0.05)
    assert rates(callback, [1.0] * 4) == [1, 0.1, 0.05, 0.05]


def test_a_rate_below_the_limit_stays():
    assert rates(ReduceOnPlateau("loss", patience=1, min_learning_rate=0.05), [1.0] * 3, start=0.01) == [0.01] * 3


def test_every_fit_starts_afresh():
    callback = ReduceOnPlateau("loss", factor=0.5, patience=2)
    assert rates(callback, [1.0] * 3) == rates(callback, [5.0] * 3) == [1, 1, 0.5]


def test_it_goes_with_a_schedule_and_with_early_stopping(blobs):
    X, y = blobs
    options = {"epochs": 6, "optimizer": SGD(0.5), "schedule": Cosine(6), "engine": "numpy", "verbose": 0}
    # Nothing improves by so much, so the rate falls after each epoch but the first.
    callbacks = [ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=1e9), EarlyStopping("loss", patience=50)]
    found = Network([4, 3], seed=0).fit(X, y, callbacks=callbacks, **options).learning_rate
    alone = Network([4, 3], seed=0).fit(X, y, **options).learning_rate
    assert found == pytest.approx(np.array(alone) * [1, 1, 0.5, 0.25, 0.125, 0.0625])


@pytest.mark.parametrize(
    ("options", "message"), [({}, "'val_loss'.* X_val and y_val"), ({"monitor": "val_accuracy"}, "monitor='accuracy'")]
)
def test_a_figure_that_is_not_recorded_is_refused_before_training(blobs, options, message):
    X, y = blobs
    network = Network([4, 3], seed=0)
    with pytest.raises(ValueError, match=f"ReduceOnPlateau monitors .*{message}"):
        network.fit(X, y, epochs=1, callbacks=ReduceOnPlateau(**options), engine="numpy", verbose=0)
    assert network.state.epoch == 0


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"monitor": "val_los"}, ValueError, "val_loss"),
        ({"factor": 0}, ValueError, "factor"),
        ({"factor": 1.0}, ValueError, "factor"),
        ({"factor": math.nan}, ValueError, "factor"),
        ({"factor": "half"}, TypeError, "factor"),
        ({"patience": 0}, ValueError, "patience"),
        ({"patience": 1.5}, TypeError, "patience"),
        ({"min_delta": -1.0}, ValueError, "min_delta"),
        ({"min_learning_rate": -1.0}, ValueError, "min_learning_rate"),
        ({"min_learning_rate": None}, TypeError, "min_learning_rate"),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        ReduceOnPlateau(**options)


def test_it_can_be_pickled():
    callback = ReduceOnPlateau("loss", factor=0.5, patience=2)
    assert repr(pickle.loads(pickle.dumps(callback))) == repr(callback)
