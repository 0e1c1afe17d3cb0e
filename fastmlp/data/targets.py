"""What a network should answer, as the engines want it, and labels as the user knows them (floor 4; imports numpy,
checks, errors, model).

A network answers one of four kinds of question (its task): ``classes``, one of several labels, an output each;
``binary``, one of two labels from one sigmoid; ``multilabel``, any set of labels, one sigmoid each; ``regression``,
numbers.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_numbers, check_dense, check_unmasked, objects_as_floats, plain
from ..errors import ArgumentError, ArgumentTypeError
from ..model.architecture import Architecture

Array = NDArray[Any]

TASKS = ("classes", "binary", "multilabel", "regression")

_ANY_NUMBERS = ("squared_error", "absolute_error", "huber", "quantile")
"""Losses of which every finite number may be a target."""

NUMBERS_ONLY = ("poisson", "quantile")
"""Losses of numbers with which nobody tells labels apart: rows of a 1 among zeros are counts to them."""


@dataclass(frozen=True)
class Targets:
    """The wanted outputs of every row, in one of two forms.

    Attributes
    ----------
    labels : ndarray of int32, shape (n_rows,), or None
        The output that should be 1, the others 0.
    values : ndarray of the network's dtype, shape (n_rows, outputs), or None
        The wanted outputs themselves.
    """

    labels: NDArray[np.int32] | None
    values: Array | None

    @property
    def n_rows(self) -> int:
        """How many rows there are."""
        given = self.labels if self.values is None else self.values
        assert given is not None
        return len(given)

    def rows(self, rows: Any, outputs: int, dtype: np.dtype[Any]) -> Array:
        """Wanted outputs of some rows, shape (n, outputs); `rows` is a slice or an array of row numbers."""
        if self.values is not None:
            return np.asarray(self.values[rows], dtype=dtype)
        assert self.labels is not None
        labels = self.labels[rows]
        wanted = np.zeros((len(labels), outputs), dtype=dtype)
        wanted[np.arange(len(labels)), labels] = 1
        return wanted

    def take(self, rows: NDArray[np.integer[Any]]) -> "Targets":
        """Those of rows of these numbers."""
        return Targets(
            None if self.labels is None else self.labels[rows], None if self.values is None else self.values[rows]
        )


@dataclass(frozen=True)
class Labels:
    """Which task a network was given, and which label each output stands for.

    Attributes
    ----------
    task : {"classes", "binary", "multilabel", "regression"}
    classes : ndarray
        The labels in the order of the outputs: two for binary, none for regression.
    one_dimensional : bool
        Whether a regression's y had shape (n,).
    """

    task: str
    classes: Array
    one_dimensional: bool = False

    @cached_property
    def are_numbers(self) -> bool:
        """Whether each label is the number of its output: 0, 1, 2, ..."""
        return np.array_equal(self.classes, np.arange(len(self.classes)))

    def decode(self, outputs: Array) -> Array:
        """Answers in the user's terms from the outputs of the network, shape (n, outputs)."""
        if self.task == "classes":
            return np.asarray(self.classes[outputs.argmax(axis=1)])
        if self.task == "binary":
            return np.asarray(self.classes[(outputs[:, 0] >= 0.5).astype(np.intp)])
        if self.task == "multilabel":
            return (outputs >= 0.5).astype(np.int64)
        return outputs[:, 0] if self.one_dimensional else outputs


