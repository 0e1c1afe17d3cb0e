"""Find the IDX files of a data set in a folder (floor 3; imports numpy, errors).

MNIST and its relatives come in four files, whose names say what they hold. EMNIST puts the name of a part before them;
torchvision unpacks them to ``MNIST/raw``; some archives unpack each file to a folder of its name.
"""

import math
import os
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataFileError
from .idx import as_path, read_pair
from .mnist import Dataset

_NAME = re.compile(
    r"(?:(?P<set>.+)[-_.])?(?P<part>train|t10k|test)[-_.](?:images[-_.]idx3|labels[-_.]idx1)[-_.]ubyte(?:\.gz)?",
    re.IGNORECASE,
)
_CONTENTS = {
    ("train", "images"): "training images",
    ("train", "labels"): "training labels",
    ("t10k", "images"): "test images",
    ("t10k", "labels"): "test labels",
}
_DEEPEST = 3
_MOST_FOLDERS = 1000
_MOST_NEAR = 8


@dataclass(frozen=True)
class IdxFiles:
    """The four files of a data set.

    Attributes
    ----------
    folder : Path
    name : str
        What stands before ``train-images``: ``"emnist-digits"``; empty for most.
    files : dict
        ``("train", "images")`` and so on to the file.
    """

    folder: Path
    name: str
    files: dict[tuple[str, str], Path]

    @property
    def transposed(self) -> bool:
        """Whether images are stored column by column, as all of EMNIST's are."""
        return self.name.lower().startswith("emnist")

    def __str__(self) -> str:
        """Where the files are, and what is done to them."""
        return str(self.folder / self.name) + (" (EMNIST's images, turned upright)" if self.transposed else "")

    def load(self) -> Dataset:
        """Read them; see `load_idx_folder`."""
        (X_train, y_train), (X_test, y_test) = (
            self._rows(self.files[part, "images"], self.files[part, "labels"]) for part in ("train", "t10k")
        )
        if X_train.shape[1] != X_test.shape[1]:
            raise DataFileError(
                f"{self.folder}: training images have {X_train.shape[1]} pixels and test images {X_test.shape[1]}; "
                "put the four files of one data set into this folder"
            )
        return Dataset(X_train, y_train, X_test, y_test)

    def _rows(self, images: Path, labels: Path) -> tuple[NDArray[Any], NDArray[np.int64]]:
        X, y = read_pair(images, labels)
        if self.transposed and X.ndim == 3:
            X = X.swapaxes(1, 2)
        return X.reshape(len(X), math.prod(X.shape[1:])), y


def load_idx_folder(folder: str | os.PathLike[str]) -> Dataset:
    """Read a data set from the four IDX files that MNIST and its relatives come in.

    Parameters
    ----------
    folder : str or path-like
        Holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte``, each with or without ``.gz`` and with ``-`` or ``.`` before ``idx``; or such files
        with ``test`` for ``t10k`` or with a name before them, as ``emnist-digits-train-images-idx3-ubyte``. They may
        lie in folders inside, such as torchvision's ``MNIST/raw``. Where a file is there in several forms, the plain
        one is read. Of several data sets in one folder, name one: ``folder/emnist-digits``.

    Returns
    -------
    Dataset
        ``X_train`` and ``X_test`` of shape (n_samples, n_features) in the type of the files, ``y_train`` and
        ``y_test`` int64. EMNIST's images are stored column by column; they are turned, to stand as MNIST's do.

    Raises
    ------
    ArgumentTypeError
        If `folder` is not a path.
    DataFileError
        If the folder or a file is missing (the message names all that were looked for, and what has a similar name),
        there are several data sets, or `load_idx` fails.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for part in ("train", "t10k"):
    ...         pixels = bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 85, 170, 255])
    ...         _ = Path(folder, f"{part}-images-idx3-ubyte").write_bytes(pixels)
    ...         _ = Path(folder, f"{part}-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]))
    ...     load_idx_folder(folder)
    Dataset(1 training and 1 test samples of 4 uint8 features, 1 classes)
    """
    return find_idx(folder).load()


