"""What readers of all formats but .npz share (floor 6; imports numpy, checks, errors, model).

They believe nothing that they have not checked, and whatever a damaged or hostile file provokes in a parser becomes a
`DataFileError` that starts with the file's path.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..checks import plain
from ..errors import ArgumentError, DataFileError
from ..model.architecture import Array
from .checkpoint import Checkpoint
from .npz import Reader, WrongContentError, describe

LARGEST_MULTIPLE = 128
"""Reading takes at most so many times the memory that the file takes on disk, and some kilobytes: Python's objects for
JSON take up to 35 times the text's, those of ONNX for empty tensors 85, small layers are padded to 16 numbers."""


@contextlib.contextmanager
def told_as_file_errors(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong with a file's content into a `DataFileError`."""
    try:
        yield
    except FileNotFoundError:
        raise DataFileError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except DataFileError:
        raise
    except (WrongContentError, ArgumentError) as error:
        raise DataFileError(f"{path}: {error}") from None
    except Exception as error:  # whatever a damaged or hostile file provokes in a parser
        raise DataFileError(f"{path}: damaged ({type(error).__name__}: {error})") from error


def describe_plainly(checkpoint: Checkpoint, training_state: bool) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return header and arrays as `npz.describe` does, with all labels in the header: other formats have no text.

    Raises
    ------
    ArgumentError
        Labels that JSON cannot hold, or weights that are not finite.
    """
    header, arrays = describe(checkpoint, training_state)
    classes = arrays.pop("classes", None)
    if classes is not None:
        if classes.dtype.kind not in "biufU":
            raise ArgumentError(
                f"labels of dtype {classes.dtype} can be saved as .npz only; save there, or train on text or numbers"
            )
        header["labels"] |= {"dtype": classes.dtype.str, "values": [plain(label) for label in classes]}
    return header, arrays


class PlainReader(Reader):
    """Reads what `describe_plainly` made.

    Parameters
    ----------
    header : dict
    find : callable
        Gives the array of a name, for a wanted shape and dtype or None; raises KeyError where there is none.
    file_size : int
    shortest_number : int, optional
    """

    def __init__(
        self,
        header: dict[str, Any],
        find: Callable[[str, tuple[int, ...] | None, np.dtype[Any] | None], Array],
        file_size: int,
        shortest_number: int | None = None,
    ) -> None:
        super().__init__(file_size, shortest_number)
        self._header, self._find = header, find

    def header(self) -> dict[str, Any]:
        """See `Reader.header`."""
        return self._header

    def array(self, name: str, shape: tuple[int, ...] | None = None, dtype: np.dtype[Any] | None = None) -> Array:
        """See `Reader.array`."""
        if name == "classes":
            return self._classes()
        try:
            array = self._find(name, shape, dtype)
        except KeyError:
            raise WrongContentError(f"the array {name} is missing; the file was cut off or changed") from None
        if shape is not None and array.shape != shape:
            raise WrongContentError(f"the array {name} has shape {array.shape}, but the header says {shape}")
        if array.dtype.kind not in "biuf" or (dtype is not None and array.dtype != dtype):
            raise WrongContentError(f"the array {name} has dtype {array.dtype}, expected {dtype or 'numbers'}")
        if not np.isfinite(array).all():
            raise WrongContentError(f"the array {name} holds infinite or NaN values")
        return array

    def _classes(self) -> Array:
        described = self._header["labels"]
        values, dtype = described["values"], str(described["dtype"])
        if not re.fullmatch(r"[<>|=][biufU]\d{1,9}", dtype):
            raise WrongContentError(f"labels have the unknown dtype {dtype!r}")
        if len(values) * np.dtype(dtype).itemsize > LARGEST_MULTIPLE // 8 * self.file_size:
            raise WrongContentError(f"labels of dtype {dtype!r} are longer than the file")
        return np.array(values, dtype=dtype)
