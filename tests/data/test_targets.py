import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.data.targets import Labels, Targets, as_targets, learn_labels
from fastmlp.data.weights import as_sample_weights, class_factors
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.model.architecture import Architecture

FLOAT64 = np.dtype(np.float64)


def network(outputs, loss="cross_entropy", dtype="float64", **options):
    return Architecture.build([2, outputs], loss=loss, dtype=dtype, **options)


def understood(y, built):
    """The labels and targets of a first fit."""
    labels = learn_labels(y, built)
    return labels, as_targets(y, len(y), labels, built)


def wanted(y, built):
    """The outputs that the network is to give."""
    return understood(y, built)[1].rows(slice(None), built.outputs, built.dtype)


# --- which task it is ---


@pytest.mark.parametrize(
    ("y", "outputs", "loss", "task"),
    [
        ([0, 2, 1], 3, "cross_entropy", "classes"),
        (["a", "b", "c"], 3, "cross_entropy", "classes"),
        (np.eye(3), 3, "cross_entropy", "classes"),
        (np.full((2, 3), 1 / 3), 3, "cross_entropy", "classes"),
        ([0, 2, 1], 3, "squared_error", "classes"),
        (np.eye(3), 3, "squared_error", "classes"),
        ([0, 2, 1], 3, "binary_cross_entropy", "classes"),
        (np.eye(3), 3, "binary_cross_entropy", "multilabel"),
        ([[1, 1, 0]], 3, "binary_cross_entropy", "multilabel"),
        ([0, 1], 1, "binary_cross_entropy", "binary"),
        (["no", "yes"], 1, "binary_cross_entropy", "binary"),
        ([[0], [1]], 1, "binary_cross_entropy", "binary"),
        ([0.5, 1.5], 1, "squared_error", "regression"),
        ([[0.5], [1.5]], 1, "huber", "regression"),
        (np.eye(3), 3, "poisson", "regression"),
        (np.eye(3), 3, "quantile", "regression"),
        ([[0.5, 2.0, 3.0]], 3, "absolute_error", "regression"),
        ([[1, 1, 0]], 3, "squared_error", "regression"),
    ],
)
def test_the_task_follows_from_targets_and_loss(y, outputs, loss, task):
    assert learn_labels(y, network(outputs, loss)).task == task


@pytest.mark.parametrize(
    ("y", "classes"),
    [
        ([0, 2, 1], [0, 1, 2]),
        ([1, 1, 0], [0, 1, 2]),
        ([0.0, 2.0], [0, 1, 2]),
        ([7, 5, 9], [5, 7, 9]),
        ([-1, 0, 1], [-1, 0, 1]),
        (["dog", "cat", "eel"], ["cat", "dog", "eel"]),
        (np.array(["dog", "cat", "eel"], dtype=object), ["cat", "dog", "eel"]),
        (pd.Series(["dog", "cat", "eel"], dtype="category"), ["cat", "dog", "eel"]),
        (np.eye(3), [0, 1, 2]),
    ],
    ids=str,
)
def test_classes_are_numbers_from_0_or_the_sorted_labels(y, classes):
    assert learn_labels(y, network(3)).classes.tolist() == classes


def test_booleans_are_two_classes():
    assert learn_labels([True, False], network(1, "binary_cross_entropy")).classes.tolist() == [0, 1]


# --- what the outputs are to be ---


@pytest.mark.parametrize(
    ("y", "outputs", "loss", "rows"),
    [
        (["b", "c", "a", "b"], 3, "cross_entropy", [[0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 1, 0]]),
        ([2, 0], 3, "cross_entropy", [[0, 0, 1], [1, 0, 0]]),
        ([[0.25, 0.75], [1.0, 0.0]], 2, "cross_entropy", [[0.25, 0.75], [1, 0]]),
        (["no", "yes"], 1, "binary_cross_entropy", [[0], [1]]),
        ([[1, 0], [1, 1]], 2, "binary_cross_entropy", [[1, 0], [1, 1]]),
        ([1.5, -2.5], 1, "squared_error", [[1.5], [-2.5]]),
        ([[1.5, 2.5]], 2, "squared_error", [[1.5, 2.5]]),
    ],
)
def test_targets_by_hand(y, outputs, loss, rows):
    np.testing.assert_array_equal(wanted(y, network(outputs, loss)), rows)


def test_one_hot_rows_and_labels_want_the_same():
    built, y = network(4), np.array([3, 0, 1, 1, 2])
    np.testing.assert_array_equal(wanted(y, built), wanted(np.eye(4)[y], built))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_have_the_dtype_asked_for(dtype):
    assert wanted([0, 1], network(2, dtype=dtype)).dtype == dtype
    assert wanted([0.5, 1.5], network(1, "huber", dtype=dtype)).dtype == dtype


