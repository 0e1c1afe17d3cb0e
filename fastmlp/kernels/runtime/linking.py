"""Kernels compiled to LLVM's intermediate code only, by names that Numba does not document (floor 2; imports numba).

`jit` compiles as Numba does where this file can't be imported: the same code, in twice the time.
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import FunctionPass, register_pass
from numba.core.typed_passes import NopythonTypeInference


class _LinkOnlyLibrary(JITCodeLibrary):
    """A compiled function that is kept as LLVM's intermediate code, neither optimised nor turned into machine code.

    Numba would do both for every function, and again wherever it is linked into. To do it once, in the entry, takes
    half the time; and a loop that is unrolled twice is slower than one that is unrolled once.
    """

    @property
    def codegen(self) -> Any:
        return _WithoutEnvironments(self._codegen)

    def _optimize_functions(self, ll_module: Any) -> None:
        ll_module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        return 0  # there is no machine code


class _WithoutEnvironments:
    """A code generator that sets no function's environment: that is done in machine code."""

    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, *_: Any) -> None:
        pass


@register_pass(mutates_CFG=False, analysis_only=False)
class _LinkOnly(FunctionPass):
    """Numba's lowering makes a library of its own for a function that has none: give it ours."""

    _name = "fastmlp_link_only"

    def __init__(self) -> None:
        FunctionPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        state.library = _LinkOnlyLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        return True


_UNNEEDED = {
    "dead_branch_prune",
    "generic_rewrites",
    "inline_closure_likes",
    "inline_inlinables",
    "inline_overloads",
    "literal_unroll",
    "nopython_rewrites",
    "with_lifting",
}
"""Passes over Numba's own intermediate code that do nothing for kernels: they have no closures, array expressions,
``with`` blocks or `literal_unroll`. Each goes through all of it; without them compiling takes a twelfth less."""


class KernelCompiler(CompilerBase):
    """Numba's own compiler with that pass, and without the unneeded ones."""

    unneeded = frozenset(_UNNEEDED)

    def define_pipelines(self) -> list[Any]:
        """Do what Numba's method of this name says."""
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        try:
            passes.add_pass_after(_LinkOnly, NopythonTypeInference)
            passes.passes = [(step, name) for step, name in passes.passes if step._name not in self.unneeded]
            passes.finalize()
        except Exception:  # a Numba whose passes are others
            passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        return [passes]


class LoopCompiler(KernelCompiler):
    """The same for functions that call a `view`."""

    unneeded = KernelCompiler.unneeded - {"inline_inlinables"}
