"""A pass over a data set in batches: training, gradient, or forward only (floor 1; imports numba through _jit;
kernels).

One compiled function does all three, because most of it is the same code and compiling it takes seconds. It is run by
every thread of a pass at once, each with its own number: between the phases of a step they wait for one another.
Nothing is allocated in its loops.
"""

from ._jit import entry
from .barrier import wait
from .codes import L1, MOMENTUM, SGD, STRIDE, UNITS, A
from .simd import at, get, put
from .steps import (
    NO,
    SPARSE_BYTES,
    YES,
    activate,
    backward_rows,
    backward_top,
    first_layer_forward,
    gradient_rows,
    judge_rows,
    layer_forward,
    prepare,
    shrink_rows,
    update_rows,
)

TRAIN, GRADIENT, FORWARD = range(3)


@entry
def run(
    thread, threads, barrier, mode, outputs, totals, network, rows, wanted, work,
    optimizer, parameters, gradient, m, v, order, batch_size, rates, step,
):  # fmt: skip
    """Go through `order` in batches of `batch_size`, as one of several threads.

    Parameters
    ----------
    thread, threads : int
        Which thread this is, and how many there are. Rows and parameters are divided among them; the bits don't
        depend on it.
    barrier : ndarray of int64
        Of `kernels.barrier`, shared by the threads, as are all arrays below.
    mode : int
        TRAIN: one step of the optimizer a batch. GRADIENT: the gradient of one batch of all rows. FORWARD: outputs
        and losses.
    outputs : flat array
        FORWARD writes the outputs of every row here, (n_rows * outputs,), unless it is empty.
    totals : ndarray of float64, shape (3,)
        Receives the sums of weighted losses, weighted correct answers, and weights.
    network, rows, wanted, work : named tuples of `steps`
    optimizer : int
        Its code.
    parameters, gradient, m, v : flat arrays
        Of the layout of the architecture; the moments may be empty where the optimizer needs none.
    order : ndarray of int64
    rates : ndarray of float64
        The learning rate of every batch; read in TRAIN.
    step : int
        How many steps have been done before.
    """
    # Every field of the tuples once, here: see steps.
    loss, layers, pieces, settings = network.loss, network.layers, network.pieces, network.settings
    kind, features, scale, shift = rows.kind, rows.features, rows.scale, rows.shift
    folded = rows.has_shift and kind >= SPARSE_BYTES
    starts, columns_16, columns_32 = rows.starts, rows.columns_16, rows.columns_32
    bytes, numbers = rows.bytes, rows.numbers
    labels, values, weights = wanted.labels, wanted.values, wanted.weights
    has_targets, task = wanted.has_targets, wanted.task
    chunk, x, y, base, sums = work.chunk, work.x, work.y, work.base, work.sums
    memory, losses, correct = work.memory, work.losses, work.correct

    top = len(layers) - 1
    units, width, answers = at(layers, top, UNITS), at(layers, top, STRIDE), at(layers, top, A)
    training = mode == TRAIN
    backward = mode != FORWARD
    packing = backward and batch_size > 1
    # Plain gradient descent on a batch of one chunk needs no gradient: deltas times minus the rate go straight into the
    # weights.
    direct = training and optimizer == SGD and settings[MOMENTUM] == 0 and settings[L1] == 0 and batch_size <= chunk
    target = parameters if direct else gradient
    for batch in range((len(order) + batch_size - 1) // batch_size):
        begin = batch * batch_size
        end = begin + batch_size if begin + batch_size < len(order) else len(order)
        rate = rates[batch] if training else 0.0
        delta_scale = (-rate if direct else 1.0) / (end - begin)
        for position in range(begin, end, chunk):
            count = chunk if end - position > chunk else end - position
            first, last = count * thread // threads, count * (thread + 1) // threads
            if backward or position == 0:
                prepare(memory, base, layers, pieces, folded, shift, parameters, packing, thread, threads)
                wait(barrier, threads)
            for n in range(top + 1):
                if n == 0:
                    first_layer_forward(
                        memory, x, base, layers, kind, features, scale, shift, starts, columns_16, columns_32, bytes,
                        numbers, parameters, order, position, first, last,
                    )  # fmt: skip
                else:
                    layer_forward(memory, layers, n, parameters, first, last - first, count == 1)
                activate(memory, layers, n, settings, order, position, first, last - first, training)
            if has_targets:
                judge_rows(
                    memory, y, losses, correct, layers, loss, task, labels, values, weights, order, position,
                    first, last,
                )  # fmt: skip
            if backward:
                backward_top(memory, y, layers, loss, weights, order, position, first, last, delta_scale)
                backward_rows(
                    memory, layers, parameters, loss, settings, order, position, first, last, training, packing
                )
            elif len(outputs) > 0:
                for i in range(first, last):
                    for j in range(units):
                        put(outputs, get(order, position + i) * units + j, get(memory, answers + i * width + j))
            wait(barrier, threads)
            if thread == 0 and has_targets:
                for i in range(count):
                    totals[0] += get(losses, i)
                    totals[1] += get(correct, i)
                    totals[2] += 1.0 if len(weights) == 0 else float(get(weights, get(order, position + i)))
            if backward:
                fresh = NO
                if not direct and position == begin:
                    fresh = YES
                if direct:
                    shrink_rows(parameters, layers, pieces, settings, rate, thread)
                gradient_rows(
                    target, memory, x, sums, layers, pieces, kind, features, folded, scale, shift, starts,
                    columns_16, columns_32, bytes, numbers, order, position, count, fresh, thread, threads,
                )  # fmt: skip
                if training and not direct and position + count == end:
                    update_rows(
                        optimizer, parameters, gradient, m, v, layers, pieces, settings, step + batch + 1, rate,
                        thread, threads,
                    )  # fmt: skip
            wait(barrier, threads)
