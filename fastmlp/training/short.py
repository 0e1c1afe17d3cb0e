"""A fit of one epoch that asks for what the last one asked for (floor 7; imports numpy, model, data, engines).

Who learns from each sample as it comes calls `Network.fit` for every few of them. To check and plan such a fit takes
many times as long as its epoch, and comes to what it came to the time before. Whatever is new, or wrong, goes the long
way, and so does an epoch that diverges: here it is undone without a word.
"""

import math
import time
from collections.abc import Sequence
from operator import is_
from typing import Any

import numpy as np

from ..data.targets import Targets, plain_targets
from ..engines.base import FewRows, n_batches
from ..model.history import History
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


class ShortFit:
    """What a fit of one epoch was asked for, but for its samples.

    Parameters
    ----------
    asked : dict
        The arguments of `Network.fit`, each as it was given.
    settings : FitSettings
        What they are.
    """

    def __init__(self, asked: dict[str, Any], settings: FitSettings) -> None:
        self._asked, self._engine = [*asked.values()], asked["engine"]
        self._optimizer, self._batch_size, self._shuffle = settings.optimizer, settings.batch_size, settings.shuffle
        self._rate, self._rates = float(settings.optimizer.learning_rate), np.empty(0)

    @classmethod
    def like(cls, asked: dict[str, Any], settings: FitSettings) -> "ShortFit | None":
        """Return what makes fits like this one short; None where they can't be."""
        plain = settings.epochs == 1 and settings.validation_split == 0 and settings.threads <= 1
        if not plain or any(asked[name] is not None for name in _NOT_GIVEN):
            return None
        # A list that is empty now may be the same list, and not empty, the next time.
        return cls(asked, settings) if asked["callbacks"] == () and not settings.callbacks else None

    def is_asked(self, asked: dict[str, Any]) -> bool:
        """Whether a fit asks for the same: for the very same objects, which don't change, so none is looked at."""
        return all(map(is_, asked.values(), self._asked))

    def train(self, network: Any, X: Any, y: Any) -> History | None:
        """Do what `Network.fit` does, whose turn it is to train the network; None: nothing has changed."""
        labels, few, state = network.labels, network._shorter_way(self._engine), network.state
        targets = None if labels is None or few is None else plain_targets(y, labels, network.architecture)
        kind, moments = self._optimizer.kind, self._optimizer.n_moments
        if targets is None or few is None or state.moments_kind != kind or len(state.moments) != moments:
            return None
        history, undo = History(), Undo(state, [network.history])
        try:
            with network._turns.between_epochs:
                undo.remember()
                done = False
                try:
                    done = self._train_epoch(state, few, X, targets, labels.task, [network.history, history])
                finally:
                    if not done:
                        undo.bring_back()
        except KeyboardInterrupt:
            history.truncate(0)
            network.history.stop_reason = history.stop_reason = "interrupted"
            return history
        return history if done else None

    def _train_epoch(
        self, state: TrainingState, few: FewRows, X: Any, targets: Targets, task: str, histories: Sequence[History]
    ) -> bool:
        """Train the epoch and note it; False where it has to go the long way."""
        n_rows, size, started = targets.n_rows, self._batch_size, time.perf_counter()
        order = drawn_orders(state.generator, 1, n_rows, self._shuffle)[0] if size < n_rows else None
        if len(self._rates) != n_batches(n_rows, size):
            self._rates = np.full(n_batches(n_rows, size), self._rate)
        score = few.train_epoch(state, self._optimizer, X, targets, task, order, size, self._rates)
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
        columns |= {"learning_rate": [self._rate], "seconds": [seconds]}
        for history in histories:
            history.extend(**columns)
            history.stop_reason = "epochs done"
        return True
