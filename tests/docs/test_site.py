"""The site builds without a warning, and loads nothing from elsewhere."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NEEDED = (
    "sphinx",
    "pydata_sphinx_theme",
    "numpydoc",
    "sphinx_gallery",
    "myst_nb",
    "sphinx_design",
    "sphinx_copybutton",
)
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)}: pip install 'fastmlp[docs]'"),
]
# What a browser fetches by itself when it opens a page; links that a reader follows are not of these.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|video)\b[^>]*\bsrc\s*=\s*["'](?:https?:)?//[^"']*|"""
    r"""<link\b(?=[^>]*\brel\s*=\s*["'](?:stylesheet|preload|icon|shortcut icon)\b)[^>]*\bhref\s*=\s*"""
    r"""["'](?:https?:)?//[^"']*"""
)
FETCHED_BY_CSS = re.compile(r"""url\(\s*["']?(?:https?:)?//[^)]*|@import\s+["'](?:https?:)?//[^"']*""")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site in a temporary folder, or take one that was just built (`FASTMLP_SITE`)."""
    if os.environ.get("FASTMLP_SITE"):
        return Path(os.environ["FASTMLP_SITE"]).absolute()
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    call = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(folder / "doctrees")]
    done = subprocess.run(
        [*call, str(ROOT / "docs"), str(folder / "html")], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return folder / "html"


def test_every_part_is_there(site):
    for page in (
        "index",
        "learn/index",
        "auto_gallery/index",
        "how-to/index",
        "climb/ladder",
        "reference/index",
        "search",
    ):
        assert (site / f"{page}.html").exists()


def test_pages_load_nothing_from_elsewhere(site):
    fetched = {
        found
        for pattern, suffix in ((FETCHED, "html"), (FETCHED_BY_CSS, "css"))
        for path in site.rglob(f"*.{suffix}")
        for found in pattern.findall(path.read_text(encoding="utf-8"))
    }
    assert not fetched


def test_chapters_can_be_downloaded_as_notebooks(site):
    chapters = {path.stem for path in (ROOT / "docs" / "learn").glob("*.md")} - {"index"}
    assert {path.stem for path in (site / "learn").glob("*.ipynb")} == chapters
