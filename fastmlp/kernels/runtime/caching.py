"""The cache of compiled kernels, by names that Numba does not document (floor 2; imports numba).

A cache that is broken, stale, full or unwritable is the same as none: the kernel is compiled anew. Where this file
can't be imported, `jit` has Numba keep the code in the same folder.
"""

import hashlib
import pickle
from contextlib import suppress
from typing import Any

from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.serialize import dumps

from .cache_folder import cache_folder, source_stamp


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
        return loaded

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)
        except Exception:  # a full disk, a folder gone: the compiled code in memory is good all the same
            pass


def keep(dispatcher: Any) -> bool:
    """Have what a dispatcher compiles kept; False where this Numba does that otherwise."""
    try:
        dispatcher._cache.load_overload  # noqa: B018  (to set what nobody reads would keep nothing)
        dispatcher._cache = _KernelCache(dispatcher.py_func)
    except Exception:
        return False
    return True
