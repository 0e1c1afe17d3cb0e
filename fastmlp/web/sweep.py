"""A sweep: many trainings at once that differ in one or two settings and in their seeds (floor 10; imports errors,
checks, many, datasets, training).
"""

import itertools
import math
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..checks import check_whole
from ..datasets import Dataset
from ..errors import ArgumentError, ArgumentTypeError, FastMLPError, unknown_name
from ..many import Fitted, fit_many
from ..training.callbacks import FitRun
from . import limits
from .refusals import Refusal
from .settings import Settings
from .shelf import Model
from .training import OVER

AXES = ("hidden", "activation", "optimizer", "learning_rate", "batch_size", "dropout", "l2", "rows")
"""Settings that a sweep may vary."""


@dataclass(frozen=True)
class Plan:
    """What a sweep is to train.

    Attributes
    ----------
    settings : tuple of Settings
        Of every network: the last setting varies slower than the seed, and faster than the first one.
    axes : dict
        One or two names of settings, each with its values.
    seeds : int
    """

    settings: tuple[Settings, ...]
    axes: Mapping[str, tuple[Any, ...]]
    seeds: int

    @classmethod
    def read(cls, wanted: Mapping[str, Any]) -> "Plan":
        """Return the plan that a page sent: ``settings`` that all share, ``axes``, ``seeds``.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            A name or value that can't be used, or more networks than `limits` allow.
        """
        for name in wanted:
            if name not in ("settings", "axes", "seeds"):
                raise unknown_name("part of a sweep", name, ["settings", "axes", "seeds"])
        shared, axes = wanted.get("settings", {}), wanted.get("axes", {})
        if not isinstance(shared, dict) or not isinstance(axes, dict):
            raise ArgumentTypeError("settings and axes must be JSON objects of names and values")
        if not 1 <= len(axes) <= 2:
            raise ArgumentError(f"axes must name one or two settings to vary, got {len(axes)}")
        for name, values in axes.items():
            _check_axis(name, values)
        seeds = check_whole(wanted.get("seeds", 3), "seeds", 1, limits.MAX_SWEEP_NETWORKS)
        count = math.prod(map(len, axes.values())) * seeds
        if count > limits.MAX_SWEEP_NETWORKS:
            raise ArgumentError(
                f"a sweep may have {limits.MAX_SWEEP_NETWORKS} networks at most here, and this one has {count}; take "
                "fewer values or seeds"
            )
        first = Settings.read(shared).seed
        settings = [
            Settings.read({**shared, **dict(zip(axes, values, strict=True)), "seed": first + seed})
            for *values, seed in itertools.product(*axes.values(), range(seeds))
        ]
        total = sum(one.changed_recipe().network(0).n_parameters for one in settings[::seeds]) * seeds
        if total > limits.MAX_SWEEP_PARAMETERS:
            raise ArgumentError(
                f"a sweep's networks may have {limits.MAX_SWEEP_PARAMETERS:,} parameters together here, and these have "
                f"{total:,}; take fewer values, seeds or units"
            )
        return cls(tuple(settings), {name: tuple(values) for name, values in axes.items()}, seeds)


def _check_axis(name: str, values: object) -> None:
    if name not in AXES:
        raise unknown_name("setting to vary", name, AXES)
    if not isinstance(values, list) or not 1 <= len(values) <= limits.MAX_SWEEP_VALUES:
        raise ArgumentError(f"{name} must be a list of 1 to {limits.MAX_SWEEP_VALUES} values, got {str(values)[:60]}")
    if any(values.count(value) > 1 for value in values):
        raise ArgumentError(f"{name} has a value twice: {str(values)[:60]}")


