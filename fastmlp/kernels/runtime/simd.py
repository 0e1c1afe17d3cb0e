"""SIMD vectors that kernels can hold in registers, portable and without a C compiler (floor 2; imports llvmlite, numba,
numpy).

A `Vector` is a run of numbers of one dtype: `lanes` of them, 16 of float32 or 8 of float64 in a register of AVX-512, 8
or 4 in one of AVX2. LLVM turns the same code into SSE or NEON elsewhere. Kernels read them from flat arrays with
`load`, combine them with ``+ - * /``, `fma`, `maximum` and the like, and write them with `store`. `load`, `store`,
`broadcast` and `get` take indices as they are: no test for a negative index, which costs more than half of a matrix
product's speed, and no test of bounds. So an index must lie inside the array; the layouts that
`fastmlp.model.architecture` and the engine make see to it. Widths are padded to whole cache lines,
`line` numbers: whole vectors everywhere.

With ``NUMBA_DISABLE_JIT=1`` the same names work on small NumPy arrays, slowly.
"""

import inspect
import operator
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, lower_builtin, models, register_model, type_callable

from .constants import CACHE_LINE
from .jit import INTERPRETED

WIDEST = 512 if get_host_cpu_features().get("avx512f", False) else 256
"""Bits of the processor's registers, which a `Vector` fills."""


class Vector(types.Type):
    """The Numba type of a SIMD vector of `lanes` numbers of type `dtype`."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.lanes = WIDEST // dtype.bitwidth
        super().__init__(name=f"Vector({dtype}, {self.lanes})")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Vector) -> None:
        scalar = dmm.lookup(fe_type.dtype).get_value_type()
        super().__init__(dmm, fe_type, ir.VectorType(scalar, fe_type.lanes))


class Pointer(types.Type):
    """The Numba type of where an array's numbers begin.

    An array is seven arguments to compiled code, a pointer is one: functions of many arrays compile in half the time.
    """

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        super().__init__(name=f"Pointer({dtype})")


@register_model(Pointer)
class _PointerModel(models.PrimitiveModel):
    def __init__(self, dmm: Any, fe_type: Pointer) -> None:
        super().__init__(dmm, fe_type, ir.IntType(8).as_pointer())


_FAST = ("contract", "nsz")


def vector_type(context: Any, vector: Vector) -> ir.VectorType:
    """LLVM's type of a vector."""
    return context.get_value_type(vector)


def address(context: Any, builder: Any, array_type: Any, array: Any, index: Any = None) -> Any:
    """Emit the address of an element, the first or that of an index, of a flat array, a matrix, or what a pointer
    points to.
    """
    if not isinstance(array_type, Pointer):
        array = cgutils.create_struct_proxy(array_type)(context, builder, array).data
    scalar = context.get_data_type(array_type.dtype)
    data = builder.bitcast(array, scalar.as_pointer())
    return data if index is None else builder.gep(data, [index], source_etype=scalar, inbounds=True)


def spread(builder: Any, scalar: Any, lanes: int) -> Any:
    """Emit a vector with a number in every lane."""
    vector = ir.VectorType(scalar.type, lanes)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), zeros)


def load_vector(builder: Any, place: Any, vector: ir.VectorType, align: int = 4) -> Any:
    """Emit a load that needs no alignment beyond that of a number, `align` bytes."""
    loaded = builder.load(place, typ=vector)
    loaded.align = align
    return loaded


def store_vector(builder: Any, value: Any, place: Any, align: int = 4) -> None:
    """Emit a store that needs no alignment beyond that of a number, `align` bytes."""
    stored = builder.store(value, builder.bitcast(place, value.type.as_pointer()))
    stored.align = align


def llvm_math(builder: Any, name: str, arguments: list[Any], result: ir.Type) -> Any:
    """Call LLVM's intrinsic `name` on arguments of the type `result`."""
    element = result.element if isinstance(result, ir.VectorType) else result
    lanes = f"v{result.count}" if isinstance(result, ir.VectorType) else ""
    kind = ir.FunctionType(result, [result] * len(arguments))
    function = builder.module.declare_intrinsic(f"llvm.{name}.{lanes}{element.intrinsic_name}", fnty=kind)
    return builder.call(function, arguments, fastmath=_FAST)


