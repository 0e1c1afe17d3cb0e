"""Answers for 1 to 100,000 rows, by fastmlp, ONNX Runtime and plain NumPy, in turns.

    python -m benchmarks.answering                       every shape and number of rows; two minutes
    python -m benchmarks.answering --quick               three numbers of rows, one round; some seconds
    python -m benchmarks.answering --shapes gelu 784     those whose name contains one of these
    python -m benchmarks.answering --write               and keep the ratios in benchmarks/results/answering.json

The other half of the landscape: `landscape.py` says how fast networks train all over the range, this how fast they
answer. Each network is saved as ONNX and read by ONNX Runtime, on one thread and on as many as it takes by itself;
NumPy is the line that a practitioner writes, ``maximum(X @ W + b, 0)``. Samples are float32 in memory, answers too.
Before anything is timed, all must have the same outputs.

Whoever ran before is given a moment to end: the threads of BLAS and of ONNX Runtime spin for a while after a call.
"""

import argparse
import json
import math
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import Dense, Network

from .compare import count
from .landscape import summary
from .machine import describe, in_words
from .markdown import three_digits

RESULTS = Path(__file__).parent / "results" / "answering.json"
ROWS = (1, 2, 5, 10, 100, 1_000, 10_000, 100_000)
QUICK_ROWS = (1, 10, 1_000)

LEAST, MEAN = 1.0, 1.8
"""What every ratio, and their geometric mean, should be at least."""

SHAPES: dict[str, tuple[tuple[int, ...], str, float]] = {
    "8-16-3": ((8, 16, 3), "relu", 1.0),
    "20-32-3": ((20, 32, 3), "relu", 1.0),
    "13-100-1": ((13, 100, 1), "relu", 1.0),
    "64-256-256-1": ((64, 256, 256, 1), "relu", 1.0),
    "20-64-64-64-1 tanh": ((20, 64, 64, 64, 1), "tanh", 1.0),
    "100-100-10 gelu": ((100, 100, 10), "gelu", 1.0),
    "784-30-10 sigmoid": ((784, 30, 10), "sigmoid", 0.19),
    "784-128-128-10": ((784, 128, 128, 10), "relu", 0.19),
    "784-512-512-10": ((784, 512, 512, 10), "relu", 0.19),
}
"""By name the layers, the activation of the hidden ones, and the share of inputs that are not zero: tables small and
larger, regressions, and images as MNIST's are."""

SECONDS = 2e-3
"""How long a timing takes at least: so many calls are timed together."""

PAUSE = 0.02
TOLERANCE = 1e-4
"""By how much outputs may differ from each other."""

Array = NDArray[Any]
Answer = Callable[[Array], Array]


class OutputError(Exception):
    """Outputs that are not those of the others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    options = parse(list(sys.argv[1:] if arguments is None else arguments))
    measured = []
    for name in chosen(options.shapes):
        for rows in QUICK_ROWS if options.quick else ROWS:
            measured.append(measure(name, rows, 1 if options.quick else options.rounds))
            print(line(measured[-1]), flush=True)
    found = summary(measured, LEAST)
    if found["least"] is not None:
        print(
            f"{len(measured)} points: least {found['least']:.2f} (aim {LEAST}), geometric mean "
            f"{found['geometric_mean']:.2f} (aim {MEAN}), {found['below']} below {LEAST}"
        )
    if options.write:
        results = {"date": date.today().isoformat(), "machine": describe(), **found, "points": measured}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(in_words(describe()))
    return 0


def parse(given: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.answering", description="Microseconds of an answer.")
    add = parser.add_argument
    add("--shapes", nargs="+", metavar="TEXT", help="only networks whose name contains one of these")
    add("--rounds", type=count, default=7, metavar="N", help="turns of each competitor (default: 7)")
    add("--quick", action="store_true", help="three numbers of rows, one round: some seconds")
    add("--write", action="store_true", help=f"write {RESULTS.name}; needs all shapes and rows")
    options = parser.parse_args(given)
    if options.write and (options.quick or options.shapes):
        parser.error("--write needs all shapes and rows")
    return options


def chosen(texts: Sequence[str] | None) -> list[str]:
    """Return the names of the shapes that contain one of these texts; all without any.

    Examples
    --------
    >>> chosen(["tanh", "gelu"])
    ['20-64-64-64-1 tanh', '100-100-10 gelu']
    """
    return [name for name in SHAPES if not texts or any(text in name for text in texts)]


def network_of(name: str) -> Network:
    """Make the network of a shape, trained for an epoch on a few rows: what it has learned doesn't matter."""
    (inputs, *hidden, outputs), activation, _ = SHAPES[name]
    top = Dense(1, "identity") if outputs == 1 else outputs
    loss = "squared_error" if outputs == 1 else "cross_entropy"
    network = Network([inputs, *(Dense(units, activation) for units in hidden), top], seed=0, loss=loss)
    y = np.arange(100.0) / 100 if outputs == 1 else np.arange(100) % outputs
    network.fit(samples(name, 100), y, epochs=1, verbose=0)
    return network


