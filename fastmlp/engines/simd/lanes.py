"""Tiny networks of one shape, trained side by side in the lanes of vectors (floor 5; imports numpy, model, kernels,
data).

See `kernels.lanes.epoch`. What networks need in common is what `alike` looks at; learning rates, penalties, settings of
the optimizer, starts and rows may differ.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.dataset import Dataset
from ...data.samples import Samples
from ...data.targets import Targets
from ...kernels.lanes import epoch
from ...kernels.optimizers import TERMS
from ...kernels.runtime import constants
from ...kernels.runtime.fields import Records
from ...kernels.runtime.records import PACK_FROM, Lanes, Settings, Step, Work
from ...kernels.runtime.records import Layer as LayerRecord
from ...kernels.runtime.simd import WIDEST
from ...model.architecture import Architecture, aligned_zeros, padded
from ...model.losses import get_loss
from ...model.optimizers import SGD, Optimizer
from ...model.training_state import TrainingState
from ..base import Alike, Array, Epochs, Trained
from .batches import Batches
from .conversion import Prepared, is_sparse, prepare
from .passes import mean_scores
from .settings import settings_of
from .split_layer import is_halved
from .workspace import chunk_rows, describe_layers, first_half, has_few_units, is_grouped, row_stride

_PARAMETERS = 2**12
"""Parameters of a network, at most, that is trained in a lane. Those of 16 networks and their moments fill L2 then."""

_WORTH, _WORTH_MORE = (5.0, 10.0), 500.0
"""Calls for one network that take as long as a call for all lanes, where targets are labels and where they aren't, and
for how many parameters it is one more (measured: 4-8-3 5.3, 13-16-3 6.4, 64-32-10 10, 20-64-32-3 12; 20-32-1 12).
"""

_TWO = np.zeros(2, np.int32)

_TABLE = 2**23
"""Numbers of the samples, at most, of which every thread has a scaled table."""

_CHUNK_BYTES = 2**17
"""Of vectors of a chunk of rows."""


def lanes_of(dtype: np.dtype[Any]) -> int:
    """How many networks are trained side by side."""
    return WIDEST // 8 // dtype.itemsize


def alike(architecture: Architecture, optimizer: Optimizer, data: Dataset, batch_size: int) -> Alike | None:
    """See `Engine.alike`; the batch is no larger than there are rows."""
    samples, layers, dtype = data.samples, architecture.layers, architecture.dtype
    hidden = [layer.activation for layer in layers[:-1]]
    last = layers[-1].activation
    unfit = (
        samples.mapped
        or samples.n_rows * padded(architecture.inputs, dtype) > _TABLE
        or architecture.n_parameters > _PARAMETERS
        or batch_size < 2
        or is_grouped(architecture, batch_size)
        or optimizer.clip_norm is not None
        or any(layer.dropout or not layer.trainable for layer in layers)
        or "softmax" in hidden
        or (last == "softmax" and not get_loss(architecture.loss).from_logits)
    )
    if unfit or is_sparse(samples, samples.forms("density", samples.density, 512), once=False, sparse=None):
        return None
    shape = (*(layer.units for layer in layers), *hidden, last, *(layer.has_bias for layer in layers))
    of_loss = architecture.loss, architecture.quantile, architecture.label_smoothing
    momentum = isinstance(optimizer, SGD) and (optimizer.momentum > 0, optimizer.nesterov)
    decays = architecture.l1 > 0, architecture.l2 > 0, optimizer.weight_decay > 0
    of_data = id(samples), id(data.targets), id(data.weights), data.task, data.n_training_rows, batch_size
    key = (dtype, architecture.inputs, shape, of_loss, optimizer.kind, momentum, decays, of_data)
    labelled = data.targets is not None and data.targets.labels is not None and not architecture.label_smoothing
    worth = _WORTH[0 if labelled else 1] + architecture.n_parameters / _WORTH_MORE
    return Alike(key, lanes_of(dtype), worth, lambda one: SideBySide(one).train, partial(load, dtype))


@cache
def load(dtype: np.dtype[Any]) -> None:
    """Have the code ready: train two networks on two rows."""
    architecture = Architecture.build([8, 8, 2], dtype=dtype)
    data = Dataset.of(architecture, Samples(2, 8, np.ones((2, 8), architecture.dtype), None), Targets(_TWO, None))
    rows, rates = np.arange(2)[np.newaxis], np.zeros((1, 1))
    states = [TrainingState(architecture.zeros(), np.random.default_rng(0), 0) for _ in range(2)]
    prepared = prepare(architecture, data, 1, sparse=False)
    asked = [Epochs(architecture, state, SGD(), prepared, rows, 2, rates) for state in states]
    SideBySide(asked[0]).train(asked)


class SideBySide:
    """Memory in which networks of one kind are trained side by side, as many as a vector has lanes.

    Parameters
    ----------
    training : Epochs
        Of one of the networks; the others are `alike`.
    """

    def __init__(self, training: Epochs) -> None:
        architecture, prepared = training.architecture, training.prepared
        self._architecture, self._dtype = architecture, architecture.dtype
        self._lanes = lanes_of(architecture.dtype)
        self._batch_size = min(training.batch_size, training.orders.shape[-1])
        self._places = places(architecture)
        self._vectors = [self._zeros(len(self._places) * self._lanes) for _ in range(1 + len(training.state.moments))]
        self._settings = Records(Settings, self._lanes)
        self._make(training, prepared)

    def train(self, trainings: Sequence[Epochs]) -> list[Trained]:
        """Train the epochs of each network, at most as many as there are lanes; see `Engine.train_epochs`."""
        epochs, used = len(trainings[0].orders), len(trainings)
        batches = [Batches.of(one.orders, one.batch_size, one.learning_rates, None) for one in trainings]
        spare = [0] * (self._lanes - used)  # lanes that are left train the first network once more
        filled = [*range(used), *spare]
        order = np.stack([batches[n].order for n in filled], axis=1)
        rates = np.stack([batches[n].rates for n in filled], axis=1)
        for lane, n in enumerate(filled):
            optimizer, architecture = trainings[n].optimizer, trainings[n].architecture
            _, settings = settings_of(optimizer, architecture.l1, architecture.l2)
            self._settings[lane].table[:] = settings.table
        live = [(one.state.parameters, *one.state.moments) for one in trainings]
        for number, vectors in enumerate(self._vectors):
            table = vectors.reshape(-1, self._lanes)
            table[:, :] = np.stack([live[n][number] for n in filled])[:, self._places].T
        totals, ends = np.zeros((self._lanes, epochs, 3)), np.zeros((self._lanes, epochs, self._size), self._dtype)
        self._record.enter(
            order=order,
            rates=rates,
            epochs=epochs,
            epoch_rows=trainings[0].orders.shape[-1],
            steps_before=np.array([trainings[n].state.step for n in filled], np.int64),
            totals=totals.reshape(-1),
            ends=ends.reshape(-1),
        )
        self._step.enter(order=order.reshape(-1))
        run: Callable[..., None] = epoch.run_lanes
        run(*self._record.handle)
        self._record.forget("order", "rates", "steps_before", "totals", "ends")
        self._step.forget("order")
        for lane, (one, of_one) in enumerate(zip(trainings, live, strict=True)):
            for vectors, vector in zip(self._vectors, of_one, strict=True):
                vector[self._places] = vectors.reshape(-1, self._lanes)[:, lane]
            one.state.step += len(batches[lane].rates)
        return [(mean_scores(totals[lane]), ends[lane]) for lane in range(used)]

    def _zeros(self, size: int) -> Array:
        return aligned_zeros(size, self._dtype)

    def _make(self, training: Epochs, prepared: Prepared) -> None:
        """Lay out the memory, and describe it to the kernels."""
        architecture, lanes, dtype = self._architecture, self._lanes, self._dtype
        code, settings = settings_of(training.optimizer, architecture.l1, architecture.l2)
        chunk_alone = chunk_rows(architecture, self._batch_size, architecture.inputs)
        plain_sgd = isinstance(training.optimizer, SGD) and not training.optimizer.momentum and not architecture.l1
        layers, memory, chunk = _lay_out(architecture, lanes, self._batch_size, chunk_alone)
        halved = is_halved(architecture, self._batch_size, clipping=False)
        room = chunk * layers[1].row_stride if halved else 0
        self._size = architecture.flat_size
        self._step = _step_of_rows(architecture, prepared, lanes, chunk)
        m, v = [*self._vectors[1:], *[self._zeros(0)] * 2][:2]
        self._step.enter(parameters=self._vectors[0], m=m, v=v, optimizer=code, settings=Settings())
        self._step.settings.table[:] = settings.table
        self._step.settings.level = architecture.quantile
        self._record = Lanes(
            dtype,
            step=self._step,
            layers=layers,
            n_layers=len(layers),
            settings=self._settings,
            batch_size=self._batch_size,
            chunk=chunk,
            direct=plain_sgd and self._batch_size <= chunk_alone,
            n_numbers=len(self._places) * lanes,
            parameters=self._vectors[0],
            gradient=self._zeros(len(self._places) * lanes),
            memory=self._zeros(memory + room),
            first_units=first_half(architecture) if halved else 0,
            other=memory,
            x=0,
            x_width=padded(architecture.inputs, dtype),
            n_rows=prepared.n_rows,
            plain_softmax=architecture.loss == "cross_entropy" and len(prepared.targets.alive["labels"]) > 0,
            labels=self._zeros(lanes),
            shares=self._zeros(lanes),
            sums=self._zeros(lanes * lanes),
            scales=np.zeros(lanes),
            factors=self._zeros(lanes),
        )


def places(architecture: Architecture) -> NDArray[np.int64]:
    """Return where in the flat vector the parameters lie, without padding: layer by layer ``W``, then ``b``."""
    numbers = np.arange(architecture.flat_size)
    parts = [part for pair in architecture.views(numbers) for part in pair if part is not None]
    return np.concatenate([part.reshape(-1) for part in parts])


def _lay_out(architecture: Architecture, lanes: int, batch_size: int, chunk_alone: int) -> tuple[Records, int, int]:
    """Describe the layers as they lie in vectors; return that, the size of the scratch memory, and rows of a chunk."""
    layers, dtype = architecture.layers, architecture.dtype
    kept = [layer.activation in ("gelu", "silu") and layer is not layers[-1] for layer in layers]
    # The last layer's rows are transposed in squares, so they have whole vectors of units.
    widths = [*(layer.units for layer in layers[:-1]), padded(layers[-1].units, dtype)]
    x_width = padded(architecture.inputs, dtype)
    of_a_row = x_width + sum(width * (2 + z) for width, z in zip(widths, kept, strict=True))
    chunk = max(1, min(batch_size, _CHUNK_BYTES // (of_a_row * lanes * dtype.itemsize)))
    described, place, memory = Records(LayerRecord, len(layers), -1), 0, chunk * x_width * lanes
    for number, (own, layer) in enumerate(zip(described, layers, strict=True)):
        own.fan_in, own.units, own.row_stride = layer.fan_in, layer.units, widths[number] * lanes
        own.activation = getattr(constants, layer.activation.upper())
        own.few_units = int(number > 0 and chunk_alone >= PACK_FROM and has_few_units(layer, dtype))
        own.weights, place = place * lanes, place + layer.fan_in * layer.units
        if layer.has_bias:
            own.bias, place = place * lanes, place + layer.units
        size = chunk * own.row_stride
        own.activations, own.deltas = memory, memory + size
        memory += 2 * size
        if kept[number]:
            own.logits, memory = memory, memory + size
    return described, memory, chunk


def _step_of_rows(architecture: Architecture, prepared: Prepared, lanes: int, chunk: int) -> Step:
    """Describe what is done to the last layer's rows: those of a chunk of every network."""
    layers, dtype, rows = describe_layers(architecture), architecture.dtype, chunk * lanes
    top, x_row = layers[len(layers) - 1], padded(architecture.inputs, dtype)
    top.row_stride = row_stride(top.width, dtype)
    places, memory = {}, 0
    for name, size in (("x", prepared.n_rows * x_row), ("y", rows * top.width), ("mask", top.width), ("sums", 16)):
        places[name], memory = memory, memory + -(-size // 16) * 16
    top.activations = top.before_dropout = memory
    top.deltas, memory = memory + rows * top.row_stride, memory + 2 * rows * top.row_stride
    if architecture.layers[-1].activation in ("gelu", "silu") or get_loss(architecture.loss).from_logits:
        top.logits, memory = memory, memory + rows * top.row_stride
    work = Work(
        dtype,
        **places,
        x_row=x_row,
        chunk=rows,
        memory=aligned_zeros(memory, dtype),
        losses=np.zeros(rows),
        correct=np.zeros(rows),
        terms=aligned_zeros(TERMS * lanes, dtype),
    )
    work.memory[places["mask"] : places["mask"] + architecture.outputs] = 1
    loss = getattr(constants, architecture.loss.upper())
    described = {"layers": layers, "n_layers": len(layers), "loss": loss, "n_parameters": architecture.flat_size}
    step = Step(dtype, rows=prepared.rows, targets=prepared.targets, work=work, training=1, **described)
    step.enter(names=np.zeros(0, np.int64))
    return step
