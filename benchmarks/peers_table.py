"""The table of the comparison with other libraries, in Markdown (imports the standard library, machine and peers)."""

from collections.abc import Mapping
from typing import Any

from .machine import in_words
from .markdown import three_digits
from .peers import OURS

START, END = "<!-- table: peers -->", "<!-- end table: peers -->"
COLUMNS = ("scikit-learn", "PyTorch", "JAX")


def markdown(results: Mapping[str, Any]) -> str:
    """Return the table, and the lines beneath it.

    Parameters
    ----------
    results : mapping
        What `compare` puts together.

    Returns
    -------
    str
    """
    workloads = results["workloads"]
    heading = ["workload", "fastmlp, s/epoch", "best other, s/epoch", "times faster (aim)", *COLUMNS, "whole `fit`"]
    lines = [_line(heading), "|---|" + "--:|" * (len(heading) - 1)]
    lines += [_line(_cells(workload)) for workload in workloads]
    return "\n".join([*lines, "", " ".join(_notes(results))])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(workload: Mapping[str, Any]) -> list[str]:
    seconds, best = workload["seconds_per_epoch"], workload["best_peer"]
    return [
        described(workload),
        three_digits(seconds[OURS.library]),
        "–" if best is None else f"{three_digits(seconds[best])} ({best})",
        "–" if best is None else f"{three_digits(workload['times_faster'])} ({workload['target_ratio']:g})",
        *(_seconds(workload, library) for library in COLUMNS),
        three_digits(workload["competitors"][OURS.name]["least_whole"]),
    ]


def described(workload: Mapping[str, Any]) -> str:
    """Name, sizes, and how it is trained, in a few words."""
    optimizer = {"sgd": "SGD", "momentum": "SGD with momentum", "adam": "Adam"}[workload["optimizer"]]
    batch = f"batch {workload['batch_size']:,}" if workload["batch_size"] < workload["rows"] else "full batch"
    return f"{workload['name']}: {'-'.join(map(str, workload['sizes']))}, {optimizer}, {batch}"


def _seconds(workload: Mapping[str, Any], library: str) -> str:
    if library not in workload["seconds_per_epoch"]:
        return "–"
    return three_digits(workload["seconds_per_epoch"][library]) + "\\*" * (library in workload["differences"])


def _notes(results: Mapping[str, Any]) -> list[str]:
    """What has to be said about the figures."""
    together = ", ".join(
        f"{workload['name']} {workload['epochs_a_timing']}"
        for workload in results["workloads"]
        if workload["epochs_a_timing"] > 1
    )
    differences = {
        f"\\* {library} with {text}, its loss is not compared."
        for workload in results["workloads"]
        for library, text in workload["differences"].items()
    }
    libraries = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return [
        "Seconds of an epoch in float32, the least of interleaved rounds, on one thread or all cores: the faster.",
        "The training alone, of fastmlp as its history records it; with what else a call of `Network.fit` does once, "
        "such as finding the non-zeros, it is the last column."
        + (f" Epochs of a call: {together}, else 1." if together else ""),
        f"All have the training loss of the float64 reference, within {results['tolerance']:.0%}.",
        *sorted(differences),
        f"{in_words(results['machine'])}, {libraries}; {results['date']}; `{results['command']}`.",
    ]
