"""`Network`: what a user holds (floor 8; imports numpy, checks, errors, tables, model, data, engines,
formats, training).
"""

import copy
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from .checks import check_switch, explained
from .data.augmentation import Augmentation
from .data.dataset import Dataset, labelled, present, samples_only
from .data.samples import Scaling, check_finite
from .data.targets import Labels, Targets, plain_targets
from .engines import engine_for
from .engines.base import FewRows, Score
from .engines.gradient_check import GradientCheck, check_gradient, check_options, places_of
from .engines.numpy_engine import forward_pass
from .engines.trace import Trace, trace
from .errors import ArgumentError
from .formats import Checkpoint, load_checkpoint, save_checkpoint
from .formats.checkpoint import in_layout, new_generator, writable
from .model.architecture import Architecture, Array, Dense, WeightsAndBias
from .model.history import Evaluation, History
from .model.initializers import Initializer
from .model.optimizers import Optimizer
from .model.schedules import Schedule
from .model.training_state import TrainingState
from .tables import Lines
from .training import arguments
from .training.fitting import FitSettings, Fitting
from .training.short import ShortFit
from .training.turns import Turns


class Network:
    """A multilayer perceptron: a network of fully connected layers.

    Parameters
    ----------
    layers : sequence
        The number of inputs, then a whole number of units or a `Dense` for every layer, such as ``[784, 30, 10]``.
    hidden : str, default "relu"
        Activation of the layers before the last that name none: identity, sigmoid, tanh, relu, leaky_relu, elu, gelu,
        silu, softmax, exponential, or one that you registered, see `fastmlp.register_activation`.
    output : str, optional
        Activation of the last layer where it names none; by default the one that belongs to the loss.
    loss : str, default "cross_entropy"
        cross_entropy (one label of several), binary_cross_entropy (two labels, or any set of labels), squared_error,
        absolute_error, huber, quantile (numbers of which a share lies below the outputs) or poisson (counts; the output
        is their expected number), or one that you registered, see `fastmlp.register_loss`.
    bias : bool, default True
        Whether layers that don't say have biases.
    initializer : str or initializer, default "auto"
        How weights start; "auto" is ``he_uniform`` before relu and its like, else ``xavier_uniform``.
    bias_initializer : str or initializer, default "zeros"
        "auto" is ``zeros``.
    l1, l2 : float, default 0.0
        Penalties on the weights, not the biases: the objective is the mean loss plus
        ``l1 * sum(|W|) + l2 / 2 * sum(W²)``.
    scaling : {"auto", "pixels", "centred_pixels", "standardize"}, Scaling or None, default "auto"
        What the network does to features before its first layer. "auto": the first `fit` decides, uint8 goes to [0, 1],
        all else stays as it is; "pixels": 0..255 to [0, 1]; "centred_pixels": 0..255 to [-1, 1]; "standardize": zero
        mean and unit variance over the training rows of the first `fit`, nothing before it; None: nothing. What "auto"
        decided holds for all later samples, as numbers of any type, and those of another kind are refused: after uint8,
        floats that are negative or none above 1; after numbers with fractions, or none beyond ±1, uint8.
    dtype : {"float32", "float64"}, default "float32"
    quantile : float in (0, 1), default 0.5
        The level of ``loss="quantile"``: the share of targets that are to lie below the outputs.
    label_smoothing : float in [0, 1), default 0.0
        The share of every target that ``loss="cross_entropy"`` spreads evenly over all outputs, and
        ``loss="binary_cross_entropy"`` over 0 and 1, in training as in validation and `evaluate`.
    seed : int in [0, 2**63], optional
        Decides the first weights, the order of the samples, dropout and validation splits. By default a fresh one, kept
        as `seed`.

    Attributes
    ----------
    architecture : Architecture
    seed : int
    labels : Labels or None
        What the outputs stand for; learned by the first `fit`.
    scaling : str or Scaling
        "auto" or "standardize" until the first `fit`, then the `Scaling` it became.
    history : History
        Of all fits.
    state : TrainingState
        The parameters as one vector, and all else that training goes on from.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An argument that makes no network; the message names it and says what to give.

    Examples
    --------
    >>> from fastmlp import Adam, Network
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> net = Network([2, 8, 2], hidden="tanh", seed=1)
    >>> history = net.fit(X, y, epochs=200, batch_size=4, optimizer=Adam(0.05), verbose=0)
    >>> net.predict(X).tolist()
    [0, 1, 1, 0]
    >>> net
    Network([2, Dense(8, 'tanh'), Dense(2, 'softmax')], loss='cross_entropy', seed=1)
    """

    @explained
    def __init__(
        self,
        layers: Sequence[int | Dense],
        *,
        hidden: str = "relu",
        output: str | None = None,
        loss: str = "cross_entropy",
        bias: bool = True,
        initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
        l1: float = 0.0,
        l2: float = 0.0,
        scaling: str | Scaling | None = "auto",
        dtype: Any = "float32",
        quantile: float = 0.5,
        label_smoothing: float = 0.0,
        seed: int | None = None,
    ) -> None:
        arguments.check_names(hidden, output)
        self.architecture = Architecture.build(
            layers,
            hidden=hidden,
            output=output,
            loss=loss,
            bias=bias,
            initializer=initializer,
            bias_initializer=bias_initializer,
            l1=l1,
            l2=l2,
            dtype=dtype,
            quantile=quantile,
            label_smoothing=label_smoothing,
        )
        self.scaling = arguments.check_scaling(scaling, self.architecture.inputs, self.architecture.dtype)
        self.labels: Labels | None = None
        self.history = History()
        chosen = arguments.check_seed(seed)
        # A generator for each purpose: another initializer does not change the order of the samples.
        parameters = self.architecture.initialize(np.random.default_rng([chosen, 0]))
        self.state = TrainingState(parameters, new_generator(chosen), chosen)
        self._turns = Turns()
        # What this network was asked to be, to be compared when a training is resumed; not kept in files.
        self._asked = {"scaling": scaling if isinstance(scaling, str) else repr(scaling)}
        self._asked |= {} if seed is None else {"seed": str(chosen)}

    # The shorter way of `_outputs_of_few`, made when it is first needed, behind the name of the engine and the scaling
    # that it was made for.
    _few: tuple[str, Scaling, FewRows] | None = None
    # What fits of one epoch are compared with, to do without planning where they ask for the same.
    _short: ShortFit | None = None
    # The labels for which the outputs are the probabilities, once that was found.
    _direct_labels: Labels | None = None

    @property
    def seed(self) -> int:
        """Seed of all random numbers of the network."""
        return self.state.seed

    @explained
    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        epochs: int,
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
        augment: str | Augmentation | None = None,
        callbacks: Any = (),
        resume_from: str | os.PathLike[str] | None = None,
        engine: str = "auto",
        threads: int | str = "auto",
        verbose: int = 1,
    ) -> History:
        """Train, or go on training: ``fit(epochs=3)`` then ``fit(epochs=2)`` equals ``fit(epochs=5)``, bit for bit.

        Ctrl-C ends the training with the network as it was after the last finished epoch; an epoch that diverges or
        fails is undone in the same way. A fit that finished no epoch leaves the network as it was.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
            An array (float32, float64 and uint8 are taken as they are), a DataFrame, a SciPy sparse matrix. Images of
            shape (n, height, width) are taken as rows of pixels. A memory map of one of these types, in C order, such
            as ``numpy.load(path, mmap_mode="r")``, stays on disk: some 200 MB of it are in memory at a time, one batch
            at least, and training leads to the same bits as on an array.

            Without `y`, the samples in blocks: a list, or another object that can be iterated over again and again, of
            tuples ``(X, y)`` or ``(X, y, sample_weight)``, or a function that returns a new iterator over such. One
            block is in memory at a time; see Notes.
        y : array_like, shape (n_samples,) or (n_samples, outputs)
            Labels of any kind, one-hot rows, or numbers to learn.
        epochs : int >= 1
            How many times to go through the samples.
        batch_size : int >= 1, default 32
            Samples a step; the last batch of an epoch may be smaller.
        optimizer : str or optimizer, default "adam"
            sgd, rmsprop, adam or adamw with its defaults, or an object such as ``SGD(3.0)``. One of another kind than
            the last fit's starts with no memory.
        schedule : str or Schedule, optional
            What the optimizer's learning rate is multiplied by, step by step; by default it stays. A name (constant,
            step, exponential, linear, cosine, one_cycle, warm_up) starts with this fit and takes all its epochs. An
            object such as ``Cosine(10)`` counts the epochs of all fits: give the same one again to go on with it.
        X_val, y_val : array_like, optional
            Samples to judge the network by after each epoch.
        validation_split : float in [0, 1), default 0.0
            The share of the rows to keep out of the training and judge by instead, drawn among those of weight above 0;
            always the same for the same seed and number of such rows.
        rows, rows_val : array_like of int or bool, optional
            The numbers of the rows of `X` to train on, and of those to judge by after each epoch, or masks: a fold, or
            a bootstrap sample, in which a row may come several times. `rows` are by default all but `rows_val`. Labels
            are learned from all of `y`, and `sample_weight` has an entry for each row of `X`. Else it is as if
            ``X[rows]`` had been given, without a copy; but dropout and augmentation draw by the row's number in `X`.
        sample_weight : array_like, shape (n_samples,), optional
            How much each sample counts.
        class_weight : dict or "balanced", optional
            How much each label counts in the training, multiplied with `sample_weight`; "balanced" makes all labels
            count the same. Validation doesn't know these weights.
        shuffle : bool, default True
            Whether each epoch takes the samples in a new order.
        augment : str, Augmentation or None, default None
            How images are moved, turned and bent before they are trained on, anew in each epoch; validation sees them
            as they are. "digits" for handwriting, "elastic", or an object such as
            ``Augmentation(shift=2.0, rotation=15.0)``. The samples are images of one channel on a background of 0,
            dense and in memory, or in blocks of such.
        callbacks : sequence of Callback or function, default ()
            What to call between epochs and steps; see `fastmlp.Callback`. A function is called after every epoch with
            the `FitRun`: ``callbacks=[lambda run: print(run.history.loss[-1])]``.
        resume_from : str or path, optional
            A file of `Checkpoint`: go on with the fit that wrote it, and train what is missing of its `epochs`. With
            the same data and arguments the result has the bits of a fit that was never interrupted. The network takes
            over the file's weights, seed, labels, scaling and history. A file that isn't there yet is a fit at its
            start, so that the same lines begin and go on; one that `save` wrote, a fit that began with the first epoch.
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"
            See `fastmlp.engines.get_engine`: SIMD kernels, plain compiled loops, or NumPy.
        threads : int >= 1 or "auto", default "auto"
            How many threads a compiled engine may use; the result does not depend on it. "auto" is one for
            ``engine="loops"``.
        verbose : {0, 1, 2}, default 1
            0: silent; 1: a progress line, on a terminal and in notebooks; 2: a line for every epoch.

        Returns
        -------
        History
            Of this fit; `history` is that of all.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            An argument that can't be used, or that differs from that of the fit to be resumed; nothing was trained.
        DataFileError
            The file to resume from is damaged.
        TrainingError
            The loss or a weight became infinite or NaN; or another fit trains this network.
        MissingDependencyError
            ``engine="numba"`` or ``"loops"`` where Numba can't be imported.

        Notes
        -----
        What changes where samples come in blocks: a batch lies within a block, so the last one of a block may be
        smaller; `shuffle` shuffles the rows of each block, and the blocks come in the order in which they are given;
        the first block of the first fit decides what labels there are and what the scalings "auto" and "standardize"
        become; every fit reads its first block once more than it has epochs; a `schedule` changes the learning rate
        with every epoch, not every step, to that of its middle; sample weights are taken as they are, and not scaled to
        a mean of 1. `validation_split`, `rows`, `rows_val`, `sample_weight` and `class_weight` do not apply. Blocks of
        some thousand rows are as fast as arrays.

        Examples
        --------
        >>> import numpy as np
        >>> from fastmlp import Network
        >>> def blocks():
        ...     for day in range(5):  # read a file here
        ...         X = np.random.default_rng(day).normal(size=(1000, 3))
        ...         yield X, X[:, 0] > X[:, 1]
        >>> net = Network([3, 8, 2], seed=0)
        >>> net.fit(blocks, epochs=3, verbose=0).accuracy[-1] > 0.9
        True
        """
        asked = {
            "epochs": epochs,
            "batch_size": batch_size,
            "optimizer": optimizer,
            "schedule": schedule,
            "X_val": X_val,
            "y_val": y_val,
            "validation_split": validation_split,
            "rows": rows,
            "rows_val": rows_val,
            "sample_weight": sample_weight,
            "class_weight": class_weight,
            "shuffle": shuffle,
            "augment": augment,
            "callbacks": callbacks,
            "resume_from": resume_from,
            "engine": engine,
            "threads": threads,
            "verbose": verbose,
        }
        short = self._short
        if short is not None and short.is_asked(asked):
            with self._turns.fit():
                history = short.train(self, X, y, asked)
            if history is not None:
                return history
        settings = FitSettings.check(self.architecture, **asked)
        with self._turns.fit():
            history = Fitting(self, X, y, settings).train()
        self._short = ShortFit.like(asked, settings)
        return history

    def _become(self, other: "Network") -> None:
        """Take over all that training changes; views of the weights that somebody holds go on following them."""
        self.state.parameters[...] = other.state.parameters
        self.state = replace(other.state, parameters=self.state.parameters)
        self.labels, self.scaling, self.history = other.labels, other.scaling, other.history

    def __call__(self, X: Any, *, engine: str = "auto") -> Array:
        """Compute the outputs of the network, shape (n_samples, outputs), in its dtype.

        Up to 10 rows are computed one by one, with sums in another order than of many: the last digits may differ.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"

        Raises
        ------
        ArgumentError, ArgumentTypeError
            Samples of another number of features, or not finite, or not numbers.
        """
        outputs = self._outputs_of_few(X, engine)
        if outputs is None:
            chosen = engine_for(engine, self.architecture)
            data = samples_only(self.architecture, X, present(self.scaling), later=True)
            prepared = chosen.prepare(self.architecture, data, 0, once=True)
            marked = chosen.marks_rows(prepared)
            # To look at all samples first would take as long as a third of the layers, on one thread.
            samples = data.samples
            if samples.unchecked and not marked:
                check_finite(samples, "X", self.architecture.dtype)
            outputs = chosen.forward(self.architecture, self.state.parameters, prepared)
            if samples.unchecked and marked and np.isnan(outputs).any():
                check_finite(samples, "X", self.architecture.dtype)
        return outputs

    def predict(self, X: Any, *, engine: str = "auto") -> Array:
        """Return predictions in the form of the `y` of `fit`: labels, rows of 0 and 1 (any set of labels), or numbers.

        Before any fit, a classifier's labels are 0, 1, 2, ...

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, outputs)
        """
        return self._known_labels().decode(self(X, engine=engine))

    def predict_proba(self, X: Any, *, engine: str = "auto") -> Array:
        """Return the probability of every label, shape (n_samples, n_labels).

        One column a label in the order of ``labels.classes``; two for a network with one sigmoid. Several sigmoid
        outputs that stand for one label of several are divided by their sum.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"

        Raises
        ------
        ArgumentError
            The outputs are not probabilities: use `predict`.
        """
        labels = self.labels or self._default_labels
        if labels is self._direct_labels:
            return self(X, engine=engine)
        arguments.check_probabilities(labels, self.architecture)
        outputs = self(X, engine=engine)
        probabilities = arguments.probabilities(outputs, labels, self.architecture)
        if probabilities is outputs:
            self._direct_labels = labels
        return probabilities

    @explained
    def evaluate(self, X: Any, y: Any, sample_weight: Any = None, *, engine: str = "auto") -> Evaluation:
        """Return the mean loss and the accuracy, with dropout off and without penalties.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        y : array_like
            As in `fit`. Before any fit its labels are learned for this call only.
        sample_weight : array_like, shape (n_samples,), optional
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"

        Returns
        -------
        Evaluation
        """
        short = self._few_labelled(y, sample_weight, engine)
        if short is not None:
            few, targets, task = short
            score = few.evaluate(self.state.parameters, X, targets, task)
            if score is not None:
                return _evaluation(score, task)
        chosen = engine_for(engine, self.architecture)
        data = self._labelled(X, y, sample_weight)
        prepared = chosen.prepare(self.architecture, data, 0, once=True)
        return _evaluation(chosen.evaluate(self.architecture, self.state.parameters, prepared), data.task)

    def gradient(
        self, X: Any, y: Any, sample_weight: Any = None, *, engine: str = "auto"
    ) -> tuple[float, list[WeightsAndBias]]:
        """Return the loss and its gradient by backpropagation, with all samples as one batch and dropout off.

        Parameters
        ----------
        X, y, sample_weight, engine
            As in `evaluate`.

        Returns
        -------
        objective : float
            Mean loss plus penalties.
        gradient : list of (dW, db)
            Its derivatives by the weights and biases of each layer, in their shapes; ``db`` is None without bias.
        """
        short, found = self._few_labelled(y, sample_weight, engine), None
        if short is not None:
            few, targets, task = short
            found = few.loss_and_gradient(self.state.parameters, X, targets, task)
        if found is None:
            chosen = engine_for(engine, self.architecture)
            prepared = chosen.prepare(self.architecture, self._labelled(X, y, sample_weight), 0)
            found = chosen.loss_and_gradient(self.architecture, self.state.parameters, prepared)
        return float(found[0]), self.architecture.views(found[1])

    @explained
    def trace(self, X: Any, y: Any = None, sample_weight: Any = None) -> Trace:
        """Return all values of a forward and a backward pass, layer by layer, with dropout off.

        It is computed by the NumPy engine, whose code can be read beside it, with all samples as one batch. The
        gradients are those of `gradient`, up to rounding.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        y : array_like, optional
            As in `evaluate`. Without it there is a forward pass only.
        sample_weight : array_like, shape (n_samples,), optional

        Returns
        -------
        Trace
            With ``z``, ``a``, ``delta``, ``dW`` and ``db`` of every layer, the losses, and the derivative by the input.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            Data that `gradient` would refuse, or `sample_weight` without `y`; the message names the argument.

        Examples
        --------
        The last two of the four equations of backpropagation (Nielsen, chapter 2):

        >>> import numpy as np
        >>> net = Network([2, 3, 1], hidden="tanh", loss="squared_error", dtype="float64", seed=1)
        >>> layer = net.trace([[0.0, 1.0], [1.0, 0.5]], [0.5, -0.5]).layers[0]
        >>> bool(np.allclose(layer.dW, layer.a_before.T @ layer.delta))
        True
        >>> bool(np.allclose(layer.db, layer.delta.sum(axis=0)))
        True
        """
        if y is None:
            if sample_weight is not None:
                raise ArgumentError("sample_weight weighs the losses, for which y is needed; give y, or leave both out")
            data = samples_only(self.architecture, X, present(self.scaling))
        else:
            data = self._labelled(X, y, sample_weight)
        return trace(self.architecture, self.state.parameters, data)

    @explained
    def check_gradient(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        per_layer: int | None = 5,
        step: float | None = None,
        seed: int = 0,
        only: str | Sequence[str] | None = None,
    ) -> GradientCheck:
        """Compare derivatives by backpropagation with numeric ones: central differences of the objective.

        Both are computed by the NumPy engine in float64, whatever the dtype of the network, with all samples as one
        batch and dropout off. Some hundred samples are enough: every derivative takes two forward passes over them.

        Parameters
        ----------
        X, y, sample_weight
            As in `evaluate`.
        per_layer : int >= 1 or None, default 5
            How many weights, and as many biases, to check in each layer, chosen at random; None checks all.
        step : float in [1e-12, 1], optional
            By how much a parameter is moved to either side. By default 6e-6, divided by the weight's largest input
            where that is above 1, and made up to a hundred times smaller where a kink lies within the step.
        seed : int in [0, 2**63], default 0
            Decides which parameters are chosen.
        only : str or sequence of str, optional
            Check these parameters, named as the table names them, such as ``"W2[1, 0]"`` or ``["b1[0]", "b1[1]"]``;
            then `per_layer` and `seed` don't matter.

        Returns
        -------
        GradientCheck
            Prints as a table. ``passed`` says whether all errors are within the tolerance; the notes of `GradientCheck`
            explain errors, and kinks such as that of relu.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            Data that `gradient` would refuse, or an option out of its range; the message names the argument.

        Examples
        --------
        >>> X, y = [[0.0, 0.5], [0.2, 1.0], [1.0, 0.1], [0.9, 1.0]], [0, 1, 1, 0]
        >>> net = Network([2, 3, 2], hidden="tanh", seed=1)
        >>> check = net.check_gradient(X, y, per_layer=2)
        >>> check.passed
        True
        >>> check  # doctest: +ELLIPSIS
        parameter  backpropagated        numeric    error
        W1[1, 0]     1.057504e-03   1.057504e-03  ...e-...
        W1[1, 1]     3.460721e-02   3.460721e-02  ...e-...
        b1[1]        4.794955e-02   4.794955e-02  ...e-...
        b1[2]        3.274581e-02   3.274581e-02  ...e-...
        W2[1, 0]     8.154172e-02   8.154172e-02  ...e-...
        W2[2, 1]     9.234135e-02   9.234135e-02  ...e-...
        b2[0]        1.184145e-01   1.184145e-01  ...e-...
        b2[1]       -1.184145e-01  -1.184145e-01  ...e-...
        passed: largest error ...e-..., tolerance 1e-05
        """
        options = check_options(per_layer, step, seed)
        places = places_of(self.architecture, only)
        data = self._labelled(X, y, sample_weight)
        return check_gradient(self.architecture, self.state.parameters, data, *options, places)

    def activations(self, X: Any) -> list[Array]:
        """Return the activations of every layer: the scaled input first, the outputs last.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)

        Returns
        -------
        list of ndarray, shapes (n_samples, units)
        """
        samples = samples_only(self.architecture, X, present(self.scaling)).samples
        x = samples.rows(slice(0, samples.n_rows), self.architecture.dtype)
        return forward_pass(self.architecture, self.state.parameters, x).activations

    @property
    def weights(self) -> list[WeightsAndBias]:
        """``[(W, b), ...]`` of every layer: ``W`` (fan_in, fan_out), ``b`` (fan_out,), None without bias.

        They are read-only views, which follow the training; copy what is to stay, and change them with `set_weights`.
        """
        frozen = self.state.parameters.view()
        frozen.flags.writeable = False
        return self.architecture.views(frozen)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Replace the weights; the optimizer's state stays.

        Parameters
        ----------
        weights : sequence of (W, b)
            In the shapes of `weights`, with None for a bias that isn't there.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            Other shapes, or values that are not finite; nothing was changed.
        """
        new = arguments.flat_weights(weights, self.architecture)
        self.state.parameters[...] = new

    def freeze(self, *layers: int) -> None:
        """Freeze layers: later fits leave their weights and biases as they are, bit for bit; see `Dense`.

        The other layers stay as they are, frozen or not.

        Parameters
        ----------
        *layers : int
            Numbers of layers, 1 for the first.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            No numbers, or a layer that there isn't.
        TrainingError
            A fit is under way.

        Examples
        --------
        >>> net = Network([4, 8, 8, 3], seed=0)
        >>> net.freeze(1, 2)
        >>> net
        Network([4, Dense(8, 'relu', trainable=False), Dense(8, 'relu', trainable=False), Dense(3, 'softmax')], \
loss='cross_entropy', seed=0)
        """
        self._set_trainable(arguments.check_layers(layers, self.architecture, "freeze"), False)

    def unfreeze(self, *layers: int) -> None:
        """Unfreeze layers, so that later fits train them; without numbers, all layers.

        What the optimizer remembers of them is from before they were frozen.

        Parameters
        ----------
        *layers : int
            Numbers of layers, 1 for the first.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            A layer that there isn't.
        TrainingError
            A fit is under way.

        Examples
        --------
        >>> net = Network([4, Dense(8, "tanh", trainable=False), 3], seed=0)
        >>> net.unfreeze()
        >>> net
        Network([4, Dense(8, 'tanh'), Dense(3, 'softmax')], loss='cross_entropy', seed=0)
        """
        numbers = layers or range(1, len(self.architecture.layers) + 1)
        self._set_trainable(arguments.check_layers(numbers, self.architecture, "unfreeze"), True)

    def _set_trainable(self, numbers: set[int], trainable: bool) -> None:
        built = self.architecture
        wanted = [trainable if n in numbers else layer.trainable for n, layer in enumerate(built.layers, start=1)]
        with self._turns.fit():
            self.architecture = built.with_trainable(wanted)
            # Made for the architecture that was.
            self._few = self._short = None

    @property
    def n_parameters(self) -> int:
        """Number of weights and biases."""
        return self.architecture.n_parameters

    def summary(self) -> Lines:
        """Return a table of the layers with their shapes and numbers of parameters.

        It is a string that a console or a notebook shows as lines, also without `print`.

        Examples
        --------
        >>> Network([784, 16, 16, 10], seed=0).summary()
        layer    units  activation  weights   parameters
        input      784  -           -                  -
        dense 1     16  relu        784 x 16      12,560
        dense 2     16  relu        16 x 16          272
        dense 3     10  softmax     16 x 10          170
        13,002 parameters (float32, 52.0 kB), loss cross_entropy
        """
        return arguments.summary(self.architecture).text()

    def _repr_html_(self) -> str:
        table = arguments.summary(self.architecture)
        return replace(table, title="Network", note=f"{table.note}, seed {self.seed}").html()

    def save(self, path: str | os.PathLike[str], *, training_state: bool = True, float16: bool = False) -> None:
        """Write the network to a file, whole or not at all; `fastmlp.load` reads it.

        Parameters
        ----------
        path : str or path
            With a suffix that names the format: ``.npz``, ``.safetensors``, or ``.json``, which people can read and
            takes some five times the space. ``.onnx`` holds what it takes to predict, in float32. ``.c`` writes a C99
            file that only predicts, for programs without fastmlp, and can't be loaded. ``.html`` writes a page that
            opens in any browser without a server: one draws a digit, or fills in up to 50 inputs, and it answers. None
            of these three holds what training remembers.
        training_state : bool, default True
            Whether to include what a later `fit` needs to go on with the same bits, where the format holds it. Without
            it the file is up to three times smaller.
        float16 : bool, default False
            Whether an ``.html`` file holds its weights in 16 bits: half the size, with answers that differ in the third
            digit.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            An unknown suffix, a folder that doesn't exist, or `float16` for another format than ``.html``; for
            ``.html``, a network whose inputs are neither a digit's 784 pixels nor up to 50.
        MissingDependencyError
            ``.safetensors`` or ``.onnx`` without the extra of that name.
        FileWriteError
            The file can't be written; one that was there before is as it was.
        """
        options = {"training_state": check_switch(training_state, "training_state")}
        if check_switch(float16, "float16"):
            if not os.fsdecode(path).lower().endswith(".html"):
                raise ArgumentError(f"float16 is for .html files; leave it out for {os.fsdecode(path)!r}")
            options["float16"] = True
        with self._turns.between_epochs:
            checkpoint = Checkpoint(self.architecture, self.state, self.labels, self.scaling, self.history)
            save_checkpoint(path, checkpoint, **options)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint) -> "Network":
        """Make a network from its parts, which become its own."""
        network = cls.__new__(cls)
        network.architecture = checkpoint.architecture
        network.state = writable(checkpoint.state, checkpoint.architecture)
        network.labels, network.scaling, network.history = checkpoint.labels, checkpoint.scaling, checkpoint.history
        network._asked, network._turns = {}, Turns()
        return network

    def __repr__(self) -> str:
        built = self.architecture
        layers = [
            Dense(
                layer.units,
                layer.activation,
                layer.dropout,
                None if layer.has_bias else False,
                trainable=layer.trainable,
            )
            for layer in built.layers
        ]
        parts = [f"Network([{', '.join(map(str, [built.inputs, *layers]))}]", f"loss={built.loss!r}"]
        parts += [f"{name}={value}" for name, value in (("l1", built.l1), ("l2", built.l2)) if value]
        parts += [f"quantile={built.quantile}"] * (built.loss == "quantile")
        parts += [f"label_smoothing={built.label_smoothing}"] * (built.label_smoothing > 0)
        parts += [f"dtype={built.dtype.name!r}"] * (built.dtype != np.float32)
        return ", ".join([*parts, f"seed={self.seed})"])

    def __copy__(self) -> "Network":
        # Two networks that train the same memory would be a trap.
        return copy.deepcopy(self)

    def __setstate__(self, attributes: dict[str, Any]) -> None:
        # Pickles and copies of arrays start at any address; kernels like them on a cache line.
        self.__dict__.update(attributes)
        self._turns = Turns()
        state = self.state
        self.state = replace(
            state,
            parameters=in_layout(state.parameters, self.architecture),
            moments=[in_layout(moment, self.architecture) for moment in state.moments],
        )

    def __getstate__(self) -> dict[str, Any]:
        made = "_few", "_short", "_default_labels", "_direct_labels", "_turns"  # when they are needed
        with self._turns.between_epochs:
            attributes = {name: value for name, value in self.__dict__.items() if name not in made}
            # What is copied or pickled from here is read after the lock is given back.
            return copy.deepcopy(attributes) if self._turns.under_way else attributes

    def _outputs_of_few(self, X: Any, engine: str) -> Array | None:
        """Outputs of a few rows that need no conversion, by the engine's shorter way; None where they have to go the
        long way, which also finds the words for what is wrong with them.
        """
        few = self._shorter_way(engine)
        return None if few is None else few(self.state.parameters, X)

    def _few_labelled(self, y: Any, sample_weight: Any, engine: str) -> tuple[FewRows, Targets, str] | None:
        """Return the shorter way, and what it is told of targets that need no conversion; None for all others."""
        if self.labels is None or sample_weight is not None:
            return None
        targets = plain_targets(y, self.labels, self.architecture)
        few = None if targets is None else self._shorter_way(engine)
        return None if few is None or targets is None else (few, targets, self.labels.task)

    def _shorter_way(self, engine: str) -> FewRows | None:
        """Return the shorter way of an engine; None where there is none."""
        few = self._few
        # One row is computed in a microsecond, so what is looked at before counts.
        if few is None or few[0] != engine or few[1] is not self.scaling:
            if not isinstance(self.scaling, Scaling):
                return None
            shorter = engine_for(engine, self.architecture).few_rows(self.architecture, self.scaling)
            if shorter is None:
                return None
            few = self._few = engine, self.scaling, shorter
        return few[2]

    def _known_labels(self) -> Labels:
        return self.labels or self._default_labels

    @cached_property
    def _default_labels(self) -> Labels:
        return arguments.default_labels(self.architecture)

    def _labelled(self, X: Any, y: Any, sample_weight: Any) -> Dataset:
        scaling = present(self.scaling)
        return labelled(self.architecture, X, y, labels=self.labels, scaling=scaling, sample_weight=sample_weight)[0]


def _evaluation(score: Score, task: str) -> Evaluation:
    return Evaluation(float(score.loss), None if task == "regression" else float(score.accuracy))


def load(path: str | os.PathLike[str]) -> Network:
    """Read a network that `Network.save` wrote; it predicts and continues training with bit-identical results.

    From an ``.onnx`` file, also of another program, comes a network that answers the same but starts training anew.
    Reading a file never runs code from it, and takes at most 128 times the memory that the file takes on disk.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    Network

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An unknown suffix.
    DataFileError
        The file is missing, damaged, or of a newer version; the message starts with its path.

    Examples
    --------
    >>> import tempfile
    >>> from fastmlp import Network, load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Network([784, 30, 10], seed=0).save(f"{folder}/model.npz")
    ...     load(f"{folder}/model.npz")
    Network([784, Dense(30, 'relu'), Dense(10, 'softmax')], loss='cross_entropy', seed=0)
    """
    return Network.from_checkpoint(load_checkpoint(path))
