from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.test_augmentation import images, some_augmentations

pytest.importorskip("numba")

from fastmlp.data.augmentation import FIRST_OF_FIELD, MIDWAY, NOISE, SUBPIXELS, WEIGHTS, Augmentation, augmented
from fastmlp.data.dataset import Dataset
from fastmlp.data.samples import Samples
from fastmlp.engines.simd import augmenting
from fastmlp.kernels import augmentation as kernels


def augment(augmentation, given, shape, key, rows, first_name, threads):
    """Some rows of images moved by the kernel; the others are not trained on."""
    data = Dataset(
        Samples(*given.shape, np.ascontiguousarray(given), None), None, None, "classes", 2, np.dtype("float32"), rows
    )
    return augmenting.augment(replace(augmentation, image_shape=shape), data, key, first_name, threads)


shapes = st.tuples(st.integers(1, 20), st.integers(1, 20))


@given(some_augmentations, shapes, st.sampled_from(["uint8", "float32", "float64"]), st.integers(0, 2**32 - 1))
def test_the_kernel_makes_what_the_specification_says(augmentation, shape, dtype, key):
    given = images(9, shape, dtype)
    names = np.arange(9) + 100
    expected = augmented(augmentation, given, shape, key, names)
    found = augment(augmentation, given, shape, key, np.arange(9), 100, 1)
    if dtype == "uint8":
        np.testing.assert_array_equal(found, expected)
    else:
        np.testing.assert_allclose(found, expected, rtol=0, atol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_threads_change_nothing(monkeypatch, threads):
    monkeypatch.setattr(augmenting, "available_threads", lambda: threads)
    augmentation = Augmentation(shift=2.0, rotation=20.0, elastic=(20.0, 3.0))
    found = augment(augmentation, images(50), (12, 12), 7, np.arange(50), 0, threads)
    np.testing.assert_array_equal(found, augmented(augmentation, images(50), (12, 12), 7, np.arange(50)))


def test_rows_that_are_not_asked_for_stay():
    rows = np.array([3, 11, 4])
    found = augment(Augmentation(shift=2.0), images(), (12, 12), 7, rows, 0, 1)
    expected = images()
    expected[rows] = augmented(Augmentation(shift=2.0), images()[rows], (12, 12), 7, rows)
    np.testing.assert_array_equal(found, expected)


def test_constants_are_those_of_the_specification():
    assert (FIRST_OF_FIELD, NOISE, MIDWAY, SUBPIXELS) == (kernels._FIRST_OF_FIELD, 255, 256, 65536)
    # The largest sums, which float32 has to hold exactly.
    assert NOISE * WEIGHTS < 2**24
    assert NOISE * WEIGHTS // MIDWAY * WEIGHTS <= 2**24
