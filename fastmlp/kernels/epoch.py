"""A pass over a data set in batches: training, gradient, or forward only (floor 2).

One compiled function does all three, because most of it is the same code and compiling it takes seconds. It is run by
every thread of a pass at once, each with its own number and its own memory: between the phases of a step they wait for
one another. Nothing is allocated in its loops.
"""

from .clipping import clip
from .parallel.barrier import take_piece, wait
from .parallel.data_parallel import add_groups, count_in_group, update_all
from .parallel.exchange import (
    collect,
    collect_parameters,
    collect_rows,
    exchange_others,
    publish,
    publish_parameters,
    publish_rows,
)
from .parallel.split_layer import second_layer_forward
from .runtime.constants import CLIP_L2, CLIP_NORM, L1, L2, MOMENTUM, ONE_OF_GROUP, SGD
from .runtime.jit import entry
from .runtime.records import NO, NONE, ONE_ROW, PACK_FROM, PIECES, SPARSE_BYTES, YES
from .runtime.simd import get, moved, pointer, put
from .sparse.eights import eights_forward, list_eights
from .sparse.first_layer import (
    dense_forward,
    filled_forward,
    first_layer_base,
    list_entries,
    skipping_forward,
    sparse_forward,
)
from .sparse.rows import in_words
from .steps import (
    activate,
    backward_rows,
    backward_top,
    gradient_and_update,
    judge_rows,
    layer_forward,
    pack_layers,
    shrink_rows,
)

TRAIN, GRADIENT, FORWARD = range(3)


