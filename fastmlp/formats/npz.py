"""Networks as NumPy archives (floor 6; imports numpy, atomic_write, checks, errors, model, data).

A file is an uncompressed ``.npz``: the array ``header`` holds JSON as UTF-8 bytes, ``W0``, ``b0``, ``W1``, ... the
weights and biases, unpadded, ``classes`` the labels, ``scale``, ``shift`` and perhaps ``centre`` a scaling by feature,
and ``moment0_W0``, ... what the optimizer remembers. ``numpy.load`` opens it, with ``allow_pickle=False``. Reading one
runs no code from it, and takes no more memory than the file is long before it has checked that every array has the
shape that the header says.
"""

import json
import math
import platform
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .. import __version__
from ..atomic_write import write_whole
from ..checks import check_size, plain
from ..data.samples import FOUND_ON, Scaling
from ..data.targets import TASKS, Labels
from ..errors import ArgumentError, DataFileError
from ..model.activations import ACTIVATIONS
from ..model.architecture import Architecture, Array, Dense, Layer
from ..model.history import History
from ..model.initializers import Initializer, Normal, Uniform, VarianceScaling, Zeros
from ..model.losses import LOSSES
from ..model.training_state import TrainingState
from .checkpoint import Checkpoint, FitUnderWay, new_generator
from .plain_arrays import MOST_NAMES, told

MAGIC = "fastmlp"
ENSEMBLE = "fastmlp ensemble"
FORMAT = 1

_CENTRED = "centred"
"""The scaling in the header of files that hold a centre: readers that know none refuse it, rather than pass over it."""

_INITIALIZERS: dict[str, type[Any]] = {kind.__name__: kind for kind in (Zeros, Normal, Uniform, VarianceScaling)}
T = TypeVar("T")
_MOMENT_KINDS = ("", "sgd", "rmsprop", "adam")


def save(path: Path, checkpoint: Checkpoint, training_state: bool = True) -> None:
    """Write a checkpoint, whole or not at all.

    Parameters
    ----------
    path : Path
    checkpoint : Checkpoint
    training_state : bool, default True
        Whether to include what a later `fit` needs to go on with the same bits: the optimizer's moments and the
        generator.

    Raises
    ------
    ArgumentError
        Labels that JSON and NumPy arrays cannot hold, or weights that are not finite.
    FileWriteError
        The file can't be written. One that was there before is as it was.
    """
    header, arrays = describe(checkpoint, training_state)
    text = json.dumps(header, allow_nan=False).encode()
    arrays = {"header": np.frombuffer(text, dtype=np.uint8), **arrays}
    write_whole(path, lambda file: np.savez(file, allow_pickle=False, **arrays))


def load(path: Path) -> Checkpoint:
    """Read a checkpoint.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Checkpoint

    Raises
    ------
    DataFileError
        The file is missing, not such an archive, written by a newer version, truncated or damaged.
    """
    return read_archive(path, lambda archive: archive.checkpoint())


def read_archive(path: Path, read: Callable[["ArchiveReader"], T]) -> T:
    """Open an archive and read it; the errors are those of `load`."""
    try:
        with zipfile.ZipFile(path) as archive:
            return read(ArchiveReader(archive, path.stat().st_size))
    except FileNotFoundError:
        raise DataFileError(f"{path}: there is no such file") from None
    except OSError as error:
        raise DataFileError(f"{path}: cannot be read: {error.strerror or error}") from error
    except WrongContentError as error:
        raise DataFileError(f"{path}: {error}") from None
    except zipfile.BadZipFile as error:
        raise DataFileError(f"{path}: not an .npz archive, or one that was cut off or damaged ({error})") from error
    except Exception as error:  # whatever a damaged or hostile file provokes in a parser
        raise DataFileError(f"{path}: damaged ({type(error).__name__}: {error})") from error


def member_prefix(number: int) -> str:
    """Return what the names of the arrays of one network of several begin with."""
    return f"net{number}_"


class WrongContentError(Exception):
    """What is wrong with a file; `load` puts its path in front."""


