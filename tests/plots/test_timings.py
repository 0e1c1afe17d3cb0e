import json
from pathlib import Path

import pytest
from matplotlib.colors import to_hex

from fastmlp import plots
from fastmlp.errors import FastMLPError
from fastmlp.plots.look import DARK, LIGHT
from fastmlp.plots.results import read_results
from fastmlp.plots.timings import duration

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"


def test_bars_end_at_their_seconds_and_say_whose_they_are():
    axes = plots.benchmarks({"fastmlp": 1.0, "JAX": 1.5})
    assert [bar.get_width() for bar in axes.patches] == [1.0, 1.5]
    assert [text.get_text() for text in axes.texts] == ["fastmlp  1 s", "JAX  1.5 s"]


def test_the_highlighted_has_a_colour_and_is_bold(theme):
    axes = plots.benchmarks({"JAX": 1.5, "fastmlp, 1 thread": 1.0})
    colours = LIGHT if theme == "light" else DARK
    assert [to_hex(bar.get_facecolor()) for bar in axes.patches] == [colours.quiet, colours.first]
    assert [text.get_fontweight() for text in axes.texts] == ["normal", "bold"]


@pytest.mark.parametrize(("slower", "scale"), [(2.0, "linear"), (100.0, "log")])
def test_times_that_differ_much_have_a_logarithmic_scale(slower, scale):
    axes = plots.benchmarks({"fastmlp": 1.0, "other": slower})
    assert axes.get_xscale() == scale
    assert ("logarithmic" in axes.get_title()) == (scale == "log")


def test_groups_have_their_names():
    axes = plots.benchmarks({"small": {"fastmlp": 1, "JAX": 2}, "large": {"fastmlp": 3}})
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["small", "large"]
    assert len(axes.patches) == 3


@pytest.mark.parametrize("name", ["peers", "recipes"])
def test_results_of_the_benchmarks(name):
    axes = plots.benchmarks(RESULTS / f"{name}.json")
    kept = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    groups = kept["workloads" if name == "peers" else "recipes"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [group["name"] for group in groups]


def test_of_each_library_the_fastest_counts():
    competitors = {"a-1": {"library": "A", "least": 2.0}, "a": {"library": "A", "least": 1.0}}
    (group,) = read_results({"workloads": [{"name": "W", "competitors": competitors}]}).groups
    assert (group.name, group.seconds) == ("W", {"A": 1.0})


def test_figures_of_the_command_bench():
    figures = {"training": [{"recipe": "keras", "seconds": {"numpy": 2.0, "one_thread": 1.0, "auto_threads": 0.5}}]}
    (group,) = read_results(figures).groups
    assert (group.name, group.seconds) == ("keras", {"NumPy": 2.0, "fastmlp, 1 thread": 1.0, "fastmlp": 0.5})


WORKLOAD = {
    "name": "W",
    "sizes": [4, 8, 3],
    "batch_size": 32,
    "rows": 100,
    "competitors": {"f": {"library": "fastmlp", "least": 1.0}, "s": {"library": "scikit-learn", "least": 3.0}},
    "differences": {"scikit-learn": "another loss"},
    "times_faster": 3.14159,
}


def test_what_a_workload_is_stands_beneath_its_name():
    shown = [text.get_text() for text in plots.benchmarks({"workloads": [WORKLOAD]}).texts]
    assert "4-8-3\nbatch 32" in shown
    assert "scikit-learn*  3 s" in shown
    whole = plots.benchmarks({"workloads": [WORKLOAD | {"batch_size": 100}]})
    assert "4-8-3\nfull batch" in [text.get_text() for text in whole.texts]


def test_how_many_times_faster_stands_at_the_right_edge():
    axes = plots.benchmarks({"workloads": [WORKLOAD]})
    by_text = {text.get_text(): text for text in axes.texts}
    assert by_text["3.1×"].get_horizontalalignment() == "right"
    assert "times faster\nthan the best other" in by_text
    axes = plots.benchmarks({"workloads": [WORKLOAD | {"times_faster": None}]})
    assert not any("×" in text.get_text() or "faster" in text.get_text() for text in axes.texts)


def test_texts_do_not_overlap(theme):
    axes = plots.benchmarks({"workloads": [WORKLOAD, WORKLOAD | {"name": "A much longer name"}]})
    axes.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in (*axes.texts, *axes.get_yticklabels(), axes.title)]
    assert not [1 for number, box in enumerate(boxes) for other in boxes[:number] if box.overlaps(other)]


def test_ticks_end_with_the_bars():
    axes = plots.benchmarks({"fastmlp": 0.002, "other": 5.0})
    assert axes.get_xticks().tolist() == pytest.approx([0.001, 0.01, 0.1, 1.0])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2e-6, "2 µs"), (0.00149, "1.5 ms"), (0.2501, "250 ms"), (0.9999, "1 s"), (123.4, "123 s"), (1e-9, "0.001 µs")],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, "results are empty"),
        ({"a": {}}, "results are empty"),
        ({"a": 0}, "must be finite and above 0"),
        ({"a": "1"}, "the seconds of 'a'"),
        ({"a": {"b": 1}, "c": 2}, "the seconds of 'a'"),
        ({"workloads": [{}]}, "neither names with seconds"),
        (3, "results must be a mapping"),
        ("nowhere.json", "nowhere.json: No such file"),
    ],
)
def test_what_cannot_be_drawn_is_refused(results, message):
    with pytest.raises(FastMLPError, match=message):
        plots.benchmarks(results)


def test_a_file_that_is_no_json(tmp_path):
    (tmp_path / "x.json").write_text("{", encoding="utf-8")
    with pytest.raises(FastMLPError, match="not a JSON file"):
        plots.benchmarks(tmp_path / "x.json")
