"""Records: what belongs together as one value with named fields (floor 2; imports llvmlite, numba, numpy).

A record is a table of fields of 8 bytes each: integers, floats, and addresses of numbers or of other records. A class
declares a field once, with its type and a sentence::

    class Layer(Record):
        fan_in = whole("Inputs of a unit: rows of the weights.")
        dropout_scale = real("1 / (1 - rate).")

Python fills the table by ``layer.fan_in = 784``; to a kernel that is given the object, ``layer.fan_in`` is one load,
without a test. What Python puts in a field of numbers stays alive as long as the record. Kernels take a field to be
constant, and may read it once for all, unless it was declared as `changing`.

With ``NUMBA_DISABLE_JIT=1`` kernels get the object itself.
"""

import ctypes
import operator
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from llvmlite import ir
from numba import from_dtype, types
from numba.core.typing.templates import AttributeTemplate  # what `infer_getattr` takes; documented by no name
from numba.extending import (
    infer_getattr,
    lower_builtin,
    lower_getattr_generic,
    lower_setattr_generic,
    models,
    register_model,
    type_callable,
)

from .jit import INTERPRETED
from .simd import Pointer, instruction

_byte_address, _first_byte = ctypes.addressof, ctypes.c_char.from_buffer
WORD, BYTES = ir.IntType(64), ir.IntType(8).as_pointer()


class Field:
    """A field of a record; also what Python reads and writes it by.

    Parameters
    ----------
    sentence : str
    changing : bool
        Whether kernels write it.
    """

    name, place = "", -1
    generic = False
    """Whether its type depends on the dtype of the network."""

    def __init__(self, sentence: str, changing: bool = False) -> None:
        self.__doc__, self.changing = sentence, changing

    def type_in(self, dtype: Any) -> Any:
        """Numba's type of the field in a record of a network of this dtype."""
        raise NotImplementedError

    def __get__(self, record: Any, owner: Any = None) -> Any:
        return self if record is None else record.alive[self.name]

    def __set__(self, record: Any, value: Any) -> None:
        record.alive[self.name], record.table[self.place] = value, value.address


class _Whole(Field):
    def type_in(self, dtype: Any) -> Any:
        return types.int64

    def __get__(self, record: Any, owner: Any = None) -> Any:
        return self if record is None else int(record.table[self.place])

    def __set__(self, record: Any, value: Any) -> None:
        record.table[self.place] = value


class _Real(Field):
    def type_in(self, dtype: Any) -> Any:
        return types.float64

    def __get__(self, record: Any, owner: Any = None) -> Any:
        return self if record is None else float(record.table.view(np.float64)[self.place])

    def __set__(self, record: Any, value: Any) -> None:
        record.table.view(np.float64)[self.place] = value


class _Numbers(Field):
    def __init__(self, sentence: str, dtype: Any = None, changing: bool = False) -> None:
        super().__init__(sentence, changing)
        self.dtype, self.generic = None if dtype is None else np.dtype(dtype), dtype is None

    def type_in(self, dtype: Any) -> Any:
        return Pointer(dtype if self.dtype is None else from_dtype(self.dtype))

    def __set__(self, record: Any, value: Any) -> None:
        if not value.flags.c_contiguous or value.dtype != (self.dtype or record.dtype):
            raise TypeError(f"{self.name}: {value.dtype} numbers, not contiguous or not of the dtype of the field")
        record.alive[self.name] = value if value.ndim == 1 else value.reshape(-1)
        record.table[self.place] = address_of(value) if value.size else 0


class _Reference(Field):
    def __init__(self, kind: Any, sentence: str, several: bool = False) -> None:
        super().__init__(sentence)
        self.kind, self.several, self.generic = kind, several, kind.generic

    def type_in(self, dtype: Any) -> Any:
        return (RecordsType if self.several else RecordType)(self.kind, dtype)


whole: Any = _Whole
"""``whole(sentence, changing=False)`` declares an integer,"""
real: Any = _Real
"""``real(sentence, changing=False)`` a float of 64 bits,"""
numbers_of: Any = _Numbers
"""``numbers_of(sentence, dtype=None, changing=False)`` the address of numbers, of this dtype or that of the network,"""
record: Any = _Reference
"""``record(kind, sentence, several=False)`` that of another record, or of several, one behind the other."""


def address_of(array: Any) -> int:
    """Where an array's numbers begin; what NumPy itself offers takes twice as long."""
    try:
        return _byte_address(_first_byte(array))
    except TypeError:  # not to be written
        return int(array.__array_interface__["data"][0])


