"""What `benchmarks.searches` says of a search and an ensemble."""

import pytest

pytest.importorskip("sklearn")

from benchmarks.searches import ensemble, search

pytestmark = pytest.mark.filterwarnings("ignore")


def test_searches_have_the_same_scores_and_are_timed():
    lines = search(1, {"network__alpha": [1e-4]}, max_iter=2)
    assert len(lines) == 3
    assert lines[0].startswith("search, fastmlp's search: ")
    assert lines[0].endswith(", 1.00 times")


def test_an_ensemble_has_the_bits_of_its_members_fits():
    assert len(ensemble(1, rows=200, members=2, epochs=1)) == 4
