"""A log of every epoch as a CSV file (floor 7; imports atomic_write, checks, errors, model)."""

import contextlib
import errno
import math
import os
from pathlib import Path
from typing import Any

from ..atomic_write import write_bytes
from ..checks import check_switch, explained
from ..errors import ArgumentError, ArgumentTypeError, DataFileError, FileWriteError
from ..model.history import COLUMNS
from .callbacks import Callback, FitRun


class CSVLogger(Callback):
    """Write a line of a CSV file after every epoch: the epoch's row of the history.

    Columns are those of the history: epoch, loss, accuracy, val_loss, val_accuracy, learning_rate, seconds, as far as
    the fit records them. Each line is handed to the system as a whole, so other programs can read along, and a process
    that is killed leaves whole lines. Lines of epochs that are undone are removed.

    A fit with ``resume_from`` goes on in the file: the lines of its finished epochs stay, those of later epochs are
    removed, and the new ones follow.

    Parameters
    ----------
    path : str or path
        Must end in ``.csv``. A new fit replaces a file that is there.
    append : bool, default False
        Keep the lines of a file that is there, and write below them.

    Attributes
    ----------
    path : Path
    append : bool

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument that can't be used; or at the start of `fit`, before any training, a folder that does not exist, or
        a file of other columns to append to.
    DataFileError
        At the start of `fit`: the file to append to is not one of this class.
    FileWriteError
        In `fit`: the file can't be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from fastmlp import CSVLogger, Network
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = CSVLogger(f"{folder}/log.csv")
    ...     history = Network([2, 8, 2], seed=1).fit(X, y, epochs=2, callbacks=[log], verbose=0)
    ...     lines = log.path.read_text().splitlines()
    >>> lines[0]
    'epoch,loss,accuracy,learning_rate,seconds'
    >>> [line.split(",")[0] for line in lines[1:]]
    ['1', '2']
    """

    @explained
    def __init__(self, path: str | os.PathLike[str], append: bool = False) -> None:
        self.path, self.append = _checked(path), check_switch(append, "append")
        self._columns: list[str] = []
        # How many rows of the history are in the file, and where the line of the last one starts and ends.
        self._epochs = self._start = self._end = 0

    def __repr__(self) -> str:
        return f"CSVLogger({str(self.path)!r}, append={self.append})"

    def on_fit_start(self, run: FitRun) -> None:
        """Check the place, and write what stands above the new lines: a heading, and the lines that stay."""
        if not os.path.isdir(self.path.absolute().parent):
            raise ArgumentError(f"path: the folder {str(self.path.parent)!r} does not exist; make it first")
        if os.path.isdir(self.path):
            raise ArgumentError(f"path: {self.path} is a folder; give the name of a file in it")
        recorded = {"epoch", "learning_rate", "seconds", *run.columns}
        self._columns = [name for name in COLUMNS if name in recorded]
        lines = [",".join(self._columns)]
        if (self.append or run.epoch) and os.path.exists(self.path):
            lines += self._kept_lines(run)
        lines += [self._line(run.history.row(number)) for number in range(run.history.epochs)]
        content = "".join(f"{line}\n" for line in lines).encode()
        write_bytes(self.path, content)
        self._epochs, self._start, self._end = run.history.epochs, len(content), len(content)

    def on_epoch_end(self, run: FitRun) -> None:
        """Write the line of the epoch."""
        line = f"{self._line(run.history.row())}\n".encode()
        # Noted first: should anything go wrong from here on, the epoch is undone, and `on_fit_end` removes the line.
        self._epochs, self._start, self._end = run.history.epochs, self._end, self._end + len(line)
        try:
            with open(self.path, "r+b", buffering=0) as file:
                file.seek(self._start)
                if file.write(line) < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise FileWriteError.told(self.path, error) from error

    def on_fit_end(self, run: FitRun) -> None:
        """Remove the line of an epoch that was undone after it was written."""
        if run.history.epochs < self._epochs:
            with contextlib.suppress(OSError):
                os.truncate(self.path, self._start)

    def _kept_lines(self, run: FitRun) -> list[str]:
        """Return the lines of the file that stay; the last one is dropped where it is not whole."""
        try:
            heading, *lines = self.path.read_bytes().decode().replace("\r\n", "\n").split("\n")
        except UnicodeDecodeError:
            raise DataFileError(
                f"{self.path}: this is no text, so nothing can be appended; give another path"
            ) from None
        if heading and heading != ",".join(self._columns):
            raise ArgumentError(
                f"append: {self.path} has the columns {heading[:200]!r}, and this fit records "
                f"{','.join(self._columns)!r}; give another path, or append=False to replace the file"
            )
        lines, last = lines[:-1], math.inf
        # A fit that is resumed has its finished epochs in its history; those after its checkpoint come again.
        while run.epoch and lines and run.first_epoch < (epoch := self._epoch(lines[-1])) < last:
            last = epoch
            lines.pop()
        return lines

    def _epoch(self, line: str) -> float:
        try:
            return float(line.partition(",")[0])
        except ValueError:
            raise DataFileError(
                f"{self.path}: a line starts with {line[:20]!r}, not with an epoch's number, so nothing can be "
                "appended; give another path"
            ) from None

    def _line(self, row: dict[str, float]) -> str:
        return ",".join(_cell(name, row.get(name, math.nan)) for name in self._columns)


def _cell(name: str, value: float) -> str:
    """Return a number so that reading it gives the same bits."""
    return str(int(value)) if name == "epoch" else repr(float(value))


def _checked(path: Any) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise ArgumentTypeError(f"path must be a string or a path, got {path!r}")
    if "\0" in os.fsdecode(path):
        raise ArgumentError(f"path holds a zero byte, which no file's name can; got {str(path)!r}")
    checked = Path(os.fsdecode(path))
    if checked.suffix.lower() != ".csv":
        raise ArgumentError(f"path must end in .csv; got {str(path)!r}")
    return checked
