"""Epochs of the stochastic solvers: what is done between the engine's calls (floor 9; imports numpy, errors, model,
data, engines, training, network).

It is the loop of `fastmlp.training.loop` with scikit-learn's rules: its penalty, its weights, its learning rates and
its stopping. As there, an epoch happens whole or not at all.
"""

import math
import sys
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..data.samples import Samples, memory_range
from ..engines.base import Engine
from ..errors import DivergenceError
from ..model.architecture import Architecture, Array
from ..model.history import History
from ..model.optimizers import SGD, Optimizer
from ..model.schedules import Constant, Schedule, checked_factors
from ..network import Network
from ..training.callbacks import FitRun
from ..training.loop import Before
from ..training.plateau import ReduceOnPlateau
from .batches import Batches
from .progress import Progress
from .settings import Settings
from .their_words import NOT_FINITE
from .validation import Judge

_MANY = 1000
"""More epochs than a call of the engine takes."""


@dataclass
class Curves:
    """Figures of every epoch of all fits that go on from one another.

    Attributes
    ----------
    history : dict of str to list of float
        By name: loss, learning_rate, seconds, and accuracy, val_loss, val_accuracy or val_r2 where there are such.
    objective : list of float
        The mean loss with penalty, as scikit-learn has it.
    scores : list of float
        Of the validation.
    """

    history: dict[str, list[float]] = field(default_factory=dict)
    objective: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)

    def append(self, objective: float, score: float | None, row: dict[str, float]) -> None:
        """Note an epoch; where a figure is missing in one of them, it is NaN."""
        epochs = len(self.objective)
        self.objective.append(objective)
        if score is not None:
            self.scores.append(score)
        if row.keys() != self.history.keys():
            for name in row:
                self.history.setdefault(name, [math.nan] * epochs)
            row = dict.fromkeys(self.history, math.nan) | row
        for name, value in row.items():
            self.history[name].append(value)

    def lengths(self) -> tuple[int, int]:
        """How much there is, for `truncate`."""
        return len(self.objective), len(self.scores)

    def truncate(self, epochs: int, scores: int) -> None:
        """Forget what came later; lists stay the same objects."""
        del self.objective[epochs:], self.scores[scores:]
        for column in self.history.values():
            del column[epochs:]


@dataclass
class Course:
    """What a fit is to do.

    Attributes
    ----------
    network : Network
        Its state is trained in place.
    engine : Engine
    settings : Settings
    optimizer : optimizer
    data : object
        As the engine prepared it.
    batches : Batches
    batch_size : int
    judge : Judge or None
    progress : Progress
    curves : Curves
    epochs : int
    metric : {"accuracy", "r2"}
    loss_share : float
        By what losses are multiplied where they are shown: scikit-learn's squared error is a mean over outputs.
    schedule : Schedule or None
    samples : Samples
        Those trained on, as messages tell of them.
    """

    network: Network
    engine: Engine
    settings: Settings
    optimizer: Optimizer
    data: Any
    batches: Batches
    batch_size: int
    judge: Judge | None
    progress: Progress
    curves: Curves
    epochs: int
    metric: str
    loss_share: float
    schedule: Schedule | None
    samples: Samples


def train(course: Course) -> tuple[int, str, bool]:
    """Train for up to ``course.epochs`` epochs.

    Returns
    -------
    epochs : int
        How many were finished.
    reason : str
        Why the training ended.
    all_done : bool
        Whether it was for want of epochs alone.

    Raises
    ------
    DivergenceError
        A loss or a weight is no longer finite, and there is no early stopping to go back to better weights. The
        network is as it was after the last finished epoch.
    """
    state, progress, curves, settings = course.network.state, course.progress, course.curves, course.settings
    callbacks, run = settings.callbacks, _run(course)
    state.prepare_for(course.optimizer, course.network.architecture)
    course.engine.load(course.network.architecture)
    before, finished, epochs, reason, most, all_done = Before(state), True, 0, "", _MANY, False
    norm = _squared_norms(course.network.architecture, state.parameters[np.newaxis])[0]

    def undo() -> None:
        before.bring_back(course.network.history, run.history)
        progress.bring_back(kept)
        curves.truncate(*lengths)

    try:
        for callback in callbacks:
            callback.on_fit_start(run)
        while epochs < course.epochs and not reason:
            run.epoch = epochs + 1
            for callback in callbacks:
                callback.on_epoch_start(run)
            progress.rate = run.learning_rate if callbacks else progress.rate
            started = time.perf_counter()
            count = min(most, course.epochs - epochs, _at_once(course))
            _draw(course, count)
            before.keep(course.network.history.epochs, run.history.epochs)
            kept, lengths = progress.snapshot(), curves.lengths()
            finished = False
            try:
                norm = _epochs(course, run, norm, epochs + 1, count, started)
            except Exception:
                if count == 1:
                    raise
                most = 1  # of these epochs the good ones are done again, one by one up to the one that went wrong
                undo()
                continue
            finished = True
            epochs += count
            reason = progress.reason_to_stop(settings)
            if settings.rate_kind != "constant":
                keep_velocity(course.optimizer, state.moments, run.learning_rate, progress.rate)
            run.learning_rate = progress.rate
            for callback in callbacks:
                callback.on_epoch_end(run)
            reason = run.stop_reason or reason
        all_done = not reason
        reason = reason or f"max_iter={course.epochs} epochs done"
    except KeyboardInterrupt:
        reason = "interrupted"
    except DivergenceError as error:
        reason = str(error)
        if not settings.early_stopping:
            raise
    except BaseException as error:
        reason = f"failed: {type(error).__name__}"
        raise
    finally:
        if not finished:
            undo()
        run.history.stop_reason = reason
        run.epoch = epochs
        for callback in reversed(callbacks):
            callback.on_fit_end(run)
    if reason.startswith("training diverged"):
        # As in scikit-learn, early stopping goes back to the best weights, and NaN is the last score.
        curves.append(math.nan, math.nan, {"loss": math.nan})
        epochs += 1
    return epochs, reason, all_done


