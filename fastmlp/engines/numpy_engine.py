"""The specification: forward pass, backpropagation and training in plain NumPy (floor 5; imports numpy, model, data).

Read it beside the mathematics (Nielsen, chapter 2; Goodfellow et al., chapter 6.5). For a batch ``x`` of rows, layer
by layer ``z = a_before @ W + b`` and ``a = f(z)``; backwards, with ``dz`` the derivative of the loss by ``z``: ``dW =
a_beforeᵀ @ dz``, ``db = sum of dz over the batch``, ``da_before = dz @ Wᵀ``. It is vectorised over the batch and
makes no attempt to be faster. Layers that are frozen (``trainable=False``) have a gradient as all others; only
`train_epoch` leaves them out: of the gradient before it is clipped, of weight decay, and of the optimizer's step.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset
from ..model.activations import get_activation
from ..model.architecture import Architecture, Layer
from ..model.dropout import dropout_mask, epoch_key
from ..model.optimizers import Optimizer, clipped
from ..model.training_state import TrainingState
from .base import Array, Score, alike, augment, few_rows, load, marks_rows, one_by_one

__all__ = [
    "Pass",
    "add_penalties",
    "alike",
    "augment",
    "backward_pass",
    "clear",
    "correct_answers",
    "evaluate",
    "few_rows",
    "forward",
    "forward_pass",
    "load",
    "loss_and_gradient",
    "marks_rows",
    "name",
    "one_batch",
    "prepare",
    "train_epoch",
    "train_epochs",
    "weigh",
]

_ROWS_AT_A_TIME = 1024

name = "numpy"


class Pass(NamedTuple):
    """What every layer holds after a forward pass over a batch."""

    logits: list[Array]
    """``z`` of each layer."""
    activations: list[Array]
    """The input, then ``a`` of each layer, after dropout."""
    masks: list[Array | None]
    """Factors by which dropout multiplied ``a``; None where a layer has none."""


def forward_pass(
    architecture: Architecture, parameters: Array, x: Array, dropout_keys: list[int] | None = None, rows: Any = None
) -> Pass:
    """Run a batch through the network.

    Parameters
    ----------
    architecture : Architecture
    parameters : ndarray
        Flat vector.
    x : ndarray, shape (batch, inputs)
        As the network sees it: scaled, in the architecture's dtype.
    dropout_keys : list of int, optional
        The epoch's key of each layer; without them there is no dropout.
    rows : ndarray of int, optional
        Row numbers of the batch, which decide with the keys what is dropped.

    Returns
    -------
    Pass
    """
    run = Pass([], [x], [])
    for number, (layer, (W, b)) in enumerate(zip(architecture.layers, architecture.views(parameters), strict=True)):
        z = run.activations[-1] @ W
        if b is not None:
            z += b
        a = get_activation(layer.activation).forward(z)
        mask = None
        if dropout_keys is not None and layer.dropout > 0:
            mask = dropout_mask(dropout_keys[number], layer.dropout, rows, layer.units, architecture.dtype)
        run.logits.append(z)
        run.masks.append(mask)
        run.activations.append(a if mask is None else a * mask)
    return run


def backward_pass(
    architecture: Architecture,
    parameters: Array,
    run: Pass,
    y: Array,
    weights: Array,
    gradient: Array,
    kept: list[tuple[Array, Array]] | None = None,
) -> Array:
    """Backpropagate, and return the loss of each sample.

    Parameters
    ----------
    architecture : Architecture
    parameters : ndarray
        Flat vector.
    run : Pass
        Of the same parameters.
    y : ndarray, shape (batch, outputs)
    weights : ndarray, shape (batch,)
        How much each sample's loss counts in the batch's: its weight divided by the rows of the batch.
    gradient : ndarray
        Flat vector that receives the derivative of ``sum(weights * losses)``.
    kept : list, optional
        Receives ``(dz, da_before)`` of each layer, the last layer first: to look at.

    Returns
    -------
    ndarray, shape (batch,)
    """
    loss = architecture.loss_function
    da = loss.gradient(run.logits[-1], run.activations[-1], y) * weights[:, None]
    views = architecture.views(parameters)
    for number in reversed(range(len(architecture.layers))):
        layer, z, mask = architecture.layers[number], run.logits[number], run.masks[number]
        if number == len(architecture.layers) - 1 and loss.from_logits:
            dz = da
        elif mask is None:
            dz = get_activation(layer.activation).backward(z, run.activations[number + 1], da)
        else:
            activation = get_activation(layer.activation)
            dz = activation.backward(z, activation.forward(z), da * mask)
        layer.weights(gradient)[...] = run.activations[number].T @ dz
        bias = layer.bias(gradient)
        if bias is not None:
            bias[...] = dz.sum(axis=0)
        if number > 0 or kept is not None:
            da = dz @ views[number][0].T
        if kept is not None:
            kept.append((dz, da))
    return loss.value(run.logits[-1], run.activations[-1], y)


def add_penalties(architecture: Architecture, parameters: Array, gradient: Array) -> float:
    """Add the gradient of the L1 and L2 penalties, and return their value; zero where there are none."""
    penalty = 0.0
    for layer in architecture.layers if architecture.l1 or architecture.l2 else ():
        W, dW = layer.weights(parameters), layer.weights(gradient)
        dW += architecture.l1 * np.sign(W) + architecture.l2 * W
        penalty += architecture.l1 * float(np.abs(W).sum(dtype=np.float64))
        penalty += 0.5 * architecture.l2 * float((W * W).sum(dtype=np.float64))
    return penalty


def clear(layer: Layer, gradient: Array) -> None:
    """Make the gradient of a layer that isn't trained zero: it counts neither for the step nor for its length."""
    layer.weights(gradient)[...] = 0
    bias = layer.bias(gradient)
    if bias is not None:
        bias[...] = 0


