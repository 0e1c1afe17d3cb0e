"""Results of benchmarks in any form, read as groups of seconds (floor 9; imports checks, errors)."""

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..checks import check_number
from ..errors import ArgumentError, ArgumentTypeError, DataFileError

_NAMES = {
    "numpy": "NumPy",
    "loops": "loops",
    "loops_prange": "loops, prange",
    "numba": "fastmlp",
    "one_thread": "fastmlp, 1 thread",
    "auto_threads": "fastmlp",
}


class Group(NamedTuple):
    """What was measured of one task, such as one network in several libraries."""

    name: str
    """Empty where there is only one group."""
    seconds: dict[str, float]
    facts: tuple[str, ...] = ()
    """Lines about the task: layers, batch size."""
    times_faster: float | None = None
    """As the benchmark found it; see `Results.faster_than`."""
    marked: frozenset[str] = frozenset()
    """Names of those that do something else, such as another loss."""


class Results(NamedTuple):
    """Groups, and what `Group.times_faster` compares with: empty where there is nothing to compare."""

    groups: list[Group]
    faster_than: str = ""


def read_results(results: Any) -> Results:
    """Return results of any form that `fastmlp.plots.benchmarks` takes as groups.

    Raises
    ------
    ArgumentError, ArgumentTypeError, DataFileError
        As `benchmarks`.

    Examples
    --------
    >>> read_results({"a": 1, "b": 2.5}).groups[0].seconds
    {'a': 1.0, 'b': 2.5}
    """
    if isinstance(results, str | os.PathLike):
        results = _read(Path(results))
    if not isinstance(results, Mapping):
        raise ArgumentTypeError(
            f"results must be a mapping of names to seconds, or the path of a JSON file, got {type(results).__name__}"
        )
    try:
        found = _of_any_form(results)
    except (KeyError, AttributeError, TypeError):
        raise ArgumentError(
            "results are neither names with seconds, nor groups of such, nor what the benchmarks of fastmlp keep"
        ) from None
    groups = [group._replace(seconds=_checked(group.seconds)) for group in found.groups if group.seconds]
    if not groups:
        raise ArgumentError("results are empty; give at least one name with its seconds")
    return found._replace(groups=groups)


def _of_any_form(results: Mapping[Any, Any]) -> Results:
    if isinstance(results.get("workloads"), list):
        return Results([_of_workload(workload) for workload in results["workloads"]], "the best other")
    if isinstance(results.get("recipes"), list):
        return Results([_of_recipe(recipe) for recipe in results["recipes"]], "NumPy")
    if isinstance(results.get("training"), list):
        return Results([Group(training["recipe"], _renamed(training["seconds"])) for training in results["training"]])
    if all(isinstance(value, Mapping) for value in results.values()):
        return Results([Group(str(name), dict(members)) for name, members in results.items()])
    return Results([Group("", dict(results))])


def _of_workload(workload: Mapping[str, Any]) -> Group:
    """Return a workload of ``peers.json``, with the least seconds of each library, whatever its threads."""
    least: dict[str, float] = {}
    for competitor in workload["competitors"].values():
        name = competitor["library"]
        least[name] = min(competitor["least"], least.get(name, math.inf))
    facts = []
    if "sizes" in workload:
        whole = workload["batch_size"] >= workload["rows"]
        facts = ["-".join(map(str, workload["sizes"])), "full batch" if whole else f"batch {workload['batch_size']:,}"]
    marked = frozenset(workload.get("differences", ()))
    return Group(workload["name"], least, tuple(facts), workload.get("times_faster"), marked)


def _of_recipe(recipe: Mapping[str, Any]) -> Group:
    facts = (f"{recipe['network']}, batch {recipe['batch_size']}",) if "network" in recipe else ()
    return Group(recipe["name"], _renamed(recipe["seconds_per_epoch"]), facts, recipe.get("speed_up"))


def _renamed(seconds: Mapping[str, float]) -> dict[str, float]:
    return {_NAMES.get(name, name): value for name, value in seconds.items()}


def _checked(seconds: Mapping[Any, Any]) -> dict[str, float]:
    checked = {}
    for name, value in seconds.items():
        number = float(check_number(value, f"results: the seconds of {name!r}"))
        if not (math.isfinite(number) and number > 0):
            raise ArgumentError(f"results: the seconds of {name!r} must be finite and above 0, got {value!r}")
        checked[str(name)] = number
    return checked


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataFileError(f"{path}: {error.strerror or error}") from None
    except ValueError:  # not UTF-8, or not JSON
        raise DataFileError(f"{path}: not a JSON file; give one that a benchmark of fastmlp wrote") from None
