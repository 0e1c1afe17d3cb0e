import gc
import operator

import numba
import pytest
from numba.core import types
from numba.core.registry import cpu_target
from numba.core.types.functions import BaseFunction

from fastmlp.kernels.runtime import jit
from fastmlp.kernels.runtime.remembering import remembering_calls

FIND = BaseFunction.get_call_type


@pytest.fixture
def asked(monkeypatch):
    """What Numba was asked for: the arguments of every call that it resolved itself."""
    questions = []

    def find(self, context, args, kws):
        questions.append(args)
        return FIND(self, context, args, kws)

    monkeypatch.setattr(BaseFunction, "get_call_type", find)
    return questions


def resolve(add, *args):
    return add.get_call_type(cpu_target.typing_context, args, {})


@pytest.fixture
def add():
    cpu_target.typing_context.refresh()
    return cpu_target.typing_context.resolve_value_type(operator.add)


def test_a_call_is_resolved_once_for_the_same_types(asked, add):
    with remembering_calls():
        answers = [resolve(add, types.int64, types.int64) for _ in range(3)]
        assert resolve(add, types.float32, types.int64).return_type == types.float64
    assert {answer.return_type for answer in answers} == {types.int64}
    assert asked.count((types.int64, types.int64)) == asked.count((types.float32, types.int64)) == 1


def test_a_call_that_has_no_answer_is_asked_again(asked, add):
    with remembering_calls():
        for _ in range(2):
            with pytest.raises(numba.TypingError):
                resolve(add, types.int64, types.none)
    assert len(asked) == 2


def test_numba_is_as_it_was_afterwards():
    with pytest.raises(KeyError), remembering_calls():
        raise KeyError
    assert BaseFunction.get_call_type is FIND


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
def test_an_entry_is_compiled_with_it(asked, monkeypatch):
    monkeypatch.setattr(jit, "cache_folder", lambda: None)
    assert jit.entry(lambda a: a + a + a + a + a)(2) == 10
    assert asked.count((types.int64, types.int64)) == 1


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="nothing is compiled")
@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_is_not_collected_while_an_entry_is_compiled(enabled, monkeypatch):
    seen = set()

    def find(self, context, args, kws):
        seen.add(gc.isenabled())
        return FIND(self, context, args, kws)

    monkeypatch.setattr(BaseFunction, "get_call_type", find)
    monkeypatch.setattr(jit, "cache_folder", lambda: None)
    (gc.enable if enabled else gc.disable)()
    try:
        jit.entry(lambda a: a + a)(2)
        assert (seen, gc.isenabled()) == ({False}, enabled)
    finally:
        gc.enable()
