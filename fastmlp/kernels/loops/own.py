"""Functions of a user's own: compiled once, and called by their address (floor 2; imports llvmlite, numba).

The other formulas are compiled into the loops. A registered function of float64 numbers becomes machine code of its
own instead, and a record holds where that is. So no network, and no such function, has the loops compiled anew.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
from llvmlite import ir
from numba import types

from ..runtime.jit import INTERPRETED
from ..runtime.simd import instruction

OWN = -1
"""The code of an activation or loss that is called by its address."""

_kept: dict[int, Any] = {}
"""What is behind the addresses, so that it stays."""


@cache
def address_of(function: Callable[..., Any], arguments: int) -> int:
    """Compile a function of one or two numbers, and return where it is.

    Raises
    ------
    numba.core.errors.NumbaError
        Numba can't compile it.
    """
    plain = getattr(function, "py_func", function)  # of what the user has compiled already
    if INTERPRETED:
        address, kept = id(plain), plain
    else:
        kept = numba.cfunc(types.float64(*[types.float64] * arguments), error_model="numpy")(plain)
        address = kept.address
    _kept[address] = kept
    return int(address)


def _call(context: Any, builder: Any, sig: Any, address: Any, *numbers: Any) -> Any:
    """Emit the call of a function of float64 numbers at this address."""
    double = ir.DoubleType()
    given = [context.cast(builder, x, kind, types.float64) for x, kind in zip(numbers, sig.args[1:], strict=True)]
    function = ir.FunctionType(double, [double] * len(given))
    return builder.call(builder.inttoptr(address, function.as_pointer()), given)


def _one(address, x):
    """``f(x)``, where kernels run as Python."""
    return _kept[address](x)


def _two(address, x, y):
    """``f(x, y)``, where kernels run as Python."""
    return _kept[address](x, y)


@instruction(lambda *_: types.float64, _one)
def call_one(context, builder, sig, address, x):
    """``f(x)`` of the function at this address."""
    return _call(context, builder, sig, address, x)


@instruction(lambda *_: types.float64, _two)
def call_two(context, builder, sig, address, x, y):
    """``f(x, y)`` of the function at this address."""
    return _call(context, builder, sig, address, x, y)
