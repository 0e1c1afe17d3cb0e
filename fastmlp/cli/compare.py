"""``fastmlp compare``: one recipe under many settings, side by side (floor 11; imports numpy, atomic_write, checks,
errors, model, network, many, recipes).
"""

import dataclasses
import itertools
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..atomic_write import write_bytes
from ..checks import check_whole
from ..errors import ArgumentError
from ..many import Fitted, fit_many
from ..model.history import History
from ..network import Network
from ..recipes import Recipe, RecipeData
from . import plot, train
from .reports import open_data
from .show import Screen

_MOST = 10_000
"""Networks of one comparison; who asks for more has slipped."""

_GRID = ("hidden", "optimizer", "learning_rate", "batch_size", "schedule")
"""Options that hold alternatives."""

_WORDS = {"learning_rate": "rate", "batch_size": "batch"}
"""How a setting is called in a heading, where that is not its name."""


@dataclass(frozen=True)
class Comparison:
    """The options of ``fastmlp compare`` as they were typed; those of the grid hold alternatives between commas."""

    recipe: str | None = None
    learning_rate: str | None = None
    hidden: str | None = None
    optimizer: str | None = None
    batch_size: str | None = None
    schedule: str | None = None
    epochs: int | None = None
    seeds: int = 1
    data: str | None = None
    engine: str = "auto"
    threads: str = "auto"
    curves: str | None = None
    json: str | None = None


@dataclass(frozen=True)
class Candidate:
    """One place of the grid, trained from several seeds.

    Attributes
    ----------
    settings : dict
        What was typed for it, by the name of the option.
    recipe : Recipe
    fitted : list of Fitted
        One a seed.
    accuracies : list of float
        Of those networks that finished an epoch and did not fail, on the test rows.
    """

    settings: dict[str, str]
    recipe: Recipe
    fitted: list[Fitted] = dataclasses.field(default_factory=list)
    accuracies: list[float] = dataclasses.field(default_factory=list)

    @property
    def name(self) -> str:
        """Its settings in words: ``"rate 3, hidden 30"``."""
        return ", ".join(f"{_WORDS.get(name, name)} {value}" for name, value in self.settings.items()) or "the recipe"

    @property
    def accuracy(self) -> float:
        """Mean over the seeds; NaN where there is none."""
        return float(np.mean(self.accuracies)) if self.accuracies else float("nan")


def run(request: Comparison) -> int:
    """Train every network of the grid, and print how good each setting is.

    Returns
    -------
    int
        The exit code: 0, or `train.INTERRUPTED`.

    Raises
    ------
    FastMLPError
        An option that can't be used, before anything was trained.
    """
    if request.curves is not None:
        plot.check_installed()
    for option, path in (("--curves", request.curves), ("--json", request.json)):
        _check_new(option, path, ".png" if option == "--curves" else ".json")
    seeds = check_whole(request.seeds, "--seeds", 1, _MOST)
    candidates = _grid(request)
    if len(candidates) * seeds > _MOST:
        raise ArgumentError(f"the grid has {len(candidates) * seeds:,} networks; at most {_MOST:,} are trained at once")
    threads = train.threads_of(request.threads)
    dataset, origin = open_data(request.data)
    inputs, outputs = dataset.X_train.shape[1], train.outputs_for(dataset, candidates[0].recipe)
    fitting = [candidate.recipe.resized(inputs=inputs, outputs=outputs) for candidate in candidates]
    candidates = [dataclasses.replace(one, recipe=recipe) for one, recipe in zip(candidates, fitting, strict=True)]
    data = candidates[0].recipe.data(dataset)
    screen = Screen()
    screen.facts(
        {
            "recipe": f"{candidates[0].recipe.name}: {candidates[0].recipe.title}",
            "networks": f"{_size(request, seeds)} = {len(candidates) * seeds}",
            "data": f"{origin}: {len(data.X_train):,} training, {len(data.X_test):,} test rows",
        }
    )
    screen.say()
    fitted = _train(candidates, data, seeds, request.engine, threads)
    interrupted = any(one.history.stop_reason == "interrupted" for one in fitted)
    for number, candidate in enumerate(candidates):
        candidate.fitted.extend(fitted[number * seeds : (number + 1) * seeds])
    try:
        for candidate in candidates:
            good = [one.network for one in candidate.fitted if one.error is None and one.history.epochs]
            candidate.accuracies.extend(_accuracy(network, data, request.engine) for network in good)
    except KeyboardInterrupt:
        interrupted = True  # the table has what was tested until then
    _tell(candidates, screen, on="test" if len(data.X_test) else "training")
    _keep(request, candidates, screen)
    if interrupted:
        screen.say("Interrupted; what was trained until then is in the table.", "yellow")
    return train.INTERRUPTED if interrupted else 0


def _grid(request: Comparison) -> list[Candidate]:
    """Return every combination of the alternatives, in the order in which they were typed."""
    typed = {name: _alternatives(name, given) for name in _GRID if (given := getattr(request, name)) is not None}
    candidates = []
    for values in itertools.product(*typed.values()):
        settings = dict(zip(typed, values, strict=True))
        asked: dict[str, Any] = dict(settings)
        if "learning_rate" in settings:
            asked["learning_rate"] = _number("--learning-rate", settings["learning_rate"], float)
        if "batch_size" in settings:
            asked["batch_size"] = _number("--batch-size", settings["batch_size"], int)
        if "hidden" in settings:
            asked["hidden"] = settings["hidden"].replace("-", ",")
        recipe = train.changed_recipe(train.Request(recipe=request.recipe, epochs=request.epochs, **asked))
        candidates.append(Candidate(settings, recipe))
    return candidates


