"""The built-in MNIST is the published one, and `Dataset` holds any data set."""

import dataclasses
import pickle
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from fastmlp.datasets import Dataset, load_mnist
from fastmlp.datasets.build_mnist import PUBLISHED, build, main, md5_as_idx
from fastmlp.errors import ArgumentError, ArgumentTypeError, DataFileError


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load_mnist()


def small(n_train: int = 3, n_test: int = 2) -> Dataset:
    return Dataset(np.zeros((n_train, 4)), np.arange(n_train), np.zeros((n_test, 4)), np.arange(n_test))


@pytest.mark.parametrize("name", PUBLISHED)
def test_mnist_has_the_published_bytes(digits: Dataset, name: str) -> None:
    published, row_shape = PUBLISHED[name]
    assert md5_as_idx(getattr(digits, name), row_shape) == published


def test_mnist_arrays_are_ordinary_and_the_callers_own(digits: Dataset) -> None:
    X_train, y_train, X_test, y_test = digits
    assert (X_train.shape, y_train.shape) == ((60000, 784), (60000,))
    assert (X_test.shape, y_test.shape) == ((10000, 784), (10000,))
    assert [array.dtype.name for array in digits] == ["uint8", "int64", "uint8", "int64"]
    for array in digits:
        assert type(array) is np.ndarray
        assert array.flags.writeable and array.flags.c_contiguous
    assert repr(digits) == "Dataset(60,000 training and 10,000 test samples of 784 uint8 features, 10 classes)"


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "cut", "altered"])
def test_a_damaged_archive_is_reported_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    content = bytearray(resources.files("fastmlp.datasets").joinpath("mnist.npz").read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "altered":
        content[len(content) // 2] ^= 0xFF
    elif damage == "text":
        content = bytearray(b"version https://git-lfs.github.com/spec/v1")
    elif damage == "empty":
        content.clear()
    archive = tmp_path / "mnist.npz"
    if damage != "missing":
        archive.write_bytes(content)
    monkeypatch.setattr(resources, "files", lambda package: tmp_path)
    with pytest.raises(DataFileError) as caught:
        load_mnist()
    assert str(caught.value).startswith(str(archive))


def test_building_refuses_another_data_set_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for part in ("train", "t10k"):
        (tmp_path / f"{part}-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 9]))
        (tmp_path / f"{part}-labels-idx1-ubyte").write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 1, 0]))
    archive = tmp_path / "out.npz"
    with pytest.raises(DataFileError, match="X_train is not that of MNIST"):
        build(tmp_path, archive)
    assert main([str(tmp_path), "--output", str(archive)]) == 1
    assert "not that of MNIST" in capsys.readouterr().err
    assert not list(tmp_path.glob("out*"))


def test_a_dataset_survives_pickling_and_cannot_be_rebound() -> None:
    data = small()
    for before, after in zip(data, pickle.loads(pickle.dumps(data)), strict=True):
        np.testing.assert_array_equal(before, after)
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.X_train = np.zeros((3, 4))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("y", "description"),
    [
        (np.array([0, 1, 1]), "2 classes"),
        (np.array(["a", "b", "c"]), "3 classes"),
        (np.array([0.5, 1.5, 2.5]), "float64 targets"),
        (np.array([None, "a", 1], dtype=object), "object targets"),
        (np.eye(3), "3 float64 targets a sample"),
    ],
)
def test_the_repr_is_one_line_for_labels_of_any_kind(y: np.ndarray, description: str) -> None:
    data = Dataset(np.zeros((3, 2, 5)), y, np.zeros((3, 2, 5)), y)
    assert repr(data) == f"Dataset(3 training and 3 test samples of 2 x 5 float64 features, {description})"


def test_a_dataset_may_have_no_test_samples() -> None:
    assert "3 training and 0 test samples" in repr(small(n_test=0))


def test_arrays_that_do_not_belong_together_are_refused() -> None:
    X, y = np.zeros((3, 4)), np.zeros(3)
    with pytest.raises(ArgumentError, match="X_test has 3 samples but y_test has 2 labels"):
        Dataset(X, y, X, y[:2])
    with pytest.raises(ArgumentError, match="same shape"):
        Dataset(X, y, X[:, :2], y)
    with pytest.raises(ArgumentTypeError, match=r"y_train must be an array .* not list"):
        Dataset(X, [0, 1, 2], X, y)  # type: ignore[arg-type]
