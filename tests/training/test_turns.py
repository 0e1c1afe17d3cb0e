"""Threads at one network: one fit at a time, and copies of it as it is between two epochs."""

import copy
import pickle
import threading

import numpy as np
import pytest

from fastmlp import Callback, Network, load
from fastmlp.errors import TrainingError

X = np.random.default_rng(0).normal(size=(600, 20)).astype(np.float32)
Y = np.arange(600) % 3


class Waiting(Callback):
    """Wait in the first epoch until the test has looked."""

    def __init__(self):
        self.reached, self.go_on = threading.Event(), threading.Event()

    def on_epoch_end(self, run):
        if run.epoch == 1:
            self.reached.set()
            assert self.go_on.wait(60)


@pytest.fixture
def under_way(engine):
    """A network that another thread trains for three epochs, and what lets the training go on."""
    net, waiting = Network([20, 8, 3], seed=0), Waiting()
    options = {"epochs": 3, "callbacks": [waiting], "engine": engine, "verbose": 0}
    thread = threading.Thread(target=net.fit, args=(X, Y), kwargs=options)
    thread.start()
    assert waiting.reached.wait(60)
    yield net, waiting.go_on
    waiting.go_on.set()
    thread.join()
    assert net.state.epoch == 3


def test_a_second_fit_is_refused_at_once(under_way):
    with pytest.raises(TrainingError, match="being trained already"):
        under_way[0].fit(X, Y, epochs=1, verbose=0)


@pytest.mark.parametrize(
    "copied",
    [
        lambda net, path: copy.deepcopy(net),
        lambda net, path: pickle.loads(pickle.dumps(net)),
        lambda net, path: [net.save(path), load(path)][1],
    ],
    ids=["copy", "pickle", "file"],
)
def test_a_copy_is_of_the_network_between_two_epochs(under_way, copied, engine, tmp_path):
    net, go_on = under_way
    copies = []
    thread = threading.Thread(target=lambda: copies.append(copied(net, tmp_path / "net.npz")))
    thread.start()
    go_on.set()
    thread.join()
    (taken,) = copies
    alone = Network([20, 8, 3], seed=0)
    alone.fit(X, Y, epochs=taken.state.epoch, engine=engine, verbose=0)
    assert taken.history.epochs == taken.state.epoch > 0
    np.testing.assert_array_equal(taken.state.parameters, alone.state.parameters)


def test_a_fit_within_a_fit_is_refused():
    class Nested(Callback):
        def on_epoch_end(self, run):
            run.network.fit(X, Y, epochs=1, verbose=0)

    net = Network([20, 3], seed=0)
    with pytest.raises(TrainingError, match="being trained already"):
        net.fit(X, Y, epochs=2, callbacks=[Nested()], verbose=0)
    assert net.state.epoch == 0
    net.fit(X, Y, epochs=1, verbose=0)


def test_a_callback_can_copy_and_save(tmp_path):
    copies = []

    class Copying(Callback):
        def on_epoch_end(self, run):
            run.network.save(tmp_path / "net.npz")
            copies.append(copy.copy(run.network))

    net = Network([20, 3], seed=0)
    net.fit(X, Y, epochs=2, callbacks=[Copying()], verbose=0)
    assert [taken.state.epoch for taken in copies] == [1, 2]
    np.testing.assert_array_equal(copies[1].state.parameters, net.state.parameters)
