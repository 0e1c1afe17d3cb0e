"""A fit of one epoch that asks for what the last one asked for (floor 7; imports numpy, model, data, engines).

Who learns from each sample as it comes calls `Network.fit` for every few of them. To check and plan such a fit takes
many times as long as its epoch, and comes to what it came to the time before. Whatever is new, or wrong, goes the long
way, and so does an epoch that diverges: here it is undone without a word.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..data.targets import Targets, plain_targets
from ..engines.base import FewRows, n_batches
from ..model.history import History
from ..model.optimizers import Optimizer, get_optimizer
from ..model.training_state import TrainingState
from .fitting import FitSettings
from .rules import drawn_orders
from .undo import Undo

_NOT_GIVEN = (
    "schedule",
    "X_val",
    "y_val",
    "rows",
    "rows_val",
    "sample_weight",
    "class_weight",
    "augment",
    "resume_from",
)
"""Arguments that are None in a short fit."""

_ANY = "batch_size", "optimizer"
"""Those that may be others the next time."""


class ShortFit:
    """What a fit of one epoch was asked for, but for its samples, the size of its batches and its optimizer.

    Parameters
    ----------
    asked : dict
        The arguments of `Network.fit`, each as it was given.
    """

    def __init__(self, asked: dict[str, Any]) -> None:
        self._asked, self._rates = {name: asked[name] for name in asked if name not in _ANY}, np.empty(0)

    @classmethod
    def like(cls, asked: dict[str, Any], settings: FitSettings) -> "ShortFit | None":
        """Return what makes fits like this one, of these `settings`, short; None where they can't be."""
        plain = settings.epochs == 1 and settings.validation_split == 0 and settings.threads <= 1
        if not plain or any(asked[name] is not None for name in _NOT_GIVEN):
            return None
        # A list that is empty now may be the same list, and not empty, the next time.
        return cls(asked) if type(asked["callbacks"]) is tuple and not settings.callbacks else None

    def is_asked(self, asked: dict[str, Any]) -> bool:
        """Whether a fit asks for the same. Its arguments are the very same objects then, and those don't change."""
        if type(asked["batch_size"]) is not int or not 0 < asked["batch_size"] < 2**31:
            return False
        return all(asked[name] is given for name, given in self._asked.items())

    def train(self, network: Any, X: Any, y: Any, asked: dict[str, Any]) -> History | None:
        """Do what `Network.fit` does, whose turn it is to train the network; None: nothing has changed."""
        labels, few, state = network.labels, network._shorter_way(asked["engine"]), network.state
        optimizer = get_optimizer(asked["optimizer"])
        targets = None if labels is None or few is None else plain_targets(y, labels, network.architecture)
        if targets is None or few is None:
            return None
        if state.moments_kind != optimizer.kind or len(state.moments) != optimizer.n_moments:
            return None
        if not few.can_train(targets.n_rows):  # before anything is copied
            return None
        shuffle = asked["shuffle"] and asked["batch_size"] < targets.n_rows
        history, undo, done = History(), Undo(state, [network.history]), False
        undo.remember()
        given = state, optimizer, X, targets, labels.task
        try:
            with network._turns.between_epochs:
                try:
                    done = self._train_epoch(few, given, asked["batch_size"], shuffle, [network.history, history])
                finally:
                    if not done:
                        undo.bring_back()
        except KeyboardInterrupt:
            if not done:
                undo.bring_back()  # it may have come while that was being done
                history.truncate(0)
                network.history.stop_reason = history.stop_reason = "interrupted"
            return history
        return history if done else None

    def _train_epoch(
        self,
        few: FewRows,
        given: tuple[TrainingState, Optimizer, Any, Targets, str],
        batch_size: int,
        shuffle: bool,
        histories: Sequence[History],
    ) -> bool:
        """Train the epoch and note it; False where it has to go the long way."""
        state, optimizer, _, targets, task = given
        n_rows, started, rate = targets.n_rows, time.perf_counter(), float(optimizer.learning_rate)
        order = drawn_orders(state.generator, 1, n_rows, shuffle)[0] if batch_size < n_rows else None
        score = few.train_epoch(*given, order, batch_size, self._rates_of(n_batches(n_rows, batch_size), rate))
        # The sum of the squares is finite only if all numbers are.
        squares = float(np.vdot(state.parameters, state.parameters))
        if score is None or not math.isfinite(score.loss) or not math.isfinite(squares):
            return False
        state.epoch += 1
        seconds = time.perf_counter() - started
        # Rounded as a mean over the calls of an epoch is.
        columns: dict[str, list[float]] = {"epoch": [state.epoch], "loss": [n_rows * score.loss / n_rows]}
        if task != "regression":
            columns["accuracy"] = [n_rows * score.accuracy / n_rows]
        columns |= {"learning_rate": [rate], "seconds": [seconds]}
        for history in histories:
            history.extend(**columns)
            history.stop_reason = "epochs done"
        return True

    def _rates_of(self, steps: int, rate: float) -> NDArray[np.float64]:
        if len(self._rates) != steps:
            self._rates = np.empty(steps)
        self._rates[:] = rate
        return self._rates
