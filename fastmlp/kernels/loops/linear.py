"""Products of vectors and matrices (floor 2).

For a sample ``x`` (fan_in,), weights ``W`` (fan_in, units) and the loss's derivative ``d`` (units,) by the weighted
inputs::

    z = x @ W + b           forward
    dx = W @ d              backward: the derivative by x
    dW[i, j] = x[i] * d[j]  the derivative by the weights, an outer product

NumPy does the same for all rows of a batch at once: ``@`` in `numpy_engine.forward_pass` and `backward_pass`. Rows of
``W`` lie one after another in memory, so every inner loop goes along a row.
"""

from ..runtime.jit import loop, view


@view
def weights_of(layer, flat):
    """``W`` of a layer as a view of the flat vector, (fan_in, stride): `Layer.weights`, with its padding."""
    stop = layer.weights + layer.fan_in * layer.stride
    return flat[layer.weights : stop].reshape((layer.fan_in, layer.stride))


@view
def bias_of(layer, flat):
    """``b`` of a layer as a view of the flat vector, (units,): `Layer.bias`; empty without bias."""
    if layer.bias < 0:
        return flat[:0]
    return flat[layer.bias : layer.bias + layer.units]


@loop
def fill(out, number):
    """``out[:] = number``."""
    for j in range(len(out)):
        out[j] = number


@loop
def copy(x, out):
    """``out[:] = x``."""
    for j in range(len(out)):
        out[j] = x[j]


@loop
def add_multiple(factor, x, out):
    """``out += factor * x``."""
    for j in range(len(out)):
        out[j] += factor * x[j]


@loop
def add_matvec(x, W, z):
    """``z += x @ W``."""
    for i in range(len(x)):
        add_multiple(x[i], W[i], z)


@loop
def add_sparse_matvec(columns, values, W, z):
    """``z += x @ W`` for an ``x`` of which only the entries that are not 0 are listed."""
    for k in range(len(columns)):
        add_multiple(values[k], W[columns[k]], z)


@loop
def dot(x, y, n):
    """Sum of ``x[j] * y[j]`` over the first `n`.

    In eight sums of their own: one sum alone would have every addition wait for the one before.
    """
    zero = x.dtype.type(0)
    s0, s1, s2, s3, s4, s5, s6, s7 = zero, zero, zero, zero, zero, zero, zero, zero
    whole = n // 8 * 8
    for j in range(0, whole, 8):
        s0 += x[j] * y[j]
        s1 += x[j + 1] * y[j + 1]
        s2 += x[j + 2] * y[j + 2]
        s3 += x[j + 3] * y[j + 3]
        s4 += x[j + 4] * y[j + 4]
        s5 += x[j + 5] * y[j + 5]
        s6 += x[j + 6] * y[j + 6]
        s7 += x[j + 7] * y[j + 7]
    for j in range(whole, n):
        s0 += x[j] * y[j]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@loop
def matvec(W, d, dx):
    """``dx = W @ d``."""
    for i in range(len(dx)):
        dx[i] = dot(W[i], d, len(d))


@loop
def add_outer(x, d, dW):
    """``dW += x[:, None] * d``."""
    for i in range(len(x)):
        add_multiple(x[i], d, dW[i][: len(d)])


@loop
def add_sparse_outer(columns, values, d, dW):
    """``dW += x[:, None] * d`` for an ``x`` of which only the entries that are not 0 are listed."""
    for k in range(len(columns)):
        add_multiple(values[k], d, dW[columns[k]][: len(d)])
