"""Rung 7: fastmlp's own engine.

New     The loops of rung 6, written for the vector registers: each instruction loads, multiplies or adds 8 float64
        numbers (16 of float32), and the sums stay in registers. The kernels read the images as bytes.
Costs   Thousands of lines in `fastmlp/kernels/`; its README explains them. The kernels are compiled once for all
        networks and cached on disk. The images stay bytes: 784 B each, and `fit` lists their non-zero pixels.
Gained  a speedup of 3.4 over rung 6, and of 2 in CPU time (AMD EPYC, 2 cores, 2026-11-30).
"""

from typing import Any

from fastmlp import SGD, Network

RATE, BATCH = 3.0, 10


def prepare(images: Any, labels: Any) -> tuple[Any, Any]:
    """Take the images as they are."""
    return images, labels


def train(data: tuple[Any, Any], weights: Any, dtype: str = "float64") -> Any:
    """Train one epoch; return the new weights."""
    images, labels = data
    W1, b1, W2, b2 = weights
    net = Network(
        [784, 30, 10], hidden="sigmoid", output="sigmoid", loss="squared_error", scaling="pixels", dtype=dtype, seed=0
    )
    net.set_weights([(W1, b1), (W2, b2)])
    net.fit(images, labels, epochs=1, batch_size=BATCH, optimizer=SGD(RATE), shuffle=False, engine="numba", verbose=0)
    (W1, b1), (W2, b2) = net.weights
    return W1, b1, W2, b2


if __name__ == "__main__":
    from digits import run

    run(prepare, train)
