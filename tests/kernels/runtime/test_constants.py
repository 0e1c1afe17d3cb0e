"""What the kernels have built in must be what floor 0 says: the two are written apart, for the cache's sake."""

import pytest

from fastmlp.data.targets import TASKS
from fastmlp.kernels.runtime import constants
from fastmlp.model import activations, architecture, losses


def test_rows_are_padded_alike():
    assert constants.CACHE_LINE == architecture.CACHE_LINE


def test_constants_of_the_formulas_are_the_same():
    assert (constants.LEAKY_SLOPE, constants.HUBER_DELTA) == (activations.LEAKY_SLOPE, losses.HUBER_DELTA)
    assert constants.LARGEST_EXPONENT == activations.LARGEST_EXPONENT


@pytest.mark.parametrize("loss", losses.LOSSES.values(), ids=list(losses.LOSSES))
def test_losses_of_logits_come_after_those_of_outputs(loss):
    assert (getattr(constants, loss.name.upper()) >= constants.BINARY_CROSS_ENTROPY) == loss.from_logits


@pytest.mark.parametrize("names", [activations.ACTIVATIONS, losses.LOSSES, TASKS], ids=["activation", "loss", "task"])
def test_every_name_has_a_number_of_its_own(names):
    numbers = [getattr(constants, name.upper()) for name in names]
    assert sorted(numbers) == list(range(len(numbers)))
