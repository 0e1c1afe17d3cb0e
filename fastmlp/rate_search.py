"""`find_learning_rate`: a range test of learning rates (floor 8; imports numpy, checks, errors, model, training,
network).
"""

import copy
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .checks import check_number, check_whole, explained
from .errors import ArgumentError, ArgumentTypeError, TrainingError
from .model.history import short
from .model.optimizers import Optimizer, get_optimizer
from .model.schedules import Schedule
from .network import Network
from .training.callbacks import Callback, FitRun
from .training.fitting import FitSettings, Fitting

Array = NDArray[np.float64]

_FEWEST_STEPS, _MOST_STEPS = 10, 1_000_000

_SHARE_OF_START = 10
"""The first loss is the mean over the first tenth of the steps."""

_SHARE_OF_WINDOW = 20
"""A smoothed loss is a mean over its neighbours on either side, up to a twentieth of the steps."""

_KEPT = 0.8
"""How much of the running mean of losses a step keeps, by which divergence is found."""


@dataclass(frozen=True, eq=False)
class LearningRateSearch:
    """What `find_learning_rate` found.

    Attributes
    ----------
    rates : ndarray of float64, shape (n_steps,)
        The learning rate of each step, rising.
    losses : ndarray of float64, shape (n_steps,)
        The loss of each step's batch, before the step.
    smoothed : ndarray of float64, shape (n_steps,)
        Mean of `losses` over neighbouring steps, as many on either side as a twentieth of the steps.
    diverged : bool
        Whether the search ended early because the loss blew up.

    Examples
    --------
    >>> import numpy as np
    >>> rates = np.geomspace(0.001, 10, 9)
    >>> losses = np.array([2.3, 2.3, 2.2, 2.0, 1.2, 0.9, 0.8, 1.7, 9.0])
    >>> search = LearningRateSearch(rates, losses, losses, True)
    >>> search.steepest, search.lowest, search.suggestion
    (0.1, 1.0, 0.1)
    """

    rates: Array
    losses: Array
    smoothed: Array
    diverged: bool

    @property
    def lowest(self) -> float:
        """The rate at which the smoothed loss was lowest, to two digits: at higher rates the loss rises or blows up.

        Another common choice of a learning rate is a tenth of it.
        """
        return _two_digits(self.rates[self.smoothed.argmin()])

    @property
    def steepest(self) -> float | None:
        """The rate at which the smoothed loss fell fastest over the logarithm of the rate, to two digits.

        Rates above the one of the lowest loss don't count. None where the loss never fell.
        """
        stop = int(self.smoothed.argmin()) + 1
        if stop < 2:
            return None
        slopes = np.gradient(self.smoothed, np.log(self.rates))[:stop]
        return _two_digits(self.rates[slopes.argmin()]) if slopes.min() < 0 else None

    @property
    def suggestion(self) -> float | None:
        """The learning rate to start with: `steepest`. None where the loss never fell."""
        return self.steepest

    def __repr__(self) -> str:
        tried = f"{len(self.rates)} steps, learning rates from {self.rates[0]:.2g} to {self.rates[-1]:.2g}"
        lines = [tried + (", where the loss blew up" if self.diverged else "")]
        lines.append(f"{'first loss':<15}{short(float(self.smoothed[0]))}")
        lines.append(f"{'lowest loss':<15}{short(float(self.smoothed.min()))} at a rate of {self.lowest:g}")
        if self.suggestion is None:
            lines.append("no suggestion: the loss never fell; try other rates, more steps or larger batches")
        else:
            lines.append(f"{'suggestion':<15}{self.suggestion:g}, where the loss falls fastest")
        return "\n".join(lines)


