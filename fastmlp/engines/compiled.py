"""The fast engine: describes a network to the kernels in numbers, and calls them (floor 2; imports numpy, kernels,
floor 0).

Each operation is one call of compiled code for all batches of an epoch. Layer sizes, activations, losses and
optimizers are run-time values there, so the kernels are compiled once per dtype, not once per network.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..architecture import Architecture, aligned_zeros, padded
from ..dropout import epoch_key, threshold
from ..inputs import Samples, Scaling
from ..kernels import batches, codes
from ..kernels._jit import on_compile
from ..kernels.few import forward_rows
from ..kernels.sparse import compress_rows
from ..kernels.steps import (
    DENSE_BYTES,
    DENSE_NUMBERS,
    PACK_FROM,
    SPARSE_BYTES,
    SPARSE_NUMBERS,
    Network,
    Rows,
    Wanted,
    Work,
)
from ..losses import get_loss
from ..optimizers import SGD, Adam, Optimizer, RMSprop
from ..state import TrainingState
from ..targets import Targets
from .base import Array, Data, Score
from .reference import add_penalties
from .threads import available_threads, run_together

name = "numba"

DENSE_FROM = 0.4
"""Share of non-zeros from which rows are multiplied densely: below it, skipping the zeros is faster (measured)."""

THREADS_FROM = 5e6
"""Multiply-adds of a step from which a second thread pays (measured)."""

_CHUNK_NUMBERS = 2**19
"""A chunk of rows has about so many activations, deltas and inputs, to stay in a core's cache."""

_BLOCK_NUMBERS = 2**13
"""Gradients are computed about so many at a time before the optimizer takes them: they never leave the cache."""

_LISTS_FROM = 4.0
"""Entries of a column in a chunk, on average, from which it pays to list them by columns (measured)."""


@dataclass(frozen=True)
class Prepared:
    """A data set in the form the kernels take.

    Attributes
    ----------
    rows, wanted : named tuples of `fastmlp.kernels.steps`
    n_rows : int
    threads : int
        As asked for; 0 leaves it to the amount of work.
    density : float
        Share of the input's values that are multiplied in training.
    nonzero : float
        Share of them that are not zero.
    longest_row : int
        Entries of a sparse row, at most.
    layouts : dict
        What `_layout` made for earlier passes of this architecture, by its other arguments: fresh memory costs more
        than a pass over few rows.
    """

    rows: Rows
    wanted: Wanted
    n_rows: int
    threads: int
    density: float
    nonzero: float
    longest_row: int
    layouts: dict[tuple[int, int, bool], tuple[NDArray[np.int64], list[Work]]] = field(default_factory=dict)


def prepare(
    architecture: Architecture, data: Data, threads: int, once: bool = False, sparse: bool | None = None
) -> Prepared:
    """See `Engine.prepare`; `sparse`, where it is not None, decides for sparse or dense rows whatever their density."""
    density = data.samples.density()
    if sparse is None:
        sparse = data.samples.sparse is not None
        # To compress rows pays where they are used again; a single forward pass skips their zeros as it goes.
        sparse |= density < DENSE_FROM and not _is_mapped(data.samples.dense) and not once
    rows = _rows(data.samples, architecture.dtype, sparse)
    longest = int(np.diff(rows.starts).max(initial=0))
    work = density if sparse else 1.0
    return Prepared(rows, _wanted(architecture, data), data.samples.n_rows, threads, work, density, longest)


def forward(architecture: Architecture, parameters: Array, prepared: Prepared) -> Array:
    """See `Engine.forward`."""
    outputs = np.empty((prepared.n_rows, architecture.outputs), dtype=architecture.dtype)
    _run(batches.FORWARD, architecture, prepared, parameters, outputs=outputs.reshape(-1))
    return outputs


def evaluate(architecture: Architecture, parameters: Array, prepared: Prepared) -> Score:
    """See `Engine.evaluate`."""
    return _run(batches.FORWARD, architecture, prepared, parameters)


