"""Where things lie in a thread's memory, and what each thread owns (floor 5; imports numpy, model, kernels)."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...kernels.dense.microkernels import HEIGHTS
from ...kernels.runtime import constants
from ...kernels.runtime.fields import Records
from ...kernels.runtime.records import (
    DENSE_BYTES,
    DENSE_NUMBERS,
    MEDIUM,
    MEDIUM_SUMS,
    NARROW,
    NARROW_SUMS,
    PACK_FROM,
    PANELS_FROM,
    SPARSE_BYTES,
    Step,
    Work,
)
from ...kernels.runtime.records import Layer as LayerRecord
from ...kernels.runtime.simd import WIDEST
from ...kernels.sparse.eights import EIGHT
from ...kernels.sparse.microkernels import BLOCK
from ...model.architecture import Architecture, Layer, aligned_zeros, padded
from ...model.dropout import threshold
from ...model.losses import get_loss
from ..base import Array
from .conversion import DENSE_FROM, Prepared
from .threads import Team

_CHUNK_NUMBERS = 2**19
"""A chunk of rows has about so many activations, deltas and inputs, to stay in a core's cache."""

_BLOCK_NUMBERS = 2**13
"""Gradients are computed about so many at a time before the optimizer takes them: they never leave the cache."""

_GROUPS = 8
"""Groups of a batch's chunks, see `kernels.groups`: that many threads can share them evenly."""

_GROUPED_FROM, _GROUPED_PARAMETERS = 1024, 2**14
"""Rows of a batch from which it is worked off in groups, and the most parameters that the network may have (measured).
"""

_GROUPED_ROWS = 128
"""Rows of a chunk then, about: it stays in L1 and L2 from the inputs to the gradient."""

_LISTS_FROM, _LISTS_WIDTH = 4.0, 64
"""Entries of a column in a chunk, on average, and columns of the first weight matrix that a thread owns, from which it
pays to list the entries by columns (measured).
"""

_LISTED_ROWS = 256
"""Rows of a chunk, at most, for whose bytes every column's list has room: their numbers are bytes, too."""

FORWARD_ROWS = 96
"""Rows of a chunk, at most, where dense rows only pass forward: fresh memory for more costs more than a chunk does."""

_PARTED_FROM = 8
"""Rows of a batch from which it pays to multiply some features of sparse rows densely."""

_LARGE_NUMBERS = 2**21
"""Weights of a first layer that, with the moments of Adam, are more than caches hold."""


def is_large(architecture: Architecture) -> bool:
    """Whether the first layer is so large that a step of the optimizer has to fetch it from memory."""
    return architecture.layers[0].fan_in * architecture.layers[0].stride >= _LARGE_NUMBERS


def is_grouped(architecture: Architecture, batch_size: int) -> bool:
    """Whether a batch is worked off in groups of chunks, see `kernels.groups`."""
    return batch_size >= _GROUPED_FROM and architecture.flat_size <= _GROUPED_PARAMETERS


class Layout(NamedTuple):
    """Memory of the threads, and what is in it.

    Attributes
    ----------
    tables : list of Records
        The layers as each thread is told of them.
    steps : list of Step
        What each thread is told; what belongs to a pass is entered for every pass.
    gradients : list of ndarray
        One flat vector a thread; of none in a forward pass.
    copies : list of list of ndarray
        For the parameters and the moments, one flat vector each, for every thread but the first; where threads own
        columns of the first layer, for that too.
    team : Team
        The threads themselves.
    arrangement : ndarray of int64, shape (n_features,), or None
        The order of the features, and so of the rows of the first layer's weights, in the vectors of the threads; None
        where it is their own.
    """

    tables: list[Records]
    steps: list[Step]
    gradients: list[Array]
    copies: list[list[Array]]
    team: Team
    arrangement: NDArray[np.int64] | None = None