def prefetch_at(builder: Any, place: Any) -> None:
    """Emit a prefetch of an address, a pointer or a number, into the nearest cache."""
    byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    kind = ir.FunctionType(ir.VoidType(), [byte, word, word, word])
    function = builder.module.declare_intrinsic("llvm.prefetch.p0", fnty=kind)
    place = builder.inttoptr(place, byte) if isinstance(place.type, ir.IntType) else builder.bitcast(place, byte)
    # To read, into the nearest cache, data.
    builder.call(function, [place, ir.Constant(word, 0), ir.Constant(word, 3), ir.Constant(word, 1)])


# --- making functions for kernels ---


def instruction(result: Any, twin: Any) -> Any:
    """Make a function for kernels of one that emits LLVM's intermediate code.

    Parameters
    ----------
    result : callable
        The Numba type of what it returns, by those of its arguments.
    twin : callable
        The same in Python, which kernels call with ``NUMBA_DISABLE_JIT=1``.

    Notes
    -----
    What is decorated gets Numba's context, builder and signature, and the value of each argument; whole numbers come as
    64 bits.
    """

    def decorate(emit: Any) -> Any:
        def typed(typingctx: Any, *given: Any) -> Any:
            kinds = [types.intp if isinstance(kind, types.Integer) else kind for kind in given]

            def codegen(context: Any, builder: Any, sig: Any, args: Any) -> Any:
                value = emit(context, builder, sig, *args)
                return context.get_dummy_value() if value is None else value

            return result(*kinds)(*kinds), codegen

        typed.__name__, typed.__doc__ = emit.__name__, emit.__doc__
        names = ["typingctx", *list(inspect.signature(emit).parameters)[3:]]
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        typed.__signature__ = inspect.Signature([inspect.Parameter(name, kind) for name in names])  # type: ignore[attr-defined]
        return twin if INTERPRETED else intrinsic(typed)

    return decorate


def nothing(*_: Any) -> Any:
    """Return what an `instruction` returns that returns nothing."""
    return types.void


def _whole(*_: Any) -> Any:
    return types.intp


def _same(a: Any, *_: Any) -> Any:
    return a


def _number(array: Any, *_: Any) -> Any:
    return array.dtype


def _pointer(array: Any, *_: Any) -> Any:
    return Pointer(array.dtype)


def _vector(like: Any, *_: Any) -> Any:
    return like if isinstance(like, Vector) else Vector(like.dtype)


def _python_lanes(like: Any) -> int:
    return WIDEST // (8 * like.dtype.itemsize)


# --- constants to the compiler ---


@instruction(_whole, _python_lanes)
def lanes(context, builder, sig, array):
    """``lanes(array)``: numbers in a vector of the array's dtype."""
    return context.get_constant(types.intp, Vector(sig.args[0].dtype).lanes)


