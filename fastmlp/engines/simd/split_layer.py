"""Small batches on two threads, each with half of the first layer's units (floor 5; imports numpy, model).

To the kernels a half is a network of its own, with its own architecture, parameters and memory;
`kernels.parallel.split_layer` says where the two meet. Here a network is taken apart for a call, and put together again
after it.
"""

import math
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...model.architecture import Architecture, Dense, Layer, aligned_zeros
from ..base import Array, n_batches
from .conversion import Prepared
from .threads import Team
from .workspace import Layout, Wanted, first_half, is_grouped, is_narrow, layout, row_stride

ROWS = 15
"""Rows of a batch, at most, for which the second layer is added up by halves: from 16 on weights are packed."""

_ALONE, _EVERY = 32, 8
"""One thread is timed over a 32nd of the first call for a data set, and of every eighth from the second on."""

_TRIAL, _MOST_WITHOUT = 8, 16
"""Two threads are tried over an eighth of a call: some milliseconds, of which waking one and taking the network apart
take 0.2. Where they were slower they are tried again after 2 calls, then 4, at last 16.
"""


def is_halved(architecture: Architecture, batch_size: int, clipping: bool) -> bool:
    """Whether a step of training adds the second layer up by halves; that may not depend on the number of threads."""
    if batch_size > ROWS or clipping or len(architecture.layers) == 1 or is_grouped(architecture, batch_size):
        return False
    first = architecture.layers[0]
    # With dropout the units of the second half would have the numbers, and so the fate, of those of the first; and a
    # softmax is one of all units.
    return first_half(architecture) > 0 and first.dropout == 0 and first.activation != "softmax"


class Pace:
    """Whether one thread or two are to work on the rows of a data set: the clock decides, for the bits are the same.

    Two threads that meet at every step are faster than one while each has a processor, and slower while it hasn't, or
    where both processors are of one core.
    """

    def __init__(self) -> None:
        self._seconds = {1: math.inf, 2: 0.0}  # of a row, by threads, when they were timed last
        self._calls, self._failures, self._without, self._proven = 0, 0, 0, False

    def pieces(self, n_rows: int, batch_size: int) -> Iterator[tuple[slice, int]]:
        """Go through the rows of a call in pieces of whole batches; the time to the next piece is that of the last.

        Yields
        ------
        rows : slice
        threads : int
        """
        if self._without:
            self._without -= 1
            yield from self._timed(0, n_rows, 1)
            return
        steps, begin = n_batches(n_rows, batch_size), 0
        alone, trial = (-(-steps // part) * batch_size for part in (_ALONE, _TRIAL))
        self._calls += 1
        if self._calls == 1 or self._calls % _EVERY == 2:
            yield from self._timed(0, alone, 1)
            begin = alone
        # Calls are short: where two were faster in the last one, this one needs no trial.
        proven = self._proven and begin == 0
        for end in (n_rows if proven else min(begin + trial, n_rows), n_rows):
            if begin < end:
                yield from self._timed(begin, end, 2)
                begin = end
            if self._seconds[2] > self._seconds[1]:
                self._failures, self._proven = self._failures + 1, False
                self._without = min(2**self._failures, _MOST_WITHOUT)
                if begin < n_rows:
                    yield from self._timed(begin, n_rows, 1)
                return
        self._failures, self._proven = 0, True

    def _timed(self, begin: int, end: int, threads: int) -> Iterator[tuple[slice, int]]:
        start = time.perf_counter()
        yield slice(begin, end), threads
        self._seconds[threads] = (time.perf_counter() - start) / (end - begin)


@lru_cache(16)
def architectures(architecture: Architecture) -> list[Architecture]:
    """Return the halves as networks."""
    first, *rest = architecture.layers
    cut = first_half(architecture)
    options = {
        name: getattr(architecture, name) for name in ("loss", "l1", "l2", "dtype", "quantile", "label_smoothing")
    }

    def described(layer: Layer, units: int) -> Dense:
        return Dense(units, layer.activation, layer.dropout, layer.has_bias, "zeros", trainable=layer.trainable)

    return [
        Architecture.build(
            [architecture.inputs, described(first, units), *(described(layer, layer.units) for layer in rest)],
            **options,
        )
        for units in (cut, first.units - cut)
    ]


def halves(architecture: Architecture, prepared: Prepared, batch_size: int, moments: int, parted: bool) -> Layout:
    """Lay out the memory of the two halves: layers, vectors and scratch memory for each."""
    wanted = Wanted(batch_size, 1, True, moments, parted=parted)
    parts = [layout(half, prepared, wanted) for half in architectures(architecture)]
    second, narrow = architecture.layers[1], is_narrow(architecture)
    # Two of each, for they are written in turns.
    partials = aligned_zeros(4 * batch_size * row_stride(second.stride, architecture.dtype), architecture.dtype)
    for number, part in enumerate(parts):
        work = part.steps[0].work
        work.narrow, work.half, work.partials = narrow, number, partials
    return Layout(
        tables=[part.tables[0] for part in parts],
        steps=[part.steps[0] for part in parts],
        gradients=[part.gradients[0] for part in parts],
        copies=[[half.zeros() for _ in range(1 + moments)] for half in architectures(architecture)],
        team=Team(),
        division=parts[0].division,
        together=[],
        arrangement=parts[0].arrangement,
    )


def take_apart(
    architecture: Architecture, whole: Array, parts: Sequence[Array], arrangement: NDArray[np.int64] | None = None
) -> None:
    """Copy a vector of parameters or moments to those of the halves, which have the features in this order."""
    for theirs, ours, rows in _pairs(architecture, whole, parts, arrangement):
        theirs[...] = ours[rows]


def put_together(
    architecture: Architecture, whole: Array, parts: Sequence[Array], arrangement: NDArray[np.int64] | None = None
) -> None:
    """Copy the vectors of the halves to that of the network. What both have is the same in both."""
    for theirs, ours, rows in _pairs(architecture, whole, parts, arrangement):
        ours[rows] = theirs


def _pairs(
    architecture: Architecture, whole: Array, parts: Sequence[Array], arrangement: NDArray[np.int64] | None
) -> Iterator[tuple[Array, Array, Any]]:
    """Yield views of the same parameters, of each half and of the network, and which of its rows the half's are."""
    cut, places = first_half(architecture), architecture.views(whole)
    for part, units, half in zip(parts, (slice(cut), slice(cut, None)), architectures(architecture), strict=True):
        for number, ((w, b), (whole_w, whole_b)) in enumerate(zip(half.views(part), places, strict=True)):
            if number == 0:
                yield w, whole_w[:, units], ... if arrangement is None else arrangement
            else:
                yield w, whole_w[units] if number == 1 else whole_w, ...
            if b is not None and whole_b is not None:
                yield b, whole_b[units] if number == 0 else whole_b, ...
