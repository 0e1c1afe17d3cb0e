"""Draw the pictures in docs/benchmarks.md of a training and of the weights that it found, light and dark.

    python -m benchmarks.pictures

It trains the recipe nielsen-cross-entropy, some ten seconds, and writes four PNG files into benchmarks/results.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastmlp import Network, plots, recipes

from .recipes_table import RESULTS

RECIPE = "nielsen-cross-entropy"
"""Its penalty leaves weights small where no digit ever has ink, so that what units look for can be seen."""

KINDS: dict[str, Callable[[Network], Any]] = {
    "history": lambda network: plots.history(network)[0],
    "weights": lambda network: plots.weights(network, n=30),
}
THEMES = ("light", "dark")
MOST_BYTES = 150_000
"""Of a file: a clone brings every version of each there ever was."""


def main() -> int:
    """Run the script; return its exit code."""
    network = recipes.get(RECIPE).run(seed=0, verbose=0).network
    for file in draw(network, RESULTS.parent):
        size = file.stat().st_size
        print(f"{file.name}: {size / 1000:.0f} kB")
        if size > MOST_BYTES:
            print(f"{file.name} is larger than {MOST_BYTES / 1000:.0f} kB; draw less of it", file=sys.stderr)
            return 1
    return 0


def draw(network: Network, folder: Path) -> list[Path]:
    """Draw a network in every kind and theme.

    Parameters
    ----------
    network : Network
        A trained one.
    folder : Path

    Returns
    -------
    list of Path
        The files.
    """
    import matplotlib
    from matplotlib import pyplot

    matplotlib.use("Agg")
    files = []
    for theme in THEMES:
        with plots.theme(theme):
            for kind, plot in KINDS.items():
                figure = plot(network).figure
                files.append(folder / f"{kind}-{theme}.png")
                # Without matplotlib's name and version in it, the same picture has the same bytes.
                figure.savefig(files[-1], dpi=100, metadata={"Software": None})
                pyplot.close(figure)
    return files


if __name__ == "__main__":
    sys.exit(main())
