"""The smallest change of a digit that changes a network's answer (floor 10; imports numpy, network).

The step is that of DeepFool (Moosavi-Dezfooli, Fawzi and Frossard 2016): where the outputs were linear, the nearest
point at which another output equals the answer's lies at ``-(m / |g|²) g``, with the margin ``m`` between both outputs
and its derivative ``g`` by the pixels. The network is not linear, so a few such steps are needed. Pixels stay between 0
and 255; one that would leave is held there. What is found is small, and not proven to be the smallest there is.
"""

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from . import limits
from .looking import PIXELS, SIDE, as_inputs, as_text, names_of_outputs, outputs_of, picture
from .why import slope

MOST_STEPS = 60
RUNNER_UP = -1
"""A target: the output that is second to the answer."""

_OVERSHOOT = 1.02
_HALVINGS = 12


def least_change(network: Network, digit: NDArray[np.uint8], target: int | None = None) -> dict[str, Any]:
    """Return a small change of a digit after which the network's answer is another one.

    Parameters
    ----------
    network : Network
    digit : ndarray of uint8, shape (28, 28)
    target : int, optional
        The output that is to be the answer, or `RUNNER_UP`; by default the one that is nearest.

    Returns
    -------
    dict
        ``before``, the label of the answer; ``found``; ``steps``, how many were taken. Where it was found also
        ``pixels``, the changed digit as base64; ``change``, as a picture; ``length``, the change's Euclidean norm, in
        units of full ink; ``mean`` and ``most``, of the change over all pixels, in grey levels; ``after``, the label of
        the new answer. Where it was not, ``reason``: "already", it is the answer; "flat", the derivatives are 0;
        "steps", there were too many of them.
    """
    start = digit.reshape(1, PIXELS).astype(np.float64)
    labels, outputs = names_of_outputs(network), outputs_of(network, digit)
    answer, runner_up = np.argsort(-outputs, kind="stable")[:2].tolist()
    target = runner_up if target == RUNNER_UP else target
    result: dict[str, Any] = {"found": False, "before": labels[answer], "steps": 0}
    if answer == target:
        return {**result, "reason": "already"}
    with np.errstate(all="ignore"):
        reached, result["steps"] = _walk(network, start, answer, target)
    if reached is None:
        return {**result, "reason": "steps" if result["steps"] else "flat"}
    changed = _nearest(network, start, reached, answer, target)
    change = changed.astype(np.float64) - digit
    return {
        **result,
        "found": True,
        "after": labels[_answer(network, changed)],
        "pixels": as_text(changed),
        "change": picture(change.ravel()),
        "length": round(float(np.linalg.norm(change)) / 255, 3),
        "mean": round(float(np.abs(change).mean()), 2),
        "most": int(np.abs(change).max()),
    }


def _walk(
    network: Network, start: NDArray[np.float64], answer: int, target: int | None
) -> tuple[NDArray[np.float64] | None, int]:
    """Return pixels that, rounded, change the answer, and the number of steps to them; None where none were found."""
    pixels: NDArray[np.float64] = start.copy()
    scale, end = _slope_of_scaling(network), time.monotonic() + limits.SEARCH_SECONDS
    for step in range(MOST_STEPS):
        traced = network.trace(as_inputs(network, _rounded(pixels).reshape(1, PIXELS)))
        z = traced.layers[-1].z[0].astype(np.float64)
        # What has to be overtaken: the answer by any other output, or by the target whichever is the largest now.
        first = answer if target is None else int(np.where(np.arange(len(z)) == target, -np.inf, z).argmax())
        others = np.array([unit for unit in range(len(z)) if unit != first] if target is None else [target])
        directions = np.eye(len(z), dtype=traced.x.dtype)[others]
        directions[:, first] -= 1
        gradients = slope(traced, len(traced.layers) - 1, directions) * scale
        # A pixel at its end does not move farther, and counts for nothing.
        free = gradients * ~(((pixels <= 0) & (gradients < 0)) | ((pixels >= 255) & (gradients > 0)))
        sizes = np.einsum("ij,ij->i", free, free)
        distances = np.where(sizes > 1e-30, (z[first] - z[others]) / np.sqrt(np.maximum(sizes, 1e-30)), np.inf)
        best = int(np.argmin(distances))
        if not np.isfinite(distances[best]):
            return None, step
        margin = max(float(z[first] - z[others[best]]), 1e-3 * float(np.abs(z).max()) + 1e-6)
        pixels = np.clip(pixels + _OVERSHOOT * margin / sizes[best] * free[best], 0, 255)
        if _is_changed(network, pixels, answer, target):
            return pixels, step + 1
        if time.monotonic() > end:
            return None, step + 1
    return None, MOST_STEPS


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
    return int(outputs_of(network, digit).argmax())


def _rounded(pixels: NDArray[np.float64]) -> NDArray[np.uint8]:
    rounded: NDArray[np.uint8] = np.rint(pixels).astype(np.uint8).reshape(SIDE, SIDE)
    return rounded


def _slope_of_scaling(network: Network) -> NDArray[np.float64]:
    """Return the derivative of each scaled input by its pixel; scalings are linear."""
    black, white = (
        network.trace(as_inputs(network, np.full((1, PIXELS), value, np.uint8))).x[0].astype(np.float64)
        for value in (0, 255)
    )
    per_level: NDArray[np.float64] = (white - black) / 255
    return per_level
