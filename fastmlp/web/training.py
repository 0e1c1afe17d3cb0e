"""Trainings in threads of their own, which can be watched, paused and stopped (floor 10; imports errors, datasets,
training).
"""

import contextlib
import copy
import math
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

from ..datasets import Dataset
from ..errors import FastMLPError, TrainingError
from ..training.callbacks import Callback, FitRun
from . import limits
from .advice import advice
from .looking import first_weights
from .refusals import Refusal
from .settings import Settings
from .shelf import Model

OVER = ("done", "stopped", "failed")
_SHOWN_AGAIN_AFTER = 0.08
"""Seconds; a network of shorter epochs is not copied after each of them."""

_PARTS = 20
"""Of an epoch, after which weights and accuracy are shown."""

_FIRST_EPOCHS = 4
"""Within which the curves have points; later there are epochs enough."""

_SMOOTHED = 40
"""A point is a mean over this part of all steps so far, so that curves begin with single steps and become smooth."""

ADVANCES = ("batch", "tenth", "epoch")
"""By what a paused training can be advanced."""


class Training:
    """A training under way, or over.

    Parameters
    ----------
    settings : Settings
    dataset : callable
        Returns the data set; called in the thread, for it may take a moment.
    accuracy : callable
        Of a `Model` on the test digits.
    slow : bool, default False
        Whether to wait before the first step, and to be able to advance by single batches.

    Attributes
    ----------
    model : Model
        The network as it was when it was last shown.
    state : str
        starting, running, paused, stopping, or one of `OVER`.
    message : str
        What went wrong, where something did.
    diverged : bool
        Whether its loss or weights stopped being finite.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Settings that make no network.
    """

    def __init__(
        self,
        settings: Settings,
        dataset: Callable[[], Dataset],
        accuracy: Callable[[Model], float],
        slow: bool = False,
    ) -> None:
        self.settings, self.slow = settings, slow
        self._recipe = settings.changed_recipe()
        self._network = self._recipe.network(settings.seed)
        self._dataset, self._accuracy = dataset, accuracy
        self.model = Model(f"{settings.recipe} {self._recipe.shape}", copy.deepcopy(self._network))
        self.model.training = self
        self.state, self.message = "starting", ""
        self.diverged = False
        self.changes = 0
        self._rows: list[dict[str, float | None]] = []
        self._points: list[list[float]] = []
        self._pending: list[tuple[int, float, float]] = []
        self._steps_an_epoch = 1
        self._left: int | None = 0 if slow else None
        self._going = threading.Event()
        if not slow:
            self._going.set()
        self._stopping = False
        self._run: FitRun | None = None
        # A process that has to end does not wait for a kernel that compiles.
        self._thread = threading.Thread(target=self._train, name="fastmlp training", daemon=True)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in OVER

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def pause(self) -> None:
        """Wait after the part of an epoch that is under way, until `go_on` or `advance`."""
        self._going.clear()
        self.changes += 1

    def go_on(self) -> None:
        """End a pause."""
        self._left = None
        self._going.set()
        self.changes += 1

    def advance(self, by: str) -> None:
        """Train on, and pause again after a batch, a tenth of an epoch, or an epoch.

        Raises
        ------
        Refusal
            The training doesn't pause, or is none that can be advanced by a batch.
        """
        if self.state != "paused":
            raise Refusal(409, f"only a training that is paused can be advanced, and this one is {self.state}")
        if by == "batch" and not self.slow:
            raise Refusal(409, "only a training that was started in slow motion can be advanced by a batch")
        self._left = {"batch": 1, "tenth": -(-self._steps_an_epoch // 10), "epoch": self._steps_an_epoch}[by]
        self.state = "running"
        self._going.set()
        self.changes += 1

    def stop(self) -> None:
        """End the training within a fraction of a second; the epoch under way is undone."""
        self._stopping = True
        if not self.is_over:
            self.state = "stopping"
        if self._run is not None:
            self._run.interrupt()
        self._going.set()
        self.changes += 1

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, so long at most."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def since(self, rows: int) -> dict[str, Any]:
        """Return how things stand, with the epochs after the first `rows`, as JSON has it."""
        network, version = self.model.look()
        paused = not self._going.is_set()
        return {
            "id": self.model.identity,
            "state": "pausing" if paused and self.state == "running" else self.state,
            "message": self.message,
            "epochs": self.settings.epochs,
            "first": rows,
            "rows": self._rows[rows:],
            "points": list(self._points),
            "slow": self.slow,
            "version": version,
            "test_accuracy": self.model.test_accuracy,
            "advice": advice(self.settings, self._rows, is_over=self.is_over, diverged=self.diverged),
            "weights": first_weights(network),
        }

    def news(self, rows: int) -> tuple[dict[str, Any], int]:
        """Return what `since` does, and how many epochs are known then."""
        told = self.since(rows)
        return told, rows + len(told["rows"])

    def epoch_done(self, run: FitRun) -> None:
        """Note an epoch, and wait where a pause was asked for."""
        row = run.history.row()
        self._rows.append({name: value if math.isfinite(value) else None for name, value in row.items()})
        self._show_and_wait()

    def steps_done(self, run: FitRun) -> None:
        """Note some steps of an epoch, and wait where a pause was asked for, or where no more steps were."""
        steps = run.steps
        if self._left is not None:
            self._left -= steps.count
            if self._left <= 0:
                self._going.clear()
        if math.isfinite(steps.loss) and run.epoch <= _FIRST_EPOCHS:
            self._pending.append((steps.count, steps.loss, steps.accuracy))
            self._add_point((run.epoch - 1) * self._steps_an_epoch + steps.in_epoch)
        self._show_and_wait()

    def _add_point(self, done: int) -> None:
        """Add a point to the curves once enough steps are pending."""
        count = sum(steps for steps, _, _ in self._pending)
        if count * _SMOOTHED < done and self._going.is_set():
            return
        loss, accuracy = (sum(one[0] * one[i] for one in self._pending) / count for i in (1, 2))
        self._points.append([round(done / self._steps_an_epoch, 4), round(loss, 6), round(accuracy, 6)])
        self._pending.clear()

    def _show_and_wait(self) -> None:
        now = time.perf_counter()
        pausing = not self._going.is_set()
        if pausing or now - self._shown_at > _SHOWN_AGAIN_AFTER:
            self.model.show(copy.deepcopy(self._network))
            self._shown_at = now
        self._wait()
        self.changes += 1

    def _wait(self) -> None:
        """Wait while there is a pause."""
        if not self._going.is_set():
            self.state = "paused"
            self.changes += 1
            self._going.wait()
            self.state = "stopping" if self._stopping else "running"

    def begun(self, run: FitRun) -> None:
        """Note that the training runs, so that it can be interrupted."""
        self._run = run
        if self._stopping:
            run.interrupt()
        else:
            self.state = "running"
        self.changes += 1
        self._wait()

    _shown_at = 0.0

    def _train(self) -> None:
        state = "failed"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nobody would see them, and curves show what they are about
                data = self.settings.data(self._dataset())
                self._steps_an_epoch = -(-len(data.X_train) // self.settings.batch_size)
                every = 1 if self.slow else max(1, self._steps_an_epoch // _PARTS)
                history = self._recipe.fit(self._network, data, callbacks=[_Watcher(self, every)], verbose=0)
            state = "stopped" if history.stop_reason == "interrupted" else "done"
        except FastMLPError as error:
            self.message = str(error)
            self.diverged = isinstance(error, TrainingError)
        except Exception as error:  # a page that waits for ever would tell less
            self.message = f"the training failed ({type(error).__name__}: {error})"
        self.model.show(copy.deepcopy(self._network))
        with contextlib.suppress(FastMLPError):
            self.model.test_accuracy = self._accuracy(self.model)
        self.state = state
        self.changes += 1


class _Watcher(Callback):
    """Tells a training what its fit does."""

    def __init__(self, training: Training, every_steps: int) -> None:
        self._training, self.every_steps = training, every_steps

    def on_fit_start(self, run: FitRun) -> None:
        self._training.begun(run)

    def on_steps(self, run: FitRun) -> None:
        self._training.steps_done(run)

    def on_epoch_end(self, run: FitRun) -> None:
        self._training.epoch_done(run)


class Trainings:
    """All trainings of a server: `limits.MAX_RUNNING` at a time."""

    def __init__(self) -> None:
        self._all: list[Training] = []
        self._lock = threading.Lock()
        self.closing = False

    def start(self, training: Training, keep: Callable[[Model], Any]) -> None:
        """Start a training, and keep its network.

        Raises
        ------
        Refusal
            Enough are under way, or the server is closing.
        """
        with self._lock:
            if self.closing:
                raise Refusal(503, "the server is closing; start it again")
            self._all = [other for other in self._all if not other.is_over]
            if len(self._all) >= limits.MAX_RUNNING:
                raise Refusal(
                    429, f"{limits.MAX_RUNNING} trainings are under way already; stop one, or wait until it is done"
                )
            keep(training.model)
            self._all.append(training)
            training.start()

    def close(self, seconds: float = 5.0) -> None:
        """Stop all trainings, and wait for them to end."""
        with self._lock:
            self.closing = True
            under_way = list(self._all)
        for training in under_way:
            training.stop()
        for training in under_way:
            training.join(seconds)