def layout(
    architecture: Architecture,
    prepared: Prepared,
    batch_size: int,
    threads: int,
    backward: bool,
    moments: int,
    halved: bool = False,
    parted: bool = False,
) -> Layout:
    """Lay out the scratch memory of a chunk, describe the layers to the kernels, and make a memory for each thread.

    `halved` is for one thread that adds the second layer up by halves, see `halves`; `parted` for `Prepared.parted`.
    """
    rows, dtype = prepared.parted if parted else prepared.rows, architecture.dtype
    strides = [row_stride(layer.stride, dtype) for layer in architecture.layers]
    dense = rows.kind in (DENSE_BYTES, DENSE_NUMBERS)
    copied = rows.features if dense else rows.filled
    x_row = row_stride(padded(copied, dtype), dtype) if copied else 0
    n_parameters = architecture.flat_size
    grouped = backward and is_grouped(architecture, batch_size)
    chunk = chunk_rows(architecture, batch_size, copied)
    if grouped:
        chunk = -(-batch_size // (-(-batch_size // (_GROUPS * _GROUPED_ROWS)) * _GROUPS))
    dense_forward = dense and not backward
    skipping = dense_forward and skips_zeros(prepared)
    if dense_forward:
        chunk = min(chunk, FORWARD_ROWS)
    size = 0

    def take(numbers: int) -> int:
        nonlocal size
        start, size = size, -(-(size + numbers) // 16) * 16
        return start

    described = describe_layers(architecture)
    for number, layer in enumerate(architecture.layers):
        last = number == len(strides) - 1
        own = described[number]
        own.threshold, own.dropout_scale = threshold(layer.dropout), 1 / (1 - layer.dropout)
        own.row_stride, own.block_rows = strides[number], block_rows(layer.stride)
        own.activations = own.before_dropout = take(chunk * strides[number])
        if backward:
            own.deltas = take(chunk * strides[number])
        if layer.dropout > 0:
            own.before_dropout = take(chunk * strides[number])
        if layer.activation in ("gelu", "silu") or (last and get_loss(architecture.loss).from_logits):
            own.logits = take(chunk * strides[number])
        own.few_units = int(number > 0 and chunk >= PACK_FROM and has_few_units(layer, dtype))
        if own.few_units:
            own.packed = own.packed_transposed = take(padded(layer.fan_in, dtype) * layer.units)
            continue
        if number > 0 and chunk >= PACK_FROM:
            own.packed = take(layer.fan_in * layer.stride)
        if number > 0 and backward and batch_size > 1:
            own.packed_transposed = take(padded(layer.fan_in, dtype) * layer.stride)
    top = architecture.layers[-1]
    x, y, mask = take(chunk * x_row), take(chunk * top.stride), take(top.stride)
    base, sums = take(architecture.layers[0].stride), take(architecture.layers[0].stride)
    block = take(max(layer.block_rows * layer.width for layer in described) if backward else 0)
    other = take(chunk * strides[1]) if halved else -1
    widest = max(layer.stride for layer in architecture.layers)
    panels = take(chunk * widest if backward and widest >= PANELS_FROM and chunk >= PACK_FROM else 0)

    owners = 1 if grouped else threads  # in groups every thread keeps all parameters up to date
    by_columns = backward and not dense and owners > 1
    exchanging = backward and owners > 1
    nothing = np.empty(0, dtype)
    shared = aligned_zeros(size, dtype) if exchanging else nothing
    shared_parameters = architecture.zeros() if exchanging else nothing
    losses, correct = own_lines(chunk), own_lines(chunk)
    group_gradients = aligned_zeros(_GROUPS * n_parameters if grouped else 0, dtype)
    group_totals = np.zeros(_GROUPS * constants.ONE_OF_GROUP if grouped else 0)
    # Lists pay where they are some entries long. They also spare an optimizer with a memory the gradient of a matrix
    # that no cache holds, which row by row would be filled with zeros, written and read as a whole.
    own_width = architecture.layers[0].stride // owners
    listing = backward and not dense and own_width >= _LISTS_WIDTH and chunk * prepared.density >= _LISTS_FROM
    listing |= backward and not dense and moments > 0 and is_large(architecture)
    # Rows that come in eights are added as they are where a thread has few columns.
    listing &= not rows.by_eights or own_width >= 2 * _LISTS_WIDTH
    # Each an odd number of cache lines, so that they don't all fall into few sets of the cache.
    room = 32 * (-(-(chunk + 1) // 32) | 1) if listing and rows.kind == SPARSE_BYTES and chunk <= _LISTED_ROWS else 0
    longest_row = prepared.longest or int(np.diff(rows.starts).max(initial=0))
    entries = rows.features if skipping else 0 if dense else longest_row * (chunk if listing else 1)
    if room:
        entries = max(longest_row, room)
    works = [
        Work(
            dtype,
            **{"chunk": chunk, "x": x, "x_row": x_row, "y": y, "mask": mask, "base": base, "sums": sums},
            **{"block": block, "panels": panels, "listing": listing, "room": room, "skipping": skipping},
            **{"turns": first_layer_sums(architecture), "half": -1, "other": other},
            first_units=first_half(architecture) if halved else 0,
            memory=aligned_zeros(size, dtype),
            shared=shared,
            shared_parameters=shared_parameters,
            partials=nothing,
            losses=own_lines(chunk) if grouped else losses,
            correct=own_lines(chunk) if grouped else correct,
            groups=_GROUPS if grouped else 0,
            group_gradients=group_gradients,
            group_totals=group_totals,
            ends=np.zeros(rows.features if listing else 0, np.int64),
            members=np.zeros(entries + BLOCK, np.uint32),
            factors=np.zeros((2 if skipping else 1) * (entries + BLOCK), dtype),
            eights=np.zeros(chunk * -(-longest_row // EIGHT) + EIGHT if rows.by_eights else 0, np.int64),
            pairs=np.zeros(rows.features * room + BLOCK if room else 0, np.uint16),
        )
        for _ in range(threads)
    ]
    for work in works:
        work.memory[mask : mask + top.units] = 1
    tables = [_owned(described, architecture, number % owners, owners, by_columns) for number in range(threads)]
    copies = (threads if by_columns or parted else threads - 1) if backward else 0
    loss = getattr(constants, architecture.loss.upper())
    return Layout(
        tables=tables,
        steps=[
            Step(
                dtype,
                **{"layers": own, "n_layers": len(own), "loss": loss, "settings": np.zeros(constants.SETTINGS)},
                **{"work": work, "n_parameters": n_parameters},
            )
            for own, work in zip(tables, works, strict=True)
        ],
        gradients=[architecture.zeros() for _ in range(threads)] if backward else [],
        copies=[[architecture.zeros() for _ in range(1 + moments)] for _ in range(copies)],
        team=Team(),
        arrangement=prepared.arrangement if parted else None,
    )


def own_lines(size: int) -> NDArray[np.float64]:
    """Return zeros on cache lines of their own: two threads that write to the same lines slow each other down."""
    return aligned_zeros(-(-size // 16) * 16, np.dtype(np.float64))[:size]


def skips_zeros(prepared: Prepared) -> bool:
    """Whether a forward pass skips the zeros of dense rows as they come."""
    return not prepared.sparse and prepared.nonzero < DENSE_FROM


def is_parted(architecture: Architecture, prepared: Prepared, batch_size: int) -> bool:
    """Whether training multiplies some features of sparse rows densely, see `kernels.parting`: in batches that are as
    many rows as a tile has.
    """
    few = batch_size < _PARTED_FROM or is_grouped(architecture, batch_size)
    return len(prepared.filled) > 0 and not few and not is_large(architecture)


def describe_layers(architecture: Architecture) -> Records:
    """Describe the layers to the kernels, as far as they don't depend on a data set."""
    described = Records(LayerRecord, len(architecture.layers), -1)
    for own, layer in zip(described, architecture.layers, strict=True):
        own.fan_in, own.units, own.width = layer.fan_in, layer.units, layer.stride
        own.weights, own.bias, own.weights_stride = layer.weights_start, layer.bias_start, layer.stride
        own.activation = getattr(constants, layer.activation.upper())
    return described


def row_stride(width: int, dtype: np.dtype[Any]) -> int:
    """How far apart the rows of a chunk lie: at powers of two they would all fall into few sets of the cache."""
    return width + 16 if width * dtype.itemsize % 512 == 0 else width


def block_rows(width: int) -> int:
    """Rows of a weight matrix whose gradient is computed at a time: whole tiles, of 6 or 8 rows."""
    tile = HEIGHTS[2][0]
    return max(-(-16 // tile), _BLOCK_NUMBERS // width // tile) * tile


def chunk_rows(architecture: Architecture, batch_size: int, features: int) -> int:
    """Rows of a chunk: equal parts of the batch, small enough for the cache; it depends on nothing else, so neither
    do the bits.

    `features` are those of dense rows, which are copied to the chunk; 0 for sparse ones.
    """
    strides = [row_stride(layer.stride, architecture.dtype) for layer in architecture.layers]
    dtype = architecture.dtype
    numbers_of_a_row = (row_stride(padded(features, dtype), dtype) if features else 0) + 2 * sum(strides)
    return rows_that_fit(batch_size, numbers_of_a_row)


def rows_that_fit(batch_size: int, numbers_of_a_row: int) -> int:
    """Rows of equal parts of a batch, small enough for the cache."""
    most = max(64, min(4096, _CHUNK_NUMBERS // numbers_of_a_row))
    parts = -(-batch_size // most)
    return max(1, -(-batch_size // parts))


def _owned(layers: Records, architecture: Architecture, thread: int, threads: int, by_columns: bool) -> Records:
    """Copy the layers for a thread, and enter what it owns: whole cache lines.

    Rows of every weight matrix, and the biases in turns; or, `by_columns`, columns of the first layer.
    """
    copy = layers.copy()
    for number, (own, layer) in enumerate(zip(copy, architecture.layers, strict=True)):
        rows, columns = (_piece(size, thread, threads) for size in (layer.fan_in, layer.stride))
        bias = (0, layer.stride if number % threads == thread else 0)
        if number == 0 and by_columns:
            rows, bias = (0, layer.fan_in), columns
            # Kept close together: a part of longer rows would fall into a part of the cache's sets.
            own.weights_stride, own.weights = columns[1] - columns[0], layer.weights_start - columns[0]
        else:
            columns = (0, layer.stride)
        own.first_row, own.end_row = rows
        own.first_column, own.end_column = columns
        own.first_bias, own.end_bias = bias
    return copy


def _piece(size: int, thread: int, threads: int) -> tuple[int, int]:
    """First and last of a thread's share of so many numbers, in lines of 16."""
    first, last = (min(round(size * end / threads / 16) * 16, size) for end in (thread, thread + 1))
    return first, size if thread == threads - 1 else last


def has_few_units(layer: Layer, dtype: np.dtype[Any]) -> bool:
    """Whether a layer's products go along its fan-in, see `kernels.few_units`: a dot product costs its vectors, and 8
    more steps to add up the last one (measured); the other way it is a vector a unit of the layer before.
    """
    vectors = padded(layer.fan_in, dtype) // padded(1, dtype)
    return layer.units * (vectors + 8) < layer.fan_in


def first_layer_sums(architecture: Architecture) -> int:
    """How many sums over a sparse row the first layer has in turns; it may not depend on who has which columns."""
    vectors = architecture.layers[0].stride * architecture.dtype.itemsize * 8 // WIDEST
    return NARROW_SUMS if vectors <= NARROW else MEDIUM_SUMS if vectors <= MEDIUM else 1


def first_half(architecture: Architecture) -> int:
    """Units of the first layer that are its first half: whole cache lines; 0 where it has too few."""
    layer = architecture.layers[0]
    half = _piece(layer.stride, 0, 2)[1]
    return half if half < layer.units else 0


def hand_over(
    architecture: Architecture,
    whole: Array,
    own: Array,
    layers: Records,
    arrangement: NDArray[np.int64] | None = None,
) -> None:
    """Copy a vector to that of a thread, of the first layer's weights the columns that it owns, by its layers."""
    mine, layer = layers[0], architecture.layers[0]
    end = layer.weights_start + layer.fan_in * layer.stride
    weights = whole[layer.weights_start : end].reshape(layer.fan_in, layer.stride)
    own[end:] = whole[end:]
    columns = weights[:, mine.first_column : mine.end_column]
    _own_weights(own, layer, mine)[...] = columns if arrangement is None else columns[arrangement]


def take_over(
    architecture: Architecture,
    whole: Array,
    own: Array,
    layers: Records,
    arrangement: NDArray[np.int64] | None = None,
) -> None:
    """Copy what a thread owns of a vector, by its layers, to the whole one."""
    for number, (mine, layer) in enumerate(zip(layers, architecture.layers, strict=True)):
        end = layer.weights_start + layer.fan_in * layer.stride
        weights = whole[layer.weights_start : end].reshape(layer.fan_in, layer.stride)
        part = weights[mine.first_row : mine.end_row, mine.first_column : mine.end_column]
        if number == 0 and arrangement is not None:
            part[arrangement] = _own_weights(own, layer, mine)
        else:
            part[...] = _own_weights(own, layer, mine)[mine.first_row : mine.end_row]
        if layer.bias_start >= 0:
            numbers = slice(layer.bias_start + mine.first_bias, layer.bias_start + mine.end_bias)
            whole[numbers] = own[numbers]


def _own_weights(own: Array, layer: Layer, mine: LayerRecord) -> Array:
    """View the columns of a layer's weights that a thread owns in its vector, all rows of them."""
    apart, width = mine.weights_stride, mine.end_column - mine.first_column
    start = layer.weights_start
    return own[start : start + layer.fan_in * apart].reshape(layer.fan_in, apart)[:, :width]
