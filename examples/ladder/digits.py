"""Code that all rungs share: the images, the initial weights, the test accuracy and the command line.

A rung is a file with two functions. ``prepare(images, labels)`` converts the images once, to the format that the rung
needs. ``train(data, weights)`` trains one epoch and returns the new weights. A rung doesn't shuffle: the images are
shuffled here, with a seed, so that every rung sees the same batches.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import load_mnist

Weights = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]
"""W1 (784, 30), b1 (30,), W2 (30, 10), b2 (10,)."""

ROWS = 50_000
"""Nielsen trains on the first 50,000 images of MNIST."""


def training_images(rows: int = ROWS) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return `rows` shuffled images, (rows, 784) with pixels from 0 to 255, and their labels, (rows,)."""
    digits = load_mnist()
    order = np.random.default_rng(0).permutation(ROWS)[:rows]
    return digits.X_train[order], digits.y_train[order]


def first_weights() -> Weights:
    """Draw all weights and biases of 784-30-10 from N(0, 1), as Nielsen does."""
    normal = np.random.default_rng(5).standard_normal
    return normal((784, 30)), normal(30), normal((30, 10)), normal(10)


def test_accuracy(weights: Weights) -> float:
    """Return the share of the 10,000 test images that these weights classify correctly."""
    digits = load_mnist()
    W1, b1, W2, b2 = weights
    hidden = 1 / (1 + np.exp(-(digits.X_test / 255 @ W1 + b1)))
    # The largest logit belongs to the largest output.
    return float(((hidden @ W2 + b2).argmax(axis=1) == digits.y_test).mean())


def run(prepare: Callable[..., Any], train: Callable[..., Weights]) -> None:
    """Train an epoch with the options of the command line; print its time and the test accuracy."""
    parser = argparse.ArgumentParser(description="Train 784-30-10 on MNIST for an epoch.")
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help=f"training images, from 10 to {ROWS}")
    parser.add_argument(
        "--seconds", type=float, default=0.0, metavar="S", help="repeat the epoch for S seconds; the fastest counts"
    )
    parser.add_argument("--save", metavar="FILE", help="write the weights after the epoch to an .npz file")
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    options = parser.parse_args()
    if not 10 <= options.rows <= ROWS:
        parser.error(f"--rows must be from 10 to {ROWS}, got {options.rows}")
    images, labels = training_images(options.rows)
    weights = first_weights()
    few = prepare(images[:10], labels[:10])
    first, _, _ = timed(lambda: train(few, weights))  # the first call also compiles
    preparing, _, data = timed(lambda: prepare(images, labels))
    end = time.perf_counter() + options.seconds
    seconds, cpu_seconds, trained = timed(lambda: train(data, weights))
    while time.perf_counter() < end:  # from the initial weights again
        again, cpu_again, _ = timed(lambda: train(data, weights))
        seconds, cpu_seconds = min(seconds, again), min(cpu_seconds, cpu_again)
    accuracy = test_accuracy(trained)
    if options.save:
        np.savez(options.save, *trained)
    if options.json:
        found = {"seconds": seconds, "cpu_seconds": cpu_seconds, "first": first, "accuracy": accuracy}
        print(json.dumps(found | {"rows": options.rows}))
    else:
        print(f"{Path(sys.argv[0]).stem}: {seconds:.4g} s for an epoch of {options.rows:,} images")
        print(f"test accuracy {accuracy:.2%}; first call {first:.2g} s; preparing the images {preparing:.2g} s")


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Return the elapsed seconds of a call, the CPU seconds of all its threads, and its result."""
    start, cpu_start = time.perf_counter(), time.process_time()
    result = work()
    return time.perf_counter() - start, time.process_time() - cpu_start, result
