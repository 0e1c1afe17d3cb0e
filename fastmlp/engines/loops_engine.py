"""The engine of plain loops: hands a network and its data to `kernels.loops` (floor 5; imports numba, numpy, model,
kernels, data).

Compiled, and otherwise as simple as the NumPy engine: one sample at a time, each number on its own. It shows what
compiling alone does. The mathematics is in `kernels/loops/`; here arrays get their places in records.
"""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset
from ..data.samples import as_samples
from ..data.targets import Targets as DataTargets
from ..kernels.loops import epoch
from ..kernels.loops.own import OWN, address_of
from ..kernels.loops.records import LAYER, Batches, Network, Samples, State, Targets, Work
from ..kernels.loops.records import Optimizer as OptimizerRecord
from ..kernels.runtime import constants
from ..kernels.runtime.jit import INTERPRETED
from ..model.activations import Activation, get_activation
from ..model.architecture import Architecture
from ..model.dropout import epoch_key, threshold
from ..model.losses import Loss, get_loss
from ..model.optimizers import SGD, Adam, Optimizer, RMSprop
from ..model.training_state import TrainingState
from .base import Array, Score, alike, augment, few_rows, marks_rows, one_by_one
from .compiling import say_when_compiling

__all__ = [
    "Prepared",
    "alike",
    "augment",
    "evaluate",
    "few_rows",
    "forward",
    "load",
    "loss_and_gradient",
    "marks_rows",
    "name",
    "prepare",
    "train_epoch",
    "train_epochs",
    "weigh",
]

name = "loops"

READ_BYTES = 2**26
"""Bytes of a memory map that are in memory at a time, or one batch where that is more."""

_one_at_a_time = threading.Lock()
"""Held while Numba's threads work: its own thread pool ("workqueue") aborts when two Python threads use it at once."""

