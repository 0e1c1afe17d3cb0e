"""Peak memory of a new process that trains 784-128-128-10 with Adam in batches of 128 on 48,000 rows of MNIST (imports
startup and measuring).

Everything counts: Python, NumPy, Numba with LLVM, MNIST and the network; the kernels come from the cache. The compiled
engine must stay below `LIMIT`, the one thing but agreement that a benchmark here insists on: unlike time, memory
doesn't depend on what else the machine does. The twin is the same script with the NumPy engine.
"""

from dataclasses import replace

import pytest

from .machine import ONE_THREAD
from .measuring import measure
from .startup import ROWS, TRAIN, run

LIMIT = 350
"""Megabytes, 1e6 bytes each."""

PEAK = """
import pathlib, re, resource
try:
    # Linux: what this program took. ru_maxrss there is no less than what its parent had when it was started.
    peak = 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1])
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS: bytes
print(peak / 1e6)
"""
"""Prints the megabytes of the process."""


@pytest.mark.usefixtures("one_blas_thread")
def bench_peak_memory(benchmark, report):
    pytest.importorskip("resource")  # not on Windows
    rows = ROWS if benchmark.enabled else 1_000
    megabytes = {"numba": 0.0, "numpy": 0.0}

    def train(engine):
        megabytes[engine] = float(run(["-c", TRAIN + PEAK, engine, str(rows), "0"], ONE_THREAD))

    train("numba")  # compiles what is not in the cache yet
    row = "memory of a new process", "784-128-128-10, Adam, batch 128", f"{rows:,} rows", 0.0
    ours, theirs = (lambda times=1, engine=engine: train(engine) for engine in megabytes)
    found = measure(benchmark, row, ours, theirs, lambda: None, rounds=2, twin_rounds=1)
    benchmark.extra_info.update({f"{engine}_megabytes": peak for engine, peak in megabytes.items()})
    assert megabytes["numba"] < LIMIT
    if found is not None:
        columns = {"memory": megabytes["numba"], "limit": LIMIT, "NumPy engine": megabytes["numpy"]}
        report(replace(found, more={heading: f"{number:.0f} MB" for heading, number in columns.items()}))
