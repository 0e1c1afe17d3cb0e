import gc
import os
import sys
import threading

import numba
import numpy as np
import pytest

from fastmlp.engines.simd import threads
from fastmlp.engines.simd.threads import Team, available_threads
from fastmlp.kernels.parallel.barrier import wait


@numba.njit(nogil=True)
def meet(barrier, threads):
    wait(barrier, threads)


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_every_thread_has_its_number(threads):
    seen = np.zeros(threads, int)

    def work(thread, count, barrier, step):
        meet(barrier, count)
        seen[thread] += step

    Team().run(work, [(5,)] * threads)
    assert seen.tolist() == [5] * threads


def test_every_thread_has_its_own_arguments():
    seen = np.zeros(3, int)

    def work(thread, count, barrier, number):
        seen[thread] = number

    Team().run(work, [(7,), (5,), (3,)])
    assert seen.tolist() == [7, 5, 3]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_what_one_thread_raises_is_raised_and_ends_the_waiting_of_the_others(failing):
    def work(thread, threads, barrier):
        if thread == failing:
            raise ValueError(f"thread {thread}")
        meet(barrier, threads)

    with pytest.raises(ValueError, match=f"thread {failing}"):
        Team().run(work, [()] * 3)


def test_threads_are_kept_from_call_to_call():
    seen, team = [], Team()

    def work(thread, threads, barrier):
        seen.append(threading.get_ident())
        meet(barrier, threads)

    team.run(work, [()] * 3)
    team.run(work, [()] * 3)
    assert len(set(seen)) == 3


def test_threads_end_with_their_team():
    gc.collect()  # teams of other tests, which may end at any time
    before = threading.active_count()
    team = Team()
    team.run(lambda thread, threads, barrier: meet(barrier, threads), [()] * 3)
    assert threading.active_count() == before + 2
    del team
    assert threading.active_count() == before


def test_what_a_helper_worked_on_is_let_go():
    team, array = Team(), np.zeros(3)
    team.run(lambda thread, threads, barrier, x: meet(barrier, threads), [(array,)] * 2)
    team.run(lambda thread, threads, barrier: meet(barrier, threads), [()] * 2)
    assert sys.getrefcount(array) == 2


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), KeyboardInterrupt()], ids=repr)
def test_a_thread_that_does_not_start_leaves_none_waiting(error, monkeypatch):
    start, started, finished = threading.Thread.start, [], []

    def start_one(thread):
        if started:
            raise error
        started.append(thread)
        start(thread)

    def work(thread, threads, barrier):
        meet(barrier, threads)
        finished.append(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    with pytest.raises(type(error)):
        Team().run(work, [()] * 3)
    assert finished == [1]


linux = pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system doesn't say where a thread may run")


@linux
def test_helpers_may_run_where_the_caller_may():
    seen, team = [], Team()

    def work(thread, threads, barrier):
        meet(barrier, threads)
        seen.append(os.sched_getaffinity(0))

    for _ in range(3):
        team.run(work, [()] * 3)
    assert seen == [os.sched_getaffinity(0)] * 9


@linux
@pytest.mark.parametrize("own", [0, 3])
def test_helpers_are_woken_on_another_processor(own, monkeypatch):
    moved, team = [], Team()
    monkeypatch.setattr(threads, "_processors", lambda: {0, 3, 5})
    monkeypatch.setattr(threads, "_own_processor", lambda: own)
    monkeypatch.setattr(threads, "_move", lambda thread, processors: moved.append((thread != 0, processors)))
    team.run(lambda thread, count, barrier: meet(barrier, count), [()] * 2)
    assert moved == [(True, {0, 3, 5} - {own}), (False, {0, 3, 5})]


@pytest.mark.parametrize("library", [object(), None], ids=["without such a call", "none"])
def test_a_system_that_does_not_say_where_a_thread_is_leaves_it_where_it_is(library, monkeypatch):
    monkeypatch.setattr(threads, "_library", lambda: library)
    assert threads._own_processor() == -1
    seen = []
    Team().run(lambda thread, count, barrier: seen.append(thread), [()] * 2)
    assert sorted(seen) == [0, 1]


@linux
def test_a_thread_that_may_not_be_moved_stays(monkeypatch):
    def refuse(thread, processors):
        raise PermissionError("not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    seen = []
    Team().run(lambda thread, count, barrier: seen.append(thread), [()] * 2)
    assert sorted(seen) == [0, 1]


def test_threads_are_limited_by_the_processors_and_by_numba(monkeypatch):
    assert 1 <= available_threads() <= numba.config.NUMBA_NUM_THREADS
    monkeypatch.setattr(numba.config, "NUMBA_NUM_THREADS", 1)
    assert available_threads() == 1
