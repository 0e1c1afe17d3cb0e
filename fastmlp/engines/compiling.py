"""What the compiled engines do while Numba compiles (floor 5; imports kernels)."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from ..kernels.runtime.jit import on_compile


@cache
def say_when_compiling() -> None:
    """Write a line to standard error before the first kernel of a process is compiled; further calls do nothing."""
    on_compile(_say_compiling)


@cache
def _say_compiling(kept: bool) -> None:
    once = "is done once" if kept else "is not kept: no folder for it could be written, set FASTMLP_CACHE_DIR to one"
    sys.stderr.write(f"fastmlp: compiling kernels for this machine; it takes some 7 s and {once}\n")


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Don't look for garbage: a compiler makes millions of objects, and looking at them takes a tenth of its time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
