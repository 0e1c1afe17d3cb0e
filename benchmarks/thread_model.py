"""How many threads will pay on processors that this machine hasn't: counts, not clocks.

    python -m benchmarks.thread_model                                 the seven workloads, 1 to 16 threads; ten minutes
    python -m benchmarks.thread_model --workloads K128 --threads 1 2 8
    python -m benchmarks.thread_model --no-check                      counts only, nothing is timed
    python -m benchmarks.thread_model --write counts.json

Each workload trains one epoch of its first rows under callgrind (`thread_counts.py`), with every number of threads. The
threads share the processors at hand; that changes when each does its work, not what it does. Counted are the
instructions of the kernels, thread by thread, without those spent waiting. The bytes that threads exchange follow from
the layout of their memory. From both comes the time of a step if every thread had a core:

    seconds(T) = seconds(1) * most instructions of a thread(T) / instructions(1)
                 + bytes that it collects / bandwidth + meetings * seconds of a meeting

where `meeting.py` measures the last two between two threads here. That gives the speed-up to expect, which is checked
against the measured ratio of one thread and two. What a thread does beyond its share, because every thread does all of
it or because it has to be handed on, is named by kernel.

Needs valgrind and an x86-64 processor. There is no form with `perf stat`: virtual machines rarely have the counters,
and callgrind tells functions and waiting apart.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import meeting
from .compare import count, some
from .machine import describe
from .thread_counts import ENVIRONMENT
from .workloads import WORKLOADS, Workload, make_data

ROOT = Path(__file__).parent.parent
SCRIPT = Path(__file__).parent / "thread_counts.py"

THREADS = (1, 2, 4, 8, 16)
NAMED_AT, NAMED_FROM = 8, 0.01
"""At how many threads work is named that is beyond a thread's share, and the part of its instructions from which."""

ROUNDS = 10


