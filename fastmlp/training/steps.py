"""Callbacks within an epoch: a call of the engine is divided where a callback is due (floor 7; imports numpy,
engines).

An engine trains any number of steps in one call, and a call may end after any step without a change of the weights'
bits. So a callback costs what a shorter call costs, and nothing where no callback asks for steps.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from ..engines.base import Score
from .callbacks import Callback, FitRun, Steps, steps_between_calls
from .rules import Call


def watches_steps(callbacks: Sequence[Callback]) -> bool:
    """Whether a callback is to be called within epochs."""
    return any(steps_between_calls(callback) is not None for callback in callbacks)


class _Interval:
    """The steps since the last call of one callback.

    Parameters
    ----------
    callback : Callback
    every : int
        Steps between two calls.
    """

    def __init__(self, callback: Callback, every: int) -> None:
        self.callback, self.every = callback, every
        self.clear()

    def clear(self) -> None:
        """Start anew."""
        self.count = 0
        self._loss = self._correct = self._weight = 0.0

    def add(self, count: int, score: Score, weight: float) -> None:
        """Add some steps: the mean loss and accuracy of their samples, which count this much together."""
        self.count += count
        if weight > 0:
            self._loss += weight * float(score.loss)
            self._correct += weight * float(score.accuracy)
            self._weight += weight

    def told(self, in_epoch: int, loss_share: float) -> Steps:
        """Return what the callback is told."""
        if not self._weight:
            return Steps(self.count, in_epoch)
        return Steps(self.count, in_epoch, loss_share * self._loss / self._weight, self._correct / self._weight)


class StepWatch:
    """Calls `Callback.on_steps` in one epoch.

    Parameters
    ----------
    run : FitRun
    callbacks : sequence of Callback
        All of the fit.
    loss_share : float, default 1.0
        By what losses are multiplied where they are shown.

    Attributes
    ----------
    seconds : float
        Spent in callbacks.
    """

    def __init__(self, run: FitRun, callbacks: Sequence[Callback], loss_share: float = 1.0) -> None:
        self._run, self._loss_share = run, loss_share
        intervals = ((callback, steps_between_calls(callback)) for callback in callbacks)
        self._intervals = [_Interval(callback, every) for callback, every in intervals if every is not None]
        self._errors = np.geterr()  # those of whoever called `fit`
        self._done = 0
        self.seconds = 0.0

    def __bool__(self) -> bool:
        """Whether there is a callback to call."""
        return bool(self._intervals)

    def parts(self, call: Call, batch_size: int) -> Iterator[Call]:
        """Divide a call of the engine, so that each part ends where a callback is due, or where the call ends.

        Parameters
        ----------
        call : Call
            The next one of the epoch, or of a block of it.
        batch_size : int
        """
        first, last = call.steps.start, call.steps.stop
        ends, before = {first, last}, self._done - first  # steps of earlier blocks
        for interval in self._intervals:
            next_end = (self._done // interval.every + 1) * interval.every - before
            ends.update(range(next_end, last, interval.every))
        for start, stop in pairwise(sorted(ends)):
            yield _part(call, start - first, stop - first, batch_size)

    def add(self, call: Call, score: Score, weight: float) -> None:
        """Note what the engine did in a part, and call whoever is due."""
        steps = call.steps.stop - call.steps.start
        self._done += steps
        for interval in self._intervals:
            interval.add(steps, score, weight)
        self._call([interval for interval in self._intervals if self._done % interval.every == 0])

    def end(self) -> None:
        """Call those that have not been called since the epoch's last step."""
        self._call([interval for interval in self._intervals if interval.count])

    def _call(self, due: Sequence[_Interval]) -> None:
        if not due:
            return
        started = time.perf_counter()
        with np.errstate(**self._errors):
            for interval in due:
                self._run.steps = interval.told(self._done, self._loss_share)
                interval.clear()
                interval.callback.on_steps(self._run)
        self.seconds += time.perf_counter() - started
        if self._run.interrupted:  # by a callback, say, which has seen enough
            raise KeyboardInterrupt


def _part(call: Call, first: int, last: int, batch_size: int) -> Call:
    """Return the steps from `first` to before `last` of a call."""
    places, steps = call.places.start, call.steps.start
    return Call(
        slice(places + first * batch_size, min(places + last * batch_size, call.places.stop)),
        slice(steps + first, steps + last),
        call.architecture,
        None if call.penalties is None else call.penalties[first:last],
    )
