"""Many networks at once: each gets what it gets alone, whatever happens to the others."""

import _thread
import copy

import numpy as np
import pytest
import scipy.sparse

from fastmlp import SGD, Adam, Callback, Checkpoint, Dense, EarlyStopping, Network, fit_many
from fastmlp.errors import ArgumentError, ArgumentTypeError, TrainingError
from fastmlp.training import side_by_side

GENERATOR = np.random.default_rng(0)
X = GENERATOR.normal(size=(200, 6)).astype(np.float32)
Y = (X[:, 0] > X[:, 1]).astype(int) + (X[:, 2] > 0)
BOOT = GENERATOR.integers(0, 200, 150)
REST = np.setdiff1d(np.arange(200), BOOT)
QUICK = {"epochs": 4, "verbose": 0}


def different_networks():
    """Networks of many kinds, and what each is trained with."""
    return [
        (Network([6, 8, 3], seed=1), {}),
        (Network([6, 8, 3], seed=2), {"optimizer": SGD(0.1), "batch_size": 7}),
        (Network([6, 5, 4, 3], hidden="tanh", loss="squared_error", seed=3), {"rows": BOOT, "rows_val": REST}),
        (Network([6, Dense(9, dropout=0.3), 3], seed=4), {"rows": BOOT, "optimizer": Adam(0.01, clip_norm=1.0)}),
        (Network([6, 8, 3], dtype="float64", scaling="standardize", seed=5), {"epochs": 7, "schedule": "cosine"}),
        (Network([6, 8, 3], scaling="standardize", seed=6), {"rows": BOOT, "sample_weight": np.arange(1.0, 201.0)}),
        (Network([6, 3], seed=7), {"validation_split": 0.2, "callbacks": [EarlyStopping(patience=1)]}),
        (Network([6, 8, 3], seed=8), {"class_weight": "balanced", "X_val": X[:50], "y_val": Y[:50]}),
        (Network([6, 8, 3], l2=0.1, seed=9), {"shuffle": False, "batch_size": 1000}),
    ]


def same(one, other):
    np.testing.assert_array_equal(one.state.parameters, other.state.parameters)
    assert one.history.loss == other.history.loss
    assert list(one.history) == list(other.history)


@pytest.mark.parametrize("threads", [1, 2, 5, "auto"])
@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array], ids=["dense", "sparse"])
def test_each_has_the_bits_that_fit_gives_it_alone(threads, form, engine):
    given = [pair for pair in different_networks() if form is np.asarray or pair[0].scaling == "auto"]
    networks, settings = [network for network, _ in given], [own for _, own in given]
    alone = copy.deepcopy(networks)
    fitted = fit_many(networks, form(X), Y, settings=settings, threads=threads, engine=engine, **QUICK)
    for result, network, own in zip(fitted, alone, settings, strict=True):
        history = network.fit(form(X), Y, engine=engine, **QUICK | own)
        same(result.network, network)
        assert (result.history.loss, result.history.stop_reason) == (history.loss, history.stop_reason)
        assert result.error is None


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_those_that_are_alike_are_trained_side_by_side(threads, monkeypatch):
    lanes = pytest.importorskip("fastmlp.engines.simd.lanes")
    at_once, train = [], lanes.SideBySide.train
    monkeypatch.setattr(
        lanes.SideBySide, "train", lambda self, asked: [at_once.append(len(asked)), train(self, asked)][1]
    )
    networks = [Network([6, 8, 3], seed=seed) for seed in range(60)]
    settings = [
        {
            "optimizer": Adam(0.001 * (seed + 1)),
            "epochs": 9 if seed % 10 == 1 else 4,
            "rows": GENERATOR.integers(0, 200, 150),
            "callbacks": [EarlyStopping("loss", patience=1)] * (seed % 3 == 0),
            "schedule": "cosine" if seed % 2 else None,
        }
        for seed in range(60)
    ]
    alone = copy.deepcopy(networks)
    fitted = fit_many(networks, X, Y, settings=settings, threads=threads, engine="numba", verbose=0)
    for result, network, own in zip(fitted, alone, copy.deepcopy(settings), strict=True):
        history = network.fit(X, Y, engine="numba", verbose=0, **own)
        same(result.network, network)
        assert result.history.stop_reason == history.stop_reason
    assert max(at_once) > 5


def alike(count):
    return [Network([6, 8, 3], seed=seed) for seed in range(count)]


