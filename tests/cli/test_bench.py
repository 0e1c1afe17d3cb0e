"""``fastmlp bench``: what it prints and keeps, on little work; how long anything takes is not tested."""

import json
import os
import subprocess
import sys

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from fastmlp import recipes
from fastmlp.cli import bench
from fastmlp.cli.app import app
from fastmlp.errors import MissingDependencyError
from fastmlp.measure.machine import ONE_THREAD

from ..interpreted import needs_compiler

RECIPES = ("keras", "numpy-tutorial")
TINY = bench.Plan(((8, 8, 8), (5, 20, 3)), RECIPES, rows=200, numpy_rows=100, test_rows=20, rounds=1)


@pytest.fixture(autouse=True)
def _little_work(monkeypatch):
    """Measure next to nothing, and leave the environment as it was."""
    monkeypatch.setattr(bench, "FULL", TINY)
    for name in ONE_THREAD:
        monkeypatch.setenv(name, os.environ.get(name, "1"))


def run(*arguments, code=0):
    result = CliRunner().invoke(app, ["bench", *map(str, arguments)])
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


needs_numba = pytest.mark.usefixtures("_numba")


@pytest.fixture
def _numba():
    pytest.importorskip("numba")


@needs_compiler
@needs_numba
def test_tables():
    result = run()
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines if line][:3] == ["machine", "version", "NumPy"]
    for start in ("8 x 8 x 8 ", "5 x 20 x 3 ", "keras ", "numpy-tutorial ", "nielsen ", "from-scratch "):
        assert sum(line.startswith(start) for line in lines) >= 1, start
    assert "20 rows" in result.stdout
    assert "\x1b" not in result.stdout + result.stderr
    assert all(line == line.rstrip() for line in lines)


@needs_compiler
@needs_numba
def test_progress_goes_to_standard_error():
    result = run()
    assert "training keras\n" in result.stderr
    assert "training keras" not in result.stdout
    assert "\r" not in result.stderr


@needs_compiler
@needs_numba
def test_figures_are_kept(tmp_path):
    file = tmp_path / "figures.json"
    file.write_text("old")
    assert f"Figures kept in {file}" in run("--json", file).stdout
    figures = json.loads(file.read_text(encoding="utf-8"))
    assert set(figures) == {"date", "machine", "one_blas_thread", "products", "training", "answers"}
    assert [shape["inputs"] for shape in figures["products"]["shapes"]] == [8, 20]
    assert figures["products"]["lanes"] in (4, 8, 16)
    for entry, name in zip(figures["training"], RECIPES, strict=True):
        assert entry["recipe"] == name
        assert entry["rows"] == recipes.get(name).train_rows
        assert entry["measured_rows"] == {
            way: 200 if engine == "numba" else 100 for way, (engine, _) in bench.TRAININGS.items()
        }
        assert set(entry["seconds"]) == set(entry["median_seconds"]) == set(bench.TRAININGS)
        assert all(seconds > 0 for seconds in entry["seconds"].values())
    assert {entry["rows"] for entry in figures["answers"]} == {20}
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]


@needs_compiler
@needs_numba
def test_quick_measures_less(monkeypatch):
    assert set(bench.QUICK.recipes) < set(recipes.names())
    monkeypatch.setattr(bench, "QUICK", bench.Plan(((8, 8, 8),), ("nielsen",), 100, 100, 10, 1))
    output = run("--quick").stdout
    assert "5 x 20 x 3" not in output
    assert "numpy-tutorial" not in output


@pytest.mark.parametrize(("file", "message"), [("nowhere/figures.json", "does not exist"), (".", "is a folder")])
def test_file_that_cannot_be_made_is_told_before_anything_is_measured(file, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run("--json", file, code=2)
    assert result.stderr.startswith("error: --json: ")
    assert message in result.stderr
    assert result.stdout == ""


def test_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def fail(*paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bench.os, "replace", fail)
    (tmp_path / "figures.json").write_text("precious")
    with pytest.raises(OSError, match="No space"):
        bench._write(tmp_path / "figures.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["figures.json"]
    assert (tmp_path / "figures.json").read_text() == "precious"


def test_without_numba(monkeypatch):
    def missing(name):
        raise MissingDependencyError("engine='numba' needs Numba; install it with: pip install numba")

    monkeypatch.setattr(bench, "get_engine", missing)
    assert "pip install numba" in run(code=2).stderr


@needs_numba
def test_without_compiling(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert "NUMBA_DISABLE_JIT is set" in run(code=2).stderr


def test_tables_fit_on_80_columns(capsys):
    """With the longest name of a recipe and figures of a slow machine."""
    screen = bench.Screen()
    training = {"recipe": max(recipes.names(), key=len), "rows": 60_000}
    training["seconds"] = dict.fromkeys(bench.TRAININGS, 123.4)
    training["measured_rows"] = dict.fromkeys(bench.TRAININGS, 10)
    shape = {"rows": 512, "inputs": 512, "units": 512, "gflops": {"fastmlp": 1234.5, "numpy": 1234.5}}
    bench.show_products(screen, {"peak_gflops": 1234.5, "lanes": 16, "shapes": [shape]})
    bench.show_training(screen, [training])
    times = dict.fromkeys(("numba_one", "numpy_one", "numba_many", "numpy_many"), 0.00123)
    bench.show_answers(screen, [{"recipe": "from-scratch", "rows": 10_000, "seconds": times}])
    lines = capsys.readouterr().out.splitlines()
    tables = [line for line in lines if not line.endswith(".")]
    assert len(tables) == 6
    assert max(map(len, tables)) <= 80


def test_blas_is_held_before_numpy_is_imported():
    code = (
        "import os, sys\nfrom fastmlp.cli import app\nfrom fastmlp.measure import machine\n"
        "print(machine.hold_blas_to_one_thread(), os.environ['OPENBLAS_NUM_THREADS'])\nimport numpy\n"
        "os.environ['OMP_NUM_THREADS'] = '2'\nprint(machine.hold_blas_to_one_thread())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert shown.stdout == "True 1\nFalse\n"


def test_help_tells_every_default():
    output = " ".join(run("--help").output.split())
    assert "--json FILE" in output
    assert "[default: (print only)]" in output
