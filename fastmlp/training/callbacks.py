"""What may happen between the epochs of a training (floor 7; imports checks, errors, model)."""

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from ..checks import check_size, check_switch, check_whole, explained
from ..errors import ArgumentError, ArgumentTypeError, unknown_name
from ..model.architecture import Array
from ..model.history import History
from ..model.optimizers import Optimizer
from ..model.schedules import Constant, Schedule
from ..model.training_state import TrainingState

MONITORS = ("loss", "accuracy", "val_loss", "val_accuracy")
"""Columns that a callback can watch."""


@dataclass(frozen=True)
class Steps:
    """The steps that a call of `Callback.on_steps` is about.

    Attributes
    ----------
    count : int
        Steps since the last call, or since the start of the epoch.
    in_epoch : int
        Steps since the start of the epoch.
    loss : float
        Mean loss over the samples of these `count` steps, each computed before the step that used it; without
        penalties.
    accuracy : float
        Share of those samples that were classified correctly; NaN in regression.
    """

    count: int = 0
    in_epoch: int = 0
    loss: float = math.nan
    accuracy: float = math.nan


@dataclass
class FitRun:
    """A training under way, as callbacks see it.

    Attributes
    ----------
    network : Network
        What is trained. In `Callback.on_epoch_end` and `Callback.on_steps` it can be saved, evaluated and asked for
        predictions.
    state : TrainingState
        The network's parameters and counters.
    history : History
        Of this fit so far.
    optimizer : optimizer
    learning_rate : float
        Of the coming epochs, before the schedule's factors; a callback may set it.
    epochs : int
        How many were asked for.
    columns : tuple of str
        Those of `MONITORS` that this fit records.
    schedule : Schedule
    schedule_start : int
        The epoch at which the schedule is at position 0, counted like ``state.epoch``.
    epoch : int
        The current one, or in `Callback.on_epoch_end` the one just finished; counted from 1 in this fit.
    stop_reason : str
        Set by `stop`.
    interrupted : bool
        Set by `interrupt`.
    first_epoch : int
        How many epochs the network had had when this fit began; as ever in a fit that is resumed.
    callbacks : sequence of Callback
        All of this fit.
    settings : dict
        What the fit was called with, as text and numbers: what has to be the same for it to be resumed.
    steps : Steps
        In `Callback.on_steps`: how many steps were done, and their loss.
    """

    network: Any
    state: TrainingState
    history: History
    optimizer: Optimizer
    learning_rate: float
    epochs: int
    columns: tuple[str, ...]
    schedule: Schedule = field(default_factory=Constant)
    schedule_start: int = 0
    epoch: int = 0
    stop_reason: str = ""
    interrupted: bool = False
    first_epoch: int = 0
    callbacks: Sequence["Callback"] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    steps: Steps = field(default_factory=Steps)

    def stop(self, reason: str) -> None:
        """End the training after this epoch; `reason` becomes the history's `stop_reason`."""
        self.stop_reason = reason

    def interrupt(self) -> None:
        """End the training as Ctrl-C does, within a fraction of a second, with the epoch under way undone.

        For `Callback.on_steps`, where an epoch is not worth finishing, and for other threads, which hear no Ctrl-C.
        """
        self.interrupted = True


@contextmanager
def showing(run: FitRun) -> Iterator[None]:
    """Show an epoch: Ctrl-C meanwhile ends the training after it, since what has been shown is not to be undone."""
    try:
        yield
    except KeyboardInterrupt:
        run.interrupt()


