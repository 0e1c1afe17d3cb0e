"""``fastmlp compare``: a grid of settings, its table, its files."""

import json

import pytest

pytest.importorskip("typer")
pytest.importorskip("rich")

from fastmlp import Callback, recipes
from fastmlp.cli import compare

from .test_app import NUMPY, run, write_idx

NIELSEN = ["--recipe", "nielsen", "--epochs", 2, *NUMPY]


@pytest.fixture
def place(tmp_path, monkeypatch):
    write_idx(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(output):
    lines = output.splitlines()
    start = next(number for number, line in enumerate(lines) if "accuracy" in line)
    return [line.split() for line in lines[start + 1 :] if line.strip() and "%" in line]


def test_every_combination_has_a_row(place):
    given = ["--learning-rate", "0.3,3", "--hidden", "10,8-5,none", "--seeds", 2]
    output = run("compare", "--data", "data", *given, *NIELSEN).output
    wanted = [[hidden, rate] for hidden in ("10", "8-5", "none") for rate in ("0.3", "3")]
    assert [row[:2] for row in rows(output)] == wanted
    assert "3 choices of hidden layers x 2 learning rates x 2 seeds = 12" in output
    assert sum(row[-1] == "best" for row in rows(output)) == 1


def test_the_figures_are_those_of_the_networks_trained_alone(place):
    run("compare", "--data", "data", "--hidden", "10", "--seeds", 2, "--json", "f.json", *NIELSEN)
    (kept,) = json.loads((place / "f.json").read_text())
    recipe = recipes.get("nielsen").resized(inputs=36, hidden=[10])
    data = recipe.data(compare.open_data("data")[0])
    for seed in range(2):
        network = recipe.network(seed)
        recipe.fit(network, data, epochs=2, engine="numpy", verbose=0)
        assert kept["accuracies"][seed] == network.evaluate(data.X_test, data.y_test, engine="numpy").accuracy
        assert kept["histories"][seed]["columns"]["loss"] == network.history.loss


def test_without_a_grid_it_is_the_recipe_alone(place):
    assert len(rows(run("compare", "--data", "data", *NIELSEN).output)) == 1


def test_the_curves_are_drawn(place):
    pytest.importorskip("matplotlib")
    run("compare", "--data", "data", "--learning-rate", "1,3", "--curves", "curves.png", *NIELSEN)
    assert (place / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["--learning-rate", "1,x"], "--learning-rate must be numbers separated by commas; got 'x'"),
        (["--batch-size", "1.5"], "--batch-size must be whole numbers"),
        (["--learning-rate", "1,,3"], "--learning-rate must be alternatives separated by commas"),
        (["--learning-rate", "1,1"], "--learning-rate has an alternative twice"),
        (["--hidden", "10,ten"], "--hidden must be numbers of units"),
        (["--optimizer", "adam,adm"], "unknown optimizer 'adm'; did you mean 'adam'?"),
        (["--seeds", "0"], "--seeds must lie between 1 and 10000"),
        (["--learning-rate", "1,2", "--seeds", "6000"], "the grid has 12,000 networks"),
        (["--json", "f.txt"], "--json: the file must end in .json"),
        (["--json", "missing/f.json"], "--json: the folder 'missing' does not exist"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_trained(place, given, message):
    assert message in run("compare", "--data", "data", *NIELSEN, *given, code=2).output


def test_a_file_that_is_there_is_not_replaced(place):
    (place / "f.json").write_text("mine")
    assert "exists already" in run("compare", "--data", "data", "--json", "f.json", *NIELSEN, code=2).output
    assert (place / "f.json").read_text() == "mine"


def test_a_setting_that_diverges_is_told(place, monkeypatch):
    fit_many = compare.fit_many

    class Wrong(Callback):
        def on_epoch_end(self, run):
            raise RuntimeError("it broke; try again")

    def one_goes_wrong(networks, *data, settings, **more):
        settings[0] = settings[0] | {"callbacks": [Wrong()]}
        return fit_many(networks, *data, settings=settings, **more)

    monkeypatch.setattr(compare, "fit_many", one_goes_wrong)
    output = run("compare", "--data", "data", "--learning-rate", "1,3", *NIELSEN).output
    assert "1 of 1 failed: it broke" in output
    assert "best" in output


def test_ctrl_c_while_networks_are_tested_shows_what_there_is(place, monkeypatch):
    tested, accuracy = [], compare._accuracy

    def interrupted(*given):
        tested.append(given)
        if len(tested) == 2:
            raise KeyboardInterrupt
        return accuracy(*given)

    monkeypatch.setattr(compare, "_accuracy", interrupted)
    output = run("compare", "--data", "data", "--learning-rate", "1,3", *NIELSEN, code=130).output
    assert len(rows(output)) == 1
    assert "none" in output


def test_ctrl_c_shows_what_there_is(place, monkeypatch):
    fit_many = compare.fit_many

    def interrupted(*given, **more):
        fitted = fit_many(*given, **more)
        fitted[-1].history.stop_reason = "interrupted"
        return fitted

    monkeypatch.setattr(compare, "fit_many", interrupted)
    output = run("compare", "--data", "data", "--learning-rate", "1,3", *NIELSEN, code=130).output
    assert len(rows(output)) == 2
    assert "Interrupted; what was trained until then is in the table." in output
