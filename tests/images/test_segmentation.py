import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastmlp.images.segmentation import connected, find_ink, shrink


def flooded(mask):
    """Pieces by flooding them pixel by pixel."""
    pieces, n = np.zeros(mask.shape, dtype=int), 0
    for seed in zip(*np.nonzero(mask), strict=True):
        if pieces[seed]:
            continue
        n += 1
        todo = [seed]
        while todo:
            i, j = todo.pop()
            if not (0 <= i < mask.shape[0] and 0 <= j < mask.shape[1]) or not mask[i, j] or pieces[i, j]:
                continue
            pieces[i, j] = n
            todo += [(i + a, j + b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
    return pieces, n


@given(arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12))))
def test_connected_pieces_are_those_of_flooding(mask):
    pieces, n_pieces = connected(mask)
    expected, n = flooded(mask)
    assert n_pieces == n
    np.testing.assert_array_equal(pieces, expected)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50))
def test_shrinking_averages_blocks(height, width, side):
    values = np.random.default_rng(0).random((height, width))
    small, factor = shrink(values, side)
    assert max(small.shape) <= side
    for i, j in np.ndindex(small.shape):
        block = values[i * factor : (i + 1) * factor, j * factor : (j + 1) * factor]
        assert small[i, j] == pytest.approx(block.mean())


def test_ink_of_a_drawing_is_what_differs_from_its_background():
    page = np.full((40, 40), 0.7)
    page[10:30, 18:22], page[20, 18:22] = 0.2, 0.45
    ink = find_ink(page)
    assert ink is not None
    np.testing.assert_allclose(ink[10:30, 18:22], np.where(np.arange(10, 30) == 20, 0.5, 1.0)[:, None] * np.ones(4))
    assert ink.sum() == pytest.approx(78)


def test_thick_strokes_of_a_photograph_are_ink_to_their_middle():
    page = 0.9 - 0.002 * np.arange(100.0) + np.zeros((100, 1))
    page[20:80, 40:60] -= 0.5
    ink = find_ink(page)
    assert ink is not None
    assert ink[30:70, 42:58].min() > 0.9
    assert ink[:, :35].max() == 0


@given(st.floats(0, 1), st.integers(1, 50), st.integers(1, 50))
def test_one_tone_has_no_ink(tone, height, width):
    assert find_ink(np.full((height, width), tone)) is None
