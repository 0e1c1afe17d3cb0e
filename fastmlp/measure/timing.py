"""Times that can be compared on a machine that does other things too (floor 10; imports model).

What is compared takes turns, so that a busy or a throttled moment hits all of it, and the minimum counts, which is the
time that nothing disturbed.
"""

import time
from collections.abc import Callable

from ..model.history import History


class Stopwatch:
    """Times one call of something short, by repeating it; calling the stopwatch returns seconds.

    Parameters
    ----------
    work : callable
        Takes how many times to do the work.
    least : float, default 0.002
        Seconds that a timing takes at least: as often is the work repeated.
    """

    def __init__(self, work: Callable[[int], object], least: float = 0.002) -> None:
        self._work, self._times = work, 1
        work(1)  # what is compiled or loaded at the first call is no part of any timing
        while self() * self._times < least:
            self._times *= 2

    def __call__(self) -> float:
        """Seconds of one call, the mean of the repetitions."""
        start = time.perf_counter()
        self._work(self._times)
        return (time.perf_counter() - start) / self._times


def repeated(work: Callable[[], object]) -> Callable[[int], None]:
    """Make something that does the work so many times, in a loop of Python's."""

    def repeat(times: int) -> None:
        for _ in range(times):
            work()

    return repeat


def in_turns(rounds: int, **timings: Callable[[], float]) -> dict[str, list[float]]:
    """Take every timing once a round, one after the other.

    Parameters
    ----------
    rounds : int
    **timings : callable
        Each returns seconds.

    Returns
    -------
    dict
        The seconds of each, round by round.

    Examples
    --------
    >>> in_turns(2, ours=lambda: 0.25, theirs=lambda: 1.0)
    {'ours': [0.25, 0.25], 'theirs': [1.0, 1.0]}
    """
    seconds: dict[str, list[float]] = {name: [] for name in timings}
    for _ in range(rounds):
        for name, timing in timings.items():
            seconds[name].append(timing())
    return seconds


def finished(history: History) -> History:
    """Return the history of a training that is measured, and so has to end by itself.

    Raises
    ------
    KeyboardInterrupt
        Ctrl-C ended it: `fit` keeps the finished epochs and returns, but whoever measures is to stop as well.
    """
    if history.stop_reason == "interrupted":
        raise KeyboardInterrupt
    return history
