import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fastmlp.images.morphology import connected, dilated, opened


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


@given(arrays(np.int8, st.tuples(st.integers(1, 9), st.integers(1, 9))), st.integers(0, 12))
def test_dilating_takes_the_largest_neighbour(values, reach):
    grown = dilated(values.astype(float), reach)
    for i, j in np.ndindex(values.shape):
        around = values[max(0, i - reach) : i + reach + 1, max(0, j - reach) : j + reach + 1]
        assert grown[i, j] == around.max()


def test_opening_takes_away_what_is_narrow():
    tones = np.zeros((60, 60))
    tones[10:50, 20:24] = 1.0
    assert opened(tones, 8).max() == 0
    assert opened(tones, 2).max() == 1


@pytest.mark.parametrize("angle", [0.0, 0.3, 0.8, 1.4, 2.2, 4.0])
@pytest.mark.parametrize("away", [-20, 0, 25])
def test_opening_leaves_the_edge_of_a_shadow_that_runs_over_the_border(angle, away):
    y, x = np.indices((80, 100)) - np.array([40, 50])[:, None, None]
    shadow = (x * np.cos(angle) + y * np.sin(angle) > away).astype(float)
    assert (opened(shadow, 25) != shadow).mean() < 0.002
