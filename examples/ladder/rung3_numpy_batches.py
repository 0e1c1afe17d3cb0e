"""Rung 3: NumPy, a batch at a time.

New     The ten images of a batch are the rows of a matrix x, (10, 784). One product `x @ W` replaces ten, and
        `x.T @ delta` also sums the gradients of the ten images. This is the shortest of the rungs that are written
        out; `fastmlp/engines/numpy_engine.py` does the same for any network.
Costs   Nothing: it is shorter than rung 2. The cost of small batches remains: two dozen NumPy calls per step, and
        arrays that are allocated, filled and discarded.
Gained  a speedup of 8.1 over rung 2, and of 8.1 in CPU time (AMD EPYC, 2 cores, 2026-11-30).
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


def train(data: tuple[Array, Array], weights: Weights) -> Weights:
    """Train one epoch; return the new weights."""
    images, targets = data
    W1, b1, W2, b2 = (array.copy() for array in weights)
    for start in range(0, len(images), BATCH):
        x, y = images[start : start + BATCH], targets[start : start + BATCH]
        hidden = sigmoid(x @ W1 + b1)
        output = sigmoid(hidden @ W2 + b2)
        delta2 = (output - y) * output * (1 - output)
        delta1 = delta2 @ W2.T * hidden * (1 - hidden)
        rate = RATE / len(x)
        W1 -= rate * (x.T @ delta1)
        b1 -= rate * delta1.sum(axis=0)
        W2 -= rate * (hidden.T @ delta2)
        b2 -= rate * delta2.sum(axis=0)
    return W1, b1, W2, b2


if __name__ == "__main__":
    from digits import run

    run(prepare, train)
