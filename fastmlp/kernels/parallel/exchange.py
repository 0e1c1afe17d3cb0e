"""Handing numbers from one thread to another (floor 2).

Every thread works in memory of its own; what another thread needs it copies to memory that they share, and after a
barrier the other copies it from there. That looks like a detour, but costs less than reading each other's memory: a
cache line that two processors hold can be written by neither before it has asked the other, which takes longer than
the arithmetic on the line. So `collect` also writes each line that it reads. The line then belongs to the reader alone
until `publish` takes it back, whole, in one go.
"""

from ..dense.products import padded
from ..runtime.jit import kernel
from ..runtime.records import NO, ONE_ROW
from ..runtime.simd import lanes, line, load, store, write_back


@kernel
def publish(shared, own, start, stride, rows, width):
    """Copy a block, `rows` rows of `width` numbers, `stride` apart, from this thread's memory to the shared.

    It lies in the same place of both. `width` is whole cache lines; so it is in `collect`.
    """
    for i in range(rows):
        place = start + i * stride
        for j in range(place, place + width, lanes(own)):
            store(shared, j, load(own, j))


@kernel
def collect(own, shared, start, stride, rows, width):
    """Copy a block from the shared memory to this thread's, and take possession of its cache lines there."""
    for i in range(rows):
        place = start + i * stride
        for j in range(place, place + width, lanes(own)):
            store(own, j, load(shared, j))
        for j in range(place, place + width, line(shared)):
            write_back(shared, j)


@kernel
def exchange_others(own, shared, start, stride, first, last, count, low, high, to_shared):
    """Publish, or collect, columns `low` to `high` of the rows of a chunk that are not `first` to `last`."""
    for part in range(2):
        begin, end = (NO, first) if part == 0 else (last, count)
        if to_shared:
            publish(shared, own, start + begin * stride + low, stride, end - begin, high - low)
        else:
            collect(own, shared, start + begin * stride + low, stride, end - begin, high - low)


@kernel
def publish_inputs(shared, own, start, stride, count, width, layers, n):
    """Publish of the inputs of a layer, `count` rows, the columns that meet rows of its weights that others own."""
    layer = layers[n]
    low, high = layer.first_row, padded(layer.end_row, own)
    publish(shared, own, start, stride, count, low)
    publish(shared, own, start + high, stride, count, width - high)


@kernel
def publish_rows(shared, memory, x, x_row, n_layers, layers, by_columns, features, first, count):
    """Publish what others need of a thread's rows for their gradients: deltas and inputs of every layer.

    The inputs of the first layer only where they are dense.
    """
    if not by_columns:
        width = padded(features, memory)
        publish_inputs(shared, memory, x + first * x_row, x_row, count, width, layers, NO)
    for n in range(n_layers):
        layer = layers[n]
        row, width = layer.row_stride, layer.width
        publish(shared, memory, layer.deltas + first * row, row, count, width)
        if n < n_layers - 1:
            publish_inputs(shared, memory, layer.activations + first * row, row, count, width, layers, n + 1)


@kernel
def collect_rows(memory, shared, x, x_row, n_layers, layers, by_columns, first, last, count):
    """Collect of the others' rows what this thread's gradients need."""
    for n in range(n_layers):
        layer = layers[n]
        left, right = layer.first_column, layer.end_column
        exchange_others(memory, shared, layer.deltas, layer.row_stride, first, last, count, left, right, NO)
        # Of the inputs of a layer, those that meet the rows of its weights that this thread owns.
        low, high = layer.first_row, padded(layer.end_row, memory)
        if layer.first_row == layer.end_row:
            continue
        if n > 0:
            row, start = layers[n - 1].row_stride, layers[n - 1].activations
            exchange_others(memory, shared, start, row, first, last, count, low, high, NO)
        elif not by_columns:
            exchange_others(memory, shared, x, x_row, first, last, count, low, high, NO)


@kernel
def publish_parameters(shared, parameters, n_layers, layers, by_columns):
    """Publish the parameters that this thread owns and others need."""
    for n in range(n_layers):
        layer = layers[n]
        if n > 0 or not by_columns:
            width, bias, low, high = layer.width, layer.bias, layer.first_row, layer.end_row
            publish(shared, parameters, layer.weights + low * width, width, high - low, width)
            if bias >= 0:
                publish(shared, parameters, bias, width, ONE_ROW, layer.end_bias)


@kernel
def collect_parameters(parameters, shared, n_layers, layers, by_columns):
    """Collect the parameters that other threads own."""
    for n in range(n_layers):
        layer = layers[n]
        if n > 0 or not by_columns:
            width, bias, low, high = layer.width, layer.bias, layer.first_row, layer.end_row
            w = layer.weights
            collect(parameters, shared, w, width, low, width)
            collect(parameters, shared, w + high * width, width, layer.fan_in - high, width)
            if bias >= 0:
                collect(parameters, shared, bias, width, ONE_ROW, width - layer.end_bias)
