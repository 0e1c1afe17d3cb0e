"""Images as comma-separated values are read, or the line that is wrong is named."""

import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastmlp.datasets import load_csv, load_data
from fastmlp.datasets.csv_file import NoLabelsError
from fastmlp.errors import ArgumentTypeError, DataFileError

ROWS = np.array([[7, 0, 85, 170, 255], [1, 0, 255, 0, 9]])


def lines(rows, separator=","):
    return "\n".join(separator.join(map(str, row)) for row in rows) + "\n"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train.csv"


@settings(deadline=None)
@given(
    rows=hnp.arrays(np.uint8, st.tuples(st.integers(1, 30), st.sampled_from([2, 5, 10]))),
    named=st.booleans(),
    squeeze=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_table_comes_back(tmp_path_factory, rows, named, squeeze, end):
    head = [["label", *(f"pixel{number}" for number in range(rows.shape[1] - 1))]] if named else []
    text = lines([*head, *rows.tolist()]).replace("\n", end).encode()
    path = tmp_path_factory.getbasetemp() / "digits.csv"
    path.write_bytes(gzip.compress(text) if squeeze else text)
    X, y = load_csv(path)
    assert (X.dtype, y.dtype) == (np.uint8, np.int64)
    np.testing.assert_array_equal(X, rows[:, 1:])
    np.testing.assert_array_equal(y, rows[:, 0])


@pytest.mark.parametrize(
    "text",
    [
        lines(ROWS, ";"),
        lines(ROWS, "\t"),
        "\ufeff" + lines(ROWS),
        "\n" + lines(ROWS).replace("\n", "\n\n"),
        lines(ROWS).replace("85", " 85 ").replace("7,", '"7",'),
        lines(ROWS.astype(float)),
        '"Label","a","b","c","d"\n' + lines(ROWS),
        "a,b,c,d,class\n" + lines(ROWS[:, [1, 2, 3, 4, 0]]),
        "a,b,label,c,d\n" + lines(ROWS[:, [1, 2, 0, 3, 4]]),
        lines(ROWS).rstrip("\n"),
    ],
)
def test_usual_forms_are_read(path, text):
    path.write_text(text, encoding="utf-8")
    X, y = load_csv(path)
    np.testing.assert_array_equal(X, ROWS[:, 1:])
    np.testing.assert_array_equal(y, ROWS[:, 0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an empty file"),
        ("\n \n", "an empty file"),
        ("hello\n", "only one column"),
        ("1,2,3\n", "3 columns without names, so 2 pixels .* no square image"),
        ("a,b,c,d,e\n1,2,3,4,5\n", "no column is named label.* of its 5 .'a', 'b', 'c', .*Network.fit"),
        ("label,y,a,b,c\n1,2,3,4,5\n", "several columns are named"),
        (lines(ROWS) + "1,2,3\n", "line 3 has 3 columns, but the first line has 5"),
        (lines(ROWS) + "1,2,3,4,256\n", "line 3 holds something else than whole numbers from 0 to 255"),
        (lines(ROWS) + "1,2,3,4,-1\n", "line 3 holds"),
        (lines(ROWS) + "1,2,3,4,0.5\n", "line 3 holds"),
        (lines(ROWS) + "1,2,3,4,nan\n", "line 3 holds"),
        (lines(ROWS) + "\n1,2,3,4,\n", "line 4 holds"),
        (lines(ROWS) + "cat,2,3,4,5\n", "line 3 holds"),
        ("1," * (1 << 20), "line 1 is longer than"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(path, text, message):
    path.write_text(text)
    with pytest.raises(DataFileError, match=message) as error:
        load_csv(path)
    assert str(error.value).startswith(f"{path}: ")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(DataFileError, match="no such file"):
        load_csv(tmp_path / "absent.csv")
    with pytest.raises(DataFileError, match="not a regular file"):
        load_csv(tmp_path)
    with pytest.raises(ArgumentTypeError, match="path must be a path"):
        load_csv(3)


def test_damaged_gzip_is_told(path):
    path.write_bytes(gzip.compress(lines(ROWS).encode())[:-9])
    with pytest.raises(DataFileError, match="gzip data are cut off or damaged"):
        load_csv(path)


def test_a_gzip_bomb_is_left_to_the_user(path):
    row = b"0" + b",0" * 784 + b"\n"
    path.write_bytes(gzip.compress(row * 60_000, 9))
    tracemalloc.start()
    try:
        with pytest.raises(DataFileError, match="unpack it with gunzip"):
            load_csv(path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


# Where `load_data` finds tables


def test_a_file_is_all_training_rows(path):
    path.write_text(lines(ROWS))
    data, origin = load_data(path)
    assert (len(data.X_train), len(data.X_test), origin) == (2, 0, str(path))


@pytest.mark.parametrize(
    ("train", "test"), [("mnist_train.csv", "mnist_test.csv"), ("train.csv.gz", "test.csv"), ("Train.CSV", "TEST.csv")]
)
def test_a_folder_of_two_tables(tmp_path, train, test):
    (tmp_path / train).write_text(lines(ROWS))
    (tmp_path / test).write_text(lines(ROWS[:1]))
    data, origin = load_data(tmp_path)
    assert (len(data.X_train), len(data.X_test), origin) == (2, 1, f"{tmp_path / train} and {test}")


def test_test_rows_without_labels_are_left_out_and_told(tmp_path):
    (tmp_path / "train.csv").write_text("label,a,b,c,d\n" + lines(ROWS))
    (tmp_path / "test.csv").write_text("a,b,c,d\n" + lines(ROWS[:, 1:]))
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    data, origin = load_data(tmp_path)
    assert (len(data.X_train), len(data.X_test)) == (2, 0)
    assert origin.endswith("train.csv (test.csv has no labels)")
    with pytest.raises(NoLabelsError):
        load_data(tmp_path / "test.csv")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"train.csv": lines(ROWS), "test.csv": lines(ROWS[:, :2])}, "test.csv: its images have 1 pixels, .* 4"),
        ({"a_train.csv": lines(ROWS), "b_train.csv": lines(ROWS)}, "a_train.csv and b_train.csv are both"),
        ({"train.csv": "label,a\n"}, "train.csv: no rows"),
    ],
)
def test_folders_of_tables_that_make_no_data_set(tmp_path, files, message):
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(DataFileError, match=message):
        load_data(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"PK\3\4rest", "an archive.*unpack it"), (b"\0\0\x08\3", "an IDX file; give the folder")],
)
def test_files_of_other_kinds_are_told(tmp_path, content, message):
    (tmp_path / "data").write_bytes(content)
    with pytest.raises(DataFileError, match=message):
        load_data(tmp_path / "data")


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataFileError, match="no such file"):
        load_data(tmp_path / "train.csv")
    with pytest.raises(DataFileError, match="no such folder"):
        load_data(tmp_path / "folder")
