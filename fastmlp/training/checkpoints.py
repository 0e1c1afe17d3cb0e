"""Checkpoints: a training that is killed goes on from its last finished epoch (floor 7; imports atomic_write, checks,
errors, formats).

`Checkpoint` writes them between epochs, `resume` gives them back to `Network.fit`.
"""

import os
from pathlib import Path
from typing import Any

from .. import formats
from ..atomic_write import remove_leftovers
from ..checks import check_whole, explained
from ..errors import ArgumentError, ArgumentTypeError
from ..formats.checkpoint import FitUnderWay
from .callbacks import Callback, FitRun, Monitor


class Checkpoint(Monitor):
    """Save the network after epochs, with all that ``fit(resume_from=path)`` needs for bit-identical results.

    Each file is written whole or not at all: at whatever moment the process is killed, the last checkpoint is there.
    However the training ends, its last finished epoch is saved too. A checkpoint is a model file, which `fastmlp.load`
    reads. Among the callbacks of an estimator it saves the network inside; what the estimator remembers besides, which
    resuming with the same bits would need, is not in the file.

    Parameters
    ----------
    path : str or path
        The newest checkpoint; must end in ``.npz``. One training at a time may write it.
    every : int >= 1, default 1
        Epochs from one checkpoint to the next.
    monitor : {"val_loss", "val_accuracy", "loss", "accuracy"}, optional
        Keep the network of the epoch that was best by this figure too: beside ``run.npz``, in ``run-best.npz``.
    keep : int >= 1, default 1
        How many of the last checkpoints to keep. More than one have files of their own, ``run-epoch-0008.npz`` and so
        on, numbered over all fits of the network; older ones are deleted.

    Attributes
    ----------
    path, best_path : Path
    best_epoch : int
        Of the last fit, counted from 1; 0 without `monitor`, and before any epoch.
    best_value : float
        Of the monitored figure.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range or of the wrong type, or at the start of `fit`, a figure that it does not record, or a
        folder that does not exist.
    FileWriteError
        In `fit`: a checkpoint can't be written. The one before it is as it was.

    Examples
    --------
    The same lines start a training, and go on with it after a power cut:

    >>> import tempfile
    >>> from fastmlp import Checkpoint, Network
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = f"{folder}/run.npz"
    ...     for _ in range(2):
    ...         net = Network([2, 8, 2], seed=1)
    ...         history = net.fit(X, y, epochs=5, resume_from=path, callbacks=[Checkpoint(path)], verbose=0)
    >>> history.epochs
    5
    """

    @explained
    def __init__(self, path: str | os.PathLike[str], every: int = 1, monitor: str | None = None, keep: int = 1) -> None:
        super().__init__("loss" if monitor is None else monitor, 1, 0.0)
        self.path = _checked(path, "path")
        self.every = check_whole(every, "every", 1, 2**31)
        self.keep = check_whole(keep, "keep", 1, 2**31)
        self.keeps_best = monitor is not None
        self._saved = -1

    def __repr__(self) -> str:
        monitor = self.monitor if self.keeps_best else None
        return f"Checkpoint({str(self.path)!r}, every={self.every}, monitor={monitor!r}, keep={self.keep})"

    @property
    def best_path(self) -> Path:
        """Where the network of the best epoch is."""
        return self.path.with_stem(f"{self.path.stem}-best")

    def on_fit_start(self, run: FitRun) -> None:
        """Start afresh, check what can be checked, and clear away what a killed process left."""
        if self.keeps_best:
            super().on_fit_start(run)
        if not os.path.isdir(self.path.parent):
            raise ArgumentError(f"path: the folder {str(self.path.parent)!r} does not exist; make it first")
        self.best_epoch, self._saved = 0, run.epoch if run.epoch else -1
        self._remove_leftovers()

    def on_epoch_end(self, run: FitRun) -> None:
        """Save the network when it is its turn, or the best so far."""
        if self.keeps_best and self.improved(run):
            run.network.save(self.best_path)
        if run.epoch % self.every == 0 or run.epoch == run.epochs or run.stop_reason:
            self._save(run)

    def on_fit_end(self, run: FitRun) -> None:
        """Save the last finished epoch where the training ended early, unless it was saving that failed."""
        failed = run.history.stop_reason.startswith("failed")
        if run.epoch and run.epoch != self._saved and not failed:
            self._save(run)

    def memory(self) -> dict[str, Any]:
        """Return which epoch was best; see `Callback.memory`."""
        return super().memory() if self.keeps_best else {}

    def _save(self, run: FitRun) -> None:
        network, state = run.network, run.state
        # Without callbacks it is the fit of an estimator, which remembers more than its network does.
        under_way = _stand(run) if run.callbacks else None
        parts = network.architecture, state, network.labels, network.scaling, network.history, under_way
        if self.keep > 1:
            name = f"{self.path.stem}-epoch-{state.epoch:04d}"
            formats.save_checkpoint(self.path.with_stem(name), formats.Checkpoint(*parts))
            self._remove_old(state.epoch)
        formats.save_checkpoint(self.path, formats.Checkpoint(*parts))
        self._saved = run.epoch

    def _remove_old(self, epoch: int) -> None:
        """Delete numbered files beyond `keep`; those of later epochs are another training's, and not ours to delete."""
        numbered = {self._number(entry.name): Path(entry.path) for entry in os.scandir(self.path.parent)}
        found = sorted(number for number in numbered if number is not None and number <= epoch)
        for number in found[: -self.keep]:
            numbered[number].unlink(missing_ok=True)

    def _number(self, name: str) -> int | None:
        """Return the epoch of a numbered checkpoint by its file's name; None for any other file."""
        start, end = f"{self.path.stem}-epoch-", self.path.suffix
        digits = name.removeprefix(start).removesuffix(end)
        whole = name == f"{start}{digits}{end}" and digits.isascii() and digits.isdecimal()
        return int(digits) if whole else None

    def _remove_leftovers(self) -> None:
        """Clear away what writers left that were killed; numbered files have writers, too."""
        remove_leftovers(self.path.parent, lambda name: self._number(name) is not None)
        for path in (self.path, self.best_path):  # which may be links
            target = Path(os.path.realpath(path))
            remove_leftovers(target.parent, target.name.__eq__)


