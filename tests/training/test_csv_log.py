"""The log in CSV: its lines are the history's rows, whatever happens to the training."""

import csv
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from fastmlp import Callback, Checkpoint, CSVLogger, fit_many
from fastmlp.errors import ArgumentError, ArgumentTypeError, DataFileError, FileWriteError

from .test_checkpoints import KillAt, Killed, fit, network

FIGURES = ["epoch", "loss", "accuracy", "learning_rate", "seconds"]


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def epochs(path):
    return [int(row["epoch"]) for row in rows(path)]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.csv"


@pytest.mark.parametrize("split", [0.0, 0.25])
def test_lines_are_the_rows_of_the_history(blobs, path, split):
    history = fit(network(), blobs, callbacks=[CSVLogger(path)], validation_split=split)
    read = rows(path)
    assert list(read[0]) == list(history)
    for name, column in history.items():
        assert [float(row[name]) for row in read] == column


def test_each_epoch_can_be_read_when_it_is_done(blobs, path):
    seen = []
    fit(network(), blobs, epochs=3, callbacks=[CSVLogger(path), lambda run: seen.append(epochs(path))])
    assert seen == [[1], [1, 2], [1, 2, 3]]


def test_a_new_fit_replaces_the_file_and_append_keeps_it(blobs, path):
    net = network()
    for append, expected in ((False, [1, 2]), (False, [3, 4]), (True, [3, 4, 5, 6])):
        fit(net, blobs, epochs=2, callbacks=[CSVLogger(path, append=append)])
        assert epochs(path) == expected


def test_append_drops_a_line_that_is_not_whole(blobs, path):
    fit(network(), blobs, epochs=2, callbacks=[CSVLogger(path)])
    path.write_bytes(path.read_bytes()[:-5])
    fit(network(), blobs, epochs=1, callbacks=[CSVLogger(path, append=True)])
    assert epochs(path) == [1, 1]


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("every", [1, 3])
def test_a_fit_that_is_resumed_goes_on_in_the_file(blobs, path, tmp_path, append, every):
    """Killed in epoch 6, with the last checkpoint after 5 or 3: lines of later epochs are written again."""
    checkpoint = tmp_path / "run.npz"
    fit(network(), blobs, epochs=2, callbacks=[CSVLogger(path)])
    callbacks = [KillAt(6), CSVLogger(path, append), Checkpoint(checkpoint, every)]
    with pytest.raises(Killed):
        fit(network(), blobs, callbacks=callbacks)
    history = fit(network(), blobs, callbacks=[CSVLogger(path, append)], resume_from=checkpoint)
    assert epochs(path) == [1, 2] * append + [*range(1, 11)]
    assert [float(row["loss"]) for row in rows(path)[-10:]] == history.loss


def test_resuming_without_the_file_writes_it_whole(blobs, path, tmp_path):
    checkpoint = tmp_path / "run.npz"
    fit(network(), blobs, epochs=2, callbacks=[Checkpoint(checkpoint)])
    fit(network(), blobs, epochs=3, callbacks=[CSVLogger(path)], resume_from=checkpoint)
    assert epochs(path) == [1, 2, 3]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_the_line_of_an_epoch_that_is_undone_is_removed(blobs, path, error):
    class Failing(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 3:
                raise error

    try:
        fit(network(), blobs, callbacks=[CSVLogger(path), Failing()])
    except RuntimeError:
        pass
    assert epochs(path) == [1, 2]


def test_a_line_that_cannot_be_written_ends_the_training_before_its_epoch(blobs, path):
    class Removing(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 3:
                path.unlink()
                path.mkdir()

    net = network()
    with pytest.raises(FileWriteError, match=r"log\.csv"):
        fit(net, blobs, callbacks=[Removing(), CSVLogger(path)])
    assert net.history.epochs == 2


@pytest.mark.parametrize(
    ("name", "content", "options", "error", "message"),
    [
        ("missing/log.csv", None, {}, ArgumentError, "path: the folder .*missing.* does not exist"),
        ("folder.csv", ..., {}, ArgumentError, "is a folder"),
        ("log.csv", b"time,what\n1,2\n", {"append": True}, ArgumentError, "append: .*'time,what'"),
        ("log.csv", b"\xff\xfe\n", {"append": True}, DataFileError, "no text"),
    ],
)
def test_what_is_wrong_with_the_place_is_told_before_training(blobs, tmp_path, name, content, options, error, message):
    if content is ...:
        (tmp_path / name).mkdir()
    elif content is not None:
        (tmp_path / name).write_bytes(content)
    net = network()
    with pytest.raises(error, match=message):
        fit(net, blobs, callbacks=[CSVLogger(tmp_path / name, **options)])
    assert net.history.epochs == 0
    if isinstance(content, bytes):
        assert (tmp_path / name).read_bytes() == content


@pytest.mark.parametrize("path", ["log.txt", "log", "a\0.csv", ""])
def test_other_names_are_refused(path):
    with pytest.raises(ArgumentError, match="path"):
        CSVLogger(path)


def test_other_things_are_refused():
    with pytest.raises(ArgumentTypeError, match="path"):
        CSVLogger(None)
    with pytest.raises(ArgumentTypeError, match="append"):
        CSVLogger("log.csv", append=1)


def test_networks_of_fit_many_need_logs_of_their_own(blobs, tmp_path):
    networks = [network(), network()]
    with pytest.raises(ArgumentError, match="CSVLogger writes the file of one network"):
        fit_many(networks, *blobs, epochs=2, callbacks=[CSVLogger(tmp_path / "log.csv")], verbose=0)
    logs = [tmp_path / "a.csv", tmp_path / "b.csv"]
    fit_many(networks, *blobs, epochs=2, settings=[{"callbacks": [CSVLogger(log)]} for log in logs], verbose=0)
    assert [epochs(log) for log in logs] == [[1, 2], [1, 2]]
    with pytest.raises(ArgumentError, match="the same callback"):
        fit_many(networks, *blobs, epochs=2, settings=[{"callbacks": [CSVLogger(logs[0])]}] * 2, verbose=0)


def test_estimators_write_their_figures(path):
    pytest.importorskip("sklearn")
    from fastmlp import estimators

    X = np.random.default_rng(0).normal(size=(60, 4))
    fitted = estimators.MLPRegressor(hidden_layer_sizes=(8,), max_iter=3, callbacks=[CSVLogger(path)])
    with pytest.warns(match="max_iter"):
        fitted.fit(X, X[:, 0], X_val=X, y_val=X[:, 0])
    assert [float(row["val_loss"]) for row in rows(path)] == fitted.history_["val_loss"]
    assert "val_r2" not in rows(path)[0]


TRAINING = """
import numpy as np
from fastmlp import CSVLogger, Network
X = np.random.default_rng(0).normal(size=(20, 3))
net, log = Network([3, 4, 2], seed=0), CSVLogger("log.csv")
net.fit(X, X[:, 0] > 0, epochs=10**6, callbacks=[log], engine="numpy", verbose=0)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs SIGKILL")
def test_a_process_that_is_killed_leaves_whole_lines(path):
    with subprocess.Popen([sys.executable, "-c", TRAINING], cwd=path.parent, env=os.environ) as child:
        try:
            while not path.exists() or path.stat().st_size < 5000:
                assert child.poll() is None
                time.sleep(0.01)
        finally:
            child.kill()
    assert path.read_bytes().endswith(b"\n")
    read = rows(path)
    assert [list(row) for row in read] == [FIGURES] * len(read)
    assert epochs(path) == [*range(1, len(read) + 1)]