def describe(checkpoint: Checkpoint, training_state: bool) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return a checkpoint as a header that JSON can hold and arrays by name; the other formats hold the same.

    Raises
    ------
    ArgumentError
        Labels that neither can hold, or weights that are not finite.
    """
    architecture, state, labels = checkpoint.architecture, checkpoint.state, checkpoint.labels
    arrays = _parts(architecture, state.parameters, "")
    moments = state.moments if training_state else []
    for number, moment in enumerate(moments):
        arrays |= _parts(architecture, moment, f"moment{number}_")
    scaling = checkpoint.scaling
    centred = isinstance(scaling, Scaling) and bool(np.any(scaling.centre))
    header: dict[str, Any] = {
        "magic": MAGIC,
        "format": FORMAT,
        "versions": {"fastmlp": __version__, "numpy": np.__version__, "python": platform.python_version()},
        "architecture": _describe_architecture(architecture),
        "scaling": scaling if isinstance(scaling, str) else _CENTRED if centred else None,
        "scaling_found_on": "" if isinstance(scaling, str) else scaling.found_on,
        "labels": None,
        "seed": state.seed,
        "epoch": state.epoch,
        "step": state.step if training_state else 0,
        "optimizer": {"kind": state.moments_kind if training_state else "", "moments": len(moments)},
        "generator": _plain(state.generator.bit_generator.state) if training_state else None,
        "history": checkpoint.history.to_dict(),
    }
    if isinstance(scaling, Scaling):
        names = ("scale", "shift", "centre") if centred else ("scale", "shift")
        arrays |= {name: np.asarray(getattr(scaling, name)) for name in names}
    if labels is not None:
        header["labels"] = {"task": labels.task, "one_dimensional": labels.one_dimensional, "objects": None}
        if labels.classes.dtype == object:
            header["labels"]["objects"] = _plain_labels(labels.classes)
        else:
            arrays["classes"] = labels.classes
    if checkpoint.under_way is not None:
        header["under_way"], remembered = _describe_under_way(checkpoint.under_way, architecture)
        arrays |= remembered
    for name, array in arrays.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise ArgumentError(f"{name} of the network is not finite, so it is not saved")
    return header, arrays


def _describe_under_way(under_way: FitUnderWay, architecture: Architecture) -> tuple[dict[str, Any], dict[str, Array]]:
    """Return the header's part, and the vectors that callbacks remember, by weights and biases as all vectors are."""
    described: dict[str, Any] = {**vars(under_way), "memories": []}
    arrays: dict[str, Array] = {}
    for number, (kind, memory) in enumerate(under_way.memories):
        vectors = {name: value for name, value in memory.items() if isinstance(value, np.ndarray)}
        for name, vector in vectors.items():
            arrays |= _parts(architecture, vector, f"memory{number}_{name}_")
        values = {name: plain(value) for name, value in memory.items() if name not in vectors}
        described["memories"].append({"kind": kind, "values": values, "vectors": list(vectors)})
    return described, arrays


def _parts(architecture: Architecture, flat: Array, prefix: str) -> dict[str, Array]:
    parts = {}
    for number, (W, b) in enumerate(architecture.views(flat)):
        parts[f"{prefix}W{number}"] = W
        if b is not None:
            parts[f"{prefix}b{number}"] = b
    return parts


def _describe_architecture(architecture: Architecture) -> dict[str, Any]:
    return {
        "inputs": architecture.inputs,
        "layers": [_describe_layer(layer) for layer in architecture.layers],
        "loss": architecture.loss,
        "l1": architecture.l1,
        "l2": architecture.l2,
        "dtype": architecture.dtype.name,
        "quantile": architecture.quantile,
        "label_smoothing": architecture.label_smoothing,
    }


def _describe_layer(layer: Layer) -> dict[str, Any]:
    return {
        "units": layer.units,
        "activation": layer.activation,
        "dropout": layer.dropout,
        "bias": layer.has_bias,
        "trainable": layer.trainable,
        "initializer": _describe_initializer(layer.initializer),
        "bias_initializer": _describe_initializer(layer.bias_initializer),
    }


