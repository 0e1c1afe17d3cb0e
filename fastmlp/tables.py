"""Tables of text, as lines for a console and as HTML for a notebook (floor 0)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


class Lines(str):
    r"""A string that a console or a notebook shows as lines, without quotation marks and escapes.

    It equals the plain string of the same text.

    Examples
    --------
    >>> Lines("one\ntwo")
    one
    two
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True)
class Table:
    """Cells in columns under headings.

    Parameters
    ----------
    headings : sequence of str
    rows : sequence of sequences of str
        A cell for each heading.
    left : collection of str
        Headings of the columns of words; all others hold numbers and are aligned to the right.
    title : str
        What stands above the table, if anything.
    note : str
        What stands below it, if anything; may have several lines.

    Examples
    --------
    >>> print(Table(["layer", "units"], [["input", "784"], ["dense 1", "10"]], left=["layer"], note="seed 1").text())
    layer    units
    input      784
    dense 1     10
    seed 1
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    left: Sequence[str] = ()
    title: str = ""
    note: str = ""

    def text(self) -> Lines:
        """Return the table as aligned lines."""
        all_rows = [self.headings, *self.rows]
        widths = [max(map(len, column)) for column in zip(*all_rows, strict=True)]
        lines = [
            "  ".join(
                cell.ljust(width) if heading in self.left else cell.rjust(width)
                for cell, width, heading in zip(row, widths, self.headings, strict=True)
            )
            for row in all_rows
        ]
        return Lines("\n".join([*filter(None, [self.title]), *lines, *filter(None, [self.note])]))

    def html(self, before: str = "") -> str:
        """Return the table as HTML in the page's own colours and font; all text is escaped.

        `before` is HTML that goes between the title and the table.
        """
        parts = ["<div>"]
        if self.title:
            parts.append(f"<div><strong>{escaped(self.title)}</strong></div>")
        parts += [before, "<table>", "<thead>", self._html_row(self.headings, "th"), "</thead>", "<tbody>"]
        parts += [self._html_row(row, "td") for row in self.rows]
        parts += ["</tbody>", "</table>"]
        parts += [f"<div>{escaped(line)}</div>" for line in self.note.splitlines()]
        return "\n".join(filter(None, [*parts, "</div>"]))

    def _html_row(self, cells: Sequence[str], tag: str) -> str:
        # Not all pages set cells apart, as Jupyter's do.
        style = "white-space: nowrap; padding: 0.1em 0.6em; text-align: "
        shown = (
            f'<{tag} style="{style}{"left" if heading in self.left else "right"}">{escaped(cell)}</{tag}>'
            for cell, heading in zip(cells, self.headings, strict=True)
        )
        return f"<tr>{''.join(shown)}</tr>"


def escaped(text: str) -> str:
    """Return text as HTML that shows it.

    Examples
    --------
    >>> escaped("<b> & co")
    '&lt;b&gt; &amp; co'
    """
    from html import escape  # its list of names takes longer to load than all of this file

    return escape(text)


_WIDTH, _HEIGHT = 300, 80
_DASHES = {"solid": "none", "dashed": "6 3", "dotted": "2 2", "dash-dotted": "8 2 2 2"}


def svg_curves(curves: Mapping[str, Sequence[float]]) -> str:
    """Draw some curves over one axis as an inline SVG, in the colour of the text; they differ in their dashes.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        All of the same length. Values that are not finite leave a gap.

    Returns
    -------
    str
        Empty where fewer than two values can be drawn.
    """
    finite = [value for values in curves.values() for value in values if _is_finite(value)]
    if len(finite) < 2:
        return ""
    low, high = min(finite), max(finite)
    styles = list(_DASHES.items())
    lines = [_svg_line(values, low, high, styles[n % 4][1]) for n, values in enumerate(curves.values())]
    legend = escaped(", ".join(f"{name} {styles[n % 4][0]}" for n, name in enumerate(curves)))
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{legend}" fill="none" stroke="currentColor" stroke-width="1.5">{"".join(lines)}</svg>\n'
        f"<div>{legend}; from {low:.4g} to {high:.4g}</div>"
    )


def _svg_line(values: Sequence[float], low: float, high: float, dashes: str) -> str:
    across, up = (_WIDTH - 4) / max(len(values) - 1, 1), (_HEIGHT - 4) / ((high - low) or 1)
    path, drawing = "", False
    for number, value in enumerate(values):
        if _is_finite(value):
            path += f"{'L' if drawing else 'M'}{2 + across * number:.1f} {2 + up * (high - value):.1f}"
        drawing = _is_finite(value)
    return f'<path d="{path}" stroke-dasharray="{dashes}"/>'


def _is_finite(value: float) -> bool:
    return abs(value) < float("inf")  # false for NaN too