def correct_answers(outputs: Array, y: Array, task: str) -> NDArray[Any]:
    """Whether each row's answer is right, shape (n,); NaN in regression."""
    if task == "classes":
        return np.asarray(outputs.argmax(axis=1) == y.argmax(axis=1))
    if task == "regression":
        return np.full(len(y), np.nan)
    return np.asarray(((outputs >= 0.5) == (y >= 0.5)).all(axis=1))


def prepare(
    architecture: Architecture, data: Dataset, threads: int, once: bool = False, batch_size: int | None = None
) -> Dataset:
    """See `Engine.prepare`; NumPy's BLAS decides about threads itself."""
    data.check_fits(architecture)
    return data if data.weights is None else replace(data, weights=data.weights.copy())


def weigh(prepared: Dataset, weights: Array) -> None:
    """See `Engine.weigh`."""
    assert prepared.weights is not None
    prepared.weights[...] = weights


def forward(architecture: Architecture, parameters: Array, prepared: Dataset) -> Array:
    """See `Engine.forward`."""
    outputs = np.empty((prepared.samples.n_rows, architecture.outputs), dtype=architecture.dtype)
    for rows in _blocks(prepared.samples.n_rows):
        x = prepared.samples.rows(rows, architecture.dtype)
        outputs[rows] = forward_pass(architecture, parameters, x).activations[-1]
    return outputs


def evaluate(architecture: Architecture, parameters: Array, prepared: Dataset) -> Score:
    """See `Engine.evaluate`."""
    meter = _Meter(prepared.task)
    for rows in _blocks(prepared.samples.n_rows):
        run = forward_pass(architecture, parameters, prepared.samples.rows(rows, architecture.dtype))
        y = _wanted(architecture, prepared, rows)
        losses = architecture.loss_function.value(run.logits[-1], run.activations[-1], y)
        meter.add(losses, run.activations[-1], y, _weights_of(prepared, rows, len(y)))
    return meter.score()


