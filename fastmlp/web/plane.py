"""A small network that learns points of a plane, some epochs at a time (floor 10; imports numpy, checks, errors, model,
network, recipes).
"""

import dataclasses
import threading
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_number, check_size, check_whole
from ..errors import ArgumentError, ArgumentTypeError, TrainingError, unknown_name
from ..model.optimizers import OPTIMIZERS
from ..network import Network
from ..recipes.changes import HIDDEN_ACTIVATIONS
from . import limits
from .looking import as_text, plain
from .plane_data import DATA, FEATURES, generate, inputs_of
from .refusals import Refusal

SIDE = 60
"""Cells of a side of the boundary's picture."""

MAP_SIDE = 24
"""And of what one hidden neuron does."""

_MAPS_A_LAYER = 16
_REACH = 1.2
"""Pictures show the plane from minus this to this."""


@dataclass(frozen=True)
class PlaneSettings:
    """What is learned on the plane, and how.

    Attributes
    ----------
    data : str
        A name of `DATA`.
    points : tuple of (x, y, target)
        Added by hand, to be trained on.
    n : int
        Generated points; half of them test.
    noise : float
    features : tuple of str
        Inputs, names of `FEATURES`.
    hidden : tuple of int
    activation, optimizer : str
    learning_rate, l2 : float
    batch_size : int
        0 is all points.
    seed : int
        Of data and network.
    """

    data: str = "moons"
    points: tuple[tuple[float, float, float], ...] = ()
    n: int = 500
    noise: float = 0.1
    features: tuple[str, ...] = ("x", "y")
    hidden: tuple[int, ...] = (8, 8)
    activation: str = "tanh"
    optimizer: str = "adam"
    learning_rate: float = 0.01
    l2: float = 0.0
    batch_size: int = 32
    seed: int = 0

    @classmethod
    def read(cls, wanted: Mapping[str, Any]) -> "PlaneSettings":
        """Return the settings that a page sent; those that are missing have their defaults.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            An unknown name, or a value that can't be used.
        """
        names = [field.name for field in dataclasses.fields(cls)]
        for name in wanted:
            if name not in names:
                raise unknown_name("setting", name, names)
        given = {name: wanted.get(name, getattr(cls, name)) for name in names}
        for name, known in (("data", DATA), ("activation", HIDDEN_ACTIVATIONS), ("optimizer", OPTIMIZERS)):
            if not isinstance(given[name], str) or given[name] not in known:
                raise unknown_name(name, given[name], known)
        hidden, features = _list(given["hidden"], "hidden"), _list(given["features"], "features")
        if len(hidden) > limits.PLANE_LAYERS:
            raise ArgumentError(f"hidden may have {limits.PLANE_LAYERS} layers at most here, got {len(hidden)}")
        if not features or len(set(map(str, features))) < len(features):
            raise ArgumentError(f"features must name one or more of {', '.join(FEATURES)}, each once; got {features}")
        for name in features:
            if not isinstance(name, str) or name not in FEATURES:
                raise unknown_name("feature", name, FEATURES)
        noise = check_size(given["noise"], "noise")
        if noise > 1:
            raise ArgumentError(f"noise must lie between 0 and 1, got {noise}")
        rate = check_size(given["learning_rate"], "learning_rate")
        if not rate > 0:
            raise ArgumentError(f"learning_rate must be above 0, got {rate}")
        return cls(
            data=given["data"],
            points=_points(given["points"]),
            n=check_whole(given["n"], "n", 2, limits.PLANE_POINTS),
            noise=noise,
            features=tuple(features),
            hidden=tuple(check_whole(units, "units of a hidden layer", 1, limits.PLANE_UNITS) for units in hidden),
            activation=given["activation"],
            optimizer=given["optimizer"],
            learning_rate=rate,
            l2=check_size(given["l2"], "l2"),
            batch_size=check_whole(given["batch_size"], "batch_size", 0, limits.PLANE_POINTS),
            seed=check_whole(given["seed"], "seed", 0, 2**53),
        )


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ArgumentTypeError(f"{name} must be a list, got {value!r}")
    return list(value)


