"""How competitors are checked and timed (imports workers, workloads and peers)."""

import math
import statistics
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from typing import Any

from .markdown import three_digits
from .peers import OURS, REFERENCE, Competitor
from .workers import Worker
from .workloads import Workload

ROWS_TO_CHECK = 2_000
"""On how many rows losses are compared: enough for a wrong rate, batch or loss to show. Steps blow up the last digits
of float32: the losses of 784-512-512-10 with Adam lie within 0.2 % after two epochs of these, within 1 % after two of
5,000, and within 4 % after one of 60,000."""

TOLERANCE = 0.02
"""By how much a loss may be off; the most that was seen is 0.5 %."""

SLOW, VERY_SLOW = 3.0, 10.0
"""Seconds of a timing, from which on a competitor takes part in two rounds only, or in one."""

TURN, MOST = 0.5, 5
"""Seconds that a turn is filled with timings, and how many it may be: short ones are disturbed more easily."""


class LossError(Exception):
    """A competitor has trained something else than the others."""


@dataclass
class Entrant:
    """A competitor at a workload.

    Attributes
    ----------
    worker : Worker
    differences : str
        What the library does otherwise than the workload says; empty where there is nothing.
    loss : float
        After the epochs of the check.
    expected : float
        Seconds that an epoch of all rows may take.
    timings : list of (float, float or None)
        Seconds of an epoch, and those that the library recorded itself, if it does.
    """

    worker: Worker
    differences: str
    loss: float
    expected: float
    timings: list[tuple[float, float | None]] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the competitor."""
        return self.worker.competitor.name

    @property
    def least(self) -> float:
        """The least seconds of an epoch so far: of the training alone, where the library tells it from the rest."""
        return min((whole if own is None else own for whole, own in self.timings), default=math.inf)


def compare(workloads: Sequence[Workload], competitors: Sequence[Competitor], rounds: int) -> list[dict[str, Any]]:
    """Check and time all workloads.

    Parameters
    ----------
    workloads : sequence of Workload
    competitors : sequence of Competitor
    rounds : int

    Returns
    -------
    list of dict
        What the JSON file holds of each.

    Raises
    ------
    LossError, WorkerError
    """
    with ExitStack() as processes:
        workers = [processes.enter_context(Worker(competitor)) for competitor in competitors]
        reference = processes.enter_context(Worker(REFERENCE))
        return [compare_at(workload, workers, reference, rounds) for workload in workloads]


def compare_at(
    workload: Workload, workers: Sequence[Worker], reference: Worker, rounds: int, rows: int = ROWS_TO_CHECK
) -> dict[str, Any]:
    """Check all who can train this network, on so many rows, and time them; return what `result_of` does.

    Raises
    ------
    LossError, WorkerError
    """
    print(f"{workload.name}, checking losses", file=sys.stderr, flush=True)
    able = [worker for worker in workers if worker.ask("supports", workload=workload.name)]
    entrants = [train_a_part(workload, worker, rows) for worker in able]
    check_losses(workload, train_a_part(workload, reference, rows).loss, entrants)
    for entrant in entrants:
        load(workload, entrant)
    time_epochs(workload, entrants, rounds)
    return result_of(workload, entrants)


def train_a_part(workload: Workload, worker: Worker, rows: int = ROWS_TO_CHECK) -> Entrant:
    """Train on a part of the rows, which also compiles what is to be compiled, and return the loss on it."""
    part = workload.limited(rows)
    differences = worker.ask("load", workload=part.name, rows=part.rows)
    # Twice, since the first time has the compiling in it; and several epochs where one is a single step.
    timings = worker.ask("train", epochs=1 if part.shuffled else part.epochs_a_timing, times=2)
    loss = worker.ask("loss")
    worker.ask("drop")
    return Entrant(worker, differences, loss, timings[-1][0] * workload.rows / part.rows)


def check_losses(workload: Workload, reference: float, entrants: Sequence[Entrant]) -> None:
    """Hold losses against the reference's; those that are not of the same network are left out.

    Raises
    ------
    LossError
        One is off by more than `TOLERANCE`, or not a number.
    """
    off = [
        f"{entrant.name} {entrant.loss:.6g}"
        for entrant in entrants
        if not entrant.differences and not abs(entrant.loss - reference) <= TOLERANCE * reference
    ]
    if off:
        raise LossError(
            f"{workload.name}: the float64 reference has a training loss of {reference:.6g}, but {', '.join(off)}; "
            f"{TOLERANCE:.0%} are allowed"
        )


def load(workload: Workload, entrant: Entrant) -> None:
    """Have all rows loaded, and what is done for the first time be done, unless it takes long."""
    entrant.worker.ask("load", workload=workload.name, rows=workload.rows)
    if workload.epochs_a_timing * entrant.expected <= SLOW:
        entrant.worker.ask("train", epochs=workload.epochs_a_timing, times=1)


def time_epochs(workload: Workload, entrants: Sequence[Entrant], rounds: int) -> None:
    """Let the competitors take turns, and note their timings. Another one begins each round."""
    epochs = workload.epochs_a_timing
    for number in range(rounds):
        begin = number % len(entrants)
        for entrant in (*entrants[begin:], *entrants[:begin]):
            seconds = epochs * (entrant.least if entrant.timings else entrant.expected)
            if number == 0 or number < rounds_for(seconds):
                timings = entrant.worker.ask("train", epochs=epochs, times=times_a_turn(seconds))
                entrant.timings += [(whole, own) for whole, own in timings]
        figures = ", ".join(f"{entrant.name} {three_digits(entrant.least)}" for entrant in entrants)
        print(f"{workload.name}, round {number + 1} of {rounds}: {figures}", file=sys.stderr, flush=True)


def rounds_for(seconds: float) -> float:
    """In how many rounds a competitor takes part whose timings take so long.

    Examples
    --------
    >>> rounds_for(0.1), rounds_for(4.0), rounds_for(14.0)
    (inf, 2, 1)
    """
    return 1 if seconds > VERY_SLOW else 2 if seconds > SLOW else math.inf


def times_a_turn(seconds: float) -> int:
    """How many timings of so many seconds make a turn.

    Examples
    --------
    >>> times_a_turn(0.001), times_a_turn(0.2), times_a_turn(4.0)
    (5, 2, 1)
    """
    return max(1, min(MOST, int(TURN / seconds)))


def result_of(workload: Workload, entrants: Sequence[Entrant]) -> dict[str, Any]:
    """Return what the JSON file holds of a workload.

    Parameters
    ----------
    workload : Workload
    entrants : sequence of Entrant
        fastmlp among them.

    Returns
    -------
    dict
        Of each competitor all timings, least and median; of each library the least; the best of the others that
        train the very same, and how many times faster fastmlp is.
    """
    least: dict[str, float] = {}
    differences: dict[str, str] = {}
    for entrant in entrants:
        library = entrant.worker.competitor.library
        least[library] = min(least.get(library, math.inf), entrant.least)
        if entrant.differences:
            differences[library] = entrant.differences
    others = [library for library in least if library != OURS.library and library not in differences]
    best = min(others, key=least.__getitem__, default=None)
    return {
        **asdict(workload),
        "competitors": {entrant.name: _figures(entrant) for entrant in entrants},
        "seconds_per_epoch": least,
        "differences": differences,
        "best_peer": best,
        "times_faster": None if best is None else least[best] / least[OURS.library],
    }


def _figures(entrant: Entrant) -> dict[str, Any]:
    competitor = entrant.worker.competitor
    whole = [seconds for seconds, _ in entrant.timings]
    recorded = [seconds for _, seconds in entrant.timings if seconds is not None]
    figures = {
        "library": competitor.library,
        "threads": competitor.threads,
        "differences": entrant.differences,
        "loss_of_check": entrant.loss,
        "least": entrant.least,
        "median": statistics.median(whole),
        "seconds": whole,
    }
    return figures | ({"least_whole": min(whole), "recorded_seconds": recorded} if recorded else {})
