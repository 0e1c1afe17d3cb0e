"""Samples that a training is judged by (floor 9; imports numpy, sklearn, errors, model, data, engines)."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from ..data.dataset import Dataset
from ..engines.base import Engine
from ..errors import ArgumentError
from ..model.architecture import Architecture, Array

Rows = NDArray[np.int64]


def hold_out(
    n_rows: int, share: float, random_state: np.random.RandomState, strata: Any, weights: Array | None
) -> tuple[Rows, Rows]:
    """Draw the rows to train on and those to validate with, as scikit-learn's MLP draws them.

    Rows of weight 0 are not held out: there would be nothing to judge by.

    Parameters
    ----------
    n_rows : int
    share : float
        Of the rows to validate with.
    random_state : numpy.random.RandomState
    strata : array_like, shape (n_rows,), or None
        Classes that both parts are to have in the same proportions.
    weights : ndarray, shape (n_rows,), or None

    Raises
    ------
    ArgumentError
        Fewer than 2 rows would be left to validate with.
    ValueError
        scikit-learn can't split so.
    """
    counting = np.arange(n_rows) if weights is None else np.flatnonzero(weights)
    strata = None if strata is None else strata[counting]
    if len(counting) < n_rows and strata is not None and np.unique(strata, return_counts=True)[1].min() < 2:
        strata = None  # of a class that a single row is left of, no part is left for the other side
    train, held_out = train_test_split(counting, random_state=random_state, test_size=share, stratify=strata)
    if len(held_out) < 2:
        raise ArgumentError(
            f"The validation set is too small: validation_fraction={share:g} of {len(counting)} samples leaves "
            f"{len(held_out)}, but at least 2 are needed; raise validation_fraction, or give X_val and y_val"
        )
    if len(counting) < n_rows:
        train = np.concatenate([train, np.setdiff1d(np.arange(n_rows), counting)])
    return train.astype(np.int64), held_out.astype(np.int64)


class Judge:
    """Loss and score of a network on validation samples: accuracy for a classifier, R² for a regressor.

    Parameters
    ----------
    engine : Engine
    architecture : Architecture
    data : Dataset
    """

    def __init__(self, engine: Engine, architecture: Architecture, data: Dataset) -> None:
        self._engine, self._architecture = engine, architecture
        self._r2: _R2 | None = None
        if data.task == "regression":
            assert data.targets is not None and data.targets.values is not None
            self._r2 = _R2(data.targets.values, data.weights)

    def __call__(self, parameters: Array, prepared: Any) -> tuple[float, float]:
        """Return loss and score on the data as the engine prepared them; NaN where outputs are not finite."""
        score = self._engine.evaluate(self._architecture, parameters, prepared)
        if self._r2 is None:
            accuracy = float(score.accuracy) if math.isfinite(score.loss) else math.nan
            return float(score.loss), accuracy
        outputs = self._engine.forward(self._architecture, parameters, prepared)
        return float(score.loss), self._r2(outputs)


class _R2:
    """Coefficient of determination, the mean over outputs, with what depends on the targets alone computed once."""

    def __init__(self, targets: Array, weights: Array | None) -> None:
        self._targets = targets.astype(np.float64)
        self._weights = np.ones(len(targets)) if weights is None else weights.astype(np.float64)
        mean = np.average(self._targets, axis=0, weights=self._weights)
        self._spread = self._weights @ np.square(self._targets - mean)

    def __call__(self, outputs: Array) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            errors = self._weights @ np.square(self._targets - outputs)
        if not np.isfinite(errors).all():
            return math.nan
        # Where targets don't vary there is nothing to explain: right is 1, wrong is 0.
        shares = np.divide(errors, self._spread, out=(errors > 0).astype(np.float64), where=self._spread > 0)
        return float(np.mean(1 - shares))
