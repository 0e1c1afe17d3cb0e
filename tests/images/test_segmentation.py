import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.images.segmentation import find_ink, shrink


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


def page(ink):
    return 0.9 - 0.7 * ink


def stroke(height=120, width=120):
    """A slanted stroke in the middle: ink that touches nothing."""
    y, x = np.indices((height, width))
    return ((np.abs(x - width / 2 + (y - height / 2) / 4) < 5) & (np.abs(y - height / 2) < 35)).astype(float)


def is_the_stroke(ink):
    return ink is not None and np.abs(ink - stroke(*ink.shape)).mean() < 0.01


@pytest.mark.parametrize("width", [1, 2, 5, 20])
@pytest.mark.parametrize("tone", [0.0, 0.2, 0.6, 1.0])
def test_a_frame_on_the_border_is_no_ink(width, tone):
    tones = np.pad(page(stroke()), width, constant_values=tone)
    ink = find_ink(tones)
    assert ink is not None
    assert is_the_stroke(ink[width:-width, width:-width])


@pytest.mark.parametrize("margin", [6, 60])
@pytest.mark.parametrize("noise", [0.0, 0.01])
def test_a_picture_within_a_picture_is_the_one_to_look_at(margin, noise):
    black = np.pad(0.1 + 0.8 * stroke(), margin, constant_values=1.0)
    ink = find_ink(black + np.random.default_rng(0).normal(0, noise, black.shape))
    assert ink is not None
    assert is_the_stroke(ink[margin:-margin, margin:-margin])


def test_frames_may_be_blurred_by_compression():
    Image = pytest.importorskip("PIL.Image", reason="needs Pillow")
    memory = io.BytesIO()
    Image.fromarray((255 * np.pad(page(stroke()), 2)).astype(np.uint8)).save(memory, "JPEG", quality=50)
    assert is_the_stroke(find_ink(np.asarray(Image.open(memory))[2:-2, 2:-2] / 255))
    ink = find_ink(np.asarray(Image.open(memory)) / 255)
    assert ink is not None
    assert is_the_stroke(ink[2:-2, 2:-2])


@pytest.mark.parametrize("sides", [(0,), (0, 2), (0, 3), (0, 1, 2)])
@pytest.mark.parametrize("tone", [0.0, 0.5])
def test_neither_is_one_on_some_sides(sides, tone):
    tones = page(stroke())
    for side in sides:
        np.rot90(tones, side)[:2] = tone
    assert is_the_stroke(find_ink(tones))


@pytest.mark.parametrize("away", [3, 12])
def test_neither_is_one_within_the_picture(away):
    ruled = np.zeros((120, 120))
    ruled[away:-away, away:-away] = 1.0
    ruled[away + 2 : -away - 2, away + 2 : -away - 2] = 0.0
    assert is_the_stroke(find_ink(page(np.maximum(ruled, stroke()))))


def test_axes_with_ticks_and_numbers_are_no_ink():
    plot = stroke()
    plot[10:111, 12:14] = plot[109:111, 12:110] = 1.0
    plot[20:100:20, 9:12] = plot[111:114, 30:100:20] = 1.0
    plot[19:100:20, 4:7] = plot[116:119, 29:100:20] = 1.0
    assert is_the_stroke(find_ink(page(plot)))


def test_rules_of_the_paper_are_no_ink():
    ruled = stroke()
    ruled[8] = ruled[112] = 1.0
    assert is_the_stroke(find_ink(page(ruled)))


@pytest.mark.parametrize("place", [np.s_[:20, 10:13], np.s_[60:63, :18], np.s_[-2:, 5:40], np.s_[:3, :3]])
@pytest.mark.parametrize("strength", [1.0, 1.25])
def test_pieces_at_the_border_are_no_ink(place, strength):
    with_dash = stroke()
    with_dash[place] = strength
    assert is_the_stroke(find_ink(page(with_dash)))


def test_faint_ink_counts_in_a_black_frame():
    tones = 1 - 0.3 * stroke()
    tones[5:-5, 5:8] = tones[5:8, 5:-5] = 0.0
    assert is_the_stroke(find_ink(tones))


@pytest.mark.parametrize("margin", [0, 1])
def test_a_digit_that_fills_its_picture_keeps_strokes_that_lie_apart(margin):
    five = np.zeros((40, 30))
    five[:4, 8:] = five[8:12, 4:26] = five[8:40, 22:26] = five[36:, :26] = 1.0
    ink = find_ink(np.pad(page(five), margin, constant_values=0.9))
    assert ink is not None
    np.testing.assert_allclose(ink[margin : margin + 40, margin : margin + 30], five)


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.3, 2.5, 4.0])
@pytest.mark.parametrize("soft", [0.5, 6.0])
@pytest.mark.parametrize("noise", [0.0, 0.02])
@pytest.mark.parametrize("away", [-25, 0, 25])
def test_the_edge_of_a_shadow_is_no_ink(angle, soft, noise, away):
    y, x = np.indices((120, 120)) - 60
    shaded = np.clip((x * np.cos(angle) + y * np.sin(angle) - away) / soft + 0.5, 0, 1)
    light = 1 - 0.65 * shaded + np.random.default_rng(0).normal(0, noise, shaded.shape)
    ink = find_ink(np.clip(page(stroke()) * light, 0, 1))
    assert ink is not None
    assert np.abs(ink - stroke()).mean() < 0.02


@pytest.mark.parametrize("bright", [False, True])
def test_ink_may_be_lighter_than_its_paper(bright):
    light = 0.9 - 0.3 * np.linspace(0, 1, 120)
    ink = find_ink((0.2 + 0.7 * stroke() if bright else page(stroke())) * light)
    assert is_the_stroke(ink)
