"""What fastmlp and other libraries are compared on: seven networks with their data (imports numpy and fastmlp)."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastmlp import SGD, Adam, Network, load_mnist
from fastmlp.data.samples import Scaling

Array = NDArray[Any]
Weights = list[tuple[Array, Array]]

SEED = 0
PIXELS = {"pixels": Scaling.pixels(), "centred_pixels": Scaling.pixels(-1.0, 1.0)}


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A network, what it is trained on, and how.

    Attributes
    ----------
    name : str
    sizes : tuple of int
        Inputs and units of every layer.
    hidden, output, loss : str
        In fastmlp's terms: squared_error is half the squared norm of a row's error, averaged over the batch.
    optimizer : {"sgd", "momentum", "adam"}
        Gradient descent without momentum or with one of 0.9, or Adam with fastmlp's defaults.
    learning_rate : float
    batch_size : int
        The last batch of an epoch may be smaller.
    rows : int
        Of MNIST's training rows the first so many, or as many of a table of normal numbers.
    scaling : {"pixels", "centred_pixels"} or None
        What happens to MNIST's pixels; None stands for the table.
    target_ratio : float, default 1
        How many times faster than the best other library fastmlp aims to be.
    epochs_a_timing : int
        How many are timed together, in one call of `Network.fit`, where one is so short that what a call does once,
        checking rows and finding their non-zeros, would count as much as the training.
    dtype : {"float32", "float64"}
        Of the parameters, and of the table.
    density : float in (0, 1]
        Share of the table's numbers that are not zero.
    """

    name: str
    sizes: tuple[int, ...]
    hidden: str
    output: str
    loss: str
    optimizer: str
    learning_rate: float
    batch_size: int
    rows: int
    scaling: str | None
    target_ratio: float = 1.0
    epochs_a_timing: int = 1
    dtype: str = "float32"
    density: float = 1.0

    @property
    def shape(self) -> str:
        """The sizes as people write them: ``"784-30-10"``."""
        return "-".join(map(str, self.sizes))

    @property
    def classifies(self) -> bool:
        """Whether the targets are labels rather than numbers."""
        return self.scaling is not None or self.loss == "cross_entropy"

    @property
    def shuffled(self) -> bool:
        """Whether rows come in a new order each epoch; where one batch holds them all there is no order."""
        return self.batch_size < self.rows

    def limited(self, rows: int | None) -> "Workload":
        """Return the workload with at most so many rows; None leaves it as it is.

        Examples
        --------
        >>> WORKLOADS["T4"].limited(500).rows
        500
        """
        return self if rows is None else replace(self, rows=min(rows, self.rows))

    def network(self, dtype: str | None = None) -> Network:
        """Return fastmlp's network, always with the same weights; of another dtype on request."""
        return Network(
            list(self.sizes),
            hidden=self.hidden,
            output=self.output,
            loss=self.loss,
            scaling=self.scaling,
            dtype=dtype or self.dtype,
            seed=SEED,
        )

    def weights(self) -> Weights:
        """Return what every competitor starts from: ``W`` (fan_in, fan_out) and ``b`` of each layer."""
        return [(np.array(W, order="C"), np.array(b)) for W, b in self.network().weights]

    def own_optimizer(self) -> SGD | Adam:
        """Return fastmlp's optimizer."""
        if self.optimizer == "adam":
            return Adam(self.learning_rate)
        return SGD(self.learning_rate, momentum=self.momentum)

    @property
    def momentum(self) -> float:
        """Of gradient descent."""
        return 0.9 if self.optimizer == "momentum" else 0.0

    def orders(self) -> Iterator[NDArray[np.int64]]:
        """Yield the order of the rows of each epoch: what `Network.fit` draws from the network's generator."""
        generator = self.network().state.generator
        while True:
            yield generator.permutation(self.rows) if self.shuffled else np.arange(self.rows)


class Data(NamedTuple):
    """The rows of a workload, as fastmlp is given them and as everybody else is."""

    given_X: Array
    """Pixels of uint8, which the network scales itself, or the table."""
    given_y: Array
    """Labels, or numbers of shape (rows, outputs)."""
    X: Array
    """Scaled, of the workload's dtype, shape (rows, inputs)."""
    Y: Array
    """One-hot rows or numbers, of the workload's dtype, shape (rows, outputs)."""


