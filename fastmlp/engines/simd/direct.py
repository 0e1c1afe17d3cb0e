"""Outputs and scores of dense rows in one call of the kernels, all laid out before (floor 5; imports numpy, model,
kernels, data).

To convert samples, lay out memory and wake threads takes 100 µs and more, in which one thread has the outputs of
hundreds of rows. Here only the addresses of a call's arrays are entered. The sums are those of the long way, but that
zeros are looked for in fewer rows, and not in narrow tables.
"""

from typing import Any, NamedTuple

import numpy as np

from ...data.dataset import Dataset
from ...data.samples import Samples, Scaling
from ...data.targets import Targets
from ...kernels import epoch
from ...kernels.parallel.barrier import new_barrier
from ...kernels.runtime.fields import address_of
from ...kernels.runtime.jit import INTERPRETED
from ...kernels.runtime.records import PACK_FROM, Rows, Step
from ...kernels.runtime.records import Targets as TargetsRecord
from ...model.architecture import Architecture
from ..base import Array, Score
from .conversion import DENSE_FROM, prepare
from .passes import KEPT, Pass, is_plain, mean_score, run_step, tell
from .threads import Team, available_threads
from .workspace import FORWARD_ROWS, Wanted, layout

DIRECT_ROWS = 2**14
"""Most rows of a call that goes this way: what the long way costs is little then."""

OF_THREAD = 75_000
"""Nanoseconds of work for each thread from which several pay: to wake one that waits takes some 50 µs (measured)."""

_SKIPS_FROM, _LOOKED_AT = 64, 4
"""Features from which it is looked whether zeros are to be skipped, and rows that are looked at."""

_KINDS_KEPT = 4
"""Kinds of calls that memory is kept for: by dtype, zeros, number of rows and of threads."""

_ORDER = np.arange(DIRECT_ROWS)
_NOBODY = new_barrier()
_run: Any = epoch.run
_PIXELS = np.dtype(np.uint8)
_N_ROWS, _EPOCH_ROWS, _PARAMETERS, _FINITE = (
    Step.fields[name].place for name in ("n_rows", "epoch_rows", "parameters", "finite")
)
_OUTPUTS, _TOTALS = Step.fields["outputs"], Step.fields["totals"]


class _Ready(NamedTuple):
    """What is laid out: the threads with a step each, the rows, the targets, and which fields take those of a call."""

    team: Team
    steps: list[Step]
    rows: Rows
    samples: Any
    targets: TargetsRecord
    wanted: Any


