"""What the kernels have built in must be what floor 0 says: the two are written apart, for the cache's sake."""

import pytest

from fastmlp import activations, architecture, losses
from fastmlp.kernels import codes
from fastmlp.targets import TASKS


def test_rows_are_padded_alike():
    assert codes.PADDING == architecture.LANES


def test_constants_of_the_formulas_are_the_same():
    assert (codes.LEAKY_SLOPE, codes.HUBER_DELTA) == (activations.LEAKY_SLOPE, losses.HUBER_DELTA)


@pytest.mark.parametrize("names", [activations.ACTIVATIONS, losses.LOSSES, TASKS], ids=["activation", "loss", "task"])
def test_every_name_has_a_number_of_its_own(names):
    numbers = [getattr(codes, name.upper()) for name in names]
    assert sorted(numbers) == list(range(len(numbers)))
