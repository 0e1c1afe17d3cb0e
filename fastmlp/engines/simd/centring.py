"""The centre of a scaling, for kernels that know none (floor 5; imports numpy, data).

A network sees ``(x - centre) * scale + shift``. Kernels compute ``x * scale + shift'`` and skip zeros, so by default
the centre goes into the shift: ``shift' = shift - centre * scale``. That is exact mathematics, and it cancels digits
where the centre is many deviations from 0, as that of a time stamp is. Of such features kernels get ``x - centre``,
subtracted in float64; they are seldom 0, so skipping zeros loses nothing (Cantelli's inequality: in the samples that a
feature was standardized on, at most one in ``1 + FAR**2`` values is 0).
"""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.samples import Samples, Scaling

FAR = 16.0
"""Deviations between 0 and a centre from which it is subtracted: up to there at most four bits of a number of size one
are lost.
"""


def split_centre(
    scaling: Scaling, n_features: int, possible: NDArray[np.bool_] | bool = True
) -> tuple[NDArray[np.float64] | None, Scaling]:
    """Split a scaling into what is to be subtracted ahead, and a scaling without a centre for the rest.

    Parameters
    ----------
    scaling : Scaling
    n_features : int
    possible : bool or ndarray of bool, shape (n_features,), default True
        Of which features something may be subtracted.

    Returns
    -------
    origin : ndarray, shape (n_features,), or None
        The centre of features whose 0 is far from it, 0 for the others; None where there are no such features.
    scaling : Scaling
        Of ``x - origin``.
    """
    if not np.any(scaling.centre):
        return None, scaling
    centre = np.broadcast_to(scaling.centre, n_features)
    origin = np.where(possible & (np.abs(centre * scaling.scale) > FAR), centre, 0.0)
    left = replace(scaling, shift=scaling.shift - (centre - origin) * scaling.scale, centre=0.0)
    return (origin if origin.any() else None), left


def without_centre(samples: Samples, dtype: np.dtype[Any]) -> Samples:
    """Return the same samples under a scaling without a centre, which is subtracted from the values where it must be.

    Parameters
    ----------
    samples : Samples
    dtype : dtype
        Of dense rows from which something was subtracted.

    Notes
    -----
    Bytes stay bytes: whatever the scaling, what cancels is a small part of the distance between one whole number and
    the next. Sparse rows lose their zeros where something is subtracted, so this is done to features that have at least
    half of their values stored, which at most doubles the memory. Values of other features, such as a few time stamps
    that most rows lack, lose digits.
    """
    if not np.any(samples.scaling.centre):
        return samples
    features, rows = samples.n_features, samples.sparse
    possible: NDArray[np.bool_] | bool = samples.stored().dtype != np.uint8
    if rows is not None and possible:
        possible = 2 * np.bincount(rows.columns, minlength=features) >= samples.n_rows
    origin, scaling = split_centre(samples.scaling, features, possible)
    if origin is None:
        return replace(samples, scaling=scaling)
    if rows is not None:
        return replace(samples, sparse=rows.less(origin), scaling=scaling)
    numbers = np.empty((samples.n_rows, features), dtype)
    np.subtract(samples.raw(slice(None)), origin, out=numbers, casting="same_kind")
    return replace(samples, dense=numbers, picked=None, scaling=scaling)
