"""A pass over a data set in batches: training, gradient, or forward only (floor 2).

A step of training is forward, loss, backward, update::

    a[n] = f(a[n-1] W[n] + b[n])            forward    (rows, units)
    d[top] = dloss/dz / rows                losses
    d[n] = d[n+1] W[n+1]^T * f'(z[n])       backward   (rows, units)
    W[n] -= rate * a[n-1]^T d[n]            update     (fan_in, units)

`fastmlp.engines.numpy_engine` computes the same in NumPy. One compiled function does training, gradient and forward
passes, because most of it is the same code and compiling it takes seconds. It is run by every thread of a pass at once,
each with its own number and its own memory: between the phases of a step they wait for one another. Nothing is
allocated in its loops.
"""

from .backward import backward
from .forward import evaluate_rows, forward, pack_layers, pack_own_rows, write_outputs
from .optimizers import write_terms
from .parallel.barrier import take_piece, wait
from .parallel.data_parallel import count_in_group
from .parallel.exchange import collect_parameters, publish_rows
from .runtime.constants import SGD
from .runtime.fields import taken
from .runtime.jit import entry, kernel
from .runtime.records import NONE, ONE_ROW, PIECES, SPARSE_BYTES, ZERO, Step
from .runtime.simd import flush_subnormals, get, moved, pointer, put, restore_rounding
from .sparse.first_layer import first_layer_base
from .update import finish_batch, update_parameters

TRAIN, GRADIENT, FORWARD = range(3)
take_step = taken(Step)


@entry
def run(thread, threads, barrier, table, like):
    """Go through the rows of a pass, batch by batch and chunk by chunk, as one of several threads.

    Parameters
    ----------
    thread, threads : int
        Which thread this is, and how many there are. Rows and parameters are divided among them; the bits don't
        depend on it.
    barrier : ndarray of int64
        Of `kernels.parallel.barrier`, shared by the threads.
    table, like : arrays
        The `handle` of a `Step`, which is all else.
    """
    before = flush_subnormals()
    step = take_step(table, like)
    step.thread, step.threads, step.barrier = thread, threads, pointer(barrier)
    plan(step)
    pack_own_rows(step)
    while step.begin < step.n_rows:
        start_batch(step)
        for position in range(step.begin, step.end, step.piece):
            start_chunk(step, position)
            if not take_share(step):
                continue
            forward(step)
            if step.targets.has_targets:
                evaluate_rows(step)
            if step.backward:
                backward(step)
                if step.exchanging:
                    publish_rows(step)
            elif step.writing:
                write_outputs(step)
            meet_and_count(step)
            if step.backward:
                update_parameters(step)
        finish_batch(step)  # and go on to the next
    restore_rounding(before)


@kernel
def plan(step):
    """Decide how the pass is gone through; every thread comes to the same."""
    rows, work, settings = step.rows, step.work, step.settings
    step.training, step.backward = step.mode == TRAIN, step.mode != FORWARD
    step.outputs_only = not step.backward and not step.targets.has_targets
    step.sparse = rows.kind >= SPARSE_BYTES
    step.folded = rows.has_shift and (step.sparse or work.skipping)
    step.halved = work.half >= 0 or work.first_units > 0
    step.exchanging = step.backward and step.threads > 1 and work.groups == 0
    step.by_columns = step.exchanging and step.sparse
    # For one thread only: the engine sees to that.
    step.clipping = step.training and settings.clip_norm > 0
    # Plain gradient descent on a batch of one chunk needs no gradient.
    plain = step.training and step.optimizer == SGD and settings.momentum == 0 and settings.l1 == 0
    step.direct = plain and step.batch_size <= work.chunk and work.groups == 0 and not step.clipping
    step.target = step.parameters if step.direct else step.gradient
    step.piece, step.last_piece, step.finite = work.chunk, ZERO, ONE_ROW
    step.lowest = ZERO
    while step.training and step.layers[step.lowest].trainable == 0 and step.lowest < step.n_layers - 1:
        step.lowest += 1
    if step.outputs_only:
        step.last_piece = take_piece(step.barrier, step.threads, NONE)
        pieces = (step.n_rows + work.chunk - 1) // work.chunk
        if step.threads > 1 and pieces < step.threads * PIECES:
            pieces = step.threads * PIECES
        if pieces > 0:
            step.piece = (step.n_rows + pieces - 1) // pieces
    step.batch, step.begin, step.epoch, step.epoch_end = ZERO, ZERO, ZERO, step.epoch_rows


@kernel
def start_batch(step):
    """Find out how far the next batch goes, and its learning rate and penalty."""
    begin = step.begin
    end = begin + step.batch_size if begin + step.batch_size < step.epoch_end else step.epoch_end
    step.end, step.rate = end, get(step.rates, step.batch) if step.training else 0.0
    if step.has_penalties:
        step.settings.l2 = get(step.penalties, step.batch)
    step.delta_scale = (-step.rate if step.direct else 1.0) / (end - begin)
    if step.training:
        write_terms(step)


@kernel
def start_chunk(step, position):
    """Find out which rows are next, and prepare what all rows of a batch share."""
    count = step.piece if step.end - position > step.piece else step.end - position
    step.position, step.count, step.number = position, count, (position - step.begin) // step.piece
    step.first, step.last = count * step.thread // step.threads, count * (step.thread + 1) // step.threads
    if step.exchanging:
        wait(step.barrier, step.threads)
    if position == step.begin:
        if step.exchanging:
            collect_parameters(step)
        first_layer_base(step)
        pack_layers(step)


@kernel
def take_share(step):
    """Set this thread's rows of the chunk; return False if it has none.

    With groups, or outputs only, a chunk belongs to one thread.
    """
    groups = step.work.groups
    if groups > 0:
        group = step.number % groups
        if group % step.threads != step.thread:
            return False
        step.target = moved(step.work.group_gradients, group * step.n_parameters)
    elif step.outputs_only:
        if step.number != step.last_piece:
            return False
    else:
        return True
    step.first, step.last = ZERO, step.count
    return True


@kernel
def meet_and_count(step):
    """Wait for the other threads, then add up the losses, correct answers and weights of the chunk.

    Groups count without waiting; where only outputs are wanted, the next piece is taken.
    """
    work, targets = step.work, step.targets
    if work.groups > 0:
        count_in_group(step)
        return
    if step.outputs_only:
        step.last_piece = take_piece(step.barrier, step.threads, step.last_piece)
        return
    wait(step.barrier, step.threads)
    if step.thread == 0 and targets.has_targets:
        place = 3 * step.epoch
        for i in range(step.count):
            weight = float(get(targets.weights, get(step.order, step.position + i))) if targets.weighted else 1.0
            put(step.totals, place, get(step.totals, place) + get(work.losses, i))
            put(step.totals, place + 1, get(step.totals, place + 1) + get(work.correct, i))
            put(step.totals, place + 2, get(step.totals, place + 2) + weight)
    if not step.backward:
        wait(step.barrier, step.threads)