def loss_and_gradient(architecture: Architecture, parameters: Array, prepared: Dataset) -> tuple[float, Array]:
    """See `Engine.loss_and_gradient`."""
    x, y, weights = one_batch(architecture, prepared)
    gradient = architecture.zeros()
    run = forward_pass(architecture, parameters, x)
    losses = backward_pass(architecture, parameters, run, y, weights, gradient)
    penalty = add_penalties(architecture, parameters, gradient)
    return float((weights.astype(np.float64) * losses).sum()) + penalty, gradient


def one_batch(architecture: Architecture, data: Dataset) -> tuple[Array, Array, Array]:
    """Return all rows as one batch: inputs, targets, and how much each row's loss counts; see `backward_pass`."""
    everything = slice(0, data.samples.n_rows)
    x = data.samples.rows(everything, architecture.dtype)
    y = _wanted(architecture, data, everything)
    return x, y, (_weights_of(data, everything, len(y)) / len(y)).astype(architecture.dtype)


def train_epoch(
    architecture: Architecture,
    state: TrainingState,
    optimizer: Optimizer,
    prepared: Dataset,
    order: NDArray[np.int64],
    batch_size: int,
    learning_rates: NDArray[np.float64],
    first_name: int = 0,
    penalties: NDArray[np.float64] | None = None,
) -> Score:
    """See `Engine.train_epoch`."""
    meter = _Meter(prepared.task)
    gradient = architecture.zeros()
    keys = [epoch_key(state.seed, state.epoch, number) for number in range(len(architecture.layers))]
    for batch, learning_rate in enumerate(learning_rates.tolist()):
        rows = order[batch * batch_size : (batch + 1) * batch_size]
        x, names = prepared.samples.rows(rows, architecture.dtype), rows + first_name
        run = forward_pass(architecture, state.parameters, x, keys, names)
        y = _wanted(architecture, prepared, rows)
        weights = _weights_of(prepared, rows, len(y))
        share = (weights / len(rows)).astype(architecture.dtype)
        losses = backward_pass(architecture, state.parameters, run, y, share, gradient)
        meter.add(losses, run.activations[-1], y, weights)
        penalised = architecture if penalties is None else replace(architecture, l2=float(penalties[batch]))
        add_penalties(penalised, state.parameters, gradient)
        for layer in architecture.layers:
            if not layer.trainable:
                clear(layer, gradient)
            elif optimizer.weight_decay:
                layer.weights(state.parameters)[...] *= 1.0 - learning_rate * optimizer.weight_decay
        state.step += 1
        step = clipped(gradient, optimizer.clip_norm)
        for part in architecture.trained_parts:
            moments = [moment[part] for moment in state.moments]
            optimizer.update(state.parameters[part], step[part], moments, state.step, learning_rate)
    return meter.score()


def train_epochs(*given: Any, **options: Any) -> tuple[list[Score], Array]:
    """See `Engine.train_epochs`."""
    return one_by_one(train_epoch, *given, **options)


class _Meter:
    """Adds up losses and correct answers, in float64."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.loss = self.correct = self.weight = 0.0

    def add(self, losses: Array, outputs: Array, y: Array, weights: Array) -> None:
        self.loss += float((losses * weights).sum(dtype=np.float64))
        self.correct += float((correct_answers(outputs, y, self.task) * weights).sum(dtype=np.float64))
        self.weight += float(weights.sum(dtype=np.float64))

    def score(self) -> Score:
        if self.weight == 0:  # a part of an epoch in which no sample counts
            return Score(0.0, 0.0)
        return Score(self.loss / self.weight, self.correct / self.weight)


def _blocks(n_rows: int) -> list[slice]:
    return [slice(start, min(start + _ROWS_AT_A_TIME, n_rows)) for start in range(0, n_rows, _ROWS_AT_A_TIME)]


def _wanted(architecture: Architecture, data: Dataset, rows: Any) -> Array:
    assert data.targets is not None
    return architecture.smoothed(data.targets.rows(rows, architecture.outputs, architecture.dtype))


def _weights_of(data: Dataset, rows: Any, n: int) -> NDArray[np.float64]:
    return np.ones(n) if data.weights is None else data.weights[rows].astype(np.float64)
