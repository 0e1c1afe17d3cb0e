import numpy as np
import pytest

from fastmlp.kernels.parallel import data_parallel as groups

from .. import twins
from ..calls import both_dtypes, check_same, random_numbers


@both_dtypes
@pytest.mark.parametrize("count", [1, 2, 8])
def test_add_groups(count, dtype):
    arguments = random_numbers(56, dtype), random_numbers(8 * 48, dtype, 1), count, 48
    check_same(groups.add_groups, twins.add_groups, arguments)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("first", [False, True])
def test_count_in_group(first, weighted):
    totals, losses, correct = (random_numbers(48, np.float64, seed) for seed in range(3))
    weights, order = random_numbers(9, np.float32, 4), np.random.default_rng(0).permutation(9)
    arguments = totals, 1, first, losses, correct, weighted, weights, order, 2, 5
    check_same(groups.count_in_group, twins.count_in_group, arguments)
