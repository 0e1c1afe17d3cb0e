"""`fit_many`: many networks trained on one table (floor 8; imports numpy, checks, errors, data, engines, model,
executors, many_parcels, training, network).
"""

import copy
import inspect
import os
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from .checks import check_whole, explained
from .data.sharing import Once
from .engines import engine_for, get_engine
from .engines.base import Alike, Engine
from .errors import ArgumentError, ArgumentTypeError, DataFileError, TrainingError, unknown_argument, warn
from .executors import check_executor, check_travels
from .many_parcels import train_by
from .model.history import History, short
from .model.optimizers import Optimizer
from .model.schedules import Schedule
from .network import Network
from .training import arguments
from .training.callbacks import Callback
from .training.checkpoints import Checkpoint
from .training.csv_log import CSVLogger
from .training.fitting import FitSettings, Fitting
from .training.pool import Job, do_all
from .training.progress import Lines, duration
from .training.rules import density, epoch_work, short_epochs
from .training.side_by_side import lead
from .training.steps import watches_steps

_COMMON = ("X", "y", "engine", "threads", "verbose")
"""Arguments of `Network.fit` that hold for all networks."""

_WRITERS = (Checkpoint, CSVLogger)
"""Callbacks that write to a file at `path`."""

_TABLES = ("X_val", "y_val", "sample_weight")
"""Arguments that travel with X and y."""

OWN = tuple(name for name in inspect.signature(Network.fit).parameters if name not in ("self", *_COMMON))
"""Arguments that may differ between networks."""


class Fitted(NamedTuple):
    """Result of one network of `fit_many`.

    Examples
    --------
    >>> from fastmlp import Network, fit_many
    >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
    >>> (fitted,) = fit_many([Network([2, 8, 2], seed=1)], X, y, epochs=3, verbose=0)
    >>> fitted.history.epochs, fitted.error
    (3, None)
    """

    network: Network
    """The one that was given, trained."""
    history: History
    """Of this fit; its `stop_reason` says why it ended."""
    error: BaseException | None = None
    """What ended it, such as a `TrainingError`; None if nothing went wrong. The network is as it was after the last
    finished epoch.
    """


