"""Update: gradients of the parameters that a thread owns, and the optimizer's step (floor 2).

``dW[n] = A[n-1]ᵀ D[n]``, (fan_in, units), and ``db[n]`` the sum of the rows of ``D[n]``; then for example
``W[n] -= rate * dW[n]``. Every thread has its own rows of every weight matrix, over all rows of the chunk in order;
with sparse rows columns of the first weight matrix instead, so that nobody else ever needs them. No sum is shared
between threads, so any number of them gives the same bits. In small batches two threads have half of the first layer's
units each (`parallel.split_layer`), in large ones of small networks groups of rows (`parallel.data_parallel`).
"""

from .clipping import clip
from .dense.narrow import transpose_back
from .dense.products import column_sums, pack, padded, product
from .elementwise import fill_zeros
from .forward import pack_own_rows
from .optimizers import shrink, update, update_weights
from .parallel.barrier import wait
from .parallel.data_parallel import add_group_totals, add_groups
from .parallel.exchange import collect_rows, publish, publish_parameters
from .runtime.jit import kernel
from .runtime.matrices import matrix
from .runtime.records import NEW, NEXT, NONE, ONE_ROW, PACK_FROM, PANELS_FROM, ZERO
from .runtime.simd import get, moved, splat
from .sparse.eights import eights_gradient
from .sparse.first_layer import list_entries, list_rows, listed_gradient, sparse_gradient
from .sparse.rows import add_shift_gradient


@kernel
def update_parameters(step):
    """Gradient of a chunk for the parameters that this thread owns; where it is complete, the optimizer's step.

    Training leaves out the layers that are frozen (`Layer.trainable` is 0).
    """
    groups = step.work.groups
    if step.exchanging:
        collect_rows(step)
    complete = step.position + step.count == step.end
    step.updating = step.training and not step.direct and not step.clipping and complete and groups == 0
    step.at_once = step.updating and step.position == step.begin
    step.accumulate = step.direct or step.number >= (groups if groups > 0 else 1)
    if step.direct:
        shrink_rows(step)
    if step.work.listing and step.lowest == 0:
        list_entries(step)
    if step.folded and step.lowest == 0:
        layer = step.layers[0]
        d, owned = layer.deltas + layer.first_column, layer.end_column - layer.first_column
        column_sums(step.work.memory, step.work.sums, step.work.memory, d, layer.row_stride, step.count, owned, NEW)
    for n in range(step.lowest, step.n_layers):
        if step.layers[n].trainable or not step.training:
            update_weight_rows(step, n)
            update_bias(step, n)
    if step.exchanging and step.training and complete:
        publish_parameters(step)
        pack_own_rows(step)


@kernel
def shrink_rows(step):
    """Weight decay and L2 penalty of plain gradient descent for the weights that this thread owns.

    ``W *= 1 - rate * (weight_decay + l2)``, before the gradient is subtracted.
    """
    factor = 1.0 - step.rate * (step.settings.weight_decay + step.settings.l2)
    if factor != 1.0:
        for n in range(step.n_layers):
            layer = step.layers[n]
            if layer.trainable == 0:
                continue
            for i in range(layer.first_row, layer.end_row):
                start = layer.weights + i * layer.weights_stride
                shrink(
                    step.parameters,
                    start + layer.first_column,
                    start + layer.end_column,
                    splat(step.parameters, factor),
                )


@kernel
def update_weight_rows(step, n):
    """Gradient of a layer's weights block by block, and the optimizer's step.

    A gradient that began and ends with this chunk goes to the optimizer a block of rows at a time, and doesn't pass
    through `Step.target`. Sparse rows that are not listed by columns may write to any row of the matrix: theirs is one
    block, in `Step.target`.
    """
    layer, work, filled = step.layers[n], step.work, step.rows.filled
    memory, stride, left, high = work.memory, layer.weights_stride, layer.first_column, layer.end_row
    width, sparse, panels = layer.end_column - layer.first_column, n == 0 and step.sparse, NONE
    if not sparse and width >= PANELS_FROM and step.count >= PACK_FROM:
        panels = work.panels
        pack(memory, panels, memory, layer.deltas + left, layer.row_stride, step.count, width, step.count)
    row = layer.first_row
    while row < high:
        dense = not sparse or row < filled
        row_by_row = not dense and not work.listing
        fused = step.at_once and not row_by_row
        end = filled if sparse and dense and filled < high else high
        rows = end - row if row_by_row or end - row < layer.block_rows else layer.block_rows
        place = layer.weights + row * stride + left
        to, out = step.target, place
        if fused:
            to, out = memory, work.block
        if row_by_row:
            add_sparse_rows(step, to, out, row, rows)
        elif not dense:
            listed_gradient(step, to, out, row, rows, fused)
        else:
            add_dense_rows(step, n, to, out, row, rows, panels, fused)
        if n == 0 and step.folded:
            G, shift, sums = matrix(to, out, stride, NEXT), moved(step.rows.shift, row), moved(memory, work.sums)
            add_shift_gradient(G, shift, sums, rows, width)
        if step.updating:
            update_weights(step, place, stride, rows, width, to, out)
        row += rows


