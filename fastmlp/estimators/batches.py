"""The batches of an epoch with scikit-learn's penalty and weights (floor 9; imports numpy, errors, model, data,
engines, training).

In scikit-learn the gradient of a batch is ``(sum of weighted gradients + alpha * W) / sum of the batch's weights``. An
engine divides by the rows of a batch. So weights are scaled to a mean of 1 within each batch, anew for every order of
the rows, and each batch has a penalty of its own, ``l2 = alpha / sum of weights``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from ..data.streaming import Blocks
from ..engines.base import n_batches
from ..errors import ArgumentError
from ..model.architecture import Architecture, Array
from ..training.rules import Call, epochs_per_call, steps_per_call


def blocks_of(X: Any, y: Any, sample_weight: Any) -> Iterable[tuple[Any, Any, Any]]:
    """Return samples, targets and weights as they were given, or block by block where `X` is an iterable of blocks.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        There is no `y`, and `X` gives no blocks; or weights beside blocks, which have their own.
    """
    if y is not None:
        return [(X, y, sample_weight)]
    if sample_weight is not None:
        raise ArgumentError("sample_weight can't be given beside blocks; give blocks (X, y, sample_weight)")
    return Blocks((lambda: X) if isinstance(X, Iterator) else X)


class Batches:
    """The order, the penalties and the weights of every epoch.

    Parameters
    ----------
    rows : ndarray of int64, shape (n,)
        Those to train on.
    batch_size : int
    shuffle : bool
    alpha : float
    architecture : Architecture
        Without penalty.
    weights : ndarray, shape (n_rows of the data set,), or None
        As they were given.

    Attributes
    ----------
    steps : int
        Of an epoch.
    epochs_per_call : int
        How many epochs one call of the engine may take: 1 where weights are scaled anew for each.
    """

    def __init__(
        self,
        rows: NDArray[np.int64],
        batch_size: int,
        shuffle: bool,
        alpha: float,
        architecture: Architecture,
        weights: Array | None,
    ) -> None:
        self._rows, self._batch_size, self._alpha = rows, batch_size, alpha
        self._every_row = bool(np.array_equal(rows, np.arange(len(rows))))
        # A batch of all rows is the same sum in any order.
        self._shuffle = shuffle and batch_size < len(rows)
        self._weights = weights
        self._scaled = None if weights is None else np.ones_like(weights)
        self.steps = n_batches(len(rows), batch_size)
        self._starts = np.arange(0, len(rows), batch_size)
        self._counts = np.diff(self._starts, append=len(rows))
        self._most_steps = steps_per_call(architecture, batch_size)
        self._penalised = lru_cache(maxsize=2)(lambda l2: replace(architecture, l2=l2))
        self._unweighted = list(self._calls(alpha / self._counts))
        self.epochs_per_call = 1 if weights is not None else epochs_per_call(architecture, batch_size, self.steps)

    def draw(self, random_state: RandomState, places: NDArray[np.int64] | None) -> NDArray[np.int64]:
        """Return the order of an epoch as places among the rows, shuffled further from that of the epoch before.

        The draws are scikit-learn's: the same seed gives the same order.
        """
        if places is None or len(places) != len(self._rows):
            places = np.arange(len(self._rows))
        if not self._shuffle:
            return places
        drawn = np.arange(len(places))
        random_state.shuffle(drawn)
        return places[drawn]

    def order(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows at these places among those to train on."""
        return places if self._every_row else self._rows[places]

    def epoch(self, order: NDArray[np.int64]) -> tuple[list[Call], float, Array | None]:
        """Return what the rows of an epoch in their order come to.

        Returns
        -------
        calls : list of Call
            Of the engine.
        share : float
            By what the mean of ``sum(W²)`` over the steps is multiplied to be its part of the mean loss.
        weights : ndarray or None
            Of all rows of the data set, with a mean of 1 within each batch; None where no row was given one. The next
            epoch writes into the same array.
        """
        if self._weights is None:
            return self._unweighted, 0.5 * self._alpha * self.steps / len(order), None
        given = self._weights[order].astype(np.float64)
        totals = np.add.reduceat(given, self._starts)
        # A batch in which no row counts has no loss and no penalty.
        inverse = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
        assert self._scaled is not None
        self._scaled[order] = given * np.repeat(self._counts * inverse, self._counts)
        share = 0.5 * self._alpha * float(self._counts @ inverse) / len(order)
        return list(self._calls(self._alpha * inverse)), share, self._scaled

    def _calls(self, penalties: NDArray[np.float64]) -> Iterator[Call]:
        """Divide the steps into calls, a call's worth at a time."""
        for step in range(0, len(penalties), self._most_steps):
            last = min(step + self._most_steps, len(penalties))
            places = slice(step * self._batch_size, min(last * self._batch_size, len(self._rows)))
            differ = (penalties[step:last] != penalties[step]).any()
            architecture = self._penalised(float(penalties[step]))
            yield Call(places, slice(step, last), architecture, penalties[step:last] if differ else None)
