"""Fixtures that the tests of the engines share."""

import pytest

from fastmlp.engines.simd import workspace


@pytest.fixture
def small_chunks(monkeypatch):
    """Have the layout engine work in chunks of the fewest rows that it makes, 64."""
    monkeypatch.setattr(workspace, "_CHUNK_NUMBERS", 0)
