import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fastmlp.data.samples import Scaling, as_samples, memory_range
from fastmlp.errors import ArgumentError

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
    np.testing.assert_allclose(Scaling.standardize(sparse).shift, Scaling.standardize(dense).shift, atol=1e-12)
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
