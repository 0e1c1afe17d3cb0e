"""What an epoch changes of a network, kept to be undone (floor 7; imports numpy, model)."""

from collections.abc import Sequence

import numpy as np

from ..model.architecture import Array
from ..model.history import History
from ..model.training_state import TrainingState


class Undo:
    """A state and histories as they were when they were last remembered.

    The copies of parameters and moments are written into the same memory each time.

    Parameters
    ----------
    state : TrainingState
    histories : sequence of History
    """

    def __init__(self, state: TrainingState, histories: Sequence[History]) -> None:
        self._state, self._histories = state, histories
        self._vectors: list[Array] = []

    def remember(self) -> None:
        """Keep all as it is now."""
        state = self._state
        if not self._vectors:
            self._vectors = [vector.copy() for vector in self._live()]
        else:
            for kept, live in zip(self._vectors, self._live(), strict=True):
                np.copyto(kept, live)
        self._counters = state.step, state.epoch
        self._generator = state.generator.bit_generator.state
        self._epochs = [history.epochs for history in self._histories]

    def bring_back(self) -> None:
        """Have all be as it was."""
        state = self._state
        for kept, live in zip(self._vectors, self._live(), strict=True):
            np.copyto(live, kept)
        state.step, state.epoch = self._counters
        state.generator.bit_generator.state = self._generator
        for history, epochs in zip(self._histories, self._epochs, strict=True):
            history.truncate(epochs)

    def _live(self) -> list[Array]:
        return [self._state.parameters, *self._state.moments]
