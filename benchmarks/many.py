"""Many small networks at once: `fit_many` beside JAX's vmap, PyTorch's stacked modules and scikit-learn with joblib.

    python -m benchmarks.many                    three sets of networks; some minutes
    python -m benchmarks.many --sets wine        some of them
    python -m benchmarks.many --rounds 5         more turns (default 3)

Seconds are of an epoch of all networks. JAX and PyTorch only train: their code is compiled, their weights are stacked,
and orders are drawn before the clock starts. fastmlp has two figures: what an epoch more costs, with all that is drawn,
checked and noted in it, from calls of `fit_many` of so many epochs and of twice as many; and the whole call divided by
its epochs. scikit-learn trains each network in a call of `fit`, in as many processes as there are processors, divided
by the epochs too. Networks have the same shapes and first weights, but for scikit-learn's, which are float64. Each is a
process of its own; the least of several rounds counts. The mean training loss that each comes to is printed, since who
trains less is faster.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .compare import count
from .machine import describe, in_words
from .markdown import three_digits

Array = NDArray[Any]


@dataclass(frozen=True)
class Set:
    """Networks of one shape, trained on one table with Adam at its defaults."""

    networks: int
    layers: tuple[int, int, int]
    rows: int
    batch_size: int
    epochs: int
    """Of a timing; scikit-learn has `SLOW_EPOCHS`."""

    def data(self, name: str) -> tuple[Array, Array]:
        """Return samples and labels: scikit-learn's own table of this name, standardized."""
        from sklearn import datasets

        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        places = np.random.default_rng(0).permutation(len(X))[: self.rows]
        X = ((X - X.mean(axis=0)) / (X.std(axis=0) + 1e-6))[places]
        return np.ascontiguousarray(X, np.float32), y[places]


SETS = {
    "digits": Set(256, (64, 32, 10), 1792, 32, 8),
    "wine": Set(512, (13, 16, 3), 128, 16, 64),
    "iris": Set(4096, (4, 8, 3), 150, 150, 64),
}
SLOW_EPOCHS = 10