def test_some_rows_in_any_order():
    targets = Targets(np.array([2, 0, 1], np.int32), None)
    np.testing.assert_array_equal(targets.rows(np.array([2, 0]), 3, FLOAT64), [[0, 1, 0], [0, 0, 1]])


# --- back in the user's terms ---


@pytest.mark.parametrize(
    ("labels", "outputs", "answers"),
    [
        (Labels("classes", np.array(["a", "b"])), [[0.6, 0.4], [0.1, 0.9]], ["a", "b"]),
        (Labels("binary", np.array(["no", "yes"])), [[0.5], [0.49]], ["yes", "no"]),
        (Labels("multilabel", np.arange(2)), [[0.5, 0.1], [0.9, 0.7]], [[1, 0], [1, 1]]),
        (Labels("regression", np.empty(0)), [[1.5], [2.5]], [[1.5], [2.5]]),
        (Labels("regression", np.empty(0), True), [[1.5], [2.5]], [1.5, 2.5]),
    ],
    ids=lambda value: getattr(value, "task", ""),
)
def test_answers_by_hand(labels, outputs, answers):
    assert labels.decode(np.array(outputs)).tolist() == answers


texts = st.text(st.characters(exclude_characters="\0"), max_size=3)  # NumPy drops zeros at the end of text


@given(st.lists(texts, min_size=2, unique=True), st.randoms())
def test_targets_are_decoded_to_the_labels_they_were_made_of(names, random):
    y = names * 2
    random.shuffle(y)
    labels, targets = understood(y, network(len(names)))
    assert labels.decode(targets.rows(slice(None), len(names), FLOAT64)).tolist() == y


def test_a_column_comes_back_as_a_column():
    assert not learn_labels([[1.0], [2.0]], network(1, "huber")).one_dimensional
    assert learn_labels([1.0, 2.0], network(1, "huber")).one_dimensional


# --- weights ---


def test_weights_of_samples_have_the_dtype_of_the_network():
    weights = as_sample_weights([1, 2, 0], 3, np.dtype(np.float32))
    assert weights.dtype == np.float32 and weights.tolist() == [1, 2, 0]
    assert as_sample_weights(None, 3, FLOAT64) is None


def test_class_weights_by_hand():
    labels, targets = understood(["a", "b", "a", "a"], network(2))
    assert class_factors({"b": 3}, targets, labels).tolist() == [1, 3, 1, 1]
    np.testing.assert_allclose(class_factors("balanced", targets, labels), [2 / 3, 2, 2 / 3, 2 / 3])


def test_class_weights_of_two_classes_and_of_one_hot_rows():
    assert class_factors({1: 5}, *reversed(understood([0, 1], network(1, "binary_cross_entropy")))).tolist() == [1, 5]
    assert class_factors({1: 5}, *reversed(understood(np.eye(2), network(2)))).tolist() == [1, 5]


@given(st.lists(st.integers(0, 3), min_size=1))
def test_balanced_classes_count_the_same(y):
    labels, targets = understood(y, network(4))
    totals = np.bincount(y, class_factors("balanced", targets, labels))
    np.testing.assert_allclose(totals[totals > 0], len(y) / len(set(y)))


# --- what is refused ---


@pytest.mark.parametrize(
    ("y", "outputs", "loss", "error", "word"),
    [
        (0, 3, "cross_entropy", ArgumentError, "shape"),
        (np.zeros((2, 2, 2)), 3, "cross_entropy", ArgumentError, "shape"),
        ([], 3, "cross_entropy", ArgumentError, "empty"),
        ([[1, 2], [3]], 3, "cross_entropy", ArgumentError, "same length"),
        ([0.5, np.nan], 1, "squared_error", ArgumentError, "row 1"),
        ([0, 1, 2, 3], 3, "cross_entropy", ArgumentError, "4 different labels"),
        (["a", "b"], 3, "cross_entropy", ArgumentError, "2 different labels"),
        ([0.5, 1.5, 2.5, 3.5], 3, "squared_error", ArgumentError, "fractions"),
        ([0, 1, 2], 1, "binary_cross_entropy", ArgumentError, "3 different labels"),
        (["a", "b"], 1, "squared_error", ArgumentTypeError, "binary_cross_entropy"),
        (np.array(["a", 1, None], dtype=object), 3, "cross_entropy", ArgumentTypeError, "sorted"),
        (pd.Series(["a", "b", np.nan]), 2, "cross_entropy", ArgumentError, "no label in row 2, but nan"),
        (["a", None, "b"], 2, "cross_entropy", ArgumentError, "no label in row 1, but None"),
        (pd.Series(["a", pd.NA], dtype="string"), 2, "cross_entropy", ArgumentError, "no label in row 1, but <NA>"),
        (np.eye(4), 3, "cross_entropy", ArgumentError, "4 columns"),
        ([["a", "b", "c"]], 3, "cross_entropy", ArgumentTypeError, "numbers"),
    ],
    ids=str,
)
def test_bad_first_targets_are_told(y, outputs, loss, error, word):
    with pytest.raises(error, match=word) as told:
        learn_labels(y, network(outputs, loss), "y_val")
    assert "y_val" in str(told.value)


