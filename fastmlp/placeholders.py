"""What lies where a file should be, but is not it: pointers of Git LFS and git-annex, web pages (floor 0; imports
errors).
"""

import os
from pathlib import Path

from .errors import DataFileError

_WEB_PAGES = (b"<!doctype html", b"<html")


def check_content(path: Path) -> None:
    """Say so where a file only stands for another one.

    A repository that was cloned without its large files has a few lines of text, or links to nowhere, in their places;
    a failed download leaves a web page.

    Parameters
    ----------
    path : Path

    Raises
    ------
    DataFileError
        The message says what lies there, and how to get the file.
    """
    if path.is_symlink() and not path.exists():
        target = os.readlink(path)
        if "annex/objects/" in Path(target).as_posix():
            raise DataFileError(f"{path}: {_annexed(path)}")
        raise DataFileError(f"{path}: a link to {target}, where there is no file")
    if not path.is_file():
        return
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError:  # which whoever reads the file will tell better
        return
    if start.startswith(b"version https://git-lfs.github.com/spec/"):
        raise DataFileError(
            f"{path}: a pointer of Git LFS, not the file itself; fetch it: git lfs pull --include {path.name}"
        )
    if start.startswith((b"/annex/objects/", b"\\annex\\objects\\")):
        raise DataFileError(f"{path}: {_annexed(path)}")
    if start.lstrip().lower().startswith(_WEB_PAGES):
        raise DataFileError(
            f"{path}: a web page, so the download failed; get the file again (from a page that shows a file, take its "
            "link to the raw file)"
        )


def _annexed(path: Path) -> str:
    return f"a pointer of git-annex, not the file itself; fetch it: git annex get {path.name}"
