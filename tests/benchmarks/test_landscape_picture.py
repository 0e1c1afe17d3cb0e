"""The heat map of the landscape: every point has its cell, with its ratio and its colour."""

import xml.etree.ElementTree as ET

import pytest

from benchmarks import landscape_picture
from benchmarks.answering import ROWS, SHAPES
from benchmarks.points import POINTS

MACHINE = {"processor": "Abacus", "cores": 2, "python": "3", "numpy": "2", "numba": "0"}


@pytest.fixture
def results(monkeypatch):
    monkeypatch.setattr(landscape_picture, "in_words", lambda machine: "Abacus, 2 cores")
    common = {"machine": MACHINE, "date": "2026-11-30"}
    training = [{"name": name, "times_faster": 1.0 + number} for number, name in enumerate(POINTS)]
    answers = [{"name": name, "rows": rows, "times_faster": 0.5} for name in SHAPES for rows in ROWS]
    return {**common, "points": training}, {**common, "points": answers}


def cells(picture, kind):
    return picture.count(f'<rect class="{kind}"')


def test_every_point_has_a_cell(results):
    picture = landscape_picture.picture(*results)
    ET.fromstring(picture)
    in_legend = 6
    drawn = sum(cells(picture, f"heat{number}") for number in range(6)) - in_legend
    assert drawn == len(POINTS) + len(SHAPES) * len(ROWS)
    assert cells(picture, "empty") == 0


def test_what_was_not_measured_is_left_empty(results):
    training, answers = results
    first = training["points"].pop(0)
    picture = landscape_picture.picture(training, answers)
    assert cells(picture, "empty") == 1
    assert first["name"] not in picture.partition("<desc")[2].partition("</desc>")[0]


def test_a_ratio_has_its_colour(results):
    kinds = [landscape_picture._kind(ratio) for ratio in (0.99, 1.0, 1.25, 2.5, 4.0, 100.0, None)]
    assert kinds == ["heat0", "heat1", "heat2", "heat3", "heat4", "heat5", "empty"]


def test_without_results_it_says_how_to_make_them(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(landscape_picture, "TRAINING", tmp_path / "landscape.json")
    assert landscape_picture.main() == 1
    assert "python -m benchmarks.landscape --write" in capsys.readouterr().err
