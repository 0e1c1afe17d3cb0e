"""Checks that arguments of every kind share (floor 0; imports numpy, errors).

NumPy's scalars are taken wherever Python's are, and become Python's, so that what is kept prints and saves alike.
"""

import datetime
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from .errors import ArgumentError, ArgumentTypeError, unknown_argument

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)


def check_whole(value: object, name: str, low: int, high: int) -> int:
    """Return `value` as an int between `low` and `high`, or say what it should be.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Out of the range, or not a whole number.

    Examples
    --------
    >>> check_whole(np.int64(3), "epochs", 1, 10)
    3
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentTypeError(f"{name} must be a whole number, got {plain(value)!r}")
    if not low <= value <= high:
        raise ArgumentError(f"{name} must lie between {low} and {high}, got {value}")
    return int(value)


def check_number(value: object, name: str, expected: str = "a number") -> int | float:
    """Return `value` as an int or float, as it came; or say that it must be `expected`.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Not a real number; truth values are none. Or a whole number beyond all floats.

    Examples
    --------
    >>> check_number(np.float64(0.5), "l2")
    0.5
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ArgumentTypeError(f"{name} must be {expected}, got {plain(value)!r}")
    number: int | float = plain(value)
    if isinstance(number, int) and abs(number) > sys.float_info.max:
        raise ArgumentError(f"{name} must be {expected} of at most {sys.float_info.max:.1e} in size")
    return number


def check_size(value: object, name: str) -> int | float:
    """Return `value` as a finite number that is not negative.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        Negative, infinite or NaN, or not a number.
    """
    number = check_number(value, name)
    if not (math.isfinite(number) and number >= 0):
        raise ArgumentError(f"{name} must be finite and >= 0, got {number!r}")
    return number


def check_switch(value: object, name: str) -> bool:
    """Return `value` as a bool, or say that it must be one."""
    if not isinstance(value, bool | np.bool_):
        raise ArgumentTypeError(f"{name} must be True or False, got {plain(value)!r}")
    return bool(value)


@contextmanager
def naming(argument: str) -> Iterator[None]:
    """Have errors of what is done here name the argument, where they come from code that doesn't know it.

    Examples
    --------
    >>> with naming("hidden"):
    ...     raise ArgumentError("unknown activation 'rellu'")
    Traceback (most recent call last):
    fastmlp.errors.ArgumentError: hidden: unknown activation 'rellu'
    """
    try:
        yield
    except (ArgumentError, ArgumentTypeError) as error:
        if argument in str(error):
            raise
        raise type(error)(f"{argument}: {error}") from None