@explained
def fit_many(
    networks: Sequence[Network],
    X: Any,
    y: Any,
    *,
    epochs: int | None = None,
    batch_size: int = 32,
    optimizer: str | Optimizer = "adam",
    schedule: str | Schedule | None = None,
    X_val: Any = None,
    y_val: Any = None,
    validation_split: float = 0.0,
    rows: Any = None,
    rows_val: Any = None,
    sample_weight: Any = None,
    class_weight: Any = None,
    shuffle: bool = True,
    augment: Any = None,
    callbacks: Any = (),
    resume_from: Any = None,
    settings: Sequence[Mapping[str, Any]] | None = None,
    engine: str = "auto",
    threads: int | str = "auto",
    verbose: int = 1,
    executor: Any = None,
) -> list[Fitted]:
    """Train many networks on the same samples in parallel; each result is bit-identical to that of `Network.fit` alone.

    Networks may differ in everything: layers, losses, seeds, and by `settings`, in how they are trained and on which
    rows. Samples are checked, scaled and compressed once, and not copied for a network; `rows_val` are copied once for
    each set of rows. A queue gives networks to threads, those with the most work first; each is trained by one thread.

    Ctrl-C ends the training: networks that are done stay, those under way are as they were after their last finished
    epoch, and the others are as they were.

    Parameters
    ----------
    networks : sequence of Network
    X, y : array_like
        As in `Network.fit`, which takes blocks too; here the samples are one table.
    epochs, batch_size, optimizer, schedule, X_val, y_val, validation_split, rows, rows_val, sample_weight, \
class_weight, shuffle, augment, callbacks, resume_from
        As in `Network.fit`, for all networks. Of several networks each gets copies of the callbacks, attributes
        included; a function is called for each network, by the thread that trains it.
    settings : sequence of mapping, optional
        A mapping for each network: arguments that replace the shared ones, such as
        ``[{"optimizer": SGD(0.1)}, {"optimizer": SGD(1.0), "rows": fold}]``.
    engine : {"auto", "numba", "loops", "numpy"}, default "auto"
    threads : int >= 1 or "auto", default "auto"
        How many networks are trained at a time; "auto" is as many as there are processors. A single network is trained
        as `fit` does it.
    verbose : {0, 1, 2}, default 1
        0: silent; 1: a progress line, on a terminal and in notebooks; 2: a line for every network.
    executor : Executor, optional
        Has its workers train the networks, in other processes or on other machines: anything with the `submit` of
        `concurrent.futures`, such as a ``ProcessPoolExecutor``, mpi4py's ``MPIPoolExecutor``, or Dask's
        ``client.get_executor()``. Results are the same to the bit. Networks travel in chunks of some seconds, and the
        data to each worker that asks for them. `threads` then are those of a worker, by default 1. What a worker loses
        is trained by another one, or in this process. Callbacks run in the workers, as copies.

    Returns
    -------
    list of Fitted
        ``(network, history, error)`` in the order of `networks`. What goes wrong in the training of one network is in
        its `error`, and the others go on.

    Raises
    ------
    ArgumentError, ArgumentTypeError, DataFileError, MissingDependencyError
        As `Network.fit`, with the place of the network; nothing was trained.
    TrainingError
        Another fit trains one of the networks.

    Examples
    --------
    Five networks, each judged by a fifth of the rows that it doesn't see:

    >>> import numpy as np
    >>> from fastmlp import Network, fit_many
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = X[:, 0] > X[:, 1]
    >>> folds = np.arange(200) % 5
    >>> networks = [Network([3, 8, 2], seed=number) for number in range(5)]
    >>> settings = [{"rows": folds != number, "rows_val": folds == number} for number in range(5)]
    >>> fitted = fit_many(networks, X, y, epochs=200, settings=settings, verbose=0)
    >>> all(result.history.val_accuracy[-1] > 0.8 for result in fitted)
    True
    """
    shared = {name: value for name, value in locals().items() if name in OWN}
    level = check_whole(int(verbose) if isinstance(verbose, bool) else verbose, "verbose", 0, 2)
    if y is None:
        raise ArgumentTypeError("fit_many needs y: samples that come in blocks are for Network.fit")
    check_executor(executor)
    chosen = _check_networks(networks)
    own = _check_settings(settings, shared, len(chosen))
    together = at_once(arguments.check_threads(threads), len(chosen), engine)
    shared |= {"engine": engine, "threads": 1 if len(chosen) > 1 else threads, "verbose": 0}
    travelling = {name: value for name, value in shared.items() if name not in _TABLES}
    if executor is not None:
        travelling["threads"] = 1 if threads == "auto" else threads
        check_travels(travelling.items())
        for number, given in enumerate(own):
            check_travels((f"settings[{number}][{name!r}]", value) for name, value in given.items())
    with ExitStack() as turns:
        planned, once = [], Once()
        for number, (network, given) in enumerate(zip(chosen, own, strict=True)):
            with _of_network(number):
                planned.append(_settings(network, given, shared, once, len(chosen)))
        _check_callbacks(planned)
        for number, network in enumerate(chosen):
            with _of_network(number):
                turns.enter_context(network._turns.fit())
        fittings = []
        for number, (network, asked) in enumerate(zip(chosen, planned, strict=True)):
            with _of_network(number):
                fittings.append(Fitting(network, X, y, asked, once))
        for architecture in {network.architecture.dtype: network.architecture for network in chosen}.values():
            engine_for(engine, architecture).load(architecture)  # to compile is no part of any fit
        jobs = [Job(fitting.run, fitting.train, fitting.begin, _work(fitting)) for fitting in fittings]
        with _Show(jobs, level) as show:
            left = list(range(len(chosen)))
            if executor is not None:
                data = {"X": X, "y": y} | {name: shared[name] for name in _TABLES}
                left = train_by(executor, chosen, data, own, travelling, jobs, show)
            if left and executor is not None:
                warn(f"the executor lost workers; {len(left)} of {len(chosen)} networks are trained in this process")
            some = [jobs[number] for number in left]
            if some:
                do_all(some, _tasks([fittings[number] for number in left], some, together), together, show)
    return [Fitted(network, job.run.history, job.error) for network, job in zip(chosen, jobs, strict=True)]


