"""Steps of the optimizers over a stretch of the flat vector (floor 2).

Formulas as in `fastmlp.model.optimizers`. Any stretch can be done by any thread. Padding stays zero: its gradient is
zero.
"""

from .runtime.constants import ADAM, RMSPROP
from .runtime.jit import kernel
from .runtime.simd import absolute, copysign, fma, lanes, load, splat, square_root, store, where_positive


@kernel
def shrink(w, first, last, factor):
    """``w *= factor`` from `first` to `last`: weight decay, or the L2 penalty of plain gradient descent."""
    vector = lanes(w)
    multiplier = splat(w, factor)
    for j in range(first, last, vector):
        store(w, j, load(w, j) * multiplier)


@kernel
def add_penalty_gradient(g, g_start, w, first, last, l1, l2):
    """``g += l1 * sign(w) + l2 * w`` for ``w`` from `first` to `last`, and ``g`` from `g_start` on."""
    vector = lanes(w)
    one, zero = splat(w, l1), splat(w, 0.0)
    shift = g_start - first
    for j in range(first, last, vector):
        x = load(w, j)
        sign = where_positive(absolute(x), copysign(one, x), zero)
        store(g, j + shift, load(g, j + shift) + fma(splat(w, l2), x, sign))


@kernel
def update(step, first, stride, rows, width, g, g_start):
    """One step of the optimizer on a block of `rows` rows of `width` parameters.

    Parameters
    ----------
    step : Step
        Optimizer, settings, rate, parameters and moments. Those moments that the optimizer doesn't use may be empty.
    first, stride, rows, width : int
        The block begins at ``parameters[first]``, its rows `stride` apart; moments lie as parameters do.
    g, g_start : flat array, int
        The gradient, and where that of the block begins; its rows are `stride` apart too.
    """
    w, m, v, settings, code, rate = step.parameters, step.m, step.v, step.settings, step.optimizer, step.rate
    number = step.steps_before + step.batch + 1  # 1 for the first
    vector = lanes(w)
    shift = g_start - first
    if code == ADAM:
        beta_1, beta_2 = settings.beta_1, settings.beta_2
        correction = (1.0 - beta_2**number) ** 0.5
        # rate / c1 * m / (sqrt(v / c2) + epsilon), with the roots of the corrections taken out of the loop; there
        # epsilon hat is added as it is.
        scale = splat(w, -rate * correction / (1.0 - beta_1**number))
        epsilon = splat(w, settings.epsilon * (1.0 if settings.epsilon_hat > 0 else correction))
        keep_1, take_1 = splat(w, beta_1), splat(w, 1.0 - beta_1)
        keep_2, take_2 = splat(w, beta_2), splat(w, 1.0 - beta_2)
        for i in range(rows):
            for j in range(first + i * stride, first + i * stride + width, vector):
                gradient = load(g, j + shift)
                mean = fma(keep_1, load(m, j), take_1 * gradient)
                square = fma(keep_2, load(v, j), take_2 * gradient * gradient)
                store(m, j, mean)
                store(v, j, square)
                store(w, j, fma(scale, mean / (square_root(square) + epsilon), load(w, j)))
    elif code == RMSPROP:
        decay = settings.decay
        keep, take = splat(w, decay), splat(w, 1.0 - decay)
        scale, epsilon = splat(w, -rate), splat(w, settings.epsilon)
        for i in range(rows):
            for j in range(first + i * stride, first + i * stride + width, vector):
                gradient = load(g, j + shift)
                square = fma(keep, load(m, j), take * gradient * gradient)
                store(m, j, square)
                store(w, j, fma(scale, gradient / (square_root(square) + epsilon), load(w, j)))
    elif settings.momentum > 0:
        momentum, scale = splat(w, settings.momentum), splat(w, -rate)
        nesterov = settings.nesterov > 0
        for i in range(rows):
            for j in range(first + i * stride, first + i * stride + width, vector):
                gradient = load(g, j + shift)
                velocity = fma(momentum, load(m, j), gradient)
                store(m, j, velocity)
                if nesterov:
                    velocity = fma(momentum, velocity, gradient)
                store(w, j, fma(scale, velocity, load(w, j)))
    else:
        scale = splat(w, -rate)
        for i in range(rows):
            for j in range(first + i * stride, first + i * stride + width, vector):
                store(w, j, fma(scale, load(g, j + shift), load(w, j)))


@kernel
def update_weights(step, first, stride, rows, width, g, g_start):
    """`update` for weights, with their penalties and their decay; biases have neither."""
    w, settings, rate = step.parameters, step.settings, step.rate
    for i in range(rows):
        start = first + i * stride
        if not step.clipping and (settings.l1 > 0 or settings.l2 > 0):
            add_penalty_gradient(g, g_start + i * stride, w, start, start + width, settings.l1, settings.l2)
        if settings.weight_decay > 0:
            shrink(w, start, start + width, 1.0 - rate * settings.weight_decay)
    update(step, first, stride, rows, width, g, g_start)
