"""What the page remembers while its server runs: networks, trainings, sweeps, test digits (floor 10; imports starlette,
network).
"""

from starlette.requests import Request

from ..network import Network
from .gallery import Gallery
from .looking import check_network
from .plane import Planes
from .refusals import Refusal
from .settings import Settings
from .shelf import Model, Shelf
from .streaming import Stream
from .sweep import Sweeps
from .training import Training, Trainings


class Page:
    """The state that requests read and change.

    Parameters
    ----------
    network : Network, optional
        What answers at first; by default one that `start` trains.
    name : str, default "network"
        What the page calls it.

    Attributes
    ----------
    streams : set
        Responses of events under way.
    """

    def __init__(self, network: Network | None = None, name: str = "network") -> None:
        self.gallery, self.shelf, self.trainings = Gallery(), Shelf(), Trainings()
        self.sweeps, self.planes = Sweeps(), Planes()
        self.streams: set[Stream] = set()
        if network is not None:
            self.shelf.add(Model(name, check_network(network)))

    def start(self, settings: Settings, slow: bool = False) -> Training:
        """Start a training, and keep its network."""
        training = Training(settings, lambda: self.gallery.dataset, self._measured, slow)
        self.trainings.start(training, self.shelf.add)
        return training

    def model(self, request: Request) -> Model:
        """Return the network that a request's address names."""
        return self.shelf.get(request.path_params["model"])

    def training(self, request: Request) -> Training:
        """Return the training that a request's address names."""
        model = self.model(request)
        if model.training is None:
            raise Refusal(404, f"network {model.identity} was loaded, so there is no training of it")
        return model.training

    def close(self) -> None:
        """End all trainings."""
        self.trainings.close()
        self.sweeps.close()

    def _measured(self, model: Model) -> float:
        return self.gallery.accuracy(model)
