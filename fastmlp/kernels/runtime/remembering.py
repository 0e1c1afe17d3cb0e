"""Faster answers to what Numba asks itself while it compiles, by names that it does not document (floor 2; imports
numba).

`jit` does without where this file can't be imported.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from numba.core.types.functions import BaseFunction


@contextmanager
def remembering_calls() -> Iterator[None]:
    """Remember which implementation Numba takes for a call, instead of looking for it at every call.

    Numba asks every implementation that has ever been registered for a function, one after the other and in two forms
    each, whether it takes these types: for the ``+`` of two integers those of sets, strings and arrays too. The answer
    depends on the function and the types alone, and kernels ask the same few questions thousands of times: a third of
    the time that compiling took.

    To be used only while Numba's lock on the compiler is held. What other code in the process compiles is not touched.
    """
    find = BaseFunction.get_call_type
    # Beside the answer the function itself, which so keeps its identity.
    known: dict[tuple[int, tuple[Any, ...]], tuple[Any, Any]] = {}

    def get_call_type(self: Any, context: Any, args: tuple[Any, ...], kws: Any) -> Any:
        if kws:
            return find(self, context, args, kws)
        question = id(self), args
        if question not in known:
            known[question] = find(self, context, args, kws), self
        return known[question][0]

    BaseFunction.get_call_type = get_call_type
    try:
        yield
    finally:
        BaseFunction.get_call_type = find
