"""What is fuzzed: the readers, small real files to start from, and what a reading must never do."""

import contextlib
import functools
import gzip
import io
import resource
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastmlp import Dense, Ensemble, Network, Scaling, load
from fastmlp.datasets import load_csv, read_idx
from fastmlp.errors import ArgumentError, DataFileError
from fastmlp.formats.reading import LARGEST_MULTIPLE
from fastmlp.images.digit import LARGEST_PICTURE, as_digit

SLACK = 2 << 20
"""Bytes that Python itself may take in a reading, whatever the file: buffers, caches, messages."""

_ACTIONS = {
    "exec", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "os.remove", "os.rename",
    "os.mkdir", "os.rmdir", "os.putenv", "subprocess.Popen", "pickle.find_class", "socket.__new__", "socket.connect",
    "ctypes.dlopen", "marshal.loads", "import", "shutil.rmtree", "shutil.copyfile", "urllib.Request",
}  # fmt: skip
"""Audit events that no file may cause."""


class BrokenPromiseError(BaseException):
    """A reader did what it must not do; no reader's ``except Exception`` can hide it."""


@dataclass(frozen=True)
class Reader:
    """One reader, as it is fuzzed.

    Attributes
    ----------
    read : callable
        Of a path.
    seeds : callable
        Gives the content of small real files.
    suffix : str
        Of the files.
    allowed : tuple of exception types
        Those that are documented for files of wrong content.
    free : int
        Bytes that it may take besides the multiple of the file.
    words : tuple of str
        What files of this kind are made of, for the fuzzer to put in.
    """

    read: Callable[[Path], Any]
    seeds: Callable[[], list[bytes]]
    suffix: str
    allowed: tuple[type[Exception], ...] = (DataFileError,)
    free: int = SLACK
    words: tuple[str, ...] = ()


_events: list[str] | None = None


def _listen(event: str, arguments: tuple[Any, ...]) -> None:
    if _events is None:
        return
    if event in _ACTIONS or (event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")):
        _events.append(f"{event}{arguments!r}"[:200])


def check(reader: Reader, path: Path) -> Exception | None:
    """Read a file, and see to it that nothing happens but an answer or a documented error, within the memory stated.

    Returns
    -------
    Exception or None
        The error, where there was one.

    Raises
    ------
    BrokenPromiseError
        It did something else.
    """
    global _events
    tracing = tracemalloc.is_tracing()
    _listen_from_now_on()
    size = path.stat().st_size
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused: Exception | None = None
    if not tracing:
        tracemalloc.start()
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    _events = heard = []
    try:
        _use(reader.read(path))
    except reader.allowed as error:
        refused = error
        cause: BaseException | None = error
        while cause is not None:
            if isinstance(cause, MemoryError):
                raise BrokenPromiseError(f"asked for more memory than there is: {error}") from error
            cause = cause.__cause__ or cause.__context__
    except Exception as error:
        raise BrokenPromiseError(f"raised {type(error).__name__}: {error}") from error
    finally:
        _events = None
        taken = tracemalloc.get_traced_memory()[1] - before
        if not tracing:
            tracemalloc.stop()
    limit = LARGEST_MULTIPLE * size + reader.free
    if taken > limit:
        raise BrokenPromiseError(f"{size:,} bytes of file took {taken:,} bytes, {taken / size:.0f} times as many")
    # What C and Rust allocate tracemalloc does not see. The high-water mark of the process does, in coarse steps.
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - resident) * 1024
    if grown > limit + 64 * SLACK:
        raise BrokenPromiseError(f"{size:,} bytes of file made the process grow by {grown:,} bytes")
    if heard:
        raise BrokenPromiseError(f"did something: {heard[0]}")
    return refused


@functools.cache
def _listen_from_now_on() -> None:
    import unicodedata  # noqa: F401 (which Python's parser imports for letters beyond ASCII)

    sys.addaudithook(_listen)


def _use(read: Any) -> None:
    """What was read must be usable."""
    if isinstance(read, Network):
        repr(read), read.summary(), repr(read.history)
        if not np.isfinite(read.state.parameters).all():
            raise AssertionError("weights that are not finite came through")
    elif isinstance(read, tuple | Ensemble):
        [_use(part) for part in read]
    elif not isinstance(read, np.ndarray):
        raise AssertionError(f"a {type(read).__name__} was read")


def _networks() -> Iterator[Network]:
    X = np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    yield Network([2, 1], loss="squared_error", seed=0)
    trained = Network([2, Dense(2, "silu", dropout=0.5), 3], scaling="standardize", seed=0)
    trained.fit(X, np.repeat(["a", "b", "c"], 3), epochs=2, engine="numpy", verbose=0)
    yield trained
    yield Network([1, Dense(1, "exponential", bias=False), 1], loss="quantile", quantile=0.9, dtype="float64", seed=0)
    yield Network([2, Dense(2, "gelu"), 2], scaling=Scaling(2.0, np.arange(2.0)), seed=0)


def _saved(suffix: str, **options: Any) -> list[bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"network{suffix}")
        contents = []
        for network in _networks():
            network.save(path, **options)
            contents.append(path.read_bytes())
        return contents


def _onnx() -> list[bytes]:
    """Ours, and what other exporters write: products and sums, constants, flattening, labels."""
    from tests.formats import onnx_graphs

    return _saved(".onnx") + [model.SerializeToString() for model, _ in onnx_graphs.all_models()]


