"""Training on samples that come block by block."""

import numpy as np
import pytest

from fastmlp import Dense, Network
from fastmlp.errors import ArgumentError, ArgumentTypeError


def blocks_of(X, y, size, *more):
    """Blocks of so many rows."""
    return [tuple(part[start : start + size] for part in (X, y, *more)) for start in range(0, len(X), size)]


def network(**options):
    return Network([4, Dense(8, dropout=0.3), 3], seed=0, **options)


class Again:
    """Something that can be iterated over again and again, and is no list."""

    def __init__(self, blocks):
        self.blocks = blocks

    def __iter__(self):
        yield from self.blocks


SOURCES = {
    "list": lambda blocks: blocks,
    "object": Again,
    "function": lambda blocks: lambda: iter(blocks),
    "generator": lambda blocks: Again(blocks).__iter__,
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_in_order_blocks_of_whole_batches_are_an_array(blobs, engine, source):
    X, y = blobs
    whole, parts = network(), network()
    whole.fit(X, y, epochs=3, batch_size=5, shuffle=False, engine=engine, verbose=0)
    history = parts.fit(source(blocks_of(X, y, 15)), epochs=3, batch_size=5, shuffle=False, engine=engine, verbose=0)
    np.testing.assert_array_equal(parts.state.parameters, whole.state.parameters)
    assert history.loss == pytest.approx(whole.history.loss) and history.accuracy == whole.history.accuracy


def test_one_block_is_an_array(blobs, engine):
    whole, part = network(), network()
    whole.fit(*blobs, epochs=2, batch_size=7, engine=engine, verbose=0)
    part.fit([blobs], epochs=2, batch_size=7, engine=engine, verbose=0)
    np.testing.assert_array_equal(part.state.parameters, whole.state.parameters)


def test_two_fits_on_blocks_equal_one(blobs, engine):
    whole, parts, blocks = network(), network(), blocks_of(*blobs, 17)
    whole.fit(blocks, epochs=5, engine=engine, verbose=0)
    for epochs in (3, 2):
        parts.fit(blocks, epochs=epochs, engine=engine, verbose=0)
    np.testing.assert_array_equal(parts.state.parameters, whole.state.parameters)


def test_weights_of_blocks_count_as_they_are(blobs, engine):
    X, y = blobs
    weights = np.random.default_rng(0).uniform(0.5, 1.5, len(X))
    weights /= weights.mean()
    whole, parts = network(dtype="float64"), network(dtype="float64")
    options = {"batch_size": 5, "shuffle": False, "engine": engine, "verbose": 0}
    whole.fit(X, y, epochs=2, sample_weight=weights, **options)
    parts.fit(blocks_of(X, y, 15, weights), epochs=2, **options)
    np.testing.assert_allclose(parts.state.parameters, whole.state.parameters, rtol=1e-10, atol=1e-12)


def test_validation_and_schedules_go_with_blocks(blobs, engine):
    history = network().fit(
        blocks_of(*blobs, 20), epochs=4, schedule="linear", X_val=blobs[0], y_val=blobs[1], engine=engine, verbose=0
    )
    assert len(history.val_loss) == 4
    np.testing.assert_allclose(history.learning_rate, 0.001 * (1 - (np.arange(4) + 0.5) / 4))


def test_the_first_block_decides_labels_and_scaling(blobs, engine):
    X, y = blobs
    order = np.random.default_rng(0).permutation(len(X))
    net = network(scaling="standardize")
    net.fit(blocks_of(X[order], np.array(["a", "b", "c"])[y[order]], 30), epochs=1, engine=engine, verbose=0)
    assert net.labels.classes.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(net.scaling.scale, 1 / X[order][:30].std(axis=0), rtol=1e-5)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_an_epoch_whose_blocks_break_off_is_undone(blobs, engine, error):
    net, calls = network(), []
    before = net.state.parameters.copy()

    def blocks():
        calls.append(1)
        yield blobs
        if len(calls) == 3:  # the first look, an epoch, and now
            raise error
        yield blobs

    try:
        net.fit(blocks, epochs=2, engine=engine, verbose=0)
    except OSError:
        assert error is OSError
    twin = network()
    twin.fit([blobs, blobs], epochs=1, engine=engine, verbose=0)
    assert net.history.epochs == 1 and not np.array_equal(net.state.parameters, before)
    np.testing.assert_array_equal(net.state.parameters, twin.state.parameters)


@pytest.mark.parametrize(
    ("source", "options", "error", "word"),
    [
        (np.ones((5, 4)), {}, ArgumentError, "y is missing"),
        ("rows", {}, ArgumentError, "y is missing"),
        (3, {}, ArgumentTypeError, "iterable of blocks"),
        ([], {}, ArgumentError, "no blocks"),
        (iter([]), {}, ArgumentTypeError, "once"),
        (lambda: 3, {}, ArgumentTypeError, "must return an iterator"),
        ([[0.0, 1.0, 2.0, 3.0]], {}, ArgumentTypeError, "block 1 must be a tuple"),
        ([(np.ones((2, 3)), [0, 1])], {}, ArgumentError, "X of block 1 has 3 features"),
        ([(np.ones((2, 4)), [0, 1, 2])], {}, ArgumentError, "y of block 1 has 3 rows"),
        ([(np.ones((2, 4)), [0, 1])], {"validation_split": 0.1}, ArgumentError, "X_val and y_val"),
        ([(np.ones((2, 4)), [0, 1])], {"sample_weight": [1, 1]}, ArgumentError, "sample_weight needs all"),
        ([(np.ones((2, 4)), [0, 1])], {"class_weight": "balanced"}, ArgumentError, "class_weight needs all"),
    ],
    ids=str,
)
def test_what_makes_no_blocks_is_told_before_anything_is_trained(source, options, error, word):
    net = network()
    before = net.state.parameters.copy()
    with pytest.raises(error, match=word):
        net.fit(source, epochs=1, engine="numpy", verbose=0, **options)
    np.testing.assert_array_equal(net.state.parameters, before)
    assert net.labels is None


def test_a_bad_block_undoes_the_epoch_and_is_named(blobs, engine):
    net = network()
    before = net.state.parameters.copy()
    with pytest.raises(ArgumentError, match="X of block 2 must be finite"):
        net.fit([blobs, (np.full((1, 4), np.nan), [0])], epochs=1, engine=engine, verbose=0)
    np.testing.assert_array_equal(net.state.parameters, before)
