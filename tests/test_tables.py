import copy
import pickle
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.tables import Lines, Table, svg_curves

texts = st.text(max_size=20)


class Read(HTMLParser):
    """The cells of a table and its tags, as a browser reads them."""

    def __init__(self, html):
        super().__init__()
        self.cells, self.open, self.tags = [], [], set()
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.cells[-1] += data


@given(st.lists(st.tuples(texts, texts), max_size=5), texts, texts)
def test_html_shows_every_text_as_it_is(rows, title, note):
    read = Read(Table(["name", "value"], rows, left=["name"], title=title, note=note).html())
    as_read = [cell.replace("\r\n", "\n") for row in rows for cell in row]
    assert read.cells == ["name", "value", *as_read]
    assert read.tags <= {"div", "strong", "table", "thead", "tbody", "tr", "th", "td"}


def test_words_are_aligned_to_the_left_and_numbers_to_the_right():
    table = Table(["name", "value"], [["a", "1"], ["longer", "1000000"]], left=["name"])
    assert table.text() == "name      value\na             1\nlonger  1000000"
    assert table.html().count("text-align: left") == table.html().count("text-align: right") == 3


def test_html_sets_no_colours():
    html = Table(["a"], [["1"]], title="t", note="n").html(before=svg_curves({"loss": [1, 2], "val_loss": [2, 3]}))
    assert "currentColor" in html
    assert "#" not in html and "rgb" not in html and "color:" not in html


@given(texts)
def test_lines_equal_their_text_and_show_it(text):
    lines = Lines(text)
    assert lines == text and hash(lines) == hash(text)
    assert repr(lines) == str(lines) == f"{lines}" == text


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda lines: pickle.loads(pickle.dumps(lines))])
def test_copies_of_lines_are_lines(duplicate):
    made = duplicate(Lines("one\ntwo"))
    assert type(made) is Lines and made == "one\ntwo"


@given(st.lists(st.floats(), max_size=10), st.lists(st.floats(), max_size=10))
def test_curves_stay_within_their_picture(loss, val_loss):
    drawn = svg_curves({"loss": loss, "val_loss": val_loss})
    assert "nan" not in drawn and "inf" not in drawn
    Read(drawn)
    points = [
        float(n)
        for path in drawn.split(' d="')[1:]
        for n in path.split('"')[0].replace("M", " ").replace("L", " ").split()
    ]
    assert all(0 <= across <= 300 for across in points[::2])
    assert all(0 <= down <= 80 for down in points[1::2])


def test_a_value_that_is_not_finite_leaves_a_gap():
    drawn = svg_curves({"loss": [3.0, float("nan"), 2.0, 1.0]})
    assert drawn.count("M") == 2 and drawn.count("L") == 1


@pytest.mark.parametrize("values", [[], [1.0], [float("nan"), 1.0]])
def test_a_single_value_makes_no_curve(values):
    assert svg_curves({"loss": values}) == ""
