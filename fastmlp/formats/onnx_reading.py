"""Networks from ONNX files of plain MLPs (floor 6; imports numpy, onnx, model, data).

From the output, the graph is followed back to its input. On the way stand Gemm or MatMul with constants, activations,
and arithmetic with constants. Any other operator is an error that names the node. `onnx_constants` reads the constants,
`onnx_steps` makes layers of what was found, `onnx_classes` knows how classifiers end.
"""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.samples import Scaling
from ..model.activations import LEAKY_SLOPE
from ..model.architecture import Array
from .checkpoint import Checkpoint
from .layers import checkpoint_of
from .npz import WrongContentError, check_header, described_scaling
from .onnx_classes import DOMAIN, Ending, ending
from .onnx_constants import Constants, attribute
from .onnx_steps import (
    ANY,
    COLUMNS,
    LOG_SOFTMAX,
    ROWS,
    VECTOR,
    Activation,
    Layer,
    Linear,
    Reshaped,
    Step,
    Turned,
    affine,
    layers_of,
)
from .reading import PlainReader, told_as_file_errors

_ACTIVATIONS = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Relu": "relu",
    "LeakyRelu": "leaky_relu",
    "PRelu": "leaky_relu",
    "Elu": "elu",
    "Gelu": "gelu",
    "Softmax": "softmax",
    "LogSoftmax": LOG_SOFTMAX,
    "Exp": "exponential",
}
_WANTED: dict[str, dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "Elu": {"alpha": (1.0, (1.0,))},
    "Gelu": {"approximate": (b"none", (b"none",))},
    "Flatten": {"axis": (1, (0, 1))},
    "Cast": {"to": (None, (1, 10, 11, 16))},  # to floats
}
"""Attributes of operators: their default, and the values with which they are what fastmlp has."""

_PASSED = ("Identity", "Dropout", "Cast")

_QUANTISED = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QGemm", "MatMulInteger", "MatMulNBits")

_COLUMN = frozenset({COLUMNS})

# How samples lie where a constant or a softmax has such a form.
_ALONG = {-1: frozenset({ROWS, VECTOR}), 0: frozenset({COLUMNS, VECTOR}), 1: frozenset({ROWS}), -2: _COLUMN}


def load(path: Path) -> Checkpoint:
    """Read a network.

    Files that fastmlp wrote have their labels and loss; others get the loss that goes with the last activation, and
    labels where they are those of a classifier of skl2onnx. LogSoftmax at the end is read as softmax. LeakyRelu and
    PRelu of other slopes than fastmlp's 0.01 become two units of relu each, with the same outputs. Weights in other
    files are read where these lie in the folder of the model. Reading takes at most `reading.LARGEST_MULTIPLE` times
    the memory that the files take on disk.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Checkpoint

    Raises
    ------
    DataFileError
        The file is missing, damaged, quantised, keeps its weights outside of its folder, or is not a chain of layers;
        the message names the node that has no place in one.
    """
    import onnx

    with told_as_file_errors(path):
        content = path.read_bytes()
        try:
            model = onnx.ModelProto.FromString(content)
        except Exception as error:
            raise WrongContentError(f"not ONNX, or a file that was cut off or damaged ({error})") from error
        return _checkpoint(model, len(content), path.parent)


def _checkpoint(model: Any, file_size: int, folder: Path) -> Checkpoint:
    if not model.graph.node and not model.graph.output:
        raise WrongContentError("not ONNX, or without a graph, so it holds no network")
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    header = check_header(json.loads(metadata["fastmlp"]), "ONNX") if "fastmlp" in metadata else None
    graph = _Graph(model.graph, file_size, folder)
    layers, scaling = graph.layers()
    if header is None:
        theirs = checkpoint_of(layers, scaling or Scaling())
        theirs.labels = graph.ending.labels(theirs.architecture)
        return theirs
    described = header["architecture"]
    loss = {name: described[name] for name in ("loss", "l1", "l2", "quantile", "label_smoothing")}
    made = checkpoint_of(layers, scaling or Scaling(), **loss)
    name, found_on = described_scaling(header)
    if name is not None and scaling is None:
        made.scaling = name
    elif isinstance(made.scaling, Scaling):
        made.scaling = replace(made.scaling, found_on=found_on)
    if header["labels"] is not None:
        made.labels = PlainReader(header, _nothing, file_size).labels(header["labels"], made.architecture)
    return made


def _nothing(name: str, shape: tuple[int, ...] | None, dtype: np.dtype[Any] | None) -> Array:
    raise KeyError(name)


