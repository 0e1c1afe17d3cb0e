"""A few rows through a network, with as little as possible around it (floor 2).

`epoch.run` is made for whole data sets: to call it takes longer than to send a row through a small network.
"""

from .dense.products import row_times_matrix
from .elementwise import activation_forward
from .runtime.fields import taken
from .runtime.jit import entry
from .runtime.matrices import matrix
from .runtime.records import NEXT, ONE_ROW, ZERO, Prediction
from .runtime.simd import get, moved, pointer, put
from .sparse.microkernels import BLOCK
from .sparse.rows import compress_row, in_words, read_row, row_forward

take_prediction = taken(Prediction)


@entry
def forward_rows(outputs, samples, parameters, table):
    """Outputs of a few dense rows, dropout off.

    Parameters
    ----------
    outputs : ndarray, shape (n_rows, outputs)
    samples : ndarray, shape (n_rows, features)
        As they came; every row's zeros are skipped.
    parameters : flat array
    table : array
        The `handle` of a `Prediction`, which is all else.

    Returns
    -------
    bool
        Whether all samples were finite; otherwise the outputs mean nothing.

    Notes
    -----
    Behind relu half of the activations are zero. Every layer skips them as the first does and so reads half of its
    weights, for which a matrix-vector product waits.
    """
    given, (n_rows, features) = take_prediction(table, parameters), samples.shape
    outputs, samples, parameters = pointer(outputs), pointer(samples), pointer(parameters)
    memory, members, factors, ones = given.memory, given.members, given.factors, moved(given.scale, features)
    for i in range(n_rows):
        entries, finite = compress_row(members, factors, samples, i * features, features)
        if not finite:
            return False
        now, factor, blockwise = given.activations, given.scale, given.readable
        for n in range(given.n_layers):
            layer = given.layers[n]
            width, units, w = layer.width, layer.units, moved(parameters, layer.weights)
            if n > 0:
                entries, _ = compress_row(members, factors, memory, now, layer.fan_in)
                now, factor, blockwise = now + given.layers[n - 1].width, ones, entries + BLOCK
            base = moved(parameters, layer.bias) if layer.bias >= 0 else memory
            read_row(members, factors, members, factors, entries, blockwise, factor, in_words(memory, width))
            row_forward(moved(memory, now), base, members, factors, entries, w, width)
            if n == 0 and given.has_shift:
                row_times_matrix(moved(memory, now), given.shift, matrix(w, ZERO, width, NEXT), width, features)
            activation_forward(layer.activation, memory, now, width, ONE_ROW, units, width)
        for j in range(units):
            put(outputs, i * units + j, get(memory, now + j))
    return True
