"""What a network is made of and how its parameters lie in memory (floor 1; imports numpy, checks, errors).

All parameters of a network are one flat vector. The weights ``W`` of a layer, shape (fan_in, fan_out), and its bias
``b``, shape (fan_out,), are views of it. A row of ``W`` is padded with zeros to whole cache lines, and every
part starts on a cache line, so that kernels can read whole SIMD vectors; the padding is zero and stays zero.
Gradients and the optimizer's moments are vectors of the same layout, so an optimizer is one loop over all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import check_number, check_size, check_switch, check_whole, explained_class, naming
from ..errors import ArgumentError, ArgumentTypeError
from .activations import get_activation
from .initializers import Initializer, get_initializer
from .losses import MEDIAN, Loss, get_loss, smoothed

Array = NDArray[Any]
WeightsAndBias = tuple[Array, Array | None]

CACHE_LINE = 64
"""Bytes to a multiple of which rows of weights are padded: also a register of AVX-512, and two of AVX2."""


def padded(units: int, dtype: np.dtype[Any]) -> int:
    """`units` rounded up to whole cache lines of numbers.

    Examples
    --------
    >>> padded(10, np.dtype(np.float32)), padded(10, np.dtype(np.float64)), padded(3, np.dtype(np.float64))
    (16, 16, 8)
    """
    line = CACHE_LINE // dtype.itemsize
    return -(-units // line) * line


def aligned_zeros(size: int, dtype: np.dtype[Any]) -> Array:
    """Zeros that start on a cache line.

    Parameters
    ----------
    size : int
        How many numbers.
    dtype : dtype

    Returns
    -------
    ndarray, shape (size,)
    """
    memory = np.zeros(size * dtype.itemsize + CACHE_LINE, dtype=np.uint8)
    start = -memory.__array_interface__["data"][0] % CACHE_LINE  # half the time of `memory.ctypes.data`
    return memory[start : start + size * dtype.itemsize].view(dtype)


@explained_class
@dataclass(frozen=True)
class Dense:
    """A fully connected layer: ``activation(x @ W + b)``.

    Parameters
    ----------
    units : int
        Outputs of the layer (its fan-out).
    activation : str, optional
        A name of `fastmlp.model.activations.ACTIVATIONS`. By default the network's `hidden`, or for the last layer its
        `output`.
    dropout : float in [0, 1), default 0.0
        The share of the layer's activations that are zeroed in training, the rest scaled up (inverted dropout).
    bias : bool, optional
        Whether the layer has a bias; by default the network's `bias`.
    initializer, bias_initializer : str or initializer, optional
        By default the network's.
    trainable : bool, default True
        Whether `fit` changes the layer's weights and bias. A frozen layer (False) keeps every bit of them: no step, no
        weight decay; what the optimizer remembers of them stays as it is; and their gradient counts for nothing, not
        even for `clip_norm`. `Network.gradient` gives the true derivative all the same, and the penalties of all
        layers are part of the objective.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        A value out of its range or of the wrong type, or a name that isn't known.

    See Also
    --------
    fastmlp.Network.freeze : Freeze layers of a network that is there already.

    Examples
    --------
    >>> Dense(128, "relu", dropout=0.2)
    Dense(128, 'relu', dropout=0.2)
    >>> Dense(128, "relu", trainable=False)
    Dense(128, 'relu', trainable=False)
    """

    units: int
    activation: str | None = None
    dropout: float = 0.0
    bias: bool | None = None
    initializer: str | Initializer | None = None
    bias_initializer: str | Initializer | None = None
    trainable: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "units", check_units(self.units, "units of a layer"))
        if self.activation is not None:
            get_activation(self.activation)
        object.__setattr__(self, "dropout", check_number(self.dropout, "dropout", "a number in [0, 1)"))
        if not 0 <= self.dropout < 1:
            raise ArgumentError(
                f"dropout must lie in [0, 1): the share of units that are dropped; got {self.dropout!r}"
            )
        if self.bias is not None:
            object.__setattr__(self, "bias", check_switch(self.bias, "bias"))
        object.__setattr__(self, "trainable", check_switch(self.trainable, "trainable"))
        for name in ("initializer", "bias_initializer"):
            initializer = getattr(self, name)
            if initializer is not None:
                with naming(name):
                    get_initializer(initializer, auto="zeros")

    def __repr__(self) -> str:
        parts = [str(self.units)]
        if self.activation is not None:
            parts.append(repr(self.activation))
        if self.dropout:
            parts.append(f"dropout={self.dropout}")
        for name in ("bias", "initializer", "bias_initializer"):
            if getattr(self, name) is not None:
                parts.append(f"{name}={getattr(self, name)!r}")
        if not self.trainable:
            parts.append("trainable=False")
        return f"Dense({', '.join(parts)})"


def check_units(units: object, name: str) -> int:
    """Return `units` as an int, or say why it can't be a number of units."""
    return check_whole(units, name, 1, 2**24)


