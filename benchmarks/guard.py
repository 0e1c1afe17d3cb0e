"""Whether the compiled engine is still fast, told without a clock that means anything elsewhere: CI runs it.

    python -m benchmarks.guard

Each figure is a ratio of two times of the same run: the compiled code against NumPy, or against another way of its own.
The two take turns and the minimum of each counts; the bounds lie far below what is usual, and what falls short is
measured again, up to three times in all, so that a busy machine passes and a kernel that lost its SIMD doesn't. The
exit code is 1 if a figure stays below its bound. One thread, float32, some seconds in all.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from fastmlp import Network, fit_many
from fastmlp.measure.products import LayerProduct
from fastmlp.measure.timing import Stopwatch, in_turns, repeated
from fastmlp.recipes import RECIPES

from .epochs import Trainer
from .machine import ONE_THREAD
from .points import point
from .workloads import Workload

ATTEMPTS = 3


@dataclass(frozen=True)
class Check:
    """A ratio that must not fall.

    Attributes
    ----------
    name : str
    bound : float
        The least it may be.
    figure : callable
        Measures it.
    """

    name: str
    bound: float
    figure: Callable[[], float]


def main() -> int:
    """Run the script; return its exit code."""
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        # NumPy's BLAS has been loaded, and reads them only then.
        return subprocess.run([sys.executable, "-m", "benchmarks.guard"], env=os.environ | ONE_THREAD).returncode
    return run(CHECKS)


def run(checks: tuple[Check, ...]) -> int:
    """Measure, print a table, and return the exit code."""
    figures: dict[str, float] = {}
    for _ in range(ATTEMPTS):
        for check in checks:
            if figures.get(check.name, 0.0) < check.bound:
                figures[check.name] = max(figures.get(check.name, 0.0), check.figure())
    width = max(len(check.name) for check in checks)
    print(f"{'how many times as fast':{width}} {'figure':>8} {'bound':>8}")
    for check in checks:
        verdict = "" if figures[check.name] >= check.bound else "  too slow"
        print(f"{check.name:{width}} {figures[check.name]:8.2f} {check.bound:8.2f}{verdict}")
    return int(any(figures[check.name] < check.bound for check in checks))


def ratio(slow: Callable[[], float], fast: Callable[[], float], rounds: int) -> float:
    """How many times as fast the second is as the first."""
    seconds = in_turns(rounds, slow=slow, fast=fast)
    return min(seconds["slow"]) / min(seconds["fast"])


def of_engines(recipe: str, rows: int) -> float:
    """The compiled engine against the reference, an epoch of a part of the recipe's rows."""
    numpy, numba = (Stopwatch(repeated(Trainer(RECIPES[recipe], engine, rows).epoch)) for engine in ("numpy", "numba"))
    return ratio(numpy, numba, 5)


def of_a_product(side: int) -> float:
    """Our product of square matrices against that of NumPy's BLAS."""
    product = LayerProduct("forward", side, side, side)
    return ratio(Stopwatch(repeated(product.run_numpy)), Stopwatch(product.run), 30)


def of_sparse_rows(rows: int) -> float:
    """A network fed with the images' non-zeros against the same with all their pixels."""
    recipe = RECIPES["keras"]
    dense, sparse = (Stopwatch(repeated(Trainer(recipe, "numba", rows, sparse=way).epoch)) for way in (False, True))
    return ratio(dense, sparse, 5)


def of_point(sizes: tuple[int, ...], batch_size: int, rows: int, **changes: Any) -> float:
    """The compiled engine against the reference at a point of the landscape."""
    chosen = point(sizes, batch_size, **changes)
    X, y = random_data(chosen, rows)

    def epoch(engine: str) -> Callable[[], float]:
        network = Network(list(sizes), hidden=chosen.hidden, dtype=chosen.dtype, seed=0)
        fit = partial(network.fit, X, y, epochs=1, batch_size=batch_size, engine=engine, threads=1, verbose=0)
        fit()
        return lambda: float(fit().seconds[-1])

    return ratio(epoch("numpy"), epoch("numba"), 5)


def of_lanes(networks: int) -> float:
    """Tiny networks side by side against the same one after another."""
    sizes, rows = (13, 16, 3), 128
    X, y = random_data(point(sizes, 16), rows)
    alone, together = ([Network(list(sizes), seed=seed) for seed in range(networks)] for _ in range(2))

    def one_by_one() -> None:
        for network in alone:
            network.fit(X, y, epochs=64, batch_size=16, threads=1, verbose=0)

    def side_by_side() -> None:
        fit_many(together, X, y, epochs=64, batch_size=16, threads=1, verbose=0)

    return ratio(Stopwatch(repeated(one_by_one)), Stopwatch(repeated(side_by_side)), 5)


def of_a_call(call: Callable[[Network, Any, Any, str], Any]) -> float:
    """A call on ten rows of a small network by the compiled engine against the same by the reference."""
    chosen = point((8, 16, 3), 32)
    X, y = random_data(chosen, 10)
    networks = {engine: Network([*chosen.sizes], seed=0) for engine in ("numpy", "numba")}

    def many(engine: str) -> Callable[[], float]:
        networks[engine].fit(X, y, epochs=1, engine=engine, verbose=0)
        return Stopwatch(repeated(lambda: call(networks[engine], X, y, engine)))

    return ratio(many("numpy"), many("numba"), 5)


def random_data(chosen: Workload, rows: int) -> tuple[Any, Any]:
    """Return samples and labels for a network."""
    generator = np.random.default_rng(0)
    return generator.normal(size=(rows, chosen.sizes[0])), generator.integers(0, chosen.sizes[-1], rows)


CHECKS = (
    Check(
        "one image at a time, from-scratch: Numba engine over NumPy engine",
        15.0,
        lambda: of_engines("from-scratch", 1_000),
    ),
    Check("batches of 128, keras: Numba engine over NumPy engine", 1.2, lambda: of_engines("keras", 5_000)),
    Check("product 128 x 128 x 128: kernels over NumPy's BLAS", 0.6, lambda: of_a_product(128)),
    Check("first layer of keras: sparse rows over dense rows", 1.1, lambda: of_sparse_rows(5_000)),
    Check("8-16-3, batch 32: Numba engine over NumPy engine", 8.0, lambda: of_point((8, 16, 3), 32, 4_096)),
    Check(
        "100-100-10 gelu, batch 200: Numba engine over NumPy engine",
        4.0,
        lambda: of_point((100, 100, 10), 200, 4_000, hidden="gelu"),
    ),
    Check(
        "100-512-512-10 in float64, batch 128: Numba engine over NumPy engine",
        0.9,
        lambda: of_point((100, 512, 512, 10), 128, 1_024, dtype="float64"),
    ),
    Check(
        "8-16-3, evaluate of 10 rows: Numba engine over NumPy engine",
        4.0,
        lambda: of_a_call(lambda network, X, y, engine: network.evaluate(X, y, engine=engine)),
    ),
    Check(
        "8-16-3, fit of an epoch of 10 rows: Numba engine over NumPy engine",
        2.5,
        lambda: of_a_call(lambda network, X, y, engine: network.fit(X, y, epochs=1, engine=engine, verbose=0)),
    ),
    Check("32 networks of 13-16-3: side by side over one after another", 1.3, lambda: of_lanes(32)),
)

if __name__ == "__main__":
    sys.exit(main())
