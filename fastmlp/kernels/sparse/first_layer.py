"""The first layer, where the samples come in: dense rows, sparse rows, or dense rows with many zeros (floor 2; imports
numpy).

The functions here and in `steps` are parts of `batches.run`. Rows are taken by their numbers in `order`.
"""

import numpy as np

from ..dense.products import product_from
from ..runtime.constants import RELU
from ..runtime.jit import kernel
from ..runtime.records import ADD, DENSE_BYTES, NARROW_SUMS, NEXT, NO, ONE_ROW, SPARSE_BYTES, STRIP, UNPACKED
from ..runtime.simd import fma, get, lanes, load, load_bytes, prefetch, put, splat, store, where
from .microkernels import BLOCK
from .rows import (
    add_shift,
    compress_pair,
    compress_row,
    count_columns,
    in_words,
    list_bytes,
    list_columns,
    medium_row_forward,
    narrow_row_forward,
    pair_forward,
    prefetch_row,
    read_row,
    row_forward,
    row_gradient,
)

AHEAD = 4
"""So many rows before its turn a row is fetched."""

FAR_AHEAD = 16
"""The same for features that are copied, which is sooner done."""


@kernel
def is_rectified(layers, n):
    """Whether a product may write a layer's activations: relu's, where nobody needs what it was of."""
    layer = layers[n]
    return layer.activation == RELU and layer.logits < 0


@kernel
def first_layer_base(memory, base, layers, folded, shift, parameters, low, high):
    """What the first layer's weighted inputs start from, columns `low` to `high`: the bias.

    With sparse rows what a shift of the features adds to every row is `folded` into it: ``b + shift W``.
    """
    layer = layers[0]
    bias = layer.bias
    for j in range(low, high, lanes(memory)):
        start = splat(memory, 0.0)
        if bias >= 0:
            start = load(parameters, bias + j)
        store(memory, base + j, start)
    if folded and low < high:
        w, apart = layer.weights + low, layer.weights_stride
        add_shift(memory, base + low, shift, parameters, w, apart, NO, layer.fan_in, high - low)


@kernel
def gather_row(memory, x, x_row, kind, features, scale, shift, bytes, numbers, row, i):
    """Copy one dense row of the data set, scaled and shifted, to row `i` of the chunk's input, whose padding is zero
    and stays so.
    """
    out, start = x + i * x_row, row * features
    if kind == DENSE_BYTES:
        for j in range(features):
            put(memory, out + j, get(bytes, start + j) * get(scale, j) + get(shift, j))
    else:
        vector = lanes(memory)
        whole = features // vector * vector
        for j in range(0, whole, vector):
            store(memory, out + j, fma(load(numbers, start + j), load(scale, j), load(shift, j)))
        for j in range(whole, features):
            put(memory, out + j, get(numbers, start + j) * get(scale, j) + get(shift, j))


@kernel
def sparse_forward(
    memory, base, layers, kind, filled, readable, scale, starts, columns_16, columns_32, bytes, numbers, places,
    factors, parameters, order, n_rows, position, first, last, low, high, sums,
):  # fmt: skip
    """Weighted inputs of the first layer, columns `low` to `high`, for the sparse rows `first` to `last` of a chunk.

    Where some features are `filled`, `filled_forward` has written what those make of it, to which this is added. A wide
    layer goes strip by strip: so many columns of its weights stay in L2 while all rows pass. `sums` is how many
    the layer has that entries are added to in turns, see `given.MEDIUM`.
    """
    layer = layers[0]
    words = in_words(memory, layer.weights_stride)
    for left in range(low, high, STRIP):
        width = STRIP if high - left > STRIP else high - left
        start, w = base + left, layer.weights + left
        for i in range(first, last):
            row = get(order, position + i)
            begin, end = get(starts, row), get(starts, row + 1)
            out = layer.before_dropout + i * layer.row_stride + left
            coming = get(order, position + i + AHEAD) if position + i + AHEAD < n_rows else row
            # Where that row begins has to be known by then.
            prefetch(starts, get(order, position + i + 2 * AHEAD) if position + i + 2 * AHEAD < n_rows else row)
            if kind == SPARSE_BYTES:
                prefetch_row(columns_16, bytes, get(starts, coming), get(starts, coming + 1))
                read_row(places, factors, columns_16, bytes, begin, end, readable, scale, words)
            else:
                prefetch_row(columns_32, numbers, get(starts, coming), get(starts, coming + 1))
                read_row(places, factors, columns_32, numbers, begin, end, readable, scale, words)
            from_ = out if filled > 0 else start
            _forward(sums, memory, out, from_, places, factors, end - begin, parameters, w, width)


