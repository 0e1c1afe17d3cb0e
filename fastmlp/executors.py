"""Work for the workers of an executor, in other processes or on other machines (floor 8; imports checks, errors).

Any executor will do that has the `submit` of `concurrent.futures`. Data travel to a worker when it asks for them, and
it keeps them for what it is given next.
"""

import os
import pickle
import threading
import time
import uuid
import warnings
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from typing import Any

from .checks import plain
from .errors import ArgumentError, ArgumentTypeError

_DATA_KEPT = 8
"""Data sets that a worker keeps: as many as a search has folds, as a rule."""

_TRIES = 2
_LOOK = 0.2
_PATIENCE = 10.0
"""Seconds that workers have to give back what was under way, after Ctrl-C."""

Work = Callable[[Any, Any], Any]
"""A function of a module, of the data and of what a worker is given; what it returns is not None."""


def check_executor(executor: Any) -> None:
    """Say so when an executor is none.

    Raises
    ------
    ArgumentTypeError
    """
    if executor is not None and not callable(getattr(executor, "submit", None)):
        raise ArgumentTypeError(
            f"executor must have a method submit, such as a ProcessPoolExecutor; got {plain(executor)!r}"
        )


def check_travels(named: Iterable[tuple[str, Any]]) -> None:
    """Say so when a value can't be sent to another process; each has the name that a message calls it by.

    Raises
    ------
    ArgumentError
        It can't be pickled, such as a lambda.
    """
    for name, value in named:
        try:
            pickle.dumps(value)
        except Exception as error:
            raise ArgumentError(
                f"{name} can't travel to another process ({error}); use functions and classes of a module, and no "
                "lambda, or leave out executor"
            ) from None


def workers_of(executor: Any) -> int:
    """Return how many workers an executor has, or about so many where it doesn't say."""
    return int(getattr(executor, "_max_workers", None) or os.cpu_count() or 1)


def do_by(
    executor: Any,
    data: Any,
    work: Work,
    parcels: Sequence[Any],
    take: Callable[[int, Any], None],
    look: Callable[[], None] = lambda: None,
    key: str = "",
) -> tuple[list[int], bool]:
    """Have an executor's workers do ``work(data, parcel)`` for every parcel.

    On Ctrl-C parcels that no worker has begun are dropped, and the others have some seconds to come back.

    Parameters
    ----------
    executor : Executor
    data : object
        Sent to a worker that hasn't got it.
    work : callable
        See `Work`.
    parcels : sequence
    take : callable
        ``take(number, result)`` is called with what is back.
    look : callable, optional
        Called several times a second; it may raise KeyboardInterrupt.
    key : str, optional
        By which a worker knows the data: other calls with the same data may have sent them already.

    Returns
    -------
    lost : list of int
        Parcels that were lost twice, or for which there is no worker any more.
    interrupted : bool
        Whether Ctrl-C ended it; then nothing is lost, but for what has not come back.
    """
    errand = _Errand(executor, data, work, key or uuid.uuid4().hex)
    waiting, tries, lost = deque(range(len(parcels))), [0] * len(parcels), list[int]()
    try:
        while waiting or errand.under_way:
            while waiting and errand.has_room:
                number = waiting.popleft()
                if not errand.send(number, parcels[number]):
                    lost.append(number)
            back = errand.back(_LOOK)
            if back is not None:
                number, result = back
                tries[number] += result is None
                if result is not None:
                    take(number, result)
                elif tries[number] < _TRIES:
                    waiting.append(number)
                else:
                    lost.append(number)
            look()
    except KeyboardInterrupt:
        for number, result in errand.give_up(_PATIENCE):
            take(number, result)
        return [], True
    return sorted(lost), False


class _Errand:
    """Parcels that are with an executor, twice as many as it has workers."""

    def __init__(self, executor: Any, data: Any, work: Work, key: str) -> None:
        self._executor, self._data, self._work, self._key = executor, data, work, key
        self._bell: SimpleQueue[Any] = SimpleQueue()
        self._sent: dict[Any, tuple[int, Any]] = {}
        self._most, self._is_broken = 2 * workers_of(executor), False

    @property
    def under_way(self) -> int:
        return len(self._sent)

    @property
    def has_room(self) -> bool:
        return len(self._sent) < self._most

    def send(self, number: int, parcel: Any, data: Any = None) -> bool:
        """Send a parcel; return whether the executor took it."""
        if not self._is_broken:
            try:
                future = self._executor.submit(work_off, self._key, data, self._work, parcel)
            except RuntimeError:  # a process of the pool has died, or the pool was shut down
                self._is_broken = True
            else:
                self._sent[future] = number, parcel
                future.add_done_callback(self._bell.put)
        return not self._is_broken

    def back(self, seconds: float) -> tuple[int, Any] | None:
        """Return the next parcel that is back, with its result, or None for that if it was lost; None where none is."""
        try:
            future = self._bell.get(timeout=seconds)
        except Empty:
            return None
        number, parcel = self._sent.pop(future)
        try:
            has_data, result = future.result()
        except Exception:  # the worker died, or what came back can't be read
            return number, None
        if has_data:
            return number, result
        return None if self.send(number, parcel, self._data) else (number, None)

    def give_up(self, seconds: float) -> list[tuple[int, Any]]:
        """Cancel what no worker has begun, and return what is back within so many seconds."""
        until, found = time.monotonic() + seconds, []
        self._sent = {future: sent for future, sent in self._sent.items() if not future.cancel()}
        while self._sent and time.monotonic() < until:
            try:
                future = self._bell.get(timeout=_LOOK)
            except Empty:
                continue
            if future in self._sent and not future.cancelled() and future.exception() is None:
                (number, _), (has_data, result) = self._sent[future], future.result()
                found += [(number, result)] * has_data
            self._sent.pop(future, None)
        return found


_kept: "OrderedDict[str, Any]" = OrderedDict()
_keeping = threading.Lock()


def work_off(key: str, data: Any, work: Work, parcel: Any) -> tuple[bool, Any]:
    """Do what a worker is asked; return whether it has the data of this key, and the result."""
    with _keeping:
        if data is None and key not in _kept:
            return False, None
        if data is not None:
            _kept[key] = data
        data = _kept[key]
        _kept.move_to_end(key)
        while len(_kept) > _DATA_KEPT:
            _kept.popitem(last=False)
    if threading.current_thread() is not threading.main_thread():
        return True, work(data, parcel)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # whoever sent the parcel has been warned
        return True, work(data, parcel)
