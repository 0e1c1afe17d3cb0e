"""Recipes as scripts: they run as they stand, and train what the recipe trains."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fastmlp import AdamW, Augmentation, Cosine, Dense, Network, Normal, load, recipes
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.recipes import RECIPES, Recipe

every_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))


def short(recipe: Recipe) -> Recipe:
    """Return the recipe with few rows and epochs."""
    return replace(recipe, train_rows=60, validation_rows=min(recipe.validation_rows, 20), test_rows=30, epochs=2)


def run_script(script: str) -> dict[str, Any]:
    """Run a script here; return its variables."""
    variables: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(script, "script", "exec"), variables)
    return variables


@every_recipe
def test_a_script_trains_what_its_recipe_trains(
    recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    few = short(recipe)
    script = run_script(few.script(seed=3))
    network, history, evaluation = few.run(3, verbose=0)
    np.testing.assert_array_equal(script["net"].state.parameters, network.state.parameters)
    assert script["net"].architecture == network.architecture
    assert {**script["history"], "seconds": []} == {**history, "seconds": []}
    printed = capsys.readouterr()
    assert str(evaluation) in printed.out
    assert "epoch 2/2" in printed.err
    np.testing.assert_array_equal(load(f"{recipe.name}.npz").state.parameters, network.state.parameters)


def test_a_script_runs_as_it_stands(tmp_path: Path) -> None:
    script = recipes.get("numpy-tutorial").script()
    (tmp_path / "script.py").write_text(script, encoding="utf-8")
    done = subprocess.run([sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    network = recipes.get("numpy-tutorial").run(verbose=0).network
    np.testing.assert_array_equal(load(tmp_path / "numpy-tutorial.npz").state.parameters, network.state.parameters)
    assert "loss" in done.stdout


@every_recipe
def test_a_script_can_be_read(recipe: Recipe) -> None:
    script = recipe.script()
    assert recipe.title in script
    assert str(recipe.source) in " ".join(script.split())
    assert max(map(len, script.splitlines())) <= 120
    assert script.endswith("\n") and not script.endswith("\n\n")


def test_a_changed_recipe_has_its_script_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changed = replace(
        short(recipes.get("keras")),
        layers=(784, Dense(16, "tanh", dropout=0.25, initializer=Normal(0.1)), 10),
        optimizer=AdamW(weight_decay=0.1, clip_norm=1.0),
        schedule=Cosine(2),
        augment=Augmentation(shift=1.0, elastic=(34.0, 4.0), image_shape=(28, 28)),
        shuffle=False,
        l2=0.001,
    )
    script = run_script(changed.script())
    np.testing.assert_array_equal(script["net"].state.parameters, changed.run(verbose=0).network.state.parameters)


def test_an_object_of_the_users_own_is_refused() -> None:
    class Own(Cosine):
        pass

    with pytest.raises(ArgumentTypeError, match="of a class of your own"):
        replace(recipes.get("keras"), schedule=Own(2)).script()


def test_a_seed_that_is_none_is_refused() -> None:
    with pytest.raises(ArgumentError, match="seed"):
        recipes.get("keras").script(seed=-1)


# Fewer rows


@pytest.mark.parametrize("name", ["nielsen", "from-scratch", "numpy-tutorial"])
def test_rows_are_the_first_training_rows(name: str) -> None:
    recipe = recipes.get(name)
    whole, some = recipe.data(), recipe.data(rows=50)
    np.testing.assert_array_equal(some.X_train, whole.X_train[:50])
    np.testing.assert_array_equal(some.y_train, whole.y_train[:50])
    for part, same in zip(some[2:], whole[2:], strict=True):
        assert part is same is None or np.array_equal(part, same)


def test_rows_of_a_sorted_data_set_are_drawn_by_class() -> None:
    from .test_recipes import small, sorted_by_class

    data = recipes.get("keras").data(sorted_by_class(small(3000)), rows=100)
    assert np.bincount(data.y_train).tolist() == [10] * 10


def test_run_takes_few_rows() -> None:
    run = recipes.get("nielsen").run(seed=1, rows=30, epochs=1, engine="numpy", verbose=0)
    assert isinstance(run.network, Network)
    assert run.network.state.step == 3  # batches of 10


@pytest.mark.parametrize(("rows", "error"), [(0, ArgumentError), (50_001, ArgumentError), (1.5, ArgumentTypeError)])
def test_rows_that_are_none_are_refused(rows: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="rows"):
        recipes.get("nielsen").data(rows=rows)