def _points(value: Any) -> tuple[tuple[float, float, float], ...]:
    points = _list(value, "points")
    if len(points) > limits.PLANE_POINTS:
        raise ArgumentError(f"there may be {limits.PLANE_POINTS:,} points at most here, got {len(points):,}")
    for number, point in enumerate(points, start=1):
        if not isinstance(point, list | tuple) or len(point) != 3:
            raise ArgumentTypeError(f"point {number} must be x, y and a target, got {str(point)[:60]}")
        for part in point:
            if not abs(check_number(part, f"point {number}")) <= 1e6:
                raise ArgumentError(f"point {number} must have numbers up to 1,000,000, got {str(point)[:60]}")
    return tuple((float(x), float(y), float(target)) for x, y, target in points)


class Plane:
    """Points, and a network that learns them; methods may be called by several threads.

    Parameters
    ----------
    settings : PlaneSettings

    Raises
    ------
    ArgumentError
        There are no points, or their targets are of one class only, or of too many.
    """

    def __init__(self, settings: PlaneSettings) -> None:
        self.settings = settings
        self.kind = DATA[settings.data][1]
        X, y = generate(settings.data, settings.n, settings.noise, settings.seed)
        half = (len(X) + 1) // 2
        own = np.array(settings.points, dtype=np.float64).reshape(-1, 3)
        self.X, self.y = np.concatenate([X[:half], own[:, :2]]), np.concatenate([y[:half], own[:, 2]])
        self.X_test, self.y_test = X[half:], y[half:]
        if not len(self.X):
            raise ArgumentError("there are no points to learn; add some, or choose generated data")
        self.classes = self._classes()
        outputs = len(self.classes) if self.kind == "classes" else 1
        self.network = Network(
            [len(settings.features), *settings.hidden, outputs],
            hidden=settings.activation,
            loss="cross_entropy" if self.kind == "classes" else "squared_error",
            l2=settings.l2,
            scaling=None,
            seed=settings.seed,
        )
        cells = [(np.arange(side) + 0.5) / side * 2 * _REACH - _REACH for side in (SIDE, MAP_SIDE)]
        planes = [np.column_stack([part.ravel() for part in np.meshgrid(line, -line)]) for line in cells]
        self._inputs, self._test, self._grid, self._map = (
            inputs_of(settings.features, points) for points in (self.X, self.X_test, *planes)
        )
        self.message, self.epochs, self._batches = "", 0, 0
        self._seconds_an_epoch = 1e-3  # a guess, until the first call
        self._lock = threading.Lock()

    def _classes(self) -> list[int]:
        """Return the labels; of points of one class there is nothing to learn."""
        if self.kind == "numbers":
            return []
        labels = np.unique(self.y)
        if len(labels) and (labels != np.rint(labels)).any():
            raise ArgumentError("labels of points must be whole numbers; for other targets choose a regression surface")
        if not 2 <= len(labels) <= limits.PLANE_CLASSES:
            raise ArgumentError(
                f"points must be of 2 to {limits.PLANE_CLASSES} classes, and these are of {len(labels)}; add points of "
                "another class"
            )
        return [int(label) for label in labels]

    def facts(self) -> dict[str, Any]:
        """Return the points and the first frame, as JSON has them."""
        points = {
            name: as_text(np.column_stack([X, y]).astype("<f4"))
            for name, X, y in (("train", self.X, self.y), ("test", self.X_test, self.y_test))
        }
        return {
            **points,
            "kind": self.kind,
            "classes": self.classes,
            "side": SIDE,
            "map_side": MAP_SIDE,
            "reach": _REACH,
            "parameters": self.network.n_parameters,
            "frame": self.frame(),
        }

    def advance(
        self, epochs: int = 0, milliseconds: float = 0.0, step: bool = False, maps: bool = True
    ) -> dict[str, Any]:
        """Train on, and return a frame.

        Parameters
        ----------
        epochs : int
        milliseconds : float
            In the place of a number of epochs: as many as take so long.
        step : bool
            In the place of both: one batch.
        maps : bool, default True
            Whether the frame has the maps of hidden neurons.
        """
        with self._lock:
            if step:
                self._fit(1, batch=True)
            elif milliseconds:
                self._fit_for(milliseconds / 1000)
            elif epochs:
                self._fit(epochs)
            return self.frame(maps)

    def _fit_for(self, seconds: float) -> None:
        """Train for so long: in one call, as far as the last one tells how long an epoch takes."""
        until = time.perf_counter() + seconds
        while (left := until - time.perf_counter()) > 0 and not self.message:
            epochs = max(1, int(left / self._seconds_an_epoch))
            self._fit(epochs)
            took = left - (until - time.perf_counter())
            self._seconds_an_epoch = max(1e-6, took / epochs)

    def _fit(self, epochs: int, batch: bool = False) -> None:
        settings, n = self.settings, len(self._inputs)
        size = min(settings.batch_size or n, n)
        X, y = self._inputs, self._targets(self.y)
        if batch:
            start = (self._batches * size) % n
            X, y = X[start : start + size], y[start : start + size]
            self._batches += 1
        optimizer = OPTIMIZERS[settings.optimizer](learning_rate=settings.learning_rate)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the picture shows what they are about
            try:
                # On one thread: the browser needs the others to draw.
                self.network.fit(X, y, epochs=epochs, batch_size=size, optimizer=optimizer, threads=1, verbose=0)
                self.epochs += 0 if batch else epochs
            except TrainingError:
                self.message = "The loss is no longer finite: the steps are too large. Take a smaller learning rate."

    def frame(self, maps: bool = True) -> dict[str, Any]:
        """Return what the network makes of the plane, as JSON has it.

        Returns
        -------
        dict
            ``epochs``, ``loss``, ``test_loss``, and of classes ``accuracy`` and ``test_accuracy``; ``grid``, of the
            outputs for a field of cells from the top left, a byte each: of classes the probabilities of all, of numbers
            -1 to 1; ``maps``, for each hidden layer what its first neurons do, a signed byte a cell, or none;
            ``message``.
        """
        network = self.network
        with np.errstate(all="ignore"):
            outputs = np.nan_to_num(network(self._grid))
            hidden = network.activations(self._map)[1:-1] if maps else []
            trained = network.evaluate(self._inputs, self._targets(self.y))
            tested = network.evaluate(self._test, self._targets(self.y_test)) if len(self._test) else None
        values = outputs if self.kind == "classes" else (outputs.clip(-1, 1) + 1) / 2
        return {
            "epochs": self.epochs,
            "loss": plain(trained.loss),
            "accuracy": trained.accuracy,
            "test_loss": None if tested is None else plain(tested.loss),
            "test_accuracy": None if tested is None else tested.accuracy,
            "grid": as_text(np.rint(255 * values).astype(np.uint8)),
            "maps": [as_text(_as_bytes(layer[:, :_MAPS_A_LAYER])) for layer in hidden],
            "message": self.message,
        }

    def _targets(self, y: NDArray[np.float64]) -> Any:
        return np.searchsorted(self.classes, y) if self.kind == "classes" else y


