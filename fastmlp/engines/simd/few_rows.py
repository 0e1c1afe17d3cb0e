"""Outputs of a few rows by the shortest way through the kernels (floor 5; imports numpy, model, kernels, data)."""

import numpy as np

from ...data.samples import Scaling
from ...kernels.predict import forward_rows
from ...kernels.runtime import constants
from ...kernels.sparse.microkernels import BLOCK
from ...model.architecture import Architecture, aligned_zeros
from ..base import Array
from .compression import plain
from .conversion import is_even
from .workspace import describe_layers


class FewRows:
    """Outputs of a few dense rows at a time, without what `prepare` and `forward` do around a whole data set.

    Parameters
    ----------
    architecture : Architecture
    scaling : Scaling
    """

    def __init__(self, architecture: Architecture, scaling: Scaling) -> None:
        self._outputs, self._dtype = architecture.outputs, architecture.dtype
        scale, shift = scaling.vectors(architecture.inputs, architecture.dtype)
        self._widest = max(layer.stride for layer in architecture.layers)
        self._width = self._widest + sum(layer.stride for layer in architecture.layers)
        self._entries = max(architecture.inputs, self._widest) + BLOCK
        layers = np.full((len(architecture.layers), constants.LAYER_COLUMNS), -1, dtype=np.int64)
        describe_layers(layers, architecture)
        scale = np.concatenate([scale, np.ones(self._widest, self._dtype)])
        readable = self._entries if is_even(scale[: architecture.inputs]) else 0
        self._describing = scale, plain(shift), int(bool(shift.any())), readable, layers
        self._memories: list[tuple[Array, int, Array, Array]] = []

    def __call__(self, parameters: Array, X: Array) -> Array | None:
        """Return the outputs of the rows of `X`, of uint8 or the network's dtype; None if a number is not finite."""
        outputs = np.empty((len(X), self._outputs), self._dtype)
        # To Numba a read-only array is another type.
        rows = X if X.flags.carray and X.dtype == self._dtype else np.array(X, self._dtype, order="C")
        # Taken out while it is in use: another thread may be here too.
        memory = self._memories.pop() if self._memories else self._memory()
        finite = forward_rows(outputs, rows, *self._describing, parameters, *memory)
        self._memories.append(memory)
        return outputs if finite else None

    def _memory(self) -> tuple[Array, int, Array, Array]:
        """Make room for the activations of all layers, and for the columns and values of a row's non-zeros."""
        memory, factors = (aligned_zeros(size, self._dtype) for size in (self._width, self._entries))
        return memory, self._widest, np.empty(self._entries, np.uint32), factors
