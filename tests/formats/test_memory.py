"""Reading takes no more memory than is stated, whatever is in the file.

Files that try, each read in a process of its own, whose resident memory counts what C and Rust allocate too.
"""

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib

import numpy as np
import pytest

from fastmlp import Dense, Network
from fastmlp.datasets.idx import LARGEST_UNPACKED
from fastmlp.formats.reading import LARGEST_MULTIPLE
from fastmlp.images.digit import LARGEST_PICTURE

SLACK = 4 << 20
"""Bytes that reading takes whatever the file: buffers, arenas of allocators."""

MEASURE = """
import sys
from pathlib import Path
import numpy, fastmlp
from fastmlp import load
from fastmlp.datasets import read_idx
from fastmlp.errors import FastMLPError
from fastmlp.images import as_digit

def resident(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024

read = {"load": load, "read_idx": read_idx, "as_digit": as_digit}[sys.argv[1]]
for path in sys.argv[2:]:  # a small file first, which imports what there is to import
    Path("/proc/self/clear_refs").write_text("5")  # the peak is what is resident now
    before = resident("VmRSS")
    try:
        read(path)
    except FastMLPError as error:
        print(str(error)[:300], file=sys.stderr)
print(resident("VmHWM") - before)
"""


pytestmark = pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's /proc")


def taken(read, small, path):
    """How many bytes a process grew by in reading a file, after it had read a small one; and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, read, str(small), str(path)], capture_output=True, text=True, check=True
    )
    return int(done.stdout), done.stderr


def header_of(network, folder, **changes):
    network.save(folder / "described.json", training_state=False)
    header = json.loads((folder / "described.json").read_text())
    header.update(changes)
    return header


def column(n):
    """A network whose n weights lie in rows of one, which memory pads to sixteen."""
    return Network([n, Dense(1, bias=False)], loss="squared_error", initializer="zeros", scaling=None, seed=0)


N = 100_000


def json_of(arrays, folder, **changes):
    header = header_of(column(2), folder, **{"scaling": "auto", **changes})
    header["architecture"].update(inputs=N, dtype="float64")
    return json.dumps(header)[:-1].encode() + b',"arrays":' + arrays + b"}"


def json_column(folder):
    return json_of(b'{"W0":[' + b",".join([b"[0]"] * N) + b"]}", folder)


def json_empty_lists(folder):
    return json_of(b'{"W0":[' + b",".join([b"[]"] * N) + b"]}", folder)


def json_empty_objects(folder):
    return json_of(b'{"W0":[' + b",".join([b"{}"] * N) + b"]}", folder)


def json_keys(folder):
    return json_of(b"{" + b",".join(b'"%x":0' % number for number in range(N)) + b"}", folder)


def json_wide_letters(folder):
    return json_of(b'{"W0":"' + "🙂".encode() + b"a" * 5 * N + b'"}', folder)


def json_history(folder):
    columns = {"columns": {"epoch": [0] * N, "loss": [None] * N}}
    return json_of(b'{"W0":[' + b",".join([b"[0]"] * N) + b"]}", folder, history=columns)


def npz_column(folder):
    column(N).save(folder / "column.npz")
    return (folder / "column.npz").read_bytes()


def npz_over_one_another(folder, n_copies=200):
    """Local headers one after the other, each with the rest of them as its extra field: all of them hold one array."""
    network = column(20_000)
    header = header_of(network, folder, scaling="auto", under_way={
        "first_epoch": 0, "learning_rate": 0.1, "stop_reason": "", "settings": {},
        "memories": [{"kind": "x", "values": {}, "vectors": ["v"]}] * n_copies,
    })  # fmt: skip
    held = io.BytesIO()
    np.save(held, np.zeros((20_000, 1), dtype=np.float32))
    array = held.getvalue()
    names = [b"W0.npy", *(b"memory%d_v_W0.npy" % number for number in range(n_copies))]
    local = [30 + len(name) for name in names]
    start = 0
    body, directory = b"", b""
    for number, name in enumerate(names):
        extra = sum(local[number + 1 :])
        common = struct.pack("<5H3I2H", 20, 0, 0, 0, 0, zlib.crc32(array), len(array), len(array), len(name), extra)
        body += b"PK\3\4" + common + name
        directory += b"PK\1\2" + struct.pack("<H", 20) + common[:-2] + struct.pack("<4H2I", 0, 0, 0, 0, 0, start) + name
        start += local[number]
    body += array
    text = io.BytesIO()
    np.save(text, np.frombuffer(json.dumps(header).encode(), dtype=np.uint8))
    name, content = b"header.npy", text.getvalue()
    common = struct.pack("<5H3I2H", 20, 0, 0, 0, 0, zlib.crc32(content), len(content), len(content), len(name), 0)
    directory += b"PK\1\2" + struct.pack("<H", 20) + common[:-2] + struct.pack("<4H2I", 0, 0, 0, 0, 0, len(body)) + name
    body += b"PK\3\4" + common + name + content
    n = len(names) + 1
    return body + directory + b"PK\5\6" + struct.pack("<4H2IH", 0, 0, n, n, len(directory), len(body), 0)


def npz_deflated(folder):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.npy", bytes(100 << 20))
    return held.getvalue()


def npz_many_members(folder):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"{number:x}", b"")
    return held.getvalue()


def safetensors_file(header, data=b""):
    return struct.pack("<Q", len(header)) + header + data


def safetensors_empty_tensors(folder):
    parts = (b'"%x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % number for number in range(20_000))
    return safetensors_file(b"{" + b",".join(parts) + b"}")


def safetensors_shapes(folder):
    shape = b",".join([b"0"] * 500_000)
    return safetensors_file(b'{"W0":{"dtype":"F32","shape":[' + shape + b'],"data_offsets":[0,0]}}')


def safetensors_lie(folder):
    return struct.pack("<Q", 90_000_000) + b'{"W0":{"dtype":"F32","shape":[1000000000],"data_offsets":[0,4000000000]}}'


def safetensors_header(folder):
    text = json.dumps(header_of(column(2), folder))[:-1] + ',"arrays":[' + ",".join(["[]"] * N) + "]}"
    return safetensors_file(json.dumps({"__metadata__": {"fastmlp": text}}).encode())


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, content):
    """One field of a protocol buffer, of bytes."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def onnx_file(graph):
    return b"\x08\x09" + field(7, graph) + field(8, b"\x10\x14")