def _as_bytes(values: NDArray[Any]) -> NDArray[np.int8]:
    """Return each neuron's activations as -127 to 127 on a scale of its own, a neuron after another."""
    values = np.nan_to_num(values.T)
    most = np.abs(values).max(axis=1, keepdims=True)
    return np.rint(127 * values / np.where(most > 0, most, 1)).astype(np.int8)


def plane_choices() -> dict[str, Any]:
    """Return what the page offers to choose from, as JSON has it."""
    return {
        "data": {name: kind for name, (_, kind) in DATA.items()},
        "features": list(FEATURES),
        "points": limits.PLANE_POINTS,
    }


class Planes:
    """The planes of a server: the one that nobody asked for longest makes room for a new one."""

    def __init__(self) -> None:
        self._all: dict[str, Plane] = {}
        self._lock = threading.Lock()
        self._given = 0

    def add(self, plane: Plane) -> str:
        """Take a plane in, and return its identity."""
        with self._lock:
            if len(self._all) >= limits.MAX_PLANES:
                del self._all[next(iter(self._all))]
            self._given += 1
            self._all[str(self._given)] = plane
            return str(self._given)

    def get(self, identity: str) -> Plane:
        """Return a plane.

        Raises
        ------
        Refusal
            There is none of this identity.
        """
        with self._lock:
            found = self._all.pop(identity, None)
            if found is None:
                raise Refusal(404, f"there is no plane {identity[:40]!r} here (any more); start one anew")
            self._all[identity] = found
            return found
