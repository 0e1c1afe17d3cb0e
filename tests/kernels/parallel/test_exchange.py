import threading

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.kernels.parallel.barrier import new_barrier, wait
from fastmlp.kernels.parallel.exchange import collect, publish

from .. import twins
from ..calls import both_dtypes, check_same, from_python, random_numbers

ROUNDS = 300


@st.composite
def blocks(draw):
    """Start, stride, rows and width of a block, or of none, in 400 numbers."""
    width = 16 * draw(st.integers(0, 3))
    return draw(st.integers(0, 40)), width + draw(st.sampled_from([0, 8, 16])), draw(st.integers(0, 5)), width


@both_dtypes
@given(block=blocks())
def test_publish(dtype, block):
    arguments = random_numbers(400, dtype), random_numbers(400, dtype, 1), *block
    check_same(publish, twins.publish, arguments)


@both_dtypes
@given(block=blocks())
def test_collect(dtype, block):
    arguments = random_numbers(400, dtype), random_numbers(400, dtype, 1), *block
    check_same(collect, twins.collect, arguments)


@both_dtypes
@given(block=blocks())
def test_collecting_leaves_the_shared_memory_as_it_is(dtype, block):
    # NaN and the zeros of both signs included: its lines are written, but with the bits that they hold.
    shared = random_numbers(400, dtype)
    shared[::3], shared[1::5], shared[2::7] = np.nan, 0.0, -0.0
    before = shared.tobytes()
    from_python(collect)(np.zeros(400, dtype), shared, *block)
    assert shared.tobytes() == before


@numba.njit(nogil=True)
def pass_on(thread, threads, barrier, rounds, own, shared, width, strangers):
    """Publish a block with the number of each round, collect those of all others, and count what is not that number.

    Every thread has two blocks side by side, for odd and for even rounds: one that is ahead publishes the next round's
    while others still collect this round's.
    """
    for number in range(1, rounds + 1):
        first = number % 2 * width
        for j in range(width):
            own[2 * thread * width + first + j] = number
        publish(shared, own, 2 * thread * width + first, width, 1, width)
        wait(barrier, threads)
        for other in range(threads):
            start = 2 * other * width + first
            if other != thread:
                collect(own, shared, start, width, 1, width)
            for j in range(width):
                if own[start + j] != number:
                    strangers[thread] += 1


@both_dtypes
@pytest.mark.parametrize("width", [16, 48])
@pytest.mark.parametrize("threads", [2, 3])
def test_what_threads_publish_before_a_barrier_others_collect_after_it(threads, width, dtype):
    barrier, shared, strangers = new_barrier(), np.zeros(2 * threads * width, dtype), np.zeros(threads, np.int64)
    workers = [
        threading.Thread(
            target=pass_on,
            args=(thread, threads, barrier, ROUNDS, np.zeros_like(shared), shared, width, strangers),
            daemon=True,
        )
        for thread in range(threads)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not any(worker.is_alive() for worker in workers), "a thread still waits"
    assert not strangers.any()
