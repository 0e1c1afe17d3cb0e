"""Rung 6: less work, in an order that suits the cache. One thread.

New     Four in five pixels are 0 and change nothing, so each image is a list of its non-zero pixels: indices and
        values. Pixels are taken four at a time: one pass over z adds four rows of W. There is no gradient array for W1.
        As soon as the batch's deltas are known, each image subtracts its own part of the step, W1[i] -= rate x[i]
        delta, for its non-zero pixels i only. For each batch, this saves zeroing, filling and subtracting an array of
        188 kB. Of the large arrays only W1 is left, and it stays in the L2 cache. (So cache blocking, a block of W1's
        rows for all ten images, gained nothing here.)
Costs   A data structure of three arrays; the gain depends on the data. The lists take 12 B per non-zero pixel, 1.8 kB
        per image on average: less than a third of rung 4's 6.3 kB. They are built once, for any number of epochs.
Gained  a speedup of 7 over rung 5, and of 8.3 in CPU time (AMD EPYC, 2 cores, 2026-11-30).
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

RATE, BATCH = 3.0, 10

Array = NDArray[np.float64]
Weights = tuple[Array, Array, Array, Array]


class Images(NamedTuple):
    """The non-zero pixels of all images, one image after the other."""

    pixels: NDArray[np.int32]
    values: Array
    starts: NDArray[np.int64]
    """Image s has the pixels from starts[s] up to starts[s + 1]."""
    labels: NDArray[np.int64]


def prepare(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> Images:
    """List the non-zero pixels, scaled to at most 1."""
    rows, pixels = np.nonzero(images)
    starts = np.searchsorted(rows, np.arange(len(images) + 1))
    return Images(pixels.astype(np.int32), images[rows, pixels] / 255, starts, labels)


@njit
def add_rows(z: Array, pixels: NDArray[np.int32], values: Array, W: Array) -> None:
    """Compute z += x W for one image: for each non-zero pixel i, add x[i] times row i of W, four rows at a time."""
    whole = len(pixels) // 4 * 4
    for k in range(0, whole, 4):
        p, q, r, s = values[k], values[k + 1], values[k + 2], values[k + 3]
        a, b, c, d = W[pixels[k]], W[pixels[k + 1]], W[pixels[k + 2]], W[pixels[k + 3]]
        for j in range(len(z)):
            z[j] += p * a[j] + q * b[j] + r * c[j] + s * d[j]
    for k in range(whole, len(pixels)):
        p, a = values[k], W[pixels[k]]
        for j in range(len(z)):
            z[j] += p * a[j]


@njit
def subtract_outer(W: Array, pixels: NDArray[np.int32], values: Array, delta: Array) -> None:
    """Compute W -= xᵀ delta for one image: only the rows of its non-zero pixels change."""
    for k in range(len(pixels)):
        x, w = values[k], W[pixels[k]]
        for j in range(len(delta)):
            w[j] -= x * delta[j]


@njit
def upper_layer(hidden: Array, label: int, W: Array, b: Array, rate: float, delta1: Array, delta2: Array) -> None:
    """Run the forward and backward pass from the hidden z of one image; both deltas include the learning rate."""
    delta2[:] = b
    for j in range(len(hidden)):
        hidden[j] = 1.0 / (1.0 + math.exp(-hidden[j]))
        for k in range(len(delta2)):
            delta2[k] += hidden[j] * W[j, k]
    for k in range(len(delta2)):
        output = 1.0 / (1.0 + math.exp(-delta2[k]))
        delta2[k] = rate * (output - (k == label)) * output * (1.0 - output)
    for j in range(len(hidden)):
        total = 0.0
        for k in range(len(delta2)):
            total += W[j, k] * delta2[k]
        delta1[j] = total * hidden[j] * (1.0 - hidden[j])


@njit
def epoch(images: Images, W1: Array, b1: Array, W2: Array, b2: Array) -> None:
    """Train one epoch, changing the weights in place."""
    pixels, values, starts, labels = images
    hidden, delta1, delta2 = np.empty((BATCH, len(b1))), np.empty((BATCH, len(b1))), np.empty((BATCH, len(b2)))
    for first in range(0, len(labels), BATCH):
        rows = min(BATCH, len(labels) - first)
        for s in range(rows):
            mine = slice(starts[first + s], starts[first + s + 1])
            hidden[s] = b1
            add_rows(hidden[s], pixels[mine], values[mine], W1)
            upper_layer(hidden[s], labels[first + s], W2, b2, RATE / rows, delta1[s], delta2[s])
        for s in range(rows):
            mine = slice(starts[first + s], starts[first + s + 1])
            subtract_outer(W1, pixels[mine], values[mine], delta1[s])
            for j in range(len(b1)):
                b1[j] -= delta1[s, j]
                for k in range(len(b2)):
                    W2[j, k] -= hidden[s, j] * delta2[s, k]
            for k in range(len(b2)):
                b2[k] -= delta2[s, k]


def train(data: Images, weights: Weights) -> Weights:
    """Train one epoch; return the new weights."""
    W1, b1, W2, b2 = (array.copy() for array in weights)
    epoch(data, W1, b1, W2, b2)
    return W1, b1, W2, b2


if __name__ == "__main__":
    from digits import run

    run(prepare, train)
