"""The commands that train nothing: recipes, evaluate, convert, warmup (floor 11; imports numpy, errors, model, kernels,
datasets, engines, formats, network, recipes).
"""

import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import recipes
from ..datasets import Dataset, load_data, load_mnist
from ..engines import get_engine
from ..errors import ArgumentError, unknown_name
from ..formats import PREDICTING_ONLY, WRITABLE, check_path
from ..formats.runs import model_file
from ..model.history import short
from ..network import Network, load
from .assumptions import as_fed, check_range, with_probabilities
from .show import Screen

_DTYPES = {"float32": ("float32",), "float64": ("float64",), "both": ("float32", "float64")}


def open_data(folder: str | None) -> tuple[Dataset, str]:
    """Return the data set of a folder or a CSV file, or MNIST, and how to call it."""
    return (load_mnist(), "MNIST, built in") if folder is None else load_data(folder)


def open_model(model: str) -> Network:
    """Return the network of a file, or of the folder of a run."""
    return load(model_file(model))


def list_recipes() -> None:
    """Print a table of the recipes."""
    screen = Screen()
    columns = {"recipe": "left", "network": "left", "source": "wrapped", "epochs": "right", "target": "right"}
    rows = [
        [
            recipe.name,
            f"{recipe.shape} {recipe.hidden}",
            recipe.source.author,
            str(recipe.epochs),
            f"{recipe.target:.1%}",
        ]
        for recipe in recipes.RECIPES.values()
    ]
    screen.table(columns, rows)
    screen.say("The target is the accuracy on test images that the mean of 3 seeds must reach.")
    screen.say(
        f'"fastmlp train NAME" trains one, by default {recipes.DEFAULT}; "fastmlp recipes NAME" describes it, and '
        "--python prints it as a script."
    )


def describe_recipe(name: str) -> None:
    """Print all that is known of a recipe."""
    screen = Screen()
    screen.console.print(
        recipes.get(name).describe(min(screen.width, 100) if screen.is_terminal else 80), soft_wrap=True
    )


def print_script(name: str | None) -> None:
    """Print the Python script of a recipe.

    Raises
    ------
    ArgumentError
        No name, or an unknown one.
    """
    if name is None:
        raise ArgumentError(f"--python needs the NAME of a recipe: {', '.join(recipes.names())}")
    sys.stdout.write(recipes.get(name).script())


def evaluate(model: str, data: str | None, engine: str, pixels: str | None = None, logits: bool | None = None) -> None:
    """Print how good a saved network is, altogether and label by label.

    Raises
    ------
    ArgumentError
        The data don't fit the network, there are no test rows, or an option does not suit the network.
    DataFileError
        The model or the data can't be read.
    """
    drawn_in = check_range(pixels)
    network, outputs_are = with_probabilities(open_model(model), logits)
    dataset, origin = open_data(data)
    X, y, rows = dataset.X_test, dataset.y_test, "test rows"
    if not len(X) and data is not None and Path(data).is_file():
        X, y, rows = dataset.X_train, dataset.y_train, "rows"
    if not len(X):
        raise ArgumentError(f"{origin}: there are no test rows to evaluate on")
    X, pixels_are = as_fed(network, X, drawn_in)
    evaluation = network.evaluate(X, y, engine=engine)
    screen = Screen()
    facts = {
        "model": f"{model}: {'-'.join(map(str, network.architecture.sizes))}, {network.n_parameters:,} parameters",
        "data": f"{origin}: {len(X):,} {rows}",
        **{name: fact for name, fact in (("pixels", pixels_are), ("outputs", outputs_are)) if fact},
        "loss": short(evaluation.loss),
    }
    if evaluation.accuracy is None:
        screen.facts(facts)
        return
    screen.facts(facts | {"accuracy": f"{evaluation.accuracy:.2%}"})
    answers = network.predict(X, engine=engine)
    if y.ndim == answers.ndim == 1:
        screen.say()
        columns = {
            "label": "right",
            "rows": "right",
            "right": "right",
            "accuracy": "right",
            "most often taken for": "left",
        }
        screen.table(columns, by_label(y, answers))


def convert(model: str, target: str, force: bool, float16: bool = False) -> None:
    """Write a saved network in the format that the suffix of `target` names, and say so.

    Raises
    ------
    ArgumentError
        An unknown suffix, or a file that is there already, without `force`.
    DataFileError
        The model can't be read.
    """
    path = check_path(target, WRITABLE, "TARGET")
    if path.exists() and not force:
        raise ArgumentError(f"TARGET: {target} exists already; give another name, or --force to replace it")
    network = open_model(model)
    network.save(path, float16=float16)
    screen = Screen()
    screen.say(f"{target}: {network.n_parameters:,} parameters, {path.stat().st_size:,} bytes")
    tell_what_is_left_out(path, screen)


def tell_what_is_left_out(path: Path, screen: Screen) -> None:
    """Say so where a file is of a format that holds nothing of what training remembers."""
    if path.suffix.lower() in PREDICTING_ONLY:
        screen.say(
            f"A {path.suffix} file only predicts: the optimizer's memory, the generator and the history are not in it; "
            "save as .npz too to go on training with the same bits",
            "yellow",
        )


def by_label(y: NDArray[Any], answers: NDArray[Any]) -> list[list[str]]:
    """Return a row for every label: the label, how many rows have it, how many were recognised, the usual mistake.

    Examples
    --------
    >>> by_label(np.array([0, 0, 1]), np.array([0, 1, 1]))
    [['0', '2', '1', '50.00%', '1 (1 row)'], ['1', '1', '1', '100.00%', '']]
    """
    table = []
    for label in np.unique(y):
        given = answers[y == label]
        wrong, counts = np.unique(given[given != label], return_counts=True)
        right = len(given) - int(counts.sum())
        most = int(counts.max(initial=0))
        mistake = f"{wrong[counts.argmax()]} ({most} row{'s' * (most != 1)})" if most else ""
        table.append([str(label), f"{len(given):,}", f"{right:,}", f"{right / len(given):.2%}", mistake])
    return table


def warmup(dtype: str) -> None:
    """Compile the kernels of one dtype or both, and say how long each part took and where they are kept.

    Raises
    ------
    ArgumentError
        Another name than float32, float64 and both.
    MissingDependencyError
        Numba can't be imported.
    """
    if dtype not in _DTYPES:
        raise unknown_name("dtype", dtype, _DTYPES)
    get_engine("numba")  # says what is wrong where Numba can't be imported
    from ..engines.compiling import why_not_kept
    from ..engines.simd import engine as simd_engine
    from ..kernels.runtime.jit import cache_folder

    screen = Screen()
    total = 0.0
    for name in _DTYPES[dtype]:
        screen.say(f"Compiling for {name}; what was compiled before takes hundredths of a second ...")
        for part, seconds in simd_engine.warmup((name,)).items():
            screen.say(f"  {part}: {seconds:.2f} s")
            total += seconds
    folder = cache_folder()
    if folder is None:
        screen.say(f"Done in {total:.1f} s. Not kept: {why_not_kept()}", "yellow")
    else:
        home = os.path.expanduser("~")
        screen.say(f"Done in {total:.1f} s. Kept in {str(folder).replace(home, '~', 1)}")
