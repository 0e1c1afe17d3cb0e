"""Gradients and epochs of some dense rows in one call of the kernels, all laid out before (floor 5; imports numpy,
model, kernels, data).

To convert a data set, lay out memory and tell the kernels all of it takes 100 µs and more, in which one thread goes
back and forth through hundreds of rows. Here only the addresses of a call's arrays are entered. The sums are those of
the long way, bit for bit.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...data.dataset import Dataset
from ...data.samples import Samples, Scaling
from ...data.targets import Targets
from ...kernels import epoch
from ...kernels.parallel.barrier import new_barrier
from ...kernels.runtime import constants
from ...kernels.runtime.jit import INTERPRETED
from ...kernels.runtime.records import Rows, Settings, Step
from ...kernels.runtime.records import Targets as TargetsRecord
from ...model.architecture import Architecture
from ...model.optimizers import Optimizer
from ...model.training_state import TrainingState
from ..base import Array, Score
from ..numpy_engine import add_penalties
from .batches import clamped
from .conversion import DENSE_FROM, prepare
from .passes import KEPT, Pass, is_plain, mean_score, run_step, tell
from .settings import settings_of
from .split_layer import is_halved
from .workspace import Wanted, layout

MOST_WORK = 1e8
"""Multiply-adds of a pass up to which one thread is faster than the long way with several (measured)."""

_KINDS_KEPT, _NUMBERS_KEPT = 8, 2**21
"""Memory is kept for so many kinds of calls, and for so many parameters, at most; but always for one kind."""

_LOOKED_AT = 512
"""Rows that are looked at for zeros before training, as `conversion.prepare` does."""

_NO_SETTINGS = Settings()
"""Of a gradient, which no optimizer takes."""

_ROWS = 2**14
_ORDER = np.arange(_ROWS)
_NOBODY = new_barrier()
_run: Callable[..., None] = epoch.run
_PIXELS = np.dtype(np.uint8)


class _Kind(NamedTuple):
    """What memory is laid out for."""

    mode: int
    batch_size: int
    optimizer: int
    moments: int
    halved: bool
    pixels: bool
    by_labels: bool
    task: str


class _Ready(NamedTuple):
    """What is laid out: the step, its rows and targets, and under which names these take a call's arrays."""

    step: Step
    rows: Rows
    targets: TargetsRecord
    samples_name: str
    targets_name: str


