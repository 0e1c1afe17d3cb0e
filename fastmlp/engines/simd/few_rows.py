"""Some dense rows by the shortest way through the kernels (floor 5; imports numpy, model, kernels, data)."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.memory_map import is_mapped
from ...data.samples import Scaling, plain_dtypes
from ...data.targets import Targets
from ...kernels.predict import forward_rows
from ...kernels.runtime.records import Prediction
from ...kernels.sparse.microkernels import BLOCK
from ...model.architecture import Architecture, aligned_zeros
from ...model.optimizers import Optimizer
from ...model.training_state import TrainingState
from ..base import Array, Score
from .centring import split_centre
from .compression import plain
from .conversion import is_even
from .direct import DIRECT_ROWS, Direct
from .direct_training import DirectTraining, is_sparse
from .workspace import describe_layers

ALONE = 10
"""Up to so many rows go through the network one by one: together they take as long from then on, and longer before (six
networks measured; two rows of 784-128-128-10 5 and 11 µs, ten 16 and 22, fifteen 23 and 28).
"""

_SOME_BYTES = 2**20
"""Bytes of samples up to which it doesn't matter whether they lie in a file or are copied."""


class FewRows:
    """Dense rows without what `prepare` and a pass do around a whole data set: see `engines.base.FewRows`.

    Of a few, outputs are computed one by one, of others as in `Direct`, which scores them too; gradients and epochs go
    as in `DirectTraining`, and very many rows are left to the long way.

    Parameters
    ----------
    architecture : Architecture
    scaling : Scaling
    """

    def __init__(self, architecture: Architecture, scaling: Scaling) -> None:
        self._architecture, self._outputs, self._dtype = architecture, architecture.outputs, architecture.dtype
        self._as_they_are, self._largest = scaling.changes_nothing, float(np.finfo(np.float32).max)
        self._wide = scaling.vectors(architecture.inputs, np.dtype(np.float64))
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
        self._direct, self._training = Direct(architecture, scaling), DirectTraining(architecture, scaling)

    def __call__(self, parameters: Array, X: Any) -> Array | None:
        """See `engines.base.FewRows`."""
        way, X = self._way(X)
        return None if way is None else way._outputs_of(parameters, X)

    def evaluate(self, parameters: Array, X: Any, targets: Targets, task: str) -> Score | None:
        """See `engines.base.FewRows`."""
        way, X = self._way(X)
        if way is None or len(X) != targets.n_rows:
            return None
        return way._direct.evaluate(parameters, X, targets, task)

    def can_train(self, n_rows: int) -> bool:
        """See `engines.base.FewRows`."""
        return self._training.can_train(n_rows)

    def loss_and_gradient(self, parameters: Array, X: Any, targets: Targets, task: str) -> tuple[float, Array] | None:
        """See `engines.base.FewRows`."""
        (way, rows), given = self._way(X), X
        if way is None or len(rows) != targets.n_rows or is_sparse(given):
            return None
        return way._training.loss_and_gradient(parameters, rows, targets, task)

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
        """See `engines.base.FewRows`."""
        (way, rows), given = self._way(X), X
        if way is None or len(rows) != targets.n_rows or is_sparse(given):
            return None
        return way._training.train_epoch(state, optimizer, rows, targets, task, order, batch_size, learning_rates)

    def _outputs_of(self, parameters: Array, X: Array) -> Array | None:
        if len(X) > ALONE:
            return self._direct(parameters, X)
        outputs = np.empty((len(X), self._outputs), self._dtype)
        # To Numba a read-only array is another type.
        rows = X if X.flags.writeable and X.dtype == self._dtype else np.array(X, self._dtype, order="C")
        # Taken out while it is in use: another thread may be here too.
        try:
            memory = self._memories.pop()
        except IndexError:
            memory = self._memory()
        parameters = parameters if parameters.flags.writeable else plain(parameters)
        finite = forward_rows(outputs, rows, parameters, memory[0])
        self._memories.append(memory)
        return outputs if finite else None

    def _way(self, X: Any) -> tuple["FewRows | None", Any]:
        """Return what takes `X`, and the rows that it takes: this one, which subtracts a far centre, or, of float64 for
        a network of float32, that of rows scaled here; None if `X` is not a table of dtypes for which that is possible,
        or has very many rows: what is wrong with it is found on the long way.
        """
        if type(X) is not np.ndarray:
            return None, X
        shape = X.shape
        if len(shape) != 2 or shape[1] != self._features or not 0 < shape[0] <= DIRECT_ROWS:
            return None, X
        if X.dtype not in self._dtypes:
            if X.dtype != np.float64 or X.nbytes > _SOME_BYTES or self._dtype not in self._dtypes:
                return None, X
            # What float32 can't hold is refused on the longer way, whatever the scaling would make of it.
            return (self._of_scaled, self._scaled(X)) if np.abs(X).max() <= self._largest else (None, X)
        if X.nbytes > _SOME_BYTES and (self._origin is not None or is_mapped(X)):
            return None, X  # a map has to be read part by part, or all of it would stay in memory; and copies cost some
        if self._origin is not None:
            if X.dtype != self._dtype:
                return None, X  # of bytes the longer way subtracts nothing
            X = (X - self._origin).astype(self._dtype)
        flags = X.flags
        return self, X if flags.c_contiguous and flags.aligned else X.copy()

    @cached_property
    def _of_scaled(self) -> "FewRows":
        return FewRows(self._architecture, Scaling())

    def _scaled(self, X: Array) -> Array:
        """Scale rows of float64 before they are rounded, as `Scaling.apply` does."""
        scale, shift, centre = self._wide
        # What overflows is infinite, and goes the longer way, where it is told.
        with np.errstate(over="ignore"):
            rows: Array = (X if self._as_they_are else (X - centre) * scale + shift).astype(self._dtype, order="C")
        return rows

    def _memory(self) -> tuple[Any, Prediction]:
        """Make room for the activations of all layers, and for the columns and values of a row's non-zeros: a record of
        it, and before it what the kernel is given for that.
        """
        memory, factors = (aligned_zeros(size, self._dtype) for size in (self._width, self._entries))
        given = self._given.copy()
        given.enter(memory=memory, members=np.empty(self._entries, np.uint32), factors=factors)
        return given.handle[0], given
