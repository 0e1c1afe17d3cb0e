"""What transformers of a pipeline made of some rows, kept for other candidates (floor 9; imports joblib)."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import joblib

_MOST_BYTES = 2**30


class FoldMemory:
    """The `memory` of pipelines in a search: each step before the network is fitted once for each fold.

    As joblib's Memory it goes by the content of all arguments, but it keeps results in memory, those that were used
    last, up to 1 GB.
    """

    def __init__(self) -> None:
        self._made: OrderedDict[str, Future[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: object) -> "FoldMemory":
        return self  # clones of a pipeline share it

    def cache(self, function: Callable[..., Any], ignore: Sequence[str] = ()) -> Callable[..., Any]:
        """Return a function that is called once for equal arguments, but for those to `ignore`."""

        def cached(*given: Any, **named: Any) -> Any:
            try:
                key = joblib.hash((function, given, {name: named[name] for name in named if name not in ignore}))
            except Exception:  # what can't be pickled
                return function(*given, **named)
            with self._lock:
                found, mine = self._made.get(key), Future[Any]()
                if found is None:
                    self._made[key] = mine
                else:
                    self._made.move_to_end(key)
            if found is not None:
                return found.result()
            try:
                mine.set_result(function(*given, **named))
            except BaseException as error:
                mine.set_exception(error)
            self._forget_the_oldest()
            return mine.result()

        return cached

    def _forget_the_oldest(self) -> None:
        with self._lock:
            sizes = {key: _bytes(made) for key, made in self._made.items()}
            for key in list(self._made)[:-1]:
                if sum(sizes.values()) <= _MOST_BYTES:
                    return
                if self._made[key].done():
                    del self._made[key], sizes[key]


def _bytes(made: Future[Any]) -> int:
    """About how much memory the samples in a result take."""
    if not made.done() or made.exception() is not None:
        return 0
    X = made.result()[0]
    if hasattr(X, "memory_usage"):
        return int(X.memory_usage(deep=True).sum())
    return int(getattr(getattr(X, "data", X), "nbytes", 0))
