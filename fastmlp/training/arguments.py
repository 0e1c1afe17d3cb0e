"""Arguments of a network's methods, checked and turned into what the engines take (floor 7; imports numpy, checks,
errors, model, data, engines).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_number, check_whole, naming
from ..data.augmentation import Augmentation, get_augmentation
from ..data.samples import Samples, Scaling, as_samples, found_scaling
from ..data.streaming import Blocks
from ..data.targets import Labels, as_sample_weights, as_targets, class_weights, learn_labels
from ..engines.base import Data, mean_one
from ..errors import ArgumentError, ArgumentTypeError, unknown_name
from ..model.activations import get_activation
from ..model.architecture import Architecture, Array
from ..model.optimizers import Optimizer
from ..model.schedules import Constant, Schedule, checked_factors, get_schedule
from .callbacks import Callback, Progress
from .checkpoints import Checkpoint

SCALINGS = ("auto", "pixels", "centred_pixels", "standardize")
"""Every scaling by name."""

MAX_SEED = 2**63

Rows = NDArray[np.int64]


def check_seed(seed: object) -> int:
    """Return the seed as an int in [0, 2**63], a fresh one for None."""
    if seed is None:
        return int(np.random.SeedSequence().generate_state(1, np.uint64)[0] >> np.uint64(1))
    return check_whole(seed, "seed", 0, MAX_SEED)


def check_threads(threads: object, name: str = "threads") -> int:
    """Return the number of threads as the engines take it: 0 for "auto"."""
    if isinstance(threads, str):
        if threads != "auto":
            raise ArgumentError(f"{name} must be 'auto' or a whole number >= 1, got {threads!r}")
        return 0
    return check_whole(threads, name, 1, 1024)


def check_scaling(scaling: object, n_features: int, dtype: np.dtype[Any]) -> str | Scaling:
    """Return the scaling as one of "auto" and "standardize", which wait for data, or as a `Scaling`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An unknown name, a `Scaling` for another number of features or beyond `dtype`, or something else altogether.
    """
    if scaling is None:
        return Scaling()
    if isinstance(scaling, Scaling):
        scaling.vectors(n_features, dtype)
        return scaling
    if not isinstance(scaling, str):
        raise ArgumentTypeError(f"scaling must be a name ({', '.join(SCALINGS)}), None or a Scaling, got {scaling!r}")
    if scaling not in SCALINGS:
        raise unknown_name("scaling", scaling, SCALINGS)
    named = {"pixels": Scaling.pixels(), "centred_pixels": Scaling.pixels(-1.0, 1.0)}
    return named.get(scaling, scaling)


def check_callbacks(callbacks: Any, verbose: object) -> list[Callback]:
    """Return the callbacks as a list, with a `Progress` at its end where `verbose` asks for one.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Something that is not a `Callback`, or a `verbose` other than 0, 1 and 2.
    """
    level = check_whole(int(verbose) if isinstance(verbose, bool) else verbose, "verbose", 0, 2)
    try:
        chosen = [callbacks] if isinstance(callbacks, Callback) else list(callbacks)
    except TypeError:
        raise ArgumentTypeError(f"callbacks must be a list of Callback objects, got {callbacks!r}") from None
    for callback in chosen:
        if not isinstance(callback, Callback):
            hint = f"; make one: {callback.__name__}()" if isinstance(callback, type) else ""
            raise ArgumentTypeError(f"callbacks must be objects such as EarlyStopping(), got {callback!r}{hint}")
    chosen.sort(key=lambda callback: isinstance(callback, Checkpoint))  # they save what the others have left
    return [*chosen, Progress(level)] if level else chosen


def fit_settings(
    optimizer: Optimizer,
    schedule: Schedule,
    batch_size: int,
    shuffle: bool,
    prepared: "Prepared",
    augmentation: Augmentation | None,
) -> dict[str, Any]:
    """Return what has to be the same for a fit to be resumed, as text and numbers; samples are only counted."""
    n_rows = prepared.data.samples.n_rows if prepared.rows is None else len(prepared.rows)
    # A class of the user's without words of its own would show its address.
    shown = repr(schedule) if type(schedule).__repr__ is not object.__repr__ else type(schedule).__name__
    return {
        "optimizer": repr(optimizer),
        "schedule": shown,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "augment": repr(augmentation),
        "the number of rows in X": None if prepared.blocks else n_rows,
        "the figures of each epoch": list(prepared.columns),
    }


def check_schedule(schedule: Any, epochs: int, epochs_done: int) -> tuple[Schedule, int]:
    """Return the schedule, and the epoch of the network, counted from 0, at which it starts.

    A name's starts with the fit and is made for its `epochs`; an object's starts with the network's first epoch.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An unknown name, something else altogether, or a schedule that is over and would leave no rate to learn at.
    """
    if schedule is None:
        return Constant(), 0
    if isinstance(schedule, Callback):
        raise ArgumentTypeError(f"schedule can't be a callback; give callbacks=[{schedule!r}]")
    chosen = get_schedule(schedule, epochs)
    if isinstance(schedule, str):
        return chosen, epochs_done
    positions = np.linspace(epochs_done, epochs_done + epochs, 1000, endpoint=False)
    if not checked_factors(chosen, positions).any():
        raise ArgumentError(
            f"schedule {chosen!r} leaves a learning rate of 0 for all of this fit, since it counts the {epochs_done} "
            f"epochs that the network has had; give one that reaches to epoch {epochs_done + epochs}, one that ends "
            "above 0, or a name such as 'cosine', which starts with the fit"
        )
    return chosen, 0


def check_augment(augment: Any, n_features: int) -> Augmentation | None:
    """Return the augmentation of samples of so many features.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An unknown name, something else altogether, or samples that are no such images.
    """
    if augment is None:
        return None
    chosen = get_augmentation(augment)
    chosen.shape_of(n_features)
    return chosen


def default_labels(architecture: Architecture) -> Labels:
    """Labels of a network that has seen none: 0, 1, ... where its outputs look like those of a classifier."""
    outputs, last = architecture.outputs, architecture.layers[-1].activation
    if architecture.loss == "binary_cross_entropy" and outputs == 1:
        return Labels("binary", np.arange(2))
    if outputs > 1 and last in ("sigmoid", "softmax"):
        return Labels("classes", np.arange(outputs))
    return Labels("regression", np.empty(0), one_dimensional=outputs == 1)


def check_probabilities(labels: Labels, architecture: Architecture) -> None:
    """Say so when the outputs of a network are not probabilities."""
    last = architecture.layers[-1].activation
    if labels.task == "regression" or last not in ("sigmoid", "softmax"):
        why = "answers with numbers" if labels.task == "regression" else f"ends in {last!r}"
        raise ArgumentError(
            f"predict_proba needs a network whose outputs are probabilities, but this one {why}; use predict(X), "
            "or net(X) for the outputs"
        )


def probabilities(outputs: Array, labels: Labels, architecture: Architecture) -> Array:
    """Turn the outputs of a classifier into the probability of every label; see `Network.predict_proba`."""
    if labels.task == "binary":
        return np.hstack([1 - outputs, outputs])
    if labels.task == "multilabel" or architecture.layers[-1].activation == "softmax":
        return outputs
    bounded = np.maximum(outputs, np.finfo(outputs.dtype).tiny)  # a row of zeros becomes one of equal shares
    shares: Array = bounded / bounded.sum(axis=1, keepdims=True)
    return shares


def present_scaling(scaling: str | Scaling) -> Scaling | None:
    """Return a network's scaling as `as_samples` takes it: None for "auto", the identity for an unfitted one."""
    if isinstance(scaling, Scaling):
        return scaling
    return None if scaling == "auto" else Scaling()


