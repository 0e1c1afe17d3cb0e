import numpy as np
import pytest

from benchmarks.disturbed_digits import skeleton
from fastmlp.images import as_digit
from fastmlp.images.strokes import THINNEST, WIDENED, stroke_width, with_wide_strokes


def ring(width, radius=80.0):
    y, x = np.indices((200, 200)) - 99.5
    return np.clip(width / 2 + 0.5 - np.abs(np.hypot(y, x) - radius), 0, 1)


@pytest.mark.parametrize("width", [1, 2, 5, 12, 30])
def test_the_width_of_a_stroke(width):
    assert stroke_width(ring(width)) == pytest.approx(width, abs=0.1 * width + 0.2)


def test_noise_does_not_make_strokes_thin():
    noise = np.random.default_rng(0).normal(0, 0.1, (200, 200))
    noisy = np.clip(ring(12) + noise * (ring(12) > 0), 0, 1)
    assert stroke_width(noisy) == pytest.approx(stroke_width(ring(12)), rel=0.1)


@pytest.mark.parametrize("width", [1, 3, 8])
def test_thin_strokes_are_widened(width):
    box = ring(width)[18:-18, 18:-18]
    wide = with_wide_strokes(box)
    assert stroke_width(wide) == pytest.approx(WIDENED * max(wide.shape), rel=0.2)


def test_strokes_that_are_wide_enough_stay_as_they_are():
    box = ring(200 * THINNEST + 2)
    assert with_wide_strokes(box) is box


@pytest.mark.parametrize("side", [60, 100, 400, 1000])
def test_a_thin_pen_gives_as_much_ink_as_a_thick_one(side):
    y, x = np.indices((side, side)) / side - 0.5
    away = np.abs(np.hypot(y, x) - 0.35)
    thin, thick = (as_digit(np.clip((share - away) * side + 0.5, 0, 1)) for share in (0.5 / side, 0.039))
    assert int(thin.sum()) == pytest.approx(int(thick.sum()), rel=0.25)
    assert thin.max() == 255


def test_skeletons_are_lines_of_one_pixel_in_the_middle():
    bar = np.zeros((30, 40), dtype=bool)
    bar[10:17, 5:35] = True
    rows, columns = np.nonzero(skeleton(bar))
    assert set(rows) <= {12, 13, 14}
    assert len(set(columns)) == len(columns) >= 20
