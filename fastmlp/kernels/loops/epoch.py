"""Batches, threads, and the functions that Python calls (floor 2; imports numba).

A batch's gradient is the sum of its samples', so samples can be divided among threads: `prange` does. For the same bits
on any number of threads, a batch is cut into chunks whatever that number is; each adds up its samples in order in a
gradient of its own, and the chunks' gradients are added in order. A batch of one sample is one chunk.

Each function that Python calls is compiled twice from the same source: on one thread `prange` is `range`, and Numba's
parallel runtime is never touched. The rung below: `train_epoch`, `evaluate` and `loss_and_gradient` of `numpy_engine`.
"""

from numba import prange

from ..runtime.jit import entry, loop, parallel_entry, view
from .linear import add_multiple, copy, fill
from .losses import is_correct, loss_value
from .optimizers import (
    add_penalties,
    clear_frozen,
    clip_factor,
    decay,
    descend,
    descend_everywhere,
    goes_everywhere,
    penalties,
    sum_of_squares,
)
from .records import Chunk
from .sample import NO_DROPOUT, backprop_sample, forward_sample, units_of
from .samples import read_sample, read_target

CHUNK_ROWS = 32
"""Rows of a chunk, at least: to add up gradients costs as much as a few samples' backward pass."""

MOST_CHUNKS = 16
"""Chunks of a batch, at most: each has a gradient of its own."""


