"""How long it takes until fastmlp works: import, help, first compile, and a new process to its first epoch and to 97%.

    python -m benchmarks.startup [--rounds 5]

Every figure is of a process of its own, the minimum of several; the first compile, in an empty cache, is done once.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from .machine import describe, in_words

IMPORT = """
import time
start = time.perf_counter()
from fastmlp import Network
print(time.perf_counter() - start)
"""

COMPILE = """
import time
from fastmlp import recipes
from fastmlp.engines import get_engine
engine = get_engine("numba")
architecture = recipes.get("keras").network().architecture
start = time.perf_counter()
engine.load(architecture)
print(time.perf_counter() - start)
"""

TRAIN = """
import sys
from fastmlp import Callback, recipes

engine, rows, accuracy, epochs = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), 30

class Enough(Callback):
    def on_epoch_end(self, run):
        if run.history["val_accuracy"][-1] >= accuracy:
            run.stop("accurate enough")

recipe = recipes.get("keras")
data = recipe.data()
data = data._replace(X_train=data.X_train[:rows], y_train=data.y_train[:rows], X_val=data.X_test, y_val=data.y_test)
callbacks = [Enough()]
if not accuracy:
    data, epochs, callbacks = data._replace(X_val=None, y_val=None), 1, []
history = recipe.fit(recipe.network(), data, epochs=epochs, callbacks=callbacks, engine=engine, threads=1, verbose=0)
assert history.stop_reason == "accurate enough" or not accuracy, history
"""
"""Trains the recipe keras on one thread. Arguments: engine, rows, and the accuracy on the test images, looked at after
every epoch, at which to stop; 0 stops after the first epoch and looks at none."""

ACCURACY = 0.97
ROWS = 48_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description="Seconds until fastmlp works.")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="timings of each (default: 5)")
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as folder:
        # Bytecode is kept, as installing keeps it, also where the environment says otherwise.
        bytecode = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(folder, "bytecode"))}
        cache = {"FASTMLP_CACHE_DIR": str(Path(folder, "kernels"))} | bytecode
        compiled = float(run(["-c", COMPILE], cache))
        imports, helps, epochs, accurate = [], [], [], []
        for _ in range(rounds):
            imports.append(float(run(["-c", IMPORT], cache)))
            helps.append(process_seconds(["-m", "fastmlp.cli", "--help"], cache))
            epochs.append(process_seconds(training("numba"), cache))
            accurate.append(process_seconds(training("numba", accuracy=ACCURACY), cache))
    rows = [
        ("from fastmlp import Network", min(imports)),
        ("fastmlp --help, the whole process", min(helps)),
        ("first compile, for any network of float32", compiled),
        ("one epoch of keras, the whole process, kernels cached", min(epochs)),
        (f"keras to {ACCURACY:.0%} on the test images, likewise", min(accurate)),
    ]
    width = max(len(name) for name, _ in rows)
    for name, seconds in rows:
        print(f"{name:{width}} {seconds:7.2f} s")
    print(f"\n{in_words(describe())}; minimum of {rounds}, the compile once")
    return 0


def training(engine: str, rows: int = ROWS, accuracy: float = 0.0) -> list[str]:
    """Arguments of Python for the script `TRAIN`."""
    return ["-c", TRAIN, engine, str(rows), str(accuracy)]


def run(command: list[str], variables: dict[str, str]) -> str:
    """Run Python with these arguments and environment variables; return what it printed."""
    done = subprocess.run(
        [sys.executable, *command], env=os.environ | variables, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def process_seconds(command: list[str], variables: dict[str, str]) -> float:
    """Seconds from the start of a Python process to its end."""
    start = time.perf_counter()
    run(command, variables)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
