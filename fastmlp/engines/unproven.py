"""The compiled engine, compared with NumPy before a Numba is trusted (floor 5; imports llvmlite, numba, numpy, errors,
model, kernels, data).

Kernels go far below what Numba documents, and no release of it is too new to be installed. So the first thing that a
Numba compiles into a cache folder computes a small network; if the numbers are those of NumPy, an empty file beside the
compiled code says so from then on, and `proven` looks at nothing else. Without such a folder every process does it.

The kernels are compiled for the network that is to be trained or asked, and compared in the same call, which takes some
thousandths of a second: to compile others for this alone would take seconds.
"""

import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import llvmlite
import llvmlite.binding
import numba
import numpy as np

from ..data.dataset import Dataset
from ..data.samples import Samples, Scaling
from ..data.sparse import SparseRows
from ..data.targets import Targets
from ..errors import MissingDependencyError
from ..kernels.runtime.cache_folder import cache_folder
from ..kernels.runtime.jit import INTERPRETED
from ..model.architecture import Architecture
from ..model.optimizers import SGD
from ..model.training_state import TrainingState
from . import numpy_engine
from .base import Array, Engine, FewRows, Score
from .simd.few_rows import ALONE

_NUMPY = cast(Engine, numpy_engine)
_INPUTS, _ROWS, _LABELS = 40, 7, 3


def proven(engine: Engine, or_numpy: bool) -> Engine:
    """Return the engine if this Numba has compiled it right before, else one that finds that out.

    Parameters
    ----------
    engine : Engine
    or_numpy : bool
        Whether networks are to run on NumPy, with a warning, if its numbers are wrong; else that is an error.
    """
    marker = _marker()
    if INTERPRETED or (marker is not None and marker.exists()):
        return engine
    return cast(Engine, Unproven(engine, or_numpy))


def _marker() -> Path | None:
    """Return the file that says that this Numba's code is right on this processor."""
    folder = cache_folder()
    versions = f"numba-{numba.__version__}-llvmlite-{llvmlite.__version__}"
    return folder and folder / f"right-{versions}-{llvmlite.binding.get_host_cpu_name()}"


class Unproven:
    """An engine whose code is compared with NumPy when it is first used.

    What has it compiled is `load`, `prepare` and what `few_rows` returns; all else comes after one of them.

    Parameters
    ----------
    engine, or_numpy
        As in `proven`.
    """

    def __init__(self, engine: Engine, or_numpy: bool) -> None:
        self._engine, self._or_numpy = engine, or_numpy
        self._right: set[Callable[..., Array]] = set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def load(self, architecture: Architecture) -> None:
        """See `Engine.load`."""
        self._compare(_train, architecture)
        self._engine.load(architecture)

    def prepare(self, architecture: Architecture, *arguments: Any, **options: Any) -> Any:
        """See `Engine.prepare`."""
        self._compare(_train, architecture)
        return self._engine.prepare(architecture, *arguments, **options)

    def few_rows(self, architecture: Architecture, scaling: Scaling) -> FewRows | None:
        """See `Engine.few_rows`."""
        few = self._engine.few_rows(architecture, scaling)
        return None if few is None else _UnprovenFewRows(self, few, architecture)

    def is_right(self, compute: Callable[[Engine, Architecture], Array], given: Architecture) -> bool:
        """Compare, if that was not done; return whether the engine may be used."""
        self._compare(compute, given)
        return self._engine is not _NUMPY

    def _compare(self, compute: Callable[[Engine, Architecture], Array], given: Architecture) -> None:
        """Compare with NumPy what the engine computes for a small network of the same dtype, if that was not done."""
        if self._engine is _NUMPY or compute in self._right:
            return
        wrong = _difference(self._engine, compute, given.dtype)
        if wrong:
            self._refuse(wrong)
        else:
            self._right |= {compute, _answer}
            marker = _marker()
            if compute is _train and marker is not None:
                with suppress(OSError):
                    marker.touch()

    def _refuse(self, wrong: str) -> None:
        message = (
            f"Numba {numba.__version__} with llvmlite {llvmlite.__version__} does not compile fastmlp's kernels right "
            f"on this machine: {wrong}. Install an older one with: pip install 'numba<{numba.__version__}', and please "
            "report these versions to fastmlp"
        )
        if not self._or_numpy:
            raise MissingDependencyError(f"engine='numba' can't be used. {message}; engine='numpy' can")
        warnings.warn(f"{message}. Until then networks run on the NumPy engine, which is slower", RuntimeWarning, 5)
        self._engine = _NUMPY


