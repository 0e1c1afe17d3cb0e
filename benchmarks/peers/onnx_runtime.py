"""ONNX Runtime, on a model made in memory (imports numpy, onnx and onnxruntime)."""

import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from ..workloads import Array, Weights
from . import base

_OPSET, _IR_VERSION = 17, 8
"""Old enough for every ONNX Runtime of the last years."""


class Predictor(base.Predictor):
    """See `base.Predictor`."""

    def __init__(self, weights: Weights, threads: int | None) -> None:
        options = onnxruntime.SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(model(weights), options, providers=["CPUExecutionProvider"])

    def predict(self, X: Array) -> Array:
        """See `base.Predictor.predict`."""
        result: Array = self._session.run(None, {"X": X})[0]
        return result


def model(weights: Weights) -> bytes:
    """Return the network as an ONNX model: Gemm, ReLU, ..., Gemm, softmax."""
    nodes, tensors, name = [], [], "X"
    for number, (W, b) in enumerate(weights):
        tensors += [numpy_helper.from_array(W, f"W{number}"), numpy_helper.from_array(b, f"b{number}")]
        nodes.append(helper.make_node("Gemm", [name, f"W{number}", f"b{number}"], [f"z{number}"]))
        last = number == len(weights) - 1
        name = "probabilities" if last else f"a{number}"
        nodes.append(helper.make_node("Softmax" if last else "Relu", [f"z{number}"], [name]))
    rows = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["rows", len(weights[0][0])])
    outputs = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", len(weights[-1][1])])
    graph = helper.make_graph(nodes, "mlp", [rows], [outputs], tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION)
    serialized: bytes = made.SerializeToString()
    return serialized