@kernel
def filled_forward(
    memory, x, x_row, base, layers, kind, filled, scale, bytes, numbers, parameters, order, n_rows, position, first,
    last, low, high,
):  # fmt: skip
    """What the first layer's weighted inputs, columns `low` to `high`, are of the features that are `filled`, for the
    rows `first` to `last` of a chunk of sparse rows; these features are copied to its input.
    """
    layer = layers[0]
    vector = lanes(memory)
    for i in range(first, last):
        row = get(order, position + i)
        coming = get(order, position + i + FAR_AHEAD) if position + i + FAR_AHEAD < n_rows else row
        out, start = x + i * x_row, row * filled
        if kind == SPARSE_BYTES:
            for j in range(0, filled, 64):
                prefetch(bytes, coming * filled + j)
            for j in range(0, filled, vector):
                store(memory, out + j, load_bytes(memory, bytes, start + j) * load(scale, j))
        else:
            for j in range(0, filled, vector):
                prefetch(numbers, coming * filled + j)
                store(memory, out + j, load(numbers, start + j) * load(scale, j))
    row, w = layer.row_stride, layer.weights + low
    out = layer.before_dropout + first * row + low
    product_from(
        memory, out, row, memory, x + first * x_row, x_row, NEXT, parameters, w, layer.weights_stride, UNPACKED,
        last - first, high - low, filled, memory, base + low, NO, ADD, -np.inf,
    )  # fmt: skip


@kernel
def _forward(sums, memory, out, start, places, factors, entries, parameters, w, width):
    """Weighted inputs for one row, in the same bits wherever its entries come from."""
    if sums == NARROW_SUMS:
        narrow_row_forward(memory, out, memory, start, places, factors, NO, entries, parameters, w, width)
    elif sums > 1:
        medium_row_forward(memory, out, memory, start, places, factors, NO, entries, parameters, w, width)
    else:
        row_forward(memory, out, memory, start, places, factors, NO, entries, parameters, w, width)


@kernel
def skipping_forward(
    memory, base, layers, kind, features, readable, scale, bytes, numbers, members, factors, parameters, order,
    position, first, last, sums,
):  # fmt: skip
    """Weighted inputs of the first layer for dense rows with many zeros, which are skipped as the rows come, by pairs.

    An odd row is paired with itself. Layers with several `sums`, which is as for `sparse_forward`, take row by row.

    Of a row that is not finite they all are NaN, and so is what comes out of the network.
    """
    layer = layers[0]
    stride, w, row, apart = layer.width, layer.weights, layer.row_stride, features + BLOCK
    words = in_words(memory, stride)
    for i in range(first, last, ONE_ROW if sums > 1 else 2):
        second = i + 1 if sums == 1 and i + 1 < last else i
        begin, other = get(order, position + i) * features, get(order, position + second) * features
        to, out = layer.before_dropout + i * row, layer.before_dropout + second * row
        if sums > 1:
            if kind == DENSE_BYTES:
                entries, finite = compress_row(members, factors, bytes, begin, features)
            else:
                entries, finite = compress_row(members, factors, numbers, begin, features)
            read_row(members, factors, members, factors, NO, entries, readable, scale, words)
            _forward(sums, memory, to, base, members, factors, entries, parameters, w, stride)
            also = finite
        else:
            if kind == DENSE_BYTES:
                entries, finite, also = compress_pair(members, factors, apart, bytes, begin, other, scale, features)
                coming, size = where(bytes, other + features), 2 * features
            else:
                entries, finite, also = compress_pair(members, factors, apart, numbers, begin, other, scale, features)
                coming = where(numbers, other + features)
                size = 2 * (coming - where(numbers, other))
            pair_forward(
                memory, to, out, memory, base, members, factors, apart, entries, parameters, w, stride, stride, coming,
                size,
            )  # fmt: skip
        if not finite:
            for j in range(stride):
                put(memory, to + j, np.nan)
        if not also:
            for j in range(stride):
                put(memory, out + j, np.nan)


