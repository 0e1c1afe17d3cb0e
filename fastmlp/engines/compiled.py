"""The fast engine: describes a network to the kernels in numbers, and calls them (floor 2; imports numpy, kernels,
floor 0).

Each operation is one call of compiled code for all batches of an epoch. Layer sizes, activations, losses and
optimizers are run-time values there, so the kernels are compiled once per dtype, not once per network.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..architecture import Architecture, aligned_zeros, padded
from ..dropout import epoch_key, threshold
from ..inputs import Samples
from ..kernels import batches, codes
from ..kernels._jit import on_compile
from ..kernels.sparse import compress_rows
from ..kernels.steps import DENSE_BYTES, DENSE_NUMBERS, SPARSE_BYTES, SPARSE_NUMBERS, Network, Rows, Wanted, Work
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

_CHUNK_NUMBERS = 2**18
"""A chunk of rows has about so many activations, deltas and inputs, to stay in a core's cache."""


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
        Share of the input's values that are multiplied.
    """

    rows: Rows
    wanted: Wanted
    n_rows: int
    threads: int
    density: float


def prepare(architecture: Architecture, data: Data, threads: int, sparse: bool | None = None) -> Prepared:
    """See `Engine.prepare`; `sparse`, where it is not None, decides for sparse or dense rows whatever their density."""
    density = data.samples.density()
    if sparse is None:
        sparse = data.samples.sparse is not None or (density < DENSE_FROM and not _is_mapped(data.samples.dense))
    rows = _rows(data.samples, architecture.dtype, sparse)
    return Prepared(rows, _wanted(architecture, data), data.samples.n_rows, threads, density if sparse else 1.0)


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
        keys=[epoch_key(state.seed, state.epoch, number) for number in range(len(architecture.layers))],
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
    batch_size = batch_size or len(order)
    threads = _threads(architecture, prepared, min(batch_size, len(order)))
    layers, work = _layout(architecture, prepared.rows, min(batch_size, len(order)), threads)
    layers[:, codes.KEY] = keys or 0
    settings = np.zeros(codes.SETTINGS) if settings is None else settings
    network = Network(
        loss=getattr(codes, architecture.loss.upper()),
        layers=layers,
        pieces=_pieces(architecture, prepared.rows, threads),
        settings=np.append(settings, [1 / (1 - layer.dropout) for layer in architecture.layers]),
    )
    if gradient is None:
        gradient = architecture.zeros() if mode == batches.TRAIN else nothing
    totals = np.zeros(3)
    rates = np.zeros(0) if rates is None else rates
    first, second = [*moments, nothing, nothing][:2]
    run_together(
        batches.run,
        threads,
        *(mode, nothing if outputs is None else outputs, totals, network, prepared.rows, prepared.wanted, work),
        *(code, parameters, gradient, first, second, order, batch_size, rates, step),
    )
    loss, correct, weight = totals.tolist()
    return Score(loss / weight, correct / weight) if weight > 0 else Score(0.0, 0.0)


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


def _layout(architecture: Architecture, rows: Rows, batch_size: int, threads: int) -> tuple[NDArray[np.int64], Work]:
    """Lay out the scratch memory of a chunk, and describe the layers to the kernels."""
    strides = [layer.stride for layer in architecture.layers]
    x_stride = padded(rows.features) if rows.kind in (DENSE_BYTES, DENSE_NUMBERS) else 0
    chunk = _chunk(batch_size, x_stride + 2 * sum(strides))
    size = 0

    def take(numbers: int) -> int:
        nonlocal size
        start, size = size, -(-(size + numbers) // 16) * 16
        return start

    table = np.full((len(strides), codes.LAYER_COLUMNS), -1, dtype=np.int64)
    for number, layer in enumerate(architecture.layers):
        last = number == len(strides) - 1
        row = table[number]
        row[codes.FAN_IN], row[codes.UNITS], row[codes.STRIDE] = layer.fan_in, layer.units, layer.stride
        row[codes.WEIGHTS], row[codes.BIAS] = layer.weights_start, layer.bias_start
        row[codes.ACTIVATION] = getattr(codes, layer.activation.upper())
        row[codes.THRESHOLD] = threshold(layer.dropout)
        row[codes.A] = row[codes.KEPT] = take(chunk * layer.stride)
        row[codes.D] = take(chunk * layer.stride)
        if layer.dropout > 0:
            row[codes.KEPT] = take(chunk * layer.stride)
        if layer.activation in ("gelu", "silu") or (last and get_loss(architecture.loss).from_logits):
            row[codes.Z] = take(chunk * layer.stride)
        if number > 0:
            row[codes.TRANSPOSED] = take(padded(layer.fan_in) * layer.units)
    x, y = take(chunk * x_stride), take(chunk * strides[-1])
    base, sums = take(strides[0]), take(threads * strides[0])
    memory = aligned_zeros(size, architecture.dtype)
    return table, Work(chunk, x, y, base, sums, memory, np.zeros(chunk), np.zeros(chunk))


def _chunk(batch_size: int, numbers_of_a_row: int) -> int:
    """Rows of a chunk: equal parts of the batch, small enough for the cache; it depends on nothing else, so neither
    do the bits.
    """
    most = max(64, min(4096, _CHUNK_NUMBERS // numbers_of_a_row))
    parts = -(-batch_size // most)
    return max(1, -(-batch_size // parts))


def _pieces(architecture: Architecture, rows: Rows, threads: int) -> NDArray[np.int64]:
    """Which rows of every weight matrix a thread owns: whole panels of 16, the sparse first layer's by equal
    non-zeros.
    """
    pieces = np.zeros((threads + 1, len(architecture.layers)), dtype=np.int64)
    shares = np.arange(threads + 1) / threads
    for number, layer in enumerate(architecture.layers):
        pieces[:, number] = np.minimum(np.round(shares * layer.fan_in / 16) * 16, layer.fan_in)
        if number == 0 and threads > 1 and rows.kind in (SPARSE_BYTES, SPARSE_NUMBERS):
            columns = rows.columns_16 if rows.kind == SPARSE_BYTES else rows.columns_32
            spread = columns[:: max(1, len(columns) // 2**20)]
            filled = np.cumsum(np.bincount(spread, minlength=layer.fan_in))
            pieces[1:-1, 0] = np.searchsorted(filled, shares[1:-1] * filled[-1])
        pieces[-1, number] = layer.fan_in
    return pieces


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
        starts = np.zeros(samples.n_rows + 1, dtype=np.int64)
        for first in range(0, samples.n_rows, 4096):
            block = dense[first : first + 4096]
            starts[first + 1 : first + 1 + len(block)] = np.count_nonzero(block, axis=1)
        np.cumsum(starts, out=starts)
        arrays["starts"] = starts
        arrays[columns], arrays[values] = np.empty(starts[-1], column_type), np.empty(starts[-1], value_type)
        compress_rows(arrays[columns], arrays[values], starts, _plain(dense), samples.n_features)
    return SPARSE_BYTES if compact else SPARSE_NUMBERS


def _wanted(architecture: Architecture, data: Data) -> Wanted:
    dtype = architecture.dtype
    labels, values = np.empty(0, np.int32), np.empty(0, dtype)
    if data.targets is not None and data.targets.labels is not None:
        labels = _plain(data.targets.labels)
    elif data.targets is not None and data.targets.values is not None:
        values = _plain(np.asarray(data.targets.values, dtype=dtype))
    weights = np.empty(0, dtype) if data.weights is None else _plain(np.asarray(data.weights, dtype=dtype))
    return Wanted(int(data.targets is not None), getattr(codes, data.task.upper()), labels, values, weights)


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
