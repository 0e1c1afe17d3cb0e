"""What the pictures have in common: a card, bars on a logarithmic scale, texts (imports the standard library).

A card has a light and a dark form.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

WIDTH = 860

_LIGHT = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .card { fill: #ffffff; stroke: #d1d9e0; }
    .title { font-size: 17px; font-weight: 600; }
    .name, .speed-up { font-weight: 600; }
    .small { font-size: 11.5px; fill: #59636e; }
    .grid { stroke: #e4e8ec; }
"""
_DARK = """
      text { fill: #f0f6fc; }
      .card { fill: #0d1117; stroke: #3d444d; }
      .small { fill: #9198a1; }
      .grid { stroke: #262c36; }
"""


class Scale:
    """Logarithmic places of seconds between two edges, from a power of ten to the largest of the values.

    Parameters
    ----------
    values : iterable of float
    left, right : float
        The edges.
    """

    def __init__(self, values: Iterable[float], left: float, right: float) -> None:
        numbers = list(values)
        self._low, self._high = math.floor(math.log10(min(numbers))), math.log10(max(numbers))
        self._left, self._right = left, right

    def __call__(self, seconds: float) -> float:
        """Place of a value."""
        share = (math.log10(seconds) - self._low) / (self._high - self._low)
        return round(self._left + (self._right - self._left) * share, 1)

    def grid(self, top: float, bottom: float) -> list[str]:
        """Return a line for every power of ten, with its duration beneath it."""
        parts = []
        for exponent in range(self._low, math.floor(self._high) + 1):
            place = self(10.0**exponent)
            parts.append(f'<line class="grid" x1="{place}" y1="{top}" x2="{place}" y2="{bottom}"/>')
            parts.append(text(place, bottom + 17, duration(10.0**exponent), "small", "middle"))
        return parts


def document(
    title: str, described: str, height: float, colours: Mapping[str, tuple[str, str]], parts: Sequence[str]
) -> str:
    """Return the text of an SVG file.

    Parameters
    ----------
    title, described : str
        For readers who can't see it.
    height : float
    colours : mapping of str to (str, str)
        Of each kind of bar, on light and on dark ground.
    parts : sequence of str
        What is on the card.

    Returns
    -------
    str
    """
    light = "".join(f"    .{kind} {{ fill: {pair[0]}; }}\n" for kind, pair in colours.items())
    dark = "".join(f"      .{kind} {{ fill: {pair[1]}; }}\n" for kind, pair in colours.items())
    style = f"{_LIGHT}{light}    @media (prefers-color-scheme: dark) {{{_DARK}{dark}    }}\n"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(described)}</desc>',
            f"<style>{style}</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def bar(kind: str, left: float, top: float, right: float, height: float) -> str:
    """A bar between two edges."""
    return f'<rect class="{kind}" x="{left}" y="{top}" width="{round(right - left, 1)}" height="{height}" rx="2"/>'


def text(x: float, y: float, content: str, kind: str = "", anchor: str = "start") -> str:
    """A line of text."""
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(content)}</text>'


def duration(seconds: float) -> str:
    """Return seconds to two digits, with a unit.

    Examples
    --------
    >>> duration(0.0123), duration(14.4)
    ('12 ms', '14 s')
    """
    return f"{short(seconds)} s" if seconds >= 0.9995 else f"{short(1000 * seconds)} ms"


def short(number: float) -> str:
    """A number to two digits, or to all those before the point."""
    return f"{float(f'{number:.2g}'):g}" if number < 99.5 else f"{number:.0f}"
