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

from fastmlp.activations import ACTIVATIONS
from fastmlp.architecture import Dense
from fastmlp.engines import compiled, n_batches, reference
from fastmlp.inputs import Scaling
from fastmlp.losses import LOSSES
from fastmlp.optimizers import SGD, Adam, AdamW, RMSprop
from fastmlp.state import TrainingState

from .problems import both_dtypes, build, padding, random_problem

KINDS = ["uint8", "float32", "float64", "csr-uint8", "csr-float32", "csr-float64"]
SMOOTH = ["identity", "sigmoid", "tanh", "elu", "gelu", "silu", "softmax"]
KINKED_LOSSES = ["absolute_error"]

sizes = st.integers(1, 40)
rates = st.sampled_from([0.0, 0.3, 0.5])
biases = st.sampled_from([None, True, False])


@st.composite
def architectures(draw, dtypes=("float32", "float64"), activations=tuple(ACTIVATIONS), losses=tuple(LOSSES)):
    """Networks of one to three layers."""
    loss, activation = draw(st.sampled_from(losses)), st.sampled_from(activations)
    depth = draw(st.integers(1, 3))
    hidden = [Dense(draw(sizes), draw(activation), draw(rates), draw(biases)) for _ in range(depth - 1)]
    output = LOSSES[loss].output if LOSSES[loss].from_logits else draw(activation)
    outputs = draw(st.integers(2, 40) if output == "softmax" else sizes)
    penalties = {name: draw(st.sampled_from([0.0, 0.0, 0.01])) for name in ("l1", "l2")}
    if activations == tuple(SMOOTH):
        penalties["l1"] = 0.0
    return build(
        [draw(sizes), *hidden, outputs],
        loss,
        output=output,
        bias=draw(st.booleans()),
        dtype=draw(st.sampled_from(dtypes)),
        **penalties,
    )


@st.composite
def problems(draw, **options):
    """A network and data of any kind, scaled so that features are of size one."""
    architecture, kind = draw(architectures(**options)), draw(st.sampled_from(KINDS))
    unit = 1 / 255 if "uint8" in kind else 1.0
    factors = np.random.default_rng(0).uniform(0.5, 1, (2, architecture.inputs))
    scaling = draw(
        st.sampled_from([None, Scaling(unit), Scaling(unit, -0.5), Scaling(unit * factors[0], factors[1] - 0.75)])
    )
    return random_problem(
        architecture,
        rows=draw(st.integers(1, 50)),
        kind=kind,
        labels=draw(st.booleans()),
        weighted=draw(st.booleans()),
        scaling=scaling,
        density=draw(st.sampled_from([0.0, 0.2, 1.0])),
        seed=draw(st.integers(0, 1000)),
        one_class=draw(st.booleans()),
    )


def optimizers(epsilon=1e-8):
    """Every optimizer, with and without its options."""
    decays = st.sampled_from([0.0, 0.1])
    return st.one_of(
        st.builds(SGD, st.just(0.01), weight_decay=decays),
        st.builds(SGD, st.just(0.002), st.just(0.9), st.booleans(), decays),
        st.builds(RMSprop, st.just(0.01), epsilon=st.just(epsilon), weight_decay=decays),
        st.builds(Adam, st.just(0.01), epsilon=st.just(epsilon)),
        st.builds(AdamW, st.just(0.01), epsilon=st.just(epsilon)),
    )


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
    run = reference.forward_pass(architecture, parameters, problem.data.samples.rows(slice(None), architecture.dtype))
    y = problem.data.targets.rows(slice(None), architecture.outputs, architecture.dtype)
    near = [np.abs(run.activations[-1] - y)] * (architecture.loss in KINKED_LOSSES)
    layers = zip(architecture.layers, run.logits, strict=True)
    near += [np.abs(z) for layer, z in layers if layer.activation in ("relu", "leaky_relu")]
    return all(distances[distances > 0].min(initial=1) > 10 * tolerance(problem) for distances in near)


sparse_or_dense = st.sampled_from([None, True, False])
threads_ = st.sampled_from([1, 2])


@given(problem=problems(), sparse=sparse_or_dense, threads=threads_)
def test_forward(problem, sparse, threads):
    ours, theirs = (
        engine.forward(problem.architecture, problem.parameters, prepared)
        for engine, prepared in both(problem, sparse, threads)
    )
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


@settings(max_examples=80)
@given(
    problem=problems(dtypes=["float64"]),
    optimizer=optimizers(),
    batch_size=st.integers(1, 60),
    sparse=sparse_or_dense,
    threads=threads_,
)
def test_two_epochs_in_float64(problem, optimizer, batch_size, sparse, threads):
    check_training(problem, optimizer, batch_size, sparse, threads, epochs=2)


@settings(max_examples=80)
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


