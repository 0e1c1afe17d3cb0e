"""One step of gradient descent on one digit, with all numbers on the way (floor 10; imports numpy, engines, network).

A forward pass, a backward pass and ``w - rate * dw``: the numbers are those of `Network.trace` and
`Network.check_gradient`, on a copy of the network that the page shows. What a step did is computed anew for each
question, from the network and the number of steps, so there is nothing to keep or to forget.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines.trace import Trace
from ..network import Network
from .looking import PIXELS, as_inputs, as_text, kind_of_outputs, names_of_outputs, picture, plain, strongest

MOST_STEPS = 20
MOST_MOVED = 6
"""Weights that are listed, of those that a step moved."""

_LISTED = 12


@dataclass(frozen=True)
class Question:
    """What is to be learned.

    Attributes
    ----------
    digit : ndarray of uint8, shape (28, 28)
    target : int
        The output that should be the answer.
    rate : float
        Learning rate.
    steps : int
        How many steps were taken already.
    """

    digit: NDArray[np.uint8]
    target: int
    rate: float
    steps: int = 0


class Lesson:
    """A copy of a network that has taken the steps of a question.

    Parameters
    ----------
    network : Network
    question : Question

    Attributes
    ----------
    network : Network
        After the steps.
    X, y
        The digit and its label, as `Network.fit` would take them.
    before, now : Trace
        Before the last step, and now; the same one where there was none.
    """

    def __init__(self, network: Network, question: Question) -> None:
        self.network, self.question = copy.deepcopy(network), question
        self.X = as_inputs(network, question.digit.reshape(1, PIXELS))
        self.y = _targets(network, question.target)
        with np.errstate(all="ignore"):  # a large rate may overflow, and the page shows what comes of it
            self.before = self.now = self.network.trace(self.X, self.y)
            for _ in range(question.steps):
                self.before = self.now
                self._descend()
                self.now = self.network.trace(self.X, self.y)

    def _descend(self) -> None:
        rate = self.question.rate
        stepped = []
        for layer in self.now.layers:
            assert layer.dW is not None
            b = None if layer.b is None or layer.db is None else layer.b - rate * layer.db
            stepped.append((layer.W - rate * layer.dW, b))
        if all(np.isfinite(W).all() and (b is None or np.isfinite(b).all()) for W, b in stepped):
            self.network.set_weights(stepped)

    def told(self) -> dict[str, Any]:
        """Return the passes, and what the last step changed, as JSON has them.

        Returns
        -------
        dict
            ``loss``; ``layers``, each with ``z``, ``a`` and ``delta`` as base64 of little-endian float32; ``kind`` and
            ``labels`` of the outputs. After a step ``before``, with ``loss`` and ``outputs``; and ``moved``, what it
            moved most.
        """
        found: dict[str, Any] = {
            "loss": plain(self.now.loss),
            "loss_name": self.network.architecture.loss,
            "outputs": [plain(value) for value in self.now.outputs[0]],
            "kind": kind_of_outputs(self.network),
            "labels": names_of_outputs(self.network),
            "layers": [
                {name: _floats(getattr(layer, name)) for name in ("z", "a", "delta")} | {"activation": layer.activation}
                for layer in self.now.layers
            ],
        }
        if self.question.steps:
            found["before"] = {
                "loss": plain(self.before.loss),
                "outputs": [plain(value) for value in self.before.outputs[0]],
            }
            found["moved"] = _moved(self.before, self.now)
        return found

    def neuron(self, layer: int, unit: int) -> dict[str, Any]:
        """Return a neuron's weights beside their derivatives, as JSON has them.

        Returns
        -------
        dict
            ``z``, ``a``, ``delta``, ``bias`` and ``db``. Of the first layer ``weights`` and ``slopes``, as pictures; of
            a deeper one ``incoming``, the weights of the largest derivatives: ``unit``, ``a``, ``weight``, ``slope``.
        """
        here = self.now.layers[layer]
        assert here.dW is not None and here.delta is not None
        W, dW = here.W[:, unit], here.dW[:, unit]
        found: dict[str, Any] = {
            "z": plain(here.z[0, unit]),
            "a": plain(here.a[0, unit]),
            "delta": plain(here.delta[0, unit]),
            "bias": None if here.b is None else plain(here.b[unit]),
            "db": None if here.db is None else plain(here.db[unit]),
        }
        if layer == 0:
            return found | {"weights": picture(W), "slopes": picture(dW)}
        incoming = [
            {"unit": int(i), "a": plain(here.a_before[0, i]), "weight": plain(W[i]), "slope": plain(dW[i])}
            for i in strongest(dW, _LISTED)
        ]
        return found | {"incoming": incoming}

    def derivative(self, layer: int, row: int, unit: int) -> dict[str, Any]:
        """Return the derivative of the loss by one weight in two ways, as `Network.check_gradient` finds them."""
        with np.errstate(all="ignore"):
            (checked,) = self.network.check_gradient(self.X, self.y, only=f"W{layer + 1}[{row}, {unit}]").rows
        return {
            "name": f"W{layer + 1}[{row}, {unit}]",
            "weight": plain(self.now.layers[layer].W[row, unit]),
            "backpropagated": plain(checked.backpropagated),
            "numeric": plain(checked.numeric),
            "error": plain(checked.error),
            "step": plain(checked.step),
            "kink": checked.kink,
        }


def _targets(network: Network, target: int) -> Any:
    """Return what `Network.fit` takes for one sample whose right output is this one: its label, or a row of 0 and 1."""
    labels = network.labels
    if labels is not None and labels.task == "classes":
        return [labels.classes[target]]
    return np.eye(network.architecture.outputs)[[target]]


def _moved(before: Trace, now: Trace) -> list[dict[str, Any]]:
    """Return the weights that a step moved most, over all layers."""
    found = []
    for number, (old, new) in enumerate(zip(before.layers, now.layers, strict=True)):
        change = np.nan_to_num(new.W - old.W)
        for place in strongest(change.ravel(), MOST_MOVED):
            row, unit = np.unravel_index(place, change.shape)
            found.append(
                {
                    "layer": number,
                    "row": int(row),
                    "unit": int(unit),
                    "before": plain(old.W[row, unit]),
                    "after": plain(new.W[row, unit]),
                }
            )
    found.sort(key=lambda one: -abs(one["after"] - one["before"]))
    return [one for one in found[:MOST_MOVED] if one["after"] != one["before"]]


def _floats(values: Any) -> str:
    return as_text(np.nan_to_num(values[0]).astype("<f4"))
