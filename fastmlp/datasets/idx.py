"""Read IDX files, the format in which MNIST and its relatives are published (floor 3; imports numpy, errors,
placeholders).

An IDX file is two zero bytes, a byte for the element type, a byte for the number of dimensions, each dimension as a
big-endian 32-bit integer, then the elements, big-endian, the last dimension fastest. Files come gzipped or plain.

A header can claim any size, so memory is only ever taken for bytes that have arrived, and a gzipped file may not grow
to more than a multiple of its own size.
"""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import ArgumentTypeError, DataFileError
from fastmlp.placeholders import check_content

_ELEMENT_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 20
LARGEST_MULTIPLE = 128
"""An array takes at most so many times the memory that its file takes on disk, or `LARGEST_UNPACKED`."""

LARGEST_UNPACKED = 64 << 20
"""Bytes that reading any gzipped file may take."""

# NumPy 1 holds 32 dimensions and NumPy 2 holds 64.
_MOST_DIMENSIONS = 32
_COPIES = 2.25  # a buffer that grows by an eighth at a time, and a copy in native byte order
_UNPACK = "if you trust it, unpack it with gunzip and read that"


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    r"""Read one IDX file, gzipped or plain, whatever its name.

    Parameters
    ----------
    path : str or path-like
        The file. Its first bytes say whether it is gzipped.

    Returns
    -------
    ndarray
        Of the shape that the file states and its element type in native byte order: uint8, int8, int16, int32,
        float32 or float64. Writable.

    Raises
    ------
    ArgumentTypeError
        If `path` is not a path.
    DataFileError
        If there is no such file, it is not an IDX file, it holds fewer or more bytes than its header states, its
        compressed data are damaged, or they would grow to more than `LARGEST_MULTIPLE` times their size.

    Notes
    -----
    Format: Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", section
    "File formats". Reading stops one byte after the size that the header states. A gzipped file that states more than
    28 MB, and more than 56 times what it takes on disk, is refused before it is read; unpacked with gunzip, at your
    leave, it is read.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "numbers")
    ...     _ = path.write_bytes(b"\x00\x00\x0b\x01" + b"\x00\x00\x00\x02" + b"\x00\x01\x01\x00")
    ...     read_idx(path)
    array([  1, 256], dtype=int16)
    """
    path = as_path("path", path)
    check_content(path)
    if path.is_dir():
        raise DataFileError(f"{path}: a folder, not a file; give one IDX file here, or the folder to load_idx_folder")
    if path.exists() and not path.is_file():
        raise DataFileError(f"{path}: not a regular file; give an IDX file on disk")
    try:
        with path.open("rb") as file:
            if file.peek(2)[:2] == _GZIP_MAGIC:
                largest = max(LARGEST_UNPACKED, LARGEST_MULTIPLE * path.stat().st_size)
                with gzip.GzipFile(fileobj=file) as stream:
                    return _read_array(path, stream, largest)
            return _read_array(path, file)
    except FileNotFoundError as error:
        raise DataFileError(f"{path}: no such file; check the path") from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataFileError(f"{path}: its gzip data are cut off or damaged ({error}); get the file again") from error
    except OSError as error:
        raise DataFileError(
            f"{path}: cannot be read ({error.strerror or error}); check the file and its permissions"
        ) from error


def load_idx(images: str | os.PathLike[str], labels: str | os.PathLike[str]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Read samples and their labels from two IDX files.

    Parameters
    ----------
    images : str or path-like
        An IDX file of two or more dimensions, the first over samples.
    labels : str or path-like
        An IDX file of one dimension and an integer type.

    Returns
    -------
    X : ndarray of shape (n_samples, n_features)
        Samples as rows, in the type of the file: uint8 for images.
    y : ndarray of shape (n_samples,), int64
        Labels.

    Raises
    ------
    ArgumentTypeError
        If `images` or `labels` is not a path.
    DataFileError
        If a file cannot be read as IDX (see `read_idx`), does not have such dimensions, or the two differ in length.

    Examples
    --------
    One image of 2 x 2 pixels, a seven:

    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     images, labels = Path(folder, "images"), Path(folder, "labels")
    ...     _ = images.write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 85, 170, 255]))
    ...     _ = labels.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 7]))
    ...     load_idx(images, labels)
    (array([[  0,  85, 170, 255]], dtype=uint8), array([7]))
    """
    X, y = read_pair(as_path("images", images), as_path("labels", labels))
    return X.reshape(len(X), math.prod(X.shape[1:])), y


def read_pair(images: Path, labels: Path) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Read samples in the shape that they have in their file, and their labels; errors are those of `load_idx`."""
    X, y = read_idx(images), read_idx(labels)
    if X.ndim < 2:
        hint = "images and labels are given in the wrong order" if y.ndim > 1 else "give the file of the images"
        raise DataFileError(f"{images}: images must have two or more dimensions, not the shape {X.shape}; {hint}")
    if y.ndim != 1 or y.dtype.kind not in "iu":
        raise DataFileError(
            f"{labels}: labels must be integers in one dimension, not {y.dtype} of shape {y.shape}; "
            "read other targets with read_idx"
        )
    if len(X) != len(y):
        raise DataFileError(
            f"{labels}: {len(y)} labels, but {images} has {len(X)} images; give two files that belong together"
        )
    if 8 * len(y) > max(LARGEST_UNPACKED, LARGEST_MULTIPLE * labels.stat().st_size):
        raise DataFileError(f"{labels}: {len(y):,} labels are too many for a file so small; {_UNPACK}")
    return X, y.astype(np.int64)