_forked = threading.Event()
"""Set in a forked child process, where GNU OpenMP, if the parent had used it, would end the process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked.set)


@dataclass(frozen=True)
class Prepared:
    """A data set, and where it is in memory, its arrays as records.

    Attributes
    ----------
    data : Dataset
        Its weights are this object's own.
    threads : int
    samples : Samples or None
        None of a memory map, which is read a part at a time.
    targets : Targets
    """

    data: Dataset
    threads: int
    samples: Samples | None
    targets: Targets


def load(architecture: Architecture) -> None:
    """See `Engine.load`; what runs on several threads is compiled when it is first used."""
    _load(architecture.dtype.name)


def prepare(
    architecture: Architecture, data: Dataset, threads: int, once: bool = False, batch_size: int | None = None
) -> Prepared:
    """See `Engine.prepare`; where the engine may choose the number of threads, it is 1."""
    data.check_fits(architecture)
    data = data if data.weights is None else replace(data, weights=data.weights.copy())
    samples = None if data.samples.mapped else _samples(data, architecture)
    return Prepared(data, threads, samples, _targets(data, architecture))


def weigh(prepared: Prepared, weights: Array) -> None:
    """See `Engine.weigh`."""
    assert prepared.data.weights is not None
    prepared.data.weights[...] = weights


def forward(architecture: Architecture, parameters: Array, prepared: Prepared) -> Array:
    """See `Engine.forward`."""
    outputs = np.empty((prepared.data.n_rows, architecture.outputs), architecture.dtype)
    unjudged = replace(prepared, targets=prepared.targets._replace(weights=np.empty(0, architecture.dtype)))
    _run(architecture, parameters, unjudged, outputs)
    return outputs


def evaluate(architecture: Architecture, parameters: Array, prepared: Prepared) -> Score:
    """See `Engine.evaluate`."""
    return _run(architecture, parameters, prepared, np.empty((prepared.data.n_rows, 0), architecture.dtype))


def _run(architecture: Architecture, parameters: Array, prepared: Prepared, outputs: Array) -> Score:
    """Pass all rows through the network; `outputs`, which receives what comes out, may have no columns."""
    network, totals = _network(architecture, prepared.data.task), np.zeros(3)
    for part, order, span in _parts(architecture, prepared, np.arange(len(outputs)), 1):
        work = _work(architecture, len(order), totals, gradients=False)
        given = network, part.samples, part.targets, parameters, outputs[span], work
        _call(epoch.forward, epoch.forward_parallel, prepared.threads, given)
    return _score(totals)


def loss_and_gradient(architecture: Architecture, parameters: Array, prepared: Prepared) -> tuple[float, Array]:
    """See `Engine.loss_and_gradient`."""
    network, n_rows = _network(architecture, prepared.data.task), prepared.data.n_rows
    ((part, order, _),) = _parts(architecture, prepared, np.arange(n_rows), n_rows)
    work = _work(architecture, n_rows, np.zeros(3))
    given = network, part.samples, part.targets, parameters, _batches(order, n_rows), work
    objective = _call(epoch.loss_and_gradient, epoch.loss_and_gradient_parallel, prepared.threads, given)
    gradient = architecture.zeros()
    gradient[:] = work.gradients[0]
    return float(objective), gradient


def train_epoch(
    architecture: Architecture,
    state: TrainingState,
    optimizer: Optimizer,
    prepared: Prepared,
    order: NDArray[np.int64],
    batch_size: int,
    learning_rates: NDArray[np.float64],
    first_name: int = 0,
    penalties: NDArray[np.float64] | None = None,
) -> Score:
    """See `Engine.train_epoch`."""
    network, totals = _network(architecture, prepared.data.task, state), np.zeros(3)
    order, batch_size = np.ascontiguousarray(order, np.int64), min(batch_size, len(order))
    work = _work(architecture, batch_size, totals)
    names = order + first_name if network.layers["threshold"].any() else np.empty(0, np.int64)
    changed = State(state.parameters, *[*state.moments, *[np.empty(0, architecture.dtype)] * 2][:2])
    for part, rows, span in _parts(architecture, prepared, order, batch_size):
        steps = slice(span.start // batch_size, -(-span.stop // batch_size))
        l2 = None if penalties is None else penalties[steps]
        batches = _batches(rows, batch_size, names[span], learning_rates[steps], l2)
        given = network, part.samples, part.targets, _optimizer(optimizer), changed, batches, work, state.step
        _call(epoch.train_epoch, epoch.train_epoch_parallel, prepared.threads, given)
        state.step += len(batches.rates)
    return _score(totals)


def train_epochs(*given: Any, **options: Any) -> tuple[list[Score], Array]:
    """See `Engine.train_epochs`."""
    return one_by_one(train_epoch, *given, **options)


@cache
def _load(dtype: str) -> None:
    """Have what runs on one thread compiled: train on a row, and answer it."""
    architecture = Architecture.build([1, 2], dtype=dtype)
    data = Dataset.of(architecture, as_samples(np.ones((1, 1))), DataTargets(np.zeros(1, np.int32), None))
    state, prepared = TrainingState(architecture.zeros(), np.random.default_rng(0), 0), prepare(architecture, data, 1)
    train_epoch(architecture, state, SGD(), prepared, np.arange(1), 1, np.zeros(1))
    evaluate(architecture, state.parameters, prepared)


def _call(serial: Callable[..., Any], parallel: Callable[..., Any], threads: int, given: tuple[Any, ...]) -> Any:
    """Call a function of `kernels.loops.epoch` on one thread, or on several.

    Results are the same. In a forked child, Numba's threads of the parent process are gone; it uses one.
    """
    if threads <= 1 or INTERPRETED or _forked.is_set():
        return serial(*given)
    with _one_at_a_time:
        before = numba.get_num_threads()
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        try:
            return parallel(*given)
        finally:
            numba.set_num_threads(before)


def _score(totals: NDArray[np.float64]) -> Score:
    loss, correct, weight = totals.tolist()
    return Score(loss / weight, correct / weight) if weight > 0 else Score(0.0, 0.0)


def _parts(
    architecture: Architecture, prepared: Prepared, order: NDArray[np.int64], batch_size: int
) -> Iterator[tuple[Prepared, NDArray[np.int64], slice]]:
    """Go through the rows in this order, whole batches at a time; in one go where the data are in memory.

    Yields the part, the order of its rows, and which stretch of `order` they are.
    """
    if prepared.samples is not None:
        yield prepared, order, slice(0, len(order))
        return
    samples = prepared.data.samples
    assert samples.dense is not None
    size = max(1, READ_BYTES // samples.dense.strides[0] // batch_size) * batch_size
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        part = prepared.data.take(rows)
        part = replace(part, samples=replace(part.samples, dense=samples.raw(rows), picked=None))
        judged = prepared.targets.weights[rows] if len(prepared.targets.weights) else prepared.targets.weights
        targets = _targets(part, architecture)._replace(weights=judged)
        own = Prepared(part, prepared.threads, _samples(part, architecture), targets)
        yield own, np.arange(len(rows)), slice(start, start + len(rows))


def _plain(array: Array) -> Array:
    """Return the numbers as a flat array that may be written to; to Numba, a read-only one is of another type."""
    return np.require(array, requirements=["C", "W"]).reshape(-1)


def _samples(data: Dataset, architecture: Architecture) -> Samples:
    """Describe samples to the loops; floats are scaled before, bytes as they are read."""
    given, dtype, n_features = data.samples, architecture.dtype, architecture.inputs
    nothing = np.empty(0, dtype)
    scale, shift, centre = map(_plain, given.scaling.vectors(n_features, np.dtype(np.float64)))
    record = Samples(
        n_features,
        pixels=np.empty(0, np.uint8),
        scale=scale,
        shift=shift,
        centre=centre,
        numbers=nothing,
        starts=np.zeros(1, np.int64),
        columns=np.empty(0, np.int32),
        values=nothing,
        absent=nothing,
    )
    if given.sparse is not None:
        columns, values = given.sparse.columns, given.sparse.values
        scale, shift, centre = (vector[columns] for vector in (scale, shift, centre))
        absent = given.scaling.apply(np.zeros((1, n_features)), dtype)[0]
        return record._replace(
            starts=_plain(given.sparse.starts),
            columns=_plain(columns.astype(np.int32, copy=False)),
            values=((values - centre) * scale + shift).astype(dtype),
            absent=absent if absent.any() else nothing,
        )
    assert given.dense is not None
    if given.dense.dtype == np.uint8:
        return record._replace(pixels=_plain(given.dense))
    seen = given.dense.astype(dtype, copy=False) if given.scaling.changes_nothing else given.rows(slice(None), dtype)
    return record._replace(numbers=_plain(seen))


def _targets(data: Dataset, architecture: Architecture) -> Targets:
    """Describe targets and weights to the loops; without targets there are no weights either."""
    given, dtype = data.targets, architecture.dtype
    labels, values = np.empty(0, np.int32), np.empty((0, architecture.outputs), dtype)
    if given is None:
        return Targets(labels, values, np.empty(0, dtype))
    if given.labels is not None:
        labels = _plain(given.labels)
    if given.values is not None:
        values = _plain(given.values).reshape(given.values.shape)
    return Targets(labels, values, np.ones(data.n_rows, dtype) if data.weights is None else data.weights)


def _network(architecture: Architecture, task: str, state: TrainingState | None = None) -> Network:
    """Describe a network to the loops, with the dropout of the state's epoch."""
    layers, start = np.zeros(len(architecture.layers), LAYER).view(np.recarray), 0
    for number, (row, layer) in enumerate(zip(layers, architecture.layers, strict=True)):
        row["fan_in"], row["units"], row["stride"] = layer.fan_in, layer.units, layer.stride
        row["weights"], row["bias"], row["start"] = layer.weights_start, layer.bias_start, start
        row["activation"], row["own"], row["own_derivative"] = _code(get_activation(layer.activation), 1)
        row["trainable"] = layer.trainable
        row["threshold"], row["kept_scale"] = threshold(layer.dropout), 1.0 / (1.0 - layer.dropout)
        if state is not None:
            row["key"] = epoch_key(state.seed, state.epoch, number)
        start += layer.stride
    loss, own_loss, own_loss_derivative = _code(get_loss(architecture.loss), 2)
    choices = 2 if architecture.loss == "binary_cross_entropy" else architecture.outputs
    return Network(
        layers,
        loss=loss,
        own_loss=own_loss,
        own_loss_derivative=own_loss_derivative,
        task=getattr(constants, task.upper()),
        quantile=architecture.quantile,
        kept_share=1.0 - architecture.label_smoothing,
        spread=architecture.label_smoothing / choices,
        l1=architecture.l1,
        l2=architecture.l2,
    )


