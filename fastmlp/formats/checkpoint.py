"""What a file holds of a network, whatever its format (floor 3; imports numpy and floors 0 to 3)."""

from dataclasses import dataclass, field

import numpy as np

from ..architecture import Architecture, Array
from ..history import History
from ..inputs import Scaling
from ..state import TrainingState
from ..targets import Labels


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
    """

    architecture: Architecture
    state: TrainingState
    labels: Labels | None = None
    scaling: str | Scaling = "auto"
    history: History = field(default_factory=History)


def new_generator(seed: int) -> np.random.Generator:
    """Return the generator that draws the order of the samples, at its start."""
    return np.random.default_rng([seed, 1])


def in_layout(vector: Array, architecture: Architecture) -> Array:
    """Return a copy of a flat vector that starts on a cache line, as kernels like it."""
    copy = architecture.zeros()
    copy[...] = vector
    return copy
