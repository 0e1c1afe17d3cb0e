"""Compiling ahead: what it covers, and what is said while kernels are compiled."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastmlp

from ...interpreted import needs_compiler

ROOT = Path(fastmlp.__file__).parents[1]

# Everything ordinary that users do; it prints the entries that this adds a specialisation to.
USES = """
import numpy as np
import scipy.sparse
from fastmlp import SGD, Adam, Augmentation, Dense, Network
from fastmlp.engines.simd import engine
from fastmlp.kernels import augmentation, epoch, predict
from fastmlp.kernels.sparse import parting

entries = (epoch.run, predict.forward_rows, parting.part_rows, augmentation.augment)
engine.warmup()
warm = [set(entry.signatures) for entry in entries]
assert all(warm)
generator = np.random.default_rng(0)
images = (generator.random((40, 36)) < 0.3) * generator.integers(1, 255, (40, 36))
y = np.arange(40) % 3
for dtype in ("float32", "float64"):
    for kind in (np.uint8, np.float32, np.float64):
        X = images.astype(kind)
        for samples in (X, X + 1, scipy.sparse.csr_matrix(X)):
            net = Network([36, Dense(8, dropout=0.1), 3], dtype=dtype, seed=0)
            net.fit(samples, y, epochs=2, batch_size=16, threads=2, validation_split=0.2, verbose=0)
            net.fit(samples, y, epochs=2, optimizer=SGD(0.1, momentum=0.9, clip_norm=1.0), threads=1, verbose=0)
            net.evaluate(samples, y), net.gradient(samples, y), net.predict(samples), net.predict_proba(samples[:1])
        for augment in ("digits", Augmentation(shift=2.0)):
            Network([36, 3], dtype=dtype, seed=0).fit(X, y, epochs=1, augment=augment, verbose=0)
    wide = np.zeros((3, 70_000), np.uint8)
    wide[:, ::1000] = 1
    Network([70_000, 2], dtype=dtype).fit(wide, [0, 1, 0], epochs=1, verbose=0)
    numbers = generator.normal(size=(40, 5))
    net = Network([5, 4, 1], loss="squared_error", scaling="standardize", dtype=dtype)
    net.fit(numbers, numbers[:, 0], epochs=2, optimizer=Adam(), verbose=0)
    net.predict(numbers), net.predict(numbers[:1]), net.predict(numbers[:1].astype(dtype))
print([entry.__name__ for entry, before in zip(entries, warm) if set(entry.signatures) != before])
"""

COMPRESS = """
import numpy as np
from fastmlp.data.samples import Samples
from fastmlp.engines.simd import engine
from fastmlp.engines.simd.compression import compress
X = np.ones((1, 8), np.uint8)
compress(Samples(1, 8, X, None), np.dtype(np.float32), 1, np.arange(8), 0)
"""


def shown(code, **variables):
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | variables
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)


@needs_compiler
def test_nothing_ordinary_is_compiled_after_it():
    assert shown(USES).stdout == "[]\n"


@needs_compiler
@pytest.mark.parametrize(
    ("variable", "value", "kept"),
    [
        ("FASTMLP_CACHE_DIR", "{folder}", "kept for later)"),
        ("FASTMLP_CACHE_DIR", "{file}", "not kept: no folder could be written, set FASTMLP_CACHE_DIR to one)"),
        ("FASTMLP_CACHE", "0", "not kept: FASTMLP_CACHE is 0)"),
    ],
)
def test_what_is_compiled_is_said_with_whether_it_is_kept(variable, value, kept, tmp_path):
    (tmp_path / "file").touch()
    told = shown(COMPRESS, **{variable: value.format(folder=tmp_path, file=tmp_path / "file")}).stderr
    wanted = "fastmlp: compiling the conversion of dense to sparse rows of uint8 for this machine (about 1 s, "
    assert told == f"{wanted}{kept}\n"


def test_every_entry_has_words():
    compiling = pytest.importorskip("fastmlp.engines.compiling")
    files = (ROOT / "fastmlp" / "kernels").rglob("*.py")
    entries = r"(?:^@entry\ndef |= entry\(|, entry\()(\w+)"
    found = {f"{file.stem}.{name}" for file in files for name in re.findall(entries, file.read_text(), re.M)}
    assert set(compiling._WORDS) == found
