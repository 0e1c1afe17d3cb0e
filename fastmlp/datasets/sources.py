"""A data set from wherever somebody has it: a folder of IDX or CSV files, or one CSV file (floor 3; imports errors,
placeholders).
"""

import os
from pathlib import Path

from ..errors import DataFileError
from ..placeholders import check_content
from .csv_file import NoLabelsError, load_csv
from .idx import as_path
from .idx_folder import find_idx
from .mnist import Dataset

_READ = "a folder with four IDX files like MNIST's, or a CSV file with a label and pixels in each row"
_KINDS = {
    b"\x00\x00": "an IDX file; give the folder that holds the four of them",
    b"PK": "an archive (.zip or .npz); unpack it, and give the folder or the CSV file inside",
}


def load_data(path: str | os.PathLike[str]) -> tuple[Dataset, str]:
    """Read a data set of images from a folder or a file.

    Parameters
    ----------
    path : str or path-like
        A folder as `load_idx_folder` takes it, or one with a CSV file whose name contains "train", and perhaps one with
        "test"; or a file as `load_csv` takes it, all of whose rows are training rows.

    Returns
    -------
    data : Dataset
        Without test rows where there is no file of them, or one without labels.
    origin : str
        Where it was found.

    Raises
    ------
    ArgumentTypeError
        If `path` is not a path.
    DataFileError
        As `load_idx_folder` and `load_csv`.
    """
    path = as_path("path", path)
    if path.is_dir():
        tables = _tables(path)
        if "train" in tables:
            return _of_tables(tables)
        files = find_idx(path)
        return files.load(), str(files)
    check_content(path)
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(2)
        if start in _KINDS:
            raise DataFileError(f"{path}: {_KINDS[start]}")
        return _of_tables({"train": path})
    if path.suffix.lower() in (".csv", ".gz"):
        raise DataFileError(f"{path}: no such file; expected {_READ}")
    files = find_idx(path)  # one of several data sets in a folder, or an error that says what is missing
    return files.load(), str(files)


def _tables(folder: Path) -> dict[str, Path]:
    """Return the CSV files of training and of test rows in a folder, where there are such."""
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        part = next((part for part in ("train", "test") if part in name), "")
        if not (part and name.endswith((".csv", ".csv.gz")) and path.is_file()):
            continue
        if part in found and path.name != f"{found[part].name}.gz":
            raise DataFileError(f"{folder}: {found[part].name} and {path.name} are both of {part} rows; give one file")
        found.setdefault(part, path)
    return found


def _of_tables(tables: dict[str, Path]) -> tuple[Dataset, str]:
    X, y = load_csv(tables["train"])
    if not len(X):
        raise DataFileError(f"{tables['train']}: no rows; expected {_READ}")
    X_test, y_test, origin = X[:0], y[:0], str(tables["train"])
    if "test" in tables:
        try:
            X_test, y_test = load_csv(tables["test"])
            origin += f" and {tables['test'].name}"
        except NoLabelsError:
            origin += f" ({tables['test'].name} has no labels)"
        if X_test.shape[1] != X.shape[1]:
            raise DataFileError(
                f"{tables['test']}: its images have {X_test.shape[1]} pixels, but those of {tables['train'].name} "
                f"{X.shape[1]}; give files that belong together"
            )
    return Dataset(X, y, X_test, y_test), origin
