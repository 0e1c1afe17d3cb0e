"""The heat map of the landscape: every point has its cell, with its ratio and its colour."""

import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex

from benchmarks import landscape_picture
from benchmarks.answering import ROWS, SHAPES
from benchmarks.landscape_picture import COLOURS
from benchmarks.points import POINTS
from fastmlp import plots

MACHINE = {"processor": "Abacus", "cores": 2, "python": "3", "numpy": "2", "numba": "0"}
IN_LEGEND = 6


@pytest.fixture
def results():
    pyplot.switch_backend("Agg")
    common = {"machine": MACHINE, "date": "2026-11-30"}
    training = [{"name": name, "times_faster": 1.0 + number} for number, name in enumerate(POINTS)]
    answers = [{"name": name, "rows": rows, "times_faster": 0.5} for name in SHAPES for rows in ROWS]
    with plots.theme("light"):
        yield {**common, "points": training}, {**common, "points": answers}
    pyplot.close("all")


def cells(figure, kind):
    (axes,) = figure.axes
    return [patch for patch in axes.patches if to_hex(patch.get_facecolor()) == COLOURS[kind][0]]


def texts(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_every_point_has_a_cell(results):
    figure = landscape_picture.figure(*results)
    drawn = sum(len(cells(figure, f"heat{number}")) for number in range(6)) - IN_LEGEND
    assert drawn == len(POINTS) + len(SHAPES) * len(ROWS)
    assert not cells(figure, "empty")


def test_what_was_not_measured_is_left_empty(results):
    training, answers = results
    training["points"].pop(0)
    figure = landscape_picture.figure(training, answers)
    assert len(cells(figure, "empty")) == 1
    assert texts(figure).count("–") == 1


def test_a_ratio_has_its_colour(results):
    kinds = [landscape_picture._kind(ratio) for ratio in (0.99, 1.0, 1.25, 2.5, 4.0, 100.0, None)]
    assert kinds == ["heat0", "heat1", "heat2", "heat3", "heat4", "heat5", "empty"]


def test_it_says_what_was_measured_and_when(results):
    assert "Abacus, 2 cores, Python 3, NumPy 2, Numba 0; 2026-11-30." in texts(landscape_picture.figure(*results))


def test_texts_lie_within_the_picture_and_do_not_overlap(results):
    figure = landscape_picture.figure(*results)
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts if text.get_text()]
    assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert not [1 for number, box in enumerate(boxes) for other in boxes[:number] if box.overlaps(other)]