def _code(function: Activation | Loss, arguments: int) -> tuple[int, int, int]:
    """Return the code of an activation or loss, and where the functions of a user's own are, else zeros."""
    if function.scalar is None:
        return getattr(constants, function.name.upper()), 0, 0
    value, derivative = function.scalar
    return OWN, address_of(value, arguments), address_of(derivative, 2)


def _optimizer(optimizer: Optimizer) -> OptimizerRecord:
    """Describe an optimizer to the loops."""
    record = OptimizerRecord(
        kind=constants.SGD,
        momentum=0.0,
        nesterov=False,
        decay=0.0,
        beta_1=0.0,
        epsilon=0.0,
        epsilon_hat=False,
        weight_decay=optimizer.weight_decay,
        clip_norm=optimizer.clip_norm or 0.0,
    )
    if isinstance(optimizer, SGD):
        return record._replace(momentum=optimizer.momentum, nesterov=optimizer.nesterov)
    record = record._replace(epsilon=optimizer.epsilon)
    if isinstance(optimizer, RMSprop):
        return record._replace(kind=constants.RMSPROP, decay=optimizer.decay)
    assert isinstance(optimizer, Adam)
    return record._replace(
        kind=constants.ADAM, beta_1=optimizer.beta_1, decay=optimizer.beta_2, epsilon_hat=optimizer.epsilon_hat
    )


