"""The guard of the speed, on figures that are made up."""

import pytest

pytest.importorskip("numba")

from benchmarks.guard import ATTEMPTS, CHECKS, Check, run


def test_what_falls_short_is_measured_again(capsys):
    figures = iter([0.5, 0.9, 1.5])
    assert run((Check("shaky", 1.0, lambda: next(figures)), Check("steady", 2.0, lambda: 2.0))) == 0
    assert "1.50" in capsys.readouterr().out
    assert next(figures, None) is None


def test_what_stays_below_its_bound_fails(capsys):
    asked = []
    assert run((Check("slow", 1.0, lambda: asked.append(1) or 0.5),)) == 1
    assert len(asked) == ATTEMPTS
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("slow")]
    assert line.split() == ["slow", "0.50", "1.00", "too", "slow"]


def test_checks_have_names_of_their_own():
    assert len({check.name for check in CHECKS}) == len(CHECKS)
