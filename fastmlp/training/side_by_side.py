"""Fits of networks that an engine can train side by side, led by one thread (floor 7; imports engines).

Each fit is the loop's own, `loop.training`: here it doesn't train its short epochs but asks for them. The epochs of all
that ask are trained in one call. A fit that ends makes room for the next one.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from ..engines.base import Alike, Epochs, Trained
from .pool import Job

Train = Callable[[Sequence[Epochs]], list[Trained]]


class Led:
    """A fit that is led: it stands where it asks for epochs.

    Parameters
    ----------
    job : Job

    Attributes
    ----------
    asked : Epochs
        What it asks for now, if it is not over.
    """

    asked: Epochs

    def __init__(self, job: Job) -> None:
        self.job = job
        self._training = job.begin()

    def go_on(self, answer: Any) -> bool:
        """Go on with what it asked for, or with the error that came instead; return whether it asks for more."""
        try:
            if isinstance(answer, BaseException):
                self.asked = self._training.throw(answer)
            else:
                self.asked = self._training.send(answer)
        except StopIteration:
            self.job.over = True
        except BaseException as error:
            self.job.error, self.job.over = error, True
        return not self.job.over

    def end(self, error: BaseException) -> None:
        """End the fit, with its epoch undone, by an error that is not its own."""
        try:
            self._training.close()
        finally:
            self.job.error, self.job.over = error, True


def lead(waiting: "deque[Job]", most: int, alone: Callable[..., Trained], alike: Alike) -> None:
    """Lead fits of one kind, `most` at a time, until none is left; an error ends the fit that it is of.

    Parameters
    ----------
    waiting : deque of Job
        Other threads may take from it too.
    most : int
    alone : callable
        `Engine.train_epochs`.
    alike : Alike
        The kind.
    """
    led: list[Led] = []
    train: Train | None = None
    try:
        while True:
            led += _begun(waiting, most - len(led))
            if not led:
                return
            for group in _by_epochs(led):
                asked = [one.asked for one in group]
                if len(asked) > alike.worth and train is None:
                    train = alike.trainer(asked[0])
                for one, answer in zip(group, _trained(asked, alone, train, alike.worth), strict=True):
                    one.go_on(answer)
            led = [one for one in led if not one.job.over]
    except BaseException as error:  # no fit's own: memory is out, say
        for one in led:
            if not one.job.over:
                one.end(error)


def _trained(asked: Sequence[Epochs], alone: Callable[..., Trained], train: Train | None, worth: float) -> list[Any]:
    """Train what fits asked for; return for each the result and the seconds that it took, or the error."""
    started, answers = time.perf_counter(), list[Any]()
    if len(asked) > worth and train is not None:
        try:
            answers = [*train(asked)]
        except BaseException as error:
            return [error] * len(asked)
        seconds = (time.perf_counter() - started) / len(asked)
        return [(answer, seconds) for answer in answers]
    for epochs in asked:
        started = time.perf_counter()
        try:
            answers.append((alone(*epochs), time.perf_counter() - started))
        except BaseException as error:
            answers.append(error)
    return answers


def _begun(waiting: "deque[Job]", room: int) -> Iterable[Led]:
    """Begin fits until so many ask for epochs; one may be over before it asks."""
    while room:
        try:
            job = waiting.popleft()
        except IndexError:
            return
        if not job.run.interrupted:
            one = Led(job)
            if one.go_on(None):
                room -= 1
                yield one


def _by_epochs(led: Sequence[Led]) -> list[list[Led]]:
    """Return those together that ask for as many epochs."""
    groups: dict[int, list[Led]] = {}
    for one in led:
        groups.setdefault(len(one.asked.orders), []).append(one)
    return list(groups.values())
