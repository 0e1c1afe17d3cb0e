"""``fastmlp predict``: which digits pictures are of (floor 11; imports numpy, errors, placeholders, images, engines,
network, plots).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines import get_engine
from ..errors import ArgumentError, DataFileError
from ..images.digit import SIDE, as_digit
from ..network import Network
from ..placeholders import check_content
from ..plots.answers import has_probabilities
from .assumptions import as_fed, check_range, with_probabilities
from .reports import open_model
from .show import Screen

_WIDTH_OF_BARS = 40

_SHADES = " ░▒▓█"

NOTHING_LIT = "no output reaches 0.5"
"""What is said of several sigmoids that are all small; the largest is no answer to rely on."""


def run(
    model: str, images: Sequence[str], show: bool, engine: str, pixels: str | None = None, logits: bool | None = None
) -> None:
    """Print what a saved network takes each picture for.

    Raises
    ------
    ArgumentError
        The network is no classifier of images of 28 by 28 pixels, or an option does not suit it.
    DataFileError
        The model can't be read; or, after all others were answered, pictures can't.
    MissingDependencyError
        Pillow is not installed.
    """
    get_engine(engine)  # refuses an unknown name before anything is read
    drawn_in = check_range(pixels)
    network, outputs_are = with_probabilities(open_model(model), logits)
    if network.architecture.inputs != SIDE * SIDE:
        raise ArgumentError(
            f"{model}: this network takes {network.architecture.inputs} features, and no images of {SIDE} by {SIDE} "
            "pixels; give one that was trained on MNIST's, as fastmlp train does"
        )
    digits, failed = _read(images)
    screen = Screen()
    if digits:
        pixel_rows = np.stack([digit for _, digit in digits]).reshape(len(digits), -1)
        rows, pixels_are = as_fed(network, pixel_rows, drawn_in)
        facts = {"pixels": pixels_are, "outputs": outputs_are}
        told = {name: fact for name, fact in facts.items() if fact}
        if told:
            screen.facts(told)
            screen.say()
        answers, lines = _answers(network, rows, engine)
        for number, (image, digit) in enumerate(digits):
            if number:
                screen.say()
            screen.say(f"{image}: {answers[number]}", "bold green")
            for line in [*(picture(digit) if show else []), *lines[number]]:
                screen.say(f"  {line}".rstrip())
    if failed:
        raise DataFileError("\n       ".join(failed))


def _read(images: Sequence[str]) -> tuple[list[tuple[str, NDArray[np.uint8]]], list[str]]:
    """Return the digits of the pictures that can be read, and what is wrong with the others."""
    digits, failed = [], []
    for image in images:
        try:
            check_content(Path(image))
            digits.append((image, as_digit(image)))
        except (ArgumentError, DataFileError) as error:
            failed.append(str(error) if image in str(error) else f"{image}: {error}")
    return digits, failed


def _answers(network: Network, rows: NDArray[Any], engine: str) -> tuple[list[str], list[list[str]]]:
    """Return an answer for each row, and the lines that tell how sure it is."""
    outputs = network(rows, engine=engine)
    labels = np.arange(outputs.shape[1]) if network.labels is None else network.labels.classes
    if not has_probabilities(network):  # the largest output is the answer, or the only one
        named = labels if len(labels) == outputs.shape[1] else np.arange(outputs.shape[1])
        answers = [str(named[row.argmax()]) if len(row) > 1 else f"{row[0]:.4g}" for row in outputs]
        lines = [numbers(named, row) if len(row) > 1 else [] for row in outputs]
        if network.architecture.layers[-1].activation == "sigmoid":
            for told, row in zip(lines, outputs, strict=True):
                told += [NOTHING_LIT] * bool(row.max() < 0.5)
        return answers, lines
    probabilities = network.predict_proba(rows, engine=engine)
    labels = np.arange(probabilities.shape[1]) if network.labels is None else labels
    return [str(answer) for answer in network.predict(rows, engine=engine)], [
        bars(labels, row) for row in probabilities
    ]


def numbers(labels: NDArray[np.generic], outputs: NDArray[np.floating]) -> list[str]:
    """Return a line for each label: its name, and its output, where that is no probability.

    Examples
    --------
    >>> numbers(np.arange(2), np.array([-0.5, 12.25])), numbers(np.arange(2), np.array([0.98, 2e-5]))
    (['0     -0.5', '1    12.25'], ['0   0.9800', '1   0.0000'])
    """
    width = max(len(str(label)) for label in labels)
    form = "7.4f" if ((outputs >= 0) & (outputs <= 1)).all() else ">7.4g"
    return [f"{label!s:>{width}}  {output:{form}}" for label, output in zip(labels, outputs, strict=True)]


def bars(labels: NDArray[np.generic], probabilities: NDArray[np.floating]) -> list[str]:
    """Return a line for each label: its name, its probability, and a bar as long as that.

    Examples
    --------
    >>> bars(np.arange(2), np.array([0.25, 0.75]))
    ['0   25.0%  ██████████', '1   75.0%  ██████████████████████████████']
    """
    names = [str(label) for label in labels]
    width = max(map(len, names))
    return [
        f"{name:>{width}}  {share:>6.1%}  {'█' * round(float(share) * _WIDTH_OF_BARS)}".rstrip()
        for name, share in zip(names, probabilities, strict=True)
    ]


def picture(digit: NDArray[np.uint8]) -> list[str]:
    """Return an image in block characters, two a pixel, in five shades.

    Parameters
    ----------
    digit : ndarray of uint8, shape (height, width)

    Returns
    -------
    list of str
        A line for each row.

    Examples
    --------
    >>> picture(np.array([[255, 120, 0]], dtype=np.uint8))
    ['██▒▒  ']
    """
    shades = (digit.astype(np.int64) * len(_SHADES)) >> 8
    return ["".join(2 * _SHADES[shade] for shade in row) for row in shades.tolist()]
