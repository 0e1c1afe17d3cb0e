"""`fit_many` by the workers of an executor: the bits of one process, whatever happens to a worker."""

import multiprocessing
import os
import pickle
import signal
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest

from fastmlp import Callback, EarlyStopping, Network, executors, fit_many
from fastmlp.errors import ArgumentError, ArgumentTypeError, TrainingError
from fastmlp.model.optimizers import SGD

from .interpreted import needs_compiler

X = np.random.default_rng(0).normal(size=(200, 6)).astype(np.float32)
Y = (X[:, 0] > X[:, 1]).astype(int)
QUICK = {"epochs": 4, "batch_size": 20, "verbose": 0}


def made(count=6):
    return [Network([6, 5 + number % 3, 2], seed=number) for number in range(count)]


def same(one, other):
    np.testing.assert_array_equal(one.network.state.parameters, other.network.state.parameters)
    assert one.history.to_dict()["columns"]["loss"] == other.history.to_dict()["columns"]["loss"]
    assert one.network.state.step == other.network.state.step


class Recording:
    """An executor that does everything at once, through pickles, and remembers what was sent."""

    def __init__(self, workers=1):
        self.sent, self._max_workers = [], workers

    def submit(self, function, key, data, work, parcel):
        self.sent.append((data is not None, len(parcel.networks)))
        future = Future()
        given = pickle.loads(pickle.dumps((key, data, work, parcel)))
        future.set_result(pickle.loads(pickle.dumps(function(*given))))
        return future


@pytest.fixture
def pool():
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("options", [{}, {"validation_split": 0.2, "callbacks": [EarlyStopping("val_loss", 1)]}])
def test_results_have_the_bits_of_this_process(options):
    here, there = (
        fit_many(made(), X, Y, **QUICK, **options),
        fit_many(made(), X, Y, executor=Recording(), **QUICK, **options),
    )
    for one, other in zip(here, there, strict=True):
        same(one, other)


@needs_compiler
def test_processes_train(pool):
    here, there = fit_many(made(), X, Y, **QUICK), fit_many(made(), X, Y, executor=pool, **QUICK)
    for one, other in zip(here, there, strict=True):
        same(one, other)


def test_threads_of_this_process_may_be_the_workers():
    networks = made()
    with ThreadPoolExecutor(2) as pool:
        there = fit_many(networks, X, Y, executor=pool, **QUICK)
    for one, other, network in zip(fit_many(made(), X, Y, **QUICK), there, networks, strict=True):
        same(one, other)
        assert other.network is network


def test_a_training_goes_on_where_a_worker_left_it():
    alone, apart = made(1), made(1)
    for _ in range(2):
        fit_many(alone, X, Y, **QUICK)
        fit_many(apart, X, Y, executor=Recording(), **QUICK)
    np.testing.assert_array_equal(alone[0].state.parameters, apart[0].state.parameters)
    assert apart[0].history.epochs == 8


def test_data_travel_once_to_a_worker_and_networks_in_chunks():
    executor = Recording()
    fit_many(made(40), X, Y, executor=executor, **QUICK)
    assert sum(with_data for with_data, _ in executor.sent) <= 2
    assert 4 <= len(executor.sent) <= 8
    executors._kept.clear()


def test_views_of_the_weights_follow():
    network = Network([6, 4, 2], seed=0)
    weights = network.weights[0][0]
    before = weights.copy()
    fit_many([network], X, Y, executor=Recording(), **QUICK)
    assert (weights != before).any()
    np.testing.assert_array_equal(weights, network.weights[0][0])


def test_an_error_of_one_network_is_in_its_result():
    settings = [{"optimizer": SGD(1e30)}] + [{}] * 5
    fitted = fit_many(made(), X, Y, executor=Recording(), settings=settings, **QUICK)
    assert isinstance(fitted[0].error, TrainingError) and "diverged" in str(fitted[0].error)
    assert all(one.error is None for one in fitted[1:])


class Dying(Callback):
    """Ends the process that it runs in, once: `path` tells whether it did so already."""

    def __init__(self, path):
        self.path = path

    def on_epoch_end(self, run):
        if run.epoch == 2 and not self.path.exists():
            self.path.touch()
            os.kill(os.getpid(), signal.SIGKILL)


@needs_compiler
def test_what_a_dead_worker_lost_is_trained_here(pool, tmp_path):
    settings = [{"callbacks": [Dying(tmp_path / "died")]}] + [{}] * 5
    with pytest.warns(UserWarning, match="the executor lost workers"):
        fitted = fit_many(made(), X, Y, executor=pool, settings=settings, **QUICK)
    assert (tmp_path / "died").exists()
    for one, other in zip(fit_many(made(), X, Y, **QUICK), fitted, strict=True):
        same(one, other)


class Losing(Recording):
    """An executor that loses the first parcel with data."""

    lost = 0

    def submit(self, function, key, data, work, parcel):
        if data is not None and not self.lost:
            self.lost += 1
            future = Future()
            future.set_exception(OSError("the worker went away"))
            return future
        return super().submit(function, key, data, work, parcel)


def test_what_was_lost_once_is_sent_again():
    executor = Losing()
    fitted = fit_many(made(), X, Y, executor=executor, **QUICK)
    assert executor.lost == 1
    for one, other in zip(fit_many(made(), X, Y, **QUICK), fitted, strict=True):
        same(one, other)


class Interrupting(Recording):
    """An executor that has Ctrl-C pressed when the third parcel is sent."""

    def submit(self, function, key, data, work, parcel):
        if len(self.sent) == 3:
            raise KeyboardInterrupt
        return super().submit(function, key, data, work, parcel)


def test_ctrl_c_keeps_what_has_come_back():
    fitted = fit_many(made(), X, Y, executor=Interrupting(), **QUICK)
    reasons = [one.history.stop_reason for one in fitted]
    assert set(reasons) == {"epochs done", "interrupted"}
    for one in fitted:
        assert one.network.state.epoch == (4 if one.history.stop_reason == "epochs done" else 0)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"executor": 2}, ArgumentTypeError, "executor must have a method submit"),
        ({"callbacks": [lambda run: None]}, ArgumentError, "callbacks can't travel"),
        ({"settings": [{}, {"callbacks": [lambda run: None]}]}, ArgumentError, r"settings\[1\]\['callbacks'\]"),
    ],
)
def test_what_can_t_travel_is_said_before_anything_starts(options, error, words):
    executor = Recording()
    with pytest.raises(error, match=words):
        fit_many(made(2), X, Y, **{"executor": executor, **QUICK, **options})
    assert not executor.sent
