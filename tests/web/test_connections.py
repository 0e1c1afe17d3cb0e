"""Connections over real sockets: many at once, and such as send nothing or read nothing."""

import contextlib
import socket
import threading

import httpx2
import pytest

from fastmlp.web import limits
from fastmlp.web.server import Server

from .asking import train

FOREVER = {"epochs": limits.MAX_EPOCHS, "batch_size": 1}


@pytest.fixture
def port(page):
    """Port of the page's own server, in a thread."""
    server, listening = Server(page, "127.0.0.1"), socket.create_server(("127.0.0.1", 0), backlog=512)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()[1]
    page.close()
    server.should_exit = True
    thread.join()


@pytest.fixture
def connect(port):
    """Opens connections, and closes them in the end."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))


def get(path, headers=""):
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()


def is_closed(connection):
    """Wait for the other side to close a connection; what it sends meanwhile is not read."""
    with contextlib.suppress(OSError):
        while connection.send(b"x"):
            threading.Event().wait(0.05)
    return True


def status(connection):
    return int(connection.recv(12)[9:])


def test_two_hundred_connections_that_send_nothing_keep_nobody_out(connect):
    silent = [connect() for _ in range(2 * limits.MAX_CONNECTIONS)]
    asking = connect()
    asking.sendall(get("/api/choices"))
    assert status(asking) == 200
    assert len(silent) == 200


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nx: ", get("/", "content-length: 99\r\n")])
def test_a_connection_over_which_no_request_comes_is_closed(connect, monkeypatch, sent):
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.2)
    connection = connect()
    connection.sendall(sent)
    while connection.recv(65536):
        pass


def test_a_request_that_comes_byte_by_byte_without_end_is_cut_off(connect, monkeypatch):
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.2)
    connection = connect()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nx: ")
    assert is_closed(connection)


def test_an_answer_that_nobody_reads_is_thrown_away(page, port, connect, monkeypatch):
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.2)
    connection = connect()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    # Requests behind one another, with answers of more bytes than buffers between the two sides hold.
    with contextlib.suppress(OSError):
        for _ in range(200):
            connection.sendall(get("/api/models/1/file"))
    assert is_closed(connection)


def test_a_stream_in_which_nothing_happens_stays_open(port, monkeypatch):
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.2)
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        identity = train(client, **FOREVER)
        client.post(f"/api/trainings/{identity}/pause")
        with client.stream("GET", f"/api/trainings/{identity}/events") as response:
            lines = response.iter_lines()
            assert next(line for line in lines if line.startswith(":")) == ": still here"


def test_of_forty_streams_opened_at_once_as_many_are_let_in_as_may_be(port, connect):
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        identity = train(client, **FOREVER)
        streams = [connect() for _ in range(40)]
        for stream in streams:
            stream.sendall(get(f"/api/trainings/{identity}/events"))
        statuses = sorted(map(status, streams))
        assert statuses == [200] * limits.MAX_STREAMS + [429] * (40 - limits.MAX_STREAMS)


def test_streams_that_were_left_make_room(page, port, connect):
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        identity = train(client, **FOREVER)
        streams = [connect() for _ in range(limits.MAX_STREAMS)]
        for stream in streams:
            stream.sendall(get(f"/api/trainings/{identity}/events"))
            assert status(stream) == 200
            stream.close()
        while page.streams:
            threading.Event().wait(0.05)
        another = connect()
        another.sendall(get(f"/api/trainings/{identity}/events"))
        assert status(another) == 200
