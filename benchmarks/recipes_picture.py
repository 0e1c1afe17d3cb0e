"""Draw the time per epoch of the recipes, which `recipes_table` measured, as an SVG file.

    python -m benchmarks.recipes_picture

It reads benchmarks/results/recipes.json and writes benchmarks/results/recipes.svg, without any library. The picture
has a dark form, for readers whose system asks for it.
"""

import json
import math
import sys
from html import escape
from typing import Any

from .machine import in_words
from .recipes_table import RESULTS

WIDTH = 860
LEFT, RIGHT = 216, 150
TOP, ROW, BAR, BOTTOM = 92, 54, 15, 78

STYLE = """
    text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328; }
    .card { fill: #ffffff; stroke: #d1d9e0; }
    .title { font-size: 17px; font-weight: 600; }
    .name, .speed-up { font-weight: 600; }
    .small { font-size: 11.5px; fill: #59636e; }
    .grid { stroke: #e4e8ec; }
    .numpy { fill: #a8b3bf; }
    .numba { fill: #0f7bbf; }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc; }
      .card { fill: #0d1117; stroke: #3d444d; }
      .small { fill: #9198a1; }
      .grid { stroke: #262c36; }
      .numpy { fill: #59636e; }
      .numba { fill: #3fa7e8; }
    }
"""


def main() -> int:
    """Run the script; return its exit code."""
    if not RESULTS.exists():
        print(f"no {RESULTS.name} yet; run: python -m benchmarks.recipes_table --write README.md", file=sys.stderr)
        return 1
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    RESULTS.with_suffix(".svg").write_text(picture(results), encoding="utf-8")
    return 0


def picture(results: dict[str, Any]) -> str:
    """Return the picture as the text of an SVG file.

    Parameters
    ----------
    results : dict
        What `recipes_table` wrote.

    Returns
    -------
    str
    """
    recipes = results["recipes"]
    values = [seconds for recipe in recipes for seconds in recipe["seconds_per_epoch"].values()]
    low, high = math.floor(math.log10(min(values))), math.log10(max(values))
    plot = WIDTH - LEFT - RIGHT
    bottom = TOP + ROW * len(recipes)

    def x(seconds: float) -> float:
        return round(LEFT + plot * (math.log10(seconds) - low) / (high - low), 1)

    parts = [_text(24, 34, "Time per epoch on MNIST", "title"), *_legend(54)]
    for exponent in range(low, math.floor(high) + 1):
        place = x(10.0**exponent)
        parts.append(f'<line class="grid" x1="{place}" y1="{TOP - 8}" x2="{place}" y2="{bottom}"/>')
        parts.append(_text(place, bottom + 17, _duration(10.0**exponent), "small", "middle"))
    for number, recipe in enumerate(recipes):
        parts += _row(TOP + ROW * number, recipe, x)
    machine = results["machine"]
    how = "Logarithmic scale. float32, each engine on one thread, minimum of interleaved epochs."
    parts.append(_text(24, bottom + 44, how, "small"))
    parts.append(_text(24, bottom + 61, f"{in_words(machine)}; {results['date']}.", "small"))
    height = bottom + BOTTOM
    described = "; ".join(
        f"{recipe['name']} {_duration(recipe['seconds_per_epoch']['numpy'])} and "
        f"{_duration(recipe['seconds_per_epoch']['numba'])}"
        for recipe in recipes
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
            f'height="{height}" role="img" aria-labelledby="title description">',
            '<title id="title">Time per epoch on MNIST: NumPy reference and compiled kernels</title>',
            f'<desc id="description">{escape(described)}</desc>',
            f"<style>{STYLE}</style>",
            f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def _row(y: float, recipe: dict[str, Any], x: Any) -> list[str]:
    """Two bars with their figures, the recipe's name before them and the speed-up behind them."""
    facts = f"{recipe['network']}, batch {recipe['batch_size']}"
    parts = [_text(LEFT - 14, y + 14, recipe["name"], "name", "end"), _text(LEFT - 14, y + 30, facts, "small", "end")]
    for number, engine in enumerate(("numpy", "numba")):
        seconds = recipe["seconds_per_epoch"][engine]
        top = y + number * (BAR + 3)
        end = x(seconds)
        parts.append(
            f'<rect class="{engine}" x="{LEFT}" y="{top}" width="{round(end - LEFT, 1)}" height="{BAR}" rx="2"/>'
        )
        parts.append(_text(end + 6, top + BAR - 3.5, _duration(seconds), "small"))
    parts.append(_text(WIDTH - 24, y + 22, f"{_short(recipe['speed_up'])}×", "speed-up", "end"))
    return parts


def _legend(y: float) -> list[str]:
    return [
        f'<rect class="numpy" x="24" y="{y}" width="12" height="12" rx="2"/>',
        _text(42, y + 10.5, "NumPy reference"),
        f'<rect class="numba" x="170" y="{y}" width="12" height="12" rx="2"/>',
        _text(188, y + 10.5, "compiled kernels"),
        _text(WIDTH - 24, y + 10.5, "speed-up", "small", "end"),
    ]


def _duration(seconds: float) -> str:
    return f"{_short(seconds)} s" if seconds >= 0.9995 else f"{_short(1000 * seconds)} ms"


def _short(number: float) -> str:
    """A number to two digits, or to all those before the point."""
    return f"{float(f'{number:.2g}'):g}" if number < 99.5 else f"{number:.0f}"


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


if __name__ == "__main__":
    sys.exit(main())
