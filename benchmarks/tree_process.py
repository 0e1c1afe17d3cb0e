"""One checkout of fastmlp, trained by its public interface in a process of its own (imports numpy and fastmlp).

    PYTHONPATH=TREE python -P benchmarks/tree_process.py

`two_trees.py` is the other end. The file stands alone, so that the fastmlp of any checkout can run it: it imports no
other file of this folder. Commands come in and answers go out, a line of JSON each; what fastmlp prints goes to
standard error.
"""

import json
import os
import sys
from typing import Any

import numpy as np

import fastmlp


class Training:
    """A network under training.

    Parameters
    ----------
    arrays : str
        An npz file of ``X``, ``y``, and ``W0``, ``b0``, ``W1``, ... to start from.
    network, fit : dict
        Keyword arguments of `Network`, with its ``sizes``, and of `Network.fit`.
    optimizer : dict
        Its class by ``name``, and its keyword arguments.
    """

    def __init__(self, arrays: str, network: dict[str, Any], optimizer: dict[str, Any], fit: dict[str, Any]) -> None:
        given = np.load(arrays)
        self._X, self._y = given["X"], given["y"]
        self._network = fastmlp.Network(network.pop("sizes"), **network)
        layers = sum(name.startswith("W") for name in given.files)
        self._network.set_weights([(given[f"W{n}"], given[f"b{n}"]) for n in range(layers)])
        self._optimizer, self._fit = getattr(fastmlp, optimizer.pop("name"))(**optimizer), fit

    def train(self, epochs: int, times: int) -> list[float]:
        """Call `fit` so many times; return the seconds an epoch of each call, as its history has them."""
        seconds = []
        for _ in range(times):
            history = self._network.fit(
                self._X, self._y, epochs=epochs, optimizer=self._optimizer, verbose=0, **self._fit
            )
            self._loss = float(history["loss"][-1])
            seconds.append(sum(history["seconds"][-epochs:]) / epochs)
        return seconds

    def loss(self) -> float:
        """Training loss of the last epoch."""
        return self._loss


def main() -> None:
    """Serve until there are no more commands."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    print(json.dumps(fastmlp.__file__), file=answers, flush=True)
    training: Training | None = None
    for line in sys.stdin:
        command = json.loads(line)
        name = command.pop("do")
        if name == "load":
            training, answer = None, None  # its memory first
            training = Training(**command)
        else:
            answer = getattr(training, name)(**command)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
