"""What classifier and regressor share: fitting, weights, pickling (floor 9; imports numpy, sklearn, errors, model,
data, engines, formats, training, network).

An estimator holds a `Network`, as `network_`, and trains its state. `coefs_` and `intercepts_` are views of the same
memory, for reading and for writing; where other arrays were put in their place, those are taken over before they are
next needed.
"""

from dataclasses import replace
from functools import lru_cache
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from ..data.dataset import Dataset, Split, check_pair, training_data
from ..data.memory_map import is_mapped
from ..data.samples import Scaling, memory_range
from ..data.scale import warn_if_badly_scaled
from ..data.targets import Labels, Targets
from ..data.weights import mean_one
from ..engines import Engine, engine_for
from ..errors import ArgumentError, ArgumentTypeError, DivergenceError, warn
from ..formats import Checkpoint
from ..model.architecture import Architecture, Array, Dense
from ..model.history import History
from ..model.initializers import VarianceScaling
from ..model.schedules import Constant, Schedule
from ..model.training_state import TrainingState
from ..network import Network
from ..training import arguments, loop
from ..training.callbacks import FitRun
from ..training.plateau import ReduceOnPlateau
from ..training.rules import Plan
from .batches import Batches, blocks_of
from .convergence import warn_of_no_convergence
from .lbfgs import minimise
from .many_fits import INTERRUPTED, OUT_OF_EPOCHS, ManyFits
from .progress import Progress
from .rules import Curves, ScikitLearnRules
from .settings import Settings, read_settings, their_name
from .their_words import NOT_FINITE
from .validation import hold_out

Rows = NDArray[np.int64]

FLOATS = (np.float64, np.float32)

SCALING_REMEDY = "give standardize=True, or put a StandardScaler before the network"


def rules_for(X: Any) -> dict[str, Any]:
    """Return by which rules scikit-learn is to check samples.

    Memory maps are not to be looked at for NaN and infinity: scikit-learn would read them as a whole, and what was read
    stays in memory. `as_samples` does so a part at a time.
    """
    stays_on_disk = isinstance(X, np.ndarray) and is_mapped(X) and X.dtype in FLOATS
    return {"accept_sparse": "csr", "dtype": FLOATS, "ensure_all_finite": not stays_on_disk}


def keep_parameters(estimator: Any, given: dict[str, Any]) -> None:
    """Keep what a constructor was given, as scikit-learn wants it: under the same names and unchanged."""
    for name, value in given.items():
        if name not in ("self", "__class__"):
            setattr(estimator, name, value)


