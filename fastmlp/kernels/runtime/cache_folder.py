"""Where compiled kernels are kept (floor 2; imports numba).

That is ``$FASTMLP_CACHE_DIR``, else ``$NUMBA_CACHE_DIR``, else the user's cache folder, else none. ``FASTMLP_CACHE=0``
does without.
"""

import contextlib
import hashlib
import os
import shutil
import sys
import tempfile
import time
from functools import cache
from pathlib import Path

import numba

_CHECKED = "-boundscheck" if numba.config.BOUNDSCHECK else ""
"""Numba's key of cached code lacks what its environment adds to it."""

_UNUSED_DAYS = 30


@cache
def source_stamp() -> str:
    """Hash of every source file of `kernels/` and its subfolders: with Numba and the processor, what machine code
    depends on.
    """
    digest = hashlib.sha256()
    folder = Path(__file__).parents[1]
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept, a folder that can be written; None if there is no such place."""
    if os.environ.get("FASTMLP_CACHE") == "0":
        return None
    for base in _candidates():
        folder = base / f"kernels-{source_stamp()}{_CHECKED}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
            _remove_unused(folder)
            return folder
        except OSError:
            continue
    return None


def _remove_unused(used: Path) -> None:
    """Delete what other versions of the kernels left and nobody has used for a month."""
    with contextlib.suppress(OSError):  # another process may be deleting them too
        os.utime(used)
        for folder in used.parent.glob("kernels-*"):
            if time.time() - folder.stat().st_mtime > _UNUSED_DAYS * 86400:
                shutil.rmtree(folder, ignore_errors=True)


def _candidates() -> list[Path]:
    for variable in ("FASTMLP_CACHE_DIR", "NUMBA_CACHE_DIR"):
        if os.environ.get(variable):
            return [Path(os.environ[variable]) / "fastmlp"]
    if sys.platform == "win32":
        return [Path(os.environ.get("LOCALAPPDATA", Path.home())) / "fastmlp"]
    try:
        home = Path.home()
    except RuntimeError:
        return []
    if sys.platform == "darwin":
        return [home / "Library" / "Caches" / "fastmlp"]
    return [Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "fastmlp"]
