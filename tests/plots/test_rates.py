from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import pyplot

from fastmlp import plots
from fastmlp.errors import FastMLPError

RATES, LOSSES = [0.001, 0.01, 0.1, 1.0], [2.0, 1.5, 0.5, 80.0]


def search(**changed):
    return SimpleNamespace(**{"rates": RATES, "losses": LOSSES, "suggestion": 0.1} | changed)


def test_the_line_is_the_losses_on_a_logarithmic_scale_of_rates(theme):
    axes = plots.learning_rates(search())
    assert axes.lines[0].get_xdata().tolist() == RATES
    assert axes.lines[0].get_ydata().tolist() == LOSSES
    assert axes.get_xscale() == "log"


def test_the_suggestion_is_marked_where_the_line_is():
    axes = plots.learning_rates(search(suggestion=np.float32(0.01)))
    assert axes.lines[-1].get_xydata()[0] == pytest.approx([0.01, 1.5], rel=1e-4)
    assert axes.get_title() == "Suggested learning rate: 0.01"


@pytest.mark.parametrize("none", [None, np.nan])
def test_no_suggestion_is_said(none):
    axes = plots.learning_rates(search(suggestion=none))
    assert len(axes.lines) == 1
    assert axes.get_title() == "No learning rate to suggest"


def test_what_diverges_is_cut_off():
    low, high = plots.learning_rates(search()).get_ylim()
    assert low < 0.5 and 2.0 < high < 4.0


@pytest.mark.parametrize("last", [np.inf, np.nan])
def test_losses_that_are_not_finite_are_gaps(last):
    axes = plots.learning_rates(search(losses=[*LOSSES[:3], last]))
    assert axes.get_ylim()[1] < 4.0
    axes.figure.canvas.draw()


def test_smoothed_losses_are_the_main_line_and_carry_the_suggestion():
    axes = plots.learning_rates(search(smoothed=[3.0, 1.0, 0.4, 0.6]))
    raw, smooth = axes.lines[:2]
    assert (raw.get_ydata().tolist(), smooth.get_ydata().tolist()) == (LOSSES, [3.0, 1.0, 0.4, 0.6])
    assert smooth.get_linewidth() > raw.get_linewidth()
    assert axes.lines[-1].get_xydata()[0] == pytest.approx([0.1, 0.4])
    assert axes.get_ylim()[1] > 3.0


def test_rates_in_any_order_make_one_line():
    axes = plots.learning_rates(search(rates=RATES[::-1], losses=LOSSES[::-1]))
    assert axes.lines[0].get_xdata().tolist() == RATES
    assert axes.lines[0].get_ydata().tolist() == LOSSES


def test_one_rate_can_be_drawn():
    plots.learning_rates(search(rates=[0.1], losses=[1.0])).figure.canvas.draw()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (3, "search must be what find_learning_rate returned; int has no 'rates'"),
        (search(losses=[1.0]), "a loss for each rate"),
        (search(smoothed=[1.0]), "a loss for each rate"),
        (search(rates=[], losses=[]), "search.rates must be finite and above 0"),
        (search(rates=[0.0, 0.1, 1, 2]), "search.rates must be finite and above 0"),
        (search(losses=[np.nan] * 4), "no finite loss"),
        (search(suggestion=-1.0), "search.suggestion must be finite and above 0"),
        (search(suggestion="high"), "search.suggestion must be a number"),
    ],
)
def test_what_cannot_be_drawn_is_refused(given, message):
    with pytest.raises(FastMLPError, match=message):
        plots.learning_rates(given)
    assert not pyplot.get_fignums()