def test_what_fails_for_all_is_tried_again_one_epoch_at_a_time(monkeypatch):
    lanes = pytest.importorskip("fastmlp.engines.simd.lanes")
    asked, train = [], lanes.SideBySide.train

    def fails_once(self, epochs):
        asked.append(len(epochs))
        if len(asked) == 1:
            raise MemoryError
        return train(self, epochs)

    monkeypatch.setattr(lanes.SideBySide, "train", fails_once)
    networks, alone = alike(16), alike(16)
    fitted = fit_many(networks, X, Y, engine="numba", threads=1, **QUICK)
    assert [result.error for result in fitted] == [None] * 16
    assert len(asked) > QUICK["epochs"]
    alone[5].fit(X, Y, engine="numba", **QUICK)
    same(networks[5], alone[5])


def test_what_fails_for_good_is_in_every_result(monkeypatch):
    lanes = pytest.importorskip("fastmlp.engines.simd.lanes")

    def fails(self, epochs):
        raise MemoryError("no room")

    monkeypatch.setattr(lanes.SideBySide, "train", fails)
    fitted = fit_many(alike(16), X, Y, engine="numba", threads=1, **QUICK)
    assert [str(result.error) for result in fitted] == ["no room"] * 16
    assert [result.network.state.epoch for result in fitted] == [0] * 16


def test_an_error_of_the_leader_ends_every_fit_of_its(monkeypatch):
    pytest.importorskip("numba")
    rounds, by_epochs = [], side_by_side._by_epochs

    def fails(led):
        rounds.append(1)
        if len(rounds) == 2:
            raise MemoryError("no room")
        return by_epochs(led)

    monkeypatch.setattr(side_by_side, "_by_epochs", fails)
    networks = alike(16)
    fitted = fit_many(networks, X, Y, callbacks=[EarlyStopping("loss")], engine="numba", threads=1, **QUICK)
    failed = [result for result in fitted if result.error is not None]
    assert {str(result.error) for result in failed} == {"no room"}
    assert [result.network.state.epoch for result in failed] == [1] * len(failed)
    assert failed
    networks[0].fit(X, Y, **QUICK)  # and it can be trained again


def test_ctrl_c_keeps_what_there_is_of_those_side_by_side():
    networks = alike(40)
    settings = [{"callbacks": [Interrupts()]} if number == 0 else {} for number in range(40)]
    settings[1] = {"epochs": 1}
    fitted = fit_many(networks, X, Y, settings=settings, threads=1, **QUICK)
    reasons = [result.history.stop_reason for result in fitted]
    assert (reasons[0], reasons[-1]) == ("interrupted", "interrupted")
    for number, (result, network) in enumerate(zip(fitted, alike(40), strict=True)):
        if result.history.epochs:
            network.fit(X, Y, **QUICK | {"epochs": result.history.epochs})
            np.testing.assert_array_equal(network.state.parameters, networks[number].state.parameters)


def test_one_that_diverges_doesnt_disturb_its_neighbours():
    networks = [Network([6, 8, 3], seed=n) for n in range(16)]
    alone = copy.deepcopy(networks)
    settings = [{"optimizer": SGD(1e38 if n == 3 else 0.01)} for n in range(16)]
    with np.errstate(all="ignore"):
        fitted = fit_many(networks, X, Y, settings=settings, threads=1, **QUICK)
    assert [isinstance(result.error, TrainingError) for result in fitted] == [n == 3 for n in range(16)]
    np.testing.assert_array_equal(networks[3].state.parameters, alone[3].state.parameters)
    for n in (2, 4):
        alone[n].fit(X, Y, **QUICK | settings[n])
        same(networks[n], alone[n])


@pytest.mark.parametrize("scaling", ["auto", "standardize"])
def test_rows_are_as_if_those_had_been_given(scaling, engine):
    by_number, by_copy = (Network([6, 8, 3], scaling=scaling, seed=0) for _ in range(2))
    by_number.fit(X, Y, rows=BOOT, rows_val=REST, engine=engine, **QUICK)
    by_copy.fit(X[BOOT], Y[BOOT], X_val=X[REST], y_val=Y[REST], engine=engine, **QUICK)
    same(by_number, by_copy)


def test_a_mask_is_the_rows_where_it_is_true(engine):
    by_mask, by_number = (Network([6, 8, 3], seed=0) for _ in range(2))
    by_mask.fit(X, Y, rows=X[:, 0] > 0, engine=engine, **QUICK)
    by_number.fit(X, Y, rows=np.flatnonzero(X[:, 0] > 0), engine=engine, **QUICK)
    same(by_mask, by_number)


def test_labels_are_those_of_all_rows():
    net = Network([6, 3], seed=0)
    net.fit(X, np.array(["a", "b", "c"])[Y], rows=Y < 2, **QUICK)
    assert net.labels.classes.tolist() == ["a", "b", "c"]


