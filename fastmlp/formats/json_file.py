"""Networks as JSON, to be read by people (floor 6; imports numpy, atomic_write, model).

The file holds what an ``.npz`` holds: the header, and ``arrays`` with ``W0``, ``b0``, ``W1``, ..., a row of weights a
line. Numbers are the shortest that give the same bits again. It is some five times as long as an ``.npz``. Files of
Nielsen's book are read, too.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_write import write_bytes
from ..model.architecture import Array
from . import nielsen
from .checkpoint import Checkpoint
from .npz import WrongContentError, check_header
from .plain_arrays import shape_of_lists, told
from .reading import PlainReader, describe_plainly, told_as_file_errors

_SHORTEST_NUMBER = 2
"""Characters that a number takes at least, with its comma."""


def save(path: Path, checkpoint: Checkpoint, training_state: bool = True) -> None:
    """Write a checkpoint, whole or not at all; parameters and errors are those of `npz.save`."""
    header, arrays = describe_plainly(checkpoint, training_state)
    head = json.dumps(header, indent=2, allow_nan=False, ensure_ascii=False).removesuffix("\n}")
    parts = ",\n".join(f"    {json.dumps(name)}: {_text(array)}" for name, array in arrays.items())
    write_bytes(path, f'{head},\n  "arrays": {{\n{parts}\n  }}\n}}\n'.encode())


def load(path: Path) -> Checkpoint:
    """Read a checkpoint, in at most `reading.LARGEST_MULTIPLE` times the memory that the file takes on disk.

    Raises
    ------
    DataFileError
        The file is missing, not such a file, written by a newer version, truncated or damaged.
    """
    with told_as_file_errors(path):
        text = path.read_bytes()
        try:
            content = json.loads(text.decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise WrongContentError(f"not JSON, or a file that was cut off or damaged ({error})") from error
        if nielsen.is_nielsens(content):
            return nielsen.checkpoint(content)
        if isinstance(content, dict) and "magic" not in content:
            shapes = {str(name): shape_of_lists(value) for name, value in content.items()}
            if any(shapes.values()):
                raise WrongContentError(f"JSON with {told(shapes)}")
        header = check_header(content, "JSON")
        held = header.get("arrays")
        if not isinstance(held, dict):
            raise WrongContentError("its arrays are missing; the file was cut off or changed")

        def find(name: str, shape: tuple[int, ...] | None, dtype: np.dtype[Any] | None) -> Array:
            array = np.array(held[name], dtype=np.float64)
            with np.errstate(over="ignore"):  # what overflows is not finite, and refused
                return array.astype(array.dtype if dtype is None else dtype)

        return PlainReader(header, find, len(text), _SHORTEST_NUMBER).checkpoint()


def _text(array: Array) -> str:
    if array.ndim < 2:
        return _row(array)
    rows = ",\n      ".join(map(_row, array))
    return f"[\n      {rows}\n    ]"


def _row(array: Array) -> str:
    if array.ndim == 0:
        return _number(array[()])
    return f"[{', '.join(map(_number, array))}]"


def _number(value: Any) -> str:
    # NumPy's own text of a float32 is the shortest. Readers go through float64, which hardly ever ends at another one.
    short = json.dumps(float(str(value)))
    return short if type(value)(float(short)) == value else json.dumps(float(value))
