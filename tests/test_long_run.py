"""A process that trains again and again: it keeps nothing of what it has trained."""

import os
import subprocess
import sys

import pytest

# Small networks of changing shape, on several threads where the engine has them; what is resident and how many threads
# there are is noted after the first 200 fits, by when everything that is made once is made, and after all.
FITS = """
import gc, os, sys
import numpy as np
from fastmlp import Checkpoint, Dense, EarlyStopping, Network, load

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def threads():
    return len(os.listdir("/proc/self/task"))

generator = np.random.default_rng(0)
X, y = generator.normal(size=(256, 20)).astype(np.float32), generator.integers(0, 3, 256)
for number in range(1, 1001):
    net = Network([20, Dense(8 + number % 40, dropout=0.1), 3], seed=number)
    watchers = [EarlyStopping("val_loss"), *([Checkpoint(sys.argv[1])] if number % 20 == 0 else [])]
    net.fit(X, y, epochs=2, batch_size=64, validation_split=0.25, threads=2, callbacks=watchers, verbose=0)
    net.predict(X), net.predict(X[:1]), net.evaluate(X, y), net.gradient(X, y)
    if number % 20 == 0:
        load(sys.argv[1]).predict(X)
    if number == 200:
        gc.collect()
        print(resident(), threads())
gc.collect()
print(resident(), threads())
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux' /proc")
def test_a_thousand_fits_leave_neither_memory_nor_threads_behind(tmp_path):
    pytest.importorskip("numba")
    command = [sys.executable, "-W", "error", "-c", FITS, str(tmp_path / "run.npz")]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert shown.returncode == 0, shown.stderr
    (memory, threads), (memory_after, threads_after) = (map(int, line.split()) for line in shown.stdout.splitlines())
    assert threads_after <= threads
    # The samples of every fit would be 16 MB, its networks 6 MB; what the allocator does with neither is below 1 MB.
    assert memory_after - memory < 3e6
