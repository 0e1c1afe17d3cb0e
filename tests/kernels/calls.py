"""Kernels as Python can call them, and comparing them with their twins."""

from functools import cache

import numba
import numpy as np
import pytest

from fastmlp.kernels.runtime.simd import lanes, load, store

from ..interpreted import INTERPRETED

both_dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])


def silent(call):
    """Have Python keep to itself what machine code does not tell either: overflows, and NaN as a whole number."""
    return np.errstate(all="ignore")(call) if INTERPRETED else call


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
    return [argument.copy() if isinstance(argument, np.ndarray) else argument for argument in arguments]


def run_both(kernel, twin, arguments):
    """Call kernel and twin on copies of the arguments; return the arrays of each as they are then."""
    ours, theirs = copied(arguments), copied(arguments)
    from_python(kernel)(*ours)
    twin(*theirs)
    return [[a for a in of if isinstance(a, np.ndarray)] for of in (ours, theirs)]


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
    sizes = [np.abs(a) if isinstance(a, np.ndarray) and a.dtype.kind == "f" else a for a in copied(arguments)]
    twin(*sizes)
    sizes = [a for a in sizes if isinstance(a, np.ndarray)]
    for got, want, size in zip(ours, theirs, sizes, strict=True):
        if got.dtype.kind != "f":
            np.testing.assert_array_equal(got, want)
            continue
        bound = 2 * (terms + 2) * np.finfo(got.dtype).eps * size
        assert (np.abs(got - want) <= bound).all()