def _check_networks(networks: Any) -> list[Network]:
    try:
        chosen = [networks] if isinstance(networks, Network) else list(networks)
    except TypeError:
        chosen = [networks]
    places: dict[int, int] = {}
    for number, network in enumerate(chosen):
        if not isinstance(network, Network):
            raise ArgumentTypeError(f"networks must be a list of Network objects, got {network!r} at {number}")
        first = places.setdefault(id(network), number)
        if first != number:
            raise ArgumentError(
                f"networks[{number}] is networks[{first}]; give another one, or a copy: copy.copy(network)"
            )
    if not chosen:
        raise ArgumentError("networks is empty; give at least one Network")
    return chosen


def _check_settings(settings: Any, shared: Mapping[str, Any], count: int) -> list[Mapping[str, Any]]:
    """Return the arguments that each network has for itself."""
    if isinstance(settings, Mapping):
        raise ArgumentTypeError("settings must be a list with a mapping for each network, got one mapping")
    try:
        given = [{}] * count if settings is None else list(settings)
    except TypeError:
        raise ArgumentTypeError(f"settings must be a list of mappings, got {settings!r}") from None
    if len(given) != count:
        raise ArgumentError(f"settings must have a mapping for each of {count} networks, got {len(given)}")
    for number, own in enumerate(given):
        if not isinstance(own, Mapping):
            raise ArgumentTypeError(f"settings[{number}] must be a mapping of names to values, got {own!r}")
        for name in own:
            if name in _COMMON:
                raise ArgumentError(f"settings[{number}]: {name} holds for all networks; give it to fit_many itself")
            if name not in OWN:
                raise unknown_argument(f"settings[{number}]", str(name), own[name], OWN)
        if own.get("epochs", shared["epochs"]) is None:
            raise ArgumentTypeError("fit_many needs epochs: how many times to go through the samples")
    if shared["resume_from"] is not None and count > 1:
        raise ArgumentError("resume_from is the file of one network; give each its own in settings")
    for one in arguments.check_callbacks(shared["callbacks"], 0) if count > 1 else ():
        if isinstance(one, _WRITERS):
            raise ArgumentError(f"a {type(one).__name__} writes the file of one network; give each its own in settings")
    return given


def _settings(
    network: Network, own: Mapping[str, Any], shared: Mapping[str, Any], once: Once, count: int
) -> FitSettings:
    """Return the checked arguments of one of `count` networks; what it shares with others is checked once."""

    def check() -> FitSettings:
        return FitSettings.check(network.architecture, **{**shared, **own})

    checked: FitSettings = check() if own else once("settings", check, network.architecture.inputs)
    if count == 1 or "callbacks" in own or not checked.callbacks:
        return checked
    return replace(checked, callbacks=[_copied(callback) for callback in checked.callbacks])


def _copied(callback: Callback) -> Callback:
    """Return a copy of a callback that networks share: it remembers what it saw."""
    try:
        return copy.deepcopy(callback)
    except Exception as error:
        raise ArgumentTypeError(
            f"callbacks: each network gets a copy, and {callback!r} can't be copied ({error}); give each network one "
            "of its own in settings"
        ) from error


def _check_callbacks(planned: Sequence[FitSettings]) -> None:
    """Say so when two networks have the same callback, which would mix up what it sees, or write to the same file."""
    whose: dict[Any, int] = {}
    for number, settings in enumerate(planned):
        for callback in settings.callbacks:
            name = os.path.realpath(callback.path) if isinstance(callback, _WRITERS) else id(callback)
            first = whose.setdefault(name, number)
            if first != number:
                raise ArgumentError(
                    f"settings[{number}] and settings[{first}] have the same callback, {callback!r}; give each its "
                    "own, or one to fit_many itself, which copies it"
                )


def at_once(threads: int, count: int, engine: str) -> int:
    """Return how many of so many networks are trained at a time; 0 threads leave it to the machine."""
    if not threads and get_engine(engine).name == "numpy":
        return 1  # between its products Python holds the others back
    if not threads:
        from .engines.simd.threads import available_threads  # which needs Numba

        threads = available_threads()
    return min(threads, count)


