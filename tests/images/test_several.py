import numpy as np
import pytest

from benchmarks.disturbed_digits import enlarged, several
from fastmlp import load_mnist
from fastmlp.errors import ArgumentError
from fastmlp.images import as_digit
from fastmlp.images.several import count_digits


@pytest.fixture(scope="module")
def digits():
    return load_mnist().X_test[:400].reshape(-1, 28, 28)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_several_digits_are_refused_with_their_number(digits, n):
    for first in range(0, 40, n):
        page = several(digits[first : first + n] / 255.0, np.random.default_rng(first))
        with pytest.raises(ArgumentError, match=f"scan: this looks like {n} digits; give a picture of each"):
            as_digit(page, name="scan")


def test_digits_in_rows_and_columns_are_counted(digits):
    sheet = digits[6:12].reshape(2, 3, 28, 28).transpose(0, 2, 1, 3).reshape(56, 84) / 255.0
    assert count_digits(sheet) == 6


def test_one_digit_is_one(digits):
    counts = [count_digits(digit / 255.0) for digit in digits]
    assert counts == [1] * len(digits)
    counts = [count_digits(enlarged(digit / 255.0, np.random.default_rng(0))) for digit in digits[::10]]
    assert counts == [1] * len(counts)


def strokes(*parts):
    ink = np.zeros((60, 60))
    for part in parts:
        ink[part] = 1.0
    return ink


@pytest.mark.parametrize(
    "ink",
    [
        strokes(np.s_[10:13, 20:45], np.s_[18:50, 20:24], np.s_[46:50, 20:40]),
        strokes(np.s_[10:28, 30:34], np.s_[32:50, 28:32]),
        strokes(np.s_[10:28, 30:33], np.s_[32:50, 26:29]),
        strokes(np.s_[10:50, 20:24], np.s_[10:50, 26:30]),
        strokes(np.s_[10:50, 20:24], np.s_[10:16, 40:46]),
    ],
    ids=["bar of a 5", "broken 1", "broken slanted 1", "nearly touching", "dot"],
)
def test_strokes_of_one_digit_may_lie_apart(ink):
    assert count_digits(ink) == 1


def test_nothing_is_no_digit():
    assert count_digits(np.zeros((5, 5))) == 0
