"""An epoch on sparse text, fastmlp beside scikit-learn, and the memory it takes (imports numpy, scipy, fastmlp).

    python -m benchmarks.sparse_text [--rows 20000] [--rounds 3]

TF-IDF of 20,000 documents and 100,000 words, about 100 of them in a document, drawn by Zipf's law; 64 hidden units, ten
classes, Adam, batches of 200. The two take turns; each figure is the whole call of `fit` for one epoch.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import scipy.sparse

from fastmlp import Network
from fastmlp.measure.timing import finished

from .machine import describe, in_words

ROWS, WORDS, WORDS_A_ROW, CLASSES = 20_000, 100_000, 100, 10
HIDDEN, BATCH = 64, 200

PEAK = """
import pathlib, re
from benchmarks.sparse_text import ours, text
ours(*text({rows}))
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())[1]) * 1024)
"""
"""Prints the bytes that a process took in which fastmlp trained an epoch; Linux only."""


def text(rows: int = ROWS, words: int = WORDS) -> tuple[Any, Any]:
    """Make documents and their classes.

    Parameters
    ----------
    rows, words : int

    Returns
    -------
    X : CSR matrix of float32, shape (rows, words)
        ``(1 + log(count)) * idf``, rows of length 1.
    y : ndarray of int, shape (rows,)
        A linear function of the words.
    """
    generator = np.random.default_rng(0)
    shares = np.cumsum(1 / np.arange(1, words + 1))
    # Frequent words come several times, so that more are drawn than are there.
    lengths = generator.poisson(1.28 * WORDS_A_ROW, rows)
    columns = np.searchsorted(shares, generator.random(lengths.sum()) * shares[-1])
    places = np.repeat(np.arange(rows), lengths), np.minimum(columns, words - 1)
    X = scipy.sparse.csr_matrix((np.ones(len(columns), np.float32), places), (rows, words))
    X.sum_duplicates()
    idf = np.log((1 + rows) / (1 + np.bincount(X.indices, minlength=words))) + 1
    X.data = (1 + np.log(X.data)) * idf[X.indices]
    sizes = np.sqrt(np.add.reduceat(np.square(X.data), X.indptr[:-1]))
    X.data = (X.data / np.repeat(sizes, np.diff(X.indptr))).astype(np.float32)
    return X, (X @ generator.normal(size=(words, CLASSES))).argmax(axis=1)


def ours(X: Any, y: Any) -> tuple[float, float]:
    """Train an epoch by fastmlp; return the seconds and the mean loss."""
    net = Network([X.shape[1], HIDDEN, CLASSES], initializer="xavier_uniform", seed=0)
    start = time.perf_counter()
    history = finished(net.fit(X, y, epochs=1, batch_size=BATCH, verbose=0))
    return time.perf_counter() - start, history.loss[0]


def theirs(X: Any, y: Any) -> tuple[float, float]:
    """Train an epoch by scikit-learn; return the seconds and the mean loss."""
    from sklearn.neural_network import MLPClassifier

    model = MLPClassifier((HIDDEN,), alpha=0.0, batch_size=BATCH, random_state=0)
    start = time.perf_counter()
    model.partial_fit(X, y, classes=np.arange(CLASSES))
    return time.perf_counter() - start, model.loss_


def peak_bytes(rows: int = ROWS) -> int:
    """Bytes that a process of its own takes for an epoch of fastmlp; Linux only."""
    code = [sys.executable, "-c", PEAK.format(rows=rows)]
    return int(subprocess.run(code, check=True, capture_output=True, text=True).stdout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sparse_text", description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help=f"documents (default: {ROWS:,})")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="turns of each (default: 3)")
    options = parser.parse_args(arguments)
    X, y = text(options.rows)
    ours(X[:BATCH], y[:BATCH])  # compiles what is not in the cache yet
    rounds = [(ours(X, y), theirs(X, y)) for _ in range(options.rounds)]
    (our_seconds, our_loss), (their_seconds, their_loss) = map(min, zip(*rounds, strict=True))
    dense, megabytes = 4 * X.shape[0] * X.shape[1], peak_bytes(options.rows) / 1e6
    print(f"{X.shape[0]:,} documents, {X.shape[1]:,} words, {X.nnz / X.shape[0]:.0f} in a document\n")
    print(f"fastmlp       {our_seconds:6.2f} s  loss {our_loss:.3f}  {megabytes:,.0f} MB in its process")
    print(f"scikit-learn  {their_seconds:6.2f} s  loss {their_loss:.3f}")
    print(f"\n{their_seconds / our_seconds:.1f} times faster; X alone, dense, would be {dense / 1e6:,.0f} MB.")
    print(in_words(describe()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
