"""``fastmlp bench``: how fast this machine multiplies, trains and answers (floor 11; imports atomic_write, errors,
engines, recipes, measure).

The short form of what ``benchmarks/`` measures at length, in less than a minute. What is compared takes turns, and the
minimum counts. Progress goes to standard error, the tables to standard output.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from .. import recipes
from ..atomic_write import write_bytes
from ..engines import get_engine
from ..errors import ArgumentError
from ..measure.machine import describe, in_words, other_kernels
from ..measure.timing import Stopwatch, finished, in_turns, repeated
from ..recipes import Recipe
from .show import Screen

TRAININGS: dict[str, tuple[str, int | str]] = {
    "numpy": ("numpy", 1),
    "loops": ("loops", 1),
    "loops_prange": ("loops", "all"),
    "one_thread": ("numba", 1),
    "auto_threads": ("numba", "auto"),
}
"""The ways in which every network is trained: engine and threads."""

EPOCHS_A_ROUND = 2
"""Of the SIMD engine, for which preparing the rows takes as long as an epoch."""

_ANSWERING = ("nielsen", "from-scratch", "keras")


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Attributes
    ----------
    products : tuple of (rows, inputs, units)
        Shapes of a layer's forward product.
    recipes : tuple of str
        Whose networks are trained.
    rows, numpy_rows : int
        Training rows for the SIMD engine and for the others, at most; seconds are scaled to all rows of the recipe.
    test_rows : int
        How many rows a network answers at once.
    rounds : int
    """

    products: tuple[tuple[int, int, int], ...]
    recipes: tuple[str, ...]
    rows: int
    numpy_rows: int
    test_rows: int
    rounds: int


_PRODUCTS = ((64, 64, 64), (128, 128, 128), (512, 512, 512), (128, 784, 30))
# To distort images with NumPy takes half a minute an epoch.
_TRAINED = tuple(name for name in recipes.names() if recipes.get(name).augment is None)
FULL = Plan(_PRODUCTS, _TRAINED, rows=60_000, numpy_rows=3_000, test_rows=10_000, rounds=3)
QUICK = Plan(_PRODUCTS, _ANSWERING, rows=10_000, numpy_rows=1_000, test_rows=10_000, rounds=2)


def run(plan: Plan, file: str | None, one_blas_thread: bool) -> None:
    """Measure, print the tables, and keep the figures in a file if there is to be one.

    Parameters
    ----------
    plan : Plan
    file : str or None
        For the figures, as JSON.
    one_blas_thread : bool
        Whether NumPy's BLAS is held to one thread, as the tables then say.

    Raises
    ------
    ArgumentError
        The file's folder doesn't exist, or Numba is told not to compile.
    MissingDependencyError
        Numba can't be imported.
    OSError
        The file can't be written.
    """
    path = None if file is None else _checked(file)
    engine = get_engine("numba")
    if os.environ.get("NUMBA_DISABLE_JIT", "0") != "0":
        raise ArgumentError("NUMBA_DISABLE_JIT is set, so there is no compiled code to measure; unset it")
    screen, progress, machine = Screen(), Progress(), describe()
    threads = "one thread" if one_blas_thread else "as many threads as it likes"
    screen.facts(
        {
            "machine": in_words(machine),
            "version": f"fastmlp {machine['fastmlp']}",
            "NumPy": f"its BLAS on {threads}{other_kernels()}",
        }
    )
    figures: dict[str, Any] = {"date": date.today().isoformat(), "machine": machine, "one_blas_thread": one_blas_thread}
    try:
        progress.say("loading the kernels")
        engine.load(recipes.get(recipes.DEFAULT).network().architecture)
        for name, measure, show in (
            ("products", measure_products, show_products),
            ("training", measure_training, show_training),
            ("answers", measure_answers, show_answers),
        ):
            figures[name] = measure(plan, progress)
            progress.clear()
            screen.say()
            show(screen, figures[name])
    finally:
        progress.clear()  # an error is to begin a line of its own
    if path is not None:
        _write(path, figures)
        screen.say(f"\nFigures kept in {file}")


