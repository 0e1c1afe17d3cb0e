"""The engine of plain loops: equal to NumPy, the same bits on any number of threads, and short enough to read."""

import importlib
import inspect
import os
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Scaling, as_samples
from fastmlp.engines import loops_engine, numpy_engine
from fastmlp.kernels import loops
from fastmlp.kernels.loops import epoch
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.architecture import Dense
from fastmlp.model.losses import LOSSES
from fastmlp.model.optimizers import SGD, Adam, AdamW, RMSprop

from ..interpreted import examples, needs_compiler, size
from .problems import both_dtypes, build, random_problem
from .strategies import KINDS, SMOOTH, optimizers, problems
from .test_equality import KINKED_LOSSES, assert_close, away_from_kinks, check_training, decided, tolerance

OPTIMIZERS = [
    SGD(0.01),
    SGD(0.01, weight_decay=0.1),
    SGD(0.01, clip_norm=0.1),
    SGD(0.01, momentum=0.9),
    SGD(0.01, momentum=0.9, nesterov=True, weight_decay=0.1),
    RMSprop(0.01),
    Adam(0.01),
    Adam(0.01, epsilon_hat=True, clip_norm=0.1),
    AdamW(0.01),
]
threads_ = st.sampled_from([1, 2])
several = pytest.mark.parametrize("threads", size([2, 3, 5], [2]))

COMPARED_IN_A_PROCESS = """
import warnings; warnings.simplefilter("error")
import numpy as np
from fastmlp.model.optimizers import SGD, Adam
from tests.engines.test_loops import bits, several_chunks
"""


def several_chunks(dtype="float64", kind="uint8", **options):
    """A problem with all that a chunk has of its own, and more rows than one chunk takes."""
    architecture = build([30, Dense(20, dropout=0.3), 17, 10], dtype=dtype, l2=0.01)
    rows = 3 * epoch.CHUNK_ROWS + 5
    scaling = Scaling.pixels(-0.5, 0.5) if "uint8" in kind else None
    return random_problem(architecture, rows, kind, weighted=True, scaling=scaling, **options)


def bits(problem, optimizer, batch_size, threads):
    """What training, a gradient and a pass lead to."""
    state, scores = problem.train("loops", optimizer, batch_size, epochs=2, threads=threads)
    prepared = problem.prepare("loops", threads)
    objective, gradient = problem.gradient("loops", threads=threads)
    outputs = loops_engine.forward(problem.architecture, state.parameters, prepared)
    score = loops_engine.evaluate(problem.architecture, state.parameters, prepared)
    parts = state.parameters, *state.moments, gradient, outputs, np.array([*scores, score]), np.array(objective)
    return b"".join(part.tobytes() for part in parts)


def in_a_process(code, **environment):
    """Run Python in a process of its own; return what it prints."""
    given_ = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", code], env=given_, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- as NumPy ---


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_optimizer_on_every_kind_of_data(activation, loss):
    for number, (optimizer, kind) in enumerate(product(size(OPTIMIZERS, OPTIMIZERS[-1:]), KINDS)):
        unit = 1 / 255 if "uint8" in kind else 1.0
        scaling = Scaling(unit, -0.5, centre=0.2 / unit) if number % 2 else Scaling(unit)
        architecture = build([5, Dense(6, dropout=0.2), 3], loss, activation, l1=0.01 * (number % 3 == 0), l2=0.01)
        problem = random_problem(architecture, 6, kind, labels=number % 4 == 0, weighted=True, scaling=scaling)
        check_training(problem, optimizer, 3, None, 1, engine="loops")


@given(problem=problems(), threads=threads_)
def test_outputs_and_scores(problem, threads):
    prepared = problem.prepare("loops", threads)
    ours = loops_engine.forward(problem.architecture, problem.parameters, prepared)
    theirs = numpy_engine.forward(problem.architecture, problem.parameters, problem.data)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    assert_close(ours, theirs, tolerance(problem))
    score = loops_engine.evaluate(problem.architecture, problem.parameters, prepared)
    their_score = numpy_engine.evaluate(problem.architecture, problem.parameters, problem.data)
    assert_close(score.loss, their_score.loss, tolerance(problem))
    assume(decided(problem))
    assert_close(score.accuracy, their_score.accuracy, 1e-6)


@given(problem=problems(), threads=threads_)
def test_objective_and_gradient(problem, threads):
    assume(away_from_kinks(problem))
    objective, gradient = problem.gradient("loops", threads=threads)
    their_objective, their_gradient = problem.gradient("numpy")
    assert_close(objective, their_objective, tolerance(problem))
    assert_close(gradient, their_gradient, tolerance(problem))


@settings(max_examples=examples(80, 3))
@given(problem=problems(dtypes=["float64"]), optimizer=optimizers(), batch_size=st.integers(1, 60), threads=threads_)
def test_two_epochs_in_float64(problem, optimizer, batch_size, threads):
    check_training(problem, optimizer, batch_size, None, threads, epochs=2, engine="loops")


