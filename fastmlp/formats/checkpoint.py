"""What a file holds of a network, whatever its format (floor 6; imports numpy, model, data)."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..data.samples import Scaling
from ..data.targets import Labels
from ..model.architecture import Architecture, Array
from ..model.history import History
from ..model.training_state import TrainingState


@dataclass
class FitUnderWay:
    """Where a fit stands, besides what is the network's own.

    Attributes
    ----------
    first_epoch : int
        How many epochs the network had had when it began.
    learning_rate : float
        Of the coming epochs, as callbacks have left it.
    stop_reason : str
        Why a callback ended it; empty if none did.
    settings : dict
        What it was called with, as text and numbers.
    memories : list of (str, dict)
        Of the callbacks that have one: the name of the class, and what `Callback.memory` gave.
    """

    first_epoch: int
    learning_rate: float
    stop_reason: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    memories: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


@dataclass
class Checkpoint:
    """A network in parts.

    Attributes
    ----------
    architecture : Architecture
    state : TrainingState
    labels : Labels or None
        None before the first fit.
    scaling : str or Scaling
        ``"auto"`` or ``"standardize"`` before the first fit; otherwise a `Scaling`.
    history : History
    under_way : FitUnderWay or None
        None where the network was saved between fits.
    goes_on : bool
        Whether `state` is all that training needs to go on with the same bits; not so in a file of weights only.
    """

    architecture: Architecture
    state: TrainingState
    labels: Labels | None = None
    scaling: str | Scaling = "auto"
    history: History = field(default_factory=History)
    under_way: FitUnderWay | None = None
    goes_on: bool = True


def new_generator(seed: int) -> np.random.Generator:
    """Return the generator that draws the order of the samples, at its start."""
    return np.random.default_rng([seed, 1])


def writable(state: TrainingState, architecture: Architecture) -> TrainingState:
    """Return the state with vectors that training can write to: its own, or copies of those that it can't.

    Arrays of a memory-mapped file or of another process's memory are read-only, and to Numba of another type.
    """
    vectors = [state.parameters, *state.moments]
    if all(vector.flags.carray for vector in vectors):
        return state
    parameters, *moments = (vector if vector.flags.carray else in_layout(vector, architecture) for vector in vectors)
    return replace(state, parameters=parameters, moments=moments)


def in_layout(vector: Array, architecture: Architecture) -> Array:
    """Return a copy of a flat vector that starts on a cache line, as kernels like it."""
    copy = architecture.zeros()
    copy[...] = vector
    return copy
