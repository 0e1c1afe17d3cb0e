"""The gate: what kernels rely on holds of every `Dataset`, and what breaks it can't be made."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse

from fastmlp import Network, Scaling
from fastmlp.data.dataset import Dataset, training_data
from fastmlp.data.samples import Samples, as_samples
from fastmlp.data.sparse import SparseRows
from fastmlp.data.targets import Targets, learn_labels
from fastmlp.engines import get_engine
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.model.architecture import Architecture

NETWORK = Architecture.build([4, 3])
X = np.arange(20, dtype=np.float32).reshape(5, 4)
LABELS = np.array([0, 1, 2, 0, 1], np.int32)
WANTED = np.eye(3, dtype=np.float32)[LABELS]
SPARSE = SparseRows(np.array([0, 2, 3]), np.array([0, 3, 1]), np.ones(3, np.float32))


def made(**changes):
    """A data set of five rows of four features, for three outputs, but for these changes."""
    given = {
        "samples": as_samples(X),
        "targets": Targets(LABELS, None),
        "weights": np.ones(5, np.float32),
        "task": "classes",
        "outputs": 3,
        "dtype": np.dtype(np.float32),
    }
    return Dataset(**(given | changes))


def sparse(**changes):
    return Samples(2, 4, None, replace(SPARSE, **changes))


BROKEN = {
    "rows that are missing": {"samples": Samples(6, 4, X, None)},
    "another number of features": {"samples": Samples(5, 3, X, None)},
    "integers": {"samples": Samples(5, 4, X.astype(np.int64), None)},
    "foreign byte order": {"samples": Samples(5, 4, X.astype(">f4"), None)},
    "columns first": {"samples": Samples(5, 4, np.asfortranarray(X), None)},
    "every other row": {"samples": Samples(3, 4, X[::2], None)},
    "neither dense nor sparse": {"samples": Samples(5, 4, None, None)},
    "both": {"samples": Samples(5, 4, X, SPARSE)},
    "rows picked beyond the map": {"samples": Samples(5, 4, X, None, picked=np.array([0, 1, 2, 3, 5]))},
    "scaling of other features": {"samples": Samples(5, 4, X, None, Scaling(np.ones(3)))},
    "starts that fall": {"samples": sparse(starts=np.array([0, 3, 2])), "targets": None, "weights": None},
    "starts that begin late": {"samples": sparse(starts=np.array([1, 2, 3])), "targets": None, "weights": None},
    "starts beyond the values": {"samples": sparse(starts=np.array([0, 2, 4])), "targets": None, "weights": None},
    "a column too many": {"samples": sparse(columns=np.array([0, 4, 1])), "targets": None, "weights": None},
    "a negative column": {"samples": sparse(columns=np.array([-1, 3, 1])), "targets": None, "weights": None},
    "columns in no order": {"samples": sparse(columns=np.array([3, 0, 1])), "targets": None, "weights": None},
    "a column twice": {"samples": sparse(columns=np.array([3, 3, 1])), "targets": None, "weights": None},
    "fewer values": {"samples": sparse(values=np.ones(2, np.float32)), "targets": None, "weights": None},
    "a label beyond the outputs": {"targets": Targets(LABELS + np.int32(1), None)},
    "a negative label": {"targets": Targets(LABELS - np.int32(1), None)},
    "labels of 64 bits": {"targets": Targets(LABELS.astype(np.int64), None)},
    "too few labels": {"targets": Targets(LABELS[:4], None)},
    "too few columns": {"targets": Targets(None, np.ascontiguousarray(WANTED[:, :2]))},
    "too many rows": {"targets": Targets(None, np.vstack([WANTED, WANTED]))},
    "targets of another dtype": {"targets": Targets(None, WANTED.astype(np.float64))},
    "targets by columns": {"targets": Targets(None, np.asfortranarray(WANTED))},
    "both kinds of targets": {"targets": Targets(LABELS, WANTED)},
    "too few weights": {"weights": np.ones(4, np.float32)},
    "weights of another dtype": {"weights": np.ones(5)},
    "negative weights": {"weights": -np.ones(5, np.float32)},
    "weights that are not finite": {"weights": np.full(5, np.nan, np.float32)},
    "an unknown task": {"task": "ranking"},
    "rows beyond the samples": {"rows": np.array([0, 5])},
    "negative rows": {"rows": np.array([-1, 2])},
    "rows of 32 bits": {"rows": np.array([0, 1], np.int32)},
    "validation of other outputs": {
        "validation": made(targets=Targets(None, np.ones((5, 500), np.float32)), outputs=500)
    },
    "validation of another task": {"validation": made(task="multilabel")},
    "validation without targets": {"validation": made(targets=None)},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
def test_what_breaks_an_invariant_cannot_be_made(changes):
    with pytest.raises(ArgumentError, match="a Dataset can't be made so"):
        made(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"targets": None},
        {"weights": None},
        {"targets": Targets(None, WANTED)},
        {"rows": np.array([4, 0]), "validation": made()},
        {"samples": sparse(), "targets": None, "weights": None},
        {"samples": Samples(2, 4, X, None, picked=np.array([4, 0])), "targets": None, "weights": None},
    ],
    ids=str,
)
def test_what_keeps_them_can_be_made(changes):
    assert made(**changes).n_rows == made(**changes).samples.n_rows


def test_it_cannot_be_changed():
    with pytest.raises(AttributeError):
        made().weights = None


def test_some_rows_are_a_data_set_of_their_own():
    some = made(rows=np.array([0, 1]), validation=made()).take(np.array([4, 2]))
    np.testing.assert_array_equal(some.samples.raw(slice(None)), X[[4, 2]])
    assert some.targets.labels.tolist() == [1, 2] and some.weights.tolist() == [1, 1]
    assert some.rows is None and some.validation is None


@pytest.mark.parametrize(
    "other", [Architecture.build([5, 3]), Architecture.build([4, 2]), Architecture.build([4, 3], dtype="float64")]
)
def test_no_engine_takes_data_that_are_for_another_network(engine, other):
    with pytest.raises(ArgumentError, match="for another network"):
        get_engine(engine).prepare(other, made(), 1)


# --- what users give ---


def test_weights_of_the_training_are_no_weights_of_the_validation():
    split = lambda n_rows, weights, targets: (np.arange(3), np.array([3, 4]))  # noqa: E731
    checked = training_data(NETWORK, X, LABELS, class_weight={0: 50.0}, split=split)[0]
    assert checked.weights[:3].tolist() == pytest.approx([150 / 52, 3 / 52, 3 / 52])
    assert checked.validation.weights is None


def test_standardizing_goes_by_the_weights_of_the_training_rows():
    far = np.vstack([X, np.full((2, 4), 1e6, np.float32)])
    weights = np.array([1, 1, 1, 1, 1, 0, 0.0])
    labels = np.append(LABELS, [0, 0])
    checked = training_data(NETWORK, far, labels, scaling="standardize", sample_weight=weights)[0]
    np.testing.assert_allclose(checked.samples.scaling.centre, X.mean(axis=0))


@pytest.mark.parametrize(
    ("given", "error", "named"),
    [
        ({"X": [[10**400] * 4]}, ArgumentError, "X"),
        ({"X": np.array([["2020-01-01"] * 4], "M8[D]")}, ArgumentTypeError, "X"),
        ({"X": np.array([["1", "2", "3", "4"]], object)}, ArgumentTypeError, "X"),
        ({"y": scipy.sparse.csr_array(np.eye(5, 3))}, ArgumentTypeError, "y.toarray"),
        ({"y_val": LABELS, "X_val": X[:4]}, ArgumentError, "y_val"),
        ({"y_val": ["a"] * 5, "X_val": X}, ArgumentError, "y_val"),
        ({"y_val": WANTED[:, :2], "X_val": X}, ArgumentError, "y_val"),
        ({"X_val": X}, ArgumentError, "X_val"),
        ({"sample_weight_val": [1.0] * 5}, ArgumentError, "sample_weight_val"),
        ({"sample_weight": [10**400] * 5}, ArgumentError, "sample_weight"),
        ({"sample_weight": np.array(["2020-01-01"] * 5, "M8[D]")}, ArgumentTypeError, "sample_weight"),
        ({"sample_weight": ["1"] * 5}, ArgumentTypeError, "sample_weight"),
        ({"class_weight": {0: 1e308}}, ArgumentError, "class_weight"),
        ({"class_weight": {0: 10**400}}, ArgumentError, "class_weight"),
        ({"class_weight": {0: 1, 7: 1}}, ArgumentError, "class_weight"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_refused_by_name(given, error, named):
    with pytest.raises(error, match=named):
        training_data(NETWORK, **({"X": X, "y": LABELS} | given))


@pytest.mark.parametrize("form", ["fractions", "two axes"])
@pytest.mark.parametrize("part", ["indptr", "indices", "data"])
def test_parts_of_a_sparse_matrix_must_be_vectors_of_whole_numbers(part, form):
    damaged = scipy.sparse.csr_array(X)
    array = getattr(damaged, part)
    if form == "fractions" and part == "data":
        return
    setattr(damaged, part, array + 0.5 if form == "fractions" else array.reshape(1, -1))
    with pytest.raises(ArgumentError, match=f"X is a damaged sparse matrix: its {part} must be a vector"):
        training_data(NETWORK, damaged, LABELS)


@pytest.mark.parametrize("size", [1e30, -1e25])
def test_targets_whose_square_overflows_are_named_with_their_size(size):
    regression = Architecture.build([4, 1], loss="squared_error")
    with pytest.raises(ArgumentError, match=r"y holds .*e\+(30|25), and float32"):
        training_data(regression, X, np.full(5, size))
    training_data(Architecture.build([4, 1], loss="squared_error", dtype="float64"), X, np.full(5, size))


def test_a_fit_on_what_looks_like_pixels_as_floats_is_warned_of():
    pixels = np.random.default_rng(0).integers(0, 256, (20, 4)).astype(np.float32)
    with pytest.warns(UserWarning, match="badly scaled.*scaling='standardize'") as told:
        Network([4, 2], seed=0).fit(pixels, np.arange(20) % 2, epochs=1, verbose=0)
    assert told[0].filename == __file__


PRICES = np.linspace(20_000, 90_000, 20)


def test_a_first_fit_on_targets_far_from_unit_size_is_warned_of():
    samples, net = np.random.default_rng(0).normal(size=(20, 4)), Network([4, 1], loss="squared_error", seed=0)
    with pytest.warns(UserWarning, match=r"root mean square is 5.*e\+04.*\(y - y.mean\(\)\) / y.std\(\)") as told:
        net.fit(samples, PRICES, epochs=1, verbose=0)
    assert told[0].filename == __file__
    net.fit(samples, PRICES, epochs=1, verbose=0)


@pytest.mark.parametrize(
    ("y", "options"),
    [
        ((PRICES - PRICES.mean()) / PRICES.std(), {"loss": "squared_error"}),
        (np.arange(20.0) * 100, {"loss": "poisson"}),  # whose outputs are exponentials
    ],
)
def test_targets_that_outputs_reach_are_not_warned_of(y, options):
    samples = np.random.default_rng(0).normal(size=(20, 4))
    Network([4, 1], seed=0, **options).fit(samples, y, epochs=1, verbose=0)


@pytest.mark.parametrize("options", [{"scaling": None}, {"scaling": "standardize"}, {"scaling": "pixels"}])
def test_a_scaling_of_ones_own_choice_is_not_warned_of(options):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 4)).astype(np.float32)
    Network([4, 2], seed=0, **options).fit(pixels, np.arange(20) % 2, epochs=1, verbose=0)


@pytest.mark.parametrize(
    "y", [np.repeat([0, 1, 2], [20, 20, 20]), np.repeat(["a", "b", "c"], 20)], ids=["numbers", "text"]
)
def test_a_class_that_is_only_validated_with_is_warned_of(y):
    X = np.random.default_rng(0).normal(size=(60, 4))
    with pytest.warns(UserWarning, match="no sample of (2|'c') is trained on"):
        net = Network([4, 3], seed=0)
        net.labels = learn_labels(y, net.architecture)
        net.fit(X[:40], y[:40], X_val=X[40:], y_val=y[40:], epochs=1, verbose=0)
