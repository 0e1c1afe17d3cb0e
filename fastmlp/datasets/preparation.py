"""What is done to samples and labels before training: one-hot rows, scaled pixels, standardized features, a split.

Every function returns new arrays and leaves its arguments as they were.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from fastmlp.checks import check_number, check_switch, check_unmasked
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.feature_statistics import mean_and_deviation, row_blocks

_PARTS = ("training", "validation", "test")
_MOST_CLASSES = 2**31


def one_hot(y: ArrayLike, n_classes: int | None = None, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Turn class labels into rows with a single one.

    Parameters
    ----------
    y : array_like of int, shape (n_samples,)
        Labels from 0 to ``n_classes - 1``.
    n_classes : int, optional
        The number of columns; by default one more than the largest label.
    dtype : dtype-like, default float32
        The type of the result: a number or a boolean.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        1 in the column of the label, 0 elsewhere.

    Raises
    ------
    ArgumentTypeError
        If labels are not integers, `n_classes` is not an integer or `dtype` is not the type of a number.
    ArgumentError
        If `y` is not one-dimensional, a label is out of range, or `n_classes` is needed because `y` is empty.

    Examples
    --------
    >>> one_hot([1, 0, 2])
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    labels = _as_array("y", y)
    if labels.size == 0:
        labels = labels.astype(np.int64)  # NumPy makes an empty list float64.
    if labels.dtype.kind not in "iub":
        raise ArgumentTypeError(
            f"y must hold integer labels, not {labels.dtype}; number labels of any other kind with "
            "numpy.unique(y, return_inverse=True)[1]"
        )
    if labels.ndim != 1:
        raise ArgumentError(f"y must have one dimension, not the shape {labels.shape}; flatten a column with y.ravel()")
    result_dtype = _as_dtype(dtype, "biuf", "a number or a boolean")
    if n_classes is None:
        if labels.size == 0:
            raise ArgumentError("y is empty, so n_classes cannot be found from it; give n_classes")
        n_classes = max(int(labels.max()) + 1, 1)
    elif not _is_integer(n_classes):
        raise ArgumentTypeError(f"n_classes must be an integer, not {type(n_classes).__name__}")
    elif n_classes < 1:
        raise ArgumentError(f"n_classes must be 1 or more, not {n_classes}")
    elif n_classes > _MOST_CLASSES:
        raise ArgumentError(f"n_classes must be at most {_MOST_CLASSES:,}, not {n_classes}")
    out_of_range = (labels < 0) | (labels >= n_classes)
    if out_of_range.any():
        row = int(out_of_range.argmax())
        raise ArgumentError(
            f"y[{row}] is {labels[row]}, but labels go from 0 to n_classes - 1 = {n_classes - 1}; "
            "number the classes from 0, or give a larger n_classes"
        )
    rows = np.zeros((len(labels), n_classes), result_dtype)
    rows[np.arange(len(labels)), labels.astype(np.intp)] = 1
    return rows


def scale_pixels(X: ArrayLike, low: float = 0.0, high: float = 1.0, dtype: DTypeLike = np.float32) -> NDArray[Any]:
    """Map pixels from 0..255 to `low`..`high`, linearly.

    Parameters
    ----------
    X : array_like, any shape
        Pixels from 0 to 255: uint8, or any type of number that holds such values.
    low : float, default 0.0
        What 0 becomes. May be above `high`, which inverts the image.
    high : float, default 1.0
        What 255 becomes.
    dtype : dtype-like, default float32
        The floating-point type of the result.

    Returns
    -------
    ndarray of the shape of `X`
        Exactly `low` where `X` is 0 and exactly `high` where it is 255 (as `dtype` holds them), never outside.

    Raises
    ------
    ArgumentTypeError
        If `X` does not hold real numbers, `low` or `high` is not a number or `dtype` is no floating-point type.
    ArgumentError
        If a pixel is outside 0..255 or NaN, `low` or `high` is not finite in `dtype`, or `X` seems to be scaled
        already: not of an integer type, with no value above 1.

    Examples
    --------
    >>> import numpy as np
    >>> scale_pixels(np.array([[0, 51, 255]], dtype=np.uint8))
    array([[0. , 0.2, 1. ]], dtype=float32)
    >>> scale_pixels([0, 255], low=-1)
    array([-1.,  1.], dtype=float32)
    """
    pixels = _as_real("X", X)
    result_dtype = _as_dtype(dtype, "f", "a floating-point number")
    low, high = _as_finite("low", low, result_dtype), _as_finite("high", high, result_dtype)
    if pixels.dtype != np.uint8 and pixels.size:
        least, largest = pixels.min(), pixels.max()
        if not (least >= 0 and largest <= 255):  # In this form NaN is caught too.
            raise ArgumentError(f"X must hold pixels from 0 to 255, but its values go from {least} to {largest}")
        if pixels.dtype.kind in "bf" and 0 < largest <= 1:
            raise ArgumentError(
                f"X seems to be scaled already: its largest value is {largest}, where pixels go to 255; "
                "leave it as it is, or give the pixels as uint8"
            )
        if pixels.dtype.kind != "f":
            pixels = pixels.astype(np.uint8)
    if pixels.dtype.kind == "f":
        pixels = pixels.astype(np.promote_types(pixels.dtype, result_dtype), copy=False)
        return _interpolate(pixels, low, high).astype(result_dtype, copy=False)
    # 256 values are all there are, so each is computed once.
    table = _interpolate(np.arange(256.0), low, high).astype(result_dtype)
    return np.take(table, pixels)


def standardize(
    X: ArrayLike, mean: ArrayLike | None = None, scale: ArrayLike | None = None
) -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.float64]]:
    """Shift and scale every feature to mean 0 and standard deviation 1.

    Fit on the training samples, then give the `mean` and `scale` found there for all others::

        X_train, mean, scale = standardize(X_train)
        X_test, _, _ = standardize(X_test, mean, scale)

    Parameters
    ----------
    X : array_like of real numbers, shape (n_samples, n_features)
        Samples.
    mean : array_like of shape (n_features,) or a number, optional
        What to subtract; by default the mean of each feature of `X`. Give both `mean` and `scale`, or neither.
    scale : array_like of shape (n_features,) or a number, optional
        What to divide by; by default the standard deviation (of the population, divided by n_samples), or 1 for a
        feature that is constant in `X`.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        ``(X - mean) / scale``, computed in float64; float32 if `X` is float32, float16, or integers of 16 bits or
        fewer, float64 otherwise. A feature that is constant in `X` becomes exactly 0.
    mean : ndarray of shape (n_features,), float64
        What was subtracted.
    scale : ndarray of shape (n_features,), float64
        What was divided by; never 0.

    Raises
    ------
    ArgumentTypeError
        If an argument does not hold real numbers.
    ArgumentError
        If `X` is not two-dimensional, has no rows or holds NaN or infinity while `mean` and `scale` are to be found,
        or if `mean` or `scale` comes without the other, has the wrong shape, is not finite, or a scale is not above 0.

    Examples
    --------
    >>> X, mean, scale = standardize([[1.0, 7.0], [3.0, 7.0]])
    >>> X
    array([[-1.,  0.],
           [ 1.,  0.]])
    >>> mean, scale
    (array([2., 7.]), array([1., 1.]))
    """
    samples = _as_real("X", X)
    if samples.ndim != 2:
        raise ArgumentError(
            f"X must have the shape (n_samples, n_features), not {samples.shape}; "
            "make each sample a row with X.reshape(len(X), -1)"
        )
    if mean is None and scale is None:
        if len(samples) == 0:
            raise ArgumentError("X has no rows to find mean and scale from; give samples, or mean and scale")
        centre, spread = mean_and_deviation(samples)
    elif mean is None or scale is None:
        given, absent = ("scale", "mean") if mean is None else ("mean", "scale")
        raise ArgumentError(f"{given} is given without {absent}; give both, as standardize returned them, or neither")
    else:
        centre = _as_features("mean", mean, samples.shape[1])
        spread = _as_features("scale", scale, samples.shape[1])
        if not (spread > 0).all():
            column = int((spread <= 0).argmax())
            raise ArgumentError(
                f"scale must be above 0, but scale[{column}] is {spread[column]}; use 1 to leave a feature as it is"
            )
    result = np.empty(samples.shape, np.result_type(samples.dtype, np.float32))
    for block in row_blocks(len(samples)):
        result[block] = (samples[block] - centre) / spread
    return result, centre, spread


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


def _interpolate(pixels: NDArray[Any], low: float, high: float) -> NDArray[Any]:
    """Go from `low` at 0 to `high` at 255, exact at both ends and never beyond them."""
    t = pixels / 255
    return np.asarray(np.clip((1 - t) * low + t * high, min(low, high), max(low, high)))


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


def _as_real(name: str, value: Any) -> NDArray[Any]:
    array = _as_array(name, value)
    if array.dtype.kind not in "biuf":
        hint = "; make it dense with X.toarray()" if hasattr(value, "toarray") else ""
        raise ArgumentTypeError(f"{name} must hold real numbers, not {array.dtype}{hint}")
    return array


def _as_features(name: str, value: ArrayLike, n_features: int) -> NDArray[np.float64]:
    """Return one finite number for each feature, given as such or as one number for all."""
    array = _as_real(name, value).astype(np.float64)
    if array.shape not in ((), (n_features,)):
        raise ArgumentError(
            f"{name} must be a number or have the shape ({n_features},), as X has features, not {array.shape}"
        )
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name} must be finite, but holds NaN or infinity")
    return np.broadcast_to(array, (n_features,)).copy()


def _as_finite(name: str, value: float, dtype: np.dtype[Any]) -> float:
    number = float(check_number(value, name))
    if not math.isfinite(number) or abs(number) > float(np.finfo(dtype).max):
        raise ArgumentError(f"{name} must be finite in {dtype}, not {number}")
    return number


def _as_dtype(dtype: DTypeLike, kinds: str, expected: str) -> np.dtype[Any]:
    try:
        result = np.dtype(dtype)
    except TypeError as error:
        raise ArgumentTypeError(f"dtype must be the type of {expected}, not {dtype!r}") from error
    if result.kind not in kinds:
        raise ArgumentTypeError(f"dtype must be the type of {expected}, not {result}")
    return result


def _is_integer(value: object) -> bool:
    """Tell an integer from a bool, which Python counts among them."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
