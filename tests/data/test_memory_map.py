import mmap

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.data import memory_map


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("maps")


def on_disk(folder, array, mode="r", offset=0):
    """The array as a memory map that begins `offset` bytes into its file."""
    path = folder / f"{array.shape}-{offset}-{mode}"
    path.write_bytes(bytes(offset) + array.tobytes())
    return np.memmap(path, dtype=array.dtype, mode=mode, offset=offset, shape=array.shape)


@pytest.mark.parametrize("mode", ["r", "r+"])
def test_maps_and_their_views_are_mapped(folder, mode):
    whole = on_disk(folder, np.ones((4, 3), np.float32), mode)
    assert memory_map.is_mapped(whole) and memory_map.is_mapped(np.asarray(whole)[1:].reshape(-1))


@pytest.mark.parametrize("array", [None, np.zeros(3), np.zeros((3, 2))[1:]], ids=["none", "array", "view"])
def test_arrays_in_memory_are_not_mapped(array):
    assert not memory_map.is_mapped(array)


def test_a_map_with_changes_of_its_own_keeps_them(folder):
    whole = on_disk(folder, np.zeros((4, 3)), "c")
    whole[2] = 5
    memory_map.give_back(whole)
    assert whole.sum() == 15


def test_changes_that_go_to_the_file_are_kept(folder):
    whole = on_disk(folder, np.zeros((4, 3)), "r+")
    whole[2] = 5
    memory_map.give_back(whole)
    assert whole.sum() == 15


@given(
    n_rows=st.integers(1, 300),
    features=st.integers(1, 700),
    offset=st.sampled_from([0, 12, mmap.PAGESIZE + 128]),
    data=st.data(),
)
def test_rows_are_taken_as_numpy_takes_them(folder, n_rows, features, offset, data):
    rows = np.array(data.draw(st.lists(st.integers(0, n_rows - 1), max_size=60)), dtype=np.int64)
    table = np.arange(n_rows * features, dtype=np.float32).reshape(n_rows, features)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_map, "READ_BYTES", 2**17)
        patch.setattr(memory_map, "WINDOW_BYTES", 2**15)
        np.testing.assert_array_equal(memory_map.take(on_disk(folder, table, offset=offset), rows), table[rows])


@given(n_rows=st.integers(0, 300), features=st.integers(1, 70))
def test_blocks_cover_an_array(n_rows, features):
    table = np.arange(n_rows * features, dtype=np.float64).reshape(n_rows, features)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memory_map, "BLOCK_BYTES", 2**12)
        found = list(memory_map.blocks(table))
    assert [first for first, _ in found] == np.cumsum([0, *(len(block) for _, block in found)])[:-1].tolist()
    np.testing.assert_array_equal(np.concatenate([block for _, block in found] or [table]), table)
