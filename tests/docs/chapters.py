"""The chapters of docs/learn as their readers get them: cells of prose and of code."""

import re
from pathlib import Path
from typing import NamedTuple

DOCS = Path(__file__).parents[2] / "docs"

_FENCE = re.compile(r"^```\{code-cell\}[^\n]*\n(?P<options>(?::[^\n]*\n)*)(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADER = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)


class Cell(NamedTuple):
    """A cell, and the line of the chapter on which its text begins, counted from 1."""

    kind: str
    text: str
    line: int


def cells_of(chapter):
    """Return the cells of a chapter: the code in ``{code-cell}`` fences, and the prose between them."""
    header = _HEADER.match(chapter)
    cells, end = [], header.end() if header else 0

    def add_prose(until):
        prose = chapter[end:until].strip()
        if prose:
            cells.append(Cell("markdown", prose, chapter.count("\n", 0, end) + 1))

    for fence in _FENCE.finditer(chapter, end):
        add_prose(fence.start())
        cells.append(Cell("code", fence["code"].rstrip("\n"), chapter.count("\n", 0, fence.start("code")) + 1))
        end = fence.end()
    add_prose(len(chapter))
    return cells


def code_of(chapter):
    """Return the code of a chapter as one program, in which every line has the number that it has in the chapter."""
    lines = []
    for cell in cells_of(chapter):
        if cell.kind == "code":
            lines += [""] * (cell.line - 1 - len(lines)) + cell.text.splitlines()
    return "\n".join(lines)
