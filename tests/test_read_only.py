"""Networks and estimators out of memory that can't be written to: joblib's memory maps, pickle's buffers of another
process. They train and answer as ever, and nothing is compiled for them: to Numba a read-only array is another type.
"""

import pickle
from dataclasses import replace

import numpy as np
import pytest

from fastmlp import Network, load
from fastmlp.data.samples import Scaling
from fastmlp.formats import Checkpoint

from .interpreted import needs_compiler

pytest.importorskip("numba")
pytestmark = needs_compiler

GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.normal(size=(60, 12)), np.arange(60) % 3


def frozen(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def from_buffers(thing):
    """Pickled with protocol 5, and out of buffers that are bytes."""
    buffers = []
    pickled = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(pickled, buffers=[buffer.raw().tobytes() for buffer in buffers])


def from_unaligned_buffers(thing):
    """The same, and no number where a processor would put it."""
    buffers = []
    pickled = pickle.dumps(thing, protocol=5, buffer_callback=buffers.append)
    return pickle.loads(pickled, buffers=[memoryview(b"." + buffer.raw().tobytes())[1:] for buffer in buffers])


def from_maps(thing, folder):
    """Dumped and mapped by joblib, as its workers get large arrays."""
    joblib = pytest.importorskip("joblib")
    joblib.dump(thing, folder / "thing")
    return joblib.load(folder / "thing", mmap_mode="r")


@pytest.fixture(params=["buffers", "unaligned buffers", "maps"])
def brought_back(request, tmp_path):
    """Each way to come out of read-only memory, in turn."""
    ways = {"buffers": from_buffers, "unaligned buffers": from_unaligned_buffers}
    return ways.get(request.param) or (lambda thing: from_maps(thing, tmp_path))


def entries():
    """Signatures of all functions that Numba compiles for a call from Python."""
    from fastmlp.kernels import augmentation, epoch, predict
    from fastmlp.kernels.sparse import parting

    functions = epoch.run, predict.forward_rows, parting.part_rows, augmentation.augment
    return [set(function.signatures) for function in functions]


@pytest.fixture
def compiles_nothing():
    """Fail where a test adds a specialisation to those that ordinary arrays have made."""
    for dtype in ("float32", "float64"):
        use(network(dtype))
    before = entries()
    yield
    assert entries() == before


def network(dtype, **options):
    net = Network([12, 40, 3], seed=0, dtype=dtype, **options)
    net.fit(X, Y, epochs=2, verbose=0)
    return net


def use(net):
    """Call everything that a network can do, and return what came of it."""
    x = X.astype(net.architecture.dtype)
    found = [net.predict_proba(x), net.predict_proba(x[:2]), net.evaluate(x, Y).loss, net.gradient(x, Y)[0]]
    net.fit(x, Y, epochs=2, batch_size=7, threads=2, verbose=0)
    net.fit(x, Y, epochs=3, batch_size=60, X_val=x, y_val=Y, sample_weight=1.0 + Y, verbose=0)
    return [*found, net.predict_proba(x), *net.history.loss]


def same(found, expected):
    return all(np.array_equal(*pair) for pair in zip(found, expected, strict=True))


SCALINGS = {"none": None, "standardize": "standardize", "vectors": Scaling(np.linspace(0.5, 1, 12), np.ones(12))}


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_networks(dtype, scaling, brought_back, compiles_nothing):
    net = network(dtype, scaling=SCALINGS[scaling])
    copy = brought_back(net)
    assert same(use(copy), use(net))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"early_stopping": True},
        {"standardize": True},
        {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1},
        {"solver": "lbfgs"},
        {"shuffle": False},
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
@pytest.mark.filterwarnings("ignore:.*max_iter")
def test_estimators(kind, options, brought_back, compiles_nothing):
    pytest.importorskip("sklearn")
    from fastmlp import estimators

    def use_estimator(estimator):
        found = [estimator.predict(X), estimator.predict(X[:2]), estimator.score(X, Y)]
        if estimator.solver != "lbfgs":
            estimator.partial_fit(X, Y)
        estimator.set_params(warm_start=True).fit(X, Y)
        return [*found, estimator.predict(X), *estimator.coefs_, *estimator.loss_curve_]

    estimator = getattr(estimators, kind)(
        hidden_layer_sizes=8, max_iter=3, random_state=0, batch_size=20, **options
    ).fit(X, Y)
    copy = brought_back(estimator)
    assert same(use_estimator(copy), use_estimator(estimator))


@pytest.mark.parametrize("suffix", [".npz", ".json", ".safetensors", ".onnx"])
def test_networks_out_of_files(suffix, tmp_path, compiles_nothing):
    if suffix in (".safetensors", ".onnx"):
        pytest.importorskip(suffix[1:])
    network("float32").save(tmp_path / f"net{suffix}")
    use(load(tmp_path / f"net{suffix}"))


def test_checkpoints_of_read_only_arrays(compiles_nothing):
    net = network("float32")
    state = replace(net.state, parameters=frozen(net.state.parameters), moments=[*map(frozen, net.state.moments)])
    copy = Network.from_checkpoint(Checkpoint(net.architecture, state, net.labels, net.scaling, net.history))
    copy.set_weights(net.weights)
    use(copy)


def test_arguments_of_read_only_arrays(compiles_nothing):
    net, x, y = Network([12, 40, 3], seed=0), frozen(X.astype(np.float32)), frozen(Y)
    options = {"epochs": 3, "batch_size": 60, "verbose": 0}
    net.fit(x, y, X_val=x, y_val=y, sample_weight=frozen(np.ones(60)), **options)
    net.fit(x, frozen(np.eye(3)[y]), **options)
    net.evaluate(x, y, frozen(np.ones(60)))
    assert net.predict(x[:1]).shape == (1,)


def test_frozen_weights_of_a_network_are_read_and_never_written(compiles_nothing):
    net = network("float32")
    expected, net.state.parameters = net.predict_proba(X), frozen(net.state.parameters)
    assert np.array_equal(net.predict_proba(X), expected)
    before = net.state.parameters.copy()
    with pytest.raises(ValueError, match=r"writable|read-only"):
        net.fit(X, Y, epochs=1, verbose=0)
    assert np.array_equal(net.state.parameters, before)