def _describe_initializer(initializer: Initializer) -> dict[str, Any]:
    return {"kind": type(initializer).__name__, **_plain(vars(initializer))}


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, so that JSON can hold them."""
    return {name: _plain(part) for name, part in value.items()} if isinstance(value, dict) else plain(value)


def _plain_labels(classes: Array) -> list[Any]:
    labels = [plain(label) for label in classes]
    for label in labels:
        if not isinstance(label, str | int | float) or (isinstance(label, float) and not math.isfinite(label)):
            raise ArgumentError(f"labels such as {label!r} cannot be saved; use text or finite numbers for the classes")
    return labels


class Reader:
    """Reads a file part by part, whatever its format, and believes nothing it has not checked.

    Parameters
    ----------
    file_size : int
    shortest_number : int, optional
        The bytes of the file that a parameter takes at least; by default those of its dtype.
    """

    def __init__(self, file_size: int, shortest_number: int | None = None) -> None:
        self.file_size, self.shortest_number = file_size, shortest_number

    def header(self) -> dict[str, Any]:
        """Return the header, whose magic, format and names were checked."""
        raise NotImplementedError

    def array(self, name: str, shape: tuple[int, ...] | None = None, dtype: np.dtype[Any] | None = None) -> Array:
        """Read one array after checking its size, and where given, shape and dtype; floats must be finite."""
        raise NotImplementedError

    def checkpoint(self) -> Checkpoint:
        """Read all of it."""
        header = self.header()
        architecture = _build(header["architecture"])
        moments = header["optimizer"]["moments"]
        if header["optimizer"]["kind"] not in _MOMENT_KINDS or not (isinstance(moments, int) and 0 <= moments <= 2):
            raise WrongContentError(f"unknown optimizer state {header['optimizer']!r}")
        shortest = self.shortest_number or architecture.dtype.itemsize
        if architecture.n_parameters * shortest * (1 + moments) > self.file_size:
            raise WrongContentError(
                f"shorter than the {architecture.n_parameters:,} parameters that its header announces: "
                "it was cut off or damaged"
            )
        state = TrainingState(
            self.vector(architecture, ""),
            new_generator(_counter(header, "seed")),
            _counter(header, "seed"),
            [self.vector(architecture, f"moment{number}_") for number in range(moments)],
            header["optimizer"]["kind"],
            _counter(header, "step"),
            _counter(header, "epoch"),
        )
        if header["generator"] is not None:
            state.generator.bit_generator.state = header["generator"]
        labels = None if header["labels"] is None else self.labels(header["labels"], architecture)
        scaling = self.scaling(header)
        if isinstance(scaling, Scaling):
            scaling.vectors(architecture.inputs, architecture.dtype)  # raises where it doesn't fit
        return Checkpoint(
            *(architecture, state, labels, scaling, History.from_dict(header["history"])),
            under_way=self.under_way(header.get("under_way"), architecture),
            goes_on=header["generator"] is not None,
        )

    def under_way(self, described: Any, architecture: Architecture) -> FitUnderWay | None:
        """Read what a fit that was under way remembered, if one was."""
        if described is None:  # saved between fits, or before there were checkpoints
            return None
        memories = []
        for number, memory in enumerate(described["memories"]):
            values = {str(name): value for name, value in memory["values"].items()}
            vectors = {name: self.vector(architecture, f"memory{number}_{name}_") for name in set(memory["vectors"])}
            memories.append((str(memory["kind"]), values | vectors))
        rate = check_size(described["learning_rate"], "learning_rate")
        reason, settings = str(described["stop_reason"]), dict(described["settings"])
        return FitUnderWay(_counter(described, "first_epoch"), float(rate), reason, settings, memories)

    def vector(self, architecture: Architecture, prefix: str) -> Array:
        """Read parameters or a moment, in the architecture's layout."""
        arrays: list[tuple[Array, Array | None]] = []
        for number, layer in enumerate(architecture.layers):
            W = self.array(f"{prefix}W{number}", (layer.fan_in, layer.units), architecture.dtype)
            b = self.array(f"{prefix}b{number}", (layer.units,), architecture.dtype) if layer.has_bias else None
            arrays.append((W, b))
        flat = architecture.zeros()
        for (to_W, to_b), (W, b) in zip(architecture.views(flat), arrays, strict=True):
            to_W[...] = W
            if to_b is not None:
                to_b[...] = b
        return flat

    def labels(self, described: dict[str, Any], architecture: Architecture) -> Labels:
        """Read what the outputs stand for."""
        task = described["task"]
        if task not in TASKS:
            raise WrongContentError(f"unknown task {task!r}")
        count = {"binary": 2, "regression": 0}.get(task, architecture.outputs)
        if described["objects"] is None:
            classes = self.array("classes", (count,))
        else:
            classes = np.array(described["objects"], dtype=object)
        if classes.shape != (count,) or len(np.unique(classes)) != count or not (classes[:-1] <= classes[1:]).all():
            raise WrongContentError(f"classes must be {count} different labels in ascending order")
        return Labels(task, classes, bool(described["one_dimensional"]))

    def scaling(self, header: dict[str, Any]) -> str | Scaling:
        """Read what is done to the features."""
        name, found_on = described_scaling(header)
        if name is not None:
            return name
        centre = self.array("centre") if header["scaling"] == _CENTRED else 0.0
        return Scaling(self.array("scale"), self.array("shift"), centre=centre, found_on=found_on)


