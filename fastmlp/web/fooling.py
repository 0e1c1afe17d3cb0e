"""The smallest change of a digit that changes a network's answer (floor 10; imports numpy, network).

The step is that of DeepFool (Moosavi-Dezfooli, Fawzi and Frossard 2016): where the outputs were linear, the nearest
point at which another output equals the answer's lies at ``-(m / |g|²) g``, with the margin ``m`` between both outputs
and its derivative ``g`` by the pixels. The network is not linear, so a few such steps are needed. Pixels stay between 0
and 255; one that would leave is held there.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from .looking import PIXELS, SIDE, as_inputs, as_text, names_of_outputs, picture
from .why import slope

_MOST_STEPS = 60
_OVERSHOOT = 1.02
_HALVINGS = 12


def least_change(network: Network, digit: NDArray[np.uint8], target: int | None = None) -> dict[str, Any]:
    """Return a small change of a digit after which the network's answer is another one.

    Parameters
    ----------
    network : Network
    digit : ndarray of uint8, shape (28, 28)
    target : int, optional
        The output that is to be the answer; by default the one that is nearest.

    Returns
    -------
    dict
        ``found``; and if so ``pixels``, the changed digit as base64; ``change``, as a picture; ``length``, the change's
        Euclidean norm, in units of full ink; ``mean`` and ``most``, of the change over all pixels, in grey levels;
        ``before`` and ``after``, the labels of both answers.
    """
    start = digit.reshape(1, PIXELS).astype(np.float64)
    labels = names_of_outputs(network)
    answer = _answer(network, digit)
    result: dict[str, Any] = {"found": False, "before": labels[answer]}
    if answer == target:
        return result
    with np.errstate(all="ignore"):
        reached = _walk(network, start, answer, target)
    if reached is None:
        return result
    changed = _nearest(network, start, reached, answer, target)
    change = changed.astype(np.float64) - digit
    return {
        "found": True,
        "before": labels[answer],
        "after": labels[_answer(network, changed)],
        "pixels": as_text(changed),
        "change": picture(change.ravel()),
        "length": round(float(np.linalg.norm(change)) / 255, 3),
        "mean": round(float(np.abs(change).mean()), 2),
        "most": int(np.abs(change).max()),
    }


def _walk(network: Network, start: NDArray[np.float64], answer: int, target: int | None) -> NDArray[np.float64] | None:
    """Return pixels that, rounded, change the answer; None where no way there was found."""
    pixels: NDArray[np.float64] = start.copy()
    scale = _slope_of_scaling(network)
    for _ in range(_MOST_STEPS):
        traced = network.trace(_as_inputs(network, pixels))
        z = traced.layers[-1].z[0].astype(np.float64)
        others = [target] if target is not None else [unit for unit in range(len(z)) if unit != answer]
        directions = np.zeros((len(others), len(z)), traced.x.dtype)
        directions[range(len(others)), others] = 1
        directions[:, answer] -= 1
        gradients = [slope(traced, len(traced.layers) - 1, one[None])[0] * scale for one in directions]
        # A pixel at its end does not move farther, and counts for nothing.
        free = [g * ~(((pixels[0] <= 0) & (g < 0)) | ((pixels[0] >= 255) & (g > 0))) for g in gradients]
        sizes = [float(g @ g) for g in free]
        distances = [(z[answer] - z[unit]) / max(size, 1e-30) ** 0.5 for unit, size in zip(others, sizes, strict=True)]
        best = int(np.argmin(distances))
        if not np.isfinite(distances[best]) or sizes[best] < 1e-30:
            return None
        margin = max(float(z[answer] - z[others[best]]), 1e-3 * float(np.abs(z).max()) + 1e-6)
        pixels = np.clip(pixels + _OVERSHOOT * margin / sizes[best] * free[best], 0, 255)
        if _is_changed(network, pixels, answer, target):
            return pixels
    return None


def _nearest(
    network: Network, start: NDArray[np.float64], end: NDArray[np.float64], answer: int, target: int | None
) -> NDArray[np.uint8]:
    """Return the pixels nearest to the start on the way to the end that still change the answer, by halving."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _is_changed(network, start + middle * (end - start), answer, target):
            high = middle
        else:
            low = middle
    return _rounded(start + high * (end - start))


def _is_changed(network: Network, pixels: NDArray[np.float64], answer: int, target: int | None) -> bool:
    now = _answer(network, _rounded(pixels))
    return now != answer if target is None else now == target


def _answer(network: Network, digit: NDArray[np.uint8]) -> int:
    with np.errstate(all="ignore"):
        return int(np.nan_to_num(network(as_inputs(network, digit.reshape(1, PIXELS)))).argmax())


def _rounded(pixels: NDArray[np.float64]) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = np.rint(pixels).astype(np.uint8).reshape(SIDE, SIDE)
    return rounded


def _as_inputs(network: Network, pixels: NDArray[np.float64]) -> Any:
    """Return pixels of fractions as the network takes them."""
    return as_inputs(network, _rounded(pixels).reshape(1, PIXELS))


def _slope_of_scaling(network: Network) -> NDArray[np.float64]:
    """Return the derivative of each scaled input by its pixel; scalings are linear."""
    black, white = (
        network.trace(as_inputs(network, np.full((1, PIXELS), value, np.uint8))).x[0].astype(np.float64)
        for value in (0, 255)
    )
    per_level: NDArray[np.float64] = (white - black) / 255
    return per_level