def learn_labels(y: Any, architecture: Architecture, name: str = "y") -> Labels:
    """Find out from the first targets what the network is asked, and which labels there are.

    Parameters
    ----------
    y : array_like
        Labels of any kind, shape (n,) or (n, 1); one-hot rows or numbers, shape (n, outputs). For one sigmoid, also
        probabilities of the label 1.
    architecture : Architecture
    name : str, default "y"

    Returns
    -------
    Labels

    Raises
    ------
    ArgumentError
        More labels than outputs, or a shape that doesn't fit.
    ArgumentTypeError
        Text where the loss wants numbers.
    """
    array = _as_array(y, name)
    outputs, loss = architecture.outputs, architecture.loss
    one_dimensional = array.ndim == 1
    array = _uncolumned(array)
    if array.ndim == 2:
        values = _as_targets(array, outputs, np.dtype(np.float64), name)
        if loss == "binary_cross_entropy":
            return Labels("multilabel", np.arange(outputs))
        if loss == "cross_entropy" or (_is_one_hot(values) and loss not in NUMBERS_ONLY):
            return Labels("classes", np.arange(outputs))
        return Labels("regression", np.empty(0))
    if outputs > 1:
        return Labels("classes", _classes_for(array, outputs, name))
    if loss == "binary_cross_entropy":
        return Labels("binary", np.arange(2) if _are_probabilities(array) else _classes_for(array, 2, name))
    if array.dtype.kind not in "fiub":
        stranger = plain(next((value for value in array if not isinstance(plain(value), int | float)), array[0]))
        raise ArgumentTypeError(
            f"{name} holds {stranger!r}, but a network with 1 output and loss={loss!r} learns numbers; for two classes "
            "use loss='binary_cross_entropy', for more give the last layer an output per class"
        )
    return Labels("regression", np.empty(0), one_dimensional)


def as_targets(y: Any, n_rows: int, labels: Labels, architecture: Architecture, name: str = "y") -> Targets:
    """Check targets against the task and turn them into what the engines want.

    Parameters
    ----------
    y : array_like
        Of the kind that `labels` was learned from.
    n_rows : int
        How many the samples are.
    labels : Labels
    architecture : Architecture
    name : str, default "y"

    Returns
    -------
    Targets

    Raises
    ------
    ArgumentError
        Another length than X, a label that wasn't there before, a wrong shape, rows that are not one-hot where those
        of the first fit were, or NaN or infinity.
    """
    array = _as_array(y, name)
    if len(array) != n_rows:
        raise ArgumentError(
            f"{name} has {len(array)} rows, but its samples have {n_rows}; one target a sample is needed"
        )
    outputs, dtype = architecture.outputs, architecture.dtype
    array = _uncolumned(array)
    if array.ndim == 2:
        values = _as_targets(array, outputs, dtype, name)
        _check_rows(values, labels, architecture.loss, name)
        return Targets(None, values)
    if labels.task == "classes":
        return Targets(_encode(array, labels, name), None)
    if labels.task == "binary":
        soft = _are_probabilities(array) and labels.classes.tolist() == [0, 1]
        wanted = array if soft else _encode(array, labels, name)
        return Targets(None, np.ascontiguousarray(wanted[:, None].astype(dtype)))
    if labels.task == "multilabel" or outputs > 1:
        raise ArgumentError(f"{name} must have shape (n_samples, {outputs}), as in the first fit; got {array.shape}")
    values = _as_targets(array[:, None], 1, dtype, name)
    _check_rows(values, labels, architecture.loss, name)
    return Targets(None, values)


def plain_targets(y: Any, labels: Labels, architecture: Architecture) -> Targets | None:
    """Return targets that need no search and no reshaping, as `as_targets` and `check_size` let them through; None for
    all others, right or wrong.

    With ten rows, `as_targets` takes longer than a network does.

    Examples
    --------
    >>> labels, architecture = Labels("classes", np.arange(3)), Architecture.build([4, 8, 3])
    >>> plain_targets(np.array([2, 0]), labels, architecture).labels.tolist()
    [2, 0]
    >>> plain_targets(np.array([2, 3]), labels, architecture) is plain_targets([2, 0], labels, architecture) is None
    True
    """
    if type(y) is not np.ndarray or not y.ndim or not y.size or not y.dtype.isnative:
        return None
    kind, shape = y.dtype.kind, y.shape
    if labels.task in ("classes", "binary"):
        if len(shape) != 1 or kind not in "iu" or not labels.are_numbers:
            return None
        # Negative ones are the largest then.
        if int((y if kind == "u" else y.view(f"u{y.itemsize}")).max()) >= len(labels.classes):
            return None
        if labels.task == "classes":
            return Targets(y.astype(np.int32), None)
        return Targets(None, y.astype(architecture.dtype).reshape(-1, 1))
    if labels.task != "regression" or kind != "f" or architecture.loss not in _ANY_NUMBERS:
        return None
    if shape[1:] not in ((), (1,)) if architecture.outputs == 1 else shape[1:] != (architecture.outputs,):
        return None
    # Where the sum of the squares is no more than this, no number is more than `check_size` allows, or not finite.
    if not np.vdot(y, y) <= np.finfo(architecture.dtype).max / 256:
        return None
    return Targets(None, np.array(y, architecture.dtype, order="C").reshape(len(y), -1))