def onnx_node(operator, inputs, output, **attributes):
    from onnx import helper

    return field(1, helper.make_node(operator, inputs, [output], **attributes).SerializeToString())


def onnx_ends():
    return field(11, field(1, b"x")) + field(12, field(1, b"y"))


def onnx_tensor(name, dims, kind, content):
    """Numbers of a type in a field of its own: 4 floats, 5 int32s, 7 int64s, 9 raw."""
    dims = b"".join(b"\x08" + varint(size) for size in dims)
    return field(5, dims + b"\x10" + bytes([kind[0]]) + field(8, name) + field(kind[1], content))


def onnx_packed(kind):
    graph = onnx_node("MatMul", ["x", "W"], "y") + onnx_tensor(b"W", [N, 1], kind, bytes(N)) + onnx_ends()
    return lambda folder: onnx_file(graph)


def onnx_empty(number, of=None):
    """Many empty messages of one kind, of which each takes two bytes in the file."""
    content = field(number, b"") * N
    return lambda folder: onnx_file(content if of is None else field(of, content))


def onnx_names(folder):
    return onnx_file(b"".join(field(5, field(8, b"%x" % number)) for number in range(N)) + onnx_ends())


def onnx_nodes(folder):
    return onnx_file(b"".join(field(1, field(2, b"%x" % number)) for number in range(N)) + onnx_ends())


def onnx_nodes_with_inputs(folder):
    nodes = (field(1, field(1, b"%x" % number) + field(2, b"%x" % number) + field(4, b"Min")) for number in range(N))
    return onnx_file(b"".join(nodes) + onnx_ends())


def onnx_shared_constants(folder, n_nodes=2_000):
    """A sum with the same long constant, again and again."""
    names = ["x", *(f"{number:x}." for number in range(n_nodes)), "z"]
    nodes = b"".join(onnx_node("Add", [names[n], "c"], names[n + 1]) for n in range(n_nodes + 1))
    nodes += onnx_node("MatMul", ["z", "W"], "y")
    tensors = onnx_tensor(b"c", [50_000], (9, 9), bytes(50_000)) + onnx_tensor(b"W", [2, 1], (9, 9), bytes(2))
    return onnx_file(nodes + tensors + onnx_ends())


def onnx_dims(folder):
    return onnx_file(
        onnx_node("MatMul", ["x", "W"], "y") + onnx_tensor(b"W", [2**31, 2**31], (1, 9), b"") + onnx_ends()
    )


