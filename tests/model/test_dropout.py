import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.model.dropout import dropout_mask, epoch_key, mix, threshold

ROWS = np.arange(1000)


def mask(key=1, rate=0.3, rows=ROWS, units=50, dtype="float64"):
    return dropout_mask(key, rate, rows, units, np.dtype(dtype))


def test_mix_is_a_bijection():
    words = np.random.default_rng(0).permutation(2**16).astype(np.uint32) * np.uint32(65537)
    assert len(np.unique(mix(words))) == len(words)


def test_mix_moves_half_of_the_bits():
    words = np.random.default_rng(0).integers(0, 2**32, 4000, dtype=np.uint32)
    for bit in range(32):
        moved = np.bitwise_count(mix(words) ^ mix(words ^ np.uint32(1 << bit)))
        assert abs(moved.mean() - 16) < 0.5


def test_mix_by_hand():
    # lowbias32 of 1: 1 * 0x7FEB352D, folded by 15, times 0x846CA68B modulo 2**32, folded by 16
    x = 0x7FEB352D
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    assert mix(np.array([1], np.uint32))[0] == x ^ (x >> 16)


@given(seed=st.integers(0, 2**64), epoch=st.integers(0, 2**31), layer=st.integers(0, 100))
def test_keys_are_32_bits_and_repeatable(seed, epoch, layer):
    key = epoch_key(seed, epoch, layer)
    assert 0 <= key < 2**32
    assert key == epoch_key(seed, epoch, layer)


def test_keys_differ_by_seed_epoch_and_layer():
    keys = {epoch_key(*counters) for counters in np.ndindex(10, 10, 10)}
    assert len(keys) == 1000


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_share_of_dropped_units_is_the_rate(rate):
    # 50,000 units: within 5 standard errors.
    assert (mask(rate=rate) == 0).mean() == pytest.approx(rate, abs=5 * np.sqrt(rate * (1 - rate) / 50_000))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_units_that_stay_are_scaled_so_that_the_mean_is_one(rate):
    factors = mask(rate=rate)
    np.testing.assert_allclose(factors[factors > 0], 1 / (1 - rate))
    assert factors.mean() == pytest.approx(1, abs=5 * np.sqrt(rate / (1 - rate) / 50_000))


def test_units_and_samples_are_independent():
    kept = mask(rate=0.5) > 0
    between_units, between_rows = np.corrcoef(kept.T), np.corrcoef(kept[:200])
    assert np.abs(between_units - np.eye(50)).max() < 0.2  # 5 or 6 standard errors of 1 / sqrt(1000)
    assert np.abs(between_rows - np.eye(200)).mean() < 0.15  # 1 / sqrt(50) each


def test_rate_zero_drops_nothing():
    assert (mask(rate=0.0) == 1).all()


def test_a_unit_is_dropped_by_its_own_numbers_alone():
    np.testing.assert_array_equal(mask(rows=ROWS[::-7]), mask()[::-7])
    np.testing.assert_array_equal(mask(units=7), mask()[:, :7])


def test_another_key_is_another_mask():
    assert ((mask(key=1) > 0) != (mask(key=2) > 0)).mean() == pytest.approx(2 * 0.3 * 0.7, abs=0.02)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_that_asked_for(dtype):
    assert mask(dtype=dtype).dtype == dtype


@given(st.floats(0, 1, exclude_max=True))
def test_the_threshold_is_a_32_bit_word(rate):
    assert 0 <= threshold(rate) < 2**32
