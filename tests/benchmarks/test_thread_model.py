"""The model of many threads, on counts that are made up; and the counting itself, where there is valgrind."""

import shutil

import numpy as np
import pytest

pytest.importorskip("numba")

from benchmarks import thread_counts, thread_model
from benchmarks.meeting import ASSUMED, measure
from benchmarks.thread_model import Counts
from fastmlp import Network
from fastmlp.engines.simd import engine
from fastmlp.engines.simd.passes import run_half, run_step
from fastmlp.engines.simd.threads import Team
from tests.interpreted import needs_compiler

ONE = Counts([{"dense.product": 800, "sparse.rows": 200}], "alone", [0], [0], 0, 10)
TWO = Counts(
    [{"dense.product": 400, "sparse.rows": 200}, {"dense.product": 400, "sparse.rows": 180, "parallel.copy": 20}],
    *("rows", [64, 32], [32, 64], 30, 10),
)


def test_the_speed_up_is_that_of_the_thread_that_does_most():
    seconds = 1.0
    exchange = 10 * 64 / ASSUMED.bandwidth + 30 * ASSUMED.meeting
    assert thread_model.expected({1: ONE, 2: TWO}, 2, seconds, ASSUMED) == pytest.approx(1 / (0.6 + exchange))


def test_one_thread_has_nobody_to_meet():
    assert thread_model.expected({1: ONE}, 1, 0.5, ASSUMED) == 1


@needs_compiler
def test_costs_of_meeting_are_positive(monkeypatch):
    monkeypatch.setattr("benchmarks.meeting.ROUNDS", 0)
    monkeypatch.setattr("benchmarks.meeting.MEETINGS", 10)
    monkeypatch.setattr("benchmarks.meeting.SWAPS", 10)
    assert min(measure()) > 0


def test_what_is_lost_adds_up_to_what_is_missing_from_the_speed_up():
    lost = thread_model.lost({1: ONE, 2: TWO}, 2)
    assert list(lost) == ["sparse", "dense"]
    assert lost["sparse"]["sparse.rows"] == pytest.approx((200 - 100) / 600)
    assert sum(sum(shares.values()) for shares in lost.values()) == pytest.approx(1 - 1000 / 600 / 2)


def test_a_report_has_a_line_for_each_number_of_threads_and_the_measured_ratio():
    workload = thread_model.WORKLOADS["K128"]
    lines = thread_model.report(workload, {1: ONE, 2: TWO}, {1: 1.0, 2: 0.8})
    assert lines[2].split()[:3] == ["1", "alone", "0.00"]
    assert lines[3].split()[-1] == "1.67x"
    assert lines[4].strip() == "measured with two threads: 1.25x"


@needs_compiler
def test_functions_of_machine_code_are_found_by_name():
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    machine = binding.Target.from_triple("x86_64-unknown-linux-gnu").create_target_machine()
    code = "define i64 @first() { ret i64 1 }\ndefine i64 @second() { ret i64 2 }"
    elf = machine.emit_object(binding.parse_assembly(code))
    functions = {name: (place, size) for place, size, name in thread_counts._functions(elf)}
    assert set(functions) == {"first", "second"}
    assert functions["first"][0] == 0 < functions["first"][1] <= functions["second"][0]


@pytest.fixture
def described(monkeypatch):
    """How each training's work was divided, whatever the number of processors."""
    calls = []
    monkeypatch.setattr(engine, "available_threads", lambda: 16)
    run = Team.run

    def describe(team, function, given):
        run(team, function, given)
        if function in (run_step, run_half):
            calls.append(thread_counts._described(given))

    monkeypatch.setattr(Team, "run", describe)
    return calls


def train(sizes, batch_size, threads, rows=64):
    X = np.random.default_rng(0).normal(size=(rows, sizes[0])).astype(np.float32)
    network = Network(sizes, scaling=None, output="identity", loss="squared_error", seed=0)
    y = np.zeros((rows, sizes[-1]), np.float32)
    network.fit(X, y, epochs=1, batch_size=batch_size, threads=threads, engine="numba", verbose=0)


@needs_compiler
def test_threads_that_share_rows_collect_all_that_others_own(described):
    train([32, 64, 16], batch_size=32, threads=2)
    assert (described[-1]["way"], described[-1]["threads"]) == ("rows", 2)
    # Half of the weights and of the biases' layers; and of the other's 16 rows the deltas of both layers, and half of
    # the columns of both layers' inputs.
    weights = [32 * 64 // 2 + 64 * 16 // 2 + bias for bias in (16, 64)]
    rows = 16 * (64 + 16 + 16 + 32)
    assert described[-1]["collected"] == [4 * (numbers + rows) for numbers in weights]


@needs_compiler
@pytest.mark.parametrize(("threads", "way"), [(1, "alone"), (2, "halves"), (16, "halves")])
def test_small_batches_are_on_two_threads_at_most(threads, way, described):
    train([32, 64, 16], batch_size=4, threads=threads)
    assert (described[-1]["way"], described[-1]["threads"]) == (way, min(threads, 2))
    if threads > 1:
        assert described[-1]["published"] == described[-1]["collected"] == [4 * 4 * 16] * 2


@needs_compiler
def test_groups_are_added_up_by_every_thread(described):
    train([4, 16, 1], batch_size=1024, threads=16, rows=1024)
    assert (described[-1]["way"], described[-1]["threads"]) == ("groups", 16)
    assert described[-1]["published"][0] + described[-1]["collected"][0] == described[-1]["collected"][15]


@pytest.mark.slow
@needs_compiler
@pytest.mark.skipif(not shutil.which("valgrind"), reason="counts need valgrind")
def test_two_threads_do_about_half_each_under_callgrind(tmp_path):
    thread_model.compile_kernels(tmp_path)
    counts = thread_model.counted("S128", [1, 2], tmp_path)
    (one,), two = counts[1].totals, counts[2].totals
    assert len(two) == 2
    assert 0.5 * one < max(two) < 0.8 * one
    assert counts[2].way == "halves" and counts[2].meetings == counts[2].steps
