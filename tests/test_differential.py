"""`Network.fit`, engine against engine and thread count against thread count, on random configurations: weights, what
the optimizer remembers, and every figure of every epoch on the way.

In float64 the engines agree to 1e-10; in float32 to what reordering sums explains, see `engines.test_equality`. Threads
change no bit, nor do callbacks, for which epochs are trained one by one.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastmlp import Network
from fastmlp.engines.simd import conversion, workspace
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.engines.simd.passes import run_half, run_step
from fastmlp.engines.simd.threads import Team
from fastmlp.training.callbacks import Callback

from .configurations import FORMS, configurations
from .interpreted import examples, size, too_long_for_python

# A share of a few rows may have a class that no other row has; it is compared like any other.
pytestmark = pytest.mark.filterwarnings("ignore:no sample of .* is trained on:UserWarning")

COUNTS = size([1, 2, 3, 5, "auto"], [1, 2])
"""Thread counts; with "auto" the engine chooses, and tries by the clock whether halves pay."""

every_form = pytest.mark.parametrize("form", FORMS)


@pytest.fixture(autouse=True, scope="module")
def five_threads():
    """Have up to five threads used, however many processors there are, also for little work, chunks of some hundred
    rows, and columns of sparse rows parted whatever the processor.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simd_engine, "available_threads", lambda: 5)
        patch.setattr(simd_engine, "THREADS_FROM", 1e4)
        patch.setattr(simd_engine, "HALVES_FROM", 1e4)
        patch.setattr(workspace, "_CHUNK_NUMBERS", 2**17)
        patch.setattr(conversion, "WIDEST", 512)
        yield


def figures(network):
    """All figures of all epochs, but for the time they took."""
    return {name: network.history[name] for name in network.history if name != "seconds"}


def vectors(network):
    return [network.state.parameters, *network.state.moments]


def bits(network):
    figured = {name: np.array(values).tobytes() for name, values in figures(network).items()}
    return [vector.tobytes() for vector in vectors(network)], figured, network.state.step


def tolerance(network, arguments):
    """The largest difference that rounding explains, of numbers of size one."""
    if network.architecture.dtype == np.float64:
        return 1e-10
    terms = max(*network.architecture.sizes, min(arguments["X"].shape[0], arguments["batch_size"]))
    return 2 * len(network.architecture.layers) * terms * network.state.step * np.finfo(np.float32).eps


def is_undecided(network, X):
    """Whether rounding decides an answer: two outputs are next to one another, or one is next to one half."""
    outputs = np.sort(network(X, engine="numpy"), axis=1)
    gaps = np.abs(outputs - 0.5) if network.labels.task == "multilabel" else outputs[:, -1] - outputs[:, -2]
    return bool((gaps < 1e-6).any())


def check_engines_agree(configuration):
    theirs, ours = configuration.reference(engine="numpy"), configuration.fit(engine="numba", threads=2)
    allowed, arguments = tolerance(ours, configuration.arguments), configuration.arguments
    assert ours.state.step == theirs.state.step
    for mine, other in zip(vectors(ours), vectors(theirs), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=allowed * max(1.0, np.abs(other).max()))
    mine, other = figures(ours), figures(theirs)
    assert list(mine) == list(other)
    for name in mine:
        judged = arguments.get("X_val", arguments["X"]) if name == "val_accuracy" else arguments["X"]
        if not name.endswith("accuracy"):
            np.testing.assert_allclose(mine[name], other[name], rtol=allowed, atol=allowed)
        elif mine[name] != pytest.approx(other[name], abs=1e-6):
            assert is_undecided(theirs, judged)


@every_form
@settings(max_examples=examples(30, 3))
@given(data=st.data())
def test_engines_agree_in_float64(form, data):
    check_engines_agree(data.draw(configurations(form, dtypes=["float64"])))


@every_form
@settings(max_examples=examples(15, 3))
@given(data=st.data())
def test_engines_agree_in_float32(form, data):
    check_engines_agree(data.draw(configurations(form, dtypes=["float32"], smooth=True)))


@every_form
@settings(max_examples=examples(30, 3))
@given(data=st.data())
def test_any_number_of_threads_has_the_same_bits(form, data):
    configuration = data.draw(configurations(form))
    alone = bits(configuration.reference(engine="numba", threads=1))
    for threads in COUNTS[1:]:
        assert bits(configuration.fit(engine="numba", threads=threads)) == alone


@every_form
@settings(max_examples=examples(15, 3))
@given(data=st.data(), threads=st.sampled_from(COUNTS), engine=st.sampled_from(["numba", "numpy"]))
def test_epochs_in_one_call_have_the_bits_of_epochs_one_by_one(form, data, threads, engine):
    configuration = data.draw(configurations(form))
    together = configuration.reference(engine=engine, threads=threads)
    # Somebody looks at this one after every epoch.
    single = configuration.fit(engine=engine, threads=threads, callbacks=[Callback()])
    assert bits(together) == bits(single)


@pytest.mark.parametrize("threads", COUNTS)
@pytest.mark.parametrize("engine", ["numba", "numpy"])
@pytest.mark.parametrize("form", [np.asarray, "csr_matrix"], ids=["dense", "sparse"])
def test_a_batch_that_is_larger_than_the_data(form, engine, threads):
    X = np.random.default_rng(0).normal(size=(150, 4))
    y = (X[:, 0] > 0).astype(int)
    X = getattr(pytest.importorskip("scipy.sparse"), form)(X) if isinstance(form, str) else form(X)
    network = Network([4, 32, 16, 2], seed=0)
    given_ = {"epochs": size(30, 3), "batch_size": 5000, "validation_split": 0.2, "verbose": 0}
    history = network.fit(X, y, engine=engine, threads=threads, **given_)
    assert history.val_loss[:3] == pytest.approx([0.91612, 0.88983, 0.86410], abs=1e-5)


def ways_of(function, arguments):
    """In which ways a call of the kernels divides its work."""
    step = arguments[0][0]
    work, rows = step.work, step.rows
    yield "halves" if function is run_half else f"{'groups' if work.groups else 'rows'} of {len(arguments)}"
    yield from (name for name in ("listing", "skipping") if getattr(work, name))
    yield from (name for name in ("filled", "by_eights") if getattr(rows, name))
    yield from ["chunks"] * (step.batch_size > work.chunk) + ["epochs"] * step.keeping_ends


WAYS = {
    "any": {f"rows of {count}" for count in (1, 2, 3, 5)} | {"epochs"},
    "halves": {"halves", "rows of 1", "rows of 5"},
    "groups": {f"groups of {count}" for count in (1, 2, 3, 5)} | {"chunks", "epochs"},
    "parted": {"chunks", "filled", "by_eights", "rows of 5"},
    "wide": {"chunks", "listing", "rows of 5"},
}


@too_long_for_python
@every_form
def test_a_form_has_work_divided_in_its_way(form, monkeypatch):
    seen, run_together = set(), Team.run

    def run(team, function, arguments):
        if function in (run_step, run_half):
            seen.update(ways_of(function, arguments))
        run_together(team, function, arguments)

    # Which examples are drawn depends on what else is imported: Hypothesis looks there for interesting numbers.
    @settings(max_examples=600)
    @given(configuration=configurations(form))
    def fit(configuration):
        for threads in () if seen >= WAYS[form] else COUNTS:
            configuration.reference(engine="numba", threads=threads)

    monkeypatch.setattr(Team, "run", run)
    fit()
    assert seen >= WAYS[form]
