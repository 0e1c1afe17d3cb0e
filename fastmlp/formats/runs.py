"""Folders of runs, as `fastmlp train` makes them, and how to find their models (floor 6; imports errors)."""

import difflib
import os
from pathlib import Path

from ..errors import DataFileError
from . import FORMATS

RUN_FILE = "model.npz"
"""The model in the folder of a run."""

RUNS = "runs"
"""The folder in which `fastmlp train` numbers its runs by default."""

_SHOWN = 8


def model_file(model: str | os.PathLike[str]) -> Path:
    """Return the file of a model that was given as a file or as the folder of a run.

    A path that isn't there and ends like no model file and no run is returned as it is: its suffix is what is wrong.

    Raises
    ------
    DataFileError
        There is no such file or run; the message lists the runs that there are, those with the nearest names first.
    """
    path = Path(model)
    if path.is_dir():
        if (path / RUN_FILE).exists():
            return path / RUN_FILE
        raise DataFileError(f"{path / RUN_FILE}: there is no such file, so {path} is no run; {_known(path)}")
    if path.exists():
        return path
    if path.suffix.lower() in FORMATS:
        raise DataFileError(f"{path}: there is no such file{_place(path)}; {_known(path)}")
    if not path.suffix or path.suffix[1:].isdecimal():
        raise DataFileError(f"{path}: no such run or file{_place(path)}; {_known(path)}")
    return path


def _place(path: Path) -> str:
    """Say in which folder a relative path was looked for."""
    return "" if path.is_absolute() else f" in {Path.cwd()}"


def _known(path: Path) -> str:
    """Say which runs there are where somebody may have meant to look, the nearest names first."""
    places = dict.fromkeys([path, path.parent, Path(RUNS), path.parent / RUNS])
    runs = list(dict.fromkeys(run for place in places for run in _runs_in(place)))
    if not runs:
        return f'there are no runs in {RUNS}{os.sep} either; "fastmlp train" makes one'
    wanted = path.stem if path.suffix.lower() in FORMATS else path.name
    runs.sort(key=lambda run: -difflib.SequenceMatcher(None, wanted.lower(), run.name.lower()).ratio())
    more = f" and {len(runs) - _SHOWN} more" if len(runs) > _SHOWN else ""
    nearest = difflib.get_close_matches(wanted.lower(), [runs[0].name.lower()], n=1)
    meant = f"did you mean {runs[0]}? There are" if nearest else "there are the runs"
    return f"{meant} {', '.join(map(str, runs[:_SHOWN]))}{more}"


def _runs_in(folder: Path) -> list[Path]:
    """Return the runs in a folder, the newest first."""
    try:
        found = [path for path in folder.iterdir() if (path / RUN_FILE).is_file()]
        return sorted(found, key=lambda run: (-(run / RUN_FILE).stat().st_mtime, run.name))
    except OSError:  # no folder, or none that may be read
        return []
