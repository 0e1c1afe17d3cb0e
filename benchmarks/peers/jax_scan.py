"""JAX, a whole epoch in one compiled function (imports numpy and jax)."""

import time
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from ..workloads import Array, Data, Weights, Workload
from . import base

_ACTIVATIONS = {
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "gelu": partial(jax.nn.gelu, approximate=False),
    "silu": jax.nn.silu,
}
_MOMENTS = {"sgd": 0, "momentum": 1, "adam": 2}


class Trainer(base.Trainer):
    """See `base.Trainer`.

    The batches of an epoch are a `lax.scan`, whose parameters are donated: XLA updates them in place. Rows are gathered
    within the scan, with indices promised to be within bounds; that is faster than an epoch's rows gathered at once.
    Full batches go through a loop over the epochs, without an order.
    """

    def __init__(self, workload: Workload, data: Data, weights: Weights, threads: int | None) -> None:
        super().__init__(workload, data, weights, threads)
        jax.config.update("jax_enable_x64", workload.dtype == "float64")
        self._X, self._Y = jnp.array(data.X), jnp.array(data.Y)
        parameters = jax.tree.map(jnp.array, weights)
        moments = [jax.tree.map(jnp.zeros_like, parameters) for _ in range(_MOMENTS[workload.optimizer])]
        self._state = (parameters, moments, jnp.zeros((), workload.dtype))
        self._epoch = jax.jit(self._train_in_batches, donate_argnums=0)
        self._epochs = jax.jit(self._train_on_all, donate_argnums=0)
        self._outputs = jax.jit(
            lambda parameters, X: activated(forward(parameters, X, workload.hidden), workload.output)
        )

    def train(self, orders: base.Orders) -> float:
        """See `base.Trainer.train`."""
        converted = jax.block_until_ready([jnp.array(order.astype(np.int32)) for order in orders])
        start = time.perf_counter()
        if self.workload.shuffled:
            for order in converted:
                self._state = self._epoch(self._state, self._X, self._Y, order)
        else:
            self._state = self._epochs(self._state, self._X, self._Y, len(orders))
        jax.block_until_ready(self._state)
        return time.perf_counter() - start

    def outputs(self) -> Array:
        """See `base.Trainer.outputs`."""
        return np.asarray(self._outputs(self._state[0], self._X))

    def _train_in_batches(self, state: Any, X: Any, Y: Any, order: Any) -> Any:
        def step(state: Any, rows: Any) -> Any:
            batch = (array.at[rows].get(mode="promise_in_bounds") for array in (X, Y))
            return self._step(state, *batch), None

        size = self.workload.batch_size
        whole = len(order) // size * size
        state, _ = lax.scan(step, state, order[:whole].reshape(-1, size))
        return step(state, order[whole:])[0] if whole < len(order) else state

    def _train_on_all(self, state: Any, X: Any, Y: Any, epochs: Any) -> Any:
        return lax.fori_loop(0, epochs, lambda _, state: self._step(state, X, Y), state)

    def _step(self, state: Any, X: Any, Y: Any) -> Any:
        parameters, moments, step = state
        gradient = jax.grad(self._loss)(parameters, X, Y)
        rate = self.workload.learning_rate
        if self.workload.optimizer == "sgd":
            return jax.tree.map(lambda p, g: p - rate * g, parameters, gradient), moments, step
        if self.workload.optimizer == "momentum":
            velocity = jax.tree.map(lambda v, g: self.workload.momentum * v + g, moments[0], gradient)
            return jax.tree.map(lambda p, v: p - rate * v, parameters, velocity), [velocity], step
        step += 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, moments[0], gradient)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, moments[1], gradient)
        corrected, scale = rate / (1 - 0.9**step), 1 / (1 - 0.999**step)
        update = jax.tree.map(
            lambda p, m, v: p - corrected * m / (jnp.sqrt(scale * v) + 1e-8), parameters, first, second
        )
        return update, [first, second], step

    def _loss(self, parameters: Any, X: Any, Y: Any) -> Any:
        z = forward(parameters, X, self.workload.hidden)
        if self.workload.loss == "cross_entropy":
            return -jnp.mean(jnp.sum(Y * jax.nn.log_softmax(z), axis=1))
        return 0.5 * jnp.mean(jnp.sum((activated(z, self.workload.output) - Y) ** 2, axis=1))


class Predictor(base.Predictor):
    """See `base.Predictor`."""

    def __init__(self, weights: Weights, threads: int | None) -> None:
        self._weights = jax.tree.map(jnp.array, weights)
        self._forward = jax.jit(lambda weights, X: jax.nn.softmax(forward(weights, X, "relu")))

    def predict(self, X: Array) -> Array:
        """See `base.Predictor.predict`."""
        return np.asarray(self._forward(self._weights, X))


def forward(parameters: Any, X: Any, hidden: str) -> Any:
    """Run rows through the network, up to the last layer's activation."""
    a = X
    for W, b in parameters[:-1]:
        a = _ACTIVATIONS[hidden](a @ W + b)
    W, b = parameters[-1]
    return a @ W + b


def activated(z: Any, output: str) -> Any:
    """Apply the last layer's activation."""
    if output == "softmax":
        return jax.nn.softmax(z)
    return z if output == "identity" else _ACTIVATIONS[output](z)
