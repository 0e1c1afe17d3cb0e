"""Where samples come from: the built-in MNIST, IDX and CSV files, and how rows are held out (floor 3).

Nothing here downloads or unpickles.
"""

from .csv_file import load_csv as load_csv
from .idx import load_idx as load_idx
from .idx import read_idx as read_idx
from .idx_folder import load_idx_folder as load_idx_folder
from .mnist import Dataset as Dataset
from .mnist import load_mnist as load_mnist
from .sources import load_data as load_data
