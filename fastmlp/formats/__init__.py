"""Files that hold networks, by suffix (floor 6; imports errors, model, placeholders)."""

import importlib.util
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from ..errors import ArgumentError, ArgumentTypeError, DataFileError, require
from ..model.architecture import Architecture
from ..model.own import own_activations
from ..placeholders import check_content
from . import c_file, html_file, json_file, npz, onnx_reading, onnx_writing, safetensors_file
from .checkpoint import Checkpoint

__all__ = [
    "FORMATS",
    "PREDICTING_ONLY",
    "WRITABLE",
    "Checkpoint",
    "check_path",
    "load_checkpoint",
    "save_checkpoint",
]


def __dir__() -> list[str]:
    return sorted(__all__)


FORMATS: dict[str, tuple[Callable[..., None], Callable[[Path], Checkpoint]]] = {
    ".npz": (npz.save, npz.load),
    ".json": (json_file.save, json_file.load),
    ".safetensors": (safetensors_file.save, safetensors_file.load),
    ".onnx": (onnx_writing.save, onnx_reading.load),
}
"""Suffix to the functions that write and read."""

WRITABLE: dict[str, Callable[..., None]] = {suffix: write for suffix, (write, _) in FORMATS.items()} | {
    ".c": c_file.save,
    ".html": html_file.save,
}
"""Suffix to the function that writes; what others run but nobody trains is never read again."""

PREDICTING_ONLY = (".onnx", ".c", ".html")
"""Suffixes of formats that hold what it takes to predict, and nothing of what training remembers."""

_NEEDED = {".safetensors": "safetensors", ".onnx": "onnx"}
"""Packages that formats need, each with an extra of the same name."""

_THEIRS: dict[tuple[str, ...], str] = {
    (".h5", ".hdf5", ".keras"): (
        "it is Keras' to read: fastmlp.from_keras(keras.saving.load_model(path)) makes a network of its model"
    ),
    (".pt", ".pth", ".pth.tar", ".ckpt"): (
        "it is PyTorch's to read: fastmlp.from_torch(module) makes a network of a module that has its weights, after "
        "module.load_state_dict(torch.load(path, weights_only=True))"
    ),
    (".pkl", ".pickle", ".joblib", ".skops"): (
        "fastmlp reads no pickles, which can run any code: if you trust it, read it with joblib or pickle, and "
        "fastmlp.from_sklearn(estimator) makes a network of an MLPClassifier or MLPRegressor"
    ),
    (".onnx.data",): "it holds the weights of a model in ONNX; give the .onnx file beside it",
}
"""How to get a network out of files of other libraries, by suffix."""


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
    MissingDependencyError
        The format needs a package that is not installed.
    FileWriteError
        The file can't be written. One that was there before is as it was.
    """
    checked = check_target(path, WRITABLE, [checkpoint.architecture])
    WRITABLE[checked.suffix.lower()](checked, checkpoint, **options)


def check_target(path: str | os.PathLike[str], suffixes: Iterable[str], architectures: Sequence[Architecture]) -> Path:
    """Return a path that networks can be written to; the errors are those of `save_checkpoint`."""
    checked = check_path(path, suffixes)
    if not os.path.isdir(checked.parent):
        raise ArgumentError(f"path: the folder {str(checked.parent)!r} does not exist; make it first")
    own = sorted({name for architecture in architectures for name in own_activations(architecture)})
    if own and checked.suffix.lower() in PREDICTING_ONLY:
        raise ArgumentError(
            f"path: {checked.suffix.lower()} files can't hold {' and '.join(own)} of your own, which only your NumPy "
            "function computes; save the network as .npz, .safetensors or .json, or use a built-in activation"
        )
    return checked


def load_checkpoint(path: str | os.PathLike[str]) -> Checkpoint:
    """Read a checkpoint in the format that the suffix of `path` names.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The suffix is not of a known format.
    MissingDependencyError
        The format needs a package that is not installed.
    DataFileError
        The file isn't there, or is not what it should be.
    """
    _check_readable(path)
    checked = check_path(path)
    check_content(checked)
    if checked.exists() and not (checked.is_file() or checked.is_dir()):  # of a pipe or a device there may be no end
        raise DataFileError(f"{checked}: not a regular file; give a file on disk")
    if checked.is_file() and not checked.stat().st_size:
        raise DataFileError(f"{checked}: an empty file; writing or copying it failed")
    return FORMATS[checked.suffix.lower()][1](checked)


def _check_readable(path: str | os.PathLike[str]) -> None:
    """Say how to get a network out of a file of another library, without reading it.

    Raises
    ------
    ArgumentError
    """
    name = os.fspath(path) if isinstance(path, str | os.PathLike) else ""
    hint = next((hint for suffixes, hint in _THEIRS.items() if str(name).lower().endswith(suffixes)), None)
    if hint is None and name and Path(os.fsdecode(name), "model.npz").is_file():
        hint = f"the model in this folder is {Path(os.fsdecode(name), 'model.npz')}"
    if hint is not None:
        raise ArgumentError(f"path must end in a supported suffix ({', '.join(FORMATS)}), got {str(path)!r}; {hint}")


def check_path(path: str | os.PathLike[str], suffixes: Iterable[str] = FORMATS, name: str = "path") -> Path:
    """Return a path whose suffix names a format that can be used here.

    Parameters
    ----------
    path : str or path
    suffixes : iterable of str, default `FORMATS`
        Those that are supported.
    name : str, default "path"
        Of the argument, for error messages.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An unknown suffix, or no path at all.
    MissingDependencyError
        The format needs a package that is not installed.
    """
    if not isinstance(path, str | os.PathLike):
        raise ArgumentTypeError(f"{name} must be a string or a path, got {path!r}")
    if "\0" in os.fsdecode(path):
        raise ArgumentError(f"{name} holds a zero byte, which no file's name can; got {str(path)!r}")
    checked = Path(path)
    suffix = checked.suffix.lower()
    if suffix not in suffixes:
        raise ArgumentError(f"{name} must end in a supported suffix ({', '.join(suffixes)}), got {str(path)!r}")
    if suffix in _NEEDED and importlib.util.find_spec(_NEEDED[suffix]) is None:
        raise require(_NEEDED[suffix], _NEEDED[suffix])
    return checked
