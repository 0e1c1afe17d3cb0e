"""Small batches on two threads, each with half of the first layer's units (floor 2).

With few rows a batch there are too few to divide, and a step is too short for threads to meet between its phases. But
units of the first layer have nothing to do with one another: each thread takes half of them, with their weights, and
so half of the rows of the second layer's weights. All that it needs of the other is what the other half adds to the
weighted inputs of the second layer, once a step. What comes after these is so little that both threads compute it.

To its kernels a thread's half is a network of its own; only the sum below knows of two. Without halves S128 takes 53 %
longer, N30 27 %.
"""

from ..dense.products import product, row_times_matrix
from ..elementwise import fill_rows, fill_zeros
from ..runtime.jit import kernel
from ..runtime.matrices import matrix
from ..runtime.records import ADD, NEXT, ZERO
from ..runtime.simd import lanes, load, moved, store
from .barrier import say, wait_for


@kernel
def second_layer_forward(step):
    """Weighted inputs of the second layer, ``Z = (b + A0 W0) + A1 W1``, for the rows of a batch.

    ``A0`` and ``A1`` are the activations of the halves of the first layer, ``W0`` and ``W1`` the rows of the second
    layer's weights that they meet. The bits are the same for one thread and for two. Of two, each writes its sum to its
    own places in `Work.partials`, in turns to two of them, since the other may still be reading that of the batch
    before.
    """
    layer, work, memory, count = step.layers[1], step.work, step.work.memory, step.count
    half, row, fan_in = work.half, layer.row_stride, layer.fan_in
    out, a, w, bias = layer.before_dropout, step.layers[0].activations, layer.weights, layer.bias
    units = work.first_units if half < 0 else fan_in
    if bias >= 0 and half <= 0:
        fill_rows(memory, out, row, layer.width, count, step.parameters, bias)
    else:
        fill_zeros(memory, out, count * row)
    _multiply(step, out, a, w, units)
    if half < 0:
        fill_zeros(memory, work.other, count * row)
        _multiply(step, work.other, a + units, w + units * layer.width, fan_in - units)
        _add(memory, out, memory, work.other, count * row)
    else:
        room = work.chunk * row
        place = step.batch % 2 * 2 * room
        for j in range(0, count * row, lanes(memory)):
            store(work.partials, place + half * room + j, load(memory, out + j))
        say(step.barrier, half, step.batch + 1)
        wait_for(step.barrier, 1 - half, step.batch + 1)
        _add(memory, out, work.partials, place + (1 - half) * room, count * row)


@kernel
def _multiply(step, out, a, w, inner):
    """``C += A W``; a matrix-vector product where there is one row."""
    memory, parameters, width, count = step.work.memory, step.parameters, step.layers[1].width, step.count
    row, a_row = step.layers[1].row_stride, step.layers[0].row_stride
    W = matrix(parameters, w, width, NEXT)
    if count == 1:
        row_times_matrix(moved(memory, out), moved(memory, a), W, width, inner)
    else:
        product(matrix(memory, out, row, NEXT), matrix(memory, a, a_row, NEXT), W, count, width, inner, ADD)


@kernel
def _add(c, c_start, a, a_start, size):
    """``c += a``; `size` is whole vectors."""
    for j in range(ZERO, size, lanes(c)):
        store(c, c_start + j, load(c, c_start + j) + load(a, a_start + j))