def _stand(run: FitRun) -> FitUnderWay:
    memories = [(_kind(callback), callback.memory()) for callback in _with_memory(run)]
    return FitUnderWay(run.first_epoch, run.learning_rate, run.stop_reason, run.settings, memories)


def _checked(path: Any, name: str) -> Path:
    if not isinstance(path, str | os.PathLike):
        raise ArgumentTypeError(f"{name} must be a string or a path, got {path!r}")
    if "\0" in os.fsdecode(path):
        raise ArgumentError(f"{name} holds a zero byte, which no file's name can; got {str(path)!r}")
    checked = Path(path)
    if checked.suffix.lower() != ".npz":
        raise ArgumentError(f"{name} must end in .npz, the format that holds a training under way; got {str(path)!r}")
    return checked


def read(resume_from: Any, architecture: Any) -> formats.Checkpoint | None:
    """Read the checkpoint to resume from; None where there is no file yet.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The suffix is unknown, the folder does not exist, or the checkpoint is of another network or holds weights only.
    DataFileError
        The file is damaged.
    """
    path = _checked(resume_from, "resume_from")
    if not os.path.isdir(path.parent):
        raise ArgumentError(f"resume_from: the folder {str(path.parent)!r} does not exist")
    if not os.path.exists(path):
        return None
    found = formats.load_checkpoint(path)
    if found.architecture != architecture:
        raise ArgumentError(
            f"resume_from: {path} holds a network with other layers, frozen layers, loss or dtype than this one; build "
            "it as it was built for that training (fastmlp.load(path) shows it), or give another file"
        )
    if not found.goes_on:
        raise ArgumentError(
            f"resume_from: {path} holds weights only, so training can't go on from it with the same bits; use a file "
            "that Checkpoint or net.save(path) wrote, or go on with fastmlp.load(path).fit(...)"
        )
    return found


def first_epoch(found: formats.Checkpoint) -> int:
    """Return how many epochs the network had had when the fit began that is to be resumed."""
    return 0 if found.under_way is None else found.under_way.first_epoch


def check_same(resume_from: Any, found: formats.Checkpoint, run: FitRun) -> None:
    """Say so when a fit that is to be resumed was begun in another way than it is asked for now, or is over already.

    Raises
    ------
    ArgumentError
        The message names the argument.
    """
    under_way = found.under_way or FitUnderWay(0, run.learning_rate)
    then: Any
    for name, now in run.settings.items():
        then = under_way.settings.get(name, now)
        if then != now:
            raise ArgumentError(
                f"{name}: the training in {resume_from} was begun with {then}, and can't be resumed with {now}; give "
                "the same, or go on in another way with fastmlp.load(path).fit(...)"
            )
    then, now = [kind for kind, _ in under_way.memories], [_kind(callback) for callback in _with_memory(run)]
    if found.under_way is not None and then != now:
        raise ArgumentError(
            f"callbacks: the training in {resume_from} was begun with {', '.join(then) or 'none'} that remember "
            f"something, and can't be resumed with {', '.join(now) or 'none'}; give the same, in the same order"
        )
    done = found.state.epoch - under_way.first_epoch
    if not 0 <= done <= found.history.epochs:
        raise ArgumentError(f"resume_from: {resume_from} counts {done} epochs, but its history does not have them")
    if done > run.epochs:
        raise ArgumentError(
            f"epochs: the training in {resume_from} has had {done} epochs, and {run.epochs} are asked for; give at "
            f"least {done}"
        )


def resume(run: FitRun, found: formats.Checkpoint) -> None:
    """Bring a run that is about to begin to where the one to be resumed stands; callbacks come later, by `recall`."""
    under_way = found.under_way or FitUnderWay(0, run.learning_rate)
    run.learning_rate, run.stop_reason = under_way.learning_rate, under_way.stop_reason
    run.epoch = found.state.epoch - under_way.first_epoch
    columns = {"epoch", *run.columns, "learning_rate", "seconds"}
    for number in range(found.history.epochs - run.epoch, found.history.epochs):
        row = found.history.row(number)
        run.history.append(**{name: value for name, value in row.items() if name in columns})


def recall(run: FitRun, found: formats.Checkpoint | None) -> None:
    """Give every callback its memory back, where there is a fit to be resumed."""
    if found is not None and found.under_way is not None:
        for callback, (_, memory) in zip(_with_memory(run), found.under_way.memories, strict=True):
            try:
                callback.recall(memory)
            except (KeyError, TypeError) as error:
                raise ArgumentError(
                    f"resume_from: what {type(callback).__name__} remembered can't be read from the file "
                    f"({type(error).__name__}: {error}); it was written by another version, or changed"
                ) from error


def _kind(callback: Callback) -> str:
    """Return what has to be the same of a callback: its repr, if it has one. A Checkpoint's file may lie elsewhere."""
    named = type(callback).__repr__ is not object.__repr__ and not isinstance(callback, Checkpoint)
    return repr(callback) if named else type(callback).__name__


def _with_memory(run: FitRun) -> list[Callback]:
    return [callback for callback in run.callbacks if callback.memory()]
