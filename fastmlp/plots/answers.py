"""What a classifier says to samples, as plots show it (floor 9; imports numpy, checks, errors, training, network).

A model is a `Network`, or an estimator with scikit-learn's methods.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..checks import plain
from ..errors import ArgumentError, ArgumentTypeError
from ..network import Network
from ..training.arguments import default_labels

Array = NDArray[Any]

_LONGEST_NAME = 14


class Answers(NamedTuple):
    """Answers to samples.

    Attributes
    ----------
    labels : ndarray, shape (n,)
    confidence : ndarray, shape (n,)
        The probability of each answer; where outputs are no probabilities, the output itself.
    are_probabilities : bool
    """

    labels: Array
    confidence: Array
    are_probabilities: bool

    def in_words(self, number: int) -> str:
        """Return how sure an answer is, such as ``"98%"``; ``"0.98"`` where outputs are no probabilities."""
        value = float(self.confidence[number])
        return f"{value:.0%}" if self.are_probabilities else f"{value:.2f}"


def answers_of(model: Any, X: Any) -> Answers:
    """Return the answers of a classifier.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The model has no labels to answer with, or can't take the samples.
    """
    classes_of(model)
    labels = np.asarray(model.predict(X))
    probabilities = not isinstance(model, Network) or has_probabilities(model)
    scores = model.predict_proba(X) if probabilities else model(X)
    return Answers(labels, np.asarray(scores).max(axis=1), probabilities)


def has_probabilities(network: Network) -> bool:
    """Return whether the outputs of a classifier are probabilities: those of a softmax, or of one sigmoid.

    Several sigmoids lie between 0 and 1, but all may be small; divided by their sum they would look sure.
    """
    last = network.architecture.layers[-1]
    return last.activation == "softmax" or (last.activation == "sigmoid" and last.units == 1)


def classes_of(model: Any) -> Array:
    """Return the labels of a classifier in the order of its outputs.

    Raises
    ------
    ArgumentError
        It answers with numbers, or with several labels at once.
    ArgumentTypeError
        It is no model.
    """
    if isinstance(model, Network):
        labels = model.labels or default_labels(model.architecture)
        classes = labels.classes if labels.task in ("classes", "binary") else None
    elif hasattr(model, "predict"):
        classes = getattr(model, "classes_", None)
    else:
        raise ArgumentTypeError(f"model must be a Network or a trained estimator, got {type(model).__name__}")
    if not isinstance(classes, np.ndarray):
        raise ArgumentError(
            "model: this plot needs a trained classifier that answers with one label a sample, but this one answers "
            "with numbers or several labels"
        )
    return classes


def network_of(model: Any) -> Network:
    """Return the network of a model.

    Raises
    ------
    ArgumentTypeError
        It is neither a `Network` nor a trained estimator of fastmlp.
    """
    network = getattr(model, "network_", model)
    if not isinstance(network, Network):
        raise ArgumentTypeError(
            f"model must be a Network or a trained estimator of fastmlp, got {type(model).__name__}"
        )
    return network


def true_labels(y: Any, n_rows: int, classes: Array) -> Array:
    """Return the labels that `y` gives, one a row; one-hot rows become labels.

    Raises
    ------
    ArgumentError
        Not one a row.
    """
    given = np.asarray(y)
    if given.ndim == 2 and given.shape[1] == len(classes) > 1:
        given = classes[given.argmax(axis=1)]
    elif given.ndim == 2 and given.shape[1] == 1:
        given = given[:, 0]
    if given.shape != (n_rows,):
        raise ArgumentError(f"y must have a label for each of the {n_rows} rows of X, got the shape {given.shape}")
    return given


def named(label: Any, longest: int = _LONGEST_NAME) -> str:
    """Return a label as text that is short enough for a picture.

    Examples
    --------
    >>> named(np.int64(7)), named("a rather long name")
    ('7', 'a rather long…')
    """
    text = str(plain(label))
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
