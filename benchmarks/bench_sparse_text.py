"""An epoch on sparse text of `sparse_text.py`, the whole call of `fit`, against scikit-learn.

Before that, the mean losses of the epoch must agree as well as two seeds do, and a process that trains it must take far
less memory than a dense matrix.
"""

from dataclasses import replace
from pathlib import Path

import pytest

from .measuring import measure_against

FEW = 1_000
"""Documents where nothing is timed."""

LIMIT = 700
"""Megabytes, 1e6 bytes each; the samples as a dense matrix would be 8,000."""


def bench_epoch(benchmark, report):
    pytest.importorskip("sklearn")
    from . import sparse_text

    rows = sparse_text.ROWS if benchmark.enabled else FEW
    X, y = sparse_text.text(rows)
    losses = [train(X, y)[1] for train in (sparse_text.ours, sparse_text.theirs)]
    assert losses[0] == pytest.approx(losses[1], rel=0.1)
    row = "sparse text against scikit-learn", "100,000-64-10, Adam, batch 200", f"{rows:,} documents"
    found = measure_against(
        benchmark, row, lambda: sparse_text.ours(X, y)[0], lambda: sparse_text.theirs(X, y)[0], rounds=3
    )
    more = {}
    if Path("/proc/self/status").exists():
        megabytes = sparse_text.peak_bytes(rows) / 1e6
        benchmark.extra_info["megabytes"] = megabytes
        assert megabytes < LIMIT
        more = {"memory": f"{megabytes:.0f} MB", "limit": f"{LIMIT} MB"}
    if found is not None:
        report(replace(found, more=found.more | more))