def test_samples_are_converted_once(monkeypatch):
    conversion = pytest.importorskip("fastmlp.engines.simd.conversion")
    made, compress = [], conversion.compress
    monkeypatch.setattr(conversion, "compress", lambda *given: [made.append(1), compress(*given)][1])
    sparse = np.where(X > 1, X, 0)
    networks = [Network([6, units, 3], seed=units) for units in (4, 5, 6, 70)]
    fit_many(networks, sparse, Y, settings=[{}, {"rows": BOOT}, {"rows": REST}, {}], engine="numba", **QUICK)
    assert len(made) == 1


def test_an_error_in_one_is_in_its_result_and_the_others_go_on():
    networks = [Network([6, 8, 3], hidden="relu", loss="squared_error", output="identity", seed=n) for n in range(3)]
    before = networks[1].state.parameters.copy()
    settings = [{}, {"optimizer": SGD(1e30)}, {}]
    with np.errstate(all="ignore"):
        fitted = fit_many(networks, X, Y, settings=settings, **QUICK)
    assert isinstance(fitted[1].error, TrainingError)
    np.testing.assert_array_equal(networks[1].state.parameters, before)
    assert [result.history.epochs for result in fitted] == [4, 0, 4]


def test_callbacks_that_networks_share_are_copies():
    stopping = EarlyStopping("loss", patience=1)
    networks = [Network([6, 8, 3], seed=n) for n in range(3)]
    fit_many(networks, X, Y, callbacks=[stopping], **QUICK)
    assert stopping.best_epoch == 0


def test_copies_share_the_data_too(monkeypatch):
    conversion = pytest.importorskip("fastmlp.engines.simd.conversion")
    made, rows = [], conversion._rows
    monkeypatch.setattr(conversion, "_rows", lambda *given: [made.append(1), rows(*given)][1])
    first = Network([6, 8, 3], seed=0)
    first.fit(X, Y, engine="numba", **QUICK)
    del made[:]
    fit_many([copy.copy(first) for _ in range(4)], X, Y, engine="numba", **QUICK)
    assert len(made) == 1


def test_validation_rows_have_their_own_weights_and_targets():
    networks = [
        Network([6, 8, 3], seed=0),
        Network([6, 8, 3], seed=0),
        Network([6, 8, 3], loss="squared_error", seed=0),
    ]
    alone = copy.deepcopy(networks)
    shared = {"rows": BOOT, "rows_val": REST}
    settings = [{}, {"sample_weight": np.arange(1.0, 201.0)}, {}]
    fitted = fit_many(networks, X, Y, settings=settings, **shared, **QUICK)
    for result, network, own in zip(fitted, alone, settings, strict=True):
        assert network.fit(X, Y, **shared, **own, **QUICK).val_loss == result.history.val_loss


def test_rows_to_judge_by_are_not_trained_on(engine):
    alone, both = (Network([6, 8, 3], seed=0) for _ in range(2))
    alone.fit(X, Y, rows_val=REST, engine=engine, **QUICK)
    both.fit(X, Y, rows=np.setdiff1d(np.arange(200), REST), rows_val=REST, engine=engine, **QUICK)
    same(alone, both)


def test_a_bootstrap_of_images_is_augmented_as_its_rows_are():
    images = GENERATOR.integers(0, 256, (40, 36)).astype(np.uint8)
    rows = GENERATOR.integers(0, 40, 40)
    losses = []
    for _ in range(3):
        np.full((40, 36), 77, np.uint8)  # memory that is given out again
        net = Network([36, 3], seed=0)
        losses.append(net.fit(images, np.arange(40) % 3, rows=rows, augment="digits", **QUICK).loss)
    assert losses[0] == losses[1] == losses[2]


def test_failures_are_told_unless_silence_was_asked_for():
    networks = [Network([6, 8, 3], output="identity", loss="squared_error", seed=n) for n in range(2)]
    with pytest.warns(RuntimeWarning, match="1 of 2 networks failed"), np.errstate(all="ignore"):
        fit_many(networks, X, Y, settings=[{}, {"optimizer": SGD(1e30)}], epochs=2)


def test_a_callback_that_cant_be_copied_is_named(tmp_path):
    class Writes(Callback):
        def __init__(self, file):
            self.file = file

    with (
        (tmp_path / "log").open("w") as file,
        pytest.raises(ArgumentTypeError, match=r"Writes object.*can't be copied"),
    ):
        fit_many([Network([6, 3], seed=n) for n in range(2)], X, Y, callbacks=[Writes(file)], **QUICK)


