"""Everything that training needs to go on from where it stopped (floor 1; imports numpy)."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .architecture import Architecture
from .optimizers import Optimizer

Array = NDArray[Any]


@dataclass
class TrainingState:
    """Parameters, what the optimizer remembers, counters, and the source of shuffles.

    Attributes
    ----------
    parameters : ndarray
        The flat vector of the architecture's layout.
    generator : numpy.random.Generator
        Draws the order of the samples of each epoch.
    seed : int
        Of the dropout's hash and of validation splits.
    moments : list of ndarray
        The optimizer's, of the same layout.
    moments_kind : str
        Which optimizer they belong to; empty before the first.
    step, epoch : int
        How many updates and epochs have been done.
    """

    parameters: Array
    generator: np.random.Generator
    seed: int
    moments: list[Array] = field(default_factory=list)
    moments_kind: str = ""
    step: int = 0
    epoch: int = 0

    def prepare_for(self, optimizer: Optimizer, architecture: Architecture) -> None:
        """Have the moments that `optimizer` needs.

        Those of the same kind of optimizer are kept, so that training goes on; those of another kind mean nothing to
        it: they are dropped, and it starts from zero at its first step. So are those that it has no use for: what a
        momentum remembers of long ago would push in a direction of long ago.
        """
        if self.moments_kind != optimizer.kind:
            self.moments, self.moments_kind, self.step = [], optimizer.kind, 0
        self.moments = self.moments[: optimizer.n_moments]
        while len(self.moments) < optimizer.n_moments:
            self.moments.append(architecture.zeros())
