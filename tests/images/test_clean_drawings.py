"""A drawing of one piece on even paper takes a shorter way to the same ink."""

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.images import segmentation
from fastmlp.images.segmentation import find_ink

PLACES = st.floats(0.15, 0.85)


def stroke(side, width, soft, places):
    """Lines from place to place, with soft edges, on black."""
    y, x = np.mgrid[:side, :side]
    drawing = np.zeros((side, side))
    for (x0, y0), (x1, y1) in pairwise(places):
        for along in np.linspace(0, 1, 40):
            away = np.hypot(x - side * (x0 + along * (x1 - x0)), y - side * (y0 + along * (y1 - y0)))
            drawing = np.maximum(drawing, np.clip((width * side / 2 - away) / soft + 0.5, 0, 1))
    return np.rint(255 * drawing) / 255


@given(
    st.integers(40, 120),
    st.floats(0.04, 0.14),
    st.sampled_from([0.5, 1.0, 2.0]),
    st.lists(st.tuples(PLACES, PLACES), min_size=2, max_size=4),
    st.booleans(),
)
def test_the_shorter_way_finds_the_same_ink(side, width, soft, places, dark):
    drawing = stroke(side, width, soft, places)
    tones = 1 - drawing if dark else drawing
    short = segmentation._one_clean_piece(tones)
    if short is None:  # of a thick or wide one
        return
    whole, segmentation._one_clean_piece = segmentation._one_clean_piece, lambda tones: None
    try:
        np.testing.assert_allclose(short, find_ink(tones), atol=1e-12)
    finally:
        segmentation._one_clean_piece = whole


def test_a_plain_stroke_takes_it():
    assert segmentation._one_clean_piece(stroke(60, 0.1, 1.0, [(0.5, 0.2), (0.5, 0.8)])) is not None


def test_a_speck_beside_it_takes_the_longer_way():
    drawing = stroke(60, 0.1, 1.0, [(0.5, 0.2), (0.5, 0.8)])
    drawing[5, 5] = 1.0
    assert segmentation._one_clean_piece(drawing) is None
