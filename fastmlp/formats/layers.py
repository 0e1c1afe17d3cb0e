"""Networks from the layers of somebody else's (floor 6; imports numpy, errors, model, data)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data.samples import Scaling
from ..errors import ArgumentError
from ..model.architecture import Architecture, Array, Dense
from ..model.training_state import TrainingState
from .checkpoint import Checkpoint, new_generator

LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy", "exponential": "poisson"}
"""The loss that goes with an output's activation; squared_error with all others."""

Layers = Sequence[tuple[Array, Array | None, str]]
"""``(W, b, activation)`` of every layer: W (fan_in, units), b (units,) or None."""


def checkpoint_of(
    layers: Layers,
    scaling: str | Scaling = "auto",
    loss: str | None = None,
    dropout: Sequence[float] = (),
    **options: Any,
) -> Checkpoint:
    """Return a network of given layers, untrained but for its weights.

    Parameters
    ----------
    layers : sequence of (W, b, activation)
    scaling : str or Scaling, default "auto"
    loss : str, optional
        By default the one that goes with the last activation; see `LOSSES`.
    dropout : sequence of float, default ()
        Of every layer; by default there is none.
    **options
        Others of `Architecture.build`, such as `l2`.

    Returns
    -------
    Checkpoint
        In float64 where all weights are, else in float32.

    Raises
    ------
    ArgumentError
        No layers, layers that don't follow one another, or weights that are not finite.

    Examples
    --------
    >>> made = checkpoint_of([(np.ones((2, 3)), None, "tanh"), (np.ones((3, 1)), np.zeros(1), "identity")])
    >>> made.architecture.sizes, made.architecture.loss
    ((2, 3, 1), 'squared_error')
    """
    if not layers:
        raise ArgumentError("the model has no layers with weights; a network needs at least one")
    fan_in = layers[0][0].shape[0]
    for number, (W, b, _) in enumerate(layers, start=1):
        if W.ndim != 2 or W.shape[0] != fan_in or (b is not None and b.shape != (W.shape[1],)):
            raise ArgumentError(
                f"layer {number} takes {fan_in} numbers, but its weights have shape {W.shape} and its bias "
                f"{None if b is None else b.shape}"
            )
        fan_in = W.shape[1]
    double = all(W.dtype == np.float64 for W, _, _ in layers)
    sizes: list[Any] = [layers[0][0].shape[0]]
    shares = dropout or [0.0] * len(layers)
    sizes += [
        Dense(W.shape[1], activation, share, b is not None)
        for (W, b, activation), share in zip(layers, shares, strict=True)
    ]
    chosen = loss or LOSSES.get(layers[-1][2], "squared_error")
    architecture = Architecture.build(sizes, loss=chosen, dtype="float64" if double else "float32", **options)
    flat = architecture.zeros()
    with np.errstate(over="ignore"):  # what overflows is not finite, and refused
        for (to_W, to_b), (W, b, _) in zip(architecture.views(flat), layers, strict=True):
            to_W[...] = W
            if to_b is not None:
                to_b[...] = b
    if not np.isfinite(flat).all():
        raise ArgumentError(f"the model's weights are not finite in {architecture.dtype}")
    if isinstance(scaling, Scaling):
        scaling.vectors(architecture.inputs, architecture.dtype)  # raises where it doesn't fit
    return Checkpoint(architecture, TrainingState(flat, new_generator(0), 0), None, scaling)
