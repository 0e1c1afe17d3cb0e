"""``fastmlp train``: what its options mean, and where its networks are saved (floor 11; imports numpy, checks, errors,
model, datasets, engines, formats, training, network, recipes).
"""

import contextlib
import dataclasses
import os
import signal
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import numpy as np

from .. import recipes
from ..checks import check_size, check_whole, naming
from ..datasets import Dataset
from ..engines import get_engine
from ..errors import ArgumentError, FastMLPError, unknown_name
from ..formats import FORMATS, check_path
from ..formats.runs import RUN_FILE, RUNS
from ..model.history import short
from ..model.optimizers import OPTIMIZERS, SGD, Optimizer
from ..model.schedules import get_schedule
from ..network import Network
from ..recipes import Recipe, RecipeData
from ..recipes.changes import with_activation, with_dropout, with_loss
from ..training.arguments import check_threads
from . import plot
from .reports import open_data, tell_what_is_left_out
from .show import EpochRows, Screen
from .verdict import learned_nothing

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 and the number of its signal, as shells have it."""

TERMINATED = 143
"""Exit code after SIGTERM, in the same way."""


@dataclass(frozen=True)
class Request:
    """The options of ``fastmlp train`` as they were typed; None where one was not."""

    recipe: str | None = None
    data: str | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    optimizer: str | None = None
    schedule: str | None = None
    momentum: float | None = None
    hidden: str | None = None
    activation: str | None = None
    dropout: float | None = None
    loss: str | None = None
    l2: float | None = None
    rows: int | None = None
    seed: int = 0
    engine: str = "auto"
    threads: str = "auto"
    out: str = RUNS
    plots: bool = False


def run(request: Request) -> int:
    """Train, save, test.

    Returns
    -------
    int
        The exit code: 0, `INTERRUPTED` or `TERMINATED`.

    Raises
    ------
    FastMLPError
        An option that can't be used, or a package that it needs is missing, before anything was trained; or the
        training diverged, and what finished epochs there were are saved.
    OSError
        The place for the model can't be made.
    """
    if request.plots:
        plot.check_installed()
    recipe = changed_recipe(request)
    usual_rate = _usual_rate(request)
    threads = threads_of(request.threads)
    engine = get_engine(request.engine).name
    dataset, origin = open_data(request.data)
    recipe = recipe.resized(inputs=dataset.X_train.shape[1], outputs=outputs_for(dataset, recipe))
    with naming("--rows"):
        data = recipe.data(dataset, request.seed, request.rows)
    network = recipe.network(request.seed)
    facts = recipe.facts()
    rows = {"training": data.X_train, "validation": data.X_val, "test": data.X_test}
    counts = [f"{len(part):,} {name}" for name, part in rows.items() if part is not None and len(part)]
    place = Place(request.out, recipe.name)
    screen = Screen()
    try:
        screen.facts(
            {
                "recipe": f"{recipe.name}: {recipe.title}",
                "network": f"{facts['network']}, {network.n_parameters:,} parameters",
                "loss": facts["loss"],
                "training": f"{facts['training']}, seed {request.seed}",
                "data": f"{origin}: {', '.join(counts)} rows",
                "engine": engine if engine == "numpy" else f"{engine}, threads {threads}",
            }
        )
        screen.say()
        _tell_untrained_labels(dataset, data, screen)
        with EpochRows(screen) as table, _sigterm_as_ctrl_c() as heard:
            history = recipe.fit(network, data, engine=request.engine, threads=threads, callbacks=[table], verbose=0)
    except BaseException:
        if network.history.epochs:
            with contextlib.suppress(FastMLPError, OSError):  # the first error is the one to tell
                _save(network, place, screen)
        raise
    finally:
        if not network.history.epochs:
            place.discard()
    screen.say()
    interrupted = history.stop_reason == "interrupted"
    code = 0 if not interrupted else TERMINATED if heard else INTERRUPTED
    if interrupted and not history.epochs:
        screen.say("Interrupted before the first epoch was done; there is nothing to save.", "yellow")
        return code
    if interrupted:
        screen.say(f"Interrupted; the network is as it was after epoch {history.epochs}.", "yellow")
    saved = _save(network, place, screen)
    warning = learned_nothing(network, data.y_train, recipe.optimizer.learning_rate, usual_rate)
    if warning:
        screen.say(warning, "yellow")
    if len(data.X_test):
        evaluation = network.evaluate(data.X_test, data.y_test, engine=request.engine)
        screen.say(f"Test accuracy {evaluation.accuracy or 0:.2%}, loss {short(evaluation.loss)}", "bold green")
    else:
        screen.say(f"There are no test rows; test on others with: fastmlp evaluate {saved} --data PATH")
    if request.plots:
        _draw(network, dataset, saved, screen)
    if screen.is_terminal:
        screen.say(f"Look closer with: fastmlp evaluate {saved}")
    return code


def _tell_untrained_labels(dataset: Dataset, data: RecipeData, screen: Screen) -> None:
    """Warn of labels that the data set has and the training rows lack: the network can't learn them."""
    held = np.union1d(dataset.y_train, dataset.y_test)
    lacking = np.setdiff1d(held, data.y_train).tolist()
    if lacking:
        listed = ", ".join(map(str, lacking[:10])) + (", ..." if len(lacking) > 10 else "")
        screen.say(
            f"No training row has the label{'s' * (len(lacking) > 1)} {listed}, which the data set has: the network "
            "can't learn to recognise what it never sees",
            "yellow",
        )
        screen.say()