class Callback:
    """Base class of callbacks: `fit` calls them after epochs, and on request after steps.

    Each method does nothing until a subclass overrides it, and gets the `FitRun`. An exception that a method raises
    ends the training and reaches the caller of `fit`; the network then is as it was after the last finished epoch. An
    epoch is finished when every callback has seen it. An epoch in which a callback failed or was interrupted is undone.

    The `FitRun` has the ``network``; the ``history`` of this fit so far, whose last epoch is ``history.row()``; the
    ``epoch``, counted from 1, of so many ``epochs``; the ``optimizer``; the ``learning_rate``, which a callback may
    set; and, in `on_steps`, ``steps`` with ``count``, ``in_epoch``, ``loss`` and ``accuracy``. ``stop(reason)`` ends
    the training after this epoch, ``interrupt()`` at once.

    Attributes
    ----------
    every_steps : int >= 1 or None, default None
        Call `on_steps` after so many steps; None: never. A subclass sets it, as an attribute of the class or of the
        object. It is read when an epoch starts.

    Examples
    --------
    >>> class StopWhenGood(Callback):
    ...     def on_epoch_end(self, run):
    ...         if run.history.accuracy[-1] > 0.99:
    ...             run.stop("good enough")

    The loss of every 50 steps, and the loss of a whole epoch, printed by a plain function:

    >>> import numpy as np
    >>> from fastmlp import Network
    >>> class Losses(Callback):
    ...     every_steps = 50
    ...     def __init__(self):
    ...         self.losses = []
    ...     def on_steps(self, run):
    ...         self.losses.append(run.steps.loss)
    >>> def print_loss(run):
    ...     print(f"epoch {run.epoch}: loss below 1 is {run.history.loss[-1] < 1}")
    >>> X = np.random.default_rng(0).normal(size=(1000, 3))
    >>> losses, net = Losses(), Network([3, 8, 2], seed=0)
    >>> history = net.fit(X, X[:, 0] > 0, epochs=1, batch_size=8, callbacks=[losses, print_loss], verbose=0)
    epoch 1: loss below 1 is True
    >>> len(losses.losses)  # of 125 steps: after 50, 100 and 125
    3
    """

    every_steps: int | None = None

    def on_fit_start(self, run: FitRun) -> None:
        """Before the first epoch: check here that everything the callback needs is there."""

    def on_epoch_start(self, run: FitRun) -> None:
        """Before each epoch."""

    def on_steps(self, run: FitRun) -> None:
        """After every `every_steps` steps of an epoch, and after its last step.

        Steps are counted anew in each epoch, so the last call of an epoch may be about fewer steps. ``run.steps`` tells
        how many they were, and their mean loss and accuracy. The weights are those after the last of these steps. A
        change of ``run.learning_rate`` takes effect with the next epoch. ``run.stop(reason)`` ends the training after
        this epoch; ``run.interrupt()`` ends it at once, with this epoch undone.

        Asking for calls changes no bit of the weights. It may change the last digit of the recorded loss: a sum over an
        epoch is rounded at each call.
        """

    def on_epoch_end(self, run: FitRun) -> None:
        """After each finished epoch, when its row is in ``run.history``."""

    def on_fit_end(self, run: FitRun) -> None:
        """After the last epoch, and also when the training was interrupted or failed."""

    def memory(self) -> dict[str, Any]:
        """Return the state that a resumed fit needs: by name, values that JSON can hold, or copies of parameters.

        A callback that is empty-handed, as by default, starts afresh.
        """
        return {}

    def recall(self, memory: dict[str, Any]) -> None:
        """Restore the state that `memory` returned in an earlier process; called after `on_fit_start`."""


class EachEpoch(Callback):
    """A plain function as a callback: it is called after each finished epoch with the `FitRun`.

    Parameters
    ----------
    function : callable
        Takes one argument.

    Raises
    ------
    ArgumentTypeError
        The function doesn't take one argument.
    """

    def __init__(self, function: Callable[[FitRun], object]) -> None:
        if not _takes_one(function):
            raise ArgumentTypeError(
                f"callbacks: a function must take one argument, the FitRun, such as lambda run: print(run.epoch); got "
                f"{function!r}"
            )
        self.function = function

    def __repr__(self) -> str:
        return f"EachEpoch({self.function!r})"

    def __deepcopy__(self, memo: Any) -> "EachEpoch":
        return EachEpoch(self.function)  # a copy of a method would note what it sees elsewhere

    def on_epoch_end(self, run: FitRun) -> None:
        """Call the function."""
        self.function(run)


def steps_between_calls(callback: Callback) -> int | None:
    """Return the checked `Callback.every_steps`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Neither None nor a whole number of at least 1.
    """
    every = callback.every_steps
    if every is None:
        return None
    return check_whole(every, f"callbacks: every_steps of {type(callback).__name__}", 1, 2**31)


def as_callback(given: Any) -> Callback:
    """Return a callback as it is, and a function as a callback.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Something else, a class, a function of other arguments, or an `every_steps` that can't be used.
    """
    if isinstance(given, Callback):
        steps_between_calls(given)
        return given
    if callable(given) and not isinstance(given, type):
        return EachEpoch(given)
    hint = f"; make one: {given.__name__}()" if isinstance(given, type) else ""
    raise ArgumentTypeError(
        f"callbacks must be objects such as EarlyStopping(), or functions that take the FitRun; got {given!r}{hint}"
    )


def _takes_one(function: Callable[..., object]) -> bool:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # functions written in C may have none
        return True
    try:
        signature.bind(None)
    except TypeError:
        return False
    return True