@pytest.mark.parametrize(
    ("first", "y", "outputs", "loss", "error", "word"),
    [
        ([0, 1, 2], [0, 1], 3, "cross_entropy", ArgumentError, "2 rows"),
        ([0, 1, 2], [0, 1, 3], 3, "cross_entropy", ArgumentError, "label"),
        ([0, 1, 2], [0, 1, -1], 3, "cross_entropy", ArgumentError, "label"),
        ([0, 1, 2], [0, 1, 1.5], 3, "cross_entropy", ArgumentError, "label"),
        (["a", "b", "c"], ["a", "b", "d"], 3, "cross_entropy", ArgumentError, "'d'"),
        (["a", "b", "c"], [0, 1, 2], 3, "cross_entropy", ArgumentError, "label"),
        ([0, 1, 2], ["a", "b", "c"], 3, "cross_entropy", ArgumentError, "label"),
        ([0, 1, 0], [0, 1, 2], 1, "binary_cross_entropy", ArgumentError, "label"),
        (np.eye(3), np.full((3, 3), 0.5), 3, "cross_entropy", ArgumentError, "sum to 1"),
        (np.eye(3), [[2, -1, 0]] * 3, 3, "cross_entropy", ArgumentError, "probabilities"),
        (np.eye(3), [[2, 0, 0]] * 3, 3, "binary_cross_entropy", ArgumentError, "probabilities"),
        (np.eye(3), [0, 1, 2], 3, "binary_cross_entropy", ArgumentError, "shape"),
        ([1, 2, 0], [3, -1, 0], 1, "poisson", ArgumentError, "row 1 holds -1"),
        ([[1, 2]] * 3, [[3, -1]] * 3, 2, "poisson", ArgumentError, "counts"),
        ([[0.5, 2.0]] * 3, [0.5] * 3, 2, "squared_error", ArgumentError, "shape"),
        ([0.5] * 3, ["a"] * 3, 1, "squared_error", ArgumentTypeError, "numbers"),
    ],
    ids=str,
)
def test_bad_later_targets_are_told(first, y, outputs, loss, error, word):
    built = network(outputs, loss)
    labels = learn_labels(first, built)
    with pytest.raises(error, match=word) as told:
        as_targets(y, 3, labels, built, "y_val")
    assert "y_val" in str(told.value)


def test_targets_that_a_float32_cannot_hold_are_told():
    built = network(1, "squared_error", dtype="float32")
    with pytest.raises(ArgumentError, match="float32"):
        understood([1.0, 1e300], built)


@pytest.mark.parametrize(
    ("weights", "error", "word"),
    [
        ([1.0, 2.0], ArgumentError, "shape"),
        ([[1.0], [1.0], [1.0]], ArgumentError, "shape"),
        ([1.0, -1.0, 1.0], ArgumentError, ">= 0"),
        ([1.0, np.nan, 1.0], ArgumentError, "finite"),
        ([1.0, 1e300, 1.0], ArgumentError, "than float32 can hold"),
        ([0.0, 0.0, 0.0], ArgumentError, "every sample"),
        (["a", "b", "c"], ArgumentTypeError, "numbers"),
        (1.0, ArgumentError, "shape"),
    ],
    ids=str,
)
def test_bad_sample_weights_are_told(weights, error, word):
    with pytest.raises(error, match=word) as told:
        as_sample_weights(weights, 3, np.dtype(np.float32))
    assert "sample_weight" in str(told.value)


@pytest.mark.parametrize(
    ("class_weight", "y", "outputs", "loss", "error", "word"),
    [
        ({"c": 1.0}, ["a", "b"], 2, "cross_entropy", ArgumentError, "'c'"),
        ({"a": -1.0}, ["a", "b"], 2, "cross_entropy", ArgumentError, ">= 0"),
        ({"a": np.nan}, ["a", "b"], 2, "cross_entropy", ArgumentError, "finite"),
        ({"a": "big"}, ["a", "b"], 2, "cross_entropy", ArgumentTypeError, "a number"),
        ("equal", ["a", "b"], 2, "cross_entropy", ArgumentTypeError, "balanced"),
        ([1.0, 2.0], ["a", "b"], 2, "cross_entropy", ArgumentTypeError, "dict"),
        ("balanced", [0.5, 1.5], 1, "squared_error", ArgumentError, "regression"),
        ("balanced", [[1, 1]], 2, "binary_cross_entropy", ArgumentError, "multilabel"),
    ],
    ids=str,
)
def test_bad_class_weights_are_told(class_weight, y, outputs, loss, error, word):
    labels, targets = understood(y, network(outputs, loss))
    with pytest.raises(error, match=word) as told:
        class_factors(class_weight, targets, labels)
    assert "class_weight" in str(told.value)


