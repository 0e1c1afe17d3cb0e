"""Epochs of as many tiny networks as a vector has lanes, one in each (floor 2; imports numpy).

A network of 275 parameters is too small for vectors: of a row of 3 units 13 lanes are padding, and every sum waits for
the one before. Here each number of the mathematics is a vector over networks of one shape. They take the same samples,
each in an order of its own, and their numbers in the same order as `epoch.run` takes those of one network, so that
their bits are the same. The formulas are those at the head of `epoch`.

At the last layer numbers change places: a network's row is a row again there, for which `losses` and the functions of
`forward` and `backward` are called; but for a softmax of labels, which stays in vectors. A pass is of one thread.
"""

import numpy as np

from ..backward import differentiate_activation, loss_gradient
from ..dense.microkernels import transpose_square
from ..elementwise import activation_backward, activation_forward, copy_rows, exp_of_negative
from ..forward import activate, evaluate_rows
from ..losses import SMALL
from ..optimizers import TERMS, shrink, term_values, update, update_weights
from ..runtime.constants import BINARY_CROSS_ENTROPY
from ..runtime.fields import taken
from ..runtime.jit import entry, kernel
from ..runtime.matrices import matrix
from ..runtime.records import ONE_ROW, ZERO, Lanes
from ..runtime.simd import (
    absolute,
    flush_subnormals,
    fma,
    get,
    lanes,
    load,
    minimum,
    moved,
    put,
    restore_rounding,
    splat,
    store,
    store_apart,
    where_positive,
)
from ..sparse.first_layer import gather_row
from .tiles import gather_square, lane_product

take_lanes = taken(Lanes)


@entry
def run_lanes(table, like):
    """Train the networks of all lanes for some epochs.

    Parameters
    ----------
    table, like : arrays
        The `handle` of a `Lanes`.
    """
    before = flush_subnormals()
    run = take_lanes(table, like)
    run.batch = ZERO
    scale_rows(run)
    for epoch in range(run.epochs):
        for begin in range(0, run.epoch_rows, run.batch_size):
            left = run.epoch_rows - begin
            run.count = run.batch_size if run.batch_size < left else left
            start_batch(run)
            for first in range(0, run.count, run.chunk):
                left = run.count - first
                run.first, run.rows = first, run.chunk if run.chunk < left else left
                run.position = epoch * run.epoch_rows + begin + first
                gather(run)
                forward(run)
                judge(run, epoch)
                backward(run)
                add_gradients(run)
            update_all(run)
            run.batch += 1
        keep_end(run, epoch)
    restore_rounding(before)


@kernel
def start_batch(run):
    """Write the terms of every network's step, and what its deltas are multiplied by."""
    step, terms = run.step, run.step.work.terms
    vector = lanes(terms)
    for lane in range(vector):
        settings, rate = run.settings[lane], get(run.rates, run.batch * vector + lane)
        number = get(run.steps_before, lane) + run.batch + 1
        values = term_values(step.optimizer, settings, rate, number)
        for term in range(TERMS):
            put(terms, term * vector + lane, values[term])
        put(run.scales, lane, (-rate if run.direct else 1.0) / run.count)
        # Of plain gradient descent both are one factor, as in `update.shrink_rows`.
        put(run.factors, lane, 1.0 - rate * (settings.weight_decay + settings.l2))


@kernel
def scale_rows(run):
    """Write all rows of the data set, scaled and shifted, to a table, whose rows are padded: every epoch reads them."""
    for row in range(run.n_rows):
        gather_row(run.step, row, row * run.x_width)


@kernel
def gather(run):
    """Bring the rows of every network to its lane of the input: (rows, padded features) vectors."""
    vector, width, table = lanes(run.memory), run.x_width, run.step.work.memory
    for i in range(run.rows):
        order = moved(run.order, (run.position + i) * vector)
        for j in range(0, width, vector):
            gather_square(run.memory, run.x + (i * width + j) * vector, table, order, width, j)


@kernel
def forward(run):
    """Activations of the layers before the last, and its weighted inputs; as in `forward.forward`."""
    memory, vector, top = run.memory, lanes(run.memory), run.n_layers - 1
    for n in range(run.n_layers):
        layer = run.layers[n]
        units, out, row = layer.units, layer.activations, layer.row_stride
        weighted_inputs(run, n)
        if n < top:
            if layer.logits >= 0:
                copy_rows(memory, layer.logits, memory, out, row, run.rows, units * vector)
            activation_forward(layer.activation, memory, out, row, run.rows, units * vector, units * vector)