def _idx() -> list[bytes]:
    plain = [
        bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, *range(8)]),
        bytes([0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3]),
        bytes([0, 0, 0x0E, 2, 0, 0, 0, 1, 0, 0, 0, 2, *range(16)]),
    ]
    return plain + [gzip.compress(content, level, mtime=0) for content in plain for level in (0, 9)]


def _csv() -> list[bytes]:
    plain = [
        b"label,a,b,c,d\n7,0,85,170,255\n1,0,255,0,9\n",
        b"7,0,85,170,255\n1,0.0,2.0,0,9\n",
        b'\xef\xbb\xbf"5";0\r\n\r\n1;9',
    ]
    return plain + [gzip.compress(content, 9, mtime=0) for content in plain]


def _ensemble() -> list[bytes]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ensemble.npz")
        Ensemble([Network([2, 3, 2], seed=seed) for seed in range(2)]).save(path, training_state=False)
        return [path.read_bytes()]


def _nielsens() -> list[bytes]:
    return [b'{"sizes": [2, 1], "weights": [[[0.5, -1]]], "biases": [[[2]]], "cost": "QuadraticCost"}']


def _images() -> list[bytes]:
    from PIL import Image

    ink = np.zeros((12, 9), dtype=np.uint8)
    ink[2:10, 4:6] = 200
    seeds = []
    for form, modes in {
        "PNG": ("1", "L", "P", "RGBA", "I;16"), "JPEG": ("L", "RGB", "CMYK"), "GIF": ("P",),
        "BMP": ("1", "L", "RGB"), "WEBP": ("RGB", "RGBA"),
    }.items():  # fmt: skip
        for mode in modes:
            file = io.BytesIO()
            picture = Image.fromarray(ink.astype(np.uint16) * 200 if mode == "I;16" else ink)
            (picture if mode == "I;16" else picture.convert(mode)).save(file, form)
            seeds.append(file.getvalue())
    file = io.BytesIO()
    Image.fromarray(ink).save(file, "JPEG", progressive=True)
    return [*seeds, file.getvalue()]


_NAMES = (
    "magic", "fastmlp", "format", "architecture", "layers", "units", "activation", "dropout", "bias", "initializer",
    "kind", "Zeros", "Normal", "Uniform", "VarianceScaling", "inputs", "loss", "cross_entropy", "quantile", "dtype",
    "float32", "float64", "scaling", "standardize", "auto", "labels", "task", "objects", "values", "seed", "epoch",
    "step", "optimizer", "adam", "moments", "generator", "history", "columns", "stop_reason", "under_way", "memories",
    "vectors", "arrays", "scale", "shift", "centre", "centred", "classes", "header", "W0", "b0", "moment0_W0", "null",
    "true", "[]", "{}", "1e999", "-1", "NaN", "<U9", "18446744073709551616", "descr", "fortran_order", "shape",
    "data_offsets", "__metadata__", "sizes", "weights", "biases", "cost", "CrossEntropyCost",
)  # fmt: skip
_OPERATORS = (
    "Gemm", "MatMul", "Add", "Sub", "Mul", "Div", "Min", "Exp", "Erf", "Relu", "LeakyRelu", "Elu", "Gelu", "Softmax",
    "LogSoftmax", "PRelu", "DequantizeLinear", "location",
    "Sigmoid", "Tanh", "Identity", "Dropout", "Cast", "Flatten", "Reshape", "Constant", "Transpose", "Squeeze",
    "ArgMax", "ZipMap", "ai.onnx.ml", "alpha", "beta", "transA", "transB", "axis", "to", "perm", "value_floats",
)  # fmt: skip

READERS = {
    "idx": Reader(read_idx, _idx, ""),
    "csv": Reader(load_csv, _csv, ".csv"),
    "npz": Reader(load, lambda: _saved(".npz") + _saved(".npz", training_state=False), ".npz", words=_NAMES),
    "ensemble": Reader(Ensemble.load, _ensemble, ".npz", words=(*_NAMES, "fastmlp ensemble", "networks", "net1_W0")),
    "json": Reader(load, lambda: _saved(".json", training_state=False) + _nielsens(), ".json", words=_NAMES),
    "safetensors": Reader(load, lambda: _saved(".safetensors"), ".safetensors", words=_NAMES),
    "onnx": Reader(load, _onnx, ".onnx", words=_OPERATORS),
    "image": Reader(as_digit, _images, ".png", (DataFileError, ArgumentError), LARGEST_PICTURE),
}


@contextlib.contextmanager
def without_checksums() -> Iterator[None]:
    """Have zip, gzip and PNG believe their checksums, so that changed files come past them to what lies behind."""
    import zipfile

    from PIL import PngImagePlugin

    places: list[tuple[Any, str, Any]] = [
        (zipfile.ZipExtFile, "_update_crc", lambda self, data: None),
        (gzip._GzipReader, "_read_eof", _skip_checksum),
        (PngImagePlugin.ChunkStream, "crc", PngImagePlugin.ChunkStream.crc_skip),
    ]
    before = [(holder, name, getattr(holder, name)) for holder, name, _ in places]
    try:
        for holder, name, other in places:
            setattr(holder, name, other)
        yield
    finally:
        for holder, name, own in before:
            setattr(holder, name, own)


def _skip_checksum(reader: Any) -> None:
    if len(reader._fp.read(8)) < 8:
        raise EOFError