@dataclass(frozen=True)
class Layer:
    """A layer with nothing left to default, and where its parameters lie in the flat vector.

    Attributes
    ----------
    fan_in, units : int
        Inputs and outputs; ``W`` is (fan_in, units).
    activation : str
    dropout : float
    stride : int
        Numbers from one row of ``W`` to the next: `units` padded.
    weights_start : int
        Where ``W`` starts.
    bias_start : int
        Where ``b`` starts; -1 without bias.
    initializer, bias_initializer : initializer
    trainable : bool
        Whether training changes the layer's parameters; a layer that it doesn't change is frozen.
    """

    fan_in: int
    units: int
    activation: str
    dropout: float
    stride: int
    weights_start: int
    bias_start: int
    initializer: Initializer = field(compare=False)
    bias_initializer: Initializer = field(compare=False)
    trainable: bool = True

    @property
    def has_bias(self) -> bool:
        """Whether the layer has a bias."""
        return self.bias_start >= 0

    def weights(self, flat: Array) -> Array:
        """``W`` as a view of the flat vector, shape (fan_in, units)."""
        stop = self.weights_start + self.fan_in * self.stride
        return flat[self.weights_start : stop].reshape(self.fan_in, self.stride)[:, : self.units]

    def bias(self, flat: Array) -> Array | None:
        """``b`` as a view of the flat vector, shape (units,); None without bias."""
        return flat[self.bias_start : self.bias_start + self.units] if self.has_bias else None


