"""How kernels are compiled and cached; the one place that knows Numba's flags (floor 2; imports numba, numpy).

`kernel` marks a building block: it is compiled into whatever calls it. `entry` marks a function that the engine
calls: it is compiled once per machine and kept on disk. Numba stamps its cache with the file of the entry alone, so
that an edited callee elsewhere would go on running its old code; here the stamp covers every file of `kernels/`,
subfolders too. A cache that is broken, stale, full or unwritable is the same as none: the kernel is compiled anew.

Where the cache lies: ``$FASTMLP_CACHE_DIR``, else ``$NUMBA_CACHE_DIR``, else the user's cache folder, else none.
``FASTMLP_CACHE=0`` does without.
"""

import contextlib
import hashlib
import os
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple, TypeVar

import numba
import numpy as np
from numba.core.caching import CompileResultCacheImpl, FunctionCache, NullCache, _CacheLocator
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.serialize import dumps
from numba.core.typed_passes import NopythonTypeInference
from numba.core.types.functions import BaseFunction

F = TypeVar("F", bound=Callable[..., Any])

_FLAGS: dict[str, Any] = {
    # contract lets a * b + c become one fused multiply-add. Not reassoc: it would fold away the rounding steps by which
    # exp reduces its range. Not nnan and ninf: they delete tests for NaN and infinity.
    "fastmath": {"contract", "nsz"},
    "nogil": True,
    # Python's error for a division by zero is a branch that keeps a loop from being vectorised.
    "error_model": "numpy",
    # Kernels allocate nothing, so there is nothing to count references of; leaving that out compiles a tenth faster.
    "_nrt": False,
}

INTERPRETED = bool(numba.config.DISABLE_JIT)
"""Whether kernels run as the Python they are written in (``NUMBA_DISABLE_JIT=1``): very slow, to debug and to test."""

_CHECKED = "-boundscheck" if numba.config.BOUNDSCHECK else ""
"""Numba's key of cached code lacks what its environment adds to it."""

_UNUSED_DAYS = 30


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


class _LinkOnlyLibrary(JITCodeLibrary):
    """A compiled function that is kept as LLVM's intermediate code, neither optimised nor turned into machine code.

    Numba would do both for every function, and again wherever it is linked into. To do it once, in the entry, takes
    half the time; and a loop that is unrolled twice is slower than one that is unrolled once.
    """

    @property
    def codegen(self) -> Any:
        return _WithoutEnvironments(self._codegen)

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0  # there is no machine code


class _WithoutEnvironments:
    """A code generator that sets no function's environment: that is done in machine code."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, *_: Any) -> None:
        pass


@register_pass(mutates_CFG=False, analysis_only=False)
class _LinkOnly(FunctionPass):
    """Numba's lowering makes a library of its own for a function that has none: give it ours."""

    _name = "fastmlp_link_only"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        state.library = _LinkOnlyLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return True


_UNNEEDED = {
    "dead_branch_prune",
    "generic_rewrites",
    "inline_closure_likes",
    "inline_inlinables",
    "inline_overloads",
    "literal_unroll",
    "nopython_rewrites",
    "with_lifting",
}
"""Passes over Numba's own intermediate code that do nothing for kernels: they have no closures, array expressions,
``with`` blocks or `literal_unroll`. Each goes through all of it; without them compiling takes a twelfth less."""


class _KernelCompiler(CompilerBase):
    """Numba's own compiler with that pass, and without the unneeded ones."""

    unneeded = frozenset(_UNNEEDED)

    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_LinkOnly, NopythonTypeInference)
        passes.passes = [(step, name) for step, name in passes.passes if step._name not in self.unneeded]
        passes.finalize()
        return [passes]


class _LoopCompiler(_KernelCompiler):
    """The same for functions that call a `view`."""

    unneeded = _KernelCompiler.unneeded - {"inline_inlinables"}


@contextmanager
def remembering_calls() -> Iterator[None]:
    """Remember which implementation Numba takes for a call, instead of looking for it at every call.

    Numba asks every implementation that has ever been registered for a function, one after the other and in two forms
    each, whether it takes these types: for the ``+`` of two integers those of sets, strings and arrays too. The answer
    depends on the function and the types alone, and kernels ask the same few questions thousands of times: a third of
    the time that compiling took.

    To be used only while Numba's lock on the compiler is held. What other code in the process compiles is not touched.
    """
    find = BaseFunction.get_call_type
    # Beside the answer the function itself, which so keeps its identity.
    known: dict[tuple[int, tuple[Any, ...]], tuple[Any, Any]] = {}

    def get_call_type(self: Any, context: Any, args: tuple[Any, ...], kws: Any) -> Any:
        if kws:
            return find(self, context, args, kws)
        question = id(self), args
        if question not in known:
            known[question] = find(self, context, args, kws), self
        return known[question][0]

    BaseFunction.get_call_type = get_call_type
    try:
        yield
    finally:
        BaseFunction.get_call_type = find


def kernel(function: F) -> F:
    """Compile a building block: inlined into its callers or not as LLVM sees fit, and cached with them."""
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=_KernelCompiler, **_FLAGS)(
        function
    )


def entry(function: F) -> F:
    """Compile a function that Python calls, and cache its machine code."""
    return _cached(_quickly_compiled(numba.njit(no_cfunc_wrapper=True, **_FLAGS)(function)))


def view(function: F) -> F:
    """Have a function that returns a view of an array written out wherever a `loop` calls it.

    Kernels can't return arrays, since nobody counts references there.
    """
    return numba.njit(inline="always", **_FLAGS)(function)