class Sweep:
    """Networks that are trained at once by `fastmlp.fit_many`, or were.

    Parameters
    ----------
    plan : Plan
    dataset : callable
        Returns the data set.
    accuracy : callable
        Of a `Model` on the test digits.

    Attributes
    ----------
    identity : str
        For addresses.
    state, message : str
        As those of a `Training`.
    changes : int
        Grows with all that happens.
    """

    def __init__(self, plan: Plan, dataset: Callable[[], Dataset], accuracy: Callable[[Model], float]) -> None:
        self.plan, self.identity = plan, ""
        self.state, self.message, self.changes = "starting", "", 0
        self._dataset, self._accuracy = dataset, accuracy
        self._recipes = [settings.changed_recipe() for settings in plan.settings]
        self._networks = [
            recipe.network(settings.seed) for recipe, settings in zip(self._recipes, plan.settings, strict=True)
        ]
        self._rows: list[list[dict[str, float | None]]] = [[] for _ in self._networks]
        self._failed: dict[int, str] = {}
        self._accuracies: dict[int, float] = {}
        self._stopping = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._train, name="fastmlp sweep", daemon=True)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in OVER

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """End each training after the epoch under way."""
        self._stopping = True
        if not self.is_over:
            self.state = "stopping"
        self.changes += 1

    def join(self, seconds: float) -> None:
        """Wait for the thread to end, so long at most."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def facts(self) -> dict[str, Any]:
        """Return what the sweep is of, as JSON has it."""
        return {
            "id": self.identity,
            "axes": {name: list(values) for name, values in self.plan.axes.items()},
            "seeds": self.plan.seeds,
            "epochs": self.plan.settings[0].epochs,
            "networks": len(self._networks),
            "settings": self.plan.settings[0].to_json(),
        }

    def since(self, seen: list[int]) -> tuple[dict[str, Any], list[int]]:
        """Return how things stand, with the epochs after the first `seen` of each network, and how many there are."""
        starts = seen or [0] * len(self._networks)
        with self._lock:
            new = [rows[start:] for rows, start in zip(self._rows, starts, strict=True)]
        told = {
            "state": self.state,
            "message": self.message,
            "networks": [
                {"first": start, "rows": rows, "test_accuracy": self._accuracies.get(i), "failed": self._failed.get(i)}
                for i, (start, rows) in enumerate(zip(starts, new, strict=True))
            ],
        }
        return told, [start + len(rows) for start, rows in zip(starts, new, strict=True)]

    def model(self, number: int) -> Model:
        """Return one of the networks, for the page to show.

        Raises
        ------
        Refusal
            It is not trained yet, or failed.
        """
        if not self.is_over or number in self._failed:
            raise Refusal(409, "this network can't be kept: the sweep is not over, or its training failed")
        settings = self.plan.settings[number]
        varied = ", ".join(f"{name.replace('_', ' ')} {_in_words(getattr(settings, name))}" for name in self.plan.axes)
        model = Model(f"{settings.recipe}, {varied}, seed {settings.seed}", self._networks[number])
        model.test_accuracy = self._accuracies.get(number)
        return model

    def _train(self) -> None:
        state = "failed"
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # nobody would see them; the grid says what failed
                fitted = self._fit()
            for number, one in enumerate(fitted):
                self._finished(number, one)
            state = "stopped" if self._stopping else "done"
        except FastMLPError as error:
            self.message = str(error)
        except Exception as error:  # a page that waits for ever would tell less
            self.message = f"the sweep failed ({type(error).__name__}: {error})"
        self.state = state
        self.changes += 1

    def _fit(self) -> list[Fitted]:
        most = max(self.plan.settings, key=lambda settings: settings.rows)
        data = most.data(self._dataset())
        arguments = [
            recipe.fit_arguments()
            | {"callbacks": [self._watcher(number)], "rows": range(self.plan.settings[number].rows)}
            for number, recipe in enumerate(self._recipes)
        ]
        self.state = "stopping" if self._stopping else "running"
        self.changes += 1
        return fit_many(
            self._networks,
            data.X_train,
            data.y_train,
            X_val=data.X_val,
            y_val=data.y_val,
            settings=arguments,
            verbose=0,
        )

    def _watcher(self, number: int) -> Callable[[FitRun], None]:
        def watch(run: FitRun) -> None:
            if self._stopping:
                run.interrupt()
            row = run.history.row()
            with self._lock:
                self._rows[number].append({key: _finite(value) for key, value in row.items()})
            self.changes += 1

        return watch

    def _finished(self, number: int, fitted: Fitted) -> None:
        """Test a network on the test digits."""
        if fitted.error is not None:
            self._failed[number] = str(fitted.error)
        else:
            self._accuracies[number] = self._accuracy(Model("", fitted.network))
        self.changes += 1


class Sweeps:
    """The sweeps of a server: one is trained at a time, and `limits.MAX_SWEEPS` are kept."""

    def __init__(self) -> None:
        self._all: dict[str, Sweep] = {}
        self._lock = threading.Lock()
        self._given = 0

    def start(self, sweep: Sweep) -> Sweep:
        """Start a sweep, and give it an identity.

        Raises
        ------
        Refusal
            One is under way.
        """
        with self._lock:
            if any(not other.is_over for other in self._all.values()):
                raise Refusal(429, "a sweep is under way already; stop it, or wait until it is done")
            if len(self._all) >= limits.MAX_SWEEPS:
                del self._all[next(iter(self._all))]
            self._given += 1
            sweep.identity = str(self._given)
            self._all[sweep.identity] = sweep
            sweep.start()
        return sweep

    def get(self, identity: str) -> Sweep:
        """Return a sweep.

        Raises
        ------
        Refusal
            There is none of this identity.
        """
        with self._lock:
            found = self._all.get(identity)
        if found is None:
            raise Refusal(404, f"there is no sweep {identity[:40]!r} here (any more); start one")
        return found

    def close(self, seconds: float = 5.0) -> None:
        """Stop the one under way, and wait for its end."""
        with self._lock:
            all_of_them = list(self._all.values())
        until = time.monotonic() + seconds
        for sweep in all_of_them:
            sweep.stop()
        for sweep in all_of_them:
            sweep.join(max(0.0, until - time.monotonic()))


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _in_words(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