@contextlib.contextmanager
def _sigterm_as_ctrl_c() -> Iterator[list[int]]:
    """Have SIGTERM end a training as Ctrl-C does; the list holds it when it came.

    It is what `kill`, a service manager or a batch system sends before it kills in earnest.
    """
    heard: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # Python lets no other set handlers
        yield heard
        return
    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGTERM, before or signal.SIG_DFL)


def changed_recipe(request: Request) -> Recipe:
    """Return the recipe with what the options change.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An unknown name, or a number out of its range.
    """
    recipe = recipes.get(recipes.DEFAULT if request.recipe is None else request.recipe)
    if request.hidden is not None:
        recipe = recipe.resized(hidden=_units(request.hidden))
    for option, change in (("activation", with_activation), ("dropout", with_dropout), ("loss", with_loss)):
        given = getattr(request, option)
        if given is not None:
            with naming(f"--{option}"):
                recipe = change(recipe, given)
    optimizer = _optimizer(recipe.optimizer, request.optimizer, request.learning_rate, request.momentum)
    l2 = recipe.l2 if request.l2 is None else check_size(request.l2, "--l2")
    epochs = recipe.epochs if request.epochs is None else check_whole(request.epochs, "epochs", 1, 2**31)
    batch = recipe.batch_size if request.batch_size is None else check_whole(request.batch_size, "batch_size", 1, 2**31)
    schedule = recipe.schedule if request.schedule is None else request.schedule
    if schedule is not None:
        get_schedule(schedule, epochs)  # it refuses an unknown name
    return dataclasses.replace(recipe, optimizer=optimizer, schedule=schedule, epochs=epochs, batch_size=batch, l2=l2)


def _usual_rate(request: Request) -> float | None:
    """Return the learning rate that the training would have by default; None where the recipe's is for another loss."""
    if request.loss is not None or request.activation is not None:
        return None
    return float(changed_recipe(dataclasses.replace(request, learning_rate=None)).optimizer.learning_rate)


