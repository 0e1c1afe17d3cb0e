"""The gate for data: what users give becomes one checked, immutable `Dataset` (floor 4; imports numpy, errors, model).

`Network`, the estimators, blocks, memory maps and `evaluate` all come through here, and an engine takes nothing else.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ArgumentError, warn
from ..model.architecture import Architecture, Array
from .samples import AS_THEY_ARE, Samples, Scaling, as_samples, found_scaling
from .sharing import Making, each_time
from .sparse import SparseRows, in_order
from .targets import TASKS, Labels, Targets, as_targets, check_size, learn_labels
from .weights import as_sample_weights, check_some_weight, encoded, fitting, mean_one, weighted_by_class

Rows = NDArray[np.int64]
S = TypeVar("S", str, Scaling)

Split = Callable[[int, Array | None, Targets], tuple[Rows, Rows | None] | None]
"""Divides rows, from their number, weights and targets, into those to train on and those to validate with, if any; None
keeps all for the training.
"""


@dataclass(frozen=True)
class Dataset:
    """Samples, targets, weights and validation data, checked: all that an engine takes.

    Attributes
    ----------
    samples : Samples
    targets : Targets or None
        None where only outputs are wanted.
    weights : ndarray, shape (n_rows,), or None
        Of the samples; None counts each as 1. `Network` scales them to a mean of 1 over the rows it trains on. The loss
        of a batch is the sum of its weighted losses divided by its number of rows.
    task : str
        One of `fastmlp.data.targets.TASKS`: decides what counts as a correct answer.
    outputs : int
        Of the network that the data are for.
    dtype : dtype
        Of that network.
    rows : ndarray of int64 or None
        The rows to train on; None for all.
    validation : Dataset or None
        What a training is judged by after each epoch.

    Raises
    ------
    ArgumentError
        A part breaks what kernels rely on; such a `Dataset` can't be made.

    Notes
    -----
    Kernels don't check indices. They rely on these invariants, which are checked whenever a `Dataset` is made:

    - dense samples are one C-contiguous table (n_rows, n_features) of uint8, float32 or float64 in native byte order;
      of a memory map, ``picked`` rows lie within it;
    - of sparse samples, row starts begin at 0, never fall and end within the values; columns ascend within a row and
      lie in ``[0, n_features)``; there are as many columns as values;
    - the scaling has one number a feature, or one for all;
    - targets are either int32 labels in ``[0, outputs)``, shape (n_rows,), or numbers of `dtype`, C-contiguous, shape
      (n_rows, outputs);
    - weights are finite numbers >= 0 of `dtype`, shape (n_rows,);
    - `rows` are int64 and lie in ``[0, n_rows)``;
    - `validation` has targets, and the features, outputs, dtype and task of the data it judges.

    Numbers that are not finite do no harm to memory; the functions below refuse them, by name.
    """

    samples: Samples
    targets: Targets | None
    weights: Array | None
    task: str
    outputs: int
    dtype: np.dtype[Any]
    rows: Rows | None = None
    validation: "Dataset | None" = None

    def __post_init__(self) -> None:
        _check_samples(self.samples)
        n_rows = self.samples.n_rows
        if self.task not in TASKS:
            raise _broken(f"its task must be one of {TASKS}, got {self.task!r}")
        if self.targets is not None:
            _check_targets(self.targets, n_rows, self.outputs, self.dtype)
        if self.weights is not None:
            if not (_is(self.weights, self.dtype, (n_rows,))):
                raise _broken(f"its weights must be {n_rows} numbers of {self.dtype}")
            if not (bool(np.isfinite(self.weights).all() and (self.weights >= 0).all())):
                raise _broken("its weights must be finite, >= 0")
        if self.rows is not None:
            if not (_is(self.rows, np.dtype(np.int64), None)):
                raise _broken("its rows must be a vector of int64")
            if not (_within(self.rows, n_rows)):
                raise _broken(f"its rows must lie from 0 to {n_rows - 1}")
        if self.validation is not None:
            other = self.validation
            mine, theirs = ((d.samples.n_features, d.outputs, d.dtype, d.task) for d in (self, other))
            if not (mine == theirs):
                raise _broken(f"its validation data must be of the same kind: {theirs} for {mine}")
            if not (other.targets is not None):
                raise _broken("its validation data must have targets")

    @classmethod
    def of(
        cls,
        architecture: Architecture,
        samples: Samples,
        targets: Targets | None = None,
        weights: Array | None = None,
        task: str = "classes",
    ) -> "Dataset":
        """Make a data set for a network of this architecture."""
        made = cls(samples, targets, weights, task, architecture.outputs, architecture.dtype)
        made.check_fits(architecture)
        return made

    def check_fits(self, architecture: Architecture) -> None:
        """Say so when the data are for another network: kernels take sizes from the architecture.

        Raises
        ------
        ArgumentError
            Another number of features or outputs, or another dtype.
        """
        mine = self.samples.n_features, self.outputs, self.dtype
        theirs = architecture.inputs, architecture.outputs, architecture.dtype
        if not (mine == theirs):
            raise _broken(f"it is for another network: inputs, outputs and dtype are {mine}, not {theirs}")

    @property
    def n_rows(self) -> int:
        """How many samples there are, whether they are trained on or not."""
        return self.samples.n_rows

    @property
    def n_training_rows(self) -> int:
        """How many samples an epoch trains on."""
        return self.samples.n_rows if self.rows is None else len(self.rows)

    @property
    def training_rows(self) -> Rows:
        """The rows to train on."""
        return np.arange(self.n_rows) if self.rows is None else self.rows

    def take(self, rows: Rows, once: Making = each_time) -> "Dataset":
        """Return some rows as a data set of their own, without validation data; their samples are taken `once`."""
        return replace(
            self,
            samples=once("some samples", lambda: self.samples.take(rows), self.samples, rows),
            targets=None if self.targets is None else self.targets.take(rows),
            weights=None if self.weights is None else self.weights[rows],
            rows=None,
            validation=None,
        )

    def scaled(self, scaling: Scaling, once: Making = each_time) -> "Dataset":
        """Return the same data as a network with this scaling sees them, validation data too."""
        if self.samples.scaling is scaling:
            return self
        other = self.validation

        def samples(of: Samples) -> Samples:
            made: Samples = once("scaled samples", lambda: replace(of, scaling=scaling), of, scaling)
            return made

        return replace(
            self,
            samples=samples(self.samples),
            validation=None if other is None else replace(other, samples=samples(other.samples)),
        )


def samples_only(
    architecture: Architecture, X: Any, scaling: Scaling | None, *, name: str = "X", later: bool = False
) -> Dataset:
    """Check samples of which only outputs are wanted; the parameters are those of `as_samples`."""
    return Dataset.of(architecture, as_samples(X, architecture.inputs, scaling, name, architecture.dtype, later))


def labelled(
    architecture: Architecture,
    X: Any,
    y: Any,
    *,
    labels: Labels | None = None,
    scaling: Scaling | None = None,
    sample_weight: Any = None,
    names: tuple[str, str, str] = ("X", "y", "sample_weight"),
    proportions: bool = True,
    once: Making = each_time,
) -> tuple[Dataset, Labels]:
    """Check samples with their targets; return them with the labels, learned from `y` if there were none.

    Parameters
    ----------
    architecture : Architecture
    X, y, sample_weight : array_like
        As in `Network.fit`.
    labels : Labels, optional
    scaling : Scaling, optional
        By default that of the samples' dtype; see `as_samples`.
    names : tuple of str
        What messages call samples, targets and weights.
    proportions : bool, default True
        Whether only the proportions of the weights count, so that they are scaled to a mean of 1.
    once : Once, optional
        Where samples and targets are shared with other trainings.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        See `as_samples`, `learn_labels`, `as_targets` and `as_sample_weights`.
    """
    name_x, name_y, name_weight = names
    inputs, outputs, dtype, loss = architecture.inputs, architecture.outputs, architecture.dtype, architecture.loss
    samples = once("samples", lambda: as_samples(X, inputs, scaling, name_x, dtype), X, inputs, scaling, name_x, dtype)

    def learned() -> tuple[Labels, Targets]:
        known = learn_labels(y, architecture, name_y) if labels is None else labels
        targets = as_targets(y, samples.n_rows, known, architecture, name_y)
        check_size(targets, architecture, name_y)
        return known, targets

    known, targets = once("targets", learned, y, samples.n_rows, labels, outputs, dtype, loss, name_y)
    weights = as_sample_weights(sample_weight, samples.n_rows, architecture.dtype, name_weight)
    weights = mean_one(weights) if weights is not None and proportions else weights
    return Dataset.of(architecture, samples, targets, weights, known.task), known


def training_data(
    architecture: Architecture,
    X: Any,
    y: Any,
    *,
    labels: Labels | None = None,
    scaling: str | Scaling = "auto",
    sample_weight: Any = None,
    class_weight: Any = None,
    X_val: Any = None,
    y_val: Any = None,
    sample_weight_val: Any = None,
    split: Split = lambda n_rows, weights, targets: None,
    proportions: bool = True,
    once: Making = each_time,
) -> tuple[Dataset, Labels]:
    """Check all the data of a training, without changing anything; return them with what the outputs stand for.

    The samples have the network's scaling, settled where it had waited for them.

    Parameters
    ----------
    architecture : Architecture
    X, y, sample_weight, class_weight, X_val, y_val
        As in `Network.fit`. Class weights are for the training: neither validation data nor the rows that are held out
        have them.
    labels : Labels, optional
        Those of earlier fits; by default they are learned from `y`.
    scaling : str or Scaling
        "auto" and "standardize" are settled on the rows that are trained on, as much as each counts.
    sample_weight_val : array_like, optional
    split : callable
        Which rows are held out, where no `X_val` is given; see `Split`.
    proportions, once
        As in `labelled`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The message names the argument.
    """
    check_pair(X_val, y_val)
    if X_val is None and sample_weight_val is not None:
        raise ArgumentError("sample_weight_val is given without X_val and y_val")
    data, known = labelled(
        architecture,
        X,
        y,
        labels=labels,
        scaling=present(scaling),
        sample_weight=sample_weight,
        proportions=proportions,
        once=once,
    )
    assert data.targets is not None
    rows, held_out = split(data.n_rows, data.weights, data.targets) or (None, None)
    validation = None if held_out is None else data.take(held_out, once)
    if validation is not None:
        check_some_weight(validation.weights, None, "to validate with")
    weights = data.weights
    check_some_weight(weights, rows, "to train on")
    if class_weight is not None:
        total = weighted_by_class(weights, class_weight, data.targets, known, rows)
        fitting(total, architecture.dtype, "class_weight")  # raises where they are too far apart
        total = mean_one(total, slice(None) if rows is None else rows) if proportions else total
        weights = fitting(total, architecture.dtype, "class_weight")
        check_some_weight(weights, rows, "to train on")
    if weights is not None and rows is not None and proportions:
        weights = mean_one(weights, rows)
    if rows is not None or weights is not data.weights:
        data = replace(data, weights=weights, rows=rows, validation=validation)
    settled = same_scaling(once("scaling", lambda: settle(scaling, data), scaling, data.samples, weights, rows), once)
    data = data.scaled(settled, once)
    if X_val is not None:
        judged = labelled(
            architecture,
            X_val,
            y_val,
            labels=known,
            scaling=settled,
            sample_weight=sample_weight_val,
            names=("X_val", "y_val", "sample_weight_val"),
            proportions=proportions,
            once=once,
        )
        data = replace(data, validation=judged[0])
    _warn_of_untrained_classes(data, known)
    return data, known


def check_pair(X_val: Any, y_val: Any) -> None:
    """Say so when one of the two is given without the other."""
    if (X_val is None) != (y_val is None):
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ArgumentError(f"{given} is given without {missing}; validation needs both")


def present(scaling: str | Scaling) -> Scaling | None:
    """Return a network's scaling as `as_samples` takes it: None for "auto", the identity for an unfitted one."""
    if isinstance(scaling, Scaling):
        return scaling
    return None if scaling == "auto" else AS_THEY_ARE


