"""Networks that answer together, and the one file that holds them."""

import json

import numpy as np
import pytest

from fastmlp import Dense, Ensemble, Network, load
from fastmlp.errors import ArgumentError, ArgumentTypeError, DataFileError

from ..formats.test_c import compiled, needs_compiler, outputs_of

X = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
LABELS = np.array(["a", "b", "c"])[np.arange(40) % 3]


def network(seed, y=LABELS, layers=(4, 5, 3), **options):
    net = Network(list(layers), seed=seed, **options)
    net.fit(X, y, epochs=2, verbose=0, engine="numpy")
    return net


def numbers(seed, **options):
    return network(seed, X[:, 0] * 2, (4, 5, 1), loss="squared_error", **options)


@pytest.fixture
def ensemble():
    return Ensemble([network(1), network(2), network(3, layers=(4, Dense(7, "tanh"), Dense(6, "silu"), 3))])


def test_outputs_are_the_mean(ensemble):
    mean = np.mean([net(X) for net in ensemble], axis=0)
    np.testing.assert_allclose(ensemble(X), mean, rtol=1e-6)
    np.testing.assert_allclose(ensemble.predict_proba(X.tolist()), mean, rtol=1e-6)
    np.testing.assert_array_equal(ensemble.predict(X), np.array(["a", "b", "c"])[mean.argmax(axis=1)])


def test_the_spread_is_the_standard_deviation():
    ensemble = Ensemble([numbers(1), numbers(2)])
    np.testing.assert_allclose(ensemble.std(X), np.std([net.predict(X) for net in ensemble], axis=0), rtol=1e-5)
    assert ensemble.std(X).shape == ensemble.predict(X).shape == (40,)


def test_answers_leave_the_networks_as_they_are(ensemble):
    before = [net(X).copy() for net in ensemble]
    ensemble(X)
    for net, outputs in zip(ensemble, before, strict=True):
        np.testing.assert_array_equal(net(X), outputs)


def test_numbers_have_no_probabilities():
    with pytest.raises(ArgumentError, match="predict_proba"):
        Ensemble([numbers(1)]).predict_proba(X)


def test_it_says_what_it_is(ensemble):
    assert len(ensemble) == 3
    assert repr(ensemble).startswith("Ensemble of 3 networks, the first Network([4, ")


@pytest.mark.parametrize("training_state", [True, False])
def test_saved_and_loaded_it_has_the_same_bits(ensemble, tmp_path, training_state):
    ensemble.save(tmp_path / "e.npz", training_state=training_state)
    loaded = Ensemble.load(tmp_path / "e.npz")
    np.testing.assert_array_equal(loaded(X), ensemble(X))
    for ours, theirs in zip(ensemble, loaded, strict=True):
        assert theirs.history.epochs == ours.history.epochs
        assert bool(theirs.state.moments) == training_state


def test_a_loaded_network_goes_on_with_the_same_bits(ensemble, tmp_path):
    ensemble.save(tmp_path / "e.npz")
    loaded = Ensemble.load(tmp_path / "e.npz")
    for net in (ensemble.networks[0], loaded.networks[0]):
        net.fit(X, LABELS, epochs=1, verbose=0)
    np.testing.assert_array_equal(loaded(X), ensemble(X))


