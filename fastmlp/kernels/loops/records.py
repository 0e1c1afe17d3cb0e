"""The records that loops pass to one another: arrays that belong together, under names (floor 2; imports numpy).

Numba compiles a `NamedTuple` of arrays to a struct, and `layers[n].units` to one load. `real` below is the network's
dtype, float32 or float64. The rung below has the same in `model.architecture.Architecture`, `data.dataset.Dataset` and
`engines.numpy_engine.Pass`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LAYER = np.dtype(
    [
        ("fan_in", np.int64),  # inputs
        ("units", np.int64),  # outputs
        ("stride", np.int64),  # numbers from one row of W to the next
        ("weights", np.int64),  # where W starts in the flat vector of parameters
        ("bias", np.int64),  # where b starts there; -1 without bias
        ("activation", np.int64),  # code, see `runtime.constants`; `own.OWN` of a user's own
        ("own", np.int64),  # the address of that one: f(z)
        ("own_derivative", np.int64),  # and of f'(z, a), where a = f(z)
        ("start", np.int64),  # where the layer's units start in `Work.z`, `a`, `out`, `d`
        ("key", np.int64),  # of the epoch's dropout
        ("threshold", np.int64),  # the hash below which dropout drops a unit; 0 without dropout
        ("trainable", np.int64),  # whether a step changes W and b
        ("kept_scale", np.float64),  # 1 / (1 - rate), by which dropout multiplies what it keeps
    ]
)
"""One layer: ``a = f(x @ W + b)``, where ``W`` is (fan_in, units)."""


class Network(NamedTuple):
    """Layers and objective."""

    layers: Array
    """Shape (n_layers,), of `LAYER`."""
    loss: int
    """Code, see `runtime.constants`; `own.OWN` of a user's own."""
    own_loss: int
    """The address of that one: what an output a adds for a target y, f(a, y)."""
    own_loss_derivative: int
    """And of its derivative by a."""
    task: int
    """Code: what counts as a correct answer."""
    quantile: float
    """Level of the loss quantile."""
    kept_share: float
    """Label smoothing: a target y becomes ``kept_share * y + spread``."""
    spread: float
    l1: float
    l2: float


class Samples(NamedTuple):
    """The rows X, (n_rows, n_features), in one of three forms; arrays of the other forms are empty."""

    n_features: int
    pixels: Array
    """uint8, (n_rows * n_features,): dense rows as they came; the network sees ``(x - centre) * scale + shift``."""
    scale: Array
    """float64, (n_features,), as `shift` and `centre`."""
    shift: Array
    centre: Array
    numbers: Array
    """real, (n_rows * n_features,): dense rows, scaled already."""
    starts: Array
    """int64, (n_rows + 1,): sparse rows. Row i has the entries from ``starts[i]`` to ``starts[i + 1]``."""
    columns: Array
    """int32, (n_entries,), ascending within a row."""
    values: Array
    """real, (n_entries,), scaled already."""
    absent: Array
    """real, (n_features,): what the network sees where a sparse row has no entry; empty where that is 0."""


class Targets(NamedTuple):
    """What the network should answer, and how much each row counts."""

    labels: Array
    """int32, (n_rows,): the output that should be 1; or empty."""
    values: Array
    """real, (n_rows, outputs): the wanted outputs; or without rows."""
    weights: Array
    """real, (n_rows,)."""


class Batches(NamedTuple):
    """In which order rows are trained on, and how far each step goes."""

    order: Array
    """int64, (n,): row numbers."""
    names: Array
    """int64, (n,): by what number dropout knows each; empty without dropout."""
    size: int
    """Rows of a batch."""
    rates: Array
    """float64, (n_batches,): learning rates."""
    penalties: Array
    """float64, (n_batches,): the L2 penalty of each step; or empty, where all have the network's."""


class Optimizer(NamedTuple):
    """An optimizer's numbers; those of another kind are 0."""

    kind: int
    """Code: SGD, RMSPROP or ADAM."""
    momentum: float
    nesterov: bool
    decay: float
    """RMSprop's decay, Adam's beta_2: how much of the mean squared gradient a step keeps."""
    beta_1: float
    epsilon: float
    epsilon_hat: bool
    weight_decay: float
    clip_norm: float
    """The greatest length of a gradient; 0 for any."""


class State(NamedTuple):
    """What a step changes: flat vectors of the architecture's layout, of `real`."""

    parameters: Array
    first: Array
    """Momentum, or Adam's first moment; empty where there is none."""
    second: Array
    """Mean squared gradient of RMSprop and Adam."""


class Work(NamedTuple):
    """Memory for the chunks of a batch: each has a row of every array of its own, and nobody else writes there."""

    columns: Array
    """int32, (chunks, n_features): features of the current sample that are not 0; its input ``x`` as a list."""
    values: Array
    """real, (chunks, n_features): their values."""
    z: Array
    """real, (chunks, units of all layers): weighted inputs."""
    a: Array
    """Activations, shaped like `z`."""
    out: Array
    """Activations after dropout."""
    d: Array
    """The loss's derivative by `a`, then by `z`."""
    y: Array
    """real, (chunks, outputs): the target."""
    gradients: Array
    """real, (chunks, parameters): all zeros between two batches."""
    seen: Array
    """bool, (chunks, n_features): whether a sample of the chunk had the feature."""
    features: Array
    """int32, (chunks, n_features): those features, in the order of their coming."""
    n_features: Array
    """int64, (chunks,): how many they are."""
    losses: Array
    """float64, (rows of a batch,): weighted loss of each row."""
    correct: Array
    """float64, (rows of a batch,): its weight where the answer is right, else 0; NaN in regression."""
    totals: Array
    """float64, (3,): sums of losses, correct and weights over all rows so far."""


class Chunk(NamedTuple):
    """One chunk's rows of `Work`: the memory for one sample at a time."""

    columns: Array
    values: Array
    z: Array
    a: Array
    out: Array
    d: Array
    y: Array
    gradient: Array
