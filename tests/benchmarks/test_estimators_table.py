import numpy as np
import pytest

from benchmarks import estimators_table
from benchmarks.estimators_table import PROBLEMS, Problem, main, markdown, measure

MACHINE = {
    "processor": "Some CPU",
    "cores": 2,
    "python": "3.12",
    "numpy": "2.1",
    "numba": "0.61",
    "scikit-learn": "1.9",
}


def row(theirs, ours):
    return {
        "data": "wine",
        "settings": "defaults",
        "shape": (133, 13),
        "scores": {"scikit-learn": [0.9, 0.8], "fastmlp": [0.9, 0.7]},
        "seconds": {"scikit-learn": [theirs], "fastmlp": [ours]},
        "speed_up": theirs / ours,
    }


@pytest.fixture
def table():
    rows = [row(0.4, 0.2), row(0.8, 0.1)]
    return markdown({"rows": rows, "machine": MACHINE, "date": "2026-01-01", "command": "python -m benchmarks.x"})


def test_a_row_has_scores_with_spread_and_seconds(table):
    assert "| wine | 133 × 13 | defaults | 0.8500 ± 0.0500 | 0.8000 ± 0.1000 | 0.400 | 0.200 | 2.00 |" in table


def test_the_mean_is_geometric(table):
    assert "| geometric mean | | | | | | | 4.00 |" in table


def test_every_settings_have_a_mean_of_their_own():
    rows = [row(0.4, 0.2), row(0.8, 0.1) | {"settings": "batches of 32"}]
    shown = markdown({"rows": rows, "machine": MACHINE, "date": "2026-01-01", "command": "python -m benchmarks.x"})
    assert (
        "| geometric mean | | defaults | | | | | 2.00 |\n| geometric mean | | batches of 32 | | | | | 8.00 |" in shown
    )


@pytest.mark.parametrize("numbers", [False, True])
def test_both_are_fitted_alike(numbers, monkeypatch):
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = X[:, 0] if numbers else X[:, 0] > 0
    monkeypatch.setitem(PROBLEMS, "small", Problem(lambda: (X, y), numbers, 3))
    measured = measure("small", "batches of 32", seeds=2)
    assert measured["shape"] == (150, 3)
    assert measured["scores"]["fastmlp"] == pytest.approx(measured["scores"]["scikit-learn"])
    assert measured["epochs"]["fastmlp"] == measured["epochs"]["scikit-learn"] == [3, 3]


def test_housing_has_the_shape_of_california():
    X, y = estimators_table._housing()
    assert X.shape == (20640, 8) and np.isfinite(X).all() and np.isfinite(y).all()


def test_a_part_of_the_table_is_not_written(tmp_path):
    with pytest.raises(SystemExit):
        main(["wine", "--write", str(tmp_path / "page.md")])
