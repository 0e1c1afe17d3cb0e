"""Rung 4: the loops of rung 1, compiled by Numba.

New     `@njit` in front of each function. Numba finds the types from the arguments of the first call and compiles the
        loops to machine code; lists become arrays. The inner loop runs over neighbours in memory, W[i, 0], W[i, 1],
        ..., so the compiler can vectorize it. All arrays are allocated once, before the loop over the batches.
Costs   Compilation at the first call of every process (`cache=True` would keep the result on disk). An error in a
        compiled function is harder to find: remove the decorators, and it runs as Python.
Gained  a speedup of 0.6 over rung 3, and of 0.6 in CPU time (AMD EPYC, 2 cores, 2026-11-30).
"""

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

RATE, BATCH = 3.0, 10

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Weights = tuple[Array, Array, Array, Array]


def prepare(images: NDArray[np.uint8], labels: Labels) -> tuple[Array, Labels]:
    """Turn pixels into numbers from 0 to 1."""
    return images / 255, labels


@njit
def layer(a: Array, x: Array, W: Array, b: Array) -> None:
    """Write σ(x W + b) to a: each input adds its share to every unit."""
    a[:] = b
    for i in range(len(x)):
        x_i, w = x[i], W[i]
        for j in range(len(a)):
            a[j] += x_i * w[j]
    for j in range(len(a)):
        a[j] = 1.0 / (1.0 + math.exp(-a[j]))


@njit
def output_delta(delta: Array, output: Array, label: int) -> None:
    """Write the derivative of the loss ½ ‖output - y‖² with respect to z; y is 1 at the label and 0 elsewhere."""
    for k in range(len(delta)):
        delta[k] = (output[k] - (k == label)) * output[k] * (1.0 - output[k])


@njit
def hidden_delta(result: Array, hidden: Array, W: Array, delta: Array) -> None:
    """Propagate the delta of the layer above back through its weights W and through σ."""
    for j in range(len(hidden)):
        total = 0.0
        for k in range(len(delta)):
            total += W[j, k] * delta[k]
        result[j] = total * hidden[j] * (1.0 - hidden[j])


@njit
def add_gradient(dW: Array, db: Array, x: Array, delta: Array) -> None:
    """Add one image's gradient: dW += xᵀ delta, db += delta."""
    for i in range(len(x)):
        x_i, dw = x[i], dW[i]
        for j in range(len(delta)):
            dw[j] += x_i * delta[j]
    for j in range(len(delta)):
        db[j] += delta[j]


@njit
def step(W: Array, b: Array, dW: Array, db: Array, rate: float) -> None:
    """Go down the gradient, W -= rate dW and b -= rate db, and reset the gradient to zero."""
    for i in range(len(W)):
        w, dw = W[i], dW[i]
        for j in range(len(b)):
            w[j] -= rate * dw[j]
            dw[j] = 0.0
    for j in range(len(b)):
        b[j] -= rate * db[j]
        db[j] = 0.0


@njit
def epoch(images: Array, labels: Labels, W1: Array, b1: Array, W2: Array, b2: Array) -> None:
    """Train one epoch, changing the weights in place."""
    dW1, db1, dW2, db2 = np.zeros_like(W1), np.zeros_like(b1), np.zeros_like(W2), np.zeros_like(b2)
    hidden, delta1, output, delta2 = np.empty_like(b1), np.empty_like(b1), np.empty_like(b2), np.empty_like(b2)
    for start in range(0, len(images), BATCH):
        stop = min(start + BATCH, len(images))
        for row in range(start, stop):
            layer(hidden, images[row], W1, b1)
            layer(output, hidden, W2, b2)
            output_delta(delta2, output, labels[row])
            hidden_delta(delta1, hidden, W2, delta2)
            add_gradient(dW1, db1, images[row], delta1)
            add_gradient(dW2, db2, hidden, delta2)
        step(W1, b1, dW1, db1, RATE / (stop - start))
        step(W2, b2, dW2, db2, RATE / (stop - start))


def train(data: tuple[Array, Labels], weights: Weights) -> Weights:
    """Train one epoch; return the new weights."""
    W1, b1, W2, b2 = (array.copy() for array in weights)
    epoch(*data, W1, b1, W2, b2)
    return W1, b1, W2, b2


if __name__ == "__main__":
    from digits import run

    run(prepare, train)