@kernel
def dense_forward(
    memory, x, x_row, base, layers, kind, features, scale, shift, bytes, numbers, parameters, order, position,
    first, last,
):  # fmt: skip
    """Weighted inputs of the first layer for the dense rows `first` to `last` of a chunk; return whether they are
    activations already, as those of relu are.
    """
    layer = layers[0]
    for i in range(first, last):
        coming = get(order, position + i + AHEAD) if i + AHEAD < last else get(order, position + i)
        for j in range(coming * features, (coming + 1) * features, 16):
            if kind == DENSE_BYTES:
                prefetch(bytes, j)
            else:
                prefetch(numbers, j)
        gather_row(memory, x, x_row, kind, features, scale, shift, bytes, numbers, get(order, position + i), i)
    width, w, row = layer.width, layer.weights, layer.row_stride
    out, a, rectified = layer.before_dropout + first * row, x + first * x_row, is_rectified(layers, 0)
    product_from(
        memory, out, row, memory, a, x_row, NEXT, parameters, w, width, UNPACKED, last - first, width, features, memory,
        base, NO, ADD, 0.0 if rectified else -np.inf,
    )  # fmt: skip
    return rectified


@kernel
def list_entries(
    ends, members, factors, pairs, room, kind, features, scale, starts, columns_16, columns_32, bytes, numbers, order,
    position, count, apart,
):  # fmt: skip
    """List the entries of a chunk's sparse rows by columns. Deltas of rows lie `apart` words apart.

    Bytes go to lists that have `room` for every row; where there is none it is a counting sort.
    """
    for j in range(features):
        put(ends, j, j * room)
    if room > 0:
        for i in range(count):
            row = get(order, position + i)
            list_bytes(ends, pairs, columns_16, bytes, get(starts, row), get(starts, row + 1), i)
        return
    for i in range(count):
        row = get(order, position + i)
        if kind == SPARSE_BYTES:
            count_columns(ends, columns_16, get(starts, row), get(starts, row + 1))
        else:
            count_columns(ends, columns_32, get(starts, row), get(starts, row + 1))
    before = NO
    for j in range(features):
        entries = get(ends, j)
        put(ends, j, before)
        before += entries
    for i in range(count):
        row = get(order, position + i)
        begin, end = get(starts, row), get(starts, row + 1)
        if kind == SPARSE_BYTES:
            list_columns(ends, members, factors, columns_16, bytes, begin, end, scale, i * apart)
        else:
            list_columns(ends, members, factors, columns_32, numbers, begin, end, scale, i * apart)


@kernel
def sparse_gradient(
    target, start, memory, layers, kind, readable, scale, starts, columns_16, columns_32, bytes, numbers, places,
    factors, order, position, count, left, width,
):  # fmt: skip
    """Add the gradient of the first layer's weights, `width` columns from `left` on, row by row; sparse rows.

    `target` receives it from `start` on, rows as far apart as those of the weights. A single row has been read when it
    went forward.
    """
    layer = layers[0]
    words = in_words(memory, layer.weights_stride)
    for i in range(count):
        row = get(order, position + i)
        begin, end, d = get(starts, row), get(starts, row + 1), layer.deltas + i * layer.row_stride + left
        if count > 1 and kind == SPARSE_BYTES:
            read_row(places, factors, columns_16, bytes, begin, end, readable, scale, words)
        elif count > 1:
            read_row(places, factors, columns_32, numbers, begin, end, readable, scale, words)
        row_gradient(target, start, memory, d, places, factors, NO, end - begin, width)