class _UnprovenFewRows:
    """What `FewRows` says, of such an engine; where it turns out to be wrong everything has to go the long way."""

    def __init__(self, engine: Unproven, few: FewRows, architecture: Architecture) -> None:
        self._engine, self._few, self._architecture = engine, few, architecture

    def __call__(self, parameters: Array, X: Any) -> Array | None:
        if type(X) is not np.ndarray or X.ndim != 2:
            return None  # nor would the engine take it, and nothing is to be compiled
        compute = _answer if len(X) <= ALONE else _train
        return self._few(parameters, X) if self._engine.is_right(compute, self._architecture) else None

    def evaluate(self, *given: Any) -> Score | None:
        return self._few.evaluate(*given) if self._is_right() else None

    def loss_and_gradient(self, *given: Any) -> tuple[float, Array] | None:
        return self._few.loss_and_gradient(*given) if self._is_right() else None

    def can_train(self, n_rows: int) -> bool:
        return self._few.can_train(n_rows)

    def train_epoch(self, *given: Any) -> Score | None:
        return self._few.train_epoch(*given) if self._is_right() else None

    def _is_right(self) -> bool:
        return self._engine.is_right(_train, self._architecture)


def _difference(engine: Engine, compute: Callable[[Engine, Architecture], Array], dtype: np.dtype[Any]) -> str:
    """Say in what the engine's numbers are not those of NumPy; nothing if they are."""
    architecture = Architecture.build([_INPUTS, 24, _LABELS], dtype=dtype.name)
    try:
        computed, right = compute(engine, architecture), compute(_NUMPY, architecture)
    except Exception as error:  # Numba has errors of many types for code that it doesn't understand
        return f"{type(error).__name__}: {error}"
    tolerance = float(np.sqrt(np.finfo(dtype).eps))
    if np.allclose(computed, right, rtol=tolerance, atol=tolerance):
        return ""
    return f"a small network's numbers differ by up to {np.abs(computed - right).max():.2g} from those of NumPy"


def _train(engine: Engine, architecture: Architecture) -> Array:
    """Train on dense and on sparse rows; return the parameters, and outputs."""
    state, x, numbers = _small(architecture)
    x[:, ::2] = 0
    columns = np.tile(np.arange(1, _INPUTS, 2), _ROWS)
    sparse = SparseRows(np.arange(_ROWS + 1) * (_INPUTS // 2), columns, x[:, 1::2].reshape(-1))
    for samples in (Samples(_ROWS, _INPUTS, x + 1, None), Samples(_ROWS, _INPUTS, None, sparse)):
        data = Dataset.of(architecture, samples, Targets((numbers % _LABELS).astype(np.int32), None))
        prepared = engine.prepare(architecture, data, 1)
        engine.train_epoch(architecture, state, SGD(), prepared, numbers, 4, np.full(2, 0.1))
    return np.concatenate([state.parameters, engine.forward(architecture, state.parameters, prepared).reshape(-1)])


def _answer(engine: Engine, architecture: Architecture) -> Array:
    """Return the outputs of a few rows."""
    state, x, _ = _small(architecture)
    few = engine.few_rows(architecture, Scaling())
    if few is None:
        data = Dataset.of(architecture, Samples(_ROWS, _INPUTS, x, None))
        return engine.forward(architecture, state.parameters, engine.prepare(architecture, data, 1, once=True))
    return cast(Array, few(state.parameters, x))


def _small(architecture: Architecture) -> tuple[TrainingState, Array, Array]:
    """Make parameters, samples and their numbers."""
    generator = np.random.default_rng(0)
    state = TrainingState(architecture.zeros(), generator, 0)
    for weights, _ in architecture.views(state.parameters):
        weights[...] = generator.normal(0, 0.3, weights.shape)
    x = generator.normal(size=(_ROWS, _INPUTS)).astype(architecture.dtype)
    return state, x, np.arange(_ROWS)
