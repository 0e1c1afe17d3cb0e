"""What is said while kernels are compiled, which somebody waits for (floor 5; imports kernels)."""

import sys

from ...kernels.runtime.jit import Compilation

_WORDS = {
    "epoch.run": ("training and predictions of {parameters} networks", 7),
    "predict.forward_rows": ("predictions of a few rows by {parameters} networks", 1),
    "parting.part_rows": ("the conversion of dense to sparse rows of {values}", 1),
    "augmentation.augment": ("the augmentation of {images} images", 1),
}
"""By entry what it is for, in terms of the dtypes of its arguments, and about how many seconds it takes to compile."""


def tell(compilation: Compilation) -> None:
    """Say on standard error what is compiled, about how long it takes, and whether it will be there next time."""
    what, seconds = _WORDS.get(compilation.entry, (compilation.entry, 1))
    kept = "kept for later" if compilation.kept else "not kept: no folder could be written, set FASTMLP_CACHE_DIR"
    named = what.format_map(compilation.dtypes)
    sys.stderr.write(f"fastmlp: compiling {named} for this machine (about {seconds} s, {kept})\n")
