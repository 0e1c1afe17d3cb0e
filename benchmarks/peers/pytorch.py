"""PyTorch, eager, on tensors that are loaded once (imports numpy and torch)."""

import time
from typing import Any

import torch
from torch.nn import functional

from ..workloads import Array, Data, Weights, Workload
from . import base

_ACTIVATIONS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "softmax": None,
    "identity": None,
}


class Trainer(base.Trainer):
    """See `base.Trainer`.

    Functions in the place of modules, and weights that lie as (fan_in, fan_out), save a tenth of a small step. Of
    Adam's forms the fused one is the fastest on a CPU, and of gradient descent's, on so few tensors, the plain loop.
    """

    def __init__(self, workload: Workload, data: Data, weights: Weights, threads: int | None) -> None:
        super().__init__(workload, data, weights, threads)
        if threads is not None:
            torch.set_num_threads(threads)
        self._X = torch.from_numpy(data.X)
        self._y = torch.from_numpy(data.given_y if workload.loss == "cross_entropy" else data.Y)
        self._weights = as_tensors(weights, requires_grad=True)
        tensors = [tensor for layer in self._weights for tensor in layer]
        self._optimizer = (
            torch.optim.Adam(tensors, workload.learning_rate, fused=True)
            if workload.optimizer == "adam"
            else torch.optim.SGD(tensors, workload.learning_rate, momentum=workload.momentum, foreach=False)
        )

    def train(self, orders: base.Orders) -> float:
        """See `base.Trainer.train`."""
        converted = [torch.from_numpy(order) for order in orders]
        start = time.perf_counter()
        for order in converted:
            self._epoch(order)
        return time.perf_counter() - start

    def _epoch(self, order: Any) -> None:
        if not self.workload.shuffled:
            self._step(self._X, self._y)
            return
        for rows in order.split(self.workload.batch_size):
            self._step(self._X.index_select(0, rows), self._y.index_select(0, rows))

    def _step(self, X: Any, y: Any) -> None:
        self._optimizer.zero_grad()
        z = self._forward(X)
        if self.workload.loss == "cross_entropy":
            loss = functional.cross_entropy(z, y)
        else:
            loss = functional.mse_loss(z, y, reduction="sum") * (0.5 / len(y))
        loss.backward()
        self._optimizer.step()

    def _forward(self, X: Any) -> Any:
        """Outputs; of a softmax what goes into it."""
        return forward(self._weights, X, _ACTIVATIONS[self.workload.hidden], _ACTIVATIONS[self.workload.output])

    def outputs(self) -> Array:
        """See `base.Trainer.outputs`."""
        with torch.inference_mode():
            z = self._forward(self._X)
            result: Array = (z.softmax(1) if self.workload.output == "softmax" else z).numpy()
        return result


class Predictor(base.Predictor):
    """See `base.Predictor`."""

    def __init__(self, weights: Weights, threads: int | None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self._weights = as_tensors(weights)

    def predict(self, X: Array) -> Array:
        """See `base.Predictor.predict`."""
        with torch.inference_mode():
            result: Array = forward(self._weights, torch.from_numpy(X), torch.relu, None).softmax(1).numpy()
        return result


def as_tensors(weights: Weights, requires_grad: bool = False) -> list[tuple[Any, Any]]:
    """Return copies of the weights as tensors."""
    return [
        (torch.tensor(W, requires_grad=requires_grad), torch.tensor(b, requires_grad=requires_grad)) for W, b in weights
    ]


def forward(weights: list[tuple[Any, Any]], X: Any, hidden: Any, output: Any) -> Any:
    """Run rows through the network; None stands for no activation."""
    a = X
    for number, (W, b) in enumerate(weights, start=1):
        a = torch.addmm(b, a, W)
        activation = output if number == len(weights) else hidden
        if activation is not None:
            a = activation(a)
    return a