@entry
def run(
    thread, threads, barrier, mode, outputs, totals, network, rows, wanted, work,
    optimizer, parameters, gradient, m, v, order, names, epoch_rows, batch_size, rates, penalties, step, ends_of_epochs,
):  # fmt: skip
    """Go through `order` in batches of `batch_size`, as one of several threads.

    `order` may be that of several epochs, one after another, of `epoch_rows` rows each; the last batch of every epoch
    may be smaller.

    Parameters
    ----------
    thread, threads : int
        Which thread this is, and how many there are. Rows and parameters are divided among them; the bits don't
        depend on it.
    barrier : ndarray of int64
        Of `kernels.barrier`, shared by the threads.
    mode : int
        TRAIN: one step of the optimizer a batch. GRADIENT: the gradient of one batch of all rows. FORWARD: outputs
        and losses.
    outputs : flat array
        FORWARD writes the outputs of every row here, (n_rows * outputs,), unless it is empty; shared.
    totals : flat array of float64, (epochs * 3,)
        Receives the sums of weighted losses, weighted correct answers, and weights of every epoch; shared.
    network, rows, wanted, work : named tuples of `given`
    optimizer : int
        Its code.
    parameters, gradient, m, v : flat arrays
        Of the layout of the architecture; the moments may be empty where the optimizer needs none, and the gradient
        where it isn't asked for and never has to be kept whole. In training and for a gradient each thread has its
        own, and keeps those up to date that it owns by its layer table.
    order : ndarray of int64
    names : ndarray of int64
        The numbers by which dropout knows the rows of `order`: those in the whole data set, where this is a part.
    epoch_rows : int
        Rows of an epoch: the length of `order`, divided by the number of epochs.
    rates : ndarray of float64
        The learning rate of every batch; read in TRAIN.
    penalties : ndarray of float64
        The L2 penalty of every batch; empty where that of the settings is for all. It is written to the settings, of
        which each thread has its own.
    step : int
        How many steps have been done before.
    ends_of_epochs : flat array, (epochs * n_parameters,)
        Receives the parameters that the first thread has at the end of every epoch, unless it is empty.
    """
    loss, n_layers, layers = network.loss, network.n_layers, network.layers
    settings = pointer(network.settings)
    kind, features, readable = rows.kind, rows.features, rows.readable
    scale, shift = pointer(rows.scale), pointer(rows.shift)
    starts, columns_16, columns_32 = pointer(rows.starts), pointer(rows.columns_16), pointer(rows.columns_32)
    bytes, numbers, filled = pointer(rows.bytes), pointer(rows.numbers), rows.filled
    filled_bytes, filled_numbers = pointer(rows.filled_bytes), pointer(rows.filled_numbers)
    has_targets, task, labelled, weighted = wanted.has_targets, wanted.task, wanted.labelled, wanted.weighted
    labels, values, weights = pointer(wanted.labels), pointer(wanted.values), pointer(wanted.weights)
    chunk, x, x_row, y, base, sums = work.chunk, work.x, work.x_row, work.y, work.base, work.sums
    mask, half, first_units, other = work.mask, work.half, work.first_units, work.other
    partials = pointer(work.partials)
    block, panels, listing, room = work.block, work.panels, work.listing, work.room
    memory, shared = pointer(work.memory), pointer(work.shared)
    losses, correct = pointer(work.losses), pointer(work.correct)
    groups, group_gradients, group_totals = work.groups, pointer(work.group_gradients), pointer(work.group_totals)
    shared_parameters = pointer(work.shared_parameters)
    ends, members, factors = pointer(work.ends), pointer(work.members), pointer(work.factors)
    pairs, eights, n_eights, by_eights = pointer(work.pairs), pointer(work.eights), NO, rows.by_eights
    n_rows, writing, n_parameters = len(order), len(outputs) > 0, len(parameters)
    order, names, outputs_, parameters_ = pointer(order), pointer(names), pointer(outputs), pointer(parameters)
    gradient_, m_, v_, ends_ = pointer(gradient), pointer(m), pointer(v), pointer(ends_of_epochs)

    top, halved = n_layers - 1, half >= 0 or first_units > 0
    units, width, answers = layers[top].units, layers[top].row_stride, layers[top].activations
    training = mode == TRAIN
    backward = mode != FORWARD
    # Outputs alone need no other thread's rows: each takes pieces of them as they come.
    loose = not backward and not has_targets
    piece, taken = chunk, take_piece(barrier, threads, NONE) if loose else NO
    if loose and threads > 1 and threads * PIECES * chunk > n_rows:
        piece = (n_rows + threads * PIECES - 1) // (threads * PIECES)
    sparse = kind >= SPARSE_BYTES
    folded = rows.has_shift and (sparse or work.skipping)
    exchanging = backward and threads > 1 and groups == 0
    by_columns = exchanging and sparse
    left, right = layers[0].first_column, layers[0].end_column
    # Plain gradient descent on a batch of one chunk needs no gradient: deltas times minus the rate go straight into the
    # weights.
    direct = training and optimizer == SGD and get(settings, MOMENTUM) == 0 and get(settings, L1) == 0
    # One that is to be clipped has to be whole first; there is one thread then.
    clipping = training and get(settings, CLIP_NORM) > 0
    direct = direct and batch_size <= chunk and groups == 0 and not clipping
    target = parameters_ if direct else gradient_
    begin = batch = epoch = 0
    epoch_end = epoch_rows
    while begin < n_rows:
        end = begin + batch_size if begin + batch_size < epoch_end else epoch_end
        rate = rates[batch] if training else 0.0
        if len(penalties) > 0:
            put(settings, CLIP_L2 if clipping else L2, penalties[batch])
        delta_scale = (-rate if direct else 1.0) / (end - begin)
        for position in range(begin, end, piece):
            count = piece if end - position > piece else end - position
            first, last = count * thread // threads, count * (thread + 1) // threads
            number = (position - begin) // piece
            # What all rows share.
            if exchanging:
                wait(barrier, threads)
            if position == begin:
                if exchanging:
                    collect_parameters(parameters_, shared_parameters, n_layers, layers, by_columns)
                first_layer_base(memory, base, layers, folded, shift, parameters_, left, right)
                pack_layers(memory, n_layers, layers, parameters_, chunk >= PACK_FROM, backward and batch_size > 1)

            if groups > 0:
                group = number % groups
                if group % threads != thread:
                    continue
                first, last = NO, count
                target = moved(group_gradients, group * n_parameters)

            if loose:
                if number != taken:
                    continue
                first, last = NO, count

            # Forward.
            rectified = False
            if sparse:
                from_row, to_row = (NO, count) if by_columns else (first, last)
                if by_eights:
                    n_eights = list_eights(eights, starts, columns_16, bytes, order, n_rows, position, count)
                if filled > 0:
                    filled_forward(
                        memory, x, x_row, base, layers, kind, filled, scale, filled_bytes, filled_numbers, parameters_,
                        order, n_rows, position, from_row, to_row, left, right,
                    )  # fmt: skip
                if by_eights:
                    out, w = layers[0].before_dropout + left, layers[0].weights + left
                    eights_forward(
                        memory, out, layers[0].row_stride, parameters_, w, layers[0].weights_stride, eights, n_eights,
                        columns_16, bytes, get(scale, NO), right - left,
                    )  # fmt: skip
                else:
                    sparse_forward(
                        memory, base, layers, kind, filled, readable, scale, starts, columns_16, columns_32, bytes,
                        numbers, members, factors, parameters_, order, n_rows, position, from_row, to_row, left, right,
                        work.turns,
                    )  # fmt: skip
            elif work.skipping:
                skipping_forward(
                    memory, base, layers, kind, features, readable, scale, bytes, numbers, members, factors,
                    parameters_, order, position, first, last, work.turns,
                )  # fmt: skip
            else:
                rectified = dense_forward(
                    memory, x, x_row, base, layers, kind, features, scale, shift, bytes, numbers, parameters_, order,
                    position, first, last,
                )  # fmt: skip
            if by_columns:
                start, row = layers[0].before_dropout, layers[0].row_stride
                exchange_others(memory, shared, start, row, first, last, count, left, right, YES)
                wait(barrier, threads)
                start += first * row
                collect(memory, shared, start, row, last - first, left)
                collect(memory, shared, start + right, row, last - first, layers[0].width - right)
            # Of pieces, whose rows depend on the number of threads, none is.
            alone = count == 1 and not loose
            for n in range(top + 1):
                rectified = n == 0 and rectified
                if n == 1 and halved:
                    second_layer_forward(
                        memory, layers, parameters_, count, chunk, first_units, other, half, partials, barrier, batch,
                    )
                elif n > 0:
                    rectified = layer_forward(
                        memory, layers, n, parameters_, first, last - first, alone, chunk >= PACK_FROM
                    )
                activate(memory, layers, n, rectified, settings, names, position, first, last - first, training)
            if has_targets:
                judge_rows(
                    memory, y, mask, sums, losses, correct, layers, top, loss, settings, task, labelled, labels,
                    values, weighted, weights, order, position, first, last,
                )  # fmt: skip

            # Backward.
            if backward:
                backward_top(
                    memory, y, mask, layers, top, loss, settings, weighted, weights, order, position, first, last,
                    delta_scale,
                )  # fmt: skip
                backward_rows(
                    memory, layers, top, parameters_, loss, settings, names, position, first, last, training,
                    batch_size > 1,
                )  # fmt: skip
                if exchanging:
                    publish_rows(shared, memory, x, x_row, n_layers, layers, by_columns, features, first, last - first)
            elif writing:
                for i in range(first, last):
                    for j in range(units):
                        put(outputs_, get(order, position + i) * units + j, get(memory, answers + i * width + j))
            if groups > 0:
                count_in_group(
                    group_totals, group, number < groups, losses, correct, weighted, weights, order, position, count
                )
            elif not loose:
                wait(barrier, threads)
            if groups == 0 and thread == 0 and has_targets:
                for i in range(count):
                    totals[3 * epoch] += get(losses, i)
                    totals[3 * epoch + 1] += get(correct, i)
                    totals[3 * epoch + 2] += float(get(weights, get(order, position + i))) if weighted else 1.0
            if loose:
                taken = take_piece(barrier, threads, taken)
                continue
            if not backward:
                wait(barrier, threads)
                continue

            # Parameters.
            if exchanging:
                collect_rows(memory, shared, x, x_row, n_layers, layers, by_columns, first, last, count)
            updating = training and not direct and not clipping and position + count == end and groups == 0
            whole = updating and position == begin
            accumulate = direct or number >= (groups if groups > 0 else 1)
            if direct:
                shrink_rows(parameters_, n_layers, layers, settings, rate)
            if listing:
                list_entries(
                    ends, members, factors, pairs, room, kind, features, scale, starts, columns_16, columns_32, bytes,
                    numbers, order, position, count, in_words(memory, layers[0].row_stride),
                )  # fmt: skip
            gradient_and_update(
                target, parameters_, m_, v_, memory, n_layers, layers, settings, optimizer, step + batch + 1, rate,
                updating, whole, accumulate, x, x_row, sums, block, panels, kind, filled, listing, room, folded,
                by_eights, eights, n_eights, readable, scale, shift, starts, columns_16, columns_32, bytes, numbers,
                ends, members, factors, pairs, order, position, count,
            )  # fmt: skip
            if exchanging and training and position + count == end:
                publish_parameters(shared_parameters, parameters_, n_layers, layers, by_columns)

        if groups > 0:
            wait(barrier, threads)
            used = number + 1 if number + 1 < groups else groups
            add_groups(gradient_, group_gradients, used, n_parameters)
            if thread == 0:
                for group in range(used):
                    for k in range(3):
                        totals[3 * epoch + k] += get(group_totals, group * ONE_OF_GROUP + k)
        if clipping:
            clip(gradient_, parameters_, n_layers, layers, settings)
        if training and (groups > 0 or clipping):
            update_all(optimizer, parameters_, gradient_, m_, v_, n_layers, layers, settings, step + batch + 1, rate)
        if groups > 0:
            wait(barrier, threads)
        if end == epoch_end:
            if thread == 0 and len(ends_of_epochs) > 0:
                publish(moved(ends_, epoch * n_parameters), parameters_, NO, NO, ONE_ROW, n_parameters)
            epoch, epoch_end = epoch + 1, epoch_end + epoch_rows
        begin, batch = end, batch + 1
