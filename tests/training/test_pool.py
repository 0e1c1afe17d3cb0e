"""A queue of fits over threads: the order, what is left, errors, Ctrl-C."""

import _thread
import threading

import pytest

from fastmlp import SGD, History
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


def test_the_time_left_is_in_proportion_to_the_work():
    lefts = []
    first = threading.Event()

    def long():
        first.wait(60)

    jobs = [job(3.0, long), job(1.0)]

    def look(finished, left):
        lefts.append(left)
        if finished:
            first.set()

    do_all(jobs, alone(jobs), 2, look)
    assert lefts[-1] == 0


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
    def look(finished, left):
        raise OSError("no screen")

    jobs = [job(1.0), job(1.0)]
    with pytest.raises(OSError, match="no screen"):
        do_all(jobs, alone(jobs), 2, look)
    assert all(one.run.interrupted for one in jobs)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fastmlp")]
