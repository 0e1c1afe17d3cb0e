"""Errors that say what was wrong, what was expected and what to do (floor 0; imports hints)."""

from __future__ import annotations

import difflib
import re
import sys
import warnings
from collections.abc import Iterable

from . import hints

# Of the extras in pyproject.toml, those that the code itself may find missing.
_PURPOSES = {
    "cli": "its command line",
    "images": "image files",
    "onnx": "its .onnx files",
    "pandas": "tables as DataFrames",
    "plots": "its plots",
    "safetensors": "its .safetensors files",
    "sklearn": "its estimators",
    "web": "its page in the browser",
}


class FastMLPError(Exception):
    """The root of every error that fastmlp raises."""


class ArgumentError(FastMLPError, ValueError):
    """An argument has a value that cannot be used."""


class ArgumentTypeError(FastMLPError, TypeError):
    """An argument has the wrong type."""


class DataFileError(FastMLPError, ValueError):
    """A file is missing, damaged or of another kind; the message starts with its path."""


class FileWriteError(FastMLPError, OSError):
    """A file can't be written; the message starts with its path. An earlier file of that name is unchanged."""

    @classmethod
    def told(cls, path: object, error: OSError) -> FileWriteError:
        """Make the error from the system's own."""
        made = cls(
            f"{path}: cannot be written: {error.strerror or error}; a file that was there before is as it was. Free "
            "some space, or give a path that can be written"
        )
        made.errno = error.errno
        return made


class TrainingError(FastMLPError, RuntimeError):
    """Training cannot go on."""


class DivergenceError(TrainingError, ValueError):
    """Training diverged: numbers became infinite or NaN. Also a ValueError, which scikit-learn expects."""


class MissingDependencyError(FastMLPError, RuntimeError):
    """An optional package is not installed; the message gives the command that installs it."""


def unknown_name(kind: str, name: object, choices: Iterable[str]) -> ArgumentError:
    """Make the error for a name that is in no registry, with the nearest known name.

    Parameters
    ----------
    kind : str
        What the name stands for, as the user would say it: ``"activation"``.
    name : object
        What the user gave.
    choices : iterable of str
        The known names, in the order in which to list them.

    Returns
    -------
    ArgumentError
        For the caller to raise.

    Examples
    --------
    >>> print(unknown_name("activation", "rellu", ["relu", "sigmoid"]))
    unknown activation 'rellu'; did you mean 'relu'? Known: relu, sigmoid
    """
    known = list(choices)
    message = f"unknown {kind} {name!r}"
    if hint := hints.for_name(kind, name, known):
        message += f"; {hint}" if hint.endswith("?") else f"; {hint}."
    elif isinstance(name, str):
        # Compared in lower case, because "ReLU" is as likely a slip as "rellu".
        by_lower_case = {choice.lower(): choice for choice in known}
        nearest = difflib.get_close_matches(name.strip().lower(), by_lower_case, n=1)
        if nearest:
            message += f"; did you mean {by_lower_case[nearest[0]]!r}?"
        else:
            message += "."
    else:
        message += f": expected a name, not {type(name).__name__}."
    return ArgumentError(f"{message} Known: {', '.join(known) or 'none'}")


def unknown_argument(call: str, name: str, value: object, choices: Iterable[str]) -> ArgumentTypeError:
    """Make the error for an argument that a call doesn't take, with what to write instead.

    Parameters
    ----------
    call : str
        What was called: ``"Network.fit"``.
    name : str
        The argument.
    value : object
        What it was given.
    choices : iterable of str
        The arguments that there are.

    Returns
    -------
    ArgumentTypeError
        A TypeError, as Python's own; for the caller to raise.

    Examples
    --------
    >>> print(unknown_argument("SGD", "lr", 0.1, ["learning_rate", "momentum"]))
    SGD has no argument 'lr'; write learning_rate=0.1. Known: learning_rate, momentum
    """
    known = list(choices)
    hint = hints.for_argument(call, name, value, known)
    nearest = difflib.get_close_matches(name, known, n=1)
    ending = f"; {hint}." if hint else f"; did you mean {nearest[0]!r}?" if nearest else "."
    return ArgumentTypeError(f"{call} has no argument {name!r}{ending} Known: {', '.join(known)}")


def require(extra: str, package: str) -> MissingDependencyError:
    """Make the error for an optional package that is not installed.

    Parameters
    ----------
    extra : str
        The extra of fastmlp that brings the package: ``"cli"``.
    package : str
        The package that could not be imported.

    Returns
    -------
    MissingDependencyError
        For the caller to raise.

    Examples
    --------
    >>> print(require("cli", "rich"))  # doctest: +ELLIPSIS
    fastmlp needs rich for its command line: pip install ...
    """
    purpose = _PURPOSES.get(extra, f"its extra {extra!r}")
    # Packages by name, since that works wherever fastmlp came from: `fastmlp[cli]` takes an index that has it. Double
    # quotes, since Windows' own shell knows no others.
    packages = " ".join(f'"{requirement}"' for requirement in _requirements(extra) or [package])
    return MissingDependencyError(f"fastmlp needs {package} for {purpose}: pip install {packages}")


def _requirements(extra: str) -> list[str]:
    """Return the packages of an extra with their lower bounds, as they were installed; empty where nobody knows."""
    from importlib import metadata  # it takes longer to import than all of this file

    try:
        listed = metadata.requires("fastmlp") or []
    except metadata.PackageNotFoundError:  # run from a source tree that is not installed
        return []
    marked = (requirement.partition(";")[::2] for requirement in listed)
    return [name.strip() for name, marker in marked if re.search(rf"extra\s*==\s*['\"]{re.escape(extra)}['\"]", marker)]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called fastmlp, whatever lies between, scikit-learn's pipelines and searches too."""
    level, frame = 1, sys._getframe(0)
    while frame.f_back is not None and _is_library(str(frame.f_globals.get("__name__", ""))):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _is_library(module: str) -> bool:
    return module.partition(".")[0] in (__name__.partition(".")[0], "sklearn", "joblib")
