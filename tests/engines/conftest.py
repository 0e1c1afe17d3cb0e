"""Fixtures that the tests of the engines share."""

import pytest

from fastmlp.engines import compiled


@pytest.fixture
def small_chunks(monkeypatch):
    """Have the compiled engine work in chunks of the fewest rows that it makes, 64."""
    monkeypatch.setattr(compiled, "_CHUNK_NUMBERS", 0)
