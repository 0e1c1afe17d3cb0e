"""The fast engine: describes a network to the kernels in numbers, and calls them (floor 5; imports numpy, model,
kernels, data).

Each operation is one call of compiled code for all batches of an epoch. Layer sizes, activations, losses and
optimizers are run-time values there, so the kernels are compiled once per dtype, not once per network.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.dataset import Dataset
from ...data.samples import Samples
from ...data.targets import Targets
from ...kernels import epoch
from ...model.architecture import Architecture
from ...model.dropout import epoch_key
from ...model.optimizers import SGD, Optimizer
from ...model.training_state import TrainingState
from ..base import Array, Score, one_by_one
from ..compiling import say_when_compiling
from ..numpy_engine import add_penalties
from . import conversion
from .augmenting import augment
from .batches import Batches, clamped
from .conversion import DENSE_FROM, Prepared
from .few_rows import FewRows
from .lanes import alike
from .out_of_core import Staged, parts, stage
from .passes import Pass, mean_scores, rows_of, run_pass
from .settings import settings_of
from .split_layer import Pace, is_halved
from .threads import available_threads
from .workspace import FORWARD_ROWS, chunk_rows, is_grouped, is_large

__all__ = [
    "DENSE_FROM",
    "FewRows",
    "Prepared",
    "alike",
    "augment",
    "evaluate",
    "few_rows",
    "forward",
    "load",
    "loss_and_gradient",
    "marks_rows",
    "name",
    "prepare",
    "train_epoch",
    "train_epochs",
    "warmup",
    "weigh",
]

name = "numba"

THREADS_FROM = 2e6
"""Multiply-adds of a step from which a second thread pays (measured)."""

HALVES_FROM = 1e8
"""Multiply-adds of a call from which it is tried whether two threads with half of the units each pay: some
milliseconds, since to wake a thread takes a tenth of one.
"""


def prepare(
    architecture: Architecture,
    data: Dataset,
    threads: int,
    once: bool = False,
    batch_size: int | None = None,
    sparse: bool | None = None,
) -> Prepared | Staged:
    """See `Engine.prepare`; `sparse`, where it is not None, decides for sparse or dense rows whatever their density."""
    data.check_fits(architecture)
    if data.samples.mapped:
        return stage(architecture, data, threads, once, sparse)
    prepared = conversion.prepare(architecture, data, threads, once, sparse)
    # Made now, and not in the first epoch.
    rows_of(architecture, prepared, clamped(batch_size or 1, prepared.n_rows), training=batch_size is not None)
    return prepared


def weigh(prepared: Prepared | Staged, weights: Array) -> None:
    """See `Engine.weigh`."""
    own = prepared.data.weights if isinstance(prepared, Staged) else prepared.targets.weights
    assert own is not None
    own[...] = weights


def marks_rows(prepared: Prepared | Staged) -> bool:
    """See `Engine.marks_rows`; it costs nothing where samples are copied or zeros are looked for anyhow."""
    return isinstance(prepared, Prepared) and not prepared.sparse


def forward(architecture: Architecture, parameters: Array, prepared: Prepared | Staged) -> Array:
    """See `Engine.forward`."""
    outputs = np.empty((prepared.n_rows, architecture.outputs), dtype=architecture.dtype)
    _forward(architecture, parameters, prepared, outputs)
    return outputs


def evaluate(architecture: Architecture, parameters: Array, prepared: Prepared | Staged) -> Score:
    """See `Engine.evaluate`."""
    return _forward(architecture, parameters, prepared, np.empty((prepared.n_rows, 0), dtype=architecture.dtype))


def _forward(architecture: Architecture, parameters: Array, prepared: Prepared | Staged, outputs: Array) -> Score:
    """Pass all rows through the network; `outputs`, which receives what comes out, may have no columns."""
    totals, n_rows, chunk = np.zeros(3), prepared.n_rows, 1
    if isinstance(prepared, Staged):
        chunk = chunk_rows(architecture, n_rows, 0 if prepared.sparse else architecture.inputs)
        chunk = chunk if prepared.sparse else min(chunk, FORWARD_ROWS)
    for part, order, span in parts(prepared, np.arange(n_rows), chunk):
        given = Pass(
            epoch.FORWARD,
            order,
            n_rows,
            _threads(architecture, part, n_rows, 0),
            totals,
            outputs=outputs[span].reshape(-1),
        )
        score = run_pass(architecture, part, given, parameters)
    return score


def loss_and_gradient(
    architecture: Architecture, parameters: Array, prepared: Prepared | Staged
) -> tuple[float, Array]:
    """See `Engine.loss_and_gradient`."""
    gradient, order = architecture.zeros(), np.arange(prepared.n_rows)
    if isinstance(prepared, Staged):
        prepared = prepared.part(order)
    threads = _threads(architecture, prepared, len(order), 0)
    given = Pass(epoch.GRADIENT, order, len(order), threads, np.zeros(3), gradient=gradient)
    score = run_pass(architecture, prepared, given, parameters)
    weights = prepared.targets.weights
    mean_weight = float(weights.mean(dtype=np.float64)) if len(weights) else 1.0
    return score.loss * mean_weight + add_penalties(architecture, parameters, gradient), gradient


def train_epoch(
    architecture: Architecture,
    state: TrainingState,
    optimizer: Optimizer,
    prepared: Prepared | Staged,
    order: NDArray[np.int64],
    batch_size: int,
    learning_rates: NDArray[np.float64],
    first_name: int = 0,
    penalties: NDArray[np.float64] | None = None,
) -> Score:
    """See `Engine.train_epoch`."""
    batches = Batches.of(order, batch_size, learning_rates, penalties, prepared.n_rows)
    code, settings = settings_of(optimizer, architecture.l1, architecture.l2)
    totals, size = np.zeros(3), batches.size
    keys: list[int] = []
    if any(layer.dropout for layer in architecture.layers):
        keys = [epoch_key(state.seed, state.epoch, number) for number in range(len(architecture.layers))]
    for part, rows, span in parts(prepared, batches.order, size):
        for piece, threads in _pieces(architecture, part, optimizer, len(rows), size, len(state.moments)):
            own = batches.stretch(span.start + piece.start, len(rows[piece]))
            given = Pass(
                epoch.TRAIN,
                rows[piece],
                size,
                threads,
                totals,
                code,
                state.step,
                settings,
                names=own.order + first_name if first_name else own.order,
                keys=keys,
                rates=own.rates,
                penalties=own.penalties,
            )
            score = run_pass(architecture, part, given, state.parameters, state.moments)
            state.step += len(own.rates)
    return score


def train_epochs(
    architecture: Architecture,
    state: TrainingState,
    optimizer: Optimizer,
    prepared: Prepared | Staged,
    orders: NDArray[np.int64],
    batch_size: int,
    learning_rates: NDArray[np.float64],
    penalties: NDArray[np.float64] | None = None,
) -> tuple[list[Score], Array]:
    """See `Engine.train_epochs`."""
    batches = Batches.of(orders, batch_size, learning_rates, penalties)
    threads = _threads_of_epochs(
        architecture, prepared, optimizer, len(batches.order), batches.size, len(state.moments)
    )
    if not threads:
        return one_by_one(
            train_epoch, architecture, state, optimizer, prepared, orders, batches.size, learning_rates, penalties
        )
    assert isinstance(prepared, Prepared)
    code, settings = settings_of(optimizer, architecture.l1, architecture.l2)
    totals, ends = np.zeros((len(orders), 3)), np.empty((len(orders), len(state.parameters)), architecture.dtype)
    given = Pass(
        epoch.TRAIN,
        batches.order,
        batches.size,
        threads,
        totals.reshape(-1),
        code,
        state.step,
        settings,
        rates=batches.rates,
        penalties=batches.penalties,
        ends_of_epochs=ends,
    )
    run_pass(architecture, prepared, given, state.parameters, state.moments)
    state.step += len(batches.rates)
    return mean_scores(totals), ends


def load(architecture: Architecture) -> None:
    """See `Engine.load`."""
    _load(architecture.dtype)


def warmup(dtypes: Sequence[str] = ("float32", "float64")) -> dict[str, float]:
    """Compile every kernel ahead of its first use, and keep it on disk.

    Parameters
    ----------
    dtypes : sequence of str, default ("float32", "float64")
        Of the networks.

    Returns
    -------
    dict
        Seconds by what the kernels are for; some hundredths where the cache held them.
    """
    from .warming import warm_up  # which calls what is in this file

    seconds: dict[str, float] = {}
    for dtype in dtypes:
        seconds |= warm_up(dtype)
    return seconds


few_rows = FewRows


@cache
def _load(dtype: np.dtype[Any]) -> None:
    """Train on one row."""
    architecture = Architecture.build([8, 8, 2], dtype=dtype)
    state = TrainingState(architecture.zeros(), np.random.default_rng(0), 0)
    samples = Samples(1, 8, np.ones((1, 8), dtype=np.uint8), None)
    data = Dataset.of(architecture, samples, Targets(np.zeros(1, np.int32), None))
    prepared = conversion.prepare(architecture, data, 1, sparse=True)
    train_epoch(architecture, state, SGD(), prepared, np.arange(1), 1, np.zeros(1))


def _pieces(
    architecture: Architecture, prepared: Prepared, optimizer: Optimizer, n_rows: int, batch_size: int, moments: int
) -> Iterator[tuple[slice, int]]:
    """Cut the rows of a call of training into pieces, each with its number of threads."""
    if optimizer.clip_norm is not None:
        threads = 1
    elif is_halved(architecture, batch_size, clipping=False):
        threads = min(prepared.threads or 1, available_threads(), 2)
        worth_trying = n_rows * _work(architecture, prepared) >= HALVES_FROM and not is_large(architecture)
        if not prepared.threads and available_threads() > 1 and worth_trying:
            pace: Pace = prepared.layouts.setdefault((batch_size,), Pace())
            return pace.pieces(n_rows, batch_size)
    else:
        threads = _threads(architecture, prepared, batch_size, moments)
    return iter([(slice(0, n_rows), threads)])


def _threads_of_epochs(
    architecture: Architecture,
    prepared: Prepared | Staged,
    optimizer: Optimizer,
    n_rows: int,
    batch_size: int,
    moments: int,
) -> int:
    """How many threads train several epochs, `n_rows` in all, in one call; 0 where each has to be a call of its own.

    The first thread has to have all parameters at the end of each, dropout needs another key for each, and a clock that
    is to try numbers of threads has to look at it in between.
    """
    if isinstance(prepared, Staged) or any(layer.dropout for layer in architecture.layers):
        return 0
    if optimizer.clip_norm is not None:
        return 1
    if is_halved(architecture, batch_size, clipping=False) and prepared.threads != 1:
        return int(not prepared.threads and n_rows * _work(architecture, prepared) < HALVES_FROM)
    threads = _threads(architecture, prepared, batch_size, moments)
    return threads if threads == 1 or is_grouped(architecture, batch_size) else 0


def _threads(architecture: Architecture, prepared: Prepared, batch_size: int, moments: int) -> int:
    """How many threads a step is divided among: as asked for, or two and more where each has enough to do."""
    if prepared.threads == 1:
        return 1
    if prepared.threads > 0:
        return min(prepared.threads, available_threads())
    if moments and prepared.sparse and is_large(architecture) and batch_size * prepared.density < 8:
        return 1  # the optimizer waits for memory, of which one thread uses all the bandwidth there is (measured)
    wanted = int(batch_size * _work(architecture, prepared) // (THREADS_FROM / 2))
    # How many there are takes the system longer to say than a small network's step.
    return 1 if wanted <= 1 else min(available_threads(), wanted)


def _work(architecture: Architecture, prepared: Prepared) -> float:
    """Multiply-adds of a row in a step."""
    first = architecture.layers[0].fan_in * architecture.layers[0].units
    dense = sum(layer.fan_in * layer.units for layer in architecture.layers) - first
    return 3 * (dense + prepared.density * first)


say_when_compiling()
