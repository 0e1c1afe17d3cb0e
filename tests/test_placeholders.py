"""What only stands for a file is told as what it is, whoever was to read it."""

import pytest

from fastmlp import Network, load
from fastmlp.datasets import load_csv, load_data, read_idx
from fastmlp.errors import DataFileError
from fastmlp.placeholders import check_content

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"
ANNEX = b"/annex/objects/SHA256E-s12345--4d7a2146.npz\n"
PAGE = b"\n<!DOCTYPE html><html><title>Not found</title></html>"
KINDS = [(LFS, "pointer of Git LFS.*git lfs pull --include"), (ANNEX, "pointer of git-annex.*git annex get"),
         (PAGE, "a web page, so the download failed")]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), KINDS)
@pytest.mark.parametrize(
    ("read", "name"),
    [(load, "a.npz"), (load, "a.json"), (load, "a.onnx"), (load, "a.safetensors"), (read_idx, "a"), (load_csv, "a.csv"),
     (load_data, "a.csv")],
)  # fmt: skip
def test_pointers_and_pages_are_told(tmp_path, content, message, read, name):
    if name.endswith((".onnx", ".safetensors")):
        pytest.importorskip(name[2:])
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataFileError, match=message) as error:
        read(path)
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("target", "message"),
    [("../.git/annex/objects/x9/Kw/SHA256E-s1--a/SHA256E-s1--a", "git annex get model.npz"),
     ("elsewhere.npz", "a link to elsewhere.npz, where there is no file")],
)  # fmt: skip
def test_links_to_nowhere_are_told(tmp_path, target, message):
    path = tmp_path / "model.npz"
    path.symlink_to(target)
    with pytest.raises(DataFileError, match=message):
        load(path)


def test_links_to_files_and_files_themselves_pass(tmp_path):
    Network([2, 2], seed=0).save(tmp_path / "model.npz")
    (tmp_path / "link.npz").symlink_to("model.npz")
    for name in ("model.npz", "link.npz", "missing.npz", "."):
        check_content(tmp_path / name)
    assert load(tmp_path / "link.npz").n_parameters == 6


def test_an_empty_file_is_told(tmp_path):
    (tmp_path / "model.npz").touch()
    with pytest.raises(DataFileError, match="an empty file"):
        load(tmp_path / "model.npz")
