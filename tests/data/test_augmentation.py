import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp import Augmentation, Network
from fastmlp.data.augmentation import (
    AUGMENTATIONS,
    PURPOSE,
    SUBPIXELS,
    _positions,
    affine_maps,
    augmented,
    get_augmentation,
    smoothing,
)
from fastmlp.data.samples import Samples
from fastmlp.errors import ArgumentError, ArgumentTypeError
from fastmlp.model.dropout import epoch_key

from ..interpreted import needs_compiler

KEY = epoch_key(3, 5, PURPOSE)
SIDE = 12
some_augmentations = st.builds(
    Augmentation,
    shift=st.floats(0, 5),
    rotation=st.floats(0, 180),
    scale=st.floats(0, 0.9),
    shear=st.floats(0, 60),
    elastic=st.none() | st.tuples(st.floats(0, 100), st.floats(0.5, 3)),
)


def images(n=20, shape=(SIDE, SIDE), dtype="uint8"):
    values = np.random.default_rng(0).integers(0, 256, (n, shape[0] * shape[1]), dtype=np.uint8)
    return values if dtype == "uint8" else (values / 255).astype(dtype)


def moved(augmentation, given=None, names=None, key=KEY, shape=(SIDE, SIDE)):
    given = images() if given is None else given
    return augmented(augmentation, given, shape, key, np.arange(len(given)) if names is None else names)


def displacements(augmentation, n=200, shape=(28, 28)):
    """By how many pixels each pixel is moved, shape (2, n, height, width)."""
    x, y = _positions(augmentation, shape, KEY, np.arange(n))
    rows, columns = np.indices(shape)
    return np.stack([x / SUBPIXELS - columns, y / SUBPIXELS - rows])


def test_nothing_leaves_images_as_they_are():
    np.testing.assert_array_equal(moved(Augmentation()), images())
    np.testing.assert_array_equal(moved(Augmentation(), images(dtype="float64")), images(dtype="float64"))


@given(some_augmentations, st.permutations(range(20)))
def test_an_image_is_moved_by_its_own_number_alone(augmentation, order):
    np.testing.assert_array_equal(
        moved(augmentation, images()[order], names=np.array(order)), moved(augmentation)[order]
    )


@given(some_augmentations)
def test_values_stay_in_their_range(augmentation):
    values = moved(augmentation, images(dtype="float32"))
    assert values.min() >= 0
    assert values.max() <= 1


