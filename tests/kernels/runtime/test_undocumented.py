"""Kernels are compiled, and kept, where Numba lacks the names that it does not document."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fastmlp
from fastmlp import Network
from fastmlp.kernels.runtime import jit

from ...interpreted import needs_compiler

pytestmark = needs_compiler

ROOT = Path(fastmlp.__file__).parents[1]

PART_OF = {
    "numba.core.caching": "caching",
    "numba.core.codegen": "linking",
    "numba.core.compiler": "linking",
    "numba.core.compiler_machinery": "linking",
    "numba.core.serialize": "caching",
    "numba.core.typed_passes": "linking",
    "numba.core.types.functions": "remembering",
}
"""By module what builds on it."""

# Numba itself needs its modules: only this package is not to find them.
WITHOUT = """
import builtins, sys
from numba.core.cpu import CPUTargetOptions
gone, import_ = sys.argv[1].split(), builtins.__import__

def import_others(name, globals=None, *arguments):
    if name in gone and (globals or {}).get("__name__", "").startswith("fastmlp."):
        raise ImportError(name)
    return import_(name, globals, *arguments)

builtins.__import__ = import_others
if "_nrt" in gone:
    for kind in CPUTargetOptions.__mro__:
        if "_nrt" in vars(kind):
            del kind._nrt
"""

SMALL = """
from fastmlp.kernels.runtime import jit

@jit.view
def same(a):
    return a

@jit.kernel
def double(a):
    return a + a

@jit.loop
def quadruple(a):
    return double(double(same(a)))

@jit.entry
def run(a):
    return quadruple(a)

jit.on_compile(lambda compilation: print("compiled", compilation.kept))
print(*(part for part in ("linking", "remembering", "caching") if getattr(jit, f"_{part}") is None))
print(run(3))
"""

TRAIN = """
import numpy as np
from fastmlp import Network
X = np.random.default_rng(0).normal(size=(200, 30)).astype(np.float32)
X[:, ::3] = 0
y = np.arange(200) % 3
net = Network([30, 20, 3], seed=0)
net.fit(X, y, epochs=2, batch_size=16, engine="numba", verbose=0)
"""


def shown(script, gone, folder, *arguments):
    """What a process of its own prints, without these names."""
    script_file = folder / "script.py"
    if not script_file.exists():  # older Numbas go by the time at which it was written
        script_file.write_text(WITHOUT + script)
    command = [sys.executable, "-W", "error", str(script_file), " ".join(gone), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "FASTMLP_CACHE_DIR": str(folder)}
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout.splitlines()


@pytest.mark.parametrize("gone", [*((module,) for module in PART_OF), ("_nrt",), (*PART_OF, "_nrt")], ids=" ".join)
def test_without_them_kernels_are_compiled_once_and_kept(gone, tmp_path):
    missing = {PART_OF[module] for module in gone if module in PART_OF}
    for compiled in (["compiled True"], []):
        parts, *rest = shown(SMALL, gone, tmp_path)
        assert set(parts.split()) == missing
        assert rest == [*compiled, "12"]


def test_where_numba_has_other_passes_its_own_are_used(monkeypatch):
    linking = pytest.importorskip("fastmlp.kernels.runtime.linking")
    monkeypatch.setattr(jit, "cache_folder", lambda: None)
    monkeypatch.setattr(linking, "NopythonTypeInference", None)
    double = jit.kernel(lambda a: a + a)
    assert jit.entry(lambda a: double(a))(3) == 6


@pytest.mark.slow
def test_without_them_networks_learn_the_same(tmp_path):
    file = tmp_path / "parameters.npy"
    shown(f"{TRAIN}np.save(sys.argv[2], net.state.parameters)", [*PART_OF, "_nrt"], tmp_path, str(file))
    scope = {"Network": Network}
    exec(TRAIN, scope)
    np.testing.assert_array_equal(np.load(file), scope["net"].state.parameters)