def test_two_networks_cant_write_one_file(tmp_path):
    settings = [{"callbacks": [Checkpoint(tmp_path / "net.npz")]} for _ in range(2)]
    with pytest.raises(ArgumentError, match="same callback"):
        fit_many([Network([6, 3], seed=n) for n in range(2)], X, Y, settings=settings, **QUICK)


def test_fits_are_resumed_side_by_side(tmp_path):
    def made():
        return [Network([6, 3], seed=n) for n in range(2)]

    paths = [tmp_path / f"{n}.npz" for n in range(2)]
    fit_many(made(), X, Y, settings=[{"callbacks": [Checkpoint(path)]} for path in paths], **QUICK)
    resumed, whole = made(), made()
    given = [{"callbacks": [Checkpoint(path)], "resume_from": path} for path in paths]
    fit_many(resumed, X, Y, settings=given, epochs=7, verbose=0)
    fit_many(whole, X, Y, epochs=7, verbose=0)
    for one, other in zip(resumed, whole, strict=True):
        same(one, other)


def test_two_networks_cant_have_one_callback():
    stopping = EarlyStopping("loss")
    networks = [Network([6, 3], seed=n) for n in range(2)]
    with pytest.raises(ArgumentError, match=r"settings\[1\] and settings\[0\] have the same callback"):
        fit_many(networks, X, Y, settings=[{"callbacks": [stopping]}] * 2, **QUICK)


class Interrupts(Callback):
    def on_epoch_end(self, run):
        if run.epoch == 2:
            _thread.interrupt_main()
            while not run.interrupted:
                pass


def test_ctrl_c_keeps_what_there_is():
    networks = [Network([6, 80, 3], seed=0), Network([6, 40, 3], seed=1), Network([6, 3], seed=2)]
    settings = [{}, {"callbacks": [Interrupts()]}, {}]
    fitted = fit_many(networks, X, Y, settings=settings, threads=1, **QUICK)
    assert [result.network.state.epoch for result in fitted] == [4, 2, 0]
    assert [result.history.stop_reason for result in fitted] == ["epochs done", "interrupted", "interrupted"]
    again = fit_many(networks, X, Y, **QUICK)  # and it is their turn again
    assert [result.history.epochs for result in again] == [4, 4, 4]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ([{}], ArgumentError, "settings must have a mapping for each of 2 networks, got 1"),
        ([{}, {"engine": "numpy"}], ArgumentError, r"settings\[1\]: engine holds for all networks"),
        ([{}, {"learning_rate": 1}], ArgumentTypeError, r"settings\[1\] has no argument 'learning_rate'"),
        ([{}, {"epochs": 0}], ArgumentError, r"networks\[1\]: epochs must lie between 1"),
        ([{}, {"rows": [500]}], ArgumentError, r"networks\[1\]: rows must lie from 0 to 199, got 500"),
        ([{}, {"rows": [0], "validation_split": 0.5}], ArgumentError, "validation_split and rows are both given"),
    ],
)
def test_what_is_wrong_with_one_is_said_before_any_is_trained(settings, error, message):
    networks = [Network([6, 8, 3], seed=n) for n in range(2)]
    with pytest.raises(error, match=message):
        fit_many(networks, X, Y, settings=settings, **QUICK)
    assert [network.state.epoch for network in networks] == [0, 0]


def test_a_network_comes_once():
    net = Network([6, 3], seed=0)
    with pytest.raises(ArgumentError, match=r"networks\[1\] is networks\[0\]"):
        fit_many([net, net], X, Y, **QUICK)


def test_a_file_is_of_one_network(tmp_path):
    networks = [Network([6, 3], seed=n) for n in range(2)]
    with pytest.raises(ArgumentError, match="Checkpoint writes the file of one network"):
        fit_many(networks, X, Y, callbacks=[Checkpoint(tmp_path / "net.npz")], **QUICK)


def test_a_training_on_rows_is_resumed_on_the_same(tmp_path):
    path = tmp_path / "net.npz"
    Network([6, 3], seed=0).fit(X, Y, rows=BOOT, callbacks=[Checkpoint(path)], **QUICK)
    with pytest.raises(ArgumentError, match="rows: the training in"):
        Network([6, 3], seed=0).fit(X, Y, rows=REST, resume_from=path, epochs=8, verbose=0)


def test_every_network_has_its_line(capsys):
    fit_many([Network([6, 3], seed=n) for n in range(3)], X, Y, epochs=2, verbose=2)
    lines = capsys.readouterr().err.splitlines()
    assert sorted(line[:9] for line in lines if line.startswith("network")) == ["network 0", "network 1", "network 2"]
    assert all("2 epochs" in line and "accuracy" in line for line in lines if line.startswith("network"))
