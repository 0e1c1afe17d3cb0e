"""The four files of a data set are found under the names that people have, or near names are told."""

import gzip

import numpy as np
import pytest

from fastmlp.datasets import load_data, load_idx_folder
from fastmlp.datasets.idx_folder import find_idx
from fastmlp.errors import DataFileError

IMAGES = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
LABELS = np.array([7, 3], dtype=np.uint8)


def as_idx(array):
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def write(folder, before="", test="t10k", images=IMAGES, suffix=""):
    folder.mkdir(parents=True, exist_ok=True)
    for part in ("train", test):
        for name, array in ((f"{part}-images-idx3-ubyte", images), (f"{part}-labels-idx1-ubyte", LABELS)):
            content = gzip.compress(as_idx(array)) if suffix else as_idx(array)
            (folder / f"{before}{name}{suffix}").write_bytes(content)


def check(data):
    for X, y in ((data.X_train, data.y_train), (data.X_test, data.y_test)):
        np.testing.assert_array_equal(X, IMAGES.reshape(2, 9))
        np.testing.assert_array_equal(y, LABELS)


@pytest.mark.parametrize("inside", ["MNIST/raw", "raw", "data/MNIST/raw", "."])
def test_folders_inside_are_searched(tmp_path, inside):
    write(tmp_path / inside)
    check(load_idx_folder(tmp_path))
    assert find_idx(tmp_path).folder == tmp_path / inside


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("name", ["emnist-digits", "emnist-letters", "EMNIST-mnist"])
def test_images_of_emnist_are_turned_upright(tmp_path, name, suffix):
    write(tmp_path, f"{name}-", "test", IMAGES.swapaxes(1, 2).copy(), suffix)
    check(load_idx_folder(tmp_path))
    assert load_data(tmp_path)[1] == f"{tmp_path / name} (EMNIST's images, turned upright)"


def test_images_of_others_stay_as_they_are(tmp_path):
    write(tmp_path, "kmnist-", "test")
    check(load_idx_folder(tmp_path))


def test_files_that_were_unpacked_to_folders_of_their_names(tmp_path):
    write(tmp_path / "all")
    for path in list((tmp_path / "all").iterdir()):
        (tmp_path / path.name).mkdir()
        path.rename(tmp_path / path.name / path.name)
    check(load_idx_folder(tmp_path))


def test_one_of_several_data_sets_is_chosen_by_its_name(tmp_path):
    write(tmp_path, "one-", "test")
    write(tmp_path, "emnist-digits-", "test", IMAGES.swapaxes(1, 2).copy())
    with pytest.raises(DataFileError, match=r"holds 2 data sets; give one of .*emnist-digits, .*one"):
        load_idx_folder(tmp_path)
    for name in ("one", "emnist-digits"):
        check(load_idx_folder(tmp_path / name))
        check(load_data(str(tmp_path / name))[0])
    with pytest.raises(DataFileError, match="two: no such folder"):
        load_idx_folder(tmp_path / "two")


def test_of_several_folders_the_nearest_counts(tmp_path):
    for place in ("MNIST/raw", "FashionMNIST/raw"):
        write(tmp_path / place)
    with pytest.raises(DataFileError, match=r"2 data sets; give one of .*FashionMNIST.*raw, .*MNIST.*raw"):
        load_idx_folder(tmp_path)
    write(tmp_path)
    assert find_idx(tmp_path).folder == tmp_path


def test_names_that_are_near_are_told(tmp_path):
    for name in ("qmnist-train-images-idx3-ubyte.xz", "MNIST.tar", "notes.txt"):
        (tmp_path / name).touch()
    with pytest.raises(
        DataFileError, match=r"no file for training images .*holds MNIST.tar, qmnist-train.*xz; put"
    ) as e:
        load_idx_folder(tmp_path)
    assert "notes" not in str(e.value)


def test_what_is_missing_of_a_named_set_is_told_under_its_names(tmp_path):
    write(tmp_path / "gzip", "emnist-digits-", "test")
    (tmp_path / "gzip/emnist-digits-test-labels-idx1-ubyte").unlink()
    with pytest.raises(DataFileError, match=r"gzip: no file for test labels .*emnist-digits-test-labels-idx1"):
        load_idx_folder(tmp_path)
