"""How long a new process takes to import fastmlp, to the end of its first epoch, and to 97% on the test images (imports
startup and measuring).

Everything counts, from the start of Python to its end, with the kernels in the cache. Training is that of the recipe
keras on one thread; its twin is the same script with the NumPy engine. The twin of importing fastmlp is importing
NumPy, which is the most of it. `startup.py` measures the same and the first compile, as a script.
"""

import pytest

from .machine import ONE_THREAD
from .measuring import measure
from .startup import ACCURACY, ROWS, run, training

FEW = 1_000
"""Rows where nothing is timed; enough for half of the test images."""

CASES = {
    "import": lambda rows, accuracy: (["-c", "import fastmlp; fastmlp.Network"], ["-c", "import numpy"]),
    "first epoch": lambda rows, accuracy: (training("numba", rows), training("numpy", rows)),
    f"to {ACCURACY:.0%}": lambda rows, accuracy: (training("numba", rows, accuracy), training("numpy", rows, accuracy)),
}


@pytest.mark.usefixtures("one_blas_thread")
@pytest.mark.parametrize("name", CASES)
def bench_process(benchmark, report, name):
    commands = CASES[name](*((ROWS, ACCURACY) if benchmark.enabled else (FEW, 0.5)))
    ours, theirs = (lambda times=1, command=command: run(command, ONE_THREAD) for command in commands)
    ours()  # compiles what is not in the cache yet
    shape = "" if name == "import" else f"{ROWS:,} rows"
    report(measure(benchmark, ("new process", name, shape, 0.0), ours, theirs, lambda: None, rounds=4, twin_rounds=2))
