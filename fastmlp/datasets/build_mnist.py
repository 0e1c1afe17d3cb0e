"""Build `mnist.npz` from the four IDX files of MNIST: ``python -m fastmlp.datasets.build_mnist FOLDER`` (floor 3;
imports numpy, atomic_write, errors).

Only maintainers need this. The arrays must have the published MD5 sums, and the archive has the same bytes on every
run with the same zlib: fixed order, dates and permissions. Deflate, because it decompresses several times faster than
LZMA or bzip2, which would save a sixth of the size.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import io
import os
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from fastmlp.atomic_write import write_whole
from fastmlp.errors import DataFileError, FastMLPError

from .idx_folder import load_idx_folder

# MD5 sums of the uncompressed IDX files, and the shape of one row in them.
PUBLISHED: dict[str, tuple[str, tuple[int, ...]]] = {
    "X_train": ("6bbc9ace898e44ae57da46a324031adb", (28, 28)),
    "y_train": ("a25bea736e30d166cdddb491f175f624", ()),
    "X_test": ("2646ac647ad5339dbf082846283269ea", (28, 28)),
    "y_test": ("27ae3e4e09519cfbb04c329615203637", ()),
}


def md5_as_idx(array: NDArray[Any], row_shape: tuple[int, ...]) -> str:
    """Return the MD5 sum of the uncompressed IDX file of uint8 that holds an array.

    Parameters
    ----------
    array : ndarray of shape (n_samples, ...)
        Converted to uint8.
    row_shape : tuple of int
        The shape of a row in the file, ``(28, 28)`` or ``()``.

    Returns
    -------
    str
        Thirty-two hexadecimal digits.

    Examples
    --------
    >>> import numpy as np
    >>> md5_as_idx(np.array([1, 2]), ())
    '589ffc25e08bc21111c0ff77a5b7bfae'
    """
    shape = (len(array), *row_shape)
    digest = hashlib.md5(bytes([0, 0, 0x08, len(shape)]), usedforsecurity=False)
    for size in shape:
        digest.update(size.to_bytes(4, "big"))
    digest.update(array.astype(np.uint8).tobytes())
    return digest.hexdigest()


def build(folder: str | os.PathLike[str], archive: str | os.PathLike[str]) -> None:
    """Write the archive of MNIST, whole or not at all.

    Parameters
    ----------
    folder : str or path-like
        Holds the four IDX files, gzipped or plain.
    archive : str or path-like
        The .npz file to write; replaced if it exists. Holds ``X_train``, ``y_train``, ``X_test`` and ``y_test``, all
        uint8, samples as rows of 784.

    Raises
    ------
    DataFileError
        If a file is missing, unreadable or does not hold the published bytes.
    FileWriteError
        If the archive can't be written.
    """
    dataset = load_idx_folder(folder)
    arrays = {name: getattr(dataset, name) for name in PUBLISHED}
    for name, (published, row_shape) in PUBLISHED.items():
        found = md5_as_idx(arrays[name], row_shape)
        if found != published:
            raise DataFileError(
                f"{folder}: its {name} is not that of MNIST (MD5 {found}, expected {published}); get the files again"
            )
    write_whole(Path(archive), functools.partial(_write_archive, arrays))


def _write_archive(arrays: dict[str, NDArray[Any]], into: BinaryIO) -> None:
    with zipfile.ZipFile(into, "w") as file:
        for name, array in arrays.items():
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # Unix, wherever this runs.
            member.external_attr = 0o644 << 16
            content = io.BytesIO()
            np.lib.format.write_array(content, array.astype(np.uint8), version=(1, 0), allow_pickle=False)
            file.writestr(member, content.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the command; those of this process by default.

    Returns
    -------
    int
        The exit status: 0, or 1 after an error, which is printed.
    """
    parser = argparse.ArgumentParser(prog="python -m fastmlp.datasets.build_mnist", description="Build mnist.npz.")
    parser.add_argument("folder", metavar="FOLDER", help="holds the four IDX files of MNIST")
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).with_name("mnist.npz"),
        help="the archive (default: in this package)",
    )
    options = parser.parse_args(arguments)
    try:
        build(options.folder, options.output)
    except FastMLPError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{options.output}: {options.output.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
