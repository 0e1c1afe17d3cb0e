"""Networks that the workers of an executor train, in other processes or on other machines (floor 8; imports checks,
errors, many, model, network, training).

Work travels in chunks that take some seconds. Data travel to a worker when it asks for them, and it keeps them for the
next chunks. So any executor will do that has the `submit` of `concurrent.futures`.
"""

import copy
import os
import pickle
import threading
import time
import uuid
import warnings
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from .checks import plain
from .errors import ArgumentError, ArgumentTypeError
from .model.history import History
from .network import Network
from .training.pool import Job

CHUNK = 5e10
"""Operations of a chunk, as `training.rules.epoch_work` counts them: some seconds."""

_CHUNKS_A_WORKER = 4
"""So many chunks there are at least for each worker, so that none is left alone with much work at the end."""

_DATA_KEPT = 2
"""Data sets that a worker keeps."""

_TRIES = 2
_LOOK = 0.2
_PATIENCE = 10.0
"""Seconds that workers have to give back what was under way, after Ctrl-C."""

Reply = list[tuple[Network, History, BaseException | None]]


@dataclass
class Chunk:
    """Some of the networks, with what they are trained by.

    Attributes
    ----------
    numbers : list of int
        Their places among all.
    networks : list of Network
    settings : list of mapping
    shared : dict
        Arguments of `fit_many` but for the data.
    tries : int
        How often it was lost.
    """

    numbers: list[int]
    networks: list[Network]
    settings: list[Mapping[str, Any]]
    shared: dict[str, Any]
    tries: int = 0


