"""Networks from ONNX files of plain MLPs (floor 6; imports numpy, onnx, model, data).

From the output, the graph is followed back to its input. On the way stand Gemm or MatMul with constants, activations,
and arithmetic with constants, which goes into the nearest weights, or before the first ones becomes the scaling. Any
other operator is an error that names the node.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..data.samples import Scaling
from ..model.architecture import Array
from .checkpoint import Checkpoint
from .layers import checkpoint_of
from .npz import WrongContentError, check_header, described_scaling
from .onnx_classes import DOMAIN, Ending, ending
from .reading import PlainReader, told_as_file_errors

_ACTIVATIONS = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Relu": "relu",
    "LeakyRelu": "leaky_relu",
    "Elu": "elu",
    "Gelu": "gelu",
    "Softmax": "softmax",
    "Exp": "exponential",
}
_WANTED: dict[str, dict[str, tuple[Any, tuple[Any, ...]]]] = {
    "LeakyRelu": {"alpha": (0.01, (0.01,))},
    "Elu": {"alpha": (1.0, (1.0,))},
    "Gelu": {"approximate": (b"none", (b"none",))},
    "Softmax": {"axis": (-1, (-1, 1))},
    "Flatten": {"axis": (1, (1,))},
    "Cast": {"to": (None, (1, 10, 11, 16))},  # to floats
}
"""Attributes of operators: their default, and the values with which they are what fastmlp has."""

_PASSED = ("Identity", "Dropout", "Cast", "Flatten")


def load(path: Path) -> Checkpoint:
    """Read a network.

    Files that fastmlp wrote have their labels and loss; others get the loss that goes with the last activation, and
    labels where they are those of a classifier of skl2onnx. Reading takes at most `reading.LARGEST_MULTIPLE` times the
    memory that the file takes on disk.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Checkpoint

    Raises
    ------
    DataFileError
        The file is missing, damaged, keeps its weights elsewhere, or is not a chain of layers; the message names the
        node that has no place in one.
    """
    import onnx

    with told_as_file_errors(path):
        content = path.read_bytes()
        try:
            model = onnx.ModelProto.FromString(content)
        except Exception as error:
            raise WrongContentError(f"not ONNX, or a file that was cut off or damaged ({error})") from error
        return _checkpoint(model, len(content))


def _checkpoint(model: Any, file_size: int) -> Checkpoint:
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    header = check_header(json.loads(metadata["fastmlp"]), "ONNX") if "fastmlp" in metadata else None
    graph = _Graph(model.graph, file_size)
    layers, scaling = _layers(graph.steps())
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


@dataclass
class _Linear:
    """Weights, shape (fan_in, units)."""

    W: Array


@dataclass
class _Affine:
    """``(x - centre) * scale + shift``; each is a number or one per unit."""

    scaling: Scaling
    node: str

    def by_unit(self, units: int) -> tuple[Array, Array]:
        """Factor and summand of so many units each."""
        scale, centre = (np.broadcast_to(value, (units,)) for value in (self.scaling.scale, self.scaling.centre))
        return scale, np.broadcast_to(self.scaling.shift, (units,)) - centre * scale


@dataclass
class _Activation:
    name: str


@dataclass
class _Width:
    """A Reshape to rows of so many numbers."""

    units: int
    node: str


_Step = _Linear | _Affine | _Activation | _Width


def _layers(steps: Sequence[_Step]) -> tuple[list[tuple[Array, Array | None, str]], Scaling | None]:
    """Gather steps into layers, and what is done before the first one into a scaling."""
    layers: list[tuple[Array, Array | None, str]] = []
    scaling: Scaling | None = None
    pending: _Affine | None = None  # after an activation, before the next weights
    open_layer = False  # whether the last layer still takes a bias or an activation
    for step in steps:
        width = layers[-1][0].shape[1] if layers else None
        if isinstance(step, _Linear):
            W, b = step.W, None
            if width is not None and W.shape[0] != width:
                raise WrongContentError(f"weights of shape {W.shape} follow a layer of {width} units")
            if pending is not None and not layers:
                scaling = pending.scaling
            elif pending is not None:
                scale, shift = pending.by_unit(W.shape[0])
                W, b = (W * scale[:, None]).astype(W.dtype), shift @ W
            layers.append((W, b, "identity"))
            pending, open_layer = None, True
        elif isinstance(step, _Affine) and open_layer:
            W, b, _ = layers[-1]
            scale, shift = step.by_unit(W.shape[1])
            if (scale != 1).any():
                W = (W * scale).astype(W.dtype)
            layers[-1] = W, shift if b is None else b * scale + shift, "identity"
        elif isinstance(step, _Affine):
            if pending is not None:
                step = _Affine(pending.scaling.then(step.scaling), step.node)
            pending = None if step.scaling.changes_nothing and layers else step
        elif isinstance(step, _Width):
            if width not in (None, step.units):
                raise WrongContentError(f"the node {step.node} gives rows another length, which no MLP does")
        elif layers and pending is None:
            if not open_layer:
                raise WrongContentError(f"the activation {step.name} follows another, with no weights between")
            layers[-1] = (*layers[-1][:2], step.name)
            open_layer = step.name == "identity"
        else:
            where = "arithmetic after an activation" if layers else "the input"
            raise WrongContentError(f"the activation {step.name} follows {where}, with no weights between")
    if pending is not None and layers:
        raise WrongContentError(f"the node {pending.node} changes the output after its activation, which no layer does")
    return layers, scaling


class _Graph:
    """A graph of ONNX, of which nothing is believed that was not checked."""

    def __init__(self, graph: Any, file_size: int) -> None:
        self._graph, self._file_size = graph, file_size
        self._taken = 0  # numbers of constants, counted again where nodes share them
        self._tensors = {tensor.name: tensor for tensor in graph.initializer}
        self._makers = {output: node for node in graph.node for output in node.output if output}
        self._users: dict[str, list[str]] = {
            name: [] for node in graph.node if node.op_type == "Min" for name in node.output
        }
        for node in graph.node:
            for name in node.input:
                if name in self._users:
                    self._users[name].append(node.op_type)
        self.ending = Ending("")

    def steps(self) -> list[_Step]:
        """What happens to a row, from the input to the output."""
        inputs = {value.name for value in self._graph.input} - self._tensors.keys()
        steps: list[_Step] = []
        self.ending = ending(self._output(), self._makers, self._any_constant, _attribute)
        name = self.ending.name
        if self.ending.doubled:
            steps.append(_Width(1, "of two probabilities"))
        for _ in range(2 * len(self._graph.node) + 1):  # a Gemm is two steps
            if name in inputs:
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

    def _step(self, node: Any) -> tuple[_Step | None, str]:
        """What a node does, and the name of what it does it to."""
        operator, called = node.op_type, _called(node)
        if (operator, node.domain) == ("Scaler", DOMAIN) and len(node.input) == 1:
            return self._scaler(node)
        if node.domain not in ("", "ai.onnx"):
            raise WrongContentError(f"the node {called} is of the domain {node.domain!r}, which fastmlp does not read")
        if not node.input:
            raise WrongContentError(f"the node {called} has no input")
        for attribute, (default, wanted) in _WANTED.get(operator, {}).items():
            value = _attribute(node, attribute, default)
            if not any(
                value == want or (isinstance(want, float) and math.isclose(value, want, rel_tol=1e-6))
                for want in wanted
            ):
                raise WrongContentError(f"the node {called} has {attribute}={value!r}; fastmlp has {wanted[0]!r} only")
        if operator in _ACTIVATIONS:
            return _Activation(_ACTIVATIONS[operator]), node.input[0]
        if operator in _PASSED:
            return None, node.input[0]
        if operator == "Gemm":
            return self._gemm(node)
        if operator == "MatMul" and len(node.input) == 2:
            return _Linear(self._matrix(node.input[1], called)), node.input[0]
        if operator in ("Add", "Sub", "Mul", "Div") and len(node.input) == 2:
            return self._arithmetic(node)
        if operator == "Min" and self._only_bounds_an_exponential(node):
            return None, node.input[0]
        if operator == "Reshape" and len(node.input) == 2:
            length = self._length_of_rows(node.input[1], called)
            if length is not None:
                return (None if length == -1 else _Width(length, called)), node.input[0]
        if operator == "Squeeze" and self._squeezed(node) in ([1], [-1]):
            return _Width(1, called), node.input[0]  # of rows of one number, where it is right, there is but one axis
        raise WrongContentError(
            f"the node {called} is not one that fastmlp reads; it reads chains of Gemm, MatMul, Add, Sub, Mul, Div by "
            f"constants, {', '.join(_ACTIVATIONS)}, {', '.join(_PASSED)}, Reshape, Squeeze, "
            "and what skl2onnx writes of a classifier"
        )

    def _scaler(self, node: Any) -> tuple[_Step, str]:
        """Read what skl2onnx makes of a StandardScaler: ``(x - offset) * scale``."""
        offset, scale = (np.array(_attribute(node, name, [])) for name in ("offset", "scale"))
        self._take(offset.size + scale.size, _called(node))
        if offset.size == 0 or scale.size == 0 or not (np.isfinite(offset).all() and np.isfinite(scale).all()):
            raise WrongContentError(f"the node {_called(node)} has no finite offset and scale")
        scale, offset = (values[0] if values.size == 1 else values for values in (scale, offset))
        return _Affine(Scaling(scale, centre=offset), _called(node)), node.input[0]

    def _length_of_rows(self, name: str, called: str) -> int | None:
        """To rows of how many numbers a shape leads, -1 for as many as there are; None for another shape."""
        maker = self._makers.get(name)
        if maker is not None and maker.op_type == "Concat" and len(maker.input) == 2:
            # ``x.view(x.size(0), -1)`` in PyTorch: the number of rows is asked for, and stays.
            first, second = maker.input
            asked = [first]
            for operator in ("Unsqueeze", "Gather", "Shape"):
                inner = self._makers.get(asked[-1])
                if inner is None or inner.op_type != operator or not inner.input:
                    return None
                if operator == "Gather" and (len(inner.input) != 2 or self._numbers(inner.input[1], called) != [0]):
                    return None
                asked.append(inner.input[0])
            length = self._numbers(second, called)
            return length[0] if len(length) == 1 else None
        shape = self._numbers(name, called)
        return shape[1] if len(shape) == 2 and shape[0] in (-1, 0) else None

    def _squeezed(self, node: Any) -> list[int]:
        axes = _attribute(node, "axes", None)  # below opset 13
        if axes is None and len(node.input) == 2:
            axes = self._numbers(node.input[1], _called(node))
        return list(axes or [])

    def _numbers(self, name: str, called: str) -> list[int]:
        """Return a constant of a few whole numbers."""
        value = self._constant(name, called)
        if value.size > 8 or value.dtype.kind not in "iu":
            raise WrongContentError(f"the node {called} has a shape of {value.size} {value.dtype} numbers")
        return [int(number) for number in value.reshape(-1)]

    def _any_constant(self, name: str) -> Any | None:
        """Return a constant of the graph of whatever type, text too; None where it is none."""
        from onnx import numpy_helper

        tensor = self._tensors.get(name)
        if tensor is None or tensor.data_location == tensor.EXTERNAL:
            return None
        self._check_length(tensor, name)
        return numpy_helper.to_array(tensor)

    def _gemm(self, node: Any) -> tuple[_Step, str]:
        called = _called(node)
        if _attribute(node, "transA", 0) or len(node.input) < 2:
            raise WrongContentError(f"the node {called} transposes its rows, which no MLP does")
        W = self._matrix(node.input[1], called)
        W = (W.T if _attribute(node, "transB", 0) else W) * W.dtype.type(_attribute(node, "alpha", 1.0))
        if len(node.input) < 3 or not node.input[2]:
            return _Linear(W), node.input[0]
        # The bias is a step of its own: it is put in the place of the Gemm, whose first part gets a name of its own.
        beta = _attribute(node, "beta", 1.0)
        shift = self._vector(node.input[2], called) * beta
        inner = f"{node.output[0]}\0weights"
        product = type(node)(op_type="Gemm", name=node.name, input=node.input[:2], output=[inner])
        product.attribute.extend(attribute for attribute in node.attribute if attribute.name != "beta")
        self._makers[inner] = product
        return _Affine(Scaling(shift=shift), called), inner

    def _arithmetic(self, node: Any) -> tuple[_Step, str]:
        called, operator = _called(node), node.op_type
        first, second = node.input
        if operator == "Mul":
            for name, other in ((first, second), (second, first)):
                maker = self._makers.get(name)
                if maker is not None and maker.op_type == "Sigmoid" and list(maker.input) == [other]:
                    return _Activation("silu"), other
            for name, other in ((first, second), (second, first)):
                if self._is_doubled_distribution(name, other):
                    # Twice gelu; the half comes later. As with a Gemm's bias, the activation gets a name of its own.
                    inner = f"{node.output[0]}\0gelu"
                    self._makers[inner] = type(node)(op_type="Gelu", name=node.name, input=[other], output=[inner])
                    return _Affine(Scaling(2.0), called), inner
        constant_first = self._is_constant(first)
        data = second if constant_first else first
        value = self._vector(first if constant_first else second, called)
        if operator == "Add":
            return _Affine(Scaling(shift=value), called), data
        if operator == "Sub":
            return _Affine(Scaling(-1.0 if constant_first else 1.0, centre=value), called), data
        if operator == "Div" and (constant_first or not value.all()):
            raise WrongContentError(f"the node {called} divides by what is no constant, or by zero")
        return _Affine(Scaling(value if operator == "Mul" else 1 / value), called), data

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
        data, other = maker.input if self._is_constant(maker.input[1]) else (maker.input[1], maker.input[0])
        if not self._is_constant(other) or (operator == "Div" and other != maker.input[1]):
            return ""
        value = self._vector(other, _called(maker))
        return str(data) if value.ndim == 0 and math.isclose(value, constant, rel_tol=1e-6) else ""

    def _only_bounds_an_exponential(self, node: Any) -> bool:
        # As `onnx_writing` bounds it; the bound itself is one that fastmlp has anyway.
        bounds = [self._vector(name, _called(node)) for name in node.input[1:] if name]
        return self._users.get(node.output[0]) == ["Exp"] and bounds == [80.0]

    def _is_constant(self, name: str) -> bool:
        maker = self._makers.get(name)
        if maker is None:
            return name in self._tensors
        return maker.op_type == "Constant" or (
            maker.op_type in ("Identity", "Cast", "Transpose")
            and len(maker.input) == 1
            and self._is_constant(maker.input[0])
        )

    def _constant(self, name: str, called: str) -> Array:
        """Return a constant as an array, after its size was held against that of the file."""
        from onnx import numpy_helper

        maker = self._makers.get(name)
        if name in self._tensors:
            tensor = self._tensors[name]
        elif maker is not None and maker.op_type == "Constant":
            tensor = _attribute(maker, "value", None)
            if tensor is None:
                values = [
                    _attribute(maker, kind, None) for kind in ("value_float", "value_floats", "value_int", "value_ints")
                ]
                return np.array(next((value for value in values if value is not None), []))
        elif maker is not None and maker.op_type in ("Identity", "Cast", "Transpose") and len(maker.input) == 1:
            array = self._constant(maker.input[0], called)
            return array.transpose(_attribute(maker, "perm", None)) if maker.op_type == "Transpose" else array
        else:
            raise WrongContentError(f"the node {called} needs the constant {name!r}, which is not one")
        if tensor.data_location == tensor.EXTERNAL:
            raise WrongContentError(f"the weights {name!r} are in another file; save the model in one file")
        self._check_length(tensor, name)
        held: Array = numpy_helper.to_array(tensor)
        if held.dtype.kind not in "biuf" or not np.isfinite(held).all():
            raise WrongContentError(f"the weights {name!r} are not finite numbers")
        return held

    def _check_length(self, tensor: Any, name: str) -> None:
        if any(size < 0 for size in tensor.dims) or math.prod(tensor.dims) > self._file_size:
            raise WrongContentError(f"the weights {name!r} of shape {tuple(tensor.dims)} are longer than the file")

    def _take(self, size: int, called: str) -> None:
        """Count numbers that are held from now on; of many nodes that share some, each holds its own."""
        self._taken += size
        if self._taken > self._file_size:
            raise WrongContentError(f"the node {called} shares weights with others, which together outgrow the file")

    def _matrix(self, name: str, called: str) -> Array:
        W = self._constant(name, called)
        if W.ndim != 2:
            raise WrongContentError(f"the node {called} has weights of shape {W.shape}; they must have two dimensions")
        self._take(W.size, called)
        return W if W.dtype == np.float64 else W.astype(np.float32)

    def _vector(self, name: str, called: str) -> Array:
        """Return a constant that is one number, or one a unit, in float64."""
        value = self._constant(name, called)
        if value.size != math.prod(value.shape[-1:]) or value.size == 0:
            raise WrongContentError(f"the node {called} has a constant of shape {value.shape}; it must be one row")
        self._take(value.size, called)
        return value.reshape(() if value.size == 1 else -1).astype(np.float64)


def _attribute(node: Any, name: str, default: Any) -> Any:
    from onnx import helper

    return next((helper.get_attribute_value(held) for held in node.attribute if held.name == name), default)


def _called(node: Any) -> str:
    return f"{node.name!r} ({node.op_type})" if node.name else f"with the output {[*node.output][:1]} ({node.op_type})"