def settle(scaling: str | Scaling, data: Dataset) -> Scaling:
    """Return the scaling for good; "auto" and "standardize" become one that suits the training rows.

    Raises
    ------
    ArgumentError
        A feature is too far from unit size for the network's dtype.
    """
    if isinstance(scaling, Scaling):
        return scaling
    if scaling == "auto":
        settled = found_scaling(data.samples)
    else:
        some = data if data.rows is None else data.take(data.rows)
        settled = Scaling.standardize(some.samples, some.weights)
    settled.vectors(data.samples.n_features, data.dtype)
    return settled


def same_scaling(scaling: S, once: Making) -> S:
    """Return the one scaling of these numbers that trainings share; a name is what it is."""
    if not isinstance(scaling, Scaling):
        return scaling
    numbers = (np.asarray(value).tobytes() for value in (scaling.scale, scaling.shift, scaling.centre))
    same: S = once("scaling of numbers", lambda: scaling, *numbers, scaling.found_on)
    return same


def same_labels(labels: Labels | None, once: Making) -> Labels | None:
    """Return the one object for labels of this content that trainings share."""
    if labels is None:
        return None
    content = labels.task, repr(labels.classes.tolist()), labels.classes.dtype.str, labels.one_dimensional
    same: Labels = once("labels of a content", lambda: labels, *content)
    return same


