"""Rows held out of a training, drawn at random and by class (floor 3; imports numpy)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]


def hold_out(y: NDArray[Any], count: int, seed: int) -> tuple[Rows, Rows]:
    """Draw rows at random, so that each class is held out in proportion.

    Files are often sorted by class. Their last rows would be of classes that the others lack.

    Parameters
    ----------
    y : ndarray of shape (n_rows, ...)
        Labels. Targets that are not one label a row are drawn from as if they were of one class.
    count : int
        How many rows to hold out, from 0 to n_rows.
    seed : int
        The same seed, labels and count give the same rows.

    Returns
    -------
    held_out : ndarray of int, shape (count,)
        Numbers of the rows, in random order. A class has its exact share, ``count / n_rows`` of its rows, rounded up
        or down.
    others : ndarray of int, shape (n_rows - count,)
        The rest, in random order. Each class keeps a row here, as far as there are rows enough.

    Examples
    --------
    >>> import numpy as np
    >>> y = np.repeat(["a", "b"], [8, 4])
    >>> held_out, others = hold_out(y, 3, seed=0)
    >>> sorted(y[held_out].tolist()), len(others)
    (['a', 'a', 'b'], 9)
    """
    n_rows = len(y)
    order = np.random.default_rng([seed, 3]).permutation(n_rows)
    classes = _numbered(y)
    # Sorted by class, and held out at even distances: any run of m rows has m * count / n_rows, rounded up or down.
    by_class = order[np.argsort(classes[order], kind="stable")]
    steps = np.arange(n_rows + 1) * count // max(1, n_rows)
    held = np.zeros(n_rows, dtype=bool)
    held[by_class[np.diff(steps) > 0]] = True
    _give_back(held, classes)
    return order[held[order]], order[~held[order]]


def _give_back(held: NDArray[np.bool_], classes: Rows) -> None:
    """Exchange rows, so that a class of which all rows are held out gets one back for a row of the largest class."""
    left = np.bincount(classes[~held], minlength=classes.max(initial=0) + 1)
    for lacking in np.flatnonzero(left == 0):
        largest = int(left.argmax())
        if left[largest] < 2:
            return
        held[np.flatnonzero(classes == lacking)[0]] = False
        held[np.flatnonzero((classes == largest) & ~held)[0]] = True
        left[lacking], left[largest] = 1, left[largest] - 1


def _numbered(y: NDArray[Any]) -> Rows:
    """Return the number of each row's class, from 0 without gaps."""
    if y.ndim != 1:
        return np.zeros(len(y), dtype=np.intp)
    try:
        return np.unique(y, return_inverse=True)[1].reshape(-1)
    except TypeError:  # labels that can't be sorted, of which training will tell
        return np.zeros(len(y), dtype=np.intp)
