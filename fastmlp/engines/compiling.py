"""Tell a user that waits for the compiler (floor 5; imports kernels)."""

import sys
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
