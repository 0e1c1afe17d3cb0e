"""Single backquotes in docstrings: a link where they name something public, else a name in code letters.

Explicit roles, such as ``:class:``, still have to lead somewhere.
"""

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


def _as_code(app: Sphinx, env: Any, node: Any, content: nodes.Node) -> nodes.Node | None:
    return content if node.get("reftype") == "obj" and node.get("refdomain") == "py" else None


_ROLE = re.compile(r":(?:ref|term):`([^<`]*?)\s*(?:<[^>]*>)?`")


def _without_their_links(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Keep the words of links in docstrings that estimators inherit: they lead to pages of scikit-learn's site."""
    if str(getattr(obj, "__module__", "")).startswith("sklearn"):
        lines[:] = [_ROLE.sub(r"\1", line) for line in lines]


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect what is asked about names that lead nowhere; after intersphinx, which comes earlier."""
    app.connect("missing-reference", _as_code, priority=900)
    app.connect("autodoc-process-docstring", _without_their_links)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