def test_numpy_reads_its_arrays(ensemble, tmp_path):
    ensemble.save(tmp_path / "e.npz")
    with np.load(tmp_path / "e.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["net2_W0"], ensemble.networks[2].weights[0][0])
        assert len(json.loads(archive["header"].tobytes())["networks"]) == 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_onnx_runtime_gives_the_same_answers(tmp_path, dtype):
    onnxruntime, path = pytest.importorskip("onnxruntime"), tmp_path / "e.onnx"
    pytest.importorskip("onnx")
    ensemble = Ensemble([network(seed, dtype=dtype, scaling="standardize") for seed in range(3)])
    ensemble.save(path)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (outputs,) = session.run(["outputs"], {"X": X.astype(dtype)})
    np.testing.assert_allclose(outputs, ensemble(X.astype(dtype)), rtol=1e-5, atol=1e-6)
    assert json.loads(session.get_modelmeta().custom_metadata_map["labels"]) == ["a", "b", "c"]


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_c_gives_the_same_answers(tmp_path, dtype):
    layers = [(4, 5, 3), (4, Dense(7, "tanh"), Dense(6, "silu"), 3)]
    ensemble = Ensemble([network(1, layers=shape, dtype=dtype, scaling="standardize") for shape in layers])
    outputs = outputs_of(compiled(ensemble, tmp_path), ensemble.networks[0], X)
    np.testing.assert_allclose(outputs, ensemble(X.astype(dtype)), rtol=2e-5, atol=2e-6)
    assert "The mean of 2 multilayer perceptrons" in (tmp_path / "model.c").read_text()


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (lambda: Network([5, 3]), "number of inputs is 5, not 4"),
        (lambda: network(1, layers=(4, 3), dtype="float64"), "dtype is 'float64'"),
        (lambda: network(1, np.arange(40) % 3), "list of labels"),
        (lambda: network(1, layers=(4, Dense(3, "sigmoid")), loss="squared_error"), "last activation is 'sigmoid'"),
    ],
)
def test_networks_that_can_t_be_averaged_are_refused(other, words):
    with pytest.raises(ArgumentError, match=rf"networks\[1\] can't be averaged.*{words}"):
        Ensemble([network(0), other()])


def test_what_is_no_list_of_networks_is_refused():
    with pytest.raises(ArgumentError, match="empty"):
        Ensemble([])
    with pytest.raises(ArgumentTypeError, match="at 1"):
        Ensemble([network(0), "another"])
    with pytest.raises(ArgumentTypeError, match="list of Network"):
        Ensemble(5)


def test_files_that_hold_something_else_say_how_to_read_them(ensemble, tmp_path):
    ensemble.save(tmp_path / "several.npz")
    ensemble.networks[0].save(tmp_path / "one.npz")
    np.savez(tmp_path / "arrays.npz", a=X)
    with pytest.raises(DataFileError, match=r"fastmlp.Ensemble.load"):
        load(tmp_path / "several.npz")
    with pytest.raises(DataFileError, match=r"fastmlp.load"):
        Ensemble.load(tmp_path / "one.npz")
    with pytest.raises(DataFileError, match=r"arrays.npz"):
        Ensemble.load(tmp_path / "arrays.npz")
    with pytest.raises(DataFileError, match="no such file"):
        Ensemble.load(tmp_path / "none.npz")


@pytest.mark.parametrize("suffix", [".json", ".pkl", ".html"])
def test_other_formats_are_refused(ensemble, tmp_path, suffix):
    with pytest.raises(ArgumentError, match=r"\.npz, \.onnx, \.c"):
        ensemble.save(tmp_path / f"e{suffix}")


def test_a_damaged_file_is_told(ensemble, tmp_path):
    path = tmp_path / "e.npz"
    ensemble.save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataFileError, match=r"e\.npz"):
        Ensemble.load(path)


def test_a_file_of_networks_that_can_t_be_averaged_is_told(tmp_path):
    ensemble = Ensemble([network(0)])
    ensemble.networks = (network(0), Network([5, 3]))
    ensemble.save(tmp_path / "e.npz")
    with pytest.raises(DataFileError, match=r"e\.npz: networks\[1\] can't be averaged"):
        Ensemble.load(tmp_path / "e.npz")


@pytest.mark.parametrize("networks", [[], [{}], "text", [{"magic": "fastmlp"}], None, {"a": 1}])
def test_a_forged_header_is_told(tmp_path, networks):
    header = {"magic": "fastmlp ensemble", "format": 1, "versions": {}, "networks": networks}
    np.savez(tmp_path / "e.npz", header=np.frombuffer(json.dumps(header).encode(), np.uint8))
    with pytest.raises(DataFileError, match=r"e\.npz"):
        Ensemble.load(tmp_path / "e.npz")
