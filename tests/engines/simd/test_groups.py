"""Batches worked off in groups: the same training as the reference's, and the same bits by any number of threads."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fastmlp.engines.simd import engine as simd_engine
from fastmlp.engines.simd import workspace
from fastmlp.model.optimizers import SGD, Adam

from ..problems import build, random_problem
from ..strategies import optimizers, problems, sparse_or_dense
from ..test_bounds import guarded
from ..test_determinism import bits, bits_of_a_pass
from ..test_equality import assert_close, away_from_kinks, both, check_training, tolerance

several = st.sampled_from([2, 3, 7])


@pytest.fixture(autouse=True, scope="module")
def everything_in_groups():
    """Have every batch of two rows or more worked off in groups, three rows at a time, by up to seven threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(workspace, "_GROUPED_FROM", 2)
        patch.setattr(workspace, "_GROUPED_ROWS", 3)
        # Any network: else the halves of one that is just too large would be grouped, and it itself not.
        patch.setattr(workspace, "_GROUPED_PARAMETERS", 2**24)
        patch.setattr(simd_engine, "available_threads", lambda: 7)
        yield


@given(
    problem=problems(dtypes=["float64"]),
    optimizer=optimizers(),
    batch_size=st.integers(1, 60),
    sparse=sparse_or_dense,
    threads=several,
)
def test_two_epochs_are_those_of_the_reference(problem, optimizer, batch_size, sparse, threads):
    check_training(problem, optimizer, batch_size, sparse, threads, epochs=2)


@given(problem=problems(), sparse=sparse_or_dense, threads=several)
def test_loss_and_gradient_are_those_of_the_reference(problem, sparse, threads):
    assume(away_from_kinks(problem))
    (loss, ours), (their_loss, theirs) = (
        engine.loss_and_gradient(problem.architecture, problem.parameters, prepared)
        for engine, prepared in both(problem, sparse, threads)
    )
    assert_close(loss, their_loss, tolerance(problem))
    assert_close(ours, theirs, tolerance(problem))


@given(problem=problems(), optimizer=optimizers(), batch_size=st.integers(1, 60), sparse=st.booleans(), threads=several)
def test_training_has_the_same_bits_by_any_number_of_threads(problem, optimizer, batch_size, sparse, threads):
    alone, together = (bits(problem, optimizer, batch_size, sparse=sparse, threads=n) for n in (1, threads))
    assert together == alone


@given(problem=problems(), sparse=st.booleans(), threads=several)
def test_passes_have_the_same_bits_by_any_number_of_threads(problem, sparse, threads):
    assert bits_of_a_pass(problem, threads, sparse) == bits_of_a_pass(problem, 1, sparse)


@given(
    problem=problems(),
    optimizer=optimizers(),
    batch_size=st.integers(1, 60),
    sparse=st.booleans(),
    threads=st.sampled_from([1, 2, 7]),
)
def test_nothing_is_written_elsewhere(problem, optimizer, batch_size, sparse, threads):
    with guarded():
        problem.train("numba", optimizer, batch_size, sparse=sparse, threads=threads)


@pytest.mark.parametrize("rows", [2, 23, 24, 25, 200])
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
def test_any_number_of_blocks(optimizer, rows):
    check_training(random_problem(build([5, 4, 3], dtype="float64"), rows), optimizer, rows, False, 2, epochs=2)


def test_only_large_batches_of_small_networks_are_grouped(monkeypatch):
    monkeypatch.setattr(workspace, "_GROUPED_FROM", 20)
    monkeypatch.setattr(workspace, "_GROUPED_PARAMETERS", 2**14)
    small, wide = build([5, 4, 3]), build([5, 2000, 3])
    groups = {
        (architecture.sizes[1], batch_size): workspace.layout(
            architecture,
            random_problem(architecture, 40).prepare("numba", 1, False),
            workspace.Wanted(batch_size, threads=1, backward=True, moments=0),
        )
        .steps[0]
        .work.groups
        for architecture in (small, wide)
        for batch_size in (19, 20)
    }
    assert groups == {(4, 19): 0, (4, 20): 8, (2000, 19): 0, (2000, 20): 0}
