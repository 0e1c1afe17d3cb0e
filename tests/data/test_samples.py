import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fastmlp.data.samples import Samples, Scaling, as_samples, memory_range
from fastmlp.errors import ArgumentError, ArgumentTypeError

TABLE = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
FLOAT64 = np.dtype(np.float64)


def everything(samples, dtype=FLOAT64):
    return samples.rows(slice(0, samples.n_rows), dtype)


# --- forms that samples may have ---


@pytest.mark.parametrize(
    "X",
    [
        TABLE,
        TABLE.astype(np.float32),
        TABLE.tolist(),
        np.asfortranarray(TABLE),
        np.repeat(TABLE, 2, axis=1)[:, ::2],
        TABLE.astype(np.int64),
        TABLE.astype(np.float16),
        TABLE.astype(">f8"),
        TABLE.astype(object),
        pd.DataFrame(TABLE, columns=["a", "b", "c"]),
        pd.DataFrame({"a": [0, 1], "b": [2.0, 0.0], "c": np.array([0, 3], np.int8)}),
        scipy.sparse.csr_matrix(TABLE),
        scipy.sparse.csr_array(TABLE),
        scipy.sparse.csc_matrix(TABLE),
        scipy.sparse.coo_matrix(TABLE),
    ],
    ids=lambda X: f"{type(X).__name__}-{getattr(X, 'dtype', '')}",
)
def test_every_form_holds_the_same_numbers(X):
    samples = as_samples(X)
    assert (samples.n_rows, samples.n_features) == (2, 3)
    np.testing.assert_array_equal(everything(samples), TABLE)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_kinds_that_engines_take_are_not_copied(dtype):
    X = TABLE.astype(dtype)
    assert np.shares_memory(as_samples(X).dense, X)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.uint8, np.uint8),
        (np.float32, np.float32),
        (np.float64, np.float64),
        (np.float16, np.float32),
        (np.bool_, np.float32),
        (np.int16, np.float32),
        (np.int32, np.float64),
        (np.int64, np.float64),
    ],
)
def test_numbers_become_a_kind_that_holds_them(given, kept):
    assert as_samples(TABLE.astype(given)).dense.dtype == kept


def test_read_only_arrays_are_taken():
    X = TABLE.copy()
    X.flags.writeable = False
    np.testing.assert_array_equal(everything(as_samples(X)), TABLE)


def test_memory_maps_are_not_read_into_memory(tmp_path):
    X = np.memmap(tmp_path / "X", dtype=np.float32, mode="w+", shape=(2, 3))
    X[...] = TABLE
    samples = as_samples(np.memmap(tmp_path / "X", dtype=np.float32, mode="r", shape=(2, 3)))
    np.testing.assert_array_equal(everything(samples), TABLE)
    assert isinstance(samples.dense.base, np.memmap) or isinstance(samples.dense, np.memmap)


def test_images_are_rows_of_pixels():
    images = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(as_samples(images).dense, images.reshape(2, 12))


def test_sparse_rows_with_duplicates_and_disorder_are_summed_and_sorted():
    X = scipy.sparse.csr_matrix((np.array([1.0, 2.0, 4.0]), np.array([2, 0, 2]), np.array([0, 3])), shape=(1, 3))
    samples = as_samples(X)
    assert samples.sparse.columns.tolist() == [0, 2] and samples.sparse.values.tolist() == [2.0, 5.0]
    assert X.indices.tolist() == [2, 0, 2]  # the user's own matrix is as it was


@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.sampled_from([0, 1, 255])))
def test_sparse_and_dense_samples_are_the_same_rows(X):
    rows = np.random.default_rng(0).integers(0, len(X), 4)
    sparse, dense = as_samples(scipy.sparse.csr_matrix(X)), as_samples(X)
    np.testing.assert_array_equal(sparse.raw(rows), dense.raw(rows))
    np.testing.assert_array_equal(sparse.rows(rows, FLOAT64), dense.rows(rows, FLOAT64))


