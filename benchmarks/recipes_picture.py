"""Draw the time per epoch of the recipes, which `recipes_table` measured, as an SVG file.

    python -m benchmarks.recipes_picture

It reads benchmarks/results/recipes.json and writes benchmarks/results/recipes.svg, without any library. The picture
has a dark form, for readers whose system asks for it.
"""

import json
import sys
from typing import Any

from . import svg
from .machine import in_words
from .recipes_table import RESULTS
from .svg import duration, text

LEFT, RIGHT = 216, svg.WIDTH - 150
TOP, ROW, BAR, BOTTOM = 92, 54, 15, 78
COLOURS = {"numpy": ("#a8b3bf", "#59636e"), "numba": ("#0f7bbf", "#3fa7e8")}


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
    x = svg.Scale((seconds for recipe in recipes for seconds in recipe["seconds_per_epoch"].values()), LEFT, RIGHT)
    bottom = TOP + ROW * len(recipes)
    parts = [text(24, 34, "Time per epoch on MNIST", "title"), *_legend(54), *x.grid(TOP - 8, bottom)]
    for number, recipe in enumerate(recipes):
        parts += _row(TOP + ROW * number, recipe, x)
    how = "Logarithmic scale. float32, each engine on one thread, minimum of interleaved epochs."
    parts.append(text(24, bottom + 44, how, "small"))
    parts.append(text(24, bottom + 61, f"{in_words(results['machine'])}; {results['date']}.", "small"))
    described = "; ".join(
        f"{recipe['name']} {duration(recipe['seconds_per_epoch']['numpy'])} and "
        f"{duration(recipe['seconds_per_epoch']['numba'])}"
        for recipe in recipes
    )
    title = "Time per epoch on MNIST: NumPy reference and compiled kernels"
    return svg.document(title, described, bottom + BOTTOM, COLOURS, parts)


def _row(y: float, recipe: dict[str, Any], x: svg.Scale) -> list[str]:
    """Two bars with their figures, the recipe's name before them and the speed-up behind them."""
    facts = f"{recipe['network']}, batch {recipe['batch_size']}"
    parts = [text(LEFT - 14, y + 14, recipe["name"], "name", "end"), text(LEFT - 14, y + 30, facts, "small", "end")]
    for number, engine in enumerate(COLOURS):
        seconds = recipe["seconds_per_epoch"][engine]
        top, end = y + number * (BAR + 3), x(seconds)
        parts.append(svg.bar(engine, LEFT, top, end, BAR))
        parts.append(text(end + 6, top + BAR - 3.5, duration(seconds), "small"))
    parts.append(text(svg.WIDTH - 24, y + 22, f"{svg.short(recipe['speed_up'])}×", "speed-up", "end"))
    return parts


def _legend(y: float) -> list[str]:
    return [
        svg.bar("numpy", 24, y, 36, 12),
        text(42, y + 10.5, "NumPy reference"),
        svg.bar("numba", 170, y, 182, 12),
        text(188, y + 10.5, "compiled kernels"),
        text(svg.WIDTH - 24, y + 10.5, "speed-up", "small", "end"),
    ]


if __name__ == "__main__":
    sys.exit(main())
