"""Networks as safetensors (floor 6; imports numpy, safetensors, atomic_write, model).

The tensors are those of an ``.npz``: ``W0``, ``b0``, ``W1``, ...; the metadata ``fastmlp`` hold its header, as JSON.
"""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_write import write_bytes
from ..model.architecture import Array
from .checkpoint import Checkpoint
from .npz import WrongContentError, check_header
from .plain_arrays import MOST_NAMES, told
from .reading import PlainReader, describe_plainly, told_as_file_errors

_KEY = "fastmlp"


def save(path: Path, checkpoint: Checkpoint, training_state: bool = True) -> None:
    """Write a checkpoint, whole or not at all; parameters and errors are those of `npz.save`."""
    from safetensors.numpy import save as as_bytes

    header, arrays = describe_plainly(checkpoint, training_state)
    tensors = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    write_bytes(path, as_bytes(tensors, metadata={_KEY: json.dumps(header, allow_nan=False)}))


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, in at most `reading.LARGEST_MULTIPLE` times the memory that the file takes on disk.

    Raises
    ------
    DataFileError
        The file is missing, not such a file, written by a newer version, truncated or damaged.
    """
    from safetensors import SafetensorError, safe_open

    with told_as_file_errors(path):
        size = path.stat().st_size
        try:
            opened = safe_open(path, framework="numpy")
        except SafetensorError as error:
            raise WrongContentError(f"not safetensors, or a file that was cut off or damaged ({error})") from error
        with opened as file:
            names = set(file.keys())
            text = (file.metadata() or {}).get(_KEY)
            if text is None:
                some = itertools.islice(file.keys(), MOST_NAMES)
                raise WrongContentError(told({name: tuple(file.get_slice(name).get_shape()) for name in some}))
            header = check_header(json.loads(text), "safetensors")

            def find(name: str, shape: tuple[int, ...] | None, dtype: np.dtype[Any] | None) -> Array:
                if name not in names:
                    raise KeyError(name)
                # The library has held shapes against the length of the file: no tensor is longer than that.
                return np.asarray(file.get_tensor(name))

            return PlainReader(header, find, size).checkpoint()
