"""Networks as ONNX (floor 6; imports numpy, onnx, atomic_write, errors, model, data).

The graph goes from ``X`` (rows, inputs) to ``outputs`` (rows, outputs): the scaling, then Gemm and activation layer by
layer, in float32. A network in float64 takes ``X`` in float64 and scales it so; ONNX Runtime has not all activations in
float64. The metadata ``labels`` are a JSON list; the metadata ``fastmlp`` hold what the header of an ``.npz`` holds.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_write import write_bytes
from ..data.samples import Scaling
from ..errors import ArgumentError
from ..model.activations import LARGEST_EXPONENT, LEAKY_SLOPE
from ..model.architecture import Array
from .checkpoint import Checkpoint
from .npz import member_prefix
from .reading import describe_plainly

OPSET = 20
"""The first with Gelu; ONNX Runtime has it since 1.17."""

_IR_VERSION = 9

_OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "sigmoid": ("Sigmoid", {}),
    "tanh": ("Tanh", {}),
    "relu": ("Relu", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": LEAKY_SLOPE}),
    "elu": ("Elu", {"alpha": 1.0}),
    "gelu": ("Gelu", {}),
    "softmax": ("Softmax", {"axis": -1}),
}


def save(path: Path, checkpoint: Checkpoint, training_state: bool = False) -> None:
    """Write a network as ONNX, whole or not at all.

    Parameters
    ----------
    path : Path
    checkpoint : Checkpoint
    training_state : bool, default False
        Makes no difference: there is none in ONNX.

    Raises
    ------
    ArgumentError
        Weights that are not finite in float32, or labels that JSON cannot hold.
    FileWriteError
        The file can't be written. One that was there before is as it was.
    """
    write_bytes(path, model(checkpoint).SerializeToString(deterministic=True))


def model(checkpoint: Checkpoint) -> Any:
    """Return a network as an ``onnx.ModelProto``; see `save`."""
    header, _ = describe_plainly(checkpoint, training_state=False)
    graph = _Graph("X")
    graph.add_network(checkpoint)
    graph.add("Identity", output="outputs")
    return _model(graph, checkpoint, {"fastmlp": json.dumps(header, allow_nan=False)})


def ensemble_model(checkpoints: Sequence[Checkpoint]) -> Any:
    """Return several networks as one ``onnx.ModelProto``, whose outputs are the mean of theirs."""
    graph, outputs = _Graph("X"), []
    for number, checkpoint in enumerate(checkpoints):
        graph.branch("X", member_prefix(number))
        outputs.append(graph.add_network(checkpoint))
    graph.branch(outputs[0], "")
    graph.add("Mean", *outputs[1:], output="outputs")
    return _model(graph, checkpoints[0], {})


def _model(graph: "_Graph", checkpoint: Checkpoint, metadata: dict[str, str]) -> Any:
    """Return the model of a graph, with the inputs, outputs and labels of a network."""
    from onnx import helper

    architecture = checkpoint.architecture
    kind = helper.np_dtype_to_tensor_dtype(architecture.dtype)
    single = helper.np_dtype_to_tensor_dtype(np.dtype(np.float32))
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "fastmlp",
            [helper.make_tensor_value_info("X", kind, ["rows", architecture.inputs])],
            [helper.make_tensor_value_info("outputs", single, ["rows", architecture.outputs])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="fastmlp",
    )
    if checkpoint.labels is not None:
        metadata["labels"] = json.dumps([str(label) for label in checkpoint.labels.classes])
    helper.set_model_props(made, metadata)
    return made


def _single(array: Array) -> Array:
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    if not np.isfinite(single).all():
        raise ArgumentError("weights of the network are beyond float32, in which ONNX files are written; save as .npz")
    return single


class _Graph:
    """A chain of nodes, each with the last one's output as its first input."""

    def __init__(self, start: str) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._last, self._prefix = start, ""

    def branch(self, start: str, prefix: str) -> None:
        """Begin another chain at an output, whose constants have names with this prefix."""
        self._last, self._prefix = start, prefix

    def add_network(self, checkpoint: Checkpoint) -> str:
        """Add scaling and layers; return the name of the last output."""
        from onnx import helper

        architecture = checkpoint.architecture
        if isinstance(checkpoint.scaling, Scaling):
            self.scale(checkpoint.scaling, architecture.inputs, architecture.dtype)
        if architecture.dtype == np.float64:
            self.add("Cast", to=helper.np_dtype_to_tensor_dtype(np.dtype(np.float32)))
        for number, (W, b) in enumerate(architecture.views(checkpoint.state.parameters)):
            constants = [self.constant(f"W{number}", _single(W))]
            constants += [] if b is None else [self.constant(f"b{number}", _single(b))]
            self.add("Gemm", *constants)
            self.activate(architecture.layers[number].activation)
        return self._last

    def add(self, operator: str, *others: str, output: str | None = None, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        from onnx import helper

        name = output or f"{operator.lower()}{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(operator, [self._last, *others], [name], name=f"{operator}_{name}", **attributes)
        )
        self._last = name
        return name

    def constant(self, name: str, array: Array) -> str:
        """Add a constant; return its name."""
        from onnx import numpy_helper

        name = self._prefix + name
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def scale(self, scaling: Scaling, n_features: int, dtype: np.dtype[Any]) -> None:
        """Centre, scale and shift features, where that does anything."""
        scaling = scaling.rounded(dtype)
        scale, shift, centre = scaling.vectors(n_features, dtype)
        for name, vector, operator, neutral in (
            ("centre", centre, "Sub", 0),
            ("scale", scale, "Mul", 1),
            ("shift", shift, "Add", 0),
        ):
            if (vector != neutral).any():
                one_for_all = not isinstance(getattr(scaling, name), np.ndarray)
                self.add(operator, self.constant(name, vector[:1] if one_for_all else vector))

    def activate(self, activation: str) -> None:
        """Apply an activation; silu and exponential are two operators each."""
        if activation == "silu":
            z = self._last
            self.add("Sigmoid")
            self.add("Mul", z)
        elif activation == "exponential":
            limit = f"limit{len(self.nodes)}"
            self.add("Min", self.constant(limit, np.full(1, LARGEST_EXPONENT, np.float32)))
            self.add("Exp")
        elif activation != "identity":
            operator, attributes = _OPERATORS[activation]
            self.add(operator, **attributes)
