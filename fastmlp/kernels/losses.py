"""Loss, its derivative, and whether the answer is right, one row at a time (floor 2; imports numpy)."""

import math

import numpy as np

from .runtime.constants import (
    ABSOLUTE_ERROR,
    BINARY_CROSS_ENTROPY,
    CLASSES,
    CROSS_ENTROPY,
    HUBER,
    HUBER_DELTA,
    POISSON,
    QUANTILE,
    REGRESSION,
    SQUARED_ERROR,
)
from .runtime.jit import kernel
from .runtime.records import ZERO
from .runtime.simd import (
    absolute,
    copysign,
    fma,
    get,
    lanes,
    load,
    maximum,
    minimum,
    moved,
    splat,
    store,
    total,
    where_positive,
)

SMALL = 1e-30
"""The least softmax of which the logarithm is the loss: below it float32 loses digits, and then all."""


@kernel
def loss_row(step, a, z, y, label):
    """Loss of one row, a float64; formulas as in `fastmlp.model.losses`.

    Parameters
    ----------
    step : Step
        The loss, the last layer, the level of the quantile, and a mask: 1 for every unit, 0 for the padding.
    a, z, y : flat arrays
        Outputs, logits (read by the losses of logits only) and targets of the row; the padding of outputs and targets
        is finite.
    label : int
        Where the one 1 among the targets is; -1 where they are other numbers.
    """
    code, layer, value = step.loss, step.layers[step.n_layers - 1], 0.0
    units = layer.units
    if code == CROSS_ENTROPY and label >= 0 and get(a, label) > SMALL:
        return -np.log(get(a, label))
    if code == CROSS_ENTROPY:
        largest = get(z, ZERO)
        for j in range(1, units):
            if get(z, j) > largest:
                largest = get(z, j)
        sums = 0.0
        for j in range(units):
            # The softmax at hand is e^(z - largest) over this sum; where it is largest the exponent is 0.
            if get(z, j) == largest:
                sums = 1.0 / get(a, j)
                break
        log_sum = np.log(sums)
        for j in range(units):
            target = get(y, j)
            if target != 0:
                value += target * (log_sum - (float(get(z, j)) - largest))
    elif code == BINARY_CROSS_ENTROPY:
        for j in range(units):
            logit = float(get(z, j))
            value += (logit if logit > 0.0 else 0.0) - logit * get(y, j)
            value += math.log1p(math.exp(-abs(logit)))
    elif code == SQUARED_ERROR:
        sums, mask = splat(a, 0.0), moved(step.work.memory, step.work.mask)
        for j in range(0, layer.width, lanes(a)):
            residual = (load(a, j) - load(y, j)) * load(mask, j)
            sums = fma(residual, residual, sums)
        value = 0.5 * float(total(sums))
    elif code == ABSOLUTE_ERROR:
        for j in range(units):
            value += abs(float(get(a, j)) - get(y, j))
    elif code == HUBER:
        for j in range(units):
            residual = abs(float(get(a, j)) - get(y, j))
            inside = residual if residual < HUBER_DELTA else HUBER_DELTA
            value += inside * (residual - 0.5 * inside)
    elif code == QUANTILE:
        level = step.settings.level
        for j in range(units):
            residual = float(get(y, j)) - get(a, j)
            value += residual * (level if residual > 0.0 else level - 1.0)
    elif code == POISSON:
        for j in range(units):
            target = float(get(y, j))
            if target > 0.0:
                value += target * (np.log(target) - get(z, j) - 1.0)
            value += get(a, j)
    return value


@kernel
def loss_backward(step, d, a, y, share):
    """``d = share * dloss``: by the logits for the losses of logits, else by the outputs; zero in the padding.

    The rest is as for `loss_row`.
    """
    code, level, width = step.loss, step.settings.level, step.layers[step.n_layers - 1].width
    one, zero, mask = splat(d, 1.0), splat(d, 0.0), moved(step.work.memory, step.work.mask)
    for j in range(0, width, lanes(d)):
        residual = load(a, j) - load(y, j)
        if code == ABSOLUTE_ERROR:
            residual = where_positive(absolute(residual), copysign(one, residual), zero)
        elif code == HUBER:
            most = splat(d, HUBER_DELTA)
            residual = minimum(most, maximum(zero - most, residual))
        elif code == QUANTILE:
            below = where_positive(zero - residual, splat(d, -level), zero)
            residual = where_positive(residual, splat(d, 1.0 - level), below)
        store(d, j, residual * (splat(d, share) * load(mask, j)))


@kernel
def correct_row(task, a, y, units, label):
    """1.0 if the answer of one row is right, else 0.0; NaN in regression. The rest is as for `loss_row`."""
    if task == REGRESSION:
        return math.nan
    if task == CLASSES and label >= 0:
        # The first of the largest outputs is the answer, and NaN is larger than all, as for NumPy. But for NaN no
        # branch depends on outputs or label: it would be mispredicted.
        at_label = get(a, label)
        beaten = False
        for j in range(units):
            x = get(a, j)
            if at_label == at_label:
                beaten |= not (x < at_label if j < label else x <= at_label)
            else:
                beaten |= j < label and x != x
        return 0.0 if beaten else 1.0
    if task == CLASSES:
        best, wanted = 0, 0
        for j in range(1, units):
            if get(a, j) > get(a, best):
                best = j
            if get(y, j) > get(y, wanted):
                wanted = j
        return 1.0 if best == wanted else 0.0
    for j in range(units):
        if (get(a, j) >= 0.5) != (get(y, j) >= 0.5):
            return 0.0
    return 1.0
