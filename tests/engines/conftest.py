"""Fixtures that the tests of the engines share."""

import pytest

from fastmlp.engines import layout


@pytest.fixture
def small_chunks(monkeypatch):
    """Have the layout engine work in chunks of the fewest rows that it makes, 64."""
    monkeypatch.setattr(layout, "_CHUNK_NUMBERS", 0)