@kernel
def weighted_inputs(run, n):
    """``Z = A W + b`` of a layer, in the order of additions of `forward.layer_forward`, or `split_layer`."""
    layer, memory, parameters, vector = run.layers[n], run.memory, run.parameters, lanes(run.memory)
    units, fan_in, bias = layer.units, layer.fan_in, layer.bias
    a, a_row = run.x, run.x_width * vector
    if n > 0:
        a, a_row = run.layers[n - 1].activations, run.layers[n - 1].row_stride
    Z, A = matrix(memory, layer.activations, layer.row_stride, vector), matrix(memory, a, a_row, vector)
    W, nothing = matrix(parameters, layer.weights, units * vector, vector), matrix(parameters, ZERO, ZERO, ZERO)
    b = matrix(parameters, bias, ZERO, vector) if bias >= 0 else nothing
    if n == 0:
        lane_product(Z, b, A, W, run.rows, units, fan_in)
    elif n == 1 and run.first_units > 0:
        half, other = run.first_units, matrix(memory, run.other, layer.row_stride, vector)
        W_1 = matrix(parameters, layer.weights + half * units * vector, units * vector, vector)
        multiply(run, Z, A, W, b, units, half)
        multiply(run, other, matrix(memory, a + half * vector, a_row, vector), W_1, nothing, units, fan_in - half)
        for j in range(ZERO, run.rows * layer.row_stride, vector):
            place = layer.activations + j
            store(memory, place, load(memory, place) + load(memory, run.other + j))
    elif layer.few_units and run.count > 1:
        for i in range(run.rows):
            z, row = matrix(Z.data, i * Z.stride, Z.stride, vector), matrix(A.data, i * A.stride, A.stride, vector)
            dot_products(z, row, W, b, units, fan_in, run.sums)
    else:
        multiply(run, Z, A, W, b, units, fan_in)


@kernel
def multiply(run, z, a, w, b, units, inner):
    """``Z = b + A W``; a matrix-vector product where the batch has one row."""
    if run.count == 1:
        in_turns(z, a, w, b, units, inner)
    else:
        lane_product(z, b, a, w, run.rows, units, inner)


@kernel
def in_turns(z, a, w, b, units, fan_in):
    """One row of ``Z = b + A W``, in turns added to 4 sums, as `products.row_times_matrix` does."""
    vector, whole = w.step, fan_in - fan_in % 4
    for u in range(units):
        s0, s1, s2, s3 = splat(z.data, 0.0), splat(z.data, 0.0), splat(z.data, 0.0), splat(z.data, 0.0)
        if b.step != 0:
            s0 = load(b.data, u * vector)
        place = u * vector
        for p in range(0, whole, 4):
            s0 = fma(load(a.data, p * vector), load(w.data, place), s0)
            s1 = fma(load(a.data, (p + 1) * vector), load(w.data, place + w.stride), s1)
            s2 = fma(load(a.data, (p + 2) * vector), load(w.data, place + 2 * w.stride), s2)
            s3 = fma(load(a.data, (p + 3) * vector), load(w.data, place + 3 * w.stride), s3)
            place += 4 * w.stride
        for p in range(whole, fan_in):
            s0 = fma(load(a.data, p * vector), load(w.data, place), s0)
            place += w.stride
        store(z.data, u * vector, (s0 + s1) + (s2 + s3))


@kernel
def dot_products(z, a, w, b, units, fan_in, sums):
    """One row of ``Z = b + A W`` as `narrow.add_dot_products` computes it: a sum for each lane of a vector there, which
    are added up by halves.

    Parameters
    ----------
    sums : flat array
        Room for as many vectors as a vector has lanes: the square of that many numbers.
    """
    vector = w.step
    for u in range(units):
        for i in range(vector):
            s = splat(z.data, 0.0)
            for p in range(i, fan_in, vector):
                s = fma(load(a.data, p * vector), load(w.data, p * w.stride + u * vector), s)
            store(sums, i * vector, s)
        half = vector // 2
        while half > 0:
            for i in range(half):
                store(sums, i * vector, load(sums, i * vector) + load(sums, (i + half) * vector))
            half //= 2
        start = splat(z.data, 0.0)
        if b.step != 0:
            start = load(b.data, u * vector)
        store(z.data, u * vector, start + load(sums, ZERO))


@kernel
def judge(run, epoch):
    """Outputs, losses, right answers and the deltas of the last layer."""
    if run.plain_softmax:
        for i in range(run.rows):
            if not judge_softmax(run, i):
                judge_rows(run, i, ONE_ROW)
    else:
        judge_rows(run, ZERO, run.rows)
    count_answers(run, epoch)