def labelled(
    X: Any,
    y: Any,
    architecture: Architecture,
    labels: Labels | None,
    scaling: Scaling | None,
    sample_weight: Any,
    names: tuple[str, str] = ("X", "y"),
    whole: bool = True,
) -> tuple[Data, Labels]:
    """Return samples with their targets as an engine takes them, and the labels, learned from `y` if there were none.

    `names` is what messages call the samples and the targets. The weights of a `whole` data set get a mean of 1; those
    of a block of one stay as they are.
    """
    name_x, name_y = names
    samples = as_samples(X, architecture.inputs, scaling, name_x, architecture.dtype)
    known = learn_labels(y, architecture, name_y) if labels is None else labels
    targets = as_targets(y, samples.n_rows, known, architecture, name_y)
    weights = as_sample_weights(sample_weight, samples.n_rows, architecture.dtype)
    weights = mean_one(weights) if weights is not None and whole else weights
    return Data(samples, targets, weights, known.task), known


def with_class_weight(data: Data, class_weight: Any, labels: Labels, rows: Rows | None, dtype: np.dtype[Any]) -> Data:
    """Multiply the weights of the samples by those of their classes, "balanced" over `rows` only."""
    if class_weight is None:
        return data
    assert data.targets is not None
    chosen = np.arange(data.samples.n_rows) if rows is None else rows
    factors = np.ones(data.samples.n_rows)
    factors[chosen] = class_weights(class_weight, data.targets.take(chosen), labels)
    weights = factors if data.weights is None else factors * data.weights
    return replace(data, weights=mean_one(weights, chosen).astype(dtype))


