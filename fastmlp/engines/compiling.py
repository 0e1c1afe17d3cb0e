"""What the compiled engines do and say while Numba compiles (floor 5; imports kernels)."""

import os
import sys
from functools import cache

from ..kernels.runtime.jit import Compilation, on_compile

_WORDS = {
    "epoch.run": ("training and predictions of {like} networks", 7),
    "epoch.run_lanes": ("training of many small {like} networks at once", 8),
    "predict.forward_rows": ("predictions of a few rows by {parameters} networks", 1),
    "parting.part_rows": ("the conversion of dense to sparse rows of {values}", 1),
    "augmentation.augment": ("the augmentation of {like} images", 1),
    "epoch._train_epoch": ("training by plain loops", 5),
    "epoch._loss_and_gradient": ("gradients by plain loops", 3),
    "epoch._forward": ("predictions by plain loops", 2),
}
"""By entry what it is for, in terms of the dtypes of its arguments, and about how many seconds it takes to compile."""


def why_not_kept() -> str:
    """Return why compiled kernels are not kept on disk, where they aren't."""
    if os.environ.get("FASTMLP_CACHE") == "0":
        return "FASTMLP_CACHE is 0"
    return "no folder could be written, set FASTMLP_CACHE_DIR to one"


def tell(compilation: Compilation) -> None:
    """Say on standard error what is compiled, about how long it takes, and whether it will be there next time."""
    entry = compilation.entry.removesuffix("_parallel")
    what, seconds = _WORDS.get(entry, (entry, 1))
    what += ", on several threads," * (entry != compilation.entry)
    kept = "kept for later" if compilation.kept else f"not kept: {why_not_kept()}"
    named = what.format_map(compilation.dtypes)
    sys.stderr.write(f"fastmlp: compiling {named} for this machine (about {seconds} s, {kept})\n")


@cache
def say_when_compiling() -> None:
    """Have `tell` called before a kernel is compiled; further calls do nothing."""
    on_compile(tell)
