"""A fit of a network: arguments checked, then planned, then trained (floor 7; imports checks, data, engines, model).

`Network.fit` does the three at once. `fit_many` plans all its fits before it trains the first, so that what is wrong
with one of them is said before any work.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

from ..checks import check_switch, check_whole
from ..data.augmentation import Augmentation
from ..data.dataset import Dataset
from ..data.fingerprint import fingerprints
from ..data.scale import warn_if_badly_scaled, warn_if_large
from ..data.sharing import Making, each_time
from ..engines import engine_for, get_engine
from ..model.architecture import Architecture
from ..model.history import History
from ..model.optimizers import Optimizer, get_optimizer
from . import arguments, checkpoints, loop
from .callbacks import Callback, FitRun
from .rules import Plan, Rules


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """The arguments of `Network.fit`, those checked that can be without its data.

    Attributes
    ----------
    epochs, batch_size, schedule, validation_split, class_weight, shuffle, resume_from
        As they were given.
    optimizer : Optimizer
    of_data : dict
        Those that hold data, by name.
    augmentation : Augmentation or None
    callbacks : list of Callback
    engine : str
    threads : int
        0 for "auto".
    """

    epochs: int
    batch_size: int
    optimizer: Optimizer
    schedule: Any
    validation_split: Any
    class_weight: Any
    of_data: dict[str, Any]
    shuffle: bool
    augmentation: Augmentation | None
    callbacks: list[Callback]
    resume_from: Any
    engine: str
    threads: int

    @classmethod
    def check(
        cls,
        architecture: Architecture,
        *,
        epochs: Any,
        batch_size: Any,
        optimizer: Any,
        schedule: Any,
        validation_split: Any,
        class_weight: Any,
        shuffle: Any,
        augment: Any,
        callbacks: Any,
        resume_from: Any,
        engine: Any,
        threads: Any,
        verbose: Any,
        **of_data: Any,
    ) -> Self:
        """Check what `Network.fit` was given, whose errors these are."""
        return cls(
            epochs=check_whole(epochs, "epochs", 1, 2**31),
            batch_size=check_whole(batch_size, "batch_size", 1, 2**31),
            optimizer=get_optimizer(optimizer),
            schedule=schedule,
            validation_split=validation_split,
            class_weight=class_weight,
            of_data=of_data,
            callbacks=arguments.check_callbacks(callbacks, verbose),
            augmentation=arguments.check_augment(augment, architecture.inputs),
            shuffle=check_switch(shuffle, "shuffle"),
            resume_from=resume_from,
            engine=_known(engine),
            threads=arguments.check_threads(threads),
        )


def _known(engine: str) -> str:
    get_engine(engine)
    return engine


class Fitting:
    """A fit of a network that is planned, and that `train` does; nothing of the network has changed before that.

    Parameters
    ----------
    network : Network
        Whose turn to be trained it is, until `train` is done.
    X, y : array_like
        As in `Network.fit`.
    settings : FitSettings
    once : Once, optional
        Where data are shared with other fits.

    Attributes
    ----------
    plan : Plan
    run : FitRun

    Raises
    ------
    ArgumentError, ArgumentTypeError, DataFileError
        As `Network.fit`.
    """

    def __init__(self, network: Any, X: Any, y: Any, settings: FitSettings, once: Making = each_time) -> None:
        asked, resume_from = settings, settings.resume_from
        arguments.check_something_trains(network.architecture)
        engine_for(settings.engine, network.architecture)  # says so where it has none, before the data are looked at
        self._network, self._settings = network, settings
        self._found = found = None if resume_from is None else checkpoints.read(resume_from, network.architecture)
        # What is asked of the network that is to be trained: this one, or this one as it was when it was saved.
        self._origin = network if found is None else type(network).from_checkpoint(found)
        first_epoch = network.state.epoch if found is None else checkpoints.first_epoch(found)
        scheduled = arguments.check_schedule(asked.schedule, asked.epochs, first_epoch)
        data, self._labels, blocks = arguments.fit_data(
            self._origin,
            X,
            y,
            asked.validation_split,
            asked.augmentation,
            class_weight=asked.class_weight,
            once=once,
            **asked.of_data,
        )
        columns, rate = arguments.figures(data), float(asked.optimizer.learning_rate)
        of_run = asked.optimizer, rate, asked.epochs, columns, *scheduled
        self.run = run = FitRun(network, self._origin.state, History(), *of_run)
        run.first_epoch, run.callbacks = first_epoch, asked.callbacks
        self.plan = self._planned(data, blocks)
        self._note_settings(data)
        if found is not None:
            checkpoints.check_same(resume_from, found, run)
        elif network.scaling == "auto":
            remedy = "make the network with scaling='standardize'"
            once("warning of scale", lambda: warn_if_badly_scaled(data.samples, remedy), data.samples)
        if first_epoch == 0 and data.task == "regression" and network.architecture.layers[-1].activation == "identity":
            once("warning of targets", lambda: warn_if_large(data.targets), data.targets)

    def train(self) -> History:
        """Train as planned; see `Network.fit`."""
        return loop.alone(self.begin(together=False))

    def begin(self, together: bool = True) -> loop.Training[History]:
        """Train as planned, but `together` with other fits: short epochs are asked for, see `loop.training`."""
        network, run, found = self._network, self.run, self._found
        if found is not None:
            network._become(self._origin)
            run.state = network.state
            checkpoints.resume(run, found)
        before = network.labels, network.scaling
        network.labels, network.scaling = self._labels, self.plan.data.samples.scaling
        try:
            plan = replace(self.plan, together=together)
            rules = Rules(plan, run, network.history, self._settings.shuffle, run.callbacks)
            return (yield from loop.training(plan, run, rules, lambda: checkpoints.recall(run, found)))
        finally:
            if not run.epoch:
                network.labels, network.scaling = before

    def _planned(self, data: Dataset, blocks: Callable[[], Iterator[Dataset]] | None) -> Plan:
        asked, network = self._settings, self._network
        most = asked.batch_size if blocks else min(asked.batch_size, data.n_training_rows)
        given = network.architecture, engine_for(asked.engine, network.architecture), data, most, asked.threads
        return Plan(*given, blocks, asked.augmentation, network._turns.between_epochs)

    def _note_settings(self, data: Dataset) -> None:
        """Note what has to be the same for this fit to be resumed, where somebody may ask."""
        asked, run = self._settings, self.run
        if not run.callbacks and self._found is None:
            return
        run.settings = arguments.fit_settings(
            run, asked.batch_size, asked.shuffle, asked.augmentation, asked.validation_split, asked.class_weight
        )
        if self._found is not None or any(isinstance(callback, checkpoints.Checkpoint) for callback in run.callbacks):
            given = (asked.of_data[name] for name in ("sample_weight", "rows", "rows_val"))
            run.settings |= fingerprints(data, *given) | self._network._asked
