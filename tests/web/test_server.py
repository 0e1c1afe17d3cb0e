"""``fastmlp serve``: where it listens, how it ends, what it says when it can't start."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

from fastmlp.errors import ArgumentError, ArgumentTypeError, DataFileError
from fastmlp.web import serve

from .asking import train

ROOT = Path(__file__).resolve().parents[2]


def test_a_port_that_is_taken_is_told(tmp_path, network):
    network.save(tmp_path / "net.npz")
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(ArgumentError, match="--port"):
        serve(tmp_path / "net.npz", port=taken.getsockname()[1])


def test_a_host_that_is_elsewhere_is_told(tmp_path, network):
    network.save(tmp_path / "net.npz")
    with pytest.raises(ArgumentError, match="--host"):
        serve(tmp_path / "net.npz", host="192.0.2.1", port=0)


def test_a_port_that_is_none_is_told():
    with pytest.raises(ArgumentTypeError, match="port"):
        serve(port="80")


def test_a_model_that_is_not_there_is_told():
    with pytest.raises(DataFileError, match="no such file"):
        serve("nothing.npz")


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_missing_package(package):
    code = f"import sys\nsys.modules[{package!r}] = None\nfrom fastmlp.cli import main\nmain(['serve'])"
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
        check=False,
    )
    assert result.stderr.startswith(f"error: fastmlp needs {package} for its page in the browser: pip install ")
    assert f'"{package}' in result.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C to whole groups of processes")
def test_ctrl_c_ends_it_in_the_middle_of_trainings_and_streams(tmp_path, network):
    network.save(tmp_path / "net.npz")
    process = subprocess.Popen(
        [sys.executable, "-m", "fastmlp.cli", "serve", str(tmp_path / "net.npz"), "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    try:
        address = process.stdout.readline().split()[4]
        assert address.startswith("http://127.0.0.1:")
        with httpx2.Client(base_url=address, timeout=60) as client:
            identity = train(client, epochs=1000, batch_size=1)
            with client.stream("GET", f"/api/trainings/{identity}/events") as response:
                next(response.iter_lines())
                process.send_signal(signal.SIGINT)
                output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert (process.returncode, output, errors) == (0, "Closed\n", "")


def test_listening_for_others_is_warned_about(tmp_path, network):
    network.save(tmp_path / "net.npz")
    command = [
        sys.executable,
        "-m",
        "fastmlp.cli",
        "serve",
        str(tmp_path / "net.npz"),
        "--host",
        "0.0.0.0",
        "--port",
        "0",
    ]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout.readline().startswith("The page is at http://127.0.0.1:")
        warning = process.stderr.readline()
        process.kill()
    assert "no password" in warning
