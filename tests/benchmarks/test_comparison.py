import json
import math
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import compare
from benchmarks.markdown import replace_table
from benchmarks.peers import COMPETITORS, OURS
from benchmarks.peers.base import mean_loss, probabilities
from benchmarks.peers.numpy_engine import Predictor, Trainer
from benchmarks.peers_measuring import Entrant, LossError, check_losses, result_of, time_epochs
from benchmarks.peers_table import markdown, short_markdown
from benchmarks.threads import environment
from benchmarks.workloads import WORKLOADS, make_data

MACHINE = {"processor": "Some CPU", "cores": 2, "python": "3.12", "numpy": "2.1", "numba": "0.61"}


def entrant(name, *seconds, loss=0.5, differences=""):
    worker = SimpleNamespace(competitor=COMPETITORS[name])
    ours = name == OURS.name  # whose whole call takes twice as long as what it records of it
    timings = [(2 * timing, timing) if ours else (timing, None) for timing in seconds]
    return Entrant(worker, differences, loss, 1.0, timings)


@pytest.fixture
def results():
    entrants = [
        entrant("fastmlp", 0.02, 0.01, 0.03),
        entrant("pytorch", 0.2, 0.3),
        entrant("pytorch-1", 0.1),
        entrant("scikit-learn", 0.05, differences="another loss"),
    ]
    return {
        "command": "python -m benchmarks.compare",
        "date": "2026-01-01",
        "machine": MACHINE,
        "versions": {"torch": "2.0"},
        "tolerance": 0.02,
        "workloads": [result_of(WORKLOADS["N30"], entrants), result_of(WORKLOADS["T4"], entrants[:1])],
    }


def test_the_faster_of_a_librarys_entrants_counts_and_the_best_does_the_same_work(results):
    found = results["workloads"][0]
    assert found["seconds_per_epoch"] == {"fastmlp": 0.01, "PyTorch": 0.1, "scikit-learn": 0.05}
    assert found["best_peer"] == "PyTorch"
    assert found["times_faster"] == pytest.approx(10)
    assert found["competitors"]["fastmlp"]["median"] == 0.04
    assert found["competitors"]["fastmlp"]["least_whole"] == 0.02
    assert "least_whole" not in found["competitors"]["pytorch"]


def test_without_others_there_is_no_best(results):
    assert results["workloads"][1]["best_peer"] is results["workloads"][1]["times_faster"] is None


def test_the_table_has_all_figures_and_marks_what_differs(results):
    lines = markdown(results).splitlines()
    assert lines[2] == (
        "| N30: 784-30-10, SGD, batch 10 | 0.0100 | 0.100 (PyTorch) | 10.0 | 0.0500\\* | 0.100 | – | 0.0200 |"
    )
    assert lines[3] == "| T4: 4-32-16-4, Adam, full batch | 0.0100 | – | – | – | – | – | 0.0200 |"
    assert "N30 5, T4 10" in lines[-1]
    assert "scikit-learn with another loss" in lines[-1]


def test_the_short_table_has_the_ratio_and_names_the_processors_generation(results):
    results["machine"] = MACHINE | {"generation": "Zen 5"}
    lines = short_markdown(results).splitlines()
    assert lines[2] == "| 784-30-10, SGD, batch 10 | 0.0100 | 0.100 (PyTorch) | 10.0 |"
    assert "Some CPU (Zen 5), 2 cores" in lines[-1]


def test_the_tables_of_the_readme_and_of_the_page_are_those_of_the_kept_results():
    kept = json.loads(compare.RESULTS.read_text(encoding="utf-8"))
    assert short_markdown(kept) in (compare.PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
    assert markdown(kept) in compare.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("loss", [0.52, 0.48, math.nan, math.inf])
def test_a_loss_that_is_off_is_an_error_that_names_it(loss):
    with pytest.raises(LossError, match=r"K128.*0\.5.*pytorch"):
        check_losses(WORKLOADS["K128"], 0.5, [entrant("fastmlp"), entrant("pytorch", loss=loss)])


def test_losses_of_the_same_network_must_be_close_and_others_are_not_compared():
    others = [entrant("pytorch", loss=0.501), entrant("scikit-learn", loss=9.0, differences="another loss")]
    check_losses(WORKLOADS["K128"], 0.5, others)


def test_slow_competitors_leave_after_a_round_or_two(capsys):
    asked = []

    def worker(name, seconds):
        def ask(do, *, epochs, times):
            asked.append(name)
            return [[seconds, None]] * times

        return SimpleNamespace(competitor=COMPETITORS[name], ask=ask)

    speeds = {"fastmlp": 0.1, "jax": 4.0, "pytorch": 20.0}
    entrants = [Entrant(worker(name, seconds), "", 0.5, seconds) for name, seconds in speeds.items()]
    time_epochs(WORKLOADS["K128"], entrants, 4)
    assert [asked.count(name) for name in speeds] == [4, 2, 1]
    assert [len(entrant.timings) for entrant in entrants] == [20, 2, 1]
    assert asked[3] == "jax"  # another begins
    assert capsys.readouterr().err.count("\n") == 4


def test_a_table_is_replaced_between_its_markers_and_nothing_else(tmp_path):
    path = tmp_path / "README.md"
    replace_table(path, "first", "<!-- a -->", "<!-- end a -->")
    path.write_text("before\n" + path.read_text() + "<!-- b -->\nother\n<!-- end b -->\n")
    replace_table(path, "second", "<!-- a -->", "<!-- end a -->")
    assert path.read_text() == ("before\n<!-- a -->\nsecond\n<!-- end a -->\n<!-- b -->\nother\n<!-- end b -->\n")


@pytest.mark.parametrize("name", WORKLOADS)
def test_fit_draws_the_orders_that_the_others_are_given(name):
    workload = WORKLOADS[name].limited(60)
    trainer = Trainer(workload, make_data(workload), workload.weights(), None)
    orders = workload.orders()
    twin = workload.network().state.generator
    for epochs in (1, 2):
        drawn = [next(orders) for _ in range(epochs)]
        trainer.train(drawn)
        for order in drawn if workload.shuffled else ():
            assert (twin.permutation(60) == order).all()
    assert trainer._network.state.generator.bit_generator.state == twin.bit_generator.state


def test_a_trainer_starts_from_the_weights_and_its_loss_falls():
    workload = WORKLOADS["K128"].limited(200)
    data, weights, orders = make_data(workload), workload.weights(), workload.orders()
    trainer = Trainer(workload, data, weights, None)
    before = trainer.loss()
    assert before == pytest.approx(mean_loss("cross_entropy", probabilities(weights, data.X), data.Y), rel=1e-5)
    assert trainer.train([next(orders)]) >= trainer.own_seconds > 0
    assert trainer.loss() < before


def test_plain_numpy_predicts_what_it_should_for_any_number_of_rows():
    workload = WORKLOADS["K128"].limited(20)
    weights, X = workload.weights(), make_data(workload).X
    predictor = Predictor(weights, 1)
    for rows in (X, X[:1], X):
        np.testing.assert_allclose(predictor.predict(rows), probabilities(weights, rows), atol=1e-6)


def test_a_process_gets_the_limits_it_should_have_and_no_others(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("SOMETHING_ELSE", "kept")
    assert environment(1)["OMP_NUM_THREADS"] == environment(1)["NPROC"] == "1"
    assert "OMP_NUM_THREADS" not in environment(None)
    assert environment(None)["SOMETHING_ELSE"] == "kept"
