"""What a network makes of an image of a digit, and what its neurons look for (floor 10; imports numpy, errors, model,
data, network).
"""

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.samples import is_of_pixels
from ..errors import ArgumentError
from ..model.architecture import Array
from ..network import Network
from . import limits

SIDE = 28
PIXELS = SIDE * SIDE
DIGITS = 10

MOST_LINES = 60
"""Lines between two layers, where not all are sent."""

_ALL_LINES = 400


def check_network(network: Network) -> Network:
    """Return the network if the page can use it: one that tells ten digits of 28 by 28 pixels apart.

    Raises
    ------
    ArgumentError
        It is of another shape or too large.
    """
    built = network.architecture
    if (built.inputs, built.outputs) != (PIXELS, DIGITS):
        raise ArgumentError(
            f"the page shows networks of {PIXELS} inputs and {DIGITS} outputs, for digits of {SIDE} by {SIDE} pixels; "
            f"this one has {built.inputs} and {built.outputs}"
        )
    if len(built.layers) > limits.MAX_HIDDEN_LAYERS + 1 or max(built.sizes[1:]) > limits.MAX_UNITS:
        raise ArgumentError(
            f"the page shows networks of up to {limits.MAX_HIDDEN_LAYERS} hidden layers of up to {limits.MAX_UNITS} "
            f"units; this one is {'-'.join(map(str, built.sizes))}"
        )
    if built.n_parameters > limits.MAX_PARAMETERS:
        raise ArgumentError(
            f"the page shows networks of up to {limits.MAX_PARAMETERS:,} parameters; this one has "
            f"{built.n_parameters:,}"
        )
    return network


def as_inputs(network: Network, pixels: NDArray[np.uint8]) -> Array:
    """Return rows of pixels as the network was trained on them: 0 to 255, or 0 to 1."""
    return pixels if is_of_pixels(network.scaling) else pixels.astype(network.architecture.dtype) / 255


def kind_of_outputs(network: Network) -> str:
    """Return what the outputs are.

    Returns
    -------
    {"probabilities", "sigmoids", "numbers"}
        Probabilities have the sum 1. Sigmoids lie between 0 and 1, each for itself: none of them may be near 1, or
        several. Numbers are whatever the last layer gives.
    """
    activation = network.architecture.layers[-1].activation
    return {"softmax": "probabilities", "sigmoid": "sigmoids"}.get(activation, "numbers")


def names_of_outputs(network: Network) -> list[str]:
    """Return what the ten outputs stand for; 3.0 is a 3."""
    labels = network.labels
    if labels is None or len(labels.classes) != DIGITS:
        return list(map(str, range(DIGITS)))
    known = labels.classes.tolist()
    return [str(int(label) if isinstance(label, float) and label.is_integer() else label)[:20] for label in known]


def digits_of_outputs(network: Network) -> list[int]:
    """Return which digit each output stands for: its label, or its place where that is no number."""
    names = names_of_outputs(network)
    return [int(name) if name.isdecimal() and len(name) < 4 else place for place, name in enumerate(names)]


def look(network: Network, digit: NDArray[np.uint8]) -> dict[str, Any]:
    """Return what a network makes of one digit, as JSON has it.

    Parameters
    ----------
    network : Network
    digit : ndarray of uint8, shape (28, 28)

    Returns
    -------
    dict
        ``answer``, the label of the largest output as text; ``digit``, which it stands for; ``outputs``, the values of
        all; ``kind``, see `kind_of_outputs`; ``labels``, theirs; ``seen``, the pixels as base64; ``layers``, for each
        its activations as base64 of little-endian float32; ``lines``, the strongest products between them.
    """
    with np.errstate(all="ignore"):  # weights that are finite may still overflow
        held = [np.nan_to_num(values) for values in network.activations(as_inputs(network, digit.reshape(1, PIXELS)))]
    outputs, labels = held[-1][0], names_of_outputs(network)
    largest = int(outputs.argmax())
    return {
        "answer": labels[largest],
        "digit": digits_of_outputs(network)[largest],
        "outputs": [round(float(value), 5) for value in outputs],
        "kind": kind_of_outputs(network),
        "labels": labels,
        "seen": as_text(digit),
        "layers": [as_text(values[0].astype("<f4")) for values in held[1:]],
        "lines": lines(network, held),
    }


