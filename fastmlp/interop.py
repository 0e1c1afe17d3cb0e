"""Networks from PyTorch, Keras and scikit-learn, and weights back to them (floor 9; imports numpy, errors, model, data,
formats, network).

None of them is imported: layers are known by the names of their classes and asked for what they hold.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .data.samples import Scaling
from .data.targets import Labels
from .errors import ArgumentError, ArgumentTypeError
from .formats.layers import checkpoint_of
from .model.architecture import Architecture, Array
from .model.losses import get_loss
from .network import Network

_TORCH = {
    "Identity": "identity",
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "ReLU": "relu",
    "LeakyReLU": "leaky_relu",
    "ELU": "elu",
    "GELU": "gelu",
    "SiLU": "silu",
    "Softmax": "softmax",
}
_KERAS = {
    "linear": "identity",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "relu": "relu",
    "elu": "elu",
    "gelu": "gelu",
    "silu": "silu",
    "swish": "silu",
    "softmax": "softmax",
    "exponential": "exponential",
}
_KERAS_LAYERS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax"}
_SKLEARN = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu", "softmax": "softmax"}
_SKLEARN |= {"exp": "exponential"}

# Parameters with which an activation is the one that fastmlp has.
_WANTED: dict[str, dict[str, tuple[Any, ...]]] = {
    "LeakyReLU": {"negative_slope": (0.01,)},
    "ELU": {"alpha": (1,)},
    "GELU": {"approximate": ("none",)},
    "ReLU": {"max_value": (None,), "negative_slope": (0,), "threshold": (0,)},
    "Softmax": {"dim": (1, -1), "axis": (1, -1)},
    "Flatten": {"start_dim": (1,)},
}


def from_torch(module: Any, *, loss: str | None = None) -> Network:
    """Convert a PyTorch module to a network.

    Parameters
    ----------
    module : torch.nn.Module
        An ``nn.Sequential``, also nested, of Linear, activations, Dropout, Flatten and Identity, or one Linear.
    loss : str, optional
        By default the one that goes with the last activation: cross_entropy with softmax, binary_cross_entropy with
        sigmoid, else squared_error. A module that ends with logits gets the activation that belongs to the loss.

    Returns
    -------
    Network
        With the weights, and ``scaling=None``.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Something that is no such module; the message names the part.

    Examples
    --------
    >>> from torch import nn  # doctest: +SKIP
    >>> from_torch(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)), loss="cross_entropy")  # doctest: +SKIP
    Network([4, Dense(8, 'relu'), Dense(3, 'softmax')], loss='cross_entropy', seed=0)
    """
    if not callable(getattr(module, "children", None)):
        raise ArgumentTypeError(f"module must be a torch.nn.Module, such as nn.Sequential(...); got {module!r}")
    chain = _Chain("module")
    for name, part in _leaves(module, ""):
        kind = type(part).__name__
        if kind == "Linear":
            bias = None if part.bias is None else _of_tensor(part.bias)
            chain.dense(name, np.ascontiguousarray(_of_tensor(part.weight).T), bias)
        elif kind in ("Dropout", "Flatten"):
            chain.drop_or_pass(name, part, float(getattr(part, "p", 0.0)))
        elif kind in _TORCH:
            chain.activate(name, part, _TORCH[kind])
        else:
            raise chain.unknown(name, part, f"Sequential, Linear, Dropout, Flatten, {', '.join(_TORCH)}")
    return chain.network(loss)


def from_keras(model: Any, *, loss: str | None = None) -> Network:
    """Convert a Keras model to a network.

    Parameters
    ----------
    model : keras.Model
        A chain of Dense, Dropout, Flatten, Activation, ReLU, LeakyReLU, ELU and Softmax; a Rescaling or a Normalization
        before the first Dense becomes the scaling.
    loss : str, optional
        As in `from_torch`.

    Returns
    -------
    Network
        With the weights, and the scaling of those layers or None.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Something that is no such model; the message names the layer.

    Examples
    --------
    >>> import keras  # doctest: +SKIP
    >>> from_keras(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, "tanh")]))  # doctest: +SKIP
    Network([4, Dense(2, 'tanh')], loss='squared_error', seed=0)
    """
    layers = getattr(model, "layers", None)
    if not isinstance(layers, list | tuple):
        raise ArgumentTypeError(f"model must be a Keras model with layers, got {model!r}")
    if len(getattr(model, "outputs", None) or [0]) > 1:
        raise ArgumentError(f"model has {len(model.outputs)} outputs; give one that is a chain of layers")
    chain = _Chain("model")
    for layer in layers:
        name, kind = str(getattr(layer, "name", "")), type(layer).__name__
        if kind == "Dense":
            held = [np.asarray(array) for array in layer.get_weights()]
            if not 1 <= len(held) <= 2:
                raise ArgumentError(f"the layer {name!r} of model has no weights; build the model first")
            chain.dense(name, held[0], held[1] if len(held) == 2 else None)
            chain.activate(name, layer, _keras_activation(chain, name, layer))
        elif kind == "Activation":
            chain.activate(name, layer, _keras_activation(chain, name, layer))
        elif kind in _KERAS_LAYERS:
            chain.activate(name, layer, _KERAS_LAYERS[kind])
        elif kind == "Rescaling" and not chain.layers:
            chain.scaling = chain.scaling.then(Scaling(layer.scale, layer.offset))
        elif kind == "Normalization" and not chain.layers and getattr(layer, "mean", None) is not None:
            if layer.invert:
                raise ArgumentError(f"model: the layer {name!r} inverts a normalization, which fastmlp does not")
            mean, deviation = np.ravel(layer.mean), np.sqrt(np.ravel(layer.variance))
            scale = 1 / np.maximum(deviation, 1e-7)  # the least that Keras divides by
            chain.scaling = chain.scaling.then(Scaling(scale, centre=mean))
        elif kind in ("InputLayer", "Dropout", "Flatten"):
            chain.drop_or_pass(name, layer, float(getattr(layer, "rate", 0.0)))
        else:
            raise chain.unknown(
                name,
                layer,
                "Dense, Dropout, Flatten, Activation, Rescaling or an adapted Normalization at the start, "
                + ", ".join(_KERAS_LAYERS),
            )
    return chain.network(loss)


def from_sklearn(estimator: Any) -> Network:
    """Convert a fitted MLPClassifier or MLPRegressor of scikit-learn to a network, with its labels.

    Parameters
    ----------
    estimator : MLPClassifier or MLPRegressor

    Returns
    -------
    Network
        With the weights, and ``scaling=None``.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        An estimator that was not fitted, or another thing.

    Examples
    --------
    >>> from sklearn.neural_network import MLPClassifier
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> theirs = MLPClassifier(solver="lbfgs", random_state=0).fit(X, y)
    >>> from_sklearn(theirs).predict(X).tolist() == theirs.predict(X).tolist()
    True
    """
    if not all(hasattr(estimator, name) for name in ("activation", "get_params")):
        raise ArgumentTypeError(f"estimator must be an MLPClassifier or MLPRegressor, got {estimator!r}")
    if not all(hasattr(estimator, name) for name in ("coefs_", "intercepts_", "out_activation_")):
        raise ArgumentError("estimator is not fitted, so it has no weights; fit it first")
    chain = _Chain("estimator")
    last = len(estimator.coefs_) - 1
    for number, (W, b) in enumerate(zip(estimator.coefs_, estimator.intercepts_, strict=True)):
        name = f"{number + 1}"
        chain.dense(name, np.asarray(W), np.asarray(b).reshape(-1))
        activation = estimator.out_activation_ if number == last else estimator.activation
        if activation not in _SKLEARN:
            raise ArgumentError(f"estimator has the activation {activation!r}; fastmlp knows {', '.join(_SKLEARN)}")
        chain.activate(name, None, _SKLEARN[activation])
    classifies = hasattr(estimator, "classes_")
    network = chain.network(None)
    if classifies:
        network.labels = _sklearn_labels(estimator, network.architecture)
    else:
        network.labels = Labels("regression", np.empty(0), network.architecture.outputs == 1)
    return network


def to_torch_state(network: Network) -> dict[str, Array]:
    """Return the weights as the state of an ``nn.Sequential`` of Linear, activation, Linear, activation, ...

    The network's `scaling` is not among them: such a module wants features that are scaled already.

    Parameters
    ----------
    network : Network

    Returns
    -------
    dict of str to ndarray
        ``"0.weight"``, shape (units, fan_in), ``"0.bias"``, ``"2.weight"``, ...: copies, for
        ``module.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})``.

    Raises
    ------
    ArgumentTypeError
        Not a `Network`.

    Examples
    --------
    >>> state = to_torch_state(Network([4, 8, 3], seed=0))
    >>> {name: array.shape for name, array in state.items()}
    {'0.weight': (8, 4), '0.bias': (8,), '2.weight': (3, 8), '2.bias': (3,)}
    """
    state = {}
    for number, (W, b) in enumerate(_weights(network)):
        state[f"{2 * number}.weight"] = np.array(W.T, order="C")
        if b is not None:
            state[f"{2 * number}.bias"] = b.copy()
    return state


def to_keras_weights(network: Network) -> list[Array]:
    """Return the weights in the form that ``set_weights`` of a Keras model of Dense layers takes.

    The network's `scaling` is not among them: such a model wants features that are scaled already.

    Parameters
    ----------
    network : Network

    Returns
    -------
    list of ndarray
        Kernel, bias, kernel, bias, ...: copies.

    Raises
    ------
    ArgumentTypeError
        Not a `Network`.

    Examples
    --------
    >>> [array.shape for array in to_keras_weights(Network([4, 8, 3], seed=0))]
    [(4, 8), (8,), (8, 3), (3,)]
    """
    return [np.array(array, order="C") for pair in _weights(network) for array in pair if array is not None]


def to_sklearn_weights(network: Network) -> tuple[list[Array], list[Array]]:
    """Return the weights as the ``coefs_`` and ``intercepts_`` of scikit-learn's MLPs.

    The network's `scaling` is not among them: such an estimator wants features that are scaled already.

    Parameters
    ----------
    network : Network

    Returns
    -------
    coefs, intercepts : list of ndarray
        Copies; zeros for a bias that isn't there.

    Raises
    ------
    ArgumentTypeError
        Not a `Network`.

    Examples
    --------
    >>> coefs, intercepts = to_sklearn_weights(Network([4, 8, 3], seed=0))
    >>> coefs[0].shape, intercepts[0].shape
    ((4, 8), (8,))
    """
    pairs = _weights(network)
    coefs = [np.array(W, order="C") for W, _ in pairs]
    return coefs, [np.zeros(W.shape[1], W.dtype) if b is None else b.copy() for W, b in pairs]


def _weights(network: object) -> list[tuple[Array, Array | None]]:
    if not isinstance(network, Network):
        raise ArgumentTypeError(f"network must be a fastmlp Network, got {network!r}")
    return network.weights


@dataclass
class _Chain:
    """Layers that are found one after the other."""

    argument: str
    layers: list[tuple[Array, Array | None, str]] = field(default_factory=list)
    dropout: list[float] = field(default_factory=list)
    scaling: Scaling = field(default_factory=Scaling)

    def dense(self, name: str, W: Array, b: Array | None) -> None:
        """Add weights, to which an activation may follow."""
        for array in (W, b):
            if array is not None and array.dtype.kind != "f":
                raise ArgumentTypeError(f"the weights of {name!r} in {self.argument} must be floats, not {array.dtype}")
        self.layers.append((W, b, "identity"))
        self.dropout.append(0.0)

    def activate(self, name: str, part: object, activation: str) -> None:
        """Give the last layer its activation."""
        self._check(name, part)
        if activation == "identity":
            return
        if not self.layers or self.layers[-1][2] != "identity" or self.dropout[-1]:
            raise ArgumentError(
                f"the activation {name!r} of {self.argument} does not follow a layer with weights, as it must"
            )
        self.layers[-1] = (*self.layers[-1][:2], activation)

    def drop_or_pass(self, name: str, part: object, share: float) -> None:
        """Give the last layer its dropout; without any, do nothing."""
        self._check(name, part)
        if share and (not self.layers or self.dropout[-1]):
            raise ArgumentError(
                f"the dropout {name!r} of {self.argument} does not follow a layer's activation; remove it"
            )
        if share:
            self.dropout[-1] = share

    def unknown(self, name: str, part: object, known: str) -> ArgumentError:
        """Make the error for a part that has no place in a network."""
        kind = type(part).__name__
        return ArgumentError(
            f"{self.argument} has the part {name!r}, a {kind}, which fastmlp has not; it reads {known}"
        )

    def network(self, loss: str | None) -> Network:
        """Make the network."""
        if loss is not None and self.layers and self.layers[-1][2] == "identity":
            self.layers[-1] = (*self.layers[-1][:2], get_loss(loss).output)
        return Network.from_checkpoint(checkpoint_of(self.layers, self.scaling, loss, self.dropout))

    def _check(self, name: str, part: object) -> None:
        kind = type(part).__name__
        for parameter, wanted in _WANTED.get(kind, {}).items():
            value = getattr(part, parameter, wanted[0])
            if not any(value == want or (value is None and want == 0) for want in wanted):
                raise ArgumentError(
                    f"the {kind} {name!r} of {self.argument} has {parameter}={value!r}; fastmlp has {wanted[0]!r} only"
                )


def _leaves(module: Any, name: str) -> Iterator[tuple[str, Any]]:
    if type(module).__name__ != "Sequential":
        yield name or type(module).__name__, module
        return
    for child_name, child in module.named_children():
        yield from _leaves(child, f"{name}.{child_name}" if name else child_name)


def _of_tensor(tensor: Any) -> Array:
    # Half precision, which NumPy lacks in part, becomes float32.
    held = tensor.detach().cpu()
    to_known: Callable[[], Any] = held.double if str(held.dtype) == "torch.float64" else held.float
    return np.array(to_known().numpy())


def _keras_activation(chain: _Chain, name: str, layer: Any) -> str:
    activation = getattr(layer, "activation", None)
    called = "linear" if activation is None else str(getattr(activation, "__name__", activation))
    if called not in _KERAS:
        raise ArgumentError(
            f"the layer {name!r} of {chain.argument} has the activation {called!r}; fastmlp knows {', '.join(_KERAS)}"
        )
    return _KERAS[called]


def _sklearn_labels(estimator: Any, architecture: Architecture) -> Labels:
    classes = np.asarray(estimator.classes_)
    if estimator.out_activation_ == "softmax":
        return Labels("classes", classes)
    if architecture.outputs == 1:
        return Labels("binary", classes)
    return Labels("multilabel", np.arange(architecture.outputs))
