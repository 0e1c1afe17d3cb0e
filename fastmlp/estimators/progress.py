"""What a training goes on with from fit to fit, and when it stops (floor 9; imports numpy, model, training)."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from ..model.architecture import Array
from ..training.plateau import ReduceOnPlateau
from .settings import Settings

Rows = NDArray[np.int64]

SMALLEST_RATE = 1e-6
"""learning_rate="adaptive" lowers no rate that is not above it, but stops."""


class Verdict(NamedTuple):
    """What is decided after an epoch."""

    reason: str
    """Why training ends; empty if it goes on."""
    rate: float
    """The learning rate of the coming epoch."""
    message: str
    """What scikit-learn prints; empty if nothing was decided."""


@dataclass
class Progress:
    """Counters of a training that later fits go on with.

    Attributes
    ----------
    random_state : numpy.random.RandomState
        What initial weights, held-out rows and orders are drawn from.
    rate : float
        The learning rate of the coming epoch, before the schedule's factor.
    first_rate : float
        What `learning_rate_init` was.
    samples : int
        How many the training has seen, counted anew in each epoch.
    unimproved : int
        Epochs in a row without improvement.
    best_loss : float
        Of the training, or with early_stopping="loss" of the validation.
    best_score : float
        Of the validation.
    best_parameters : ndarray or None
        Of the best epoch so far, where early stopping is to bring them back.
    live : ndarray or None
        Where the training goes on from, where the network has the best weights instead.
    places : ndarray or None
        The order of the rows in the last epoch.
    drawn : tuple of ndarray
        Those of the coming epochs that were drawn already; they are there too where the epochs were begun and undone.
    held_out : (ndarray, ndarray) or None
        The rows to train on and those to validate with that the first fit drew.
    schedule_start : int
        The epoch at which the schedule is at position 0.
    plateau_best : float
        The best figure that a schedule on plateau has seen.
    plateau_count : int
        Epochs since, or since it last lowered the rate.
    """

    random_state: RandomState
    rate: float
    first_rate: float
    samples: int = 0
    unimproved: int = 0
    best_loss: float = math.inf
    best_score: float = -math.inf
    best_parameters: Array | None = None
    live: Array | None = None
    places: Rows | None = None
    drawn: tuple[Rows, ...] = ()
    held_out: tuple[Rows, Rows] | None = None
    schedule_start: int = 0
    plateau_best: float = math.nan
    plateau_count: int = 0

    def snapshot(self) -> dict[str, Any]:
        """Return what `bring_back` needs; of arrays, none of which is changed in place, only the references."""
        return dict(vars(self))

    def bring_back(self, snapshot: dict[str, Any]) -> None:
        """Have the values of the snapshot."""
        vars(self).update(snapshot)

    def forget_the_best(self) -> None:
        """Have no best epoch so far, where the weights are no longer those of this training."""
        self.best_parameters, self.best_score, self.best_loss, self.unimproved = None, -math.inf, math.inf, 0

    def note(self, settings: Settings, loss: float, val_loss: float, val_score: float, parameters: Array) -> None:
        """Take an epoch into account: whether it was an improvement, and the best so far."""
        if not settings.early_stopping:
            self.unimproved = self.unimproved + 1 if loss > self.best_loss - settings.tol else 0
            self.best_loss = min(self.best_loss, loss)
            return
        if settings.early_stopping == "loss":
            worse, best = val_loss > self.best_loss - settings.tol, val_loss < self.best_loss
        else:
            worse, best = val_score < self.best_score + settings.tol, val_score > self.best_score
        self.unimproved = self.unimproved + 1 if worse else 0
        self.best_score, self.best_loss = max(self.best_score, val_score), min(self.best_loss, val_loss)
        if best:
            self.best_parameters = parameters.copy()

    def reason_to_stop(self, settings: Settings, rate: float) -> Verdict:
        """Say whether training ends here; with learning_rate="adaptive" the rate falls a few times first."""
        if self.unimproved <= settings.patience:
            return Verdict("", rate, "")
        watched = {"": "training loss", "loss": "validation loss"}.get(settings.early_stopping, "validation score")
        message = (
            f"{watched.capitalize()} did not improve more than tol={settings.tol:f} for {settings.patience:g} "
            "consecutive epochs."
        )
        if settings.rate_kind == "adaptive" and rate > SMALLEST_RATE:
            self.unimproved = 0
            return Verdict("", rate / 5, f"{message} Setting learning rate to {rate / 5:f}")
        too_small = " Learning rate too small." * (settings.rate_kind == "adaptive")
        reason = f"the {watched} has not improved by more than tol={settings.tol:g} for {settings.patience:g} epochs"
        return Verdict(reason, rate, f"{message}{too_small} Stopping.")

    def rate_on_plateau(self, plateau: ReduceOnPlateau, figure: float, rate: float) -> float:
        """The rate, lowered where a figure, of which less is better, stood still for `plateau.patience` epochs."""
        if not self.plateau_best - figure <= plateau.min_delta:
            self.plateau_best, self.plateau_count = figure, 0
            return rate
        self.plateau_count += 1
        if self.plateau_count < plateau.patience:
            return rate
        self.plateau_count = 0
        return max(rate * plateau.factor, min(rate, plateau.min_learning_rate))