class _Trained(NamedTuple):
    """An epoch that the engine has trained, before anybody has looked at it."""

    loss: float
    """Summed over the samples."""
    correct: float
    """As `loss`."""
    parameters: Array
    """At its end."""
    penalty: float
    """By what the mean of ``sum(W²)`` over its steps is multiplied to be its part of the mean loss."""
    rates: NDArray[np.float64]


def _at_once(course: Course) -> int:
    """How many epochs the engine can train before anybody has to look at them.

    The loss may be without improvement in each, which ends the training after the last, and not before.
    """
    settings, until_stop = course.settings, course.settings.patience - course.progress.unimproved + 1
    watched = settings.callbacks or settings.verbose
    if watched or settings.rate_kind == "invscaling" or isinstance(settings.schedule, ReduceOnPlateau):
        return 1
    return max(1, int(min(until_stop, course.batches.epochs_per_call)))


def _draw(course: Course, count: int) -> None:
    """Have the orders of the next `count` epochs."""
    progress = course.progress
    while len(progress.drawn) < count:
        last = progress.drawn[-1] if progress.drawn else progress.places
        progress.drawn = (*progress.drawn, course.batches.draw(progress.random_state, last))


def _epochs(course: Course, run: FitRun, norm: float, number: int, count: int, started: float) -> float:
    """Train and judge `count` epochs, note them, and return ``sum(W²)`` after the last."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what overflows is found and told later
        trained, ends = _train_one(course) if count == 1 else _train_several(course, count)
        norms = [norm, *_squared_norms(course.network.architecture, ends)]
    seconds = (time.perf_counter() - started) / count
    for i, epoch in enumerate(trained):
        _note(course, run, number + i, epoch, norms[i : i + 2], seconds)
    return norms[-1]


def _train_one(course: Course) -> tuple[list[_Trained], Array]:
    """Train an epoch, in several calls of the engine where it takes long; return it, and the parameters as a matrix."""
    state, order = course.network.state, course.progress.drawn[0]
    order, calls, penalty = course.batches.epoch(order)
    rates = _rates(course, 1)[0]
    loss = correct = 0.0
    for places, steps, penalised, penalties in calls:
        rows_and_rates = order[places], course.batch_size, rates[steps]
        score = course.engine.train_epoch(
            penalised, state, course.optimizer, course.data, *rows_and_rates, penalties=penalties
        )
        rows = min(places.stop, len(order)) - places.start
        loss, correct = loss + rows * score.loss, correct + rows * score.accuracy
        if not math.isfinite(loss):
            break
    return [_Trained(loss, correct, state.parameters, penalty, rates)], state.parameters[np.newaxis]


def _train_several(course: Course, count: int) -> tuple[list[_Trained], Array]:
    """Train short epochs in one call of the engine; return them, and the parameters at the end of each as a matrix."""
    state = course.network.state
    epochs, rates = [course.batches.epoch(places) for places in course.progress.drawn[:count]], _rates(course, count)
    orders = np.array([order for order, *_ in epochs])
    _, [(_, _, penalised, penalties)], penalty = epochs[0]  # which are those of every epoch
    scores, ends = course.engine.train_epochs(
        penalised,
        state,
        course.optimizer,
        course.data,
        orders,
        course.batch_size,
        rates,
        None if penalties is None else np.tile(penalties, (count, 1)),
    )
    rows = orders.shape[1]
    trained = [
        _Trained(rows * score.loss, rows * score.accuracy, end, penalty, own_rates)
        for score, end, own_rates in zip(scores, ends, rates, strict=True)
    ]
    return trained, ends


def _note(course: Course, run: FitRun, number: int, epoch: _Trained, norms: list[float], seconds: float) -> None:
    """Judge an epoch that has been trained, and note it; `norms` are ``sum(W²)`` before and after it."""
    state, progress, settings, batches = course.network.state, course.progress, course.settings, course.batches
    before, after = norms
    rows = len(progress.drawn[0])
    loss = course.loss_share * epoch.loss / rows
    if not (math.isfinite(loss) and math.isfinite(after)):
        what = "weights became infinite or NaN" if math.isfinite(loss) else f"the loss became {loss}"
        raise _divergence(course, number, what, epoch.rates)
    # The weights at each step are not known; that their squares change evenly is exact for one step an epoch.
    between = before + (after - before) * (batches.steps - 1) / (2 * batches.steps)
    objective = loss + epoch.penalty * between
    row = {"loss": loss, "learning_rate": float(epoch.rates[-1]), "seconds": seconds}
    if course.metric == "accuracy":
        row["accuracy"] = epoch.correct / rows
    val_loss = val_score = math.nan
    if course.judge is not None:
        val_loss, val_score = course.judge(epoch.parameters)
        val_loss *= course.loss_share
        if not math.isfinite(val_loss):
            raise _divergence(course, number, f"the validation loss became {val_loss}", epoch.rates)
        row |= {"val_loss": val_loss, f"val_{course.metric}": val_score}
    state.epoch += 1
    progress.samples += rows
    progress.places, progress.drawn = progress.drawn[0], progress.drawn[1:]
    course.curves.append(objective, None if course.judge is None else val_score, row)
    if settings.callbacks:
        shown = {name: value for name, value in row.items() if name != "val_r2"} | {"epoch": state.epoch}
        run.history.append(**shown)
        course.network.history.append(**shown)
    progress.note(settings, objective, val_loss, val_score, epoch.parameters)
    _lower_rate(course, objective, row)
    if settings.verbose:
        shown_score = "" if course.judge is None else f", validation score {val_score:.6f}"
        sys.stdout.write(f"Iteration {number}: loss {objective:.8f}{shown_score}\n")


def _run(course: Course) -> FitRun:
    columns = ["loss"] + ["accuracy"] * (course.metric == "accuracy")
    if course.judge is not None:
        columns += [f"val_{name}" for name in columns]
    return FitRun(
        course.network,
        course.network.state,
        History(),
        course.optimizer,
        course.progress.rate,
        course.epochs,
        tuple(columns),
        course.schedule or Constant(),
        course.progress.schedule_start,
    )


def _rates(course: Course, count: int) -> NDArray[np.float64]:
    """Learning rates of the steps of the next `count` epochs, (count, steps)."""
    steps = course.batches.steps
    if course.schedule is None:
        return np.full((count, steps), course.progress.rate)
    first = course.network.state.epoch - course.progress.schedule_start
    epochs = [first + number + np.arange(steps) / steps for number in range(count)]
    return course.progress.rate * np.array([checked_factors(course.schedule, epoch) for epoch in epochs])


def _lower_rate(course: Course, objective: float, row: dict[str, float]) -> None:
    """Set the rate of the coming epoch by learning_rate="invscaling" or a schedule on plateau."""
    progress, settings = course.progress, course.settings
    if settings.rate_kind == "invscaling":
        progress.rate = course.optimizer.learning_rate / (progress.samples + 1) ** settings.power_t
    if isinstance(settings.schedule, ReduceOnPlateau):
        watched = settings.schedule.monitor
        if watched.endswith("accuracy"):
            progress.look_for_plateau(settings.schedule, -row.get(watched, math.nan))
        else:
            progress.look_for_plateau(settings.schedule, row.get("val_loss", objective))


def keep_velocity(optimizer: Optimizer, moments: list[Array], before: float, rate: float) -> None:
    """Turn the momentum's memory into that of another learning rate, as scikit-learn's is.

    Its velocity has the learning rate in it, ``v = momentum * v - rate * g``, and fastmlp's has not. So when the rate
    changes, what scikit-learn remembers is fastmlp's memory times ``before / rate``.
    """
    if isinstance(optimizer, SGD) and moments and before != rate:
        moments[0] *= before / rate


def _squared_norms(architecture: Architecture, parameters: Array) -> list[float]:
    """Return ``sum(W²)`` over the weights of all layers for every row; not finite if a weight or a bias is not."""
    totals = np.vecdot(parameters, parameters)
    for layer in architecture.layers:
        if layer.has_bias:
            biases = parameters[:, layer.bias_start : layer.bias_start + layer.units]
            totals = totals - np.vecdot(biases, biases)
    return [float(total) for total in totals]


def _divergence(course: Course, number: int, what: str, rates: NDArray[np.float64]) -> DivergenceError:
    low, high = memory_range(course.samples)
    return DivergenceError(
        f"training diverged in iteration {number}: {what}, at a learning rate of {rates.max():g} and with features "
        f"from {low:g} to {high:g}. Weights are as they were before it. Try a smaller learning_rate_init, or "
        f"standardize=True where features are far from unit size. In scikit-learn's words: {NOT_FINITE}"
    )
