"""Large batches of small networks: gradients group by group (floor 2).

To divide every chunk of a batch among the threads, each its own rows and then its own parameters, costs two meetings a
chunk and the exchange of all activations. Where the parameters are few against the rows, it is cheaper to give each
thread whole blocks of rows, from the inputs to the gradient. So that the bits don't depend on the number of threads,
the blocks go in turn to `GROUPS` groups, whatever that number; a group sums the gradients of its blocks in order, by
one thread; and the sums of the groups are added in order, by every thread for itself, which then does the optimizer's
step on its own copy of the parameters. The threads meet twice a batch. Without groups T4 takes 83 % longer.
"""

from ..runtime.constants import ONE_OF_GROUP
from ..runtime.jit import kernel
from ..runtime.simd import get, lanes, load, put, store


@kernel
def count_in_group(step):
    """Add what the rows of a block count to its group's sums of weighted losses, weighted correct answers and weights.

    The first block of a batch in its group begins them.
    """
    work, targets, groups = step.work, step.targets, step.work.groups
    totals, place = work.group_totals, step.number % groups * ONE_OF_GROUP
    loss = right = weight = 0.0
    for i in range(step.count):
        loss += get(work.losses, i)
        right += get(work.correct, i)
        weight += float(get(targets.weights, get(step.order, step.position + i))) if targets.weighted else 1.0
    if step.number >= groups:
        loss, right, weight = loss + get(totals, place), right + get(totals, place + 1), weight + get(totals, place + 2)
    put(totals, place, loss)
    put(totals, place + 1, right)
    put(totals, place + 2, weight)


@kernel
def add_group_totals(step, used):
    """Add the sums of the first `used` groups to those of the epoch, in their order."""
    for group in range(used):
        for k in range(3):
            place = 3 * step.epoch + k
            put(step.totals, place, get(step.totals, place) + get(step.work.group_totals, group * ONE_OF_GROUP + k))


@kernel
def add_groups(gradient, of_groups, groups, size):
    """``gradient = sum over the groups``, in their order; each has `size` numbers, whole vectors."""
    for j in range(0, size, lanes(gradient)):
        sums = load(of_groups, j)
        for group in range(1, groups):
            sums = sums + load(of_groups, group * size + j)
        store(gradient, j, sums)