def _alternatives(name: str, text: str) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ArgumentError(f"{option} must be alternatives separated by commas, such as 1,3; got {text!r}")
    if len(set(parts)) < len(parts):
        raise ArgumentError(f"{option} has an alternative twice: {text!r}")
    return parts


def _number(option: str, text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError:
        what = "numbers" if kind is float else "whole numbers"
        raise ArgumentError(f"{option} must be {what} separated by commas; got {text!r}") from None


def _check_new(option: str, path: str | None, suffix: str) -> None:
    if path is None:
        return
    if Path(path).suffix.lower() != suffix:
        raise ArgumentError(f"{option}: the file must end in {suffix}, got {path!r}")
    if Path(path).exists():
        raise ArgumentError(f"{option}: {path} exists already; give another name")
    if not Path(path).absolute().parent.is_dir():
        raise ArgumentError(f"{option}: the folder {str(Path(path).parent)!r} does not exist")


def _size(request: Comparison, seeds: int) -> str:
    """Return the sides of the grid in words."""
    sides = []
    for name in _GRID:
        given = getattr(request, name)
        if given is not None:
            count, word = given.count(",") + 1, name.replace("_", " ")
            if name == "hidden":
                sides.append(f"{count} choice{'s' * (count > 1)} of hidden layers")
            else:
                sides.append(f"{count} {word}{'s' * (count > 1)}")
    return " x ".join([*sides, f"{seeds} seed{'s' * (seeds > 1)}"])


def _train(
    candidates: Sequence[Candidate], data: RecipeData, seeds: int, engine: str, threads: int | str
) -> list[Fitted]:
    networks, settings = [], []
    for candidate in candidates:
        for seed in range(seeds):
            networks.append(candidate.recipe.network(seed))
            settings.append(candidate.recipe.fit_arguments())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the table says what failed
        return fit_many(
            networks,
            data.X_train,
            data.y_train,
            X_val=data.X_val,
            y_val=data.y_val,
            settings=settings,
            engine=engine,
            threads=threads,
        )


def _accuracy(network: Network, data: RecipeData, engine: str) -> float:
    X, y = (data.X_test, data.y_test) if len(data.X_test) else (data.X_train, data.y_train)
    return network.evaluate(X, y, engine=engine).accuracy or 0.0


def _tell(candidates: Sequence[Candidate], screen: Screen, on: str) -> None:
    """Print a row for every candidate, and which one is best."""
    names = list(candidates[0].settings)
    columns = {_WORDS.get(name, name): "right" for name in names}
    columns |= {f"{on} accuracy": "right", "spread": "right", "epochs": "right", "seconds": "right", "": "left"}
    best = max(candidates, key=lambda one: -1.0 if np.isnan(one.accuracy) else one.accuracy)
    rows = []
    for one in candidates:
        epochs = [fitted.history.epochs for fitted in one.fitted]
        seconds = [sum(fitted.history["seconds"]) if fitted.history.epochs else 0.0 for fitted in one.fitted]
        spread = f"{np.std(one.accuracies, ddof=1):.2%}" if len(one.accuracies) > 1 else ""
        accuracy = f"{one.accuracy:.2%}" if one.accuracies else "none"
        figures = [accuracy, spread, f"{np.mean(epochs):.4g}", f"{np.mean(seconds):.2f}"]
        rows.append([*one.settings.values(), *figures, _remark(one, best)])
    screen.table(columns, rows)
    if len(candidates[0].fitted) > 1:
        screen.say("Accuracy, epochs and seconds are means over the seeds; the spread is the accuracy's deviation.")


def _remark(candidate: Candidate, best: Candidate) -> str:
    wrong = [one for one in candidate.fitted if one.error is not None]
    remarks = ["best"] * (candidate is best and bool(candidate.accuracies))
    if wrong:
        remarks.append(f"{len(wrong)} of {len(candidate.fitted)} failed: {str(wrong[0].error).split(';')[0]}")
    return "; ".join(remarks)


def _keep(request: Comparison, candidates: Sequence[Candidate], screen: Screen) -> None:
    """Write the figures and the picture that were asked for."""
    if request.json is not None:
        content = [
            {
                "settings": one.settings,
                "accuracies": one.accuracies,
                "histories": [fitted.history.to_dict() for fitted in one.fitted],
                "errors": [None if fitted.error is None else str(fitted.error) for fitted in one.fitted],
            }
            for one in candidates
        ]
        write_bytes(Path(request.json), f"{json.dumps(content, indent=1)}\n".encode())
        screen.say(f"Figures written to {request.json}")
    curves = {one.name: mean for one in candidates if (mean := _mean_history([two.history for two in one.fitted]))}
    if request.curves is not None and curves:
        plot.draw_histories(curves, Path(request.curves))
        screen.say(f"Curves drawn to {request.curves}")


def _mean_history(histories: Sequence[History]) -> Mapping[str, Sequence[float]]:
    """Return the mean of every column over the epochs that all have had, of those that have had any."""
    begun = [history for history in histories if history.epochs]
    if not begun:
        return {}
    epochs = min(history.epochs for history in begun)
    names = [name for name in begun[0] if all(name in history for history in begun)]
    return {name: np.mean([history[name][:epochs] for history in begun], axis=0).tolist() for name in names}
