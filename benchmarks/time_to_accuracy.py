"""How long it takes to train a network that has 95, 97 and 98 % of the MNIST test images right (imports fastmlp).

    python -m benchmarks.time_to_accuracy               ten seeds each, on one thread
    python -m benchmarks.time_to_accuracy --seeds 3     fewer

Network, epochs, batch and schedule of a goal are fixed in `GOALS`, chosen beforehand for all seeds. The clock covers
the whole call of `Network.fit` on all 60,000 images in bytes, with the kernels compiled and the images loaded; the test
images are looked at after it. A goal is reached if the mean accuracy over the seeds is. The exit code is 1 if one is
not.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from fastmlp import Adam, Network, OneCycle, load_mnist
from fastmlp.measure.timing import finished

from .machine import describe, in_words


@dataclass(frozen=True)
class Goal:
    """What is to be reached, and how it is trained: ReLU, softmax, Adam with one cycle of the learning rate.

    Attributes
    ----------
    accuracy : float
        Of the test images, mean over the seeds.
    seconds : float
        It is to take no longer than this; told, not insisted on.
    hidden, epochs, batch_size : int
    learning_rate : float
        At the top of the cycle.
    """

    accuracy: float
    seconds: float
    hidden: int
    epochs: int
    batch_size: int
    learning_rate: float


GOALS = (
    Goal(0.95, 0.2, hidden=32, epochs=1, batch_size=100, learning_rate=0.02),
    Goal(0.97, 0.5, hidden=64, epochs=2, batch_size=100, learning_rate=0.01),
    Goal(0.98, 2.5, hidden=128, epochs=4, batch_size=100, learning_rate=0.01),
)


def train(goal: Goal, seed: int, rows: int = 60_000) -> tuple[float, float]:
    """Train one network; return its test accuracy and the seconds of the call."""
    digits = load_mnist()
    network = Network([784, goal.hidden, 10], seed=seed)
    start = time.perf_counter()
    history = network.fit(
        digits.X_train[:rows],
        digits.y_train[:rows],
        epochs=goal.epochs,
        batch_size=goal.batch_size,
        optimizer=Adam(goal.learning_rate),
        schedule=OneCycle(goal.epochs),
        threads=1,
        verbose=0,
    )
    seconds = time.perf_counter() - start
    finished(history)
    accuracy = network.evaluate(digits.X_test, digits.y_test).accuracy
    assert accuracy is not None  # it tells classes apart
    return accuracy, seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.time_to_accuracy", description="Seconds to 95, 97 and 98% of the test images."
    )
    parser.add_argument("--seeds", type=int, default=10, metavar="N", help="trainings of each goal (default: 10)")
    options = parser.parse_args(arguments)
    train(GOALS[0], 0, rows=1_000)  # compiles what is not in the cache yet
    print("goal   network    epochs  mean accuracy  lowest   seconds: least  median  at most")
    missed = 0
    for goal in GOALS:
        found = [train(goal, seed) for seed in range(options.seeds)]
        accuracies, seconds = zip(*found, strict=True)
        mean = statistics.mean(accuracies)
        missed += mean < goal.accuracy
        print(
            f"{goal.accuracy:.0%}    784-{goal.hidden}-10{goal.epochs:>{9 - len(str(goal.hidden)) + 1}}{mean:>15.2%}"
            f"{min(accuracies):>8.2%}{min(seconds):>17.3f}{statistics.median(seconds):>8.3f}{goal.seconds:>9g}"
        )
    print(f"{options.seeds} seeds, batches of {GOALS[0].batch_size}, one thread; {in_words(describe())}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
