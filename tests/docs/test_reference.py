"""The reference of docs/ has every public name, and none that isn't."""

import importlib
import re
from pathlib import Path

import pytest

import fastmlp

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
ROOMS = ("datasets", "errors", "estimators", "formats", "images", "model_selection", "plots", "recipes")
# Of fastmlp.errors the exceptions alone are public; the others make them.
NOT_PAGES = {"__version__", *ROOMS}


def listed():
    """Return the names that pages list under ``autosummary``, by module."""
    names = {}
    for page in sorted(REFERENCE.glob("*.rst")):
        for part in re.split(r"^\.\. currentmodule:: ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            for block in re.findall(
                r"^\.\. autosummary::\n   :toctree: generated/\n\n((?:   \S+\n?)+)", part, re.MULTILINE
            ):
                names.setdefault(part.split()[0], []).extend(block.split())
    return names


def public(module):
    if module == "fastmlp.errors":
        found = vars(importlib.import_module(module)).values()
        return {
            thing.__name__
            for thing in found
            if isinstance(thing, type) and issubclass(thing, fastmlp.errors.FastMLPError)
        }
    if module == "fastmlp.web":
        return {"serve"}
    # MNIST is the one name that is in two places; its page is that of the top.
    elsewhere = {"load_mnist"} if module == "fastmlp.datasets" else set()
    return set(importlib.import_module(module).__all__) - NOT_PAGES - elsewhere


@pytest.mark.parametrize("module", ["fastmlp", "fastmlp.web", *(f"fastmlp.{room}" for room in ROOMS)])
def test_every_public_name_is_in_the_reference_and_no_other(module):
    if module in ("fastmlp.estimators", "fastmlp.model_selection"):
        pytest.importorskip("sklearn")
    names = listed()[module]
    assert sorted(names) == sorted(public(module))


def test_every_page_of_the_reference_is_reached_from_its_start():
    index = (REFERENCE / "index.md").read_text(encoding="utf-8")
    pages = {path.stem for path in REFERENCE.iterdir() if path.suffix in (".md", ".rst")} - {"index"}
    toctree = index.split("```{toctree}\n:hidden:\n")[1].split("```")[0]
    assert set(toctree.split()) == pages


@pytest.mark.parametrize("name", [name for name in fastmlp.__all__ if name not in NOT_PAGES])
def test_every_public_name_has_an_example(name):
    documented = getattr(fastmlp, name)
    members = vars(documented).values() if isinstance(documented, type) else ()
    assert any(">>> " in (thing.__doc__ or "") for thing in (documented, *members))
