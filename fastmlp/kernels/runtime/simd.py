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

import operator
from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
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


def address(context: Any, builder: Any, array_type: Any, array: Any, index: Any) -> Any:
    """Emit the address of an element of a flat array, or of what a pointer points to."""
    if isinstance(array_type, Pointer):
        data = builder.bitcast(array, context.get_data_type(array_type.dtype).as_pointer())
    else:
        data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [index], source_etype=context.get_data_type(array_type.dtype), inbounds=True)


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


# --- reading and writing ---


@intrinsic
def _pointer(typingctx, array):
    def codegen(context, builder, sig, args):
        data = context.make_array(sig.args[0])(context, builder, args[0]).data
        return builder.bitcast(data, ir.IntType(8).as_pointer())

    return Pointer(array.dtype)(array), codegen


@intrinsic
def _moved(typingctx, pointer, count):
    def codegen(context, builder, sig, args):
        place = address(context, builder, sig.args[0], args[0], args[1])
        return builder.bitcast(place, ir.IntType(8).as_pointer())

    return pointer(pointer, types.intp), codegen


@intrinsic
def _where(typingctx, pointer, index):
    def codegen(context, builder, sig, args):
        return builder.ptrtoint(address(context, builder, sig.args[0], args[0], args[1]), args[1].type)

    return types.intp(pointer, types.intp), codegen


@intrinsic
def _load(typingctx, array, index):
    def codegen(context, builder, sig, args):
        place = address(context, builder, sig.args[0], args[0], args[1])
        return load_vector(builder, place, vector_type(context, sig.return_type))

    return Vector(array.dtype)(array, types.intp), codegen


@intrinsic
def _load_bytes(typingctx, template, array, index):
    vector = Vector(template.dtype)

    def codegen(context, builder, sig, args):
        place = address(context, builder, sig.args[1], args[1], args[2])
        raw = load_vector(builder, place, ir.VectorType(ir.IntType(8), vector.lanes), 1)
        return builder.uitofp(raw, vector_type(context, vector))

    return vector(template, array, types.intp), codegen


