"""``fastmlp predict``: which digits pictures are of (floor 11; imports numpy, errors, images, engines)."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..engines import get_engine
from ..errors import ArgumentError
from ..images.digit import SIDE, as_digit
from .reports import open_model
from .show import Screen

_WIDTH_OF_BARS = 40

_SHADES = " ░▒▓█"


def run(model: str, images: Sequence[str], show: bool, engine: str) -> None:
    """Print what a saved network takes each picture for.

    Raises
    ------
    ArgumentError
        The network is no classifier of images of 28 by 28 pixels; or a picture is blank, too large, or of
        several digits.
    DataFileError
        The model or a picture can't be read.
    MissingDependencyError
        Pillow is not installed.
    """
    get_engine(engine)  # refuses an unknown name before anything is read
    network = open_model(model)
    if network.architecture.inputs != SIDE * SIDE:
        raise ArgumentError(
            f"{model}: this network takes {network.architecture.inputs} features, and no images of {SIDE} by {SIDE} "
            "pixels; give one that was trained on MNIST's, as fastmlp train does"
        )
    digits = np.stack([as_digit(image) for image in images])
    rows = digits.reshape(len(images), -1)
    probabilities = network.predict_proba(rows, engine=engine)
    answers = network.predict(rows, engine=engine)
    labels = np.arange(probabilities.shape[1]) if network.labels is None else network.labels.classes
    screen = Screen()
    for number, image in enumerate(images):
        if number:
            screen.say()
        screen.say(f"{image}: {answers[number]}", "bold green")
        if show:
            for line in picture(digits[number]):
                screen.say(f"  {line}".rstrip())
        for line in bars(labels, probabilities[number]):
            screen.say(f"  {line}")


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
