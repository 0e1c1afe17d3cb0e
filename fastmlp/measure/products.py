"""Matrix products by the kernels and by NumPy, and what the processor could do at most, for whoever times them (floor
10; imports numpy, model, kernels, engines).

The one place outside `fastmlp.kernels` that calls `product` and `pack_transposed` for their speed: all else asks a
`LayerProduct`. float32, one thread.
"""

# Compiled code is typed by Numba, from what it is called with.
# mypy: disallow-untyped-calls=False, disallow-untyped-defs=False

import numpy as np
from numpy.typing import NDArray

from ..engines.simd.workspace import block_rows, row_stride, rows_that_fit
from ..kernels.dense.products import pack, pack_transposed, product
from ..kernels.runtime.jit import entry
from ..kernels.runtime.matrices import matrix
from ..kernels.runtime.records import PACK_FROM, PANELS_FROM
from ..kernels.runtime.simd import fma, lanes, load, splat, store
from ..model.architecture import aligned_zeros, padded

KINDS = ("forward", "input gradient", "weight gradient")
"""The products that a layer needs of a batch."""

# Typed, because a plain 0 or 1 among the arguments makes Numba compile the callee once for each pattern of them.
_0, _1 = np.int64(0), np.int64(1)

_CHAINS = 12
"""Of multiply-adds: each waits 4 or 5 cycles for the one before it, while two start in every cycle."""


class LayerProduct:
    """One of the products of a dense layer with a batch, ready to be done by the kernels and by NumPy.

    With x the layer's input, (rows, inputs), W its weights, (inputs, units), and d its deltas, (rows, units), the
    forward product is ``x W``, the input gradient ``d Wᵀ`` and the weight gradient ``xᵀ d``. The kernels find their
    arrays as the engine lays them out: rows of x and d padded and off the powers of two, and the weight gradient summed
    over one chunk of rows after the other, a block at a time. Packing W, its transpose or d is part of the product, as
    BLAS has it. NumPy gets contiguous matrices without padding and writes into an array that is there.

    Parameters
    ----------
    kind : {"forward", "input gradient", "weight gradient"}
    rows, inputs, units : int

    Attributes
    ----------
    operations : float
        Additions and multiplications of the product.

    Examples
    --------
    >>> product = LayerProduct("weight gradient", 20, 11, 3)
    >>> product.run(1)
    >>> product.run_numpy()
    >>> product.error() < 1e-5
    True
    """

    def __init__(self, kind: str, rows: int, inputs: int, units: int) -> None:
        generator = np.random.default_rng(0)
        x, w, d = (
            generator.uniform(-1.0, 1.0, shape).astype(np.float32)
            for shape in ((rows, inputs), (inputs, units), (rows, units))
        )
        left, right = {"forward": (x, w), "input gradient": (d, w.T), "weight gradient": (x.T, d)}[kind]
        self.operations = 2.0 * rows * inputs * units
        self._numpy = left, right, np.zeros((len(left), right.shape[1]), dtype=np.float32)
        fan_in, width = padded(inputs, x.dtype), padded(units, x.dtype)
        x_stride, d_stride = row_stride(fan_in, x.dtype), row_stride(width, x.dtype)
        stride = {"forward": d_stride, "input gradient": x_stride, "weight gradient": width}[kind]
        self._result = _laid_out(self._numpy[2], stride)
        packed = aligned_zeros(max(rows, fan_in) * width, x.dtype)
        laid_out = self._result, _laid_out(x, x_stride), _laid_out(w, width), _laid_out(d, d_stride), packed
        # Of two layers a network has activations and deltas at least.
        chunk = rows_that_fit(rows, 2 * (x_stride + d_stride))
        flat = (array.reshape(-1) for array in laid_out)
        sizes = rows, inputs, units, fan_in, width
        self._arguments = KINDS.index(kind), *flat, *sizes, x_stride, d_stride, chunk, block_rows(width)

    def run(self, times: int) -> None:
        """Do the product so many times with the kernels."""
        _multiply(times, *self._arguments)

    def run_numpy(self) -> None:
        """Do it once with NumPy."""
        left, right, out = self._numpy
        np.matmul(left, right, out=out)

    def error(self) -> float:
        """Largest difference between what the two found, relative to the largest number."""
        wanted = self._numpy[2]
        found = self._result[:, : wanted.shape[1]]
        return float(abs(found - wanted).max() / abs(wanted).max())


