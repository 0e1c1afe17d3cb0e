"""The fuzzer's own parts: its seeds are read, and what readers must not do is noticed."""

import io
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest

from fastmlp.errors import DataFileError

for package in ("onnx", "safetensors", "PIL"):
    pytest.importorskip(package)
from .readers import READERS, BrokenPromiseError, check, without_checksums  # noqa: E402


@pytest.mark.parametrize("name", READERS)
def test_seeds_are_read(tmp_path, name):
    for number, seed in enumerate(READERS[name].seeds()):
        path = tmp_path / f"{number}{READERS[name].suffix}"
        path.write_bytes(seed)
        READERS[name].read(path)  # what is imported late is imported now
        assert check(READERS[name], path) is None


@pytest.mark.parametrize("name", READERS)
def test_changed_files_are_refused_or_read(tmp_path, name):
    generator = np.random.default_rng(0)
    reader = READERS[name]
    path = tmp_path / f"file{reader.suffix}"
    with without_checksums():
        seeds = reader.seeds()
        for _ in range(200):
            content = bytearray(seeds[generator.integers(len(seeds))])
            for _ in range(generator.integers(1, 5)):
                content[generator.integers(len(content))] = generator.integers(256)
            path.write_bytes(content)
            check(reader, path)


class Executed:
    def __reduce__(self):
        return os.system, ("true",)


@pytest.mark.parametrize(
    ("read", "message"),
    [
        (lambda path: (bytearray(64 << 20), np.zeros(1))[1], "took"),
        (lambda path: pickle.load(io.BytesIO(pickle.dumps(Executed()))), "did something: pickle.find_class|raised"),
        (lambda path: (os.mkdir(path.with_name("made")), np.zeros(1))[1], "did something: os.mkdir"),
        (lambda path: (path.with_name("made").write_bytes(b""), np.zeros(1))[1], "did something: open"),
        (lambda path: {}["nothing"], "raised KeyError"),
        (lambda path: None, "raised AssertionError: a NoneType"),
    ],
)
def test_what_readers_must_not_do_is_noticed(tmp_path, read, message):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    with pytest.raises(BrokenPromiseError, match=message):
        check(replace(READERS["idx"], read=read), path)


def test_a_hidden_lack_of_memory_is_noticed(tmp_path):
    def read(path):
        try:
            np.zeros(2**62, dtype=np.uint8)
        except MemoryError as error:
            raise DataFileError(f"{path}: damaged") from error

    (tmp_path / "file").write_bytes(b"content")
    with pytest.raises(BrokenPromiseError, match="more memory than there is"):
        check(replace(READERS["idx"], read=read), tmp_path / "file")