ATTEMPTS = {
    ".json": [json_column, json_empty_lists, json_empty_objects, json_keys, json_wide_letters, json_history],
    ".npz": [npz_column, npz_over_one_another, npz_deflated, npz_many_members],
    ".safetensors": [safetensors_empty_tensors, safetensors_shapes, safetensors_lie, safetensors_header],
    ".onnx": [
        onnx_packed((9, 9)), onnx_packed((6, 5)), onnx_packed((7, 7)), onnx_packed((2, 5)),
        onnx_empty(1), onnx_empty(5), onnx_empty(13), onnx_empty(5, of=1), onnx_names, onnx_nodes,
        onnx_nodes_with_inputs, onnx_shared_constants, onnx_dims,
    ],
}  # fmt: skip


@pytest.mark.parametrize(("suffix", "attempt"), [(suffix, each) for suffix, some in ATTEMPTS.items() for each in some])
def test_a_model_takes_at_most_the_stated_multiple(tmp_path, suffix, attempt):
    if suffix in (".onnx", ".safetensors"):
        pytest.importorskip(suffix[1:])
    small, path = tmp_path / f"small{suffix}", tmp_path / f"file{suffix}"
    column(2).save(small)
    path.write_bytes(attempt(tmp_path))
    grown, said = taken("load", small, path)
    assert grown <= LARGEST_MULTIPLE * path.stat().st_size + SLACK, said


IDX_HEADER = bytes([0, 0, 8, 2])


def test_gzipped_data_that_grow_a_thousandfold_are_left_to_the_user(tmp_path):
    small, packed, plain = tmp_path / "small", tmp_path / "packed.gz", tmp_path / "plain"
    small.write_bytes(IDX_HEADER + struct.pack(">2I", 1, 1) + b"\0")
    content = IDX_HEADER + struct.pack(">2I", 200_000, 784) + bytes(200_000 * 784)
    packed.write_bytes(gzip.compress(content, mtime=0))
    grown, said = taken("read_idx", small, packed)
    assert "unpack it with gunzip" in said
    assert grown <= LARGEST_UNPACKED + SLACK
    plain.write_bytes(content)
    grown, said = taken("read_idx", small, plain)
    assert said == ""
    assert grown <= 3 * len(content)


def test_huge_pictures_in_small_files_are_left_to_the_user(tmp_path):
    Image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    Image.new("L", (9, 9)).save(tmp_path / "small.png")
    for mode, form in [("1", "png"), ("RGBA", "png"), ("P", "gif"), ("L", "jpeg"), ("RGB", "bmp")]:
        path = tmp_path / f"{mode}.{form}"
        Image.new(mode, (7000, 7000)).save(path)
        grown, said = taken("as_digit", tmp_path / "small.png", path)
        allowed = max(LARGEST_PICTURE, LARGEST_MULTIPLE * path.stat().st_size)
        assert "open it yourself" in said or form == "bmp"
        assert grown <= min(allowed, 12 * 7000 * 7000 + path.stat().st_size) + SLACK, (mode, form)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "jpeg"])
def test_pictures_that_are_read_take_what_is_stated(tmp_path, mode):
    Image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    Image.new("L", (9, 9)).save(tmp_path / "small.png")
    path = tmp_path / ("large.jpeg" if mode in ("jpeg", "CMYK") else "large.png")
    picture = Image.new("RGB" if mode == "jpeg" else mode, (4700, 4700))
    picture.paste(
        picture.getpixel((0, 0)) if mode in ("I;16", "I") else 1 if mode == "P" else "white", (999, 999, 2999, 3999)
    )
    picture.save(path, **({"progressive": True} if mode == "jpeg" else {}))
    grown, said = taken("as_digit", tmp_path / "small.png", path)
    assert "pixels" not in said
    assert grown <= LARGEST_PICTURE + SLACK


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "jpeg", "grey jpeg"])
def test_a_page_scanned_at_600_dpi_takes_what_is_stated(tmp_path, mode):
    Image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    Image.new("L", (9, 9)).save(tmp_path / "small.png")
    path = tmp_path / ("page.jpeg" if mode.endswith("jpeg") else "page.png")
    page = Image.new("L", (4962, 7014), 240)
    page.paste(30, (2000, 3000, 2120, 4500))
    page.convert({"jpeg": "RGB", "grey jpeg": "L"}.get(mode, mode)).save(path, progressive=True)
    grown, said = taken("as_digit", tmp_path / "small.png", path)
    assert "pixels" not in said
    assert grown <= LARGEST_PICTURE + SLACK
