"""One pass over a data set: each thread is told its step, runs it, and what it did is brought together (floor 5;
imports numpy, model, kernels).

A pass is one call of `kernels.epoch.run` on each thread: a forward pass, a gradient, or training for some epochs.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...kernels import epoch
from ...kernels.runtime import constants
from ...kernels.runtime.records import Rows, Settings, Step
from ...model.architecture import Architecture
from ..base import Array, Score
from .compression import plain
from .conversion import Prepared
from .ownership import hand_over, own_entries, take_over
from .split_layer import halves, is_halved, put_together, take_apart
from .workspace import Layout, Wanted, is_parted, layout, own_lines, skips_zeros

_NO_NUMBERS = np.zeros(0)

_SMALL = 2**14
"""Numbers of the activations of a batch, and parameters of a network, of which layouts are kept for any data."""

KEPT = 8
"""Layouts that are kept of a kind: so many threads can be at it without laying out memory anew."""

_NO_SETTINGS = Settings()
"""Of a pass without an optimizer."""

_ARRAYS = (
    *("rows", "targets", "order", "names", "rates", "penalties", "outputs", "ends_of_epochs", "totals"),
    *("parameters", "gradient", "m", "v"),
)
"""Fields of `Step` that are entered for every pass."""


class Pass(NamedTuple):
    """What a pass is to do, in the terms of `kernels.runtime.records.Step`.

    Attributes
    ----------
    mode : int
        `epoch.TRAIN`, `epoch.GRADIENT` or `epoch.FORWARD`.
    order : ndarray of int64
        Rows of all epochs, one epoch after the other.
    batch_size, threads : int
    totals : ndarray of float64, shape (3 * epochs,)
        Sums of losses, correct answers and weights, to which those of the pass are added.
    optimizer, steps_before : int
        The optimizer's code, and its steps before this pass.
    settings : Settings
    names : ndarray of int64, optional
        By which dropout knows the rows; their numbers by default.
    keys : sequence of int, optional
        Of dropout, one a layer.
    rates, penalties : ndarray of float64, optional
        Learning rate and L2 penalty of every batch.
    outputs : ndarray, optional
        Receives the outputs of every row.
    gradient : ndarray, optional
        Receives the gradient.
    ends_of_epochs : ndarray, optional
        Receives the parameters at the end of every epoch.
    """

    mode: int
    order: NDArray[np.int64]
    batch_size: int
    threads: int
    totals: NDArray[np.float64]
    optimizer: int = constants.SGD
    steps_before: int = 0
    settings: Settings = _NO_SETTINGS
    names: NDArray[np.int64] | None = None
    keys: Sequence[int] = ()
    rates: NDArray[np.float64] = _NO_NUMBERS
    penalties: NDArray[np.float64] | None = None
    outputs: Array | None = None
    gradient: Array | None = None
    ends_of_epochs: Array | None = None


def rows_of(architecture: Architecture, prepared: Prepared, batch_size: int, training: bool) -> Rows:
    """Return the rows in the form that a pass takes; it is made when it is first asked for."""
    return prepared.parted if training and is_parted(architecture, prepared, batch_size) else prepared.rows


def run_pass(
    architecture: Architecture, prepared: Prepared, given: Pass, parameters: Array, moments: Sequence[Array] = ()
) -> Score:
    """Run a pass; return the score of all passes that have had its `totals`, if they are those of one epoch.

    Parameters
    ----------
    architecture : Architecture
    prepared : Prepared
    given : Pass
    parameters : ndarray, shape (flat_size,)
        Trained in place.
    moments : sequence of ndarray, shape (flat_size,)
        What the optimizer remembers, likewise.
    """
    training = given.mode == epoch.TRAIN
    if not training:
        parameters = plain(parameters)
    elif not all(vector.flags.carray for vector in (parameters, *moments)):
        raise ValueError("parameters and moments that are trained must be contiguous, aligned and writable")
    rows = rows_of(architecture, prepared, given.batch_size, training)
    halved = training and is_halved(architecture, given.batch_size, given.settings.clip_norm > 0)
    backward, parted = given.mode != epoch.FORWARD, rows.filled > 0
    wanted = Wanted(given.batch_size, given.threads, backward, len(moments), halved, parted)
    kept = prepared.layouts.get(wanted)
    if kept is None:
        kept = prepared.layouts[wanted] = _kept_layouts(architecture, prepared, wanted)
    # Taken out while it is in use: another thread may be at the same data.
    try:
        places = kept.pop()
    except IndexError:
        if halved and given.threads > 1:
            places = halves(architecture, prepared, given.batch_size, len(moments), parted)
        else:
            places = layout(architecture, prepared, wanted)
    in_halves = places.steps[0].work.half >= 0
    # At the end of an epoch the first thread has only what it owns, but in groups.
    assert given.ends_of_epochs is None or given.threads == 1 or places.steps[0].work.groups
    live = [parameters, *moments]
    vectors = _hand_out(architecture, places, live) if backward else [live] * given.threads
    gradients = places.gradients or [np.empty(0, architecture.dtype)] * given.threads
    if given.gradient is not None and not _has_all_copies(places):
        gradients = [given.gradient, *places.gradients[1:]]
    tell(architecture, prepared, places, given, rows, vectors, gradients)
    if backward and prepared.sparse:
        entries = own_entries(prepared, rows, places.division, len(places.steps))
        for own, entered in zip(places.steps, entries, strict=True):
            own.work.enter(**entered)
    places.team.run(run_half if in_halves else run_step, [(own,) for own in places.steps])
    for own in places.steps:  # they may stay for long, the arrays of this pass need not
        own.forget(*_ARRAYS)
        own.work.forget("first_entries", "end_entries")
    if training:
        _take_back(architecture, places, vectors, live)
    elif given.gradient is not None:
        _take_back(architecture, places, [[own] for own in gradients], [given.gradient])
    if given.ends_of_epochs is not None and places.arrangement is not None:
        for end in given.ends_of_epochs:
            weights = architecture.views(end)[0][0]
            weights[places.arrangement] = weights.copy()
    if len(kept) < KEPT:
        kept.append(places)
    return mean_score(*given.totals[:3].tolist())


def _kept_layouts(architecture: Architecture, prepared: Prepared, wanted: Wanted) -> list[Layout]:
    """Return the list in which layouts for this pass are kept when they are not in use.

    Those of one thread, small and for dense rows, serve any data: to lay out memory takes longer than a pass over some
    rows. Others stay with their data, and so do their threads, which end with them.
    """
    small = wanted.batch_size * sum(architecture.sizes) <= _SMALL and architecture.flat_size <= _SMALL
    if wanted.threads > 1 or prepared.sparse or wanted.parted or not small:
        return []
    return _of_any_data(architecture, wanted, skips_zeros(prepared))


@lru_cache(maxsize=32)
def _of_any_data(architecture: Architecture, wanted: Wanted, skipping: bool) -> list[Layout]:
    return []


def run_step(thread: int, threads: int, barrier: Any, step: Step) -> None:
    """Run the kernels as one of several threads."""
    run: Callable[..., None] = epoch.run
    run(thread, threads, barrier, *step.handle)


def run_half(thread: int, threads: int, barrier: Any, step: Step) -> None:
    """Run the kernels on one of two halves: alone, as far as they know."""
    run_step(0, 1, barrier, step)


def is_plain(parameters: Array, dtype: np.dtype[Any]) -> bool:
    """Whether kernels can read parameters as they are."""
    flags = parameters.flags
    return parameters.dtype == dtype and flags.c_contiguous and flags.aligned


def mean_score(loss: float, correct: float, weight: float) -> Score:
    """Return the means of sums over rows."""
    return Score(loss / weight, correct / weight) if weight > 0 else Score(0.0, 0.0)


def mean_scores(totals: NDArray[np.float64]) -> list[Score]:
    """Return those of each row of sums, (epochs, 3)."""
    if (totals[:, 2] > 0).all():
        return list(map(Score, (totals[:, 0] / totals[:, 2]).tolist(), (totals[:, 1] / totals[:, 2]).tolist()))
    return [mean_score(*sums) for sums in totals.tolist()]


def tell(
    architecture: Architecture,
    prepared: Prepared,
    places: Layout,
    given: Pass,
    rows: Rows,
    vectors: Sequence[Sequence[Array]],
    gradients: Sequence[Array],
) -> None:
    """Enter a pass into the steps of the threads, each with the parameters, moments and gradient that it works on."""
    if given.keys:
        for layers in places.tables:
            for layer, key in zip(layers, given.keys, strict=True):
                layer.key = key
    if any(places.together):
        # A row alone is multiplied with weights that are not packed, so every thread has to have all of them.
        alone = _has_chunk_of_one_row(given, places.steps[0].work.chunk)
        for layers in places.tables:
            for layer, together in zip(layers, places.together, strict=True):
                layer.together = int(together and not alone)
    nothing = np.empty(0, dtype=architecture.dtype)
    of_pass: dict[str, Any] = {
        "mode": given.mode,
        "optimizer": given.optimizer,
        "rows": rows,
        "targets": prepared.targets,
        "order": given.order,
        "names": given.order if given.names is None else given.names,
        "n_rows": len(given.order),
        "epoch_rows": len(given.order) * 3 // len(given.totals),
        "batch_size": given.batch_size,
        "steps_before": given.steps_before,
        "rates": given.rates,
        "penalties": _NO_NUMBERS if given.penalties is None else given.penalties,
        "has_penalties": given.penalties is not None,
        "outputs": nothing if given.outputs is None else given.outputs,
        "writing": given.outputs is not None and len(given.outputs) > 0,
        "ends_of_epochs": nothing if given.ends_of_epochs is None else given.ends_of_epochs,
        "keeping_ends": given.ends_of_epochs is not None,
    }
    for n, (own, numbers, gradient) in enumerate(zip(places.steps, vectors, gradients, strict=True)):
        # Halves both judge every row; it is to be counted once.
        totals = own_lines(3) if n > 0 and own.work.half >= 0 else given.totals
        w, m, v = [*numbers, nothing, nothing][:3]
        own.enter(totals=totals, parameters=w, gradient=gradient, m=m, v=v, **of_pass)
        own.settings.table[:] = given.settings.table
        own.settings.level = architecture.quantile


def _has_chunk_of_one_row(given: Pass, chunk: int) -> bool:
    epoch_rows = len(given.order) * 3 // len(given.totals)
    return any(rows % chunk == 1 for rows in (min(given.batch_size, epoch_rows), epoch_rows % given.batch_size))


def _has_all_copies(places: Layout) -> bool:
    """Whether the first thread, too, works on vectors of its own."""
    return len(places.copies) == len(places.tables)


def _hand_out(architecture: Architecture, places: Layout, live: list[Array]) -> list[list[Array]]:
    """Return the parameters and moments that each thread works on.

    The first works on the vectors themselves, the others on copies, of which each is to keep those parts up to date
    that it owns; or all have copies, of their columns of the first layer, or of their half of the network.
    """
    if places.steps[0].work.half >= 0:
        for whole, *parts in zip(live, *places.copies, strict=False):
            take_apart(architecture, whole, parts, places.arrangement)
        return [[*parts, *live[len(parts) :]] for parts in places.copies]
    everybody = _has_all_copies(places)
    for table, copies in zip(places.tables if everybody else places.tables[1:], places.copies, strict=True):
        for copy, vector in zip(copies, live, strict=False):
            hand_over(architecture, vector, copy, table, places.arrangement)
    shared = places.steps[0].work.shared_parameters
    if len(shared):
        shared[:] = live[0]
        if places.steps[0].work.parts > 1:  # and those columns of the first layer that others own a part of, too
            for table in places.tables:
                hand_over(architecture, live[0], shared, table, places.arrangement)
    own = [[*copies, *live[len(copies) :]] for copies in places.copies]
    return own if everybody else [live, *own]


def _take_back(architecture: Architecture, places: Layout, vectors: list[list[Array]], live: list[Array]) -> None:
    """Bring together in `live` what each thread has kept up to date of its vectors."""
    if places.steps[0].work.half >= 0:
        for whole, *parts in zip(live, *places.copies, strict=False):
            put_together(architecture, whole, parts, places.arrangement)
    elif not places.steps[0].work.groups:
        for table, own in zip(places.tables, vectors, strict=True):
            for whole, part in zip(live, own, strict=True):
                if part is not whole:
                    take_over(architecture, whole, part, table, places.arrangement)
