"""The page under load, in a process of its own: everything is answered, and nothing is kept of it."""

import os
import subprocess
import sys
import threading
import time

import httpx2
import pytest

from .asking import a_one, train
from .conftest import ROOT

RATE, SECONDS, CLIENTS = 200, 10, 8
"""Requests a second by all clients together; how long; how many clients there are."""


@pytest.fixture
def server(network, tmp_path):
    """``fastmlp serve`` as a process, with its address."""
    network.save(tmp_path / "small.npz")
    command = [sys.executable, "-m", "fastmlp.cli", "serve", str(tmp_path / "small.npz"), "--port", "0"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            yield process, process.stdout.readline().split()[4]
        finally:
            process.terminate()


def held(process):
    """Bytes of resident memory, and the number of threads, of a process."""
    with open(f"/proc/{process.pid}/statm") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return resident, len(os.listdir(f"/proc/{process.pid}/task"))


def mixture(client, trained, number):
    """Send the request of this number, one of those that a page sends."""
    drawing = a_one().tobytes()
    asked = (
        lambda: client.post("/api/models/1/drawing?width=280&height=280", content=drawing),
        lambda: client.get("/api/models"),
        lambda: client.post(f"/api/models/{trained}/drawing?width=280&height=280", content=drawing),
        lambda: client.get("/static/main.js"),
        lambda: client.get(f"/api/models/1/digits/{number % 10_000}"),
        lambda: client.get("/"),
        lambda: client.get(f"/api/models/1/digits?wrong=1&page={number % 3}"),
        lambda: client.get(f"/api/models/{trained}/neurons/0/{number % 8}"),
        lambda: client.get("/api/choices"),
        lambda: client.get("/api/models/1/file"),
    )
    return asked[number % len(asked)]()


def load_with(address, trained, seconds, problems):
    """Have all clients send their share of `RATE` requests a second, bounded in number; return how many were answered.

    A client that is late catches up: how fast the answers come is not judged.
    """
    total, start, answered = RATE * seconds, time.monotonic(), []

    def send(first):
        try:
            with httpx2.Client(base_url=address, timeout=60) as client:
                for number in range(first, total, CLIENTS):
                    time.sleep(max(0, start + number / RATE - time.monotonic()))
                    response = mixture(client, trained, number)
                    answered.append(number)
                    if response.status_code != 200:
                        problems.append((number, response.status_code, response.text[:200]))
        except Exception as error:
            problems.append((first, repr(error)))

    clients = [threading.Thread(target=send, args=(first,)) for first in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return len(answered)


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="reads Linux' /proc")
def test_two_hundred_requests_a_second_while_a_network_trains(server):
    process, address = server
    problems = []
    with httpx2.Client(base_url=address, timeout=60) as client:
        trained = train(client, recipe="nielsen", epochs=1000, batch_size=10)
        load_with(address, trained, 2, problems)  # by then everything is made that is made once
        memory, threads = held(process)
        assert load_with(address, trained, SECONDS, problems) == RATE * SECONDS
        memory_after, threads_after = held(process)
        assert client.post(f"/api/trainings/{trained}/stop").status_code == 200
    assert problems == []
    assert threads_after <= threads + CLIENTS  # of the pool, one for each that asks at once
    # The drawings alone that were sent are 31 MB.
    assert memory_after - memory < 8e6