def both(problem, sparse, threads):
    yield compiled, problem.prepare("numba", threads, sparse)
    yield reference, problem.prepare("numpy")


def decided(problem):
    """Whether no two outputs are so near one another, or one so near one half, that rounding decides the answer."""
    outputs = reference.forward(problem.architecture, problem.parameters, problem.data)
    if problem.data.task != "classes":
        return np.abs(outputs - 0.5).min() > 1e-4
    best = np.sort(outputs, axis=1)
    gaps = best[:, -1] - best[:, -2]
    return ((gaps > 1e-4) | (gaps == 0)).all()


def check_training(problem, optimizer, batch_size, sparse, threads, epochs=1, steps=None):
    """Compare parameters, moments and scores after training on both engines."""
    architecture, rows = problem.architecture, problem.data.samples.n_rows
    order = np.random.default_rng(1).permutation(rows)
    if steps is not None:  # the rows again and again, in batches of any size
        order = np.resize(order, min(batch_size, rows) * steps)
        batch_size = min(batch_size, rows)
    results = []
    for engine, prepared in both(problem, sparse, threads):
        state = TrainingState(problem.parameters.copy(), np.random.default_rng(0), 7)
        state.prepare_for(optimizer, architecture)
        scores = []
        for _ in range(epochs):
            learning_rates = np.full(n_batches(len(order), batch_size), optimizer.learning_rate)
            score = engine.train_epoch(architecture, state, optimizer, prepared, order, batch_size, learning_rates)
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


@both_dtypes
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("batch_size", [1, 4, 5, 100])
@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(0.1),
        SGD(0.1, weight_decay=0.1),
        SGD(0.1, momentum=0.9),
        SGD(0.1, momentum=0.9, nesterov=True),
        RMSprop(0.01, epsilon=0.01),
        Adam(0.01, epsilon=0.01),
        AdamW(0.01, epsilon=0.01),
    ],
    ids=lambda optimizer: type(optimizer).__name__,
)
def test_every_optimizer_at_every_batch_size(optimizer, batch_size, sparse, dtype):
    architecture = build([20, Dense(11, dropout=0.3), 17, 10], dtype=dtype, l2=0.01)
    problem = random_problem(architecture, 13, "uint8", weighted=True, scaling=Scaling.pixels(-0.5, 0.5))
    check_training(problem, optimizer, batch_size, sparse, threads=1)


@both_dtypes
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", SMOOTH)
def test_every_network_one_sample_at_a_time(activation, loss, sparse, dtype):
    if loss in KINKED_LOSSES and dtype == "float32":
        loss = "huber"
    problem = random_problem(build([9, Dense(12, dropout=0.2), 7, 3], loss, activation, dtype=dtype), 10, weighted=True)
    check_training(problem, SGD(0.05), 1, sparse, threads=1)


@both_dtypes
@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_a_batch_of_several_chunks(sparse, dtype):
    problem = random_problem(build([3, 4, 2], dtype=dtype), rows=5000, weighted=True, scaling=Scaling(1.0, 0.5))
    for optimizer in (SGD(0.1), SGD(0.1, momentum=0.9)):
        check_training(problem, optimizer, 5000, sparse, threads=2)


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
    for engine in ("numba", "numpy"):
        state, (score,) = problem.train(engine, SGD(0.1), batch_size)
        np.testing.assert_array_equal(state.parameters, problem.parameters)
        assert score == (0.0, 0.0)


@both_dtypes
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_weight_that_is_nan_shows_in_the_outputs(activation, dtype):
    problem = random_problem(build([6, 4, 3, 2], "squared_error", activation, dtype=dtype), rows=5, density=1.0)
    problem.architecture.layers[0].weights(problem.parameters)[0, 0] = np.nan
    for engine in (compiled, reference):
        prepared = problem.prepare(engine.name)
        assert np.isnan(engine.forward(problem.architecture, problem.parameters, prepared)).all()


@both_dtypes
def test_outputs_need_no_targets(dtype):
    problem = random_problem(build([6, 4, 2], dtype=dtype), rows=5)
    alone = replace(problem, data=replace(problem.data, targets=None))
    np.testing.assert_array_equal(
        *(compiled.forward(p.architecture, p.parameters, p.prepare("numba")) for p in (problem, alone))
    )


@both_dtypes
def test_huge_weighted_inputs_give_finite_losses_and_gradients(dtype):
    for loss in LOSSES:
        problem = random_problem(build([6, 4, 2], loss, "relu", dtype=dtype), rows=5)
        problem = replace(problem, parameters=problem.parameters * np.dtype(dtype).type(100))
        for engine in ("numba", "numpy"):
            objective, gradient = problem.gradient(engine)
            assert np.isfinite(objective) and np.isfinite(gradient).all()
