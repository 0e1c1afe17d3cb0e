"""Where samples come from: the built-in MNIST, IDX files, and what is done to samples before training.

Floor 0: imports only numpy, the standard library and `fastmlp.errors`. Nothing here downloads or unpickles.
"""

from .idx import load_idx as load_idx
from .idx import load_idx_folder as load_idx_folder
from .idx import read_idx as read_idx
from .mnist import Dataset as Dataset
from .mnist import load_mnist as load_mnist
from .preparation import Split as Split
from .preparation import one_hot as one_hot
from .preparation import scale_pixels as scale_pixels
from .preparation import split as split
from .preparation import standardize as standardize
