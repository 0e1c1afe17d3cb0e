"""Networks as C (floor 6; imports numpy, atomic_write, errors, model).

One file of C99 that needs no library but C's own mathematics: weights, scaling, labels and a function ``predict``, for
microcontrollers, for other languages and for reading. Numbers are the shortest decimals that give the same bits.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_write import write_bytes
from ..errors import ArgumentError
from ..model.architecture import Architecture, Array
from .checkpoint import Checkpoint
from .npz import member_prefix

_LONGEST_LITERAL = 4095
"""Characters of a string that every C99 compiler takes."""

# In place, over n numbers. REAL is the type, and F the letter that makes C's functions and constants of that type.
_ACTIVATIONS = {
    "identity": "",
    "sigmoid": """
    for (i = 0; i < n; i++) {
        REAL e = expF(-fabsF(z[i])); /* of a number that is never positive, so that it cannot overflow */
        z[i] = (z[i] >= 0 ? 1 : e) / (1 + e);
    }""",
    "tanh": """
    for (i = 0; i < n; i++) z[i] = tanhF(z[i]);""",
    "relu": """
    for (i = 0; i < n; i++) z[i] = z[i] > 0 ? z[i] : 0;""",
    "leaky_relu": """
    for (i = 0; i < n; i++) z[i] = z[i] > 0 ? z[i] : z[i] * 0.01F;""",
    "elu": """
    for (i = 0; i < n; i++) z[i] = z[i] > 0 ? z[i] : expm1F(z[i]);""",
    "gelu": """
    for (i = 0; i < n; i++) z[i] *= 0.5F * erfcF(z[i] * -0.70710678118654752F);""",
    "silu": """
    for (i = 0; i < n; i++) {
        REAL e = expF(-fabsF(z[i]));
        z[i] *= (z[i] >= 0 ? 1 : e) / (1 + e);
    }""",
    "softmax": """
    REAL largest = z[0], sum = 0;
    for (i = 1; i < n; i++) largest = z[i] > largest ? z[i] : largest;
    for (i = 0; i < n; i++) sum += z[i] = expF(z[i] - largest);
    for (i = 0; i < n; i++) z[i] /= sum;""",
    "exponential": """
    for (i = 0; i < n; i++) z[i] = expF(z[i] < 80 ? z[i] : 80);""",
}

_DENSE = """
/* z = x W + b; W lies row by row, a row an input; b may be missing. */
static void dense(const REAL *x, long inputs, const REAL *W, const REAL *b, long units, REAL *z)
{
    long i, j;
    for (j = 0; j < units; j++) z[j] = b ? b[j] : 0;
    for (i = 0; i < inputs; i++)
        for (j = 0; j < units; j++) z[j] += x[i] * *W++;
}
"""


_MEAN = """
/* The mean of all networks. */
void predict(const float *features, float *outputs)
{{
    static void (*const networks[{count}])(const float *, float *) = {{
    {names}
    }};
    float one[OUTPUTS];
    long i, n;
    for (i = 0; i < OUTPUTS; i++) outputs[i] = 0;
    for (n = 0; n < {count}; n++) {{
        networks[n](features, one);
        for (i = 0; i < OUTPUTS; i++) outputs[i] += one[i];
    }}
    for (i = 0; i < OUTPUTS; i++) outputs[i] /= {count};
}}
"""


def save(path: Path, checkpoint: Checkpoint, training_state: bool = False) -> None:
    """Write a network as C, whole or not at all.

    Parameters
    ----------
    path : Path
    checkpoint : Checkpoint
    training_state : bool, default False
        Makes no difference: there is none in C.

    Raises
    ------
    ArgumentError
        As `source`.
    FileWriteError
        The file can't be written. One that was there before is as it was.
    """
    write_bytes(path, source(checkpoint).encode("ascii"))


def source(checkpoint: Checkpoint) -> str:
    """Return a network as the text of a C file.

    The arithmetic is in the network's dtype; features and outputs are floats. A network that was never fitted, whose
    scaling is still open, takes features as they are.

    Parameters
    ----------
    checkpoint : Checkpoint

    Returns
    -------
    str
        ASCII. Labels are in UTF-8, by escapes.

    Raises
    ------
    ArgumentError
        Weights that are not finite, or a label of more than 4,095 bytes.

    Examples
    --------
    >>> from fastmlp import Network
    >>> net = Network([2, 1], loss="squared_error", seed=0)
    >>> text = source(Checkpoint(net.architecture, net.state))
    >>> "void predict(const float *features, float *outputs)" in text
    True
    """
    tables, code = _network(checkpoint, "void predict", "")
    return _file([checkpoint], [*tables, *_functions([checkpoint]), code])


def ensemble_source(checkpoints: Sequence[Checkpoint]) -> str:
    """Return several networks as the text of a C file, whose outputs are the mean of theirs; see `source`."""
    tables, code, names = list[str](), list[str](), list[str]()
    for number, checkpoint in enumerate(checkpoints):
        prefix = member_prefix(number)
        names.append(f"{prefix}predict")
        own_tables, function = _network(checkpoint, f"static void {names[-1]}", prefix)
        tables += own_tables
        code.append(function)
    code.append(_MEAN.format(count=len(names), names=_wrapped(names)).lstrip("\n"))
    return _file(checkpoints, [*tables, *_functions(checkpoints), *code])


def _file(checkpoints: Sequence[Checkpoint], code: Sequence[str]) -> str:
    """Return a file with this code of networks with the same inputs, outputs, labels and dtype."""
    architecture, labels = checkpoints[0].architecture, _labels(checkpoints[0])
    widest = max(max(checkpoint.architecture.sizes) for checkpoint in checkpoints)
    head = [
        _comment(checkpoints, labels, widest),
        "#include <math.h>\n",
        f"enum {{ INPUTS = {architecture.inputs}, OUTPUTS = {architecture.outputs}, WIDEST = {widest} }};\n",
        "void predict(const float *features, float *outputs);\n",
    ]
    if labels:
        held = f"const char *const labels[{len(labels)}]"
        head.append(f"extern {held};\n{held} = {{\n    {_wrapped(labels)}\n}};\n")
    return "\n".join([*head, *(_typed(part, architecture.dtype) for part in code)])


def _network(checkpoint: Checkpoint, name: str, prefix: str) -> tuple[list[str], str]:
    """Return the tables of a network, whose names have this prefix, and its function."""
    architecture = checkpoint.architecture
    if not np.isfinite(checkpoint.state.parameters).all():
        raise ArgumentError("weights of the network are not finite, so it is not saved")
    tables, scaled = _scaling(checkpoint, prefix)
    for number, (W, b) in enumerate(architecture.views(checkpoint.state.parameters)):
        tables.append(_table(f"{prefix}W{number}", W))
        if b is not None:
            tables.append(_table(f"{prefix}b{number}", b))
    return tables, _predict(architecture, scaled, name, prefix)


def _functions(checkpoints: Sequence[Checkpoint]) -> list[str]:
    """Return the product and the activations that networks need."""
    used = {layer.activation for checkpoint in checkpoints for layer in checkpoint.architecture.layers}
    return [_DENSE.lstrip("\n")] + [
        f"static void {name}_(REAL *z, long n)\n{{\n    long i;{_ACTIVATIONS[name]}\n}}\n"
        for name in sorted(used - {"identity"})
    ]


def _typed(template: str, dtype: np.dtype[Any]) -> str:
    """Write out `REAL` and the letter `F`."""
    double = dtype == np.float64
    return re.sub(r"\BF\b", "" if double else "f", template).replace("REAL", "double" if double else "float")


def _predict(architecture: Architecture, scaling_lines: str, name: str, prefix: str) -> str:
    layers = []
    for number, layer in enumerate(architecture.layers):
        x, z = ("a", "z") if number % 2 == 0 else ("z", "a")
        bias = f"{prefix}b{number}" if layer.has_bias else "0"
        layers.append(f"    dense({x}, {layer.fan_in}, {prefix}W{number}, {bias}, {layer.units}, {z});")
        if layer.activation != "identity":
            layers.append(f"    {layer.activation}_({z}, {layer.units});")
    last = "a" if len(architecture.layers) % 2 == 0 else "z"
    lines = "\n".join(layers)
    return f"""{name}(const float *features, float *outputs)
{{
    REAL a[WIDEST], z[WIDEST];
    long i;
    for (i = 0; i < INPUTS; i++) {scaling_lines};
{lines}
    for (i = 0; i < OUTPUTS; i++) outputs[i] = (float){last}[i];
}}
"""


def _scaling(checkpoint: Checkpoint, prefix: str) -> tuple[list[str], str]:
    """Tables of the scaling, and what to do with a feature."""
    scaling, architecture = checkpoint.scaling, checkpoint.architecture
    if isinstance(scaling, str) or scaling.changes_nothing:
        return [], "a[i] = features[i]"
    scaling, tables, names = scaling.rounded(architecture.dtype), [], {}
    vectors = scaling.vectors(architecture.inputs, architecture.dtype)
    for name, vector in zip(("scale", "shift", "centre"), vectors, strict=True):
        if name == "centre" and not vector.any():
            continue
        if isinstance(getattr(scaling, name), np.ndarray):
            tables.append(_table(prefix + name, vector))
            names[name] = f"{prefix}{name}[i]"
        else:
            tables.append(f"static const REAL {prefix}{name} = {_number(vector[0])};\n")
            names[name] = prefix + name
    centred = f"(features[i] - {names['centre']})" if "centre" in names else "features[i]"
    return tables, f"a[i] = {centred} * {names['scale']} + {names['shift']}"


def _table(name: str, array: Array) -> str:
    shape = " x ".join(map(str, array.shape))
    return (
        f"static const REAL {name}[{array.size}] = {{ /* {shape} */\n    {_wrapped(map(_number, array.ravel()))}\n}};\n"
    )


def _number(value: np.floating[Any]) -> str:
    return f"{value!s}f" if value.dtype == np.float32 else str(value)


def _wrapped(items: Iterable[str]) -> str:
    lines, line = [], ""
    for item in items:
        if line and len(line) + len(item) > 110:
            lines.append(line.rstrip())
            line = ""
        line += f"{item}, "
    return "\n    ".join([*lines, line.removesuffix(", ")])


def _labels(checkpoint: Checkpoint) -> list[str]:
    """Labels as literals of C."""
    if checkpoint.labels is None:
        return []
    literals = []
    for label in checkpoint.labels.classes:
        content = str(label).encode("utf-8", "surrogatepass")
        if len(content) > _LONGEST_LITERAL:
            raise ArgumentError(
                f"labels in C have at most {_LONGEST_LITERAL:,} bytes, but {str(label)[:20]!r}... has more"
            )
        # Question marks could make trigraphs, and a slash the start or end of a comment where labels stand in one.
        plain = {byte: chr(byte) for byte in range(32, 127) if chr(byte) not in '"\\?/'}
        literals.append('"' + "".join(plain.get(byte, f"\\{byte:03o}") for byte in content) + '"')
    return literals


def _comment(checkpoints: Sequence[Checkpoint], labels: list[str], widest: int) -> str:
    architecture, count = checkpoints[0].architecture, len(checkpoints)
    layers = ", ".join(f"{layer.units} {layer.activation}" for layer in architecture.layers)
    lines = [
        f"The mean of {count} multilayer perceptrons, written by fastmlp."
        if count > 1
        else "A multilayer perceptron, written by fastmlp.",
        "",
        f"  predict(features, outputs) reads {architecture.inputs} features, as they were in training: it scales them",
        f"  itself. It writes {architecture.outputs} outputs, keeps nothing, and takes {2 * widest} numbers of stack.",
        f"  Layers{' of the first' * (count > 1)}: {layers}. Loss in training: {architecture.loss}.",
        "  Compile it with a C99 compiler, and link the mathematics (-lm).",
    ]
    if labels:
        binary = len(labels) > architecture.outputs
        kind = "output stands, below 0.5 and from there on, for" if binary else "outputs stand for"
        lines += ["", f"  The {kind}:"]
        lines += [f"  {number:4}  {label}" for number, label in enumerate(labels)]
    return "/*\n" + "\n".join(f" * {line}".rstrip() for line in lines) + "\n */\n"