# --- targets of other forms ---


def test_numbers_between_0_and_1_for_one_sigmoid_are_probabilities():
    built = network(1, "binary_cross_entropy")
    labels, targets = understood([0.0, 0.25, 1.0, 0.75], built)
    assert (labels.task, labels.classes.tolist()) == ("binary", [0, 1])
    assert targets.values.tolist() == [[0.0], [0.25], [1.0], [0.75]]
    assert class_factors({1: 5.0}, targets, labels).tolist() == [1, 1, 5, 5]
    assert as_targets([1, 0], 2, labels, built).values.tolist() == [[1], [0]]


def test_two_other_numbers_for_one_sigmoid_are_labels():
    labels, targets = understood([0.5, 1.5], network(1, "binary_cross_entropy"))
    assert labels.classes.tolist() == [0.5, 1.5] and targets.values.tolist() == [[0], [1]]


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("column", [[["b"], ["a"], ["c"]], pd.DataFrame({"y": ["b", "a", "c"]})], ids=["list", "frame"])
def test_a_column_of_labels_is_those_labels(loss, column):
    labels, targets = understood(column, network(3, loss))
    assert labels.classes.tolist() == ["a", "b", "c"] and targets.labels.tolist() == [1, 0, 2]


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize(("outputs", "loss"), [(2, "cross_entropy"), (1, "binary_cross_entropy")])
def test_answers_are_of_the_type_of_the_labels(dtype, outputs, loss):
    labels, _ = understood(np.array([1, 0], dtype), network(outputs, loss))
    assert labels.decode(np.eye(2)[:, :outputs]).dtype == dtype


@pytest.mark.parametrize("dtype", [bool, np.int8])
def test_a_type_that_cannot_count_the_outputs_is_left(dtype):
    assert learn_labels(np.array([1, 0], dtype), network(300)).classes.tolist() == list(range(300))


def test_rows_that_are_not_one_hot_after_rows_that_were_are_told():
    built = network(2, "squared_error")
    labels = learn_labels([[1.0, 0.0], [0.0, 1.0]], built)
    assert as_targets([[0, 1]], 1, labels, built).values.tolist() == [[0, 1]]
    with pytest.raises(ArgumentError, match=r"rows of y must be one-hot.*None"):
        as_targets([[0.3, 2.5]], 1, labels, built)


def test_sets_of_labels_after_single_labels_are_told():
    built = network(3, "binary_cross_entropy")
    labels = learn_labels([0, 1, 2], built)
    with pytest.raises(ArgumentError, match="row 0 sums to 2"):
        as_targets([[1, 1, 0]], 1, labels, built)


def test_numbers_kept_as_objects_are_numbers():
    labels, targets = understood(np.array([1, 2.5], dtype=object), network(1, "squared_error"))
    assert labels.task == "regression" and targets.values.tolist() == [[1.0], [2.5]]
    assert learn_labels(np.array([2, 0], dtype=object), network(3)).classes.tolist() == [0, 1, 2]


def test_what_is_no_number_is_shown():
    with pytest.raises(ArgumentTypeError, match="y holds 'x', but"):
        learn_labels(np.array([1.5, "x"], dtype=object), network(1, "squared_error"))


@pytest.mark.parametrize(
    ("y", "outputs", "loss", "words"),
    [
        (["a", "a"], 2, "cross_entropy", r"1 different label \('a'\).*samples of all 2 labels"),
        (["a", "a"], 1, "binary_cross_entropy", r"1 different label \('a'\).*samples of all 2 labels"),
        ([1, 2, 3], 1, "binary_cross_entropy", "3 units, with loss='cross_entropy'"),
        ([1, 2, 3, 4], 3, "cross_entropy", "give the last layer 4 units, or number the labels from 0 to 2"),
    ],
)
def test_a_wrong_number_of_labels_comes_with_a_remedy_that_works(y, outputs, loss, words):
    with pytest.raises(ArgumentError, match=words):
        learn_labels(y, network(outputs, loss))


def test_strange_labels_are_shown_as_python_writes_them():
    built = network(3)
    with pytest.raises(ArgumentError, match="the label 7, which"):
        as_targets(np.array([7]), 1, learn_labels([0, 1, 2], built), built)
