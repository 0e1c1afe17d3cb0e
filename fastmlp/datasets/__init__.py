"""Where samples come from: the built-in MNIST, IDX and CSV files, and how rows are held out (floor 3).

Nothing here downloads or unpickles.
"""

from .csv_file import load_csv
from .idx import load_idx, read_idx
from .idx_folder import load_idx_folder
from .mnist import Dataset, load_mnist
from .sources import load_data

__all__ = ["Dataset", "load_csv", "load_data", "load_idx", "load_idx_folder", "load_mnist", "read_idx"]


def __dir__() -> list[str]:
    return sorted(__all__)