@given(
    problem=problems(dtypes=["float32"], activations=tuple(SMOOTH), losses=tuple(set(LOSSES) - set(KINKED_LOSSES))),
    optimizer=optimizers(epsilon=0.01),
    batch_size=st.integers(1, 60),
    threads=threads_,
)
def test_ten_steps_in_float32(problem, optimizer, batch_size, threads):
    check_training(problem, optimizer, batch_size, None, threads, steps=10, engine="loops")


@both_dtypes
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("optimizer", [SGD(0.01), SGD(0.01, clip_norm=0.1), Adam(0.01, epsilon=0.01)], ids=str)
def test_batches_of_several_chunks(optimizer, threads, dtype):
    check_training(several_chunks(dtype), optimizer, 100, None, threads, engine="loops")


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_each_step_has_a_penalty_of_its_own(optimizer):
    problem = random_problem(build([9, 20, 3], l2=7.0), 25)
    penalties = np.array([0.0, 0.3, 0.1, 2.0, 0.5, 0.0, 0.2])
    check_training(problem, optimizer, 4, None, 1, epochs=2, penalties=penalties, engine="loops")


@both_dtypes
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64", "csr-float64"])
def test_a_feature_far_from_0_is_standardized(kind, dtype):
    generator = np.random.default_rng(0)
    problem = random_problem(build([5, 4, 3], dtype=dtype), 50, kind)
    X = problem.data.samples.raw(slice(None))
    X = generator.integers(250, 256, X.shape).astype(np.uint8) if kind == "uint8" else X + np.float64(1e6)
    form = scipy.sparse.csr_array if kind.startswith("csr") else np.asarray
    samples = as_samples(form(X.astype(kind.removeprefix("csr-"))), scaling=Scaling.standardize(X))
    problem = replace(problem, data=replace(problem.data, samples=samples))
    outputs = [
        module.forward(problem.architecture, problem.parameters, problem.prepare(module.name))
        for module in (loops_engine, numpy_engine)
    ]
    assert_close(*outputs, tolerance(problem))


def test_numbers_of_another_dtype_are_scaled_before_they_are_rounded():
    samples = as_samples(1e8 + np.eye(3), scaling=Scaling(centre=1e8))
    architecture = build([3, 2], "squared_error", output="identity", dtype="float32", bias=False)
    parameters = architecture.zeros()
    architecture.layers[0].weights(parameters)[...] = 1
    prepared = loops_engine.prepare(architecture, Dataset.of(architecture, samples), 1)
    np.testing.assert_array_equal(loops_engine.forward(architecture, parameters, prepared), 1)


# --- data that are not simply there ---


def test_a_mapped_table_is_trained_on_like_one_in_memory(tmp_path, monkeypatch):
    problem = several_chunks(kind="float64")
    np.save(tmp_path / "X.npy", problem.data.samples.dense)
    mapped = as_samples(np.load(tmp_path / "X.npy", mmap_mode="r"))
    monkeypatch.setattr(loops_engine, "READ_BYTES", 40 * mapped.dense.strides[0])
    other = replace(problem, data=replace(problem.data, samples=mapped))
    assert other.prepare("loops").samples is None
    assert bits(other, Adam(0.01), 10, 1) == bits(problem, Adam(0.01), 10, 1)


@pytest.mark.parametrize("kind", ["uint8", "float64", "csr-float64"])
def test_arrays_that_nobody_may_write_to(kind):
    problem = several_chunks(kind=kind)
    stored = problem.data.samples.stored()
    wanted = bits(problem, SGD(0.1), 10, 1)
    stored.flags.writeable = False
    assert bits(problem, SGD(0.1), 10, 1) == wanted


def test_new_weights_count_from_the_next_epoch_on():
    problem = several_chunks()
    prepared, twice = problem.prepare("loops"), problem.data.weights * 2
    before = loops_engine.evaluate(problem.architecture, problem.parameters, prepared)
    loops_engine.weigh(prepared, np.where(np.arange(len(twice)) == 3, 1, 0).astype(twice.dtype))
    one = problem.data.take(np.array([3]))
    alone = loops_engine.evaluate(
        problem.architecture, problem.parameters, loops_engine.prepare(problem.architecture, one, 1)
    )
    after = loops_engine.evaluate(problem.architecture, problem.parameters, prepared)
    assert after.loss == pytest.approx(alone.loss, rel=1e-12) and after != before
    assert problem.data.weights[0] > 0  # those of the data set stay


def test_rows_without_any_feature():
    problem = several_chunks(kind="csr-float64", density=0.0)
    check_training(problem, SGD(0.1), 7, None, 1, engine="loops")


# --- the same bits ---