def check_size(targets: Targets, architecture: Architecture, name: str = "y") -> None:
    """Say so when numbers are so large that the network's dtype can't hold their loss, or the square of its gradient.

    Raises
    ------
    ArgumentError
    """
    values, dtype = targets.values, architecture.dtype
    if values is None or architecture.loss in ("cross_entropy", "binary_cross_entropy"):
        return
    largest = float(np.abs(values).max(initial=0))
    limit = math.sqrt(float(np.finfo(dtype).max)) / 16
    if largest > limit:
        raise ArgumentError(
            f"{name} holds {largest:.3g}, and {dtype} can't hold the square of more than {limit:.0e}; give {name} in "
            f"other units, such as {name} / {largest:.0e}"
            + ("" if dtype == np.float64 else ", or make the network with dtype='float64'")
        )


def _as_array(y: Any, name: str) -> Array:
    check_dense(y, name)
    check_unmasked(y, name)
    try:
        array = np.asarray(y)
    except ValueError as error:
        raise ArgumentError(
            f"{name} must be labels of shape (n,), or rows of the same length; NumPy says: {error}"
        ) from None
    if array.ndim not in (1, 2):
        raise ArgumentError(f"{name} must have shape (n_samples,) or (n_samples, outputs), got {array.shape}")
    if len(array) == 0:
        raise ArgumentError(f"{name} is empty; one target a sample is needed")
    array = plain_text(array)
    if array.dtype == object:
        array = _numbers_of(array, name)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ArgumentError(f"{name} must be finite; row {int(np.argwhere(~np.isfinite(array))[0][0])} is not")
    return array


def plain_text(array: Array) -> Array:
    """Return NumPy's strings of any length as those of one length, which files hold; other arrays as they are."""
    return np.array(array.tolist()).reshape(array.shape) if array.dtype.kind == "T" else array


def _numbers_of(objects: Array, name: str) -> Array:
    """Objects as the numbers they are, where they all are; pandas keeps a column so after it held something else."""
    if not all(isinstance(plain(value), int | float) for value in objects.flat):
        return objects
    if objects_as_floats(objects, name).size == 0:  # which tells of whole numbers beyond all floats
        return objects
    numbers = np.array(objects.tolist())
    return numbers if numbers.dtype.kind in "fiub" else objects


def _uncolumned(array: Array) -> Array:
    """A single column, such as a DataFrame's, as what it holds."""
    return array[:, 0] if array.ndim == 2 and array.shape[1] == 1 else array


def _are_probabilities(array: Array) -> bool:
    """Whether numbers from 0 to 1 have some strictly between: answers of 1 that are more or less sure."""
    if array.dtype.kind != "f":
        return False
    return bool(((array >= 0) & (array <= 1)).all() and ((array > 0) & (array < 1)).any())


def _is_one_hot(values: Array) -> bool:
    return bool(np.isin(values, (0, 1)).all() and (values.sum(axis=1) == 1).all())


def _check_rows(values: Array, labels: Labels, loss: str, name: str) -> None:
    """Say so when rows are not what the loss and the first fit's targets ask for."""
    if loss == "poisson":
        _check_counts(values, name)
    if loss not in ("cross_entropy", "binary_cross_entropy"):
        if labels.task == "classes" and not _is_one_hot(values):
            raise ArgumentError(
                f"rows of {name} must be one-hot, a single 1 among zeros, since the targets of the first fit were "
                "labels and the network answers with labels; to have it learn numbers instead, set its labels to "
                "None and fit it again"
            )
        return
    if ((values < 0) | (values > 1)).any():
        raise ArgumentError(f"{name} must lie in [0, 1] for {loss}: its entries are probabilities")
    off = np.abs(values.sum(axis=1, dtype=np.float64) - 1)
    if labels.task == "classes" and (off > 1e-3).any():
        row = int(np.argmax(off))
        raise ArgumentError(
            f"rows of {name} must sum to 1 where one label of several is right, but row {row} sums to "
            f"{float(values[row].sum()):g}"
        )


