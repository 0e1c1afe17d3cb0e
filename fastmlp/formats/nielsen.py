"""Networks that the code of Nielsen's book saved (floor 6; imports numpy, data).

``network2.py`` of M. Nielsen, Neural Networks and Deep Learning (2015), writes JSON: ``sizes``, ``weights`` with a row
a unit, ``biases`` as columns, and the name of the ``cost``. All units are sigmoids; the largest output is the answer.
"""

from typing import Any

import numpy as np

from ..data.targets import Labels
from .checkpoint import Checkpoint
from .layers import checkpoint_of
from .npz import WrongContentError

_COSTS = {"CrossEntropyCost": "binary_cross_entropy", "QuadraticCost": "squared_error"}


def is_nielsens(content: Any) -> bool:
    """Tell whether the content of a JSON file is such a network."""
    return isinstance(content, dict) and {"sizes", "weights", "biases", "cost"} <= content.keys()


def checkpoint(content: dict[str, Any]) -> Checkpoint:
    """Return the network, in float64 as it was computed.

    Raises
    ------
    WrongContentError
        Another cost, or weights that don't fit the sizes.
    """
    sizes, cost = content["sizes"], content["cost"]
    if cost not in _COSTS:
        raise WrongContentError(
            f"a network of Nielsen's book with the cost {cost!r}; fastmlp knows {', '.join(_COSTS)}"
        )
    layers = []
    for number, (rows, columns) in enumerate(zip(content["weights"], content["biases"], strict=True)):
        W, b = np.array(rows, dtype=np.float64).T, np.array(columns, dtype=np.float64)
        if list(W.shape) != sizes[number : number + 2] or b.shape not in ((W.shape[1], 1), (W.shape[1],)):
            raise WrongContentError(
                f"a network of Nielsen's book with the sizes {sizes}, but layer {number + 1} has weights of shape "
                f"{W.shape[::-1]} and biases of shape {b.shape}"
            )
        layers.append((W, b.reshape(-1), "sigmoid"))
    if len(layers) != len(sizes) - 1:
        raise WrongContentError(
            f"a network of Nielsen's book with the sizes {sizes}, but weights of {len(layers)} layers"
        )
    made = checkpoint_of(layers, "auto", _COSTS[cost])
    if made.architecture.outputs > 1:
        made.labels = Labels("classes", np.arange(made.architecture.outputs))
    return made
