"""Rung 2: NumPy, one image at a time.

New     Vectors and matrices are arrays, and the inner loops become products: `x @ W`, `np.outer(x, delta)`. The code
        reads like the formulas. NumPy runs its loops in compiled code.
Costs   About twenty NumPy calls per image, each with about a microsecond of overhead. For every image, a gradient
        of 784 x 30 numbers is written and added. Images as float64 take 6.3 kB each.
Gained  a speedup of 51 over rung 1, and of 51 in CPU time (AMD EPYC, 2 cores, 2026-11-30).
"""

import numpy as np
from numpy.typing import NDArray

RATE, BATCH = 3.0, 10

Array = NDArray[np.float64]
Weights = tuple[Array, Array, Array, Array]


def prepare(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> tuple[Array, Array]:
    """Turn pixels into numbers from 0 to 1, and labels into rows with a 1 at the label."""
    return images / 255, np.eye(10)[labels]


def sigmoid(z: Array) -> Array:
    """σ(z) = 1 / (1 + e⁻ᶻ), element by element."""
    return 1 / (1 + np.exp(-z))


def gradient(x: Array, y: Array, weights: Weights) -> Weights:
    """Return the derivatives of one image's loss ½ ‖output - y‖² with respect to all weights."""
    W1, b1, W2, b2 = weights
    hidden = sigmoid(x @ W1 + b1)
    output = sigmoid(hidden @ W2 + b2)
    delta2 = (output - y) * output * (1 - output)
    delta1 = W2 @ delta2 * hidden * (1 - hidden)
    return np.outer(x, delta1), delta1, np.outer(hidden, delta2), delta2


def train(data: tuple[Array, Array], weights: Weights) -> Weights:
    """Train one epoch; return the new weights."""
    images, targets = data
    W1, b1, W2, b2 = (array.copy() for array in weights)
    for start in range(0, len(images), BATCH):
        batch = range(start, min(start + BATCH, len(images)))
        totals = [np.zeros_like(array) for array in (W1, b1, W2, b2)]
        for row in batch:
            for total, part in zip(totals, gradient(images[row], targets[row], (W1, b1, W2, b2)), strict=True):
                total += part
        for array, total in zip((W1, b1, W2, b2), totals, strict=True):
            array -= RATE / len(batch) * total
    return W1, b1, W2, b2


if __name__ == "__main__":
    from digits import run

    run(prepare, train)
