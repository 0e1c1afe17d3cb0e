"""What a recipe is, and how it is run (floor 9; imports numpy, checks, errors, model, datasets, data, network)."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from numpy.typing import NDArray

from ..checks import check_whole
from ..data.augmentation import Augmentation
from ..datasets import Dataset, load_mnist
from ..datasets.mnist import in_order_of_mnist
from ..datasets.split import hold_out
from ..errors import ArgumentError, ArgumentTypeError
from ..model.architecture import Dense, check_units
from ..model.history import Evaluation, History
from ..model.initializers import Initializer
from ..model.optimizers import Optimizer
from ..model.schedules import Schedule
from ..network import Network
from .script import script_of
from .words import facts_of

Array = NDArray[Any]

_ALL_TRAINING_ROWS = 60_000
_ALL_TEST_ROWS = 10_000


@dataclass(frozen=True)
class Source:
    """Where a recipe comes from.

    Parameters
    ----------
    author, work : str
    part : str
        Chapter, file or section.

    Examples
    --------
    >>> print(Source("Michael Nielsen", "Neural Networks and Deep Learning", "chapter 1"))
    Michael Nielsen, Neural Networks and Deep Learning, chapter 1
    """

    author: str
    work: str
    part: str

    def __str__(self) -> str:
        """Return author, work and part in one line."""
        return ", ".join(part for part in (self.author, self.work, self.part) if part)


class RecipeData(NamedTuple):
    """The rows that a recipe trains, validates and tests on; `X_val`, `y_val` are None where it validates on none."""

    X_train: Array
    y_train: Array
    X_val: Array | None
    y_val: Array | None
    X_test: Array
    y_test: Array


class RecipeRun(NamedTuple):
    """What `Recipe.run` did: the trained network, its history, and its evaluation on the test rows."""

    network: Network
    history: History
    evaluation: Evaluation


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network of a tutorial, and how the tutorial trains it.

    Attributes
    ----------
    name, title : str
    source : Source
    description : str
        What the source does, in a few sentences.
    differences : str
        What is not as in the source; empty if nothing.
    layers : tuple of int or Dense
        Inputs, hidden layers and outputs, as `Network` takes them.
    hidden, output, loss, bias, initializer, bias_initializer, l2, scaling
        Arguments of `Network`.
    optimizer : optimizer
    schedule : str, Schedule or None
        As in `Network.fit`.
    batch_size, epochs : int
    shuffle : bool
        Whether the training rows come in a new order each epoch.
    augment : str, Augmentation or None
        As in `Network.fit`.
    train_rows, validation_rows : int
        How many of MNIST's 60,000 training rows are trained on, from the first, and how many after them are for
        validation. See `data` for other data sets.
    test_rows : int
        How many of the 10,000 test rows count, from the first.
    reported : float or None
        The test accuracy that the source reports, where it does.
    target : float
        The test accuracy that we require, as the mean of seeds 0, 1 and 2.

    Examples
    --------
    >>> from fastmlp import recipes
    >>> recipe = recipes.get("three-blue-one-brown")
    >>> recipe.shape, recipe.network().n_parameters
    ('784-16-16-10', 13002)
    """

    name: str
    title: str
    source: Source
    description: str
    differences: str = ""
    layers: tuple[int | Dense, ...]
    hidden: str = "relu"
    output: str
    loss: str
    bias: bool = True
    initializer: str | Initializer
    bias_initializer: str | Initializer = "zeros"
    l2: float = 0.0
    scaling: str = "pixels"
    optimizer: Optimizer
    schedule: str | Schedule | None = None
    batch_size: int
    epochs: int
    shuffle: bool = True
    augment: str | Augmentation | None = None
    train_rows: int
    validation_rows: int = 0
    test_rows: int = _ALL_TEST_ROWS
    reported: float | None = None
    target: float

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs and units of every layer, as in ``(784, 30, 10)``."""
        return tuple(layer.units if isinstance(layer, Dense) else layer for layer in self.layers)

    @property
    def shape(self) -> str:
        """`sizes` as people write them: ``"784-30-10"``."""
        return "-".join(map(str, self.sizes))

    def resized(
        self, *, inputs: int | None = None, hidden: Sequence[int] | None = None, outputs: int | None = None
    ) -> "Recipe":
        """Return the recipe with layers of other sizes.

        Parameters
        ----------
        inputs, outputs : int, optional
            By default as they are.
        hidden : sequence of int, optional
            Units of the hidden layers, as many as there shall be; they take the dropout of the recipe's, of its last
            one where they are more. By default as they are.

        Returns
        -------
        Recipe

        Raises
        ------
        ArgumentError, ArgumentTypeError
            A size is not a whole number of at least 1.

        Examples
        --------
        >>> from fastmlp import recipes
        >>> recipes.get("nielsen").resized(hidden=[100, 50]).shape
        '784-100-50-10'
        """
        hidden_layers: list[int | Dense] = list(self.layers[1:-1])
        if hidden is not None:
            if isinstance(hidden, str) or not isinstance(hidden, Sequence):
                raise ArgumentTypeError(f"hidden must be a list of numbers of units such as [128, 64], got {hidden!r}")
            patterns = hidden_layers or [1]
            hidden_layers = [
                _with_units(patterns[min(number, len(patterns) - 1)], check_units(units, f"hidden layer {number + 1}"))
                for number, units in enumerate(hidden)
            ]
        first, last = self.sizes[0], self.layers[-1]
        if inputs is not None:
            first = check_units(inputs, "the number of inputs")
        if outputs is not None:
            last = _with_units(last, check_units(outputs, "the number of outputs"))
        return replace(self, layers=(first, *hidden_layers, last))

    def network(self, seed: int = 0, **changes: Any) -> Network:
        """Return the network, untrained.

        Parameters
        ----------
        seed : int, default 0
        **changes
            Arguments of `Network` that take the place of the recipe's, such as ``dtype="float64"``.

        Returns
        -------
        Network

        Raises
        ------
        ArgumentError, ArgumentTypeError
            As `Network`.

        Examples
        --------
        >>> from fastmlp import recipes
        >>> recipes.get("raschka").network(seed=1).n_parameters
        39760
        """
        arguments: dict[str, Any] = {
            "layers": list(self.layers),
            "hidden": self.hidden,
            "output": self.output,
            "loss": self.loss,
            "bias": self.bias,
            "initializer": self.initializer,
            "bias_initializer": self.bias_initializer,
            "l2": self.l2,
            "scaling": self.scaling,
            "seed": seed,
        } | changes
        return Network(arguments.pop("layers"), **arguments)

    def data(self, dataset: Dataset | None = None, seed: int = 0, rows: int | None = None) -> RecipeData:
        """Return the rows that the recipe trains, validates and tests on.

        MNIST is cut as the source cuts it: the first rows train, the next ones validate. Of any other data set, the
        rows are drawn at random, each class in proportion: many files are sorted by class, and the last rows would be
        of classes that the first ones lack.

        Parameters
        ----------
        dataset : Dataset, optional
            By default MNIST. Of another data set, a recipe that uses all training rows of MNIST takes all of them too,
            and cuts them in the same proportion; one that uses the first so many takes as many, or all if there are
            fewer.
        seed : int, default 0
            Decides which rows of another data set than MNIST are drawn.
        rows : int, optional
            How many of the training rows to use: the first ones of MNIST; of other data sets, rows are drawn. By
            default all of the recipe's.

        Returns
        -------
        RecipeData
            Views of MNIST's rows, copies of rows that were drawn.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            The data set has too few rows to train and validate on, or the seed or `rows` is out of its range.

        Examples
        --------
        >>> from fastmlp import recipes
        >>> data = recipes.get("keras").data()
        >>> len(data.X_train), len(data.X_val), len(data.X_test)
        (48000, 12000, 10000)
        """
        check_whole(seed, "seed", 0, 2**63)
        original = dataset is None
        dataset = load_mnist() if dataset is None else dataset
        X, y, X_test, y_test = dataset
        n_train, n_validation = self._sizes(len(X))
        n_test = len(X_test) if self.test_rows == _ALL_TEST_ROWS else min(self.test_rows, len(X_test))
        train: Any = slice(n_train)
        validation: Any = slice(n_train, n_train + n_validation)
        test: Any = slice(n_test)
        if not (original or in_order_of_mnist(y)):
            if n_train < len(X) or not self.shuffle:
                used = hold_out(y, len(X) - n_train - n_validation, seed)[1]
                validation, train = (used[part] for part in hold_out(y[used], n_validation, seed))
            if n_test < len(X_test):
                test = hold_out(y_test, len(X_test) - n_test, seed)[1]
        X_train, y_train = X[train], y[train]
        if rows is not None:
            left_out = n_train - check_whole(rows, "rows", 1, n_train)
            some: Any = slice(rows) if original or in_order_of_mnist(y) else hold_out(y_train, left_out, seed)[1]
            X_train, y_train = X_train[some], y_train[some]
        return RecipeData(
            X_train=X_train,
            y_train=y_train,
            X_val=X[validation] if n_validation else None,
            y_val=y[validation] if n_validation else None,
            X_test=X_test[test],
            y_test=y_test[test],
        )

    def _sizes(self, n_rows: int) -> tuple[int, int]:
        """Return how many of the training rows of a data set are to train and to validate on."""
        used = self.train_rows + self.validation_rows
        rows = n_rows if used == _ALL_TRAINING_ROWS else min(used, n_rows)
        n_validation = rows * self.validation_rows // used
        if self.validation_rows and rows > 1:
            n_validation = max(1, n_validation)
        n_train = rows - n_validation
        if n_train < 1 or (self.validation_rows and not n_validation):
            raise ArgumentError(
                f"the data set has {n_rows} training row{'s' * (n_rows != 1)}, but recipe {self.name!r} needs at least "
                f"{2 if self.validation_rows else 1}"
            )
        return n_train, n_validation

    def fit(self, network: Network, data: RecipeData, **changes: Any) -> History:
        """Train a network on the recipe's data as the recipe says.

        Parameters
        ----------
        network : Network
        data : RecipeData
        **changes
            Arguments of `Network.fit` that take the place of the recipe's, or that it leaves open: ``epochs``,
            ``batch_size``, ``optimizer``, ``schedule``, ``callbacks``, ``engine``, ``threads``, ``verbose`` and so on.

        Returns
        -------
        History

        Raises
        ------
        ArgumentError, ArgumentTypeError, TrainingError
            As `Network.fit`.
        """
        arguments = self.fit_arguments() | {"X_val": data.X_val, "y_val": data.y_val} | changes
        return network.fit(data.X_train, data.y_train, **arguments)

    def fit_arguments(self) -> dict[str, Any]:
        """Return the arguments of `Network.fit` that are the recipe's, but for the data.

        Examples
        --------
        >>> from fastmlp import recipes
        >>> recipes.get("nielsen").fit_arguments()["optimizer"]
        SGD(learning_rate=3.0, momentum=0.0, nesterov=False, weight_decay=0.0, clip_norm=None)
        """
        names = "epochs", "batch_size", "optimizer", "schedule", "shuffle", "augment"
        return {name: getattr(self, name) for name in names}

    def run(
        self,
        seed: int = 0,
        *,
        epochs: int | None = None,
        engine: str = "auto",
        threads: int | str = "auto",
        verbose: int = 1,
        callbacks: Any = (),
        dataset: Dataset | None = None,
        rows: int | None = None,
    ) -> RecipeRun:
        """Train the recipe's network and evaluate it on the test rows.

        Parameters
        ----------
        seed : int, default 0
            Of the start, the order of the samples, the dropout, and the rows that are drawn from another data set than
            MNIST.
        epochs : int, optional
            By default the recipe's.
        engine, threads, verbose, callbacks
            As in `Network.fit`.
        dataset : Dataset, optional
            By default MNIST; see `data`.
        rows : int, optional
            How many of the training rows to use, by default all of the recipe's; see `data`.

        Returns
        -------
        RecipeRun
            ``(network, history, evaluation)``.

        Raises
        ------
        ArgumentError, ArgumentTypeError, TrainingError
            As `Network.fit`.

        Examples
        --------
        >>> from fastmlp import recipes
        >>> network, history, evaluation = recipes.get("numpy-tutorial").run(epochs=1, engine="numpy", verbose=0)
        >>> history.epochs, evaluation.accuracy > 0.5
        (1, True)
        """
        network, data = self.network(seed), self.data(dataset, seed, rows)
        history = self.fit(
            network,
            data,
            epochs=self.epochs if epochs is None else epochs,
            engine=engine,
            threads=threads,
            verbose=verbose,
            callbacks=callbacks,
        )
        return RecipeRun(network, history, network.evaluate(data.X_test, data.y_test, engine=engine))

    def script(self, seed: int = 0) -> str:
        """Return a Python script that trains exactly this recipe with the public interface, and saves the network.

        Parameters
        ----------
        seed : int, default 0

        Returns
        -------
        str
            Lines that end in newlines.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            The seed is not a whole number from 0 on; or the recipe was changed, and has an object of a class that
            `fastmlp` does not offer.

        Examples
        --------
        >>> from fastmlp import recipes
        >>> lines = recipes.get("from-scratch").script().splitlines()
        >>> "from fastmlp import SGD, Network, Uniform, load_mnist" in lines
        True
        """
        return script_of(self, check_whole(seed, "seed", 0, 2**63))

    def facts(self) -> dict[str, str]:
        """Return the recipe's settings in words, label by label, in the order in which to show them."""
        return facts_of(self)

    def describe(self, width: int = 80) -> str:
        """Return the whole recipe as text.

        Parameters
        ----------
        width : int, default 80
            Longest line.

        Returns
        -------
        str
            Lines separated by newlines.

        Examples
        --------
        >>> from fastmlp import recipes
        >>> print(recipes.get("nielsen").describe().splitlines()[0])
        nielsen: Nielsen's first network
        """
        paragraphs = [f"{self.name}: {self.title}", textwrap.fill(self.description, width)]
        if self.differences:
            paragraphs.append(textwrap.fill(f"What differs from the source: {self.differences}", width))
        facts = self.facts()
        indent = max(map(len, facts)) + 2
        paragraphs.append(
            "\n".join(
                textwrap.fill(
                    fact,
                    width,
                    initial_indent=label.ljust(indent),
                    subsequent_indent=" " * indent,
                    break_on_hyphens=False,
                )
                for label, fact in facts.items()
            )
        )
        return "\n\n".join(paragraphs)


def _with_units(layer: int | Dense, units: int) -> int | Dense:
    return replace(layer, units=units) if isinstance(layer, Dense) else units
