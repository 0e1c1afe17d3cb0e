"""Cache of what several trainings make of the same data (floor 4; imports numpy).

`fit_many` trains many networks on one table. Its samples are checked, scaled and compressed when the first network asks
for them; the others get the same objects.
"""

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

_PLAIN = frozenset((str, bytes, bool, int, float, type(None)))


class Once:
    """Makes a thing for the first who asks, and gives it to all who ask for the same, in any thread.

    Examples
    --------
    >>> once, X = Once(), [1, 2, 3]
    >>> once("reversed", lambda: X[::-1], X) is once("reversed", lambda: X[::-1], X)
    True
    """

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], tuple[Any, tuple[Any, ...]]] = {}
        self._making = threading.RLock()

    def __call__(self, name: str, make: Callable[[], T], *parts: Any) -> T:
        """Return what ``make()`` made when it was first asked for.

        Parameters
        ----------
        name : str
            What kind of thing it is.
        make : callable
            Returns the thing; what it raises is raised, and nothing is kept.
        *parts
            All that the thing depends on: text, numbers and dtypes by value, other objects by being the same object.
            They are kept as long as this one, so that no other can take their place.
        """
        # Asked several times for every call on some rows.
        key = (name, *[(part.__class__, part) if part.__class__ in _PLAIN else _name(part) for part in parts])
        with self._making:
            found = self._made.get(key)
            if found is None:
                found = self._made[key] = make(), parts
        made: T = found[0]
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> "Once":
        return Once()

    def __reduce__(self) -> Any:
        return Once, ()


def _name(part: Any) -> Any:
    """Return by what an object is known; a copy of a dtype is the same dtype."""
    return part.str if isinstance(part, np.dtype) else id(part)


def each_time(name: str, make: Callable[[], T], *parts: Any) -> T:
    """Do what a training that shares nothing does: make it."""
    return make()


Making = Callable[..., Any]
"""`Once`, or `each_time`."""
