"""Outputs of rows by the shortest way through the kernels (floor 5; imports numpy, model, kernels, data)."""

from typing import Any

import numpy as np

from ...data.memory_map import is_mapped
from ...data.samples import Scaling, plain_dtypes
from ...kernels.predict import forward_rows
from ...kernels.runtime.records import Prediction
from ...kernels.sparse.microkernels import BLOCK
from ...model.architecture import Architecture, aligned_zeros
from ..base import Array
from .centring import split_centre
from .compression import plain
from .conversion import is_even
from .direct import DIRECT_ROWS, Direct
from .workspace import describe_layers

ALONE = 10
"""Up to so many rows go through the network one by one: together they take as long from then on, and longer before (six
networks measured; two rows of 784-128-128-10 5 and 11 µs, ten 16 and 22, fifteen 23 and 28).
"""

_SOME_BYTES = 2**20
"""Bytes of samples up to which it doesn't matter whether they lie in a file or are copied."""


class FewRows:
    """Outputs of dense rows without what `prepare` and `forward` do around a whole data set.

    A few go one by one, others as in `Direct`, and very many are left to the long way.

    Parameters
    ----------
    architecture : Architecture
    scaling : Scaling
    """

    def __init__(self, architecture: Architecture, scaling: Scaling) -> None:
        self._outputs, self._dtype = architecture.outputs, architecture.dtype
        self._features, self._dtypes = architecture.inputs, plain_dtypes(scaling, architecture.dtype)
        self._origin, scaling = split_centre(scaling, architecture.inputs)
        scale, shift, _ = scaling.vectors(architecture.inputs, architecture.dtype)
        self._widest = max(layer.stride for layer in architecture.layers)
        self._width = self._widest + sum(layer.stride for layer in architecture.layers)
        self._entries = max(architecture.inputs, self._widest) + BLOCK
        layers = describe_layers(architecture)
        scale = np.concatenate([scale, np.ones(self._widest, self._dtype)])
        self._given = Prediction(
            self._dtype,
            **{"layers": layers, "n_layers": len(layers), "activations": self._widest},
            **{"scale": scale, "shift": plain(shift), "has_shift": bool(shift.any())},
            readable=self._entries if is_even(scale[: architecture.inputs]) else 0,
        )
        self._memories: list[tuple[Any, Prediction]] = []
        self._direct = Direct(architecture, scaling)

    def __call__(self, parameters: Array, X: Array) -> Array | None:
        """Return the outputs of the rows of `X`; None if it is not a table of the dtypes that need no conversion,
        or has very many rows, or a number is not finite: what is wrong with it is found on the long way.
        """
        if type(X) is not np.ndarray or X.dtype not in self._dtypes:
            return None
        shape = X.shape
        if len(shape) != 2 or shape[1] != self._features or not 0 < shape[0] <= DIRECT_ROWS:
            return None
        if X.nbytes > _SOME_BYTES and (self._origin is not None or is_mapped(X)):
            return None  # a map has to be read part by part, or all of it would stay in memory; and copies cost some
        if self._origin is not None:
            X = (X - self._origin).astype(self._dtype)
        if shape[0] > ALONE:
            flags = X.flags
            return self._direct(parameters, X if flags.c_contiguous and flags.aligned else X.copy())
        outputs = np.empty((shape[0], self._outputs), self._dtype)
        # To Numba a read-only array is another type.
        rows = X if X.flags.carray and X.dtype == self._dtype else np.array(X, self._dtype, order="C")
        # Taken out while it is in use: another thread may be here too.
        memory = self._memories.pop() if self._memories else self._memory()
        parameters = parameters if parameters.flags.writeable else plain(parameters)
        finite = forward_rows(outputs, rows, parameters, memory[0])
        self._memories.append(memory)
        return outputs if finite else None

    def _memory(self) -> tuple[Any, Prediction]:
        """Make room for the activations of all layers, and for the columns and values of a row's non-zeros: a record of
        it, and before it what the kernel is given for that.
        """
        memory, factors = (aligned_zeros(size, self._dtype) for size in (self._width, self._entries))
        given = self._given.copy()
        given.enter(memory=memory, members=np.empty(self._entries, np.uint32), factors=factors)
        return given.handle[0], given