@contextmanager
def _of_network(number: int) -> Iterator[None]:
    """Have errors name the network that they are about."""
    try:
        yield
    except (ArgumentError, ArgumentTypeError, DataFileError, TrainingError) as error:
        raise type(error)(f"networks[{number}]: {error}") from None


def _work(fitting: Fitting) -> float:
    """Operations of a fit, about; the longest are begun first, so that no thread is left alone with one at the end."""
    plan = fitting.plan
    work = epoch_work(plan.architecture, plan.batch_size, plan.steps, density(plan.data))
    return fitting.run.epochs * work


def _tasks(fittings: Sequence[Fitting], jobs: Sequence[Job], threads: int) -> list[tuple[float, Callable[[], None]]]:
    """Return what threads are to do: lead networks that are alike side by side, and train the others one by one."""
    tasks: list[tuple[float, Callable[[], None]]] = []
    kinds: dict[tuple[Any, ...], tuple[Engine, Alike, list[Job]]] = {}
    for fitting, job in zip(fittings, jobs, strict=True):
        plan, alike = fitting.plan, None
        if short_epochs(plan) > 1 and not watches_steps(job.run.callbacks):
            alike = plan.engine.alike(plan.architecture, job.run.optimizer, plan.data, plan.batch_size)
        if alike is None:
            tasks.append((job.work, job.do))
        else:
            kinds.setdefault(alike.key, (plan.engine, alike, []))[2].append(job)
    for engine, alike, members in kinds.values():
        if not _pays(alike, len(members), threads):
            tasks += [(job.work, job.do) for job in members]
            continue
        alike.load()
        members.sort(key=lambda job: -job.work)
        leaders = min(threads, -(-len(members) // alike.most))
        most = min(alike.most, -(-len(members) // leaders))
        led = partial(lead, deque(members), most, engine.train_epochs, alike)
        tasks += [(sum(job.work for job in members) / leaders, led)] * leaders
    return tasks


def _pays(alike: Alike, count: int, threads: int) -> bool:
    """Whether so many networks are trained faster side by side than one by one, on so many threads."""
    calls_for_all, calls_alone = -(-count // (alike.most * threads)), -(-count // threads)
    return calls_for_all * alike.worth < calls_alone


class _Show:
    """Shows how far the fits are."""

    def __init__(self, jobs: Sequence[Job], verbose: int) -> None:
        self._jobs, self._numbers = jobs, {id(job): number for number, job in enumerate(jobs)}
        self._verbose, self._finished, self._wrong = verbose, 0, 0
        self._lines = Lines(max(1, verbose))

    def __enter__(self) -> "_Show":
        return self

    def __exit__(self, *_: object) -> None:
        jobs, stopped = self._jobs, sum(job.run.history.stop_reason == "interrupted" for job in self._jobs)
        self._lines.end(f"stopped: interrupted, {stopped} of {len(jobs)} networks" if stopped and self._verbose else "")
        wrong = [number for number, job in enumerate(jobs) if job.error is not None]
        if wrong and self._verbose:
            warn(
                f"the training of {len(wrong)} of {len(jobs)} networks failed, and the error is in the result of each; "
                f"the first is {wrong[0]}: {jobs[wrong[0]].error}",
                RuntimeWarning,
            )

    def __call__(self, finished: Sequence[Job], left: float | None) -> None:
        self._finished += len(finished)
        self._wrong += sum(job.error is not None for job in finished)
        count = len(self._numbers)
        if not self._verbose or not self._lines.seen:
            return
        if self._verbose == 2:
            for job in finished:
                self._lines.write(f"network {self._numbers[id(job)]}: {_outcome(job)}")
        else:
            parts = [f"{self._finished}/{count} networks"]
            parts += [f"{self._wrong} failed"] * (self._wrong > 0)
            parts += [f"{duration(left)} left"] if left is not None and self._finished < count else []
            self._lines.write("  ".join(parts))


def _outcome(job: Job) -> str:
    history = job.run.history
    if job.error is not None:
        return f"{type(job.error).__name__}: {job.error}"
    row = history.row() if history.epochs else {}
    figures = [f"{name} {short(row[name])}" for name in job.run.columns if name in row]
    seconds = float(np.sum(history["seconds"])) if history.epochs else 0.0
    return "  ".join([f"{history.epochs} epochs", *figures, f"{seconds:.2f} s"])
