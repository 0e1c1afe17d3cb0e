"""The compiled engine against the reference, on random networks and data.

In float64 the two agree to 1e-10 of the largest number compared, as design.md promises. In float32 they differ by what
reordering sums explains: a sum of k products is off by at most k * eps of its terms, a number of a network of L
layers is a chain of L such sums forward and L back, and ten steps repeat that ten times. `tolerance` says so; all
numbers here are of size one, and learning rates so small that no training diverges. Where the mathematics has a kink,
or divides by a small root, two roundings may end far apart, which is no error of either: float32 data keep away from
kinks over one step, and over many steps only smooth networks are compared, with an epsilon that bounds how much an
optimizer enlarges a difference.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fastmlp.data.samples import Scaling
from fastmlp.engines import get_engine, loops_engine, n_batches, numpy_engine
from fastmlp.engines.simd import engine as simd_engine
from fastmlp.model.activations import ACTIVATIONS
from fastmlp.model.architecture import Dense
from fastmlp.model.losses import LOSSES
from fastmlp.model.optimizers import SGD, Adam, AdamW, RMSprop
from fastmlp.model.training_state import TrainingState

from ..interpreted import examples
from .problems import both_dtypes, build, padding, random_problem
from .strategies import SMOOTH, optimizers, problems, sparse_or_dense

KINKED_LOSSES = ["absolute_error", "quantile"]


def tolerance(problem, steps=1):
    """The largest difference that rounding explains, of numbers of size one."""
    architecture = problem.architecture
    if architecture.dtype == np.float64:
        return 1e-10
    longest = max(*architecture.sizes, problem.data.samples.n_rows)
    return 2 * len(architecture.layers) * longest * steps * np.finfo(np.float32).eps


def assert_close(ours, theirs, allowed):
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    np.testing.assert_array_equal(np.isfinite(ours), np.isfinite(theirs))
    ours, theirs = ours[np.isfinite(ours)], theirs[np.isfinite(theirs)]
    size = max(1.0, np.abs(theirs).max(initial=0))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=allowed * size)


def away_from_kinks(problem):
    """Whether rounding cannot push a number across a kink, in float32."""
    architecture, parameters = problem.architecture, problem.parameters
    if architecture.dtype == np.float64:
        return True
    run = numpy_engine.forward_pass(
        architecture, parameters, problem.data.samples.rows(slice(None), architecture.dtype)
    )
    y = problem.data.targets.rows(slice(None), architecture.outputs, architecture.dtype)
    near = [np.abs(run.activations[-1] - y)] * (architecture.loss in KINKED_LOSSES)
    layers = zip(architecture.layers, run.logits, strict=True)
    near += [np.abs(z) for layer, z in layers if layer.activation in ("relu", "leaky_relu")]
    return all(distances[distances > 0].min(initial=1) > 10 * tolerance(problem) for distances in near)


threads_ = st.sampled_from([1, 2])


@pytest.fixture(autouse=True, scope="module")
def two_processors():
    """Have two threads used where two are asked for, however many processors there are."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simd_engine, "available_threads", lambda: 2)
        yield


@given(problem=problems(), sparse=sparse_or_dense, threads=threads_)
def test_forward(problem, sparse, threads):
    ours, theirs = (
        engine.forward(problem.architecture, problem.parameters, prepared)
        for engine, prepared in both(problem, sparse, threads)
    )
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    assert_close(ours, theirs, tolerance(problem))


@given(problem=problems(kinds=["uint8", "float32", "float64"]), rows=st.integers(1, 50))
def test_outputs_by_the_shorter_way(problem, rows):
    samples, architecture = problem.data.samples, problem.architecture
    X = samples.dense[:rows] if samples.dense.dtype == np.uint8 else samples.dense[:rows].astype(architecture.dtype)
    ours = simd_engine.few_rows(architecture, samples.scaling)(problem.parameters, X)
    theirs = numpy_engine.forward(architecture, problem.parameters, problem.data)[:rows]
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    assert_close(ours, theirs, tolerance(problem))


