"""How kernels are compiled and cached; the one place that knows Numba's flags (floor 2; imports numba, numpy).

`kernel` marks a building block: it is compiled into whatever calls it. `entry` marks a function that the engine
calls: it is compiled once per machine and kept on disk. Numba stamps its cache with the file of the entry alone, so
that an edited callee elsewhere would go on running its old code; here the stamp covers every file of `kernels/`,
subfolders too.

Three files beside this one make that faster or safer with names that Numba does not document: `linking`, `remembering`
and `caching`. The next Numba may have other names, so each can be missing, and this file does the same with what is
documented: that compiles in more time, to code that is as fast.
"""

import gc
import importlib
from collections.abc import Callable
from contextlib import ExitStack, suppress
from types import FunctionType
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
from numba.core import event  # documented, wherever it lies

from .cache_folder import cache_folder as cache_folder

F = TypeVar("F", bound=Callable[..., Any])

_FLAGS: dict[str, Any] = {
    # contract lets a * b + c become one fused multiply-add. Not reassoc: it would fold away the rounding steps by which
    # exp reduces its range. Not nnan and ninf: they delete tests for NaN and infinity.
    "fastmath": {"contract", "nsz"},
    "nogil": True,
    # Python's error for a division by zero is a branch that keeps a loop from being vectorised.
    "error_model": "numpy",
}
with suppress(AttributeError):  # an option that is not documented, and that Numba refuses only while it compiles
    numba.njit(lambda: None).targetdescr.options._nrt  # noqa: B018
    # Kernels allocate nothing, so there is nothing to count references of; leaving that out compiles a tenth faster.
    _FLAGS["_nrt"] = False

INTERPRETED = bool(numba.config.DISABLE_JIT)
"""Whether kernels run as the Python they are written in (``NUMBA_DISABLE_JIT=1``): very slow, to debug and to test."""


def _optional(name: str) -> Any:
    """Import a file of this folder; None where Numba lacks a name that it builds on."""
    try:
        return importlib.import_module(f".{name}", __package__)
    except Exception:
        return None


_linking, _remembering, _caching = map(_optional, ("linking", "remembering", "caching"))


class Compilation(NamedTuple):
    """An entry that is about to be compiled.

    Attributes
    ----------
    entry : str
        File and function: ``"epoch.run"``.
    dtypes : dict
        By argument the dtype of those that are arrays.
    kept : bool
        Whether the result can be kept on disk.
    """

    entry: str
    dtypes: dict[str, str]
    kept: bool


_compile_listeners: list[Callable[[Compilation], None]] = []


def on_compile(listener: Callable[[Compilation], None]) -> None:
    """Have `listener` called before an entry is compiled."""
    _compile_listeners.append(listener)


class _Listener(event.Listener):
    """Hears when Numba begins and ends to compile an entry, all kernels that go into it included."""

    def __init__(self) -> None:
        self.kept: dict[Any, bool] = {}
        self._until_the_end = ExitStack()

    def on_start(self, compiling: Any) -> None:
        dispatcher = compiling.data["dispatcher"]
        if dispatcher in self.kept:
            _tell(dispatcher.py_func, compiling.data["args"], self.kept[dispatcher])
            if gc.isenabled():  # collecting takes a twelfth of a compile, and finds 70 MB
                gc.disable()
                self._until_the_end.callback(gc.enable)
            if _remembering:
                self._until_the_end.enter_context(_remembering.remembering_calls())

    def on_end(self, compiling: Any) -> None:
        if compiling.data["dispatcher"] in self.kept:
            self._until_the_end.close()


_listener = _Listener()
event.register("numba:compile", _listener)


def _tell(function: Callable[..., Any], types: Any, kept: bool) -> None:
    names = function.__code__.co_varnames
    dtypes = {name: str(kind.dtype) for name, kind in zip(names, types, strict=False) if hasattr(kind, "dtype")}
    compilation = Compilation(f"{function.__module__.rpartition('.')[2]}.{function.__name__}", dtypes, kept)
    for listener in _compile_listeners:
        listener(compilation)


def _block(function: F, compiler: str) -> F:
    own = {"pipeline_class": getattr(_linking, compiler)} if _linking else {}
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **own, **_FLAGS)(function)


def kernel(function: F) -> F:
    """Compile a building block: inlined into its callers or not as LLVM sees fit, and cached with them."""
    return _block(function, "KernelCompiler")


def loop(function: F) -> F:
    """Compile a building block as `kernel` does, which may call a `view`."""
    return _block(function, "LoopCompiler")


def view(function: F) -> F:
    """Have a function that returns a view of an array written out wherever a `loop` calls it.

    Kernels can't return arrays, since nobody counts references there.
    """
    return numba.njit(inline="always", **_FLAGS)(function)


def entry(function: F) -> F:
    """Compile a function that Python calls, and cache its machine code."""
    return _entry(function)


def parallel_entry(function: F) -> F:
    """Compile a function that Python calls, whose `prange` loops Numba's parallel runtime divides among threads.

    The same function may be an `entry` too: this one has a name of its own in the cache.
    """
    own = FunctionType(function.__code__, function.__globals__, f"{function.__name__}_parallel")
    own.__module__, own.__qualname__, own.__doc__ = function.__module__, own.__name__, function.__doc__
    return _entry(own, parallel=True)


def _entry(function: F, **options: bool) -> F:
    options |= {"no_cfunc_wrapper": True, **_FLAGS}
    dispatcher = numba.njit(**options)(function)
    if INTERPRETED:
        return np.errstate(all="ignore")(dispatcher)  # machine code does not tell of overflows either
    kept = cache_folder() is not None
    if kept and not (_caching and _caching.keep(dispatcher)):
        dispatcher, kept = _kept_by_numba(function, dispatcher, options)
    _listener.kept[dispatcher] = kept
    return dispatcher


def _kept_by_numba(function: Any, dispatcher: Any, options: dict[str, bool]) -> tuple[Any, bool]:
    """Have Numba keep the code, in our folder: its own would not know of edited callees."""
    before = numba.config.CACHE_DIR
    try:
        numba.config.CACHE_DIR = str(cache_folder())
        return numba.njit(cache=True, **options)(function), True
    except Exception:  # no file to be stamped with, or no folder that can be written
        return dispatcher, False
    finally:
        numba.config.CACHE_DIR = before
