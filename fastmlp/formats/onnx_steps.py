"""From the steps of an ONNX graph to layers (floor 6; imports numpy, model, data).

A step is what one node does to a row. Arithmetic with constants goes into the nearest weights, or before the first ones
becomes the scaling.

Graphs differ in how a sample lies in memory: as a row of a matrix, as a column (``W @ x``), or as a vector. Each step
says with which of these it means what a layer does; the graph is read if one of them suits all steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data.samples import Scaling
from ..model.activations import LEAKY_SLOPE
from ..model.architecture import Array
from .npz import WrongContentError

ROWS, COLUMNS, VECTOR = "rows", "columns", "vector"
ANY = frozenset({ROWS, COLUMNS, VECTOR})

LOG_SOFTMAX = "log_softmax"
"""Read as softmax, where it is the last: probabilities instead of their logarithms."""


@dataclass
class Linear:
    """Weights, shape (fan_in, units)."""

    W: Array
    layout: frozenset[str] = ANY


@dataclass
class Affine:
    """``(x - centre) * scale + shift``; each is a number or one per unit."""

    scaling: Scaling
    node: str
    layout: frozenset[str] = ANY

    def by_unit(self, units: int) -> tuple[Array, Array]:
        """Factor and summand of so many units each."""
        scale, centre = (np.broadcast_to(value, (units,)) for value in (self.scaling.scale, self.scaling.centre))
        return scale, np.broadcast_to(self.scaling.shift, (units,)) - centre * scale


def affine(node: str, layout: frozenset[str] = ANY, **values: Any) -> Affine:
    """Make the step of a node from `scale`, `shift` and `centre`, arrays of any shape."""
    flat: dict[str, Any] = {name: np.asarray(value, np.float64).reshape(-1) for name, value in values.items()}
    return Affine(Scaling(**{name: v[0] if v.size == 1 else v for name, v in flat.items()}), node, layout)


@dataclass
class Activation:
    """An activation; `slope` is that of leaky_relu below zero, a number or one per unit."""

    name: str
    slope: Array | None = None
    layout: frozenset[str] = ANY


@dataclass
class Reshaped:
    """A change of form: to samples of so many numbers (None: as many as there are), in another layout."""

    units: int | None
    node: str
    layout: frozenset[str]


@dataclass
class Turned:
    """A transposition, after which rows are columns."""

    node: str


Step = Linear | Affine | Activation | Reshaped | Turned
Layer = tuple[Array, Array | None, str]


class _Chain:
    """Layers, as they are gathered from steps."""

    def __init__(self, layout: frozenset[str], take: Callable[[int, str], None]) -> None:
        self.layers: list[Layer] = []
        self.slopes: dict[int, Array] = {}  # of layers with a leaky_relu, by number
        self.scaling: Scaling | None = None
        self._layout, self._take = layout, take
        self._pending: Affine | None = None  # after an activation, before the next weights
        self._open = False  # whether the last layer still takes a bias or an activation

    @property
    def width(self) -> int | None:
        """Units of the last layer."""
        return self.layers[-1][0].shape[1] if self.layers else None

    def add(self, step: Step) -> None:
        """Take the next step."""
        if isinstance(step, Turned):
            self._layout = frozenset({ROWS: COLUMNS, COLUMNS: ROWS}.get(layout, layout) for layout in self._layout)
            return
        if isinstance(step, Reshaped):
            if self.width is not None and step.units not in (None, self.width):
                raise WrongContentError(f"the node {step.node} gives rows another length, which no MLP does")
            self._layout = step.layout
            return
        self._layout &= step.layout
        if not self._layout:
            raise WrongContentError(
                "its nodes take a sample for a row of a matrix in one place and for a column in another, which no MLP "
                f"does; the first one that disagrees is {_told(step)}"
            )
        if isinstance(step, Linear):
            self._multiply(step.W)
        elif isinstance(step, Affine):
            self._change(step)
        else:
            self._activate(step)

    def _multiply(self, W: Array) -> None:
        b, pending = None, self._pending
        if self.width not in (None, W.shape[0]):
            raise WrongContentError(f"weights of shape {W.shape} follow a layer of {self.width} units")
        if self.layers and self.layers[-1][2] == LOG_SOFTMAX:
            raise WrongContentError("weights follow LogSoftmax, which fastmlp reads at the end only")
        if pending is not None and not self.layers:
            self.scaling = pending.scaling
        elif pending is not None:
            scale, shift = pending.by_unit(W.shape[0])
            W, b = (W * scale[:, None]).astype(W.dtype), shift @ W
        self.layers.append((W, b, "identity"))
        self._pending, self._open = None, True

    def _change(self, step: Affine) -> None:
        if self._open:
            W, b, _ = self.layers[-1]
            scale, shift = step.by_unit(W.shape[1])
            if (scale != 1).any():
                W = (W * scale).astype(W.dtype)
            self.layers[-1] = W, shift if b is None else b * scale + shift, "identity"
            return
        if self._pending is not None:
            step = Affine(self._pending.scaling.then(step.scaling), step.node)
        self._pending = None if step.scaling.changes_nothing and self.layers else step

    def _activate(self, step: Activation) -> None:
        if not self.layers or self._pending is not None:
            where = "arithmetic after an activation" if self.layers else "the input"
            raise WrongContentError(f"the activation {step.name} follows {where}, with no weights between")
        if not self._open:
            raise WrongContentError(f"the activation {step.name} follows another, with no weights between")
        self.layers[-1] = (*self.layers[-1][:2], step.name)
        if step.slope is not None:
            self.slopes[len(self.layers) - 1] = np.broadcast_to(step.slope, (self.layers[-1][0].shape[1],))
        self._open = step.name == "identity"

    def finish(self) -> tuple[list[Layer], Scaling | None]:
        """Return layers and scaling."""
        if self._pending is not None and self.layers:
            raise WrongContentError(
                f"the node {self._pending.node} changes the output after its activation, which no layer does"
            )
        layers = _without_slopes(self.layers, self.slopes, self._take)
        if layers and layers[-1][2] == LOG_SOFTMAX:
            layers[-1] = (*layers[-1][:2], "softmax")
        return layers, self.scaling


def layers_of(
    steps: Sequence[Step], layout: frozenset[str], take: Callable[[int, str], None]
) -> tuple[list[Layer], Scaling | None]:
    """Gather steps into layers, and what is done before the first one into a scaling.

    Parameters
    ----------
    steps : sequence of steps
        From the input to the output.
    layout : frozenset of str
        How a sample may lie in the input.
    take : callable
        Counts numbers that are held besides those of the steps, or refuses them: (count, node).

    Raises
    ------
    WrongContentError
        They are no chain of layers.
    """
    if not any(isinstance(step, Linear) for step in steps):
        raise WrongContentError("it has no layers with weights (Gemm or MatMul with constants), so it is no network")
    chain = _Chain(layout, take)
    for step in steps:
        chain.add(step)
    return chain.finish()


def _without_slopes(layers: list[Layer], slopes: dict[int, Array], take: Callable[[int, str], None]) -> list[Layer]:
    """Write leaky_relu of any slope in what fastmlp has.

    ``leaky(z) = relu(z) - slope * relu(-z)``: a layer of twice the units, with relu, and the weights of the next layer
    twice, the second time by the slope. A last layer gets one after it, which only adds the two parts.
    """
    made = list(layers)
    for number, slope in sorted(slopes.items()):
        W, b, _ = made[number]
        known = {LEAKY_SLOPE: "leaky_relu", 0.0: "relu", 1.0: "identity"}
        same = [name for value, name in known.items() if np.allclose(slope, value, rtol=1e-6, atol=0)]
        if same:
            made[number] = W, b, same[0]
            continue
        made[number] = np.hstack([W, -W]), None if b is None else np.concatenate([b, -b]), "relu"
        if number + 1 < len(made):
            V, c, activation = made[number + 1]
        else:
            take(W.shape[1] ** 2, "with a slope at the end")
            V, c, activation = np.eye(W.shape[1], dtype=W.dtype), None, "identity"
        made[number + 1 : number + 2] = [(np.vstack([V, V * -slope[:, None].astype(V.dtype)]), c, activation)]
    return made


def _told(step: Linear | Affine | Activation) -> str:
    return step.node if isinstance(step, Affine) else type(step).__name__.lower()