def samples(name: str, rows: int) -> Array:
    """Return so many rows for a shape, float32."""
    sizes, _, density = SHAPES[name]
    generator = np.random.default_rng(rows)
    X = generator.normal(size=(rows, sizes[0])).astype(np.float32)
    return X * (generator.random(X.shape) < density).astype(np.float32) if density < 1 else X


def competitors(name: str, network: Network) -> dict[str, Answer]:
    """Return who answers, by name; ONNX Runtime where it is installed, NumPy where it has the activation."""
    found: dict[str, Answer] = {"fastmlp": network}
    found.update(_onnxruntime(network))
    hidden: dict[str, Answer] = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    }
    if SHAPES[name][1] in hidden:
        found["numpy"] = _numpy(network, hidden[SHAPES[name][1]], SHAPES[name][0][-1] > 1)
    return found


def _onnxruntime(network: Network) -> dict[str, Answer]:
    try:
        import onnxruntime
    except ImportError:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "network.onnx")
        network.save(path)
        model = path.read_bytes()
    one_thread = onnxruntime.SessionOptions()
    one_thread.intra_op_num_threads = 1
    found: dict[str, Answer] = {}
    for name, options in (("onnxruntime", onnxruntime.SessionOptions()), ("onnxruntime-1", one_thread)):
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        given = session.get_inputs()[0].name
        found[name] = lambda X, session=session, given=given: session.run(None, {given: X})[0]  # type: ignore[misc]
    return found


def _numpy(network: Network, activation: Callable[[Array], Array], classes: bool) -> Answer:
    *hidden, (top, top_bias) = network.weights

    def answer(X: Array) -> Array:
        for weights, bias in hidden:
            X = activation(X @ weights + bias)
        z: Array = X @ top + top_bias
        if not classes:
            return z
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True))

    return answer


def measure(name: str, rows: int, rounds: int) -> dict[str, Any]:
    """Time all on so many rows of a shape.

    Returns
    -------
    dict
        Name, rows, least seconds of a call by competitor, the best of the others, and how many times faster fastmlp is.

    Raises
    ------
    OutputError
        Somebody's outputs are not fastmlp's.
    """
    network, X = network_of(name), samples(name, rows)
    found = competitors(name, network)
    wanted, calls = network(X), {}
    for who, answer in found.items():
        if not np.allclose(answer(X), wanted, rtol=TOLERANCE, atol=TOLERANCE):
            raise OutputError(f"{name}, {rows} rows: the outputs of {who} are not those of fastmlp")
        calls[who] = max(1, round(SECONDS / seconds_of(answer, X, 1)))
    least = dict.fromkeys(found, math.inf)
    for _ in range(rounds):
        for who, answer in found.items():
            time.sleep(PAUSE)
            least[who] = min(least[who], seconds_of(answer, X, calls[who]))
    others = {who: seconds for who, seconds in least.items() if who != "fastmlp"}
    best = min(others, key=others.__getitem__, default=None)
    ratio = None if best is None else others[best] / least["fastmlp"]
    return {"name": name, "rows": rows, "seconds": least, "best_peer": best, "times_faster": ratio}


def seconds_of(answer: Answer, X: Array, calls: int) -> float:
    """Return the mean seconds of a call."""
    start = time.perf_counter()
    for _ in range(calls):
        answer(X)
    return (time.perf_counter() - start) / calls


def line(point: Mapping[str, Any]) -> str:
    """Return what is printed of a point: microseconds of each, and the ratio."""
    cells = (f"{who} {three_digits(1e6 * seconds):>8}" for who, seconds in point["seconds"].items())
    ratio = point["times_faster"]
    mark = "" if ratio is None else f"  {ratio:5.2f} times{'  <' if ratio < LEAST else ''}"
    return f"{point['name']:20}{point['rows']:>8,}  " + "  ".join(cells) + mark


if __name__ == "__main__":
    sys.exit(main())