def check_some_weight(data: Data, rows: Rows | None, name: str) -> None:
    """Say so when the weights leave nothing to learn from, or to judge by."""
    if data.weights is not None and not data.weights[slice(None) if rows is None else rows].any():
        raise ArgumentError(f"every sample {name} has weight 0; at least one must count")


def split_rows(n_rows: int, share: object, seed: int) -> tuple[Rows | None, Rows | None]:
    """Return the rows to train on and those to validate with, both in ascending order; None, None without a split.

    The choice depends on the seed and the number of rows alone, so that a second `fit` on the same data never trains on
    what the first one validated with.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The share isn't a number in [0, 1), or leaves no row on one side.
    """
    share = check_number(share, "validation_split", "a number in [0, 1)")
    if not (math.isfinite(share) and 0 <= share < 1):
        raise ArgumentError(f"validation_split must lie in [0, 1): the share of rows to validate with; got {share!r}")
    if share == 0:
        return None, None
    n_validation = round(n_rows * float(share))
    if not 0 < n_validation < n_rows:
        raise ArgumentError(
            f"validation_split={share} of {n_rows} rows leaves {n_validation} to validate with and "
            f"{n_rows - n_validation} to train on; both need at least one"
        )
    shuffled = np.random.default_rng([seed, 2, n_rows]).permutation(n_rows).astype(np.int64)
    return np.sort(shuffled[n_validation:]), np.sort(shuffled[:n_validation])


def take(data: Data, rows: Rows) -> Data:
    """Return some rows of a data set as one of its own."""
    return Data(
        data.samples.take(rows),
        None if data.targets is None else data.targets.take(rows),
        None if data.weights is None else data.weights[rows],
        data.task,
    )


def settled_scaling(name: str, samples: Samples, rows: Rows | None) -> Scaling:
    """Return what "auto" or "standardize" becomes for good: the scaling that suits the first training samples."""
    if name == "auto":
        return found_scaling(samples)
    return Scaling.standardize(samples if rows is None else samples.take(rows))


@dataclass(frozen=True)
class Prepared:
    """What `Network.fit` was given, checked.

    Attributes
    ----------
    data : Data
    rows : ndarray of int64 or None
        Those to train on; None for all.
    validation : Data or None
    labels : Labels
    scaling : Scaling
        The network's, settled where it had waited for samples.
    columns : tuple of str
        The figures that each epoch will have.
    blocks : callable or None
        Where the samples come in blocks, ``blocks()`` gives those of an epoch; `data` is the first.
    """

    data: Data
    rows: Rows | None
    validation: Data | None
    labels: Labels
    scaling: Scaling
    columns: tuple[str, ...]
    blocks: Callable[[], Iterator[Data]] | None = None