@kernel
def judge_softmax(run, i):
    """Judge row ``i`` of the chunk where outputs are a softmax and targets are labels, in vectors; as `judge_rows`.

    ``a = e^(z - max z) / sum``, the loss ``-log a[label]``, the deltas ``(a - (1 at the label)) * share``. The weighted
    inputs ``z`` stay as they are.

    Returns
    -------
    bool
        False where an answer is so wrong that its loss has to be computed from the logits. What was written until then,
        deltas, `labels`, `shares` and right answers, `judge_rows` writes again.
    """
    step, memory, vector, layer = run.step, run.memory, lanes(run.memory), run.layers[run.n_layers - 1]
    targets, z = step.targets, layer.activations + i * layer.row_stride
    end, d, n = z + layer.units * vector, layer.deltas + i * layer.row_stride - z, i * vector
    zero, one, half = splat(memory, 0.0), splat(memory, 1.0), splat(memory, 0.5)
    for lane in range(vector):
        row, weight = get(run.order, run.position * vector + n + lane), 1.0
        if targets.weighted:
            weight = float(get(targets.weights, row))
        put(run.labels, lane, float(get(targets.labels, row)))
        put(run.shares, lane, get(run.scales, lane) * weight)
        put(step.work.correct, n + lane, weight)
    label, share = load(run.labels, ZERO), load(run.shares, ZERO)
    largest = load(memory, z)
    for place in range(z + vector, end, vector):
        x = load(memory, place)
        largest = where_positive(x - largest, x, largest)
    sums = zero
    for place in range(z, end, vector):
        e = exp_of_negative(minimum(zero, load(memory, place) - largest))
        store(memory, place + d, e)
        sums = sums + e
    chosen, unit = zero, zero
    for place in range(z + d, end + d, vector):
        a = load(memory, place) / sums
        wanted = where_positive(half - absolute(label - unit), one, zero)
        store(memory, place, a)
        chosen = where_positive(wanted, a, chosen)
        unit = unit + one
    store(run.labels, ZERO, chosen)
    for lane in range(vector):
        if not get(run.labels, lane) > SMALL:
            return False
    # The first of the largest outputs is the answer: one before the label must be smaller, one behind it not larger.
    beaten, unit = zero, zero
    for place in range(z + d, end + d, vector):
        a, wanted = load(memory, place), where_positive(half - absolute(label - unit), one, zero)
        larger, smaller = where_positive(a - chosen, one, zero), where_positive(chosen - a, one, zero)
        beaten = beaten + where_positive(label - unit - half, one - smaller, larger)
        store(memory, place, (a - wanted) * share)
        unit = unit + one
    store(run.shares, ZERO, where_positive(beaten, zero, one))
    for lane in range(vector):
        weight = get(step.work.correct, n + lane)
        put(step.work.losses, n + lane, weight * -np.log(get(run.labels, lane)))
        put(step.work.correct, n + lane, weight * float(get(run.shares, lane)))
    return True


@kernel
def judge_rows(run, start, count):
    """Judge `count` rows of the chunk by the functions of one network: a network's row is a row again.

    Row ``i`` of the network in lane ``n`` is row ``i * lanes + n`` of `Lanes.step`.
    """
    step, memory, vector = run.step, run.memory, lanes(run.memory)
    top, first, last = run.n_layers - 1, start * vector, (start + count) * vector
    here, there, scratch = run.layers[top], step.layers[top], step.work.memory
    step.position, step.first, step.last, step.count = run.position * vector, first, last, last
    apart = vector * there.row_stride
    for i in range(start, start + count):
        for j in range(0, there.width, vector):
            z = here.activations + i * here.row_stride + j * vector
            transpose_square(scratch, there.before_dropout + i * apart + j, there.row_stride, memory, z, vector)
    activate(step, top, False)
    evaluate_rows(step)
    for i in range(first, last):
        step.first, step.last, step.delta_scale = i, i + 1, get(run.scales, i % vector)
        loss_gradient(step)
    step.first, step.last = first, last
    if step.loss < BINARY_CROSS_ENTROPY:
        differentiate_activation(step, top)
    for i in range(start, start + count):
        for j in range(0, there.width, vector):
            d = there.deltas + i * apart + j
            out = here.deltas + i * here.row_stride + j * vector
            transpose_square(memory, out, vector, scratch, d, there.row_stride)


@kernel
def count_answers(run, epoch):
    """Add the losses, right answers and weights of the chunk to those of each network's epoch, row by row."""
    step, vector, targets = run.step, lanes(run.memory), run.step.targets
    for i in range(run.rows):
        for lane in range(vector):
            n, place = i * vector + lane, 3 * (lane * run.epochs + epoch)
            row, weight = get(run.order, run.position * vector + n), 1.0
            if targets.weighted:
                weight = float(get(targets.weights, row))
            put(run.totals, place, get(run.totals, place) + get(step.work.losses, n))
            put(run.totals, place + 1, get(run.totals, place + 1) + get(step.work.correct, n))
            put(run.totals, place + 2, get(run.totals, place + 2) + weight)