class Monitor(Callback):
    """The base of callbacks that watch whether a figure improves; every fit is watched afresh.

    Parameters
    ----------
    monitor : str
        One of `MONITORS`.
    patience : int >= 1
    min_delta : float >= 0

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
    """

    def __init__(self, monitor: str, patience: int, min_delta: float) -> None:
        if not isinstance(monitor, str) or monitor not in MONITORS:
            raise unknown_name("monitor", monitor, MONITORS)
        self.monitor = monitor
        self.patience = check_whole(patience, "patience", 1, 2**31)
        self.min_delta = check_size(min_delta, "min_delta")
        self.best_epoch = 0
        self.best_value = math.nan

    def on_fit_start(self, run: FitRun) -> None:
        """Start afresh, and check that the figure will be there."""
        if self.monitor not in run.columns:
            raise ArgumentError(
                f"{type(self).__name__} monitors {self.monitor!r}, which this fit does not record; {self._remedy(run)}"
            )
        self.best_epoch, self.best_value = 0, math.nan

    def improved(self, run: FitRun) -> bool:
        """Whether the epoch just finished is the best so far; if so, it is noted."""
        value = run.history[self.monitor][-1]
        gain = value - self.best_value if self.monitor.endswith("accuracy") else self.best_value - value
        better = self.best_epoch == 0 or gain > self.min_delta
        if better:
            self.best_epoch, self.best_value = run.epoch, value
        return better

    def memory(self) -> dict[str, Any]:
        """Return the best epoch and its figure; see `Callback.memory`."""
        return {"best_epoch": self.best_epoch, "best_value": self.best_value if self.best_epoch else None}

    def recall(self, memory: dict[str, Any]) -> None:
        """Take them over; see `Callback.recall`."""
        self.best_epoch = memory["best_epoch"]
        self.best_value = memory["best_value"] if self.best_epoch else math.nan

    def _remedy(self, run: FitRun) -> str:
        if self.monitor.removeprefix("val_") not in run.columns:
            return f"a regression has no accuracy: give monitor={self.monitor.replace('accuracy', 'loss')!r}"
        return f"give X_val and y_val, or validation_split=0.1, or monitor={self.monitor.removeprefix('val_')!r}"


class EarlyStopping(Monitor):
    """Stop when a metric has not improved for some epochs, and restore the weights of the best epoch.

    Parameters
    ----------
    monitor : {"val_loss", "val_accuracy", "loss", "accuracy"}, default "val_loss"
        What to watch: a loss should fall, an accuracy rise.
    patience : int >= 1, default 5
        How many epochs in a row may pass without improvement.
    min_delta : float >= 0, default 0.0
        An improvement is a change by more than this.
    restore_best : bool, default True
        Give the network the weights of the best epoch when the training ends, however it ends. They are kept in memory.

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
    Prechelt 1998, "Early stopping - but when?". Only weights go back; counters and the optimizer's memory do not.

    Examples
    --------
    >>> EarlyStopping("val_accuracy", patience=3)
    EarlyStopping(monitor='val_accuracy', patience=3, min_delta=0.0, restore_best=True)
    """

    @explained
    def __init__(
        self, monitor: str = "val_loss", patience: int = 5, min_delta: float = 0.0, restore_best: bool = True
    ) -> None:
        super().__init__(monitor, patience, min_delta)
        self.restore_best = check_switch(restore_best, "restore_best")
        self._best_parameters: Array | None = None

    def __repr__(self) -> str:
        return (
            f"EarlyStopping(monitor={self.monitor!r}, patience={self.patience}, min_delta={self.min_delta}, "
            f"restore_best={self.restore_best})"
        )

    def on_fit_start(self, run: FitRun) -> None:
        """Start afresh, and check that the figure will be there."""
        super().on_fit_start(run)
        self._best_parameters = None

    def on_epoch_end(self, run: FitRun) -> None:
        """Keep the weights when they are the best so far, or stop when patience is at its end."""
        if self.improved(run):
            self._best_parameters = run.state.parameters.copy() if self.restore_best else None
        elif run.epoch - self.best_epoch >= self.patience:
            run.stop(
                f"early stopping: {self.monitor} has not improved on {self.best_value:.4g} (epoch {self.best_epoch}) "
                f"for {self.patience} epoch{'s' * (self.patience > 1)}"
            )

    def memory(self) -> dict[str, Any]:
        """Return the best epoch, its figure and its weights; see `Callback.memory`."""
        weights = {} if self._best_parameters is None else {"best": self._best_parameters}
        return super().memory() | weights

    def recall(self, memory: dict[str, Any]) -> None:
        """Take them over; see `Callback.recall`."""
        super().recall(memory)
        self._best_parameters = memory.get("best")

    def on_fit_end(self, run: FitRun) -> None:
        """Go back to the best weights."""
        if self._best_parameters is not None:
            run.state.parameters[...] = self._best_parameters
            self._best_parameters = None
