"""What a figure was measured on: processor, cores, versions (imports numpy and fastmlp)."""

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import fastmlp


def describe() -> dict[str, Any]:
    """Return the machine and the versions that a figure depends on, as JSON can hold them.

    Examples
    --------
    >>> sorted(describe())
    ['cores', 'fastmlp', 'numba', 'numpy', 'processor', 'python', 'system']
    """
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "numpy": _version("numpy"),
        "numba": _version("numba"),
        "fastmlp": fastmlp.__version__,
    }


def in_words(machine: dict[str, Any]) -> str:
    """Return what `describe` found, in one line.

    Examples
    --------
    >>> in_words({"processor": "Some CPU", "cores": 2, "python": "3.12.1", "numpy": "2.1.0", "numba": "0.61.0"})
    'Some CPU, 2 cores, Python 3.12.1, NumPy 2.1.0, Numba 0.61.0'
    """
    cores = f"{machine['cores']} core{'s' * (machine['cores'] != 1)}"
    versions = f"Python {machine['python']}, NumPy {machine['numpy']}, Numba {machine['numba']}"
    return f"{machine['processor']}, {cores}, {versions}"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


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
