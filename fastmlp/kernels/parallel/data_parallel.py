"""Large batches of small networks: gradients group by group (floor 2).

To divide every chunk of a batch among the threads, each its own rows and then its own parameters, costs two meetings a
chunk and the exchange of all activations. Where the parameters are few against the rows, it is cheaper to give each
thread whole blocks of rows, from the inputs to the gradient. So that the bits don't depend on the number of threads,
the blocks go in turn to `GROUPS` groups, whatever that number; a group sums the gradients of its blocks in order, by
one thread; and the sums of the groups are added in order, by every thread for itself, which then does the optimizer's
step on its own copy of the parameters. The threads meet twice a batch.
"""

from ..optimizers import update, update_weights
from ..runtime.constants import ONE_OF_GROUP
from ..runtime.jit import kernel
from ..runtime.records import ONE_ROW
from ..runtime.simd import get, lanes, load, put, store


@kernel
def count_in_group(totals, group, first, losses, correct, weighted, weights, order, position, count):
    """Add what the rows of a block count to the group's sums of weighted losses, weighted correct answers and weights.

    `first` says that it is the group's first block of the batch.
    """
    place = group * ONE_OF_GROUP
    loss = right = weight = 0.0
    for i in range(count):
        loss += get(losses, i)
        right += get(correct, i)
        weight += float(get(weights, get(order, position + i))) if weighted else 1.0
    if not first:
        loss, right, weight = loss + get(totals, place), right + get(totals, place + 1), weight + get(totals, place + 2)
    put(totals, place, loss)
    put(totals, place + 1, right)
    put(totals, place + 2, weight)


@kernel
def add_groups(gradient, of_groups, groups, size):
    """``gradient = sum over the groups``, in their order; each has `size` numbers, whole vectors."""
    for j in range(0, size, lanes(gradient)):
        sums = load(of_groups, j)
        for group in range(1, groups):
            sums = sums + load(of_groups, group * size + j)
        store(gradient, j, sums)


@kernel
def update_all(optimizer, parameters, gradient, m, v, n_layers, layers, settings, step, rate):
    """One step of the optimizer on all parameters, whose gradient is complete."""
    for n in range(n_layers):
        layer = layers[n]
        w, width, bias = layer.weights, layer.width, layer.bias
        rows = layer.fan_in
        update_weights(optimizer, parameters, w, width, rows, width, gradient, w, m, v, settings, step, rate)
        if bias >= 0:
            update(optimizer, parameters, bias, width, ONE_ROW, width, gradient, bias, m, v, settings, step, rate)
