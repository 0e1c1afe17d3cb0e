"""Networks of `fit_many` as parcels for the workers of an executor (floor 8; imports executors, many, model,
network, training).
"""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .executors import do_by, workers_of
from .model.history import History
from .network import Network
from .training.pool import Job

WORK = 5e10
"""Operations of a parcel, as `training.rules.epoch_work` counts them: some seconds."""

_PARCELS_A_WORKER = 4
"""So many there are at least for each worker, so that none is left alone with much work at the end."""

Result = list[tuple[Network, History, BaseException | None]]


class Parcel(NamedTuple):
    """Some networks, with what they are trained by: the arguments of `fit_many` but for the data."""

    networks: list[Network]
    settings: list[Mapping[str, Any]]
    shared: dict[str, Any]


def train_by(
    executor: Any,
    networks: Sequence[Network],
    data: dict[str, Any],
    settings: Sequence[Mapping[str, Any]],
    shared: dict[str, Any],
    jobs: Sequence[Job],
    look: Callable[[Sequence[Job], float | None], None],
) -> list[int]:
    """Have an executor's workers train networks; return the places of those that were lost.

    Parameters
    ----------
    executor : Executor
    networks : sequence of Network
        Trained in place, when they are back.
    data : dict
        X, y and other tables, by the name that `fit_many` has for them.
    settings, shared
        Its other arguments.
    jobs : sequence of Job
        Of the networks: they say the work, and get history and error.
    look : callable
        See `training.pool.Look`.
    """
    places = _divided(jobs, workers_of(executor))
    # Copies: a worker may be a thread of this process.
    parcels = [
        Parcel([copy.copy(networks[i]) for i in numbers], [settings[i] for i in numbers], shared) for numbers in places
    ]
    started, total, new = time.perf_counter(), sum(job.work for job in jobs) or 1.0, list[Job]()

    def take(parcel: int, result: Result) -> None:
        for number, (network, history, error) in zip(places[parcel], result, strict=True):
            networks[number]._become(network)
            job = jobs[number]
            job.run.history, job.run.epoch, job.error, job.over = history, history.epochs, error, True
            new.append(job)

    def show() -> None:
        share, elapsed = sum(job.done for job in jobs) / total, time.perf_counter() - started
        look(new.copy(), elapsed * (1 / share - 1) if share else None)
        new.clear()

    lost, interrupted = do_by(executor, data, train_parcel, parcels, take, show)
    for job in jobs if interrupted else ():
        if not job.over:
            job.run.history.stop_reason, job.over = "interrupted", True
    return [number for parcel in lost for number in places[parcel]]


def train_parcel(data: dict[str, Any], parcel: Parcel) -> Result:
    """Train the networks of a parcel, in a worker."""
    from .many import fit_many

    fitted = fit_many(parcel.networks, **data, settings=parcel.settings, **parcel.shared)
    return [(one.network, one.history, one.error) for one in fitted]


def _divided(jobs: Sequence[Job], workers: int) -> list[list[int]]:
    """Divide jobs into parcels, those with the most work first."""
    most = min(WORK, sum(job.work for job in jobs) / (_PARCELS_A_WORKER * workers))
    parcels, numbers, work = list[list[int]](), list[int](), 0.0
    for number in sorted(range(len(jobs)), key=lambda number: -jobs[number].work):
        numbers.append(number)
        work += jobs[number].work
        if work >= most:
            parcels.append(numbers)
            numbers, work = [], 0.0
    return [*parcels, numbers] if numbers else parcels
