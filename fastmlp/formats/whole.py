"""Files that are written whole or not at all (floor 3; imports the standard library)."""

import contextlib
import os
import secrets
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file, or leave the one that was there before as it was.

    Parameters
    ----------
    path : Path
        A link stays a link: what it points to is replaced.
    content : bytes

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
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
