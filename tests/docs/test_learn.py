"""The chapters of docs/learn: their code runs, their notebooks are valid, and the solutions of their exercises run."""

import json
import re
from pathlib import Path

import pytest

from docs.make_notebooks import cells_of, write_notebook

from ..interpreted import needs_compiler

matplotlib = pytest.importorskip("matplotlib", reason="needs matplotlib: pip install -e '.[plots]'")

DOCS = Path(__file__).parents[2] / "docs"
CHAPTERS = ["nielsen", "numpy-tutorial", "raschka", "from-scratch", "keras", "three-blue-one-brown"]


def read(name):
    return (DOCS / "learn" / f"{name}.md").read_text(encoding="utf-8")


def code_of(name):
    """Return the code of a chapter as one program, in which every line has the number that it has in the chapter."""
    lines = []
    for cell in cells_of(read(name)):
        if cell.kind == "code":
            lines += [""] * (cell.line - 1 - len(lines)) + cell.text.splitlines()
    return "\n".join(lines)


@pytest.fixture
def no_figures_left():
    """Close what a chapter draws: on Agg, whatever the machine has."""
    pyplot = pytest.importorskip("matplotlib.pyplot")
    pyplot.switch_backend("Agg")
    yield
    pyplot.close("all")


@pytest.mark.slow
@needs_compiler
@pytest.mark.filterwarnings("ignore:More than 20 figures:RuntimeWarning")
@pytest.mark.parametrize("name", CHAPTERS)
def test_the_code_of_a_chapter_runs(name, no_figures_left, capsys):
    exec(compile(code_of(name), str(DOCS / "learn" / f"{name}.md"), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out


@pytest.mark.slow
@needs_compiler
@pytest.mark.parametrize("name", CHAPTERS)
def test_the_solutions_of_a_chapter_run(name, capsys):
    path = DOCS / "solutions" / f"{name}.py"
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {"__name__": "__main__"})
    solved = set(re.findall(r"^(\d)\.", capsys.readouterr().out, re.MULTILINE))
    assert solved == set("12345")


def test_every_chapter_is_known_to_these_tests():
    found = {path.stem for path in (DOCS / "learn").glob("*.md") if "{code-cell}" in path.read_text(encoding="utf-8")}
    assert found == set(CHAPTERS)


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_has_five_exercises_and_an_installing_cell(name):
    chapter = read(name)
    exercises = chapter[chapter.index("## Exercises") :]
    assert re.findall(r"^(\d)\. ", exercises, re.MULTILINE) == list("12345")
    assert f"../solutions/{name}.py" in exercises
    first = next(cell for cell in cells_of(chapter) if cell.kind == "code")
    assert "# %pip install" in first.text
    assert all(line.startswith("#") for line in first.text.splitlines())


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_cell_is_python(name):
    compile(code_of(name), name, "exec")


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_becomes_a_valid_notebook(name, tmp_path):
    nbformat = pytest.importorskip("nbformat", reason="needs nbformat: pip install nbclient")
    path = write_notebook(DOCS / "learn" / f"{name}.md", tmp_path)
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code == [cell.text for cell in cells_of(read(name)) if cell.kind == "code"]
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert prose.startswith("# ")
    assert "{code-cell}" not in prose
    first, again = path.read_bytes(), write_notebook(DOCS / "learn" / f"{name}.md", tmp_path).read_bytes()
    assert first == again
    assert json.loads(first)["metadata"]["kernelspec"]["name"] == "python3"


def test_cells_keep_their_order_their_tags_and_their_lines():
    chapter = "---\nkernelspec: x\n---\n\n# Title\n\n```{code-cell} ipython3\n:tags: [a, b]\n\nx = 1\n```\n\nEnd.\n"
    title, code, end = cells_of(chapter)
    assert (title.kind, title.text) == ("markdown", "# Title")
    assert (code.kind, code.text.strip(), code.tags) == ("code", "x = 1", ("a", "b"))
    assert chapter.splitlines()[code.line - 1 :][:2] == ["", "x = 1"]
    assert (end.kind, end.text) == ("markdown", "End.")
