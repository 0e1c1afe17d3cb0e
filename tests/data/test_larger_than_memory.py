"""Training on memory-mapped tables: the same bits as in memory, and little of the file in memory at a time."""

import signal
import subprocess
import sys
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from fastmlp import Dense, Network
from fastmlp.data.samples import Samples
from fastmlp.engines.simd import out_of_core

from ..interpreted import needs_compiler

KINDS = {
    "dense": lambda generator: generator.normal(size=(90, 20)).astype(np.float32),
    "sparse": lambda generator: (generator.normal(size=(90, 20)) * (generator.random((90, 20)) < 0.2)).astype("f4"),
    "float64": lambda generator: generator.normal(size=(90, 20)),
    "pixels": lambda generator: generator.integers(0, 256, (90, 20), dtype=np.uint8),
}


@pytest.fixture(params=KINDS)
def table(request, tmp_path):
    """The same numbers in memory and on disk, and labels; kinds in turn."""
    X = KINDS[request.param](np.random.default_rng(0))
    np.save(tmp_path / "X.npy", X)
    return X, np.load(tmp_path / "X.npy", mmap_mode="r"), np.random.default_rng(1).integers(0, 3, 90)


@pytest.fixture(autouse=True)
def small_stages(monkeypatch):
    """Have a table come in parts of some ten rows."""
    monkeypatch.setattr(out_of_core, "STAGE_BYTES", 1000)


def everything(net, history):
    """What training led to, but for its seconds."""
    figures = {name: values for name, values in history.items() if name != "seconds"}
    return net.state.parameters.tolist(), [moment.tolist() for moment in net.state.moments], figures


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"validation_split": 0.3},
        {"shuffle": False, "threads": 2},
        {"batch_size": 1},
        {"batch_size": 90, "class_weight": "balanced"},
    ],
    ids=str,
)
@pytest.mark.parametrize("scaling", ["auto", "standardize"])
def test_a_map_trains_as_an_array_does(table, engine, scaling, options):
    results = []
    for X in table[:2]:
        net = Network([20, Dense(16, dropout=0.3), 3], scaling=scaling, seed=0)
        history = net.fit(X, table[2], epochs=2, **{"batch_size": 7, **options}, engine=engine, verbose=0)
        results.append(everything(net, history))
    assert results[0] == results[1]


def test_a_map_is_answered_and_judged_as_an_array_is(table, engine):
    in_memory, on_disk, y = table
    net = Network([20, 16, 3], seed=0)
    np.testing.assert_array_equal(net(on_disk, engine=engine), net(in_memory, engine=engine))
    assert net.evaluate(on_disk, y, engine=engine) == net.evaluate(in_memory, y, engine=engine)
    objectives = [net.gradient(X, y, engine=engine)[0] for X in (in_memory, on_disk)]
    assert objectives[0] == pytest.approx(objectives[1], rel=1e-6)


def test_a_value_that_is_not_finite_is_found_in_a_map(tmp_path):
    X = np.ones((500, 20), np.float32)
    X[321, 7] = np.nan
    np.save(tmp_path / "X.npy", X)
    with pytest.raises(ValueError, match="row 321, column 7"):
        Network([20, 2]).fit(np.load(tmp_path / "X.npy", mmap_mode="r"), np.zeros(500, int), epochs=1)


def test_ctrl_c_between_two_reads_undoes_the_epoch(table, engine, monkeypatch):
    net = Network([20, 3], seed=0)
    net.fit(table[1], table[2], epochs=1, engine=engine, verbose=0)
    before, numbers, raw = net.state.parameters.copy(), count(), Samples.raw

    def interrupted(samples, rows):
        if next(numbers) == 2:
            signal.raise_signal(signal.SIGINT)
        return raw(samples, rows)

    monkeypatch.setattr(Samples, "raw", interrupted)
    history = net.fit(table[1], table[2], epochs=5, batch_size=7, engine=engine, verbose=0)
    assert history.stop_reason == "interrupted" and not history.epochs
    np.testing.assert_array_equal(net.state.parameters, before)


MEMORY_OF_AN_EPOCH = """
import re, sys, threading, time
from pathlib import Path
import numpy as np
from fastmlp import Network
from fastmlp.data import memory_map, statistics
from fastmlp.engines.simd import out_of_core
for module, name in (
    (memory_map, "READ_BYTES"), (memory_map, "BLOCK_BYTES"), (out_of_core, "STAGE_BYTES"), (statistics, "_NUMBERS")
):
    setattr(module, name, getattr(module, name) // 20)

def resident():
    fields = dict(re.findall(r"(RssAnon|RssFile):\\s+(\\d+) kB", Path("/proc/self/status").read_text()))
    return sum(map(int, fields.values())) / 1024

X, scaling = np.load(sys.argv[1], mmap_mode="r"), sys.argv[2]
y = np.arange(len(X)) % 2
net = Network([X.shape[1], 16, 2], scaling=scaling, seed=0)
net.fit(np.ones((8, X.shape[1]), np.float32) * np.arange(8)[:, None], np.arange(8) % 2, epochs=1, verbose=0)
net = Network([X.shape[1], 16, 2], scaling=scaling, seed=0)
before, most, done = resident(), [0.0], threading.Event()

def watch():
    while not done.wait(0.001):
        most[0] = max(most[0], resident())

watcher = threading.Thread(target=watch)
watcher.start()
net.fit(X, y, epochs=1, batch_size=100, validation_split=0.1, verbose=0)
done.set()
watcher.join()
print(most[0] - before)
"""


@needs_compiler
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads resident memory from /proc")
@pytest.mark.parametrize("scaling", ["auto", "standardize"])
def test_an_epoch_over_a_file_holds_a_twentieth_of_it_in_memory(tmp_path, scaling):
    """The limit is to 20 GB what 1 GB is, and so are the parts that are read at a time."""
    n_bytes, features = 400 * 2**20, 2048
    X = np.lib.format.open_memmap(tmp_path / "X.npy", "w+", np.float32, (n_bytes // features // 4, features))
    X[:] = np.random.default_rng(0).random(features, np.float32)
    X.flush()
    code = [sys.executable, "-c", MEMORY_OF_AN_EPOCH, str(tmp_path / "X.npy"), scaling]
    megabytes = float(subprocess.run(code, check=True, capture_output=True, text=True).stdout)
    assert megabytes < n_bytes / 2**20 / 20
