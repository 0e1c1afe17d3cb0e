"""What each special case of the kernels gains: the package without it, trained in turns with the whole package.

An `Edit` takes a special case away: it replaces a few lines of the source in a copy of the package. `two_trees.py`
times the copy and the original. `kernel_notes.py` makes tables of the ratios.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from .points import point
from .two_trees import Tree, compare_at, same_loss
from .workloads import WORKLOADS, Workload

ROOT = Path(__file__).resolve().parents[1]

NETWORKS: dict[str, Workload] = {
    **WORKLOADS,
    **{name: WORKLOADS[name].limited(10_000) for name in ("K128", "W512", "D256")},
    "8-100-1": point((8, 100, 1), 200),
    "10-100-1": point((10, 100, 1), 200),
    "20-64-1": point((20, 64, 1), 32),
    "8-16-3": point((8, 16, 3), 1024),
    "300-16-3": point((300, 16, 3), 1024),
    "300-16-3, sparse": point((300, 16, 3), 32, density=0.2),
    "784-16-10": replace(WORKLOADS["S128"], sizes=(784, 16, 10)),
    "784-1024-10": replace(WORKLOADS["K128"], sizes=(784, 1024, 10)),
    "100-512-512-10, sparse": point((100, 512, 512, 10), 128, density=0.2),
    "100-512-512-10, float64": point((100, 512, 512, 10), 128, dtype="float64"),
    "64-256-256-1, float64": point((64, 256, 256, 1), 64, dtype="float64"),
    "100-1024-1024-10": point((100, 1024, 1024, 10), 128),
    "50-2048-2048-1": point((50, 2048, 2048, 1), 256, optimizer="sgd"),
    "8-256-256-3": point((8, 256, 256, 3), 1),
}
"""What is trained, by its name in the tables: the seven workloads, and networks to which a special case matters. Large
networks have few rows: of many short timings some are undisturbed.
"""


@dataclass(frozen=True)
class Edit:
    """A special case, and how to take it away.

    Attributes
    ----------
    name : str
    where : str
        The name in the code that a reader looks for.
    networks : tuple of str
        Of `NETWORKS`.
    changes : tuple of (str, str, str)
        A file under ``fastmlp/``, text that it contains exactly once, and what replaces that text.
    """

    name: str
    where: str
    networks: tuple[str, ...]
    changes: tuple[tuple[str, str, str], ...]

    def apply(self, package: Path) -> None:
        """Change the files of a copy of the package.

        Raises
        ------
        ValueError
            A file does not contain the text, or not only once.
        """
        for file, before, after in self.changes:
            path = package / file
            text = path.read_text(encoding="utf-8")
            if text.count(before) != 1:
                raise ValueError(f"{file} must contain {before!r} once, for {self.name!r}; got {text.count(before)}")
            path.write_text(text.replace(before, after), encoding="utf-8")


@contextmanager
def edited(edit: Edit) -> Iterator[Path]:
    """Yield a folder that holds the package without a special case."""
    with TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "fastmlp", Path(folder, "fastmlp"), ignore=shutil.ignore_patterns("__pycache__"))
        edit.apply(Path(folder, "fastmlp"))
        yield Path(folder).resolve()


def times_as_long(edit: Edit, rounds: int, rows: int | None, threads: int | str) -> dict[str, float]:
    """Return by network the time of an epoch without the special case, divided by that with it.

    Parameters
    ----------
    edit : Edit
    rounds : int
    rows : int or None
        At most; None for all.
    threads : int or "auto"
        As `Network.fit` takes it.

    Raises
    ------
    ValueError
        The training losses differ: the edit does more than to take the special case away.
    """
    found: dict[str, float] = {}
    with edited(edit) as folder, Tree(folder) as without, Tree(ROOT) as complete, TemporaryDirectory() as arrays:
        for name in edit.networks:
            point = compare_at(NETWORKS[name].limited(rows), (without, complete), Path(arrays), rounds, threads)
            if not same_loss(point["losses"]):
                raise ValueError(f"without {edit.name!r} the loss of {name} is not the same: {point['losses']}")
            found[name] = point["ratio"]
    return found


_FORWARD, _UPDATE, _FIRST_LAYER = "kernels/forward.py", "kernels/update.py", "kernels/sparse/first_layer.py"
_DENSE, _PRODUCTS, _RECORDS = "kernels/dense/microkernels.py", "kernels/dense/products.py", "kernels/runtime/records.py"
_WORKSPACE, _CONVERSION = "engines/simd/workspace.py", "engines/simd/conversion.py"
_OWNERSHIP, _THREADS = "engines/simd/ownership.py", "engines/simd/threads.py"

_VECTORS = Edit(
    "vectors of 512 bits; without: 256",
    "`simd.WIDEST`",
    (*WORKLOADS, "100-512-512-10, float64", "64-256-256-1, float64"),
    (("kernels/runtime/simd.py", "WIDEST = 512 if", "WIDEST = 256 if"),),
)

_OF_PRODUCTS = (
    Edit(
        "tiles of 8 and 16 rows; without: 6",
        "`HEIGHTS`",
        ("D256", "W512", "300-16-3"),
        ((_DENSE, "{1: (16, 10, 8, 4, 2, 1), 2: (8, 4, 2, 1)}", "{1: (6, 4, 2, 1), 2: (6, 4, 2, 1)}"),),
    ),
    Edit(
        "several pointers into `A`",
        "`unrelated`",
        ("D256", "300-16-3"),
        ((_DENSE, "unrelated(builder, at(now_a, A.stride, i))", "at(now_a, A.stride, i)"),),
    ),
    Edit(
        "`W` packed into panels",
        "`pack`",
        ("K128", "D256", "W512", "100-1024-1024-10"),
        (
            (_FORWARD, "if step.work.chunk >= PACK_FROM:\n        place", "if step.work.chunk < 0:\n        place"),
            (_FORWARD, "if step.work.chunk >= PACK_FROM:\n        W =", "if step.work.chunk < 0:\n        W ="),
        ),
    ),
    Edit(
        "`Wᵀ` transposed in registers",
        "`transpose_square`",
        ("K128", "D256", "W512"),
        ((_PRODUCTS, "if filled >= vector:", "if filled < 0:"),),
    ),
    Edit(
        "inner index cut into stretches of 256",
        "`STRETCH`",
        ("W512", "100-1024-1024-10"),
        ((_PRODUCTS, "STRETCH = 256", "STRETCH = 2**30"),),
    ),
    Edit(
        "next panel prefetched",
        "`AHEAD_FROM`",
        ("100-1024-1024-10", "50-2048-2048-1"),
        ((_PRODUCTS, "AHEAD_FROM = 2**20", "AHEAD_FROM = 2**40"),),
    ),
    Edit(
        "rows off multiples of 512 bytes",
        "`row_stride`",
        ("W512", "100-1024-1024-10"),
        ((_WORKSPACE, "return width + 16 if width * dtype.itemsize % 512 == 0 else width", "return width"),),
    ),
    Edit(
        "deltas packed for the weight gradient",
        "`PANELS_FROM`",
        ("W512", "100-1024-1024-10", "50-2048-2048-1"),
        ((_RECORDS, "PANELS_FROM = 512", "PANELS_FROM = 2**30"),),
    ),
    Edit(
        "relu in the product",
        "`is_rectified`",
        ("8-100-1", "10-100-1"),
        ((_FIRST_LAYER, "return layer.activation == RELU and layer.logits < 0", "return False"),),
    ),
    Edit(
        "layers of few units along the fan-in",
        "`dense/narrow.py`",
        ("8-100-1", "10-100-1", "20-64-1"),
        ((_WORKSPACE, "return layer.units * (vectors + 8) < layer.fan_in", "return False"),),
    ),
    Edit(
        "`dWᵀ` instead of `dW`",
        "`add_dense_rows`",
        ("8-100-1", "20-64-1"),
        ((_UPDATE, "if n > 0 and fused and transposed >= 0", "if n < 0 and fused and transposed >= 0"),),
    ),
    Edit(
        "errors of four rows at a time",
        "`squared_errors`",
        ("T4",),
        ((_FORWARD, "SQUARED_ERROR and width == lanes(memory)", "SQUARED_ERROR and width < 0"),),
    ),
)

_OF_SPARSE_ROWS = (
    Edit(
        "zeros skipped",
        "`DENSE_FROM`",
        ("N30", "R50", "S128", "K128", "W512"),
        ((_CONVERSION, "DENSE_FROM = 0.4", "DENSE_FROM = 0.0"),),
    ),
    Edit(
        "entries converted 16 at a time",
        "`read_blocks`",
        ("S128", "W512"),
        (("kernels/sparse/rows.py", "if blocks * BLOCK <= readable:", "if blocks < 0:"),),
    ),
    Edit(
        "rows prefetched",
        "`AHEAD`",
        ("N30", "R50", "S128"),
        (
            (_FIRST_LAYER, "AHEAD = 4\n", "AHEAD = 0\n"),
            (_FIRST_LAYER, "FAR_AHEAD = 16", "FAR_AHEAD = 0"),
            (
                "kernels/sparse/eights.py",
                "            prefetch(columns, first * EIGHT)\n            prefetch(columns, first * EIGHT + 32)\n"
                "            prefetch(values, first * EIGHT)\n",
                "",
            ),
        ),
    ),
    Edit(
        "strips of 256 columns",
        "`STRIP`",
        ("W512", "784-1024-10"),
        ((_RECORDS, "STRIP = 256", "STRIP = 2**20"),),
    ),
    Edit(
        "four sums in narrow layers",
        "`NARROW_SUMS`",
        ("784-16-10", "300-16-3, sparse"),
        ((_RECORDS, "NARROW, NARROW_SUMS = 2, 4", "NARROW, NARROW_SUMS = 2, 1"),),
    ),
    Edit(
        "frequent features as a dense block",
        "`sparse/parting.py`",
        ("N30", "R50", "K128", "W512"),
        ((_CONVERSION, "FILLED_FROM, FILLED_LEAST = 0.3, 32", "FILLED_FROM, FILLED_LEAST = 2.0, 32"),),
    ),
    Edit(
        "entries in groups of eight",
        "`sparse/eights.py`",
        ("N30", "R50", "K128"),
        ((_CONVERSION, "EIGHTS_BYTES = 512", "EIGHTS_BYTES = 0"),),
    ),
    Edit(
        "entries sorted by column",
        "`list_entries`",
        ("W512", "100-512-512-10, sparse"),
        ((_WORKSPACE, "_LISTS_FROM, _LISTS_WIDTH = 4.0, 128", "_LISTS_FROM, _LISTS_WIDTH = 4.0, 2**30"),),
    ),
)

_OF_UPDATES = (
    Edit(
        "gradient in blocks of 8,192",
        "`block_rows`",
        ("K128", "W512", "100-1024-1024-10"),
        ((_WORKSPACE, "_BLOCK_NUMBERS = 2**13", "_BLOCK_NUMBERS = 2**20"),),
    ),
    Edit(
        "plain gradient descent without a gradient",
        "`Step.direct`",
        ("N30", "R50", "S128"),
        (
            (
                "kernels/epoch.py",
                "plain and step.batch_size <= work.chunk",
                "plain and step.batch_size < 0",
            ),
        ),
    ),
)

_OF_NUMBERS = (
    Edit(
        "softmax of few units, a row a lane",
        "`FEW_UNITS`",
        ("8-16-3",),
        (("kernels/elementwise.py", "FEW_UNITS = 4", "FEW_UNITS = 0"),),
    ),
    Edit(
        "subnormal numbers flushed to 0",
        "`flush_subnormals`",
        ("8-256-256-3",),
        (("kernels/runtime/simd.py", "{_X86: 0x8040, _ARM: 1 << 24}", "{_X86: 0, _ARM: 0}"),),
    ),
)

_OF_THREADS = (
    Edit(
        "a helper wakes on another processor",
        "`threads._move`",
        ("K128", "T4"),
        ((_THREADS, "_move(helper.system_number, processors - {_own_processor()})", "pass"),),
    ),
    Edit(
        "own columns close together",
        "`weights_stride`",
        ("R50", "K128"),
        (
            (_OWNERSHIP, "own.weights_stride = columns[1] - columns[0]", "pass"),
            (_OWNERSHIP, "own.weights = layer.weights_start + (layer.fan_in - 1) * columns[0]", "pass"),
            (_OWNERSHIP, "layer.weights_start + layer.fan_in * mine.first", "layer.weights_start + mine.first"),
        ),
    ),
    Edit(
        "weights packed together",
        "`TOGETHER_FROM`",
        ("W512", "50-2048-2048-1"),
        ((_WORKSPACE, "TOGETHER_FROM = 512", "TOGETHER_FROM = 2**30"),),
    ),
    Edit(
        "first layer split by units",
        "`parallel/split_layer.py`",
        ("N30", "S128"),
        (("engines/simd/split_layer.py", "ROWS = 15", "ROWS = 0"),),
    ),
    Edit(
        "groups of chunks",
        "`parallel/data_parallel.py`",
        ("T4",),
        ((_WORKSPACE, "_GROUPED_PARAMETERS = 1024, 2**14", "_GROUPED_PARAMETERS = 2**60, 2**14"),),
    ),
)

EDITS: dict[str, tuple[Edit, ...]] = {
    "vectors": (_VECTORS,),
    "products": _OF_PRODUCTS,
    "sparse": _OF_SPARSE_ROWS,
    "update": _OF_UPDATES,
    "activations": _OF_NUMBERS,
    "threads": _OF_THREADS,
}
"""The special cases, by what they serve."""