def test_epochs_and_seeds_differ():
    augmentation = AUGMENTATIONS["digits"]
    results = [augmentation(images(), seed=seed, epoch=epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({result.tobytes() for result in results}) == 4
    np.testing.assert_array_equal(results[0], augmentation(images(), seed=0, epoch=0))


def test_a_whole_shift_moves_pixels():
    augmentation = Augmentation(shift=3.0)
    a, b, c, d, e, f = affine_maps(augmentation, (SIDE, SIDE), KEY, np.arange(1000)).T / SUBPIXELS
    np.testing.assert_allclose([a, b, d, e], np.array([1, 0, 0, 1])[:, None] * np.ones(1000))
    for shift in (c, f):
        assert abs(shift).max() <= 3
        assert shift.std() == pytest.approx(3 / 3**0.5, rel=0.05)
        assert abs(shift.mean()) < 5 * 3 / 3**0.5 / 1000**0.5


def test_what_leaves_is_gone_and_what_comes_is_black():
    far = moved(Augmentation(shift=1000.0))
    assert (far.reshape(20, -1).max(axis=1) == 0).mean() > 0.8


def test_a_rotation_keeps_distances_and_the_middle():
    maps = affine_maps(Augmentation(rotation=180.0), (SIDE, SIDE), KEY, np.arange(500)).T / SUBPIXELS
    a, b, c, d, e, f = maps
    np.testing.assert_allclose(a * e - b * d, 1, atol=1e-4)
    np.testing.assert_allclose(a * a + d * d, 1, atol=1e-4)
    middle = (SIDE - 1) / 2
    np.testing.assert_allclose([(a + b) * middle + c, (d + e) * middle + f], middle, atol=1e-3)
    assert np.degrees(np.arctan2(d, a)).std() == pytest.approx(180 / 3**0.5, rel=0.1)


def test_scale_and_shear_are_as_large_as_documented():
    a, b, _, d, e, _ = affine_maps(Augmentation(scale=0.2), (SIDE, SIDE), KEY, np.arange(2000)).T / SUBPIXELS
    for factor in (1 / a, 1 / e):
        assert 0.8 <= factor.min() < 0.81
        assert 1.19 < factor.max() <= 1.2001
    assert not b.any()
    assert not d.any()
    a, b, _, d, e, _ = affine_maps(Augmentation(shear=20.0), (SIDE, SIDE), KEY, np.arange(2000)).T / SUBPIXELS
    lean = np.degrees(np.arctan(-b))
    assert abs(lean).max() <= 20.001
    assert lean.std() == pytest.approx(20 / 3**0.5, rel=0.05)
    np.testing.assert_array_equal([a, e], 1)


def test_an_image_of_two_directions_is_bilinear_between_them():
    rows, columns = np.indices((SIDE, SIDE))
    plane = (2.0 * columns + 3.0 * rows).reshape(1, -1)
    augmentation = Augmentation(shift=0.9, elastic=(10.0, 2.0))
    x, y = (axis / SUBPIXELS for axis in _positions(augmentation, (SIDE, SIDE), KEY, np.arange(1)))
    inside = (x > 0) & (x < SIDE - 1) & (y > 0) & (y < SIDE - 1)
    found = moved(augmentation, plane).reshape(1, SIDE, SIDE)
    np.testing.assert_allclose(found[inside], (2 * x + 3 * y)[inside], atol=5 / 512)
    assert inside.sum() > 80


@pytest.mark.parametrize(("alpha", "sigma"), [(34.0, 4.0), (8.0, 2.0), (100.0, 8.0)])
def test_elastic_displacements_are_spread_as_documented(alpha, sigma):
    fields = displacements(Augmentation(elastic=(alpha, sigma)))
    assert fields.std() == pytest.approx(0.163 * alpha / sigma, rel=0.05)
    assert abs(fields.mean()) < 0.1 * fields.std()
    # At the border they are as large as in the middle.
    spread = fields.std(axis=(0, 1))
    assert spread[:3].mean() == pytest.approx(spread[12:16].mean(), rel=0.1)


def test_elastic_displacements_are_smooth_as_a_gaussian_makes_them():
    sigma = 4.0
    fields = displacements(Augmentation(elastic=(34.0, sigma)), n=400)
    for distance in (2, 4, 8):
        # The autocorrelation of smoothed noise is the Gaussian convolved with itself.
        expected = np.exp(-(distance**2) / (4 * sigma**2))
        for one, other in (
            (fields[:, :, :, distance:], fields[:, :, :, :-distance]),
            (fields[:, :, distance:], fields[:, :, :-distance]),
        ):
            assert np.corrcoef(one.ravel(), other.ravel())[0, 1] == pytest.approx(expected, abs=0.05)


def test_the_two_directions_are_independent():
    across, down = displacements(Augmentation(elastic=(34.0, 4.0)), n=400)
    assert abs(np.corrcoef(across.ravel(), down.ravel())[0, 1]) < 0.05


@given(st.floats(0.5, 32), st.floats(0, 1000))
def test_weights_of_the_smoothing_are_a_gaussian(sigma, alpha):
    weights, factor = smoothing(Augmentation(elastic=(alpha, sigma)))
    assert weights.sum() == 4096
    np.testing.assert_array_equal(weights, weights[::-1])
    reach = len(weights) // 2
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    # All but the one in the middle, which takes what rounding left over, are right to their last digit.
    others = np.arange(len(weights)) != reach
    assert abs(weights - 4096 * bell / bell.sum())[others].max() <= 0.5
    assert factor == round(alpha * 4096 / 255)


def test_images_need_not_be_square():
    augmentation = Augmentation(shift=1.0, elastic=(8.0, 2.0), image_shape=(5, 9))
    given = images(shape=(5, 9))
    assert augmentation(given).shape == given.shape
    np.testing.assert_array_equal(augmentation(given), augmentation(given.reshape(-1, 5, 9)).reshape(20, -1))


def test_augmentations_are_values():
    augmentation = Augmentation(shift=1.0, elastic=(34.0, 4.0))
    assert pickle.loads(pickle.dumps(augmentation)) == augmentation
    assert str(augmentation) == "shift 1 px, elastic alpha 34, sigma 4"
    assert str(Augmentation(rotation=15, scale=0.1, shear=5)) == "rotation 15°, scale 0.1, shear 5°"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shift": -1.0}, "shift of an Augmentation must lie between 0"),
        ({"shift": float("nan")}, "shift of an Augmentation"),
        ({"rotation": 181}, "rotation of an Augmentation"),
        ({"scale": 1.0}, "scale of an Augmentation must lie below 1"),
        ({"shear": 90}, "shear of an Augmentation must lie below 90"),
        ({"elastic": (34.0, 0.1)}, "sigma in elastic of an Augmentation must lie between 0.5 and 32"),
        ({"elastic": (-1.0, 4.0)}, "alpha in elastic"),
        ({"image_shape": (0, 4)}, "a side in image_shape"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ArgumentError, match=message):
        Augmentation(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shift": "2"}, "shift of an Augmentation must be a number"),
        ({"elastic": 34.0}, r"elastic of an Augmentation must be a pair \(alpha, sigma\)"),
        ({"image_shape": 28}, r"image_shape of an Augmentation must be a pair \(height, width\)"),
    ],
)
def test_things_that_are_no_numbers(options, message):
    with pytest.raises(ArgumentTypeError, match=message):
        Augmentation(**options)


def test_names():
    assert get_augmentation("digits") is AUGMENTATIONS["digits"]
    with pytest.raises(ArgumentError, match=r"unknown augmentation 'digit'; did you mean 'digits'\?"):
        get_augmentation("digit")
    with pytest.raises(ArgumentTypeError, match="augment must be a name"):
        get_augmentation(True)


@pytest.mark.parametrize(("shape", "dtype"), [((4,), "uint8"), ((2, 2, 2, 2), "uint8"), ((2, 4), "int64")])
def test_calls_with_other_things_than_images(shape, dtype):
    with pytest.raises(ArgumentError, match="images must be uint8"):
        Augmentation(shift=1.0)(np.zeros(shape, dtype))


# In training


def network(seed=0, **options):
    return Network([SIDE * SIDE, 8, 3], seed=seed, **options)


def fit(net, epochs=2, engine="numpy", augment="digits", n=40, dtype="uint8", **options):
    X, y = images(n, dtype=dtype), np.arange(n) % 3
    return net.fit(X, y, epochs=epochs, batch_size=7, engine=engine, augment=augment, verbose=0, **options)


@pytest.mark.parametrize("split", [0.0, 0.25])
def test_two_fits_equal_one(engine, split):
    whole, parts = network(), network()
    fit(whole, 5, engine, validation_split=split)
    for epochs in (3, 2):
        fit(parts, epochs, engine, validation_split=split)
    np.testing.assert_array_equal(whole.state.parameters, parts.state.parameters)
    assert whole.history["loss"] == parts.history["loss"]


def test_fit_trains_on_what_the_augmentation_returns(engine):
    X, y, augmentation = images(40), np.arange(40) % 3, AUGMENTATIONS["digits"]
    trained, by_hand = network(5), network(5)
    fit(trained, 3, engine)
    for epoch in range(3):
        by_hand.fit(augmentation(X, seed=5, epoch=epoch), y, epochs=1, batch_size=7, engine=engine, verbose=0)
    np.testing.assert_array_equal(trained.state.parameters, by_hand.state.parameters)


# Python rounds a product before it is added to, so images of float32 are others by their last digits.
@pytest.mark.parametrize("dtype", ["uint8", pytest.param("float32", marks=needs_compiler), "float64"])
def test_engines_agree(dtype):
    pytest.importorskip("numba")
    nets = [network(dtype="float64") for _ in range(2)]
    for net, engine in zip(nets, ("numpy", "numba"), strict=True):
        fit(net, 2, engine, dtype=dtype)
    scale = abs(nets[0].state.parameters).max()
    np.testing.assert_allclose(*(net.state.parameters for net in nets), rtol=0, atol=1e-10 * scale)


def test_validation_sees_images_as_they_are(engine):
    net = network()
    X, y = images(40), np.arange(40) % 3
    history = fit(net, 1, engine, X_val=X, y_val=y)
    assert history["val_loss"][0] == net.evaluate(X, y, engine=engine).loss


def test_rows_held_out_are_not_augmented(engine):
    net, plain = network(), network()
    held_out = fit(net, 1, engine, validation_split=0.25, optimizer="sgd")["val_loss"]
    assert held_out[0] != fit(plain, 1, engine, None, validation_split=0.25, optimizer="sgd")["val_loss"][0]


def test_blocks_are_augmented_as_one_array_is(engine):
    X, y = images(42), np.arange(42) % 3
    whole, parts = network(), network()
    whole.fit(X, y, epochs=2, batch_size=7, shuffle=False, engine=engine, augment="digits", verbose=0)
    blocks = [(X[:21], y[:21]), (X[21:], y[21:])]
    parts.fit(blocks, epochs=2, batch_size=7, shuffle=False, engine=engine, augment="digits", verbose=0)
    np.testing.assert_array_equal(whole.state.parameters, parts.state.parameters)


def test_the_samples_given_stay_as_they_are(engine):
    X = images(40)
    X.flags.writeable = False
    network().fit(X, np.arange(40) % 3, epochs=1, augment="digits", engine=engine, verbose=0)
    np.testing.assert_array_equal(X, images(40))


def test_what_cannot_be_augmented_is_refused_before_any_work(tmp_path):
    scipy = pytest.importorskip("scipy.sparse")
    np.save(tmp_path / "X.npy", images(40))
    y, net = np.arange(40) % 3, network()
    for X, message in (
        (scipy.csr_matrix(images(40)), r"X is sparse; give X\.toarray\(\)"),
        (np.load(tmp_path / "X.npy", mmap_mode="r"), "X is a memory map"),
    ):
        with pytest.raises(ArgumentError, match=message):
            net.fit(X, y, epochs=1, augment="digits", verbose=0)
    with pytest.raises(ArgumentError, match="5 features make no square"):
        Network([5, 2]).fit(np.zeros((4, 5)), [0, 1, 0, 1], epochs=1, augment="digits", verbose=0)
    with pytest.raises(ArgumentError, match=r"image_shape \(3, 4\) of the Augmentation makes 12 pixels"):
        net.fit(images(40), y, epochs=1, augment=Augmentation(shift=1, image_shape=(3, 4)), verbose=0)
    sparse_later = [(images(40), y), (scipy.csr_matrix(images(40)), y)]
    with pytest.raises(ArgumentError, match="X of block 2 is sparse"):
        net.fit(sparse_later, epochs=1, augment="digits", engine="numpy", verbose=0)
    assert net.history.epochs == 0


def test_samples_are_images_of_their_shape_only():
    assert Augmentation().shape_of(Samples(1, 9, np.zeros((1, 9)), None).n_features) == (3, 3)
