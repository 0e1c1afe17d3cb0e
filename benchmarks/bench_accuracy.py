"""The time to 95, 97 and 98 % of the MNIST test images, of a few seeds; see `time_to_accuracy` (imports it).

Nothing is asserted of the time; the mean accuracy has to be what it should.
"""

import statistics

import pytest

from .time_to_accuracy import GOALS, train


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: f"{goal.accuracy:.0%}")
def bench_time_to_accuracy(benchmark, goal):
    benchmark.group = "time to an accuracy"
    seeds = iter(range(3))
    found = []
    if not benchmark.enabled:
        benchmark(lambda: train(goal, 0, rows=1_000))
        return
    train(goal, 0, rows=1_000)  # compiles what is not in the cache yet
    benchmark.pedantic(lambda: found.append(train(goal, next(seeds))), rounds=3)
    accuracies, seconds = zip(*found, strict=True)
    benchmark.extra_info.update(accuracies=accuracies, seconds_of_fit=seconds)
    assert statistics.mean(accuracies) >= goal.accuracy
