"""`read_idx` gives back what an IDX file holds, or says what is wrong with the file."""

import gzip
import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from fastmlp.datasets import load_idx, load_idx_folder, read_idx
from fastmlp.errors import ArgumentTypeError, DataFileError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
IMAGES = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
LABELS = np.array([7, 200], dtype=np.uint8)


def header(code: int, *shape: int) -> bytes:
    return bytes([0, 0, code, len(shape)]) + b"".join(size.to_bytes(4, "big") for size in shape)


def as_idx(array: NDArray[Any]) -> bytes:
    big_endian = array.astype(array.dtype.newbyteorder(">"))
    return header(CODES[array.dtype.str[1:]], *array.shape) + big_endian.tobytes()


def write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def write_folder(folder: Path, form: str = "-idx", suffix: str = "", squeeze: bool = False) -> None:
    for part in ("train", "t10k"):
        for name, array in ((f"{part}-images{form}3", IMAGES), (f"{part}-labels{form}1", LABELS)):
            content = gzip.compress(as_idx(array)) if squeeze else as_idx(array)
            write(folder / f"{name}-ubyte{suffix}", content)


@settings(deadline=None)
@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda code: hnp.arrays(code, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
    ),
    squeeze=st.booleans(),
)
def test_every_array_comes_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, array: NDArray[Any], squeeze: bool
) -> None:
    content = gzip.compress(as_idx(array)) if squeeze else as_idx(array)
    # The name says nothing about compression.
    read = read_idx(write(tmp_path_factory.getbasetemp() / "array.gz", content))
    assert read.dtype == array.dtype and read.dtype.isnative
    assert read.flags.writeable
    np.testing.assert_array_equal(read, array)


@settings(deadline=None)
@given(data=st.data(), squeeze=st.booleans())
def test_a_damaged_file_is_read_or_refused_by_its_path(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, squeeze: bool
) -> None:
    content = bytearray(gzip.compress(as_idx(IMAGES)) if squeeze else as_idx(IMAGES))
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    path = write(tmp_path_factory.getbasetemp() / "damaged", bytes(content))
    try:
        read_idx(path)
    except DataFileError as error:
        assert str(error).startswith(f"{path}: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "found nothing"),
        (b"\0\0\x08", "not an IDX file"),
        (b"PK\3\4" + bytes(20), "not an IDX file.*found 50 4b 03 04"),
        (b"<!DOCTYPE html><title>503</title>", "web page"),
        (header(0x0A, 2) + b"ab", "not an IDX file"),
        (header(0x08), "not an IDX file"),
        (header(0x08, *[1] * 33) + b"a", "not an IDX file"),
        (header(0x08, 2, 3)[:-1], "cut off within its header of 12 bytes"),
        (header(0x08, 2, 3) + b"abcde", "states 6 bytes of data .* holds 5"),
        (header(0x0E, 1) + b"abcd", "states 8 bytes of data .* holds 4"),
        (header(0x08, 2) + b"abc", "more data than the 2 bytes"),
        (header(0x08, 0) + b"a", "more data than the 0 bytes"),
        (header(0x0E, 0, *[2**32 - 1] * 8), "impossible shape"),
    ],
)
@pytest.mark.parametrize("squeeze", [False, True])
def test_each_fault_has_its_own_message(tmp_path: Path, content: bytes, problem: str, squeeze: bool) -> None:
    path = write(tmp_path / "file", gzip.compress(content) if squeeze else content)
    with pytest.raises(DataFileError, match=problem) as caught:
        read_idx(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_damaged_compression_is_told_from_a_damaged_array(tmp_path: Path) -> None:
    squeezed = gzip.compress(as_idx(IMAGES))
    for content in (squeezed[:-6], squeezed[:12], squeezed[:-8] + b"\0\0\0\0" + squeezed[-4:], squeezed[:2]):
        with pytest.raises(DataFileError, match="gzip data are cut off or damaged"):
            read_idx(write(tmp_path / "file", content))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(header(0x0E, *[2**31] * 3) + b"few", id="a small file that claims much"),
        pytest.param(gzip.compress(header(0x0E, *[2**31] * 3) + b"few"), id="the same, gzipped"),
        pytest.param(gzip.compress(header(0x08, 10) + bytes(64 << 20), 1), id="a gzip bomb"),
    ],
)
def test_a_file_takes_no_more_memory_than_it_justifies(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path / "file", content)
    tracemalloc.start()
    try:
        with pytest.raises(DataFileError):
            read_idx(path)
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no such file"):
        read_idx(tmp_path / "absent")
    with pytest.raises(DataFileError, match="a folder, not a file"):
        read_idx(tmp_path)
    with pytest.raises(ArgumentTypeError, match="path must be a path"):
        read_idx(3)  # type: ignore[arg-type]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataFileError, match="not a regular file"):
        read_idx(tmp_path / "pipe")