@given(problem=problems(), sparse=sparse_or_dense, threads=threads_)
def test_evaluate(problem, sparse, threads):
    ours, theirs = (
        engine.evaluate(problem.architecture, problem.parameters, prepared)
        for engine, prepared in both(problem, sparse, threads)
    )
    assert_close(ours.loss, theirs.loss, tolerance(problem))
    assume(decided(problem))
    assert_close(ours.accuracy, theirs.accuracy, 1e-6)


@given(problem=problems(), sparse=sparse_or_dense, threads=threads_)
def test_loss_and_gradient(problem, sparse, threads):
    assume(away_from_kinks(problem))
    (loss, ours), (their_loss, theirs) = (
        engine.loss_and_gradient(problem.architecture, problem.parameters, prepared)
        for engine, prepared in both(problem, sparse, threads)
    )
    assert_close(loss, their_loss, tolerance(problem))
    assert_close(ours, theirs, tolerance(problem))


@settings(max_examples=examples(80, 3))
@given(
    problem=problems(dtypes=["float64"]),
    optimizer=optimizers(),
    batch_size=st.integers(1, 60),
    sparse=sparse_or_dense,
    threads=threads_,
)
def test_two_epochs_in_float64(problem, optimizer, batch_size, sparse, threads):
    check_training(problem, optimizer, batch_size, sparse, threads, epochs=2)


@settings(max_examples=examples(80, 3))
@given(
    problem=problems(dtypes=["float32"], activations=tuple(SMOOTH), losses=tuple(set(LOSSES) - set(KINKED_LOSSES))),
    optimizer=optimizers(epsilon=0.01),
    batch_size=st.integers(1, 60),
    sparse=sparse_or_dense,
    threads=threads_,
)
def test_ten_steps_in_float32(problem, optimizer, batch_size, sparse, threads):
    check_training(problem, optimizer, batch_size, sparse, threads, steps=10)


@given(problem=problems(), optimizer=optimizers(epsilon=0.01), sparse=sparse_or_dense, threads=threads_)
def test_one_step(problem, optimizer, sparse, threads):
    assume(away_from_kinks(problem))
    check_training(problem, optimizer, problem.data.samples.n_rows, sparse, threads, steps=1)


def both(problem, sparse, threads, engine="numba"):
    yield get_engine(engine), problem.prepare(engine, threads, sparse)
    yield numpy_engine, problem.prepare("numpy")


def decided(problem):
    """Whether no two outputs are so near one another, or one so near one half, that rounding decides the answer."""
    outputs = numpy_engine.forward(problem.architecture, problem.parameters, problem.data)
    if problem.data.task != "classes":
        return np.abs(outputs - 0.5).min() > 1e-4
    best = np.sort(outputs, axis=1)
    gaps = best[:, -1] - best[:, -2]
    return ((gaps > 1e-4) | (gaps == 0)).all()


def check_training(
    problem, optimizer, batch_size, sparse, threads, epochs=1, steps=None, penalties=None, engine="numba"
):
    """Compare parameters, moments and scores after training on an engine and on the reference."""
    architecture, rows = problem.architecture, problem.data.samples.n_rows
    order = np.random.default_rng(1).permutation(rows)
    if steps is not None:  # the rows again and again, in batches of any size
        order = np.resize(order, min(batch_size, rows) * steps)
        batch_size = min(batch_size, rows)
    results = []
    for trained, prepared in both(problem, sparse, threads, engine):
        state = TrainingState(problem.parameters.copy(), np.random.default_rng(0), 7)
        state.prepare_for(optimizer, architecture)
        scores = []
        for _ in range(epochs):
            learning_rates = np.full(n_batches(len(order), batch_size), optimizer.learning_rate)
            given_ = prepared, order, batch_size, learning_rates
            score = trained.train_epoch(architecture, state, optimizer, *given_, penalties=penalties)
            scores.append(score.loss)
            state.epoch += 1
        results.append((state, scores))
    (ours, our_losses), (theirs, their_losses) = results
    assert ours.step == theirs.step == epochs * n_batches(len(order), batch_size)
    allowed = tolerance(problem, ours.step)
    assert_close(our_losses, their_losses, allowed)
    assert_close(ours.parameters, theirs.parameters, allowed)
    assert not ours.parameters[padding(architecture)].any()
    for mine, other in zip(ours.moments, theirs.moments, strict=True):
        assert_close(mine, other, allowed)
        assert not mine[padding(architecture)].any()


