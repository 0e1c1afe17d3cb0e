"""Samples and labels split into training, validation and test rows (floor 3; imports numpy, checks, errors)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.checks import check_switch, check_unmasked
from fastmlp.errors import ArgumentError, ArgumentTypeError

_PARTS = ("training", "validation", "test")
_MOST_CLASSES = 2**31


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Split:
    """Samples and labels in parts, as `split` returns them.

    Unpacks as the parts that were asked for: ``X_train, y_train``, then ``X_val, y_val`` if there is validation, then
    ``X_test, y_test`` if there is a test. A part that was not asked for has no rows.

    Attributes
    ----------
    X_train, X_val, X_test : ndarray of shape (n_rows, ...)
        Samples; a CSR array or a DataFrame if `split` was given one.
    y_train, y_val, y_test : ndarray of shape (n_rows, ...)
        Their labels; a Series or a DataFrame if `split` was given one.
    """

    X_train: Any
    y_train: Any
    X_val: Any
    y_val: Any
    X_test: Any
    y_test: Any

    def __iter__(self) -> Iterator[Any]:
        """Yield samples and labels of every part that has rows."""
        for X, y in ((self.X_train, self.y_train), (self.X_val, self.y_val), (self.X_test, self.y_test)):
            if y.shape[0]:
                yield X
                yield y

    def __repr__(self) -> str:
        """Say in one line how many rows each part has."""
        sizes = (self.y_train.shape[0], self.y_val.shape[0], self.y_test.shape[0])
        return f"Split({', '.join(f'{size:,} {part}' for part, size in zip(_PARTS, sizes, strict=True) if size)} rows)"


def split(
    X: Any,
    y: Any,
    *,
    validation: float | int = 0.1,
    test: float | int = 0.0,
    seed: int | None = 0,
    stratify: bool = False,
    shuffle: bool = True,
) -> Split:
    """Split samples and labels into training, validation and test rows.

    Parameters
    ----------
    X : array_like, SciPy sparse array or DataFrame, n_samples rows
        Samples.
    y : array_like, Series or DataFrame, n_samples rows
        Their labels or targets.
    validation : float or int, default 0.1
        The validation rows: a float is a fraction of all rows, from 0 to below 1, rounded to whole rows; an int is a
        number of rows. 0 for none.
    test : float or int, default 0.0
        The test rows, in the same way.
    seed : int or None, default 0
        The same seed gives the same rows. None draws other rows every time. Unused without `shuffle`.
    stratify : bool, default False
        Give every part the classes of `y` in proportion. In each part, a class has its exact share
        (its rows times the part's, over all rows), rounded up or down.
    shuffle : bool, default True
        Draw the rows of each part at random and return them in random order. Otherwise rows stay in their order and
        the training rows are the first ones, then validation, then test; with `stratify`, of each class.

    Returns
    -------
    Split
        ``X_train, y_train, X_val, y_val, X_test, y_test``, all copies. Unpacks as the parts that were asked for.

    Raises
    ------
    ArgumentTypeError
        If an argument is of the wrong type, or labels to stratify by cannot be sorted.
    ArgumentError
        If `X` and `y` differ in rows, a size is out of range or rounds to no row, no training row is left, or, with
        `stratify`, `y` is not one-dimensional, a part has fewer rows than there are classes, a class has fewer rows
        than there are parts, or none to train on.

    Notes
    -----
    To learn which rows went where, split their numbers: ``split(np.arange(len(y)), y, ...)``.

    Rounding shares so that rows and columns of the table (class, part) keep their sums is controlled rounding, which
    always has a solution: M. Bacharach, "Matrix rounding problems", Management Science 12(9), 1966.

    Examples
    --------
    >>> import numpy as np
    >>> X, y = np.arange(20.0).reshape(10, 2), np.arange(10) % 2
    >>> X_train, y_train, X_val, y_val = split(X, y, validation=0.2)
    >>> X_train.shape, X_val.shape
    ((8, 2), (2, 2))
    >>> split(X, y, validation=2, test=2, stratify=True)
    Split(6 training, 2 validation, 2 test rows)
    """
    samples, labels = _as_rows("X", X), _as_rows("y", y)
    n_rows = labels.shape[0]
    if samples.shape[0] != n_rows:
        raise ArgumentError(f"X has {samples.shape[0]} rows but y has {n_rows}; give one label for each sample")
    n_validation, n_test = _as_size("validation", validation, n_rows), _as_size("test", test, n_rows)
    n_training = n_rows - n_validation - n_test
    if n_training < 1:
        raise ArgumentError(
            f"validation={validation} and test={test} take {n_validation + n_test} of {n_rows} rows and leave none to "
            "train on; ask for fewer"
        )
    if seed is not None and not _is_integer(seed):
        raise ArgumentTypeError(f"seed must be an integer or None, not {type(seed).__name__}")
    if seed is not None and seed < 0:
        raise ArgumentError(f"seed must be 0 or more, not {seed}")
    check_switch(stratify, "stratify")
    check_switch(shuffle, "shuffle")

    sizes = np.array([n_training, n_validation, n_test])
    order = np.random.default_rng(seed).permutation(n_rows) if shuffle else np.arange(n_rows)
    part = _stratified_parts(labels, order, sizes) if stratify else np.repeat(np.arange(3), sizes)
    (X_train, y_train), (X_val, y_val), (X_test, y_test) = (
        (_take(samples, order[part == k]), _take(labels, order[part == k])) for k in range(3)
    )
    return Split(X_train, y_train, X_val, y_val, X_test, y_test)


def _stratified_parts(labels: Any, order: NDArray[np.intp], sizes: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the part of each row of `order`: 0 training, 1 validation, 2 test."""
    array = np.asarray(labels)
    if array.ndim != 1:
        raise ArgumentError(
            f"stratify needs one label for each sample, but y has the shape {array.shape}; "
            "turn one-hot rows into labels with y.argmax(axis=1)"
        )
    try:
        classes, row_class, class_sizes = np.unique(array, return_inverse=True, return_counts=True)
    except TypeError as error:
        raise ArgumentTypeError(
            f"stratify must sort the labels of y, which failed ({error}); use labels of one type"
        ) from error
    asked = sizes > 0
    for name, size in zip(_PARTS, sizes, strict=True):
        if 0 < size < len(classes):
            raise ArgumentError(
                f"stratify needs a row of each of the {len(classes)} classes in every part, but there are only {size} "
                f"{name} rows; ask for more of them, or for no stratify"
            )
    if class_sizes.min() < asked.sum():
        rarest = int(class_sizes.argmin())
        raise ArgumentError(
            f"stratify needs {asked.sum()} rows or more of each class, one for each part, but class "
            f"{classes.tolist()[rarest]!r} of y has {class_sizes[rarest]}; leave it out, or ask for no stratify"
        )
    counts = _round_shares(class_sizes, sizes)
    if not counts[:, 0].all():
        untrained = int(counts[:, 0].argmin())
        raise ArgumentError(
            f"class {classes.tolist()[untrained]!r} of y has {class_sizes[untrained]} rows, of which stratify leaves "
            "none to train on; ask for fewer validation or test rows"
        )
    # Sorted by class, each class in its order: its first rows train, its next validate, its last test.
    by_class = np.argsort(row_class[order], kind="stable")
    part = np.empty(len(order), np.intp)
    part[by_class] = np.repeat(np.tile(np.arange(3), len(classes)), counts.ravel())
    return part


def _round_shares(class_sizes: NDArray[np.int64], part_sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Round the shares ``class_sizes[c] * part_sizes[k] / n`` up or down so that both margins stay exact.

    Shares are whole numbers and remainders of n-ths, hence exact. First every class gives the rows that rounding down
    leaves over to its largest remainders, which keeps the classes' sums; then, while one of the three parts has a row
    too many and another one too few, the extra row moves whose move costs the least remainder.
    """
    counts, remainder = np.divmod(np.multiply.outer(class_sizes, part_sizes), part_sizes.sum())
    left_over = class_sizes - counts.sum(axis=1)
    rank = np.argsort(np.argsort(-remainder, axis=1, kind="stable"), axis=1)
    extra = rank < left_over[:, np.newaxis]
    while (surplus := (counts + extra).sum(axis=0) - part_sizes).any():
        # cost[c, i, j]: what it costs to move the extra row of class c from part i to part j.
        movable = extra[:, :, np.newaxis] & (~extra & (remainder > 0))[:, np.newaxis, :]
        cost = np.where(movable, remainder[:, :, np.newaxis] - remainder[:, np.newaxis, :], np.inf)
        cheapest = cost.min(axis=0)
        paths = []
        for i in np.flatnonzero(surplus > 0):
            for j in np.flatnonzero(surplus < 0):
                k = 3 - i - j  # The part that is neither: a row may have to go through it, with another class's help.
                paths.append((cheapest[i, j], [(i, j)]))
                paths.append((cheapest[i, k] + cheapest[k, j], [(i, k), (k, j)]))
        for i, j in min(paths)[1]:
            c = cost[:, i, j].argmin()
            extra[c, i], extra[c, j] = False, True
    rounded: NDArray[np.int64] = counts + extra
    return rounded


def _take(rows: Any, numbers: NDArray[np.intp]) -> Any:
    return rows.iloc[numbers] if hasattr(rows, "iloc") else rows[numbers]


def _as_rows(name: str, value: Any) -> Any:
    """Return what `_take` can take rows from: a DataFrame or Series, a CSR array, or an ndarray."""
    if hasattr(value, "iloc"):
        return value
    if hasattr(value, "tocsr"):
        return value.tocsr()  # Other sparse formats cannot be indexed by row.
    array = _as_array(name, value)
    if array.ndim == 0:
        raise ArgumentTypeError(f"{name} must be an array with a row for each sample, not {type(value).__name__}")
    return array


def _as_size(name: str, size: float | int, n_rows: int) -> int:
    """Return a fraction or a number of rows as a number of rows."""
    if _is_integer(size):
        if size < 0:
            raise ArgumentError(f"{name} must be 0 rows or more, not {size}")
        return int(size)
    if not isinstance(size, float | np.floating):
        raise ArgumentTypeError(
            f"{name} must be a fraction of the rows (float) or a number of rows (int), not {type(size).__name__}"
        )
    if not 0 <= size < 1:
        raise ArgumentError(f"{name}={size} is no fraction from 0 to below 1; give a number of rows as an int")
    rows = round(float(size) * n_rows)
    if size > 0 and rows == 0:
        raise ArgumentError(f"{name}={size} of {n_rows} rows is no row at all; give a larger fraction, or a number")
    return rows


def _as_array(name: str, value: Any) -> NDArray[Any]:
    check_unmasked(value, name)
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{name} cannot be made an array ({error}); its rows must have the same length") from error


def _is_integer(value: object) -> bool:
    """Tell an integer from a bool, which Python counts among them."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
