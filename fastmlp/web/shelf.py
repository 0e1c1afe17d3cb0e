"""The networks that the page knows (floor 10; imports numpy, network)."""

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..network import Network
from . import limits
from .looking import names_of_outputs
from .refusals import Refusal

if TYPE_CHECKING:
    from .training import Training


class Model:
    """A network as the page shows it: one that stands still, while its training may go on with another.

    Parameters
    ----------
    name : str
        For people: the recipe it is of, or the file it was in.
    network : Network

    Attributes
    ----------
    identity : str
        For addresses; the shelf gives it.
    training : Training or None
        The one that made it.
    test_accuracy : float or None
        Once it was measured.
    answers : tuple or None
        The gallery's: version, answers to the test digits, and their outputs.
    """

    def __init__(self, name: str, network: Network) -> None:
        self.name, self.identity = name, ""
        self.training: Training | None = None
        self.test_accuracy: float | None = None
        self.answers: tuple[int, NDArray[np.int64], NDArray[np.float32]] | None = None
        self._shown = (network, 0)

    def look(self) -> tuple[Network, int]:
        """Return the network and its version, which changes when the network does."""
        return self._shown

    def show(self, network: Network) -> None:
        """Take another state of the network, which nobody changes from now on."""
        self._shown = (network, self._shown[1] + 1)

    def facts(self) -> dict[str, Any]:
        """Return what there is to say about the network, as JSON has it."""
        network, version = self.look()
        built = network.architecture
        return {
            "id": self.identity,
            "name": self.name,
            "shape": "-".join(map(str, built.sizes)),
            "layers": [{"units": layer.units, "activation": layer.activation} for layer in built.layers],
            "labels": names_of_outputs(network),
            "loss": built.loss,
            "parameters": built.n_parameters,
            "epochs": network.state.epoch,
            "version": version,
            "test_accuracy": self.test_accuracy,
            "training": None if self.training is None else self.training.state,
            "settings": None if self.training is None else self.training.settings.to_json(),
        }


class Shelf:
    """Networks by identity, `limits.MAX_MODELS` at most."""

    def __init__(self) -> None:
        self._models: dict[str, Model] = {}
        self._lock = threading.Lock()
        self._given = 0

    def add(self, model: Model) -> Model:
        """Take a network in, and give it an identity; the oldest but the first that nobody trains may have to go."""
        with self._lock:
            if len(self._models) >= limits.MAX_MODELS:
                _, *others = self._models.values()
                idle = [other for other in others if other.training is None or other.training.is_over]
                if not idle:
                    raise Refusal(429, "all networks in memory are being trained; stop one first")
                del self._models[idle[0].identity]
            self._given += 1
            model.identity = str(self._given)
            model.name = self._own_name(model.name)
            self._models[model.identity] = model
        return model

    def rename(self, identity: str, name: str) -> Model:
        """Give a network another name; one that another network has is numbered."""
        model = self.get(identity)
        with self._lock:
            model.name = self._own_name(name, model)
        return model

    def delete(self, identity: str) -> None:
        """Forget a network.

        Raises
        ------
        Refusal
            It is being trained, or the only one.
        """
        model = self.get(identity)
        with self._lock:
            if model.training is not None and not model.training.is_over:
                raise Refusal(409, f"{model.name} is being trained; stop it first")
            if len(self._models) == 1:
                raise Refusal(409, f"{model.name} is the only network here; train or load another one first")
            self._models.pop(identity, None)

    def _own_name(self, name: str, own: Model | None = None) -> str:
        """Return the name, numbered if another network has it."""
        taken = {model.name for model in self._models.values() if model is not own}
        numbered = (name, *(f"{name} ({number})" for number in range(2, limits.MAX_MODELS + 2)))
        return next(candidate for candidate in numbered if candidate not in taken)

    def get(self, identity: str | None) -> Model:
        """Return a network, by default the first.

        Raises
        ------
        Refusal
            There is none of this identity.
        """
        with self._lock:
            if identity is None and self._models:
                return next(iter(self._models.values()))
            found = self._models.get(identity or "")
            known = ", ".join(self._models)
        if found is None:
            raise Refusal(404, f"there is no network {(identity or '')[:40]!r} here (any more); there are: {known}")
        return found

    def all(self) -> list[Model]:
        """Return all networks, the oldest first."""
        with self._lock:
            return list(self._models.values())
