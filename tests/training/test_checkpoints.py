"""Checkpoints: what they keep, and that a training that goes on from one has the bits of one never interrupted."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from fastmlp import SGD, Callback, Checkpoint, Dense, EarlyStopping, Network, ReduceOnPlateau, load
from fastmlp.errors import ArgumentError, ArgumentTypeError, DataFileError, TrainingError

from .test_loop import same


class Killed(Exception):
    pass


class KillAt(Callback):
    """End the training as SIGKILL would: nobody gets to save anything any more."""

    def __init__(self, epoch):
        self.epoch = epoch

    def on_epoch_start(self, run):
        if run.epoch == self.epoch:
            raise Killed


def network(**options):
    return Network([4, Dense(6, dropout=0.3), 3], seed=2, **options)


def fit(net, data, epochs=10, engine="numpy", **options):
    return net.fit(*data, epochs=epochs, batch_size=7, engine=engine, verbose=0, **options)


def rows(history):
    return {name: values for name, values in history.items() if name != "seconds"}, history.stop_reason


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


OPTIONS = {
    "adam": {},
    "momentum": {"optimizer": SGD(0.1, momentum=0.9)},
    "schedule": {"schedule": "cosine"},
    "validation": {"validation_split": 0.25},
    "weights": {"class_weight": "balanced", "shuffle": False},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_a_killed_fit_goes_on_with_the_same_bits(blobs, path, engine, options):
    whole = network(scaling="standardize")
    expected = fit(whole, blobs, engine=engine, **options)
    with pytest.raises(Killed):
        fit(network(scaling="standardize"), blobs, engine=engine, callbacks=[KillAt(4), Checkpoint(path)], **options)
    resumed = network(scaling="standardize")
    history = fit(resumed, blobs, engine=engine, resume_from=path, **options)
    assert same(whole, resumed)
    assert rows(history) == rows(expected)


@pytest.mark.parametrize("at", [2, 5, 7])
def test_callbacks_go_on_with_what_they_remember(blobs, path, at):
    def watchers():
        return [
            EarlyStopping("val_loss", patience=4),
            ReduceOnPlateau("loss", factor=0.5, patience=1, min_delta=0.05),
        ]

    options = {"validation_split": 0.25, "optimizer": SGD(0.9), "epochs": 30}
    whole, resumed = network(), network()
    expected = fit(whole, blobs, callbacks=watchers(), **options)
    assert 7 < expected.epochs < 30
    with pytest.raises(Killed):
        fit(network(), blobs, callbacks=[Checkpoint(path), *watchers(), KillAt(at)], **options)
    history = fit(resumed, blobs, callbacks=watchers(), resume_from=path, **options)
    assert same(whole, resumed)
    assert rows(history) == rows(expected)


def test_a_fit_that_was_stopped_is_over(blobs, path):
    options = {"optimizer": SGD(0.9), "epochs": 30, "validation_split": 0.25, "resume_from": path}
    first, again = network(), network()
    for net in (first, again):
        history = fit(net, blobs, callbacks=[EarlyStopping(patience=2), Checkpoint(path)], **options)
    assert "early stopping" in history.stop_reason
    assert same(first, again)


def test_a_fit_after_another_is_resumed_as_such(blobs, path):
    whole, killed, resumed = network(), network(), network()
    for net in (whole, killed):
        fit(net, blobs, 3)
    fit(whole, blobs, schedule="linear")
    with pytest.raises(Killed):
        fit(killed, blobs, schedule="linear", callbacks=[Checkpoint(path), KillAt(5)])
    history = fit(resumed, blobs, schedule="linear", resume_from=path)
    assert same(whole, resumed)
    assert history.epoch == list(range(4, 14))


def test_the_same_line_begins_goes_on_and_is_done(blobs, path):
    whole, net = network(), network()
    fit(whole, blobs)
    for epochs in (4, 10, 10):
        net = network()
        assert fit(net, blobs, epochs, resume_from=path, callbacks=[Checkpoint(path)]).epochs == epochs
    assert same(whole, net)


def test_a_saved_network_is_resumed_from_its_first_epoch(blobs, path):
    whole, net = network(), network()
    fit(whole, blobs)
    fit(net, blobs, 4)
    net.save(path)
    net = network()
    assert fit(net, blobs, 10, resume_from=path).epochs == 10
    assert same(whole, net)


def test_views_of_the_weights_follow_a_fit_that_is_resumed(blobs, path):
    fit(network(), blobs, callbacks=[Checkpoint(path)])
    net = network()
    held = net.weights[0][0]
    fit(net, blobs, resume_from=path)
    np.testing.assert_array_equal(held, net.weights[0][0])


def test_what_ctrl_c_leaves_is_saved(blobs, path):
    class Interrupting(Callback):
        def on_epoch_start(self, run):
            if run.epoch == 6:
                raise KeyboardInterrupt

    net = network()
    fit(net, blobs, callbacks=[Checkpoint(path, every=100), Interrupting()])
    assert load(path).state.epoch == 5


def test_every_so_many_epochs_and_the_last(blobs, path):
    saved = []

    class Looking(Checkpoint):
        def _save(self, run):
            super()._save(run)
            saved.append(run.epoch)

    fit(network(), blobs, callbacks=[Looking(path, every=4)])
    assert saved == [4, 8, 10]


def test_the_best_and_the_last_few_are_kept(blobs, path):
    history = fit(network(), blobs, optimizer=SGD(3.0), callbacks=[Checkpoint(path, monitor="loss", keep=3)])
    names = sorted(entry.name for entry in path.parent.iterdir())
    assert names == ["run-best.npz", *(f"run-epoch-{n:04d}.npz" for n in (8, 9, 10)), "run.npz"]
    assert load(path.with_stem("run-best")).state.epoch == 1 + int(np.argmin(history.loss))


def test_files_of_another_training_are_not_deleted(blobs, path):
    other = path.with_stem("run-epoch-0099")
    other.touch()
    fit(network(), blobs, callbacks=[Checkpoint(path, keep=2)])
    assert other.exists()


@pytest.mark.parametrize("name", ["run.npz", "run-best.npz", "run-epoch-0001.npz", "run-epoch-0099.npz"])
def test_what_a_killed_writer_left_is_cleared_away(blobs, path, name):
    (path.parent / f".{name}.0123456789ab.tmp").write_bytes(b"half")
    fit(network(), blobs, callbacks=[Checkpoint(path)])
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "name", [".run.npz.old.tmp", ".other.npz.0123456789ab.tmp", ".run-epoch-x.npz.0123456789ab.tmp", "run.npz.tmp"]
)
def test_what_others_left_stays(blobs, path, name):
    other = path.parent / name
    other.touch()
    fit(network(), blobs, callbacks=[Checkpoint(path, keep=2)])
    assert other.exists()


def test_divergence_leaves_the_last_finite_checkpoint(blobs, path):
    X, y = blobs
    net = Network([4, 1], loss="squared_error", seed=0)
    fit(net, (X, y), 2)
    with pytest.raises(TrainingError, match="diverged"):
        fit(net, (X * 1e4, y), 50, optimizer=SGD(1.0), callbacks=[Checkpoint(path)])
    assert not path.exists() or np.isfinite(load(path).state.parameters).all()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"optimizer": "sgd"}, "optimizer"),
        ({"schedule": "cosine"}, "schedule"),
        ({"shuffle": False}, "shuffle"),
        ({"epochs": 2}, "epochs"),
        ({"validation_split": 0.5}, "validation_split"),
        ({"callbacks": [EarlyStopping("loss")]}, "callbacks"),
        ({"class_weight": "balanced"}, "class_weight"),
        ({"class_weight": {0: 2.0}}, "class_weight"),
        ({"sample_weight": np.ones(150)}, "sample_weight"),
    ],
)
def test_what_differs_is_named_and_nothing_is_trained(blobs, path, options, name):
    fit(network(), blobs, 4, callbacks=[Checkpoint(path)])
    net = network()
    with pytest.raises(ArgumentError, match=name):
        fit(net, blobs, resume_from=path, **options)
    assert same(net, network())


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        (lambda X, y: (X + 1, y), "^X: "),
        (lambda X, y: (X[::-1], y[::-1]), "^X: "),
        (lambda X, y: (X, (y + 1) % 3), "^y: "),
    ],
)
def test_a_fit_is_resumed_on_the_data_it_was_begun_with(blobs, path, changed, name):
    fit(network(), blobs, 4, callbacks=[Checkpoint(path)])
    with pytest.raises(ArgumentError, match=name):
        fit(network(), changed(*blobs), 6, resume_from=path)


def test_validation_data_are_those_it_was_begun_with(blobs, path):
    X, y = blobs
    fit(network(), blobs, 4, X_val=X[:9], y_val=y[:9], callbacks=[Checkpoint(path)])
    with pytest.raises(ArgumentError, match=r"^X_val: "):
        fit(network(), blobs, 6, X_val=X[1:10], y_val=y[:9], resume_from=path)


@pytest.mark.parametrize(
    ("then", "now", "name"),
    [
        ({}, {"seed": 8}, "^seed: "),
        ({}, {"scaling": "standardize"}, "^scaling: "),
        ({"scaling": "standardize"}, {}, "^scaling: "),
    ],
)
def test_a_network_is_resumed_as_it_was_asked_for(blobs, path, then, now, name):
    fit(Network([4, 8, 3], **({"seed": 7} | then)), blobs, 4, callbacks=[Checkpoint(path)])
    with pytest.raises(ArgumentError, match=name):
        fit(Network([4, 8, 3], **({"seed": 7} | now)), blobs, 6, resume_from=path)


def test_a_network_without_a_seed_of_its_own_takes_over_that_of_the_file(blobs, path):
    fit(Network([4, 8, 3]), blobs, 4, callbacks=[Checkpoint(path)])
    resumed = Network([4, 8, 3])
    fit(resumed, blobs, 6, resume_from=path)
    assert resumed.seed == load(path).seed


def test_patience_is_that_it_was_begun_with(blobs, path):
    fit(network(), blobs, 4, callbacks=[EarlyStopping("loss", patience=3), Checkpoint(path)])
    with pytest.raises(ArgumentError, match=r"patience=3.*patience=9"):
        fit(network(), blobs, 6, callbacks=[EarlyStopping("loss", patience=9)], resume_from=path)


def test_an_epoch_that_not_every_callback_has_seen_is_not_finished(blobs, path, engine):
    class Interrupting(Callback):
        def on_epoch_end(self, run):
            if run.epoch == 5:
                raise KeyboardInterrupt

    def watched(*first, **options):
        net = Network([4, 8, 3], seed=0)
        callbacks = [*first, EarlyStopping(patience=3), Checkpoint(path)]
        history = net.fit(
            *blobs, epochs=200, validation_split=0.3, callbacks=callbacks, engine=engine, verbose=0, **options
        )
        return net, history

    whole, uninterrupted = watched()
    path.unlink()
    assert watched(Interrupting())[1].epochs == 4
    resumed, history = watched(resume_from=path)
    assert (history.epochs, history.stop_reason) == (uninterrupted.epochs, uninterrupted.stop_reason)
    assert same(whole, resumed)


@pytest.mark.parametrize(
    ("resume_from", "error", "message"),
    [
        (3, ArgumentTypeError, "resume_from"),
        ("run.json", ArgumentError, r"resume_from must end in \.npz"),
        ("nowhere/run.npz", ArgumentError, "resume_from: the folder"),
    ],
)
def test_paths_that_nothing_is_resumed_from(blobs, tmp_path, monkeypatch, resume_from, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        fit(network(), blobs, resume_from=resume_from)


def test_other_files_are_not_resumed_from(blobs, path):
    network().save(path, training_state=False)
    with pytest.raises(ArgumentError, match="weights only"):
        fit(network(), blobs, resume_from=path)
    with pytest.raises(ArgumentError, match="other layers"):
        fit(Network([4, 3]), blobs, resume_from=path)
    path.write_bytes(b"no archive")
    with pytest.raises(DataFileError, match=r"run\.npz"):
        fit(network(), blobs, resume_from=path)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda stand: stand.update(memories=[{"kind": "EarlyStopping", "values": {}, "vectors": []}]), ArgumentError),
        (lambda stand: stand.update(memories=[{"kind": "EarlyStopping"}]), DataFileError),
        (lambda stand: stand["memories"][0].update(vectors=["missing"]), DataFileError),
        (lambda stand: stand.update(learning_rate=-1.0), DataFileError),
        (lambda stand: stand.update(first_epoch=99), ArgumentError),
        (lambda stand: stand.clear(), DataFileError),
    ],
)
def test_a_checkpoint_that_was_changed_is_refused(blobs, path, change, error):
    fit(network(), blobs, 4, callbacks=[EarlyStopping("loss"), Checkpoint(path)])
    with np.load(path) as archive:
        arrays = dict(archive)
    header = json.loads(arrays["header"].tobytes())
    change(header["under_way"])
    np.savez(path, **arrays | {"header": np.frombuffer(json.dumps(header).encode(), np.uint8)})
    with pytest.raises(error):
        fit(network(), blobs, callbacks=[EarlyStopping("loss")], resume_from=path)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"path": 3}, ArgumentTypeError, "path"),
        ({"path": "run.onnx"}, ArgumentError, "path"),
        ({"every": 0}, ArgumentError, "every"),
        ({"keep": 1.5}, ArgumentTypeError, "keep"),
        ({"monitor": "val_los"}, ArgumentError, "val_loss"),
    ],
)
def test_bad_arguments_are_named(options, error, message):
    with pytest.raises(error, match=message):
        Checkpoint(**{"path": "run.npz"} | options)


def test_a_folder_that_is_not_there_is_told_before_training(blobs, tmp_path):
    net = network()
    with pytest.raises(ArgumentError, match="folder"):
        fit(net, blobs, callbacks=[Checkpoint(tmp_path / "nowhere" / "run.npz")])
    assert net.state.epoch == 0


CHILD = """
import sys
import numpy as np
from fastmlp import Callback, Checkpoint, Dense, EarlyStopping, Network

