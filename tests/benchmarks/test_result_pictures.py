"""Pictures of kept results: drawn from JSON alone, the same bytes each time, with a dark form."""

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree

import pytest
from matplotlib import pyplot

from benchmarks import result_pictures
from benchmarks.result_pictures import FOLDER, SOURCES, draw, main
from fastmlp.plots.look import DARK, LIGHT

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=SOURCES)
def drawn(request, tmp_path):
    """A picture's name, and the text of its file, drawn from the results that are kept."""
    for file in SOURCES[request.param]:
        shutil.copy(FOLDER / file, tmp_path)
    return request.param, draw(request.param, tmp_path).read_text(encoding="utf-8")


def test_the_kept_picture_is_that_of_the_kept_results(drawn):
    name, text = drawn
    kept = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    # Places depend on matplotlib's version; the words and figures don't.
    words = [re.findall(r">([^<>]+)</text>", one) for one in (kept, text)]
    assert words[0] == words[1]
    assert len(words[0]) > 30


def test_it_is_valid_and_the_same_each_time(drawn, tmp_path):
    name, text = drawn
    ElementTree.fromstring(text)
    assert draw(name, tmp_path).read_text(encoding="utf-8") == text


def test_dark_readers_get_colours_of_the_dark_theme(drawn):
    _, text = drawn
    style = re.search(r"@media \(prefers-color-scheme: dark\)\{(.*?)\}</style>", text)[1]
    rules = dict(re.findall(r'\[style\*="(fill: #\w+)"\]\{fill:(#\w+) !important\}', style))
    assert rules[f"fill: {LIGHT.ink}"] == DARK.ink
    assert rules[f"fill: {LIGHT.ground}"] == DARK.ground
    known = {f"fill: {colour}" for colour in re.findall(r"fill: (#\w+)", text.partition("</style>")[2])}
    assert known <= set(rules) | {"fill: none"}


def test_no_figure_stays_open(drawn):
    assert not pyplot.get_fignums()


def test_missing_results_say_how_to_make_them(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(result_pictures, "draw", lambda name: draw(name, tmp_path))
    assert main(["peers"]) == 1
    assert "no peers.json yet; run: python -m benchmarks.compare --write" in capsys.readouterr().err


def test_an_unknown_picture_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["pears"])
    assert "no picture 'pears'; known: recipes, peers, landscape" in capsys.readouterr().err
