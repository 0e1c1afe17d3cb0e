"""The batches of a call of training (floor 5; imports numpy).

How large a batch is decides about much: the threads, groups or halves it is worked off by, memory, the number of
steps. All of it asks here, so that all of it sees the same number.
"""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from ..base import n_batches
from .compression import plain


def clamped(batch_size: int, n_rows: int) -> int:
    """Rows of the largest batch of so many rows: `batch_size`, or all of them where that is more."""
    return min(batch_size, n_rows)


class Batches(NamedTuple):
    """Rows in the order in which training takes them, of one epoch or several, and what each batch needs.

    Attributes
    ----------
    order : ndarray of int64, shape (epochs * n_rows,)
    size : int
        Rows of a batch; no more than there are in an epoch. The last one of an epoch may have fewer.
    rates : ndarray of float64, shape (epochs * steps,)
    penalties : ndarray of float64, shape (epochs * steps,), or None
    """

    order: NDArray[np.int64]
    size: int
    rates: NDArray[np.float64]
    penalties: NDArray[np.float64] | None

    @classmethod
    def of(
        cls,
        orders: NDArray[np.int64],
        batch_size: int,
        learning_rates: NDArray[np.float64],
        penalties: NDArray[np.float64] | None,
        n_rows: int = 0,
    ) -> Self:
        """Take the arguments of `Engine.train_epoch` or `Engine.train_epochs`, in the only form that kernels know.

        An order may be a part of an epoch over `n_rows` rows, and even its last, smaller batch alone. Sums have to be
        those of the whole epoch then, and the size of a batch decides on their order.
        """
        size = clamped(batch_size, max(n_rows, orders.shape[-1]))
        steps = (*orders.shape[:-1], n_batches(orders.shape[-1], size))
        for name, values in (("learning rates", learning_rates), ("penalties", penalties)):
            if values is not None and values.shape != steps:
                raise ValueError(f"{name} must have the shape {steps}, one a step; got {values.shape}")
        return cls(
            plain(np.asarray(orders, np.int64)),
            size,
            plain(np.asarray(learning_rates, np.float64)),
            None if penalties is None else plain(np.asarray(penalties, np.float64)),
        )

    def stretch(self, begin: int, n_rows: int) -> Self:
        """Return some rows of one epoch, from the first of a batch on."""
        first = begin // self.size
        steps = slice(first, first + n_batches(n_rows, self.size))
        penalties = None if self.penalties is None else self.penalties[steps]
        return self._replace(order=self.order[begin : begin + n_rows], rates=self.rates[steps], penalties=penalties)
