"""The landscape: networks all over the range that people train, chosen by a rule (imports workloads).

The rule has three parts. None of them looks at who is fast where.

1. `GRID`: every combination of 8, 64 or 300 features; hidden layers of 16, of 256 and 256, or of 1,024 units; batches
   of 1, 32 or 1,024 rows. 3 classes, relu, Adam, float32, no zeros among the inputs.
2. `CENTRES`: three usual networks, and each of them with one thing changed at a time: the activation (sigmoid, tanh,
   gelu, silu), the optimizer (gradient descent without and with momentum), the dtype (float64), the share of inputs
   that are not zero (0.2, 0.02).
3. `ENDS`: one network at the end of each range: the widest layers with Adam and with plain gradient descent, the
   smallest at batch 1, the most outputs, the most layers, the most features, dense and sparse, and all rows in one
   batch.

The number of rows follows from the size of the network (`rows_for`).
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise, product
from typing import Any

from .workloads import Workload

FEATURES = (8, 64, 300)
HIDDEN = ((16,), (256, 256), (1024,))
BATCHES = (1, 32, 1024)
GRID = tuple(product(FEATURES, HIDDEN, BATCHES))

CENTRES = (((100, 100, 10), 200), ((64, 256, 256, 1), 64), ((100, 512, 512, 10), 128))
"""Sizes and batch size. A network with one output learns a number, the others classes."""

CHANGES: tuple[dict[str, Any], ...] = (
    {},
    *({"hidden": activation} for activation in ("sigmoid", "tanh", "gelu", "silu")),
    *({"optimizer": optimizer} for optimizer in ("sgd", "momentum")),
    {"dtype": "float64"},
    *({"density": density} for density in (0.2, 0.02)),
)

ENDS: tuple[tuple[tuple[int, ...], int, dict[str, Any]], ...] = (
    ((100, 1024, 1024, 10), 128, {}),
    ((50, 2048, 2048, 1), 256, {"optimizer": "sgd"}),
    ((20, 32, 1), 1, {}),
    ((100, 64, 1000), 128, {}),
    ((64, 64, 64, 64, 64, 64, 3), 32, {}),
    ((3000, 64, 3), 128, {}),
    ((10_000, 64, 3), 128, {"density": 0.01}),
    ((8, 16, 3), 20_000, {}),
)

_MOST_ROWS, _FEWEST_ROWS, _MULTIPLY_ADDS = 20_000, 2_000, 2**31
_MOST_STEPS = 5_000
_SHORT = 2**28
"""Multiply-adds of a forward pass over all rows below which a timing is of several epochs."""


def rows_for(sizes: Sequence[int], batch_size: int) -> int:
    """Return how many rows a point has: whole batches, some 2**31 multiply-adds a forward pass, 2,000 to 20,000.

    Examples
    --------
    >>> rows_for((8, 16, 3), 1024), rows_for((50, 2048, 2048, 1), 256), rows_for((20, 32, 1), 1)
    (19456, 1792, 5000)
    """
    rows = max(_FEWEST_ROWS, min(_MOST_ROWS, _MULTIPLY_ADDS // _weights(sizes), _MOST_STEPS * batch_size))
    return max(1, rows // batch_size) * batch_size


def _weights(sizes: Sequence[int]) -> int:
    return sum(fan_in * units for fan_in, units in pairwise(sizes))


def point(sizes: tuple[int, ...], batch_size: int, **changes: Any) -> Workload:
    """Return a point of the landscape; `changes` are fields of `Workload`.

    Examples
    --------
    >>> point((8, 16, 3), 32, dtype="float64").name
    '8-16-3, batch 32, relu, adam, float64'
    """
    one = sizes[-1] == 1
    fields: dict[str, Any] = {
        "sizes": sizes,
        "batch_size": batch_size,
        "hidden": "relu",
        "output": "identity" if one else "softmax",
        "loss": "squared_error" if one else "cross_entropy",
        "optimizer": "adam",
        "scaling": None,
        "rows": rows_for(sizes, batch_size),
        **changes,
    }
    fields["learning_rate"] = 0.001 if fields["optimizer"] == "adam" else 0.01
    fields["epochs_a_timing"] = 5 if batch_size > 1 and fields["rows"] * _weights(sizes) < _SHORT else 1
    words = ["-".join(map(str, sizes)), f"batch {batch_size}", fields["hidden"], fields["optimizer"]]
    words += [fields["dtype"]] if "dtype" in changes else []
    words += [f"density {fields['density']}"] if "density" in changes else []
    return Workload(name=", ".join(words), **fields)


def _points() -> Iterator[Workload]:
    for features, hidden, batch_size in GRID:
        yield point((features, *hidden, 3), batch_size)
    for (sizes, batch_size), changes in product(CENTRES, CHANGES):
        yield point(sizes, batch_size, **changes)
    for sizes, batch_size, changes in ENDS:
        yield point(sizes, batch_size, **changes)


POINTS: dict[str, Workload] = {chosen.name: chosen for chosen in _points()}
"""Every point by name."""
