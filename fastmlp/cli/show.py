"""How things look, on a terminal and in a pipe (floor 11; imports rich, model, training).

On a terminal there is colour, text is wrapped to its width, and a bar shows how far a training is. A pipe gets plain
lines of text, one a fact, that are easy to search and cut.
"""

import sys
import textwrap
from collections.abc import Callable, Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from ..model.history import short
from ..training.callbacks import Callback, FitRun, showing

_WIDTH_OF_A_PIPE = 1000
"""So wide that nothing is ever wrapped."""

_COLUMNS: dict[str, tuple[str, Callable[[float], str]]] = {
    "epoch": ("epoch", "{:.0f}".format),
    "loss": ("loss", short),
    "accuracy": ("accuracy", "{:.2%}".format),
    "val_loss": ("val loss", short),
    "val_accuracy": ("val accuracy", "{:.2%}".format),
    "seconds": ("seconds", lambda seconds: f"{seconds:.{2 if seconds < 1000 else 0}f}"),
}


class Screen:
    """Standard output.

    Attributes
    ----------
    is_terminal : bool
    width : int
    console : rich.console.Console
    """

    def __init__(self) -> None:
        self.is_terminal = sys.stdout.isatty()
        self.console = Console(
            highlight=False, markup=False, emoji=False, width=None if self.is_terminal else _WIDTH_OF_A_PIPE
        )
        self.width = self.console.width

    def say(self, text: str = "", style: str | None = None) -> None:
        """Print text; on a terminal wrapped at spaces, and in a style such as ``"bold"``."""
        self.console.print(text, style=style, soft_wrap=not self.is_terminal)

    def facts(self, facts: Mapping[str, str]) -> None:
        """Print labels with what they stand for, one below the other."""
        indent = max(map(len, facts)) + 2
        for label, fact in facts.items():
            lines = textwrap.wrap(fact, self.width - indent, break_on_hyphens=False, break_long_words=False) or [""]
            self.console.print(label.ljust(indent), style="bold", end="", soft_wrap=True)
            self.console.print(f"\n{' ' * indent}".join(lines), soft_wrap=True)

    def table(self, columns: Mapping[str, str], rows: list[list[str]]) -> None:
        """Print a table.

        Parameters
        ----------
        columns : mapping from str to {"left", "right", "wrapped"}
            Headings, and to which side the cells go; wrapped ones go left, and may take several lines on a terminal.
        rows : list of list of str
        """
        if self.is_terminal:
            table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
            for heading, side in columns.items():
                table.add_column(heading, justify="right" if side == "right" else "left", no_wrap=side != "wrapped")
            for row in rows:
                table.add_row(*row)
            self.console.print(table)
            return
        widths = [max(map(len, cells)) for cells in zip(columns, *rows, strict=True)]
        for row in [list(columns), *rows]:
            cells = zip(row, widths, columns.values(), strict=True)
            self.say("  ".join(f"{cell:{'>' if side == 'right' else '<'}{n}}" for cell, n, side in cells).rstrip())


class EpochRows(Callback):
    """Prints a row of figures after every epoch, and on a terminal a bar below with the time left.

    A context manager: the bar is gone when it is left.
    """

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._widths: dict[str, int] = {}
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("time left"),
            TimeRemainingColumn(),
            console=screen.console,
            transient=True,
            refresh_per_second=4,
            disable=not screen.is_terminal,
        )
        self._task = self._bar.add_task("", start=False)

    def __enter__(self) -> "EpochRows":
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Take the bar away."""
        self._bar.stop()

    def on_fit_start(self, run: FitRun) -> None:
        """Print the head of the table."""
        columns = [name for name in _COLUMNS if name in (*run.columns, "epoch", "seconds")]
        self._widths = {name: max(7, len(_COLUMNS[name][0])) for name in columns}
        self._widths["epoch"] = max(7, len(str(run.epochs)))
        self._screen.say("  ".join(_COLUMNS[name][0].rjust(width) for name, width in self._widths.items()), "bold")
        self._bar.update(self._task, total=run.epochs)

    def on_epoch_start(self, run: FitRun) -> None:
        """Say on the bar which epoch is under way."""
        self._bar.start_task(self._task)
        self._bar.update(self._task, description=f"epoch {run.epoch} of {run.epochs}")

    def on_epoch_end(self, run: FitRun) -> None:
        """Print the row of the epoch."""
        row = run.history.row()
        cells = [_COLUMNS[name][1](row[name]).rjust(width) for name, width in self._widths.items()]
        with showing(run):
            self._screen.say("  ".join(cells))
            sys.stdout.flush()  # whoever reads our pipe wants to see each epoch when it is done
            self._bar.advance(self._task)
