"""Where things lie in a thread's memory (floor 5; imports numpy, model, kernels)."""

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ...kernels.dense.microkernels import HEIGHTS
from ...kernels.optimizers import TERMS
from ...kernels.runtime import constants
from ...kernels.runtime.fields import Records
from ...kernels.runtime.records import (
    DENSE_BYTES,
    DENSE_NUMBERS,
    NARROW,
    PACK_FROM,
    PANELS_FROM,
    SPARSE_BYTES,
    Rows,
    Settings,
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
from .ownership import PANEL, Division, divide, owned, piece
from .threads import Team

_CHUNK_NUMBERS = 2**19
"""A chunk of rows has about so many activations, deltas and inputs, to stay in a core's cache."""

_BLOCK_NUMBERS = 2**13
"""Gradients are computed about so many at a time before the optimizer takes them: they never leave the cache."""

_GROUPS = 8
"""Groups of a batch's chunks, see `kernels.parallel.data_parallel`: that many threads can share them evenly."""

_GROUPED_FROM, _GROUPED_PARAMETERS = 1024, 2**14
"""Rows of a batch from which it is worked off in groups, and the most parameters that the network may have (measured).
"""

_GROUPED_ROWS = 128
"""Rows of a chunk then, about: it stays in L1 and L2 from the inputs to the gradient."""

_LISTS_FROM, _LISTS_WIDTH = 4.0, 128
"""Entries of a column in a chunk, on average, and columns of the first weight matrix that a thread owns, from which it
pays to list the entries by columns (measured).
"""

FORWARD_ROWS = 96
"""Rows of a chunk, at most, where dense rows only pass forward: fresh memory for more costs more than a chunk does."""

TOGETHER_FROM = 512
"""Units of a layer, whole panels of them, from which threads pack its weights together. With two threads
50-2048-2048-1 is 1.12 to 1.20 times as fast, and layers of 512 and 1,024 as fast as without; 64-256-256-1 would be 0.95
times and in float64 0.68, for threads would read each other's lines in the midst of products (2 cores of a Xeon,
November 2026). The more threads, the more it saves: without it each of them packs all weights.
"""

_PARTED_FROM = 8
"""Rows of a batch from which it pays to multiply some features of sparse rows densely."""

_LARGE_NUMBERS = 2**21
"""Weights of a first layer that, with the moments of Adam, are more than caches hold."""


def is_large(architecture: Architecture) -> bool:
    """Whether the first layer is so large that a step of the optimizer has to fetch it from memory."""
    return architecture.layers[0].fan_in * architecture.layers[0].stride >= _LARGE_NUMBERS


def is_grouped(architecture: Architecture, batch_size: int) -> bool:
    """Whether a batch is worked off in groups of chunks, see `kernels.parallel.data_parallel`."""
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
        One flat vector a thread; none in a forward pass.
    copies : list of list of ndarray
        For the parameters and the moments, one flat vector each, for every thread but the first; for that too where
        threads own columns of the first layer or halves, or features are parted.
    team : Team
        The threads themselves.
    division : Division
        Of the parameters among them.
    together : list of int
        Of each layer, whether its threads may pack its weights together.
    arrangement : ndarray of int64, shape (n_features,), or None
        The order of the features, and so of the rows of the first layer's weights, in the vectors of the threads; None
        where it is their own.
    """

    tables: list[Records]
    steps: list[Step]
    gradients: list[Array]
    copies: list[list[Array]]
    team: Team
    division: Division
    together: list[int]
    arrangement: NDArray[np.int64] | None = None


class Wanted(NamedTuple):
    """What memory is wanted for; it is the key in `Prepared.layouts`.

    Attributes
    ----------
    batch_size, threads : int
    backward : bool
        Whether it is for more than a pass forward.
    moments : int
        Vectors that the optimizer remembers.
    halved : bool
        Whether the second layer is added up by halves, see `split_layer`.
    parted : bool
        Whether rows are those of `Prepared.parted`.
    """

    batch_size: int
    threads: int
    backward: bool
    moments: int
    halved: bool = False
    parted: bool = False


def layout(architecture: Architecture, prepared: Prepared, wanted: Wanted) -> Layout:
    """Lay out the scratch memory of a chunk, describe the layers to the kernels, and make a memory for each thread."""
    plan, dtype, threads = _Plan.of(architecture, prepared, wanted), architecture.dtype, wanted.threads
    memory = _Memory()
    described = _place_layers(plan, memory)
    places = _place_the_rest(plan, memory, described)
    exchanging = wanted.backward and plan.division.owners > 1
    # What all threads have is one array.
    places |= {
        "shared": aligned_zeros(memory.size if exchanging else 0, dtype),
        "shared_parameters": aligned_zeros(architecture.flat_size if exchanging else 0, dtype),
        "partials": np.empty(0, dtype),
        "group_gradients": aligned_zeros(_GROUPS * architecture.flat_size if plan.grouped else 0, dtype),
        "group_totals": np.zeros(_GROUPS * constants.ONE_OF_GROUP if plan.grouped else 0),
        "losses": own_lines(plan.chunk),
        "correct": own_lines(plan.chunk),
    }
    works = [Work(dtype, **places, **_own_arrays(plan, memory.size)) for _ in range(threads)]
    mask = slice(places["mask"], places["mask"] + architecture.outputs)
    for work in works:
        work.memory[mask] = 1
        if plan.grouped:
            work.enter(losses=own_lines(plan.chunk), correct=own_lines(plan.chunk))
    tables = [owned(described, architecture, plan.division, n % plan.division.owners) for n in range(threads)]
    told = {"loss": getattr(constants, architecture.loss.upper()), "n_parameters": architecture.flat_size}
    copies = (threads if plan.division.by_columns or wanted.parted else threads - 1) if wanted.backward else 0
    return Layout(
        tables=tables,
        steps=[
            Step(
                dtype,
                # Threads write to theirs all the time.
                table=own_lines(len(Step.fields)).view(np.int64),
                layers=own,
                n_layers=len(own),
                settings=Settings(),
                work=work,
                **told,
            )
            for own, work in zip(tables, works, strict=True)
        ],
        gradients=[architecture.zeros() for _ in range(threads)] if wanted.backward else [],
        copies=[[architecture.zeros() for _ in range(1 + wanted.moments)] for _ in range(copies)],
        team=Team(),
        division=plan.division,
        together=[layer.together for layer in described],
        arrangement=prepared.arrangement if wanted.parted else None,
    )


class _Memory:
    """Scratch memory that is being laid out, in whole lines of 16 numbers."""

    size = 0

    def take(self, numbers: int) -> int:
        """Return where so many numbers begin."""
        start, self.size = self.size, -(-(self.size + numbers) // 16) * 16
        return start


class _Plan(NamedTuple):
    """What is decided before anything is laid out.

    Attributes
    ----------
    architecture : Architecture
    wanted : Wanted
    rows : Rows
    chunk : int
        Rows of a chunk, at most.
    x_row : int
        How far apart rows that are copied to the chunk lie there; 0 where none are.
    grouped : bool
    skipping : bool
        Whether the zeros of dense rows are skipped.
    listing : bool
        Whether the entries of sparse rows are listed by columns.
    division : Division
        Of the parameters among the threads.
    longest_row : int
        Entries of a sparse row, at most.
    """

    architecture: Architecture
    wanted: Wanted
    rows: Rows
    chunk: int
    x_row: int
    grouped: bool
    skipping: bool
    listing: bool
    division: Division
    longest_row: int

    @classmethod
    def of(cls, architecture: Architecture, prepared: Prepared, wanted: Wanted) -> Self:
        """Decide."""
        rows, dtype = prepared.parted if wanted.parted else prepared.rows, architecture.dtype
        dense = rows.kind in (DENSE_BYTES, DENSE_NUMBERS)
        copied = rows.features if dense else rows.filled
        grouped = wanted.backward and is_grouped(architecture, wanted.batch_size)
        chunk = chunk_rows(architecture, wanted.batch_size, copied)
        if grouped:
            chunk = -(-wanted.batch_size // (-(-wanted.batch_size // (_GROUPS * _GROUPED_ROWS)) * _GROUPS))
        if dense and not wanted.backward:
            chunk = min(chunk, FORWARD_ROWS)
        owners = 1 if grouped else wanted.threads  # in groups every thread keeps all parameters up to date
        by_columns = wanted.backward and not dense and owners > 1
        entries = chunk * prepared.density
        return cls(
            architecture,
            wanted,
            rows,
            chunk,
            x_row=row_stride(padded(copied, dtype), dtype) if copied else 0,
            grouped=grouped,
            skipping=dense and not wanted.backward and skips_zeros(prepared),
            listing=wanted.backward and not dense and _lists_pay(architecture, prepared, wanted, chunk, owners),
            division=divide(architecture, prepared, rows, owners, by_columns, entries),
            longest_row=prepared.longest or int(np.diff(rows.starts).max(initial=0)),
        )


def _lists_pay(architecture: Architecture, prepared: Prepared, wanted: Wanted, chunk: int, owners: int) -> bool:
    """Whether it pays to list the entries of sparse rows by columns."""
    width = architecture.layers[0].stride // owners
    # Lists pay where they are some entries long. They also spare an optimizer with a memory the gradient of a matrix
    # that no cache holds, which row by row would be filled with zeros, written and read as a whole.
    long = width >= _LISTS_WIDTH and chunk * prepared.density >= _LISTS_FROM
    return long or (wanted.moments > 0 and is_large(architecture))


def _place_layers(plan: _Plan, memory: _Memory) -> Records:
    """Describe the layers, and make room for what each of them needs of a chunk."""
    architecture, wanted, chunk = plan.architecture, plan.wanted, plan.chunk
    described, dtype = describe_layers(architecture), architecture.dtype
    for number, (own, layer) in enumerate(zip(described, architecture.layers, strict=True)):
        last, row = number == len(described) - 1, row_stride(layer.stride, dtype)
        own.threshold, own.dropout_scale = threshold(layer.dropout), 1 / (1 - layer.dropout)
        own.row_stride, own.block_rows = row, block_rows(layer.stride)
        own.activations = own.before_dropout = memory.take(chunk * row)
        if wanted.backward:
            own.deltas = memory.take(chunk * row)
        if layer.dropout > 0:
            own.before_dropout = memory.take(chunk * row)
        if layer.activation in ("gelu", "silu") or (last and get_loss(architecture.loss).from_logits):
            own.logits = memory.take(chunk * row)
        own.together = 0
        own.few_units = int(number > 0 and chunk >= PACK_FROM and has_few_units(layer, dtype))
        if own.few_units:
            own.packed = own.packed_transposed = memory.take(padded(layer.fan_in, dtype) * layer.units)
            continue
        if number > 0 and chunk >= PACK_FROM:
            own.packed = memory.take(layer.fan_in * layer.stride)
        if number > 0 and wanted.backward and wanted.batch_size > 1:
            own.packed_transposed = memory.take(padded(layer.fan_in, dtype) * layer.stride)
            whole = layer.units % PANEL == 0 and chunk >= PACK_FROM
            own.together = int(whole and layer.units >= TOGETHER_FROM and plan.division.owners > 1)
    return described


def _place_the_rest(plan: _Plan, memory: _Memory, described: Records) -> dict[str, Any]:
    """Return the whole numbers of `Work`: where in `memory` things lie that are no layer's, and what was decided."""
    layers, chunk, backward = plan.architecture.layers, plan.chunk, plan.wanted.backward
    first, top, widest = layers[0], layers[-1], max(layer.stride for layer in layers)
    packing = backward and widest >= PANELS_FROM and chunk >= PACK_FROM
    halved, take = plan.wanted.halved, memory.take
    return {
        "x": take(chunk * plan.x_row),
        "y": take(chunk * top.stride),
        "mask": take(top.stride),
        "base": take(first.stride),
        "sums": take(first.stride),
        "block": take(max(layer.block_rows * layer.width for layer in described) if backward else 0),
        "other": take(chunk * described[1].row_stride) if halved else -1,
        "panels": take(chunk * widest if packing else 0),
        "chunk": chunk,
        "x_row": plan.x_row,
        "listing": plan.listing,
        "skipping": plan.skipping,
        "narrow": is_narrow(plan.architecture),
        "half": -1,
        "first_units": first_half(plan.architecture) if halved else 0,
        "groups": _GROUPS if plan.grouped else 0,
        "parts": plan.division.parts,
    }


def _own_arrays(plan: _Plan, size: int) -> dict[str, Any]:
    """Return the arrays of `Work` that each thread has for itself; its memory is so large."""
    rows, dtype, longest = plan.rows, plan.architecture.dtype, plan.longest_row
    if rows.kind >= SPARSE_BYTES:
        entries = longest * (plan.chunk if plan.listing else 1)
    else:
        entries = rows.features if plan.skipping else 0
    return {
        "memory": aligned_zeros(size, dtype),
        "ends": np.zeros(rows.features if plan.listing else 0, np.int64),
        "members": np.zeros(entries + BLOCK, np.uint32),
        "factors": np.zeros((2 if plan.skipping else 1) * (entries + BLOCK), dtype),
        "terms": aligned_zeros(TERMS * (WIDEST // 8 // dtype.itemsize), dtype),
        "eights": np.zeros(plan.chunk * -(-longest // EIGHT) + EIGHT if rows.by_eights else 0, np.int64),
    }


def own_lines(size: int) -> NDArray[np.float64]:
    """Return zeros on cache lines of their own: two threads that write to the same lines slow each other down."""
    return aligned_zeros(-(-size // 16) * 16, np.dtype(np.float64))[:size]


def skips_zeros(prepared: Prepared) -> bool:
    """Whether a forward pass skips the zeros of dense rows as they come."""
    return not prepared.sparse and prepared.nonzero < DENSE_FROM


def is_parted(architecture: Architecture, prepared: Prepared, batch_size: int) -> bool:
    """Whether training multiplies some features of sparse rows densely, see `kernels.sparse.parting`: in batches that
    are as many rows as a tile has.
    """
    few = batch_size < _PARTED_FROM or is_grouped(architecture, batch_size)
    return len(prepared.filled) > 0 and not few and not is_large(architecture)


def describe_layers(architecture: Architecture) -> Records:
    """Describe the layers to the kernels, as far as they don't depend on a data set."""
    described = Records(LayerRecord, len(architecture.layers), -1)
    for own, layer in zip(described, architecture.layers, strict=True):
        own.fan_in, own.units, own.width = layer.fan_in, layer.units, layer.stride
        own.weights, own.bias, own.weights_stride = layer.weights_start, layer.bias_start, layer.stride
        own.activation, own.trainable = getattr(constants, layer.activation.upper()), layer.trainable
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


def has_few_units(layer: Layer, dtype: np.dtype[Any]) -> bool:
    """Whether a layer's products go along its fan-in, see `kernels.dense.narrow`: a dot product costs its vectors, and
    8 more steps to add up the last one (measured); the other way it is a vector a unit of the layer before.
    """
    vectors = padded(layer.fan_in, dtype) // padded(1, dtype)
    return layer.units * (vectors + 8) < layer.fan_in


def is_narrow(architecture: Architecture) -> bool:
    """Whether the first layer has several sums over a sparse row; it may not depend on who has which columns."""
    return architecture.layers[0].stride * architecture.dtype.itemsize * 8 <= NARROW * WIDEST


def first_half(architecture: Architecture) -> int:
    """Units of the first layer that are its first half: whole cache lines; 0 where it has too few."""
    layer = architecture.layers[0]
    half = piece(layer.stride, 0, 2)[1]
    return half if half < layer.units else 0
