"""Kernels of records, taking what these hold as their twins do."""

import numpy as np

from fastmlp.kernels import elementwise, optimizers
from fastmlp.kernels.runtime.records import Layer, Step

from .calls import from_python


def dropout(out, x, stride, rows, width, names, key, threshold, scale):
    layer = Layer(row_stride=stride, width=width, key=key, threshold=threshold, dropout_scale=scale)
    from_python(elementwise.dropout)(out, x, rows, names, layer)


dropout.callable_from_python = True


def _of_a_step(function):
    def call(code, w, first, stride, rows, width, g, g_start, m, v, settings, step, rate):
        record = Step(np.asarray(w).dtype, optimizer=code, parameters=w, m=m, v=v, settings=settings)
        record.enter(steps_before=step - 1, rate=rate)
        from_python(function)(record, first, stride, rows, width, g, g_start)

    call.callable_from_python, call.__name__ = True, function.__name__
    return call


update, update_weights = _of_a_step(optimizers.update), _of_a_step(optimizers.update_weights)