# --- cases that must be there, whatever hypothesis draws ---


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    "optimizer",
    [SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.01), SGD(0.1, clip_norm=0.1), Adam(0.01, clip_norm=0.1)],
    ids=str,
)
def test_each_step_has_a_penalty_of_its_own(optimizer, sparse, threads):
    problem = random_problem(build([9, 20, 3], l2=7.0), 25)
    penalties = np.array([0.0, 0.3, 0.1, 2.0, 0.5, 0.0, 0.2])
    check_training(problem, optimizer, 4, sparse, threads, epochs=2, penalties=penalties)


@both_dtypes
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("batch_size", [1, 4, 5, 100])
@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.1),
        SGD(0.1, weight_decay=0.1),
        SGD(0.1, clip_norm=0.1),
        AdamW(0.01, epsilon=0.01, clip_norm=0.1),
        SGD(0.1, momentum=0.9),
        SGD(0.1, momentum=0.9, nesterov=True),
        RMSprop(0.01, epsilon=0.01),
        Adam(0.01, epsilon=0.01),
        AdamW(0.01, epsilon=0.01),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_every_optimizer_at_every_batch_size(optimizer, batch_size, sparse, threads, dtype):
    architecture = build([20, Dense(41, dropout=0.3), 17, 10], dtype=dtype, l2=0.01)
    problem = random_problem(architecture, 13, "uint8", weighted=True, scaling=Scaling.pixels(-0.5, 0.5))
    check_training(problem, optimizer, batch_size, sparse, threads)


@both_dtypes
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01, epsilon=0.01)], ids=["sgd", "adam"])
def test_a_batch_of_one_sample_where_more_were_asked_for(optimizer, sparse, threads, dtype):
    problem = random_problem(build([20, 12, 9, 3], dtype=dtype), rows=1)
    check_training(problem, optimizer, 7, sparse, threads)


@both_dtypes
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", SMOOTH)
def test_every_network_one_sample_at_a_time(activation, loss, sparse, dtype):
    if loss in KINKED_LOSSES and dtype == "float32":
        loss = "huber"
    problem = random_problem(build([9, Dense(12, dropout=0.2), 7, 3], loss, activation, dtype=dtype), 10, weighted=True)
    check_training(problem, SGD(0.05), 1, sparse, threads=1)


def problem_of_several_chunks(dtype):
    architecture = build([20, Dense(41, dropout=0.3), 17, 10], dtype=dtype, l2=0.01)
    return random_problem(architecture, 200, "uint8", weighted=True, scaling=Scaling.pixels(-0.5, 0.5))


@both_dtypes
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize(
    "optimizer",
    [SGD(0.1), SGD(0.1, momentum=0.9), Adam(0.01, epsilon=0.01), SGD(0.1, clip_norm=0.1)],
    ids=["sgd", "momentum", "adam", "clipped"],
)
def test_batches_of_several_chunks(optimizer, sparse, threads, dtype, small_chunks):
    check_training(problem_of_several_chunks(dtype), optimizer, 150, sparse, threads)


@both_dtypes
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_the_gradient_of_several_chunks(sparse, threads, dtype, small_chunks):
    problem = problem_of_several_chunks(dtype)
    (loss, ours), (their_loss, theirs) = (
        engine.loss_and_gradient(problem.architecture, problem.parameters, prepared)
        for engine, prepared in both(problem, sparse, threads)
    )
    assert_close(loss, their_loss, tolerance(problem))
    assert_close(ours, theirs, tolerance(problem))


@both_dtypes
def test_a_sparse_data_set_of_more_features_than_fit_16_bits(dtype):
    problem = random_problem(build([70_000, 3, 2], dtype=dtype), rows=4, kind="uint8", density=0.001)
    check_training(problem, SGD(0.1), 2, sparse=True, threads=2)


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_numbers_that_only_float64_can_tell_from_zero(sparse):
    problem = random_problem(build([6, 4, 2], dtype="float32"), rows=5)
    problem.data.samples.dense[:, ::2] *= 1e-60
    check_training(problem, SGD(0.1), 2, sparse, threads=1)


