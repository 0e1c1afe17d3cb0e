"""A few rows through a network, with as little as possible around it (floor 2).

`epoch.run` is made for whole data sets: to call it takes longer than to send a row through a small network.
"""

from .elementwise import activation_forward
from .runtime.fields import taken
from .runtime.jit import entry
from .runtime.records import NO, ONE_ROW, Layer
from .runtime.simd import get, moved, pointer, put
from .sparse.microkernels import BLOCK
from .sparse.rows import add_shift, compress_row, in_words, read_row, row_forward

take_layers = taken(Layer, several=True)


@entry
def forward_rows(
    outputs,
    samples,
    scale,
    shift,
    has_shift,
    readable,
    n_layers,
    table,
    parameters,
    memory,
    activations,
    members,
    factors,
):
    """Outputs of a few dense rows, dropout off.

    Parameters
    ----------
    outputs : ndarray, shape (n_rows, outputs)
    samples : ndarray, shape (n_rows, features)
        As they came; every row's zeros are skipped.
    scale : flat array
        Of the features; behind them 1 for every unit of the widest layer.
    shift : flat array, (features,)
    has_shift : int
    readable : int
        Entries of `members` and `factors` that `read_row` may read in whole blocks: all or, if scales differ, none.
    table : array
        The `handle` of n_layers records of `Layer`. Read: fan-in, units, width, weights, bias and activation.
    parameters : flat array
    memory : flat array
        Zeros, as many as the widest layer has units, padded; behind them room for the activations of all layers.
    activations : int
        Where that room begins.
    members, factors : ndarray of uint32 and flat array
        Room for the non-zeros of a row of samples or activations, as `compress_row` wants it.

    Returns
    -------
    bool
        Whether all samples were finite; otherwise the outputs mean nothing.

    Notes
    -----
    Behind relu half of the activations are zero. Every layer skips them as the first does and so reads half of its
    weights, for which a matrix-vector product waits.
    """
    n_rows, features = samples.shape
    layers = take_layers(table, parameters)
    outputs, samples, scale, shift = pointer(outputs), pointer(samples), pointer(scale), pointer(shift)
    parameters, memory = pointer(parameters), pointer(memory)
    members, factors, ones = pointer(members), pointer(factors), moved(scale, features)
    for i in range(n_rows):
        entries, finite = compress_row(members, factors, samples, i * features, features)
        if not finite:
            return False
        now, factor, blockwise = activations, scale, readable
        for n in range(n_layers):
            layer = layers[n]
            width, bias, w = layer.width, layer.bias, layer.weights
            units = layer.units
            if n > 0:
                entries, _ = compress_row(members, factors, memory, now, layer.fan_in)
                now, factor, blockwise = now + layers[n - 1].width, ones, entries + BLOCK
            base = moved(parameters, bias) if bias >= 0 else memory
            words = in_words(memory, width)
            read_row(members, factors, members, factors, NO, entries, blockwise, factor, words)
            row_forward(moved(memory, now), base, members, factors, NO, entries, moved(parameters, w), width)
            if n == 0 and has_shift:
                add_shift(memory, now, shift, parameters, w, width, NO, features, width)
            activation_forward(layer.activation, memory, now, width, ONE_ROW, units, width)
        for j in range(units):
            put(outputs, i * units + j, get(memory, now + j))
    return True
