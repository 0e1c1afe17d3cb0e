"""The epoch loop: what is done in Python between the engine's calls (floor 7; imports numpy, errors, model, data,
engines).

An epoch happens whole or not at all: it is finished when every callback has seen it. The state of before it is kept,
and an epoch that is interrupted or diverges is undone, the order of the samples and what callbacks remember included,
so that a later `fit` goes on with the same bits as if it had never begun.
"""

import math
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..data.augmentation import PURPOSE
from ..data.dataset import Dataset
from ..engines.base import Epochs, Score, n_batches
from ..engines.base import Trained as Answer
from ..errors import ArgumentError, TrainingError
from ..model.architecture import Array
from ..model.dropout import epoch_key
from ..model.history import History
from ..model.schedules import checked_factors
from .callbacks import FitRun
from .rules import Plan, Rules, Trained, short_epochs
from .steps import StepWatch
from .undo import Undo

T = TypeVar("T")


Training = Generator[Epochs, tuple[Answer, float], T]
"""What trains, and may ask somebody else to train some epochs: it is sent the result, and the seconds that this network
took.
"""


def fit(plan: Plan, run: FitRun, rules: Rules) -> History:
    """Train as `training` says, alone."""
    return alone(training(plan, run, rules))


def alone(fit: Training[T]) -> T:
    """Do a training that is not together with others, and so waits for none."""
    try:
        next(fit)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("a training that is alone asks nobody")


def training(plan: Plan, run: FitRun, rules: Rules, recall: Callable[[], object] = lambda: None) -> Training[History]:
    """Train until there have been ``run.epochs`` epochs, or there is a reason to stop.

    Ctrl-C, or `FitRun.interrupt`, ends the training as a callback's `FitRun.stop` would, with the epoch it fell into
    undone.

    Parameters
    ----------
    plan : Plan
    run : FitRun
        Its `state` is trained in place.
    rules : Rules
    recall : callable, optional
        Called when all callbacks have started, to give them back what they remembered of a fit that is resumed.

    Yields
    ------
    Epochs
        Where the plan is one of several that are trained together. What `Engine.train_epochs` returns for them is to be
        sent back, and the seconds that it took.

    Returns
    -------
    History
        Of this fit: ``run.history``.

    Raises
    ------
    TrainingError
        A loss or a weight is no longer finite, and the rules don't forgive it. The network is as it was after the last
        finished epoch.
    """
    with ExitStack() as endings:
        try:
            for callback in rules.callbacks:
                callback.on_fit_start(run)
                endings.callback(callback.on_fit_end, run)
            recall()
            yield from _train(plan, run, rules)
            run.history.stop_reason = run.stop_reason or "epochs done"
        except KeyboardInterrupt:
            run.history.stop_reason = "interrupted"
        except TrainingError as error:
            run.history.stop_reason = "diverged"
            if not rules.forgives(error):
                raise
        except BaseException as error:
            run.history.stop_reason = f"failed: {type(error).__name__}"
            raise
        finally:
            if run.epoch or run.history.stop_reason in ("interrupted", "diverged"):
                rules.total.stop_reason = run.history.stop_reason
    return run.history


def _train(plan: Plan, run: FitRun, rules: Rules) -> Training[None]:
    state, engine, first = run.state, plan.engine, run.epoch
    memory = (list(state.moments), state.moments_kind, state.step)
    before = None
    try:
        state.prepare_for(run.optimizer, plan.architecture)
        before = Before(run, rules)
        engine.load(plan.architecture)
        if plan.augmentation is not None:
            # Compiling is no part of an epoch.
            _augmented(plan, plan.data.take(np.zeros(1, np.int64)), run, 0)
        made_anew = plan.blocks is not None or plan.augmentation is not None
        data = None if made_anew else _prepared(plan, plan.data)
        validation = plan.data.validation
        checks = None if validation is None else engine.prepare(plan.architecture, validation, plan.threads)
        most = math.inf
        while run.epoch < run.epochs and not run.stop_reason:
            count = int(min(most, rules.epochs_at_once(), run.epochs - run.epoch))
            rules.draw(count)
            try:
                with plan.between_epochs, before:
                    yield from _finish_epochs(plan, run, rules, data, checks, count)
            except Exception:
                if count == 1:
                    raise
                most = 1  # the good ones of these epochs are done again, one by one up to the one that went wrong
    finally:
        if before is not None and before.under_way:
            before.bring_back()
        if run.epoch == first:
            state.moments, state.moments_kind, state.step = memory