@both_dtypes
@pytest.mark.parametrize("batch_size", [1, 4])
def test_samples_without_weight_change_nothing(batch_size, dtype):
    problem = random_problem(build([6, 4, 2], dtype=dtype), rows=5)
    problem = replace(problem, data=replace(problem.data, weights=np.zeros(5, dtype)))
    for engine in ("numba", "loops", "numpy"):
        state, (score,) = problem.train(engine, SGD(0.1), batch_size)
        np.testing.assert_array_equal(state.parameters, problem.parameters)
        assert score == (0.0, 0.0)


@both_dtypes
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_weight_that_is_nan_shows_in_the_outputs(activation, dtype):
    problem = random_problem(build([6, 4, 3, 2], "squared_error", activation, dtype=dtype), rows=5, density=1.0)
    problem.architecture.layers[0].weights(problem.parameters)[0, 0] = np.nan
    for engine in (simd_engine, loops_engine, numpy_engine):
        prepared = problem.prepare(engine.name)
        assert np.isnan(engine.forward(problem.architecture, problem.parameters, prepared)).all()


@both_dtypes
@pytest.mark.parametrize(
    ("engine", "sparse"), [("numba", False), ("numba", True), ("loops", None)], ids=["dense", "sparse", "loops"]
)
def test_the_accuracy_of_a_network_that_diverged(engine, sparse, dtype):
    problem = random_problem(build([6, 4, 3], dtype=dtype), rows=9)
    nan = np.full_like(problem.parameters, np.nan)
    given_ = both(problem, sparse, 1, engine)
    ours, theirs = (module.evaluate(problem.architecture, nan, of) for module, of in given_)
    assert ours.accuracy == theirs.accuracy


@both_dtypes
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("row", "rows"), [(0, 3), (2, 3), (0, 30), (29, 30)])
@pytest.mark.parametrize("zeros", [0, 65], ids=["few zeros", "many zeros"])
def test_by_the_shorter_way_what_is_not_finite_has_no_outputs(zeros, row, rows, number, dtype):
    problem = random_problem(build([70, 4, 2], dtype=dtype), rows=rows, kind=dtype)
    samples, few = problem.data.samples, simd_engine.few_rows(problem.architecture, problem.data.samples.scaling)
    samples.dense[:, :zeros] = 0
    wanted = few(problem.parameters, samples.dense)
    before, samples.dense[row, 69] = samples.dense[row, 69], number
    assert few(problem.parameters, samples.dense) is None
    samples.dense[row, 69] = before
    np.testing.assert_array_equal(few(problem.parameters, samples.dense), wanted)


@both_dtypes
def test_outputs_need_no_targets(dtype):
    problem = random_problem(build([6, 4, 2], dtype=dtype), rows=5)
    alone = replace(problem, data=replace(problem.data, targets=None))
    np.testing.assert_array_equal(
        *(simd_engine.forward(p.architecture, p.parameters, p.prepare("numba")) for p in (problem, alone))
    )


@both_dtypes
def test_huge_weighted_inputs_give_finite_losses_and_gradients(dtype):
    for loss in LOSSES:
        problem = random_problem(build([6, 4, 2], loss, "relu", dtype=dtype), rows=5)
        problem = replace(problem, parameters=problem.parameters * np.dtype(dtype).type(100))
        for engine in ("numba", "loops", "numpy"):
            objective, gradient = problem.gradient(engine)
            assert np.isfinite(objective) and np.isfinite(gradient).all()


@both_dtypes
@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("zeros", [0, 17], ids=["few zeros", "many zeros"])
def test_rows_that_are_not_finite_are_marked(zeros, number, activation, dtype):
    problem = random_problem(build([20, 4, 2], activation=activation, dtype=dtype), rows=30, kind=dtype)
    dense = problem.data.samples.dense
    dense[:, 20 - zeros :] = 0
    wanted = simd_engine.forward(problem.architecture, problem.parameters, problem.prepare("numba", sparse=False))
    dense[[7, 29], [0, 19]] = number
    prepared = problem.prepare("numba", sparse=False)
    assert simd_engine.marks_rows(prepared)
    outputs = simd_engine.forward(problem.architecture, problem.parameters, prepared)
    assert np.isnan(outputs[[7, 29]]).all()
    kept = np.delete(np.arange(30), [7, 29])
    np.testing.assert_array_equal(outputs[kept], wanted[kept])
