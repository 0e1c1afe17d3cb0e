"""scikit-learn's rules for the epoch loop: penalty, weights, learning rates and stopping (floor 9; imports numpy,
errors, model, data, training).
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.dataset import Dataset
from ..data.samples import memory_range
from ..errors import DivergenceError, TrainingError
from ..model.architecture import Architecture, Array
from ..model.history import History
from ..model.optimizers import SGD, Optimizer
from ..training.callbacks import FitRun
from ..training.plateau import ReduceOnPlateau
from ..training.rules import Call, Plan, Rules, Trained, target_remedies
from .batches import Batches
from .progress import Progress
from .settings import Settings
from .their_words import NOT_FINITE
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


class ScikitLearnRules(Rules):
    """The rules by which scikit-learn's MLP trains.

    Parameters
    ----------
    plan : Plan
    run : FitRun
    total : History
        Of the network; it is written where callbacks look at it.
    settings : Settings
    batches : Batches
    progress : Progress
        What later fits go on with.
    curves : Curves
    metric : {"accuracy", "r2"}
    loss_share : float
        scikit-learn's squared error is a mean over outputs.

    Attributes
    ----------
    forgiven : DivergenceError or None
        By which the training ended, where early stopping forgave it.
    """

    def __init__(
        self,
        plan: Plan,
        run: FitRun,
        total: History,
        *,
        settings: Settings,
        batches: Batches,
        progress: Progress,
        curves: Curves,
        metric: str,
        loss_share: float,
    ) -> None:
        super().__init__(plan, run, total, settings.shuffle, settings.callbacks)
        self.settings, self.batches, self.progress = settings, batches, progress
        self.curves, self.metric, self.loss_share = curves, metric, loss_share
        validation = plan.data.validation
        self._score = None if validation is None else Judge(plan.engine, plan.architecture, validation)
        (self._norm,) = squared_norms(plan.architecture, run.state.parameters[np.newaxis])
        self._norms, self._epoch, self._share = [self._norm], run.epoch, 0.0
        self._objective, self._row = math.nan, dict[str, float]()
        self.forgiven: DivergenceError | None = None

    def epochs_at_once(self) -> int:
        """How many epochs the engine can train before anybody has to look at them.

        The loss may be without improvement in each, which ends the training after the last, and not before.
        """
        settings, until_stop = self.settings, self.settings.patience - self.progress.unimproved + 1
        watched = settings.callbacks or settings.verbose
        if watched or settings.rate_kind == "invscaling" or isinstance(settings.schedule, ReduceOnPlateau):
            return 1
        return max(1, int(min(until_stop, self.batches.epochs_per_call)))

    def draw(self, count: int) -> None:
        """Draw the orders of the next `count` epochs, each a shuffle of the one before."""
        progress = self.progress
        while len(progress.drawn) < count:
            last = progress.drawn[-1] if progress.drawn else progress.places
            progress.drawn = (*progress.drawn, self.batches.draw(progress.random_state, last))

    def orders(self, data: Dataset, count: int) -> NDArray[np.int64]:
        """Return the rows of the next epochs in the orders that were drawn."""
        return np.stack([self.batches.order(drawn) for drawn in self.progress.drawn[:count]])

    def calls(self, data: Dataset, prepared: Any, order: NDArray[np.int64]) -> Iterator[Call]:
        """Divide an epoch into calls; weights get a mean of 1 in each batch, and each batch a penalty of its own."""
        calls, self._share, weights = self.batches.epoch(order)
        if weights is not None:
            self.plan.engine.weigh(prepared, weights)
        yield from calls

    def weight(self, data: Dataset, rows: NDArray[np.int64]) -> float:
        """Every row counts the same, its weight is in its loss."""
        return len(rows)

    def judge(self, parameters: Array, checks: Any) -> dict[str, float]:
        """Return the validation's loss and its score: accuracy or R²."""
        assert self._score is not None
        loss, score = self._score(parameters, checks)
        return {"val_loss": loss * self.loss_share, f"val_{self.metric}": score}

    def are_finite(self, ends: Array) -> list[bool]:
        """Whether no parameter is infinite or NaN, nor the sum of their squares, which is part of the objective."""
        self._norms = squared_norms(self.plan.architecture, ends)
        return [math.isfinite(norm) for norm in self._norms]

    def note(self, trained: Trained, columns: dict[str, list[float]]) -> None:
        """Note epochs in the curves, and whether each was an improvement."""
        for number, (loss, weight) in enumerate(zip(trained.loss, trained.weight, strict=True)):
            row = {name: column[number] for name, column in columns.items()}
            self._note(loss, weight, trained.parameters[number], row)

    def _note(self, loss: float, weight: float, parameters: Array, row: dict[str, float]) -> None:
        progress, settings, steps = self.progress, self.settings, self.batches.steps
        # The weights at each step are not known; that their squares change evenly is exact for one step an epoch.
        after = self._norms.pop(0)
        between = self._norm + (after - self._norm) * (steps - 1) / (2 * steps)
        self._norm = after
        objective = loss + self._share * between
        progress.samples += int(weight)
        progress.places, progress.drawn = progress.drawn[0], progress.drawn[1:]
        shown = row.copy()
        del shown["epoch"]
        if self.metric != "accuracy":
            del shown["accuracy"]
        val_loss, val_score = row.get("val_loss", math.nan), row.get(f"val_{self.metric}", math.nan)
        self.curves.append(objective, None if self._score is None else val_score, shown)
        if settings.callbacks:
            known = {name: value for name, value in shown.items() if name != "val_r2"} | {"epoch": row["epoch"]}
            self.run.history.append(**known)
            self.total.append(**known)
        progress.note(settings, objective, val_loss, val_score, parameters)
        self._objective, self._row = objective, row
        self._epoch += 1
        if settings.verbose:
            self._say(f"Iteration {self._epoch}, loss = {objective:.8f}")
            if settings.early_stopping and self._score is not None:
                what = f"score: {val_score:f}" if settings.early_stopping == "metric" else f"loss: {val_loss:f}"
                self._say(f"Validation {what}")

    def after_epochs(self) -> str:
        """Set the learning rate by learning_rate and the schedule on plateau, and say why the training ends here."""
        progress, settings, run = self.progress, self.settings, self.run
        rate = run.learning_rate
        if settings.rate_kind == "invscaling":
            rate = run.optimizer.learning_rate / (progress.samples + 1) ** settings.power_t
        if isinstance(settings.schedule, ReduceOnPlateau):
            rate = progress.rate_on_plateau(settings.schedule, self._watched(settings.schedule.monitor), rate)
        reason, rate, message = progress.reason_to_stop(settings, rate)
        if settings.verbose and message:
            self._say(message)
        if settings.rate_kind != "constant":
            keep_velocity(run.optimizer, run.state.moments, run.learning_rate, rate)
        run.learning_rate = rate
        return reason

    def divergence(self, found: str, row: dict[str, float], rates: NDArray[np.float64]) -> DivergenceError:
        """Return the error for an epoch whose figures or weights are not finite."""
        low, high = memory_range(self.plan.data.samples)
        remedies = ["a smaller learning_rate_init", "standardize=True where features are far from unit size"]
        remedies += target_remedies(self.plan.data)
        return DivergenceError(
            f"training diverged in iteration {self._epoch + 1}: {found}, at a learning rate of {rates.max():g} and "
            f"with features from {low:g} to {high:g}. Weights are as they were before it. Try {', or '.join(remedies)}"
            f". In scikit-learn's words: {NOT_FINITE}"
        )

    def forgives(self, error: TrainingError) -> bool:
        """Whether there is early stopping: as in scikit-learn, it goes back to the best weights, and NaN is a score."""
        if not self.settings.early_stopping or not isinstance(error, DivergenceError):
            return False
        self.forgiven = error
        self.curves.append(math.nan, math.nan, {"loss": math.nan})
        return True

    def memory(self) -> Any:
        """Return what `bring_back` needs."""
        return self.progress.snapshot(), self.curves.lengths(), self._norm, self._epoch

    def bring_back(self, memory: Any) -> None:
        """Undo an epoch; the order that was drawn for it stays drawn."""
        snapshot, lengths, self._norm, self._epoch = memory
        self.progress.bring_back(snapshot)
        self.curves.truncate(*lengths)

    def _watched(self, monitor: str) -> float:
        """Return the figure that a schedule on plateau watches, of which less is better."""
        if monitor.endswith("accuracy"):
            return -self._row.get(monitor, math.nan)
        return self._row.get("val_loss", self._objective)

    def _say(self, line: str) -> None:
        sys.stdout.write(line + "\n")


def keep_velocity(optimizer: Optimizer, moments: list[Array], before: float, rate: float) -> None:
    """Turn the momentum's memory into that of another learning rate, as scikit-learn's is.

    Its velocity has the learning rate in it, ``v = momentum * v - rate * g``, and fastmlp's has not. So when the rate
    changes, what scikit-learn remembers is fastmlp's memory times ``before / rate``.
    """
    if isinstance(optimizer, SGD) and moments and before != rate:
        moments[0] *= before / rate


def squared_norms(architecture: Architecture, parameters: Array) -> list[float]:
    """Return ``sum(W²)`` over the weights of all layers for each vector of parameters; not finite if a weight or a bias
    is not.
    """
    totals = np.vecdot(parameters, parameters)
    for layer in architecture.layers:
        if layer.has_bias:
            biases = parameters[:, layer.bias_start : layer.bias_start + layer.units]
            totals = totals - np.vecdot(biases, biases)
    return [float(total) for total in totals]
