"""Files that hold networks, by suffix (floor 3; imports the standard library, numpy and floors 0 to 3)."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, ArgumentTypeError
from . import npz
from .checkpoint import Checkpoint

__all__ = ["FORMATS", "Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMATS: dict[str, tuple[Callable[..., None], Callable[[Path], Checkpoint]]] = {".npz": (npz.save, npz.load)}
"""Suffix to the functions that write and read."""


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint, **options: Any) -> None:
    """Write a checkpoint in the format that the suffix of `path` names.

    Parameters
    ----------
    path : str or path
    checkpoint : Checkpoint
    **options
        Of the format.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The suffix is not of a known format, or the folder does not exist.
    FileWriteError
        The file can't be written. One that was there before is as it was.
    """
    checked = _checked(path)
    if not checked.parent.is_dir():
        raise ArgumentError(f"path: the folder {str(checked.parent)!r} does not exist; make it first")
    FORMATS[checked.suffix.lower()][0](checked, checkpoint, **options)


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint in the format that the suffix of `path` names.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The suffix is not of a known format.
    DataFileError
        The file isn't there, or is not what it should be.
    """
    checked = _checked(path)
    return FORMATS[checked.suffix.lower()][1](checked)


def _checked(path: str | os.PathLike[str]) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise ArgumentTypeError(f"path must be a string or a path, got {path!r}")
    checked = Path(path)
    if checked.suffix.lower() not in FORMATS:
        raise ArgumentError(f"path must end in a supported suffix ({', '.join(FORMATS)}), got {str(path)!r}")
    return checked