@pytest.mark.parametrize("X", [TABLE, scipy.sparse.csr_matrix(TABLE)], ids=["dense", "sparse"])
def test_density_is_the_share_of_non_zeros(X):
    assert as_samples(X).density() == 0.5


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("rows", [2, 100])
def test_densities_are_the_shares_of_non_zeros_of_every_feature(rows, sparse):
    X = np.array([[0, 1, 2], [0, 3, 0]] * rows, np.uint8)
    X = pytest.importorskip("scipy.sparse").csr_matrix(X) if sparse else X
    assert as_samples(X).densities(2 * rows).tolist() == [0.0, 1.0, 0.5]


# --- scaling ---


def test_bytes_are_pixels_and_floats_are_themselves():
    X = np.array([[0, 51, 255]], np.uint8)
    np.testing.assert_allclose(everything(as_samples(X)), [[0, 0.2, 1]])
    np.testing.assert_array_equal(everything(as_samples(X.astype(np.float32))), [[0, 51, 255]])


def test_a_given_scaling_is_kept():
    samples = as_samples(np.array([[0, 255]], np.uint8), scaling=Scaling.pixels(-1, 1))
    np.testing.assert_allclose(everything(samples), [[-1, 1]])


def test_a_scaling_may_differ_by_feature():
    scaling = Scaling(np.array([1.0, 2.0, 3.0]), np.array([0.0, -1.0, 1.0]))
    np.testing.assert_array_equal(scaling.apply(TABLE), [[0, 3, 1], [1, -1, 10]])


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "sparse"])
def test_standardize_gives_zero_mean_and_unit_variance(form):
    X = np.random.default_rng(0).normal(1e4, [1, 100, 1e-3], (5000, 3))
    scaled = everything(as_samples(X, scaling=Scaling.standardize(form(X))))
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-6)


def test_standardize_leaves_a_constant_feature_at_zero():
    X = np.array([[7.0, 1.0], [7.0, 3.0]])
    np.testing.assert_allclose(Scaling.standardize(X).apply(X), [[0, -1], [0, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_have_the_dtype_asked_for(dtype):
    assert everything(as_samples(TABLE), np.dtype(dtype)).dtype == dtype


def test_range_for_messages():
    assert memory_range(as_samples(np.array([[0, 255]], np.uint8))) == (0.0, 1.0)


# --- what is refused ---


@pytest.mark.parametrize(
    ("X", "error", "word"),
    [
        ([1.0, 2.0], ArgumentError, "reshape"),
        (3.0, ArgumentError, "two-dimensional"),
        (np.zeros((2, 2, 2, 2)), ArgumentError, "two-dimensional"),
        (np.zeros((0, 3)), ArgumentError, "no rows"),
        (np.zeros((0, 28, 28)), ArgumentError, "no rows"),
        (scipy.sparse.csr_matrix((0, 3)), ArgumentError, "no rows"),
        (scipy.sparse.coo_array(np.arange(3.0)), ArgumentError, "two-dimensional"),
        ([[1.0, 2.0], [3.0]], ArgumentError, "same length"),
        ([["a", "b"]], ArgumentTypeError, "numbers"),
        (np.array([[1.0, "b"]], dtype=object), ArgumentTypeError, "numbers, got 'b' at row 0, column 1"),
        (np.array([[1.0, None]], dtype=object), ArgumentError, "row 0, column 1"),
        (np.array([["2020-01-01"]], dtype="datetime64[D]"), ArgumentTypeError, "dates"),
        (np.ones((1, 2), complex), ArgumentTypeError, "numbers"),
        (pd.DataFrame({"a": [1.0], "b": ["x"]}), ArgumentTypeError, "numbers"),
        (None, ArgumentError, "two-dimensional"),
        ([[1.0, np.nan]], ArgumentError, "row 0, column 1"),
        ([[1.0, 2.0], [-np.inf, 0.0]], ArgumentError, "row 1, column 0"),
        (pd.DataFrame({"a": [1.0, None]}), ArgumentError, "row 1"),
        (pd.DataFrame({"a": [1, None]}, dtype="Int64"), ArgumentError, "row 1, column 0 is nan"),
        (scipy.sparse.csr_matrix([[1.0, 2.0], [0.0, np.nan]]), ArgumentError, "row 1, column 1"),
    ],
    ids=str,
)
def test_bad_samples_are_told(X, error, word):
    with pytest.raises(error, match=word) as told:
        as_samples(X, name="X_val")
    assert "X_val" in str(told.value)


def test_a_bad_value_is_told_by_its_row_far_down():
    X = np.zeros((5000, 2), np.float32)
    X[4999, 1] = np.inf
    with pytest.raises(ArgumentError, match="row 4999, column 1"):
        as_samples(X)


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: as_samples(TABLE, n_features=4), "4 inputs"),
        (lambda: as_samples(TABLE, scaling=Scaling(np.ones(2))), "2 features"),
        (lambda: Scaling(np.nan), "scale"),
        (lambda: Scaling(1.0, np.inf), "shift"),
        (lambda: Scaling(centre=np.inf), "centre"),
        (lambda: Scaling(np.ones((2, 2))), "scale"),
        (lambda: Scaling(np.ones(2), centre=np.ones(3)), r"lengths \[2, 3\]"),
        (lambda: Scaling(np.ones(2)).then(Scaling(shift=np.ones(3))), "2 and 3 features"),
        (lambda: Scaling(np.ones(3)).apply(np.ones((1, 2))), "3 features"),
        (lambda: Scaling(centre=np.ones(3)).apply(np.ones((1, 2))), "3 features"),
    ],
)
def test_bad_numbers_of_features_and_scalings_are_told(make, word):
    with pytest.raises(ArgumentError, match=word):
        make()


