"""The end of a classifier in ONNX, as skl2onnx writes it (floor 6; imports numpy, model, data).

After the last activation stand nodes that no layer is: ``Concat(1 - p, p)`` makes two probabilities of one, ``ZipMap``
of the domain ai.onnx.ml makes dictionaries from label to probability, and beside them ``ArrayFeatureExtractor`` picks
the label of the largest. Of all of these only the labels are of interest here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.targets import Labels
from ..model.architecture import Architecture, Array
from .npz import WrongContentError

DOMAIN = "ai.onnx.ml"


@dataclass
class Ending:
    """What was found behind the last activation.

    Attributes
    ----------
    name : str
        The tensor that the last activation, or the last weights, give.
    classes : ndarray or None
        The labels that the file names, as they stand there.
    doubled : bool
        Whether the probability of the first of two labels was made of that of the second.
    binarized : bool
        Whether every output is held against a threshold, as where a row may have several labels.
    """

    name: str
    classes: Array | None = None
    doubled: bool = False
    binarized: bool = False

    def labels(self, architecture: Architecture) -> Labels | None:
        """Return what the outputs stand for, as far as the file says so.

        Raises
        ------
        WrongContentError
            There are more or fewer labels than outputs, or some that are alike or out of order.
        """
        if self.classes is None:
            return Labels("multilabel", np.arange(architecture.outputs)) if self.binarized else None
        binary = architecture.outputs == 1
        expected = 2 if binary else architecture.outputs
        different = len(np.unique(self.classes)) == len(self.classes)
        if len(self.classes) != expected or not different or not (self.classes[:-1] <= self.classes[1:]).all():
            raise WrongContentError(
                f"its classifier must name {expected} different labels in ascending order, as many as outputs"
            )
        if binary:
            return Labels("binary", self.classes)
        if architecture.layers[-1].activation == "softmax":
            return Labels("classes", self.classes)
        return Labels("multilabel", self.classes)


def ending(
    output: str, makers: Mapping[str, Any], constant: Callable[[str], Any | None], attribute: Callable[..., Any]
) -> Ending:
    """Go back from an output over what only a classifier has.

    Parameters
    ----------
    output : str
        Of the graph: of the probabilities, not of the labels.
    makers : mapping
        The name of a tensor to the node that makes it.
    constant : callable
        Gives the tensor of a name, or None where it is no constant.
    attribute : callable
        Gives an attribute of a node: (node, name, default).
    """
    found = Ending(output)
    maker = makers.get(output)
    if maker is not None and (maker.op_type, maker.domain) == ("ZipMap", DOMAIN) and len(maker.input) == 1:
        numbers, texts = attribute(maker, "classlabels_int64s", []), attribute(maker, "classlabels_strings", [])
        found = Ending(maker.input[0], _texts(texts) if texts else np.array(numbers, dtype=np.int64))
    else:
        found.classes = _picked(makers, constant)
        found.binarized = any((node.op_type, node.domain) == ("Binarizer", DOMAIN) for node in makers.values())
    maker = makers.get(found.name)
    for _ in range(len(makers)):  # forged ones may go round in a circle
        if maker is None or maker.op_type != "Identity" or len(maker.input) != 1:
            break
        found.name = maker.input[0]
        maker = makers.get(found.name)
    if maker is not None and maker.op_type == "Concat" and len(maker.input) == 2:
        other, name = maker.input
        rest = makers.get(other)
        if rest is not None and rest.op_type == "Sub" and [*rest.input][1:] == [name]:
            one = constant(rest.input[0])
            if one is not None and one.size == 1 and one.item() == 1 and attribute(maker, "axis", None) in (1, -1):
                found.name, found.doubled = name, True
    return found


def _picked(makers: Mapping[str, Any], constant: Callable[[str], Any | None]) -> Array | None:
    """The labels among which a classifier without ZipMap picks."""
    for node in makers.values():
        if (node.op_type, node.domain) == ("ArrayFeatureExtractor", DOMAIN) and len(node.input) == 2:
            classes = constant(node.input[0])
            if classes is not None and classes.ndim == 1 and classes.dtype.kind in "iO":
                return classes if classes.dtype.kind == "i" else _texts(classes.tolist())
    return None


def _texts(texts: list[Any]) -> Array:
    # NumPy gives every text the room of the longest: a file of many short ones and a long one would take far more.
    decoded = [text.decode("utf-8") if isinstance(text, bytes) else str(text) for text in texts]
    if len(decoded) * max(map(len, decoded)) > 4 * sum(map(len, decoded)) + 4096:
        return np.array(decoded, dtype=object)
    return np.array(decoded)