def _warn_of_untrained_classes(data: Dataset, labels: Labels) -> None:
    """Warn where the validation has a class that the training lacks, as in files that are sorted by class."""
    other = data.validation
    if other is None or labels.task not in ("classes", "binary"):
        return
    assert data.targets is not None and other.targets is not None
    counts = np.bincount(encoded(data.targets, labels)[data.training_rows], minlength=len(labels.classes))
    judged = np.bincount(encoded(other.targets, labels), minlength=len(labels.classes))
    missing = labels.classes[(counts == 0) & (judged > 0)].tolist()
    if missing:
        shown = ", ".join(map(repr, missing[:6])) + ", ..." * (len(missing) > 6)
        warn(
            f"no sample of {shown} is trained on, but the validation has some, and they will be answered wrongly; "
            "rows that are sorted by class have to be shuffled before they are split"
        )


def _check_samples(samples: Samples) -> None:
    dense, rows = samples.dense, samples.sparse
    if not ((dense is None) != (rows is None)):
        raise _broken("its samples must be either dense or sparse")
    if not (samples.n_rows > 0 and samples.n_features > 0):
        raise _broken("its samples must have a row and a feature")
    if dense is not None:
        height = samples.n_rows if samples.picked is None else len(dense)
        if not (
            dense.dtype in (np.uint8, np.float32, np.float64) and _is(dense, dense.dtype, (height, samples.n_features))
        ):
            raise _broken(
                "dense samples must be a C-contiguous table (n_rows, n_features) of uint8, float32 or float64"
            )
        if samples.picked is not None:
            if not (samples.picked.shape == (samples.n_rows,)):
                raise _broken("as many rows of a map must be picked as there are")
            if not (_within(samples.picked, len(dense))):
                raise _broken("picked rows must lie within the map")
    if rows is not None:
        _check_sparse(rows, samples.n_rows, samples.n_features)
    for value in (samples.scaling.scale, samples.scaling.shift, samples.scaling.centre):
        if np.shape(value) not in ((), (samples.n_features,)):
            raise _broken("its scaling must have a number for each feature")