def check_unmasked(values: object, name: str) -> None:
    """Say so when values are masked: their numbers are still there, and would be taken for measured ones."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        hidden = int(np.asarray(values.mask).sum())
        raise ArgumentError(
            f"{name} has {hidden} masked value{'s' * (hidden > 1)}; drop those rows, or fill them in: {name}.filled(0)"
        )


_NO_NUMBERS = (str, bytes, datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
"""Objects that NumPy would turn into floats, or pandas into nanoseconds."""


def as_numbers(values: object, name: str) -> NDArray[Any]:
    """Return real numbers as an array: of the dtype in which they came, or of float64 where they came as objects.

    Text, dates and complex numbers are none, though NumPy converts some of them to floats.

    Raises
    ------
    ArgumentError
        Masked values, rows of different lengths, or a whole number beyond all floats.
    ArgumentTypeError
        Something else than numbers.

    Examples
    --------
    >>> as_numbers([1, 2.5], "y")
    array([1. , 2.5])
    """
    check_dense(values, name)
    check_unmasked(values, name)
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise ArgumentError(f"{name} must hold numbers in rows of the same length; NumPy says: {error}") from None
    if array.dtype == object:
        array = objects_as_floats(array, name)
    if array.dtype.kind not in "biuf":
        shown = f", got {values!r}" if array.size == 1 else f", got dtype {array.dtype}"
        raise ArgumentTypeError(f"{name} must hold numbers{shown}; encode text and dates as numbers first")
    return array


def objects_as_floats(array: NDArray[Any], name: str) -> NDArray[np.float64]:
    """Return an array of objects that are real numbers as one of float64; None and pandas' NA become NaN.

    Raises
    ------
    ArgumentError, ArgumentTypeError
        As `as_numbers`.
    """
    strange = next((index for index, value in enumerate(array.flat) if isinstance(value, _NO_NUMBERS)), None)
    if strange is not None:
        where = _place_in(array, strange)
        raise ArgumentTypeError(
            f"{name} must hold numbers, got {array.flat[strange]!r}{where}; encode text and dates as numbers first"
        )
    missing = [index for index, value in enumerate(array.flat) if type(value).__name__ == "NAType"]
    if missing:
        array = array.copy()
        array.flat[missing] = np.nan
    try:
        return array.astype(np.float64)
    except OverflowError:
        raise ArgumentError(f"{name} holds a whole number of more than {sys.float_info.max:.1e} in size") from None
    except (TypeError, ValueError) as error:
        raise ArgumentTypeError(f"{name} must hold numbers only; NumPy says: {error}") from None


def _place_in(array: NDArray[Any], index: int) -> str:
    """Say in which row, and of a table in which column, an element is, counted from 0."""
    place = [int(number) for number in np.unravel_index(index, array.shape)]
    if array.ndim not in (1, 2):
        return ""
    return f" at row {place[0]}" + (f", column {place[1]}" if array.ndim == 2 else "")


def check_dense(values: object, name: str) -> None:
    """Say so when values are a sparse matrix where an array is needed."""
    if hasattr(values, "tocsr"):
        raise ArgumentTypeError(f"{name} must be an array, but it is a sparse matrix; give {name}.toarray()")


def plain(value: Any) -> Any:
    """Return NumPy's scalars as Python's, and all else as it is."""
    return value.item() if isinstance(value, np.generic) else value


def explained(method: Callable[P, R]) -> Callable[P, R]:
    """Have a function or method that is called with an argument that it doesn't take say what to write instead.

    Examples
    --------
    >>> class Layer:
    ...     @explained
    ...     def __init__(self, units): ...
    >>> Layer(unit=3)
    Traceback (most recent call last):
    fastmlp.errors.ArgumentTypeError: Layer has no argument 'unit'; did you mean 'units'? Known: units
    """
    code = method.__code__
    by_place = code.co_argcount
    names = code.co_varnames[: by_place + code.co_kwonlyargcount]
    known = frozenset(names)
    bound = int(names[:1] in (("self",), ("cls",)))  # a method's first argument, which nobody gives
    call = method.__qualname__.rpartition("<locals>.")[2].removesuffix(".__init__")

    @wraps(method)
    def checked(*args: P.args, **given: P.kwargs) -> R:
        for name in given:
            if name not in known:
                raise unknown_argument(call, name, given[name], names[bound:])
        if len(args) > by_place:
            raise _too_many(call, args[bound:], names[bound:by_place], names[by_place:])
        return method(*args, **given)

    return checked


def explained_class(cls: C) -> C:
    """Do the same for the constructor that a dataclass was given."""
    cls.__init__ = explained(cls.__init__)  # type: ignore[misc]
    return cls


def _too_many(
    call: str, values: tuple[Any, ...], by_place: tuple[str, ...], by_name: tuple[str, ...]
) -> ArgumentTypeError:
    """Make the error for more values than a call takes without their names."""
    if call == "Network" and all(isinstance(value, int | np.integer) or hasattr(value, "units") for value in values):
        remedy = f"; give the layers as one list: Network({list(map(plain, values))})"
    else:
        remedy = f"; name the others, such as {by_name[0]}={plain(values[len(by_place)])!r}" if by_name else ""
    return ArgumentTypeError(
        f"{call} takes {len(by_place)} argument{'s' * (len(by_place) != 1)} without names, {', '.join(by_place)}, "
        f"and got {len(values)}{remedy}"
    )
