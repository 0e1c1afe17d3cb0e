"""Clipping the gradient of a whole batch (floor 2; imports numpy).

The length of a gradient is known only when all of it is there. So with clipping it is computed whole and by one thread,
where the optimizer otherwise takes it block by block.
"""

import math

import numpy as np

from .optimizers import add_penalty_gradient, shrink
from .runtime.jit import kernel
from .runtime.simd import get, splat

LEAST = 1e-6
"""Added to the length that is divided by: `fastmlp.model.optimizers.CLIP_EPSILON`."""


@kernel
def sum_of_squares(g, first, size):
    """Sum of the squares of `size` numbers, whole vectors, in float64: a float32 overflows beyond 1.8e19."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0  # four sums, so that the additions don't wait for one another
    for j in range(first, first + size, 4):
        p, q = np.float64(get(g, j)), np.float64(get(g, j + 1))
        r, s = np.float64(get(g, j + 2)), np.float64(get(g, j + 3))
        a += p * p
        b += q * q
        c += r * r
        d += s * s
    return (a + b) + (c + d)


@kernel
def clip(g, w, n_layers, layers, settings):
    """Add the penalties to the gradient of a batch, and scale it down to the length that it may have; layers that are
    not trained count for nothing.

    Parameters
    ----------
    g, w : flat arrays
        Gradient and parameters, of the layout of the architecture.
    layers : records of `Layer`, n_layers of them
    settings : Settings
        Their length and their penalties.
    """
    squares, l1, l2 = 0.0, settings.l1, settings.l2
    for n in range(n_layers):
        layer = layers[n]
        if layer.trainable == 0:
            continue
        start, size = layer.weights, layer.fan_in * layer.width
        if l1 > 0 or l2 > 0:
            add_penalty_gradient(g, start, w, start, start + size, splat(g, l1), splat(g, l2))
        squares += sum_of_squares(g, start, size)
        if layer.bias >= 0:
            squares += sum_of_squares(g, layer.bias, layer.width)
    factor = settings.clip_norm / (math.sqrt(squares) + LEAST)
    if factor < 1.0:
        for n in range(n_layers):
            layer = layers[n]
            if layer.trainable == 0:
                continue
            start, bias = layer.weights, layer.bias
            shrink(g, start, start + layer.fan_in * layer.width, splat(g, factor))
            if bias >= 0:
                shrink(g, bias, bias + layer.width, splat(g, factor))