@several
@both_dtypes
@pytest.mark.parametrize("batch_size", [1, 10, 100, 200])
@pytest.mark.parametrize("optimizer", [SGD(0.1), SGD(0.1, clip_norm=0.1), Adam(0.01)], ids=str)
def test_any_number_of_threads(optimizer, batch_size, dtype, threads):
    problem = several_chunks(dtype)
    assert bits(problem, optimizer, batch_size, threads) == bits(problem, optimizer, batch_size, 1)


@settings(max_examples=examples(60, 2))
@given(problem=problems(), optimizer=optimizers(), batch_size=st.integers(1, 60))
def test_any_training_on_two_threads(problem, optimizer, batch_size):
    results = [problem.train("loops", optimizer, batch_size, threads=threads) for threads in (1, 2)]
    (alone, score), (together, other_score) = results
    assert alone.parameters.tobytes() == together.parameters.tobytes()
    np.testing.assert_array_equal(score, other_score)


@needs_compiler
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_more_threads_than_processors_on_either_of_numbas_layers(layer):
    code = COMPARED_IN_A_PROCESS + (
        "problem = several_chunks()\n"
        "for optimizer in (SGD(0.1), Adam(0.01, clip_norm=0.1)):\n"
        "    print(len({bits(problem, optimizer, 100, threads) for threads in (1, 2, 3, 5)}))\n"
    )
    assert in_a_process(code, NUMBA_NUM_THREADS="5", NUMBA_THREADING_LAYER=layer).split() == ["1", "1"]


@needs_compiler
@pytest.mark.parametrize("layer", ["omp", "workqueue"])
def test_a_forked_child_trains_on_after_its_parent_used_threads(layer):
    code = COMPARED_IN_A_PROCESS + (
        "import os\n"
        "warnings.simplefilter('ignore', DeprecationWarning)\n"
        "problem = several_chunks()\n"
        "wanted = bits(problem, SGD(0.1), 100, 2)\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(0 if bits(problem, SGD(0.1), 100, 2) == wanted else 7)\n"
        "print(os.waitpid(child, 0)[1])\n"
    )
    assert in_a_process(code, NUMBA_THREADING_LAYER=layer).split() == ["0"]


@needs_compiler
def test_several_python_threads_at_once_where_numba_would_abort():
    code = COMPARED_IN_A_PROCESS + (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "problem = several_chunks()\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    found = list(pool.map(lambda _: bits(problem, SGD(0.1), 100, 2), range(8)))\n"
        "print(len(set(found)))\n"
    )
    assert in_a_process(code, NUMBA_THREADING_LAYER="workqueue").split() == ["1"]


@needs_compiler
def test_one_thread_never_touches_numbas_parallel_runtime():
    code = COMPARED_IN_A_PROCESS + (
        "import sys\n"
        "bits(several_chunks(), SGD(0.1), 100, 1)\n"
        "runtime = sys.modules.get('numba.np.ufunc.parallel')\n"
        "print(runtime is not None and runtime._is_initialized)\n"
        "from fastmlp.kernels.loops import epoch\n"
        "print(len(epoch.train_epoch_parallel.signatures))\n"
    )
    assert in_a_process(code).split() == ["False", "0"]


@needs_compiler
def test_the_number_of_threads_of_others_is_left_as_it_was():
    import numba

    before = numba.get_num_threads()
    bits(several_chunks(), SGD(0.1), 100, max(1, before - 1))
    assert numba.get_num_threads() == before


# --- compiled once ---


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_any_network_and_data_are_trained_by_one_specialisation_per_dtype(dtype):
    for number, kind in enumerate(KINDS):
        optimizer = OPTIMIZERS[number]
        labels, weighted = number % 2 == 0, number % 3 == 0
        problem = random_problem(build([[5, 4, 3], [1, 3]][number % 2], dtype=dtype), 9, kind, labels, weighted)
        problem.train("loops", optimizer, 4)
        loops_engine.evaluate(problem.architecture, problem.parameters, problem.prepare("loops"))
        loops_engine.forward(problem.architecture, problem.parameters, problem.prepare("loops"))
    for function in (epoch.train_epoch, epoch.forward):
        own = [signature for signature in map(str, function.signatures) if f"2d, C), array({dtype}, 1d" in signature]
        assert len(own) == 1


# --- short enough to read ---


def functions():
    for path in sorted(Path(loops.__file__).parent.glob("[a-z]*.py")):
        module = importlib.import_module(f"fastmlp.kernels.loops.{path.stem}")
        for name, value in vars(module).items():
            plain = getattr(value, "py_func", getattr(value, "__wrapped__", value))
            if inspect.isfunction(plain) and plain.__module__ == module.__name__:
                yield pytest.param(plain, id=f"{path.stem}.{name}")


@pytest.mark.parametrize("function", list(functions()))
def test_a_function_is_short_and_has_few_arguments(function):
    assert len(inspect.signature(function).parameters) <= 8
    assert len(inspect.getsource(function).splitlines()) <= 40
    assert function.__doc__
