"""What measures is right about what it measures; how long anything takes is not tested."""

import pytest

from fastmlp.measure import timing
from fastmlp.measure.machine import describe, in_words


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 10, 3), (20, 33, 50), (64, 64, 64)])
@pytest.mark.parametrize("kind", ["forward", "input gradient", "weight gradient"])
def test_products_are_those_of_numpy(kind, shape):
    products = pytest.importorskip("fastmlp.measure.products")
    product = products.LayerProduct(kind, *shape)
    product.run_numpy()
    assert product.error() == 1.0  # ours is still zero
    product.run(2)
    assert product.error() < 1e-5
    assert product.operations == 2 * shape[0] * shape[1] * shape[2]


def test_multiply_adds_count_what_they_do():
    products = pytest.importorskip("fastmlp.measure.products")
    adds = products.MultiplyAdds()
    assert adds.operations == 2 * 1000 * 12 * adds.lanes
    adds.run(1)
    # Every chain is x / 2 + 1 over and over, which leads to 2; the sum of the twelve is kept.
    assert adds._numbers[: adds.lanes // 2] == pytest.approx(24)  # of float64


def test_stopwatch_repeats_until_it_takes_long_enough(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])
    asked = []

    def work(times):
        asked.append(times)
        clock[0] += 0.001 * times

    watch = timing.Stopwatch(work, least=0.005)
    assert asked == [1, 1, 2, 4, 8]
    assert watch() == pytest.approx(0.001)
    assert asked[-1] == 8


def test_turns_are_taken():
    order = []
    timings = {name: lambda name=name: order.append(name) or len(order) for name in "ab"}
    assert timing.in_turns(2, **timings) == {"a": [1, 3], "b": [2, 4]}
    assert order == ["a", "b", "a", "b"]


def test_repeated():
    calls = []
    timing.repeated(lambda: calls.append(1))(3)
    assert calls == [1, 1, 1]


def test_machine():
    machine = describe()
    assert machine["cores"] >= 1
    assert in_words(machine | {"cores": 1}).count("1 core,") == 1