def _check_counts(values: Array, name: str) -> None:
    negative = (values < 0).any(axis=1)
    if negative.any():
        row = int(negative.argmax())
        raise ArgumentError(
            f"{name} must be >= 0 for loss='poisson', which is about counts, but row {row} holds "
            f"{float(values[row].min()):g}; use loss='squared_error' for numbers of either sign"
        )


def _as_targets(array: Array, outputs: int, dtype: np.dtype[Any], name: str) -> Array:
    if array.shape[1] != outputs:
        raise ArgumentError(f"{name} has {array.shape[1]} columns, but the network has {outputs} outputs")
    with np.errstate(over="ignore"):  # what overflows is told below
        values = np.ascontiguousarray(as_numbers(array, name), dtype=dtype)
    if not np.isfinite(values).all():
        raise ArgumentError(
            f"{name} must be finite in {dtype}; row {int(np.argwhere(~np.isfinite(values))[0][0])} is not"
        )
    return values


def _is_missing(label: object) -> bool:
    """Whether an entry of a column stands for none: None, NaN, or what pandas has for it."""
    pandas_has = type(label).__name__ in ("NAType", "NaTType")
    return label is None or pandas_has or (isinstance(label, float) and math.isnan(label))


def _classes_for(array: Array, count: int, name: str) -> Array:
    """Labels in the order of the outputs: 0, 1, ... where all fit among them, else the sorted labels found."""
    if array.dtype.kind in "iub" or (array.dtype.kind == "f" and bool((array == np.floor(array)).all())):
        whole = array.astype(np.int64)
        if whole.min() >= 0 and whole.max() < count:
            classes = np.arange(count)
            alike = classes.astype(array.dtype)  # so that answers are of the labels' kind, where it holds all classes
            return alike if np.array_equal(alike, classes) else classes
    try:
        found = np.unique(array)
    except TypeError:
        missing = np.array([_is_missing(label) for label in array])
        if missing.any() and len({type(label) for label in array[~missing]}) == 1:
            row = int(missing.argmax())
            raise ArgumentError(
                f"{name} has no label in row {row}, but {array[row]}; drop such rows, or give them a label"
            ) from None
        raise ArgumentTypeError(f"{name} mixes labels that can't be sorted, such as text and numbers") from None
    if array.dtype.kind == "f" and len(found) > count:
        raise ArgumentError(
            f"{name} holds {len(found)} different numbers with fractions, but the network has an output for each of "
            f"{count} classes; for several regression targets give {name} the shape (n_samples, {count})"
        )
    if len(found) != count:
        raise ArgumentError(
            f"{name} has {len(found)} different label{'s' * (len(found) > 1)} ({_some(found)}), but the last layer has "
            f"outputs for {count}; {_remedy(len(found), count)}"
        )
    return found


def _remedy(found: int, count: int) -> str:
    numbered = f"number the labels from 0 to {count - 1}"
    if found < count:
        return f"give samples of all {count} labels, or {numbered}, of which some may be missing"
    if count == 2:
        return f"for {found} labels give the last layer {found} units, with loss='cross_entropy'"
    return f"give the last layer {found} units, or {numbered}"


def _encode(array: Array, labels: Labels, name: str) -> NDArray[np.int32]:
    classes = labels.classes
    # To look up 60,000 labels takes a millisecond, which these don't need.
    if array.dtype.kind in "iu" and labels.are_numbers and array.min() >= 0 and array.max() < len(classes):
        return array.astype(np.int32)
    try:
        positions = np.searchsorted(classes, array)
        positions = np.minimum(positions, len(classes) - 1)
        strangers = classes[positions] != array
    except TypeError:
        raise ArgumentTypeError(
            f"labels of {name} are of another type than those of the first fit ({_some(classes)})"
        ) from None
    if np.any(strangers):
        stranger = plain(array[np.argmax(strangers)])
        raise ArgumentError(f"{name} holds the label {stranger!r}, which is not one of the network's: {_some(classes)}")
    return positions.astype(np.int32)


def _some(labels: Array) -> str:
    listed = labels.tolist()
    return ", ".join(map(repr, listed[:6])) + (", ..." if len(listed) > 6 else "")
