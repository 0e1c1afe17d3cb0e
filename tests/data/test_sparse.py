import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from fastmlp.data.samples import as_samples
from fastmlp.data.sparse import as_sparse_rows
from fastmlp.errors import ArgumentError

TABLE = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [1.0, 0.0, 3.0]])


def damaged(form, **arrays):
    """A sparse matrix whose arrays were replaced after it was made, where SciPy does not look."""
    matrix = form(TABLE)
    for name, array in arrays.items():
        setattr(matrix, name, np.array(array))
    return matrix


def from_parts(values, columns, starts):
    """What SciPy makes of indices that it believes."""
    return scipy.sparse.csr_matrix((np.array(values), np.array(columns), np.array(starts)), shape=(len(starts) - 1, 3))


@pytest.mark.parametrize(
    ("X", "word"),
    [
        (from_parts([1.0, 2.0], [1, 3], [0, 2]), "index 3.*from 0 to 2.*count from 1"),
        (from_parts([1.0, 2.0], [-1, 2], [0, 2]), "index -1"),
        (from_parts([1.0], [2**30], [0, 1]), "index 1073741824"),
        (damaged(scipy.sparse.csr_array, indptr=[1, 1, 1, 3]), "indptr"),
        (damaged(scipy.sparse.csr_array, indptr=[0, 3, 1, 3]), "indptr"),
        (damaged(scipy.sparse.csr_array, indptr=[0, 1, 3]), "4 numbers"),
        (damaged(scipy.sparse.csr_array, indptr=[0, 1, 1, 9]), "ends at 9"),
        (damaged(scipy.sparse.csr_array, data=[1.0]), "1 values"),
        (damaged(scipy.sparse.csc_array, indices=[2, 0, 7]), "row index 7.*from 0 to 2"),
        (damaged(scipy.sparse.bsr_array, indices=[1, 9, 2]), "index 9"),
    ],
)
def test_indices_that_point_outside_are_refused_before_anything_follows_them(X, word):
    with pytest.raises(ArgumentError, match=word) as told:
        as_samples(X, name="X_val")
    assert str(told.value).startswith("X_val")


def test_row_numbers_and_a_cached_order_are_not_believed():
    X = from_parts([1.0, 2.0, 4.0, 8.0], [0, 2, 1, 2], [0, 2, 4])
    assert X.has_canonical_format  # and is remembered
    X.indices[:] = [2, 2, 2, 0]
    rows, _ = as_sparse_rows(X, "X")
    assert rows.starts.tolist() == [0, 1, 3]
    assert (rows.columns.tolist(), rows.values.tolist()) == ([2, 0, 2], [3.0, 8.0, 4.0])
    assert X.indices.tolist() == [2, 2, 2, 0]


def test_empty_rows_are_in_order():
    X = from_parts([1.0, 2.0], [2, 0], [0, 0, 1, 1, 2, 2])
    rows, _ = as_sparse_rows(X, "X")
    assert np.shares_memory(rows.columns, X.indices)


def test_what_lies_behind_the_last_row_is_not_taken():
    X = damaged(scipy.sparse.csr_array, indices=[1, 0, 2, 99], data=[2.0, 1.0, 3.0, np.nan])
    samples = as_samples(X)
    np.testing.assert_array_equal(samples.raw(slice(None)), TABLE)


def test_taken_rows_are_those_rows():
    rows, width = as_sparse_rows(scipy.sparse.csr_array(TABLE), "X")
    np.testing.assert_array_equal(rows.take(np.array([2, 1, 2])).dense(np.arange(3), width), TABLE[[2, 1, 2]])


@given(
    X=arrays(
        np.float32, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.sampled_from([0.0, 0.0, 1.0, 3.0])
    ),
    data=st.data(),
)
def test_rows_less_an_origin_store_all_of_its_features_in_order(X, data):
    origin = np.array(data.draw(st.lists(st.sampled_from([0.0, 1.0, 1e9]), min_size=X.shape[1], max_size=X.shape[1])))
    less = as_sparse_rows(scipy.sparse.csr_array(X), "X")[0].less(origin)
    np.testing.assert_array_equal(less.dense(np.arange(len(X)), X.shape[1]), X - origin)
    assert len(less.values) == np.count_nonzero((origin != 0) | (X != 0))
    for begin, end in zip(less.starts[:-1], less.starts[1:], strict=True):
        assert (np.diff(less.columns[begin:end].astype(int)) > 0).all()