class DirectTraining:
    """Gradients and epochs of dense rows on one thread; None for what is to go the long way.

    Parameters
    ----------
    architecture : Architecture
    scaling : Scaling
        Without a centre.
    """

    def __init__(self, architecture: Architecture, scaling: Scaling) -> None:
        self._architecture, self._scaling, self._dtype = architecture, scaling, architecture.dtype
        work = 3 * sum(layer.fan_in * layer.units for layer in architecture.layers)
        self._most_rows = min(_ROWS, int(MOST_WORK / work))
        self._kinds_kept = max(1, min(_KINDS_KEPT, _NUMBERS_KEPT // architecture.flat_size))
        # Smoothed labels and dropout's keys would have to be entered too.
        self._can = not architecture.label_smoothing
        self._can_train = self._can and not any(layer.dropout for layer in architecture.layers)
        self._like = np.empty(0, self._dtype)
        # What is laid out and not in use; another thread may be here too.
        self._free: dict[_Kind, list[_Ready]] = {}

    def can_train(self, n_rows: int) -> bool:
        """Whether an epoch of so many rows may go this way."""
        return n_rows <= self._most_rows and self._can_train

    def loss_and_gradient(self, parameters: Array, X: Array, targets: Targets, task: str) -> tuple[float, Array] | None:
        """Do what `Engine.loss_and_gradient` does; None also where a number is not finite."""
        n_rows, architecture = len(X), self._architecture
        if n_rows > self._most_rows or not self._can or not _is_finite(X) or not is_plain(parameters, self._dtype):
            return None
        kind = _Kind(epoch.GRADIENT, n_rows, constants.SGD, 0, False, *_kind_of(X, targets), task)
        totals, gradient = np.zeros(3), architecture.zeros()
        self._pass(kind, _NO_SETTINGS, X, targets, parameters=parameters, totals=totals, gradient=gradient)
        score = mean_score(*totals.tolist())
        return score.loss + add_penalties(architecture, parameters, gradient), gradient

    def train_epoch(
        self,
        state: TrainingState,
        optimizer: Optimizer,
        X: Array,
        targets: Targets,
        task: str,
        order: NDArray[np.int64] | None,
        batch_size: int,
        learning_rates: NDArray[np.float64],
    ) -> Score | None:
        """Do what `Engine.train_epoch` does; without an `order` the rows are taken as they come."""
        n_rows, vectors = len(X), (state.parameters, *state.moments)
        if not self.can_train(n_rows) or not _is_finite(X):
            return None
        if not all(vector.flags.carray and vector.dtype == self._dtype for vector in vectors):
            return None
        size = clamped(batch_size, n_rows)
        code, settings = settings_of(optimizer, self._architecture.l1, self._architecture.l2)
        halved = is_halved(self._architecture, size, optimizer.clip_norm is not None)
        kind = _Kind(epoch.TRAIN, size, code, len(state.moments), halved, *_kind_of(X, targets), task)
        totals, order = np.zeros(3), _ORDER if order is None else order
        arrays = dict(zip(("parameters", "m", "v"), vectors, strict=False))
        arrays |= {"totals": totals, "order": order, "names": order, "rates": learning_rates}
        self._pass(kind, settings, X, targets, state.step, **arrays)
        state.step += len(learning_rates)
        return mean_score(*totals.tolist())

    def _pass(
        self, kind: _Kind, settings: Settings, X: Array, targets: Targets, steps_before: int = 0, **arrays: Array
    ) -> None:
        """Run the kernels."""
        free = self._free.get(kind)
        if free is None:
            if len(self._free) >= self._kinds_kept:
                self._free.clear()
            free = self._free[kind] = []
        try:
            ready = free.pop()
        except IndexError:
            ready = self._lay_out(kind)
        step = ready.step
        ready.rows.lend(**{ready.samples_name: X})
        ready.targets.lend(**{ready.targets_name: targets.values if targets.labels is None else targets.labels})
        step.lend(**arrays)
        step.enter(n_rows=len(X), epoch_rows=len(X), steps_before=steps_before)
        step.settings.table[:] = settings.table
        step.settings.level = self._architecture.quantile
        if INTERPRETED:
            run_step(0, 1, _NOBODY, step)
        else:
            _run(0, 1, _NOBODY, step.table, self._like)
        if len(free) < KEPT:
            free.append(ready)

    def _lay_out(self, kind: _Kind) -> _Ready:
        """Lay out memory, and tell the kernels all that no call changes."""
        architecture, size, moments = self._architecture, kind.batch_size, kind.moments
        example = np.ones((1, architecture.inputs), _PIXELS if kind.pixels else self._dtype)
        samples = Samples(1, architecture.inputs, example, None, self._scaling)
        values = np.zeros((1, architecture.outputs), self._dtype)
        targets = Targets(np.zeros(1, np.int32), None) if kind.by_labels else Targets(None, values)
        # The samples are this call's alone, and so are rows and targets in the form that kernels take.
        prepared = prepare(architecture, Dataset.of(architecture, samples, targets, task=kind.task), 1)
        places = layout(architecture, prepared, Wanted(size, 1, True, moments, kind.halved))
        given = Pass(kind.mode, _ORDER, size, 1, np.zeros(3), kind.optimizer)
        vectors = [[np.empty(0, self._dtype)] * (1 + moments)]
        tell(architecture, prepared, places, given, prepared.rows, vectors, places.gradients)
        names = "bytes" if kind.pixels else "numbers", "labels" if kind.by_labels else "values"
        return _Ready(places.steps[0], prepared.rows, prepared.targets, *names)


def _kind_of(X: Array, targets: Targets) -> tuple[bool, bool]:
    """Whether these are pixels, and those labels."""
    return X.dtype == _PIXELS, targets.labels is not None


def _is_finite(X: Array) -> bool:
    # The sum of the squares is, only if all of them are.
    return X.dtype == _PIXELS or math.isfinite(np.vdot(X, X))


def is_sparse(X: Array) -> bool:
    """Whether `conversion.prepare` would make sparse rows of these."""
    some = X[:: max(1, len(X) // _LOOKED_AT)]
    return int(np.count_nonzero(some)) < DENSE_FROM * some.size
