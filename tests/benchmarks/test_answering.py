"""Answers beside other libraries: whose outputs are the same, and what is made of the timings."""

import numpy as np
import pytest

from benchmarks import answering

from ..interpreted import INTERPRETED

SMALL = ["8-16-3", "13-100-1", "100-100-10 gelu"] if INTERPRETED else list(answering.SHAPES)


@pytest.mark.parametrize("name", SMALL)
def test_all_have_the_same_outputs(name):
    point = answering.measure(name, rows=3, rounds=1)
    assert point["seconds"].keys() >= {"fastmlp"}
    assert all(0 < seconds < np.inf for seconds in point["seconds"].values())


def test_outputs_of_another_network_are_an_error(monkeypatch):
    monkeypatch.setattr(answering, "_numpy", lambda *_: lambda X: np.zeros((len(X), 3)))
    with pytest.raises(answering.OutputError, match="outputs of numpy are not those of fastmlp"):
        answering.measure("8-16-3", rows=3, rounds=1)


def test_the_ratio_is_to_the_fastest_other():
    point = {"name": "8-16-3", "rows": 10, "seconds": {"fastmlp": 2e-6, "numpy": 1e-6}, "times_faster": 0.5}
    assert answering.line(point).split() == ["8-16-3", "10", "fastmlp", "2.00", "numpy", "1.00", "0.50", "times", "<"]


def test_a_part_is_not_written():
    for arguments in (["--quick"], ["--shapes", "gelu"]):
        with pytest.raises(SystemExit):
            answering.parse(["--write", *arguments])


def test_the_script(capsys):
    assert answering.main(["--quick", "--shapes", "8-16-3"]) == 0
    assert "3 points: least" in capsys.readouterr().out
