"""Files that are written whole or not at all (floor 0; imports errors).

A file is written under another name, in the same folder, and takes its own name when all of it is on the disk: whoever
looks, at whatever moment, finds the file of before or the new one. A process that is killed leaves at most a file
under the other name, which `remove_leftovers` deletes.
"""

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from .errors import FileWriteError

_TEMPORARY = re.compile(r"\.(.+)\.[0-9a-f]{12}\.tmp", re.DOTALL)
"""The other name: of the file's own name, and twelve digits drawn at random."""


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Have `write` write a file, whole or not at all; a link stays a link.

    A file that is replaced passes its permissions on; a new one gets those that the system gives to new files.

    Parameters
    ----------
    path : Path
    write : callable
        Gets the file, open for bytes.

    Raises
    ------
    FileWriteError
        The disk is full, the folder read-only, or the like; a file that was there before is as it was.
    """
    # Beside the target, for a rename is atomic only within a file system.
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        with open(temporary, "xb") as file:
            _take_permissions(target, temporary)  # before there is anything to read
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise FileWriteError.told(path, error) from error
        raise
    _keep_name(target.parent)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of these bytes, whole or not at all; errors are those of `write_whole`."""
    write_whole(path, lambda file: file.write(content))


def remove_leftovers(folder: Path, is_ours: Callable[[str], bool]) -> None:
    """Delete what writers that were killed have left in a folder.

    Parameters
    ----------
    folder : Path
    is_ours : callable
        Says by the name of a file whether what its writers left is to be deleted. Nobody may be writing such a file.
    """
    with contextlib.suppress(OSError):
        for entry in list(os.scandir(folder)):
            left = _TEMPORARY.fullmatch(entry.name)
            if left and is_ours(left[1]):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _take_permissions(target: Path, temporary: Path) -> None:
    """Give a new file the permissions of the one that it will replace, where there is one."""
    with contextlib.suppress(OSError):  # some file systems know none
        os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))


def _keep_name(folder: Path) -> None:
    """Have the folder's new entry on the disk too, where the system can; the file is whole in any case."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