def most_chunks(n_rows: int) -> int:
    """Into how many chunks so many rows are cut; it depends on nothing else."""
    return min(max(n_rows // CHUNK_ROWS, 1), MOST_CHUNKS)


n_chunks = loop(most_chunks)


@view
def chunk_of(work, c):
    """One chunk's memory."""
    return Chunk(
        work.columns[c], work.values[c], work.z[c], work.a[c], work.out[c], work.d[c], work.y[c], work.gradients[c]
    )


@loop
def judge(network, targets, row, chunk, work, place):
    """Note loss and correctness of the sample that went forward last, times its weight."""
    last = network.layers[len(network.layers) - 1]
    z, a = units_of(last, chunk.z), units_of(last, chunk.a)
    read_target(network, targets, row, chunk.y)
    loss = z.dtype.type(loss_value(network, z, a, chunk.y))  # infinite where it is for NumPy
    work.losses[place] = float(targets.weights[row]) * loss
    work.correct[place] = targets.weights[row] * is_correct(network.task, a, chunk.y)


@loop
def count(work, place, weight):
    """Add a sample that was judged to the totals."""
    work.totals[0] += work.losses[place]
    work.totals[1] += work.correct[place]
    work.totals[2] += weight


@loop
def note_features(work, c, columns):
    """Remember which rows of the first layer's gradient are no longer 0."""
    for k in range(len(columns)):
        j = columns[k]
        if not work.seen[c, j]:
            work.seen[c, j] = True
            work.features[c, work.n_features[c]] = j
            work.n_features[c] += 1


@loop
def backprop_rows(network, samples, targets, parameters, batches, work, c, span):
    """Add up the gradients of one chunk's samples; `span` is the batch's first row and its number of rows."""
    chunk, (first, n_rows) = chunk_of(work, c), span
    chunks = n_chunks(n_rows)
    for place in range(c * n_rows // chunks, (c + 1) * n_rows // chunks):
        row = batches.order[first + place]
        name = batches.names[first + place] if len(batches.names) else NO_DROPOUT
        n = read_sample(samples, row, chunk.columns, chunk.values)
        forward_sample(network, parameters, chunk, n, name)
        judge(network, targets, row, chunk, work, place)
        backprop_sample(network, parameters, chunk, n, name, targets.weights[row] / n_rows)
        note_features(work, c, chunk.columns[:n])


@view
def feature_row(network, flat, j):
    """A feature's weights in the first layer."""
    layer = network.layers[0]
    start = layer.weights + j * layer.stride
    return flat[start : start + layer.units]


@view
def beyond_features(network, flat):
    """All of a flat vector but the first layer's weights."""
    first = network.layers[0]
    return flat[first.weights + first.fan_in * first.stride :]


@loop
def clear(network, work, c):
    """Make a chunk's gradient 0 again."""
    for j in work.features[c, : work.n_features[c]]:
        fill(feature_row(network, work.gradients[c], j), 0)
        work.seen[c, j] = False
    work.n_features[c] = 0
    fill(beyond_features(network, work.gradients[c]), 0)


@loop
def add_up(network, work, chunks):
    """Add the gradients of all chunks to that of chunk 0, in order."""
    total = work.gradients[0]
    for c in range(1, chunks):
        own, features = work.gradients[c], work.features[c, : work.n_features[c]]
        for j in features:
            add_multiple(1, feature_row(network, own, j), feature_row(network, total, j))
        add_multiple(1, beyond_features(network, own), beyond_features(network, total))
        note_features(work, 0, features)
        clear(network, work, c)


@loop
def shorten(optimizer, gradient):
    """Clip the gradient."""
    factor = clip_factor(optimizer, sum_of_squares(gradient))
    if factor < 1:
        for i in range(len(gradient)):
            gradient[i] *= factor


@loop
def take_step(network, optimizer, state, work, rate, l2, step):
    """Move the parameters by the gradient of chunk 0, and make that 0 again."""
    gradient = work.gradients[0]
    add_penalties(network, l2, state.parameters, gradient)
    clear_frozen(network, gradient)
    if optimizer.weight_decay > 0:
        decay(network, state.parameters, 1 - rate * optimizer.weight_decay)
    if optimizer.clip_norm > 0:
        shorten(optimizer, gradient)
    if goes_everywhere(network, optimizer, l2):
        descend_everywhere(network, optimizer, state, gradient, rate, step)
        fill(gradient, 0)
    else:
        for j in work.features[0, : work.n_features[0]]:
            descend(feature_row(network, state.parameters, j), feature_row(network, gradient, j), rate)
        descend(beyond_features(network, state.parameters), beyond_features(network, gradient), rate)
    clear(network, work, 0)


def _train_epoch(network, samples, targets, optimizer, state, batches, work, step):
    """Train on the rows in their order, a step a batch: `numpy_engine.train_epoch`.

    `step` is how many steps were taken before.
    """
    for batch in range(len(batches.rates)):
        first = batch * batches.size
        n_rows = min(batches.size, len(batches.order) - first)
        chunks = n_chunks(n_rows)
        if chunks == 1:  # to wake a thread takes longer than so few samples do
            backprop_rows(network, samples, targets, state.parameters, batches, work, 0, (first, n_rows))
        else:
            for c in prange(chunks):
                backprop_rows(network, samples, targets, state.parameters, batches, work, c, (first, n_rows))
        add_up(network, work, chunks)
        l2 = batches.penalties[batch] if len(batches.penalties) else network.l2
        take_step(network, optimizer, state, work, batches.rates[batch], l2, step + batch + 1)
        for place in range(n_rows):
            count(work, place, targets.weights[batches.order[first + place]])


def _loss_and_gradient(network, samples, targets, parameters, batches, work):
    """Objective and gradient of all rows as one batch: `numpy_engine.loss_and_gradient`.

    Returns the objective; the gradient is chunk 0's.
    """
    n_rows = len(batches.order)
    chunks = n_chunks(n_rows)
    for c in prange(chunks):
        backprop_rows(network, samples, targets, parameters, batches, work, c, (0, n_rows))
    add_up(network, work, chunks)
    loss = 0.0
    for place in range(n_rows):
        loss += work.losses[place]
    add_penalties(network, network.l2, parameters, work.gradients[0])
    return loss / n_rows + penalties(network, parameters)


@loop
def forward_rows(network, samples, targets, parameters, outputs, work, c):
    """Run one chunk's rows through the network."""
    chunk, chunks, n_rows = chunk_of(work, c), n_chunks(len(outputs)), len(outputs)
    for row in range(c * n_rows // chunks, (c + 1) * n_rows // chunks):
        n = read_sample(samples, row, chunk.columns, chunk.values)
        forward_sample(network, parameters, chunk, n, NO_DROPOUT)
        if outputs.shape[1]:
            copy(units_of(network.layers[len(network.layers) - 1], chunk.out), outputs[row])
        if len(targets.weights):
            judge(network, targets, row, chunk, work, row)


def _forward(network, samples, targets, parameters, outputs, work):
    """Run all rows through the network: `numpy_engine.forward` and `evaluate`.

    Outputs are written where there is room for them, (n_rows, outputs) or (n_rows, 0); rows are judged where they have
    weights.
    """
    for c in prange(n_chunks(len(outputs))):
        forward_rows(network, samples, targets, parameters, outputs, work, c)
    for row in range(len(targets.weights)):
        count(work, row, targets.weights[row])


train_epoch, train_epoch_parallel = entry(_train_epoch), parallel_entry(_train_epoch)
loss_and_gradient, loss_and_gradient_parallel = entry(_loss_and_gradient), parallel_entry(_loss_and_gradient)
forward, forward_parallel = entry(_forward), parallel_entry(_forward)
