"""Time every rung in a process of its own, and print the ladder's table.

    python examples/ladder/table.py            print the table; takes some minutes
    python examples/ladder/table.py --write    also write it to README.md, and each rung's gain to its docstring

The rungs take turns for several rounds, so a busy moment of the machine affects all of them. For each rung the fastest
epoch counts.
Rung 1 takes minutes for an epoch, so it trains on fewer images (`--python-rows`), and its seconds are extrapolated.
"""

import argparse
import ast
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from digits import ROWS, training_images

from fastmlp import kernels
from fastmlp.measure.machine import describe, in_words, one_thread_environment
from fastmlp.measure.products import MultiplyAdds

HERE = Path(__file__).parent
RUNGS = sorted(path.stem for path in HERE.glob("rung?_*.py"))
START, END = "<!-- table: ladder -->", "<!-- end table: ladder -->"
GAINED = re.compile(r"^Gained .*$", re.MULTILINE)
SAME = 1e-6

Figures = dict[str, dict[str, Any]]


def main() -> None:
    """Run the script."""
    machine = describe()
    parser = argparse.ArgumentParser(description="Time the rungs of the ladder, in turns.")
    parser.add_argument("--rows", type=int, default=ROWS, metavar="N", help=f"training images (default: {ROWS})")
    parser.add_argument("--python-rows", type=int, default=500, metavar="N", help="images of rung 1 (default: 500)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="processes of each rung (default: 3)")
    parser.add_argument("--seconds", type=float, default=3.0, metavar="S", help="seconds per process (default: 3)")
    parser.add_argument("--write", action="store_true", help="update README.md and the docstrings")
    name = f"{machine['processor']}, {machine['cores']} cores"
    parser.add_argument("--machine", default=name, help=f"its name in docstrings (default: {name})")
    options = parser.parse_args()
    if not (10 <= options.python_rows and 10 <= options.rows <= ROWS and options.rounds > 0):
        parser.error(f"--rows must be from 10 to {ROWS}, --python-rows at least 10, --rounds at least 1")
    found, peak = measure(options.rows, min(options.python_rows, options.rows), options.rounds, options.seconds)
    multiply_adds = needed_multiply_adds(options.rows)
    table = markdown(found, 2 * multiply_adds * options.rows / peak)
    table += f"""

float64, {options.rows:,} images, batches of 10. s/epoch: the fastest epoch of {options.rounds} processes. The rungs
take turns, and each process repeats the epoch for {options.seconds:g} s; ~ marks times extrapolated from
{options.python_rows:,} images. CPU s: CPU time of all threads together, which is more reliable than s/epoch on a busy
machine. BLAS has one thread; `prange` has all cores, and its threads wait without spinning
(`OMP_WAIT_POLICY=passive`). First call: ten images, including compilation; rung 7 with an empty cache. Lines: without
docstrings, comments and blank lines. Share of peak: the necessary operations per second, divided by the measured peak
of independent float64 multiply-adds on all cores, {peak / 1e9:.0f} GFLOP/s. An image needs {multiply_adds:,.0f}
multiply-adds on average, of 2 operations each: 30 for each non-zero pixel and 300 for the output layer, both in the
forward pass and in the gradient, and 300 for the hidden delta.
{"" if options.machine == name else f"{options.machine}; "}{in_words(machine)}; {date.today()};
`python examples/ladder/{shlex.join(["table.py", *sys.argv[1:]])}`."""
    if options.write:
        readme = HERE / "README.md"
        before, rest = readme.read_text(encoding="utf-8").split(START)
        after = rest.split(END)[1]
        readme.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")
        write_gains(found, f"{options.machine}, {date.today()}")
    print(table)


def measure(rows: int, python_rows: int, rounds: int, seconds: float) -> tuple[Figures, float]:
    """Return each rung's figures, and the machine's peak in float64 operations per second.

    Raises
    ------
    SystemExit
        A rung failed, or its weights differ from the others'.
    """
    found: Figures = {}
    peak = 0.0
    with tempfile.TemporaryDirectory() as folder:
        environment = {"OMP_WAIT_POLICY": "passive", **one_thread_environment(), "FASTMLP_CACHE_DIR": folder}
        del environment["OMP_NUM_THREADS"]  # it would hold prange to one thread too
        for number in range(rounds):
            peak = max(peak, peak_operations())
            for rung in RUNGS:
                print(f"round {number + 1} of {rounds}: {rung}", file=sys.stderr)
                few = rung == RUNGS[0]
                result = run_rung(rung, python_rows if few else rows, seconds, Path(folder), environment)
                for name in ("seconds", "cpu_seconds"):
                    result[name] *= rows / result["rows"]
                before = found.setdefault(rung, result)
                for name in ("seconds", "cpu_seconds"):
                    before[name] = min(before[name], result[name])
                before["first"] = max(before["first"], result["first"])  # with nothing in the cache
        check_same(Path(folder), [rung for rung in RUNGS if found[rung]["rows"] == rows])
    return found, peak


def run_rung(rung: str, rows: int, seconds: float, folder: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Run a rung's script; return what it prints as JSON."""
    command = [sys.executable, str(HERE / f"{rung}.py"), "--json", "--rows", str(rows), "--seconds", str(seconds)]
    command += ["--save", str(folder / f"{rung}.npz")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    if ended.returncode:
        sys.exit(f"{rung} failed:\n{ended.stderr}")
    result: dict[str, Any] = json.loads(ended.stdout)
    return result


def check_same(folder: Path, rungs: list[str]) -> None:
    """Compare the weights after the epoch with those of the last rung."""
    with np.load(folder / f"{rungs[-1]}.npz") as file:
        wanted = dict(file)
    for rung in rungs:
        with np.load(folder / f"{rung}.npz") as file:
            apart = max(float(abs(file[name] - wanted[name]).max()) for name in wanted)
        print(f"{rung}: weights differ from {rungs[-1]}'s by {apart:.1e} at most", file=sys.stderr)
        if apart > SAME:
            sys.exit(f"{rung}: weights differ by more than {SAME}")


def needed_multiply_adds(rows: int) -> float:
    """Return the mean number of multiply-adds per image: forward pass, gradient and hidden delta."""
    images, _ = training_images(rows)
    return 2 * 30 * np.count_nonzero(images) / rows + 3 * 30 * 10


def peak_operations() -> float:
    """Measure the peak of all cores in float64 operations per second, with independent multiply-adds."""
    cores = describe()["cores"]
    loops = [MultiplyAdds() for _ in range(cores)]
    with ThreadPoolExecutor(cores) as pool:
        times = 2000
        seconds = min(_seconds(lambda: list(pool.map(lambda loop: loop.run(times), loops))) for _ in range(20))
    # `operations` counts float32; a register holds half as many numbers of float64.
    return sum(loop.operations for loop in loops) / 2 * times / seconds


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def markdown(found: Figures, seconds_at_peak: float) -> str:
    """Return the table in Markdown."""
    lines = [
        "| rung | s/epoch | speedup over previous rung | over rung 1 | share of peak | CPU s | first call, s | lines |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    seconds = [figures["seconds"] for figures in found.values()]
    largest = max(figures["rows"] for figures in found.values())
    for number, (rung, figures) in enumerate(found.items()):
        now, share = seconds[number], seconds_at_peak / seconds[number]
        about = "~" * (figures["rows"] < largest)
        count = f"{lines_of_code(HERE / f'{rung}.py')}"
        if rung.startswith("rung7"):
            folder = Path(str(kernels.__file__)).parent
            count += f" + {sum(map(lines_of_code, folder.rglob('*.py'))):,} of `fastmlp/kernels`"
        ratios = [f"{two_digits(below / now)}" if number else "" for below in (seconds[number - 1], seconds[0])]
        cpu, first = about + two_digits(figures["cpu_seconds"]), two_digits(figures["first"])
        lines.append(
            f"| [{rung}]({rung}.py) | {about}{two_digits(now)} | {ratios[0]} | {ratios[1]} "
            f"| {two_digits(100 * share)} % | {cpu} | {first} | {count} |"
        )
    return "\n".join(lines)


def two_digits(number: float) -> str:
    """Write a number with two significant digits.

    Examples
    --------
    >>> two_digits(0.0346), two_digits(1234.5)
    ('0.035', '1,200')
    """
    rounded = float(f"{number:.2g}")
    return f"{rounded:,.0f}" if rounded >= 10 else f"{rounded:.2g}"


def lines_of_code(path: Path) -> int:
    """Count the lines of a file without docstrings, comments and blank lines."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # A string that is a statement says something to readers only.
            kept = [line for line in body if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))]
            node.body = kept or [ast.Pass()]  # type: ignore[attr-defined]
    return sum(bool(line.strip()) for line in ast.unparse(tree).splitlines())


def write_gains(found: Figures, where: str) -> None:
    """Replace the "Gained" line in each rung's docstring."""
    rungs = list(found)
    for number, rung in enumerate(rungs):
        path = HERE / f"{rung}.py"
        gain = f"about {two_digits(found[rung]['seconds'])} s an epoch"
        if number:
            below, now = found[rungs[number - 1]], found[rung]
            times, of_cpu = (two_digits(below[name] / now[name]) for name in ("seconds", "cpu_seconds"))
            gain = f"a speedup of {times} over rung {number}, and of {of_cpu} in CPU time"
        text = GAINED.sub(f"Gained  {gain} ({where}).", path.read_text(encoding="utf-8"), count=1)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
