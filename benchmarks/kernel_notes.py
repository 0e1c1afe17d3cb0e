"""Measure the figures of `fastmlp/kernels/README.md`, and print their tables or write them there.

    python -m benchmarks.kernel_notes                                       every table; half an hour
    python -m benchmarks.kernel_notes limits products                       some of them
    python -m benchmarks.kernel_notes --write fastmlp/kernels/README.md     write them between the page's markers
    python -m benchmarks.kernel_notes --rounds 2 --rows 1000                a rough run: three minutes

What is compared takes turns, and the fastest of several rounds counts. A ratio is therefore reliable on a machine that
does other work, a time less so; times on two threads need both processors. Times are of float32 and one thread, unless
a table says otherwise, and NumPy's BLAS has one thread. `special_cases.py` compares epochs with and without a special
case: it trains edited copies of the package, which are compiled anew.
"""

# Compiled code is typed by Numba, from what it is called with.
# mypy: disallow-untyped-calls=False, disallow-untyped-defs=False

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import numba
import numpy as np

from fastmlp import Callback, Network, fit_many, load_mnist
from fastmlp.data.augmentation import Augmentation
from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Samples
from fastmlp.engines import get_engine
from fastmlp.engines.simd.compression import compress
from fastmlp.engines.simd.conversion import filled_features
from fastmlp.kernels.elementwise import activation_forward
from fastmlp.kernels.runtime import constants
from fastmlp.kernels.runtime.simd import flush_subnormals, lanes, load, restore_rounding, splat, store
from fastmlp.measure.products import LayerProduct, MultiplyAdds
from fastmlp.measure.timing import Stopwatch, in_turns, repeated
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.architecture import Architecture, aligned_zeros, padded

from . import answering, meeting, startup
from .compare import count
from .machine import describe, in_words, one_thread_environment
from .markdown import replace_table, three_digits
from .special_cases import EDITS, Edit, edited, times_as_long
from .workloads import WORKLOADS, Workload, make_data

Table = Sequence[tuple[str, ...]]
"""Rows of cells, the headings first."""

FLOAT = np.dtype(np.float32)


class Effort(NamedTuple):
    """How much is measured.

    Attributes
    ----------
    rounds : int
        Timings of each competitor.
    rows : int or None
        Of a data set, at most.
    """

    rounds: int = 8
    rows: int | None = None

    def limited(self, rows: int) -> int:
        """Return so many rows, or fewer."""
        return rows if self.rows is None else min(rows, self.rows)

    @property
    def short(self) -> Self:
        """The same with more rounds, for timings of some milliseconds."""
        return self._replace(rounds=10 * self.rounds)

    def least(self, **timings: Callable[[], float]) -> dict[str, float]:
        """Take the timings in turns, and return the least of each."""
        return {name: min(seconds) for name, seconds in in_turns(self.rounds, **timings).items()}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="python -m benchmarks.kernel_notes", description="Figures of the kernels.")
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help=f"which tables, of: {', '.join(FIGURES)} (default: all)")
    add("--rounds", type=count, default=Effort().rounds, metavar="N", help="timings of each (default: %(default)s)")
    add("--rows", type=count, metavar="N", help="train on at most so many rows")
    add("--write", type=Path, metavar="FILE", help="Markdown file whose tables are to be replaced")
    options = parser.parse_args(given)
    if unknown := set(options.names) - set(FIGURES):
        parser.error(f"no table is named {', '.join(sorted(unknown))}")
    measured_on = f"{in_words(describe())}; {date.today().isoformat()}"
    if options.write and options.names and measured_on not in options.write.read_text(encoding="utf-8"):
        parser.error("the tables of the file are of another machine or day; to replace some, measure all")
    if os.environ != one_thread_environment():
        command = [sys.executable, "-m", "benchmarks.kernel_notes", *given]
        return subprocess.run(command, env=one_thread_environment()).returncode

    for name in options.names or FIGURES:
        table = markdown(FIGURES[name](Effort(options.rounds, options.rows)))
        print(f"{name}\n\n{table}\n", flush=True)
        if options.write and f"<!-- table: {name} -->" in options.write.read_text(encoding="utf-8"):
            replace_table(options.write, table, f"<!-- table: {name} -->", f"<!-- end table: {name} -->")
    print(measured_on)
    if options.write:
        replace_table(options.write, measured_on, "<!-- measured on -->", "<!-- end measured on -->")
    return 0