def described_scaling(header: dict[str, Any]) -> tuple[str | None, str]:
    """Return the scaling's name, None where it is settled, and what it was found on."""
    name, found_on = header["scaling"], header.get("scaling_found_on", "")
    if name not in (None, _CENTRED, "auto", "standardize") or found_on not in FOUND_ON:
        raise WrongContentError(f"unknown scaling {name!r}, found on {found_on!r}")
    return (None if name in (None, _CENTRED) else str(name)), found_on


class ArchiveReader(Reader):
    """Reads an archive, of one network or of several.

    Parameters
    ----------
    archive : ZipFile
    file_size : int
    """

    def __init__(self, archive: zipfile.ZipFile, file_size: int) -> None:
        super().__init__(file_size)
        self.archive = archive
        self._prefix, self._header = "", dict[str, Any]()  # of the network that is read now
        self._taken = 0  # bytes of members that were read

    def header(self) -> dict[str, Any]:
        """See `Reader.header`."""
        return self._header or check_header(self.first_header(), "an .npz archive")

    def first_header(self) -> Any:
        """Return the header of the file as JSON gave it, unchecked."""
        if "header.npy" not in self.archive.namelist():
            raise WrongContentError(told(self._shapes()))
        return json.loads(self.array("header").tobytes().decode("utf-8"))

    def checkpoints(self, headers: Sequence[Any]) -> list[Checkpoint]:
        """Read several networks with these headers, whose arrays have names as `member_prefix` says."""
        found = []
        for number, header in enumerate(headers):
            self._prefix, self._header = member_prefix(number), check_header(header, f"network {number} of an archive")
            found.append(self.checkpoint())
        return found

    def _shapes(self) -> dict[str, tuple[int, ...] | None]:
        """Return the shapes of all arrays, of which no more than the first bytes are read."""
        shapes: dict[str, tuple[int, ...] | None] = {}
        for member in self.archive.infolist()[:MOST_NAMES]:
            if member.filename.endswith(".npy"):
                with self.archive.open(member) as file:
                    shape, _, dtype = _array_header(file)
                shapes[member.filename.removesuffix(".npy")] = None if dtype.hasobject else shape
        return shapes

    def array(self, name: str, shape: tuple[int, ...] | None = None, dtype: np.dtype[Any] | None = None) -> Array:
        """See `Reader.array`."""
        name = self._prefix + name
        try:
            member = self.archive.getinfo(f"{name}.npy")
        except KeyError:
            raise WrongContentError(f"the array {name} is missing; the file was cut off or changed") from None
        # Stored as it is, a member cannot be longer than the file: no archive can unpack to more than it takes on disk.
        if member.compress_type != zipfile.ZIP_STORED or member.file_size > self.file_size:
            raise WrongContentError(f"the array {name} is compressed, which files of fastmlp are not")
        # Members of a forged archive may lie over one another, and each would be read again.
        self._taken += member.file_size
        if self._taken > self.file_size:
            raise WrongContentError("its arrays are together longer than the file; they lie over one another")
        with self.archive.open(member) as file:
            found_shape, fortran_order, found_dtype = _array_header(file)
            if shape is not None and found_shape != shape:
                raise WrongContentError(f"the array {name} has shape {found_shape}, but the header says {shape}")
            if found_dtype.hasobject or (dtype is not None and found_dtype.newbyteorder("=") != dtype):
                raise WrongContentError(
                    f"the array {name} has dtype {found_dtype}" + (f", expected {dtype}" if dtype else "")
                )
            data = file.read()
        flat = np.frombuffer(data, dtype=found_dtype)
        array = flat.reshape(found_shape, order="F" if fortran_order else "C")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise WrongContentError(f"the array {name} holds infinite or NaN values")
        return array.astype(found_dtype.newbyteorder("="))


