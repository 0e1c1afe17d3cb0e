"""Networks as a page of their own (floor 6; imports numpy, atomic_write, errors, model, data).

One file that opens in any browser, from disk, without a server: weights, scaling and labels, and a script that computes
the forward pass. A network of MNIST's digits gets an area to draw on; another one a field for every input. The parts in
``html/`` are put together when a network is saved. A Content-Security-Policy lets the file's own script and style run,
known by their hashes, and nothing else; it can ask nobody for anything.
"""

import base64
import hashlib
import html
import json
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_write import write_bytes
from ..data.samples import is_of_pixels
from ..errors import ArgumentError
from ..model.architecture import Array
from .checkpoint import Checkpoint

MOST_FIELDS = 50
"""Inputs of a network that is no network of digits."""

_DIGIT = 784
_PARTS = Path(__file__).parent / "html"
_SCRIPTS = ("network.js", "digit.js", "page.js")


def save(path: Path, checkpoint: Checkpoint, training_state: bool = False, float16: bool = False) -> None:
    """Write a network as a page, whole or not at all.

    Parameters
    ----------
    path : Path
    checkpoint : Checkpoint
    training_state : bool, default False
        Makes no difference: there is none in a page.
    float16 : bool, default False
        Whether weights have 16 bits: half the file, and answers that differ in the third digit.

    Raises
    ------
    ArgumentError
        As `page`.
    FileWriteError
        The file can't be written. One that was there before is as it was.
    """
    write_bytes(path, page(checkpoint, path.stem, float16).encode("utf-8"))


def page(checkpoint: Checkpoint, title: str, float16: bool = False) -> str:
    """Return a network as the text of an HTML file.

    Raises
    ------
    ArgumentError
        Weights that are not finite, or too large for 16 bits; a network of more than `MOST_FIELDS` inputs that are not
        the 784 pixels of a digit.

    Examples
    --------
    >>> from fastmlp import Network
    >>> net = Network([2, 3, 2], seed=0)
    >>> text = page(Checkpoint(net.architecture, net.state), "mine")
    >>> "<title>mine</title>" in text, "default-src 'none'" in text
    (True, True)
    """
    script = "\n".join((_PARTS / name).read_text("utf-8") for name in _SCRIPTS)
    script = f'"use strict";\n(() => {{\n{script}}})();\n'
    style = (_PARTS / "style.css").read_text("utf-8")
    parts = {
        "title": html.escape(title),
        "style": style,
        "style_hash": _hash(style),
        "script": script,
        "script_hash": _hash(script),
        # JSON in HTML: with no "<" in it, nothing in a label can end the element.
        "network": json.dumps(_content(checkpoint, float16)).replace("<", "\\u003c"),
    }
    text = (_PARTS / "page.html").read_text("utf-8")
    for name in ("title", "style_hash", "script_hash", "style", "network", "script"):
        text = text.replace(f"{{{name}}}", parts[name])
    return text


def _content(checkpoint: Checkpoint, float16: bool) -> dict[str, Any]:
    """Return the numbers and names of a page."""
    architecture = checkpoint.architecture
    if not np.isfinite(checkpoint.state.parameters).all():
        raise ArgumentError("weights of the network are not finite, so it is not saved")
    digits = architecture.inputs == _DIGIT
    if not digits and architecture.inputs > MOST_FIELDS:
        raise ArgumentError(
            f"a page shows networks of {_DIGIT} inputs, the pixels of a digit, or of up to {MOST_FIELDS} inputs, a "
            f"field each; this one has {architecture.inputs}; save it as .onnx or .c"
        )
    classes = checkpoint.labels is not None
    named = checkpoint.labels.classes if checkpoint.labels is not None else range(1, architecture.outputs + 1)
    return {
        "digits": digits,
        "inputs": architecture.inputs,
        "divisor": 1 if is_of_pixels(checkpoint.scaling) else 255,
        "classes": classes,
        "labels": [_named(label) if classes else f"output {label}" for label in named],
        **_scaling(checkpoint),
        "layers": [
            {
                "units": layer.units,
                "activation": layer.activation,
                "W": _numbers(W, float16),
                "b": None if b is None else _numbers(b, float16),
            }
            for layer, (W, b) in zip(architecture.layers, architecture.views(checkpoint.state.parameters), strict=True)
        ],
    }


def _named(label: Any) -> str:
    """Return a label as text; 3.0 is a 3."""
    plain = label.item() if isinstance(label, np.generic) else label
    return str(int(plain) if isinstance(plain, float) and plain.is_integer() else plain)


def _scaling(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return scale, shift and centre, a number for all features where they have one."""
    scaling, architecture = checkpoint.scaling, checkpoint.architecture
    if isinstance(scaling, str) or scaling.changes_nothing:
        return {name: _numbers(np.array([value])) for name, value in (("scale", 1.0), ("shift", 0.0), ("centre", 0.0))}
    rounded = scaling.rounded(architecture.dtype)
    vectors = rounded.vectors(architecture.inputs, architecture.dtype)
    return {
        name: _numbers(vector if isinstance(getattr(rounded, name), np.ndarray) else vector[:1])
        for name, vector in zip(("scale", "shift", "centre"), vectors, strict=True)
    }


def _numbers(values: Array, float16: bool = False) -> dict[str, str]:
    kind = "float16" if float16 else values.dtype.name
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(values).astype(f"<f{np.dtype(kind).itemsize}")
    if not np.isfinite(stored).all():
        raise ArgumentError("weights of the network are too large for 16 bits; save it without float16")
    return {"kind": kind, "data": base64.b64encode(stored.tobytes()).decode()}


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode()