def find_idx(folder: str | os.PathLike[str]) -> IdxFiles:
    """Return the files of the one data set in a folder, or in those inside; errors as `load_idx_folder`."""
    folder, name, deepest = as_path("folder", folder), None, _DEEPEST
    if not folder.exists() and folder.parent.is_dir():
        folder, name, deepest = folder.parent, folder.name, 0  # one of several data sets
    if not folder.is_dir():
        problem = "not a folder" if folder.exists() else "no such folder"
        raise DataFileError(f"{folder}: {problem}; check the path: it must be the folder that holds the four IDX files")
    found = _all_in(folder, deepest)
    if name is not None:
        found = {place: files for place, files in found.items() if place[1].lower() == name.lower()}
        if not found:
            raise DataFileError(
                f"{folder / name}: no such folder; check the path: it must be the folder that holds the four IDX files"
            )
    whole = [IdxFiles(*place, files) for place, files in found.items() if len(files) == len(_CONTENTS)]
    nearest = min((len(one.folder.parts) for one in whole), default=0)
    candidates = [one for one in whole if len(one.folder.parts) == nearest]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        listed = ", ".join(str(one.folder / one.name) for one in candidates)
        raise DataFileError(f"{folder}: holds {len(candidates)} data sets; give one of {listed}")
    raise _missing(folder, found)


def _all_in(folder: Path, deepest: int) -> dict[tuple[Path, str], dict[tuple[str, str], Path]]:
    """Return all IDX files in a folder and those inside, by where they are and what stands before their names."""
    found: dict[tuple[Path, str], dict[tuple[str, str], Path]] = defaultdict(dict)
    for number, (place, inside, names) in enumerate(os.walk(folder)):
        depth = len(Path(place).parts) - len(folder.parts)
        inside[:] = [] if depth >= deepest or number >= _MOST_FOLDERS else sorted(inside)
        home = Path(place).parent if depth and _NAME.fullmatch(Path(place).name) else Path(place)
        for name in sorted(names, key=lambda name: (name.lower().endswith(".gz"), name)):  # the plain one first
            match = _NAME.fullmatch(name)
            if match:
                part = "train" if match["part"].lower() == "train" else "t10k"
                kind = "images" if "images" in name.lower() else "labels"
                found[home, match["set"] or ""].setdefault((part, kind), Path(place, name))
    return dict(found)


def _missing(folder: Path, found: dict[tuple[Path, str], dict[tuple[str, str], Path]]) -> DataFileError:
    """Make the error for a folder without a whole data set."""
    # The one to which the fewest files are missing is the one that was meant.
    (place, name), files = max(found.items(), key=lambda item: len(item[1]), default=((folder, ""), {}))
    missing = []
    for (part, kind), content in _CONTENTS.items():
        if (part, kind) not in files:
            stem = f"{name}-{part.replace('t10k', 'test')}-{kind}" if name else f"{part}-{kind}"
            form = "idx3-ubyte" if kind == "images" else "idx1-ubyte"
            names = [f"{stem}{dot}{form}{suffix}" for dot in "-." for suffix in ("", ".gz")]
            missing.append(f"{content} ({' or '.join(names)})")
    return DataFileError(
        f"{place}: no file for {'; '.join(missing)}; {_near(folder) if not files else ''}"
        "put the missing files into this folder"
    )


def _near(folder: Path) -> str:
    """Say what has a similar name, where there is something."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    near = [name for name in names if re.search(r"idx|ubyte|mnist|train|t10k|test|raw", name, re.I)]
    if not near:
        return ""
    more = f" and {len(near) - _MOST_NEAR} more" if len(near) > _MOST_NEAR else ""
    return f"it holds {', '.join(near[:_MOST_NEAR])}{more}; "
