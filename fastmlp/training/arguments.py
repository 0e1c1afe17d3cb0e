"""Arguments of a network's methods, checked and turned into what the engines take (floor 7; imports numpy, checks,
errors, tables, model, data).
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_numbers, check_number, check_whole, naming, plain
from ..data.augmentation import Augmentation, get_augmentation
from ..data.dataset import Dataset, Split, same_labels, same_scaling, training_data
from ..data.samples import Scaling
from ..data.sharing import Making, each_time
from ..data.streaming import block_data
from ..data.targets import Labels, Targets
from ..errors import ArgumentError, ArgumentTypeError, unknown_name
from ..model.activations import get_activation
from ..model.architecture import Architecture, Array
from ..model.schedules import Constant, Schedule, checked_factors, get_schedule
from ..tables import Table
from .callbacks import Callback, FitRun, as_callback
from .checkpoints import Checkpoint
from .progress import Progress

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
    """Return the callbacks as a list, functions wrapped, with a `Progress` at its end where `verbose` asks for one.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Something that is neither a `Callback` nor a function of one argument, or a `verbose` other than 0, 1 and 2.
    """
    level = check_whole(int(verbose) if isinstance(verbose, bool) else verbose, "verbose", 0, 2)
    try:
        given = [callbacks] if isinstance(callbacks, Callback) or callable(callbacks) else list(callbacks)
    except TypeError:
        raise ArgumentTypeError(f"callbacks must be a list of callbacks, got {callbacks!r}") from None
    chosen = [as_callback(one) for one in given]
    chosen.sort(key=lambda callback: isinstance(callback, Checkpoint))  # they save what the others have left
    return [*chosen, Progress(level)] if level else chosen


def fit_data(
    network: Any,
    X: Any,
    y: Any,
    validation_split: object,
    augmentation: Augmentation | None,
    *,
    X_val: Any,
    y_val: Any,
    rows: Any,
    rows_val: Any,
    sample_weight: Any,
    class_weight: Any,
    once: Making = each_time,
) -> tuple[Dataset, Labels, Callable[[], Iterator[Dataset]] | None]:
    """Check the data given to `Network.fit`, whose parameters and errors these are, without changing anything.

    What other trainings share with this one is made `once`.

    Returns
    -------
    data : Dataset
        All of the data, or of blocks the first.
    labels : Labels
        What the outputs stand for.
    blocks : callable or None
        Where the data come in blocks, ``blocks()`` gives those of an epoch.
    """
    scaling, labels = same_scaling(network.scaling, once), same_labels(network.labels, once)
    rows, rows_val = (same_rows(given, once) for given in (rows, rows_val))
    known = {"labels": labels, "scaling": scaling, "X_val": X_val, "y_val": y_val}
    weights = {"sample_weight": sample_weight, "class_weight": class_weight}
    split = splitter(validation_split, network.seed)
    _check_one_of(X_val=X_val is not None, rows_val=rows_val is not None, validation_split=validation_split != 0)
    if y is not None:
        if rows is not None or rows_val is not None:
            _check_one_of(rows=True, validation_split=validation_split != 0)
            split = divider(rows, rows_val, once)
        built = network.architecture
        kind = built.inputs, built.outputs, built.dtype, built.loss, scaling, labels
        drawn = (validation_split, network.seed) if validation_split != 0 else ()
        data, found = once(
            "training data",
            lambda: training_data(built, X, y, split=split, once=once, **known, **weights),
            *kind,
            *(X, y, X_val, y_val, rows, rows_val, sample_weight, class_weight),
            *drawn,
        )
        if augmentation is not None:
            check_images(data, "X")
        return data, found, None
    if rows is not None or rows_val is not None:
        raise ArgumentError("rows and rows_val need X and y as tables; leave unwanted rows out of the blocks")
    share = None if validation_split == 0 else validation_split
    first, labels, blocks = block_data(network.architecture, X, **known, **weights, validation_split=share)
    if augmentation is None:
        return first, labels, blocks
    check_images(first, "X of block 1")

    def images() -> Iterator[Dataset]:
        for number, block in enumerate(blocks(), start=1):
            check_images(block, f"X of block {number}")
            yield block

    return first, labels, images


def fit_settings(
    run: FitRun,
    batch_size: int,
    shuffle: bool,
    augmentation: Augmentation | None,
    validation_split: object,
    class_weight: object,
) -> dict[str, Any]:
    """Return what has to be the same for a fit to be resumed, as text and numbers, but for its data."""
    # A class of the user's without words of its own would show its address.
    named = type(run.schedule).__repr__ is not object.__repr__
    return {
        "optimizer": repr(run.optimizer),
        "schedule": repr(run.schedule) if named else type(run.schedule).__name__,
        "batch_size": batch_size,
        "shuffle": shuffle,
        "augment": repr(augmentation),
        "validation_split": float(validation_split),  # type: ignore[arg-type]  # checked
        "class_weight": _shown_weights(class_weight),
        "the figures of each epoch": list(run.columns),
    }


def _shown_weights(class_weight: object) -> str:
    if not isinstance(class_weight, dict):
        return str(class_weight)
    pairs = sorted((repr(plain(label)), float(weight)) for label, weight in class_weight.items())
    return ", ".join(f"{label}: {weight!r}" for label, weight in pairs)


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


def splitter(share: object, seed: int) -> Split:
    """Return what divides rows into those to train on and those to validate with, both in ascending order.

    The choice depends on the seed and on how many rows count, those whose weight is above 0, and on nothing else. So a
    second `fit` on the same data never trains on what the first one validated with. Rows of weight 0 are not held out.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The share isn't a number in [0, 1); or, when rows are divided, it leaves none on one side.
    """
    share = float(check_number(share, "validation_split", "a number in [0, 1)"))
    if not (math.isfinite(share) and 0 <= share < 1):
        raise ArgumentError(f"validation_split must lie in [0, 1): the share of rows to validate with; got {share!r}")

    def split(n_rows: int, weights: Array | None, targets: Targets) -> tuple[Rows, Rows] | None:
        if share == 0:
            return None
        counting = np.arange(n_rows) if weights is None else np.flatnonzero(weights)
        n_counting = len(counting)
        n_validation = round(n_counting * share)
        if not 0 < n_validation < n_counting:
            raise ArgumentError(
                f"validation_split={share} of {n_counting} rows leaves {n_validation} to validate with and "
                f"{n_counting - n_validation} to train on; both need at least one"
            )
        shuffled = np.random.default_rng([seed, 2, n_counting]).permutation(n_counting)
        held_out = np.zeros(n_rows, bool)
        held_out[counting[shuffled[:n_validation]]] = True
        return np.flatnonzero(~held_out).astype(np.int64), np.flatnonzero(held_out).astype(np.int64)

    return split


def same_rows(given: Any, once: Making) -> Any:
    """Return the one object for row numbers of this content that trainings share."""
    if given is None or once is each_time:
        return given
    numbers = np.asarray(given)
    return once("rows of numbers", lambda: given, numbers.tobytes(), numbers.dtype.str, str(numbers.shape))


def divider(rows: Any, rows_val: Any, once: Making = each_time) -> Split:
    """Return what divides rows into those to train on, by default all that are not held out, and those to validate
    with, if any.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        When rows are divided: numbers that name no row.
    """

    def split(n_rows: int, weights: Array | None, targets: Targets) -> tuple[Rows, Rows | None]:
        def checked(given: Any, name: str) -> Any:
            return once("row numbers", lambda: _row_numbers(given, n_rows, name), given, n_rows)

        held_out = None if rows_val is None else checked(rows_val, "rows_val")
        if rows is not None:
            return checked(rows, "rows"), held_out
        assert held_out is not None
        others = once("other rows", lambda: np.delete(np.arange(n_rows), held_out), held_out, n_rows)
        if not len(others):
            raise ArgumentError("rows_val names every row of X, and leaves none to train on; give rows too")
        return others, held_out

    return split


def _row_numbers(given: Any, n_rows: int, name: str) -> Rows:
    numbers = as_numbers(given, name)
    if numbers.dtype == bool:
        if numbers.shape != (n_rows,):
            raise ArgumentError(f"{name} as a mask must have the shape ({n_rows},), got {numbers.shape}")
        numbers = np.flatnonzero(numbers)
    if numbers.dtype.kind not in "iu" or numbers.ndim != 1:
        raise ArgumentTypeError(
            f"{name} must be the numbers of rows, a vector of whole numbers, or a mask of True and False; got shape "
            f"{numbers.shape}, dtype {numbers.dtype}"
        )
    if not numbers.size:
        raise ArgumentError(f"{name} names no row; give at least one")
    low, high = int(numbers.min()), int(numbers.max())
    if low < 0 or high >= n_rows:
        raise ArgumentError(f"{name} must lie from 0 to {n_rows - 1}, got {low if low < 0 else high}")
    return numbers.astype(np.int64)


def _check_one_of(**given: bool) -> None:
    """Say so when two arguments are given of which only one can be."""
    names = [name for name, is_given in given.items() if is_given]
    if len(names) > 1:
        raise ArgumentError(f"{names[-1]} and {names[0]} are both given; leave one of them out")


def check_images(data: Dataset, name: str) -> None:
    """Say so when samples are not held in a way in which they can be augmented.

    Raises
    ------
    ArgumentError
        Sparse samples, or a memory map.
    """
    samples = data.samples
    if samples.sparse is not None:
        raise ArgumentError(f"augment needs images as dense rows, but {name} is sparse; give {name}.toarray()")
    if samples.mapped:
        raise ArgumentError(
            f"augment makes images anew in every epoch, but {name} is a memory map, which stays on disk; give "
            f"np.array({name}) where it fits into memory, else blocks of arrays: fit(blocks, augment=...)"
        )


def figures(data: Dataset) -> tuple[str, ...]:
    """Name the figures that each epoch will have."""
    columns: tuple[str, ...] = ("loss",) if data.task == "regression" else ("loss", "accuracy")
    return columns if data.validation is None else columns + tuple(f"val_{name}" for name in columns)


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
            wrong = "must be None: the layer has no bias" if bias is None else "needs a bias array; got None"
            raise ArgumentError(f"b of layer {number + 1} {wrong}")
        if bias is not None:
            bias[...] = _as_weights(b, (layer.units,), f"b of layer {number + 1}", architecture.dtype)
    return flat


def _as_weights(values: Any, shape: tuple[int, ...], name: str, dtype: np.dtype[Any]) -> Array:
    given = as_numbers(values, name)
    if given.shape != shape:
        raise ArgumentError(f"{name} must have shape {shape}, got {given.shape}")
    with np.errstate(over="ignore"):  # what overflows is told below
        array: Array = given.astype(dtype)
    if not np.isfinite(array).all():
        raise ArgumentError(f"{name} must be finite in {dtype}")
    return array


def check_layers(numbers: Iterable[Any], architecture: Architecture, call: str) -> set[int]:
    """Return the numbers of layers that `Network.freeze` or `unfreeze` was given, or say what is wrong with them."""
    given = tuple(numbers)
    if not given:
        raise ArgumentError(f"{call} needs the numbers of layers, 1 for the first, such as net.{call}(1)")
    return {check_whole(number, f"{call}: the number of a layer", 1, len(architecture.layers)) for number in given}


def check_something_trains(architecture: Architecture) -> None:
    """Say so where there is nothing to train."""
    if not any(layer.trainable for layer in architecture.layers):
        raise ArgumentError(
            "every layer of this network is frozen, so there is nothing to train; unfreeze one with net.unfreeze(2), "
            "or all with net.unfreeze(), or leave trainable=False out of one Dense"
        )


def _trained_parameters(architecture: Architecture) -> int:
    return sum(
        layer.fan_in * layer.units + layer.units * layer.has_bias for layer in architecture.layers if layer.trainable
    )


def summary(architecture: Architecture) -> Table:
    """Return the table of `Network.summary`."""
    rows = [["input", str(architecture.inputs), "-", "-", "-"]]
    for number, layer in enumerate(architecture.layers, start=1):
        shape = f"{layer.fan_in} x {layer.units}" + ("" if layer.has_bias else ", no bias")
        parameters = layer.fan_in * layer.units + layer.units * layer.has_bias
        rows.append([f"dense {number}", str(layer.units), layer.activation, shape, f"{parameters:,}"])
    headings = ["layer", "units", "activation", "weights", "parameters"]
    if any(layer.dropout for layer in architecture.layers):
        headings.insert(3, "dropout")
        shares = ["-", *(f"{layer.dropout:g}" for layer in architecture.layers)]
        for row, share in zip(rows, shares, strict=True):
            row.insert(3, share)
    frozen = any(not layer.trainable for layer in architecture.layers)
    if frozen:
        headings.append("trained")
        marks = ["-", *("yes" if layer.trainable else "no" for layer in architecture.layers)]
        for row, mark in zip(rows, marks, strict=True):
            row.append(mark)
    size = architecture.n_parameters * architecture.dtype.itemsize
    total = f"{architecture.n_parameters:,} parameters ({architecture.dtype.name}, {size / 1000:,.1f} kB)"
    if frozen:
        total += f", of which {_trained_parameters(architecture):,} are trained"
    left = ("layer", "activation", "weights")
    return Table(headings, rows, left, note=f"{total}, loss {architecture.loss}")
