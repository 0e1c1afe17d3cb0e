"""How a kernel is timed against its twin (imports numba and the standard library).

Both do the same work on the same memory. They take turns, round by round, so that a busy or a throttled moment of the
machine hits both; the minimum of each counts, which is the time that nothing disturbed.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numba

_ROUND_SECONDS = 300e-6
"""A round repeats a kernel until it takes this long, so that the way from Python into compiled code doesn't count."""


@dataclass(frozen=True)
class Row:
    """A line of the table at the end of a run.

    Attributes
    ----------
    group : str
        The table it belongs to.
    name, shape : str
    seconds, twin_seconds : float
        Minimum for the compiled code and for its NumPy twin.
    operations : float
        Additions, multiplications, divisions and roots of a call; 0 where that is no measure of the work.
    """

    group: str
    name: str
    shape: str
    seconds: float
    twin_seconds: float
    operations: float = 0.0

    @property
    def gflops(self) -> float:
        """1e9 operations a second of the compiled code."""
        return self.operations / self.seconds / 1e9

    @property
    def speed_up(self) -> float:
        """How many times faster the compiled code is than its twin."""
        return self.twin_seconds / self.seconds


@cache
def repeated(kernel: Any) -> Any:
    """Make ``call(times, *arguments)``, compiled, which calls a kernel so many times."""

    def call(times, *arguments):  # type: ignore[no-untyped-def]
        for _ in range(times):
            kernel(*arguments)

    return numba.njit(nogil=True, error_model="numpy")(call)


def times_of_a_round(call: Callable[[int], None], most: int) -> int:
    """How often to repeat a kernel in a round, at most `most` times."""
    times = 1
    while times < most:
        start = time.perf_counter()
        call(times)
        if time.perf_counter() - start >= _ROUND_SECONDS:
            break
        times = min(2 * times, most)
    return times


def measure(
    benchmark: Any,
    row: tuple[str, str, str, float],
    call: Callable[[int], Any],
    twin: Callable[[], Any],
    restore: Callable[[], None],
    *,
    most: int = 1,
    rounds: int = 100,
    twin_rounds: int = 100,
) -> Row | None:
    """Time compiled code with pytest-benchmark, and its twin between the rounds.

    Parameters
    ----------
    benchmark : fixture of pytest-benchmark
        Its statistics are those of one call of the compiled code; figures of the twin go to its `extra_info`.
    row : tuple
        Group, name, shape and operations of the `Row`.
    call : callable
        Takes how many times to do the work.
    twin : callable
        Does it once.
    restore : callable
        Puts the arguments back as they were; done before every timing, outside it.
    most : int, default 1
        How many times a round may repeat the work without its numbers degenerating.
    rounds, twin_rounds : int
        How many timings of the compiled code, and of its twin, which takes its turns in the first rounds.

    Returns
    -------
    Row or None
        None where benchmarks are disabled (``--benchmark-disable``): both have run once, and nothing is timed.
    """
    times = times_of_a_round(call, most) if benchmark.enabled else 1
    twin_seconds: list[float] = []

    def before_round() -> None:
        if len(twin_seconds) < twin_rounds:
            restore()
            start = time.perf_counter()
            twin()
            twin_seconds.append(time.perf_counter() - start)
        restore()

    benchmark.group, name, shape, operations = row
    benchmark.pedantic(lambda: call(times), setup=before_round, rounds=rounds)
    if not benchmark.enabled:
        return None
    # A round was so many calls; the statistics are to be those of one.
    benchmark.stats.iterations = times
    benchmark.stats.stats.data[:] = [seconds / times for seconds in benchmark.stats.stats.data]
    found = Row(benchmark.group, name, shape, benchmark.stats.stats.min, min(twin_seconds), operations)
    benchmark.extra_info.update(
        shape=shape, twin_seconds=found.twin_seconds, speed_up=found.speed_up, gflops=found.gflops or None
    )
    return found


def table(rows: list[Row]) -> list[str]:
    r"""Return the lines of the tables, one for each group in the order of the rows.

    Examples
    --------
    >>> print("\n".join(table([Row("matrix products", "product", "128 x 128", 2e-6, 8e-6, 1e5)])))
    matrix products     shape     Numba     NumPy  GFLOP/s  speed-up
    product         128 x 128    2.0 µs    8.0 µs     50.0      4.0x
    """
    lines: list[str] = []
    for group in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == group]
        name = max(len(text) for text in (group, *(row.name for row in members)))
        shape = max(len(text) for text in ("shape", *(row.shape for row in members)))
        if lines:
            lines.append("")
        lines.append(f"{group:{name}} {'shape':>{shape}}{'Numba':>10}{'NumPy':>10}{'GFLOP/s':>9}{'speed-up':>10}")
        for row in members:
            gflops = f"{row.gflops:.1f}" if row.operations else ""
            speed_up = f"{row.speed_up:.1f}x" if row.speed_up < 1000 else f"{row.speed_up:,.0f}x"
            times = f"{_duration(row.seconds):>10}{_duration(row.twin_seconds):>10}"
            lines.append(f"{row.name:{name}} {row.shape:>{shape}}{times}{gflops:>9}{speed_up:>10}")
    return lines


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}" if unit != "s" else f"{seconds:.2f} s"
    return f"{seconds * 1e9:.0f} ns"
