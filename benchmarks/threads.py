"""Environment variables that decide how many threads a library uses (imports machine.py).

They are read when a library is imported, so they are given to a process of its own.
"""

import os

from .machine import ONE_THREAD, OTHER_KERNELS

XLA_ONE_THREAD = {"NPROC": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
"""What holds XLA, under JAX, to one thread: the size of its pool, and whether a product is shared out over it."""

NO_ACCELERATOR = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""}


def environment(threads: int | None) -> dict[str, str]:
    """Return the environment of a process whose libraries are to use one thread, or as many as they like.

    Parameters
    ----------
    threads : {1, None}
        None takes away the limits that this process may have been given, so that every library makes its own choice.

    Returns
    -------
    dict
    """
    limits = ONE_THREAD | XLA_ONE_THREAD  # ONE_THREAD holds OpenMP too, which PyTorch uses
    free = {name: value for name, value in os.environ.items() if name not in {*limits, *OTHER_KERNELS}}
    return free | NO_ACCELERATOR | (limits if threads == 1 else {})
