"""Weights of an ONNX model that lie in other files: read from the model's folder, and from nowhere else."""

import os
from pathlib import Path

import numpy as np
import pytest

from fastmlp import load
from fastmlp.errors import DataFileError

onnx = pytest.importorskip("onnx", reason="needs the extra onnx")
from . import onnx_graphs as graphs  # noqa: E402

X = np.random.default_rng(0).normal(size=(9, 4)).astype(np.float32)


@pytest.fixture
def path(tmp_path):
    """A model with its weights beside it, in a folder of its own."""
    folder = tmp_path / "model"
    folder.mkdir()
    path = folder / "net.onnx"
    made, _ = _made()
    onnx.save(made, path, save_as_external_data=True, location="net.onnx.data", size_threshold=0)
    assert not onnx.load(path, load_external_data=False).graph.initializer[0].raw_data
    return path


def _made():
    nodes = [("Gemm", ["x", "W", "b"], "z", {}), ("Relu", ["z"], "a", {}), ("MatMul", ["a", "V"], "y", {})]
    return graphs.model(nodes, {"W": graphs.W, "b": graphs.B, "V": graphs.V}), lambda X: graphs.hidden(X) @ graphs.V


def change(path, **fields):
    """Change in which file the tensors say that their numbers are, or where in it those of the first one are."""
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer if "location" in fields else model.graph.initializer[:1]:
        for entry in tensor.external_data:
            entry.value = str(fields.get(entry.key, entry.value))
    path.write_bytes(model.SerializeToString())


def test_weights_beside_the_model_are_read(path):
    np.testing.assert_allclose(load(path)(X, engine="numpy"), _made()[1](X), rtol=1e-5, atol=1e-6)


def test_weights_in_a_folder_inside_are_read(path):
    (path.parent / "data").mkdir()
    (path.parent / "net.onnx.data").rename(path.parent / "data/weights")
    change(path, location="data/weights")
    np.testing.assert_allclose(load(path)(X, engine="numpy"), _made()[1](X), rtol=1e-5, atol=1e-6)


def test_a_constant_node_may_have_its_numbers_beside_too(path):
    model = onnx.load(path, load_external_data=False)
    tensor = model.graph.initializer[0]
    node = onnx.helper.make_node("Constant", [], [tensor.name], value=tensor)
    model.graph.node.insert(0, node)
    del model.graph.initializer[0]
    path.write_bytes(model.SerializeToString())
    np.testing.assert_allclose(load(path)(X, engine="numpy"), _made()[1](X), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "location",
    ["../secret", "a/../../secret", "/etc/hostname", "..\\secret", "C:\\secret", "C:secret", "", "a\0b", "..", "/"],
)
def test_no_other_folder_is_read(path, location):
    (path.parent.parent / "secret").write_bytes((path.parent / "net.onnx.data").read_bytes())
    change(path, location=location)
    with pytest.raises(DataFileError, match=r"only files (beside|inside)") as error:
        load(path)
    assert str(error.value).startswith(f"{path}: ")


@pytest.mark.parametrize("whole_folder", [False, True])
def test_links_do_not_lead_out(path, whole_folder):
    outside = path.parent.parent / "outside"
    outside.mkdir()
    (path.parent / "net.onnx.data").rename(outside / "net.onnx.data")
    if whole_folder:
        (path.parent / "inside").symlink_to(outside)
        change(path, location="inside/net.onnx.data")
    else:
        (path.parent / "net.onnx.data").symlink_to(outside / "net.onnx.data")
    with pytest.raises(DataFileError, match="outside of the model's folder"):
        load(path)


def test_a_folder_that_is_a_link_itself_is_read(path):
    link = path.parent.parent / "link"
    link.symlink_to(path.parent)
    assert load(link / path.name).n_parameters == load(path).n_parameters


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"length": 4}, "take 48 bytes, but the model says that 4"),
        ({"offset": -4}, "take 48 bytes"),
        ({"offset": 10**6}, "ends before the weights 'W' do"),
        ({"offset": "x"}, "damaged"),
        ({"location": "missing.data"}, "'missing.data', which is not there; put it beside the model"),
        ({"location": "."}, "which is not there"),
    ],
)
def test_what_does_not_fit_is_told(path, fields, message):
    change(path, **fields)
    with pytest.raises(DataFileError, match=message):
        load(path)


def test_data_that_were_cut_off_are_told(path):
    data = path.parent / "net.onnx.data"
    data.write_bytes(data.read_bytes()[:20])
    with pytest.raises(DataFileError, match=r"ends before the weights|longer than the file"):
        load(path)


def test_a_pointer_in_place_of_the_data_is_told(path):
    (path.parent / "net.onnx.data").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 99\n")
    with pytest.raises(DataFileError, match=r"net\.onnx\.data: a pointer of Git LFS"):
        load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(path):
    (path.parent / "net.onnx.data").unlink()
    os.mkfifo(path.parent / "net.onnx.data")
    with pytest.raises(DataFileError, match="which is not there"):
        load(path)


def test_shapes_beyond_the_data_are_refused(path):
    model = onnx.load(path, load_external_data=False)
    model.graph.initializer[0].dims[:] = [2**31, 2**31]
    path.write_bytes(model.SerializeToString())
    with pytest.raises(DataFileError, match="longer than the file"):
        load(path)


def test_reading_writes_nothing(path):
    before = sorted(Path(path.parent).iterdir())
    load(path)
    assert sorted(Path(path.parent).iterdir()) == before
