"""The first layer, where the samples come in: dense rows, sparse rows, or dense rows with many zeros (floor 2; imports
numpy).

``Z = X W + b`` for the rows of a chunk, and ``dW = Xᵀ D``. Of sparse rows, (rows, features), only what isn't zero is
multiplied. Rows are taken by their numbers in `Step.order`.
"""

import numpy as np

from ..dense.products import product_from, row_times_matrix
from ..elementwise import fill_zeros
from ..parallel.barrier import wait
from ..parallel.exchange import collect, publish
from ..runtime.constants import RELU
from ..runtime.jit import kernel
from ..runtime.matrices import matrix
from ..runtime.records import DENSE_BYTES, DENSE_NUMBERS, NEXT, ONE_ROW, SPARSE_BYTES, STRIP, ZERO
from ..runtime.simd import fma, get, lanes, load, load_bytes, moved, prefetch, put, splat, store, total
from .eights import eights_forward, list_eights
from .rows import (
    compress_row,
    count_columns,
    in_words,
    list_columns,
    narrow_row_forward,
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
def is_rectified(layer):
    """Whether a product may write a layer's activations: relu's, where nobody needs the weighted inputs."""
    return layer.activation == RELU and layer.logits < 0


@kernel
def first_layer_base(step):
    """What the first layer's weighted inputs start from, for the columns that this thread owns: the bias.

    Where zeros are skipped, what a shift of the features adds to every row is folded into it: ``b + shift W``.
    """
    layer, memory, base = step.layers[0], step.work.memory, step.work.base
    bias, low, high = layer.bias, layer.first_column, layer.end_column
    for j in range(low, high, lanes(memory)):
        start = splat(memory, 0.0)
        if bias >= 0:
            start = load(step.parameters, bias + j)
        store(memory, base + j, start)
    if step.folded and low < high:
        row_times_matrix(moved(memory, base + low), step.rows.shift, weights_of(step), high - low, layer.fan_in)


@kernel
def first_layer_forward(step):
    """Weighted inputs of the first layer; return whether they are activations already, as those of relu may be."""
    if step.sparse:
        sparse_rows_forward(step)
        return False
    if step.work.skipping:
        skipping_forward(step)
        return False
    return dense_forward(step)


@kernel
def weights_of(step):
    """``W`` of the first layer, in the columns that this thread owns."""
    layer = step.layers[0]
    return matrix(step.parameters, layer.weights + layer.first_column, layer.weights_stride, NEXT)


# --- dense rows ---


@kernel
def dense_forward(step):
    """Weighted inputs of the first layer for dense rows; return whether they are activations already."""
    rows, layer, work, order, position = step.rows, step.layers[0], step.work, step.order, step.position
    features, first, last = rows.features, step.first, step.last
    for i in range(first, last):
        row = get(order, position + i)
        coming = get(order, position + i + AHEAD) if i + AHEAD < last else row
        for j in range(coming * features, (coming + 1) * features, 16):
            if rows.kind == DENSE_BYTES:
                prefetch(rows.bytes, j)
            else:
                prefetch(rows.numbers, j)
        gather_row(step, row, work.x + i * work.x_row)
    width, row, memory = layer.width, layer.row_stride, work.memory
    out, a, rectified = layer.before_dropout + first * row, work.x + first * work.x_row, is_rectified(layer)
    Z, X, W = matrix(memory, out, row, NEXT), matrix(memory, a, work.x_row, NEXT), weights_of(step)
    b = matrix(memory, work.base, ZERO, NEXT)
    product_from(Z, X, W, last - first, width, features, b, 0.0 if rectified else -np.inf)
    if not step.backward and rows.kind == DENSE_NUMBERS:
        mark_rows(step)
    return rectified


@kernel
def mark_rows(step):
    """Have the weighted inputs be NaN in rows of the chunk's input that are not finite, and note that there are any."""
    layer, work, memory, size = step.layers[0], step.work, step.work.memory, step.work.x_row
    if are_finite(memory, work.x + step.first * size, work.x + step.last * size):
        return
    step.finite = ZERO
    for i in range(step.first, step.last):
        if not are_finite(memory, work.x + i * size, work.x + (i + 1) * size):
            fill_nan(memory, layer.before_dropout + i * layer.row_stride, layer.width)


@kernel
def are_finite(a, start, end):
    """Whether all numbers from `start` to `end`, whole vectors, are finite."""
    vector, p, q, r, s = lanes(a), splat(a, 0.0), splat(a, 0.0), splat(a, 0.0), splat(a, 0.0)
    whole = start + (end - start) // (4 * vector) * (4 * vector)
    for j in range(start, whole, 4 * vector):  # in four sums, which don't wait for one another
        p, q = p + not_finite(a, j), q + not_finite(a, j + vector)
        r, s = r + not_finite(a, j + 2 * vector), s + not_finite(a, j + 3 * vector)
    for j in range(whole, end, vector):
        p = p + not_finite(a, j)
    return total((p + q) + (r + s)) == 0.0


@kernel
def not_finite(a, j):
    """NaN for what is infinite or NaN in the vector from `j` on, else 0."""
    x = load(a, j)
    return x - x


@kernel
def gather_row(step, row, out):
    """Copy one dense row of the data set, scaled and shifted, to the chunk's input from `out` on, whose padding is zero
    and stays so.
    """
    rows, memory = step.rows, step.work.memory
    features, scale, shift = rows.features, rows.scale, rows.shift
    start = row * features
    if rows.kind == DENSE_BYTES:
        bytes = rows.bytes
        for j in range(features):
            put(memory, out + j, get(bytes, start + j) * get(scale, j) + get(shift, j))
    else:
        vector, numbers = lanes(memory), rows.numbers
        whole = features // vector * vector
        for j in range(0, whole, vector):
            store(memory, out + j, fma(load(numbers, start + j), load(scale, j), load(shift, j)))
        for j in range(whole, features):
            put(memory, out + j, get(numbers, start + j) * get(scale, j) + get(shift, j))


# --- dense rows whose zeros are skipped ---


@kernel
def skipping_forward(step):
    """Weighted inputs of the first layer for dense rows with many zeros, which are skipped as the rows come.

    Of a row that is not finite they all are NaN, and so is what comes out of the network.
    """
    rows, layer, work, order, position = step.rows, step.layers[0], step.work, step.order, step.position
    memory, members, factors, features, width = work.memory, work.members, work.factors, rows.features, layer.width
    for i in range(step.first, step.last):
        begin, out = get(order, position + i) * features, layer.before_dropout + i * layer.row_stride
        if rows.kind == DENSE_BYTES:
            entries, finite = compress_row(members, factors, rows.bytes, begin, features)
        else:
            entries, finite = compress_row(members, factors, rows.numbers, begin, features)
        read_row(members, factors, members, factors, entries, rows.readable, rows.scale, in_words(memory, width))
        _forward(step, out, work.base, entries, layer.weights, width)
        if not finite:
            step.finite = ZERO
            fill_nan(memory, out, width)


@kernel
def fill_nan(c, start, count):
    """Write NaN to `count` numbers."""
    for j in range(start, start + count):
        put(c, j, np.nan)


# --- sparse rows ---


@kernel
def sparse_rows_forward(step):
    """Weighted inputs of the first layer for sparse rows.

    Where threads own columns of the first layer, each computes its own, of all rows or of its part of them, and hands
    them to the others.
    """
    rows, layer, work, first, last = step.rows, step.layers[0], step.work, step.first, step.last
    if step.by_columns:
        part = step.thread * work.parts // step.threads
        first, last = step.count * part // work.parts, step.count * (part + 1) // work.parts
    if rows.by_eights:
        list_rows(step, rows.starts, moved(rows.starts, ONE_ROW), first, last)
    if rows.filled > 0:
        filled_forward(step, first, last)
    if rows.by_eights:
        left, row, scale = layer.first_column, layer.row_stride, get(rows.scale, ZERO)
        Z, width = matrix(work.memory, layer.before_dropout + first * row + left, row, NEXT), layer.end_column - left
        eights_forward(Z, weights_of(step), work.eights, step.n_eights, rows.columns_16, rows.bytes, scale, width)
    else:
        sparse_forward(step, first, last)
    if step.by_columns:
        exchange_columns(step, first, last)


@kernel
def list_rows(step, begins, ends, first, last):
    """List the eights of the rows `first` to `last` of a chunk that have entries from `begins` to `ends`."""
    rows, work, order, n_rows = step.rows, step.work, moved(step.order, step.position + first), step.n_rows
    left = n_rows - step.position - first
    step.n_eights = list_eights(work.eights, begins, ends, rows.columns_16, rows.bytes, order, left, last - first)


@kernel
def exchange_columns(step, first, last):
    """Hand on this thread's weighted inputs of the rows `first` to `last`, and collect others' for its own rows."""
    layer, work, row, count = step.layers[0], step.work, step.layers[0].row_stride, step.last - step.first
    start, left, right = layer.before_dropout, layer.first_column, layer.end_column
    publish(work.shared, work.memory, start + first * row + left, row, step.first - first, right - left)
    publish(work.shared, work.memory, start + step.last * row + left, row, last - step.last, right - left)
    wait(step.barrier, step.threads)
    start += step.first * row
    collect(work.memory, work.shared, start, row, count, left)
    collect(work.memory, work.shared, start + right, row, count, layer.width - right)


@kernel
def sparse_forward(step, first, last):
    """Weighted inputs of the first layer, in this thread's columns, for the sparse rows `first` to `last` of a chunk.

    Where some features are dense, `filled_forward` has written what those make of it, to which this is added. A wide
    layer goes strip by strip: so many columns of its weights stay in L2 while all rows pass.
    """
    rows, layer, work, order, position = step.rows, step.layers[0], step.work, step.order, step.position
    starts, n_rows, high = rows.starts, step.n_rows, layer.end_column
    words = in_words(work.memory, layer.weights_stride)
    for left in range(layer.first_column, high, STRIP):
        width = STRIP if high - left > STRIP else high - left
        base, w = work.base + left, layer.weights + left
        for i in range(first, last):
            row = get(order, position + i)
            begin, end = get(starts, row), get(starts, row + 1)
            out = layer.before_dropout + i * layer.row_stride + left
            coming = get(order, position + i + AHEAD) if position + i + AHEAD < n_rows else row
            # Where that row begins has to be known by then.
            prefetch(starts, get(order, position + i + 2 * AHEAD) if position + i + 2 * AHEAD < n_rows else row)
            if rows.kind == SPARSE_BYTES:
                prefetch_row(rows.columns_16, rows.bytes, get(starts, coming), get(starts, coming + 1))
            else:
                prefetch_row(rows.columns_32, rows.numbers, get(starts, coming), get(starts, coming + 1))
            read_entries(step, begin, end, words)
            _forward(step, out, out if rows.filled > 0 else base, end - begin, w, width)


@kernel
def read_entries(step, begin, end, words):
    """Bring the entries of a sparse row into the form that the loops over it read; see `read_row`."""
    rows, work = step.rows, step.work
    members, factors, scale, entries, readable = work.members, work.factors, rows.scale, end - begin, rows.readable
    if rows.kind == SPARSE_BYTES:
        columns, values = moved(rows.columns_16, begin), moved(rows.bytes, begin)
        read_row(members, factors, columns, values, entries, readable - begin, scale, words)
    else:
        columns, values = moved(rows.columns_32, begin), moved(rows.numbers, begin)
        read_row(members, factors, columns, values, entries, readable - begin, scale, words)


@kernel
def _forward(step, out, base, entries, w, width):
    """Weighted inputs for one row that has been read, in the same bits wherever its entries come from."""
    work, members, factors = step.work, step.work.members, step.work.factors
    c, b, W = moved(work.memory, out), moved(work.memory, base), moved(step.parameters, w)
    if work.narrow:
        narrow_row_forward(c, b, members, factors, entries, W, width)
    else:
        row_forward(c, b, members, factors, entries, W, width)


@kernel
def filled_forward(step, first, last):
    """What the first layer's weighted inputs, in this thread's columns, are of the features of sparse rows that are
    dense, for the rows `first` to `last` of a chunk; of all rows these features are copied to its input.
    """
    rows, layer, work, order, position = step.rows, step.layers[0], step.work, step.order, step.position
    memory, filled, scale, vector = work.memory, rows.filled, rows.scale, lanes(work.memory)
    for i in range(step.count):
        row = get(order, position + i)
        coming = get(order, position + i + FAR_AHEAD) if position + i + FAR_AHEAD < step.n_rows else row
        out, start = work.x + i * work.x_row, row * filled
        if rows.kind == SPARSE_BYTES:
            for j in range(0, filled, 64):
                prefetch(rows.filled_bytes, coming * filled + j)
            for j in range(0, filled, vector):
                store(memory, out + j, load_bytes(memory, rows.filled_bytes, start + j) * load(scale, j))
        else:
            for j in range(0, filled, vector):
                prefetch(rows.filled_numbers, coming * filled + j)
                store(memory, out + j, load(rows.filled_numbers, start + j) * load(scale, j))
    row, low, high = layer.row_stride, layer.first_column, layer.end_column
    out, x = layer.before_dropout + first * row + low, work.x + first * work.x_row
    Z, X, W = matrix(memory, out, row, NEXT), matrix(memory, x, work.x_row, NEXT), weights_of(step)
    product_from(Z, X, W, last - first, high - low, filled, matrix(memory, work.base + low, ZERO, NEXT), -np.inf)


# --- gradients of sparse rows ---


@kernel
def sparse_gradient(step, target, start):
    """Add the gradient of the first layer's weights that this thread owns, row by row of the chunk.

    `target` receives it from `start` on, rows as far apart as those of the weights. A single row has been read when it
    went forward.
    """
    layer, work, order = step.layers[0], step.work, step.order
    words, left = in_words(work.memory, layer.weights_stride), layer.first_column
    width, g = layer.end_column - left, moved(target, start)
    for i in range(step.count):
        row = get(order, step.position + i)
        begin, end = get(work.first_entries, row), get(work.end_entries, row)
        d = layer.deltas + i * layer.row_stride + left
        if step.count > 1 or work.parts > 1:
            read_entries(step, begin, end, words)
        row_gradient(g, moved(work.memory, d), work.members, work.factors, end - begin, width)


@kernel
def listed_gradient(step, target, start, first, rows, fused):
    """Gradient of `rows` rows of the first layer's weights, from `first` on, by the lists of their entries.

    `target` receives it from `start` on. It is `fused` where the optimizer takes it straight away.
    """
    layer, work, ends, memory = step.layers[0], step.work, step.work.ends, step.work.memory
    stride, left = layer.weights_stride, layer.first_column
    width, d = layer.end_column - left, layer.deltas + left
    if fused or not step.accumulate:
        for i in range(rows):
            fill_zeros(target, start + i * stride, width)
    begin = get(ends, first - 1) if first > 0 else ZERO
    for i in range(rows):
        end, g = get(ends, first + i), moved(target, start + i * stride)
        if end > begin:  # few features of sparse text are there in a chunk
            places, x = moved(work.members, begin), moved(work.factors, begin)
            row_forward(g, g, places, x, end - begin, moved(memory, d), width)
        begin = end


@kernel
def list_entries(step):
    """List the entries of a chunk's sparse rows by columns: a counting sort.

    100-512-512-10 with a fifth of non-zeros takes 12 % longer without lists.
    """
    rows, work, order, position, starts = step.rows, step.work, step.order, step.position, step.rows.starts
    ends, features = work.ends, rows.features
    for j in range(features):
        put(ends, j, 0)
    for i in range(step.count):
        row = get(order, position + i)
        if rows.kind == SPARSE_BYTES:
            count_columns(ends, rows.columns_16, get(starts, row), get(starts, row + 1))
        else:
            count_columns(ends, rows.columns_32, get(starts, row), get(starts, row + 1))
    before = ZERO
    for j in range(features):
        entries = get(ends, j)
        put(ends, j, before)
        before += entries
    members, factors, scale = work.members, work.factors, rows.scale
    apart = in_words(work.memory, step.layers[0].row_stride)
    for i in range(step.count):
        row = get(order, position + i)
        begin, end = get(starts, row), get(starts, row + 1)
        if rows.kind == SPARSE_BYTES:
            columns, values = moved(rows.columns_16, begin), moved(rows.bytes, begin)
            list_columns(ends, members, factors, columns, values, end - begin, scale, i * apart)
        else:
            columns, values = moved(rows.columns_32, begin), moved(rows.numbers, begin)
            list_columns(ends, members, factors, columns, values, end - begin, scale, i * apart)
