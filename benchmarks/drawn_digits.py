"""How well digits are recognised that do not look like MNIST's: drawn, scanned or photographed.

    python -m benchmarks.drawn_digits                               print the table
    python -m benchmarks.drawn_digits --write docs/benchmarks.md    and write it there

MNIST's test digits are enlarged, thickened, moved, inverted, recoloured and photographed in uneven light; drawn with a
thin pen, with dashes at the border, in frames and axes, in cast shadows; and put through `fastmlp.images.as_digit`. A
network of the recipe keras says what they are. Everything is seeded.
"""

import argparse
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import load_mnist, recipes
from fastmlp.errors import ArgumentError
from fastmlp.images import as_digit
from fastmlp.network import Network

from .disturbed_digits import PICTURES, enlarged, inverted, moved, several
from .markdown import replace_table

Array = NDArray[Any]
Change = Callable[[Array, np.random.Generator], Array]

START, END = "<!-- table: drawn -->", "<!-- end table: drawn -->"

CHANGES = ("enlarged", "thickened", "moved", "inverted", "recoloured", "photographed")


def picture(digit: Array, generator: np.random.Generator, changes: Sequence[str]) -> Array:
    """Make a picture of a digit as somebody might have drawn or photographed it.

    Parameters
    ----------
    digit : ndarray of uint8, shape (28, 28)
    generator : numpy.random.Generator
    changes : sequence of str
        Some of `CHANGES`, in their order.

    Returns
    -------
    ndarray, shape (height, width) or (height, width, 3)
        Float in [0, 1].
    """
    image = digit / 255.0
    for change in changes:
        image = _STEPS[change](image, generator)
    return np.clip(image, 0.0, 1.0)


def thickened(ink: Array, generator: np.random.Generator) -> Array:
    """Strokes wider by up to 1.2 pixels of MNIST, as of a thicker pen."""
    reach = round(len(ink) / 28 * generator.uniform(0.0, 0.6))
    for axis in (0, 1):
        ink = np.max([np.roll(ink, by, axis) for by in range(-reach, reach + 1)], axis=0)
    return ink


def recoloured(tones: Array, generator: np.random.Generator) -> Array:
    """Of two colours that are at least a third of the range apart, instead of black and white."""
    while True:
        black, white = generator.random((2, 3))
        if np.abs(black - white).mean() > 1 / 3:
            return np.asarray(black + tones[:, :, None] * (white - black))


def photographed(image: Array, generator: np.random.Generator) -> Array:
    """In light that falls off to one side, with a shadow over a part, noise and specks."""
    height, width = image.shape[:2]
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    angle = generator.uniform(0, 2 * np.pi)
    light = 1 - generator.uniform(0, 0.4) * ((x - 0.5) * np.cos(angle) + (y - 0.5) * np.sin(angle) + 0.5)
    shadow = x * np.cos(3 * angle) + y * np.sin(3 * angle) > generator.uniform(-1, 1)
    light = light * np.where(shadow, generator.uniform(0.75, 1.0), 1.0)
    light = light[:, :, None] if image.ndim == 3 else light
    specks = generator.random((height, width)) < 2e-4
    image = 0.05 + 0.9 * image * light + generator.normal(0, 0.02, image.shape)
    image[specks] = generator.random()
    return image


_STEPS: dict[str, Change] = {
    "enlarged": enlarged,
    "thickened": thickened,
    "moved": moved,
    "inverted": inverted,
    "recoloured": recoloured,
    "photographed": photographed,
}


def accuracy(network: Network, digits: Array, labels: Array, make: Change, seed: int = 0) -> float:
    """Share of digits that are recognised in pictures of them; one that `as_digit` refuses is not."""
    seen = np.zeros((len(digits), 784), dtype=np.uint8)
    refused = np.zeros(len(digits), dtype=bool)
    for number, digit in enumerate(digits):
        generator = np.random.default_rng([seed, number])
        try:
            seen[number] = as_digit(make(digit.reshape(28, 28), generator)).ravel()
        except ArgumentError:
            refused[number] = True
    return float(((network.predict(seen) == labels) & ~refused).mean())


def rows(network: Network, digits: Array, labels: Array) -> list[tuple[str, float]]:
    """Accuracy on the digits as they are, put through `as_digit`, after ever more changes, and in other pictures."""
    score = partial(accuracy, network, digits, labels)
    table = [
        ("unchanged", float((network.predict(digits) == labels).mean())),
        ("converted by as_digit", score(lambda digit, generator: digit)),
    ]
    for number, change in enumerate(CHANGES, start=1):
        table.append((f"{'and ' if number > 1 else ''}{change}", score(partial(picture, changes=CHANGES[:number]))))
    for name, make in PICTURES.items():
        table.append((name, score(partial(_of_bytes, make))))
    return table


def _of_bytes(make: Change, digit: Array, generator: np.random.Generator) -> Array:
    return make(digit / 255.0, generator)


def told(digits: Array, seed: int = 0) -> float:
    """Share of pictures of two to four digits side by side that `as_digit` refuses."""
    n_told, left = 0, list(digits.reshape(-1, 28, 28) / 255.0)
    n_pictures = len(left) // 4
    for number in range(n_pictures):
        generator = np.random.default_rng([seed, number])
        some = left[4 * number : 4 * number + int(generator.integers(2, 5))]
        try:
            as_digit(several(np.array(some), generator))
        except ArgumentError as error:
            n_told += f"{len(some)} digits" in str(error)
    return n_told / n_pictures


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the network, and print a row for every kind of digit."""
    parser = argparse.ArgumentParser(description="Recognition of digits that do not look like MNIST's.")
    parser.add_argument("--digits", type=int, default=2000, help="how many of the 10,000 test digits to take")
    parser.add_argument("--write", type=Path, metavar="FILE", help="Markdown file whose table is to be replaced")
    options = parser.parse_args(arguments)
    network = recipes.get("keras").run(verbose=0).network
    mnist = load_mnist()
    some = np.linspace(0, len(mnist.X_test) - 1, options.digits).astype(int)
    shares = rows(network, mnist.X_test[some], mnist.y_test[some])
    lines = ["| test digits | accuracy |", "|---|--:|", *(f"| {name} | {share:.2%} |" for name, share in shares)]
    note = (
        f"{len(some):,} digits. Each row from *enlarged* to *photographed* adds a change to the row above. Network: "
        f"the recipe keras, seed 0. `as_digit` rejects {told(mnist.X_test[some]):.1%} of the pictures with two to four "
        "digits, with an error that gives the number of digits."
    )
    table = "\n".join([*lines, "", note])
    print(table)
    if options.write:
        replace_table(options.write, table, START, END)


if __name__ == "__main__":
    main()
