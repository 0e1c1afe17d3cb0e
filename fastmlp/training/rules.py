"""What the epoch loop asks whoever trains: the order of the rows, what an epoch came to, when to end (floor 7; imports
numpy, errors, model, data, engines).

`Rules` answers as `Network.fit` does; the estimators answer as scikit-learn does.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.augmentation import Augmentation
from ..data.dataset import Dataset
from ..data.samples import memory_range
from ..engines.base import Engine, Score, n_batches
from ..errors import TrainingError
from ..model.architecture import Architecture, Array
from ..model.history import History
from .callbacks import Callback, FitRun

_WORK_PER_CALL = 3e10
_WORK_OF_A_STEP = 2e5
_SHORT = 1 / 60
_MOST_EPOCHS, _MOST_NUMBERS = 256, 2**20

_LARGE_TARGET = 1e3


@dataclass(frozen=True)
class Plan:
    """What a fit is to do, all of it checked.

    Attributes
    ----------
    architecture : Architecture
    engine : Engine
    data : Dataset
    batch_size : int
    threads : int
        0 lets the engine choose.
    blocks : callable or None
        ``blocks()`` gives the data of an epoch block by block, where they are not all in `data`, which then is the
        first.
    augmentation : Augmentation or None
        What is done to the images of every epoch; their samples are dense and in memory.
    between_epochs : context manager
        Held while an epoch changes the network, so that another thread can copy the network between two epochs.
    together : bool
        Whether short epochs are trained together with those of other fits: the loop asks for them.
    """

    architecture: Architecture
    engine: Engine
    data: Dataset
    batch_size: int
    threads: int
    blocks: Callable[[], Iterator[Dataset]] | None = None
    augmentation: Augmentation | None = None
    between_epochs: AbstractContextManager[Any] = field(default_factory=nullcontext)
    together: bool = False

    @property
    def steps(self) -> int:
        """Steps of an epoch over `data`."""
        return n_batches(self.data.n_training_rows, self.batch_size)


class Call(NamedTuple):
    """The part of an epoch that one call of the engine takes, since Python hears Ctrl-C only between calls."""

    places: slice
    """Of the epoch's rows in their order."""
    steps: slice
    architecture: Architecture
    """With the penalty of the first step."""
    penalties: NDArray[np.float64] | None = None
    """L2 penalty of every step, where they differ."""


class Trained(NamedTuple):
    """Epochs that the engine has trained, before anybody has looked at them."""

    loss: list[float]
    """Of each, the mean over the samples, as much as each counts."""
    accuracy: list[float]
    weight: list[float]
    """By how much an epoch's samples count together."""
    parameters: Array
    """At the end of each: (epochs, n_parameters)."""
    rates: NDArray[np.float64]
    """Learning rate of every step: (epochs, steps)."""


class Rules:
    """The rules of `Network.fit`.

    Parameters
    ----------
    plan : Plan
    run : FitRun
    total : History
        Of all fits of the network; it gets every row that this fit's gets.
    shuffle : bool
    callbacks : sequence of Callback
    """

    loss_share = 1.0
    """By what losses are multiplied where they are shown."""

    def __init__(
        self, plan: Plan, run: FitRun, total: History, shuffle: bool = True, callbacks: Sequence[Callback] = ()
    ) -> None:
        self.plan, self.run, self.total, self.callbacks = plan, run, total, callbacks
        self._shuffle = shuffle

    # The order of the rows

    def epochs_at_once(self) -> int:
        """How many epochs the engine may train in one call: several short ones, where nobody looks in between."""
        return 1 if self.callbacks else short_epochs(self.plan)

    def draw(self, count: int) -> None:
        """Draw the orders of the next `count` epochs, where they are to outlast an epoch that is undone."""

    def orders(self, data: Dataset, count: int) -> NDArray[np.int64]:
        """Return the rows of the next `count` epochs in their orders, (count, n_rows)."""
        n = data.n_training_rows
        places = drawn_orders(self.run.state.generator, count, n, self._shuffle and self.plan.batch_size < n)
        return places if data.rows is None else data.rows[places]

    def calls(self, data: Dataset, prepared: Any, order: NDArray[np.int64]) -> Iterator[Call]:
        """Divide an epoch over `order` into calls of the engine.

        How many steps a call takes depends on the work of a step, not on a clock: a sum over calls is rounded call by
        call, and the recorded loss is to have the same bits every time.
        """
        plan = self.plan
        size, steps = plan.batch_size, steps_per_call(plan.architecture, plan.batch_size, density(data))
        for start in range(0, n_batches(len(order), size), steps):
            stop = min(start + steps, n_batches(len(order), size))
            yield Call(slice(start * size, stop * size), slice(start, stop), plan.architecture)

    def weight(self, data: Dataset, rows: NDArray[np.int64]) -> float:
        """By how much these rows count together."""
        return len(rows) if data.weights is None else float(data.weights[rows].sum(dtype=np.float64))

    # What an epoch came to

    def judge(self, parameters: Array, checks: Any) -> dict[str, float]:
        """Return the validation figures of these parameters; `checks` are the prepared validation data."""
        score: Score = self.plan.engine.evaluate(self.plan.architecture, parameters, checks)
        return {"val_loss": float(score.loss), "val_accuracy": float(score.accuracy)}

    def are_finite(self, ends: Array) -> list[bool]:
        """Whether no parameter is infinite or NaN, at the end of each of some epochs."""
        finite: list[bool] = np.asarray(np.isfinite(ends).all(axis=1)).tolist()
        return finite

    def note(self, trained: Trained, columns: dict[str, list[float]]) -> None:
        """Note the figures of some epochs in the histories."""
        known = {
            name: column
            for name, column in columns.items()
            if not name.endswith("accuracy") or name in self.run.columns
        }
        self.total.extend(**known)
        self.run.history.extend(**known)

    def after_epochs(self) -> str:
        """Set the learning rate of what comes next, and return why training ends here; empty if it goes on."""
        return ""

    # Divergence, and undoing

    def divergence(self, found: str, row: dict[str, float], rates: NDArray[np.float64]) -> TrainingError:
        """Return the error for an epoch whose figures or weights are not finite."""
        slowest, fastest = rates.min(), rates.max()
        rate = f"rate {fastest:g}" if slowest == fastest else f"rates from {slowest:g} to {fastest:g}"
        low, high = memory_range(self.plan.data.samples)
        remedies = ["a smaller learning rate"]
        if max(abs(low), abs(high)) > 10:
            remedies.append("features of about unit size, as Network(..., scaling='standardize') makes them")
        remedies += target_remedies(self.plan.data)
        return TrainingError(
            f"training diverged: {found} in epoch {int(row['epoch'])} (learning {rate}, features from {low:g} to "
            f"{high:g}); the network is as it was before that epoch. Try {' or '.join(remedies)}"
        )

    def forgives(self, error: TrainingError) -> bool:
        """Whether a divergence ends the training without being raised."""
        return False

    def memory(self) -> Any:
        """Return what `bring_back` needs to undo an epoch, besides state, run and histories."""

    def bring_back(self, memory: Any) -> None:
        """Undo all since `memory` was asked for."""


