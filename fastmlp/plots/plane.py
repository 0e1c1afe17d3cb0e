"""A plane through the parameters of a network, and the loss on it (floor 9; imports numpy, checks, data, engines,
errors, model, network, training).

Two ways to choose its directions are those of Li, Xu, Taylor, Studer and Goldstein, Visualizing the loss landscape of
neural nets (NeurIPS 2018): random ones, with the weights of each unit scaled to the length that the network's own have
(section 4, filter normalization), and the principal components of a path of training (section 7.2).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..checks import naming
from ..data.dataset import labelled, present
from ..engines import get_engine
from ..errors import ArgumentError, ArgumentTypeError
from ..model.architecture import Architecture
from ..network import Network
from ..training.arguments import flat_weights

Array = NDArray[Any]

_FLAT = 1e-6
"""A path whose second singular value is this share of the first is a straight line."""


class Plane(NamedTuple):
    """All parameter vectors ``centre + a * directions[0] + b * directions[1]``.

    Attributes
    ----------
    centre : ndarray of float64, shape (flat_size,)
        The network's own parameters.
    directions : ndarray of float64, shape (2, flat_size)
    shares : (float, float) or None
        Of the squared distances between the network and the path, how much lies along each direction.
    """

    centre: Array
    directions: Array
    shares: tuple[float, float] | None = None

    def coordinates(self, snapshots: Array) -> Array:
        """Return the points of the plane that are nearest to parameter vectors.

        Parameters
        ----------
        snapshots : ndarray, shape (n, flat_size)

        Returns
        -------
        ndarray, shape (n, 2)
        """
        return np.asarray(np.linalg.lstsq(self.directions.T, (snapshots - self.centre).T, rcond=None)[0].T)


def random_plane(network: Network, seed: int) -> Plane:
    """Return a plane along two random directions; biases stay as they are."""
    generator, built = np.random.default_rng(seed), network.architecture
    directions = np.zeros((2, built.flat_size))
    for direction in directions:
        for layer, (W, _) in zip(built.layers, network.weights, strict=True):
            drawn = generator.normal(size=W.shape)
            # The weights of one unit are a column.
            lengths = np.linalg.norm(W.astype(float), axis=0) / np.linalg.norm(drawn, axis=0)
            layer.weights(direction)[...] = drawn * lengths
    return Plane(network.state.parameters.astype(float), directions)


def plane_of_path(network: Network, snapshots: Array) -> Plane:
    """Return the plane through the network that is nearest to a path; its directions have length 1.

    Raises
    ------
    ArgumentError
        The path is a point or a straight line.
    """
    centre = network.state.parameters.astype(float)
    apart = snapshots - centre
    _, sizes, axes = np.linalg.svd(apart, full_matrices=False)
    if len(sizes) < 2 or sizes[1] <= _FLAT * sizes[0]:
        alike = len(snapshots) > 1 and bool((snapshots == snapshots[0]).all())
        why = (
            "its snapshots are all the same: net.weights are views that follow the training, so append "
            "copy.deepcopy(net.weights)"
            if alike
            else "give at least three different snapshots, or directions='random'"
        )
        raise ArgumentError(f"path does not span a plane; {why}")
    # The start lies to the upper right, whatever signs the decomposition chose.
    signs = np.where(apart[0] @ axes[:2].T < 0, -1.0, 1.0)
    first, second = (sizes[:2] ** 2 / (sizes**2).sum()).tolist()
    return Plane(centre, axes[:2] * signs[:, None], (first, second))


def snapshots_of(path: Any, architecture: Architecture) -> Array:
    """Return the weights of a path as flat vectors, shape (n, flat_size).

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Not a list of what `Network.weights` gives, or of another network.
    """
    if isinstance(path, np.ndarray) or not isinstance(path, Sequence) or not path:
        raise ArgumentTypeError(
            "path must be a list of snapshots, such as copy.deepcopy(net.weights) after each epoch, got "
            f"{'an empty list' if isinstance(path, Sequence) else type(path).__name__}"
        )
    vectors = []
    for number, weights in enumerate(path):
        with naming(f"path[{number}]"):
            vectors.append(flat_weights(weights, architecture).astype(float))
    return np.stack(vectors)


def losses_on(plane: Plane, network: Network, X: Any, y: Any, across: Array, up: Array) -> Array:
    """Return the mean loss at points of the plane; the network itself is not touched.

    Parameters
    ----------
    plane : Plane
    network : Network
    X, y : array_like
        As `Network.evaluate` takes them.
    across, up : ndarray, shape (n,) and (m,)
        Coordinates along the first and the second direction.

    Returns
    -------
    ndarray of float64, shape (m, n)
        Penalties not counted.
    """
    built, engine = network.architecture, get_engine("auto")
    data = labelled(built, X, y, labels=network.labels, scaling=present(network.scaling))[0]
    prepared = engine.prepare(built, data, 0)
    losses, parameters = np.empty((len(up), len(across))), built.zeros()
    with np.errstate(all="ignore"):  # far from the network numbers may overflow; their loss is infinite
        for row, b in enumerate(up):
            for column, a in enumerate(across):
                parameters[...] = plane.centre + a * plane.directions[0] + b * plane.directions[1]
                losses[row, column] = engine.evaluate(built, parameters, prepared).loss
    return losses
