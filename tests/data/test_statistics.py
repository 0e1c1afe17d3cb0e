import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fastmlp.data.samples import Scaling, as_samples, memory_range
from fastmlp.errors import ArgumentError

FORMS = [np.asarray, scipy.sparse.csr_array]
both_forms = pytest.mark.parametrize("form", FORMS, ids=["dense", "sparse"])

tables = arrays(
    np.float64, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.sampled_from([0.0, 0.1, -2.0, 3.0])
)


@given(tables)
def test_features_are_standardized_with_their_mean_and_deviation(X):
    scaled = Scaling.standardize(X).apply(X)
    varies = X.min(axis=0) < X.max(axis=0)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0)[varies], 1)
    np.testing.assert_allclose(scaled[:, ~varies], 0, atol=1e-12)


@given(tables)
def test_sparse_samples_have_the_statistics_of_dense_ones(X):
    scaling = Scaling(-2.0, 0.5)
    sparse, dense = (as_samples(form(X), scaling=scaling) for form in (scipy.sparse.csr_array, np.asarray))
    np.testing.assert_allclose(Scaling.standardize(sparse).scale, Scaling.standardize(dense).scale)
    np.testing.assert_allclose(Scaling.standardize(sparse).centre, Scaling.standardize(dense).centre, atol=1e-12)
    assert memory_range(sparse) == memory_range(dense)


@pytest.mark.parametrize("unit", [1e-20, 1.0, 1e20])
def test_the_unit_of_a_feature_does_not_matter(unit):
    X = np.array([[1.0], [2.0], [4.0]])
    np.testing.assert_allclose(Scaling.standardize(X * unit).apply(X * unit), Scaling.standardize(X).apply(X))


def test_sparse_samples_are_never_made_dense():
    X = scipy.sparse.csr_array((np.array([1.0, 2.0]), (np.array([0, 5000]), np.array([7, 10**7 - 1]))), (6000, 10**7))
    samples = as_samples(X)
    assert memory_range(samples) == (0.0, 1.0)  # of the first 4096 rows
    assert Scaling.standardize(samples).scale.shape == (10**7,)


def test_values_too_large_to_square_are_told():
    with pytest.raises(ArgumentError, match=r"X\[:, 1\].*too large"):
        Scaling.standardize([[0.0, 1e200], [0.0, -1e200]])


def test_standardized_values_are_accurate_at_any_distance_from_zero():
    z = np.round(np.random.default_rng(0).normal(size=(10_000, 1)) * 2**20) / 2**20
    expected = (z - z.mean()) / z.std()
    for distance in (0.0, 2.0**10, 2.0**30):  # to which these z can be added exactly
        scaled = Scaling.standardize(z + distance).apply(z + distance)
        # A mean is a float64 itself, so all values may be off alike by its rounding.
        np.testing.assert_allclose(scaled, expected, rtol=0, atol=1e-12 + distance * np.finfo(float).eps)
        np.testing.assert_allclose(scaled - scaled[0], expected - expected[0], rtol=0, atol=1e-12)


# --- weights ---


def same(ours, theirs, **tolerance):
    np.testing.assert_allclose(ours.centre, theirs.centre, **tolerance)
    np.testing.assert_allclose(ours.scale, theirs.scale, **tolerance)


@both_forms
@given(X=tables, weight=st.floats(1e-300, 1e300))
def test_equal_weights_change_no_bit(form, X, weight):
    plain, weighted = Scaling.standardize(form(X)), Scaling.standardize(form(X), np.full(len(X), weight))
    same(weighted, plain, rtol=0)


@both_forms
@given(X=tables, data=st.data())
def test_whole_numbers_are_as_good_as_repeated_rows(form, X, data):
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(X), max_size=len(X)).filter(any))
    repeated = Scaling.standardize(np.repeat(X, weights, axis=0))
    same(Scaling.standardize(form(X), weights), repeated, rtol=1e-12, atol=1e-12)


@both_forms
@pytest.mark.parametrize("junk", [1e6, 1e200, np.finfo(float).max])
@given(X=tables)
def test_rows_of_weight_zero_count_for_nothing(form, junk, X):
    more = np.vstack([np.full((2, X.shape[1]), junk), X, np.full((1, X.shape[1]), -junk)])
    same(Scaling.standardize(form(more), [0, 0, *np.ones(len(X)), 0]), Scaling.standardize(form(X)), rtol=0)


@both_forms
def test_a_feature_is_constant_where_rows_that_count_are_alike(form):
    X = form(np.array([[0.1, 1.0], [0.1, 3.0], [0.1, 5.0], [9.0, 7.0]]))
    scaling = Scaling.standardize(X, [0.1, 0.2, 0.3, 0])
    assert (scaling.centre[0], scaling.scale[0]) == (0.1, 1.0)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array, "mapped"], ids=["dense", "sparse", "mapped"])
def test_weights_are_those_of_their_rows_in_every_block(form, tmp_path):
    generator = np.random.default_rng(0)
    X, weights = generator.normal(3, 2, (10_000, 3)) * (generator.random((10_000, 3)) < 0.7), generator.random(10_000)
    if form == "mapped":
        np.save(tmp_path / "X.npy", X)
        scaling = Scaling.standardize(np.load(tmp_path / "X.npy", mmap_mode="r"), weights)
    else:
        scaling = Scaling.standardize(form(X), weights)
    mean = np.average(X, axis=0, weights=weights)
    np.testing.assert_allclose(scaling.centre, mean)
    np.testing.assert_allclose(scaling.scale, np.average((X - mean) ** 2, axis=0, weights=weights) ** -0.5)


@pytest.mark.parametrize("weights", [[1, 2], [1, -1, 1], [0, 0, 0], [1, np.nan, 1], [[1], [1], [1]]])
def test_weights_that_make_no_sense_are_told(weights):
    with pytest.raises(ArgumentError, match="sample_weight"):
        Scaling.standardize(np.ones((3, 1)), weights)