class Progress:
    """What is being measured, on standard error: a line that changes on a terminal, elsewhere one line each."""

    def __init__(self) -> None:
        self._changes, self._width = sys.stderr.isatty(), 0

    def say(self, text: str) -> None:
        """Tell what begins now.

        It is written once: a bar that moves by itself would take time from what is measured.
        """
        self.clear()
        sys.stderr.write(f"{text} ..." if self._changes else f"{text}\n")
        sys.stderr.flush()
        self._width = len(text) + 4

    def clear(self) -> None:
        """Clear the line on a terminal, for a table to follow."""
        if self._changes:
            sys.stderr.write(f"\r{' ' * self._width}\r")
            sys.stderr.flush()


# --- measuring --------------------------------------------------------------------------------------------------------


def measure_products(plan: Plan, progress: Progress) -> dict[str, Any]:
    """Return the peak of one thread, and for every shape what the kernels and NumPy reach, in GFLOP/s."""
    from ..measure.products import LayerProduct, MultiplyAdds  # imports Numba

    adds = MultiplyAdds()
    peak, fastest = Stopwatch(adds.run), 0.0
    shapes = []
    for shape in plan.products:
        progress.say(f"matrix product {_times(shape)}")
        product = LayerProduct("forward", *shape)
        numpy = Stopwatch(repeated(product.run_numpy))
        seconds = in_turns(4 * plan.rounds, peak=peak, fastmlp=Stopwatch(product.run), numpy=numpy)
        # The clock of a processor changes: the peak is that of the moments in which products were measured.
        fastest = max(fastest, adds.operations / min(seconds["peak"]) / 1e9)
        rates = {name: product.operations / min(seconds[name]) / 1e9 for name in ("fastmlp", "numpy")}
        shapes.append({"rows": shape[0], "inputs": shape[1], "units": shape[2], "gflops": rates})
    return {"peak_gflops": fastest, "lanes": adds.lanes, "shapes": shapes}


def measure_training(plan: Plan, progress: Progress) -> list[dict[str, Any]]:
    """Return for every recipe the seconds of an epoch, trained in each of the `TRAININGS`."""
    found = []
    for name in plan.recipes:
        recipe = recipes.get(name)
        progress.say(f"training {name}")
        rows = {way: plan.rows if TRAININGS[way][0] == "numba" else plan.numpy_rows for way in TRAININGS}
        rows = {way: min(most, recipe.train_rows) for way, most in rows.items()}
        seconds = in_turns(plan.rounds, **{way: _epoch_timing(recipe, *TRAININGS[way], rows[way]) for way in TRAININGS})
        found.append(
            {
                "recipe": name,
                "network": recipe.shape,
                "batch_size": recipe.batch_size,
                "rows": recipe.train_rows,
                "measured_rows": rows,
                "seconds": {way: min(times) for way, times in seconds.items()},
                "median_seconds": {way: median(times) for way, times in seconds.items()},
            }
        )
    return found


def measure_answers(plan: Plan, progress: Progress) -> list[dict[str, Any]]:
    """Return for some networks the seconds of an answer to one row, and to many at once."""
    found = []
    for name in _ANSWERING:
        progress.say(f"answering with {name}")
        recipe = recipes.get(name)
        network, data = recipe.network(), recipe.data()
        X = data.X_test[: plan.test_rows]
        # A network that was fitted knows how to scale, and answers to one row the short way.
        finished(network.fit(data.X_train[:100], data.y_train[:100], epochs=1, engine="numpy", verbose=0))
        watches = {
            f"{engine}_{size}": Stopwatch(repeated(partial(network, rows, engine=engine)))
            for size, rows in (("one", X[:1]), ("many", X))
            for engine in ("numba", "numpy")
        }
        seconds = {key: min(times) for key, times in in_turns(4 * plan.rounds, **watches).items()}
        found.append({"recipe": name, "network": recipe.shape, "rows": len(X), "seconds": seconds})
    return found


def _epoch_timing(recipe: Recipe, engine: str, threads: int | str, rows: int) -> Callable[[], float]:
    """Make a stopwatch for an epoch, as `fit` records it, scaled from so many rows to all of the recipe."""
    network, data = recipe.network(), recipe.data()
    data = data._replace(X_train=data.X_train[:rows], y_train=data.y_train[:rows], X_val=None, y_val=None)
    epochs = EPOCHS_A_ROUND if engine == "numba" else 1
    if threads == "all":
        from ..engines.simd.threads import available_threads  # imports Numba

        threads = max(2, available_threads())

    def timing() -> float:
        history = recipe.fit(network, data, epochs=epochs, engine=engine, threads=threads, verbose=0)
        return min(finished(history)["seconds"]) * recipe.train_rows / rows

    return timing


