"""What a training recorded, and what an evaluation found (floor 1; imports pandas, errors, tables)."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import ArgumentError, ArgumentTypeError, require
from ..tables import Table, svg_curves

COLUMNS = ("epoch", "loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")
"""Every column a `History` can have, in this order."""

_SHOWN_AT_EITHER_END = 8
_SHOWN_IN_A_NOTEBOOK = 5


@dataclass(frozen=True)
class Evaluation:
    """Loss and accuracy of a network on some data.

    Parameters
    ----------
    loss : float
        Mean loss over the samples; penalties are not counted.
    accuracy : float or None
        The share of right answers, in [0, 1]; None in regression.

    Examples
    --------
    >>> print(Evaluation(0.25, 0.9561))
    loss 0.2500, accuracy 95.61%
    """

    loss: float
    accuracy: float | None = None

    def __str__(self) -> str:
        return f"loss {short(self.loss)}" + ("" if self.accuracy is None else f", accuracy {self.accuracy:.2%}")

    def _repr_html_(self) -> str:
        cells = {"loss": short(self.loss)} | ({} if self.accuracy is None else {"accuracy": f"{self.accuracy:.2%}"})
        return Table(list(cells), [list(cells.values())]).html()


class History(Mapping[str, list[float]]):
    """Values recorded in each epoch: a mapping from column names to lists.

    Columns are those of `COLUMNS` that were recorded: ``epoch`` (from 1, counted over all fits of a network), ``loss``
    and ``accuracy`` (over the training samples, each judged just before the step it was used in), ``val_loss`` and
    ``val_accuracy`` (over the validation samples, after the epoch), ``learning_rate`` (of the epoch's last step,
    as the schedule made it) and ``seconds`` (of training, validation not counted; of short epochs that were trained
    together, the mean). All have the same length; where an epoch lacks a value, it is NaN. A column is an attribute
    too: ``history.loss`` is ``history["loss"]``.

    Attributes
    ----------
    stop_reason : str
        Why the training ended, such as ``"epochs done"``, ``"early stopping: ..."``, ``"interrupted"``, ``"diverged"``;
        empty before it has.

    Examples
    --------
    >>> history = History()
    >>> history.append(epoch=1, loss=0.5)
    >>> history.append(epoch=2, loss=0.25)
    >>> history["loss"], history.loss[-1], history.epochs
    ([0.5, 0.25], 0.25, 2)
    >>> history
    epoch    loss
        1  0.5000
        2  0.2500
    """

    def __init__(self) -> None:
        self._columns: dict[str, list[float]] = {}
        self.stop_reason = ""

    @property
    def epochs(self) -> int:
        """How many epochs were recorded."""
        return max(map(len, self._columns.values()), default=0)

    def append(self, **values: float) -> None:
        """Record an epoch.

        Parameters
        ----------
        **values : float
            By names of `COLUMNS`.

        Raises
        ------
        ArgumentError
            A name that is not a column's.
        """
        self.extend(**{name: [value] for name, value in values.items()})

    def extend(self, **columns: Sequence[float]) -> None:
        """Record several epochs.

        Parameters
        ----------
        **columns : sequence of float
            By names of `COLUMNS`, a value for each epoch.

        Raises
        ------
        ArgumentError
            A name that is not a column's, or columns of different lengths.

        Examples
        --------
        >>> history = History()
        >>> history.extend(epoch=[1, 2], loss=[0.5, 0.25])
        >>> history.epochs
        2
        """
        lengths = set(map(len, columns.values()))
        if len(lengths) > 1:
            raise ArgumentError(f"columns must have a value for each epoch; got {sorted(lengths)} values")
        if self._columns.keys() == columns.keys():  # as after every epoch but the first
            for name, column in self._columns.items():
                column.extend(columns[name])
            return
        for name in columns:
            if name not in COLUMNS:
                raise ArgumentError(f"{name!r} is not a column of a History; the columns are {', '.join(COLUMNS)}")
        if not self._columns:
            self._columns = {name: [*columns[name]] for name in COLUMNS if name in columns}
            return
        epochs, missing = self.epochs, [math.nan] * max(lengths, default=0)
        for name in COLUMNS:
            if name in columns or name in self._columns:
                self._columns.setdefault(name, [math.nan] * epochs).extend(columns.get(name, missing))

    def truncate(self, epochs: int) -> None:
        """Forget all but the first `epochs` epochs."""
        self._columns = {name: column[:epochs] for name, column in self._columns.items() if epochs}

    def row(self, number: int = -1) -> dict[str, float]:
        """Return what was recorded for one epoch, by default the last."""
        return {name: self[name][number] for name in self}

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary that JSON can hold: ``{"columns": {name: [...]}, "stop_reason": ...}``.

        JSON has no NaN and no infinity; None stands for them.
        """
        columns = {name: [value if math.isfinite(value) else None for value in self[name]] for name in self}
        return {"columns": columns, "stop_reason": self.stop_reason}

    def to_frame(self) -> Any:
        """Return the history as a pandas DataFrame, with a row for each epoch and the epoch as its index.

        Returns
        -------
        pandas.DataFrame, shape (epochs, columns)
            The columns are those that were recorded, in the order of `COLUMNS`. Where an epoch has no recorded number,
            the index counts from 1.

        Raises
        ------
        MissingDependencyError
            pandas is not installed.

        Examples
        --------
        >>> history = History()
        >>> history.extend(epoch=[1, 2], loss=[0.5, 0.25])
        >>> history.to_frame()["loss"].to_dict()
        {1: 0.5, 2: 0.25}
        """
        try:
            import pandas
        except ImportError as error:
            raise require("pandas", "pandas") from error
        epochs = self._columns.get("epoch", [])
        if not epochs or not all(abs(epoch) < 2**53 and epoch == int(epoch) for epoch in epochs):  # NaN is neither
            epochs = list(range(1, self.epochs + 1))
        index = pandas.Index([int(epoch) for epoch in epochs], dtype="int64", name="epoch")
        columns = {name: self[name] for name in self if name != "epoch"}
        return pandas.DataFrame(columns, index=index, dtype="float64")

    @classmethod
    def from_dict(cls, plain: Any) -> "History":
        """Make a history from what `to_dict` returned.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            The dictionary is not of that form.
        """
        if not isinstance(plain, dict) or not isinstance(plain.get("columns"), dict):
            raise ArgumentTypeError("a history must be a dictionary with columns, as History.to_dict returns")
        history = cls()
        for name in plain["columns"]:
            if name not in COLUMNS:
                raise ArgumentError(f"{name!r} is not a column of a History; the columns are {', '.join(COLUMNS)}")
        for name in COLUMNS:
            if name in plain["columns"]:
                history._columns[name] = [_number(value, name) for value in plain["columns"][name]]
        if len({len(column) for column in history._columns.values()}) > 1:
            raise ArgumentError("the columns of a history must all have the same length")
        history.stop_reason = str(plain.get("stop_reason", ""))
        return history

    def __getitem__(self, name: str) -> list[float]:
        if name not in self._columns:
            raise KeyError(f"{name!r} was not recorded; there are: {', '.join(self) or 'no epochs yet'}")
        return self._columns[name]

    def __getattr__(self, name: str) -> list[float]:
        if name in COLUMNS and name in self._columns:
            return self._columns[name]
        raise AttributeError(f"a History has no {name!r}; recorded are: {', '.join(self.__dict__.get('_columns', ()))}")

    def __iter__(self) -> Iterator[str]:
        return (name for name in COLUMNS if name in self._columns)

    def __len__(self) -> int:
        """Return the number of columns, as for any mapping; `epochs` is that of epochs."""
        return len(self._columns)

    def __repr__(self) -> str:
        if not self.epochs:
            return "History of no epochs"
        if self.epochs <= 2 * _SHOWN_AT_EITHER_END + 1:
            return str(self._table(range(self.epochs)).text())
        first, last = range(_SHOWN_AT_EITHER_END), range(self.epochs - _SHOWN_AT_EITHER_END, self.epochs)
        return str(self._table([*first, None, *last]).text())

    def _repr_html_(self) -> str:
        if not self.epochs:
            return Table(["History of no epochs"], []).html()
        table = self._table(range(max(self.epochs - _SHOWN_IN_A_NOTEBOOK, 0), self.epochs))
        title = f"History of {self.epochs} epoch{'s' * (self.epochs > 1)}"
        if self.epochs > _SHOWN_IN_A_NOTEBOOK:
            title += f", the last {_SHOWN_IN_A_NOTEBOOK}"
        losses = {name: self[name] for name in ("loss", "val_loss") if name in self}
        return replace(table, title=title).html(before=svg_curves(losses))

    def _table(self, numbers: Iterable[int | None]) -> Table:
        """Return the table of these epochs; None stands for those left out."""
        rows = [
            ["..."] * len(self) if number is None else [_shown(name, value) for name, value in self.row(number).items()]
            for number in numbers
        ]
        return Table(list(self), rows, note=f"stopped: {self.stop_reason}" if self.stop_reason else "")


def _number(value: Any, name: str) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentTypeError(f"column {name!r} of a history must hold numbers, got {value!r}")
    return value


def short(value: float) -> str:
    """Return a number of any size in at most seven characters, with four decimals where they fit.

    Examples
    --------
    >>> short(0.12345), short(12345.678), short(2.2e20), short(4e-9)
    ('0.1235', '12345.7', '2.2e+20', '4.0e-09')
    """
    if value == 0 or abs(value) >= 1e-3:
        for decimals in range(4, -1, -1):
            text = f"{value:.{decimals}f}"
            if len(text) <= 7:
                return text
    text = f"{value:.1e}"
    return text if len(text) <= 7 else f"{value:.0e}"


def _shown(name: str, value: float) -> str:
    if math.isnan(value):
        return "-"
    formats = {"epoch": "{:.0f}", "learning_rate": "{:.4g}", "seconds": "{:.2f}"}
    return formats[name].format(value) if name in formats else short(value)
