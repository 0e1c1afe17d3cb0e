"""Files that are written whole or not at all: their permissions, and what is left of killed writers."""

import os
import stat

import pytest

from fastmlp import Network
from fastmlp.atomic_write import write_bytes

pytestmark = pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("before", [0o600, 0o644, 0o664, 0o444])
def test_a_file_that_is_replaced_keeps_its_mode(tmp_path, before):
    path = tmp_path / "file"
    path.touch()
    path.chmod(before)
    write_bytes(path, b"new")
    assert mode(path) == before
    assert path.read_bytes() == b"new"


def test_a_link_stays_a_link_and_its_file_keeps_its_mode(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.touch()
    path.chmod(0o600)
    link.symlink_to(path)
    write_bytes(link, b"new")
    assert link.is_symlink()
    assert (mode(path), path.read_bytes()) == (0o600, b"new")


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_a_new_file_gets_the_mode_of_new_files(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_bytes(tmp_path / "file", b"new")
    finally:
        os.umask(before)
    assert mode(tmp_path / "file") == 0o666 & ~umask


def test_what_is_written_over_a_private_file_is_never_public(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    path.touch()
    path.chmod(0o600)
    monkeypatch.setattr(os, "fsync", lambda descriptor: seen.append(stat.S_IMODE(os.stat(descriptor).st_mode)))
    write_bytes(path, b"secret")
    assert seen[0] == 0o600


@pytest.mark.parametrize("suffix", [".npz", ".json", ".c"])
def test_saving_a_network_keeps_the_mode(tmp_path, suffix):
    path = tmp_path / f"network{suffix}"
    for _ in range(2):
        Network([2, 2], seed=0).save(path)
        path.chmod(0o640)
    Network([2, 3], seed=0).save(path)
    assert mode(path) == 0o640
