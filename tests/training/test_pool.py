"""A queue of fits over threads: the order, what is left, errors, Ctrl-C."""

import _thread
import gc
import threading
import time

import pytest

from fastmlp import SGD, History
from fastmlp.training import pool
from fastmlp.training.callbacks import FitRun
from fastmlp.training.pool import Job, do_all


def job(work, train=lambda: None, epochs=4):
    run = FitRun(None, None, History(), SGD(), 1.0, epochs, ("loss",))
    return Job(run, train, None, work)


def alone(jobs):
    return [(one.work, one.do) for one in jobs]


def silent(finished, left):
    pass


def test_the_longest_are_begun_first():
    begun = []
    jobs = [job(work, lambda work=work: begun.append(work)) for work in (1.0, 5.0, 3.0)]
    do_all(jobs, alone(jobs), 1, silent)
    assert begun == [5.0, 3.0, 1.0]


def test_as_many_as_there_are_threads_are_under_way_at_once():
    meet = threading.Barrier(3, timeout=60)
    jobs = [job(1.0, meet.wait) for _ in range(3)]
    do_all(jobs, alone(jobs), 3, silent)
    assert not meet.broken


def test_each_is_told_of_once_it_is_finished():
    jobs, told = [job(float(work)) for work in range(1, 6)], []
    do_all(jobs, alone(jobs), 2, lambda finished, left: told.extend(finished))
    assert sorted(map(id, told)) == sorted(map(id, jobs))


def test_the_time_left_is_in_proportion_to_the_work(monkeypatch):
    clock = iter([0.0, 10.0, 20.0, 30.0, 40.0, 50.0])
    monkeypatch.setattr(pool.time, "perf_counter", lambda: next(clock))
    gate, lefts = threading.Event(), []
    jobs = [job(1.0), job(3.0, lambda: gate.wait(60))]

    def look(finished, left):
        lefts.append(left)
        gate.set()

    waiting = pool.Crew.is_at_work

    def first_is_over(crew, seconds):
        while not jobs[0].over:
            pass
        return waiting(crew, 0.01)

    monkeypatch.setattr(pool.Crew, "is_at_work", first_is_over)
    do_all(jobs, alone(jobs), 2, look)
    assert lefts[0] == 30.0  # a quarter took 10 s
    assert lefts[-1] == 0.0


def test_an_error_ends_one_and_not_the_others():
    done = []

    def wrong():
        raise RuntimeError("wrong")

    jobs = [job(2.0, wrong), job(1.0, lambda: done.append(1))]
    do_all(jobs, alone(jobs), 1, silent)
    assert (str(jobs[0].error), jobs[1].error, done) == ("wrong", None, [1])


def test_ctrl_c_interrupts_those_under_way_and_begins_no_other():
    begun = []

    def train(run):
        begun.append(run)
        _thread.interrupt_main()
        while not run.interrupted:
            pass

    jobs = [job(float(work)) for work in (3, 2, 1)]
    for one in jobs:
        one.train = lambda run=one.run: train(run)
    do_all(jobs, alone(jobs), 1, silent)
    assert begun == [jobs[0].run]
    assert [one.run.history.stop_reason for one in jobs[1:]] == ["interrupted"] * 2


def test_an_error_of_who_looks_is_raised_when_all_have_ended():
    ended = []

    def look(finished, left):
        raise OSError("no screen")

    def train(run):
        while not run.interrupted:
            pass
        ended.append(run)

    jobs = [job(1.0), job(1.0)]
    for one in jobs:
        one.train = lambda run=one.run: train(run)
    with pytest.raises(OSError, match="no screen"):
        do_all(jobs, alone(jobs), 2, look)
    assert len(ended) == sum(one.over for one in jobs)


@pytest.mark.parametrize("collecting", [True, False])
def test_the_garbage_collector_is_left_as_it_was(collecting):
    before = gc.isenabled()
    try:
        (gc.enable if collecting else gc.disable)()
        do_all([one := job(1.0)], alone([one]), 1, silent)
        assert gc.isenabled() == collecting
    finally:
        (gc.enable if before else gc.disable)()


@pytest.mark.parametrize("presses", range(1, 6))
def test_ctrl_c_again_and_again_leaves_no_thread_at_work(presses):
    """Each comes when the one before was heard."""
    ended = []

    def train(run):
        for _ in range(presses):
            _thread.interrupt_main()
            time.sleep(0.002)
        while not run.interrupted:
            pass
        ended.append(run)

    jobs = [job(2.0), job(1.0)]
    for one in jobs:
        one.train = lambda run=one.run: train(run)
    try:
        do_all(jobs, alone(jobs), 2, silent)
        time.sleep(0.05)
    except KeyboardInterrupt:  # one that came when all was over
        pass
    assert gc.isenabled()
    assert len(ended) == sum(one.over for one in jobs) >= 1
