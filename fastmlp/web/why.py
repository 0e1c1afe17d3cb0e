"""How a neuron gets its number, and what speaks for an answer (floor 10; imports numpy, engines, model, network).

All numbers are those of `Network.trace`. A product is a neuron's input times its weight; the sum of all products and
the bias is ``z``. Pixels speak for a deeper neuron through the layers between: a pixel's share is the derivative of
``z`` by the pixel, times the pixel. For networks of relu these shares and the biases add up to ``z``.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines.trace import LayerTrace, Trace
from ..model.activations import get_activation
from ..model.architecture import Array
from ..network import Network
from .looking import PIXELS, as_inputs, kind_of_outputs, names_of_outputs, picture, plain, strongest

STRONGEST = 12
"""Incoming connections that are listed, and neurons for and against an answer together."""


def why(network: Network, digit: NDArray[np.uint8], layer: int, unit: int) -> dict[str, Any]:
    """Return how a neuron gets its number from one digit, as JSON has it.

    Parameters
    ----------
    network : Network
    digit : ndarray of uint8, shape (28, 28)
    layer, unit : int
        Counted from 0; the first hidden layer is 0.

    Returns
    -------
    dict
        ``z``, ``a``, ``bias`` and ``activation``; ``positive`` and ``negative``, the sums of products of either sign;
        ``shares``, what each pixel contributes, as a picture; ``incoming``, the strongest products of a deeper layer,
        each with its ``unit``, ``a``, ``weight`` and ``product``, and ``rest``, the sum of the others. Of an output
        also ``against``: see `_against`.
    """
    with np.errstate(all="ignore"):
        traced = network.trace(as_inputs(network, digit.reshape(1, PIXELS)))
        here = traced.layers[layer]
        products = here.a_before[0] * here.W[:, unit]
        found: dict[str, Any] = {
            "z": plain(here.z[0, unit]),
            "a": plain(here.a[0, unit]),
            "bias": None if here.b is None else plain(here.b[unit]),
            "activation": here.activation,
            "positive": plain(products[products > 0].sum()),
            "negative": plain(products[products < 0].sum()),
            "shares": picture(products if layer == 0 else shares(traced, layer, _one(here, unit))),
            "incoming": [],
            "rest": 0.0,
        }
        if layer:
            most = strongest(products, STRONGEST)
            found["incoming"] = [
                {
                    "unit": int(i),
                    "a": plain(here.a_before[0, i]),
                    "weight": plain(here.W[i, unit]),
                    "product": plain(products[i]),
                }
                for i in most
            ]
            found["rest"] = plain(products.sum() - products[most].sum())
        if layer == len(traced.layers) - 1:
            found["against"] = _against(network, traced, unit)
    return found


def _against(network: Network, traced: Trace, unit: int) -> dict[str, Any]:
    """Compare an output with the runner-up, or with the answer, where it isn't the answer itself.

    Returns
    -------
    dict
        ``unit`` and ``label`` of the other output; ``difference``, of both values of ``z``; ``terms``, the neurons of
        the layer before whose products differ most, each with its ``unit`` and ``difference``; ``bias``, the difference
        of both biases; ``shares``, the pixels' part in the difference; ``lit``, whether any sigmoid output is above
        0.5, None where outputs are no sigmoids.
    """
    last = traced.layers[-1]
    order = np.argsort(-last.z[0], kind="stable")
    other = int(order[1] if order[0] == unit else order[0])
    differences = last.a_before[0] * (last.W[:, unit] - last.W[:, other])
    direction = _one(last, unit) - _one(last, other)
    lit = bool((last.a[0] >= 0.5).any()) if kind_of_outputs(network) == "sigmoids" else None
    return {
        "unit": other,
        "label": names_of_outputs(network)[other],
        "difference": plain(last.z[0, unit] - last.z[0, other]),
        "terms": []
        if len(traced.layers) == 1
        else [{"unit": int(i), "difference": plain(differences[i])} for i in strongest(differences, STRONGEST)],
        "bias": 0.0 if last.b is None else plain(last.b[unit] - last.b[other]),
        "shares": picture(shares(traced, len(traced.layers) - 1, direction)),
        "lit": lit,
    }


def shares(traced: Trace, layer: int, direction: Array) -> Array:
    """Return each pixel's share in ``z @ direction`` of a layer: the derivative by the pixel, times the pixel."""
    share: Array = (slope(traced, layer, direction) * traced.x)[0]
    return share


def slope(traced: Trace, layer: int, direction: Array) -> Array:
    """Return the derivative of ``z @ direction`` of a layer by the scaled inputs, shape (n, inputs).

    Parameters
    ----------
    traced : Trace
        Of one sample.
    layer : int
    direction : ndarray, shape (n, units)
        One a row.
    """
    back: Array = direction @ traced.layers[layer].W.T
    for before in reversed(traced.layers[:layer]):
        back = get_activation(before.activation).backward(before.z, before.a, back) @ before.W.T
    return back


def _one(layer: LayerTrace, unit: int) -> Array:
    direction = np.zeros((1, layer.z.shape[1]), layer.z.dtype)
    direction[0, unit] = 1
    return direction
