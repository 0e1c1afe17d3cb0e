"""Plain stochastic gradient descent one sample at a time, forward, backward and update in one sweep (floor 1; numba;
kernels).

With a batch of one there is no matrix product to tile and nothing to divide among threads: what counts is that a
sample's rows of the weights are touched once forward and once backward, while they are in the cache.
"""

from ._jit import entry, inlined
from .codes import (
    ACTIVATION,
    BIAS,
    BINARY_CROSS_ENTROPY,
    FAN_IN,
    KEPT,
    KEY,
    SETTINGS,
    STRIDE,
    THRESHOLD,
    UNITS,
    WEIGHTS,
    A,
    D,
    Z,
)
from .elementwise import activation_backward, dropout
from .matrix import matrix_times_column, row_times_matrix
from .simd import at, broadcast, fma, get, lanes, load, splat, store
from .sparse import add_shift, add_shift_gradient
from .steps import (
    NEW,
    SPARSE_BYTES,
    activate,
    backward_top,
    forward_first_row,
    gather_row,
    gradient_first_row,
    judge_rows,
)


@inlined
def _add_outer(w, w_start, stride, a, a_start, d, d_start, rows, width):
    """``W[i, :] += a[i] * d``."""
    for i in range(rows):
        factor = broadcast(a, a_start + i)
        for j in range(0, width, lanes(w)):
            place = w_start + i * stride + j
            store(w, place, fma(factor, load(d, d_start + j), load(w, place)))


@inlined
def _start_from(out, start, source, source_start, width):
    """``out`` = a bias, or zero where `source_start` is -1."""
    for j in range(0, width, lanes(out)):
        value = splat(out, 0.0)
        if source_start >= 0:
            value = load(source, source_start + j)
        store(out, start + j, value)


@entry
def run(totals, network, rows, wanted, work, parameters, order, rates):
    """Take one step of plain gradient descent a sample, in the order given; arguments as those of `batches.run`."""
    loss, layers, settings = network.loss, network.layers, network.settings
    kind, features, scale, shift = rows.kind, rows.features, rows.scale, rows.shift
    folded = rows.has_shift and kind >= SPARSE_BYTES
    starts, columns_16, columns_32 = rows.starts, rows.columns_16, rows.columns_32
    bytes, numbers = rows.bytes, rows.numbers
    labels, values, weights, task = wanted.labels, wanted.values, wanted.weights, wanted.task
    x, y, base = work.x, work.y, work.base
    memory, losses, correct = work.memory, work.losses, work.correct

    top = len(layers) - 1
    first_w, first_width = at(layers, 0, WEIGHTS), at(layers, 0, STRIDE)
    for position in range(len(order)):
        row = get(order, position)
        for n in range(top + 1):
            width, w, kept = at(layers, n, STRIDE), at(layers, n, WEIGHTS), at(layers, n, KEPT)
            if n > 0:
                _start_from(memory, kept, parameters, at(layers, n, BIAS), width)
                row_times_matrix(
                    memory, kept, memory, at(layers, n - 1, A), parameters, w, width, width, at(layers, n, FAN_IN)
                )
            else:
                _start_from(memory, base, parameters, at(layers, 0, BIAS), width)
                if folded:
                    add_shift(memory, base, shift, parameters, w, width, NEW, features, width)
                if kind >= SPARSE_BYTES:
                    forward_first_row(
                        memory, base, layers, kind, scale, starts, columns_16, columns_32, bytes, numbers, parameters,
                        row, 0,
                    )  # fmt: skip
                else:
                    gather_row(memory, x, kind, features, scale, shift, bytes, numbers, row, 0)
                    _start_from(memory, kept, memory, base, width)
                    row_times_matrix(memory, kept, memory, x, parameters, w, width, width, features)
            activate(memory, layers, n, settings, order, position, 0, 1, True)
        judge_rows(memory, y, losses, correct, layers, loss, task, labels, values, weights, order, position, 0, 1)
        totals[0] += get(losses, 0)
        totals[1] += get(correct, 0)
        totals[2] += 1.0 if len(weights) == 0 else float(get(weights, row))
        backward_top(memory, y, layers, loss, weights, order, position, 0, 1, -get(rates, position))
        for n in range(top, -1, -1):
            width, w, d, bias = at(layers, n, STRIDE), at(layers, n, WEIGHTS), at(layers, n, D), at(layers, n, BIAS)
            kept = at(layers, n, KEPT)
            if n < top and at(layers, n, A) != kept:
                key, threshold, factor = at(layers, n, KEY), at(layers, n, THRESHOLD), get(settings, SETTINGS + n)
                dropout(memory, d, memory, d, width, 1, width, order, position, key, threshold, factor)
            if n < top or loss < BINARY_CROSS_ENTROPY:
                code, z, units = at(layers, n, ACTIVATION), at(layers, n, Z), at(layers, n, UNITS)
                activation_backward(code, memory, d, memory, kept, memory, z, width, 1, units, width)
            if n > 0:
                fan_in = at(layers, n, FAN_IN)
                matrix_times_column(memory, at(layers, n - 1, D), parameters, w, width, memory, d, fan_in, width)
                _add_outer(parameters, w, width, memory, at(layers, n - 1, A), memory, d, fan_in, width)
            if bias >= 0:
                for j in range(0, width, lanes(memory)):
                    store(parameters, bias + j, load(parameters, bias + j) + load(memory, d + j))
        d = at(layers, 0, D)
        if kind >= SPARSE_BYTES:
            gradient_first_row(
                parameters, memory, layers, kind, features, scale, starts, columns_16, columns_32, bytes, numbers,
                row, 0, 0, features,
            )  # fmt: skip
        else:
            _add_outer(parameters, first_w, first_width, memory, x, memory, d, features, first_width)
        if folded:
            add_shift_gradient(parameters, first_w, first_width, shift, memory, d, NEW, features, first_width)
