"""Splits keep their laws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fastmlp.datasets import split
from fastmlp.errors import ArgumentError, ArgumentTypeError


def rows_of(y: NDArray[Any], **options: Any) -> list[NDArray[np.int64]]:
    """Return which rows of y went to training, validation and test."""
    parts = split(np.arange(len(y)), y, **options)
    return [parts.X_train, parts.X_val, parts.X_test]


@given(
    n_rows=st.integers(1, 60),
    validation=st.integers(0, 20),
    test=st.integers(0, 20),
    seed=st.integers(0, 2**40),
    shuffle=st.booleans(),
)
def test_every_row_goes_to_one_part_with_its_label(
    n_rows: int, validation: int, test: int, seed: int, shuffle: bool
) -> None:
    assume(validation + test < n_rows)
    X = np.arange(2 * n_rows).reshape(n_rows, 2)
    parts = split(X, -X[:, 0], validation=validation, test=test, seed=seed, shuffle=shuffle)
    assert (len(parts.X_val), len(parts.X_test)) == (validation, test)
    together = np.concatenate([parts.X_train, parts.X_val, parts.X_test])
    np.testing.assert_array_equal(together[np.argsort(together[:, 0])], X)
    np.testing.assert_array_equal(np.concatenate([parts.y_train, parts.y_val, parts.y_test]), -together[:, 0])
    if not shuffle:
        np.testing.assert_array_equal(together, X)


@settings(deadline=None)
@given(
    class_sizes=st.lists(st.integers(3, 40), min_size=1, max_size=12),
    data=st.data(),
    shuffle=st.booleans(),
)
def test_stratified_sizes_are_exact_and_classes_within_one_of_their_share(
    class_sizes: list[int], data: st.DataObject, shuffle: bool
) -> None:
    n_classes, n_rows = len(class_sizes), sum(class_sizes)
    validation = data.draw(st.integers(n_classes, n_rows - 2 * n_classes))
    test = data.draw(st.sampled_from([0, 1])) and data.draw(st.integers(n_classes, n_rows - n_classes - validation))
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(n_classes), class_sizes))
    try:
        parts = rows_of(y, validation=validation, test=test, stratify=True, shuffle=shuffle)
    except ArgumentError as error:
        assume("none to train on" not in str(error))
        raise
    sizes = [n_rows - validation - test, validation, test]
    assert [len(part) for part in parts] == sizes
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(n_rows))
    for part, size in zip(parts, sizes, strict=True):
        counts = np.bincount(y[part], minlength=n_classes)
        # Whole numbers: |counts - share| < 1, times n_rows.
        assert (abs(counts * n_rows - np.array(class_sizes) * size) < n_rows).all()
        if not shuffle:
            assert (np.diff(part) > 0).all()


def test_a_row_moves_through_a_third_part_where_no_class_can_move_it_at_once() -> None:
    class_sizes = np.array([5, 17, 15, 19, 19, 5])
    y = np.repeat(np.arange(6), class_sizes)
    parts = rows_of(y, validation=19, test=21, stratify=True)
    assert [len(part) for part in parts] == [40, 19, 21]
    for part in parts:
        assert (abs(np.bincount(y[part]) * len(y) - class_sizes * len(part)) < len(y)).all()


@pytest.mark.parametrize("stratify", [False, True])
def test_the_seed_decides_the_rows(stratify: bool) -> None:
    y = np.arange(200) % 4
    options = {"validation": 0.2, "test": 0.1, "stratify": stratify}
    first, again, other = (rows_of(y, seed=seed, **options) for seed in (5, 5, 6))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)
    assert not np.array_equal(rows_of(y, seed=None)[0], rows_of(y, seed=None)[0])


def test_shuffled_parts_come_in_no_order() -> None:
    y = np.repeat([0, 1], 50)
    for part in rows_of(y, validation=0.2, test=0.2, stratify=True):
        assert (np.diff(part) < 0).any() and (np.diff(y[part]) < 0).any()


def test_fractions_are_rounded_to_whole_rows_and_1_is_a_row() -> None:
    y = np.arange(60000)
    assert [len(part) for part in rows_of(y, validation=0.1, test=1)] == [53999, 6000, 1]
    assert [len(part) for part in rows_of(y, validation=np.int64(7), test=np.float32(0.25))] == [44993, 7, 15000]


def test_a_split_unpacks_as_the_parts_that_were_asked_for() -> None:
    X, y = np.zeros((10, 2)), np.arange(10)
    X_train, y_train = split(X, y, validation=0)
    X_train, y_train, X_val, y_val = split(X, y, validation=0.2)
    assert (len(X_train), len(y_train), len(X_val), len(y_val)) == (8, 8, 2, 2)
    X_train, _, X_test, _ = split(X, y, validation=0, test=3)
    assert (len(X_train), len(X_test)) == (7, 3)
    assert len(list(split(X, y, validation=1, test=1))) == 6
    assert repr(split(X, y, validation=0, test=3)) == "Split(7 training, 3 test rows)"


def test_lists_sparse_arrays_and_data_frames_are_split_too() -> None:
    sparse, pandas = pytest.importorskip("scipy.sparse"), pytest.importorskip("pandas")
    X, y = np.eye(6), list("ababab")
    plain = split(X.tolist(), y, validation=2, stratify=True)
    rare = split(sparse.coo_array(X), y, validation=2, stratify=True)
    frame = split(pandas.DataFrame(X, index=list("uvwxyz")), pandas.Series(y), validation=2, stratify=True)
    np.testing.assert_array_equal(rare.X_val.toarray(), plain.X_val)
    np.testing.assert_array_equal(frame.X_val.to_numpy(), plain.X_val)
    np.testing.assert_array_equal(frame.y_train.to_numpy(), plain.y_train)
    assert sorted(plain.y_val) == ["a", "b"]
    assert len(list(frame)) == len(list(rare)) == 4


@pytest.mark.parametrize(
    ("y", "options", "error", "problem"),
    [
        (range(9), {}, ArgumentError, "X has 10 rows but y has 9"),
        (range(10), {"validation": 1.0}, ArgumentError, "validation=1.0 is no fraction"),
        (range(10), {"test": -0.1}, ArgumentError, "test=-0.1 is no fraction"),
        (range(10), {"test": float("nan")}, ArgumentError, "test=nan is no fraction"),
        (range(10), {"validation": -1}, ArgumentError, "validation must be 0 rows or more"),
        (range(10), {"validation": 0.01}, ArgumentError, "validation=0.01 of 10 rows is no row"),
        (range(10), {"validation": 5, "test": 0.5}, ArgumentError, "leave none to train on"),
        (range(10), {"validation": "0.1"}, ArgumentTypeError, "validation must be a fraction"),
        (range(10), {"validation": True}, ArgumentTypeError, "validation must be a fraction"),
        (range(10), {"seed": -1}, ArgumentError, "seed must be 0 or more"),
        (range(10), {"seed": 0.5}, ArgumentTypeError, "seed must be an integer"),
        (3, {}, ArgumentTypeError, "y must be an array with a row for each sample, not int"),
        ([0] * 9 + [1], {"validation": 2, "stratify": True}, ArgumentError, "class 1 of y has 1"),
        (["a"] * 8 + ["b"] * 2, {"validation": 2, "test": 2, "stratify": True}, ArgumentError, "class 'b' of y has 2"),
        ([0] * 8 + [1] * 2, {"validation": 8, "stratify": True}, ArgumentError, "class 1 of y has 2 rows.*train on"),
        ([0, 1] * 5, {"validation": 1, "stratify": True}, ArgumentError, "only 1 validation rows"),
        (np.eye(10), {"stratify": True}, ArgumentError, "y.argmax"),
        ([None, "a"] * 5, {"stratify": True}, ArgumentTypeError, "sort the labels"),
    ],
)
def test_splits_that_cannot_be_made_are_refused(
    y: Any, options: dict[str, Any], error: type[Exception], problem: str
) -> None:
    with pytest.raises(error, match=problem):
        split(np.zeros((10, 2)), y, **options)