def _read_array(path: Path, stream: IO[bytes] | gzip.GzipFile, largest: int | None = None) -> NDArray[Any]:
    """Read the header, then as many bytes as it states and no more, in at most `largest` bytes of memory."""
    dtype, shape = _read_header(path, stream)
    n_bytes = math.prod(shape) * dtype.itemsize
    if largest is not None and _COPIES * n_bytes > largest:
        raise DataFileError(
            f"{path}: its header states {n_bytes:,} bytes of data, of which a gzipped file so small can hardly hold "
            f"anything; {_UNPACK}"
        )
    data = bytearray()
    while len(data) < n_bytes:
        chunk = stream.read(min(_CHUNK, n_bytes - len(data)))
        if not chunk:
            raise DataFileError(
                f"{path}: cut off; its header states {n_bytes} bytes of data (shape {shape}) but it holds {len(data)}; "
                "get the file again"
            )
        data += chunk
    # At the end of a gzip stream this read also checks its CRC.
    if stream.read(1):
        raise DataFileError(
            f"{path}: more data than the {n_bytes} bytes that its header states (shape {shape}); get the file again"
        )
    try:
        array = np.frombuffer(data, dtype).reshape(shape)
    except ValueError as error:
        # Only an empty array gets here, with other dimensions too large to multiply.
        raise DataFileError(f"{path}: its header states the impossible shape {shape}; get the file again") from error
    return array.astype(dtype.newbyteorder("="), copy=False)


def _read_header(path: Path, stream: IO[bytes] | gzip.GzipFile) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read element type and shape."""
    magic = _read_up_to(stream, 4)
    is_idx = len(magic) == 4 and magic[:2] == b"\0\0" and magic[2] in _ELEMENT_TYPES
    if not is_idx or not 1 <= magic[3] <= _MOST_DIMENSIONS:
        hint = "it looks like a web page, so the download failed; " if magic.startswith(b"<") else ""
        raise DataFileError(
            f"{path}: not an IDX file; {hint}expected two zero bytes, an element type and a number of dimensions "
            f"(00 00 08 03 for images, 00 00 08 01 for labels), found {magic.hex(' ') or 'nothing'}; get the file again"
        )
    n_dimensions = magic[3]
    dimensions = _read_up_to(stream, 4 * n_dimensions)
    if len(dimensions) < 4 * n_dimensions:
        raise DataFileError(f"{path}: cut off within its header of {4 + 4 * n_dimensions} bytes; get the file again")
    shape = tuple(int.from_bytes(dimensions[at : at + 4], "big") for at in range(0, 4 * n_dimensions, 4))
    return np.dtype(_ELEMENT_TYPES[magic[2]]), shape


def _read_up_to(stream: IO[bytes] | gzip.GzipFile, n_bytes: int) -> bytes:
    """Read `n_bytes` bytes, or fewer at the end: one `read` may return less than it was asked for."""
    data = io.BytesIO()
    while data.tell() < n_bytes and (chunk := stream.read(n_bytes - data.tell())):
        data.write(chunk)
    return data.getvalue()


def as_path(name: str, value: str | os.PathLike[str]) -> Path:
    """Return a path as a `Path`, or say that the argument is none."""
    try:
        return Path(value)
    except TypeError as error:
        raise ArgumentTypeError(f"{name} must be a path (str or path-like), not {type(value).__name__}") from error
