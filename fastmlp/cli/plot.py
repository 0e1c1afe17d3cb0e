"""``fastmlp plot`` and ``fastmlp train --plots``: pictures of a network (floor 11; imports numpy, atomic_write, checks,
errors, datasets, formats, network, plots).

A picture lies beside its model: ``history.png`` beside ``model.npz``, ``digits-history.png`` beside ``digits.npz``. One
of an earlier time is replaced, since it can be made again.
"""

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import plots
from ..atomic_write import write_whole
from ..checks import check_whole
from ..datasets import Dataset
from ..errors import ArgumentError, FastMLPError, unknown_name
from ..formats.runs import RUN_FILE, model_file
from ..network import Network, load
from ..plots.look import matplotlib_part
from .reports import open_data
from .show import Screen

_DOTS_PER_INCH = 120


@dataclass(frozen=True)
class Subject:
    """What there is to draw.

    Attributes
    ----------
    network : Network
    X, y : ndarray
        Test samples, or training samples where a data set has no others.
    X_train, y_train : ndarray
    index : int
        Which of `X` the picture of the network shows.
    """

    network: Network
    X: NDArray[Any]
    y: NDArray[Any]
    X_train: NDArray[Any]
    y_train: NDArray[Any]
    index: int = 0

    @classmethod
    def of(cls, network: Network, data: Dataset, index: int = 0) -> "Subject":
        """Put a network beside the samples of a data set."""
        tested = len(data.X_test) > 0
        X, y = (data.X_test, data.y_test) if tested else (data.X_train, data.y_train)
        if not len(X):
            raise ArgumentError("the data set has no rows to draw")
        row = check_whole(index, "--index", 0, len(X) - 1)
        return cls(network, X, y, data.X_train, data.y_train, row)


KINDS: dict[str, Callable[[Subject], Any]] = {
    "samples": lambda of: plots.sample_grid(of.X_train if len(of.X_train) else of.X, _truths(of)),
    "history": lambda of: plots.history(of.network)[0],
    "predictions": lambda of: plots.predictions(of.network, of.X, of.y),
    "mistakes": lambda of: plots.mistakes(of.network, of.X, of.y),
    "confusion": lambda of: plots.confusion_matrix(of.network, of.X, of.y),
    "weights": lambda of: plots.weights(of.network),
    "activations": lambda of: plots.activations(of.network, of.X[of.index], _truth(of)),
}
"""Every kind of picture by its name, as functions from a `Subject` to Axes."""


def run(model: str, kinds: list[str], data: str | None, out: str | None, index: int, theme: str) -> None:
    """Draw a saved network, and say where the pictures are.

    Parameters
    ----------
    model : str
        An ``.npz`` file, or the folder of a run.
    kinds : list of str
        Of `KINDS`; all that can be drawn where it is empty.
    data : str or None
        Folder of IDX files; MNIST by default.
    out : str or None
        Folder for the pictures; that of the model by default.
    index : int
        Which of the test rows the picture of the network shows.
    theme : str
        light or dark.

    Raises
    ------
    ArgumentError
        An unknown kind or theme, a kind that can't be drawn of this network, or a folder that isn't there.
    DataFileError
        The model or the data can't be read.
    MissingDependencyError
        matplotlib is not installed.
    OSError
        A picture can't be written.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise unknown_name("kind of plot", kind, KINDS)
    with plots.theme(theme):
        file = model_file(model)
        network = load(file)
        folder = file.parent if out is None else Path(out)
        if not folder.is_dir():
            raise ArgumentError(f"--out: the folder {str(folder)!r} does not exist; make it first")
        subject = Subject.of(network, open_data(data)[0], index)
        draw(subject, kinds or KINDS, folder / file.name, Screen(), skip=not kinds)


def check_installed() -> None:
    """Say so when there is no matplotlib to draw with, before a training has taken its time.

    Raises
    ------
    MissingDependencyError
    """
    matplotlib_part("figure")


def draw(subject: Subject, kinds: Iterable[str], model: Path, screen: Screen, *, skip: bool) -> None:
    """Draw pictures into files beside a model, and say where they are.

    Parameters
    ----------
    subject : Subject
    kinds : iterable of str
        Of `KINDS`.
    model : Path
        The model's file; it is not read.
    screen : Screen
    skip : bool
        Whether to say what can't be drawn, and go on, rather than to fail.

    Raises
    ------
    FastMLPError
        A picture can't be drawn, and is not to be skipped.
    OSError
        A file can't be written.
    """
    matplotlib_part("").use("Agg")  # files need no window, and a terminal may have no screen
    for kind in kinds:
        try:
            figure = KINDS[kind](subject).figure
        except FastMLPError as error:
            if not skip:
                raise
            screen.say(f"No plot of {kind}: {error}", "yellow")
            continue
        file = model.with_name(f"{kind}.png" if model.stem == Path(RUN_FILE).stem else f"{model.stem}-{kind}.png")
        _write(figure, file)
        screen.say(f"Plot of {kind} saved as {file}")


def draw_histories(histories: Mapping[str, Any], file: Path) -> None:
    """Draw histories, by name, over one another into a file.

    Raises
    ------
    OSError
        The file can't be written.
    """
    matplotlib_part("").use("Agg")
    _write(plots.history(histories)[0].figure, file)


def _write(figure: Any, file: Path) -> None:
    try:
        write_whole(file, functools.partial(figure.savefig, format="png", dpi=_DOTS_PER_INCH))
    finally:
        matplotlib_part("pyplot").close(figure)


def _truths(of: Subject) -> NDArray[Any] | None:
    """Labels of the samples that are drawn, where there is one for each."""
    y = of.y_train if len(of.X_train) else of.y
    return y if np.ndim(y) == 1 else None


def _truth(of: Subject) -> Any:
    return of.y[of.index] if of.y.ndim == 1 else None