def loss_and_gradient(architecture: Architecture, parameters: Array, prepared: Prepared) -> tuple[float, Array]:
    """See `Engine.loss_and_gradient`."""
    gradient = architecture.zeros()
    score = _run(batches.GRADIENT, architecture, prepared, parameters, gradient=gradient)
    weights = prepared.wanted.weights
    mean_weight = float(weights.mean(dtype=np.float64)) if len(weights) else 1.0
    return score.loss * mean_weight + add_penalties(architecture, parameters, gradient), gradient


def train_epoch(
    architecture: Architecture,
    state: TrainingState,
    optimizer: Optimizer,
    prepared: Prepared,
    order: NDArray[np.int64],
    batch_size: int,
    learning_rates: NDArray[np.float64],
) -> Score:
    """See `Engine.train_epoch`."""
    code, settings = _settings(architecture, optimizer)
    score = _run(
        batches.TRAIN,
        architecture,
        prepared,
        state.parameters,
        order=np.ascontiguousarray(order, dtype=np.int64),
        batch_size=batch_size,
        keys=[
            epoch_key(state.seed, state.epoch, number) if layer.dropout else 0
            for number, layer in enumerate(architecture.layers)
        ],
        code=code,
        settings=settings,
        rates=np.ascontiguousarray(learning_rates, dtype=np.float64),
        moments=state.moments,
        step=state.step,
    )
    state.step += len(learning_rates)
    return score


def load(architecture: Architecture) -> None:
    """See `Engine.load`."""
    _load(architecture.dtype.name)


def warmup(dtypes: Sequence[str] = ("float32",)) -> dict[str, float]:
    """Compile every kernel ahead of its first use, and keep it on disk.

    Parameters
    ----------
    dtypes : sequence of str, default ("float32",)

    Returns
    -------
    dict
        Seconds by dtype; a few tenths where the cache held it.
    """
    seconds = {}
    for dtype in dtypes:
        start = time.perf_counter()
        _load(dtype)
        seconds[dtype] = time.perf_counter() - start
    return seconds


class FewRows:
    """Outputs of a few dense rows at a time, without what `prepare` and `forward` do around a whole data set.

    Parameters
    ----------
    architecture : Architecture
    scaling : Scaling
    """

    def __init__(self, architecture: Architecture, scaling: Scaling) -> None:
        self._features, self._outputs, self._dtype = architecture.inputs, architecture.outputs, architecture.dtype
        self._scale, self._shift = map(_plain, scaling.vectors(architecture.inputs, architecture.dtype))
        self._has_shift = int(bool(self._shift.any()))
        self._layers = np.full((len(architecture.layers), codes.LAYER_COLUMNS), -1, dtype=np.int64)
        _describe_layers(self._layers, architecture)
        self._numbers = architecture.inputs + sum(layer.stride for layer in architecture.layers)

    def __call__(self, parameters: Array, X: Array) -> Array | None:
        """Return the outputs of the rows of `X`, of uint8 or the network's dtype; None if a number is not finite."""
        outputs = np.empty((len(X), self._outputs), self._dtype)
        memory = np.empty(self._numbers, self._dtype)
        finite = forward_rows(
            outputs.reshape(-1),
            X.astype(self._dtype).reshape(-1),  # a copy, because X may be read-only, which to Numba is another type
            *(self._scale, self._shift, self._has_shift, len(self._layers), self._layers.reshape(-1), parameters),
            memory[self._features :],
            np.empty(self._features, np.uint32),
            memory[: self._features],
        )
        return outputs if finite else None


few_rows = FewRows


@cache
def _load(dtype: str) -> None:
    """Train on one row."""
    architecture = Architecture.build([8, 8, 2], dtype=dtype)
    state = TrainingState(architecture.zeros(), np.random.default_rng(0), 0)
    samples = Samples(1, 8, np.ones((1, 8), dtype=np.uint8), None)
    prepared = prepare(architecture, Data(samples, Targets(np.zeros(1, np.int32), None)), 1, sparse=True)
    train_epoch(architecture, state, SGD(), prepared, np.arange(1), 1, np.zeros(1))


