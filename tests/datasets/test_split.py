"""Rows are held out at random, and each class in proportion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.datasets.split import hold_out

labels = st.lists(st.sampled_from("abcde"), min_size=1, max_size=60).map(np.array)
seeds = st.integers(0, 2**32)


@given(y=labels, share=st.floats(0, 1), seed=seeds)
def test_every_row_is_on_one_side(y, share, seed):
    count = int(share * len(y))
    held_out, others = hold_out(y, count, seed)
    assert len(held_out) == count
    assert sorted([*held_out, *others]) == list(range(len(y)))


@given(y=labels, share=st.floats(0, 1), seed=seeds)
def test_classes_have_their_share_and_keep_a_row(y, share, seed):
    count = int(share * len(y))
    held_out, others = hold_out(y, count, seed)
    kinds, sizes = np.unique(y, return_counts=True)
    for kind, size in zip(kinds, sizes, strict=True):
        exact = size * count / len(y)
        if exact <= size - 1 and len(y) - count >= len(kinds) ** 2:  # no row was exchanged
            assert abs((y[held_out] == kind).sum() - exact) < 2
        if len(others) >= len(kinds):
            assert kind in y[others]


@pytest.mark.parametrize("count", [0, 1, 7, 100, 500, 999])
def test_shares_are_rounded_up_or_down_however_rows_are_sorted(count):
    y = np.repeat(np.arange(10), 100)
    for order in (y, y[::-1], np.random.default_rng(0).permutation(y)):
        counts = np.bincount(order[hold_out(order, count, 0)[0]], minlength=10)
        assert counts.sum() == count
        assert counts.min() >= count // 10 - (count == 999)
        assert counts.max() <= -(-count // 10)


def test_a_class_of_one_row_is_trained_on():
    y = np.array([0] * 5 + [1])
    for count in range(5):
        assert 1 in y[hold_out(y, count, 0)[1]]


def test_the_seed_decides():
    y = np.arange(200) % 3
    first, again, other = (hold_out(y, 50, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first[0], again[0])
    assert not np.array_equal(np.sort(first[0]), np.sort(other[0]))


@pytest.mark.parametrize("y", [np.zeros((20, 3)), np.array([1, "a", None] * 7, dtype=object)[:20]])
def test_targets_that_are_no_classes_are_drawn_at_random(y):
    held_out, others = hold_out(y, 5, 0)
    assert (len(held_out), len(others)) == (5, 15)


def test_both_sides_come_in_random_order():
    held_out, others = hold_out(np.repeat([0, 1], 50), 20, 0)
    assert (np.diff(held_out) < 0).any()
    assert (np.diff(others) < 0).any()
