import re
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib import pyplot

from fastmlp import plots
from fastmlp.errors import ArgumentError
from fastmlp.plots.look import DARK, LIGHT, colours_of, luminance, size_in_points

# Machado, Oliveira and Fernandes (2009), table 1: what is left of linear red, green and blue.
BLINDNESS = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour):
    parts = np.array(matplotlib.colors.to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(parts):
    """CIE L*a*b* of linear red, green and blue."""
    shares = TO_XYZ @ np.clip(parts, 0, 1) / TO_XYZ.sum(axis=1)
    x, y, z = np.where(shares > 0.008856, np.cbrt(shares), 7.787 * shares + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def contrast(one, other):
    """Contrast ratio of WCAG 2, from 1 to 21."""
    dim, bright = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (bright + 0.05) / (dim + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_colours_are_readable_on_their_ground(colours):
    assert contrast(colours.ink, colours.ground) > 7
    for name in ("quiet", "first", "second", "right", "wrong", "positive", "negative"):
        assert contrast(getattr(colours, name), colours.ground) > 4.5, name


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(
    "pair", [("first", "second"), ("right", "wrong"), ("positive", "negative"), ("first", "quiet")]
)
def test_the_colour_blind_tell_colours_apart(colours, pair, blindness):
    one, other = (lab(np.array(BLINDNESS[blindness]) @ linear(getattr(colours, name))) for name in pair)
    assert np.linalg.norm(one - other) > 20  # 2.3 is just noticeable


def test_a_theme_colours_figures_and_ends_with_its_block(theme):
    made = pyplot.subplots()[0]
    assert matplotlib.colors.to_hex(made.get_facecolor()) == {"light": LIGHT, "dark": DARK}[theme].ground


def test_settings_return_after_the_block():
    before = matplotlib.rcParams["text.color"]
    with plots.theme("dark"):
        assert matplotlib.rcParams["text.color"] != before
    assert matplotlib.rcParams["text.color"] == before


def test_an_unknown_theme_is_refused():
    with pytest.raises(ArgumentError, match="did you mean 'dark'"):
        plots.theme("drak")


@pytest.mark.parametrize(("style", "expected"), [("default", LIGHT), ("dark_background", DARK)])
def test_colours_follow_the_styles_of_matplotlib(style, expected):
    with pyplot.style.context(style):
        found = colours_of(pyplot.subplots()[1])
    assert found.first == expected.first
    assert luminance(found.ground) == (1 if style == "default" else 0)


def test_transparent_ground_is_taken_for_that_of_the_theme(theme):
    figure, axes = pyplot.subplots(facecolor="none")
    axes.set_facecolor("none")
    assert colours_of(axes).ground == {"light": LIGHT, "dark": DARK}[theme].ground
    assert figure.get_facecolor()[3] == 0


def test_size_in_points_is_that_of_the_drawn_axes():
    figure, axes = pyplot.subplots(figsize=(4, 3), layout="constrained")
    axes.set_axis_off()
    expected = size_in_points(axes)
    figure.canvas.draw()
    assert expected == pytest.approx((4 * 72, 3 * 72), rel=0.02)


def run(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_plots_does_not_import_matplotlib():
    assert run("import sys, fastmlp.plots; assert 'matplotlib' not in sys.modules").returncode == 0


def test_without_matplotlib_one_sentence_says_how_to_install_it():
    shown = run("import sys; sys.modules['matplotlib'] = None\nfrom fastmlp import plots; plots.benchmarks({'a': 1})")
    assert re.search(r'fastmlp needs matplotlib for its plots: pip install "?matplotlib\S*\n$', shown.stderr)
