"""The cache of compiled kernels: what it depends on, and that no state of it can do harm."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastmlp.kernels.runtime import cache_folder

from ...interpreted import needs_compiler

pytestmark = needs_compiler

# Uses the smallest of the entries, and says when it is compiled.
COMPRESS = """
import numpy as np
from fastmlp.kernels.runtime import jit
jit.on_compile(lambda *_: print("compiled"))
from fastmlp.kernels.runtime.records import Parting
from fastmlp.kernels.sparse.parting import part_rows
columns, values, starts = np.zeros(18, np.uint16), np.zeros(18, np.uint8), np.zeros(3, np.int64)
how = Parting(features=2, multiple=1, names=np.arange(2, dtype=np.uint32), chosen=np.zeros(2, np.uint8))
part_rows(columns, values, starts, np.zeros(16, np.uint8), np.array([0, 5, 7, 0], np.uint8), *how.handle)
print(columns[:2].tolist(), values[:2].tolist())
"""
RIGHT = ["[1, 0] [5, 7]"]
COMPILED = ["compiled", *RIGHT]


def compress(**environment):
    """What a process of its own prints; an environment variable that is None is not there."""
    changed = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    shown = subprocess.run(
        [sys.executable, "-W", "error", "-c", COMPRESS], capture_output=True, text=True, check=True, env=changed
    )
    return shown.stdout.splitlines()


@pytest.fixture(scope="module")
def full_cache(tmp_path_factory):
    """A cache folder that holds the kernel."""
    folder = tmp_path_factory.mktemp("cache")
    assert compress(FASTMLP_CACHE_DIR=str(folder)) == COMPILED
    return folder


@pytest.fixture
def cache(full_cache, tmp_path):
    """A copy of it, to be spoiled."""
    return shutil.copytree(full_cache, tmp_path / "cache")


def test_what_was_compiled_is_kept(cache):
    assert compress(FASTMLP_CACHE_DIR=str(cache)) == RIGHT


def test_the_cache_can_be_left_out(cache):
    assert compress(FASTMLP_CACHE_DIR=str(cache), FASTMLP_CACHE="0") == COMPILED


@pytest.mark.parametrize(
    "environment",
    [
        {"FASTMLP_CACHE_DIR": "{file}/cache"},
        {"FASTMLP_CACHE_DIR": None, "NUMBA_CACHE_DIR": "{file}"},
        {"FASTMLP_CACHE_DIR": None, "NUMBA_CACHE_DIR": None, "XDG_CACHE_HOME": None, "HOME": "{file}/nobody"},
    ],
    ids=["FASTMLP_CACHE_DIR", "NUMBA_CACHE_DIR", "HOME"],
)
def test_without_a_folder_that_can_be_written_kernels_are_compiled(environment, tmp_path):
    if sys.platform in ("win32", "darwin") and "HOME" in environment:
        pytest.skip("this system keeps caches elsewhere")
    file = tmp_path / "file"
    file.touch()
    environment = {name: value and value.format(file=file) for name, value in environment.items()}
    assert compress(**environment) == COMPILED


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


def empty(path):
    path.write_bytes(b"")


def garble(path):
    path.write_bytes(b"garbage" * 1000)


def flip_one_bit_of_the_code(path):
    content = bytearray(path.read_bytes())
    content[content.index(b"\x7fELF") + 64] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("suffix", "spoil"),
    [("nbi", truncate), ("nbi", garble), ("nbc", empty), ("nbc", garble), ("nbc", flip_one_bit_of_the_code)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_damaged_file_is_replaced(suffix, spoil, cache):
    (path,) = cache.rglob(f"*.{suffix}")
    if spoil is flip_one_bit_of_the_code and b"\x7fELF" not in path.read_bytes():
        pytest.skip("machine code has another form on this system")
    spoil(path)
    assert compress(FASTMLP_CACHE_DIR=str(cache)) == COMPILED
    assert compress(FASTMLP_CACHE_DIR=str(cache)) == RIGHT


def test_the_code_of_another_version_is_not_used(cache):
    (folder,) = cache.glob("fastmlp/kernels-*")
    folder.rename(folder.with_name("kernels-0123456789abcdef"))
    assert compress(FASTMLP_CACHE_DIR=str(cache)) == COMPILED


def stamp_of(folder):
    """The stamp of a copy of the kernels' folder, read anew."""
    spec = importlib.util.spec_from_file_location("copied", folder / "runtime" / "cache_folder.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.source_stamp()


@pytest.fixture
def folder(tmp_path):
    here = Path(cache_folder.__file__).parents[1]
    return shutil.copytree(here, tmp_path / "kernels", ignore=shutil.ignore_patterns("__pycache__"))


def test_the_stamp_is_that_of_the_sources_wherever_they_lie(folder):
    assert stamp_of(folder) == cache_folder.source_stamp()


def test_the_stamp_changes_with_every_file_of_every_subfolder(folder):
    stamps = {stamp_of(folder)}
    files = sorted(folder.rglob("*.py"))
    assert {file.parent.name for file in files} >= {"kernels", "dense", "sparse", "parallel", "runtime"}
    for file in files:
        with file.open("a") as opened:
            opened.write("# changed\n")
        stamps.add(stamp_of(folder))
    assert len(stamps) == len(files) + 1


def test_the_stamp_changes_with_a_new_file_and_with_a_name(folder):
    stamps = {stamp_of(folder)}
    (folder / "new.py").write_text("")
    stamps.add(stamp_of(folder))
    (folder / "new.py").rename(folder / "newer.py")
    stamps.add(stamp_of(folder))
    assert len(stamps) == 3


def test_code_that_checks_bounds_is_kept_apart(tmp_path):
    for expected in (COMPILED, RIGHT):
        for checked in (None, "1"):
            assert compress(FASTMLP_CACHE_DIR=str(tmp_path), NUMBA_BOUNDSCHECK=checked) == expected