def lines(network: Network, activations: list[Array]) -> list[list[list[float]]]:
    """Return the strongest products of activation and weight between every two layers after the input.

    Parameters
    ----------
    network : Network
    activations : list of ndarray, shape (1, units)
        Of the input and all layers.

    Returns
    -------
    list
        For every layer but the first hidden one ``[from, to, product]``, the strongest first: all of a small layer, the
        `MOST_LINES` strongest of a large one.
    """
    found = []
    for (W, _), a in zip(network.weights[1:], activations[1:-1], strict=True):
        count = W.size if W.size <= _ALL_LINES else MOST_LINES
        with np.errstate(all="ignore"):
            # So many products, and no fewer neurons that send them: those with the largest product of their own.
            senders = strongest(np.nan_to_num(a[0] * np.maximum(W.max(axis=1), -W.min(axis=1))), count)
            products = np.nan_to_num(a[0, senders, None] * W[senders])
        chosen = strongest(products.ravel(), count)
        rows, columns = np.unravel_index(chosen, products.shape)
        values = products[rows, columns]
        found.append(
            [
                [int(senders[i]), int(j), float(f"{value:.3g}")]
                for i, j, value in zip(rows, columns, values, strict=True)
                if value
            ]
        )
    return found


def strongest(values: Array, count: int) -> NDArray[np.intp]:
    """Return where the values of the largest size stand, the largest first."""
    sizes = np.abs(values)
    some = np.argpartition(-sizes, count - 1)[:count] if count < len(sizes) else np.arange(len(sizes))
    return np.asarray(some[np.argsort(-sizes[some], kind="stable")])


def short_answer(network: Network, digit: NDArray[np.uint8]) -> dict[str, Any]:
    """Return the ``answer`` to a digit, as text, and its ``output``."""
    outputs = outputs_of(network, digit)
    largest = int(outputs.argmax())
    return {"answer": names_of_outputs(network)[largest], "output": round(float(outputs[largest]), 5)}


def outputs_of(network: Network, digit: NDArray[np.uint8]) -> Array:
    """Return the outputs of one digit, bit for bit those that `look` shows."""
    with np.errstate(all="ignore"):
        outputs: Array = np.nan_to_num(network.activations(as_inputs(network, digit.reshape(1, PIXELS)))[-1][0])
    return outputs


def neuron(network: Network, layer: int, unit: int) -> dict[str, Any]:
    """Return what a neuron looks for, as an image.

    Parameters
    ----------
    network : Network
    layer, unit : int
        Counted from 0; the first hidden layer is 0.

    Returns
    -------
    dict
        ``weights``, 784 numbers from -127 to 127 as base64 of int8; ``limit``, what 127 stands for; ``bias``;
        ``direct``, whether they are the neuron's own weights. Those of a deeper layer have no pixels: theirs are
        multiplied with the weights of the layers before, as if these had no activation.
    """
    weights = network.weights
    image = weights[layer][0][:, unit].astype(np.float64)
    with np.errstate(all="ignore"):
        for W, _ in reversed(weights[:layer]):
            image = W.astype(np.float64) @ image
    bias = weights[layer][1]
    return {
        **picture(image),
        "bias": None if bias is None else float(bias[unit]),
        "direct": layer == 0,
        "incoming": int(weights[layer][0].shape[0]),
    }


def first_weights(network: Network) -> dict[str, Any]:
    """Return the weights of the first neurons of the first layer, on a common scale, as `neuron` does for one."""
    W = network.weights[0][0][:, : limits.WEIGHT_IMAGES]
    return {**picture(W.T.astype(np.float64)), "neurons": int(W.shape[1])}


def plain(value: Any) -> float:
    """Return a number as JSON has it: of seven digits, and 0 for what is not finite."""
    return float(f"{float(np.nan_to_num(value)):.7g}")


def picture(values: Array) -> dict[str, Any]:
    """Return numbers as JSON has them: ``weights``, from -127 to 127 as base64 of int8, and ``limit``, what 127 is."""
    values = np.nan_to_num(values)
    limit = float(np.abs(values).max()) or 1.0
    return {"weights": as_text(np.rint(values / limit * 127).astype(np.int8)), "limit": limit}


def as_text(array: Array) -> str:
    """Return an array's bytes as base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
