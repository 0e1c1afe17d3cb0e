"""Estimators on memory-mapped tables: the same bits as in memory, and little of the file in memory at a time."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fastmlp.engines.simd import out_of_core
from fastmlp.estimators import MLPClassifier, MLPRegressor

from ..interpreted import needs_compiler


@pytest.fixture(params=[np.float32, np.float64])
def table(request, tmp_path, monkeypatch):
    """The same numbers in memory and on disk, which come in parts of some ten rows."""
    monkeypatch.setattr(out_of_core, "STAGE_BYTES", 1000)
    X = np.random.default_rng(0).normal(size=(90, 20)).astype(request.param)
    np.save(tmp_path / "X.npy", X)
    return X, np.load(tmp_path / "X.npy", mmap_mode="r")


@pytest.mark.parametrize("options", [{}, {"early_stopping": True}, {"standardize": True}, {"solver": "lbfgs"}], ids=str)
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_a_map_is_fitted_as_an_array_is(table, kind, options):
    y, found = np.arange(90) % 3, []
    for X in table:
        estimator = kind(hidden_layer_sizes=8, max_iter=3, batch_size=7, random_state=0, **options).fit(X, y)
        found.append(
            [estimator.network_.state.parameters.tolist(), estimator.predict(X).tolist(), estimator.score(X, y)]
        )
    assert found[0] == found[1]


def test_a_map_is_fitted_in_part_as_an_array_is(table):
    y = np.arange(90) % 3
    fitted = [MLPClassifier(8, random_state=0).partial_fit(X, y, classes=[0, 1, 2]) for X in table]
    np.testing.assert_array_equal(*[estimator.network_.state.parameters for estimator in fitted])


def test_a_value_that_is_not_finite_is_found_in_a_map(tmp_path):
    X, y = np.ones((500, 20), np.float32), np.arange(500) % 2
    classifier = MLPClassifier(8, max_iter=1, random_state=0).fit(X, y)
    X[321, 7] = np.nan
    np.save(tmp_path / "X.npy", X)
    on_disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    for use in (lambda: MLPClassifier().fit(on_disk, y), lambda: classifier.predict(on_disk)):
        with pytest.raises(ValueError, match="row 321, column 7"):
            use()


MEMORY_OF_A_FIT = """
import re, sys, threading
from pathlib import Path
import numpy as np
from fastmlp.data import memory_map, statistics
from fastmlp.engines.simd import out_of_core
from fastmlp.estimators import MLPClassifier
for module, name in (
    (memory_map, "READ_BYTES"), (memory_map, "BLOCK_BYTES"), (out_of_core, "STAGE_BYTES"), (statistics, "_NUMBERS")
):
    setattr(module, name, getattr(module, name) // 20)

def resident():
    fields = dict(re.findall(r"(RssAnon|RssFile):\\s+(\\d+) kB", Path("/proc/self/status").read_text()))
    return sum(map(int, fields.values())) / 1024

def use(X):
    y = np.arange(len(X)) % 2
    settings = {"batch_size": 100, "max_iter": 1, "random_state": 0}
    MLPClassifier(8, early_stopping=True, standardize=True, **settings).fit(X, y)
    MLPClassifier(8, **settings).partial_fit(X, y, classes=[0, 1]).score(X, y)

X = np.load(sys.argv[1], mmap_mode="r")
use(np.array(X[:400]))
before, most, done = resident(), [0.0], threading.Event()

def watch():
    while not done.wait(0.001):
        most[0] = max(most[0], resident())

watcher = threading.Thread(target=watch)
watcher.start()
use(X)
done.set()
watcher.join()
print(most[0] - before)
"""


@needs_compiler
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads resident memory from /proc")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_file_is_fitted_and_scored_with_a_twentieth_of_it_in_memory(tmp_path, dtype):
    """The limit is to 20 GB what 1 GB is, and so are the parts that are read at a time."""
    n_bytes, features = 400 * 2**20, 4096
    shape = n_bytes // features // np.dtype(dtype).itemsize, features
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", dtype, shape)
    X[:] = np.random.default_rng(0).random(features)
    X.flush()
    code = [sys.executable, "-c", MEMORY_OF_A_FIT, str(tmp_path / "X.npy")]
    megabytes = float(subprocess.run(code, check=True, capture_output=True, text=True).stdout)
    assert megabytes < n_bytes / 2**20 / 20