def _finish_epochs(plan: Plan, run: FitRun, rules: Rules, data: Any, checks: Any, count: int) -> Training[None]:
    """Train `count` epochs, note what they came to, and let every callback see it."""
    run.epoch += count
    for callback in rules.callbacks:
        callback.on_epoch_start(run)
    watch = StepWatch(run, rules.callbacks, rules.loss_share)
    if plan.together and not watch and short_epochs(plan) > 1:
        request = _request(plan, run, rules, data, count)
        answer, seconds = yield request
        trained, seconds = _trained_as(plan, rules, request, answer), seconds / count
    else:
        started = time.perf_counter()
        with _overflowing():
            trained = _trained(plan, run, rules, data, watch, count)
        seconds = (time.perf_counter() - started - watch.seconds) / count
        if math.isfinite(sum(trained.loss)):
            watch.end()
    with _overflowing():
        finite = rules.are_finite(trained.parameters)
        first = run.state.epoch + 1
        columns = {"epoch": [*range(first, first + count)], "loss": trained.loss, "accuracy": trained.accuracy}
        if checks is not None:
            columns |= _judged(rules, trained, checks)
        columns |= {"learning_rate": trained.rates[:, -1].tolist(), "seconds": [seconds] * count}
        _check_finite(rules, trained, columns, finite)
        run.state.epoch += count
        rules.note(trained, columns)
    reason = rules.after_epochs()
    if reason:
        run.stop(reason)
    for callback in rules.callbacks:
        callback.on_epoch_end(run)


def _overflowing() -> AbstractContextManager[None]:
    """Let numbers overflow: that is found, and told, when the epoch is looked at."""
    return np.errstate(over="ignore", invalid="ignore", divide="ignore")


def _trained(plan: Plan, run: FitRun, rules: Rules, data: Any, watch: StepWatch, count: int) -> Trained:
    if count > 1:
        return _train_several(plan, run, rules, data, count)
    if plan.blocks:
        return _train_on_blocks(plan, run, rules, watch)
    return _train_on_all(plan, run, rules, watch, data)


def _judged(rules: Rules, trained: Trained, checks: Any) -> dict[str, list[float]]:
    """Return the validation figures of every epoch."""
    rows = [rules.judge(parameters, checks) for parameters in trained.parameters]
    return {name: [row[name] for row in rows] for name in rows[0]}


def _train_several(plan: Plan, run: FitRun, rules: Rules, data: Any, count: int) -> Trained:
    """Train short epochs, each of them one call's worth, in one call."""
    request = _request(plan, run, rules, data, count)
    return _trained_as(plan, rules, request, plan.engine.train_epochs(*request))


def _request(plan: Plan, run: FitRun, rules: Rules, data: Any, count: int) -> Epochs:
    """Return what is to be trained, as the engine takes it."""
    if run.interrupted:
        raise KeyboardInterrupt
    orders = rules.orders(plan.data, count)
    (call,) = rules.calls(plan.data, data, orders[0])
    rates = _learning_rates(run, plan.steps, count)
    penalties = None if call.penalties is None else np.tile(call.penalties, (count, 1))
    return Epochs(call.architecture, run.state, run.optimizer, data, orders, plan.batch_size, rates, penalties)


def _trained_as(plan: Plan, rules: Rules, request: Epochs, answer: Answer) -> Trained:
    (scores, ends), orders = answer, request.orders
    if plan.data.weights is None:  # then every epoch counts the same
        weights = [rules.weight(plan.data, orders[0])] * len(orders)
    else:
        weights = [rules.weight(plan.data, order) for order in orders]
    sums = [(weight * score[0], weight * score[1], weight) for score, weight in zip(scores, weights, strict=True)]
    return _means(rules, sums, ends, request.learning_rates)


def _train_on_all(plan: Plan, run: FitRun, rules: Rules, watch: StepWatch, prepared: Any) -> Trained:
    """Train one epoch on data that are there as a whole."""
    (order,) = rules.orders(plan.data, 1)
    (rates,) = _learning_rates(run, n_batches(len(order), plan.batch_size))
    if plan.augmentation is not None:
        prepared = _prepared(plan, _augmented(plan, plan.data, run, 0))
    parts = _train_in_calls(plan, run, rules, watch, plan.data, prepared, order, rates)
    return _means(rules, [_sums(parts)], run.state.parameters[np.newaxis], rates[np.newaxis])


def _train_on_blocks(plan: Plan, run: FitRun, rules: Rules, watch: StepWatch) -> Trained:
    """Train one epoch on data that come in blocks.

    How many steps there will be is not known before the last block, so the learning rate of all is that of the middle
    of the epoch.
    """
    assert plan.blocks is not None
    rate = run.learning_rate * checked_factors(run.schedule, np.array([run.state.epoch - run.schedule_start + 0.5]))
    parts: list[tuple[Score, float]] = []
    n_rows = 0
    for block in plan.blocks():
        (order,) = rules.orders(block, 1)
        rates = np.repeat(rate, n_batches(len(order), plan.batch_size))
        prepared = _prepared(plan, _augmented(plan, block, run, n_rows))
        part = _train_in_calls(plan, run, rules, watch, block, prepared, order, rates, n_rows)
        # Summed block by block, so that the sum doesn't depend on the calls that a block takes.
        parts.append((_score(part), sum(weight for _, weight in part)))
        n_rows += len(order)
        if not math.isfinite(parts[-1][0].loss):
            break
    if sum(weight for _, weight in parts) == 0:
        raise ArgumentError("every sample of every block has weight 0; at least one must count")
    return _means(rules, [_sums(parts)], run.state.parameters[np.newaxis], rate[np.newaxis])


def _prepared(plan: Plan, data: Dataset) -> Any:
    return plan.engine.prepare(plan.architecture, data, plan.threads, batch_size=plan.batch_size)


