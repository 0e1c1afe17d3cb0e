"""One forward and one backward pass with all that they compute on the way (floor 5; imports numpy, tables, model,
data).

The passes are `numpy_engine`'s own: what a `Trace` shows is what the formulas there give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.dataset import Dataset
from ..model.architecture import Architecture
from ..tables import Table
from .base import Array
from .numpy_engine import Pass, add_penalties, backward_pass, forward_pass, one_batch

_HEADINGS = ("layer", "activation", "weights", "n x units", "z", "a", "delta", "dW", "db")


@dataclass(frozen=True, eq=False, repr=False)
class LayerTrace:
    """Values of one layer in a forward and a backward pass; arrays are read-only.

    Attributes
    ----------
    number : int
        1 for the first layer after the input.
    activation : str
        Name of the activation function ``f``.
    a_before : ndarray, shape (n, fan_in)
        The layer's input: the scaled samples, or ``a`` of the layer before.
    W : ndarray, shape (fan_in, units)
        Weights.
    b : ndarray, shape (units,), or None
        Biases; None in a layer without.
    z : ndarray, shape (n, units)
        Weighted input, ``a_before @ W + b``.
    a : ndarray, shape (n, units)
        Activation, ``f(z)``.
    delta : ndarray, shape (n, units), or None
        Derivative of the mean loss by ``z``: each row's share, so a row's loss is divided by the number of rows
        (and multiplied by its weight). This field and the next two are None in a trace without `y`.
    dW : ndarray, shape (fan_in, units), or None
        Derivative of the objective by ``W``: ``a_before.T @ delta``, plus that of the L1 and L2 penalties.
    db : ndarray, shape (units,), or None
        Derivative of the objective by ``b``: ``delta.sum(axis=0)``; None in a layer without biases.

    Examples
    --------
    >>> from fastmlp import Network
    >>> hidden, output = Network([2, 3, 2], seed=0).trace([[0.0, 1.0]], [1]).layers
    >>> hidden.activation, hidden.z.shape, output.dW.shape
    ('relu', (1, 3), (3, 2))
    """

    number: int
    activation: str
    a_before: Array
    W: Array
    b: Array | None
    z: Array
    a: Array
    delta: Array | None = None
    dW: Array | None = None
    db: Array | None = None

    def __repr__(self) -> str:
        return str(_table([self], title=f"layer {self.number} for {_samples(self.z)}").text())

    def _repr_html_(self) -> str:
        return _table([self], title=f"layer {self.number} for {_samples(self.z)}").html()


@dataclass(frozen=True, eq=False, repr=False)
class Trace:
    """All values of a forward and a backward pass, layer by layer: what `Network.trace` returns.

    Arrays are in the network's dtype, read-only, and keep their values while the network trains on. Without `y` there
    is a forward pass only, and the fields from `y` to `dx` are None.

    Attributes
    ----------
    x : ndarray, shape (n, inputs)
        The samples as the first layer sees them: scaled.
    layers : tuple of LayerTrace
        ``layers[0]`` is the first layer after the input, ``layers[-1]`` the output layer.
    y : ndarray, shape (n, outputs), or None
        Targets as numbers: one-hot rows for labels, after label smoothing.
    losses : ndarray, shape (n,), or None
        The loss of each sample.
    loss : float or None
        Mean of `losses`, weighted by `sample_weight`.
    penalty : float or None
        L1 and L2 penalties; 0.0 in a network without.
    objective : float or None
        ``loss + penalty``, the number that training makes smaller.
    dx : ndarray, shape (n, inputs), or None
        Derivative of `loss` by `x`. Its size shows how much each input matters for a sample (saliency).

    Examples
    --------
    >>> from fastmlp import Network
    >>> net = Network([2, 3, 2], hidden="tanh", dtype="float64", seed=1)
    >>> trace = net.trace([[0.0, 1.0], [1.0, 0.5]], [0, 1])
    >>> last = trace.layers[-1]
    >>> bool(np.allclose(last.delta, (last.a - trace.y) / 2))
    True
    >>> trace
    Trace of 2 samples, float64
    layer    activation  weights  n x units              z             a          delta             dW             db
    input    -                 -      2 x 2              -        0 .. 1              -              -              -
    dense 1  tanh          2 x 3      2 x 3  -0.86 .. 0.98  -0.7 .. 0.75  -0.22 .. 0.25  -0.11 .. 0.25  -0.02 .. 0.16
    dense 2  softmax       3 x 2      2 x 2  -0.83 .. 0.41    0.3 .. 0.7  -0.35 .. 0.35  -0.32 .. 0.32  -0.12 .. 0.12
    loss 0.910902, dx -0.14 .. 0.17
    """

    x: Array
    layers: tuple[LayerTrace, ...]
    y: Array | None = None
    losses: Array | None = None
    loss: float | None = None
    penalty: float | None = None
    objective: float | None = None
    dx: Array | None = None

    @property
    def outputs(self) -> Array:
        """Outputs of the network, shape (n, outputs): ``a`` of the last layer."""
        return self.layers[-1].a

    def __repr__(self) -> str:
        return str(self._table().text())

    def _repr_html_(self) -> str:
        return self._table().html()

    def _table(self) -> Table:
        title, note = f"Trace of {_samples(self.x)}, {self.x.dtype}", ""
        if self.loss is not None:
            sum_of_both = f" + penalty {self.penalty:.6g} = objective {self.objective:.6g}" if self.penalty else ""
            note = f"loss {self.loss:.6g}{sum_of_both}, dx {_range(self.dx)}"
        given = ["input", "-", "-", _shape(self.x), "-", _range(self.x), "-", "-", "-"]
        return _table(self.layers, title, note, given)


def trace(architecture: Architecture, parameters: Array, data: Dataset) -> Trace:
    """Run all samples through the network as one batch: forward, and backward too where `data` has targets.

    Parameters
    ----------
    architecture : Architecture
    parameters : ndarray
        Flat vector.
    data : Dataset
        Checked for a network of this architecture.

    Returns
    -------
    Trace
    """
    data.check_fits(architecture)
    parameters = parameters.copy()
    if data.targets is None:
        x = data.samples.rows(slice(0, data.samples.n_rows), architecture.dtype).copy()
        run = forward_pass(architecture, parameters, x)
        return Trace(_frozen(x), _layers(architecture, parameters, run, [None] * len(architecture.layers)))
    x, y, weights = (part.copy() for part in one_batch(architecture, data))
    run = forward_pass(architecture, parameters, x)
    gradient, kept = architecture.zeros(), list[tuple[Array, Array]]()
    losses = backward_pass(architecture, parameters, run, y, weights, gradient, kept)
    penalty = add_penalties(architecture, parameters, gradient)
    loss = float((weights.astype(np.float64) * losses).sum())
    deltas = [dz for dz, _ in reversed(kept)]
    layers = _layers(architecture, parameters, run, deltas, gradient)
    known = {"losses": _frozen(losses), "loss": loss, "penalty": penalty, "objective": loss + penalty}
    return Trace(_frozen(x), layers, y=_frozen(y), dx=_frozen(kept[-1][1]), **known)


def _layers(
    architecture: Architecture, parameters: Array, run: Pass, deltas: list[Any], gradient: Array | None = None
) -> tuple[LayerTrace, ...]:
    layers = []
    for place, layer in enumerate(architecture.layers):
        parts = {
            "a_before": run.activations[place],
            "W": layer.weights(parameters),
            "b": layer.bias(parameters),
            "z": run.logits[place],
            "a": run.activations[place + 1],
            "delta": deltas[place],
            "dW": None if gradient is None else layer.weights(gradient),
            "db": None if gradient is None else layer.bias(gradient),
        }
        frozen: dict[str, Any] = {name: _frozen(part) for name, part in parts.items()}
        layers.append(LayerTrace(place + 1, layer.activation, **frozen))
    return tuple(layers)


def _frozen(array: Any) -> Any:
    """Return a read-only view of an array; None as it is."""
    if array is not None:
        array = array.view()
        array.flags.writeable = False
    return array


def _table(layers: Sequence[LayerTrace], title: str, note: str = "", given: Sequence[str] = ()) -> Table:
    rows = [
        [f"dense {layer.number}", layer.activation, _shape(layer.W), _shape(layer.a)]
        + [_range(part) for part in (layer.z, layer.a, layer.delta, layer.dW, layer.db)]
        for layer in layers
    ]
    return Table(_HEADINGS, [given, *rows] if given else rows, left=_HEADINGS[:2], title=title, note=note)


def _shape(array: Array) -> str:
    return " x ".join(map(str, array.shape))


def _range(array: Array | None) -> str:
    return "-" if array is None else f"{_short(array.min())} .. {_short(array.max())}"


def _short(number: float) -> str:
    return f"{number:.2g}"


def _samples(array: Array) -> str:
    return f"{len(array)} sample{'s' * (len(array) > 1)}"