def markdown(table: Table) -> str:
    """Return a table in Markdown, its first column to the left and numbers to the right.

    Examples
    --------
    >>> print(markdown([("network", "µs"), ("8-16-3", "41")]))
    | network | µs |
    |---|--:|
    | 8-16-3 | 41 |
    """
    headings, *rows = table
    numbers = [k > 0 and all(row[k][:1].isdigit() for row in rows) for k in range(len(headings))]
    rule = "|".join("--:" if right else "---" for right in numbers)
    return "\n".join([f"| {' | '.join(headings)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)])


# --- what the processor can do ---

CACHES = {"L1 (32 KB)": 2**15, "L2 (1 MB)": 2**20, "L3 (32 MB)": 2**25}
"""Bytes that are read again and again, by the cache that is to hold them."""


@numba.njit(nogil=True)
def _read(times, numbers):
    """Read all numbers so many times, in eight sums that don't wait for one another."""
    a = b = c = d = e = f = g = h = splat(numbers, 0.0)
    vector = lanes(numbers)
    for _ in range(times):
        for j in range(0, len(numbers), 8 * vector):
            a, b = a + load(numbers, j), b + load(numbers, j + vector)
            c, d = c + load(numbers, j + 2 * vector), d + load(numbers, j + 3 * vector)
            e, f = e + load(numbers, j + 4 * vector), f + load(numbers, j + 5 * vector)
            g, h = g + load(numbers, j + 6 * vector), h + load(numbers, j + 7 * vector)
    store(numbers, 0, ((a + b) + (c + d)) + ((e + f) + (g + h)))


def limits(effort: Effort) -> Table:
    """Measure what one thread can do at most: arithmetic, and bytes from each cache."""
    adds = MultiplyAdds()
    timings = {"adds": Stopwatch(adds.run)}
    for cache, size in CACHES.items():
        timings[cache] = Stopwatch(partial(_call_with, _read, aligned_zeros(size // 4, FLOAT)))
    least = effort.short.least(**timings)
    rows = [(f"read from {cache}", f"{size / least[cache] / 1e9:.0f} GB/s") for cache, size in CACHES.items()]
    peak = f"{adds.operations / least['adds'] / 1e9:.0f} GFLOP/s"
    return [("limit of one thread", ""), ("independent multiply-adds", peak), *rows]


def _call_with(kernel: Any, numbers: Any, times: int) -> None:
    kernel(times, numbers)


def meetings(effort: Effort) -> Table:
    """Measure what it costs two threads to meet, and to hand numbers to each other."""
    costs = meeting.measure()
    return [
        ("between two threads", ""),
        ("a barrier that both reach together", f"{1e9 * costs.meeting:.0f} ns"),
        ("numbers handed over", f"{costs.bandwidth / 1e9:.1f} GB/s"),
    ]


# --- kernels ---

PRODUCTS = (
    ("forward", 128, 128, 128),
    ("forward", 256, 256, 256),
    ("forward", 128, 512, 512),
    ("forward", 1024, 1024, 1024),
    ("forward", 128, 784, 10),
    ("input gradient", 128, 128, 10),
    ("input gradient", 128, 512, 512),
    ("weight gradient", 128, 128, 128),
    ("weight gradient", 512, 512, 512),
    ("weight gradient", 128, 784, 10),
)
"""Kind, rows, inputs and units."""


def products(effort: Effort) -> Table:
    """Time products of a layer, and NumPy's."""
    adds, rows = MultiplyAdds(), [("product", "rows × inputs × units", "GFLOP/s", "of the peak", "NumPy's BLAS")]
    for kind, *sizes in PRODUCTS:
        product = LayerProduct(kind, *sizes)
        numpy = Stopwatch(repeated(product.run_numpy))
        least = effort.short.least(adds=Stopwatch(adds.run), ours=Stopwatch(product.run), numpy=numpy)
        ours, theirs = (product.operations / least[who] / 1e9 for who in ("ours", "numpy"))
        share = ours * least["adds"] * 1e9 / adds.operations
        rows.append((kind, " × ".join(map(str, sizes)), f"{ours:.0f}", f"{share:.0%}", f"{theirs:.0f}"))
    return rows


@numba.njit(nogil=True)
def _activate(times, code, a, rows, units, width):
    before = flush_subnormals()  # as a pass does: gelu of gelu of ... is soon as small
    for _ in range(times):
        activation_forward(code, a, 0, width, rows, units, width)
    restore_rounding(before)


def activations(effort: Effort) -> Table:
    """Time activations of 128 rows, and NumPy's."""
    rows: list[tuple[str, ...]] = [("activation of 128 rows", "ns a number", "NumPy")]
    for name, units in (("sigmoid", 128), ("tanh", 128), ("gelu", 128), ("softmax", 10), ("softmax", 3)):
        x = np.random.default_rng(0).normal(size=(128, units)).astype(FLOAT)
        width = padded(units, FLOAT)
        a = aligned_zeros(128 * width, FLOAT)
        a.reshape(128, width)[:, :units] = x
        ours = partial(_activate_on, getattr(constants, name.upper()), a, units, width)
        numpy = repeated(partial(ACTIVATIONS[name].forward, x))
        least = effort.short.least(ours=Stopwatch(ours), numpy=Stopwatch(numpy))
        rows.append((f"{name}, {units} units", *(three_digits(1e9 * one / x.size) for one in least.values())))
    return rows


def _activate_on(code: int, a: Any, units: int, width: int, times: int) -> None:
    _activate(times, code, a, 128, units, width)


def conversion(effort: Effort) -> Table:
    """Time finding the non-zeros of MNIST's images."""
    pixels = np.ascontiguousarray(load_mnist().X_train[: effort.limited(48_000)])
    samples = Samples(len(pixels), 784, pixels, None)
    filled = filled_features(samples)
    order = np.concatenate([filled, np.delete(np.arange(784), filled)])

    def compressed(threads: int, times: int) -> None:
        for _ in range(times):
            compress(samples, FLOAT, threads, order, len(filled), 8 if len(filled) else 1)

    one, two = (Stopwatch(partial(compressed, threads)) for threads in (1, 2))
    least = effort.least(one=one, two=two, numpy=Stopwatch(repeated(partial(np.nonzero, pixels))))
    cells = (f"{1e6 * seconds / len(pixels):.2f}" for seconds in least.values())
    return [("µs an image", "one thread", "two", "`np.nonzero`"), ("sparse rows of MNIST", *cells)]


def augmentation(effort: Effort) -> Table:
    """Time the augmentation of MNIST's images by both engines."""
    rows: list[tuple[str, ...]] = [("µs an image", "one thread", "NumPy")]
    moved = Augmentation(shift=2.0, rotation=15.0, scale=0.1)
    elastic = replace(moved, elastic=(34.0, 4.0))
    for name, given in (("moved, rotated, scaled", moved), ("and elastic, sigma 4", elastic)):
        sizes = {engine: effort.limited(size) for engine, size in (("numba", 6_000), ("numpy", 500))}
        least = effort.least(
            **{engine: Stopwatch(repeated(_augment(engine, given, sizes[engine]))) for engine in sizes}
        )
        rows.append((name, *(three_digits(1e6 * seconds / sizes[engine]) for engine, seconds in least.items())))
    return rows


def _augment(engine: str, given: Augmentation, size: int) -> Callable[[], Any]:
    data = Dataset.of(Architecture.build([784, 8, 10]), Samples(size, 784, load_mnist().X_train[:size], None))
    return partial(get_engine(engine).augment, given, data, 0, 0, 1)


# --- epochs ---


def epochs(effort: Effort) -> Table:
    """Time an epoch of the seven workloads on one thread and on two, and say how near the peak that is."""
    peak = MultiplyAdds()
    rows = [("network", "batch", "µs a step", "GFLOP/s", "of the peak", "two threads", "times as fast")]
    for workload in WORKLOADS.values():
        chosen = workload.limited(effort.rows)
        timings = {f"threads_{threads}": _epoch(chosen, threads) for threads in (1, 2)}
        least = effort.least(**timings, peak=Stopwatch(peak.run))
        one, two = least["threads_1"], least["threads_2"]
        steps = -(-chosen.rows // chosen.batch_size)
        flops, most = _operations(chosen) / one / 1e9, peak.operations / least["peak"] / 1e9
        cells = (
            three_digits(1e6 * one / steps),
            f"{flops:.0f}",
            f"{flops / most:.0%}",
            three_digits(1e6 * two / steps),
        )
        rows.append((f"{chosen.name}: {chosen.shape}", f"{chosen.batch_size:,}", *cells, f"{one / two:.2f}"))
    return rows


def _epoch(workload: Workload, threads: int) -> Callable[[], float]:
    """Make a timing of an epoch, as the history of `Network.fit` has it."""
    network, data, optimizer = workload.network(), make_data(workload), workload.own_optimizer()
    fit = partial(network.fit, data.given_X, data.given_y, batch_size=workload.batch_size, shuffle=workload.shuffled)

    def seconds(number: int = workload.epochs_a_timing) -> float:
        history = fit(epochs=number, optimizer=optimizer, threads=threads, verbose=0)
        return float(sum(history["seconds"][-number:])) / number

    seconds(1)  # samples are converted once
    return seconds


def _operations(workload: Workload) -> float:
    """Additions and multiplications of an epoch's matrix products, those with zeros of the input left out."""
    first, *others = (layer.fan_in * layer.units for layer in workload.network().architecture.layers)
    density = float(np.mean(make_data(workload).given_X != 0))
    return 2.0 * workload.rows * (2 * density * first + 3 * sum(others))


def calls(effort: Effort) -> Table:
    """Time short epochs, many in a call of the kernels and one a call."""
    generator = np.random.default_rng(0)
    X, y, number = generator.normal(size=(133, 13)), generator.integers(0, 3, 133), 100
    network = Network([13, 100, 3], dtype="float64", seed=0)
    fit = partial(network.fit, X, y, epochs=number, batch_size=133, optimizer="adam", threads=1, verbose=0)
    together, one_by_one = (Stopwatch(repeated(partial(fit, callbacks=some))) for some in ([], [Callback()]))
    least = effort.short.least(together=together, one_by_one=one_by_one)
    cells = (three_digits(1e6 * seconds / number) for seconds in least.values())
    return [("µs an epoch", f"{number} epochs a call", "one a call"), ("13-100-3, 133 rows, float64", *cells)]


LANES = (
    ((4, 8, 3), 150, 150),
    ((13, 16, 3), 128, 16),
    ((20, 32, 1), 512, 32),
    ((64, 32, 10), 512, 32),
    ((20, 64, 32, 3), 512, 32),
)
"""Sizes, rows and batch size of networks that are trained side by side."""


def side_by_side(effort: Effort) -> Table:
    """Time 16 small networks, one after another and one in each lane of a vector."""
    rows, number = [("network", "batch", "alone, ns", "in a lane, ns", "times as fast")], 32
    for sizes, n_rows, batch_size in LANES:
        generator, outputs = np.random.default_rng(0), sizes[-1]
        X = generator.normal(size=(n_rows, sizes[0])).astype(FLOAT)
        y = generator.integers(0, outputs, n_rows) if outputs > 1 else generator.normal(size=(n_rows, 1)).astype(FLOAT)
        given: dict[str, Any] = {"epochs": number, "batch_size": batch_size, "threads": 1, "verbose": 0}
        last: dict[str, Any] = {"output": "identity", "loss": "squared_error"} if outputs == 1 else {}
        networks = [Network(list(sizes), seed=seed, **last) for seed in range(16)]
        together = repeated(partial(fit_many, networks, X, y, **given))
        alone = repeated(lambda: [network.fit(X, y, **given) for network in networks])  # noqa: B023 (called here)
        least = effort.least(alone=Stopwatch(alone), together=Stopwatch(together))
        apart, close = (1e9 * seconds / (16 * number * n_rows) for seconds in least.values())
        shape = "-".join(map(str, sizes))
        rows.append((shape, str(batch_size), three_digits(apart), three_digits(close), f"{apart / close:.2f}"))
    return rows


def answers(effort: Effort) -> Table:
    """Time outputs for 1 to 10,000 rows, and NumPy's."""
    numbers = [effort.limited(rows) for rows in (1, 10, 100, 1_000, 10_000)]
    rows = [("µs (NumPy)", *(f"{number:,} row{'s' * (number > 1)}" for number in numbers))]
    for name in ("8-16-3", "64-256-256-1", "784-128-128-10", "20-64-64-64-1 tanh"):
        cells = []
        for number in numbers:
            seconds = answering.measure(name, number, effort.rounds)["seconds"]
            cells.append(f"{three_digits(1e6 * seconds['fastmlp'])} ({three_digits(1e6 * seconds['numpy'])})")
        rows.append((name, *cells))
    return rows


def special_cases(group: str, effort: Effort) -> Table:
    """Time epochs with and without the special cases that serve something; on one thread, but for those of threads."""
    rows, threads = [("special case", "where", "time without it / with it")], "auto" if group == "threads" else 1
    for edit in EDITS[group]:
        ratios = times_as_long(edit, effort.rounds, effort.rows, threads)
        rows.append((edit.name, edit.where, "; ".join(f"{name} {ratio:.2f}" for name, ratio in ratios.items())))
    return rows


# --- compiling ---

_JIT, _LINKING = "kernels/runtime/jit.py", "kernels/runtime/linking.py"
_PARTS = '("linking", "remembering", "caching")'
COMPILED_WITHOUT = (
    Edit("as it is", "", (), ()),
    Edit("without `linking.py`", "", (), ((_JIT, _PARTS, '("none", "remembering", "caching")'),)),
    Edit("without `remembering.py`", "", (), ((_JIT, _PARTS, '("linking", "none", "caching")'),)),
    Edit("with all of Numba's passes", "", (), ((_LINKING, "not in self.unneeded", "not in ()"),)),
    Edit("with garbage collection", "", (), ((_JIT, "if gc.isenabled():", "if False:"),)),
    Edit("with reference counts", "", (), ((_JIT, '    _FLAGS["_nrt"] = False', "    pass"),)),
)


def compiling(effort: Effort) -> Table:
    """Time the first compile of training in float32 in an empty cache, and without what makes it fast; CPU seconds."""
    rows = [("first compile", "CPU s")]
    script = startup.COMPILE.replace("perf_counter", "process_time")
    for edit in COMPILED_WITHOUT:
        seconds = []
        with edited(edit) as folder:
            for _ in range(min(effort.rounds, 2)):
                with tempfile.TemporaryDirectory() as cache:
                    variables = {"PYTHONPATH": str(folder), "FASTMLP_CACHE_DIR": cache, "PYTHONSAFEPATH": "1"}
                    seconds.append(float(startup.run(["-c", script], variables)))
        rows.append((edit.name, f"{min(seconds):.1f}"))
    return rows


FIGURES: dict[str, Callable[[Effort], Table]] = {
    "limits": limits,
    "products": products,
    "activations": activations,
    "conversion": conversion,
    "augmentation": augmentation,
    "epochs": epochs,
    "calls": calls,
    "meetings": meetings,
    "side-by-side": side_by_side,
    "answers": answers,
    "compiling": compiling,
    **{f"{group}-cases": partial(special_cases, group) for group in EDITS},
}
"""The tables, by the names of their markers."""

if __name__ == "__main__":
    sys.exit(main())
