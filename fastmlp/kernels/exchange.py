"""Handing numbers from one thread to another (floor 1; imports numba through _jit, and simd).

Every thread works in memory of its own; what another thread needs it copies to memory that they share, and after a
barrier the other copies it from there. That looks like a detour, but costs less than reading each other's memory: a
cache line that two processors hold can be written by neither before it has asked the other, which takes longer than
the arithmetic on the line. So `collect` also writes each line that it reads. The line then belongs to the reader alone
until `publish` takes it back, whole, in one go.
"""

from ._jit import kernel
from .simd import lanes, load, store, write_back

_LINE_VECTORS = 2
"""Vectors of a cache line."""


@kernel
def publish(shared, own, start, stride, rows, width):
    """Copy a block, `rows` rows of `width` numbers, `stride` apart, from this thread's memory to the shared.

    It lies in the same place of both. `width` is a multiple of 8; so it is in `collect`.
    """
    for i in range(rows):
        place = start + i * stride
        for j in range(place, place + width, lanes(own)):
            store(shared, j, load(own, j))


@kernel
def collect(own, shared, start, stride, rows, width):
    """Copy a block from the shared memory to this thread's, and take possession of its cache lines there."""
    line = _LINE_VECTORS * lanes(own)
    for i in range(rows):
        place = start + i * stride
        for j in range(place, place + width, lanes(own)):
            store(own, j, load(shared, j))
        for j in range(place, place + width, line):
            write_back(shared, j)