class Record:
    """What belongs together, as Python has it.

    Parameters
    ----------
    dtype : dtype, optional
        Of the network; not needed by records that hold none of its numbers.
    table : ndarray of int64, shape (n_fields,), optional
        The fields, if they lie somewhere already.
    **values
        Of the fields; 0 for those that are not there.
    """

    fields: ClassVar[dict[str, Field]] = {}
    generic: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        cls.fields = {name: field for name, field in vars(cls).items() if isinstance(field, Field)}
        for place, (name, field) in enumerate(cls.fields.items()):
            field.name, field.place = name, place
        cls.generic = any(field.generic for field in cls.fields.values())

    def __init__(self, dtype: Any = None, table: Any = None, **values: Any) -> None:
        self.dtype = np.dtype(dtype) if self.generic else None
        self.table = np.zeros(len(self.fields), np.int64) if table is None else table
        self.address = address_of(self.table)
        self.alive: dict[str, Any] = {}
        self.enter(**values)

    def enter(self, **values: Any) -> None:
        """Write fields."""
        fields, table = self.fields, self.table
        for name, value in values.items():
            field = fields[name]
            if type(field) is _Whole:
                table[field.place] = value
            else:
                field.__set__(self, value)

    def lend(self, **arrays: Any) -> None:
        """Write where arrays lie that are the caller's, who keeps them alive, and knows that they fit their fields."""
        if INTERPRETED:
            self.enter(**arrays)
            return
        fields, table = self.fields, self.table
        for name, array in arrays.items():
            table[fields[name].place] = address_of(array)

    def forget(self, *names: str) -> None:
        """Don't keep what these fields refer to any longer: they may not be read before they are written again."""
        for name in names:
            self.alive.pop(name, None)

    @property
    def handle(self) -> tuple[Any, Any]:
        """What an entry is given for the record: arrays, whose types Numba finds without running Python.

        That is a fifth of the time, and a KeyboardInterrupt can't break into it.
        """
        return (self, self) if INTERPRETED else (self.table, np.empty(0, self.dtype))

    def copy(self) -> Any:
        """Return a record of the same values, with a table of its own."""
        other = type(self)(self.dtype, self.table.copy())
        other.alive.update(self.alive)
        return other


class Records:
    """Several records of a kind, one behind the other; none of them holds numbers.

    Parameters
    ----------
    kind : type
        Subclass of `Record`.
    count : int
    value : int, default 0
        Of all fields at first.
    """

    def __init__(self, kind: Any, count: int, value: int = 0) -> None:
        self.kind, self.table = kind, np.full((count, len(kind.fields)), value, np.int64)
        self.address = address_of(self.table)
        self._records = [kind(table=row) for row in self.table]

    def __getitem__(self, n: int) -> Any:
        return self._records[n]

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._records)

    def copy(self) -> "Records":
        """Return records of the same values."""
        other = Records(self.kind, len(self))
        other.table[...] = self.table
        return other


# --- the same in compiled code ---


class RecordType(types.Type):
    """The Numba type of a record of a class, of a network of this dtype: its address."""

    def __init__(self, kind: Any, dtype: Any) -> None:
        self.kind, self.dtype = kind, dtype if kind.generic else None
        super().__init__(name=f"{type(self).__name__}({kind.__name__}, {self.dtype})")


class RecordsType(RecordType):
    """That of several records."""


@register_model(RecordType)
@register_model(RecordsType)
class _AddressModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: RecordType) -> None:
        super().__init__(manager, fe_type, BYTES)


def taken(kind: Any) -> Any:
    """Make the function ``take(table, like)`` by which an entry gets a record from its handle.

    `like` is an array of the network's dtype.
    """

    @instruction(lambda _, like: RecordType(kind, like.dtype), lambda table, _: table)
    def take(context, builder, sig, table, like):
        return builder.bitcast(context.make_array(sig.args[0])(context, builder, table).data, BYTES)

    return take


@infer_getattr
class _Fields(AttributeTemplate):
    key = RecordType

    def generic_resolve(self, kind: Any, name: str) -> Any:
        field = kind.kind.fields.get(name)
        return None if field is None or isinstance(kind, RecordsType) else field.type_in(kind.dtype)


def _place(context: Any, builder: Any, kind: Any, address: Any, name: str) -> tuple[Any, Any]:
    """Emit where a field lies; and the LLVM type of what lies there."""
    field = kind.kind.fields[name]
    words = builder.bitcast(address, WORD.as_pointer())
    place = builder.gep(words, [ir.Constant(WORD, field.place)], source_etype=WORD, inbounds=True)
    data = context.get_data_type(field.type_in(kind.dtype))
    return builder.bitcast(place, data.as_pointer()), data


@lower_getattr_generic(RecordType)
def _read(context: Any, builder: Any, kind: Any, address: Any, name: str) -> Any:
    place, data = _place(context, builder, kind, address, name)
    loaded = builder.load(place, typ=data)
    if not kind.kind.fields[name].changing:
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
    return loaded


@lower_setattr_generic(RecordType)
def _write(context: Any, builder: Any, sig: Any, args: Any, name: str) -> Any:
    kind, given = sig.args
    place, _ = _place(context, builder, kind, args[0], name)
    builder.store(context.cast(builder, args[1], given, kind.kind.fields[name].type_in(kind.dtype)), place)
    return context.get_dummy_value()


@type_callable(operator.getitem)
def _type_element(context: Any) -> Any:
    def type_of(records: Any, index: Any) -> Any:
        if isinstance(records, RecordsType) and isinstance(index, types.Integer):
            return RecordType(records.kind, records.dtype)(records, types.intp)
        return None

    return type_of


@lower_builtin(operator.getitem, RecordsType, types.intp)
def _element(context: Any, builder: Any, sig: Any, args: Any) -> Any:
    place = builder.mul(args[1], context.get_constant(types.intp, len(sig.args[0].kind.fields)))
    words = builder.bitcast(args[0], WORD.as_pointer())
    return builder.bitcast(builder.gep(words, [place], source_etype=WORD, inbounds=True), BYTES)