def _run(
    mode: int,
    architecture: Architecture,
    prepared: Prepared,
    parameters: Array,
    *,
    outputs: Array | None = None,
    gradient: Array | None = None,
    order: NDArray[np.int64] | None = None,
    batch_size: int = 0,
    keys: Sequence[int] = (),
    code: int = codes.SGD,
    settings: NDArray[np.float64] | None = None,
    rates: NDArray[np.float64] | None = None,
    moments: Sequence[Array] = (),
    step: int = 0,
) -> Score:
    """Call the kernels for one pass over the data; the arguments are those of `kernels.batches`."""
    nothing = np.empty(0, dtype=architecture.dtype)
    if order is None:
        order = np.arange(prepared.n_rows)
    batch_size = min(batch_size or len(order), len(order))
    threads = _threads(architecture, prepared, batch_size)
    backward = mode != batches.FORWARD
    wanted = batch_size, threads, backward
    # Taken out while it is in use: another thread may be at the same data.
    layout = prepared.layouts.pop(wanted, None) or _layout(architecture, prepared, *wanted)
    tables, works = layout
    if backward and threads > 1:
        works[0].shared_parameters[:] = parameters
    tables[:, :, codes.KEY] = keys or 0
    settings = np.zeros(codes.SETTINGS) if settings is None else settings
    settings = np.append(settings, [1 / (1 - layer.dropout) for layer in architecture.layers])
    loss_code = getattr(codes, architecture.loss.upper())
    networks = [Network(loss_code, len(architecture.layers), table.reshape(-1), settings) for table in tables]
    if gradient is None:
        gradient = architecture.zeros() if mode == batches.TRAIN else nothing
    totals = np.zeros(3)
    rates = np.zeros(0) if rates is None else rates
    first, second = [*moments, nothing, nothing][:2]
    results = (mode, nothing if outputs is None else outputs, totals)
    # Each thread its own: the first works on the vectors themselves, the others on copies.
    vectors = [[parameters, gradient, first, second]]
    vectors += [[_copy(vector) if backward else vector for vector in vectors[0]] for _ in range(1, threads)]
    run_together(
        batches.run,
        [
            (*results, network, prepared.rows, prepared.wanted, work, code, *own, order, batch_size, rates, step)
            for network, work, own in zip(networks, works, vectors, strict=True)
        ],
    )
    if backward and threads > 1:
        for table, others in zip(tables[1:], vectors[1:], strict=True):
            for whole, own in zip(vectors[0], others, strict=True):
                _take_over(architecture, whole, own, table)
    prepared.layouts[wanted] = layout
    loss, correct, weight = totals.tolist()
    return Score(loss / weight, correct / weight) if weight > 0 else Score(0.0, 0.0)


def _take_over(architecture: Architecture, whole: Array, own: Array, table: NDArray[np.int64]) -> None:
    """Copy what a thread owns of a vector, by its layer table, to the whole one."""
    if not len(whole):
        return
    for row, layer in zip(table, architecture.layers, strict=True):
        end = layer.weights_start + layer.fan_in * layer.stride
        weights, of = (vector[layer.weights_start : end].reshape(layer.fan_in, layer.stride) for vector in (whole, own))
        part = slice(row[codes.LOW], row[codes.HIGH]), slice(row[codes.LEFT], row[codes.RIGHT])
        weights[part] = of[part]
        if layer.bias_start >= 0:
            numbers = slice(layer.bias_start + row[codes.BIAS_LEFT], layer.bias_start + row[codes.BIAS_RIGHT])
            whole[numbers] = own[numbers]