@dataclass(frozen=True)
class Counts:
    """What threads do in an epoch.

    Attributes
    ----------
    instructions : list of dict of str to int
        Of each thread, by kernel.
    way : {"alone", "rows", "groups", "halves"}
        How the work is divided.
    published, collected : list of int
        Bytes that each thread copies to shared memory, and from it, in a step.
    meetings, steps : int
    """

    instructions: list[dict[str, int]]
    way: str
    published: list[int]
    collected: list[int]
    meetings: int
    steps: int

    @property
    def totals(self) -> list[int]:
        """Instructions of each thread."""
        return [sum(of_thread.values()) for of_thread in self.instructions]

    @property
    def kernels(self) -> Counter[str]:
        """Instructions of all threads together, by kernel."""
        return sum((Counter(of_thread) for of_thread in self.instructions), Counter())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the script; return its exit code."""
    options = parse(list(sys.argv[1:] if arguments is None else arguments))
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        cache = options.cache or Path(folder) / "cache"
        compile_kernels(cache)
        costs = meeting.ASSUMED if options.no_check else meeting.measure()
        print(f"a meeting of threads takes {1e6 * costs.meeting:.2f} µs, they hand on {costs.bandwidth / 1e9:.1f} GB/s")
        for name in options.workloads:
            counts = counted(name, sorted({1, *options.threads}), cache)
            measured = {} if options.no_check else measure(WORKLOADS[name])
            print("\n".join(report(WORKLOADS[name], counts, measured, costs)), end="\n\n", flush=True)
            results[name] = as_json(counts, measured)
    if options.write:
        options.write.write_text(
            json.dumps({"machine": describe(), **costs._asdict(), "workloads": results}, indent=1) + "\n"
        )
    return 0


def parse(given: Sequence[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.thread_model", description="Instructions and bytes of each of many threads."
    )
    add = parser.add_argument
    add("--workloads", nargs="+", choices=WORKLOADS, default=list(WORKLOADS), metavar="NAME", help=some(WORKLOADS))
    add("--threads", nargs="+", type=count, default=THREADS, metavar="N", help="numbers of threads (default: 1 to 16)")
    add("--no-check", action="store_true", help="count only: assume the costs of threads, and don't time one and two")
    add("--cache", type=Path, metavar="FOLDER", help="where compiled kernels are kept (default: they are not)")
    add("--write", type=Path, metavar="FILE", help="JSON file for the counts")
    return parser.parse_args(given)


def rows_of(workload: Workload) -> int:
    """How many rows are trained on: four batches, 320 rows at least, or as many as there are.

    Examples
    --------
    >>> [rows_of(WORKLOADS[name]) for name in ("S128", "W512", "T4")]
    [320, 512, 10000]
    """
    return min(workload.rows, max(320, 4 * workload.batch_size))


def environment(cache: Path) -> dict[str, str]:
    """Return the environment of processes that compile or count."""
    return os.environ | ENVIRONMENT | {"FASTMLP_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}


def compile_kernels(cache: Path) -> None:
    """Have the kernels compiled as callgrind can run them: without it, which takes seconds instead of minutes."""
    subprocess.run([sys.executable, "-P", str(SCRIPT), "compile"], env=environment(cache), check=True)


def counted(name: str, threads: Sequence[int], cache: Path) -> dict[int, Counts]:
    """Train under callgrind; return the counts by number of threads.

    Raises
    ------
    RuntimeError
        Callgrind is missing or failed; the message has the end of what it said.
    """
    with tempfile.TemporaryDirectory() as folder:
        callgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--collect-atstart=no", "--fair-sched=yes"]
        callgrind += ["--separate-threads=yes", "--dump-instr=yes", "--compress-pos=no", "--compress-strings=no"]
        callgrind += [f"--callgrind-out-file={folder}/out", "--log-file=/dev/stderr", sys.executable, "-P", str(SCRIPT)]
        try:
            done = subprocess.run(
                [*callgrind, "count", name, *map(str, threads)],
                env=environment(cache),
                capture_output=True,
                text=True,
                encoding="utf-8",
            )
        except FileNotFoundError:
            raise RuntimeError("valgrind is missing; it is Debian's package valgrind") from None
        if done.returncode:
            raise RuntimeError(f"counting {name} failed:\n{done.stderr[-3000:]}")
        *described, last = map(json.loads, done.stdout.splitlines())
        instructions = read_dumps(Path(folder), Symbols(last["symbols"]))
    return {
        one["wanted"]: Counts(
            [instructions[f"{name} {one['wanted']} {thread}"] for thread in range(one["threads"])],
            *(one[key] for key in ("way", "published", "collected", "meetings", "steps")),
        )
        for one in described
    }


class Symbols:
    """Names of functions by address.

    Parameters
    ----------
    functions : sequence of (int, int, str)
        Address, size and name.
    """

    def __init__(self, functions: Sequence[tuple[int, int, str]]) -> None:
        self._functions = sorted((address, size, name) for address, size, name in functions)
        self._addresses = [address for address, *_ in self._functions]

    def name(self, address: int) -> str | None:
        """Of the function at an address; None for code of others."""
        found = bisect_right(self._addresses, address) - 1
        if found < 0:
            return None
        start, size, name = self._functions[found]
        return name if address < start + size else None


def read_dumps(folder: Path, symbols: Symbols) -> dict[str, dict[str, int]]:
    """Return the instructions by kernel, of every dump by the label that it was asked for with."""
    found = {}
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        label = re.search(r"^desc: Trigger: Client Request: (.*)$", text, re.MULTILINE)
        if label:
            found[label[1]] = read_dump(text, symbols)
    return found


def read_dump(text: str, symbols: Symbols) -> dict[str, int]:
    r"""Return the instructions by kernel of one of callgrind's files.

    Examples
    --------
    >>> symbols = Symbols([(0x10, 8, "steps.activate")])
    >>> read_dump("fn=a\n0x10 0 5\n0x14 0 2\ncalls=1 0x50\n0x17 0 900\n0x40 0 7\n", symbols)
    {'steps.activate': 7}
    """
    instructions: Counter[str] = Counter()
    called = False
    for line in text.splitlines():
        if called:  # what the called function has done: that has lines of its own
            called = False
        elif line.startswith("calls="):
            called = True
        elif line.startswith("0x"):
            address, _, *costs = line.split()
            name = symbols.name(int(address, 16))
            if name and costs:
                instructions[name] += int(costs[0])
    return dict(instructions)


def measure(workload: Workload) -> dict[int, float]:
    """Return the seconds of an epoch with one thread and with two: the least of some rounds, in turns."""
    limited = workload.limited(rows_of(workload))
    data, networks = make_data(limited), {threads: limited.network() for threads in (1, 2)}
    least = dict.fromkeys(networks, float("inf"))
    for _ in range(ROUNDS):
        for threads, network in networks.items():
            history = network.fit(
                data.given_X,
                data.given_y,
                epochs=5,
                batch_size=limited.batch_size,
                optimizer=limited.own_optimizer(),
                shuffle=limited.shuffled,
                threads=threads,
                verbose=0,
            )
            least[threads] = min(least[threads], *history["seconds"][-5:])
            time.sleep(0.01)
    return least


def expected(counts: Mapping[int, Counts], threads: int, seconds: float, costs: meeting.Costs) -> float:
    """Return the speed-up to expect of so many threads, where one takes so many seconds for the epoch."""
    one, many = counts[1], counts[threads]
    share = max(many.totals) / sum(one.totals)
    exchange = many.steps * max(many.collected) / costs.bandwidth + many.meetings * costs.meeting
    return seconds / (seconds * share + (exchange if len(many.totals) > 1 else 0.0))


def lost(counts: Mapping[int, Counts], threads: int) -> dict[str, dict[str, float]]:
    """Return what the busiest of so many threads does beyond its share of the work of one thread alone.

    Returns
    -------
    dict of str to dict of str to float
        By folder or file of `kernels/`, then by kernel: shares of all instructions of that thread. They add up to what
        is missing from a speed-up of `threads` times. A kernel that takes the place of another has a share above zero,
        and the other one below.
    """
    one, many = counts[1].kernels, counts[threads]
    busiest = many.instructions[max(range(len(many.totals)), key=many.totals.__getitem__)]
    whole = sum(busiest.values())
    found: dict[str, dict[str, float]] = {}
    for name in {**one, **busiest}:
        share = (busiest.get(name, 0) - one[name] / threads) / whole
        found.setdefault(name.split(".")[0], {})[name] = share
    return dict(sorted(found.items(), key=lambda item: -sum(item[1].values())))


def report(
    workload: Workload,
    counts: Mapping[int, Counts],
    measured: Mapping[int, float],
    costs: meeting.Costs = meeting.ASSUMED,
) -> list[str]:
    """Return the lines about a workload."""
    one = counts[1]
    # Without a clock: some 3 instructions of AVX2 a cycle of 4 GHz, so that exchange has a weight.
    seconds = measured.get(1, sum(one.totals) / 12e9)
    lines = [f"{workload.name}: {workload.shape}, batch {workload.batch_size}, {workload.optimizer}"]
    heads = ("threads", "way", "instructions", "all / one", "KB a step", "meetings a step", "by counts", "expected")
    lines.append("".join(f"{head:>16}" for head in heads))
    for threads, many in counts.items():
        cells = (
            str(threads) if len(many.totals) == threads else f"{threads} ({len(many.totals)} work)",
            many.way,
            f"{max(many.totals) / 1e6:.2f} M",
            f"{sum(many.totals) / sum(one.totals):.2f}",
            f"{max(many.collected) / 1e3:.1f}",
            f"{many.meetings / many.steps:.1f}",
            f"{sum(one.totals) / max(many.totals):.2f}x",
            f"{expected(counts, threads, seconds, costs):.2f}x",
        )
        lines.append("".join(f"{cell:>16}" for cell in cells))
    if 2 in measured:
        lines.append(f"  measured with two threads: {measured[1] / measured[2]:.2f}x")
    if NAMED_AT in counts and len(counts[NAMED_AT].totals) == NAMED_AT:
        found = lost(counts, NAMED_AT)
        whole = sum(sum(shares.values()) for shares in found.values())
        lines.append(f"  of a thread's instructions at {NAMED_AT} threads {whole:.1%} are beyond its share:")
        for room, shares in found.items():
            named = sorted((item for item in shares.items() if abs(item[1]) >= NAMED_FROM), key=lambda item: -item[1])
            if named:
                words = ", ".join(f"{name.removeprefix(room + '.')} {share:+.1%}" for name, share in named)
                lines.append(f"    {room} {sum(shares.values()):+.1%}: {words}")
    return lines


def as_json(counts: Mapping[int, Counts], measured: Mapping[int, float]) -> dict[str, Any]:
    """Return what the JSON file holds of a workload."""
    return {
        "threads": {str(threads): vars(many) for threads, many in counts.items()},
        "measured_seconds": {str(threads): seconds for threads, seconds in measured.items()},
    }


if __name__ == "__main__":
    sys.exit(main())
