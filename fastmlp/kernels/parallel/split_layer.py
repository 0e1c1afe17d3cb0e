"""Small batches on two threads, each with half of the first layer's units (floor 2).

With few rows a batch there are too few to divide, and a step is too short for threads to meet between its phases. But
units of the first layer have nothing to do with one another: each thread takes half of them, with their weights, and
so half of the rows of the second layer's weights. All that it needs of the other is what the other half adds to the
weighted inputs of the second layer, once a step. What comes after these is so little that both threads compute it.

To its kernels a thread's half is a network of its own; only the sum below knows of two.
"""

from ..dense.products import product, row_times_matrix
from ..elementwise import fill_rows, fill_zeros
from ..runtime.jit import kernel
from ..runtime.records import ADD, NEXT, NO, UNPACKED
from ..runtime.simd import lanes, load, store
from .barrier import say, wait_for


@kernel
def second_layer_forward(memory, layers, parameters, count, most, first_units, other, half, partials, barrier, step):
    """Weighted inputs of the second layer, ``Z = (b + A0 W0) + A1 W1``, for the `count` rows of a batch.

    ``A0`` and ``A1`` are the activations of the halves of the first layer, ``W0`` and ``W1`` the rows of the second
    layer's weights that they meet. The bits are the same for one thread and for two.

    Parameters
    ----------
    most : int
        Rows of a batch, at most.
    memory : flat array
        ``Z`` goes to the place of the second layer in it; `other` is where one thread has room for ``A1 W1``.
    first_units : int
        Units of the first half, where one thread has both.
    half : int
        Of two threads, which half this one has: its layer table describes that half alone. -1 for one thread.
    partials : flat array
        Shared by two threads: four times as much room as ``Z`` takes. Each writes its sum to its own places, in turns
        to two of them, since the other may still be reading the one of the step before.
    barrier : ndarray of int64
    step : int
        How many steps there were since the barrier was made.
    """
    width, row = layers[1].width, layers[1].row_stride
    out, a, bias = layers[1].before_dropout, layers[0].activations, layers[1].bias
    w, fan_in = layers[1].weights, layers[1].fan_in
    units = first_units if half < 0 else fan_in
    if bias >= 0 and half <= 0:
        fill_rows(memory, out, row, width, count, parameters, bias)
    else:
        fill_zeros(memory, out, count * row)
    _multiply(memory, out, row, a, layers[0].row_stride, parameters, w, width, units, count)
    if half < 0:
        fill_zeros(memory, other, count * row)
        w += units * width
        _multiply(memory, other, row, a + units, layers[0].row_stride, parameters, w, width, fan_in - units, count)
        _add(memory, out, memory, other, count * row)
    else:
        room = most * row
        place = step % 2 * 2 * room
        for j in range(0, count * row, lanes(memory)):
            store(partials, place + half * room + j, load(memory, out + j))
        say(barrier, half, step + 1)
        wait_for(barrier, 1 - half, step + 1)
        _add(memory, out, partials, place + (1 - half) * room, count * row)


@kernel
def _multiply(memory, out, row, a, a_row, parameters, w, width, inner, count):
    """``C += A W``; a matrix-vector product where there is one row."""
    if count == 1:
        row_times_matrix(memory, out, memory, a, parameters, w, width, width, inner)
    else:
        product(memory, out, row, memory, a, a_row, NEXT, parameters, w, width, UNPACKED, count, width, inner, ADD)


@kernel
def _add(c, c_start, a, a_start, size):
    """``c += a``; `size` is whole vectors."""
    for j in range(NO, size, lanes(c)):
        store(c, c_start + j, load(c, c_start + j) + load(a, a_start + j))
