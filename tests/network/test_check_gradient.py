"""`Network.check_gradient`: right gradients pass, wrong ones don't, whatever the numbers' size."""

from dataclasses import replace

import numpy as np
import pytest

from fastmlp import Dense, Network
from fastmlp.engines.gradient_check import CheckedDerivative, GradientCheck
from fastmlp.errors import ArgumentError
from fastmlp.model import activations
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.losses import LOSSES

from .test_trace import LABELS, WEIGHTS, X, network, penalties, targets


def place(row):
    return row.layer, row.parameter, row.index


@penalties
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_gradient_passes(loss, activation, penalty):
    check = network(loss, activation, dtype="float32", **penalty).check_gradient(X, targets(loss), WEIGHTS)
    assert check.passed
    assert check.largest_error < 1e-6
    assert sum(row.kink for row in check.rows) == 0


@pytest.mark.parametrize("size", [1e-6, 1e-3, 1e3, 1e6])
@pytest.mark.parametrize("hidden", ["tanh", "relu"])
def test_the_size_of_the_numbers_does_not_matter(size, hidden):
    net = Network([4, 5, 3], hidden=hidden, loss="squared_error", scaling=None, seed=0)
    assert net.check_gradient(X * size, targets("squared_error") * size, per_layer=None).passed


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "identity"])
def test_a_wrong_derivative_is_found(activation, monkeypatch):
    right = ACTIVATIONS[activation]
    wrong = replace(right, backward=lambda z, a, da: 1.1 * right.backward(z, a, da))
    net = network("squared_error", activation)
    y = targets("squared_error")
    assert net.check_gradient(X, y).passed
    monkeypatch.setitem(activations.ACTIVATIONS, activation, wrong)
    check = net.check_gradient(X, y)
    assert not check.passed
    assert not check
    assert check.largest_error > 0.05
    assert "NOT PASSED" in repr(check)


@pytest.mark.parametrize("forgotten", ["sign", "everything"])
def test_how_wrong_a_derivative_is_shows_in_the_error(forgotten, monkeypatch):
    factor = {"sign": -1, "everything": 0}[forgotten]
    right = ACTIVATIONS["tanh"]
    wrong = replace(right, backward=lambda z, a, da: factor * right.backward(z, a, da))
    net = network("cross_entropy", "tanh")
    monkeypatch.setitem(activations.ACTIVATIONS, "tanh", wrong)
    first = [row.error for row in net.check_gradient(X, LABELS).rows if row.layer == 2]
    np.testing.assert_allclose(first, {"sign": 2, "everything": 1}[forgotten], rtol=1e-4)


def test_a_forgotten_penalty_is_found(monkeypatch):
    from fastmlp.engines import gradient_check

    def forgetting(architecture, parameters, gradient):
        return right(architecture, parameters, np.zeros_like(gradient))

    right = gradient_check.add_penalties
    monkeypatch.setattr(gradient_check, "add_penalties", forgetting)
    assert not network(l2=0.1).check_gradient(X, LABELS).passed


def test_numbers_are_those_of_backpropagation():
    net = network(l2=0.1)
    objective, gradient = net.gradient(X, LABELS, WEIGHTS)
    check = net.check_gradient(X, LABELS, WEIGHTS, per_layer=None)
    assert check.objective == pytest.approx(objective, rel=1e-12)
    for row in check.rows:
        derivatives = gradient[row.layer - 1]["Wb".index(row.parameter)]
        assert row.backpropagated == pytest.approx(derivatives[row.index], rel=1e-10, abs=1e-15)
        assert row.numeric == pytest.approx(row.backpropagated, rel=1e-5, abs=1e-8)


def test_none_checks_every_parameter_once():
    net = network()
    places = [place(row) for row in net.check_gradient(X, LABELS, per_layer=None).rows]
    assert len(set(places)) == len(places) == net.n_parameters
    assert places == sorted(places)


@pytest.mark.parametrize("per_layer", [1, 5, 100])
def test_so_many_weights_and_biases_are_chosen_in_each_layer(per_layer):
    net = network()
    rows = net.check_gradient(X, LABELS, per_layer=per_layer).rows
    for number, (W, b) in enumerate(net.weights, start=1):
        for name, size in (("W", W.size), ("b", 0 if b is None else b.size)):
            assert sum(place(row)[:2] == (number, name) for row in rows) == min(per_layer, size)


