"""The search for a learning rate: what it tries, where it stops, what it suggests, and that it changes nothing."""

import copy
import pickle

import numpy as np
import pytest

from fastmlp import SGD, Adam, Dense, LearningRateSearch, Network, find_learning_rate
from fastmlp.errors import ArgumentError, ArgumentTypeError, TrainingError
from fastmlp.rate_search import _smoothed

GENERATOR = np.random.default_rng(0)
Y = GENERATOR.integers(0, 4, 300)
X = (GENERATOR.normal(size=(300, 6)) + 2 * np.eye(6)[Y]).astype(np.float32)


def network(**options):
    return Network([6, Dense(16, dropout=0.1), 4], seed=2, **options)


def find(net=None, **options):
    return find_learning_rate(network() if net is None else net, X, Y, **{"engine": "numpy"} | options)


@pytest.mark.parametrize("trained", [False, True])
def test_the_network_is_not_touched(engine, trained):
    net = network(scaling="standardize")
    if trained:
        net.fit(X, Y, epochs=2, engine=engine, verbose=0)
    before, repeated = pickle.dumps(net), copy.copy(net)
    find(net, engine=engine)
    assert pickle.dumps(net) == before
    for one in (net, repeated):
        one.fit(X, Y, epochs=2, engine=engine, verbose=0)
    np.testing.assert_array_equal(net.state.parameters, repeated.state.parameters)


def test_rates_rise_by_the_same_ratio():
    search = find(lowest=1e-4, highest=1e-2, steps=50)
    assert not search.diverged
    np.testing.assert_allclose(search.rates, np.geomspace(1e-4, 1e-2, 50), rtol=1e-12)


@pytest.mark.parametrize("batch_size", [7, 32, 300])
def test_steps_are_those_of_a_fit_with_these_rates(engine, batch_size):
    """With one rate all the way, the losses are those of an ordinary training, over several epochs."""
    search = find(lowest=0.01, highest=0.01 * (1 + 1e-12), steps=60, batch_size=batch_size, engine=engine)
    history = network().fit(X, Y, epochs=1, batch_size=batch_size, optimizer=Adam(0.01), engine=engine, verbose=0)
    per_epoch = -(-300 // batch_size)
    if per_epoch <= 60:
        rows = np.diff(np.minimum(np.arange(per_epoch + 1) * batch_size, 300))
        assert history.loss[0] == pytest.approx(np.average(search.losses[:per_epoch], weights=rows), rel=1e-5)
    assert len(search.losses) == 60


@pytest.mark.parametrize("optimizer", ["adam", "sgd", SGD(5.0, momentum=0.9)])
def test_the_suggestion_learns(optimizer):
    search = find(optimizer=optimizer)
    assert search.diverged or search.rates[-1] == pytest.approx(10.0)
    net, kind = network(), Adam if optimizer == "adam" else SGD
    history = net.fit(X, Y, epochs=20, optimizer=kind(search.suggestion), engine="numpy", verbose=0)
    assert history.loss[-1] < 0.7 * search.smoothed[0]


def test_it_stops_where_the_loss_blows_up():
    search = find(optimizer="sgd", highest=1e6, steps=200)
    assert search.diverged
    assert len(search.rates) == len(search.losses) == len(search.smoothed) < 200
    assert np.isfinite(search.losses).all()
    assert search.losses[-1] > 2 * search.losses[:20].mean()
    assert search.suggestion <= search.lowest < search.rates[-1]
    assert "where the loss blew up" in repr(search)


def test_it_ends_where_numbers_are_not_finite():
    net = Network([6, 1], loss="squared_error", seed=0)
    search = find_learning_rate(net, X, Y.astype(float), optimizer="sgd", highest=1e30, steps=12, engine="numpy")
    assert search.diverged
    assert np.isfinite(search.losses).all()


def test_first_steps_that_diverge_are_an_error():
    net = Network([6, 1], loss="squared_error", seed=0)
    net.set_weights([(np.full((6, 1), 1e30), np.zeros(1))])
    with pytest.raises(TrainingError, match="diverged"):
        find_learning_rate(net, X, Y.astype(float), engine="numpy")


def test_the_same_network_and_data_give_the_same_result(engine):
    first, again = find(engine=engine), find(engine=engine)
    np.testing.assert_array_equal(first.losses, again.losses)
    assert first.suggestion == again.suggestion
    assert not np.array_equal(find(Network([6, 4], seed=0)).losses, find(Network([6, 4], seed=1)).losses)


def test_rows_without_weight_do_not_count():
    weights = np.where(np.arange(300) < 100, 1.0, 0.0)
    search = find(batch_size=3, sample_weight=weights)
    assert np.isfinite(search.losses).all()


def made(losses):
    losses = np.array(losses)
    return LearningRateSearch(np.geomspace(0.001, 10, len(losses)), losses, losses, False)


def test_the_suggestion_is_where_the_loss_falls_fastest_before_its_lowest():
    search = made([2.0, 2.0, 1.9, 1.0, 0.9, 5.0, 1.0, 8.0, 9.0])
    assert (search.steepest, search.lowest, search.suggestion) == (0.032, 0.1, 0.032)
    assert "0.032, where the loss falls fastest" in repr(search)


def test_a_loss_that_never_falls_suggests_nothing():
    search = made([1.0, 2.0, 3.0])
    assert search.suggestion is None
    assert search.steepest is None
    assert "no suggestion: the loss never fell" in repr(search)


def test_smoothed_losses_are_means_of_neighbours():
    losses = np.array([1.0, 2.0, 6.0, 0.0])
    np.testing.assert_allclose(_smoothed(losses, steps=20), [1.5, 3.0, 8 / 3, 3.0])
    np.testing.assert_allclose(_smoothed(np.ones(3), steps=100), np.ones(3))


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"lowest": 0.0}, ArgumentError, "lowest must be a learning rate above 0"),
        ({"highest": 1e-6}, ArgumentError, "highest must be above lowest=1e-05"),
        ({"steps": 9}, ArgumentError, "steps"),
        ({"net": "net"}, ArgumentTypeError, "net must be a Network"),
        ({"y": None}, ArgumentTypeError, "needs y"),
        ({"X": X[:, :5]}, ArgumentError, "X"),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        find_learning_rate(**{"net": network(), "X": X, "y": Y, "engine": "numpy"} | options)


def test_ctrl_c_reaches_the_caller(monkeypatch):
    from fastmlp.engines import numpy_engine

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(numpy_engine, "train_epoch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        find()
