"""The figures of the kernels' README: each is measured on little, and every special case can be taken away."""

import re
import shutil
from functools import partial

import pytest

pytest.importorskip("numba")

from benchmarks import kernel_notes, special_cases
from benchmarks.kernel_notes import COMPILED_WITHOUT, FIGURES, Effort
from benchmarks.special_cases import EDITS, NETWORKS, ROOT, Edit
from tests.interpreted import too_long_for_python

README = ROOT / "fastmlp" / "kernels" / "README.md"
TINY = Effort(rounds=1, rows=100)
EVERY = [*(edit for group in EDITS.values() for edit in group), *COMPILED_WITHOUT]


@pytest.mark.parametrize("edit", EVERY, ids=lambda edit: edit.name)
def test_an_edit_changes_the_source(edit, tmp_path):
    before = {}
    for file in {file for file, *_ in edit.changes}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "fastmlp" / file, tmp_path / file)
        before[file] = (tmp_path / file).read_text(encoding="utf-8")
    edit.apply(tmp_path)
    for file, text in before.items():
        after = (tmp_path / file).read_text(encoding="utf-8")
        assert after != text
        compile(after, file, "exec")
    assert set(edit.networks) <= set(NETWORKS)


def test_an_edit_that_no_longer_fits_is_an_error(tmp_path):
    (tmp_path / "file.py").write_text("a = 1\n")
    with pytest.raises(ValueError, match="must contain 'b = 1' once"):
        Edit("b", "", (), (("file.py", "b = 1", "b = 2"),)).apply(tmp_path)


def test_the_readme_has_a_place_for_every_table_but_those_of_special_cases():
    expected = sorted(name for name in FIGURES if not name.endswith("-cases"))
    assert sorted(re.findall(r"<!-- table: (.*) -->", README.read_text(encoding="utf-8"))) == expected


@too_long_for_python
@pytest.mark.parametrize("name", [name for name in FIGURES if name != "compiling" and not name.endswith("cases")])
def test_a_table_is_measured(name, monkeypatch):
    monkeypatch.setattr(kernel_notes, "PRODUCTS", kernel_notes.PRODUCTS[:1])
    monkeypatch.setattr(kernel_notes, "CACHES", {"L1": 2**12})
    monkeypatch.setattr(kernel_notes, "LANES", kernel_notes.LANES[:2])
    headings, *rows = FIGURES[name](TINY)
    assert rows
    assert {len(row) for row in rows} == {len(headings)}
    assert all(re.search(r"\d", cell) for row in rows for cell in row[1:])


@too_long_for_python
def test_a_special_case_is_taken_away(monkeypatch):
    (chosen,) = (edit for edit in EVERY if edit.name == "groups of chunks")
    ((name, ratio),) = special_cases.times_as_long(chosen, 1, 2000, 1).items()
    assert name == "T4"
    assert ratio > 0
    monkeypatch.setitem(EDITS, "threads", (chosen,))
    assert FIGURES["threads-cases"](TINY)[1][:2] == (chosen.name, chosen.where)


@too_long_for_python
def test_an_edit_that_changes_what_is_learned_is_an_error():
    wrong = Edit(
        "decay",
        "",
        ("T4",),
        (("engines/simd/settings.py", "weight_decay=optimizer.weight_decay", "weight_decay=100.0"),),
    )
    with pytest.raises(ValueError, match="the loss of T4 is not the same"):
        special_cases.times_as_long(wrong, 1, 100, 1)


def test_tables_are_printed_and_written(monkeypatch, tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("<!-- table: limits -->\n<!-- end table: limits -->\n")
    monkeypatch.setattr(kernel_notes, "FIGURES", {"limits": lambda effort: [("limit", "GB/s"), ("L1", "9")]})
    monkeypatch.setattr(kernel_notes, "one_thread_environment", lambda: kernel_notes.os.environ)
    write = partial(kernel_notes.main, ["--write", str(page)])
    assert write() == 0
    assert "| L1 | 9 |" in capsys.readouterr().out
    assert "| L1 | 9 |\n<!-- end table: limits -->" in page.read_text(encoding="utf-8")
    assert re.search(r"<!-- measured on -->\n.*; \d{4}-\d\d-\d\d\n", page.read_text(encoding="utf-8"))


def test_some_tables_do_not_replace_those_of_another_machine(tmp_path, capsys):
    page = tmp_path / "page.md"
    page.write_text("of another machine")
    with pytest.raises(SystemExit):
        kernel_notes.main(["limits", "--write", str(page)])
    assert "of another machine or day" in capsys.readouterr().err


def test_an_unknown_table_is_named(capsys):
    with pytest.raises(SystemExit):
        kernel_notes.main(["nothing"])
    assert "no table is named nothing" in capsys.readouterr().err
