"""A learning rate that falls when learning stands still (floor 7; imports checks, errors)."""

from typing import Any

from ..checks import check_number, check_size, explained
from ..errors import ArgumentError
from .callbacks import FitRun, Monitor


class ReduceOnPlateau(Monitor):
    """Lower the learning rate when a metric has not improved for some epochs.

    What is lowered is the rate that a schedule multiplies, so the two go together. Each fit starts with the
    optimizer's.

    Parameters
    ----------
    monitor : {"val_loss", "val_accuracy", "loss", "accuracy"}, default "val_loss"
        What to watch: a loss should fall, an accuracy rise.
    factor : float in (0, 1), default 0.1
        What the rate is multiplied by each time.
    patience : int >= 1, default 3
        How many epochs in a row without improvement lower it; after that they are counted anew.
    min_delta : float >= 0, default 0.0
        An improvement is a change by more than this.
    min_learning_rate : float >= 0, default 0.0
        The rate is not lowered beyond this.

    Attributes
    ----------
    best_epoch : int
        Of the last fit, counted from 1; 0 before any epoch.
    best_value : float
        Of the monitored figure.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range or of the wrong type, or at the start of `fit`, a figure that it does not record.

    Notes
    -----
    Keras counts epochs the same; PyTorch's ``ReduceLROnPlateau`` waits for one more. To divide by 10 when the error
    plateaus is the rule of He et al. 2016, "Deep residual learning for image recognition", section 3.4.

    Examples
    --------
    >>> ReduceOnPlateau("loss", factor=0.5)
    ReduceOnPlateau(monitor='loss', factor=0.5, patience=3, min_delta=0.0, min_learning_rate=0.0)
    """

    @explained
    def __init__(
        self,
        monitor: str = "val_loss",
        factor: float = 0.1,
        patience: int = 3,
        min_delta: float = 0.0,
        min_learning_rate: float = 0.0,
    ) -> None:
        super().__init__(monitor, patience, min_delta)
        self.factor = check_number(factor, "factor", "a number above 0 and below 1")
        if not 0 < self.factor < 1:
            raise ArgumentError(f"factor must be above 0 and below 1, got {self.factor!r}")
        self.min_learning_rate = check_size(min_learning_rate, "min_learning_rate")
        self._counted_from = 0

    def __repr__(self) -> str:
        return (
            f"ReduceOnPlateau(monitor={self.monitor!r}, factor={self.factor}, patience={self.patience}, "
            f"min_delta={self.min_delta}, min_learning_rate={self.min_learning_rate})"
        )

    def on_fit_start(self, run: FitRun) -> None:
        """Start afresh, and check that the figure will be there."""
        super().on_fit_start(run)
        self._counted_from = 0

    def memory(self) -> dict[str, Any]:
        """Return what was the best, and from where patience counts; see `Callback.memory`."""
        return super().memory() | {"counted_from": self._counted_from}

    def recall(self, memory: dict[str, Any]) -> None:
        """Take it over; see `Callback.recall`."""
        super().recall(memory)
        self._counted_from = memory["counted_from"]

    def on_epoch_end(self, run: FitRun) -> None:
        """Lower the rate of the coming epochs when patience is at its end."""
        if self.improved(run):
            self._counted_from = run.epoch
        elif run.epoch - self._counted_from >= self.patience:
            self._counted_from = run.epoch
            # A rate that was below the limit from the start is not to rise to it.
            lowest = min(run.learning_rate, self.min_learning_rate)
            run.learning_rate = max(run.learning_rate * self.factor, lowest)
