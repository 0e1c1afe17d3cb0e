"""What the engine gives to `batches.run`, and numbers that both sides know (floor 2; imports numpy).

The arrays of the named tuples are flat; `batches.run` takes pointers to them and passes those on.
"""

from typing import Any, NamedTuple

import numpy as np

from .fields import Record, Records, real, whole

# Typed, because a plain 0 or 1 among the arguments makes Numba compile the callee once for each pattern of them.
NEXT = ADD = YES = ONE_ROW = np.int64(1)
UNPACKED = NEW = NO = np.int64(0)
NONE = np.int64(-1)

DENSE_BYTES, DENSE_NUMBERS, SPARSE_BYTES, SPARSE_NUMBERS = range(4)

PACK_FROM = 16
"""Rows of a chunk from which it pays to pack ``W`` for the forward pass."""

STRIP = 256
"""Columns of a first layer on sparse rows that are worked off at a time: of 784 features they fill most of L2."""

NARROW, MEDIUM = 2, 4
NARROW_SUMS, MEDIUM_SUMS = 4, 2
"""Vectors of a first layer, at most, that has several sums over a sparse row, to which entries are added in turns so as
not to wait for one another; and how many.
"""

PIECES = 4
"""Rows that only pass forward are cut into so many pieces a thread, at least."""

PANELS_FROM = 512
"""Units of a layer from which it pays to pack its deltas for the weight gradient."""


class Rows(NamedTuple):
    """The samples. Of the arrays, those that `kind` doesn't need are empty; so every data set has the same types."""

    kind: int
    features: int
    has_shift: int
    readable: int  # entries that `sparse.read_row` may read in whole blocks: all or, if scales differ, none
    scale: Any  # dtype (n_features,)
    shift: Any  # dtype (n_features,)
    starts: Any  # int64 (n_rows + 1,), of sparse rows
    columns_16: Any  # uint16, beside bytes
    columns_32: Any  # uint32, beside numbers
    bytes: Any  # uint8, flat: dense rows or the values of sparse ones
    numbers: Any  # dtype, flat: dense rows or the values of sparse ones
    filled: int  # of sparse rows so many features come first and are not among the entries, see `parting`; whole lines
    filled_bytes: Any  # uint8 (n_rows * filled,): their values, beside bytes
    filled_numbers: Any  # dtype (n_rows * filled,): beside numbers
    by_eights: int  # whether every row has whole eights of entries, see `eights`; bytes of one scale then


class Layer(Record):
    """A layer as one thread is told of it.

    Matrices lie in flat arrays: a place in the parameters or in the workspace, and a stride from row to row. A place of
    -1: there is none. What a thread owns it alone keeps up to date.
    """

    fan_in = whole("Inputs of a unit: rows of the weights.")
    units = whole("Outputs.")
    width = whole("Units, padded to whole cache lines: columns of the weights.")
    activation = whole("Its code.")
    weights = whole("Where W starts in the parameters; of columns of a first layer, where column 0 would be.")
    weights_stride = whole("From row to row of W, in the vectors of this thread.")
    bias = whole("Where b starts in the parameters.")
    row_stride = whole("From row to row of a chunk, in the workspace.")
    before_dropout = whole("Weighted inputs and then activations, in the workspace.")
    activations = whole("Activations after dropout; without dropout the same place.")
    deltas = whole("Derivatives of the loss by the weighted inputs.")
    logits = whole("Weighted inputs, where they are kept beside the activations.")
    packed = whole("W in panels, as forward products read it.")
    packed_transposed = whole("W transposed in panels, as backward products read it.")
    few_units = whole("Whether both are W transposed row by row instead, as `narrow` reads it.")
    block_rows = whole("Rows of W whose gradient is computed at a time, where the optimizer takes it at once.")
    key = whole("Of dropout, in this epoch.")
    threshold = whole("Hash below which dropout drops a unit; 0: none is dropped.")
    dropout_scale = real("1 / (1 - rate) of dropout.")
    first_row = whole("Of W, this thread owns the rows from here")
    end_row = whole("to here,")
    first_column = whole("columns from here")
    end_column = whole("to here,")
    first_bias = whole("and of b the numbers from here")
    end_bias = whole("to here.")


class Wanted(NamedTuple):
    """The targets: labels, or values, flat; `has_targets` is 0 where there are none."""

    has_targets: int
    task: int
    labelled: int  # whether they are labels
    weighted: int  # whether there are weights
    labels: Any  # int32 (n_rows,) or empty
    values: Any  # dtype, (n_rows * outputs,) or empty
    weights: Any  # dtype (n_rows,) or empty


class Network(NamedTuple):
    """The architecture in numbers."""

    loss: int
    n_layers: int
    layers: Records  # of `Layer`; each thread its own
    settings: Any  # float64, by the numbers of codes; each thread its own


class Work(NamedTuple):
    """A thread's scratch memory, and where in `memory` things lie that are no layer's."""

    chunk: int  # rows of a chunk at most
    x: int  # dense input rows, chunk x x_row
    x_row: int  # how far apart they lie
    y: int  # targets, chunk x padded outputs
    mask: int  # 1 for every output, 0 for the padding
    base: int  # what the first layer's weighted inputs start from: bias + shift W
    sums: int  # deltas of the first layer summed over the chunk
    block: int  # gradients on their way to the optimizer
    panels: int  # deltas of a layer as the weight gradient reads them
    listing: int  # whether the entries of a chunk are listed by columns
    room: int  # entries of bytes that every column's list has room for; 0: lists are as long as they are, sorted
    skipping: int  # whether the zeros of dense rows are skipped, in a forward pass
    turns: int  # sums of the first layer, both halves of it, over sparse rows: NARROW_SUMS, MEDIUM_SUMS, or 1
    half: int  # of two halves of a network, which this is; -1: it is whole, see `halves`
    first_units: int  # units of the first half, if one thread adds the second layer up by halves; else 0
    other: int  # the second half's part of the second layer's weighted inputs, then
    memory: Any  # dtype, flat; each thread its own
    shared: Any  # like memory, to exchange through; empty with one thread
    shared_parameters: Any  # like the parameters, to exchange through; empty with one thread
    partials: Any  # dtype, flat: what two halves tell one another; else empty
    losses: Any  # float64 (chunk,), shared unless there are groups
    correct: Any  # float64 (chunk,), likewise
    groups: int  # of the chunks of a batch, see `groups`; 0: each chunk is divided among the threads
    group_gradients: Any  # like the parameters, one vector behind the other; shared, as group_totals is
    group_totals: Any  # float64 (groups * ONE_OF_GROUP,): sums of losses, correct answers and weights
    ends: Any  # int64 (n_features,): where the lists of columns end
    members: Any  # uint32: places of the entries of a row, or of the lists, see `sparse`
    factors: Any  # dtype: their values, scaled
    eights: Any  # int64: the eights of a chunk, see `eights.list_eights`
    pairs: Any  # uint16 (n_features * room + BLOCK,): rows and bytes of the lists, see `sparse.list_bytes`
