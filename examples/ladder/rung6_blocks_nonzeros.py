"""Rung 6: less work, and work in an order that suits the memory. One thread.

New     Four pixels of five are 0 and change nothing, so each image is a list of its other pixels: their places and
        values. They are taken in blocks of four: one pass over z adds four rows of W, instead of four passes. There is
        no gradient of W1: as soon as the batch's deltas are known, each image takes its own part of the step, W1[i] -=
        rate x[i] delta, for its pixels i alone. That spares 188 kB of zeroing, adding and subtracting a batch. W1 alone
        stays in the second-level cache (and so blocks of W1's rows, each for all ten images, made nothing faster here).
Costs   A data structure with three arrays; the gain depends on the data. Lists take 12 B a pixel that is not 0, 1.8 kB
        an image on average: less than a third of rung 4's. Found once, they serve any number of epochs.
Gained  7 times as fast as rung 5; CPU time divided by 8.3 (AMD EPYC, 2 cores, 2026-11-30).
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
    """List the pixels that are not 0, as numbers up to 1."""
    rows, pixels = np.nonzero(images)
    starts = np.searchsorted(rows, np.arange(len(images) + 1))
    return Images(pixels.astype(np.int32), images[rows, pixels] / 255, starts, labels)


@njit
def add_rows(z: Array, pixels: NDArray[np.int32], values: Array, W: Array) -> None:
    """Do z += x W for one image: add a multiple of row i of W for each of its pixels i, four rows at a time."""
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
    """Do W -= xᵀ delta for one image: only the rows of its pixels change."""
    for k in range(len(pixels)):
        x, w = values[k], W[pixels[k]]
        for j in range(len(delta)):
            w[j] -= x * delta[j]


@njit
def upper_layer(hidden: Array, label: int, W: Array, b: Array, rate: float, delta1: Array, delta2: Array) -> None:
    """Go from one image's z of the hidden units through σ to the output, and back; deltas are times the rate."""
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