def _augmented(plan: Plan, data: Dataset, run: FitRun, first_name: int) -> Dataset:
    """The data as this epoch sees them; samples that are not trained on stay as they are."""
    if plan.augmentation is None:
        return data
    key = epoch_key(run.state.seed, run.state.epoch, PURPOSE)
    images = plan.engine.augment(plan.augmentation, data, key, first_name, plan.threads)
    return replace(data, samples=replace(data.samples, dense=images))


def _train_in_calls(
    plan: Plan,
    run: FitRun,
    rules: Rules,
    watch: StepWatch,
    data: Dataset,
    prepared: Any,
    order: NDArray[np.int64],
    rates: NDArray[np.float64],
    first_name: int = 0,
) -> list[tuple[Score, float]]:
    """Train one epoch in several calls of the engine; return their scores, and by how much the rows of each count."""
    parts: list[tuple[Score, float]] = []
    for call in rules.calls(data, prepared, order):
        for part in watch.parts(call, plan.batch_size):
            if run.interrupted:
                raise KeyboardInterrupt
            rows = order[part.places]
            score = plan.engine.train_epoch(
                part.architecture,
                run.state,
                run.optimizer,
                prepared,
                rows,
                plan.batch_size,
                rates[part.steps],
                first_name,
                penalties=part.penalties,
            )
            parts.append((score, rules.weight(data, rows)))
            if not math.isfinite(score.loss):
                return parts
            watch.add(part, *parts[-1])
    return parts


def _learning_rates(run: FitRun, n_steps: int, count: int = 1) -> NDArray[np.float64]:
    """Return the learning rate of every step of the next `count` epochs, shape (count, n_steps).

    Positions depend on the epochs the network has had, not on those of this fit, so that fits in a row go on with the
    bits of one.
    """
    epochs = np.arange(run.state.epoch - run.schedule_start, run.state.epoch - run.schedule_start + count)
    positions = epochs[:, np.newaxis] + np.arange(n_steps) / n_steps
    return run.learning_rate * checked_factors(run.schedule, positions.ravel()).reshape(positions.shape)


def _sums(parts: Sequence[tuple[Score, float]]) -> tuple[float, float, float]:
    loss = correct = weight = 0.0
    for score, share in parts:
        if share > 0:
            loss, correct, weight = loss + share * score.loss, correct + share * score.accuracy, weight + share
    return loss, correct, weight


def _score(parts: Sequence[tuple[Score, float]]) -> Score:
    """Return the mean of the scores of parts of an epoch, by how much they count."""
    loss, correct, weight = _sums(parts)
    return Score(float(loss / weight), float(correct / weight)) if weight > 0 else Score(0.0, 0.0)


def _means(
    rules: Rules, sums: Sequence[tuple[float, float, float]], parameters: Array, rates: NDArray[np.float64]
) -> Trained:
    """Return epochs of these sums of losses, right answers and weights."""
    share = rules.loss_share
    loss = [float(share * loss / weight) if weight > 0 else 0.0 for loss, _, weight in sums]
    accuracy = [float(correct / weight) if weight > 0 else 0.0 for _, correct, weight in sums]
    return Trained(loss, accuracy, [weight for _, _, weight in sums], parameters, rates)


def _check_finite(rules: Rules, trained: Trained, columns: dict[str, list[float]], finite: list[bool]) -> None:
    """Raise the error for the first epoch whose figures or weights are not finite, if there is one."""
    val_losses = columns.get("val_loss", trained.loss)
    if all(finite) and math.isfinite(sum(map(abs, trained.loss)) + sum(map(abs, val_losses))):
        return
    for number, (loss, has_finite_weights, val_loss) in enumerate(zip(trained.loss, finite, val_losses, strict=True)):
        if not math.isfinite(loss):
            found = f"the loss became {loss}"
        elif not has_finite_weights:
            found = "weights became infinite or NaN"
        elif not math.isfinite(val_loss):
            found = f"the validation loss became {val_loss}"
        else:
            continue
        row = {name: column[number] for name, column in columns.items()}
        raise rules.divergence(found, row, trained.rates[number])


class Before:
    """Everything as it was before an epoch, to undo it: ``with before:`` undoes what is done inside if that raises."""

    def __init__(self, run: FitRun, rules: Rules) -> None:
        self._run, self._rules = run, rules
        self._undo = Undo(run.state, (rules.total, run.history))
        self.under_way = False

    def __enter__(self) -> None:
        run = self._run
        self._undo.remember()
        self._decided = run.epoch, run.learning_rate, run.stop_reason
        self._memory = self._rules.memory()
        self._memories = [(callback, callback.memory()) for callback in self._rules.callbacks]
        self.under_way = True

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is not None:
            self.bring_back()
        self.under_way = False

    def bring_back(self) -> None:
        """Undo everything since ``with`` began."""
        run = self._run
        self._undo.bring_back()
        run.epoch, run.learning_rate, run.stop_reason = self._decided
        self._rules.bring_back(self._memory)
        for callback, memory in self._memories:
            if memory:
                callback.recall(memory)