@intrinsic
def _store(typingctx, array, index, vector):
    def codegen(context, builder, sig, args):
        store_vector(builder, args[2], address(context, builder, sig.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), codegen


@intrinsic
def _get(typingctx, array, index):
    def codegen(context, builder, sig, args):
        return builder.load(
            address(context, builder, sig.args[0], args[0], args[1]), typ=context.get_data_type(array.dtype)
        )

    return array.dtype(array, types.intp), codegen


@intrinsic
def _put(typingctx, array, index, value):
    def codegen(context, builder, sig, args):
        scalar = context.cast(builder, args[2], sig.args[2], sig.args[0].dtype)
        builder.store(scalar, address(context, builder, sig.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), codegen


@intrinsic
def _broadcast(typingctx, array, index):
    vector = Vector(array.dtype)

    def codegen(context, builder, sig, args):
        place = address(context, builder, sig.args[0], args[0], args[1])
        return spread(builder, builder.load(place, typ=context.get_data_type(array.dtype)), vector.lanes)

    return vector(array, types.intp), codegen


@intrinsic
def _splat_like(typingctx, template, value):
    vector = template if isinstance(template, Vector) else Vector(template.dtype)

    def codegen(context, builder, sig, args):
        scalar = context.cast(builder, args[1], sig.args[1], vector.dtype)
        return spread(builder, scalar, vector.lanes)

    return vector(template, value), codegen


@intrinsic
def _lanes(typingctx, array):
    count = Vector(array.dtype).lanes

    def codegen(context, builder, sig, args):
        return context.get_constant(types.intp, count)

    return types.intp(array), codegen


@intrinsic
def _line(typingctx, array):
    count = CACHE_LINE * 8 // array.dtype.bitwidth

    def codegen(context, builder, sig, args):
        return context.get_constant(types.intp, count)

    return types.intp(array), codegen


@intrinsic
def _is_single(typingctx, template):
    single = template.dtype == types.float32

    def codegen(context, builder, sig, args):
        return context.get_constant(types.boolean, single)

    return types.boolean(template), codegen


@intrinsic
def _prefetch(typingctx, array, index):
    def codegen(context, builder, sig, args):
        prefetch_at(builder, address(context, builder, sig.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


@intrinsic
def _write_back(typingctx, array, index):
    def codegen(context, builder, sig, args):
        place = address(context, builder, sig.args[0], args[0], args[1])
        word = ir.IntType(array.dtype.bitwidth)
        place = builder.bitcast(place, word.as_pointer())
        # Atomic, because LLVM would drop a plain store of what was just read.
        same = builder.load_atomic(place, "monotonic", array.dtype.bitwidth // 8, typ=word)
        builder.store_atomic(same, place, "monotonic", array.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, types.intp), codegen


# --- arithmetic ---


@intrinsic
def _fma(typingctx, a, b, c):
    def codegen(context, builder, sig, args):
        return llvm_math(builder, "fma", list(args), args[0].type)

    return a(a, b, c), codegen


def _unary(name: str) -> Any:
    @intrinsic
    def operation(typingctx, a):
        def codegen(context, builder, sig, args):
            return llvm_math(builder, name, list(args), args[0].type)

        return a(a), codegen

    return operation


def _comparing(predicate: str) -> Any:
    """``a`` where the comparison of ``a`` with ``b`` holds, else ``b``: one instruction, and NaN in ``a`` gives
    ``b``.
    """

    @intrinsic
    def operation(typingctx, a, b):
        def codegen(context, builder, sig, args):
            return builder.select(builder.fcmp_ordered(predicate, args[0], args[1]), args[0], args[1])

        return a(a, b), codegen

    return operation


@intrinsic
def _where_positive(typingctx, test, a, b):
    def codegen(context, builder, sig, args):
        zero = ir.Constant(args[0].type, None)
        return builder.select(builder.fcmp_ordered(">", args[0], zero), args[1], args[2])

    return a(test, a, b), codegen


@intrinsic
def _copysign(typingctx, magnitude, sign):
    def codegen(context, builder, sig, args):
        return llvm_math(builder, "copysign", list(args), args[0].type)

    return magnitude(magnitude, sign), codegen


@intrinsic
def _power_of_two(typingctx, exponent):
    bits, mantissa, bias = (32, 23, 127) if exponent.dtype == types.float32 else (64, 52, 1023)

    def codegen(context, builder, sig, args):
        words = ir.VectorType(ir.IntType(bits), sig.return_type.lanes)
        whole = builder.fptosi(args[0], words)
        biased = builder.add(whole, ir.Constant(words, [bias] * sig.return_type.lanes))
        shifted = builder.shl(biased, ir.Constant(words, [mantissa] * sig.return_type.lanes))
        return builder.bitcast(shifted, args[0].type)

    return exponent(exponent), codegen


@intrinsic
def _sum(typingctx, a):
    def codegen(context, builder, sig, args):
        # A tree over halves, written out: the order of the additions is fixed, so the bits are too.
        lanes, vector = sig.args[0].lanes, args[0]
        while lanes > 1:
            lanes //= 2
            word = ir.IntType(32)
            low = ir.Constant(ir.VectorType(word, lanes), list(range(lanes)))
            high = ir.Constant(ir.VectorType(word, lanes), list(range(lanes, 2 * lanes)))
            undefined = ir.Constant(vector.type, ir.Undefined)
            vector = builder.fadd(
                builder.shuffle_vector(vector, undefined, low), builder.shuffle_vector(vector, undefined, high)
            )
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), 0))

    return a.dtype(a), codegen


@intrinsic
def _put_totals(typingctx, array, index, a, b, c, d):
    def codegen(context, builder, sig, args):
        word, vectors, lanes = ir.IntType(32), list(args[2:]), sig.args[2].lanes

        def chosen(x: Any, y: Any, order: list[int]) -> Any:
            return builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(word, len(order)), order))

        # The tree of `_sum`. When 4 lanes are left of each vector, pairs of vectors share one, and at last all four do.
        while lanes > 4:
            lanes //= 2
            low, high = list(range(lanes)), list(range(lanes, 2 * lanes))
            vectors = [builder.fadd(chosen(x, x, low), chosen(x, x, high)) for x in vectors]
        pairs = [
            builder.fadd(chosen(x, y, [0, 1, 4, 5]), chosen(x, y, [2, 3, 6, 7])) for x, y in (vectors[:2], vectors[2:])
        ]
        sums = builder.fadd(chosen(*pairs, [0, 2, 4, 6]), chosen(*pairs, [1, 3, 5, 7]))
        store_vector(builder, sums, address(context, builder, sig.args[0], args[0], args[1]))
        return context.get_dummy_value()

    return types.void(array, types.intp, a, a, a, a), codegen


