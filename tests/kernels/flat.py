"""Kernels of records, taking what these hold as their twins do."""

import numpy as np

from fastmlp.kernels import elementwise, optimizers
from fastmlp.kernels.runtime.jit import kernel
from fastmlp.kernels.runtime.records import Layer, Step, Work
from fastmlp.kernels.runtime.simd import splat

from .calls import from_python


def dropout(out, x, stride, rows, width, names, key, threshold, scale):
    layer = Layer(row_stride=stride, width=width, key=key, threshold=threshold, dropout_scale=scale)
    from_python(elementwise.dropout)(out, x, rows, names, layer)


dropout.callable_from_python = True


@kernel
def _update(step, first, stride, rows, width, g, g_start):
    optimizers.write_terms(step)
    optimizers.update(step, first, stride, rows, width, g, g_start)


@kernel
def _update_weights(step, first, stride, rows, width, g, g_start):
    optimizers.write_terms(step)
    optimizers.update_weights(step, first, stride, rows, width, g, g_start)


@kernel
def shrink(w, first, last, factor):
    optimizers.shrink(w, first, last, splat(w, factor))


@kernel
def add_penalty_gradient(g, g_start, w, first, last, l1, l2):
    optimizers.add_penalty_gradient(g, g_start, w, first, last, splat(w, l1), splat(w, l2))


def _of_a_step(function, name):
    def call(code, w, first, stride, rows, width, g, g_start, m, v, settings, step, rate):
        dtype = np.asarray(w).dtype
        work = Work(dtype, terms=np.zeros(optimizers.TERMS * 16, dtype))
        record = Step(dtype, optimizer=code, parameters=w, m=m, v=v, settings=settings, work=work)
        record.enter(steps_before=step - 1, rate=rate)
        from_python(function)(record, first, stride, rows, width, g, g_start)

    call.callable_from_python, call.__name__ = True, name
    return call


update, update_weights = _of_a_step(_update, "update"), _of_a_step(_update_weights, "update_weights")