def _check_sparse(rows: SparseRows, n_rows: int, n_features: int) -> None:
    starts, columns, values = rows.starts, rows.columns, rows.values
    if not (_is(starts, np.dtype(np.int64), (n_rows + 1,))):
        raise _broken("row starts must be n_rows + 1 numbers of int64")
    if not (starts[0] == 0 and bool((starts[1:] >= starts[:-1]).all())):
        raise _broken("row starts must begin at 0 and never fall")
    if not (columns.dtype.kind in "iu" and values.dtype in (np.uint8, np.float32, np.float64)):
        raise _broken("columns must be whole numbers, values uint8, float32 or float64")
    if not (columns.shape == values.shape == (starts[-1],)):
        raise _broken("row starts must end with the columns and the values")
    if not (_within(columns, n_features)):
        raise _broken(f"columns must lie from 0 to {n_features - 1}")
    if not (in_order(starts, columns)):
        raise _broken("columns must ascend within a row")


def _check_targets(targets: Targets, n_rows: int, outputs: int, dtype: np.dtype[Any]) -> None:
    labels, values = targets.labels, targets.values
    if not ((labels is None) != (values is None)):
        raise _broken("its targets must be either labels or numbers")
    if labels is not None:
        if not (_is(labels, np.dtype(np.int32), (n_rows,))):
            raise _broken(f"its labels must be {n_rows} numbers of int32")
        if not (_within(labels, outputs)):
            raise _broken(f"its labels must lie from 0 to {outputs - 1}")
    if values is not None:
        if not (_is(values, dtype, (n_rows, outputs))):
            raise _broken(f"its targets must be ({n_rows}, {outputs}) numbers of {dtype}")


def _is(array: Array, dtype: np.dtype[Any], shape: tuple[int, ...] | None) -> bool:
    """Whether an array is C-contiguous, of this dtype in native byte order, and of this shape (None: a vector)."""
    fits = array.ndim == 1 if shape is None else array.shape == shape
    return fits and array.dtype == dtype and array.dtype.isnative and array.flags.c_contiguous


def _within(numbers: NDArray[Any], limit: int) -> bool:
    return not numbers.size or bool(numbers.min() >= 0 and numbers.max() < limit)


def _broken(wanted: str) -> ArgumentError:
    return ArgumentError(f"a Dataset can't be made so: {wanted}")