@intrinsic
def _dropout_factors(typingctx, x, key, unit, threshold, scale):
    vector = x

    def codegen(context, builder, sig, args):
        lanes, word = vector.lanes, ir.IntType(32)
        words = ir.VectorType(word, lanes)
        _, key_, unit_, threshold_, scale_ = args

        def splat(value: int) -> Any:
            return ir.Constant(words, [value] * lanes)

        def to_words(whole: Any) -> Any:
            return spread(builder, builder.trunc(whole, word), lanes)

        numbers = builder.add(to_words(unit_), ir.Constant(words, list(range(lanes))))
        x = builder.add(to_words(key_), builder.mul(numbers, splat(0x9E3779B9)))
        x = builder.mul(builder.xor(x, builder.lshr(x, splat(16))), splat(0x7FEB352D))
        x = builder.mul(builder.xor(x, builder.lshr(x, splat(15))), splat(0x846CA68B))
        x = builder.xor(x, builder.lshr(x, splat(16)))
        kept = builder.icmp_unsigned(">=", x, to_words(threshold_))
        factor = spread(builder, context.cast(builder, scale_, types.float64, vector.dtype), lanes)
        return builder.select(kept, factor, ir.Constant(factor.type, None))

    n = types.int64
    return vector(vector, n, n, n, types.float64), codegen


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


# --- the names kernels use, with a Python form of each for NUMBA_DISABLE_JIT ---


def _python_lanes(template: Any) -> int:
    return WIDEST // (8 * template.dtype.itemsize)


def _python_dropout_factors(like, key, unit, threshold, scale):
    x = np.arange(unit, unit + len(like), dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(key)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B)
    x = x ^ (x >> np.uint32(16))
    return np.where(x >= np.uint32(threshold), scale, 0.0).astype(like.dtype)


def _python_store(array, index, vector):
    array[index : index + len(vector)] = vector


def _python_get(array, index):
    number = array[index]
    return number if array.dtype.kind == "f" else int(number)  # Numba computes with whole numbers of 64 bits


def _python_put(array, index, value):
    array[index] = np.asarray(value).astype(array.dtype)  # what doesn't fit wraps around


def _python_put_totals(array, index, *vectors):
    for number, vector in enumerate(vectors):
        array[index + number] = _python_sum(vector)


