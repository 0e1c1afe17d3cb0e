"""How much each sample counts: sample weights and class weights (floor 4; imports numpy, checks, errors, model)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_numbers, check_size, plain
from ..errors import ArgumentError, ArgumentTypeError
from ..model.architecture import Array
from .targets import Labels, Targets

Rows = NDArray[np.int64]


def as_sample_weights(
    sample_weight: Any, n_rows: int, dtype: np.dtype[Any], name: str = "sample_weight"
) -> Array | None:
    """Check the weights of the samples.

    Parameters
    ----------
    sample_weight : array_like, shape (n_rows,), or None
    n_rows : int
    dtype : dtype
    name : str, default "sample_weight"

    Returns
    -------
    ndarray of `dtype`, shape (n_rows,), or None

    Raises
    ------
    ArgumentError
        Another length, a negative or non-finite weight, weights beyond `dtype`, or only zeros.
    ArgumentTypeError
        Not numbers.
    """
    if sample_weight is None:
        return None
    given = as_numbers(sample_weight, name)
    if given.shape != (n_rows,):
        raise ArgumentError(f"{name} must have shape ({n_rows},), one weight a sample; got {given.shape}")
    if not np.isfinite(given).all() or (given < 0).any():
        raise ArgumentError(f"{name} must be finite and >= 0; drop the samples that should not count")
    if not given.any():
        raise ArgumentError(f"{name} is zero for every sample; at least one must count")
    return fitting(given, dtype, name)


def fitting(weights: Array, dtype: np.dtype[Any], name: str) -> Array:
    """Return finite weights in `dtype`, or say that it can't hold them or their sum.

    Raises
    ------
    ArgumentError
        A weight, or the sum of all, is too large for `dtype`, or a positive weight so small that it becomes 0.
    """
    with np.errstate(over="ignore", under="ignore"):
        fitted: Array = np.array(weights, dtype=dtype)
        total = fitted.sum(dtype=np.float64)
    if np.isfinite(total) and np.count_nonzero(fitted) == np.count_nonzero(weights):
        return fitted
    low, high = weights[weights > 0].min(), weights.max()
    raise ArgumentError(
        f"{name}: weights from {low:g} to {high:g} are more than {dtype} can hold beside one another; only their "
        "proportions count, so give weights of about unit size"
    )


def mean_one(weights: Array, rows: Rows | slice = slice(None)) -> Array:
    """Weights in the same proportions with a mean of 1 over some rows.

    They are scaled over the data set and not within each batch, where a batch of one would cancel its weight. Where all
    are 0 there is nothing to scale.
    """
    mean = float(weights[rows].mean(dtype=np.float64))
    scaled: Array = weights / mean if mean > 0 else weights
    return scaled.astype(weights.dtype)


def encoded(targets: Targets, labels: Labels) -> NDArray[np.intp]:
    """The class of each row as a place in ``labels.classes``, shape (n_rows,).

    Raises
    ------
    ArgumentError
        The task has no classes.
    """
    if labels.task not in ("classes", "binary"):
        raise ArgumentError(f"class_weight needs labels to weigh, but the task is {labels.task}; use sample_weight")
    if targets.labels is not None:
        return targets.labels.astype(np.intp)
    assert targets.values is not None
    found = targets.values[:, 0] >= 0.5 if labels.task == "binary" else targets.values.argmax(axis=1)
    return found.astype(np.intp)


def class_factors(
    class_weight: Any, targets: Targets, labels: Labels, weights: Array | None = None
) -> NDArray[np.float64]:
    """Factor of every sample from the weight of its class.

    Parameters
    ----------
    class_weight : dict or "balanced"
        Label to weight (labels left out: 1). "balanced": all classes count the same, ``total / (n_classes * weight of
        the class)``, where a sample counts as much as its weight says.
    targets : Targets
    labels : Labels
    weights : ndarray, shape (n_rows,), optional
        Of the samples.

    Returns
    -------
    ndarray of float64, shape (n_rows,)

    Raises
    ------
    ArgumentError
        The task has no classes, a weight is negative or not finite, or a class of `targets` has no weight while a name
        of `class_weight` is no class.
    ArgumentTypeError
        Neither a dict from label to number nor "balanced".
    """
    classes = encoded(targets, labels)
    if isinstance(class_weight, str) and class_weight == "balanced":
        counts = np.bincount(classes, None if weights is None else weights.astype(np.float64), len(labels.classes))
        present = counts > 0
        factors = np.divide(counts.sum(), present.sum() * counts, out=np.zeros(len(counts)), where=present)
        return np.asarray(factors[classes], dtype=np.float64)
    if not isinstance(class_weight, dict):
        raise ArgumentTypeError(
            f"class_weight must be a dict from label to weight, or 'balanced'; got {class_weight!r}"
        )
    known = labels.classes.tolist()
    strangers = [label for label in class_weight if plain(label) not in known]
    unnamed = [known[i] for i in np.unique(classes) if known[i] not in class_weight]
    # As scikit-learn has it: a name too many is a class that this part of the data lacks, unless one is missing too.
    if strangers and unnamed:
        raise ArgumentError(
            f"class_weight names {strangers[0]!r}, which is not a label, and has no weight for {unnamed[0]!r}; the "
            f"labels are {known}"
        )
    factors = np.array([_class_weight(class_weight.get(label, 1.0), label) for label in known], dtype=np.float64)
    return np.asarray(factors[classes], dtype=np.float64)


def _class_weight(value: Any, label: Any) -> float:
    return float(check_size(value, f"class_weight of {label!r}"))


def weighted_by_class(
    weights: Array | None,
    class_weight: Any,
    targets: Targets,
    labels: Labels,
    rows: Rows | None,
) -> NDArray[np.float64]:
    """Weights of the samples multiplied by those of their classes, which are found over `rows`; other rows keep theirs.

    Parameters
    ----------
    weights : ndarray, shape (n_rows,), or None
    class_weight, targets, labels
        As in `class_factors`.
    rows : ndarray of int64 or None
        Those that are trained on; None for all.
    """
    chosen = slice(None) if rows is None else rows
    own = None if weights is None else weights[chosen]
    total = np.ones(targets.n_rows) if weights is None else weights.astype(np.float64)
    some = targets if rows is None else targets.take(rows)
    with np.errstate(over="ignore"):  # what overflows is told by `fitting`
        total[chosen] *= class_factors(class_weight, some, labels, own)
    return total


def check_some_weight(weights: Array | None, rows: Rows | None, name: str) -> None:
    """Say so when the weights leave nothing to learn from, or to judge by."""
    if weights is not None and not weights[slice(None) if rows is None else rows].any():
        raise ArgumentError(f"every sample {name} has weight 0; at least one must count")
