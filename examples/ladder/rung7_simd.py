"""Rung 7: fastmlp's own engine.

New     The loops of rung 6 with the processor's vector registers in hand: kernels that load, multiply and add 8 numbers
        of float64 (16 of float32) an instruction and keep their sums in registers. They read the images as bytes.
Costs   Thousands of lines in `fastmlp/kernels/`; its README explains them. They are compiled once for all networks and
        kept on disk. The images stay bytes: 784 B each, and `fit` lists their pixels that are not 0.
Gained  3.4 times as fast as rung 6; CPU time divided by 2 (AMD EPYC, 2 cores, 2026-11-30).
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
