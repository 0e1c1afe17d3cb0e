"""`Ensemble`: networks whose outputs are averaged (floor 8; imports numpy, checks, errors, model, data, formats,
training, network).
"""

import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .checks import check_switch, explained
from .data.targets import Labels
from .errors import ArgumentError, ArgumentTypeError, DataFileError
from .formats import Checkpoint
from .formats.ensemble_files import load_ensemble, save_ensemble
from .model.architecture import Array
from .network import Network
from .training import arguments


class Ensemble:
    """Networks that answer together: the outputs are the mean of theirs.

    Networks may differ in hidden layers and in their training. They have the same inputs, outputs, last activation,
    dtype and labels.

    Parameters
    ----------
    networks : sequence of Network
        Trained on the same kind of data.

    Attributes
    ----------
    networks : tuple of Network

    Raises
    ------
    ArgumentError, ArgumentTypeError
        No networks, or networks that can't be averaged.

    Examples
    --------
    >>> import numpy as np
    >>> from fastmlp import Ensemble, Network, fit_many
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = X[:, 0] > X[:, 1]
    >>> networks = [Network([3, 8, 2], seed=number) for number in range(5)]
    >>> results = fit_many(networks, X, y, epochs=100, verbose=0)
    >>> ensemble = Ensemble(networks)
    >>> bool(np.mean(ensemble.predict(X) == y) > 0.95)
    True
    >>> ensemble.predict_proba(X).shape
    (200, 2)
    """

    def __init__(self, networks: Sequence[Network]) -> None:
        self.networks = _checked(networks)

    def __len__(self) -> int:
        return len(self.networks)

    def __iter__(self) -> Iterator[Network]:
        return iter(self.networks)

    def __repr__(self) -> str:
        return f"Ensemble of {len(self)} networks, the first {self.networks[0]!r}"

    def __call__(self, X: Any, *, engine: str = "auto") -> Array:
        """Return the mean outputs.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"

        Returns
        -------
        ndarray, shape (n_samples, outputs)
            In the dtype of the networks.
        """
        X = _read_once(X)
        first, *others = self.networks
        total = first(X, engine=engine)
        for network in others:
            total += network(X, engine=engine)
        total /= len(self.networks)
        return total

    def std(self, X: Any, *, engine: str = "auto") -> Array:
        """Return the standard deviation of the networks' outputs: how much they disagree.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"

        Returns
        -------
        ndarray, shape (n_samples,) or (n_samples, outputs)
            In the form of `predict` for numbers; for a classifier, of the outputs.
        """
        X = _read_once(X)
        spread: Array = np.std([network(X, engine=engine) for network in self.networks], axis=0)
        return spread[:, 0] if self._labels.task == "regression" and self._labels.one_dimensional else spread

    def predict(self, X: Any, *, engine: str = "auto") -> Array:
        """Return predictions in the form of the `y` of `Network.fit`, made of the mean outputs.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"
        """
        return self._labels.decode(self(X, engine=engine))

    def predict_proba(self, X: Any, *, engine: str = "auto") -> Array:
        """Return the mean probability of every label, shape (n_samples, n_labels); see `Network.predict_proba`.

        Parameters
        ----------
        X : array_like, shape (n_samples, inputs)
        engine : {"auto", "numba", "loops", "numpy"}, default "auto"

        Raises
        ------
        ArgumentError
            The outputs are not probabilities: use `predict`.
        """
        architecture = self.networks[0].architecture
        arguments.check_probabilities(self._labels, architecture)
        return arguments.probabilities(self(X, engine=engine), self._labels, architecture)

    @explained
    def save(self, path: str | os.PathLike[str], *, training_state: bool = True) -> None:
        """Write all networks to one file, whole or not at all.

        Parameters
        ----------
        path : str or path
            ``.npz``, which `Ensemble.load` reads again; ``.onnx`` or ``.c`` for one model that only predicts.
        training_state : bool, default True
            Whether an ``.npz`` includes what a later `fit` of the networks needs to go on with the same bits.

        Raises
        ------
        ArgumentError, ArgumentTypeError, MissingDependencyError, FileWriteError
            As `Network.save`.
        """
        checkpoints = []
        for network in self.networks:
            with network._turns.between_epochs:
                state = network.architecture, network.state, network.labels, network.scaling, network.history
                checkpoints.append(Checkpoint(*state))
        save_ensemble(path, checkpoints, check_switch(training_state, "training_state"))

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Ensemble":
        """Read an ensemble that `save` wrote as ``.npz``; it predicts with bit-identical results.

        Raises
        ------
        ArgumentError, ArgumentTypeError
            Another suffix.
        DataFileError
            The file is missing, damaged, or holds no ensemble.
        """
        networks = [Network.from_checkpoint(checkpoint) for checkpoint in load_ensemble(path)]
        try:
            return cls(networks)
        except ArgumentError as error:
            raise DataFileError(f"{os.fsdecode(path)}: {error}") from None

    @property
    def _labels(self) -> Labels:
        return self.networks[0]._known_labels()


def _checked(networks: Any) -> tuple[Network, ...]:
    """Return networks that can be averaged."""
    try:
        chosen = tuple(networks)
    except TypeError:
        raise ArgumentTypeError(f"networks must be a list of Network objects, got {networks!r}") from None
    for number, network in enumerate(chosen):
        if not isinstance(network, Network):
            raise ArgumentTypeError(f"networks must be a list of Network objects, got {network!r} at {number}")
    if not chosen:
        raise ArgumentError("networks is empty; give at least one Network")
    known = _kind(chosen[0])
    for number, network in enumerate(chosen):
        for name, wanted, found in zip(known, known.values(), _kind(network).values(), strict=True):
            if wanted != found:
                raise ArgumentError(
                    f"networks[{number}] can't be averaged with networks[0]: its {name} is {_short(found)}, not "
                    f"{_short(wanted)}; train all on the same kind of data"
                )
    return chosen


def _kind(network: Network) -> dict[str, Any]:
    """Return what networks that are averaged must share."""
    built, labels = network.architecture, network._known_labels()
    return {
        "number of inputs": built.inputs,
        "number of outputs": built.outputs,
        "last activation": built.layers[-1].activation,
        "dtype": built.dtype.name,
        "task": labels.task,
        "list of labels": labels.classes.tolist(),
        "form of answers": "a vector" if labels.one_dimensional else "a table",
    }


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _read_once(X: Any) -> Any:
    """Return samples that several networks can read without converting a list each."""
    return np.asarray(X) if isinstance(X, list | tuple) else X
