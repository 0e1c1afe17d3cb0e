"""Parameters of the estimators, checked and in fastmlp's terms (floor 9; imports numpy, checks, errors, model,
training).

scikit-learn's estimators keep what their constructor was given as it came and look at it in `fit`; so do these.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from types import NoneType, SimpleNamespace
from typing import Any

import numpy as np

from ..checks import check_number, check_size, check_switch, check_whole
from ..errors import ArgumentError, ArgumentTypeError, unknown_name
from ..model.activations import ACTIVATIONS, get_activation
from ..model.architecture import Dense, check_units
from ..model.initializers import VarianceScaling
from ..model.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop
from ..model.schedules import SCHEDULES, Schedule, get_schedule
from ..training import arguments
from ..training.callbacks import Callback
from ..training.plateau import ReduceOnPlateau

SOLVERS = ("lbfgs", "sgd", "adam", "adamw", "rmsprop")
"""What `solver` can be."""

LEARNING_RATES = ("constant", "invscaling", "adaptive")
"""What `learning_rate` can be; the last two are for solver="sgd" only."""

_OURS = {"logistic": "sigmoid", "exp": "exponential"}
_THEIRS = {ours: theirs for theirs, ours in _OURS.items()}


def own_name(activation: object) -> str:
    """Return fastmlp's name of an activation, which may be given by scikit-learn's.

    Examples
    --------
    >>> own_name("logistic"), own_name("gelu")
    ('sigmoid', 'gelu')
    """
    if not isinstance(activation, str) or activation not in _OURS:
        if not isinstance(activation, str) or activation not in ACTIVATIONS:
            raise unknown_name("activation", activation, [*_OURS, *ACTIVATIONS])
        return get_activation(activation).name
    return _OURS[activation]


def their_name(activation: str) -> str:
    """Return scikit-learn's name of an activation, or fastmlp's where scikit-learn has none."""
    return _THEIRS.get(activation, activation)


@dataclass(frozen=True)
class Settings:
    """The parameters of an estimator in fastmlp's terms.

    Attributes
    ----------
    hidden : tuple of Dense
        The hidden layers, with activation, dropout and initializers.
    last : initializer
        Of the output layer's weights and bias.
    optimizer : optimizer or None
        None for solver="lbfgs".
    alpha : float
        Strength of the L2 penalty, still to be divided by the size of a batch.
    batch_size : int or None
        None for "auto".
    rate_kind : str
        One of `LEARNING_RATES`.
    power_t : float
    schedule : callable, Schedule, ReduceOnPlateau or None
        A callable makes a schedule for so many epochs.
    early_stopping : {"", "loss", "metric"}
        What is watched on the validation samples; empty: the loss of the training is watched.
    patience : float
        Epochs without improvement that are tolerated; may be infinite.
    threads : int
        0 lets the engine choose.
    max_iter, max_fun, verbose : int
    shuffle, warm_start, standardize : bool
    tol, validation_fraction : float
    callbacks : list of Callback
    """

    hidden: tuple[Dense, ...]
    last: VarianceScaling
    optimizer: Optimizer | None
    alpha: float
    batch_size: int | None
    rate_kind: str
    power_t: float
    schedule: Callable[[float], Schedule] | Schedule | ReduceOnPlateau | None
    early_stopping: str
    patience: float
    threads: int
    max_iter: int
    max_fun: int
    verbose: int
    shuffle: bool
    warm_start: bool
    standardize: bool
    tol: float
    validation_fraction: float
    callbacks: list[Callback]


def read_settings(estimator: Any) -> Settings:
    """Check the parameters that classifier and regressor share.

    Parameters that can't change are checked once: a small `partial_fit` takes an eighth less time.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A parameter that can't be used; the message names it.
    """
    given = {name: getattr(estimator, name) for name in _SHARED}
    if all(map(_cannot_change, given.values())):
        return _read_once(tuple((name, value, _types(value)) for name, value in given.items()))
    return _read(SimpleNamespace(**given))


_SHARED = (
    "activation",
    "alpha",
    "batch_size",
    "beta_1",
    "beta_2",
    "callbacks",
    "clip_norm",
    "decay",
    "dropout",
    "early_stopping",
    "epsilon",
    "hidden_layer_sizes",
    "learning_rate",
    "learning_rate_init",
    "max_fun",
    "max_iter",
    "momentum",
    "n_iter_no_change",
    "n_threads",
    "nesterovs_momentum",
    "power_t",
    "schedule",
    "shuffle",
    "solver",
    "standardize",
    "tol",
    "validation_fraction",
    "verbose",
    "warm_start",
    "weight_decay",
)


def _cannot_change(value: Any) -> bool:
    """Whether a parameter is a plain number, text or None, or a tuple of these."""
    plain = (int, float, str, bool, NoneType)
    return type(value) in plain or (type(value) is tuple and all(type(entry) in plain for entry in value))


def _types(value: Any) -> Any:
    """What tells 1, 1.0 and True apart, which are equal."""
    return tuple(map(type, value)) if type(value) is tuple else type(value)


@lru_cache(maxsize=64)
def _read_once(given: tuple[tuple[str, Any, Any], ...]) -> Settings:
    return _read(SimpleNamespace(**{name: value for name, value, _ in given}))


def _read(estimator: Any) -> Settings:
    hidden, last = _layers(estimator.hidden_layer_sizes, estimator.activation, estimator.dropout)
    optimizer = _optimizer(estimator)
    if optimizer is None and any(layer.dropout for layer in hidden):
        raise ArgumentError("dropout needs a solver that goes through batches, such as 'adam'; got solver='lbfgs'")
    _check_no_iterator(estimator.callbacks, "callbacks")
    batch_size = estimator.batch_size
    n_threads, verbose = estimator.n_threads, estimator.verbose
    return Settings(
        hidden=hidden,
        last=last,
        optimizer=optimizer,
        alpha=check_size(estimator.alpha, "alpha"),
        batch_size=None if _is(batch_size, "auto") else check_whole(batch_size, "batch_size", 1, 2**31),
        rate_kind=_one_of(estimator.learning_rate, "learning_rate", LEARNING_RATES),
        power_t=check_size(estimator.power_t, "power_t"),
        schedule=_schedule(estimator.schedule, estimator.solver),
        early_stopping=_early_stopping(estimator.early_stopping),
        patience=_patience(estimator.n_iter_no_change),
        threads=0 if n_threads is None else arguments.check_threads(n_threads, "n_threads"),
        max_iter=check_whole(estimator.max_iter, "max_iter", 1, 2**31),
        max_fun=check_whole(estimator.max_fun, "max_fun", 1, 2**31),
        verbose=check_whole(int(verbose) if isinstance(verbose, bool | np.bool_) else verbose, "verbose", 0, 2**31),
        shuffle=check_switch(estimator.shuffle, "shuffle"),
        warm_start=check_switch(estimator.warm_start, "warm_start"),
        standardize=check_switch(estimator.standardize, "standardize"),
        tol=check_size(estimator.tol, "tol"),
        validation_fraction=below_one(estimator.validation_fraction, "validation_fraction"),
        callbacks=arguments.check_callbacks(() if estimator.callbacks is None else estimator.callbacks, 0),
    )


def goes_through_batches(estimator: Any) -> bool:
    """Whether the solver takes batches, so that there can be a `partial_fit`.

    Raises
    ------
    AttributeError
        It takes all samples at once; `hasattr` then is False.
    """
    if estimator.solver == "lbfgs":
        raise AttributeError("solver='lbfgs' takes all samples at once; partial_fit needs another, such as 'adam'")
    return True


def _layers(sizes: Any, activation: Any, dropout: Any) -> tuple[tuple[Dense, ...], VarianceScaling]:
    """Hidden layers, and the initializer of the output layer: that of the hidden layer before it."""
    _check_no_iterator(sizes, "hidden_layer_sizes")
    if isinstance(sizes, bytes | set | dict):  # numbers without an order, or without a meaning
        raise ArgumentTypeError(f"hidden_layer_sizes must be a list of whole numbers, such as (100, 50); got {sizes!r}")
    units = list(sizes) if np.iterable(sizes) and not isinstance(sizes, str) else [sizes]
    checked = [check_units(size, "an entry of hidden_layer_sizes") for size in units]
    activations = [own_name(name) for name in _one_a_layer(activation, len(checked), "activation")]
    rates = _one_a_layer(dropout, len(checked), "dropout")
    starts = [_glorot(name) for name in activations]
    layers = tuple(
        Dense(size, name, rate, initializer=start, bias_initializer=start)
        for size, name, rate, start in zip(checked, activations, rates, starts, strict=True)
    )
    if starts:
        return layers, starts[-1]
    return layers, _glorot(own_name(activation) if isinstance(activation, str) else "identity")


def _check_no_iterator(values: Any, name: str) -> None:
    """Say so when a parameter can be gone through only once: the next fit would find it empty."""
    if isinstance(values, Iterator):
        raise ArgumentTypeError(
            f"{name} is an iterator ({type(values).__name__}), which can be read once, but every fit reads it; give a "
            f"list or a tuple, such as {name}=list(...)"
        )


def _glorot(activation: str) -> VarianceScaling:
    """Uniform within √(6 / (fan_in + fan_out)), or √(2 / ...) for the sigmoid; biases too."""
    return VarianceScaling(1 / 3 if activation == "sigmoid" else 1.0, "average", "uniform")


def _one_a_layer(values: Any, layers: int, name: str) -> list[Any]:
    """A value that is for all hidden layers, or one of each, as one of each."""
    _check_no_iterator(values, name)
    if isinstance(values, str) or not np.iterable(values):
        return [values] * layers
    listed = list(values)
    if len(listed) != layers:
        raise ArgumentError(
            f"{name} must be one for all hidden layers, or a list with one for each of {layers}; got {len(listed)}"
        )
    return listed


def _optimizer(estimator: Any) -> Optimizer | None:
    solver = _one_of(estimator.solver, "solver", SOLVERS)
    rate = check_size(estimator.learning_rate_init, "learning_rate_init")
    if rate == 0:
        raise ArgumentError("learning_rate_init must be above 0, got 0: nothing would be learned")
    momentum = check_size(estimator.momentum, "momentum")
    if momentum > 1:
        raise ArgumentError(f"momentum must lie between 0 and 1, got {momentum!r}")
    nesterov = check_switch(estimator.nesterovs_momentum, "nesterovs_momentum")
    betas = {name: below_one(getattr(estimator, name), name) for name in ("beta_1", "beta_2")}
    # Only where it is asked for, so that everything else does without an optimizer that knows it.
    clipping = {} if estimator.clip_norm is None else {"clip_norm": estimator.clip_norm}
    if solver == "sgd":
        # scikit-learn takes 1, fastmlp only what is below; the difference is the last bit of a float.
        momentum = min(float(momentum), math.nextafter(1.0, 0.0))
        return SGD(rate, momentum, nesterov and momentum > 0, **clipping)
    if solver == "rmsprop":
        return RMSprop(rate, estimator.decay, estimator.epsilon, **clipping)
    adam = dict(**betas, epsilon=estimator.epsilon, epsilon_hat=True, **clipping)
    if solver == "adam":
        return Adam(rate, **adam)
    return AdamW(rate, weight_decay=estimator.weight_decay, **adam) if solver == "adamw" else None


def _schedule(schedule: Any, solver: str) -> Callable[[float], Schedule] | Schedule | ReduceOnPlateau | None:
    if schedule is None:
        return None
    if solver == "lbfgs":
        raise ArgumentError("schedule needs a solver with a learning rate, such as 'adam'; got solver='lbfgs'")
    if isinstance(schedule, ReduceOnPlateau):
        return schedule
    if isinstance(schedule, str):
        if schedule == "plateau":
            return ReduceOnPlateau("loss")
        if schedule not in SCHEDULES:
            raise unknown_name("schedule", schedule, [*SCHEDULES, "plateau"])
        return SCHEDULES[schedule]
    return get_schedule(schedule, 1)


def _early_stopping(early_stopping: Any) -> str:
    if isinstance(early_stopping, str):
        return _one_of(early_stopping, "early_stopping", ("loss", "metric"))
    if not isinstance(early_stopping, bool | np.bool_):
        raise ArgumentTypeError(f"early_stopping must be True, False, 'loss' or 'metric', got {early_stopping!r}")
    return "metric" if early_stopping else ""


def _patience(n_iter_no_change: Any) -> float:
    if isinstance(n_iter_no_change, float | np.floating) and np.isposinf(n_iter_no_change):
        return math.inf
    return check_whole(n_iter_no_change, "n_iter_no_change", 1, 2**31)


def below_one(value: Any, name: str) -> float:
    """Return a number in [0, 1), or say that it must be one."""
    number = check_number(value, name, "a number in [0, 1)")
    if not 0 <= number < 1:
        raise ArgumentError(f"{name} must lie in [0, 1), got {number!r}")
    return float(number)


def _one_of(value: Any, name: str, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        raise unknown_name(name, value, choices)
    return value


def _is(value: Any, name: str) -> bool:
    return isinstance(value, str) and value == name
