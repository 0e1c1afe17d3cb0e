"""What a figure was measured on: processor, cores, versions, threads (floor 10; imports llvmlite)."""

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

ONE_THREAD = dict.fromkeys(
    (
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "BLIS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
    ),
    "1",
)
"""Environment variables that hold any BLAS that NumPy may be built with to one thread; read when NumPy is imported."""

OTHER_KERNELS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Environment variables that have OpenBLAS take other kernels than those for the processor, which are the fastest."""


def one_thread_environment() -> dict[str, str]:
    """Return the environment of a process in which NumPy's BLAS has one thread, and kernels of its own choice."""
    return {name: value for name, value in os.environ.items() if name not in OTHER_KERNELS} | ONE_THREAD


def other_kernels(variables: Mapping[str, str] = os.environ) -> str:
    """Return which of `OTHER_KERNELS` this process was given, for the end of a line that says what was measured.

    Examples
    --------
    >>> other_kernels({"OPENBLAS_CORETYPE": "Haswell"})
    ', OPENBLAS_CORETYPE=Haswell'
    """
    return "".join(f", {name}={variables[name]}" for name in OTHER_KERNELS if name in variables)


def describe() -> dict[str, Any]:
    """Return the machine and the versions that a figure depends on, as JSON can hold them.

    Examples
    --------
    >>> sorted(describe())
    ['cores', 'fastmlp', 'generation', 'numba', 'numpy', 'processor', 'python', 'system']
    """
    from .. import __version__

    return {
        "processor": _processor(),
        "generation": _generation(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "numba": _version("numba"),
        "fastmlp": __version__,
    }


def in_words(machine: dict[str, Any]) -> str:
    """Return what `describe` found, in one line.

    Examples
    --------
    >>> in_words({"processor": "Some CPU", "cores": 2, "python": "3.12.1", "numpy": "2.1.0", "numba": "0.61.0"})
    'Some CPU, 2 cores, Python 3.12.1, NumPy 2.1.0, Numba 0.61.0'
    """
    generation = f" ({machine['generation']})" if machine.get("generation") else ""
    cores = f"{machine['cores']} core{'s' * (machine['cores'] != 1)}"
    versions = f"Python {machine['python']}, NumPy {machine['numpy']}, Numba {machine['numba']}"
    return f"{machine['processor']}{generation}, {cores}, {versions}"


def hold_blas_to_one_thread() -> bool:
    """Set `ONE_THREAD` for this process; return whether NumPy's BLAS keeps to it, which it does if it isn't loaded."""
    held = "numpy" not in sys.modules or all(os.environ.get(name) == value for name, value in ONE_THREAD.items())
    os.environ.update(ONE_THREAD)
    return held


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _generation() -> str | None:
    """Return the processor's generation, such as Zen 5 or Emerald Rapids, or None where LLVM is missing."""
    try:
        from llvmlite import binding
    except ImportError:
        return None
    return _spelled(binding.get_host_cpu_name())


def _spelled(name: str) -> str:
    """Spell LLVM's name of a processor as people do.

    Examples
    --------
    >>> _spelled("znver5"), _spelled("emeraldrapids"), _spelled("apple-m2")
    ('Zen 5', 'Emerald Rapids', 'Apple M2')
    """
    return re.sub("^znver", "zen ", name).replace("rapids", " rapids").replace("-", " ").title()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass  # not Linux
    if platform.system() == "Darwin":
        command = ["sysctl", "-n", "machdep.cpu.brand_string"]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip() or platform.machine()
    return platform.processor() or platform.machine()
