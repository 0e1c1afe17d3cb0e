"""Files that are written whole or not at all (floor 3; imports the standard library)."""

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Have `write` write a file, or leave the one that was there before as it was.

    Parameters
    ----------
    path : Path
        A link stays a link: what it points to is replaced.
    write : callable
        Gets the file, open for bytes.

    Raises
    ------
    OSError
        The file can't be written.
    """
    # Beside the target, for a rename is atomic only within a file system.
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