class _Graph:
    """A graph of ONNX, of which nothing is believed that was not checked."""

    def __init__(self, graph: Any, file_size: int, folder: Path) -> None:
        self._graph = graph
        self._makers = {output: node for node in graph.node for output in node.output if output}
        self._constants = Constants(graph.initializer, self._makers, file_size, folder)
        self._users: dict[str, list[str]] = {
            name: [] for node in graph.node if node.op_type == "Min" for name in node.output
        }
        for node in graph.node:
            for name in node.input:
                if name in self._users:
                    self._users[name].append(node.op_type)
        self.ending = Ending("")
        inputs = [value for value in graph.input if value.name not in self._constants.tensors]
        self._inputs = {value.name for value in inputs}
        self._shape = _shape(inputs[0]) if len(inputs) == 1 else None  # of the input, as far as it is told

    def layers(self) -> tuple[list[Layer], Scaling | None]:
        """The layers from the input to the output, and what is done before them."""
        for node in self._graph.node:
            if node.op_type in _QUANTISED or node.op_type.startswith("QLinear"):
                raise WrongContentError(
                    f"a quantised model: its node {_called(node)} computes in whole numbers, and fastmlp in floats; "
                    "take the model as it was before it was quantised"
                )
        steps, shape = self._steps(), self._shape
        layout = frozenset({VECTOR} if shape and len(shape) == 1 else {ROWS, COLUMNS})
        layers, scaling = layers_of(steps, layout, self._constants.take)
        inputs = layers[0][0].shape[0]
        if shape and 0 not in shape[1:] and inputs not in (math.prod(shape[1:]), math.prod(shape), shape[0]):
            raise WrongContentError(f"its first weights take {inputs} numbers, but its input has the shape {shape}")
        return layers, scaling

    def _steps(self) -> list[Step]:
        """What happens to a sample, from the input to the output."""
        steps: list[Step] = []
        self.ending = ending(self._output(), self._makers, self._constants.any_kind, attribute)
        name = self.ending.name
        if self.ending.doubled:
            steps.append(Reshaped(1, "of two probabilities", ANY))
        for _ in range(2 * len(self._graph.node) + 1):  # a Gemm is two steps
            if name in self._inputs:
                return steps[::-1]
            if name not in self._makers:
                raise WrongContentError(f"the tensor {name!r} comes from nowhere")
            step, name = self._step(self._makers[name])
            steps += [] if step is None else [step]
        raise WrongContentError("its nodes go round in a circle")

    def _output(self) -> str:
        names = [str(value.name) for value in self._graph.output]
        if not names:
            raise WrongContentError("its graph has no output")
        # Exporters of classifiers give labels first, then probabilities.
        return next((name for name in names if "prob" in name.lower()), names[-1])

    def _step(self, node: Any) -> tuple[Step | None, str]:
        """What a node does, and the name of what it does it to."""
        operator, called = node.op_type, _called(node)
        if (operator, node.domain) == ("Scaler", DOMAIN) and len(node.input) == 1:
            return self._scaler(node)
        if node.domain not in ("", "ai.onnx"):
            raise WrongContentError(f"the node {called} is of the domain {node.domain!r}, which fastmlp does not read")
        if not node.input:
            raise WrongContentError(f"the node {called} has no input")
        for name, (default, wanted) in _WANTED.get(operator, {}).items():
            value = attribute(node, name, default)
            if not any(
                value == want or (isinstance(want, float) and math.isclose(value, want, rel_tol=1e-6))
                for want in wanted
            ):
                raise WrongContentError(f"the node {called} has {name}={value!r}; fastmlp has {wanted[0]!r} only")
        if operator in _ACTIVATIONS:
            return self._activation(node), node.input[0]
        if operator in _PASSED:
            return None, node.input[0]
        if operator == "Gemm":
            return self._gemm(node)
        if operator == "MatMul" and len(node.input) == 2:
            return self._matmul(node)
        if operator in ("Add", "Sub", "Mul", "Div") and len(node.input) == 2:
            return self._arithmetic(node)
        if operator == "Min" and self._only_bounds_an_exponential(node):
            return None, node.input[0]
        if operator == "Transpose" and attribute(node, "perm", [1, 0]) == [1, 0]:
            return Turned(called), node.input[0]
        if operator in ("Reshape", "Flatten"):
            step = self._reshaped(node)
            if step is not None:
                return step, node.input[0]
        if operator == "Squeeze" and self._squeezed(node) in ([1], [-1]):
            return Reshaped(1, called, ANY), node.input[0]  # where it is right, one axis of rows of one number
        raise WrongContentError(
            f"the node {called} is not one that fastmlp reads; it reads chains of Gemm, MatMul, Add, Sub, Mul, Div by "
            f"constants, {', '.join(_ACTIVATIONS)}, {', '.join(_PASSED)}, Flatten, Reshape, Squeeze, Transpose, "
            "and what skl2onnx writes of a classifier"
        )

    def _activation(self, node: Any) -> Activation:
        operator, called = node.op_type, _called(node)
        name = _ACTIVATIONS[operator]
        if operator in ("Softmax", "LogSoftmax"):
            axis = attribute(node, "axis", -1)
            if axis not in _ALONG:
                raise WrongContentError(f"the node {called} has axis={axis}; fastmlp sums over the units of a layer")
            return Activation(name, layout=_ALONG[axis])
        if operator == "LeakyRelu":
            slope = np.array(attribute(node, "alpha", LEAKY_SLOPE), dtype=np.float64)
            if not np.isfinite(slope):
                raise WrongContentError(f"the node {called} has alpha={slope}")
            return Activation(name, slope)
        if operator == "PRelu" and len(node.input) == 2:
            slope, shape = self._constants.vector(node.input[1], called)
            return Activation(name, slope, _along(shape))
        return Activation(name)

    def _scaler(self, node: Any) -> tuple[Step, str]:
        """Read what skl2onnx makes of a StandardScaler: ``(x - offset) * scale``."""
        offset, scale = (np.array(attribute(node, name, [])) for name in ("offset", "scale"))
        self._constants.take(offset.size + scale.size, _called(node))
        if offset.size == 0 or scale.size == 0 or not (np.isfinite(offset).all() and np.isfinite(scale).all()):
            raise WrongContentError(f"the node {_called(node)} has no finite offset and scale")
        return affine(_called(node), frozenset({ROWS}), scale=scale, centre=offset), node.input[0]

    def _reshaped(self, node: Any) -> Reshaped | None:
        """Read what gives each sample a form; None where it is none of a sample."""
        called, one_sample = _called(node), self._shape is None or self._shape[:1] in ((), (1,))
        if node.op_type == "Flatten":
            flat = attribute(node, "axis", 1) == 0  # of what is one sample altogether
            return Reshaped(None, called, frozenset({ROWS} if flat else {ROWS, COLUMNS}))
        if len(node.input) != 2:
            return None
        shape = self._form(node.input[1], called)
        if len(shape) == 1 and (shape[0] > 0 or (shape[0] == -1 and one_sample)):
            return Reshaped(None if shape[0] == -1 else shape[0], called, frozenset({VECTOR}))
        if len(shape) != 2 or shape[1] == 0:
            return None
        rows, units = shape
        as_many = rows == (self._shape[0] if self._shape else 0)  # as the samples that the exporter was shown
        if units == 1 and rows != 1:  # a column, or rows of one number
            if rows > 1:
                return Reshaped(None if as_many else rows, called, frozenset({ROWS, COLUMNS}) if as_many else _COLUMN)
            return Reshaped(1, called, ANY)
        if rows in (-1, 0, 1) or as_many:
            return Reshaped(None if units == -1 else units, called, frozenset({ROWS}))
        return Reshaped(rows, called, _COLUMN) if units == -1 and one_sample else None

    def _form(self, name: str, called: str) -> list[int]:
        """Return the form that a Reshape gives; 0 for a size that stays."""
        maker = self._makers.get(name)
        if maker is None or maker.op_type != "Concat" or len(maker.input) != 2:
            return self._constants.numbers(name, called)
        # ``x.view(x.size(0), -1)`` in PyTorch: the number of rows is asked for, and stays.
        first, second = maker.input
        asked = [first]
        for operator in ("Unsqueeze", "Gather", "Shape"):
            inner = self._makers.get(asked[-1])
            if inner is None or inner.op_type != operator or not inner.input:
                return []
            if operator == "Gather" and (
                len(inner.input) != 2 or self._constants.numbers(inner.input[1], called) != [0]
            ):
                return []
            asked.append(inner.input[0])
        return [0, *self._constants.numbers(second, called)]

    def _squeezed(self, node: Any) -> list[int]:
        axes = attribute(node, "axes", None)  # below opset 13
        if axes is None and len(node.input) == 2:
            axes = self._constants.numbers(node.input[1], _called(node))
        return list(axes or [])

    def _gemm(self, node: Any) -> tuple[Step, str]:
        called = _called(node)
        if len(node.input) < 2:
            raise WrongContentError(f"the node {called} has no weights")
        columns = self._constants.has(node.input[0])  # W @ x, rather than x @ W
        ours, theirs = ("transA", "transB") if columns else ("transB", "transA")
        if attribute(node, theirs, 0):
            raise WrongContentError(f"the node {called} transposes its samples, which no MLP does")
        data = node.input[1 if columns else 0]
        W = self._constants.matrix(node.input[0 if columns else 1], called)
        W = (W.T if bool(attribute(node, ours, 0)) != columns else W) * W.dtype.type(attribute(node, "alpha", 1.0))
        layout = _COLUMN if columns else frozenset({ROWS})
        if len(node.input) < 3 or not node.input[2]:
            return Linear(W, layout), data
        # The bias is a step of its own: it is put in the place of the Gemm, whose first part gets a name of its own.
        shift, shape = self._constants.vector(node.input[2], called)
        inner = f"{node.output[0]}\0weights"
        product = type(node)(op_type="Gemm", name=node.name, input=node.input[:2], output=[inner])
        product.attribute.extend(held for held in node.attribute if held.name != "beta")
        self._makers[inner] = product
        shift = shift * attribute(node, "beta", 1.0)
        return affine(called, _along(shape) - {VECTOR}, shift=shift), inner

    def _matmul(self, node: Any) -> tuple[Step, str]:
        called, (first, second) = _called(node), node.input
        if self._constants.has(first) and not self._constants.has(second):
            return Linear(self._constants.matrix(first, called).T, frozenset({COLUMNS, VECTOR})), second
        return Linear(self._constants.matrix(second, called), frozenset({ROWS, VECTOR})), first

    def _arithmetic(self, node: Any) -> tuple[Step, str]:
        called, operator = _called(node), node.op_type
        first, second = node.input
        if operator == "Mul":
            for name, other in ((first, second), (second, first)):
                maker = self._makers.get(name)
                if maker is not None and maker.op_type == "Sigmoid" and list(maker.input) == [other]:
                    return Activation("silu"), other
            for name, other in ((first, second), (second, first)):
                if self._is_doubled_distribution(name, other):
                    # Twice gelu; the half comes later. As with a Gemm's bias, the activation gets a name of its own.
                    inner = f"{node.output[0]}\0gelu"
                    self._makers[inner] = type(node)(op_type="Gelu", name=node.name, input=[other], output=[inner])
                    return affine(called, scale=2.0), inner
        constant_first = self._constants.has(first)
        data = second if constant_first else first
        value, shape = self._constants.vector(first if constant_first else second, called)
        layout = _along(shape)
        if operator == "Add":
            return affine(called, layout, shift=value), data
        if operator == "Sub":
            return affine(called, layout, scale=-1.0 if constant_first else 1.0, centre=value), data
        if operator == "Div" and (constant_first or not value.all()):
            raise WrongContentError(f"the node {called} divides by what is no constant, or by zero")
        return affine(called, layout, scale=value if operator == "Mul" else 1 / value), data

    def _is_doubled_distribution(self, name: str, z: str) -> bool:
        """Whether a tensor is ``1 + erf(z / sqrt(2))``, of which exporters make gelu below opset 20."""
        inside = self._without(name, "Add", 1.0)
        maker = self._makers.get(inside)
        if maker is None or maker.op_type != "Erf" or len(maker.input) != 1:
            return False
        scaled = maker.input[0]
        return z in (self._without(scaled, "Div", math.sqrt(2)), self._without(scaled, "Mul", math.sqrt(0.5)))

    def _without(self, name: str, operator: str, constant: float) -> str:
        """What a node does `operator` to with a certain constant; empty where it is another node."""
        maker = self._makers.get(name)
        if maker is None or maker.op_type != operator or len(maker.input) != 2:
            return ""
        data, other = maker.input if self._constants.has(maker.input[1]) else (maker.input[1], maker.input[0])
        if not self._constants.has(other) or (operator == "Div" and other != maker.input[1]):
            return ""
        value, _ = self._constants.vector(other, _called(maker))
        return str(data) if value.ndim == 0 and math.isclose(value, constant, rel_tol=1e-6) else ""

    def _only_bounds_an_exponential(self, node: Any) -> bool:
        # As `onnx_writing` bounds it; the bound itself is one that fastmlp has anyway.
        bounds = [self._constants.vector(name, _called(node))[0] for name in node.input[1:] if name]
        return self._users.get(node.output[0]) == ["Exp"] and bounds == [80.0]


def _shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape of an input, 0 for what is left open; None where it isn't told."""
    kind = value.type.tensor_type
    return tuple(max(0, size.dim_value) for size in kind.shape.dim) if kind.HasField("shape") else None


def _along(shape: tuple[int, ...]) -> frozenset[str]:
    """How samples lie to which a constant of this shape means a number for each unit."""
    if math.prod(shape) == 1:
        return ANY
    if shape[-1] == 1:
        return _COLUMN
    return frozenset({ROWS, VECTOR} if len(shape) == 1 else {ROWS})


def _called(node: Any) -> str:
    return f"{node.name!r} ({node.op_type})" if node.name else f"with the output {[*node.output][:1]} ({node.op_type})"