def test_images_become_rows_and_labels_int64(tmp_path: Path) -> None:
    X, y = load_idx(write(tmp_path / "images", as_idx(IMAGES)), str(write(tmp_path / "labels", as_idx(LABELS))))
    np.testing.assert_array_equal(X, IMAGES.reshape(2, 12))
    assert X.dtype == np.uint8
    np.testing.assert_array_equal(y, LABELS)
    assert y.dtype == np.int64


def test_no_images_are_no_rows(tmp_path: Path) -> None:
    X, y = load_idx(write(tmp_path / "images", as_idx(IMAGES[:0])), write(tmp_path / "labels", as_idx(LABELS[:0])))
    assert X.shape == (0, 12) and y.shape == (0,)


def test_images_and_labels_must_belong_together(tmp_path: Path) -> None:
    images, labels = write(tmp_path / "images", as_idx(IMAGES)), write(tmp_path / "labels", as_idx(LABELS))
    with pytest.raises(DataFileError, match="wrong order"):
        load_idx(labels, images)
    with pytest.raises(DataFileError, match="file of the images"):
        load_idx(labels, labels)
    with pytest.raises(DataFileError, match="labels must be integers in one dimension"):
        load_idx(images, images)
    with pytest.raises(DataFileError, match="labels must be integers in one dimension"):
        load_idx(images, write(tmp_path / "floats", as_idx(LABELS.astype(np.float32))))
    with pytest.raises(DataFileError, match=r"1 labels, but .* has 2 images"):
        load_idx(images, write(tmp_path / "fewer", as_idx(LABELS[:1])))


@pytest.mark.parametrize("form", ["-idx", ".idx"])
@pytest.mark.parametrize(("suffix", "squeeze"), [("", False), (".gz", True), (".gz", False), ("", True)])
def test_a_folder_is_read_under_all_usual_names(tmp_path: Path, form: str, suffix: str, squeeze: bool) -> None:
    write_folder(tmp_path, form, suffix, squeeze)
    if form == ".idx":  # Some archives unpack to a folder of the other form's name beside the file.
        (tmp_path / "train-images-idx3-ubyte").mkdir()
    data = load_idx_folder(tmp_path)
    for X, y in ((data.X_train, data.y_train), (data.X_test, data.y_test)):
        np.testing.assert_array_equal(X, IMAGES.reshape(2, 12))
        np.testing.assert_array_equal(y, LABELS)


def test_missing_files_are_named_all_at_once(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte").unlink()
    (tmp_path / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(DataFileError) as caught:
        load_idx_folder(tmp_path)
    message = str(caught.value)
    assert message.startswith(f"{tmp_path}: no file for ")
    for stem in ("train-labels-idx1-ubyte", "train-labels.idx1-ubyte", "t10k-images-idx3-ubyte"):
        assert stem in message and f"{stem}.gz" in message
    assert "train-images" not in message and "t10k-labels" not in message


def test_a_folder_must_be_one_and_hold_one_data_set(tmp_path: Path) -> None:
    with pytest.raises(DataFileError, match="no such folder"):
        load_idx_folder(tmp_path / "absent")
    with pytest.raises(DataFileError, match="not a folder"):
        load_idx_folder(write(tmp_path / "file", b""))
    write_folder(tmp_path)
    write(tmp_path / "t10k-images-idx3-ubyte", as_idx(IMAGES[:, :2]))
    with pytest.raises(DataFileError, match="12 pixels and test images 8"):
        load_idx_folder(tmp_path)
