"""`Dense(..., trainable=False)`, `Network.freeze` and `unfreeze`, from constructor to file."""

import json
import pickle

import numpy as np
import pytest

from fastmlp import Checkpoint, Dense, Network, fit_many, load
from fastmlp.errors import ArgumentError, ArgumentTypeError, TrainingError

X = np.random.default_rng(0).normal(size=(40, 5)).astype(np.float32)
Y = (X[:, 0] > 0).astype(int)
FIT = {"epochs": 2, "verbose": 0}


def frozen_network(**options):
    return Network([5, Dense(8, "tanh", trainable=False), 2], seed=1, **options)


def bits(network, layer=0):
    return [part.tobytes() for part in network.weights[layer]]


def test_fit_leaves_a_frozen_layer_alone(engine):
    net = frozen_network(l2=0.1)
    before, top = bits(net), bits(net, 1)
    net.fit(X, Y, **FIT, engine=engine)
    assert bits(net) == before
    assert bits(net, 1) != top


def test_freeze_and_unfreeze_between_fits_of_one_epoch(engine):
    net, fit = Network([5, 8, 2], seed=1), {"epochs": 1, "verbose": 0, "engine": engine}
    for _ in range(2):  # the second goes the short way
        net.fit(X, Y, **fit)
    net.freeze(1)
    before, moments = bits(net), [net.architecture.views(m)[0][0].copy() for m in net.state.moments]
    for _ in range(3):
        net.fit(X, Y, **fit)
    assert bits(net) == before
    for moment, kept in zip(net.state.moments, moments, strict=True):
        np.testing.assert_array_equal(net.architecture.views(moment)[0][0], kept)
    net.unfreeze(1)
    for _ in range(2):
        net.fit(X, Y, **fit)
    assert bits(net) != before


def test_fit_many_leaves_frozen_layers_alone_and_gives_the_bits_of_fits_alone():
    nets = [frozen_network(l2=penalty) for penalty in (0.0, 0.1, 0.2)]
    others = [frozen_network(l2=penalty) for penalty in (0.0, 0.1, 0.2)]
    before = bits(nets[0])
    fit_many(nets, X, Y, **FIT)
    for net, other in zip(nets, others, strict=True):
        other.fit(X, Y, **FIT)
        assert bits(net) == before
        assert bits(net, 1) == bits(other, 1)


def test_a_network_that_is_all_frozen_says_so_before_any_work():
    net = frozen_network()
    net.freeze(2)
    with pytest.raises(ArgumentError, match=r"every layer .* is frozen.*net.unfreeze\(\)"):
        net.fit(X, Y, **FIT)
    with pytest.raises(ArgumentError, match="frozen"):
        fit_many([Network([5, 2]), net], X, Y, **FIT)
    assert net.evaluate(X, Y).loss > 0


@pytest.mark.parametrize(
    ("numbers", "error", "message"),
    [((), ArgumentError, "freeze needs the numbers of layers"), ((0,), ArgumentError, "between 1 and 2, got 0"),
     ((3,), ArgumentError, "between 1 and 2"), (("1",), ArgumentTypeError, "whole number"),
     (([1],), ArgumentTypeError, "whole number")],
)  # fmt: skip
def test_freeze_refuses_layers_that_are_not_there(numbers, error, message):
    net = Network([5, 8, 2])
    with pytest.raises(error, match=message):
        net.freeze(*numbers)
    assert len(net.architecture.trained_parts) == 1


def test_a_network_is_not_frozen_in_the_midst_of_a_fit():
    net = Network([5, 8, 2])
    with pytest.raises(TrainingError, match="being trained"), net._turns.fit():
        net.freeze(1)


def test_trainable_must_be_a_truth_value():
    with pytest.raises(ArgumentTypeError, match="trainable"):
        Dense(3, trainable="no")


@pytest.mark.parametrize("suffix", [".npz", ".json", ".safetensors"])
def test_files_keep_which_layers_are_frozen(tmp_path, suffix):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors")
    net = frozen_network()
    net.fit(X, Y, **FIT)
    net.save(path := tmp_path / f"net{suffix}")
    found = load(path)
    assert found.architecture == net.architecture
    assert repr(found) == repr(net)
    for one in (found, net):
        one.fit(X, Y, **FIT)
    assert bits(found, 1) == bits(net, 1)


def test_files_that_say_nothing_of_it_hold_layers_that_are_trained(tmp_path):
    path = tmp_path / "net.json"
    Network([5, 8, 2], seed=0).save(path)
    content = json.loads(path.read_text())
    header = content.get("header", content)
    for layer in header["architecture"]["layers"]:
        del layer["trainable"]
    path.write_text(json.dumps(content))
    assert len(load(path).architecture.trained_parts) == 1


def test_pickles_keep_it():
    net = pickle.loads(pickle.dumps(frozen_network()))
    assert not net.architecture.layers[0].trainable


def test_a_fit_is_not_resumed_by_a_network_with_other_frozen_layers(tmp_path):
    path = tmp_path / "run.npz"
    frozen_network().fit(X, Y, **FIT, callbacks=[Checkpoint(path)])
    other = frozen_network()
    other.unfreeze()
    with pytest.raises(ArgumentError, match=r"resume_from: .* frozen layers"):
        other.fit(X, Y, epochs=4, verbose=0, resume_from=path)
    frozen_network().fit(X, Y, epochs=2, verbose=0, resume_from=path)


def test_summary_tells_what_is_trained():
    assert frozen_network().summary().splitlines()[2:] == [
        "dense 1      8  tanh        5 x 8            48       no",
        "dense 2      2  softmax     8 x 2            18      yes",
        "66 parameters (float32, 0.3 kB), of which 18 are trained, loss cross_entropy",
    ]
    assert "trained" not in Network([5, 8, 2]).summary()
