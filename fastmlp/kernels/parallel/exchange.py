"""Handing numbers from one thread to another (floor 2).

Every thread works in memory of its own; what another thread needs it copies to memory that they share, and after a
barrier the other copies it from there. That looks like a detour, but costs less than reading each other's memory: a
cache line that two processors hold can be written by neither before it has asked the other, which takes longer than
the arithmetic on the line. So `collect` also writes each line that it reads. The line then belongs to the reader alone
until `publish` takes it back, whole, in one go.
"""

from ..dense.products import padded
from ..runtime.constants import BIAS, BIAS_RIGHT, FAN_IN, HIGH, LEFT, LOW, RIGHT, ROW, STRIDE, WEIGHTS, A, D
from ..runtime.jit import kernel
from ..runtime.records import NO, ONE_ROW
from ..runtime.simd import at, lanes, line, load, store, write_back


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
    low, high = at(layers, n, LOW), padded(at(layers, n, HIGH), own)
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
        row, width = at(layers, n, ROW), at(layers, n, STRIDE)
        publish(shared, memory, at(layers, n, D) + first * row, row, count, width)
        if n < n_layers - 1:
            publish_inputs(shared, memory, at(layers, n, A) + first * row, row, count, width, layers, n + 1)


@kernel
def collect_rows(memory, shared, x, x_row, n_layers, layers, by_columns, first, last, count):
    """Collect of the others' rows what this thread's gradients need."""
    for n in range(n_layers):
        left, right = at(layers, n, LEFT), at(layers, n, RIGHT)
        exchange_others(memory, shared, at(layers, n, D), at(layers, n, ROW), first, last, count, left, right, NO)
        # Of the inputs of a layer, those that meet the rows of its weights that this thread owns.
        low, high = at(layers, n, LOW), padded(at(layers, n, HIGH), memory)
        if at(layers, n, LOW) == at(layers, n, HIGH):
            continue
        if n > 0:
            row, start = at(layers, n - 1, ROW), at(layers, n - 1, A)
            exchange_others(memory, shared, start, row, first, last, count, low, high, NO)
        elif not by_columns:
            exchange_others(memory, shared, x, x_row, first, last, count, low, high, NO)


@kernel
def publish_parameters(shared, parameters, n_layers, layers, by_columns):
    """Publish the parameters that this thread owns and others need."""
    for n in range(n_layers):
        if n > 0 or not by_columns:
            width, bias, low, high = at(layers, n, STRIDE), at(layers, n, BIAS), at(layers, n, LOW), at(layers, n, HIGH)
            publish(shared, parameters, at(layers, n, WEIGHTS) + low * width, width, high - low, width)
            if bias >= 0:
                publish(shared, parameters, bias, width, ONE_ROW, at(layers, n, BIAS_RIGHT))


@kernel
def collect_parameters(parameters, shared, n_layers, layers, by_columns):
    """Collect the parameters that other threads own."""
    for n in range(n_layers):
        if n > 0 or not by_columns:
            width, bias, low, high = at(layers, n, STRIDE), at(layers, n, BIAS), at(layers, n, LOW), at(layers, n, HIGH)
            w = at(layers, n, WEIGHTS)
            collect(parameters, shared, w, width, low, width)
            collect(parameters, shared, w + high * width, width, at(layers, n, FAN_IN) - high, width)
            if bias >= 0:
                collect(parameters, shared, bias, width, ONE_ROW, width - at(layers, n, BIAS_RIGHT))
