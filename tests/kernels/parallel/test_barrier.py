import threading

import numba
import numpy as np
import pytest

from fastmlp.kernels.parallel.barrier import give_up, new_barrier, take_piece, wait

ROUNDS = 500


@numba.njit(nogil=True)
def go_round(barrier, thread, threads, rounds, places, strangers):
    """Write the number of each round, wait, look whether all others have written it, and wait before the next."""
    for number in range(1, rounds + 1):
        places[thread] = number
        wait(barrier, threads)
        for other in range(threads):
            if places[other] != number:
                strangers[thread] += 1
        wait(barrier, threads)


@numba.njit(nogil=True)
def wait_once(barrier, threads):
    wait(barrier, threads)


@numba.njit(nogil=True)
def take_pieces(barrier, threads, taken):
    """Count how often this thread takes each piece."""
    piece = take_piece(barrier, threads, -1)
    while piece < len(taken):
        taken[piece] += 1
        piece = take_piece(barrier, threads, piece)


def run(function, *arguments_of_each):
    threads = [threading.Thread(target=function, args=arguments, daemon=True) for arguments in arguments_of_each]
    for thread in threads:
        thread.start()
    return threads


def join(threads):
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a thread still waits"


@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_no_thread_is_ahead_of_another(threads):
    places, strangers = np.zeros(threads, np.int64), np.zeros(threads, np.int64)
    barrier = new_barrier()
    join(run(go_round, *((barrier, thread, threads, ROUNDS, places, strangers) for thread in range(threads))))
    assert places.tolist() == [ROUNDS] * threads
    assert not strangers.any()


def test_barriers_are_apart():
    barriers, places, strangers = [new_barrier() for _ in range(2)], *np.zeros((2, 2, 2), np.int64)
    join(
        run(
            go_round,
            *((barriers[k], thread, 2, ROUNDS, places[k], strangers[k]) for k in range(2) for thread in range(2)),
        )
    )
    assert not strangers.any()


def test_one_thread_does_not_wait():
    wait_once(new_barrier(), 1)


def test_giving_up_lets_those_go_who_wait():
    barrier = new_barrier()
    waiting = run(wait_once, (barrier, 3), (barrier, 3))
    give_up(barrier)
    join(waiting)


def test_after_giving_up_nobody_waits():
    barrier = new_barrier()
    give_up(barrier)
    join(run(wait_once, *[(barrier, 2)] * 3))


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_piece_is_taken_once(threads):
    barrier, taken = new_barrier(), np.zeros((threads, 10_000), np.int64)
    for _ in range(2 if threads == 1 else 1):  # one thread has the same barrier in every call
        taken[:] = 0
        join(run(take_pieces, *((barrier, threads, own) for own in taken)))
        assert (taken.sum(axis=0) == 1).all()
