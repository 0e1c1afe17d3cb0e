"""Graphs of the form that exporters write, without the exporters."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

ML = "ai.onnx.ml"
W = np.random.default_rng(1).normal(size=(4, 3)).astype(np.float32)
V = np.random.default_rng(2).normal(size=(3, 2)).astype(np.float32)
B = np.array([0.5, -1, 2], dtype=np.float32)


def model(nodes, constants, outputs=("y",), inputs=("x",), shape=None, **options):
    """Make a model by hand; a node is (operator, inputs, output, attributes), or of ai.onnx.ml with that attribute."""
    made = [
        helper.make_node(operator, takes, [gives], name=f"n{number}", **attributes)
        for number, (operator, takes, gives, attributes) in enumerate(nodes)
    ]
    tensors = [
        array if isinstance(array, TensorProto) else numpy_helper.from_array(np.asarray(array), name)
        for name, array in constants.items()
    ]
    infos = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, form) for name in names]
        for names, form in ((inputs, shape), (outputs, None))
    ]
    return helper.make_model(helper.make_graph(made, "g", *infos, tensors), **options)


def texts(name, labels):
    return helper.make_tensor(name, TensorProto.STRING, [len(labels)], [label.encode() for label in labels])


def hidden(X):
    return np.maximum(X @ W + B, 0)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


_BODY = [
    ("Cast", ["x"], "c", {"to": 1}),
    ("MatMul", ["c", "W"], "p", {}),
    ("Add", ["p", "b"], "z", {}),
    ("Relu", ["z"], "a", {}),
]
_PICK = [
    ("ArgMax", ["P"], "best", {"axis": 1}),
    ("ArrayFeatureExtractor", ["classes", "best"], "picked", {"domain": ML}),
    ("Reshape", ["picked", "one_row"], "label", {}),
]
_ROW = {"one_row": np.array([-1])}


def skl2onnx_classes(zipmap=True, labels=("b", "äpfel")):
    nodes = [*_BODY, ("MatMul", ["a", "V"], "q", {}), ("Softmax", ["q"], "P", {}), *_PICK]
    if zipmap:
        kind = {"classlabels_strings": labels} if isinstance(labels[0], str) else {"classlabels_int64s": labels}
        nodes.append(("ZipMap", ["P"], "output_probability", {"domain": ML, **kind}))
    else:
        nodes.append(("Identity", ["P"], "probabilities", {}))
    classes = texts("classes", labels) if isinstance(labels[0], str) else np.array(labels)
    return model(
        nodes, {"W": W, "b": B[None], "V": V, "classes": classes, **_ROW},
        ("label", "output_probability" if zipmap else "probabilities"),
    )  # fmt: skip


def skl2onnx_binary():
    nodes = [
        *_BODY,
        ("MatMul", ["a", "v"], "q", {}),
        ("Sigmoid", ["q"], "positive", {}),
        ("Sub", ["unity", "positive"], "negative", {}),
        ("Concat", ["negative", "positive"], "P", {"axis": 1}),
        *_PICK,
        ("ZipMap", ["P"], "output_probability", {"domain": ML, "classlabels_int64s": [3, 7]}),
    ]
    constants = {"W": W, "b": B[None], "v": V[:, :1], "unity": np.float32(1), "classes": np.array([3, 7]), **_ROW}
    return model(nodes, constants, ("label", "output_probability"))


def skl2onnx_multilabel():
    nodes = [
        *_BODY,
        ("MatMul", ["a", "V"], "q", {}),
        ("Sigmoid", ["q"], "P", {}),
        ("Binarizer", ["P"], "label", {"domain": ML, "threshold": 0.5}),
        ("ZipMap", ["P"], "output_probability", {"domain": ML, "classlabels_int64s": [0, 1]}),
    ]
    return model(nodes, {"W": W, "b": B[None], "V": V}, ("label", "output_probability"))


OFFSET, SCALE = [1.0, 2.0, 3.0, 4.0], [0.5, 0.25, 2.0, 1.0]


def skl2onnx_scaled_regressor():
    nodes = [
        ("Scaler", ["x"], "s", {"domain": ML, "offset": OFFSET, "scale": SCALE}),
        ("MatMul", ["s", "W"], "p", {}),
        ("Add", ["p", "b"], "z", {}),
        ("Relu", ["z"], "a", {}),
        ("MatMul", ["a", "v"], "q", {}),
        ("Reshape", ["q", "column"], "variable", {}),
    ]
    return model(nodes, {"W": W, "b": B[None], "v": V[:, :1], "column": np.array([-1, 1])}, ("variable",))


def _asked_for(rest=-1, of=0):
    """``x.view(x.size(of), rest)``."""
    return [
        ("Shape", ["x"], "shape", {}),
        ("Constant", [], "zero", {"value": numpy_helper.from_array(np.array(of))}),
        ("Gather", ["shape", "zero"], "rows", {"axis": 0}),
        ("Constant", [], "axes", {"value": numpy_helper.from_array(np.array([0]))}),
        ("Unsqueeze", ["rows", "axes"], "first", {}),
        ("Constant", [], "rest", {"value": numpy_helper.from_array(np.array([rest]))}),
        ("Concat", ["first", "rest"], "wanted", {"axis": 0}),
        ("Reshape", ["x", "wanted"], "f", {}),
    ]


def pytorch_view(rest=-1, of=0):
    nodes = [*_asked_for(rest, of), ("Gemm", ["f", "Wt", "b"], "z", {"transB": 1}), ("Tanh", ["z"], "y", {})]
    return model(nodes, {"Wt": W.T, "b": B})


def pytorch_squeezed(axes=(-1,), V=V[:, :1]):
    nodes = [
        ("Gemm", ["x", "Wt", "b"], "z", {"transB": 1}),
        ("Relu", ["z"], "a", {}),
        ("Gemm", ["a", "V"], "q", {}),
        ("Sigmoid", ["q"], "s", {}),
        ("Squeeze", ["s", "axes"], "y", {}),
    ]
    return model(nodes, {"Wt": W.T, "b": B, "V": V, "axes": np.array(axes)})


def initializers_as_inputs():
    """As IR version 3 has it: weights stand among the inputs too."""
    return model([("Gemm", ["x", "W", "b"], "y", {})], {"W": W, "b": B}, inputs=("W", "b", "x"))


def pytorch_reshaped(to, shape=(1, 2, 2)):
    """``x.view(1, -1)`` of one sample, or of as many as the exporter was shown."""
    nodes = [
        ("Reshape", ["x", "to"], "f", {}),
        ("Gemm", ["f", "Wt", "b"], "z", {"transB": 1}),
        ("Tanh", ["z"], "y", {}),
    ]
    return model(nodes, {"Wt": W.T, "b": B, "to": np.array(to)}, shape=shape)


def pytorch_flattened(axis, shape=(1, 2, 2)):
    nodes = [("Flatten", ["x"], "f", {"axis": axis}), ("Gemm", ["f", "W", "b"], "z", {}), ("Tanh", ["z"], "y", {})]
    return model(nodes, {"W": W, "b": B}, shape=shape)


def columns(b=B[:, None], axis=0, shape=(4, 1), before=(), after=()):
    """``softmax(V.T @ relu(W.T @ x + b))``."""
    nodes = [
        *before,
        ("MatMul", ["Wt", before[-1][2] if before else "x"], "p", {}),
        ("Add", ["b", "p"], "z", {}),
        ("Relu", ["z"], "a", {}),
        ("MatMul", ["Vt", "a"], "q", {}),
        ("Softmax", ["q"], "y" if not after else "s", {"axis": axis}),
        *after,
    ]
    return model(nodes, {"Wt": W.T, "Vt": V.T, "b": b, "to": np.array([4, 1])}, shape=shape)


def columns_of_gemm():
    nodes = [("Gemm", ["W", "x", "b"], "z", {"transA": 1}), ("Tanh", ["z"], "y", {})]
    return model(nodes, {"W": W, "b": B[:, None]}, shape=(4, 1))


def rows_of_vectors():
    nodes = [("MatMul", ["x", "W"], "p", {}), ("Add", ["p", "b"], "z", {}), ("Tanh", ["z"], "y", {})]
    return model(nodes, {"W": W, "b": B}, shape=(4,))


def log_softmax(axis=-1):
    nodes = [*_BODY, ("MatMul", ["a", "V"], "q", {}), ("LogSoftmax", ["q"], "y", {"axis": axis})]
    return model(nodes, {"W": W, "b": B[None], "V": V}, shape=("n", 4))


def leaky(slopes, last=False, operator="LeakyRelu"):
    """One activation with a slope after the first layer, or after both."""
    nodes, constants = [], {"W": W, "b": B, "V": V}
    for number, (x, constant, to) in enumerate((("x", ["W", "b"], "a"), ("a", ["V"], "y" if last else "c"))):
        nodes.append(("Gemm", [x, *constant], f"z{number}", {}))
        if number and not last:
            nodes[-1] = (*nodes[-1][:2], "y", {})
            break
        if operator == "PRelu":
            constants[f"s{number}"] = np.float32(slopes)[: 3 - number]
            nodes.append(("PRelu", [f"z{number}", f"s{number}"], to, {}))
        else:
            nodes.append(("LeakyRelu", [f"z{number}"], to, {"alpha": float(slopes)}))
    return model(nodes, constants, shape=("n", 4))


def leaky_outputs(slopes, last=False):
    each = np.broadcast_to(slopes, (3,))

    def outputs(X):
        z = X @ W + B
        z = np.where(z > 0, z, each * z) @ V
        return np.where(z > 0, z, each[:2] * z) if last else z

    return outputs


_SLOPES = (0.2, 0.0, 1.0, 0.01, -0.5, 3.0)
_EACH = (0.25, 0.5, -1.0)


def quantised():
    nodes = [("DynamicQuantizeLinear", ["x"], "q", {}), ("MatMulInteger", ["q", "W"], "y", {})]
    return model(nodes, {"W": W.astype(np.int8)})


def all_models():
    """Every form, with the outputs that it must have as a function of X, shape (n, 4)."""
    distribution = lambda X: softmax(hidden(X) @ V)  # noqa: E731
    probability = lambda X: sigmoid(hidden(X) @ V[:, :1])  # noqa: E731
    tanh = lambda X: np.tanh(X @ W + B)  # noqa: E731
    return [
        (skl2onnx_classes(), distribution),
        (skl2onnx_classes(labels=(5, 9)), distribution),
        (skl2onnx_classes(zipmap=False), distribution),
        (skl2onnx_binary(), probability),
        (skl2onnx_multilabel(), lambda X: sigmoid(hidden(X) @ V)),
        (skl2onnx_scaled_regressor(), lambda X: hidden((X - OFFSET) * SCALE) @ V[:, :1]),
        (pytorch_view(), tanh),
        (pytorch_squeezed(), probability),
        (initializers_as_inputs(), lambda X: X @ W + B),
        *((pytorch_reshaped(to), tanh) for to in ([1, 4], [1, -1], [-1, 4], [0, -1])),
        *((pytorch_reshaped(to, (5, 2, 2)), tanh) for to in ([5, 4], [5, -1])),
        (pytorch_reshaped([1, -1], (4,)), tanh),
        (pytorch_flattened(0), tanh),
        (pytorch_flattened(1, ("n", 2, 2)), tanh),
        (columns(), distribution),
        (columns(axis=-2), distribution),
        (columns(B, -1, (4,)), distribution),
        (columns(before=[("Reshape", ["x", "to"], "r", {})], shape=(1, 2, 2)), distribution),
        (columns(before=[("Reshape", ["x", "to"], "r", {})]), distribution),
        (columns(shape=("n", 4), before=[("Transpose", ["x"], "t", {"perm": [1, 0]})]), distribution),
        (
            columns(shape=("n", 4), before=[("Transpose", ["x"], "t", {})], after=[("Transpose", ["s"], "y", {})]),
            distribution,
        ),
        (columns_of_gemm(), tanh),
        (rows_of_vectors(), tanh),
        (log_softmax(), distribution),
        (log_softmax(1), distribution),
        *((leaky(slope, last), leaky_outputs(slope, last)) for slope in _SLOPES for last in (False, True)),
        *((leaky(_EACH, last, "PRelu"), leaky_outputs(_EACH, last)) for last in (False, True)),
    ]
