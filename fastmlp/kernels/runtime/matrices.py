"""A matrix as one value: where it lies and how its elements follow one another (floor 2; imports llvmlite, numba).

``matrix(array, start, stride, step)`` is made in registers and costs nothing. Sizes are not part of it: they are what
a kernel is asked to work on.
"""

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import make_attribute_wrapper, models, register_model

from .simd import Pointer, address, instruction


class MatrixType(types.Type):
    """The Numba type of a matrix of numbers of a dtype."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Matrix({dtype})")


@register_model(MatrixType)
class _MatrixModel(models.StructModel):
    def __init__(self, manager: Any, fe_type: MatrixType) -> None:
        fields = [("data", Pointer(fe_type.dtype)), ("stride", types.intp), ("step", types.intp)]
        super().__init__(manager, fe_type, fields)


for _name in ("data", "stride", "step"):
    make_attribute_wrapper(MatrixType, _name, _name)


class Matrix(NamedTuple):
    """A matrix, as kernels that run as Python have it."""

    data: Any
    stride: int
    step: int


@instruction(
    lambda array, *_: MatrixType(array.dtype),
    lambda array, start, stride, step: Matrix(array.reshape(-1)[start:], stride, step),
)
def matrix(context, builder, sig, array, start, stride, step):
    """``matrix(array, start, stride, step)``: element (i, j) at ``start + i * stride + j * step``, `step` 1 in most.

    Of a matrix in panels, as `products.pack` writes them, `step` is minus the rows of a panel. A step of 0: there is
    nothing.
    """
    made = cgutils.create_struct_proxy(sig.return_type)(context, builder)
    place = address(context, builder, sig.args[0], array, start)
    made.data, made.stride, made.step = builder.bitcast(place, ir.IntType(8).as_pointer()), stride, step
    return made._getvalue()
