"""
Data larger than memory
=======================

**What you see:** the same training run three times: on an array, on a memory map of a file, and on blocks from a
generator. The bars show the peak of allocated memory for each. The array and the memory map lead to exactly the same
loss, bit for bit. The blocks lead to a similar loss: their rows are shuffled only within a block.

**How:** ``numpy.load(path, mmap_mode="r")`` opens a file without reading it, and ``fit`` reads it in parts. For
everything else, such as many files, a database or compressed data, write a function that yields ``(X, y)``.

The file of this example has only 307 MB, so writing it takes a few seconds. The same lines work for one of 64 GB.
"""

import tempfile
import tracemalloc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from fastmlp import SGD, Network

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "table.npy"

# %%
# Write the file in parts, so that writing doesn't need the memory either: 300,000 rows of 256 features.

n_rows, n_features, block = 300_000, 256, 25_000
table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(n_rows, n_features))
direction = np.random.default_rng(1).standard_normal(n_features, dtype=np.float32)
y = np.zeros(n_rows, dtype=np.int64)
for start in range(0, n_rows, block):
    rows = np.random.default_rng([0, start]).standard_normal((block, n_features), dtype=np.float32)
    table[start : start + block] = rows
    y[start : start + block] = np.abs(rows @ direction) > 0.67 * np.sqrt(n_features)
table.flush()
del table
size = path.stat().st_size / 1e6
print(f"{path.name}: {size:.0f} MB")


# %%
# Blocks: a function that returns a new iterator whenever it is called. Here it reads parts of the same file.


def blocks():
    """Yield the table in twelve parts."""
    stored = np.load(path, mmap_mode="r")
    for start in range(0, n_rows, block):
        yield np.array(stored[start : start + block]), y[start : start + block]


# %%
# Train three times. ``tracemalloc`` counts what Python and NumPy allocate; pages of a memory map are not counted, since
# the operating system can take them back at any time.

SETTINGS = {"epochs": 1, "batch_size": 128, "optimizer": SGD(0.1, momentum=0.9), "verbose": 0}


def trained(name):
    """Train on one kind of data; return the history and the peak of allocated memory in MB."""
    net = Network([n_features, 8, 2], seed=0)
    tracemalloc.start()
    if name == "array":
        history = net.fit(np.load(path), y, **SETTINGS)
    elif name == "memory map":
        history = net.fit(np.load(path, mmap_mode="r"), y, **SETTINGS)
    else:
        history = net.fit(blocks, **SETTINGS)
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return history, peak


results = {name: trained(name) for name in ("array", "memory map", "blocks")}
for name, (history, peak) in results.items():
    print(f"{name:>10}: loss {history.loss[-1]:.6f}, accuracy {history.accuracy[-1]:.2%}, {peak:.0f} MB allocated")
same = results["array"][0].loss == results["memory map"][0].loss
print(f"array and memory map have the same losses: {same}")

# %%
# The length of a bar is the peak memory; the text beside it is the resulting loss.

figure, ax = plt.subplots(figsize=(9, 2.8), layout="constrained")
bars = ax.barh(list(results), [peak for _, peak in results.values()], color=["C0", "C1", "C2"])
ax.bar_label(bars, [f" loss {history.loss[-1]:.6f}" for history, _ in results.values()])
ax.axvline(size, color="black", linestyle="--", linewidth=1, label="size of the file")
ax.invert_yaxis()
ax.set(xlabel="MB allocated at the peak", xlim=(0, 1.5 * size))
ax.legend(loc="lower right")
folder.cleanup()

# %%
# **What to try next**
#
# - If your data is sorted, shuffle the rows once before you write them: the blocks are used in their order.
# - Read CSV files in the generator: ``for part in pandas.read_csv(path, chunksize=10_000)``.
# - Pass validation rows as ``X_val`` and ``y_val``; they are kept in memory.

plt.show()
