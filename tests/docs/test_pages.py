"""The snippets of the pages of docs/ that are typed at a prompt: each runs, and prints what the page says."""

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [path for path in sorted((ROOT / "docs").rglob("*.md")) if ">>> " in path.read_text(encoding="utf-8")]
NEEDED = {
    "ensembles": "sklearn",
    "from-scikit-learn": "sklearn",
    "searches": "sklearn",
    "beyond-scikit-learn": "sklearn",
    "larger-than-memory": "scipy",
    "own-table": "pandas",
}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def without_fences(text):
    # A fence ends what a snippet prints; doctest knows blank lines.
    return re.sub(r"^\s*(```|:::).*$", "", text, flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=[str(path.relative_to(ROOT / "docs")) for path in PAGES])
def test_snippets_print_what_the_page_says(page, tmp_path, monkeypatch):
    if page.stem in NEEDED:
        pytest.importorskip(NEEDED[page.stem])
    monkeypatch.chdir(tmp_path)
    parsed = doctest.DocTestParser().get_doctest(
        without_fences(page.read_text(encoding="utf-8")), {}, page.name, str(page), 0
    )
    assert parsed.examples
    said = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(parsed, out=said.append)
    assert not said, "".join(said)


def test_every_how_to_has_something_to_run():
    without = {path.name for path in (ROOT / "docs" / "how-to").glob("*.md")} - {path.name for path in PAGES}
    assert not without
