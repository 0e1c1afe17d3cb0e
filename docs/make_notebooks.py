"""Convert the chapters of docs/learn from MyST text to Jupyter notebooks, which readers download or open in Colab.

A chapter is Markdown whose code cells are fenced by ``{code-cell}``; Sphinx reads the same file. Run
``python docs/make_notebooks.py FOLDER`` to write a notebook for each chapter.
"""

import re
import sys
from pathlib import Path
from typing import NamedTuple

CHAPTERS = Path(__file__).parent / "learn"
_FENCE = re.compile(r"^```\{code-cell\}[^\n]*\n(?P<options>(?::[^\n]*\n)*)(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)
_TAGS = re.compile(r"^:tags: \[(?P<tags>[^\]]*)\]$", re.MULTILINE)


class Cell(NamedTuple):
    """A cell of a notebook, and the line of the chapter on which its text begins, counted from 1."""

    kind: str
    """``"markdown"`` or ``"code"``."""
    text: str
    line: int
    tags: tuple[str, ...] = ()


def cells_of(chapter: str) -> list[Cell]:
    """Return the cells of a chapter in order.

    Parameters
    ----------
    chapter : str
        The text of the file.

    Returns
    -------
    list of Cell
    """
    header = _HEADER.match(chapter)
    cells, end = [], header.end() if header else 0

    def add_prose(until: int) -> None:
        prose = chapter[end:until].strip()
        if prose:
            cells.append(Cell("markdown", prose, chapter.count("\n", 0, end) + 1))

    for fence in _FENCE.finditer(chapter, end):
        add_prose(fence.start())
        found = _TAGS.search(fence["options"])
        tags = tuple(tag.strip() for tag in found["tags"].split(",")) if found else ()
        line = chapter.count("\n", 0, fence.start("code")) + 1
        cells.append(Cell("code", fence["code"].rstrip("\n"), line, tags))
        end = fence.end()
    add_prose(len(chapter))
    return cells


def write_notebook(chapter: Path, folder: Path) -> Path:
    """Write a chapter as a notebook without outputs, and return the notebook's path."""
    import nbformat.v4 as v4
    from nbformat import write

    made = v4.new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    for number, cell in enumerate(cells_of(chapter.read_text(encoding="utf-8"))):
        new_cell = v4.new_code_cell if cell.kind == "code" else v4.new_markdown_cell
        metadata = {"tags": list(cell.tags)} if cell.tags else {}
        # The cell's number as its id: by default ids are random, and the file would differ from run to run.
        made.cells.append(new_cell(cell.text, id=f"cell-{number}", metadata=metadata))
    path = folder / f"{chapter.stem}.ipynb"
    write(made, path)
    return path


def main(folder: Path) -> None:
    """Write all chapters as notebooks into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for chapter in sorted(CHAPTERS.glob("*.md")):
        if any(cell.kind == "code" for cell in cells_of(chapter.read_text(encoding="utf-8"))):
            print(write_notebook(chapter, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "notebooks"))