def prepare_blocks(
    architecture: Architecture,
    labels: Labels | None,
    scaling: str | Scaling,
    source: Any,
    X_val: Any,
    y_val: Any,
    **unknown: Any,
) -> Prepared:
    """Check blocks of samples given to `Network.fit`, of which the first decides what labels and scaling there are.

    `unknown` are those arguments that need to know all rows before the first block is trained on.
    """
    for name, value in unknown.items():
        if value is not None:
            remedy = {"validation_split": "X_val and y_val"}.get(
                name, "a third entry in the blocks, (X, y, sample_weight)"
            )
            raise ArgumentError(f"{name} needs all samples at once, but they come in blocks; use {remedy} instead")
    given = Blocks(source)
    first = given_block(1, next(iter(given)), architecture, labels, present_scaling(scaling))
    known = first[1]
    if isinstance(scaling, str):
        scaling = settled_scaling(scaling, first[0].samples, None)
        scaling.vectors(architecture.inputs, architecture.dtype)  # raises where the features are too small for it

    def blocks() -> Iterator[Data]:
        for number, block in enumerate(given, start=1):
            yield given_block(number, block, architecture, known, scaling)[0]

    data = replace(first[0], samples=replace(first[0].samples, scaling=scaling))
    validation = None
    if X_val is not None:
        validation = labelled(X_val, y_val, architecture, known, scaling, None, ("X_val", "y_val"))[0]
    return Prepared(data, None, validation, known, scaling, figures(known, validation), blocks)


def given_block(
    number: int, block: tuple[Any, Any, Any], architecture: Architecture, labels: Labels | None, scaling: Scaling | None
) -> tuple[Data, Labels]:
    """Check one block of samples; as `labelled`."""
    X, y, sample_weight = block
    names = f"X of block {number}", f"y of block {number}"
    return labelled(X, y, architecture, labels, scaling, sample_weight, names, whole=False)


def as_images(prepared: Prepared) -> Prepared:
    """Return what `Network.fit` was given, checked to be held in a way in which it can be augmented.

    Raises
    ------
    ArgumentError
        Sparse samples, or a memory map; of a later block when it comes.
    """
    given = prepared.blocks
    _check_dense(prepared.data.samples, "X" if given is None else "X of block 1")
    if given is None:
        return prepared

    def blocks() -> Iterator[Data]:
        for number, block in enumerate(given(), start=1):
            _check_dense(block.samples, f"X of block {number}")
            yield block

    return replace(prepared, blocks=blocks)


def _check_dense(samples: Samples, name: str) -> None:
    if samples.sparse is not None:
        raise ArgumentError(f"augment needs images as dense rows, but {name} is sparse; give {name}.toarray()")
    if samples.mapped:
        raise ArgumentError(
            f"augment makes images anew in every epoch, but {name} is a memory map, which stays on disk; give "
            f"np.array({name}) where it fits into memory, else blocks of arrays: fit(blocks, augment=...)"
        )


def figures(labels: Labels, validation: Data | None) -> tuple[str, ...]:
    """Name the figures that each epoch will have."""
    columns: tuple[str, ...] = ("loss",) if labels.task == "regression" else ("loss", "accuracy")
    return columns if validation is None else columns + tuple(f"val_{name}" for name in columns)


def prepare_fit(
    architecture: Architecture,
    labels: Labels | None,
    scaling: str | Scaling,
    seed: int,
    X: Any,
    y: Any,
    X_val: Any,
    y_val: Any,
    validation_split: object,
    sample_weight: Any,
    class_weight: Any,
) -> Prepared:
    """Check the data given to `Network.fit`, whose parameters and errors these are, without changing anything."""
    if (X_val is None) != (y_val is None):
        given, missing = ("y_val", "X_val") if X_val is None else ("X_val", "y_val")
        raise ArgumentError(f"{given} is given without {missing}; validation needs both")
    if y is None:
        split = None if isinstance(validation_split, int | float) and validation_split == 0 else validation_split
        unknown = {"validation_split": split, "sample_weight": sample_weight, "class_weight": class_weight}
        return prepare_blocks(architecture, labels, scaling, X, X_val, y_val, **unknown)
    data, known = labelled(X, y, architecture, labels, present_scaling(scaling), sample_weight)
    rows, held_out = split_rows(data.samples.n_rows, validation_split, seed)
    if X_val is not None and held_out is not None:
        raise ArgumentError("validation_split and X_val are both given; leave one of them out")
    check_some_weight(data, rows, "to train on")
    if isinstance(scaling, str):
        scaling = settled_scaling(scaling, data.samples, rows)
        scaling.vectors(architecture.inputs, architecture.dtype)  # raises where the features are too small for it
        data = replace(data, samples=replace(data.samples, scaling=scaling))
    validation = None
    if X_val is not None:
        validation = labelled(X_val, y_val, architecture, known, present_scaling(scaling), None, ("X_val", "y_val"))[0]
    elif held_out is not None:
        validation = take(data, held_out)
        check_some_weight(validation, None, "to validate with")
    data = with_class_weight(data, class_weight, known, rows, architecture.dtype)
    check_some_weight(data, rows, "to train on")
    if data.weights is not None and rows is not None:
        data = replace(data, weights=mean_one(data.weights, rows))
    return Prepared(data, rows, validation, known, scaling, figures(known, validation))


