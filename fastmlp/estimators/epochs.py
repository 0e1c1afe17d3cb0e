"""Epochs of the stochastic solvers: what is done between the engine's calls (floor 5; imports numpy, floors 0 to 4).

It is the loop of `fastmlp.training` with scikit-learn's rules: its penalty, its weights, its learning rates and its
stopping. As there, an epoch happens whole or not at all.
"""

import math
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..architecture import Architecture, Array
from ..callbacks import FitRun
from ..engines.base import Engine
from ..errors import DivergenceError
from ..history import History
from ..inputs import Samples, memory_range
from ..network import Network
from ..optimizers import SGD, Optimizer
from ..plateau import ReduceOnPlateau
from ..schedules import Constant, Schedule, checked_factors
from ..training import Before
from .batches import Batches
from .progress import Progress
from .settings import Settings
from .validation import Judge


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
        for name in row:
            if name not in self.history:
                self.history[name] = [math.nan] * epochs
        for name, column in self.history.items():
            column.append(row.get(name, math.nan))

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


def train(course: Course) -> tuple[int, str]:
    """Train for up to ``course.epochs`` epochs.

    Returns
    -------
    epochs : int
        How many were finished.
    reason : str
        Why the training ended.

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
    before, finished, epochs, reason = Before(state), True, 0, ""
    norm = _squared_norm(course.network.architecture, state.parameters)
    try:
        for callback in callbacks:
            callback.on_fit_start(run)
        while epochs < course.epochs and not reason:
            run.epoch = epochs + 1
            for callback in callbacks:
                callback.on_epoch_start(run)
            progress.rate = run.learning_rate if callbacks else progress.rate
            before.keep(course.network.history.epochs, run.history.epochs)
            kept, lengths = progress.snapshot(), curves.lengths()
            finished = False
            norm = _epoch(course, run, norm, epochs + 1)
            finished = True
            epochs += 1
            reason = progress.reason_to_stop(settings)
            if settings.rate_kind != "constant":
                keep_velocity(course.optimizer, state.moments, run.learning_rate, progress.rate)
            run.learning_rate = progress.rate
            for callback in callbacks:
                callback.on_epoch_end(run)
            reason = run.stop_reason or reason
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
            before.bring_back(course.network.history, run.history)
            progress.bring_back(kept)
            curves.truncate(*lengths)
        run.history.stop_reason = reason
        run.epoch = epochs
        for callback in reversed(callbacks):
            callback.on_fit_end(run)
    if reason.startswith("training diverged"):
        # As in scikit-learn, early stopping goes back to the best weights, and NaN is the last score.
        curves.append(math.nan, math.nan, {"loss": math.nan})
        epochs += 1
    return epochs, reason


def _epoch(course: Course, run: FitRun, norm: float, number: int) -> float:
    """Train and judge one epoch, note it, and return ``sum(W²)`` after it."""
    state, progress, settings, batches = course.network.state, course.progress, course.settings, course.batches
    architecture = course.network.architecture
    started = time.perf_counter()
    if progress.drawn is None:
        progress.drawn = batches.draw(progress.random_state, progress.places)
    order, calls, penalty = batches.epoch(progress.drawn)
    rates = _rates(course)
    loss = correct = 0.0
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what overflows is found and told below
        for places, steps, penalised, penalties in calls:
            rows_and_rates = order[places], course.batch_size, rates[steps]
            score = course.engine.train_epoch(
                penalised, state, course.optimizer, course.data, *rows_and_rates, penalties=penalties
            )
            rows = min(places.stop, len(order)) - places.start
            loss, correct = loss + rows * score.loss, correct + rows * score.accuracy
            if not math.isfinite(loss):
                break
        after = _squared_norm(architecture, state.parameters)
    seconds = time.perf_counter() - started
    loss = course.loss_share * loss / len(order)
    if not (math.isfinite(loss) and math.isfinite(after)):
        what = "weights became infinite or NaN" if math.isfinite(loss) else f"the loss became {loss}"
        raise _divergence(course, number, what, rates)
    # The weights at each step are not known; that their squares change evenly is exact for one step an epoch.
    between = norm + (after - norm) * (batches.steps - 1) / (2 * batches.steps)
    objective = loss + penalty * between
    row = {"loss": loss, "learning_rate": float(rates[-1]), "seconds": seconds}
    if course.metric == "accuracy":
        row["accuracy"] = correct / len(order)
    val_loss = val_score = math.nan
    if course.judge is not None:
        val_loss, val_score = course.judge(state.parameters)
        val_loss *= course.loss_share
        if not math.isfinite(val_loss):
            raise _divergence(course, number, f"the validation loss became {val_loss}", rates)
        row |= {"val_loss": val_loss, f"val_{course.metric}": val_score}
    state.epoch += 1
    progress.samples += len(order)
    progress.places, progress.drawn = progress.drawn, None
    course.curves.append(objective, None if course.judge is None else val_score, row)
    if settings.callbacks:
        shown = {name: value for name, value in row.items() if name != "val_r2"} | {"epoch": state.epoch}
        run.history.append(**shown)
        course.network.history.append(**shown)
    progress.note(settings, objective, val_loss, val_score, state.parameters)
    _lower_rate(course, objective, row)
    if settings.verbose:
        shown_score = "" if course.judge is None else f", validation score {val_score:.6f}"
        sys.stdout.write(f"Iteration {number}: loss {objective:.8f}{shown_score}\n")
    return after


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


def _rates(course: Course) -> NDArray[np.float64]:
    steps = course.batches.steps
    if course.schedule is None:
        return np.full(steps, course.progress.rate)
    epoch = course.network.state.epoch - course.progress.schedule_start
    return course.progress.rate * checked_factors(course.schedule, epoch + np.arange(steps) / steps)


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


def _squared_norm(architecture: Architecture, parameters: Array) -> float:
    """Return ``sum(W²)`` over the weights of all layers; not finite if a weight or a bias is not."""
    total = float(np.dot(parameters, parameters))
    for layer in architecture.layers:
        bias = layer.bias(parameters)
        if bias is not None:
            total -= float(np.dot(bias, bias))
    return total


def _divergence(course: Course, number: int, what: str, rates: NDArray[np.float64]) -> DivergenceError:
    low, high = memory_range(course.samples)
    return DivergenceError(
        f"training diverged in iteration {number}: {what}, at a learning rate of {rates.max():g} and with features "
        f"from {low:g} to {high:g}. Weights are as they were before it. Try a smaller learning_rate_init, or "
        "standardize=True where features are far from unit size"
    )
