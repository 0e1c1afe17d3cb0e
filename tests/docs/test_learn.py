"""The chapters of docs/learn: their code runs, their notebooks are valid, and the solutions of their exercises run."""

import re

import pytest

from ..interpreted import needs_compiler
from .chapters import DOCS, cells_of, code_of

CHAPTERS = ["nielsen", "numpy-tutorial", "raschka", "from-scratch", "keras", "three-blue-one-brown"]


def path_of(name):
    return DOCS / "learn" / f"{name}.md"


def read(name):
    return path_of(name).read_text(encoding="utf-8")


def run(path, code):
    exec(compile(code, str(path), "exec"), {"__name__": "__main__"})


@pytest.fixture
def pyplot():
    """Draw on Agg, whatever the machine has, and close what was drawn."""
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="needs matplotlib: pip install -e '.[plots]'")
    pyplot.switch_backend("Agg")
    yield pyplot
    pyplot.close("all")


@pytest.mark.slow
@needs_compiler
@pytest.mark.filterwarnings("ignore:More than 20 figures:RuntimeWarning")
@pytest.mark.parametrize("name", CHAPTERS)
def test_the_code_of_a_chapter_runs_and_draws(name, pyplot, capsys):
    run(path_of(name), code_of(read(name)))
    assert capsys.readouterr().out
    for number in pyplot.get_fignums():  # warnings of drawing are errors too
        pyplot.figure(number).canvas.draw()
    assert len(pyplot.get_fignums()) >= 2


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("name", CHAPTERS)
def test_the_solutions_of_a_chapter_run_and_answer_every_exercise(name, capsys):
    path = DOCS / "solutions" / f"{name}.py"
    run(path, path.read_text(encoding="utf-8"))
    assert set(re.findall(r"^(\d)\.", capsys.readouterr().out, re.MULTILINE)) == set("12345")


def test_every_chapter_is_known_to_these_tests():
    found = {path.stem for path in (DOCS / "learn").glob("*.md") if "{code-cell}" in path.read_text(encoding="utf-8")}
    assert found == set(CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_ends_with_five_exercises_and_a_link_to_their_solutions(name):
    chapter = read(name)
    exercises = chapter[chapter.index("## Exercises") :]
    assert re.findall(r"^(\d)\. ", exercises, re.MULTILINE) == list("12345")
    assert f"../solutions/{name}.py" in exercises


@pytest.mark.parametrize("name", CHAPTERS)
def test_the_first_cell_says_how_to_install_and_runs_nothing(name):
    first = next(cell for cell in cells_of(read(name)) if cell.kind == "code")
    assert "# %pip install" in first.text
    assert all(line.startswith("#") for line in first.text.splitlines())


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_line_of_code_keeps_its_number_and_is_python(name):
    code, lines = code_of(read(name)), read(name).splitlines()
    compile(code, name, "exec")
    assert all(line in ("", text) for line, text in zip(code.splitlines(), lines, strict=False))


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_becomes_a_valid_notebook(name):
    jupytext = pytest.importorskip("jupytext", reason="needs jupytext: pip install -e '.[docs]'")
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install -e '.[docs]'")
    notebook = jupytext.read(path_of(name))
    nbformat.validate(notebook)
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [cell[:2] for cell in cells_of(read(name))]


def test_cells_keep_their_order_and_their_lines():
    chapter = "---\nkernelspec: x\n---\n\n# Title\n\n```{code-cell} ipython3\n:tags: [a]\n\nx = 1\n```\n\nEnd.\n"
    title, code, end = cells_of(chapter)
    assert (title.kind, title.text) == ("markdown", "# Title")
    assert (code.kind, code.text.strip()) == ("code", "x = 1")
    assert chapter.splitlines()[code.line - 1 :][:2] == ["", "x = 1"]
    assert (end.kind, end.text) == ("markdown", "End.")
