"""What an engine is, and what engines have in common (floor 5; imports numpy, model, data).

Three engines compute the same operations under the same names: `numpy_engine`, to be read beside the mathematics,
`loops_engine` in plain compiled loops, and `simd.engine`, to be fast. Each is a module with the functions of `Engine`.
A function at the end of this file is the simplest that does; an engine that has no better one imports it.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..data.augmentation import Augmentation, augmented
from ..data.dataset import Dataset
from ..data.samples import Scaling
from ..data.targets import Targets
from ..model.architecture import Architecture
from ..model.optimizers import Optimizer
from ..model.training_state import TrainingState

Array = NDArray[Any]


class Score(NamedTuple):
    """Mean loss of a pass over some data, penalties not counted, and the share of correct answers (NaN in
    regression).
    """

    loss: float
    accuracy: float


class Epochs(NamedTuple):
    """Some epochs of a network to be trained: the arguments of `Engine.train_epochs`, in order."""

    architecture: Architecture
    state: TrainingState
    optimizer: Optimizer
    prepared: Any
    orders: NDArray[np.int64]
    batch_size: int
    learning_rates: NDArray[np.float64]
    penalties: NDArray[np.float64] | None = None


Trained = tuple[list[Score], Array]
"""What `Engine.train_epochs` returns: scores, and the parameters at the end of each epoch."""


class Alike(NamedTuple):
    """A kind of networks that an engine can train side by side, in one call, each with the bits it has alone."""

    key: tuple[Any, ...]
    """What they have in common; equal for networks of this kind only."""
    most: int
    """Most networks in one call."""
    worth: float
    """How many calls of their own take as long as one call for all, however few it is for."""
    trainer: Callable[[Epochs], Callable[[Sequence[Epochs]], list[Trained]]]
    """Makes, for networks like this one, the function that trains as many epochs of each of several; its memory is for
    one thread."""
    load: Callable[[], None]
    """Has the code ready."""


class FewRows(Protocol):
    """A shorter way for some dense rows, all of it laid out before.

    Every method takes as `X` what may be dense rows, and returns None for what needs the gate: very many rows, another
    type or dtype, another number of features, numbers that are not finite. Targets have been checked; where there are
    not as many as rows the result is None too.
    """

    def __call__(self, parameters: Array, X: Any) -> Array | None:
        """See `Engine.forward`."""

    def evaluate(self, parameters: Array, X: Any, targets: Targets, task: str) -> Score | None:
        """See `Engine.evaluate`."""

    def loss_and_gradient(self, parameters: Array, X: Any, targets: Targets, task: str) -> tuple[float, Array] | None:
        """See `Engine.loss_and_gradient`."""

    def can_train(self, n_rows: int) -> bool:
        """Whether an epoch of so many rows may go this way, if all else is right."""

    def train_epoch(
        self,
        state: TrainingState,
        optimizer: Optimizer,
        X: Any,
        targets: Targets,
        task: str,
        order: NDArray[np.int64] | None,
        batch_size: int,
        learning_rates: NDArray[np.float64],
    ) -> Score | None:
        """See `Engine.train_epoch`; without an `order` the rows are taken as they come. None: nothing has changed."""


class Engine(Protocol):
    """The operations that every engine offers, with the same results up to rounding."""

    name: str

    def load(self, architecture: Architecture) -> None:
        """Have the code ready that the other operations need, so that compiling it is no part of an epoch."""

    def prepare(
        self, architecture: Architecture, data: Dataset, threads: int, once: bool = False, batch_size: int | None = None
    ) -> Any:
        """Return `data` in the form the other operations take; done once for many epochs. There is no other way in.

        `threads` is how many they may use; 0 lets the engine choose by the amount of work. Where the data will pass
        `once`, forward, less preparation pays; where they are to be trained on, it is for batches of this size.
        """

    def few_rows(self, architecture: Architecture, scaling: Scaling) -> FewRows | None:
        """Make a shorter way for a few or some thousand dense rows; None where the engine has none."""

    def marks_rows(self, prepared: Any) -> bool:
        """Whether `forward` gives rows that are not finite outputs of which all are NaN, so that nobody need look for
        them before.
        """

    def weigh(self, prepared: Any, weights: Array) -> None:
        """Give the rows other weights, shape (n_rows,): finite numbers >= 0. The data have had weights before."""

    def forward(self, architecture: Architecture, parameters: Array, prepared: Any) -> Array:
        """Outputs of every row, shape (n_rows, outputs), with dropout off."""

    def evaluate(self, architecture: Architecture, parameters: Array, prepared: Any) -> Score:
        """Loss and accuracy over every row, with dropout off."""

    def loss_and_gradient(self, architecture: Architecture, parameters: Array, prepared: Any) -> tuple[float, Array]:
        """The objective (mean loss plus penalties) over all rows as one batch, and its gradient, a flat vector."""

    def augment(
        self,
        augmentation: Augmentation,
        data: Dataset,
        key: int,
        first_name: int,
        threads: int,
    ) -> Array:
        """Images of which those that are trained on are moved, turned and bent, in an array of their own.

        The samples are dense and in memory. Row r is known to the hash as ``r + first_name``; `key` is the epoch's.
        `threads` as in `prepare`.
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
    ) -> Trained:
        """Train several epochs as `train_epoch` would one after another, with the same bits.

        `orders` has a row for each, (epochs, n_rows), and `learning_rates` and `penalties` are (epochs, steps). The
        result is their scores, and the parameters at the end of each, (epochs, n_parameters). Between two epochs of a
        small data set Python takes as long as such an epoch does: here it isn't asked.
        """

    def alike(self, architecture: Architecture, optimizer: Optimizer, data: Dataset, batch_size: int) -> Alike | None:
        """Return which networks can be trained side by side with this one on these samples; None if it has to be
        trained alone.
        """


def n_batches(n_rows: int, batch_size: int) -> int:
    """Steps of an epoch; the last batch may be smaller."""
    return -(-n_rows // batch_size)


def load(architecture: Architecture) -> None:
    """Do what `Engine.load` says where there is nothing to compile."""


def few_rows(architecture: Architecture, scaling: Scaling) -> None:
    """Do what `Engine.few_rows` says where there is no shorter way."""


def marks_rows(prepared: Any) -> bool:
    """Do what `Engine.marks_rows` says where an activation may hide an infinity."""
    return False


def alike(architecture: Architecture, optimizer: Optimizer, data: Dataset, batch_size: int) -> None:
    """Do what `Engine.alike` says where every network needs a call of its own."""


def augment(augmentation: Augmentation, data: Dataset, key: int, first_name: int, threads: int) -> Array:
    """Do what `Engine.augment` says, in NumPy."""
    images, rows = data.samples.dense, data.training_rows
    assert images is not None
    out, shape = images.copy(), augmentation.shape_of(data.samples.n_features)
    out[rows] = augmented(augmentation, images[rows], shape, key, rows + first_name)
    return out


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
) -> Trained:
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