@explained
def find_learning_rate(
    net: Network,
    X: Any,
    y: Any,
    *,
    lowest: float = 1e-5,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    optimizer: str | Optimizer = "adam",
    sample_weight: Any = None,
    class_weight: Any = None,
    engine: str = "auto",
    threads: int | str = "auto",
) -> LearningRateSearch:
    """Find a learning rate: train a copy of a network for some steps while the rate rises, and watch the loss.

    This is the learning-rate range test of Smith 2017, "Cyclical learning rates for training neural networks", section
    3.3, with a rate that rises exponentially. While the rate is too low, the loss stays where it is; then it falls;
    when the rate is too high, it blows up. The search stops when the running mean of the loss is above twice the first
    loss, or when a loss or a weight is no longer finite.

    `net` is not changed. The search starts from its weights. The same network and data give the same result.

    Parameters
    ----------
    net : Network
        Trained or not.
    X, y : array_like
        As in `Network.fit`, but no blocks.
    lowest, highest : float > 0, default 1e-5 and 10.0
        Learning rates of the first and the last step.
    steps : int >= 10, default 100
        Take at most so many steps, in as many epochs as that needs.
    batch_size : int >= 1, default 32
        Give the one that you will train with: larger batches allow higher rates.
    optimizer : str or optimizer, default "adam"
        As in `Network.fit`; the search replaces its learning rate.
    sample_weight, class_weight, engine, threads
        As in `Network.fit`.

    Returns
    -------
    LearningRateSearch
        Rates, losses and `suggestion`; `fastmlp.plots.learning_rates` draws it.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument that can't be used.
    TrainingError
        The first steps diverged already.

    Notes
    -----
    The suggestion is the rate at which the smoothed loss falls fastest. Another rule is a tenth of the rate at which
    the loss is lowest: ``search.lowest / 10``. Both are rates to start from; a rate some times higher may train faster.

    Examples
    --------
    >>> from fastmlp import Adam, Network, find_learning_rate, load_mnist
    >>> digits, net = load_mnist(), Network([784, 30, 10], seed=0)
    >>> search = find_learning_rate(net, digits.X_train, digits.y_train)
    >>> 1e-4 < search.suggestion < 1e-1
    True
    >>> X, y = digits.X_train[:2000], digits.y_train[:2000]
    >>> history = net.fit(X, y, epochs=1, optimizer=Adam(search.suggestion), verbose=0)
    """
    if not isinstance(net, Network):
        raise ArgumentTypeError(f"net must be a Network, got {net!r}")
    if y is None:
        raise ArgumentTypeError("find_learning_rate needs y: give it the samples of one block")
    low, high = _check_rate(lowest, "lowest"), _check_rate(highest, "highest")
    if not low < high:
        raise ArgumentError(f"highest must be above lowest={low:g}, got {high:g}")
    steps = check_whole(steps, "steps", _FEWEST_STEPS, _MOST_STEPS)
    chosen, recorder = replace(get_optimizer(optimizer), learning_rate=low), _Recorder(steps)
    settings = FitSettings.check(
        net.architecture,
        epochs=steps,
        batch_size=batch_size,
        optimizer=chosen,
        schedule=None,
        validation_split=0.0,
        class_weight=class_weight,
        shuffle=True,
        augment=None,
        callbacks=[recorder],
        resume_from=None,
        engine=engine,
        threads=threads,
        verbose=0,
        X_val=None,
        y_val=None,
        rows=None,
        rows_val=None,
        sample_weight=sample_weight,
    )
    copied = copy.copy(net)
    fitting = Fitting(copied, X, y, settings)
    run, per_epoch = fitting.run, fitting.plan.steps
    run.epochs, run.schedule = -(-steps // per_epoch), _Rising(high / low, steps, per_epoch)
    run.schedule_start = run.state.epoch
    try:
        with copied._turns.fit():
            history = fitting.train()
    except TrainingError:
        if not recorder.losses:
            raise
        recorder.diverged = True
    else:
        if history.stop_reason == "interrupted" and not recorder.done:
            raise KeyboardInterrupt
    losses = np.array(recorder.losses)
    rates = low * (high / low) ** (np.arange(len(losses)) / (steps - 1))
    return LearningRateSearch(rates, losses, _smoothed(losses, steps), recorder.diverged)


class _Rising(Schedule):
    """Factors that rise exponentially from 1 to `ratio` in so many steps, and stay there.

    Parameters
    ----------
    ratio : float
    steps, per_epoch : int
    """

    def __init__(self, ratio: float, steps: int, per_epoch: int) -> None:
        self._ratio, self._steps, self._per_epoch = ratio, steps, per_epoch

    def factors(self, positions: Array) -> Array:
        """Return the factors; see `Schedule.factors`."""
        done = np.rint(np.multiply(positions, self._per_epoch)) / (self._steps - 1)
        rising: Array = self._ratio ** np.minimum(done, 1.0)
        return rising


class _Recorder(Callback):
    """Notes the loss of every step, and ends the training after the last one, or when the loss has blown up.

    Parameters
    ----------
    steps : int
    """

    every_steps = 1

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._first_steps, self._ceiling = max(5, steps // _SHARE_OF_START), math.inf
        self._mean = self._weight = 0.0
        self.losses: list[float] = []
        self.diverged = self.done = False

    def on_steps(self, run: FitRun) -> None:
        """Note a step."""
        loss = run.steps.loss
        if math.isnan(loss):  # of a batch in which no sample counts
            loss = self.losses[-1] if self.losses else 0.0
        self.losses.append(loss)
        self._mean = _KEPT * self._mean + (1 - _KEPT) * loss
        self._weight = _KEPT * self._weight + (1 - _KEPT)
        if len(self.losses) == self._first_steps:
            first = sum(self.losses) / self._first_steps
            self._ceiling = first + abs(first)
        self.diverged = self._mean / self._weight > self._ceiling
        self.done = self.diverged or len(self.losses) == self._steps
        if self.done:
            run.interrupt()


def _smoothed(losses: Array, steps: int) -> Array:
    """Return the mean of each loss and its neighbours."""
    window = np.ones(2 * max(1, steps // _SHARE_OF_WINDOW) + 1)
    half = len(window) // 2
    sums, counts = (np.convolve(values, window)[half : half + len(losses)] for values in (losses, np.ones(len(losses))))
    smoothed: Array = sums / counts
    return smoothed


def _check_rate(rate: object, name: str) -> float:
    number = float(check_number(rate, name))
    if not (math.isfinite(number) and number > 0):
        raise ArgumentError(f"{name} must be a learning rate above 0, got {number!r}")
    return number


def _two_digits(rate: float) -> float:
    return float(f"{rate:.1e}")