def test_a_scaling_of_text_is_told():
    with pytest.raises(ArgumentTypeError, match="scale"):
        Scaling("big")


def test_samples_are_immutable():
    with pytest.raises(AttributeError):
        as_samples(TABLE).n_rows = 3
    assert isinstance(as_samples(TABLE), Samples)


# --- what fits ---


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_matrix], ids=["dense", "sparse"])
def test_values_that_the_network_cannot_hold_are_told(form):
    X = form(np.array([[1.0, 0.0], [0.0, 1e39]]))
    assert as_samples(X).n_rows == 2
    assert as_samples(X, dtype=FLOAT64).n_rows == 2
    with pytest.raises(ArgumentError, match=r"fit into float32.*row 1, column 1 is 1e\+39.*float64"):
        as_samples(X, dtype=np.dtype(np.float32))


@pytest.mark.parametrize("scaling", [Scaling(1e39), Scaling(1.0, np.array([0.0, -1e39, 0.0])), Scaling(centre=1e39)])
def test_a_scaling_that_the_network_cannot_hold_is_told(scaling):
    with pytest.raises(ArgumentError, match=r"1e\+39, which float32 cannot hold"):
        as_samples(TABLE, scaling=scaling, dtype=np.dtype(np.float32))


def test_float64_rows_are_rounded_after_they_were_scaled():
    X = 1e8 + np.array([[0.0], [1.0]])
    scaled = Scaling(1.0, -1e8).apply(X, np.float32)
    assert scaled.dtype == np.float32 and scaled.tolist() == [[0.0], [1.0]]


# --- centres ---


def test_a_centre_is_subtracted_first():
    X = 1e15 + np.array([[-1.0], [0.0], [1.0]])
    assert Scaling(1 / 3, 0.5, centre=1e15).apply(X).tolist() == [[-1 / 3 + 0.5], [0.5], [1 / 3 + 0.5]]


def test_a_centre_that_float32_rounds_moves_nothing():
    X = np.array([[16777214.0], [16777218.0]], np.float32)
    scaled = Scaling(1.0, centre=2.0**24 + 1).apply(X, np.float32)
    assert scaled.dtype == np.float32 and scaled.tolist() == [[-3.0], [1.0]]


numbers = st.sampled_from([0.0, 1.0, -2.5, 0.3])
scalings = st.builds(
    lambda scale, shift, centre: Scaling(scale, shift, centre=centre),
    *[st.one_of(numbers, st.lists(numbers, min_size=3, max_size=3).map(np.array))] * 3,
)


@given(scalings, scalings)
def test_scalings_one_after_the_other_are_one(first, second):
    np.testing.assert_allclose(first.then(second).apply(TABLE), second.apply(first.apply(TABLE)), atol=1e-10)


def test_a_scaling_that_changes_nothing_says_so():
    assert Scaling().changes_nothing and Scaling(np.ones(3), np.zeros(3), centre=np.zeros(3)).changes_nothing
    assert not any(other.changes_nothing for other in (Scaling(2.0), Scaling(shift=1.0), Scaling(centre=[0.0, 1.0])))
