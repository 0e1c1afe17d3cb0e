"""How long it takes until fastmlp works: import, help, first compile, first epoch of a new process.

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

FIRST_EPOCH = """
from fastmlp import recipes
recipe = recipes.get("keras")
data = recipe.data()
recipe.fit(recipe.network(), data, epochs=1, engine="numba", verbose=0)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description="Seconds until fastmlp works.")
    parser.add_argument("--rounds", type=int, default=5, metavar="N", help="timings of each (default: 5)")
    rounds = parser.parse_args(arguments).rounds
    with tempfile.TemporaryDirectory() as folder:
        cache = {"FASTMLP_CACHE_DIR": folder}
        compiled = float(run(["-c", COMPILE], cache))
        imports, helps, epochs = [], [], []
        for _ in range(rounds):
            imports.append(float(run(["-c", IMPORT], cache)))
            helps.append(process_seconds(["-m", "fastmlp.cli", "--help"], cache))
            epochs.append(process_seconds(["-c", FIRST_EPOCH], cache))
    rows = [
        ("from fastmlp import Network", min(imports)),
        ("fastmlp --help, the whole process", min(helps)),
        ("first compile, for any network of float32", compiled),
        ("one epoch of keras, the whole process, kernels cached", min(epochs)),
    ]
    width = max(len(name) for name, _ in rows)
    for name, seconds in rows:
        print(f"{name:{width}} {seconds:7.2f} s")
    print(f"\n{in_words(describe())}; minimum of {rounds}, the compile once")
    return 0


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