def loop(function: F) -> F:
    """Compile a building block as `kernel` does, which may call a `view`."""
    return numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, pipeline_class=_LoopCompiler, **_FLAGS)(function)


def parallel_entry(function: F) -> F:
    """Compile a function that Python calls, whose `prange` loops Numba's parallel runtime divides among threads.

    The same function may be an `entry` too: this one has a name of its own in the cache.
    """
    own = FunctionType(function.__code__, function.__globals__, f"{function.__name__}_parallel")
    own.__module__, own.__qualname__, own.__doc__ = function.__module__, own.__name__, function.__doc__
    return _cached(numba.njit(no_cfunc_wrapper=True, parallel=True, **_FLAGS)(own))


def _quickly_compiled(dispatcher: Any) -> Any:
    """Have an entry, and all kernels that go into it, compiled with `remembering_calls`."""
    if numba.config.DISABLE_JIT:
        return dispatcher
    with suppress(AttributeError):  # a Numba that compiles otherwise: slower rather than not at all
        compiler, compile_ = dispatcher._compiler, dispatcher._compiler.compile

        def compile_remembering(args: Any, return_type: Any) -> Any:
            with remembering_calls():
                return compile_(args, return_type)

        compiler.compile = compile_remembering
    return dispatcher


def _cached(dispatcher: Any) -> Any:
    if INTERPRETED:
        return np.errstate(all="ignore")(dispatcher)  # machine code does not tell of overflows either
    try:
        dispatcher._cache = _NoCache(dispatcher.py_func) if cache_folder() is None else _KernelCache(dispatcher.py_func)
    except Exception:  # a Numba whose caching works otherwise: compile anew rather than fail
        pass
    return dispatcher


@cache
def source_stamp() -> str:
    """Hash of every source file of `kernels/` and its subfolders: with Numba and the processor, what machine code
    depends on.
    """
    digest = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept, a folder that can be written; None if there is no such place."""
    if os.environ.get("FASTMLP_CACHE") == "0":
        return None
    for base in _candidates():
        folder = base / f"kernels-{source_stamp()}{_CHECKED}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            _remove_unused(folder)
            return folder
        except OSError:
            continue
    return None


def _remove_unused(used: Path) -> None:
    """Delete what other versions of the kernels left and nobody has used for a month."""
    with contextlib.suppress(OSError):  # another process may be deleting them too
        os.utime(used)
        for folder in used.parent.glob("kernels-*"):
            if time.time() - folder.stat().st_mtime > _UNUSED_DAYS * 86400:
                shutil.rmtree(folder, ignore_errors=True)


def _candidates() -> list[Path]:
    for variable in ("FASTMLP_CACHE_DIR", "NUMBA_CACHE_DIR"):
        if os.environ.get(variable):
            return [Path(os.environ[variable]) / "fastmlp"]
    if sys.platform == "win32":
        return [Path(os.environ.get("LOCALAPPDATA", Path.home())) / "fastmlp"]
    try:
        home = Path.home()
    except RuntimeError:
        return []
    if sys.platform == "darwin":
        return [home / "Library" / "Caches" / "fastmlp"]
    return [Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "fastmlp"]


def _tell_compiling(function: Callable[..., Any], sig: Any, kept: bool) -> None:
    names = function.__code__.co_varnames
    dtypes = {name: str(kind.dtype) for name, kind in zip(names, sig, strict=False) if hasattr(kind, "dtype")}
    compilation = Compilation(f"{function.__module__.rpartition('.')[2]}.{function.__name__}", dtypes, kept)
    for listener in _compile_listeners:
        listener(compilation)


class _NoCache(NullCache):
    """Keeps nothing, but tells when something is compiled."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def load_overload(self, sig: Any, target_context: Any) -> None:
        _tell_compiling(self._function, sig, kept=False)


class _FolderLocator(_CacheLocator):
    """Tells Numba where our cache lies and what it depends on."""

    def __init__(self, py_func: Any, py_file: str) -> None:
        self._py_file = py_file
        self._name = f"{py_func.__module__}.{py_func.__qualname__}"

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return source_stamp()

    def get_disambiguator(self) -> str:
        return hashlib.sha256(self._name.encode()).hexdigest()[:10]

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> "_FolderLocator":
        return cls(py_func, py_file)


class _KernelCacheImpl(CompileResultCacheImpl):
    """Stores machine code with its hash: one wrong bit in it would crash."""

    _locator_classes = [_FolderLocator]  # noqa: RUF012  (Numba's own form)

    def reduce(self, compiled: Any) -> tuple[bytes, bytes]:
        code = dumps(super().reduce(compiled))
        return hashlib.sha256(code).digest(), code

    def rebuild(self, target_context: Any, stored: tuple[bytes, bytes]) -> Any:
        digest, code = stored
        if hashlib.sha256(code).digest() != digest:
            raise ValueError("damaged cache")
        return super().rebuild(target_context, pickle.loads(code))


class _KernelCache(FunctionCache):
    """Numba's cache of a function, with every failure turned into a miss."""

    _impl_class = _KernelCacheImpl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            loaded = super().load_overload(sig, target_context)
        except Exception:  # a damaged file raises whatever unpickling its bytes raises
            loaded = None
            with suppress(Exception):
                self.flush()  # nothing can be added to a damaged index
        if loaded is not None and tuple(loaded.signature.args) != tuple(sig):  # two processes wrote at once
            loaded = None
        if loaded is None:
            _tell_compiling(self._py_func, sig, kept=True)
        return loaded

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception:  # a full disk, a folder gone: the compiled code in memory is good all the same
            pass
