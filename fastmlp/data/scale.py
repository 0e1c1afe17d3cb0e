"""The warnings about features and targets that are far from unit size (floor 4; imports numpy, errors)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import warn
from .memory_map import blocks
from .samples import Samples
from .targets import Targets

LARGE = 100.0
"""The root mean square of a feature, or of the targets, from which a warning is due."""


def warn_if_badly_scaled(samples: Samples, remedy: str, names: Any = None) -> None:
    """Warn, with numbers, where the root mean square of a feature is above `LARGE`.

    Such a feature drowns the others, and a step of the usual size overshoots along it.

    Parameters
    ----------
    samples : Samples
        Those that a network sees as they are.
    remedy : str
        What to do.
    names : sequence of str, optional
        Of the features.
    """
    if samples.stored().dtype == np.uint8:
        return  # pixels, which a network scales by itself
    squares: NDArray[Any]
    with np.errstate(over="ignore"):
        if samples.sparse is not None:
            values = np.square(samples.sparse.values, dtype=np.float64)
            squares = np.bincount(samples.sparse.columns, values, minlength=samples.n_features)
        else:
            assert samples.dense is not None
            squares = np.zeros(samples.n_features)
            for _, block in blocks(samples.dense):
                squares += np.einsum("ij,ij->j", block, block)
    sizes = np.sqrt(squares / samples.n_rows)
    largest, smallest = int(sizes.argmax()), int(sizes.argmin())
    if sizes[largest] <= LARGE:
        return
    shown = [f"{number}" if names is None else f"{number} ({names[number]})" for number in (largest, smallest)]
    warn(
        f"X has badly scaled features: the root mean square of feature {shown[0]} is {sizes[largest]:.3g}, and of "
        f"feature {shown[1]} {sizes[smallest]:.3g}; a network learns features of about unit size best; "
        f"{remedy}"
    )


def warn_if_large(targets: Targets | None) -> None:
    """Warn, with numbers, where the root mean square of targets is above `LARGE`.

    Outputs start near 0, and a step moves them by little: a network would take very many steps to get there.
    """
    if targets is None or targets.values is None:
        return
    with np.errstate(over="ignore"):
        size = float(np.sqrt(np.square(targets.values, dtype=np.float64).mean()))
    if size > LARGE:
        warn(
            f"y is far from unit size: its root mean square is {size:.3g}; a network learns targets of about unit size "
            "best; fit it on (y - y.mean()) / y.std(), and scale its answers back"
        )