@instruction(_whole, lambda array: CACHE_LINE // array.dtype.itemsize)
def line(context, builder, sig, array):
    """``line(array)``: numbers of the array's dtype in a cache line."""
    return context.get_constant(types.intp, CACHE_LINE * 8 // sig.args[0].dtype.bitwidth)


@instruction(lambda like: types.boolean, lambda like: like.dtype == np.float32)
def is_single(context, builder, sig, like):
    """``is_single(like)``: whether an array or a vector is of float32."""
    return context.get_constant(types.boolean, sig.args[0].dtype == types.float32)


# --- places ---


@instruction(_pointer, lambda array: array.reshape(-1))
def pointer(context, builder, sig, array):
    """``pointer(array)``: where the numbers of a contiguous array begin, flat or not.

    All functions here take one for an array.
    """
    return builder.bitcast(context.make_array(sig.args[0])(context, builder, array).data, ir.IntType(8).as_pointer())


@instruction(_pointer, lambda pointer, count: pointer[count:])
def moved(context, builder, sig, pointer, count):
    """``moved(pointer, count)``: where the numbers begin that lie so many behind those of a pointer."""
    return builder.bitcast(address(context, builder, sig.args[0], pointer, count), ir.IntType(8).as_pointer())


@instruction(nothing, lambda array, index: None)
def prefetch(context, builder, sig, array, index):
    """``prefetch(array, index)``: have the memory around an element on its way to the cache; changes nothing."""
    prefetch_at(builder, address(context, builder, sig.args[0], array, index))


@instruction(nothing, lambda array, index: None)
def write_back(context, builder, sig, array, index):
    """``write_back(array, index)``: read one number and write it to its place again, so that this thread's processor
    owns its cache line; see `exchange`.
    """
    bits = sig.args[0].dtype.bitwidth
    place = builder.bitcast(address(context, builder, sig.args[0], array, index), ir.IntType(bits).as_pointer())
    # Atomic, because LLVM would drop a plain store of what was just read.
    same = builder.load_atomic(place, "monotonic", bits // 8, typ=ir.IntType(bits))
    builder.store_atomic(same, place, "monotonic", bits // 8)


# --- the processor's rounding ---

_X86, _ARM = ("x86", "i386", "i686"), ("aarch64", "arm64")
_FLUSH = {_X86: 0x8040, _ARM: 1 << 24}
"""Bits of the control register that have results, and on x86 operands, be 0 where they are subnormal."""


def _control(builder: Any, machine: tuple[str, ...], value: Any = None) -> Any:
    """Emit what reads the control register of floating-point arithmetic, or writes a value to it."""
    module, word = builder.module, ir.IntType(32 if machine is _X86 else 64)
    if machine is _ARM:
        kind = ir.FunctionType(word, []) if value is None else ir.FunctionType(ir.VoidType(), [word])
        name = "get" if value is None else "set"
        function = module.declare_intrinsic(f"llvm.aarch64.{name}.fpcr", fnty=kind)
        return builder.call(function, [] if value is None else [value])
    place = cgutils.alloca_once(builder, word)
    if value is not None:
        builder.store(value, place)
    kind = ir.FunctionType(ir.VoidType(), [ir.IntType(8).as_pointer()])
    function = module.declare_intrinsic(f"llvm.x86.sse.{'st' if value is None else 'ld'}mxcsr", fnty=kind)
    builder.call(function, [builder.bitcast(place, ir.IntType(8).as_pointer())])
    return builder.load(place, typ=word)


def _machine(builder: Any) -> tuple[str, ...] | None:
    triple = str(builder.module.triple)
    return next((names for names in _FLUSH if triple.startswith(names)), None)


@instruction(_whole, lambda: 0)
def flush_subnormals(context, builder, sig):
    """``flush_subnormals()``: have this thread's numbers below the smallest normal one be 0; return how it was before.

    A processor takes a hundred cycles and more for each subnormal number. Moments of units that are never active decay
    to such numbers and stay there: 0.9 times the least of them is rounded to itself. On other processors it does
    nothing.
    """
    machine = _machine(builder)
    if machine is None:
        return ir.IntType(64)(0)
    before = _control(builder, machine)
    _control(builder, machine, builder.or_(before, before.type(_FLUSH[machine])))
    return before if before.type.width == 64 else builder.zext(before, ir.IntType(64))


@instruction(nothing, lambda before: None)
def restore_rounding(context, builder, sig, before):
    """``restore_rounding(before)``: take back what `flush_subnormals` did."""
    machine = _machine(builder)
    if machine is not None:
        _control(builder, machine, builder.trunc(before, ir.IntType(32)) if machine is _X86 else before)


# --- reading and writing ---


def _python_get(array, index):
    number = array[index]
    return number if array.dtype.kind == "f" else int(number)  # Numba computes with whole numbers of 64 bits


@instruction(_number, _python_get)
def get(context, builder, sig, array, index):
    """``get(array, index)``: one number."""
    kind = context.get_data_type(sig.args[0].dtype)
    return builder.load(address(context, builder, sig.args[0], array, index), typ=kind)


def _python_put(array, index, value):
    array[index] = np.asarray(value).astype(array.dtype)  # what doesn't fit wraps around


@instruction(nothing, _python_put)
def put(context, builder, sig, array, index, value):
    """``put(array, index, value)``: write one number."""
    number = context.cast(builder, value, sig.args[2], sig.args[0].dtype)
    builder.store(number, address(context, builder, sig.args[0], array, index))


@instruction(_vector, lambda array, index: array[index : index + _python_lanes(array)].copy())
def load(context, builder, sig, array, index):
    """``load(array, index)``: the vector that starts at the index."""
    place = address(context, builder, sig.args[0], array, index)
    return load_vector(builder, place, vector_type(context, sig.return_type))


@instruction(_vector, lambda like, array, index: array[index : index + _python_lanes(like)].astype(like.dtype))
def load_bytes(context, builder, sig, like, array, index):
    """``load_bytes(like, array, index)``: the bytes that start at the index, as a vector of the dtype of `like`."""
    place = address(context, builder, sig.args[1], array, index)
    raw = load_vector(builder, place, ir.VectorType(ir.IntType(8), sig.return_type.lanes), 1)
    return builder.uitofp(raw, vector_type(context, sig.return_type))


@instruction(_vector, lambda array, index, apart: array[index + apart * np.arange(_python_lanes(array))].copy())
def load_apart(context, builder, sig, array, index, apart):
    """``load_apart(array, index, apart)``: a vector of numbers that lie so far apart, the first at the index."""
    vector, word = vector_type(context, sig.return_type), ir.IntType(32)
    numbers = ir.Constant(vector, ir.Undefined)
    for lane in range(vector.count):
        number = builder.load(address(context, builder, sig.args[0], array, index), typ=vector.element)
        numbers = builder.insert_element(numbers, number, word(lane))
        index = builder.add(index, apart)
    return numbers


def _python_store_apart(array, index, apart, vector):
    array[index + apart * np.arange(len(vector))] = vector


@instruction(nothing, _python_store_apart)
def store_apart(context, builder, sig, array, index, apart, vector):
    """``store_apart(array, index, apart, vector)``, likewise."""
    for lane in range(vector.type.count):
        number = builder.extract_element(vector, ir.IntType(32)(lane))
        builder.store(number, address(context, builder, sig.args[0], array, index))
        index = builder.add(index, apart)


def _python_store(array, index, vector):
    array[index : index + len(vector)] = vector


@instruction(nothing, _python_store)
def store(context, builder, sig, array, index, vector):
    """``store(array, index, vector)``."""
    store_vector(builder, vector, address(context, builder, sig.args[0], array, index))


@instruction(_vector, lambda array, index: np.full(_python_lanes(array), array[index]))
def broadcast(context, builder, sig, array, index):
    """``broadcast(array, index)``: one number in every lane."""
    place = address(context, builder, sig.args[0], array, index)
    number = builder.load(place, typ=context.get_data_type(sig.args[0].dtype))
    return spread(builder, number, sig.return_type.lanes)


@instruction(_vector, lambda like, value: np.full(_python_lanes(like), value, dtype=like.dtype))
def splat(context, builder, sig, like, value):
    """``splat(like, value)``: a value in every lane, in the dtype of `like`, an array or a vector."""
    vector = sig.return_type
    return spread(builder, context.cast(builder, value, sig.args[1], vector.dtype), vector.lanes)


# --- arithmetic ---


@instruction(_same, lambda a, b, c: a * b + c)
def fma(context, builder, sig, a, b, c):
    """``fma(a, b, c)``: ``a * b + c``, rounded once."""
    return llvm_math(builder, "fma", [a, b, c], a.type)


@instruction(_same, lambda a, b: np.where(a > b, a, b))
def maximum(context, builder, sig, a, b):
    """``maximum(a, b)``, lane by lane: one instruction, and ``b`` where ``a`` is NaN."""
    return builder.select(builder.fcmp_ordered(">", a, b), a, b)


@instruction(_same, lambda a, b: np.where(a < b, a, b))
def minimum(context, builder, sig, a, b):
    """``minimum(a, b)``, likewise."""
    return builder.select(builder.fcmp_ordered("<", a, b), a, b)


@instruction(_same, lambda test, a, b: np.where(test > 0, a, b))
def where_positive(context, builder, sig, test, a, b):
    """``where_positive(test, a, b)``: ``a`` in the lanes where ``test > 0``, else ``b``."""
    return builder.select(builder.fcmp_ordered(">", test, test.type(None)), a, b)


@instruction(_same, np.copysign)
def copysign(context, builder, sig, magnitude, sign):
    """``copysign(magnitude, sign)``."""
    return llvm_math(builder, "copysign", [magnitude, sign], magnitude.type)


@instruction(_same, np.abs)
def absolute(context, builder, sig, a):
    """``absolute(a)``."""
    return llvm_math(builder, "fabs", [a], a.type)


@instruction(_same, np.sqrt)
def square_root(context, builder, sig, a):
    """``square_root(a)``."""
    return llvm_math(builder, "sqrt", [a], a.type)


@instruction(_same, np.rint)
def nearest(context, builder, sig, a):
    """``nearest(a)``: the nearest whole number, ties to even."""
    return llvm_math(builder, "rint", [a], a.type)


@instruction(_same, lambda exponent: np.ldexp(np.ones_like(exponent), exponent.astype(np.int32)))
def power_of_two(context, builder, sig, exponent):
    """``power_of_two(exponent)``: 2 to a whole number within the exponent range of normal numbers."""
    kind = sig.return_type
    bits, mantissa, bias = (32, 23, 127) if kind.dtype == types.float32 else (64, 52, 1023)
    words = ir.VectorType(ir.IntType(bits), kind.lanes)
    biased = builder.add(builder.fptosi(exponent, words), ir.Constant(words, [bias] * kind.lanes))
    return builder.bitcast(builder.shl(biased, ir.Constant(words, [mantissa] * kind.lanes)), exponent.type)


def _shuffled(builder: Any, x: Any, y: Any, order: list[int]) -> Any:
    return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(ir.IntType(32), len(order)), order))


def _halved(builder: Any, x: Any, count: int) -> Any:
    """Emit the sum of the two halves of a vector of so many lanes."""
    half = count // 2
    low, high = list(range(half)), list(range(half, count))
    return builder.fadd(_shuffled(builder, x, x, low), _shuffled(builder, x, x, high))


def _python_total(a):
    while len(a) > 1:
        a = a[: len(a) // 2] + a[len(a) // 2 :]
    return a[0]


@instruction(_number, _python_total)
def total(context, builder, sig, a):
    """``total(a)``: the sum over the lanes.

    A tree over halves, written out: the order of the additions is fixed, so the bits are too.
    """
    count = sig.args[0].lanes
    while count > 1:
        a, count = _halved(builder, a, count), count // 2
    return builder.extract_element(a, ir.Constant(ir.IntType(32), 0))


def _python_put_totals(array, index, *vectors):
    for number, vector in enumerate(vectors):
        array[index + number] = _python_total(vector)


@instruction(nothing, _python_put_totals)
def put_totals(context, builder, sig, array, index, a, b, c, d):
    """``put_totals(array, index, a, b, c, d)``: write the `total` of each of four vectors, one behind the other."""
    vectors, count = [a, b, c, d], sig.args[2].lanes
    # The tree of `total`. When 4 lanes are left of each vector, pairs of vectors share one, and at last all four do.
    while count > 4:
        vectors, count = [_halved(builder, x, count) for x in vectors], count // 2
    pairs = [
        builder.fadd(_shuffled(builder, x, y, [0, 1, 4, 5]), _shuffled(builder, x, y, [2, 3, 6, 7]))
        for x, y in (vectors[:2], vectors[2:])
    ]
    sums = builder.fadd(_shuffled(builder, *pairs, [0, 2, 4, 6]), _shuffled(builder, *pairs, [1, 3, 5, 7]))
    store_vector(builder, sums, address(context, builder, sig.args[0], array, index))


def _python_dropout_factors(like, key, unit, threshold, scale):
    x = np.arange(unit, unit + len(like), dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(key)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    x = x ^ (x >> np.uint32(16))
    return np.where(x >= np.uint32(threshold), scale, 0.0).astype(like.dtype)


@instruction(_same, _python_dropout_factors)
def dropout_factors(context, builder, sig, like, key, unit, threshold, scale):
    """``dropout_factors(like, key, unit, threshold, scale)``: of units from `unit` on, `scale` where kept, else 0."""
    vector, word = sig.return_type, ir.IntType(32)
    words = ir.VectorType(word, vector.lanes)

    def constant(value: int) -> Any:
        return ir.Constant(words, [value] * vector.lanes)

    def to_words(whole: Any) -> Any:
        return spread(builder, builder.trunc(whole, word), vector.lanes)

    numbers = builder.add(to_words(unit), ir.Constant(words, list(range(vector.lanes))))
    x = builder.add(to_words(key), builder.mul(numbers, constant(0x9E3779B9)))
    x = builder.mul(builder.xor(x, builder.lshr(x, constant(16))), constant(0x7FEB352D))
    x = builder.mul(builder.xor(x, builder.lshr(x, constant(15))), constant(0x846CA68B))
    x = builder.xor(x, builder.lshr(x, constant(16)))
    kept = builder.icmp_unsigned(">=", x, to_words(threshold))
    factor = spread(builder, context.cast(builder, scale, sig.args[4], vector.dtype), vector.lanes)
    return builder.select(kept, factor, factor.type(None))


def _operator(function: Any, method: str) -> None:
    """Teach Numba an arithmetic operator on vectors."""

    @type_callable(function)
    def _type(context):
        return lambda a, b: a if isinstance(a, Vector) and a == b else None

    @lower_builtin(function, Vector, Vector)
    def _lower(context, builder, sig, args):
        return getattr(builder, method)(args[0], args[1], flags=_FAST)


for _function, _method in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operator(_function, _method)