def make_data(workload: Workload) -> Data:
    """Return the rows of a workload; always the same."""
    if workload.scaling is None:
        X, Y = _table(workload)
        if not workload.classifies:
            return Data(X, Y, X, Y)
        labels = Y.argmax(axis=1)
        return Data(X, labels, X, _one_hot(workload, labels))
    pixels, labels = (array[: workload.rows] for array in _digits())
    return Data(pixels, labels, PIXELS[workload.scaling].apply(pixels, np.float32), _one_hot(workload, labels))


def _one_hot(workload: Workload, labels: Array) -> Array:
    rows: Array = np.eye(workload.sizes[-1], dtype=workload.dtype)[labels]
    return rows


@cache
def _digits() -> tuple[Array, Array]:
    digits = load_mnist()
    return digits.X_train, digits.y_train


def _table(workload: Workload) -> tuple[Array, Array]:
    """Normal numbers, or zeros, and waves of them, with some noise, to learn."""
    generator = np.random.default_rng(SEED)
    inputs, outputs = workload.sizes[0], workload.sizes[-1]
    directions = generator.normal(size=(inputs, 4, outputs)) / np.sqrt(inputs)
    X = generator.standard_normal((workload.rows, inputs), dtype=np.float32)
    if workload.density < 1:
        X[generator.random(X.shape, dtype=np.float32) >= workload.density] = 0
    waves = np.sin(np.tensordot(X, directions, 1)).sum(axis=1)
    noise = 0.1 * generator.normal(size=waves.shape)
    return X.astype(workload.dtype, copy=False), np.ascontiguousarray(waves + noise, dtype=workload.dtype)


_CLASSIFIER: dict[str, Any] = {"hidden": "relu", "output": "softmax", "loss": "cross_entropy", "scaling": "pixels"}
_SIGMOIDS: dict[str, Any] = {"hidden": "sigmoid", "output": "sigmoid", "loss": "squared_error"}
_REGRESSION: dict[str, Any] = {"output": "identity", "loss": "squared_error", "scaling": None}
_ADAM: dict[str, Any] = {"optimizer": "adam", "learning_rate": 0.001}

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload(
            name="N30",
            sizes=(784, 30, 10),
            **_SIGMOIDS,
            scaling="pixels",
            optimizer="sgd",
            learning_rate=3.0,
            batch_size=10,
            rows=50_000,
            target_ratio=10,
            epochs_a_timing=5,
        ),
        Workload(
            name="R50",
            sizes=(784, 50, 10),
            **_SIGMOIDS,
            scaling="centred_pixels",
            optimizer="sgd",
            learning_rate=0.1,
            batch_size=100,
            rows=55_000,
            target_ratio=8,
            epochs_a_timing=5,
        ),
        Workload(
            name="S128",
            sizes=(784, 128, 10),
            **_CLASSIFIER,
            optimizer="sgd",
            learning_rate=0.01,
            batch_size=1,
            rows=60_000,
            target_ratio=8,
        ),
        Workload(
            name="K128",
            sizes=(784, 128, 128, 10),
            **_CLASSIFIER,
            **_ADAM,
            batch_size=128,
            rows=48_000,
            target_ratio=4,
        ),
        Workload(
            name="W512",
            sizes=(784, 512, 512, 10),
            **_CLASSIFIER,
            **_ADAM,
            batch_size=128,
            rows=60_000,
            target_ratio=2.4,
        ),
        Workload(
            name="D256",
            sizes=(64, 256, 256, 1),
            hidden="relu",
            **_REGRESSION,
            **_ADAM,
            batch_size=256,
            rows=100_000,
            target_ratio=1.6,
        ),
        Workload(
            name="T4",
            sizes=(4, 32, 16, 4),
            hidden="tanh",
            **_REGRESSION,
            **_ADAM,
            batch_size=10_000,
            rows=10_000,
            target_ratio=4,
            epochs_a_timing=10,
        ),
    )
}
"""Every workload by name: after Nielsen's and Raschka's books, a network written from scratch, Keras' tutorials, a wide
network, a table, and a tiny network with all its rows in one batch."""
