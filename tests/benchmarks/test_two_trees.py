"""The comparison of two checkouts, on this one twice; nothing is timed that would have to be right."""

import json
from pathlib import Path

import pytest

pytest.importorskip("numba")

from benchmarks import two_trees
from tests.interpreted import too_long_for_python

ROOT = Path(__file__).resolve().parents[2]
TINY = ["--rows", "100", "--rounds", "2"]


@too_long_for_python
def test_a_tree_against_itself_has_ratios_and_the_same_losses(tmp_path, capfd):
    written = tmp_path / "ratios.json"
    where = [str(ROOT), str(ROOT), "--workloads", "N30", "--landscape", "8-16-3, batch 32", *TINY]
    assert two_trees.main([*where, "--write", str(written)]) == 0
    results = json.loads(written.read_text())
    assert [point["name"] for point in results["points"]] == ["N30", "8-16-3, batch 32, relu, adam"]
    for point in results["points"]:
        assert point["ratio"] == point["old"] / point["new"] > 0
        assert point["losses"][0] == point["losses"][1]
    assert min(point["ratio"] for point in results["points"]) == results["least"]
    assert "geometric mean" in capfd.readouterr().out


def test_a_folder_without_the_package_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no package fastmlp"):
        two_trees.Tree(tmp_path)


def test_by_default_it_is_the_seven_workloads():
    chosen = two_trees.chosen_workloads(two_trees.parse(["old", "new"]))
    assert [workload.name for workload in chosen] == list(two_trees.WORKLOADS)


def test_a_text_in_no_name_is_said():
    with pytest.raises(SystemExit, match="nothing-like-it"):
        two_trees.chosen_workloads(two_trees.parse(["old", "new", "--landscape", "nothing-like-it"]))


def test_the_whole_landscape_is_taken_where_no_text_is_given():
    chosen = two_trees.chosen_workloads(two_trees.parse(["old", "new", "--landscape"]))
    assert len(chosen) == len(two_trees.POINTS)


def test_losses_that_differ_are_said():
    point = {"name": "N30", "old": 1.0, "new": 1.0, "ratio": 1.0, "losses": [0.5, 0.6]}
    assert "losses 0.5 and 0.6" in two_trees.line(point, 3)
