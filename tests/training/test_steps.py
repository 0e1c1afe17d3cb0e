"""Callbacks within an epoch: when they come, what they are told, and that the weights keep their bits."""

import signal
from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import SGD, AdamW, Callback, Dense, Network, fit_many
from fastmlp.engines import numpy_engine
from fastmlp.errors import ArgumentError, ArgumentTypeError, TrainingError
from fastmlp.training import rules
from fastmlp.training.steps import StepWatch

from .test_loop import digits, same


class Watcher(Callback):
    def __init__(self, every, do=lambda run: None):
        self.every_steps, self.do, self.seen, self.weights = every, do, [], []

    def on_steps(self, run):
        self.seen.append((run.epoch, *astuple(run.steps)))
        self.weights.append(run.state.parameters.copy())
        self.do(run)

    def on_epoch_end(self, run):
        self.seen.append(f"end of {run.epoch}")


def network(**options):
    return Network([6, Dense(8, dropout=0.3), 3], seed=3, **options)


def fit(net, epochs=2, engine="numpy", **options):
    """Train on 50 rows in batches of 7: 8 steps an epoch, the last of 1 row."""
    return net.fit(*digits(), **{"epochs": epochs, "batch_size": 7, "engine": engine, "verbose": 0} | options)


def blocks():
    X, y = digits(64)
    return [(X[:20], y[:20]), (X[20:23], y[20:23]), (X[23:], y[23:])]  # 3, 1 and 6 steps


SETTINGS = {
    "adam": {},
    "momentum and penalties": {"optimizer": SGD(0.1, momentum=0.9), "l1": 0.001, "l2": 0.01},
    "weight decay and schedule": {"optimizer": AdamW(0.01), "schedule": "one_cycle"},
    "weights": {"class_weight": "balanced", "shuffle": False},
    "validation": {"validation_split": 0.2},
    "augmentation": {"augment": "elastic"},
}


