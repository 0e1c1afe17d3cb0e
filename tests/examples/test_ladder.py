"""Every rung of `examples/ladder` trains to the same weights."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from ..interpreted import needs_compiler

pytest.importorskip("numba")

ROOT = Path(__file__).parents[2]
LADDER = ROOT / "examples" / "ladder"
RUNGS = sorted(path.stem for path in LADDER.glob("rung?_*.py"))
ROWS = 305  # the last batch is smaller

pytestmark = needs_compiler


def script(name, *arguments, **environment):
    """Run a file of the ladder as its readers do; return what it prints."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, str(LADDER / name), *arguments]
    environment = {**os.environ, "PYTHONPATH": path, "OMP_WAIT_POLICY": "passive", **environment}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Return the weights and the test accuracy of every rung, and of `prange` on one thread, after an epoch."""
    folder = tmp_path_factory.mktemp("ladder")

    def train(run):
        rung, threads = run
        file = folder / f"{rung}-{threads}.npz"
        printed = script(
            f"{rung}.py", "--rows", str(ROWS), "--json", "--save", str(file), NUMBA_NUM_THREADS=str(threads)
        )
        with np.load(file) as arrays:
            return list(arrays.values()), json.loads(printed)["accuracy"]

    runs = [*((rung, 2) for rung in RUNGS), ("rung5_prange", 1)]
    # In processes of their own: one that has used GNU's OpenMP can't be forked. Two at a time, since most of it is
    # compiling.
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(runs, pool.map(train, runs), strict=True))


def test_there_are_seven_rungs():
    assert [rung[:5] for rung in RUNGS] == [f"rung{number}" for number in range(1, 8)]


@pytest.mark.parametrize("rung", RUNGS)
def test_rungs_end_with_the_same_weights(trained, rung):
    for found, wanted in zip(trained[rung, 2][0], trained["rung3_numpy_batches", 2][0], strict=True):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("rung", RUNGS)
def test_rungs_classify_equally_well(trained, rung):
    assert trained[rung, 2][1] == trained["rung3_numpy_batches", 2][1] > 0.15


def test_prange_gives_the_same_bits_on_one_and_two_threads(trained):
    for one, two in zip(trained["rung5_prange", 1][0], trained["rung5_prange", 2][0], strict=True):
        assert one.tobytes() == two.tobytes()


def test_a_rung_prints_seconds_and_accuracy():
    printed = script("rung3_numpy_batches.py", "--rows", "100")
    assert printed.startswith("rung3_numpy_batches: ")
    assert "s for an epoch of 100 images" in printed and "test accuracy" in printed


@pytest.mark.parametrize("rung", RUNGS)
def test_every_rung_says_what_is_new_what_it_costs_and_what_it_gained(rung):
    text = (LADDER / f"{rung}.py").read_text(encoding="utf-8")
    opening = text.split('"""')[1]
    assert all(f"\n{word}" in opening for word in ("New ", "Costs ", "Gained "))
    assert len(text.splitlines()) <= 120


def test_the_table_shows_every_rung():
    table = (LADDER / "README.md").read_text(encoding="utf-8").split("<!-- table: ladder -->")[1]
    assert all(f"[{rung}]({rung}.py)" in table for rung in RUNGS)


@pytest.fixture
def table(monkeypatch, tmp_path):
    """Return the script that makes the table, at work on a copy of the ladder."""
    monkeypatch.syspath_prepend(LADDER)
    module = importlib.import_module("table")
    shutil.copytree(LADDER, tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr(module, "HERE", tmp_path)
    return module


FIGURES = {
    rung: {"seconds": 2.0 ** (3 - number), "cpu_seconds": 3.0 ** (3 - number), "first": 0.5, "rows": 1000}
    for number, rung in enumerate(RUNGS)
}


def test_the_table_compares_a_rung_with_the_one_below_and_with_the_first(table):
    fourth = table.markdown(FIGURES, 0.25).splitlines()[2 + 3]
    assert [cell.strip() for cell in fourth.split("|")[2:6]] == ["1", "2", "8", "25 %"]


def test_the_table_marks_what_was_extrapolated(table):
    first, second = table.markdown(FIGURES | {RUNGS[0]: FIGURES[RUNGS[0]] | {"rows": 10}}, 0.25).splitlines()[2:4]
    assert "| ~8 |" in first and "~" not in second


def test_docstrings_say_the_newest_gain(table, tmp_path):
    for where in ("here, then", "there, now"):
        table.write_gains(FIGURES, where)
    text = (tmp_path / f"{RUNGS[4]}.py").read_text(encoding="utf-8")
    assert (
        text.count("Gained  a speedup of 2 over rung 4, and of 3 in CPU time (there, now).")
        == 1
        == text.count("Gained ")
    )


def test_lines_of_code_leave_out_what_only_readers_need(table, tmp_path):
    file = tmp_path / "file.py"
    file.write_text(
        '"""Doc."""\n\n# comment\n\n\ndef f():\n    """Doc."""\n    return (1 +\n        2)\n', encoding="utf-8"
    )
    assert table.lines_of_code(file) == 2


@pytest.mark.parametrize("arguments", [["--rows", "9"], ["--rows", "50001"]])
def test_numbers_that_make_no_epoch_are_refused(arguments):
    command = [sys.executable, str(LADDER / "rung3_numpy_batches.py"), *arguments]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert ended.returncode == 2 and "must be from 10 to 50000" in ended.stderr
