"""Rows parted into entries and filled features, against a twin in NumPy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastmlp.kernels.runtime.records import Parting
from fastmlp.kernels.sparse import parting
from fastmlp.kernels.sparse.microkernels import BLOCK

from .. import twins
from ..calls import both_dtypes, from_python

tables = st.tuples(st.integers(1, 8), st.integers(1, 70))


def check_parting(dense, column_type, chosen, multiple=1):
    """Compare with the twin, and see that nothing behind the room is written."""
    rows, features = dense.shape
    chosen, names = np.array(chosen, np.uint8), np.empty(features, np.uint32)
    names[np.argsort(1 - chosen, kind="stable")] = np.arange(features)
    n_filled = int(chosen.sum())
    entries, kept = (-(-np.count_nonzero(dense[:, chosen == 0], axis=1) // multiple) * multiple).sum(), rows * n_filled
    ours, theirs = (
        (
            np.full(entries + BLOCK + 3, 9, column_type),
            np.full(entries + BLOCK + 3, 9, dense.dtype),
            np.full(rows + 1, 9),
            np.full(kept + BLOCK + 3, 9, dense.dtype),
        )
        for _ in range(2)
    )
    how = Parting(features=features, filled=n_filled, multiple=multiple, names=names, chosen=chosen)
    from_python(parting.part_rows)(*ours, dense.ravel(), *how.handle)
    twins.part_rows(*theirs, dense.ravel(), how)
    for got, want, length in zip(ours, theirs, (entries, entries, rows + 1, kept), strict=True):
        np.testing.assert_array_equal(got[:length], want[:length])
        assert (got[length + BLOCK :] == 9).all()


def choices(features):
    return st.lists(st.booleans(), min_size=features, max_size=features)


bytes_and_choices = tables.flatmap(
    lambda shape: st.tuples(arrays(np.uint8, shape, elements=st.sampled_from([0, 0, 1, 255])), choices(shape[1]))
)


@given(bytes_and_choices)
def test_part_rows_of_bytes(both):
    dense, chosen = both
    check_parting(dense, np.uint16, chosen)


@given(bytes_and_choices)
def test_part_rows_where_no_feature_is_chosen(both):
    dense, _ = both
    check_parting(dense, np.uint16, [False] * dense.shape[1])


@both_dtypes
@given(data=st.data())
def test_part_rows_of_floats(dtype, data):
    elements = st.sampled_from([0.0, -0.0, 1.5, -2.5, np.inf])
    dense = data.draw(tables.flatmap(lambda shape: arrays(dtype, shape, elements=elements)))
    check_parting(dense, np.uint32, data.draw(choices(dense.shape[1])))


@given(bytes_and_choices)
def test_rows_of_whole_eights(both):
    dense, chosen = both
    check_parting(dense, np.uint16, [*chosen[:-1], False], multiple=8)
