"""The examples of the gallery: each runs without a warning, draws something, and leaves no files behind."""

import ast
import runpy
import sys
from pathlib import Path

import pytest

pyplot = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: pip install 'fastmlp[plots]'")

GALLERY = Path(__file__).parents[2] / "docs" / "gallery"
EXAMPLES = sorted(path.name for path in GALLERY.glob("plot_*.py"))


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run an example in an empty folder; return what is left of it: its figures and its files."""
    pyplot.switch_backend("Agg")
    monkeypatch.setattr(pyplot, "show", lambda: None)
    monkeypatch.chdir(tmp_path)

    def run(name):
        runpy.run_path(str(GALLERY / name))
        return [pyplot.figure(number) for number in pyplot.get_fignums()], sorted(tmp_path.iterdir())

    yield run
    pyplot.close("all")


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs_and_draws(run, name):
    if name == "plot_optuna.py":
        pytest.importorskip("optuna", reason="needs Optuna: pip install optuna")
    figures, files = run(name)
    assert figures and all(figure.axes for figure in figures)
    assert files == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "package"),
    [("plot_optuna.py", "optuna"), ("plot_export.py", "onnxruntime"), ("plot_logging.py", "tensorboard")],
)
def test_an_example_says_which_package_is_missing(run, capsys, monkeypatch, name, package):
    for module in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    run(name)
    said = next(line for line in capsys.readouterr().out.splitlines() if "not installed" in line)
    assert "pip install" in said and package in said


@pytest.mark.slow
def test_the_c_file_is_written_without_a_compiler(run, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    figures, _ = run("plot_export.py")
    assert "no C compiler" in capsys.readouterr().out and figures


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_says_what_it_shows_and_what_to_try(name):
    text = (GALLERY / name).read_text(encoding="utf-8")
    title, line, rest = (ast.get_docstring(ast.parse(text)) or "").split("\n", 2)
    assert set(line) == {"="} and len(line) >= len(title)
    assert rest.lstrip().startswith("**What you see:**")
    last = text.rpartition("# %%\n")[2]
    assert "# **What to try next**\n" in last and last.endswith("plt.show()\n")


def test_the_gallery_has_at_least_fifteen_examples():
    assert len(EXAMPLES) >= 15
