"""Backpropagation checked by central differences (floor 5; imports numpy, checks, errors, tables, model, data).

The derivative of the objective C by a parameter w is, but for an error of the order of h²,
``(C(w + h) - C(w - h)) / 2h``: two forward passes for each parameter, where backpropagation finds all derivatives in
one backward pass. Both are computed here by `numpy_engine`'s own passes, in float64.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ..checks import check_number, check_whole
from ..data.dataset import Dataset
from ..errors import ArgumentError, ArgumentTypeError
from ..model.architecture import Architecture
from ..tables import Table
from .base import Array
from .numpy_engine import Pass, add_penalties, backward_pass, forward_pass, one_batch

TOLERANCE = 1e-5
"""Largest error of a gradient that passes."""

_EPSILON = float(np.finfo(np.float64).eps)
_STEP = 6e-6  # the cube root of _EPSILON: there truncation and rounding weigh about the same
_SMALLER = (1.0, 0.1, 0.01)  # what the step is multiplied by where the first crosses a kink
_KINKED = ("relu", "leaky_relu")  # their derivatives jump at z = 0
_KINKED_LOSSES = ("absolute_error", "quantile")  # and theirs where a = y
_MOST_ROWS = 60


@dataclass(frozen=True)
class CheckedDerivative:
    """One derivative, computed in two ways: a row of a `GradientCheck`.

    Attributes
    ----------
    layer : int
        1 for the first layer after the input.
    parameter : {"W", "b"}
    index : tuple of int
        Which number of ``W``, (row, column), or of ``b``, (unit,).
    backpropagated : float
        By backpropagation.
    numeric : float
        By central differences.
    error : float
        Relative error; see `GradientCheck`.
    step : float
        By how much the parameter was moved to either side.
    kink : bool
        Whether both numbers differ and a kink lies within the step, so that the difference is no derivative; such a row
        doesn't count.
    """

    layer: int
    parameter: str
    index: tuple[int, ...]
    backpropagated: float
    numeric: float
    error: float
    step: float
    kink: bool


@dataclass(frozen=True, repr=False)
class GradientCheck:
    """Backpropagated derivatives beside numeric ones: what `Network.check_gradient` returns.

    True in a condition if the check has passed, so that ``assert net.check_gradient(X, y)`` works.

    Attributes
    ----------
    rows : tuple of CheckedDerivative
        With ``layer``, ``parameter``, ``index``, ``backpropagated``, ``numeric``, ``error``, ``step`` and ``kink``;
        layer by layer. ``pandas.DataFrame(check.rows)`` makes a table of them.
    objective : float
        Mean loss plus penalties, in float64.
    tolerance : float
        Largest error that passes: 1e-5.

    Notes
    -----
    The error is the difference between both numbers divided by the size of the larger one. For derivatives close to
    zero it is divided by a floor instead, since the difference of two objectives can't be more precise than their
    rounding: the floor is such that a difference of ``10 * 2.2e-16 * max(1, objective) / step`` is an error of just
    the tolerance. A correct gradient has errors of 1e-10 to 1e-6. One with a mistake has errors of 1e-2 to 2: it is
    2 where the sign is wrong, 1 where one number is zero and the other isn't.

    relu, leaky_relu, the losses absolute_error and quantile and the L1 penalty have a kink. Where moving a parameter
    takes a unit across its kink, the difference mixes the slopes of both sides and is no derivative, although
    backpropagation may be right. Then the step is made ten and a hundred times smaller. A row that still crosses a
    kink, and differs, is shown, marked "kink", and doesn't count. That happens where ``z`` is exactly 0: in a new
    network whose biases are 0, for a sample of zeros only.

    Examples
    --------
    >>> from fastmlp import Network
    >>> check = Network([2, 3, 2], hidden="tanh", seed=0).check_gradient([[0.0, 1.0]], [1])
    >>> bool(check), check.largest_error < check.tolerance
    (True, True)
    """

    rows: tuple[CheckedDerivative, ...]
    objective: float
    tolerance: float = TOLERANCE

    @property
    def largest_error(self) -> float:
        """Largest error of the rows that count; NaN if none does, or if a number is NaN."""
        errors = [row.error for row in self.rows if not row.kink]
        return float(np.max(errors)) if errors else float("nan")

    @property
    def passed(self) -> bool:
        """Whether `largest_error` is at most `tolerance`."""
        return self.largest_error <= self.tolerance

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return str(self._table().text())

    def _repr_html_(self) -> str:
        return self._table().html()

    def _table(self) -> Table:
        shown, kinks = self.rows, sum(row.kink for row in self.rows)
        verdict = "passed" if self.passed else "NOT PASSED"
        note = f"{verdict}: largest error {self.largest_error:.1e}, tolerance {self.tolerance:.0e}"
        if len(shown) > _MOST_ROWS:
            worst = sorted(shown, key=lambda row: (row.kink, -row.error if row.error == row.error else -np.inf))
            shown = tuple(sorted(worst[:_MOST_ROWS], key=_place))
            note += f"\nshown: the {_MOST_ROWS} largest errors of {len(self.rows):,}"
        if kinks:
            note += f"\nkink: {kinks} of {len(self.rows):,} derivatives don't exist within the step and don't count"
        headings = ("parameter", "backpropagated", "numeric", "error")
        return Table(headings, [_cells(row) for row in shown], left=headings[:1], note=note)


def _place(row: CheckedDerivative) -> tuple[int, str, tuple[int, ...]]:
    return row.layer, row.parameter, row.index


def _cells(row: CheckedDerivative) -> list[str]:
    name = f"{row.parameter}{row.layer}[{', '.join(map(str, row.index))}]"
    return [name, f"{row.backpropagated:.6e}", f"{row.numeric:.6e}", "kink" if row.kink else f"{row.error:.1e}"]


Place = tuple[int, str, tuple[int, ...]]
"""Layer, counted from 1; W or b; and the index there."""


def check_options(per_layer: object, step: object, seed: object) -> tuple[int | None, float | None, int]:
    """Return the options of `Network.check_gradient` but `only`, checked.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        The message names the argument.
    """
    if per_layer is not None:
        per_layer = check_whole(per_layer, "per_layer", 1, 2**31)
    if step is not None:
        step = float(check_number(step, "step", "a number in [1e-12, 1]"))
        if not 1e-12 <= step <= 1:
            raise ArgumentError(f"step must lie in [1e-12, 1], or be None for one that suits the numbers; got {step!r}")
    return per_layer, step, check_whole(seed, "seed", 0, 2**63)


def places_of(architecture: Architecture, only: object) -> list[Place] | None:
    """Return the places of the parameters that `only` of `Network.check_gradient` names; None for None.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A name that is none, or of a parameter that the network lacks.
    """
    if only is None:
        return None
    names = [only] if isinstance(only, str) else only
    if not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names):
        raise ArgumentTypeError(f"only must be a name such as 'W1[0, 2]', or a list of names, got {only!r}")
    return [_place_of(architecture, name) for name in names]


def _place_of(architecture: Architecture, name: str) -> Place:
    found = re.fullmatch(r"([Wb])(\d{1,9})\[(\d{1,9})(?:, ?(\d{1,9}))?\]", name.strip())
    if not found or (found[1] == "W") != (found[4] is not None):
        raise ArgumentError(f"only must name parameters like 'W1[0, 2]' or 'b1[2]', got {name!r}")
    layer, index = int(found[2]), tuple(int(part) for part in found.groups()[2:] if part is not None)
    sizes, layers = architecture.sizes, architecture.layers
    if not 1 <= layer <= len(layers):
        raise ArgumentError(f"only: {name!r} names layer {layer}, but the network has layers 1 to {len(layers)}")
    shape = (sizes[layer - 1], sizes[layer]) if found[1] == "W" else (sizes[layer],)
    if any(i >= n for i, n in zip(index, shape, strict=True)):
        raise ArgumentError(f"only: {name!r} lies outside of {found[1]}{layer}, whose shape is {shape}")
    if found[1] == "b" and layers[layer - 1].bias_start < 0:
        raise ArgumentError(f"only: {name!r} is a bias, and layer {layer} has none")
    return layer, found[1], index


def check_gradient(
    architecture: Architecture,
    parameters: Array,
    data: Dataset,
    per_layer: int | None = 5,
    step: float | None = None,
    seed: int = 0,
    only: Sequence[Place] | None = None,
) -> GradientCheck:
    """Compare backpropagation with central differences; see `Network.check_gradient`.

    Parameters
    ----------
    architecture : Architecture
    parameters : ndarray
        Flat vector.
    data : Dataset
        Checked, with targets, for a network of this architecture.
    per_layer, step, seed
        As `check_options` returns them.
    only : list, optional
        As `places_of` returns it.

    Returns
    -------
    GradientCheck
    """
    data.check_fits(architecture)
    objective = _Objective(architecture, parameters, data)
    parts = [dict(zip("Wb", pair, strict=True)) for pair in architecture.views(objective.parameters)]
    slopes = [dict(zip("Wb", pair, strict=True)) for pair in architecture.views(objective.gradient())]
    rows = []
    for layer, name, index in _places(parts, per_layer, seed) if only is None else only:
        values, derivatives = parts[layer - 1][name], slopes[layer - 1][name]
        assert values is not None and derivatives is not None
        moves = objective.moves(layer - 1, index) if step is None else [step]
        compared = objective.compare(values, index, float(derivatives[index]), moves)
        rows.append(CheckedDerivative(layer, name, index, *compared))
    return GradientCheck(tuple(rows), objective.value)


def relative_error(backpropagated: float, numeric: float, objective: float, step: float) -> float:
    """Return the relative error of a row of a `GradientCheck`, whose notes explain it.

    Examples
    --------
    >>> relative_error(1.0, 1.0, 1.0, 1e-6), relative_error(1.0, 2.0, 1.0, 1e-6), relative_error(1.0, -1.0, 1.0, 1e-6)
    (0.0, 0.5, 2.0)
    """
    rounding = 10 * _EPSILON * max(1.0, abs(objective)) / step
    return abs(backpropagated - numeric) / max(abs(backpropagated), abs(numeric), rounding / TOLERANCE)


def _places(parts: Sequence[dict[str, Array | None]], per_layer: int | None, seed: int) -> Iterator[Place]:
    """Choose at most so many weights, and as many biases, of every layer."""
    for number, name in ((number, name) for number in range(len(parts)) for name in "Wb"):
        values = parts[number][name]
        if values is not None:  # a layer without biases has none
            for index in _chosen(values.shape, per_layer, [seed, number, "Wb".index(name)]):
                yield number + 1, name, index


def _chosen(shape: tuple[int, ...], most: int | None, seed: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Choose at most so many places of an array, in order."""
    size = int(np.prod(shape))
    flat = np.arange(size)
    if most is not None and most < size:
        flat = np.sort(np.random.default_rng(seed).choice(size, most, replace=False))
    for place in flat.tolist():
        yield tuple(int(i) for i in np.unravel_index(place, shape))


