"""The engines, by name (floor 5; imports errors, model, kernels)."""

import importlib
import importlib.util
import warnings
from functools import cache
from typing import cast

from ..errors import ArgumentError, MissingDependencyError, unknown_name
from ..model.architecture import Architecture
from ..model.own import own_functions
from . import numpy_engine
from .base import Engine, Score, n_batches

__all__ = ["ENGINES", "Engine", "Score", "engine_for", "get_engine", "n_batches"]

ENGINES = ("auto", "numba", "loops", "numpy")
"""What `get_engine` takes."""

_MODULES = {"numba": ".simd.engine", "loops": ".loops_engine"}
"""Those that need Numba."""


def get_engine(name: str = "auto") -> Engine:
    """Return the engine of this name.

    Parameters
    ----------
    name : {"auto", "numba", "loops", "numpy"}, default "auto"
        ``"numba"`` is the SIMD engine, the fastest; ``"loops"`` is compiled by Numba too, from plain loops that can be
        read; ``"numpy"`` is the specification. ``"auto"`` takes ``"numba"`` where Numba imports, else ``"numpy"``, and
        warns when Numba is installed but broken, or compiles what is wrong. With ``NUMBA_DISABLE_JIT=1`` it takes
        ``"numpy"`` too, which is the faster one then.

    Returns
    -------
    Engine

    Raises
    ------
    ArgumentError
        The name is unknown; the message offers the nearest one.
    MissingDependencyError
        ``"numba"`` or ``"loops"`` was asked for, and Numba cannot be imported. The first use of ``"numba"`` raises it
        too, where this Numba's code computes other numbers than NumPy.

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
    if name in _MODULES:
        return _compiled(name)
    raise unknown_name("engine", name, ENGINES)


def engine_for(name: str, architecture: Architecture) -> Engine:
    """Return the engine of this name for a network: `get_engine`, but for functions of a user's own.

    Raises
    ------
    ArgumentError, MissingDependencyError
        As `get_engine`; or a compiled engine was asked for, and the network has functions that it doesn't.
    """
    own = own_functions(architecture) if isinstance(name, str) else []
    if own and name == "numba":
        raise ArgumentError(
            f"engine='numba' can't run {' and '.join(own)} of your own: its formulas are compiled in; use "
            "engine='auto' or 'numpy', which run your NumPy functions, more slowly"
        )
    if own and name == "loops" and (without := own_functions(architecture, without_scalar=True)):
        raise ArgumentError(
            f"engine='loops' can't run {' and '.join(without)} of your own, for it takes functions of one number; "
            "register them with scalar=..., or use engine='auto' or 'numpy'"
        )
    return get_engine("numpy" if own and name == "auto" else name)


@cache
def _automatic() -> Engine:
    if importlib.util.find_spec("numba") is None:
        return cast(Engine, numpy_engine)
    try:
        engine = _compiled("numba", or_numpy=True)
    except MissingDependencyError as error:
        message = f"{error}. Until then networks run on the NumPy engine, which is slower"
        warnings.warn(message, RuntimeWarning, stacklevel=3)
        return cast(Engine, numpy_engine)
    from ..kernels.runtime.jit import INTERPRETED  # beside Numba only

    return cast(Engine, numpy_engine) if INTERPRETED else engine


@cache
def _compiled(name: str, or_numpy: bool = False) -> Engine:
    try:
        engine = cast(Engine, importlib.import_module(_MODULES[name], __name__))
        if name != "numba":
            return engine
        from .unproven import proven  # beside Numba only

        return proven(engine, or_numpy)
    except Exception as error:  # a broken LLVM or an unfit NumPy shows as ImportError, OSError, SystemError, ...
        raise MissingDependencyError(
            f"engine={name!r} needs Numba, which cannot be imported ({type(error).__name__}: {error}); "
            "install it with: pip install --upgrade numba"
        ) from error
