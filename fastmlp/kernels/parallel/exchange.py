"""Handing numbers from one thread to another (floor 2).

Every thread works in memory of its own; what another thread needs it copies to memory that they share, and after a
barrier the other copies it from there. That looks like a detour, but costs less than reading each other's memory: a
cache line that two processors hold can be written by neither before it has asked the other, which takes longer than
the arithmetic on the line. So `collect` also writes each line that it reads. The line then belongs to the reader alone
until `publish` takes it back, whole, in one go.
"""

from ..dense.products import padded
from ..runtime.jit import kernel
from ..runtime.records import ONE_ROW, ZERO
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
def collect_others(step, start, stride, low, high):
    """Collect columns `low` to `high` of the rows of a chunk that are not this thread's."""
    own, shared, left = step.work.memory, step.work.shared, step.count - step.last
    collect(own, shared, start + low, stride, step.first, high - low)
    collect(own, shared, start + step.last * stride + low, stride, left, high - low)


@kernel
def publish_inputs(step, n, start, stride, width):
    """Publish of the inputs of a layer, (rows, width), the columns that meet rows of its weights that others own."""
    own, shared, count = step.work.memory, step.work.shared, step.last - step.first
    low, high = step.layers[n].first_row, padded(step.layers[n].end_row, own)
    publish(shared, own, start, stride, count, low)
    publish(shared, own, start + high, stride, count, width - high)


@kernel
def publish_rows(step):
    """Publish what others need of a thread's rows for their gradients: deltas, and inputs of layers, unless sparse."""
    work, first, count = step.work, step.first, step.last - step.first
    if not step.by_columns:
        publish_inputs(step, ZERO, work.x + first * work.x_row, work.x_row, padded(step.rows.features, work.memory))
    for n in range(step.n_layers):
        layer = step.layers[n]
        row, width = layer.row_stride, layer.width
        publish(work.shared, work.memory, layer.deltas + first * row, row, count, width)
        if n < step.n_layers - 1:
            publish_inputs(step, n + 1, layer.activations + first * row, row, width)


@kernel
def collect_rows(step):
    """Collect of the others' rows what this thread's gradients need."""
    work = step.work
    for n in range(step.n_layers):
        layer = step.layers[n]
        collect_others(step, layer.deltas, layer.row_stride, layer.first_column, layer.end_column)
        # Of the inputs of a layer, those that meet the rows of its weights that this thread owns.
        low, high = layer.first_row, padded(layer.end_row, work.memory)
        if layer.first_row == layer.end_row:
            continue
        if n > 0:
            before = step.layers[n - 1]
            collect_others(step, before.activations, before.row_stride, low, high)
        elif not step.by_columns:
            collect_others(step, work.x, work.x_row, low, high)


@kernel
def publish_parameters(step):
    """Publish the parameters that this thread owns and others need; not the weights that all pack together."""
    shared, parameters = step.work.shared_parameters, step.parameters
    for n in range(step.n_layers):
        layer, columns = step.layers[n], n == 0 and step.by_columns
        if not layer.together and (not columns or step.work.parts > 1):
            low, stride, w = layer.first_row, layer.weights_stride, layer.weights + layer.first_column
            width = layer.end_column - layer.first_column
            publish(shared, parameters, w + low * stride, stride, layer.end_row - low, width)
        if not columns and layer.bias >= 0:
            publish(shared, parameters, layer.bias, ZERO, ONE_ROW, layer.end_bias)  # one row needs no stride


@kernel
def collect_parameters(step):
    """Collect the parameters that other threads own."""
    shared, parameters = step.work.shared_parameters, step.parameters
    for n in range(step.n_layers):
        layer, columns = step.layers[n], n == 0 and step.by_columns
        if not layer.together and (not columns or step.work.parts > 1):
            high, stride, w = layer.end_row, layer.weights_stride, layer.weights + layer.first_column
            width = layer.end_column - layer.first_column
            collect(parameters, shared, w, stride, layer.first_row, width)
            collect(parameters, shared, w + high * stride, stride, layer.fan_in - high, width)
        if not columns and layer.bias >= 0:
            collect(parameters, shared, layer.bias, ZERO, ONE_ROW, layer.width - layer.end_bias)
