"""Where samples come from: the built-in MNIST and IDX files, and how rows are split (floor 3).

Nothing here downloads or unpickles.
"""

from .idx import load_idx, load_idx_folder, read_idx
from .mnist import Dataset, load_mnist
from .split import Split, split

__all__ = ["Dataset", "Split", "load_idx", "load_idx_folder", "load_mnist", "read_idx", "split"]


def __dir__() -> list[str]:
    return sorted(__all__)
