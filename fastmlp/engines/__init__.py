"""The engines, by name (floor 5; imports errors, kernels)."""

import importlib
import importlib.util
import warnings
from functools import cache
from typing import cast

from ..errors import MissingDependencyError, unknown_name
from . import numpy_engine
from .base import Engine, Score, n_batches

__all__ = ["ENGINES", "Engine", "Score", "get_engine", "n_batches"]

ENGINES = ("auto", "numba", "numpy")
"""What `get_engine` takes."""


def get_engine(name: str = "auto") -> Engine:
    """Return the engine of this name.

    Parameters
    ----------
    name : {"auto", "numba", "numpy"}, default "auto"
        ``"numba"`` is the compiled engine, ``"numpy"`` the reference. ``"auto"`` takes the compiled one where Numba
        imports, else the reference, and warns when Numba is installed but broken. With ``NUMBA_DISABLE_JIT=1`` it
        takes the reference too, which is the faster one then.

    Returns
    -------
    Engine

    Raises
    ------
    ArgumentError
        The name is unknown; the message offers the nearest one.
    MissingDependencyError
        ``"numba"`` was asked for, and it cannot be imported.

    Examples
    --------
    >>> get_engine("numpy").name
    'numpy'
    """
    if not isinstance(name, str):
        raise unknown_name("engine", name, ENGINES)
    if name == "numpy":
        return cast(Engine, numpy_engine)
    if name == "auto":
        return _automatic()
    if name == "numba":
        return _compiled()
    raise unknown_name("engine", name, ENGINES)


@cache
def _automatic() -> Engine:
    if importlib.util.find_spec("numba") is None:
        return cast(Engine, numpy_engine)
    try:
        engine = _compiled()
    except MissingDependencyError as error:
        message = f"{error}. Until then networks run on the NumPy engine, which is slower"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
        return cast(Engine, numpy_engine)
    from ..kernels.runtime.jit import INTERPRETED  # beside Numba only

    return cast(Engine, numpy_engine) if INTERPRETED else engine


@cache
def _compiled() -> Engine:
    try:
        return cast(Engine, importlib.import_module(".simd.engine", __name__))
    except Exception as error:  # a broken LLVM or an unfit NumPy shows as ImportError, OSError, SystemError, ...
        raise MissingDependencyError(
            f"engine='numba' needs Numba, which cannot be imported ({type(error).__name__}: {error}); "
            "install it with: pip install --upgrade numba"
        ) from error