def check_executor(executor: Any) -> Any:
    """Return an executor, or say that it is none.

    Raises
    ------
    ArgumentTypeError
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ArgumentTypeError(
            f"executor must have a method submit, such as a ProcessPoolExecutor; got {plain(executor)!r}"
        )
    return executor


def check_travels(settings: Sequence[Mapping[str, Any]], shared: Mapping[str, Any]) -> None:
    """Say so when an argument can't be sent to another process.

    Raises
    ------
    ArgumentError
        It can't be pickled, such as a lambda.
    """
    for number, given in enumerate([shared, *settings]):
        for name, value in given.items():
            try:
                pickle.dumps(value)
            except Exception as error:
                where = name if number == 0 else f"settings[{number - 1}][{name!r}]"
                raise ArgumentError(
                    f"{where} can't travel to another process ({error}); use functions and classes of a module, and no "
                    "lambda, or leave out executor"
                ) from None


def train_by(
    executor: Any,
    networks: Sequence[Network],
    data: Mapping[str, Any],
    settings: Sequence[Mapping[str, Any]],
    shared: dict[str, Any],
    jobs: Sequence[Job],
    look: Callable[[Sequence[Job], float | None], None],
) -> list[int]:
    """Have an executor's workers train networks; return the places of those that nobody has trained.

    On Ctrl-C chunks that no worker has begun are dropped, and the others have some seconds to come back.

    Parameters
    ----------
    executor : Executor
    networks : sequence of Network
        Trained in place, when their chunk is back.
    data : mapping
        X, y and other tables, by the name that `fit_many` has for them.
    settings, shared
        Its other arguments.
    jobs : sequence of Job
        Of the networks: they have the work, and get history and error.
    look : callable
        See `training.pool.Look`.
    """
    workers = int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1)
    waiting = deque(_chunks(networks, settings, shared, jobs, workers))
    errand = _Errand(executor, dict(data), 2 * workers)
    started, total = time.perf_counter(), sum(job.work for job in jobs) or 1.0
    lost: list[int] = []
    try:
        while waiting or errand.under_way:
            while waiting and errand.has_room:
                chunk = waiting.popleft()
                if not errand.send(chunk):
                    lost += chunk.numbers
            back = errand.back(_LOOK)
            finished = list[Job]()
            if back is not None:
                chunk, reply = back
                if reply is not None:
                    finished = _take(chunk, reply, networks, jobs)
                elif chunk.tries < _TRIES and not errand.is_broken:
                    waiting.append(chunk)
                else:
                    lost += chunk.numbers
            share = sum(job.done for job in jobs) / total
            elapsed = time.perf_counter() - started
            look(finished, elapsed * (1 / share - 1) if share else None)
    except KeyboardInterrupt:
        for chunk, reply in errand.give_up(_PATIENCE):
            _take(chunk, reply, networks, jobs)
        for job in jobs:
            if not job.over:
                job.run.history.stop_reason, job.over = "interrupted", True
        return []
    return lost


class _Errand:
    """Chunks that are with an executor.

    Parameters
    ----------
    executor : Executor
    data : dict
    most : int
        So many chunks are with it at a time.

    Attributes
    ----------
    is_broken : bool
        Whether it takes no more.
    """

    def __init__(self, executor: Any, data: dict[str, Any], most: int) -> None:
        self._executor, self._data, self._most = executor, data, most
        self._key, self._bell = uuid.uuid4().hex, SimpleQueue[Any]()
        self._chunks: dict[Any, Chunk] = {}
        self.is_broken = False

    @property
    def under_way(self) -> int:
        return len(self._chunks)

    @property
    def has_room(self) -> bool:
        return len(self._chunks) < self._most

    def send(self, chunk: Chunk, data: dict[str, Any] | None = None) -> bool:
        """Send a chunk; return whether the executor took it."""
        if not self.is_broken:
            try:
                future = self._executor.submit(work_off, self._key, data, chunk)
            except RuntimeError:  # a process of the pool has died, or the pool was shut down
                self.is_broken = True
            else:
                self._chunks[future] = chunk
                future.add_done_callback(self._bell.put)
        return not self.is_broken

    def back(self, seconds: float) -> tuple[Chunk, Reply | None] | None:
        """Return the next chunk that is back, with the reply; None for a reply that was lost, or where none is back."""
        try:
            future = self._bell.get(timeout=seconds)
        except Empty:
            return None
        chunk = self._chunks.pop(future)
        try:
            reply: Reply | None = future.result()
        except Exception:  # the worker died, or what came back can't be read
            chunk.tries += 1
            return chunk, None
        if reply is None:  # the worker hasn't the data
            return None if self.send(chunk, self._data) else (chunk, None)
        return chunk, reply

    def give_up(self, seconds: float) -> list[tuple[Chunk, Reply]]:
        """Cancel what no worker has begun, and return what is back within so many seconds."""
        until, found = time.monotonic() + seconds, []
        self._chunks = {future: chunk for future, chunk in self._chunks.items() if not future.cancel()}
        self._data = {}
        self.is_broken = True
        while self._chunks and time.monotonic() < until:
            try:
                future = self._bell.get(timeout=_LOOK)
            except Empty:
                continue
            chunk = self._chunks.pop(future, None)
            if chunk is not None and not future.cancelled() and future.exception() is None and future.result():
                found.append((chunk, future.result()))
        return found


def _chunks(
    networks: Sequence[Network],
    settings: Sequence[Mapping[str, Any]],
    shared: dict[str, Any],
    jobs: Sequence[Job],
    workers: int,
) -> list[Chunk]:
    """Divide networks into chunks, those with the most work first."""
    most = min(CHUNK, sum(job.work for job in jobs) / (_CHUNKS_A_WORKER * workers))
    chunks, numbers, work = list[Chunk](), list[int](), 0.0
    order = sorted(range(len(jobs)), key=lambda number: -jobs[number].work)
    for place, number in enumerate(order):
        numbers.append(number)
        work += jobs[number].work
        if work >= most or place == len(order) - 1:
            # Copies: a worker may be a thread of this process.
            chosen = [copy.copy(networks[number]) for number in numbers]
            chunks.append(Chunk(numbers, chosen, [settings[number] for number in numbers], shared))
            numbers, work = [], 0.0
    return chunks


def _take(chunk: Chunk, reply: Reply, networks: Sequence[Network], jobs: Sequence[Job]) -> list[Job]:
    """Have networks and jobs become what a worker made of them."""
    taken = []
    for number, (network, history, error) in zip(chunk.numbers, reply, strict=True):
        networks[number]._become(network)
        job = jobs[number]
        job.run.history, job.run.epoch, job.error, job.over = history, history.epochs, error, True
        taken.append(job)
    return taken


_kept: "OrderedDict[str, dict[str, Any]]" = OrderedDict()
_keeping = threading.Lock()


def work_off(key: str, data: dict[str, Any] | None, chunk: Chunk) -> Reply | None:
    """Train the networks of a chunk, in a worker; None where it has no data of this key yet."""
    from .many import fit_many

    with _keeping:
        if data is None:
            data = _kept.get(key)
        if data is None:
            return None
        _kept[key] = data
        _kept.move_to_end(key)
        while len(_kept) > _DATA_KEPT:
            _kept.popitem(last=False)
    with warnings.catch_warnings():
        if threading.current_thread() is threading.main_thread():
            warnings.simplefilter("ignore")  # whoever sent the chunk was warned
        fitted = fit_many(chunk.networks, **data, settings=chunk.settings, **chunk.shared)
    return [(one.network, one.history, one.error) for one in fitted]
