"""Steps of the optimizers over a stretch of the flat vector (floor 2).

Formulas as in `fastmlp.model.optimizers`. Any stretch can be done by any thread. Padding stays zero: its gradient is
zero.
"""

from .runtime.constants import ADAM, RMSPROP
from .runtime.jit import kernel
from .runtime.simd import absolute, copysign, fma, lanes, load, splat, square_root, store, where_positive

SCALE, EPSILON, KEEP_1, TAKE_1, KEEP_2, TAKE_2, L1, L2, KEPT = range(9)
"""The terms of a step: numbers of its formulas that all parameters share. Each is a vector in `Work.terms`."""

TERMS = 9


@kernel
def term_values(code, settings, rate, number):
    """Return the terms of step `number`, 1 for the first, at this learning rate.

    Adam's step is ``rate / c1 * m / (sqrt(v / c2) + epsilon)``, with ``c = 1 - beta**number``. The roots of the
    corrections are taken out of it, into `SCALE`; there epsilon hat is added as it is. `KEPT` is what weight decay
    leaves of a weight.
    """
    scale, epsilon, keep_1, take_1, keep_2, take_2 = -rate, settings.epsilon, settings.momentum, 0.0, 0.0, 0.0
    if code == ADAM:
        keep_1, keep_2 = settings.beta_1, settings.beta_2
        correction = (1.0 - keep_2**number) ** 0.5
        scale = -rate * correction / (1.0 - keep_1**number)
        epsilon = settings.epsilon * (1.0 if settings.epsilon_hat > 0 else correction)
        take_1, take_2 = 1.0 - keep_1, 1.0 - keep_2
    elif code == RMSPROP:
        keep_1, take_1 = settings.decay, 1.0 - settings.decay
    kept = 1.0 - rate * settings.weight_decay
    return scale, epsilon, keep_1, take_1, keep_2, take_2, settings.l1, settings.l2, kept


@kernel
def write_terms(step):
    """Write the terms of this batch's step."""
    terms, number = step.work.terms, step.steps_before + step.batch + 1
    values = term_values(step.optimizer, step.settings, step.rate, number)
    for term in range(TERMS):
        store(terms, term * lanes(terms), splat(terms, values[term]))


@kernel
def term(step, number):
    """Return the vector of a term."""
    return load(step.work.terms, number * lanes(step.work.terms))


@kernel
def shrink(w, first, last, factor):
    """``w *= factor`` from `first` to `last`: weight decay, or the L2 penalty of plain gradient descent."""
    for j in range(first, last, lanes(w)):
        store(w, j, load(w, j) * factor)


@kernel
def add_penalty_gradient(g, g_start, w, first, last, l1, l2):
    """``g += l1 * sign(w) + l2 * w`` for ``w`` from `first` to `last`, and ``g`` from `g_start` on; `l1` and `l2` are
    vectors.
    """
    shift, zero = g_start - first, splat(w, 0.0)
    for j in range(first, last, lanes(w)):
        x = load(w, j)
        sign = where_positive(absolute(x), copysign(l1, x), zero)
        store(g, j + shift, load(g, j + shift) + fma(l2, x, sign))


@kernel
def update(step, first, stride, rows, width, g, g_start):
    """One step of the optimizer on a block of `rows` rows of `width` parameters.

    Parameters
    ----------
    step : Step
        Optimizer, settings, terms, parameters and moments. Those moments that the optimizer doesn't use may be empty.
    first, stride, rows, width : int
        The block begins at ``parameters[first]``, its rows `stride` apart; moments lie as parameters do.
    g, g_start : flat array, int
        The gradient, and where that of the block begins; its rows are `stride` apart too.
    """
    w, m, v, settings, code = step.parameters, step.m, step.v, step.settings, step.optimizer
    scale, epsilon, keep_1, take_1 = term(step, SCALE), term(step, EPSILON), term(step, KEEP_1), term(step, TAKE_1)
    vector, shift = lanes(w), g_start - first
    if code == ADAM:
        keep_2, take_2 = term(step, KEEP_2), term(step, TAKE_2)
        for i in range(rows):
            for j in range(first + i * stride, first + i * stride + width, vector):
                gradient = load(g, j + shift)
                mean = fma(keep_1, load(m, j), take_1 * gradient)
                square = fma(keep_2, load(v, j), take_2 * gradient * gradient)
                store(m, j, mean)
                store(v, j, square)
                store(w, j, fma(scale, mean / (square_root(square) + epsilon), load(w, j)))
    elif code == RMSPROP:
        for i in range(rows):
            for j in range(first + i * stride, first + i * stride + width, vector):
                gradient = load(g, j + shift)
                square = fma(keep_1, load(m, j), take_1 * gradient * gradient)
                store(m, j, square)
                store(w, j, fma(scale, gradient / (square_root(square) + epsilon), load(w, j)))
    elif settings.momentum > 0:
        nesterov = settings.nesterov > 0
        for i in range(rows):
            for j in range(first + i * stride, first + i * stride + width, vector):
                gradient = load(g, j + shift)
                velocity = fma(keep_1, load(m, j), gradient)
                store(m, j, velocity)
                if nesterov:
                    velocity = fma(keep_1, velocity, gradient)
                store(w, j, fma(scale, velocity, load(w, j)))
    else:
        for i in range(rows):
            for j in range(first + i * stride, first + i * stride + width, vector):
                store(w, j, fma(scale, load(g, j + shift), load(w, j)))


@kernel
def update_weights(step, first, stride, rows, width, g, g_start):
    """`update` for weights, with their penalties and their decay; biases have neither."""
    w, settings = step.parameters, step.settings
    for i in range(rows):
        start = first + i * stride
        if not step.clipping and (settings.l1 > 0 or settings.l2 > 0):
            l1, l2 = term(step, L1), term(step, L2)
            add_penalty_gradient(g, g_start + i * stride, w, start, start + width, l1, l2)
        if settings.weight_decay > 0:
            shrink(w, start, start + width, term(step, KEPT))
    update(step, first, stride, rows, width, g, g_start)
