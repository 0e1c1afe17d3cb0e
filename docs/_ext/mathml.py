"""Formulas as MathML, which browsers draw themselves: no script and nothing to load."""

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

# Commands that docutils doesn't know, in those that it knows. The brackets of MathML grow by themselves.
_UNKNOWN = (
    (re.compile(r"\\[bB]igg?[lrm]?(?![a-zA-Z])\s*"), ""),
    (re.compile(r"\\dots(?![a-zA-Z])"), r"\\ldots"),
    (re.compile(r"\\texttt(?![a-zA-Z])"), r"\\mathtt"),
    (re.compile(r"\\tag\{([^}]*)\}"), r"\\qquad \\text{(\1)}"),
)


def _mathml(node: Any, *, as_block: bool) -> str:
    tex = node.astext()
    for pattern, known in _UNKNOWN:
        tex = pattern.sub(known, tex)
    if as_block and r"\\" in tex and r"\begin" not in tex:
        tex = rf"\begin{{aligned}}{tex}\end{{aligned}}"
    try:
        return str(latex2mathml.tex2mathml(tex, as_block=as_block))
    except MathError as error:
        raise ExtensionError(f"{node.source}:{node.line}: no MathML for {tex!r}: {error}") from error


def _inline(translator: Any, node: Any) -> None:
    translator.body.append(f'<span class="math">{_mathml(node, as_block=False)}</span>')
    raise nodes.SkipNode


def _block(translator: Any, node: Any) -> None:
    translator.body.append(f'<div class="math">{_mathml(node, as_block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer as ``html_math_renderer = "mathml"``."""
    app.add_html_math_renderer("mathml", inline_renderers=(_inline, None), block_renderers=(_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
