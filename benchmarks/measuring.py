"""How a kernel is timed against its twin (imports numba and the standard library).

Both do the same work on the same memory. They take turns, round by round, so that a busy or a throttled moment of the
machine hits both; the minimum of each counts, which is the time that nothing disturbed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
        Minimum for the compiled code and for its NumPy twin; 0 where there is no twin.
    operations : float
        Additions, multiplications, divisions and roots of a call; 0 where that is no measure of the work.
    more : mapping of str to str
        Further columns of the table, by heading.
    """

    group: str
    name: str
    shape: str
    seconds: float
    twin_seconds: float = 0.0
    operations: float = 0.0
    more: Mapping[str, str] = field(default_factory=dict)

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
    """Make ``call(times, *arguments)``, compiled where that can be, which calls a kernel so many times."""

    def call(times, *arguments):  # type: ignore[no-untyped-def]
        for _ in range(times):
            kernel(*arguments)

    if getattr(kernel, "callable_from_python", False):
        return call
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
    peak: float = 0.0,
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
    peak : float, default 0
        What one thread can do at most, in GFLOP/s; 0 where it was not measured.

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
        shape=shape, twin_seconds=found.twin_seconds, speed_up=found.speed_up, gflops=found.gflops or None, peak=peak
    )
    return replace(found, more={"of peak": f"{found.gflops / peak:.0%}"}) if peak and operations else found


def measure_against(
    benchmark: Any, row: tuple[str, str, str], ours: Callable[[], float], theirs: Callable[[], float], rounds: int
) -> Row | None:
    """Let the compiled code and another library take turns, both of which time themselves.

    Parameters
    ----------
    benchmark : fixture of pytest-benchmark
        Its own figure is a turn of both; theirs go to its `extra_info`.
    row : tuple
        Group, name and shape of the `Row`.
    ours, theirs : callable
        Do the work and return seconds.
    rounds : int

    Returns
    -------
    Row or None
        None where benchmarks are disabled: both have run once.
    """
    seconds: list[float] = []
    other_seconds: list[float] = []

    def turn() -> None:
        seconds.append(ours())
        other_seconds.append(theirs())

    benchmark.group = row[0]
    benchmark.pedantic(turn, rounds=rounds)
    if not benchmark.enabled:
        return None
    least, other = min(seconds), min(other_seconds)
    benchmark.extra_info.update(seconds=least, other_seconds=other)
    return Row(*row, least, more={"other": duration(other), "faster": f"{other / least:.2f}x"})


def table(rows: list[Row]) -> list[str]:
    r"""Return the lines of the tables, one for each group in the order of the rows.

    Examples
    --------
    >>> print("\n".join(table([Row("matrix products", "product", "128 x 128", 2e-6, 8e-6, 1e5)])))
    matrix products     shape     Numba     NumPy   GFLOP/s  speed-up
    product         128 x 128    2.0 µs    8.0 µs      50.0     4.00x
    """
    lines: list[str] = []
    for group in dict.fromkeys(row.group for row in rows):
        members = [row for row in rows if row.group == group]
        cells = [_cells(row) for row in members]
        headings = [
            name for name in dict.fromkeys(name for row in cells for name in row) if any(row.get(name) for row in cells)
        ]
        columns = [[name, *(row.get(name, "") for row in cells)] for name in headings]
        names = [group, *(row.name for row in members)]
        if lines:
            lines.append("")
        for number, name in enumerate(names):
            line = [name.ljust(max(map(len, names)))]
            line += [column[number].rjust(max(9, *map(len, column))) for column in columns]
            lines.append(" ".join(line).rstrip())
    return lines


def _cells(row: Row) -> dict[str, str]:
    """What stands in the columns of a row, by heading; nothing where it has nothing to say."""
    speed_up = f"{row.speed_up:,.{2 if row.speed_up < 9.995 else 1 if row.speed_up < 1000 else 0}f}x"
    return {
        "shape": row.shape,
        "Numba": duration(row.seconds),
        "NumPy": duration(row.twin_seconds) if row.twin_seconds else "",
        "GFLOP/s": f"{row.gflops:.1f}" if row.operations else "",
        **row.more,
        "speed-up": speed_up if row.twin_seconds else "",
    }


def duration(seconds: float) -> str:
    """Return seconds with a unit that suits them, as the tables have it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}" if unit != "s" else f"{seconds:.2f} s"
    return f"{seconds * 1e9:.0f} ns"