def _python_sum(a):
    while len(a) > 1:
        a = a[: len(a) // 2] + a[len(a) // 2 :]
    return a[0]


if INTERPRETED:
    lanes = _python_lanes
    line = lambda template: CACHE_LINE // template.dtype.itemsize
    is_single = lambda template: template.dtype == np.float32
    load = lambda array, index: array[index : index + _python_lanes(array)].copy()
    load_bytes = lambda template, array, index: array[index : index + _python_lanes(template)].astype(template.dtype)
    store = _python_store
    get = _python_get
    pointer = lambda array: array.reshape(-1)
    moved = lambda pointer, count: pointer[count:]
    put = _python_put
    prefetch = write_back = lambda array, index: None
    where = lambda pointer, index: 0
    broadcast = lambda array, index: np.full(_python_lanes(array), array[index])
    splat = lambda template, value: np.full(_python_lanes(template), value, dtype=template.dtype)
    fma = lambda a, b, c: a * b + c
    maximum = lambda a, b: np.where(a > b, a, b)
    minimum = lambda a, b: np.where(a < b, a, b)
    where_positive = lambda test, a, b: np.where(test > 0, a, b)
    copysign = np.copysign
    absolute = np.abs
    square_root = np.sqrt
    nearest = np.rint
    power_of_two = lambda exponent: np.ldexp(np.ones_like(exponent), exponent.astype(np.int32))
    total = _python_sum
    put_totals = _python_put_totals
    dropout_factors = _python_dropout_factors
else:
    lanes = _lanes
    """``lanes(array)``: numbers in a vector of the array's dtype; a constant to the compiler."""
    line = _line
    """``line(array)``: numbers of the array's dtype in a cache line; a constant to the compiler."""
    is_single = _is_single
    """``is_single(template)``: whether an array or a vector is of float32; a constant to the compiler."""
    load = _load
    """``load(array, index)``: the vector that starts at the index."""
    load_bytes = _load_bytes
    """``load_bytes(template, array, index)``: the bytes that start at the index, as a vector of the template's dtype.
    """
    store = _store
    """``store(array, index, vector)``."""
    get = _get
    """``get(array, index)``: one number."""
    pointer = _pointer
    """``pointer(array)``: where the numbers of a contiguous array begin, flat or not. All functions here take one for
    an array."""
    moved = _moved
    """``moved(pointer, count)``: where the numbers begin that lie so many behind those of a pointer."""
    where = _where
    """``where(pointer, index)``: the address of an element, a number."""
    put = _put
    """``put(array, index, value)``: write one number."""
    prefetch = _prefetch
    """``prefetch(array, index)``: have the memory around an element on its way to the cache; changes nothing."""
    write_back = _write_back
    """``write_back(array, index)``: read one number and write it to its place again, so that this thread's processor
    owns its cache line; see `exchange`."""
    broadcast = _broadcast
    """``broadcast(array, index)``: one number in every lane."""
    splat = _splat_like
    """``splat(template, value)``: a value in every lane, in the dtype of the template, an array or a vector."""
    fma = _fma
    """``fma(a, b, c)``: ``a * b + c``, rounded once."""
    maximum = _comparing(">")
    """``maximum(a, b)``, lane by lane; ``b`` where ``a`` is NaN."""
    minimum = _comparing("<")
    """``minimum(a, b)``, lane by lane; ``b`` where ``a`` is NaN."""
    where_positive = _where_positive
    """``where_positive(test, a, b)``: ``a`` in the lanes where ``test > 0``, else ``b``."""
    copysign = _copysign
    """``copysign(magnitude, sign)``."""
    absolute = _unary("fabs")
    """``absolute(a)``."""
    square_root = _unary("sqrt")
    """``square_root(a)``."""
    nearest = _unary("rint")
    """``nearest(a)``: the nearest whole number, ties to even."""
    power_of_two = _power_of_two
    """``power_of_two(exponent)``: 2 to a whole number within the exponent range of normal numbers."""
    total = _sum
    """``total(a)``: the sum over the lanes, always in the same order."""
    put_totals = _put_totals
    """``put_totals(array, index, a, b, c, d)``: write the `total` of each of four vectors, one behind the other."""
    dropout_factors = _dropout_factors
    """``dropout_factors(like, key, unit, threshold, scale)``: of units from `unit` on, `scale` where kept, else 0."""