class Telling(Callback):
    def on_epoch_start(self, run):
        print(run.epoch, flush=True)

generator = np.random.default_rng(0)
X, y = generator.normal(size=(60, 4)), generator.integers(0, 3, 60)
net = Network([4, Dense(6, dropout=0.3), 3], seed=2)
path, resumed = sys.argv[1], sys.argv[2] == "resumed"
watchers = [EarlyStopping("val_loss", patience=1000), Checkpoint(path, monitor="loss"), Telling()] if resumed else [
    EarlyStopping("val_loss", patience=1000)]
net.fit(X, y, epochs=200, batch_size=7, schedule="cosine", validation_split=0.25, engine="numpy", verbose=0,
        callbacks=watchers, resume_from=path if resumed else None)
net.save(path + ".done.npz")
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_thirty_kills_at_random_moments_change_nothing(tmp_path):
    chance = random.Random(0)

    def start(name, how):
        command = [sys.executable, "-W", "error", "-c", CHILD, str(tmp_path / name), how]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    for _ in range(30):
        with start("killed.npz", "resumed") as child:
            for _ in range(chance.randrange(6)):  # none: while it starts
                assert child.stdout.readline(), "it ended by itself"
            time.sleep(chance.uniform(0, 0.02))
            assert child.poll() is None
            child.kill()
        assert child.returncode == -signal.SIGKILL
    reached = load(tmp_path / "killed.npz").state.epoch
    assert 10 < reached < 200
    for name, how in (("killed.npz", "resumed"), ("whole.npz", "once")):
        with start(name, how) as child:
            child.communicate(timeout=60)
        assert child.returncode == 0
    assert same(load(tmp_path / "killed.npz.done.npz"), load(tmp_path / "whole.npz.done.npz"))