def _threads(architecture: Architecture, prepared: Prepared, batch_size: int) -> int:
    """How many threads a step is divided among: as asked for, or two and more where each has enough to do."""
    if prepared.threads > 0:
        return min(prepared.threads, available_threads())
    dense = sum(layer.fan_in * layer.units for layer in architecture.layers[1:])
    first = architecture.layers[0].fan_in * architecture.layers[0].units
    work = batch_size * 3 * (dense + prepared.density * first)
    return max(1, min(available_threads(), int(work // (THREADS_FROM / 2))))


def _settings(architecture: Architecture, optimizer: Optimizer) -> tuple[int, NDArray[np.float64]]:
    settings = np.zeros(codes.SETTINGS)
    settings[codes.L1], settings[codes.L2] = architecture.l1, architecture.l2
    settings[codes.WEIGHT_DECAY] = optimizer.weight_decay
    if isinstance(optimizer, SGD):
        settings[codes.MOMENTUM], settings[codes.NESTEROV] = optimizer.momentum, optimizer.nesterov
        return codes.SGD, settings
    settings[codes.EPSILON] = optimizer.epsilon
    if isinstance(optimizer, RMSprop):
        settings[codes.DECAY] = optimizer.decay
        return codes.RMSPROP, settings
    assert isinstance(optimizer, Adam)
    settings[codes.BETA_1], settings[codes.BETA_2] = optimizer.beta_1, optimizer.beta_2
    return codes.ADAM, settings


def _layout(
    architecture: Architecture, prepared: Prepared, batch_size: int, threads: int, backward: bool
) -> tuple[NDArray[np.int64], list[Work]]:
    """Lay out the scratch memory of a chunk, describe the layers to the kernels, and make a memory for each thread."""
    rows, dtype = prepared.rows, architecture.dtype
    strides = [_row_stride(layer.stride, dtype) for layer in architecture.layers]
    dense = rows.kind in (DENSE_BYTES, DENSE_NUMBERS)
    x_row = _row_stride(padded(rows.features), dtype) if dense else 0
    chunk = _chunk(batch_size, x_row + 2 * sum(strides))
    size = 0

    def take(numbers: int) -> int:
        nonlocal size
        start, size = size, -(-(size + numbers) // 16) * 16
        return start

    table = np.full((len(strides), codes.LAYER_COLUMNS), -1, dtype=np.int64)
    _describe_layers(table, architecture)
    for number, layer in enumerate(architecture.layers):
        last = number == len(strides) - 1
        row = table[number]
        row[codes.THRESHOLD] = threshold(layer.dropout)
        row[codes.ROW], row[codes.BLOCK] = strides[number], max(18, _BLOCK_NUMBERS // layer.stride // 6 * 6)
        row[codes.A] = row[codes.KEPT] = take(chunk * strides[number])
        if backward:
            row[codes.D] = take(chunk * strides[number])
        if layer.dropout > 0:
            row[codes.KEPT] = take(chunk * strides[number])
        if layer.activation in ("gelu", "silu") or (last and get_loss(architecture.loss).from_logits):
            row[codes.Z] = take(chunk * strides[number])
        if number > 0 and chunk >= PACK_FROM:
            row[codes.PACKED] = take(layer.fan_in * layer.stride)
        if number > 0 and backward and batch_size > 1:
            row[codes.TRANSPOSED] = take(padded(layer.fan_in) * layer.units)
    top = architecture.layers[-1]
    x, y, mask = take(chunk * x_row), take(chunk * top.stride), take(top.stride)
    base, sums = take(architecture.layers[0].stride), take(architecture.layers[0].stride)
    block = take(int((table[:, codes.BLOCK] * table[:, codes.STRIDE]).max()) if backward else 0)

    exchanging = backward and threads > 1
    nothing = np.empty(0, dtype)
    shared = aligned_zeros(size, dtype) if exchanging else nothing
    shared_parameters = architecture.zeros() if exchanging else nothing
    losses, correct = np.zeros(chunk), np.zeros(chunk)
    # Lists pay where they are some entries long.
    listing = backward and not dense and chunk * prepared.density >= _LISTS_FROM
    skipping = not backward and dense and prepared.nonzero < DENSE_FROM
    entries = chunk * prepared.longest_row if listing else rows.features if skipping else 0
    works = [
        Work(
            *(chunk, x, x_row, y, mask, base, sums, block, int(listing), int(skipping)),
            memory=aligned_zeros(size, dtype),
            shared=shared,
            shared_parameters=shared_parameters,
            losses=losses,
            correct=correct,
            ends=np.zeros(rows.features if listing else 0, np.int64),
            members=np.zeros(entries, np.uint32),
            factors=np.zeros(entries, dtype),
            ones=np.ones(chunk if listing else 0, dtype),
        )
        for _ in range(threads)
    ]
    for work in works:
        work.memory[mask : mask + top.units] = 1
    return _tables(table, architecture, threads, backward and not dense), works


def _describe_layers(table: NDArray[np.int64], architecture: Architecture) -> None:
    """Fill in the columns of the layer table that don't depend on a data set."""
    for row, layer in zip(table, architecture.layers, strict=True):
        row[codes.FAN_IN], row[codes.UNITS], row[codes.STRIDE] = layer.fan_in, layer.units, layer.stride
        row[codes.WEIGHTS], row[codes.BIAS] = layer.weights_start, layer.bias_start
        row[codes.ACTIVATION] = getattr(codes, layer.activation.upper())


def _copy(vector: Array) -> Array:
    """Copy a flat vector to memory that begins with a cache line."""
    copied = aligned_zeros(len(vector), vector.dtype)
    copied[:] = vector
    return copied


def _row_stride(width: int, dtype: np.dtype[Any]) -> int:
    """How far apart the rows of a chunk lie: at powers of two they would all fall into few sets of the cache."""
    return width + 16 if width * dtype.itemsize % 512 == 0 else width


def _chunk(batch_size: int, numbers_of_a_row: int) -> int:
    """Rows of a chunk: equal parts of the batch, small enough for the cache; it depends on nothing else, so neither
    do the bits.
    """
    most = max(64, min(4096, _CHUNK_NUMBERS // numbers_of_a_row))
    parts = -(-batch_size // most)
    return max(1, -(-batch_size // parts))


def _tables(layers: NDArray[np.int64], architecture: Architecture, threads: int, sparse: bool) -> NDArray[np.int64]:
    """Copy the layer table for every thread, and enter what each owns: whole cache lines.

    Rows of every weight matrix, and every so other bias; with sparse rows, and several threads, columns of the first
    layer.
    """
    tables = np.repeat(layers[np.newaxis], threads, axis=0)
    for thread, table in enumerate(tables):
        for number, (row, layer) in enumerate(zip(table, architecture.layers, strict=True)):
            rows, columns = (_piece(size, thread, threads) for size in (layer.fan_in, layer.stride))
            bias = (0, layer.stride if number % threads == thread else 0)
            if number == 0 and sparse and threads > 1:
                rows, bias = (0, layer.fan_in), columns
            else:
                columns = (0, layer.stride)
            row[[codes.LOW, codes.HIGH, codes.LEFT, codes.RIGHT]] = *rows, *columns
            row[[codes.BIAS_LEFT, codes.BIAS_RIGHT]] = bias
    return tables


def _piece(size: int, thread: int, threads: int) -> tuple[int, int]:
    """First and last of a thread's share of so many numbers, in lines of 16."""
    first, last = (min(round(size * end / threads / 16) * 16, size) for end in (thread, thread + 1))
    return first, size if thread == threads - 1 else last


def _rows(samples: Samples, dtype: np.dtype[Any], sparse: bool) -> Rows:
    scale, shift = map(_plain, samples.scaling.vectors(samples.n_features, dtype))
    arrays = {
        "starts": np.empty(0, np.int64),
        "columns_16": np.empty(0, np.uint16),
        "columns_32": np.empty(0, np.uint32),
        "bytes": np.empty(0, np.uint8),
        "numbers": np.empty(0, dtype),
    }
    if samples.sparse is not None or sparse:
        kind = _fill_sparse(arrays, samples, dtype)
    else:
        assert samples.dense is not None
        if samples.dense.dtype == np.uint8:
            kind = DENSE_BYTES
            arrays["bytes"] = _plain(samples.dense)
        else:
            kind = DENSE_NUMBERS
            if samples.dense.dtype.itemsize > dtype.itemsize:
                # Scaled before it is rounded: float64 time stamps would lose what distinguishes them.
                arrays["numbers"] = _plain(samples.rows(slice(None), dtype))
                scale, shift = np.ones_like(scale), np.zeros_like(shift)
            else:
                arrays["numbers"] = _plain(samples.dense.astype(dtype, copy=False))
    return Rows(kind, samples.n_features, int(bool(shift.any())), scale, shift, **arrays)


def _fill_sparse(arrays: dict[str, Any], samples: Samples, dtype: np.dtype[Any]) -> int:
    stored = samples.sparse.values if samples.sparse is not None else samples.dense
    assert stored is not None
    compact = stored.dtype == np.uint8 and samples.n_features <= 2**16
    columns, values = ("columns_16", "bytes") if compact else ("columns_32", "numbers")
    column_type, value_type = arrays[columns].dtype, arrays[values].dtype
    if samples.sparse is not None:
        arrays["starts"] = _plain(samples.sparse.starts)
        arrays[columns] = _plain(samples.sparse.columns.astype(column_type, copy=False))
        arrays[values] = _plain(samples.sparse.values.astype(value_type, copy=False))
    else:
        assert samples.dense is not None
        # Counted in the dtype of the kernels: what is not zero in float64 may be in float32.
        dense = samples.dense if compact else np.asarray(samples.dense, dtype=dtype)
        blocks = (dense[first : first + 4096] for first in range(0, samples.n_rows, 4096))
        # Compared first, because NumPy counts what is true several times faster than what is a float.
        entries = sum(int(np.count_nonzero(block if compact else block != 0)) for block in blocks)
        starts = np.empty(samples.n_rows + 1, dtype=np.int64)
        filled = np.empty(entries + 1, column_type), np.empty(entries + 1, value_type)
        compress_rows(*filled, starts, _plain(dense), samples.n_features)
        arrays["starts"], arrays[columns], arrays[values] = starts, filled[0][:entries], filled[1][:entries]
    return SPARSE_BYTES if compact else SPARSE_NUMBERS


def _wanted(architecture: Architecture, data: Data) -> Wanted:
    dtype = architecture.dtype
    labels, values = np.empty(0, np.int32), np.empty(0, dtype)
    if data.targets is not None and data.targets.labels is not None:
        labels = _plain(data.targets.labels)
    elif data.targets is not None and data.targets.values is not None:
        values = _plain(np.asarray(data.targets.values, dtype=dtype))
    weights = np.empty(0, dtype) if data.weights is None else _plain(np.asarray(data.weights, dtype=dtype))
    return Wanted(
        has_targets=int(data.targets is not None),
        task=getattr(codes, data.task.upper()),
        labelled=int(len(labels) > 0),
        weighted=int(len(weights) > 0),
        labels=labels,
        values=values,
        weights=weights,
    )


class _Memory:
    """Passes an array's memory on as writable: to Numba, read-only arrays are another type, and would compile all
    anew.
    """

    def __init__(self, array: Array) -> None:
        self.array = array
        self.__array_interface__ = {
            "shape": (array.size,),
            "typestr": array.dtype.str,
            "data": (array.ctypes.data, False),
            "version": 3,
        }


def _plain(array: Array) -> Array:
    """The numbers of an array as a flat, contiguous one of the only kind that kernels know; they never write to it."""
    array = np.ascontiguousarray(array)
    if array.size == 0:
        return np.empty(0, array.dtype)
    return array.reshape(-1) if array.flags.writeable else np.asarray(_Memory(array))


def _is_mapped(array: Array | None) -> bool:
    """Whether an array is a file's memory map, or a view of one: it is to stay on disk."""
    while array is not None:
        if isinstance(array, np.memmap):
            return True
        array = getattr(array, "base", None)
    return False


@cache
def _say_compiling(kept: bool) -> None:
    once = "is done once" if kept else "is not kept: no folder for it could be written, set FASTMLP_CACHE_DIR to one"
    sys.stderr.write(f"fastmlp: compiling kernels for this machine; it takes about 10 s and {once}\n")


on_compile(_say_compiling)
