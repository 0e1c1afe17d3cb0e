"""Images as comma-separated values: a row an image, its label and its pixels (floor 3; imports numpy, errors,
placeholders).

Kaggle and others give MNIST so: ``label,pixel0,...,pixel783`` in the first line, or no such line and the label first.
"""

import gzip
import itertools
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataFileError
from ..placeholders import check_content
from .idx import LARGEST_MULTIPLE, LARGEST_UNPACKED, as_path

LABEL_NAMES = ("label", "labels", "class", "target", "digit", "y")
"""What the column of the labels may be called, in letters of either case."""

_ROWS_AT_A_TIME = 2048
_LONGEST_LINE = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


class NoLabelsError(DataFileError):
    """A table of images has no column of labels, as Kaggle's test.csv."""


def load_csv(path: str | os.PathLike[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    r"""Read images and their labels from a file of comma-separated values.

    Parameters
    ----------
    path : str or path-like
        Text, gzipped or plain. A row an image: its label, and its pixels as whole numbers from 0 to 255. Where the
        first line names the columns, that of the labels may stand anywhere; see `LABEL_NAMES`. Where it doesn't, the
        label is the first, and the pixels are those of a square image. Semicolons or tabs may stand for commas.

    Returns
    -------
    X : ndarray of uint8, shape (n_samples, n_pixels)
    y : ndarray of int64, shape (n_samples,)

    Raises
    ------
    ArgumentTypeError
        If `path` is not a path.
    DataFileError
        If there is no such file, it is not such a table, a number is no pixel (the message gives the line), or gzipped
        data would grow beyond all measure.

    Examples
    --------
    A seven and a one, of 2 x 2 pixels:

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "train.csv")
    ...     _ = path.write_text("label,p0,p1,p2,p3\n7,0,85,170,255\n1,0,255,0,255\n")
    ...     load_csv(path)
    (array([[  0,  85, 170, 255],
           [  0, 255,   0, 255]], dtype=uint8), array([7, 1]))
    """
    path = as_path("path", path)
    check_content(path)
    if path.exists() and not path.is_file():
        raise DataFileError(f"{path}: not a regular file; give a CSV file on disk")
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] != _GZIP_MAGIC:
                return _read(path, file)
            with gzip.GzipFile(fileobj=file) as stream:
                return _read(path, stream, max(LARGEST_UNPACKED, LARGEST_MULTIPLE * path.stat().st_size))
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: no such file; check the path") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataFileError(f"{path}: its gzip data are cut off or damaged ({error}); get the file again") from error
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read ({error.strerror or error})") from error


def _read(
    path: Path, stream: IO[bytes] | gzip.GzipFile, largest: int | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    lines = _lines(path, stream)
    first = next(lines, None)
    if first is None:
        raise DataFileError(f"{path}: an empty file; expected a row an image: its label, then its pixels")
    separator = max(",;\t", key=first[1].count)
    cells = [cell.strip().strip('"').strip() for cell in first[1].lstrip("\ufeff").split(separator)]
    named = not all(map(_is_number, cells))
    column = _label_column(path, cells, named)
    if not named:
        lines = itertools.chain([(first[0], first[1].lstrip("\ufeff"))], lines)
    tables, rows = [np.empty((0, len(cells)), np.uint8)], 0
    while block := list(itertools.islice(lines, _ROWS_AT_A_TIME)):
        rows += len(block)
        if largest is not None and 3 * rows * len(cells) > largest:  # the blocks, the table, and the table in parts
            raise DataFileError(
                f"{path}: grows beyond {largest:,} bytes, of which a gzipped file so small can hardly hold anything; "
                "if you trust it, unpack it with gunzip and read that"
            )
        tables.append(_table(path, block, separator, len(cells)))
    table = np.concatenate(tables)
    return np.delete(table, column, axis=1), table[:, column].astype(np.int64)


def _lines(path: Path, stream: IO[bytes] | gzip.GzipFile) -> Iterator[tuple[int, str]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    number = 0
    while line := stream.readline(_LONGEST_LINE):
        number += 1
        if len(line) == _LONGEST_LINE:
            raise DataFileError(f"{path}: line {number} is longer than {_LONGEST_LINE:,} bytes; this is no CSV file")
        text = line.decode("utf-8", "replace").strip("\r\n")
        if text.strip():
            yield number, text


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _label_column(path: Path, cells: list[str], named: bool) -> int:
    """Return which column holds the labels."""
    expected = "expected a row an image: its label, then its pixels, such as those of 28 by 28 for MNIST's 785 columns"
    if len(cells) < 2:
        raise DataFileError(f"{path}: only one column; {expected}")
    if named:
        found = [number for number, cell in enumerate(cells) if cell.lower() in LABEL_NAMES]
        if len(found) == 1:
            return found[0]
        some = ", ".join(map(repr, cells[:3])) + (", ..." if len(cells) > 3 else "")
        raise (DataFileError if found else NoLabelsError)(
            f"{path}: {'several columns are' if found else 'no column is'} named "
            f"{', '.join(LABEL_NAMES[:-1])} or {LABEL_NAMES[-1]} of its {len(cells)} ({some}); {expected}; read other "
            "tables with NumPy or pandas, and train on them with Network.fit"
        )
    if math.isqrt(len(cells) - 1) ** 2 != len(cells) - 1:
        raise DataFileError(
            f"{path}: {len(cells)} columns without names, so {len(cells) - 1} pixels after the label, which are no "
            f"square image; {expected}"
        )
    return 0


def _table(path: Path, block: list[tuple[int, str]], separator: str, width: int) -> NDArray[np.uint8]:
    """Return lines as numbers."""
    try:
        table = _parsed([text for _, text in block], separator)
        if table.shape == (len(block), width):
            return table
    except ValueError:
        pass
    for number, text in block:  # which line is it?
        count = len(text.split(separator))
        if count != width:
            raise DataFileError(f"{path}: line {number} has {count} columns, but the first line has {width}")
        try:
            _parsed([text], separator)
        except ValueError:
            raise DataFileError(
                f"{path}: line {number} holds something else than whole numbers from 0 to 255, as labels and pixels "
                "are; read other tables with NumPy or pandas, and train on them with Network.fit"
            ) from None
    raise DataFileError(f"{path}: lines {block[0][0]} to {block[-1][0]} are no table of numbers")


def _parsed(lines: list[str], separator: str) -> NDArray[np.uint8]:
    options: dict[str, Any] = {"delimiter": separator, "comments": None, "quotechar": '"', "ndmin": 2}
    try:
        return np.loadtxt(lines, dtype=np.uint8, **options)
    except ValueError:  # whole numbers may have a decimal point
        floats = np.loadtxt(lines, dtype=np.float64, **options)
    if not ((floats >= 0) & (floats <= 255) & (floats == np.floor(floats))).all():
        raise ValueError
    return floats.astype(np.uint8)
