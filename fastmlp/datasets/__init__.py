"""Where samples come from: the built-in MNIST and IDX files, and how rows are split (floor 3).

Nothing here downloads or unpickles.
"""

from .idx import load_idx as load_idx
from .idx import load_idx_folder as load_idx_folder
from .idx import read_idx as read_idx
from .mnist import Dataset as Dataset
from .mnist import load_mnist as load_mnist
from .split import Split as Split
from .split import split as split