def _batches(
    order: NDArray[np.int64],
    size: int,
    names: NDArray[np.int64] | None = None,
    rates: NDArray[np.float64] | None = None,
    penalties: NDArray[np.float64] | None = None,
) -> Batches:
    """Describe the batches of a pass to the loops."""
    return Batches(
        order,
        names=np.empty(0, np.int64) if names is None else names,
        size=size,
        rates=np.empty(0) if rates is None else np.ascontiguousarray(rates, np.float64),
        penalties=np.empty(0) if penalties is None else np.ascontiguousarray(penalties, np.float64),
    )


def _work(architecture: Architecture, n_rows: int, totals: NDArray[np.float64], gradients: bool = True) -> Work:
    """Make the memory for batches of so many rows, which adds to these totals."""
    dtype, n_features = architecture.dtype, architecture.inputs
    chunks = epoch.most_chunks(n_rows)
    units = sum(layer.stride for layer in architecture.layers)
    z, a, out, d = np.zeros((4, chunks, units), dtype)
    return Work(
        columns=np.empty((chunks, n_features), np.int32),
        values=np.empty((chunks, n_features), dtype),
        z=z,
        a=a,
        out=out,
        d=d,
        y=np.zeros((chunks, architecture.outputs), dtype),
        gradients=np.zeros((chunks, architecture.flat_size if gradients else 0), dtype),
        seen=np.zeros((chunks, n_features), np.bool_),
        features=np.empty((chunks, n_features), np.int32),
        n_features=np.zeros(chunks, np.int64),
        losses=np.zeros(n_rows),
        correct=np.zeros(n_rows),
        totals=totals,
    )


say_when_compiling()