class Result(NamedTuple):
    """What a trainer came to: seconds of an epoch of all, mean loss, after how many epochs, whole call by epochs."""

    seconds: float
    loss: float
    epochs: int
    whole: float | None = None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    options = _options(arguments)
    if options.who:
        _serve(options.who, options.sets[0])
        return 0
    header = "".join(f"{name:>14}" for name in TRAINERS)
    print(f"{'ms an epoch of all':34}{header}   times faster")
    for name in options.sets:
        found = {who: _measured(who, name, options.rounds) for who in TRAINERS}
        own, chosen = found["fastmlp"]["seconds"], SETS[name]
        shape = "-".join(map(str, chosen.layers))
        cells = "".join(f"{three_digits(1e3 * one['seconds']):>14}" for one in found.values())
        ratios = ", ".join(f"{one['seconds'] / own:.2f}" for who, one in found.items() if who != "fastmlp")
        print(f"{f'{chosen.networks} of {shape}, batch {chosen.batch_size}':34}{cells}   {ratios}")
        losses = ", ".join(f"{who} {one['loss']:.3f} after {one['epochs']}" for who, one in found.items())
        whole = three_digits(1e3 * found["fastmlp"]["whole"])
        print(f"    a whole call of fit_many, by its epochs: {whole}; mean loss: {losses}", flush=True)
    print(in_words(describe()))
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many", description="Many small networks at once.")
    add = parser.add_argument
    add("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="NAME", help=", ".join(SETS))
    add("--rounds", type=count, default=3, metavar="N", help="turns of each (default: 3)")
    add("--who", choices=TRAINERS, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _measured(who: str, name: str, rounds: int) -> dict[str, Any]:
    """Time a trainer in processes of its own, and return the least."""
    best: dict[str, Any] = {"seconds": float("inf")}
    for _ in range(rounds if who != "scikit-learn" else 1):
        command = [sys.executable, "-m", "benchmarks.many", "--who", who, "--sets", name]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        best = min(best, json.loads(done.stdout.splitlines()[-1]), key=lambda one: one["seconds"])
    return best


def _serve(who: str, name: str) -> None:
    print(json.dumps(TRAINERS[who](SETS[name], *SETS[name].data(name))._asdict()))


def _fastmlp(chosen: Set, X: Array, y: Array) -> Result:
    from fastmlp import Network, fit_many

    def train(epochs: int) -> float:
        networks = [Network(list(chosen.layers), seed=seed) for seed in range(chosen.networks)]
        start = time.perf_counter()
        fitted = fit_many(networks, X, y, epochs=epochs, batch_size=chosen.batch_size, verbose=0)
        seconds = time.perf_counter() - start
        losses[:] = [result.history.loss[-1] for result in fitted]
        return seconds

    losses: list[float] = []
    train(2)
    once, twice = (min(train(epochs) for _ in range(3)) for epochs in (chosen.epochs, 2 * chosen.epochs))
    train(chosen.epochs)
    result = Result((twice - once) / chosen.epochs, float(np.mean(losses)), chosen.epochs)
    return result._replace(whole=once / chosen.epochs)


def _weights(chosen: Set) -> list[tuple[Array, Array]]:
    """Return the first weights of all networks, stacked."""
    from fastmlp import Network

    weights = [Network(list(chosen.layers), seed=seed).weights for seed in range(chosen.networks)]
    pairs: list[list[Any]] = [[pair[n] for pair in weights] for n in range(len(chosen.layers) - 1)]
    return [(np.stack([W for W, _ in layer]), np.stack([b for _, b in layer])) for layer in pairs]


def _orders(chosen: Set, generator: np.random.Generator) -> Array:
    """Return the batches of an epoch of every network, (steps, networks, batch)."""
    steps = chosen.rows // chosen.batch_size
    drawn = [generator.permutation(chosen.rows) for _ in range(chosen.networks)]
    return np.stack(drawn)[:, : steps * chosen.batch_size].reshape(chosen.networks, steps, -1).transpose(1, 0, 2)


def _jax(chosen: Set, X: Array, y: Array) -> Result:
    import jax
    import jax.numpy as jnp
    from jax import lax

    rows, labels = jnp.asarray(X), jnp.asarray(y)

    def loss(parameters: Any, chosen_rows: Any) -> Any:
        a = rows[chosen_rows]
        for W, b in parameters[:-1]:
            a = jax.nn.relu(a @ W + b)
        W, b = parameters[-1]
        logs = jax.nn.log_softmax(a @ W + b)
        return -jnp.take_along_axis(logs, labels[chosen_rows][:, None], 1).mean()

    def step(carry: Any, chosen_rows: Any) -> Any:
        parameters, first, second, number = carry
        value, gradient = jax.value_and_grad(loss)(parameters, chosen_rows)
        number = number + 1
        first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
        second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
        rate, scale = 0.001 / (1 - 0.9**number), 1 / (1 - 0.999**number)
        parameters = jax.tree.map(
            lambda p, m, v: p - rate * m / (jnp.sqrt(scale * v) + 1e-8), parameters, first, second
        )
        return (parameters, first, second, number), value

    train = jax.jit(jax.vmap(lambda carry, orders: lax.scan(step, carry, orders), in_axes=(0, 1)))
    parameters = jax.tree.map(jnp.asarray, _weights(chosen))
    zeros = jax.tree.map(jnp.zeros_like, parameters)
    state, generator, best, losses = (
        (parameters, zeros, zeros, jnp.zeros(chosen.networks)),
        np.random.default_rng(0),
        [],
        0,
    )
    for _ in range(chosen.epochs):
        orders = jax.block_until_ready(jnp.asarray(_orders(chosen, generator)))
        start = time.perf_counter()
        state, losses = jax.block_until_ready(train(state, orders))
        best.append(time.perf_counter() - start)
    return Result(min(best[1:]), float(np.mean(losses)), chosen.epochs)


def _pytorch(chosen: Set, X: Array, y: Array) -> Result:
    import torch
    from torch import nn
    from torch.func import functional_call, grad_and_value, stack_module_state, vmap

    def module() -> Any:
        inputs, hidden, outputs = chosen.layers
        return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    stacked, _ = stack_module_state([module() for _ in range(chosen.networks)])
    with torch.no_grad():
        for number, (W, b) in zip((0, 2), _weights(chosen), strict=True):
            stacked[f"{number}.weight"].copy_(torch.from_numpy(W.transpose(0, 2, 1).copy()))
            stacked[f"{number}.bias"].copy_(torch.from_numpy(b))
    skeleton = module().to("meta")
    rows, labels = torch.from_numpy(X), torch.from_numpy(y.astype(np.int64))

    def loss(parameters: Any, a: Any, wanted: Any) -> Any:
        return nn.functional.cross_entropy(functional_call(skeleton, parameters, (a,)), wanted)

    gradients = vmap(grad_and_value(loss))
    optimizer, generator, best = torch.optim.Adam(stacked.values(), 0.001), np.random.default_rng(0), []
    epochs = min(chosen.epochs, SLOW_EPOCHS)
    for _ in range(epochs):
        orders, losses = torch.from_numpy(_orders(chosen, generator).copy()), []
        start = time.perf_counter()
        for batch in orders:
            found, values = gradients(stacked, rows[batch], labels[batch])
            for name, parameter in stacked.items():
                parameter.grad = found[name]
            optimizer.step()
            losses.append(values.detach())
        best.append(time.perf_counter() - start)
    return Result(min(best[1:]), float(torch.stack(losses).mean()), epochs)


def _scikit_learn(chosen: Set, X: Array, y: Array) -> Result:
    from joblib import Parallel, delayed

    with Parallel(n_jobs=os.cpu_count()) as pool:
        pool(delayed(_fit_scikit_learn)(chosen, X, y, seed) for seed in range(8))
        start = time.perf_counter()
        losses = pool(delayed(_fit_scikit_learn)(chosen, X, y, seed) for seed in range(chosen.networks))
        seconds = time.perf_counter() - start
    return Result(seconds / SLOW_EPOCHS, float(np.mean(losses)), SLOW_EPOCHS)


def _fit_scikit_learn(chosen: Set, X: Array, y: Array, seed: int) -> float:
    import warnings

    from sklearn.neural_network import MLPClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it has not converged
        estimator = MLPClassifier(
            chosen.layers[1:-1],
            batch_size=chosen.batch_size,
            max_iter=SLOW_EPOCHS,
            n_iter_no_change=SLOW_EPOCHS,
            alpha=0.0,
            random_state=seed,
        ).fit(X, y)
    return float(estimator.loss_)


TRAINERS: dict[str, Callable[[Set, Array, Array], Result]] = {
    "fastmlp": _fastmlp,
    "JAX": _jax,
    "PyTorch": _pytorch,
    "scikit-learn": _scikit_learn,
}


if __name__ == "__main__":
    sys.exit(main())