@dataclass(frozen=True)
class Architecture:
    """An immutable description of a network: layers, loss, penalties, dtype.

    Attributes
    ----------
    inputs : int
        Features of a sample.
    layers : tuple of Layer
    loss : str
    l1, l2 : float
        Penalties on the weights (not the biases): the objective is the mean loss of the batch plus
        ``l1 * sum(|W|) + l2 / 2 * sum(W²)``, whatever the size of the batch.
    dtype : numpy.dtype
        float32 or float64.
    quantile : float
        The level of the loss quantile; 0.5 with another loss.
    label_smoothing : float
        The share of every target that cross_entropy spreads over all outputs, and binary_cross_entropy over 0 and 1;
        0 with another loss.
    """

    inputs: int
    layers: tuple[Layer, ...]
    loss: str
    l1: float
    l2: float
    dtype: np.dtype[Any]
    quantile: float = MEDIAN
    label_smoothing: float = 0.0

    @classmethod
    def build(
        cls,
        sizes: Sequence[int | Dense],
        *,
        hidden: str = "relu",
        output: str | None = None,
        loss: str = "cross_entropy",
        bias: bool = True,
        initializer: str | Initializer = "auto",
        bias_initializer: str | Initializer = "zeros",
        l1: float = 0.0,
        l2: float = 0.0,
        dtype: Any = "float32",
        quantile: float = MEDIAN,
        label_smoothing: float = 0.0,
    ) -> "Architecture":
        """Resolve what a user wrote; the parameters are those of `fastmlp.Network`, and so are the errors."""
        if isinstance(sizes, str | bytes) or not isinstance(sizes, Sequence):
            raise ArgumentTypeError(
                f"layers must be a list such as [784, 30, 10] or [784, Dense(30), 10], got {sizes!r}"
            )
        if len(sizes) < 2:
            raise ArgumentError(
                f"layers must name the inputs and at least one layer, such as [784, 10]; got {list(sizes)!r}"
            )
        if isinstance(sizes[0], Dense):
            raise ArgumentError(f"the first entry of layers is the number of inputs, a whole number; got {sizes[0]!r}")
        inputs = check_units(sizes[0], "the number of inputs, the first entry of layers,")
        chosen_loss, dtype = get_loss(loss), _check_dtype(dtype)
        quantile, label_smoothing = _check_quantile(quantile, loss), _check_label_smoothing(label_smoothing, loss)
        with naming("bias_initializer"):
            biases_start = get_initializer(bias_initializer, auto="zeros")
        l1, l2, bias = check_size(l1, "l1"), check_size(l2, "l2"), check_switch(bias, "bias")
        layers: list[Layer] = []
        start, fan_in = 0, inputs
        for number, entry in enumerate(sizes[1:], start=1):
            dense = entry if isinstance(entry, Dense) else Dense(check_units(entry, f"layer {number}"))
            last = number == len(sizes) - 1
            activation = dense.activation or ((output or chosen_loss.output) if last else hidden)
            default = get_activation(activation).initializer
            chosen, stride = initializer if dense.initializer is None else dense.initializer, padded(dense.units, dtype)
            layer = Layer(
                fan_in=fan_in,
                units=dense.units,
                activation=activation,
                dropout=float(dense.dropout),
                stride=stride,
                weights_start=start,
                bias_start=_round_to_line(start + fan_in * stride)
                if (bias if dense.bias is None else dense.bias)
                else -1,
                initializer=get_initializer(chosen, auto=default),
                bias_initializer=biases_start
                if dense.bias_initializer is None
                else get_initializer(dense.bias_initializer, auto="zeros"),
                trainable=dense.trainable,
            )
            layers.append(layer)
            start = _round_to_line(layer.bias_start + layer.stride if layer.has_bias else start + fan_in * layer.stride)
            fan_in = dense.units
        _check_output(layers[-1], loss)
        numbers = float(l1), float(l2), dtype, quantile, label_smoothing
        return cls(inputs, tuple(layers), loss, *numbers)

    @property
    def outputs(self) -> int:
        """Units of the last layer."""
        return self.layers[-1].units

    @property
    def sizes(self) -> tuple[int, ...]:
        """Inputs and units of every layer, as in ``(784, 30, 10)``."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property  # not cached: an architecture is pickled, and a loss can't be
    def loss_function(self) -> Loss:
        """The loss with its parameter; targets are still to be smoothed."""
        return get_loss(self.loss, self.quantile)

    def smoothed(self, y: Array) -> Array:
        """Targets, shape (n, outputs), as the loss compares outputs with them."""
        return smoothed(y, self.label_smoothing, 2 if self.loss == "binary_cross_entropy" else self.outputs)

    @cached_property
    def n_parameters(self) -> int:
        """Weights and biases, padding not counted."""
        return sum(layer.fan_in * layer.units + layer.units * layer.has_bias for layer in self.layers)

    @cached_property
    def flat_size(self) -> int:
        """Length of the flat vector, padding counted."""
        last = self.layers[-1]
        stop = last.bias_start + last.stride if last.has_bias else last.weights_start + last.fan_in * last.stride
        return _round_to_line(stop)

    @cached_property
    def trained_parts(self) -> tuple[slice, ...]:
        """Where in the flat vector the parameters of trainable layers lie; one slice where all are trainable."""
        starts = [*(layer.weights_start for layer in self.layers), self.flat_size]
        parts: list[slice] = []
        for layer, start, stop in zip(self.layers, starts, starts[1:], strict=False):
            if layer.trainable and parts and parts[-1].stop == start:
                parts[-1] = slice(parts[-1].start, stop)
            elif layer.trainable:
                parts.append(slice(start, stop))
        return tuple(parts)

    def with_trainable(self, trainable: Sequence[bool]) -> "Architecture":
        """Return the same architecture with other layers frozen: one truth value a layer."""
        layers = (replace(layer, trainable=own) for layer, own in zip(self.layers, trainable, strict=True))
        return replace(self, layers=tuple(layers))

    def zeros(self) -> Array:
        """Return a new flat vector of zeros, for parameters, a gradient or a moment."""
        return aligned_zeros(self.flat_size, self.dtype)

    def views(self, flat: Array) -> list[WeightsAndBias]:
        """``[(W, b), ...]`` of every layer as views of a flat vector; ``b`` is None where a layer has none."""
        return [(layer.weights(flat), layer.bias(flat)) for layer in self.layers]

    def initialize(self, generator: np.random.Generator) -> Array:
        """Return a new flat vector of parameters, drawn layer by layer, weights before bias."""
        flat = self.zeros()
        for layer in self.layers:
            layer.weights(flat)[...] = layer.initializer.draw(
                generator, (layer.fan_in, layer.units), layer.fan_in, layer.units
            )
            bias = layer.bias(flat)
            if bias is not None:
                bias[...] = layer.bias_initializer.draw(generator, (layer.units,), layer.fan_in, layer.units)
        return flat


def _round_to_line(position: int) -> int:
    # 16 numbers: a cache line of float32, two of float64.
    return -(-position // 16) * 16


def _check_dtype(dtype: Any) -> np.dtype[Any]:
    for known in (np.dtype(np.float32), np.dtype(np.float64)):
        try:
            if dtype is not None and np.dtype(dtype) == known:
                return known
        except TypeError:
            break
    raise ArgumentError(f"dtype must be 'float32' or 'float64', got {dtype!r}")


def _check_quantile(quantile: object, loss: str) -> float:
    level = float(check_number(quantile, "quantile", "a number in (0, 1)"))
    if not 0 < level < 1:
        raise ArgumentError(
            f"quantile must lie in (0, 1): the share of targets that are to lie below the outputs; got {level!r}"
        )
    if level != MEDIAN and loss != "quantile":
        raise ArgumentError(
            f"quantile={level!r} is the level of loss='quantile', but the loss is {loss!r}; leave one of them out"
        )
    return level


def _check_label_smoothing(label_smoothing: object, loss: str) -> float:
    share = float(check_number(label_smoothing, "label_smoothing", "a number in [0, 1)"))
    if not 0 <= share < 1:
        raise ArgumentError(
            f"label_smoothing must lie in [0, 1): the share of a target that goes to all outputs alike; got {share!r}"
        )
    if share and loss not in ("cross_entropy", "binary_cross_entropy"):
        raise ArgumentError(
            f"label_smoothing={share!r} is for loss='cross_entropy' or 'binary_cross_entropy', but the loss is "
            f"{loss!r}; leave it out"
        )
    return share


def _check_output(last: Layer, loss: str) -> None:
    chosen = get_loss(loss)
    if chosen.from_logits and last.activation != chosen.output:
        raise ArgumentError(
            f"loss={loss!r} is computed from the logits of a {chosen.output} output, but the last layer is "
            f"{last.activation!r}; use output={chosen.output!r} (or leave it out), or another loss such as "
            "'squared_error'"
        )
    if last.dropout:
        raise ArgumentError(f"dropout of the last layer must be 0: it would drop answers; got {last.dropout}")
    if last.activation == "softmax" and last.units == 1:
        raise ArgumentError(
            "a softmax over 1 output is always 1; for two classes use 2 outputs, or 1 output with "
            "loss='binary_cross_entropy'"
        )
