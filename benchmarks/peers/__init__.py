"""Who takes part in the comparison, each in a process of its own (imports the standard library).

`COMPETITORS` names them without importing their libraries; `python -m benchmarks.peers NAME` is the process that does.
"""

from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec

INSTALL = "pip install '.[bench]'"


@dataclass(frozen=True)
class Competitor:
    """A library on so many threads.

    Attributes
    ----------
    name : str
    library : str
        As people write it; competitors of the same library share a column of the table.
    module : str
        Of this package, with its class `Trainer` and, where it has one, `Predictor`.
    packages : tuple of str
        What has to be installed, by the names that `import` knows.
    threads : {1, None}
        None leaves the number to the library.
    """

    name: str
    library: str
    module: str
    packages: tuple[str, ...]
    threads: int | None = None

    def available(self) -> bool:
        """Whether all that it needs is installed."""
        return all(find_spec(package) for package in self.packages)


_LIBRARIES = (
    ("numpy", "NumPy", "numpy_engine", ("numpy",)),
    ("scikit-learn", "scikit-learn", "scikit_learn", ("sklearn",)),
    ("pytorch", "PyTorch", "pytorch", ("torch",)),
    ("jax", "JAX", "jax_scan", ("jax",)),
    ("onnxruntime", "ONNX Runtime", "onnx_runtime", ("onnxruntime", "onnx")),
)

OURS = Competitor("fastmlp", "fastmlp", "fastmlp_fit", ("fastmlp", "numba"))
REFERENCE = Competitor("reference", "float64 reference", "reference", ("fastmlp",))
"""The reference engine in float64, against which losses are checked; it is not timed."""

COMPETITORS: dict[str, Competitor] = {OURS.name: OURS} | {
    f"{name}{suffix}": Competitor(f"{name}{suffix}", library, module, packages, threads)
    for name, library, module, packages in _LIBRARIES
    for suffix, threads in (("", None), ("-1", 1))
}
"""Every competitor by name: each library with as many threads as it likes and, as ``pytorch-1``, with one."""

TRAINERS = {name: library for name, library, *_ in _LIBRARIES if name != "onnxruntime"}
"""The libraries that train, by name; ONNX Runtime only predicts."""


def versions() -> dict[str, str]:
    """Return the version of each library that trains and is installed, but NumPy's, which belongs to the machine."""
    packages = {"scikit-learn": "sklearn", "torch": "torch", "jax": "jax"}
    return {name: version(name) for name, package in packages.items() if find_spec(package)}
