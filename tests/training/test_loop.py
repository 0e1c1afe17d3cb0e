import signal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp import SGD, Callback, Dense, Network
from fastmlp.engines import numpy_engine
from fastmlp.errors import TrainingError
from fastmlp.training import loop, rules


def digits(n=50):
    generator = np.random.default_rng(1)
    return generator.integers(0, 256, (n, 6), dtype=np.uint8), generator.integers(0, 3, n)


def network(**options):
    return Network([6, Dense(8, dropout=0.3), 3], seed=3, **options)


def fit(net, epochs, engine="numpy", **options):
    X, y = digits()
    return net.fit(X, y, epochs=epochs, batch_size=7, engine=engine, verbose=0, **options)


def same(a, b):
    """Whether two networks would train on alike: everything but the seconds has the same bits."""
    histories = [{name: values for name, values in net.history.items() if name != "seconds"} for net in (a, b)]
    return (
        np.array_equal(a.state.parameters, b.state.parameters)
        and all(map(np.array_equal, a.state.moments, b.state.moments))
        and a.state.generator.bit_generator.state == b.state.generator.bit_generator.state
        and (a.state.step, a.state.epoch) == (b.state.step, b.state.epoch)
        and histories[0] == histories[1]
    )


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw", SGD(0.1, momentum=0.9)])
@pytest.mark.parametrize("split", [0.0, 0.2])
def test_two_fits_equal_one(engine, optimizer, split):
    whole, parts = network(), network()
    fit(whole, 5, engine, optimizer=optimizer, validation_split=split)
    for epochs in (3, 2):
        fit(parts, epochs, engine, optimizer=optimizer, validation_split=split)
    assert same(whole, parts)


@pytest.mark.parametrize("split", [0.0, 0.2])
@pytest.mark.parametrize("batch_size", [7, 50])
def test_short_epochs_are_trained_together_where_nobody_looks(engine, batch_size, split, monkeypatch):
    together, one_by_one, X, y = network(), network(), *digits()
    options = {"batch_size": batch_size, "epochs": 25, "validation_split": split, "engine": engine, "verbose": 0}
    calls, original = [], loop._trained
    monkeypatch.setattr(loop, "_trained", lambda *given: [calls.append(given[-1]), original(*given)][1])
    together.fit(X, y, **options)
    assert calls[0] > 1 and sum(calls) == 25
    one_by_one.fit(X, y, callbacks=[Callback()], **options)
    assert calls[-25:] == [1] * 25
    assert same(together, one_by_one)


def test_of_epochs_trained_together_those_before_a_divergence_are_kept(engine):
    X, y = np.array([[20.0, 1.0], [1.0, 20.0]]), np.array([1.0, -1.0])
    kept = []
    for callbacks in ([], [Callback()]):
        net = Network([2, 1], loss="squared_error", seed=0)
        with pytest.raises(TrainingError, match="in epoch 5 "):
            net.fit(X, y, epochs=40, optimizer=SGD(900.0), engine=engine, verbose=0, callbacks=callbacks)
        kept.append(net)
    assert kept[0].history.epochs == 4
    assert same(*kept)


def test_an_interrupted_training_ends_as_by_ctrl_c(engine):
    class Interrupt(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 3:
                run.interrupt()

    whole, interrupted = network(), network()
    fit(whole, 2, engine)
    assert fit(interrupted, 5, engine, callbacks=[Interrupt()]).stop_reason == "interrupted"
    assert same(whole, interrupted)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 60), st.integers(1, 20), st.booleans(), st.floats(1e3, 1e7))
def test_slices_of_an_epoch_take_the_steps_of_one_call(n, batch_size, shuffle, work):
    X, y = digits(n)
    results = []
    with pytest.MonkeyPatch.context() as patch:
        for quota in (1e12, work):
            patch.setattr(rules, "_WORK_PER_CALL", quota)
            net = network()
            history = net.fit(X, y, epochs=2, batch_size=batch_size, shuffle=shuffle, engine="numpy", verbose=0)
            results.append(
                (net.state.parameters.tolist(), net.state.step, pytest.approx(history.loss), history.accuracy)
            )
    assert results[0][:2] == results[1][:2]
    assert list(results[0][2].expected) == results[1][2]


@pytest.mark.parametrize("batch_size", [1, 7, 50])
def test_slices_take_the_same_steps_in_every_engine(monkeypatch, engine, batch_size):
    X, y = digits()
    parameters = []
    for quota in (1e12, 1.0):
        monkeypatch.setattr(rules, "_WORK_PER_CALL", quota)
        net = network()
        net.fit(X, y, epochs=2, batch_size=batch_size, engine=engine, verbose=0)
        parameters.append(net.state.parameters)
    np.testing.assert_array_equal(*parameters)


def test_an_epoch_is_cut_into_slices(monkeypatch):
    monkeypatch.setattr(rules, "_WORK_PER_CALL", 1.0)
    lengths = []
    original = numpy_engine.train_epoch

    def counting(*arguments, **options):
        lengths.append(len(arguments[4]))
        return original(*arguments, **options)

    monkeypatch.setattr(numpy_engine, "train_epoch", counting)
    fit(network(), 1)
    assert lengths == [7] * 7 + [1]