def drawn_orders(generator: np.random.Generator, count: int, n_rows: int, shuffle: bool) -> NDArray[np.int64]:
    """Draw the orders of the rows of some epochs, (count, n_rows); one batch of all rows is the same sum in any."""
    places = np.empty((count, n_rows), np.int64)
    places[:] = np.arange(n_rows)
    if shuffle:
        # As `permutation` epoch by epoch would, which takes twice as long for 128 rows and gives way to other threads
        # each time.
        generator.permuted(places, axis=1, out=places)
    return places


def target_remedies(data: Dataset) -> list[str]:
    """Say what to do about targets that are far from unit size, if they are."""
    if data.task != "regression" or data.targets is None or data.targets.values is None:
        return []
    largest = float(np.abs(data.targets.values).max())
    return [f"targets of about unit size (y holds {largest:.3g})"] if largest > _LARGE_TARGET else []


def density(data: Dataset) -> float:
    """Share of the samples' values that is stored."""
    return 1.0 if data.samples.sparse is None else data.samples.density()


def steps_per_call(architecture: Architecture, batch_size: int, density: float = 1.0) -> int:
    """Return how many steps one call of an engine takes: about 3e10 operations, a fraction of a second.

    Counted are two operations a weight and sample in each of forward pass, weight gradient and backward pass, in the
    first layer for that share of the samples' values that is stored (`density`), twenty a weight for an optimizer's
    step, and a constant for what Python adds to a step of the reference engine. A step over more weights than a cache
    holds takes longer than its operations; of those there are few in a call all the same.

    Examples
    --------
    >>> from fastmlp.model.architecture import Architecture
    >>> steps_per_call(Architecture.build([784, 30, 10]), batch_size=10)
    14226
    >>> steps_per_call(Architecture.build([100_000, 64, 10]), batch_size=200, density=0.001)
    219
    """
    return max(1, int(_WORK_PER_CALL / _work_of_a_step(architecture, batch_size, density)))


def epochs_per_call(architecture: Architecture, batch_size: int, steps: int, density: float = 1.0) -> int:
    """Return how many epochs of so many steps one call of an engine takes, where nothing is to be decided in between.

    They are short ones: all of them take a sixtieth of what a call may take, some milliseconds, and their parameters,
    which are kept of each, some megabytes.

    Examples
    --------
    >>> from fastmlp.model.architecture import Architecture
    >>> epochs_per_call(Architecture.build([4, 32, 16, 4]), batch_size=10_000, steps=1)
    10
    >>> epochs_per_call(Architecture.build([784, 30, 10]), batch_size=10, steps=5000)
    1
    """
    work = epoch_work(architecture, batch_size, steps, density)
    fitting = min(_MOST_EPOCHS, _MOST_NUMBERS // architecture.flat_size, int(_SHORT * _WORK_PER_CALL / work))
    return max(1, fitting)


def short_epochs(plan: Plan) -> int:
    """Return how many epochs of a plan one call of an engine takes; 1 where they are long, or made of new data each."""
    if plan.blocks is not None or plan.augmentation is not None:
        return 1
    return epochs_per_call(plan.architecture, plan.batch_size, plan.steps, density(plan.data))


def epoch_work(architecture: Architecture, batch_size: int, steps: int, density: float = 1.0) -> float:
    """Return how many operations an epoch of so many steps takes, counted as `steps_per_call` does."""
    return steps * _work_of_a_step(architecture, batch_size, density)


def _work_of_a_step(architecture: Architecture, batch_size: int, density: float) -> float:
    skipped = (1 - density) * architecture.layers[0].fan_in * architecture.layers[0].units
    return 6 * batch_size * (architecture.n_parameters - skipped) + 20 * architecture.n_parameters + _WORK_OF_A_STEP
