"""Files that hold several networks, whose outputs are averaged (floor 6; imports numpy, atomic_write, errors).

An ``.npz`` is an archive as `npz` has it: ``header`` lists the headers of the networks, and the arrays of network 0
are ``net0_W0``, ``net0_b0``, ... An ``.onnx`` and a ``.c`` hold one model, which averages.
"""

import json
import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import __version__
from ..atomic_write import write_bytes, write_whole
from ..errors import DataFileError
from . import c_file, check_path, check_target, npz, onnx_writing
from .checkpoint import Checkpoint

SUFFIXES = (".npz", ".onnx", ".c")
"""Of the formats that hold ensembles; the first can be read again."""


def save_ensemble(path: str | os.PathLike[str], checkpoints: Sequence[Checkpoint], training_state: bool) -> None:
    """Write networks to one file, whole or not at all.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The suffix is none of `SUFFIXES`, the folder does not exist, or weights are not finite.
    MissingDependencyError
        The format needs a package that is not installed.
    FileWriteError
        The file can't be written. One that was there before is as it was.
    """
    checked = check_target(path, SUFFIXES, [checkpoint.architecture for checkpoint in checkpoints])
    suffix = checked.suffix.lower()
    if suffix == ".npz":
        _save_npz(checked, checkpoints, training_state)
    elif suffix == ".onnx":
        write_bytes(checked, onnx_writing.ensemble_model(checkpoints).SerializeToString(deterministic=True))
    else:
        write_bytes(checked, c_file.ensemble_source(checkpoints).encode("ascii"))


def _save_npz(path: Path, checkpoints: Sequence[Checkpoint], training_state: bool) -> None:
    headers, arrays = [], dict[str, Any]()
    for number, checkpoint in enumerate(checkpoints):
        header, own = npz.describe(checkpoint, training_state)
        headers.append(header)
        arrays |= {npz.member_prefix(number) + name: array for name, array in own.items()}
    versions = {"fastmlp": __version__, "numpy": np.__version__, "python": platform.python_version()}
    described = {"magic": npz.ENSEMBLE, "format": npz.FORMAT, "versions": versions, "networks": headers}
    text = np.frombuffer(json.dumps(described, allow_nan=False).encode(), dtype=np.uint8)
    write_whole(path, lambda file: np.savez(file, allow_pickle=False, header=text, **arrays))


def load_ensemble(path: str | os.PathLike[str]) -> list[Checkpoint]:
    """Read the networks of an ``.npz`` that `save_ensemble` wrote.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Another suffix.
    DataFileError
        The file is missing, damaged, of a newer version, or holds no ensemble.
    """
    checked = check_path(path, SUFFIXES[:1])
    found = npz.read_archive(checked, _read)
    if not found:
        raise DataFileError(f"{checked}: an ensemble without networks")
    return found


def _read(archive: npz.ArchiveReader) -> list[Checkpoint]:
    described = archive.first_header()
    if not isinstance(described, dict) or described.get("magic") not in (npz.ENSEMBLE, npz.MAGIC):
        raise npz.WrongContentError("an .npz archive, but not one of fastmlp")
    if described["magic"] == npz.MAGIC:
        raise npz.WrongContentError("it holds one network, no ensemble; read it with fastmlp.load(path)")
    if not isinstance(described.get("format"), int) or described["format"] > npz.FORMAT:
        raise npz.WrongContentError(
            f"written in format {described.get('format')!r} by a newer fastmlp ({described.get('versions')}); this one "
            f"reads formats up to {npz.FORMAT}: upgrade fastmlp, from where it was installed"
        )
    return archive.checkpoints(described["networks"])