@pytest.mark.parametrize("options", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("every", [1, 3])
def test_asking_for_steps_changes_no_bit_of_the_weights(engine, every, options):
    penalties = {name: value for name, value in options.items() if name in ("l1", "l2")}
    others = {name: value for name, value in options.items() if name not in penalties}
    X, y = np.random.default_rng(0).integers(0, 256, (50, 36), dtype=np.uint8), np.arange(50) % 3
    nets = [Network([36, Dense(8, dropout=0.3), 3], seed=3, **penalties) for _ in range(2)]
    for net, callbacks in zip(nets, [[], [Watcher(every), Watcher(5)]], strict=True):
        net.fit(X, y, epochs=2, batch_size=7, engine=engine, callbacks=callbacks, verbose=0, **others)
    plain, watched = nets
    np.testing.assert_array_equal(plain.state.parameters, watched.state.parameters)
    assert plain.state.step == watched.state.step
    assert plain.history.accuracy == watched.history.accuracy
    np.testing.assert_allclose(plain.history.loss, watched.history.loss, rtol=1e-14)


def test_samples_in_blocks_are_counted_through(engine):
    plain, watched, watcher = network(), network(), Watcher(4)
    for net, callbacks in ((plain, []), (watched, [watcher])):
        net.fit(blocks(), epochs=2, batch_size=7, engine=engine, callbacks=callbacks, verbose=0)
    np.testing.assert_array_equal(plain.state.parameters, watched.state.parameters)
    assert [seen[:3] for seen in watcher.seen if seen[0] == 1] == [(1, 4, 4), (1, 4, 8), (1, 2, 10)]


@pytest.mark.parametrize("kind", ["sparse", "mapped"])
@pytest.mark.parametrize("rows", [50, 64])
def test_bits_are_kept_however_the_samples_lie(engine, tmp_path, kind, rows):
    generator = np.random.default_rng(0)
    X = (generator.random((rows, 300)) * (generator.random((rows, 300)) < 0.05)).astype(np.float32)
    if kind == "sparse":
        X = pytest.importorskip("scipy.sparse").csr_matrix(X)
    else:
        np.save(tmp_path / "X.npy", X)
        X = np.load(tmp_path / "X.npy", mmap_mode="r")
    nets = [Network([300, 30, 3], seed=3, l2=0.001) for _ in range(3)]
    for net, every in zip(nets, [None, 1, 3], strict=True):
        net.fit(X, np.arange(rows) % 3, epochs=2, batch_size=7, engine=engine, callbacks=[Watcher(every)], verbose=0)
    for net in nets[1:]:
        np.testing.assert_array_equal(net.state.parameters, nets[0].state.parameters)


def test_each_callback_is_called_at_its_own_steps_and_after_the_last_one():
    three, all_of_them, never = Watcher(3), Watcher(100), Watcher(None)
    fit(network(), callbacks=[three, all_of_them, never])
    assert [seen if isinstance(seen, str) else seen[:3] for seen in three.seen[:4]] == [
        (1, 3, 3),
        (1, 3, 6),
        (1, 2, 8),
        "end of 1",
    ]
    assert [seen[:3] for seen in all_of_them.seen if not isinstance(seen, str)] == [(1, 8, 8), (2, 8, 8)]
    assert never.seen == ["end of 1", "end of 2"]


@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 50), st.integers(1, 50), st.floats(1e3, 1e7))
def test_losses_of_steps_add_up_to_the_loss_of_the_epoch(n, batch_size, one, other, work):
    X, y = digits(n)
    watchers, steps = [Watcher(one), Watcher(other)], -(-n // batch_size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rules, "_WORK_PER_CALL", work)
        options = {"epochs": 1, "batch_size": batch_size, "shuffle": False, "callbacks": watchers}
        history = network().fit(X, y, engine="numpy", verbose=0, **options)
    for watcher in watchers:
        *seen, _ = watcher.seen
        ends = [in_epoch for _, _, in_epoch, _, _ in seen]
        assert ends == [*range(watcher.every_steps, steps, watcher.every_steps), steps]
        rows = np.diff([min(end * batch_size, n) for end in [0, *ends]])
        assert history.loss[0] == pytest.approx(np.average([loss for *_, loss, _ in seen], weights=rows))
        assert history.accuracy[0] == pytest.approx(np.average([right for *_, right in seen], weights=rows))


def test_weights_are_those_after_the_steps(engine):
    X, y = digits()
    watcher = Watcher(3)
    options = {"batch_size": 7, "shuffle": False, "engine": engine, "verbose": 0, "optimizer": SGD(0.1)}
    network().fit(X, y, epochs=1, callbacks=[watcher], **options)
    net = network()
    net.fit(X[:21], y[:21], epochs=1, **options)
    np.testing.assert_array_equal(watcher.weights[0], net.state.parameters)


def test_a_callback_can_look_at_the_network_within_an_epoch(tmp_path):
    X, y = digits()
    accuracies = []

    def look(run):
        accuracies.append(run.network.evaluate(X, y, engine="numpy").accuracy)
        run.network.save(tmp_path / "net.npz")

    plain, watched = network(), network()
    fit(plain)
    fit(watched, callbacks=[Watcher(3, look)])
    assert len(accuracies) == 6
    np.testing.assert_array_equal(plain.state.parameters, watched.state.parameters)


def test_regressions_are_told_no_accuracy():
    watcher = Watcher(5)
    Network([6, 1], loss="squared_error", seed=0).fit(
        np.random.default_rng(0).normal(size=(50, 6)), np.arange(50) / 50, epochs=1, callbacks=[watcher], verbose=0
    )
    assert np.isfinite(watcher.seen[0][3])
    assert np.isnan(watcher.seen[0][4])


def test_steps_of_no_weight_have_no_loss():
    watcher = Watcher(1)
    weights = np.r_[np.zeros(7), np.ones(43)]
    fit(network(), epochs=1, callbacks=[watcher], shuffle=False, sample_weight=weights)
    losses = [seen[3] for seen in watcher.seen[:-1]]
    assert np.isnan(losses[0])
    assert np.isfinite(losses[1:]).all()


def test_stop_ends_the_training_after_the_epoch():
    whole, stopped = network(), network()
    fit(whole, epochs=1)
    history = fit(stopped, epochs=5, callbacks=[Watcher(8, lambda run: run.stop("seen enough"))])
    assert history.stop_reason == "seen enough"
    assert same(whole, stopped)


@pytest.mark.parametrize("step", [1, 3, 8])
@pytest.mark.parametrize("how", ["interrupt", "ctrl-c"])
def test_an_interruption_undoes_the_epoch(step, how):
    def end(run):
        if run.epoch == 3 and run.steps.in_epoch == step:
            run.interrupt() if how == "interrupt" else signal.raise_signal(signal.SIGINT)

    whole, interrupted = network(), network()
    fit(whole, epochs=5, callbacks=[Watcher(1)])
    assert fit(interrupted, epochs=5, callbacks=[Watcher(1, end)]).stop_reason == "interrupted"
    assert interrupted.state.epoch == 2
    fit(interrupted, epochs=3, callbacks=[Watcher(1)])
    assert same(whole, interrupted)


def test_an_epoch_that_a_callback_fails_in_is_undone():
    def fail(run):
        if run.epoch == 2:
            raise RuntimeError("no more")

    whole, failed = network(), network()
    fit(whole, epochs=1, callbacks=[Watcher(3)])
    with pytest.raises(RuntimeError, match="no more"):
        fit(failed, epochs=5, callbacks=[Watcher(3, fail)])
    assert same(whole, failed)


def test_no_callback_sees_a_loss_that_is_not_finite():
    watcher = Watcher(1)
    X, y = np.arange(20.0).reshape(10, 2) * 1e3, np.arange(10.0)
    with pytest.raises(TrainingError, match="diverged"):
        Network([2, 1], loss="squared_error", scaling=None, seed=0).fit(
            X, y, epochs=9, optimizer=SGD(1e3), batch_size=1, callbacks=[watcher], engine="numpy", verbose=0
        )
    assert watcher.seen
    assert np.isfinite([seen[3] for seen in watcher.seen]).all()


def test_callbacks_keep_their_callers_floating_point_errors():
    with np.errstate(over="raise"), pytest.raises(FloatingPointError):
        fit(network(), callbacks=[Watcher(3, lambda run: np.float64(1e300) * np.float64(1e300))])


def test_time_in_callbacks_is_no_training_time(monkeypatch):
    from fastmlp.training import loop, steps

    clock = [0.0]
    for module in (loop, steps):
        monkeypatch.setattr(module.time, "perf_counter", lambda: clock[0])

    def dawdle(run):
        clock[0] += 100.0

    assert fit(network(), callbacks=[Watcher(3, dawdle)]).seconds == [0.0, 0.0]


def test_where_nobody_asks_an_epoch_stays_in_one_call(monkeypatch):
    calls, original = [], numpy_engine.train_epoch
    monkeypatch.setattr(
        numpy_engine, "train_epoch", lambda *given, **more: [calls.append(1), original(*given, **more)][1]
    )
    fit(network(), callbacks=[Callback()])
    assert len(calls) == 2
    assert not StepWatch(None, [Callback()])


@pytest.mark.parametrize(("every", "error"), [(0, ArgumentError), (1.5, ArgumentTypeError), (True, ArgumentTypeError)])
def test_an_every_that_is_none_is_refused_before_training(every, error):
    net = network()
    with pytest.raises(error, match="every_steps of Watcher"):
        fit(net, callbacks=[Watcher(every)])
    assert net.history.epochs == 0


def test_networks_of_fit_many_that_watch_steps_keep_their_bits(engine):
    X, y = digits()
    alone, together = ([network() for _ in range(3)] for _ in range(2))
    watchers = [Watcher(3), Watcher(None), Watcher(1)]
    options = {"epochs": 4, "batch_size": 7, "engine": engine, "verbose": 0}
    for net in alone:
        net.fit(X, y, **options)
    fit_many(together, X, y, settings=[{"callbacks": [watcher]} for watcher in watchers], **options)
    assert [len(watcher.weights) for watcher in watchers] == [12, 0, 32]
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.state.parameters, other.state.parameters)


@pytest.mark.parametrize("weighted", [False, True])
def test_estimators_call_within_epochs_too(weighted):
    pytest.importorskip("sklearn")
    from fastmlp import estimators

    X, y = digits()
    X, weights = X / 255.0, np.linspace(0.5, 2.0, 50) if weighted else None
    watcher = Watcher(3)
    fitted = [
        estimators.MLPClassifier((8,), random_state=0, max_iter=3, batch_size=7, alpha=0.01, callbacks=callbacks)
        for callbacks in (None, [watcher])
    ]
    with pytest.warns(match="max_iter"):
        for estimator in fitted:
            estimator.fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(*(estimator.network_.state.parameters for estimator in fitted))
    assert [seen[:3] for seen in watcher.seen[:3]] == [(1, 3, 3), (1, 3, 6), (1, 2, 8)]