def test_the_seed_decides_which():
    net = network()
    chosen = [[place(row) for row in net.check_gradient(X, LABELS, seed=seed).rows] for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]


def test_a_kink_is_shown_and_does_not_count():
    # A new network: for the row of zeros z is exactly 0 in the first layer, where relu has no derivative.
    net = Network([2, 8, 2], seed=0)
    check = net.check_gradient([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], per_layer=None)
    assert {place(row)[:2] for row in check.rows if row.kink} == {(1, "b")}
    assert check.passed
    assert repr(check).count("kink\n") == 8 and "8 of 42" in repr(check)


def test_a_check_of_kinks_alone_has_not_passed():
    row = CheckedDerivative(1, "W", (0, 0), 1.0, 0.5, 0.5, 1e-6, True)
    assert not GradientCheck((row,), 1.0).passed
    assert np.isnan(GradientCheck((row,), 1.0).largest_error)


def test_a_number_that_is_nan_has_not_passed():
    rows = [CheckedDerivative(1, "W", (0, 0), n, 0.5, abs(n - 0.5), 1e-6, False) for n in (0.5, float("nan"))]
    assert not GradientCheck(tuple(rows), 1.0).passed
    assert not GradientCheck(tuple(rows[::-1]), 1.0).passed


def test_the_step_is_made_smaller_at_a_kink():
    net = Network([1, 1, 1], loss="squared_error", dtype="float64", scaling=None)
    net.set_weights([([[1.0]], [0.0]), ([[1.0]], [0.0])])
    rows = net.check_gradient([[1e-6]], [1.0], per_layer=None).rows  # z = 1e-6, within the first step of the bias
    assert [row.step for row in rows if row.parameter == "b" and row.layer == 1] == [pytest.approx(6e-7)]
    assert all(row.error < 1e-5 and not row.kink for row in rows)


def test_a_step_that_is_given_is_taken():
    rows = network().check_gradient(X, LABELS, step=1e-3).rows
    assert {row.step for row in rows} == {1e-3}
    assert max(row.error for row in rows) > 1e-9


def test_checking_changes_nothing():
    net = Network([4, Dense(5, dropout=0.5), 3], seed=0)
    before = net.state.parameters.copy()
    assert net.check_gradient(X, LABELS)
    np.testing.assert_array_equal(net.state.parameters, before)
    assert net.labels is None and net.scaling == "auto"


def test_long_tables_show_the_largest_errors():
    rows = [CheckedDerivative(1, "W", (0, n), 1.0, 1.0 + n * 1e-9, n * 1e-9, 1e-6, False) for n in range(1000)]
    check = GradientCheck(tuple(rows), 1.0)
    assert "W1[0, 999]" in repr(check) and "W1[0, 0]" not in repr(check)
    assert "largest errors of 1,000" in repr(check)
    assert check._repr_html_().count("<tr>") == 61


def test_losses_of_every_kind_have_a_check():
    assert set(LOSSES) == {loss for loss in LOSSES if network(loss).check_gradient(X, targets(loss), per_layer=1)}


def test_parameters_that_are_named_are_checked():
    check = network("cross_entropy", "tanh").check_gradient(X, LABELS, only=["W2[1, 0]", "b1[2]", "W1[0,3]"])
    assert [place(row) for row in check.rows] == [(2, "W", (1, 0)), (1, "b", (2,)), (1, "W", (0, 3))]
    assert check.passed


def test_one_name_is_one_parameter():
    assert len(network("cross_entropy", "tanh").check_gradient(X, LABELS, only="b3[0]").rows) == 1


@pytest.mark.parametrize(
    "only, words",
    [
        ("W1", "like 'W1\\[0, 2\\]'"),
        ("b1[0, 1]", "like 'W1\\[0, 2\\]'"),
        ("W9[0, 0]", "layers 1 to 3"),
        ("W1[99, 0]", "whose shape is"),
        ("W0[0, 0]", "layers 1 to 3"),
    ],
)
def test_names_of_no_parameter_are_refused(only, words):
    with pytest.raises(ArgumentError, match=words):
        network("cross_entropy", "tanh").check_gradient(X, LABELS, only=only)


def test_a_bias_of_a_layer_without_one_is_refused():
    with pytest.raises(ArgumentError, match="layer 2 has none"):
        network().check_gradient(X, LABELS, only="b2[0]")