def test_slices_without_weight_do_not_count(monkeypatch):
    monkeypatch.setattr(rules, "_WORK_PER_CALL", 1.0)
    weights = np.zeros(50)
    weights[:7] = 1
    X, y = digits()
    before = Network([6, 3], seed=0).evaluate(X[:7], y[:7], engine="numpy").loss
    history = fit(Network([6, 3], seed=0), 1, sample_weight=weights, shuffle=False, optimizer=SGD(1e-9))
    assert history.loss[0] == pytest.approx(before)


@pytest.mark.parametrize("calls_before", [0, 3, 8, 11])
def test_an_interrupted_epoch_is_undone(monkeypatch, calls_before):
    monkeypatch.setattr(rules, "_WORK_PER_CALL", 1.0)
    whole, interrupted = network(), network()
    fit(whole, 3)
    calls = []
    original = numpy_engine.train_epoch

    def interrupting(*arguments, **options):
        calls.append(1)
        score = original(*arguments, **options)
        if len(calls) == calls_before + 1:
            signal.raise_signal(signal.SIGINT)
        return score

    monkeypatch.setattr(numpy_engine, "train_epoch", interrupting)
    history = fit(interrupted, 3)
    assert history.stop_reason == "interrupted"
    fit(interrupted, 3 - history.epochs)
    assert same(whole, interrupted)


def test_a_fit_without_a_finished_epoch_leaves_the_network_as_it_was():
    class Interrupting(Callback):
        def on_epoch_start(self, run):
            raise KeyboardInterrupt

    net = network(scaling="standardize")
    fit(net, 1, callbacks=[Interrupting()])
    assert (net.labels, net.scaling, net.state.moments_kind) == (None, "standardize", "")


def diverge(net, **options):
    X, y = np.arange(20.0).reshape(10, 2) * 1e3, np.arange(10.0)
    net.fit(X, y, epochs=50, optimizer=SGD(1e3), batch_size=1, verbose=0, **options)


def test_divergence_is_told_with_a_remedy(engine):
    with pytest.raises(TrainingError, match=r"diverged.*in epoch 1 .*rate 1000.*features from 0 to 19000.*standardize"):
        diverge(Network([2, 1], loss="squared_error", scaling=None, seed=0), engine=engine)


@pytest.mark.filterwarnings("error")
def test_divergence_leaves_finite_weights(engine):
    net = Network([2, 1], loss="squared_error", scaling=None, seed=0)
    with pytest.raises(TrainingError):
        diverge(net, engine=engine)
    assert np.isfinite(net.state.parameters).all()
    assert net.history.stop_reason == "diverged"


def test_a_validation_loss_that_is_not_finite_ends_the_training_too(engine):
    net = Network([2, 1], loss="squared_error", seed=0)
    data = {"X_val": [[1e30, 1e30]], "y_val": [1.0], "engine": engine, "verbose": 0}
    with pytest.raises(TrainingError, match="the validation loss became inf in epoch 1"):
        net.fit(np.eye(2), np.ones(2), epochs=3, **data)
    assert net.state.epoch == 0


def test_divergence_does_not_lose_earlier_epochs():
    net = Network([2, 1], loss="squared_error", seed=0)
    X, y = np.eye(2), np.ones(2)
    net.fit(X, y, epochs=2, verbose=0, engine="numpy")
    before = net.state.parameters.copy()
    with pytest.raises(TrainingError):
        net.fit(X * 1e30, y, epochs=3, optimizer=SGD(1e30), batch_size=1, verbose=0, engine="numpy")
    np.testing.assert_array_equal(net.state.parameters, before)
    assert net.history.epochs == 2


def test_training_is_gradient_descent_batch_by_batch(engine):
    X, y = digits()
    trained = Network([6, 8, 3], dtype="float64", l2=0.01, seed=0)
    by_hand = Network([6, 8, 3], dtype="float64", l2=0.01, seed=0)
    trained.fit(X, y, epochs=1, batch_size=20, shuffle=False, optimizer=SGD(0.1), engine=engine, verbose=0)
    for batch in (slice(0, 20), slice(20, 40), slice(40, 50)):
        gradient = by_hand.gradient(X[batch], y[batch], engine=engine)[1]
        by_hand.set_weights(
            [(W - 0.1 * dW, b - 0.1 * db) for (W, b), (dW, db) in zip(by_hand.weights, gradient, strict=True)]
        )
    np.testing.assert_allclose(trained.state.parameters, by_hand.state.parameters, rtol=1e-12, atol=1e-14)


def test_the_validation_loss_is_that_of_evaluate(engine):
    X, y = digits()
    net = network()
    history = net.fit(X, y, epochs=2, X_val=X[:9], y_val=y[:9], engine=engine, verbose=0)
    assert history.val_loss[-1] == net.evaluate(X[:9], y[:9], engine=engine).loss


def test_epochs_are_numbered_over_all_fits():
    net = network()
    fit(net, 2)
    assert fit(net, 2).epoch == [3, 4]


def test_a_loss_falls(engine):
    loss = fit(Network([6, 16, 3], seed=0), 30, engine).loss
    assert loss[-1] < loss[0]


def test_recorded_figures_are_plain_floats(engine):
    history = fit(network(), 1, engine, validation_split=0.2)
    assert {type(history[name][0]) for name in history if name != "epoch"} == {float}
