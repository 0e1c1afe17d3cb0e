"""What a process meets in the world, each in a process of its own: a full disk, folders and caches that can't be
written, signals. What a damaged or unwritable cache does to a kernel is in tests/kernels/runtime/test_jit.py.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fastmlp import Network, load

pytestmark = pytest.mark.skipif(os.name == "nt", reason="limits and signals of POSIX")

FULL_DISK = """
import resource, sys
from fastmlp import Network, errors
net = Network([100, 100, 10], seed=1)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
try:
    net.save(sys.argv[1])
except errors.FileWriteError as error:
    print(error)
"""

FULL_DISK_IN_TRAINING = """
import resource, sys
import numpy as np
from fastmlp import Callback, Checkpoint, Network, errors

class Filling(Callback):
    def on_epoch_start(self, run):
        if run.epoch == 4:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))

net = Network([4, 30, 2], seed=1)
X, y = np.eye(4), [0, 1, 0, 1]
try:
    net.fit(X, y, epochs=9, engine="numpy", verbose=0, callbacks=[Checkpoint(sys.argv[1]), Filling()])
except errors.FileWriteError as error:
    print(error)
print(net.history.epochs)
"""

READ_ONLY = """
import os, sys, tempfile
from fastmlp import Network, errors
with tempfile.TemporaryDirectory() as folder:
    Network([4, 2]).save(folder + "/net.npz")  # imports all there is to import
if os.getuid() == 0:  # root may write anywhere
    os.setuid(65534)
try:
    Network([4, 2], seed=1).save(sys.argv[1])
except errors.FileWriteError as error:
    print(error)
"""


def python(code, *arguments, **environment):
    """What a process prints that runs this code; any warning is an error."""
    command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
    shown = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, timeout=300)
    assert shown.returncode == 0, shown.stderr
    return shown.stdout.splitlines()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "net.npz"
    Network([4, 3], seed=7).save(path)
    return path


def test_a_full_disk_is_told_and_keeps_the_old_file(path):
    (message,) = python(FULL_DISK, path)
    assert message.startswith(f"{path}: cannot be written: File too large; a file that was there before is as it was.")
    assert list(path.parent.iterdir()) == [path]
    assert load(path).seed == 7


def test_a_disk_that_fills_up_during_a_training_keeps_the_last_checkpoint(tmp_path):
    path = tmp_path / "run.npz"
    message, epochs = python(FULL_DISK_IN_TRAINING, path)
    assert "cannot be written" in message
    assert load(path).state.epoch == int(epochs) == 3  # the epoch that could not be saved is undone


def test_a_folder_that_is_read_only_is_told_and_keeps_the_old_file():
    with tempfile.TemporaryDirectory() as folder:  # pytest's own can't be entered by other users
        path = Path(folder) / "net.npz"
        Network([4, 3], seed=7).save(path)
        path.parent.chmod(0o555)
        (message,) = python(READ_ONLY, path)
        path.parent.chmod(0o755)
        assert "cannot be written: Permission denied" in message
        assert load(path).seed == 7