def check_names(hidden: object, output: object) -> None:
    """Say so when an activation is unknown, even one that no layer uses."""
    for name, activation in (("hidden", hidden), ("output", output)):
        if activation is not None or name == "hidden":
            with naming(name):
                get_activation(activation)  # type: ignore[arg-type]  # it refuses what is not a name


def flat_weights(weights: Sequence[Any], architecture: Architecture) -> Array:
    """Check ``[(W, b), ...]`` and lay it out as a flat vector; see `Network.set_weights`."""
    layers = architecture.layers
    try:
        pairs = [(W, b) for W, b in weights]
    except (TypeError, ValueError):
        raise ArgumentTypeError("weights must be a list of pairs (W, b), one a layer; b is None without bias") from None
    if len(pairs) != len(layers):
        raise ArgumentError(f"weights must have a pair (W, b) for each of {len(layers)} layers, got {len(pairs)}")
    flat = architecture.zeros()
    for number, (layer, (W, b)) in enumerate(zip(layers, pairs, strict=True)):
        layer.weights(flat)[...] = _as_weights(
            W, (layer.fan_in, layer.units), f"W of layer {number + 1}", architecture.dtype
        )
        bias = layer.bias(flat)
        if (b is None) != (bias is None):
            raise ArgumentError(f"b of layer {number + 1} must be {'None' if bias is None else 'there'}")
        if bias is not None:
            bias[...] = _as_weights(b, (layer.units,), f"b of layer {number + 1}", architecture.dtype)
    return flat


def _as_weights(values: Any, shape: tuple[int, ...], name: str, dtype: np.dtype[Any]) -> Array:
    try:
        array = np.asarray(values).astype(dtype)
    except (TypeError, ValueError):
        raise ArgumentTypeError(f"{name} must hold numbers, got {values!r}") from None
    if array.shape != shape:
        raise ArgumentError(f"{name} must have shape {shape}, got {array.shape}")
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name} must be finite in {dtype}")
    return array


def summary(architecture: Architecture) -> str:
    """Return the table of `Network.summary`."""
    dropout = any(layer.dropout for layer in architecture.layers)
    rows = [
        ["layer", "units", "activation", "weights", "parameters"],
        ["input", str(architecture.inputs), "-", "-", "-"],
    ]
    for number, layer in enumerate(architecture.layers, start=1):
        shape = f"{layer.fan_in} x {layer.units}" + ("" if layer.has_bias else ", no bias")
        parameters = layer.fan_in * layer.units + layer.units * layer.has_bias
        rows.append([f"dense {number}", str(layer.units), layer.activation, shape, f"{parameters:,}"])
    if dropout:
        for row, share in zip(
            rows, ["dropout", "-", *(f"{layer.dropout:g}" for layer in architecture.layers)], strict=True
        ):
            row.insert(3, share)
    numeric = [heading in ("units", "dropout", "parameters") for heading in rows[0]]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, numeric, strict=True)
        )
        for row in rows
    ]
    size = architecture.n_parameters * architecture.dtype.itemsize
    total = f"{architecture.n_parameters:,} parameters ({architecture.dtype.name}, {size / 1000:,.1f} kB)"
    return "\n".join([*lines, f"{total}, loss {architecture.loss}"])
