import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import scipy.sparse

from fastmlp import SGD, Network, Scaling

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 4)).astype(np.uint8)
SHARES = PIXELS / 255
Y = np.arange(12) % 3


def trained(X, **options):
    net = Network([4, 3], seed=0, **options)
    net.fit(X, Y, epochs=1, engine="numpy", verbose=0)
    return net


def seen(net, X):
    """What the first layer gets."""
    return net.activations(X)[0]


@pytest.mark.parametrize(
    "form",
    [
        np.asarray,
        lambda X: X.astype(np.int64),
        lambda X: X.astype(np.float32),
        lambda X: X.astype(np.float64).tolist(),
        lambda X: X.tolist(),
        scipy.sparse.csr_array,
        lambda X: scipy.sparse.csr_array(X.astype(np.float64)),
        lambda X: pd.DataFrame(X.astype(np.int64)),
    ],
)
@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float64])
@pytest.mark.filterwarnings("ignore:X has badly scaled features")
def test_after_a_fit_the_same_pixels_of_any_type_are_scaled_alike(kind, form):
    net = trained(PIXELS.astype(kind))
    expected = SHARES if kind == np.uint8 else PIXELS
    np.testing.assert_allclose(seen(net, form(PIXELS)), expected, rtol=1e-6)


def test_a_fit_that_did_not_happen_settles_nothing():
    net = Network([4, 3], seed=0)
    with pytest.raises(RuntimeError, match="diverged"):
        net.fit(PIXELS, Y, epochs=1, optimizer=SGD(1e39), engine="numpy", verbose=0)
    assert net.scaling == "auto"


@pytest.mark.parametrize(
    "X", [SHARES, 2 * SHARES - 1, (PIXELS - 100.0) / 50, SHARES.round(), SHARES.astype(np.float32)]
)
def test_pixels_are_refused_after_numbers_that_were_scaled(X):
    net = trained(X)
    with pytest.raises(ValueError, match=r"X is uint8.*X / 255.*scaling='pixels'"):
        net.predict(PIXELS)
    with pytest.raises(ValueError, match="X_val is uint8"):
        net.fit(X, Y, epochs=1, X_val=PIXELS, y_val=Y, verbose=0)
    with pytest.raises(ValueError, match="X is uint8"):
        net.predict(scipy.sparse.csr_array(PIXELS))


@pytest.mark.parametrize("X", [SHARES, SHARES.astype(object), 2 * SHARES - 1, (PIXELS - 100.0) / 50])
def test_scaled_numbers_are_refused_after_pixels(X):
    with pytest.raises(ValueError, match="X looks already scaled"):
        trained(PIXELS).predict(X)


def test_validation_samples_are_held_against_the_training_samples():
    with pytest.raises(ValueError, match="X_val looks already scaled"):
        Network([4, 3], seed=0).fit(PIXELS, Y, epochs=1, X_val=SHARES, y_val=Y, verbose=0)


def test_blank_samples_are_of_every_kind():
    assert seen(trained(PIXELS), np.zeros((1, 4))).tolist() == [[0, 0, 0, 0]]


def test_zeros_and_ones_of_every_type_are_alike():
    bits = (PIXELS > 100).astype(np.uint8)
    net = trained(bits)
    np.testing.assert_array_equal(seen(net, bits), seen(net, bits.astype(float)))


@pytest.mark.parametrize("scaling", ["pixels", "standardize", None, Scaling(0.5)])
@pytest.mark.parametrize(("first", "then"), [(PIXELS, SHARES), (SHARES, PIXELS)], ids=["pixels", "shares"])
def test_a_scaling_that_was_chosen_takes_all_samples(scaling, first, then):
    assert np.isfinite(seen(trained(first, scaling=scaling), then)).all()


@pytest.mark.parametrize("duplicate", [copy.copy, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies_remember_what_auto_found(duplicate):
    with pytest.raises(ValueError, match="already scaled"):
        duplicate(trained(PIXELS)).predict(SHARES)


@pytest.mark.parametrize("form", [np.asarray, scipy.sparse.csr_array])
def test_features_beyond_float32_are_refused_and_float64_takes_them(form):
    X = form(np.full((1, 4), 1e39))
    with pytest.raises(ValueError, match="X must fit into float32"):
        Network([4, 3], seed=0).predict(X)
    assert np.isfinite(Network([4, 3], dtype="float64", seed=0)(X, engine="numpy")).all()


def test_features_too_small_to_standardize_in_float32_are_refused():
    X = SHARES * 1e-42
    with pytest.raises(ValueError, match="which float32 cannot hold"):
        trained(X, scaling="standardize")
    assert trained(X, scaling="standardize", dtype="float64").state.epoch == 1


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("scaling", ["pixels", "centred_pixels", None])
def test_a_row_alone_is_scaled_like_many(scaling, dtype):
    X = np.random.default_rng(0).integers(0, 256, (20, 6)).astype(dtype)
    net = Network([6, 4, 3], scaling=scaling, seed=0)
    many = net(X)
    np.testing.assert_allclose([net(row[np.newaxis])[0] for row in X], many, rtol=1e-4, atol=1e-6)
