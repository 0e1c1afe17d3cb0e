import gc
import os
import random
import signal
import subprocess
import sys
import threading
import time
import weakref
from contextlib import suppress

import numba
import numpy as np
import pytest

from fastmlp.engines.simd import threads
from fastmlp.engines.simd.threads import Team, available_threads
from fastmlp.kernels.parallel.barrier import wait

from ...interpreted import needs_compiler


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


def end(helpers):
    """Whether none of these threads is left, if not now then soon: one that was told to end takes a moment."""
    deadline = time.monotonic() + 30
    while helpers & set(sys._current_frames()) and time.monotonic() < deadline:
        time.sleep(0.001)
    return not helpers & set(sys._current_frames())


def helpers_of(team, error=None):
    """Have a team of three work, or fail with this kind of error; return the identifiers of its helpers."""
    seen = set()

    def work(thread, threads, barrier):
        seen.add(threading.get_ident())
        meet(barrier, threads)
        if error is not None and thread == 0:
            raise error

    with suppress(*filter(None, [error])):
        team.run(work, [()] * 3)
    return seen - {threading.get_ident()}


def test_threads_end_with_their_team():
    team = Team()
    helpers = helpers_of(team)
    assert len(helpers & set(sys._current_frames())) == 2
    del team
    assert end(helpers)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_threads_end_with_a_team_that_failed_without_a_collection_of_garbage(error):
    gc.disable()
    try:
        helpers = helpers_of(Team(), error)  # what an assertion compares is kept until the next one
        assert end(helpers)
    finally:
        gc.enable()


def test_what_a_helper_worked_on_is_let_go():
    class Numbers(np.ndarray):
        """An array that can be referred to weakly."""

    team, array = Team(), np.zeros(3).view(Numbers)
    there = weakref.ref(array)
    team.run(lambda thread, threads, barrier, x: meet(barrier, threads), [(array,)] * 2)
    team.run(lambda thread, threads, barrier: meet(barrier, threads), [()] * 2)
    del array
    assert there() is None


@pytest.mark.parametrize("error", [RuntimeError("can't start new thread"), KeyboardInterrupt()], ids=repr)
def test_a_thread_that_does_not_start_leaves_none_waiting(error, monkeypatch):
    start, started, finished = threads.start_new_thread, [], []

    def start_one(*arguments):
        if started:
            raise error
        started.append(start(*arguments))

    def work(thread, threads, barrier):
        meet(barrier, threads)
        finished.append(thread)

    monkeypatch.setattr(threads, "start_new_thread", start_one)
    with pytest.raises(type(error)):
        Team().run(work, [()] * 3)
    assert finished == [1]


FITS = """
import signal, sys, time
import numpy as np
from fastmlp import Network
from fastmlp.engines.simd import engine

generator = np.random.default_rng(0)
X, y = generator.normal(size=(60, 20)).astype(np.float32), generator.integers(0, 3, 60)
engine.available_threads = lambda: 2
heard, swallowed, lost = 0, 0, []


def hear(number, frame):
    global heard
    heard += 1
    raise KeyboardInterrupt


def fit():
    return Network([20, 33, 3], seed=0).fit(X, y, epochs=2, threads=2, verbose=0)


def fit_until_heard(number):
    # A function, for the interrupt to reach the caller's `try`: from Python 3.12 on, the jump back to a `while` is
    # itself outside of the `try` around it.
    print("ready", flush=True)
    while heard == number:
        history = fit()
    return history.stop_reason


fit()
sys.unraisablehook = lambda unraisable: lost.append(str(unraisable.object))
signal.signal(signal.SIGINT, hear)
for number in range(ROUNDS):
    try:
        swallowed += fit_until_heard(number) != "interrupted"
    except KeyboardInterrupt:
        pass
deadline = time.monotonic() + 30
while len(sys._current_frames()) > 1 and time.monotonic() < deadline:
    time.sleep(0.001)
print(heard, swallowed, lost, len(sys._current_frames()))
"""


@needs_compiler
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_ctrl_c_at_any_moment_ends_a_fit_and_leaves_no_thread():
    rounds, moments = 60, random.Random(0)
    code = FITS.replace("ROUNDS", str(rounds))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if line != "ready\n":
                break
            time.sleep(moments.uniform(0, 0.006))
            process.send_signal(signal.SIGINT)
    assert line.split(maxsplit=2) == [str(rounds), "0", "[] 1\n"]
    assert process.returncode == 0


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
