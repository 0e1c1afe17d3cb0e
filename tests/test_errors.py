import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from fastmlp import errors

ROOT = Path(__file__).parents[1]
DESCRIBED = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_extra_that_a_message_names_can_be_installed():
    assert set(errors._PURPOSES) <= set(DESCRIBED["optional-dependencies"])


@pytest.mark.parametrize(
    "listed",
    [
        ["numpy>=2.0", "typer>=0.15; extra == 'cli'", 'rich>=13 ; extra == "cli"', "pillow>=10; extra == 'images'"],
        ["typer>=0.15; extra=='cli'", "rich>=13; (extra == 'cli')", "x>=1; extra == 'client'"],
    ],
)
def test_a_missing_package_is_told_with_those_of_its_extra_as_they_were_installed(listed, monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda name: listed)
    told = str(errors.require("cli", "rich"))
    assert told == 'fastmlp needs rich for its command line: pip install "typer>=0.15" "rich>=13"'


@pytest.mark.parametrize("listed", [None, [], ["numpy>=2.0"]])
def test_without_a_list_of_packages_the_missing_one_is_named(listed, monkeypatch):
    monkeypatch.setattr(metadata, "requires", lambda name: listed)
    assert str(errors.require("plots", "matplotlib")).endswith('its plots: pip install "matplotlib"')


def test_a_source_tree_that_is_not_installed_names_the_missing_package(monkeypatch):
    def unknown(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", unknown)
    assert str(errors.require("plots", "matplotlib")).endswith('its plots: pip install "matplotlib"')


def test_nothing_tells_to_install_extras_from_an_index():
    """Nothing is published: a command must work in a checkout, or name packages that an index has."""
    texts = [ROOT / "README.md", *(ROOT / "fastmlp").rglob("*.py"), *(ROOT / "fastmlp").rglob("*.md")]
    assert [path.name for path in texts if "pip install 'fastmlp" in path.read_text(encoding="utf-8")] == []


def test_the_newest_python_that_the_tests_pass_on_is_named():
    assert "Programming Language :: Python :: 3.14" in DESCRIBED["classifiers"]
