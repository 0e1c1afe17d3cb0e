"""A few rows through a network, with as little as possible around it (floor 1; imports numba through _jit; kernels).

`batches.run` is made for whole data sets: to call it takes longer than to send a row through a small network.
"""

from ._jit import entry
from .codes import ACTIVATION, BIAS, FAN_IN, STRIDE, UNITS, WEIGHTS
from .elementwise import activation_forward
from .given import NO, ONE_ROW
from .matrix import row_times_matrix
from .simd import at, get, lanes, load, pointer, put, splat, store
from .sparse import add_shift, compress_row, row_forward


@entry
def forward_rows(outputs, samples, scale, shift, has_shift, n_layers, layers, parameters, memory, members, factors):
    """Outputs of a few dense rows, dropout off.

    Parameters
    ----------
    outputs : flat array, (n_rows * outputs,)
    samples : flat array, (n_rows * features,)
        As they came; every row's zeros are skipped.
    scale, shift : ndarray, shape (features,)
    has_shift : int
    n_layers : int
    layers : ndarray of int64
        The layer table of `codes`, flat; of its columns fan-in, units, stride, weights, bias and activation are read.
    parameters : flat array
    memory : flat array
        Room for the activations of all layers.
    members, factors : ndarray of uint32 and flat array, (features,)
        Room for the non-zeros of a row.

    Returns
    -------
    bool
        Whether all samples were finite; otherwise the outputs mean nothing.
    """
    n_rows = len(outputs)
    outputs, samples, scale, shift = pointer(outputs), pointer(samples), pointer(scale), pointer(shift)
    layers, parameters, memory = pointer(layers), pointer(parameters), pointer(memory)
    members, factors = pointer(members), pointer(factors)
    features, top, vector = at(layers, 0, FAN_IN), n_layers - 1, lanes(memory)
    units = at(layers, top, UNITS)
    for i in range(n_rows // units):
        entries = compress_row(members, factors, samples, i * features, features)
        finite = True
        for p in range(entries):
            x = get(factors, p)
            finite &= x - x == 0
        if not finite:
            return False
        before, now = NO, NO
        for n in range(top + 1):
            width, bias, w = at(layers, n, STRIDE), at(layers, n, BIAS), at(layers, n, WEIGHTS)
            for j in range(0, width, vector):
                start = splat(memory, 0.0)
                if bias >= 0:
                    start = load(parameters, bias + j)
                store(memory, now + j, start)
            if n > 0:
                row_times_matrix(memory, now, memory, before, parameters, w, width, width, at(layers, n, FAN_IN))
            else:
                if has_shift:
                    add_shift(memory, now, shift, parameters, w, width, NO, features, width)
                row_forward(memory, now, memory, now, members, factors, NO, entries, scale, parameters, w, width, width)
            activation_forward(at(layers, n, ACTIVATION), memory, now, width, ONE_ROW, at(layers, n, UNITS), width)
            before, now = now, now + width
        for j in range(units):
            put(outputs, i * units + j, get(memory, before + j))
    return True
