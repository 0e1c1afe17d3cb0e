"""Ctrl-C, whenever it comes: exit code 130 and one line, never a traceback."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from typer.testing import CliRunner

from fastmlp import Callback
from fastmlp.cli import bench
from fastmlp.cli.app import app
from fastmlp.measure.machine import ONE_THREAD
from fastmlp.recipes import Recipe

from ..interpreted import needs_compiler

ROOT = Path(__file__).resolve().parents[2]


def ends_interrupted(code):
    """Run Python code that calls the command line in a process of its own, and check how it ends."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted\n")


def test_while_modules_are_imported():
    ends_interrupted("""
import sys
class Interrupts:
    def find_spec(self, name, *_):
        if name == "typer":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupts())
from fastmlp.cli import main
main(["recipes"])
""")


def test_while_arguments_are_read():
    ends_interrupted("""
from fastmlp.cli import app, main
def interrupt(*_):
    raise KeyboardInterrupt
app._Group.parse_args = interrupt
main(["recipes"])
""")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_while_an_object_is_deleted():
    ends_interrupted("""
import signal, time
from fastmlp.cli import main, reports
class Deleted:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
def work():
    Deleted()
    time.sleep(30)
reports.list_recipes = work
main(["recipes"])
""")


class _Interrupts(Callback):
    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_start(self, run):
        if run.epoch == self.epoch:
            signal.raise_signal(signal.SIGINT)


@needs_compiler
@pytest.mark.parametrize("epoch", [1, 2])
def test_while_bench_trains(epoch, monkeypatch):
    pytest.importorskip("numba")
    fit = Recipe.fit
    monkeypatch.setattr(Recipe, "fit", lambda *of, **more: fit(*of, callbacks=[_Interrupts(epoch)], **more))
    monkeypatch.setattr(bench, "FULL", bench.Plan(((8, 8, 8),), ("keras",), 200, 100, 20, 1))
    for name in ONE_THREAD:
        monkeypatch.setenv(name, os.environ.get(name, "1"))
    result = CliRunner().invoke(app, ["bench"])
    assert result.exit_code == 130
    assert result.stderr.splitlines()[-1] == "error: interrupted"
    assert "Traceback" not in result.output
    assert "predicting" not in result.stdout
