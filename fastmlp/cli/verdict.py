"""Whether a network that was trained has learned anything (floor 11; imports numpy, model, network).

A learning rate that is far too large need not end in numbers that are not finite: weights may stop where every image
gets the same answer, or where the loss is astronomic. Such a network is saved like any other, and has to be told.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..model.history import short
from ..model.losses import Loss
from ..network import Network

_NO_BETTER = 0.995
"""Of the loss of constant answers: batches and validation rows have other shares of the labels than all rows."""


def learned_nothing(
    network: Network, y: NDArray[Any], learning_rate: float | None = None, usual: float | None = None
) -> str | None:
    """Return what to say about a classifier that does no better than one which gives all samples the same answer.

    Parameters
    ----------
    network : Network
        Trained for an epoch at least.
    y : ndarray, shape (n_rows,)
        The labels that it was trained on.
    learning_rate, usual : float, optional
        That of the training, and the one it would have had by default.

    Returns
    -------
    str or None
        None where the network has learned something.
    """
    row = network.history.row()
    loss = min(row["loss"], row.get("val_loss", np.inf))
    constant, most = loss_of_shares(network.architecture.loss_function, y), np.unique(y, return_counts=True)[1].max()
    if loss < _NO_BETTER * constant:
        return None
    guessing = row.get("accuracy", 0.0) <= 1.5 * most / len(y)
    happened = "This network has learned nothing" if guessing else "The training of this network diverged"
    largest = float(np.abs(network.state.parameters).max())
    weights = f" Its weights reach {short(largest)}." if largest > 1000 else ""
    return (
        f"{happened}: its loss is {short(loss)}, where one that always answers with the shares of the labels has "
        f"{short(constant)}.{weights} {_remedy(learning_rate, usual)}"
    )


def loss_of_shares(loss: Loss, y: NDArray[Any]) -> float:
    """Return the mean loss of a network whose outputs are the share of every label, whatever the sample.

    Examples
    --------
    >>> from fastmlp.model.losses import get_loss
    >>> y = np.array([0, 0, 1, 1])
    >>> round(loss_of_shares(get_loss("cross_entropy"), y), 4), loss_of_shares(get_loss("squared_error"), y)
    (0.6931, 0.25)
    """
    counts = np.unique(y, return_counts=True)[1]
    shares = np.clip(counts / counts.sum(), 1e-12, 1 - 1e-12)
    logits = np.log(shares) if loss.output == "softmax" else np.log(shares / (1 - shares))
    targets = np.eye(len(shares))
    every = loss.value(np.tile(logits, (len(shares), 1)), np.tile(shares, (len(shares), 1)), targets)
    return float(every @ shares)


def _remedy(learning_rate: float | None, usual: float | None) -> str:
    if learning_rate is None or usual is None or learning_rate == usual:
        return "Try another --learning-rate, or more --epochs."
    direction = "smaller" if learning_rate > usual else "larger"
    return f"Try a {direction} --learning-rate than {learning_rate:g}, such as {usual:g}."
