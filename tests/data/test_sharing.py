"""What several trainings share is made once, and for those who ask for the same only."""

import copy
import threading

import numpy as np
import pytest

from fastmlp.data.sharing import Once, each_time

X = np.zeros((3, 2))


def test_the_same_is_made_once():
    once, made = Once(), []
    results = [once("sum", lambda: made.append(1), X, 0.5, "a", None) for _ in range(3)]
    assert (results, made) == ([None] * 3, [1])


def test_another_object_or_value_is_another_thing():
    once = Once()
    asked = [("sum", X), ("mean", X), ("sum", X.copy()), ("sum", X, 1), ("sum", X, True), ("sum", X, 1.0)]
    made = [once(name, object, *parts) for name, *parts in asked]
    assert len(set(map(id, made))) == len(asked)


def test_what_it_is_made_of_stays_so_that_no_other_has_its_identity():
    once = Once()
    first = once("length", lambda: 3, np.zeros(3))
    assert [once("length", lambda: 4, np.zeros(4)) for _ in range(100)] == [4] * 100
    assert first == 3


def test_an_error_is_raised_and_nothing_kept():
    once = Once()
    with pytest.raises(ZeroDivisionError):
        once("sum", lambda: 1 / 0, X)
    assert once("sum", lambda: 5, X) == 5


def test_threads_wait_for_the_one_that_makes_it():
    once, made, started = Once(), [], threading.Event()

    def make():
        started.wait(1)
        made.append(1)
        return object()

    found = []
    threads = [threading.Thread(target=lambda: found.append(once("thing", make, X))) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.set()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(set(map(id, found))) == 1


def test_a_copy_starts_empty():
    once = Once()
    once("sum", lambda: 1, X)
    assert copy.deepcopy(once)("sum", lambda: 2, X) == 2


def test_a_training_that_shares_nothing_makes_it_each_time():
    assert [each_time("sum", lambda number=number: number, X) for number in range(3)] == [0, 1, 2]