class BaseMLP(BaseEstimator):
    """The base of `MLPClassifier` and `MLPRegressor`."""

    _metric = ""
    """What the score is called in `history_`."""

    _many = ManyFits()
    """Whoever trains many at once replaces it."""

    network_: Network
    _progress: Progress
    _curves: Curves

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Train.

        Ctrl-C ends the training, with a warning and the weights of the last finished epoch; a first fit that finished
        none leaves the estimator unfitted. Where all of `max_iter` was needed, a
        ConvergenceWarning says so: not inside of a search, a cross-validation or an ensemble, and not with a
        `schedule`, which is a plan for so many epochs.

        Parameters
        ----------
        X : array_like, sparse matrix or data frame, shape (n_samples, n_features)
            Sparse rows are never made dense.
        y : array_like, shape (n_samples,) or (n_samples, n_outputs)
            For a classifier labels of any kind; or rows of 0 and 1, a column for each label that may be given along
            with others. For a regressor numbers.
        sample_weight : array_like, shape (n_samples,), optional
        X_val, y_val, sample_weight_val : array_like, optional
            Samples to judge the network by after each epoch.

        Returns
        -------
        MLPClassifier or MLPRegressor
            The estimator.

        Raises
        ------
        ArgumentError, ArgumentTypeError, ValueError
            An argument that can't be used.
        DivergenceError
            Losses or weights became infinite or NaN. Weights are those of before.
        """
        ended = self._many.fit(self, X, y, sample_weight, (X_val, y_val, sample_weight_val))
        if ended == INTERRUPTED:
            warn("Training interrupted by user.")
        elif ended == OUT_OF_EPOCHS:
            warn_of_no_convergence(self)
        return self

    def _fit_in_part(
        self, X: Any, y: Any, sample_weight: Any, validation: tuple[Any, Any, Any], classes: Any = None
    ) -> Self:
        """Train one more epoch, on samples or on each of some blocks of them, for `partial_fit`."""
        for block in blocks_of(X, y, sample_weight):
            if self._fit(*block, validation, incremental=True, classes=classes) == INTERRUPTED:
                warn("Training interrupted by user.")
        return self

    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any, Any],
        *,
        incremental: bool = False,
        classes: Any = None,
        among_many: bool = False,
    ) -> str:
        """Train, for `fit` or for one epoch of `partial_fit`, or `among_many` that are trained at once.

        Returns
        -------
        str
            `INTERRUPTED` or `OUT_OF_EPOCHS`, of which somebody may be told, or nothing.
        """
        before = dict(vars(self))
        try:
            settings = read_settings(self)
            goes_on = self._is_trained() and (incremental or settings.warm_start)
            network, progress, data = self._planned(
                settings, goes_on, incremental, X, y, sample_weight, validation, classes, among_many
            )
        except BaseException:
            # Nothing was trained: the estimator is to be what it was.
            self.__dict__ = before
            raise
        if goes_on:
            self._go_on(settings, incremental)
        else:
            self.network_, self._progress, self._curves = network, progress, Curves()
            self.n_iter_, self.loss_, self.stop_reason_ = 0, np.inf, ""
        engine, is_model, interrupted = engine_for("auto", self.network_.architecture), goes_on, False
        try:
            if settings.optimizer is None:
                converged = self._train_at_once(settings, engine, data)
            else:
                converged = self._train_in_batches(settings, engine, data, incremental)
            interrupted = self.stop_reason_ == "interrupted"
            is_model = is_model or not interrupted
        finally:
            if is_model or self.n_iter_:
                self._show()
            else:
                self.__dict__ = before  # weights that no epoch has trained are no model
        if interrupted:
            return INTERRUPTED
        return "" if converged else OUT_OF_EPOCHS

    def _planned(
        self,
        settings: Settings,
        goes_on: bool,
        incremental: bool,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any, Any],
        classes: Any,
        among_many: bool,
    ) -> tuple[Network, Progress, Dataset]:
        """Check all that was given; return the network to train, its progress and the data."""
        given = self._given_weights() if incremental or settings.warm_start else None
        X_val, y_val, weight_val = validation
        check_pair(X_val, y_val)
        X, y = self._checked(X, y, reset=not goes_on)
        labels, n_outputs = self._learned(y, goes_on, incremental, classes)
        if X_val is not None:
            X_val, y_val = self._checked_validation(X_val, y_val, y)
        architecture = self._architecture(settings, X.shape[1], n_outputs, X.dtype, goes_on)
        if goes_on:
            network, progress = self.network_, self._progress
        else:
            network, progress = self._start(settings, architecture, labels, given)
        standardizes = settings.standardize and not goes_on
        data, _ = training_data(
            architecture,
            X,
            y,
            labels=labels,
            scaling="standardize" if standardizes else network.scaling,
            sample_weight=for_each(sample_weight, X.shape[0]),
            class_weight=self._class_weight(incremental),
            X_val=X_val,
            y_val=y_val,
            sample_weight_val=weight_val if X_val is None else for_each(weight_val, X_val.shape[0]),
            split=self._splitter(settings, progress, given=X_val is not None),
            proportions=False,
        )
        network.scaling = data.samples.scaling
        if not goes_on and not standardizes and not among_many:
            warn_if_badly_scaled(data.samples, SCALING_REMEDY, getattr(self, "feature_names_in_", None))
        return network, progress, data

    def _splitter(self, settings: Settings, progress: Progress, given: bool) -> Split:
        """Return what draws the rows to hold out, where early stopping needs some and none were `given`."""

        def split(n_rows: int, weights: Array | None, targets: Targets) -> tuple[Rows, Rows] | None:
            if given or not settings.early_stopping or settings.optimizer is None:
                return None
            if progress.held_out is None or sum(map(len, progress.held_out)) != n_rows:
                share, strata = settings.validation_fraction, self._strata(targets)
                progress.held_out = hold_out(n_rows, share, progress.random_state, strata, weights)
            return progress.held_out

        return split

    def _start(
        self, settings: Settings, architecture: Architecture, labels: Labels, given: Any
    ) -> tuple[Network, Progress]:
        """Start a new network, with the draws of scikit-learn: the same random_state gives the same first weights."""
        try:
            random_state = check_random_state(self.random_state)
        except ValueError as error:
            raise ArgumentError(
                f"random_state must be None, a whole number from 0 to 2**32 - 1 or a RandomState: {error}"
            ) from None
        parameters = architecture.initialize(random_state)
        dropping = any(layer.dropout for layer in architecture.layers)
        seed = int(random_state.randint(2**31 - 1)) if dropping else 0
        state = TrainingState(parameters, np.random.default_rng(seed), seed)
        network = Network.from_checkpoint(Checkpoint(architecture, state, labels, Scaling()))
        if given is not None:
            network.set_weights(given)
        rate = 0.0 if settings.optimizer is None else float(settings.optimizer.learning_rate)
        return network, Progress(random_state, rate, rate)

    def _go_on(self, settings: Settings, incremental: bool) -> None:
        """Go on from where the last fit stopped, with the parameters of now."""
        self._serve_live()
        progress, state = self._progress, self.network_.state
        if settings.optimizer is None:
            return
        rate = float(settings.optimizer.learning_rate)
        if rate != progress.first_rate or state.moments_kind not in ("", settings.optimizer.kind):
            progress.first_rate = progress.rate = rate
        if not incremental and callable(settings.schedule):
            # As with Network.fit, a name's schedule starts with the fit.
            progress.schedule_start = state.epoch

    def _train_in_batches(self, settings: Settings, engine: Engine, data: Dataset, incremental: bool) -> bool:
        assert settings.optimizer is not None
        network, progress, architecture = self.network_, self._progress, self.network_.architecture
        epochs = 1 if incremental else settings.max_iter
        batch_size = min(settings.batch_size or 200, data.n_training_rows)
        batches = Batches(data.training_rows, batch_size, settings.shuffle, settings.alpha, architecture, data.weights)
        if any(len(places) != data.n_training_rows for places in progress.drawn):
            progress.drawn = ()
        schedule: Schedule | None = None
        if settings.schedule is not None and not isinstance(settings.schedule, ReduceOnPlateau):
            schedule = settings.schedule(settings.max_iter) if callable(settings.schedule) else settings.schedule
            arguments.check_schedule(schedule, epochs, network.state.epoch - progress.schedule_start)
        run = FitRun(
            network,
            network.state,
            History(),
            settings.optimizer,
            progress.rate,
            epochs,
            arguments.figures(data),
            schedule or Constant(),
            progress.schedule_start,
        )
        turns = network._turns
        plan = Plan(
            architecture, engine, data, batch_size, self._threads(settings), between_epochs=turns.between_epochs
        )
        rules = ScikitLearnRules(
            plan,
            run,
            network.history,
            settings=settings,
            batches=batches,
            progress=progress,
            curves=self._curves,
            metric=self._metric,
            loss_share=self._loss_share(),
        )
        try:
            with turns.fit(), self._many.stopping(run):
                loop.fit(plan, run, rules)
        finally:
            progress.rate = run.learning_rate
            self.n_iter_ = run.epoch + (rules.forgiven is not None)
            self.stop_reason_ = str(rules.forgiven or run.history.stop_reason)
            if settings.early_stopping and progress.best_parameters is not None:
                # What is answered with are the best weights; a later fit goes on from where this one stopped.
                progress.live = network.state.parameters.copy()
                network.state.parameters[...] = progress.best_parameters
        all_done = self.stop_reason_ == "epochs done"
        if all_done:
            self.stop_reason_ = f"max_iter={epochs} epochs done"
        # A schedule has the rate that it was to end with.
        return not all_done or schedule is not None

    def _train_at_once(self, settings: Settings, engine: Engine, data: Dataset) -> bool:
        network = self.network_
        total = float(data.n_rows if data.weights is None else data.weights.sum(dtype=np.float64))
        weights = None if data.weights is None else mean_one(data.weights)
        found = minimise(
            engine,
            network.architecture,
            network.state.parameters,
            replace(data, weights=weights, validation=None),
            settings.alpha / total,
            threads=self._threads(settings),
            tol=settings.tol,
            max_iter=settings.max_iter,
            max_fun=settings.max_fun,
            verbose=settings.verbose,
        )
        if found.reason == "interrupted" and not found.iterations:
            self.stop_reason_ = found.reason
            return True
        if not (np.isfinite(found.objective) and np.isfinite(found.parameters).all()):
            low, high = memory_range(data.samples)
            raise DivergenceError(
                f"training diverged in iteration {found.iterations}: the loss or the weights that solver='lbfgs' "
                f"arrived at are not finite, with features from {low:g} to {high:g}. Weights are as they were before; "
                f"give standardize=True, or scale X and y to about unit size. In scikit-learn's words: {NOT_FINITE}"
            )
        network.state.parameters[...] = found.parameters
        self.n_iter_, self.loss_, self.stop_reason_ = found.iterations, found.objective, found.reason
        for objective in found.curve:
            self._curves.append(objective, None, {"loss": objective})
        return found.converged

    def _show(self) -> None:
        """Have the attributes say what the training came to."""
        network, curves, progress = self.network_, self._curves, self._progress
        self.history_ = curves.history
        self.loss_curve_ = curves.objective
        self._no_improvement_count = progress.unimproved
        self.t_ = progress.samples
        if read_early_stopping(self):
            self.validation_scores_: list[float] | None = curves.scores
            self.best_validation_score_: float | None = progress.best_score
            self.best_loss_: float | None = None
        else:
            self.validation_scores_ = self.best_validation_score_ = None
            self.best_loss_ = progress.best_loss if self.solver != "lbfgs" else self.loss_
        if curves.objective and self.solver != "lbfgs":
            self.loss_ = curves.objective[-1]
        architecture = network.architecture
        self.n_layers_, self.n_outputs_ = len(architecture.sizes), architecture.outputs
        self.out_activation_ = their_name(architecture.layers[-1].activation)
        self._serve()

    def _architecture(
        self, settings: Settings, n_features: int, n_outputs: int, dtype: np.dtype[Any], goes_on: bool
    ) -> Architecture:
        """Return the network's layers; those of a warm start must be the ones that are there."""
        loss, output = self._loss_and_output()
        there = self.network_.architecture if goes_on else None
        sizes, options = (n_features, n_outputs), tuple(self._loss_options().items())
        architecture = _built(
            settings.hidden, settings.last, sizes, output, loss, dtype if there is None else there.dtype, options
        )
        if there is not None and architecture != there:
            raise ArgumentError(
                f"the network has layers of {list(there.sizes)} units and these parameters ask for "
                f"{list(architecture.sizes)}, or for other activations, dropout or loss; a training can't go on in "
                "another network: give warm_start=False, or a clone of the estimator"
            )
        return architecture

    def _class_weight(self, incremental: bool) -> Any:
        """What classes count in the training; None where there are none."""
        return None

    def _checked(self, X: Any, y: Any, reset: bool, name: str = "y", **rules: Any) -> tuple[Any, Any]:
        """Samples and targets, checked by scikit-learn with `rules` besides; one column of targets made flat.

        `name` is what messages of ours call the targets.
        """
        check_no_dates(X)
        X, y = validate_data(self, X, y, **rules_for(X), multi_output=True, reset=reset, **rules)
        return X, column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _checked_validation(self, X_val: Any, y_val: Any, y: Any) -> tuple[Any, Any]:
        """The same for validation data, whose targets must be of the form of `y`."""
        try:
            X_val, y_val = self._checked(X_val, y_val, reset=False, name="y_val")
        except (ArgumentError, ArgumentTypeError):
            raise
        except (ValueError, TypeError) as error:
            kind = ArgumentTypeError if isinstance(error, TypeError) else ArgumentError
            raise kind(f"X_val and y_val: {error}") from error
        if y_val.shape[1:] != y.shape[1:]:
            raise ArgumentError(
                f"y_val must be of the form of y, {_form(y)}, but has the shape {y_val.shape}; give validation targets "
                "as the training's"
            )
        return X_val, y_val

    def _learned(self, y: Any, goes_on: bool, incremental: bool, classes: Any) -> tuple[Labels, int]:
        """What there is to learn from these targets: labels, and the outputs that they take."""
        raise NotImplementedError

    def _strata(self, targets: Targets) -> Any:
        """Classes that training and held-out rows share in the same proportions; None where they needn't."""
        return None

    def _loss_and_output(self) -> tuple[str, str | None]:
        """The network's loss, and its output's activation, where that is not the loss's own."""
        raise NotImplementedError

    def _loss_options(self) -> dict[str, Any]:
        """What else the network needs to know about its loss."""
        return {}

    def _loss_share(self) -> float:
        return 1.0

    def _outputs(self, X: Any) -> Array:
        """Outputs of the network, shape (n_samples, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, **rules_for(X), reset=False)
        self._take_over()
        return self.network_(X)

    def activations(self, X: Any) -> list[Array]:
        """Return what every layer holds for these samples: the input as the network sees it, hidden layers, outputs.

        Parameters
        ----------
        X : array_like or sparse matrix, shape (n_samples, n_features)

        Returns
        -------
        list of ndarray, shapes (n_samples, units)
        """
        check_is_fitted(self)
        X = validate_data(self, X, **rules_for(X), reset=False)
        self._take_over()
        return self.network_.activations(X)

    def _threads(self, settings: Settings) -> int:
        return settings.threads or self._many.threads

    def __sklearn_clone__(self) -> Self:
        cloned: Self = super().__sklearn_clone__()
        if "_many" in vars(self):
            cloned._many = self._many
        return cloned

    def _is_trained(self) -> bool:
        return "network_" in vars(self)

    def _given_weights(self) -> list[tuple[Array, Array]] | None:
        """Weights that somebody gave an estimator that was never fitted, to start from."""
        if self._is_trained() or not {"coefs_", "intercepts_"} <= vars(self).keys():
            return None
        return [(np.asarray(W), np.asarray(b).reshape(-1)) for W, b in zip(self.coefs_, self.intercepts_, strict=True)]

    def _serve(self) -> None:
        """Have `coefs_` and `intercepts_` be views of the network's memory."""
        views = self.network_.architecture.views(self.network_.state.parameters)
        self.coefs_, self.intercepts_ = [W for W, _ in views], [b for _, b in views]
        self._served = tuple(self.coefs_), tuple(self.intercepts_)

    def _take_over(self) -> None:
        """Take over arrays that were put in the place of those that `_serve` gave out."""
        served = self._served
        if all(a is b for a, b in zip((*self.coefs_, *self.intercepts_), (*served[0], *served[1]), strict=True)):
            return
        self.network_.set_weights(list(zip(self.coefs_, self.intercepts_, strict=True)))
        self._serve()

    def _serve_live(self) -> None:
        """Go on from where the training stopped, where early stopping had gone back to the best weights.

        Not where somebody changed those: then it goes on from what they are now.
        """
        if "_served" in vars(self):
            self._take_over()
        progress, parameters = self._progress, self.network_.state.parameters
        if progress.live is not None and progress.best_parameters is not None:
            if np.array_equal(parameters, progress.best_parameters):
                parameters[...] = progress.live
            else:
                progress.forget_the_best()
        progress.live = None

    def __sklearn_is_fitted__(self) -> bool:
        return self._is_trained()

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        # Views would be pickled as arrays of their own: they are made anew from the network's memory instead.
        if "_served" in vars(self):
            self._take_over()
        state = dict(super().__getstate__())
        if self._is_trained():
            for name in ("coefs_", "intercepts_", "_served"):
                state.pop(name, None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if self._is_trained():
            self._serve()


@lru_cache(maxsize=64)
def _built(
    hidden: tuple[Dense, ...],
    last: VarianceScaling,
    sizes: tuple[int, int],
    output: str | None,
    loss: str,
    dtype: np.dtype[Any],
    options: tuple[tuple[str, Any], ...],
) -> Architecture:
    """Return the layers of a network of so many features and outputs."""
    layers: list[int | Dense] = [sizes[0], *hidden, Dense(sizes[1], output, initializer=last, bias_initializer=last)]
    return Architecture.build(layers, loss=loss, dtype=dtype, **dict(options))


def read_early_stopping(estimator: BaseMLP) -> bool:
    """Whether an estimator stops by validation scores."""
    return bool(estimator.early_stopping) and estimator.solver != "lbfgs"


def check_no_dates(X: Any) -> None:
    """Say so when features are dates or lengths of time, which scikit-learn would turn into nanoseconds.

    Raises
    ------
    ArgumentTypeError
    """
    columns = getattr(X, "dtypes", None)
    kinds = [X.dtype] if isinstance(X, np.ndarray) else list(columns) if np.iterable(columns) else []
    for number, kind in enumerate(kinds):
        if str(kind).lower().startswith(("datetime", "timedelta", "date", "duration")):
            where = "X holds" if isinstance(X, np.ndarray) else f"column {list(X.columns)[number]!r} of X holds"
            raise ArgumentTypeError(
                f"{where} {kind}, and a network takes numbers; give parts of the calendar, such as year, month and "
                "hour, or the time since a day, in days"
            )


def for_each(weight: Any, n_rows: int) -> Any:
    """Return a weight that was given for all samples as one of each."""
    return np.full(n_rows, weight) if np.isscalar(weight) else weight


def _form(y: Any) -> str:
    return "(n_samples,)" if y.ndim == 1 else f"(n_samples, {y.shape[1]})"