class MultiplyAdds:
    """Fused multiply-adds of float32 that don't wait for one another: the most that one thread can do.

    They are done on whole registers, as products are: with vectors of float64, which fill one (`simd`), and take as
    long as twice as many float32.

    Attributes
    ----------
    operations : float
        Additions and multiplications that one time of `run` would do of float32.
    lanes : int
        Numbers of float32 in a register.
    """

    def __init__(self) -> None:
        self._numbers = np.zeros(1024)
        self.lanes = 2 * int(_multiply_add(1, self._numbers))
        self.operations = 2.0 * 1000 * _CHAINS * self.lanes

    def run(self, times: int) -> None:
        """Do a thousand of each chain, so many times."""
        _multiply_add(1000 * times, self._numbers)


def _laid_out(x: NDArray[np.float32], stride: int) -> NDArray[np.float32]:
    """Return a matrix as the engine lays it out: on a cache line, with zeros behind every row up to the next."""
    wide = aligned_zeros(len(x) * stride, x.dtype).reshape(len(x), -1)
    wide[:, : x.shape[1]] = x
    return wide


@entry
def _multiply(times, kind, out, x, w, d, packed, rows, inputs, units, fan_in, width, x_row, d_row, chunk, block):
    """Do the product of this place in `KINDS` as a training step does."""
    X, D, Z = matrix(x, _0, x_row, _1), matrix(d, _0, d_row, _1), matrix(out, _0, d_row, _1)
    for _ in range(times):
        if kind == 0:
            if rows >= PACK_FROM:
                pack(packed, _0, w, _0, width, inputs, width, inputs)
                product(Z, X, matrix(packed, _0, width, -inputs), rows, width, inputs, _0)
            else:
                product(Z, X, matrix(w, _0, width, _1), rows, width, inputs, _0)
        elif kind == 1:
            pack_transposed(packed, _0, w, _0, width, inputs, units)
            W_transposed = matrix(packed, _0, fan_in, -units)
            product(matrix(out, _0, x_row, _1), D, W_transposed, rows, fan_in, units, _0)
        else:
            for first in range(0, rows, chunk):
                count = chunk if rows - first > chunk else rows - first
                panels = width >= PANELS_FROM and count >= PACK_FROM
                if panels:
                    pack(packed, _0, d, first * d_row, d_row, count, width, count)
                for row in range(0, inputs, block):
                    some = block if inputs - row > block else inputs - row
                    G, X_transposed = matrix(out, row * width, width, _1), matrix(x, first * x_row + row, _1, x_row)
                    if panels:
                        product(G, X_transposed, matrix(packed, _0, width, -count), some, width, count, first)
                    else:
                        product(G, X_transposed, matrix(d, first * d_row, d_row, _1), some, width, count, first)


@entry
def _multiply_add(times, numbers):
    """Do `_CHAINS` multiply-adds of vectors so many times; return how many numbers are in a vector."""
    x, y = splat(numbers, 0.5), splat(numbers, 1.0)
    # From twelve places, for the compiler would do twelve times the same only once.
    a, b, c, d = load(numbers, 0), load(numbers, 1), load(numbers, 2), load(numbers, 3)
    e, f, g, h = load(numbers, 4), load(numbers, 5), load(numbers, 6), load(numbers, 7)
    i, j, k, m = load(numbers, 8), load(numbers, 9), load(numbers, 10), load(numbers, 11)
    for _ in range(times):
        a, b, c, d = fma(a, x, y), fma(b, x, y), fma(c, x, y), fma(d, x, y)
        e, f, g, h = fma(e, x, y), fma(f, x, y), fma(g, x, y), fma(h, x, y)
        i, j, k, m = fma(i, x, y), fma(j, x, y), fma(k, x, y), fma(m, x, y)
    store(numbers, 0, ((a + b) + (c + d)) + ((e + f) + (g + h)) + ((i + j) + (k + m)))
    return lanes(numbers)
