import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.estimators import batches
from fastmlp.estimators.batches import Batches
from fastmlp.model.architecture import Architecture

ARCHITECTURE = Architecture.build([2, 1], loss="squared_error", dtype="float64")

sizes = st.tuples(st.integers(1, 40), st.integers(1, 12))


def made(n, batch_size, alpha=0.5, weights=None, shuffle=True):
    return Batches(np.arange(n), batch_size, shuffle, alpha, ARCHITECTURE, weights)


def shuffled(given_batches):
    return given_batches.order(given_batches.draw(np.random.RandomState(0), None))


@given(sizes, st.booleans())
def test_calls_cover_every_row_and_step_once_in_order(size, weighted):
    n, batch_size = size
    weights = np.arange(n) % 3 + 0.0 if weighted else None
    given_batches = made(n, batch_size, weights=weights)
    calls, _, _ = given_batches.epoch(shuffled(given_batches))
    places, steps = ([part[kind] for part in calls] for kind in (0, 1))
    assert [i for part in places for i in range(n)[part]] == list(range(n))
    assert [i for part in steps for i in range(given_batches.steps)[part]] == list(range(given_batches.steps))


@given(sizes, st.data())
def test_weights_have_a_mean_of_one_in_each_batch(size, data):
    n, batch_size = size
    weights = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.5, 1.0, 7.0]), min_size=n, max_size=n)))
    given_batches = made(n, batch_size, weights=weights)
    order = shuffled(given_batches)
    _, _, scaled = given_batches.epoch(order)
    for start in range(0, n, batch_size):
        rows = order[start : start + batch_size]
        total = weights[rows].sum()
        expected = weights[rows] * len(rows) / total if total else np.zeros(len(rows))
        np.testing.assert_allclose(scaled[rows], expected, rtol=1e-14)


def test_a_smaller_last_batch_has_a_larger_penalty():
    given_batches = made(10, 4, alpha=2.0)
    [(places, _, _, penalties)] = given_batches.epoch(np.arange(10))[0]
    assert (places, penalties.tolist()) == (slice(0, 10), [0.5, 0.5, 1.0])


def test_batches_of_one_penalty_are_one_call():
    given_batches = made(12, 4)
    assert len(given_batches.epoch(np.arange(12))[0]) == 1


def test_a_call_takes_only_so_much_work(monkeypatch):
    monkeypatch.setattr(batches, "steps_per_call", lambda *_: 2)
    given_batches = made(20, 4)
    assert [call[1] for call in given_batches.epoch(np.arange(20))[0]] == [slice(0, 2), slice(2, 4), slice(4, 5)]


def test_one_batch_is_not_shuffled():
    given_batches = made(8, 8)
    assert given_batches.draw(np.random.RandomState(0), None).tolist() == list(range(8))


@given(st.integers(2, 50), st.integers(0, 9))
def test_an_order_is_a_permutation(n, seed):
    given_batches = made(n, 1)
    random_state = np.random.RandomState(seed)
    order = given_batches.draw(random_state, given_batches.draw(random_state, None))
    assert sorted(order) == list(range(n))
