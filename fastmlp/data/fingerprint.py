"""Short names of data, to tell whether a training that is resumed gets the data it was begun with (floor 4; imports
numpy, model).
"""

import hashlib
from typing import Any

import numpy as np

from ..model.architecture import Array
from .dataset import Dataset
from .samples import Samples

_BYTES = 2**26
"""Of larger arrays, rows spread over the whole are looked at, not all: they may lie on a disk."""


def fingerprints(data: Dataset, sample_weight: Any = None, rows: Any = None, rows_val: Any = None) -> dict[str, str]:
    """Return a fingerprint of each argument of `Network.fit` that holds data, by its name.

    Parameters
    ----------
    data : Dataset
        As the gate made it; of blocks, the first.
    sample_weight, rows, rows_val : array_like, optional
        As they were given.
    """
    found = {"X": _of_samples(data.samples), "y": _of_targets(data)}
    for name, given in (("sample_weight", sample_weight), ("rows", rows), ("rows_val", rows_val)):
        found[name] = "none" if given is None else _name(np.asarray(given))
    # What is held out of the data has no name of its own.
    held_out = rows_val is not None or (data.rows is not None and rows is None)
    validation = None if held_out else data.validation
    found["X_val"] = "none" if validation is None else _of_samples(validation.samples)
    found["y_val"] = "none" if validation is None else _of_targets(validation)
    return found


def _of_samples(samples: Samples) -> str:
    shape = f"{samples.n_rows} x {samples.n_features}"
    if samples.sparse is not None:
        rows = samples.sparse
        return f"{shape}, {_name(rows.starts, rows.columns, rows.values)}"
    assert samples.dense is not None
    table = samples.dense
    step = max(1, -(-table.nbytes // _BYTES))
    return f"{shape}, {_name(np.asarray(samples.raw(slice(None, None, step))))}"


def _of_targets(data: Dataset) -> str:
    assert data.targets is not None
    labels, values = data.targets.labels, data.targets.values
    return _name(*(array for array in (labels, values) if array is not None))


def _name(*arrays: Array) -> str:
    digest = hashlib.blake2b(digest_size=6)
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data if array.size else b"")
    return f"fingerprint {digest.hexdigest()}"
