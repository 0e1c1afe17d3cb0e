"""The two tables of the comparison with other libraries, in Markdown (imports machine and peers)."""

from collections.abc import Mapping
from typing import Any

from .machine import in_words
from .markdown import three_digits
from .peers import OURS

START, END = "<!-- table: peers -->", "<!-- end table: peers -->"
HEADING = ["network", "fastmlp, s/epoch", "best other, s/epoch", "times faster"]
COLUMNS = ("scikit-learn", "PyTorch", "JAX")


def short_markdown(results: Mapping[str, Any]) -> str:
    """Return the table of the README: fastmlp, the fastest other library, and their ratio.

    Parameters
    ----------
    results : mapping
        What `compare` puts together.

    Returns
    -------
    str
    """
    rows = []
    for workload in results["workloads"]:
        name, ours, best, ratio, *_ = _cells(workload)
        rows.append([name.partition(": ")[2], ours, best, ratio])
    note = (
        "Measured in float32, on one thread or on all cores, whichever is faster; minimum of interleaved rounds. "
        "fastmlp's times exclude one-time setup. "
        f"{_measured_on(results)}"
    )
    return _table(HEADING, rows, note)


def markdown(results: Mapping[str, Any]) -> str:
    """Return the table with every library, and the lines beneath it.

    Parameters
    ----------
    results : mapping
        What `compare` puts together.

    Returns
    -------
    str
    """
    rows = [_cells(workload) for workload in results["workloads"]]
    return _table([*HEADING, *COLUMNS, "whole `fit`"], rows, " ".join(_notes(results)))


def _table(heading: list[str], rows: list[list[str]], note: str) -> str:
    lines = [_line(heading), "|---|" + "--:|" * (len(heading) - 1), *map(_line, rows)]
    return "\n".join([*lines, "", note])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(workload: Mapping[str, Any]) -> list[str]:
    seconds, best = workload["seconds_per_epoch"], workload["best_peer"]
    return [
        described(workload),
        three_digits(seconds[OURS.library]),
        "–" if best is None else f"{three_digits(seconds[best])} ({best})",
        "–" if best is None else three_digits(workload["times_faster"]),
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
        f"\\* Except {library} with {text}, whose loss is not compared."
        for workload in results["workloads"]
        for library, text in workload["differences"].items()
    }
    return [
        "Seconds per epoch in float32, on one thread or on all cores, whichever is faster: the minimum of interleaved "
        "rounds.",
        "fastmlp's times exclude one-time setup, such as finding the non-zeros; the last column includes it."
        + (f" Epochs per call: {together}, otherwise 1." if together else ""),
        f"Every library's training loss is within {results['tolerance']:.0%} of the float64 reference.",
        *sorted(differences),
        _measured_on(results),
    ]


def _measured_on(results: Mapping[str, Any]) -> str:
    libraries = "".join(f", {name} {version}" for name, version in results["versions"].items())
    return f"{in_words(results['machine'])}{libraries}; {results['date']}; `{results['command']}`."