class Place:
    """Where the model of a run goes; nothing that is there already is ever overwritten.

    Parameters
    ----------
    out : str
        A folder, in which the run gets the next free number, or the ``.npz`` file itself.
    name : str
        Of the recipe.

    Attributes
    ----------
    file : Path

    Raises
    ------
    ArgumentError
        The file exists, or its suffix is of no known format.
    OSError
        The folder can't be made.
    """

    def __init__(self, out: str, name: str) -> None:
        path = Path(out)
        self._made: list[Path] = []
        if path.is_dir() or not path.suffix or out.endswith(("/", "\\")):
            self._make(path)
            self.file = self._next_run(path, name) / RUN_FILE
            return
        if path.suffix.lower() not in FORMATS:
            raise ArgumentError(
                f"--out: a model file must end in {' or '.join(FORMATS)}, got {out!r}; a new folder with a dot in its "
                "name needs a slash at its end"
            )
        check_path(path, name="--out")  # a format that needs another package fails before the training, not after
        if path.exists():
            raise ArgumentError(f"--out: {out} exists already; give another name, or a folder for numbered runs")
        self._make(path.parent)
        self.file = path

    def discard(self) -> None:
        """Take away the folders that were made, where they are empty."""
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:
                return

    def _make(self, folder: Path) -> None:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            self._made.append(path)

    def _next_run(self, folder: Path, name: str) -> Path:
        taken = [path.name.removeprefix(f"{name}-") for path in folder.glob(f"{name}-*")]
        number = max((int(rest) for rest in taken if rest.isdecimal()), default=0) + 1
        while True:
            try:
                run = folder / f"{name}-{number:03d}"
                run.mkdir()
            except FileExistsError:  # another process was faster
                number += 1
            else:
                self._made.append(run)
                return run


def _save(network: Network, place: Place, screen: Screen) -> Path:
    """Save the network, elsewhere if it can't be where it should, and say where; return the file."""
    file = place.file
    number = 2
    while file.exists():  # made by somebody else in the meantime
        file = place.file.with_stem(f"{place.file.stem}-{number}")
        number += 1
    try:
        network.save(file)
    except OSError as error:
        screen.say(f"The model could not be saved as {file}: {_reason(error)}", "red")
        file = Path(tempfile.mkdtemp(prefix="fastmlp-")) / RUN_FILE
        network.save(file)
    screen.say(f"Model saved as {file}")
    tell_what_is_left_out(file, screen)
    return file


def _draw(network: Network, dataset: Dataset, saved: Path, screen: Screen) -> None:
    """Draw the pictures beside the model; where that fails, the training is a success all the same."""
    try:
        plot.draw(plot.Subject.of(network, dataset), plot.KINDS, saved, screen, skip=True)
    except OSError as error:
        screen.say(f"Plots could not be written beside the model: {error.strerror or error}", "red")


def _reason(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)


def _units(text: str) -> list[int]:
    if text.strip().lower() == "none":
        return []
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in parts):
        raise ArgumentError(
            f"--hidden must be numbers of units separated by commas, such as 128,64, or none; got {text!r}"
        )
    return [int(part) for part in parts]


def _optimizer(present: Optimizer, name: str | None, learning_rate: float | None, momentum: float | None) -> Optimizer:
    """Return the recipe's optimizer, or that of the name with its defaults; with the numbers that are given."""
    if name is not None and name not in OPTIMIZERS:
        raise unknown_name("optimizer", name, OPTIMIZERS)
    if name is not None and type(present) is not OPTIMIZERS[name]:
        present = OPTIMIZERS[name]()
    if momentum is not None:
        if not isinstance(present, SGD):
            raise ArgumentError(f"--momentum is for sgd, and the optimizer is {present.kind}; give --optimizer sgd too")
        with naming("--momentum"):
            present = dataclasses.replace(present, momentum=momentum)
    return present if learning_rate is None else dataclasses.replace(present, learning_rate=learning_rate)


def threads_of(text: str) -> int | str:
    """Return the option ``--threads`` as `Network.fit` takes it."""
    return check_threads(int(text) if text.isdecimal() else text) or "auto"


def outputs_for(dataset: Dataset, recipe: Recipe) -> int:
    """Return the outputs a data set needs: the recipe's if its labels fit among them, else one a label."""
    labels = np.union1d(dataset.y_train, dataset.y_test)
    fits = len(labels) == 0 or (labels[0] >= 0 and labels[-1] < recipe.sizes[-1])
    return recipe.sizes[-1] if fits else len(labels)