# --- showing ----------------------------------------------------------------------------------------------------------


def show_products(screen: Screen, found: Mapping[str, Any]) -> None:
    """Print how near to the peak the kernels' products and NumPy's come."""
    peak = found["peak_gflops"]
    columns = {"matrix product": "left", "GFLOP/s": "right", "of peak": "right", "NumPy": "right", "speed-up": "right"}
    rows = []
    for shape in found["shapes"]:
        ours, theirs = shape["gflops"]["fastmlp"], shape["gflops"]["numpy"]
        sizes = shape["rows"], shape["inputs"], shape["units"]
        rows.append([_times(sizes), f"{ours:.1f}", f"{ours / peak:.0%}", f"{theirs:.1f}", f"{ours / theirs:.2f}"])
    screen.table(columns, rows)
    screen.say(
        f"One thread, float32. The peak, {peak:.1f} GFLOP/s, was measured on independent multiply-adds of vectors of "
        f"{found['lanes']}."
    )


def show_training(screen: Screen, found: list[dict[str, Any]]) -> None:
    """Print the seconds of an epoch, and how many rows go through the network in a second."""
    columns = {
        "an epoch of": "left",
        "NumPy": "right",
        "loops": "right",
        "prange": "right",
        "SIMD": "right",
        "speed-up": "right",
        "auto": "right",
        "rows/s": "right",
    }
    rows = []
    for entry in found:
        seconds = entry["seconds"]
        cells = {
            way: ("~" if entry["measured_rows"][way] < entry["rows"] else "") + _duration(seconds[way])
            for way in TRAININGS
        }
        rate = entry["rows"] / min(seconds["one_thread"], seconds["auto_threads"])
        speed_up = f"{seconds['numpy'] / seconds['one_thread']:.1f}"
        slow = [cells[way] for way in ("numpy", "loops", "loops_prange")]
        rows.append([entry["recipe"], *slow, cells["one_thread"], speed_up, cells["auto_threads"], f"{rate:,.0f}"])
    screen.table(columns, rows)
    screen.say(
        "~ is measured on the first rows and scaled to all. One thread, but for prange, which is the loops on all "
        "threads, and auto, which is SIMD on as many as pay. The speed-up is that of SIMD over NumPy."
    )


def show_answers(screen: Screen, found: list[dict[str, Any]]) -> None:
    """Print how long a network takes to answer."""
    many = f"{found[0]['rows']:,} rows"
    headings = ("1 row", "1 row, NumPy", many, f"{many}, NumPy", "rows/s")
    columns = {"predicting": "left"} | dict.fromkeys(headings, "right")
    rows = []
    for entry in found:
        seconds = entry["seconds"]
        cells = [_duration(seconds[key]) for key in ("numba_one", "numpy_one", "numba_many", "numpy_many")]
        rows.append([entry["recipe"], *cells, f"{entry['rows'] / seconds['numba_many']:,.0f}"])
    screen.table(columns, rows)


_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def _times(sizes: tuple[int, ...]) -> str:
    return " x ".join(map(str, sizes))


def _duration(seconds: float) -> str:
    """Return seconds with three digits and a unit.

    Examples
    --------
    >>> _duration(14.5), _duration(0.0483), _duration(109e-6)
    ('14.5 s', '48.3 ms', '109 µs')
    """
    size, unit = next((pair for pair in _UNITS if float(f"{seconds / pair[0]:.3g}") >= 1.0), _UNITS[-1])
    number = float(f"{seconds / size:.3g}")
    return f"{number:.{0 if number >= 100 else 1 if number >= 10 else 2}f} {unit}"


# --- keeping ----------------------------------------------------------------------------------------------------------


def _checked(file: str) -> Path:
    """Return the path of a file that can be made; that it can't be is to be known before a minute of measuring."""
    path = Path(file)
    if path.is_dir():
        raise ArgumentError(f"--json: {file} is a folder; name a file")
    if not path.parent.is_dir():
        raise ArgumentError(f"--json: the folder {str(path.parent)!r} does not exist; make it first")
    return path


def _write(path: Path, figures: dict[str, Any]) -> None:
    """Write the file, whole or not at all."""
    write_bytes(path, f"{json.dumps(figures, indent=2)}\n".encode())
