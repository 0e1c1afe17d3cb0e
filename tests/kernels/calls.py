"""Kernels as Python can call them, and comparing them with their twins."""

from functools import cache

import numba
import numpy as np
import pytest
from numba import from_dtype, types
from numba.core import cgutils
from numba.extending import NativeValue, typeof_impl, unbox

from fastmlp.kernels.runtime.fields import BYTES, Record, Records, RecordsType, RecordType
from fastmlp.kernels.runtime.matrices import Matrix, MatrixType
from fastmlp.kernels.runtime.simd import lanes, load, store

from ..interpreted import INTERPRETED

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def silent(call):
    """Have Python keep to itself what machine code does not tell either: overflows, and NaN as a whole number."""
    return np.errstate(all="ignore")(call) if INTERPRETED else call


@typeof_impl.register(Matrix)
def _type_of_matrix(value, c):
    return MatrixType(from_dtype(value.data.dtype))


@unbox(MatrixType)
def _unbox_matrix(kind, value, c):
    """Let kernels be called from Python with matrices, of which only tests make any."""
    made = cgutils.create_struct_proxy(kind)(c.context, c.builder)
    parts = {"data": types.Array(kind.dtype, 1, "C"), "stride": types.intp, "step": types.intp}
    for name, of in parts.items():
        part = c.pyapi.object_getattr_string(value, name)
        native = c.unbox(of, part).value
        if name == "data":
            data = c.context.make_array(of)(c.context, c.builder, native).data
            native = c.builder.bitcast(data, made.data.type)
        setattr(made, name, native)
        c.pyapi.decref(part)
    return NativeValue(made._getvalue())


@typeof_impl.register(Record)
def _type_of_record(value, c):
    return RecordType(type(value), None if value.dtype is None else from_dtype(value.dtype))


@typeof_impl.register(Records)
def _type_of_records(value, c):
    return RecordsType(value.kind, None)


@unbox(RecordType)
@unbox(RecordsType)
def _unbox_record(kind, value, c):
    number = c.pyapi.object_getattr_string(value, "address")
    address = c.unbox(types.uintp, number).value
    c.pyapi.decref(number)
    return NativeValue(c.builder.inttoptr(address, BYTES))


@cache
def from_python(kernel):
    """Wrap a kernel in a function that Python may call with the same arguments: it has no such way in of its own."""
    if getattr(kernel, "callable_from_python", False):
        return kernel

    @numba.njit(nogil=True, error_model="numpy")
    def call(*arguments):
        return kernel(*arguments)

    return silent(call)


@cache
def over_arrays(function):
    """Make a function of vectors one of arrays: ``out[:] = function(x)``; their length is a multiple of 16."""

    @numba.njit(nogil=True, error_model="numpy")
    def call(out, x):
        for i in range(0, len(x), lanes(x)):
            store(out, i, function(load(x, i)))

    return silent(call)


def random_numbers(size, dtype, seed=0):
    """Numbers in [-1, 1]."""
    return np.random.default_rng([seed, size]).uniform(-1, 1, size).astype(dtype)


def copied(arguments):
    """Copy arguments, and the arrays that they are, or are parts of; return these too."""
    wholes = {}

    def copy(x):
        if isinstance(x, Matrix):
            return x._replace(data=copy(x.data))
        if not isinstance(x, np.ndarray):
            return x
        whole = x if x.base is None or x.base.dtype != x.dtype else x.base
        mine = wholes.setdefault(id(whole), whole.copy()).reshape(-1)
        start = (x.ctypes.data - whole.ctypes.data) // x.itemsize
        return mine[start : start + x.size]

    return [copy(argument) for argument in arguments], list(wholes.values())


def run_both(kernel, twin, arguments):
    """Call kernel and twin on copies of the arguments; return all arrays of each as they are then."""
    (ours, our_arrays), (theirs, their_arrays) = copied(arguments), copied(arguments)
    from_python(kernel)(*ours)
    twin(*theirs)
    return our_arrays, their_arrays


def check_same(kernel, twin, arguments):
    """Compare what kernel and twin leave in all arrays, guard zones included, where both only move numbers."""
    for got, want in zip(*run_both(kernel, twin, arguments), strict=True):
        np.testing.assert_array_equal(got, want)


def check_sums(kernel, twin, arguments, terms):
    """Compare what kernel and twin leave in all arrays, guard zones included, where both add up `terms` products.

    A sum of k products in any order is off by at most (k + 1) * eps times the sum of their sizes, which is what the
    twin gives for the absolute values of the arguments.
    """
    ours, theirs = run_both(kernel, twin, arguments)
    copies, sizes = copied(arguments)
    for size in sizes:
        if size.dtype.kind == "f":
            np.abs(size, out=size)
    twin(*copies)
    for got, want, size in zip(ours, theirs, sizes, strict=True):
        if got.dtype.kind != "f":
            np.testing.assert_array_equal(got, want)
            continue
        bound = 2 * (terms + 2) * np.finfo(got.dtype).eps * size
        assert (np.abs(got - want) <= bound).all()
