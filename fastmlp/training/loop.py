"""The epoch loop: what is done in Python between the engine's calls (floor 7; imports numpy, errors, model, data,
engines).

An epoch happens whole or not at all. The state of before it is kept, and an epoch that is interrupted or diverges is
undone, the order of the samples included, so that a later `fit` goes on with the same bits as if it had never begun.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.augmentation import PURPOSE, Augmentation
from ..data.samples import Samples, memory_range
from ..engines.base import Data, Engine, Score, n_batches
from ..errors import ArgumentError, TrainingError
from ..model.architecture import Architecture, Array
from ..model.dropout import epoch_key
from ..model.history import History
from ..model.schedules import checked_factors
from ..model.training_state import TrainingState
from .callbacks import Callback, FitRun

_WORK_PER_CALL = 3e10
_WORK_OF_A_STEP = 2e5
_SHORT = 1 / 60
_MOST_EPOCHS, _MOST_NUMBERS = 64, 2**20


@dataclass(frozen=True)
class Plan:
    """What `fit` is to do, all of it checked.

    Attributes
    ----------
    architecture : Architecture
    engine : Engine
    data : Data
    rows : ndarray of int64 or None
        The rows of `data` to train on; None for all.
    validation : Data or None
    batch_size : int
    shuffle : bool
    threads : int
        0 lets the engine choose.
    blocks : callable or None
        ``blocks()`` gives the data of an epoch block by block, where they are not all in `data`, which then is the
        first.
    augmentation : Augmentation or None
        What is done to the images of every epoch; their samples are dense and in memory.
    """

    architecture: Architecture
    engine: Engine
    data: Data
    rows: NDArray[np.int64] | None
    validation: Data | None
    batch_size: int
    shuffle: bool
    threads: int
    blocks: Callable[[], Iterator[Data]] | None = None
    augmentation: Augmentation | None = None


def fit(
    plan: Plan,
    run: FitRun,
    total: History,
    callbacks: Sequence[Callback],
    recall: Callable[[], object] = lambda: None,
) -> History:
    """Train until there have been ``run.epochs`` epochs.

    Ctrl-C, or `FitRun.interrupt`, ends the training as a callback's `FitRun.stop` would, with the epoch it fell into
    undone.

    Parameters
    ----------
    plan : Plan
    run : FitRun
        Its `state` is trained in place.
    total : History
        Of all fits of the network; it gets every row that this fit's gets.
    callbacks : sequence of Callback
    recall : callable, optional
        Called when all callbacks have started, to give them back what they remembered of a fit that is resumed.

    Returns
    -------
    History
        Of this fit: ``run.history``.

    Raises
    ------
    TrainingError
        A loss or a weight is no longer finite. The network is as it was after the last finished epoch.
    """
    with ExitStack() as endings:
        try:
            for callback in callbacks:
                callback.on_fit_start(run)
                endings.callback(callback.on_fit_end, run)
            recall()
            _train(plan, run, total, callbacks)
            run.history.stop_reason = run.stop_reason or "epochs done"
        except KeyboardInterrupt:
            run.history.stop_reason = "interrupted"
        except TrainingError:
            run.history.stop_reason = "diverged"
            raise
        except BaseException as error:
            run.history.stop_reason = f"failed: {type(error).__name__}"
            raise
        finally:
            if run.history.epochs or run.history.stop_reason in ("interrupted", "diverged"):
                total.stop_reason = run.history.stop_reason
    return run.history


def _train(plan: Plan, run: FitRun, total: History, callbacks: Sequence[Callback]) -> None:
    state, engine = run.state, plan.engine
    memory = (list(state.moments), state.moments_kind, state.step)
    finished = True  # no epoch is under way
    try:
        state.prepare_for(run.optimizer, plan.architecture)
        before = Before(state)
        engine.load(plan.architecture)
        if plan.augmentation is not None:
            # Compiling is no part of an epoch.
            _augmented(replace(plan, rows=np.zeros(1, np.int64)), plan.data.samples.take(np.zeros(1, np.int64)), state)
        made_anew = plan.blocks is not None or plan.augmentation is not None
        data = None if made_anew else _prepared(plan, plan.data)
        checks = None if plan.validation is None else engine.prepare(plan.architecture, plan.validation, plan.threads)
        at_once = _epochs_at_once(plan, callbacks)
        while run.epoch < run.epochs and not run.stop_reason:
            count = min(at_once, run.epochs - run.epoch)
            run.epoch += count
            for callback in callbacks:
                callback.on_epoch_start(run)
            before.keep(total.epochs, run.history.epochs)
            finished = False
            try:
                _epochs(plan, run, total, data, checks, count)
            except Exception:
                if count == 1:
                    raise
                # Of these epochs the good ones are done again, one by one up to the one that went wrong.
                before.bring_back(total, run.history)
                run.epoch, at_once = run.epoch - count, 1
                continue
            finished = True
            for callback in callbacks:
                callback.on_epoch_end(run)
    finally:
        if not finished:
            before.bring_back(total, run.history)
        run.epoch = run.history.epochs
        if not run.history.epochs:
            state.moments, state.moments_kind, state.step = memory


def _epochs_at_once(plan: Plan, callbacks: Sequence[Callback]) -> int:
    """How many epochs one call of the engine takes: several short ones, where nobody looks at them in between."""
    if callbacks or plan.blocks is not None or plan.augmentation is not None:
        return 1
    n_rows = plan.data.samples.n_rows if plan.rows is None else len(plan.rows)
    return epochs_per_call(plan.architecture, plan.batch_size, n_batches(n_rows, plan.batch_size), _density(plan.data))


def _epochs(plan: Plan, run: FitRun, total: History, data: Any, checks: Any, count: int) -> None:
    """Train `count` epochs, judge them, and note them in the histories."""
    started = time.perf_counter()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what overflows is found and told below
        if count > 1:
            trained = _train_several(plan, run, data, count)
        else:
            score, rates = _train_on_blocks(plan, run) if plan.blocks else _train_on_all(plan, run, data)
            trained = [(score, run.state.parameters, rates)]
        seconds = (time.perf_counter() - started) / count
        for score, parameters, rates in trained:
            row = {"epoch": run.state.epoch + 1, "loss": score.loss, "accuracy": score.accuracy}
            if checks is not None:
                validation = plan.engine.evaluate(plan.architecture, parameters, checks)
                row |= {"val_loss": float(validation.loss), "val_accuracy": float(validation.accuracy)}
            row |= {"learning_rate": float(rates[-1]), "seconds": seconds}
            _check_finite(plan, row, parameters, rates)
            row = {name: value for name, value in row.items() if not name.endswith("accuracy") or name in run.columns}
            total.append(**row)
            run.history.append(**row)
            run.state.epoch += 1


def _train_several(plan: Plan, run: FitRun, data: Any, count: int) -> list[tuple[Score, Array, NDArray[np.float64]]]:
    """Train short epochs in one call; return the score of each, the parameters at its end and its learning rates."""
    if run.interrupted:
        raise KeyboardInterrupt
    orders = np.stack([_order(plan, run.state.generator) for _ in range(count)])
    steps = n_batches(orders.shape[1], plan.batch_size)
    rates = np.stack([_learning_rates(run, steps, ahead) for ahead in range(count)])
    given = plan.architecture, run.state, run.optimizer, data, orders, plan.batch_size, rates
    scores, ends = plan.engine.train_epochs(*given)
    return [
        (_mean([(score, _weight(plan, order))])[0], end, own_rates)
        for score, order, end, own_rates in zip(scores, orders, ends, rates, strict=True)
    ]


def _train_on_all(plan: Plan, run: FitRun, data: Any) -> tuple[Score, NDArray[np.float64]]:
    """Train one epoch on data that are there as a whole; return the score and the learning rates."""
    order = _order(plan, run.state.generator)
    rates = _learning_rates(run, n_batches(len(order), plan.batch_size))
    if plan.augmentation is not None:
        images = replace(plan.data, samples=_augmented(plan, plan.data.samples, run.state))
        data = _prepared(plan, images)
    return _train_in_slices(plan, run, data, order, rates)[0], rates


def _train_on_blocks(plan: Plan, run: FitRun) -> tuple[Score, NDArray[np.float64]]:
    """Train one epoch on data that come in blocks; return the score and the learning rates.

    How many steps there will be is not known before the last block, so the learning rate of all is that of the middle
    of the epoch.
    """
    assert plan.blocks is not None
    rate = run.learning_rate * checked_factors(run.schedule, np.array([run.state.epoch - run.schedule_start + 0.5]))
    parts: list[tuple[Score, float]] = []
    n_rows = 0
    for block in plan.blocks():
        order = _order(replace(plan, data=block), run.state.generator)
        rates = np.repeat(rate, n_batches(len(order), plan.batch_size))
        samples = _augmented(plan, block.samples, run.state, n_rows)
        data = _prepared(plan, replace(block, samples=samples))
        parts.append(_train_in_slices(replace(plan, data=block), run, data, order, rates, n_rows))
        n_rows += len(order)
        if not math.isfinite(parts[-1][0].loss):
            break
    score, weight = _mean(parts)
    if weight == 0:
        raise ArgumentError("every sample of every block has weight 0; at least one must count")
    return score, rate


def _prepared(plan: Plan, data: Data) -> Any:
    return plan.engine.prepare(plan.architecture, data, plan.threads, batch_size=plan.batch_size)


def _augmented(plan: Plan, samples: Samples, state: TrainingState, first_name: int = 0) -> Samples:
    """Samples as this epoch sees them; those that are not trained on stay as they are."""
    if plan.augmentation is None:
        return samples
    assert samples.dense is not None
    rows = np.arange(samples.n_rows) if plan.rows is None else plan.rows
    shape = plan.augmentation.shape_of(samples.n_features)
    key = epoch_key(state.seed, state.epoch, PURPOSE)
    images = plan.engine.augment(plan.augmentation, samples.dense, shape, key, rows, first_name, plan.threads)
    return replace(samples, dense=images)


def _train_in_slices(
    plan: Plan, run: FitRun, data: Any, order: NDArray[np.int64], rates: NDArray[np.float64], first_name: int = 0
) -> tuple[Score, float]:
    """Train one epoch in several calls of the engine, since Python hears Ctrl-C only between them.

    The steps are those of one call. How many a call takes depends on the work of a step, not on a clock: a sum over
    slices is rounded slice by slice, and the recorded loss is to have the same bits every time. The score comes with
    the sum of the samples' weights.
    """
    parts: list[tuple[Score, float]] = []
    steps = steps_per_call(plan.architecture, plan.batch_size, _density(plan.data))
    for start in range(0, len(rates), steps):
        if run.interrupted:
            raise KeyboardInterrupt
        rows = order[start * plan.batch_size : (start + steps) * plan.batch_size]
        wanted = (rows, plan.batch_size, rates[start : start + steps], first_name)
        score = plan.engine.train_epoch(plan.architecture, run.state, run.optimizer, data, *wanted)
        parts.append((score, _weight(plan, rows)))
        if not math.isfinite(score.loss):
            break
    return _mean(parts)


def _weight(plan: Plan, rows: NDArray[np.int64]) -> float:
    """By what the score of these rows counts: the sum of their weights."""
    return len(rows) if plan.data.weights is None else float(plan.data.weights[rows].sum(dtype=np.float64))


def _mean(parts: Sequence[tuple[Score, float]]) -> tuple[Score, float]:
    """Return the mean of the scores of parts of an epoch, by their weights, and the sum of these."""
    loss = correct = weight = 0.0
    for score, share in parts:
        if share > 0:
            loss, correct, weight = loss + share * score.loss, correct + share * score.accuracy, weight + share
    return Score(float(loss / weight), float(correct / weight)) if weight > 0 else Score(0.0, 0.0), weight


def _density(data: Data) -> float:
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
    work = steps * _work_of_a_step(architecture, batch_size, density)
    fitting = min(_MOST_EPOCHS, _MOST_NUMBERS // architecture.flat_size, int(_SHORT * _WORK_PER_CALL / work))
    return max(1, fitting)


def _work_of_a_step(architecture: Architecture, batch_size: int, density: float) -> float:
    skipped = (1 - density) * architecture.layers[0].fan_in * architecture.layers[0].units
    return 6 * batch_size * (architecture.n_parameters - skipped) + 20 * architecture.n_parameters + _WORK_OF_A_STEP


def _order(plan: Plan, generator: np.random.Generator) -> NDArray[np.int64]:
    n = plan.data.samples.n_rows if plan.rows is None else len(plan.rows)
    # One batch of all rows is the same sum in any order.
    shuffled = plan.shuffle and plan.batch_size < n
    places = (generator.permutation(n) if shuffled else np.arange(n)).astype(np.int64, copy=False)
    return places if plan.rows is None else plan.rows[places]


def _learning_rates(run: FitRun, n_steps: int, ahead: int = 0) -> NDArray[np.float64]:
    """Return the learning rate of every step of the epoch that is so far `ahead` of the coming one.

    Positions depend on the epochs the network has had, not on those of this fit, so that fits in a row go on with the
    bits of one.
    """
    positions = run.state.epoch + ahead - run.schedule_start + np.arange(n_steps) / n_steps
    return run.learning_rate * checked_factors(run.schedule, positions)


def _check_finite(plan: Plan, row: dict[str, float], parameters: Array, rates: NDArray[np.float64]) -> None:
    if not math.isfinite(row["loss"]):
        found = f"the loss became {row['loss']}"
    elif not np.isfinite(parameters).all():
        found = "weights became infinite or NaN"
    elif not math.isfinite(row.get("val_loss", 0.0)):
        found = f"the validation loss became {row['val_loss']}"
    else:
        return
    slowest, fastest = rates.min(), rates.max()
    rate = f"rate {fastest:g}" if slowest == fastest else f"rates from {slowest:g} to {fastest:g}"
    low, high = memory_range(plan.data.samples)
    remedies = ["a smaller learning rate"]
    if max(abs(low), abs(high)) > 10:
        remedies.append("features of about unit size, as Network(..., scaling='standardize') makes them")
    raise TrainingError(
        f"training diverged: {found} in epoch {int(row['epoch'])} (learning {rate}, features "
        f"from {low:g} to {high:g}); the network is as it was before that epoch. Try {' or '.join(remedies)}"
    )


class Before:
    """The state as it was before an epoch, to undo it. The copies are written into the same memory for every epoch."""

    def __init__(self, state: TrainingState) -> None:
        self._state = state
        self._vectors = [np.empty_like(vector) for vector in self._live()]

    def keep(self, *epochs: int) -> None:
        """Note the state, and the lengths of the histories."""
        for kept, live in zip(self._vectors, self._live(), strict=True):
            np.copyto(kept, live)
        self._step, self._epoch, self._epochs = self._state.step, self._state.epoch, epochs
        self._generator = self._state.generator.bit_generator.state

    def bring_back(self, *histories: History) -> None:
        """Undo everything since `keep`."""
        for kept, live in zip(self._vectors, self._live(), strict=True):
            np.copyto(live, kept)
        self._state.step, self._state.epoch = self._step, self._epoch
        self._state.generator.bit_generator.state = self._generator
        for history, epochs in zip(histories, self._epochs, strict=True):
            history.truncate(epochs)

    def _live(self) -> list[Array]:
        return [self._state.parameters, *self._state.moments]
