"""The process of one competitor: commands come in, a line of JSON each, and answers go out (imports its library).

    python -m benchmarks.peers NAME

`benchmarks.workers.Worker` is the other end. What libraries print goes to standard error.
"""

import json
import os
import sys
import traceback
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..points import POINTS
from ..workloads import WORKLOADS, Array, Workload, make_data
from . import COMPETITORS, REFERENCE, Competitor, base


class Session:
    """What the commands do: every method is one, with its arguments by name, and returns its answer.

    Parameters
    ----------
    competitor : Competitor
    """

    def __init__(self, competitor: Competitor) -> None:
        self._threads = competitor.threads
        self._module = import_module(f".{competitor.module}", __package__)
        self._trainer: base.Trainer | None = None
        self._orders: Iterator[NDArray[np.int64]] = iter(())
        self._predictor: base.Predictor | None = None
        self._X: Array = np.empty((0, 0), dtype=np.float32)

    def supports(self, workload: str) -> bool:
        """Whether the library can train this network."""
        answer: bool = self._module.Trainer.supports(find(workload))
        return answer

    def load(self, workload: str, rows: int | None) -> str:
        """Make the data and a network in the place of the last; return what differs from the workload."""
        self._trainer = None  # its memory first
        chosen = find(workload).limited(rows)
        self._trainer = self._module.Trainer(chosen, make_data(chosen), chosen.weights(), self._threads)
        self._orders = chosen.orders()
        return self._trainer.differences(chosen)

    def train(self, epochs: int, times: int) -> list[list[float | None]]:
        """Time so many epochs in a row, so many times; return seconds an epoch, and those that the library recorded."""
        assert self._trainer is not None
        timings: list[list[float | None]] = []
        for _ in range(times):
            seconds = self._trainer.train([next(self._orders) for _ in range(epochs)])
            own = self._trainer.own_seconds
            timings.append([seconds / epochs, None if own is None else own / epochs])
        return timings

    def loss(self) -> float:
        """Mean loss over all training rows."""
        assert self._trainer is not None
        return self._trainer.loss()

    def drop(self) -> None:
        """Forget the network and the data."""
        self._trainer = None

    def load_predictor(self, workload: str, rows: int) -> float:
        """Make a network to predict with, and the rows; return its largest error."""
        chosen = WORKLOADS[workload].limited(rows)
        weights = chosen.weights()
        self._X = make_data(chosen).X
        self._predictor = self._module.Predictor(weights, self._threads)
        difference = self._predictor.predict(self._X) - base.probabilities(weights, self._X)
        return float(abs(difference).max())

    def predict(self, times: int) -> float:
        """Seconds of one prediction for all rows, over so many in a row."""
        assert self._predictor is not None
        return self._predictor.seconds(self._X, times)


def find(name: str) -> Workload:
    """Return a workload, or a point of the landscape, by name."""
    return WORKLOADS[name] if name in WORKLOADS else POINTS[name]


def main() -> int:
    """Serve until there are no more commands; return the exit code."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    name = sys.argv[1]
    session = Session(REFERENCE if name == REFERENCE.name else COMPETITORS[name])
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        try:
            answer = {"answer": getattr(session, command.pop("do"))(**command)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