class _Objective:
    """The objective of a network on some data as one batch, in float64, as a function of the parameters.

    The inputs, targets and weights are the numbers that the network itself computes with, converted.
    """

    def __init__(self, architecture: Architecture, parameters: Array, data: Dataset) -> None:
        # The places in the flat vector stay those of the network's dtype, which NumPy doesn't mind.
        self.architecture = replace(architecture, dtype=np.dtype(np.float64))
        self.parameters = parameters.astype(np.float64)
        batch = one_batch(architecture, data)
        self.x, self.y, self.weights = (part.astype(np.float64) for part in batch)
        run = self._run()
        self.value = self._value(run)
        self.largest_inputs = [np.abs(a).max(axis=0) for a in run.activations[:-1]]

    def gradient(self) -> Array:
        """Return what backpropagation finds, a flat vector."""
        gradient = self.architecture.zeros()
        backward_pass(self.architecture, self.parameters, self._run(), self.y, self.weights, gradient)
        add_penalties(self.architecture, self.parameters, gradient)
        return gradient

    def moves(self, number: int, index: tuple[int, ...]) -> list[float]:
        """Return the steps to try for a parameter of a layer, the best first.

        A weight is multiplied by an input, which may be large: none of its products moves by more than `_STEP`.
        """
        largest = float(self.largest_inputs[number][index[0]]) if len(index) == 2 else 1.0
        return [_STEP / max(1.0, largest) * factor for factor in _SMALLER]

    def compare(
        self, values: Array, index: tuple[int, ...], backpropagated: float, steps: Sequence[float]
    ) -> tuple[float, float, float, float, bool]:
        """Return the fields of a row from `backpropagated` on.

        The steps are tried in order, until no kink lies within one or both numbers agree all the same.
        """
        middle, compared = float(values[index]), (backpropagated, float("nan"), float("nan"), float("nan"), True)
        for step in steps:
            step = max(step, 4 * float(np.spacing(abs(middle))))  # the parameter has to move
            ends = []
            for moved in (middle + step, middle - step):
                values[index] = moved
                run = self._run()
                ends.append((moved, self._value(run), self._sides(run)))
            values[index] = middle
            (above, high, one_side), (below, low, other_side) = ends
            numeric = (high - low) / (above - below)
            error = relative_error(backpropagated, numeric, self.value, step)
            crossed = any((one != other).any() for one, other in zip(one_side, other_side, strict=True))
            crossed |= bool(len(index) == 2 and self.architecture.l1 and 0 < abs(middle) <= step)
            kink = crossed and not error <= TOLERANCE
            compared = backpropagated, numeric, error, step, kink
            if not kink:
                break
        return compared

    def _run(self) -> Pass:
        return forward_pass(self.architecture, self.parameters, self.x)

    def _value(self, run: Pass) -> float:
        losses = self.architecture.loss_function.value(run.logits[-1], run.activations[-1], self.y)
        penalty = add_penalties(self.architecture, self.parameters, self.architecture.zeros())
        return float((self.weights * losses).sum()) + penalty

    def _sides(self, run: Pass) -> list[Any]:
        """Return on which side of each kink every number lies."""
        layers = zip(self.architecture.layers, run.logits, strict=True)
        sides: list[Any] = [z > 0 for layer, z in layers if layer.activation in _KINKED]
        if self.architecture.loss in _KINKED_LOSSES:
            sides.append(run.activations[-1] > self.y)
        return sides
