"""Kernels of matrices and records, taking flat arrays, starts and strides as their twins do."""

import numpy as np

from fastmlp.kernels import elementwise, optimizers
from fastmlp.kernels.dense import narrow, products
from fastmlp.kernels.runtime.jit import kernel
from fastmlp.kernels.runtime.matrices import matrix
from fastmlp.kernels.runtime.records import NEXT, Layer, Step
from fastmlp.kernels.runtime.simd import moved, pointer
from fastmlp.kernels.sparse import eights, rows

from .calls import from_python


@kernel
def product(
    c, c_start, c_stride, a, a_start, a_row, a_inner, b, b_start, b_stride, b_panel, rows, width, inner, accumulate
):
    B = matrix(b, b_start, b_stride, -b_panel if b_panel > 0 else NEXT)
    A = matrix(a, a_start, a_row, a_inner)
    products.product(matrix(c, c_start, c_stride, NEXT), A, B, rows, width, inner, accumulate)


@kernel
def product_from(
    c, c_start, c_stride, a, a_start, a_row, a_inner, b, b_start, b_stride, b_panel, rows, width, inner, base,
    base_start, base_stride, accumulate, floor,
):  # fmt: skip
    B = matrix(b, b_start, b_stride, -b_panel if b_panel > 0 else NEXT)
    C, A = matrix(c, c_start, c_stride, NEXT), matrix(a, a_start, a_row, a_inner)
    products.product_from(C, A, B, rows, width, inner, matrix(base, base_start, base_stride, accumulate), floor)


@kernel
def row_times_matrix(c, c_start, a, a_start, w, w_start, w_stride, width, inner):
    c, a = moved(pointer(c), c_start), moved(pointer(a), a_start)
    products.row_times_matrix(c, a, matrix(w, w_start, w_stride, NEXT), width, inner)


@kernel
def matrix_times_column(c, c_start, w, w_start, w_stride, d, d_start, rows, width):
    c, d = moved(pointer(c), c_start), moved(pointer(d), d_start)
    products.matrix_times_column(c, matrix(w, w_start, w_stride, NEXT), d, rows, width)


@kernel
def add_dot_products(out, out_start, out_stride, a, a_start, a_stride, turned, turned_start, fan_in, units, count):
    C, A = matrix(out, out_start, out_stride, NEXT), matrix(a, a_start, a_stride, NEXT)
    narrow.add_dot_products(C, A, moved(pointer(turned), turned_start), fan_in, units, count)


@kernel
def outer_products(
    out, out_start, out_stride, d, d_start, d_stride, turned, turned_start, fan_in, units, count, a, a_shift, rectified
):
    C, D = matrix(out, out_start, out_stride, NEXT), matrix(d, d_start, d_stride, NEXT)
    w, a = moved(pointer(turned), turned_start), moved(pointer(a), out_start + a_shift)
    narrow.outer_products(C, D, w, a, fan_in, units, count, rectified)


@kernel
def activation_backward(code, d, d_start, a, a_start, z, z_start, stride, rows, units, width):
    d, a, z = moved(pointer(d), d_start), moved(pointer(a), a_start), moved(pointer(z), z_start)
    elementwise.activation_backward(code, d, a, z, stride, rows, units, width)


@kernel
def eights_forward(c, c_start, row, w, w_start, apart, listed, size, columns, values, scale, width):
    C, W = matrix(c, c_start, row, NEXT), matrix(w, w_start, apart, NEXT)
    eights.eights_forward(C, W, listed, size, columns, values, scale, width)


@kernel
def eights_gradient(g, g_start, apart, d, d_start, row, listed, size, columns, values, scale, width):
    G, D = matrix(g, g_start, apart, NEXT), matrix(d, d_start, row, NEXT)
    eights.eights_gradient(G, D, listed, size, columns, values, scale, width)


@kernel
def row_forward(c, c_start, base, base_start, places, factors, first, last, w, w_start, width):
    c, base, w = moved(pointer(c), c_start), moved(pointer(base), base_start), moved(pointer(w), w_start)
    rows.row_forward(c, base, places, factors, first, last, w, width)


@kernel
def narrow_row_forward(c, c_start, base, base_start, places, factors, first, last, w, w_start, width):
    c, base, w = moved(pointer(c), c_start), moved(pointer(base), base_start), moved(pointer(w), w_start)
    rows.narrow_row_forward(c, base, places, factors, first, last, w, width)


@kernel
def medium_row_forward(c, c_start, base, base_start, places, factors, first, last, w, w_start, width):
    c, base, w = moved(pointer(c), c_start), moved(pointer(base), base_start), moved(pointer(w), w_start)
    rows.medium_row_forward(c, base, places, factors, first, last, w, width)


@kernel
def row_gradient(g, g_start, d, d_start, places, factors, first, last, width):
    g, d = moved(pointer(g), g_start), moved(pointer(d), d_start)
    rows.row_gradient(g, d, places, factors, first, last, width)


@kernel
def _dropout(out, out_start, x, x_start, rows, order, first, layer):
    out, x, names = moved(pointer(out), out_start), moved(pointer(x), x_start), moved(pointer(order), first)
    elementwise.dropout(out, x, rows, names, layer)


def dropout(out, out_start, x, x_start, stride, rows, width, order, first, key, threshold, scale):
    layer = Layer(row_stride=stride, width=width, key=key, threshold=threshold, dropout_scale=scale)
    from_python(_dropout)(out, out_start, x, x_start, rows, order, first, layer)


dropout.callable_from_python = True


def _of_a_step(function):
    def call(code, w, first, stride, rows, width, g, g_start, m, v, settings, step, rate):
        record = Step(np.asarray(w).dtype, optimizer=code, parameters=w, m=m, v=v, settings=settings)
        record.enter(steps_before=step - 1, rate=rate)
        from_python(function)(record, first, stride, rows, width, g, g_start)

    call.callable_from_python, call.__name__ = True, function.__name__
    return call


update, update_weights = _of_a_step(optimizers.update), _of_a_step(optimizers.update_weights)
