"""Progress of a training, shown while it runs (floor 7; imports model).

On a terminal it is one line that is redrawn; in a notebook it stands below the cell.
"""

import math
import shutil
import sys
import time
from typing import TextIO

from ..model.history import short
from .callbacks import MONITORS, Callback, FitRun, showing


class Progress(Callback):
    """Show on standard error how the training goes, with the time left; in a notebook, below the cell.

    Parameters
    ----------
    verbose : {1, 2}, default 1
        1: one line that is redrawn, and nothing where standard error is neither a terminal nor a notebook's. 2: a line
        for every epoch.
    """

    def __init__(self, verbose: int = 1) -> None:
        self.verbose = verbose
        self._started = 0.0
        self._before = 0  # epochs of a process that this one resumes
        self._lines = Lines(verbose)

    def on_fit_start(self, run: FitRun) -> None:
        """Start the clock."""
        self._started, self._before = time.perf_counter(), run.epoch
        self._lines = Lines(self.verbose)

    def on_epoch_end(self, run: FitRun) -> None:
        """Show the epoch."""
        if not self._lines.seen:
            return
        row = run.history.row()
        parts = [f"epoch {run.epoch}/{run.epochs}"]
        parts += [f"{name} {short(row[name])}" for name in MONITORS if name in row]
        parts.append(f"{row['seconds']:.2f} s")
        if run.epoch < run.epochs:
            elapsed = time.perf_counter() - self._started
            parts.append(f"{duration(elapsed / (run.epoch - self._before) * (run.epochs - run.epoch))} left")
        with showing(run):
            self._lines.write("  ".join(parts))

    def on_fit_end(self, run: FitRun) -> None:
        """End the redrawn line, and say why the training ended early."""
        early = run.epoch < run.epochs
        self._lines.end(f"stopped: {run.history.stop_reason}" if early else "")


class Lines:
    """Where progress is written: one line that is redrawn, or one below the other.

    Parameters
    ----------
    verbose : {1, 2}
        As of `Progress`.
    """

    def __init__(self, verbose: int) -> None:
        self._redrawn = verbose == 1
        self._drawn = False
        self._notebook = _NotebookLine()

    @property
    def seen(self) -> bool:
        """Whether anybody sees what is written."""
        return not self._redrawn or _in_notebook() or bool(sys.stderr and sys.stderr.isatty())

    def write(self, line: str) -> None:
        """Write a line, in the place of the one before if it is redrawn."""
        if not self._redrawn:
            _stream().write(line + "\n")
        elif _in_notebook():
            self._notebook.draw(line)
            self._drawn = True
            return
        else:
            # A line that wraps cannot be redrawn, so it is cut to the terminal.
            sys.stderr.write("\r" + line[: shutil.get_terminal_size().columns - 1] + "\x1b[K")
            self._drawn = True
        _stream().flush()

    def end(self, last: str = "") -> None:
        """End the redrawn line, and write a last one, if anything was written or lines are not redrawn."""
        stream = _stream()
        if self._drawn:
            self._notebook.end()
            stream.write("\n")
        if last and (self._drawn or not self._redrawn):
            stream.write(f"{last}\n")
        self._drawn = False


class _NotebookLine:
    """A line below a notebook's cell that is redrawn; a notebook keeps every drawing and knows no terminal's codes."""

    _SECONDS = 0.1

    def __init__(self) -> None:
        self._line, self._drawn, self._width, self._when = "", "", 0, -math.inf

    def draw(self, line: str) -> None:
        """Show a line in the place of the one before, or keep it for `end` where that was drawn just now."""
        self._line = line
        if time.perf_counter() - self._when >= self._SECONDS:
            self.end()

    def end(self) -> None:
        """Draw the last line if it has not been."""
        if self._drawn != self._line:
            sys.stdout.write("\r" + self._line.ljust(self._width))
            self._drawn, self._width, self._when = self._line, len(self._line), time.perf_counter()


def _in_notebook() -> bool:
    return type(sys.stdout).__module__.startswith("ipykernel.")


def _stream() -> TextIO:
    """Where progress goes: notebooks paint standard error like a failure."""
    return sys.stdout if _in_notebook() else sys.stderr


def duration(seconds: float) -> str:
    """Return a length of time as people write it.

    Examples
    --------
    >>> duration(7.2), duration(200), duration(7500)
    ('7 s', '3 min 20 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"
