"""A matrix as one value: where it lies and how its elements follow one another (floor 2; imports llvmlite, numba).

``matrix(array, start, stride, step)`` is made in registers and costs nothing. Sizes are not part of it: they are what
a kernel is asked to work on.
"""

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, make_attribute_wrapper, models, register_model

from .jit import INTERPRETED
from .simd import Pointer, address


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


@intrinsic
def _compiled_matrix(typingctx, array, start, stride, step):
    def codegen(context, builder, sig, args):
        made = cgutils.create_struct_proxy(sig.return_type)(context, builder)
        place = address(context, builder, sig.args[0], args[0], args[1])
        made.data, made.stride, made.step = builder.bitcast(place, ir.IntType(8).as_pointer()), args[2], args[3]
        return made._getvalue()

    return MatrixType(array.dtype)(array, types.intp, types.intp, types.intp), codegen


class Matrix(NamedTuple):
    """A matrix, as kernels that run as Python have it."""

    data: Any
    stride: int
    step: int


def _python_matrix(array: Any, start: int, stride: int, step: int) -> Matrix:
    return Matrix(array.reshape(-1)[start:], stride, step)


matrix: Any = _python_matrix if INTERPRETED else _compiled_matrix
"""``matrix(array, start, stride, step)``: element (i, j) at ``start + i * stride + j * step``, `step` 1 in most. Of a
matrix in panels, as `products.pack` writes them, `step` is minus the rows of a panel. A step of 0: there is nothing."""
