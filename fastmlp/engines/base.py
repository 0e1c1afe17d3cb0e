"""What an engine is (floor 5; imports numpy, model, data).

Two engines compute the same operations under the same names: `reference` in NumPy, to be read beside the mathematics,
and `compiled` in Numba, to be fast. Everything above speaks to an `Engine`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..data.augmentation import Augmentation
from ..data.samples import Samples, Scaling
from ..data.targets import Targets
from ..model.architecture import Architecture
from ..model.optimizers import Optimizer
from ..model.training_state import TrainingState

Array = NDArray[Any]


@dataclass(frozen=True)
class Data:
    """A data set as the engines take it.

    Attributes
    ----------
    samples : Samples
    targets : Targets or None
        None where only outputs are wanted.
    weights : ndarray, shape (n_rows,), or None
        Of the samples, with a mean of 1 over those that are trained on (`mean_one`); None counts each as 1. The loss of
        a batch is the sum of its weighted losses divided by its number of rows.
    task : str
        One of `fastmlp.data.targets.TASKS`: decides what counts as a correct answer.
    """

    samples: Samples
    targets: Targets | None = None
    weights: Array | None = None
    task: str = "classes"


class Score(NamedTuple):
    """Mean loss of a pass over some data, penalties not counted, and the share of correct answers (NaN in
    regression).
    """

    loss: float
    accuracy: float


class Engine(Protocol):
    """The operations that both engines offer, with the same results up to rounding."""

    name: str

    def load(self, architecture: Architecture) -> None:
        """Have the code ready that the other operations need, so that compiling it is no part of an epoch."""

    def prepare(
        self, architecture: Architecture, data: Data, threads: int, once: bool = False, batch_size: int | None = None
    ) -> Any:
        """Return `data` in the form the other operations take; done once for many epochs.

        `threads` is how many they may use; 0 lets the engine choose by the amount of work. Where the data will pass
        `once`, forward, less preparation pays; where they are to be trained on, it is for batches of this size.
        """

    def few_rows(self, architecture: Architecture, scaling: Scaling) -> Callable[[Array, Array], Array | None] | None:
        """Make a shorter way to the outputs of a few dense rows; None where the engine has none.

        Called with the parameters and rows of uint8 or the network's dtype, it returns outputs, or None where a number
        is not finite.
        """

    def marks_rows(self, prepared: Any) -> bool:
        """Whether `forward` gives rows that are not finite outputs of which all are NaN, so that nobody need look for
        them before.
        """

    def forward(self, architecture: Architecture, parameters: Array, prepared: Any) -> Array:
        """Outputs of every row, shape (n_rows, outputs), with dropout off."""

    def evaluate(self, architecture: Architecture, parameters: Array, prepared: Any) -> Score:
        """Loss and accuracy over every row, with dropout off."""

    def loss_and_gradient(self, architecture: Architecture, parameters: Array, prepared: Any) -> tuple[float, Array]:
        """The objective (mean loss plus penalties) over all rows as one batch, and its gradient, a flat vector."""

    def augment(
        self,
        augmentation: Augmentation,
        images: Array,
        shape: tuple[int, int],
        key: int,
        rows: NDArray[np.int64],
        first_name: int,
        threads: int,
    ) -> Array:
        """Images of which some `rows` are moved, turned and bent, in an array of their own.

        `images` are dense rows of `shape` (height, width). Row r is known to the hash as ``r + first_name``; `key` is
        the epoch's. `threads` as in `prepare`.
        """

    def train_epoch(
        self,
        architecture: Architecture,
        state: TrainingState,
        optimizer: Optimizer,
        prepared: Any,
        order: NDArray[np.int64],
        batch_size: int,
        learning_rates: NDArray[np.float64],
        first_name: int = 0,
        penalties: NDArray[np.float64] | None = None,
    ) -> Score:
        """Train on the rows in this order, one step a batch, and count the steps in `state`.

        `learning_rates` has one value a step, and so has `penalties`, where the architecture's L2 penalty is not to be
        that of every step. The score is of the outputs on the way, before each batch's step. Dropout knows a row by its
        number here plus `first_name`.
        """

    def train_epochs(
        self,
        architecture: Architecture,
        state: TrainingState,
        optimizer: Optimizer,
        prepared: Any,
        orders: NDArray[np.int64],
        batch_size: int,
        learning_rates: NDArray[np.float64],
        penalties: NDArray[np.float64] | None = None,
    ) -> tuple[list[Score], Array]:
        """Train several epochs as `train_epoch` would one after another, with the same bits.

        `orders` has a row for each, (epochs, n_rows), and `learning_rates` and `penalties` are (epochs, steps). The
        result is their scores, and the parameters at the end of each, (epochs, n_parameters). Between two epochs of a
        small data set Python takes as long as such an epoch does: here it isn't asked.
        """


def n_batches(n_rows: int, batch_size: int) -> int:
    """Steps of an epoch; the last batch may be smaller."""
    return -(-n_rows // batch_size)


def one_by_one(
    train_epoch: Callable[..., Score],
    architecture: Architecture,
    state: TrainingState,
    optimizer: Optimizer,
    prepared: Any,
    orders: NDArray[np.int64],
    batch_size: int,
    learning_rates: NDArray[np.float64],
    penalties: NDArray[np.float64] | None = None,
) -> tuple[list[Score], Array]:
    """Do what `Engine.train_epochs` says with an engine's `train_epoch`."""
    scores, ends, first = [], np.empty((len(orders), len(state.parameters)), architecture.dtype), state.epoch
    try:
        for number, (order, rates) in enumerate(zip(orders, learning_rates, strict=True)):
            state.epoch = first + number
            given = architecture, state, optimizer, prepared, order, batch_size, rates
            own = {} if penalties is None else {"penalties": penalties[number]}
            scores.append(train_epoch(*given, **own))
            ends[number] = state.parameters
    finally:
        state.epoch = first
    return scores, ends


def mean_one(weights: Array, rows: NDArray[np.int64] | slice = slice(None)) -> Array:
    """Weights in the same proportions with a mean of 1 over some rows.

    They are scaled over the data set and not within each batch, where a batch of one would cancel its weight. Where all
    are 0 there is nothing to scale.
    """
    mean = float(weights[rows].mean(dtype=np.float64))
    scaled: Array = weights / mean if mean > 0 else weights
    return scaled.astype(weights.dtype)