@kernel
def backward(run):
    """Deltas of the layers before the last, ``D[n] = D[n+1] W[n+1]ᵀ * f'(Z[n])``; as in `backward.backward`."""
    memory, vector = run.memory, lanes(run.memory)
    for n in range(run.n_layers - 2, -1, -1):
        layer, after = run.layers[n], run.layers[n + 1]
        units, row = layer.units, layer.row_stride
        D, D_after = matrix(memory, layer.deltas, row, vector), matrix(memory, after.deltas, after.row_stride, vector)
        W_transposed = matrix(run.parameters, after.weights, vector, after.units * vector)
        nothing = matrix(memory, ZERO, ZERO, ZERO)
        lane_product(D, nothing, D_after, W_transposed, run.rows, units, after.units)
        d, a, z = moved(memory, layer.deltas), moved(memory, layer.activations), moved(memory, layer.logits)
        activation_backward(layer.activation, d, a, z, row, run.rows, units * vector, units * vector)


@kernel
def add_gradients(run):
    """Gradients of all parameters over the rows of the chunk, added to those of the batch's chunks before.

    ``dW[n] = A[n-1]ᵀ D[n]``, (fan_in, units) vectors, and ``db[n]`` the sum of the rows of ``D[n]``; as in `update`.
    """
    memory, vector, gradient = run.memory, lanes(run.memory), run.gradient
    if run.first == 0 and run.direct:
        start_with_parameters(run)
    for n in range(run.n_layers):
        layer = run.layers[n]
        units, d, d_row = layer.units, layer.deltas, layer.row_stride
        a, a_row, going_on = run.x, run.x_width * vector, run.direct or run.first > 0
        if n > 0:
            a, a_row = run.layers[n - 1].activations, run.layers[n - 1].row_stride
        G = matrix(gradient, layer.weights, units * vector, vector)
        base = G if going_on else matrix(gradient, ZERO, ZERO, ZERO)
        A_transposed, D = matrix(memory, a, vector, a_row), matrix(memory, d, d_row, vector)
        lane_product(G, base, A_transposed, D, layer.fan_in, units, run.rows)
        if layer.bias >= 0:
            for u in range(units):
                s = splat(memory, 0.0)
                if going_on:
                    s = load(gradient, layer.bias + u * vector)
                for i in range(run.rows):
                    s = s + load(memory, d + i * d_row + u * vector)
                store(gradient, layer.bias + u * vector, s)


@kernel
def start_with_parameters(run):
    """Where deltas carry minus the rate, the gradient begins with the parameters, as far as decay leaves them."""
    size, step = run.n_numbers, run.step
    copy_rows(run.gradient, ZERO, run.parameters, ZERO, size, ONE_ROW, size)
    if step.settings.weight_decay + step.settings.l2 > 0:
        for n in range(run.n_layers):
            layer = run.layers[n]
            end = layer.weights + layer.fan_in * layer.units * lanes(run.memory)
            shrink(run.gradient, layer.weights, end, load(run.factors, ZERO))


@kernel
def update_all(run):
    """One step of the optimizer on all parameters of all networks."""
    step, vector, size = run.step, lanes(run.memory), run.n_numbers
    if run.direct:
        copy_rows(run.parameters, ZERO, run.gradient, ZERO, size, ONE_ROW, size)
        return
    for n in range(run.n_layers):
        layer = run.layers[n]
        width = layer.fan_in * layer.units * vector
        update_weights(step, layer.weights, width, ONE_ROW, width, run.gradient, layer.weights)
        if layer.bias >= 0:
            width = layer.units * vector
            update(step, layer.bias, width, ONE_ROW, width, run.gradient, layer.bias)


@kernel
def keep_end(run, epoch):
    """Write the parameters at the end of an epoch, in the layout of one network: (lanes, epochs, n_parameters)."""
    step, vector, apart = run.step, lanes(run.memory), run.epochs * run.step.n_parameters
    start = epoch * step.n_parameters
    for n in range(run.n_layers):
        here, there = run.layers[n], step.layers[n]
        for i in range(here.fan_in):
            for u in range(here.units):
                value = load(run.parameters, here.weights + (i * here.units + u) * vector)
                store_apart(run.ends, start + there.weights + i * there.width + u, apart, value)
        if here.bias >= 0:
            for u in range(here.units):
                store_apart(run.ends, start + there.bias + u, apart, load(run.parameters, here.bias + u * vector))
