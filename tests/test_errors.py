import tomllib
from pathlib import Path

from fastmlp import errors


def test_every_extra_that_a_message_names_can_be_installed():
    described = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())
    assert set(errors._PURPOSES) <= set(described["project"]["optional-dependencies"])
