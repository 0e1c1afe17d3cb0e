"""What every competitor can do (imports numpy and benchmarks.workloads)."""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..workloads import Array, Data, Weights, Workload

Orders = Sequence[NDArray[np.int64]]


class Trainer(ABC):
    """A network in training, with its data loaded and converted.

    Parameters
    ----------
    workload : Workload
    data : Data
    weights : list of (W, b)
        Where to start.
    threads : {1, None}
        None leaves the number to the library.

    Attributes
    ----------
    own_seconds : float or None
        What the library itself recorded of the last `train`, if it does so.
    """

    own_seconds: float | None = None

    def __init__(self, workload: Workload, data: Data, weights: Weights, threads: int | None) -> None:
        self.workload, self.data = workload, data

    @abstractmethod
    def train(self, orders: Orders) -> float:
        """Train an epoch for each order of the rows, and return the seconds that all of them took together."""

    @abstractmethod
    def outputs(self) -> Array:
        """Return the outputs for all rows; of a softmax the probabilities."""

    def loss(self) -> float:
        """Mean loss over all rows."""
        return mean_loss(self.workload.loss, self.outputs(), self.data.Y)

    @staticmethod
    def differences(workload: Workload) -> str:
        """Say what the library cannot do as the workload says; empty where there is nothing."""
        return ""

    @staticmethod
    def supports(workload: Workload) -> bool:
        """Whether the library can train such a network at all."""
        return True


class Predictor(ABC):
    """A network of ReLU layers and a softmax that answers, from NumPy's float32 to NumPy's float32.

    Parameters
    ----------
    weights : list of (W, b)
    threads : {1, None}
        None leaves the number to the library.
    """

    @abstractmethod
    def __init__(self, weights: Weights, threads: int | None) -> None: ...

    @abstractmethod
    def predict(self, X: Array) -> Array:
        """Probabilities of every row; the array may be overwritten by the next call."""

    def seconds(self, X: Array, times: int) -> float:
        """Seconds of a call, over so many in a row."""
        start = time.perf_counter()
        for _ in range(times):
            self.predict(X)
        return (time.perf_counter() - start) / times


def mean_loss(loss: str, outputs: Array, Y: Array) -> float:
    """Mean over the rows, added up in float64.

    Parameters
    ----------
    loss : {"cross_entropy", "squared_error"}
    outputs, Y : ndarray, shape (rows, outputs)
        Of a cross-entropy the probabilities, and rows that are one-hot.

    Examples
    --------
    >>> mean_loss("squared_error", np.array([[1.0, 3.0]]), np.array([[0.0, 1.0]]))
    2.5
    """
    if loss == "squared_error":
        return float(0.5 * np.square(outputs.astype(np.float64) - Y).sum(axis=1).mean())
    chosen = (outputs.astype(np.float64) * Y).sum(axis=1)
    return float(-np.log(np.maximum(chosen, np.finfo(np.float32).tiny)).mean())


def probabilities(weights: Weights, X: Array) -> Array:
    """What a `Predictor` has to return, in float64."""
    a = X.astype(np.float64)
    for W, b in weights[:-1]:
        a = np.maximum(a @ W + b, 0)
    z = a @ weights[-1][0] + weights[-1][1]
    e = np.exp(z - z.max(axis=1, keepdims=True))
    result: Array = e / e.sum(axis=1, keepdims=True)
    return result