def _array_header(file: Any) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read shape, whether it is in Fortran's order, and dtype of an array."""
    first = np.lib.format.read_magic(file) == (1, 0)
    read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    found: tuple[tuple[int, ...], bool, np.dtype[Any]] = read(file)
    return found


def check_header(header: Any, kind: str) -> dict[str, Any]:
    """Return what JSON gave as a header, or say why it is none; `kind` is what the file is otherwise."""
    if isinstance(header, dict) and header.get("magic") == ENSEMBLE:
        raise WrongContentError("it holds an ensemble of networks; read it with fastmlp.Ensemble.load(path)")
    if not isinstance(header, dict) or header.get("magic") != MAGIC:
        raise WrongContentError(f"{kind}, but its header is not one of a fastmlp network")
    if not isinstance(header.get("format"), int) or header["format"] > FORMAT:
        raise WrongContentError(
            f"written in format {header.get('format')!r} by a newer fastmlp ({header.get('versions')}); this one "
            f"reads formats up to {FORMAT}: upgrade fastmlp, from where it was installed"
        )
    expected = {"architecture", "scaling", "labels", "seed", "epoch", "step", "optimizer", "generator", "history"}
    if missing := sorted(expected - header.keys()):
        raise WrongContentError(f"its header lacks {', '.join(missing)}")
    return header


def _build(described: dict[str, Any]) -> Architecture:
    _check_registered(described)
    layers = [
        Dense(
            layer["units"],
            layer["activation"],
            layer["dropout"],
            layer["bias"],
            _initializer(layer["initializer"]),
            _initializer(layer["bias_initializer"]),
            layer.get("trainable", True),  # not in early files
        )
        for layer in described["layers"]
    ]
    names = ["loss", "l1", "l2", "dtype"]
    names += [name for name in ("quantile", "label_smoothing") if name in described]  # not so in early files
    return Architecture.build([described["inputs"], *layers], **{name: described[name] for name in names})


def _check_registered(described: dict[str, Any]) -> None:
    """Say so where a network has functions of its user's own that this program hasn't registered."""
    used: list[tuple[str, Any, Any]] = [
        ("activation", layer["activation"], ACTIVATIONS) for layer in described["layers"]
    ]
    for kind, name, known in [*used, ("loss", described["loss"], LOSSES)]:
        if isinstance(name, str) and name.isidentifier() and name not in known:
            raise WrongContentError(
                f"unknown {kind} {name[:100]!r}: it is not built in, so register it before loading: "
                f"fastmlp.register_{kind}({name[:100]!r}, ...)"
            )


def _initializer(described: dict[str, Any]) -> Initializer:
    parameters = {name: value for name, value in described.items() if name != "kind"}
    initializer: Initializer = _INITIALIZERS[described["kind"]](**parameters)
    return initializer


def _counter(header: dict[str, Any], name: str) -> int:
    value = header[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 2**63:
        raise WrongContentError(f"{name} must be a whole number from 0 to 2**63, got {value!r}")
    return value
