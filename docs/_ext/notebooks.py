"""The chapters as Jupyter notebooks, for download: ``learn/nielsen.ipynb`` lies beside ``learn/nielsen.html``."""

from pathlib import Path
from typing import Any

import jupytext
from sphinx.application import Sphinx


def _is_notebook(path: Path) -> bool:
    return path.read_text(encoding="utf-8").startswith("---\njupytext:")


def _write(app: Sphinx, failure: Exception | None) -> None:
    if failure is not None or app.builder.name != "html":
        return
    for chapter in sorted(Path(app.srcdir, "learn").glob("*.md")):
        if _is_notebook(chapter):
            made = jupytext.read(chapter)
            for number, cell in enumerate(made.cells):  # random ids would make every build another file
                cell["id"] = f"cell-{number}"
            jupytext.write(made, Path(app.outdir, "learn", f"{chapter.stem}.ipynb"))


def _offer(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    folder, _, name = page.partition("/")
    chapter = Path(app.srcdir, f"{page}.md")
    if folder == "learn" and app.builder.name == "html" and chapter.exists() and _is_notebook(chapter):
        context["body"] = (
            f'<p class="notebook"><a href="{name}.ipynb" download>Download this chapter as a notebook</a> '
            "for Jupyter or Colab.</p>"
        ) + context["body"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the notebooks when the pages are written, and link each from its page."""
    app.connect("build-finished", _write)
    app.connect("html-page-context", _offer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
