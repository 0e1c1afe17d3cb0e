"""What a file of another program leaves open: the range of pixels, and whether outputs are logits (floor 11; imports
numpy, errors, data, formats, network).

A network that was trained here knows both. For others, the commands assume what is most usual, say so, and let the
user choose.
"""

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.samples import Scaling
from ..errors import ArgumentError
from ..formats import Checkpoint
from ..network import Network

_N_DIGITS = 10
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*", re.IGNORECASE)

_LARGEST_SPREAD = 20.0
"""How far apart the numbers of paper and ink may be for a first layer; 0 to 255 without scaling is farther."""


def check_range(pixels: str | None) -> tuple[float, float] | None:
    """Return the numbers for paper and ink of ``--pixels LOW..HIGH``, and None for None.

    Raises
    ------
    ArgumentError
        It is no such range.

    Examples
    --------
    >>> check_range("-1..1")
    (-1.0, 1.0)
    """
    if pixels is None:
        return None
    found = _RANGE.fullmatch(pixels)
    low, high = (float(found[1]), float(found[2])) if found else (0.0, 0.0)
    if low == high or not math.isfinite(high - low):
        raise ArgumentError(
            f"--pixels must be a range such as 0..1, -1..1 or 0..255: the numbers for paper and for ink; got {pixels!r}"
        )
    return low, high


def as_fed(network: Network, X: NDArray[Any], pixels: tuple[float, float] | None) -> tuple[NDArray[Any], str]:
    """Return pixels as a network wants them, and what was assumed about that.

    Parameters
    ----------
    network : Network
    X : ndarray, shape (n_samples, inputs)
        Pixels from 0 to 255, as uint8; other samples stay as they are.
    pixels : (float, float) or None
        What to give the network for 0 and for 255, as it was specified; None to assume it.

    Returns
    -------
    X : ndarray
    assumed : str
        Empty where the network knows for itself.

    Raises
    ------
    ArgumentError
        A range was specified, but the samples are no pixels.
    """
    is_pixels = X.dtype == np.uint8
    if pixels is not None:
        if not is_pixels:
            raise ArgumentError(f"--pixels: the samples are {X.dtype}, not pixels from 0 to 255; leave it out")
        return _in_range(X, pixels, network), f"taken as {_in_words(pixels)}, as specified"
    scaling = network.scaling
    if not is_pixels or network.history.epochs or (isinstance(scaling, Scaling) and scaling.found_on):
        return X, ""
    others = "since the file does not say; --pixels chooses another range, such as 0..255 or -1..1"
    if isinstance(scaling, str):  # by which pixels go to 0..1
        return X, f"taken as {_in_words((0, 1))}, {others}"
    ends = scaling.apply(np.array([[0], [255]], dtype=np.uint8).repeat(X.shape[1], axis=1))
    if np.median(np.abs(ends[1] - ends[0])) <= _LARGEST_SPREAD:
        return X, "taken as 0..255, which the network scales itself"
    return _in_range(X, (0.0, 1.0), network), f"taken as {_in_words((0, 1))}, {others}"


def with_probabilities(network: Network, logits: bool | None) -> tuple[Network, str]:
    """Return a network that gives probabilities where its outputs are logits, and what was assumed about that.

    Parameters
    ----------
    network : Network
    logits : bool or None
        Whether its outputs are logits; None to assume it of ten outputs without an activation that nobody has
        labelled.

    Returns
    -------
    network : Network
        With a softmax at its end, or the same.
    assumed : str
        Empty where nothing was.

    Raises
    ------
    ArgumentError
        They can't be logits, since the network ends in an activation, or has one output.
    """
    built = network.architecture
    last = built.layers[-1]
    possible = last.activation == "identity" and last.units > 1
    if logits and not possible:
        why = f"ends in {last.activation}" if last.activation != "identity" else "has one output"
        raise ArgumentError(f"--logits: the network {why}, so its outputs are no logits; leave --logits out")
    assumed = logits is None and possible and last.units == _N_DIGITS and network.labels is None
    if not (logits or assumed):
        return network, ""
    labels = network.labels if network.labels is not None and network.labels.task == "classes" else None
    softmax = replace(built, layers=(*built.layers[:-1], replace(last, activation="softmax")), loss="cross_entropy")
    made = Network.from_checkpoint(Checkpoint(softmax, network.state, labels, network.scaling, network.history))
    how = "as specified" if logits else "since the last layer has no activation; --no-logits leaves them as they are"
    return made, f"taken as logits, of which softmax gives probabilities, {how}"


def _in_range(X: NDArray[Any], pixels: tuple[float, float], network: Network) -> NDArray[Any]:
    low, high = pixels
    dtype = network.architecture.dtype.type
    scaled: NDArray[Any] = X * dtype((high - low) / 255) + dtype(low)
    return scaled


def _in_words(pixels: tuple[float, float]) -> str:
    return f"{pixels[0]:g}..{pixels[1]:g}"