class Direct:
    """Outputs and scores of dense rows, on one thread where a second one doesn't pay.

    Parameters
    ----------
    architecture : Architecture
    scaling : Scaling
        Without a centre.
    """

    def __init__(self, architecture: Architecture, scaling: Scaling) -> None:
        self._architecture, self._scaling = architecture, scaling
        self._dtype, self._outputs, self._features = architecture.dtype, architecture.outputs, architecture.inputs
        # About the nanoseconds of a row on one thread: multiply-adds, activations, and what a row costs anyhow.
        self._of_row = 20 + sum(layer.units / 5 + layer.fan_in * layer.units / 70 for layer in architecture.layers)
        self._like = np.empty(0, self._dtype)
        # What is laid out and not in use; another thread may be here too.
        self._free: dict[tuple[bool, bool, bool, int, str, bool], list[_Ready]] = {}
        # Smoothed targets are other numbers.
        self._smoothing = architecture.label_smoothing > 0

    def __call__(self, parameters: Array, X: Array) -> Array | None:
        """Return the outputs of `X`, uint8 or of the dtype of the network; None where a number is not finite."""
        outputs = np.empty((len(X), self._outputs), self._dtype)
        return outputs if self._pass(parameters, X, _OUTPUTS, outputs) else None

    def evaluate(self, parameters: Array, X: Array, targets: Targets, task: str) -> Score | None:
        """Do what `Engine.evaluate` does; None where a number is not finite."""
        totals = np.zeros(3)
        if self._smoothing or not self._pass(parameters, X, _TOTALS, totals, task, targets):
            return None
        return mean_score(*totals.tolist())

    def _pass(
        self, parameters: Array, X: Array, field: Any, result: Array, task: str = "", targets: Targets | None = None
    ) -> bool:
        """Run the kernels, which write to `result` under the name of this field; return whether all went well: `X` is
        finite.
        """
        if not is_plain(parameters, self._dtype):
            return False
        n_rows, skipping = len(X), False
        if self._features >= _SKIPS_FROM:
            some = X[:_LOOKED_AT]
            skipping = int(np.count_nonzero(some)) < DENSE_FROM * some.size
        work = int(n_rows * self._of_row) // OF_THREAD
        # Powers of two: each number of threads has memory of its own.
        threads = 1 if work < 2 else min(2 ** (work.bit_length() - 1), available_threads())
        wanted = None if targets is None else targets.values if targets.labels is None else targets.labels
        by_labels = targets is not None and targets.labels is not None
        kind = X.dtype == _PIXELS, skipping, n_rows < PACK_FROM, threads, task, by_labels
        free = self._free.get(kind)
        if free is None:
            if len(self._free) >= _KINDS_KEPT:
                self._free.clear()
            free = self._free[kind] = []
        try:
            laid_out = free.pop()
        except IndexError:
            laid_out = self._lay_out(*kind)
        team, steps, rows, samples, record, targets_field = laid_out
        finite = True
        if threads == 1 and not INTERPRETED:
            table, rows.table[samples.place] = steps[0].table, address_of(X)
            table[_N_ROWS] = table[_EPOCH_ROWS] = n_rows
            table[_PARAMETERS], table[field.place] = address_of(parameters), address_of(result)
            if wanted is not None:
                record.table[targets_field.place] = address_of(wanted)
            _run(0, 1, _NOBODY, table, self._like)
            finite = table[_FINITE] != 0
        else:
            samples.__set__(rows, X)
            if wanted is not None:
                targets_field.__set__(record, wanted)
            for step in steps:
                step.enter(n_rows=n_rows, epoch_rows=n_rows, parameters=parameters, **{field.name: result})
            team.run(run_step, [(step,) for step in steps])
            rows.forget(samples.name)
            record.forget(targets_field.name)
            for step in steps:
                step.forget("parameters", field.name)
                finite = finite and step.finite != 0
        if len(free) < KEPT:
            free.append(laid_out)
        return finite

    def _lay_out(self, pixels: bool, skipping: bool, few: bool, threads: int, task: str, by_labels: bool) -> _Ready:
        """Lay out memory, and tell the kernels all that no call changes."""
        architecture = self._architecture
        example = np.full((1, self._features), not skipping, _PIXELS if pixels else self._dtype)
        samples, targets = Samples(1, self._features, example, None, self._scaling), None
        if task:
            values = np.zeros((1, self._outputs), self._dtype)
            targets = Targets(np.zeros(1, np.int32), None) if by_labels else Targets(None, values)
        # Nobody else has these samples, nor the records that are made of them.
        data = Dataset.of(architecture, samples, targets, task=task or "classes")
        prepared, nothing = prepare(architecture, data, threads, once=True), np.empty(1, self._dtype)
        # In chunks of few rows, products take the weights as they lie.
        places = layout(architecture, prepared, Wanted(PACK_FROM - 1 if few else FORWARD_ROWS, threads, False, 0))
        given = Pass(epoch.FORWARD, _ORDER, DIRECT_ROWS, threads, np.zeros(3), outputs=nothing[: 0 if task else 1])
        tell(architecture, prepared, places, given, prepared.rows, [[nothing]] * threads, [nothing[:0]] * threads)
        field, wanted = Rows.fields["bytes" if pixels else "numbers"], "labels" if by_labels else "values"
        record = prepared.targets
        return _Ready(places.team, places.steps, prepared.rows, field, record, TargetsRecord.fields[wanted])