@kernel
def update_bias(step, n):
    """Gradient of the numbers of a bias that this thread owns, and the optimizer's step."""
    layer, memory = step.layers[n], step.work.memory
    left, width = layer.first_bias, layer.end_bias - layer.first_bias
    if layer.bias >= 0 and width > 0:
        place = layer.bias + left
        to, out, add = step.target, place, step.accumulate
        if step.at_once:
            to, out, add = memory, step.work.block, NEW
        column_sums(to, out, memory, layer.deltas + left, layer.row_stride, step.count, width, add)
        if step.updating:
            update(step, place, width, ONE_ROW, width, to, out)


@kernel
def add_sparse_rows(step, target, start, first, rows):
    """Gradient of the first layer's weights, `rows` from `first` on, row by row of the chunk; from `start` on in
    `target`.
    """
    layer, work, x, start_of_all = step.layers[0], step.work, step.rows, start - first * step.layers[0].weights_stride
    stride, left, width = layer.weights_stride, layer.first_column, layer.end_column - layer.first_column
    if not step.accumulate:
        for i in range(rows):
            fill_zeros(target, start + i * stride, width)
    if x.by_eights:
        if work.parts > 1:
            list_rows(step, work.first_entries, work.end_entries, ZERO, step.count)
        D = matrix(work.memory, layer.deltas + left, layer.row_stride, NEXT)
        G, scale = matrix(target, start_of_all, stride, NEXT), get(x.scale, ZERO)
        eights_gradient(G, D, work.eights, step.n_eights, x.columns_16, x.bytes, scale, width)
    else:
        sparse_gradient(step, target, start_of_all)


@kernel
def add_dense_rows(step, n, target, start, first, rows, panels, fused):
    """Gradient of `rows` rows of a weight matrix, from `first` on: ``A[:, first:first + rows]ᵀ D``.

    Parameters
    ----------
    target : flat array
        Receives it from `start` on, rows as far apart as those of the weights; it may be the parameters.
    panels : int
        Where the deltas lie in panels, as `product` reads them; -1 if they don't.
    fused : bool
        Whether the optimizer takes it straight away: it is complete then.
    """
    layer, memory, count, left = step.layers[n], step.work.memory, step.count, step.layers[n].first_column
    stride, d, d_row = layer.weights_stride, layer.deltas + left, layer.row_stride
    width, units, transposed = layer.end_column - left, layer.units, layer.packed_transposed
    a, a_row, add, padded_rows = step.work.x + first, step.work.x_row, step.accumulate, padded(rows, memory)
    if n > 0:
        a, a_row = step.layers[n - 1].activations + first, step.layers[n - 1].row_stride
    if n > 0 and fused and transposed >= 0 and 4 * units * padded_rows <= 3 * rows * stride:
        # Compute dWᵀ instead: the same sums of the same products, and less padding. Its place is that of Wᵀ, which
        # nobody needs any more before the next batch. 8-100-1 takes 14 % longer without, 20-64-1 9 %.
        D_transposed, A = matrix(memory, d, NEXT, d_row), matrix(memory, a, a_row, NEXT)
        product(matrix(memory, transposed, padded_rows, NEXT), D_transposed, A, units, padded_rows, count, NEW)
        for i in range(rows):
            fill_zeros(target, start + i * stride, stride)
        transpose_back(target, start, stride, memory, transposed, padded_rows, rows, units)
        return
    D, A_transposed = matrix(memory, d, d_row, NEXT), matrix(memory, a, NEXT, a_row)
    if panels >= 0:
        D = matrix(memory, panels, width, -count)
    if fused:
        add = NEW
    product(matrix(target, start, stride, NEXT), A_transposed, D, rows, width, count, add)


@kernel
def finish_batch(step):
    """Do what has to wait for the whole gradient of a batch, and go on to the next."""
    groups, used = step.work.groups, ZERO
    if groups > 0:
        wait(step.barrier, step.threads)
        used = step.number + 1 if step.number + 1 < groups else groups
        add_groups(step.gradient, step.work.group_gradients, used, step.n_parameters)
        if step.thread == 0:
            add_group_totals(step, used)
    if step.clipping:
        clip(step.gradient, step.parameters, step.n_layers, step.layers, step.settings)
    if step.training and (groups > 0 or step.clipping):
        update_all(step)
    if groups > 0:
        wait(step.barrier, step.threads)
    if step.end == step.epoch_end:
        if step.thread == 0 and step.keeping_ends:
            kept = moved(step.ends_of_epochs, step.epoch * step.n_parameters)
            publish(kept, step.parameters, ZERO, ZERO, ONE_ROW, step.n_parameters)
        step.epoch, step.epoch_end = step.epoch + 1, step.epoch_end + step.epoch_rows
    step.begin, step.batch = step.end, step.batch + 1


@kernel
def update_all(step):
    """One step of the optimizer on all parameters that are trained, whose gradient is complete."""
    for n in range(step.n_layers):
        layer = step.layers[n]
        if layer.trainable == 0:
            continue
        start, width, rows, bias = layer.weights, layer.width, layer.fan_in, layer.bias
        update_weights(step, start, width, rows, width, step.gradient, start)
        if bias >= 0:
            update(step, bias, width, ONE_ROW, width, step.gradient, bias)
